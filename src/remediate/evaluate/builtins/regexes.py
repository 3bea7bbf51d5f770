"""Regular expressions: those that Python's `re` reads the same way, on texts where they end in bounded time."""

from __future__ import annotations

import re
from functools import cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from remediate.evaluate.conversions import call_method, to_integer, to_text
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.machine import Machine
from remediate.evaluate.objects import Native, ScriptObject, first
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

_MOST_WORK = 300_000_000
"""Steps that backtracking may take at worst: the length, once for each place to begin and each open repeat."""


class Matched(list[Any]):
    """What `exec` and `match` give: an array with `index`, `input` and `groups`."""

    def __init__(self, items: list[Any], extra: dict[str, Any]) -> None:
        super().__init__(items)
        self.extra = extra


class Pattern(ScriptObject):
    """A RegExp."""

    def __init__(self, machine: Machine, source: str, flags: str) -> None:
        self.machine = machine
        self.source = source
        self.flags = flags
        self.last_index = 0

    def get(self, name: str, place: Place) -> Value:
        if name == "source":
            return self.source
        if name == "flags":
            return self.flags
        if name == "global":
            return "g" in self.flags
        if name == "ignoreCase":
            return "i" in self.flags
        if name == "lastIndex":
            return self.last_index
        if name in ("test", "exec", "toString"):
            return Native(name, getattr(self, f"_call_{name}"))
        return UNDEFINED

    def _exec(self, arguments: list[Value], place: Place) -> Value:
        return self.exec(self.machine, to_text(first(arguments)), place)

    def _call_exec(self, this: Value, arguments: list[Value], place: Place) -> Value:
        return self._exec(arguments, place)

    def _call_test(self, this: Value, arguments: list[Value], place: Place) -> Value:
        return self._exec(arguments, place) is not None

    def _call_toString(self, this: Value, arguments: list[Value], place: Place) -> Value:
        return self.text()

    def set(self, name: str, value: Value, place: Place) -> None:
        if name == "lastIndex":
            self.last_index = to_integer(value)

    def text(self) -> Value:
        return f"/{self.source}/{self.flags}"

    def search(self, machine: Machine, text: str, position: int, place: Place) -> re.Match[str] | None:
        """The first match from a position on. Raises `UnresolvableError` for what cannot be told in bounded time."""
        compiled, repeats, reason = compile_pattern(self.source, self.flags)
        if compiled is None:
            raise UnresolvableError(Unknown(f"the regular expression /{self.source}/: {reason}", place))
        machine.spend(1 + len(text) // 100, place)
        if max(len(text), 2) ** (repeats + 1) > _MOST_WORK:
            reason = "may take too long on a text of this length"
            raise UnresolvableError(Unknown(f"the regular expression /{self.source}/ {reason}", place))
        return compiled.match(text, position) if "y" in self.flags else compiled.search(text, position)

    def exec(self, machine: Machine, text: str, place: Place) -> Value:
        stateful = "g" in self.flags or "y" in self.flags
        position = self.last_index if stateful else 0
        found = self.search(machine, text, position, place) if position <= len(text) else None
        if stateful:
            self.last_index = found.end() if found else 0
        return describe(found) if found else None

    def matches(self, machine: Machine, text: str, place: Place) -> list[Any]:
        """Every match, described."""
        return [describe(found) for found in self.find_all(machine, text, place)]

    def match_all(self, machine: Machine, text: str, place: Place) -> Value:
        found: list[Any] = [match[0] for match in self.find_all(machine, text, place)]
        return found or None

    def find_all(self, machine: Machine, text: str, place: Place) -> list[re.Match[str]]:
        result: list[re.Match[str]] = []
        position = 0
        while position <= len(text):
            found = self.search(machine, text, position, place)
            if found is None:
                break
            result.append(found)
            position = found.end() + (found.end() == found.start())
        return result


def describe(found: re.Match[str]) -> Matched:
    groups = [UNDEFINED if group is None else group for group in found.groups()]
    named = {name: UNDEFINED if group is None else group for name, group in found.groupdict().items()}
    return Matched([found[0], *groups], {"index": found.start(), "input": found.string, "groups": named or UNDEFINED})


@cache
def compile_pattern(source: str, flags: str) -> tuple[re.Pattern[str] | None, int, str]:
    """The pattern for Python, the number of open repeats in it, and why it is None if it is."""
    if len(source) > 2000:
        return None, 0, "is too long"
    options = 0
    for flag, option in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
        options |= option if flag in flags else 0
    translated = _translate(source, "m" in flags)
    try:
        tree = parser.parse(translated, options)
        repeats = _open_repeats(tree, False)
        # A repeat at the very end never has to give back what it took.
        if repeats and tree[-1][0] in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            repeats -= 1
        if repeats is None:
            return None, 0, "repeats within a repeat may take for ever"
        return re.compile(translated, options), repeats, ""
    except (re.error, OverflowError, RecursionError, ValueError):
        return None, 0, "is not interpreted"


def _translate(source: str, multiline: bool) -> str:
    r"""JavaScript's spelling in Python's: `(?<n>`, `$` only at the very end, ASCII classes, `[^]`, `\/`, `\d`."""
    text = re.sub(r"\(\?<([A-Za-z_]\w*)>", r"(?P<\1>", source)
    text = re.sub(r"\\k<(\w+)>", r"(?P=\1)", text)
    text = text
    text = re.sub(r"\\u\{?([0-9a-fA-F]{4})\}?", lambda match: re.escape(chr(int(match[1], 16))), text)
    result = []
    in_class = False
    index = 0
    while index < len(text):
        character = text[index]
        if character == "\\" and index + 1 < len(text):
            pair = text[index : index + 2]
            result.append(
                {"\\d": "0-9" if in_class else "[0-9]", "\\/": "/", "\\-": "\\-"}.get(pair, _escape(pair, in_class))
            )
            index += 2
            continue
        if not in_class and text.startswith(("[]", "[^]"), index):
            result.append("(?!)" if text[index + 1] == "]" else "[\\s\\S]")
            index += 2 if text[index + 1] == "]" else 3
            continue
        if character == "[":
            result.append("\\[" if in_class else "[")
            in_class = True
        elif character == "]" and in_class:
            in_class = False
            result.append(character)
        elif character == "$" and not in_class:
            result.append("(?=\n|\\Z)" if multiline else "\\Z")
        else:
            result.append(character)
        index += 1
    return "".join(result)


def _escape(pair: str, in_class: bool) -> str:
    if pair == "\\w":
        return "A-Za-z0-9_" if in_class else "[A-Za-z0-9_]"
    if pair == "\\W" and not in_class:
        return "[^A-Za-z0-9_]"
    if pair == "\\D" and not in_class:
        return "[^0-9]"
    if pair[1] in "bBsSnrtfv0123456789DWkxu" or not pair[1].isalnum():
        return "\\Z" if pair == "\\z" else pair
    return re.escape(pair[1])


def _open_repeats(tree: Any, within: bool) -> int | None:
    """How many repeats without end a pattern has one after the other; None when one stands in another."""
    total = 0
    for code, value in tree:
        inner: list[Any] = []
        inside = within
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            low, high, body = value
            if within and low != high:
                return None
            total += high > 1
            inside = within or high > 1
            inner = [body]
        elif code is codes.SUBPATTERN:
            inner = [value[-1]]
        elif code is codes.BRANCH:
            if within:
                return None
            inner = list(value[1])
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            inner = [value[1]]
        elif code in (codes.GROUPREF, codes.GROUPREF_EXISTS):
            total += 1
        for body in inner:
            count = _open_repeats(body, inside)
            if count is None:
                return None
            total += count
    return total


def replace_pattern(machine: Machine, pattern: Pattern, text: str, by: Value, place: Place) -> Value:
    """`text.replace(/pattern/, by)`."""
    found = pattern.find_all(machine, text, place) if "g" in pattern.flags else []
    if "g" not in pattern.flags:
        one = pattern.search(machine, text, 0, place)
        found = [one] if one else []
    result: list[str] = []
    position = 0
    for match in found:
        result.append(text[position : match.start()])
        if isinstance(by, HostObject):
            groups: list[Value] = [UNDEFINED if group is None else group for group in match.groups()]
            result.append(to_text(call_method(by, UNDEFINED, [match[0], *groups, match.start(), text], place)))
        else:
            result.append(_expand(to_text(by), match))
        position = match.end()
    result.append(text[position:])
    machine.check_text(sum(map(len, result)), place)
    return "".join(result)


_REFERENCE = re.compile(r"\$(?:(\$)|(&)|(`)|(')|(\d\d?)|<(\w+)>)")


def _expand(template: str, match: re.Match[str]) -> str:
    def meaning(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        if reference[2]:
            return match[0]
        if reference[3]:
            return match.string[: match.start()]
        if reference[4]:
            return match.string[match.end() :]
        if reference[5]:
            number = int(reference[5])
            if 0 < number <= len(match.groups()):
                return match[number] or ""
            if len(reference[5]) == 2 and 0 < number // 10 <= len(match.groups()):
                return (match[number // 10] or "") + reference[5][1]
            return reference[0]
        return (match.groupdict().get(reference[6]) or "") if match.groupdict() else reference[0]

    return _REFERENCE.sub(meaning, template)


def split_pattern(machine: Machine, pattern: Pattern, text: str, place: Place) -> list[Any]:
    """`text.split(/pattern/)`."""
    if not text:
        return [] if pattern.search(machine, text, 0, place) else [text]
    parts: list[Any] = []
    begin = position = 0
    while position < len(text):
        found = pattern.search(machine, text, position, place)
        if found is None or found.start() >= len(text):
            break
        if found.end() == found.start() and found.end() == begin:
            position = begin + 1 if found.start() == position else found.start()
            found = pattern.search(machine, text, position, place)
            if found is None or found.start() >= len(text):
                break
        parts.append(text[begin : found.start()])
        parts.extend(UNDEFINED if group is None else group for group in found.groups())
        begin = found.end()
        position = max(begin, position + 1) if found.end() == found.start() else begin
    parts.append(text[begin:])
    return parts


def regexp(machine: Machine) -> Native:
    """`RegExp`."""

    def make(this: Value, arguments: list[Value], place: Place) -> Value:
        source = first(arguments)
        flags = to_text(arguments[1]) if len(arguments) > 1 and arguments[1] is not UNDEFINED else ""
        if isinstance(source, Pattern):
            return Pattern(machine, source.source, flags or source.flags)
        return Pattern(machine, to_text(source), flags)

    return Native("RegExp", make, construct=make)
