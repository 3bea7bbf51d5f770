"""Methods of strings. Positions count characters; JavaScript counts UTF-16 units, which differ only outside the BMP."""

from __future__ import annotations

import unicodedata

from remediate.evaluate.builtins.members import TEXT, method
from remediate.evaluate.builtins.regexes import Pattern, replace_pattern, split_pattern
from remediate.evaluate.conversions import call_method, to_integer, to_text
from remediate.evaluate.machine import Machine, throw
from remediate.evaluate.objects import argument, first
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

WHITESPACE = " \t\n\r\v\f\u00a0\ufeff\u2028\u2029\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def clamp(value: Value, length: int, default: int) -> int:
    """A position as `slice` reads it: negative counts from the end."""
    if value is UNDEFINED:
        return default
    position = to_integer(value)
    return max(length + position, 0) if position < 0 else min(position, length)


@method(TEXT, "toString", "valueOf")
def _self(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this


@method(TEXT, "trim")
def _trim(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this.strip(WHITESPACE)


@method(TEXT, "trimStart", "trimLeft")
def _trim_start(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this.lstrip(WHITESPACE)


@method(TEXT, "trimEnd", "trimRight")
def _trim_end(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this.rstrip(WHITESPACE)


@method(TEXT, "toUpperCase", "toLocaleUpperCase")
def _upper(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this.upper()


@method(TEXT, "toLowerCase", "toLocaleLowerCase")
def _lower(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this.lower()


@method(TEXT, "slice")
def _slice(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    length = len(this)
    return this[clamp(first(arguments), length, 0) : clamp(argument(arguments, 1), length, length)]


@method(TEXT, "substring")
def _substring(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    length = len(this)
    begin = max(min(to_integer(first(arguments)), length), 0)
    end = argument(arguments, 1)
    stop = length if end is UNDEFINED else max(min(to_integer(end), length), 0)
    return this[min(begin, stop) : max(begin, stop)]


@method(TEXT, "substr")
def _substr(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    begin = clamp(first(arguments), len(this), 0)
    count = argument(arguments, 1)
    return this[begin:] if count is UNDEFINED else this[begin : begin + max(to_integer(count), 0)]


@method(TEXT, "charAt")
def _char_at(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    position = to_integer(first(arguments))
    return this[position] if 0 <= position < len(this) else ""


@method(TEXT, "at")
def _at(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    position = to_integer(first(arguments))
    position += len(this) if position < 0 else 0
    return this[position] if 0 <= position < len(this) else UNDEFINED


@method(TEXT, "charCodeAt", "codePointAt")
def _code_at(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    position = to_integer(first(arguments))
    return ord(this[position]) if 0 <= position < len(this) else float("nan")


@method(TEXT, "indexOf")
def _index_of(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this.find(to_text(first(arguments)), max(to_integer(argument(arguments, 1)), 0))


@method(TEXT, "lastIndexOf")
def _last_index_of(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this.rfind(to_text(first(arguments)))


@method(TEXT, "includes")
def _includes(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return _plain(first(arguments)) in this[max(to_integer(argument(arguments, 1)), 0) :]


@method(TEXT, "startsWith")
def _starts_with(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this.startswith(_plain(first(arguments)), max(to_integer(argument(arguments, 1)), 0))


@method(TEXT, "endsWith")
def _ends_with(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    end = argument(arguments, 1)
    text = this if end is UNDEFINED else this[: max(to_integer(end), 0)]
    return text.endswith(_plain(first(arguments)))


def _plain(value: Value) -> str:
    if isinstance(value, Pattern):
        raise throw("TypeError", "First argument must not be a regular expression")
    return to_text(value)


@method(TEXT, "repeat")
def _repeat(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    count = to_integer(first(arguments))
    if count < 0 or count >= 2**53:
        raise throw("RangeError", f"Invalid count value: {to_text(first(arguments))}")
    machine.check_text(len(this) * count, place)
    return this * count


def _pad(machine: Machine, this: str, arguments: list[Value], place: Place) -> str:
    length = to_integer(first(arguments))
    filler = argument(arguments, 1)
    text = " " if filler is UNDEFINED else to_text(filler)
    missing = length - len(this)
    if missing <= 0 or not text:
        return ""
    machine.check_text(length, place)
    return (text * (missing // len(text) + 1))[:missing]


@method(TEXT, "padStart")
def _pad_start(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return _pad(machine, this, arguments, place) + this


@method(TEXT, "padEnd")
def _pad_end(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return this + _pad(machine, this, arguments, place)


@method(TEXT, "concat")
def _concat(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    texts = [to_text(item) for item in arguments]
    machine.check_text(len(this) + sum(map(len, texts)), place)
    return this + "".join(texts)


@method(TEXT, "split")
def _split(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    separator, limit = first(arguments), argument(arguments, 1)
    if isinstance(separator, Pattern):
        parts = split_pattern(machine, separator, this, place)
    elif separator is UNDEFINED:
        parts = [this]
    else:
        text = to_text(separator)
        parts = list(this.split(text)) if text else list(this)
    machine.spend(len(parts), place)
    return parts if limit is UNDEFINED else parts[: to_integer(limit)]


@method(TEXT, "replace")
def _replace(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return _replaced(machine, this, arguments, place, False)


@method(TEXT, "replaceAll")
def _replace_all(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return _replaced(machine, this, arguments, place, True)


def _replaced(machine: Machine, this: str, arguments: list[Value], place: Place, everywhere: bool) -> Value:
    what, by = first(arguments), argument(arguments, 1)
    if isinstance(by, Unknown):
        return by
    if isinstance(what, Pattern):
        return replace_pattern(machine, what, this, by, place)
    text = to_text(what)
    result: list[str] = []
    position = 0
    while True:
        found = this.find(text, position) if position <= len(this) else -1
        if found < 0:
            break
        machine.spend(1, place)
        end = found + len(text)
        result.append(this[position:found])
        if isinstance(by, HostObject):
            result.append(to_text(call_method(by, UNDEFINED, [text, found, this], place)))
        else:
            result.append(expand(to_text(by), text, this[:found], this[end:]))
        position = end
        if not everywhere:
            break
        if not text:
            result.append(this[position : position + 1])
            position += 1
    result.append(this[position:])
    machine.check_text(sum(map(len, result)), place)
    return "".join(result)


def expand(template: str, match: str, before: str, after: str) -> str:
    """`$&`, `` $` ``, `$'` and `$$` in what a plain string is replaced by."""
    if "$" not in template:
        return template
    result, position = [], 0
    while (found := template.find("$", position)) >= 0:
        result.append(template[position:found])
        sign = template[found + 1 : found + 2]
        value = {"$": "$", "&": match, "`": before, "'": after}.get(sign)
        result.append("$" if value is None else value)
        position = found + (1 if value is None else 2)
    return "".join(result) + template[position:]


@method(TEXT, "match")
def _match(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    pattern = _pattern(machine, first(arguments), "")
    return pattern.match_all(machine, this, place) if "g" in pattern.flags else pattern.exec(machine, this, place)


@method(TEXT, "matchAll")
def _match_all(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    return _pattern(machine, first(arguments), "g").matches(machine, this, place)


@method(TEXT, "search")
def _search(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    found = _pattern(machine, first(arguments), "").search(machine, this, 0, place)
    return found.start() if found else -1


def _pattern(machine: Machine, value: Value, flags: str) -> Pattern:
    return (
        value if isinstance(value, Pattern) else Pattern(machine, "" if value is UNDEFINED else to_text(value), flags)
    )


@method(TEXT, "normalize")
def _normalize(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    form = first(arguments)
    name = "NFC" if form is UNDEFINED else to_text(form)
    if name not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise throw("RangeError", "The normalization form should be one of NFC, NFD, NFKC, NFKD.")
    return unicodedata.normalize(name, this)  # type: ignore[arg-type]


_COLLATION = {sign: rank for rank, sign in enumerate(" _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789")}
"""CLDR's root collation, which every language with plain Latin letters shares; letters come after all of these."""


@method(TEXT, "localeCompare")
def _locale_compare(machine: Machine, this: str, arguments: list[Value], place: Place) -> Value:
    other = to_text(first(arguments))
    if this == other:
        return 0
    if not (this.isascii() and other.isascii() and this.isprintable() and other.isprintable()) or len(arguments) > 2:
        return Unknown("the order of words in the machine's language", place)
    left, right = _collated(this), _collated(other)
    return (left > right) - (left < right)


def _collated(text: str) -> tuple[list[int], str]:
    """What texts are ordered by: first their letters, then which of them are capital ones."""
    return [_COLLATION.get(sign, 100 + ord(sign)) for sign in text.lower()], text.swapcase()
