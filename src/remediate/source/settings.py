"""Where application code sets custom settings: `SET app.x = …` and `set_config('app.x', …)` in its strings.

PostgreSQL: a custom setting is a name with a dot in it; names of settings are compared in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tree_sitter import Node

from remediate.source.constants import Constants, Load, Resolve
from remediate.source.model import SettingWrite
from remediate.source.place import Unresolved
from remediate.source.syntax import parse, text_of
from remediate.source.text import place_of

Form: TypeAlias = Literal["set", "set_config", "bind", "interpolated"]

_MAYBE = re.compile(
    rb"""
    [sS][eE][tT] (?: _[cC][oO][nN][fF][iI][gG]\b
      | \s+ (?: [\\"']* \w+ [\\"'\s]* \. | \?\? | :\w+: | ["']?\$\{ | (?i:local|session) \s+ [\w"'$?:\\] ) )
    """,
    re.VERBOSE,
)
_SURELY = re.compile(
    rb"\bset_config\s*\(|\bSET\s+(?:LOCAL\s+|SESSION\s+)?[\"']?[a-z_]\w*\.\w+[\"']?\s*(?:=|TO\b)", re.IGNORECASE
)
_SUBSTITUTION = r"\$\{(?:[^{}]|\{[^{}]*\})*\}"
_PLACEHOLDER = r"(?:\$\d+|\?\??|:\w+:?)"
_SET = re.compile(
    rf"""
    (?: ^ | ; | \bBEGIN\b ) \s*+ (?: /\*(?: [^*] | \*(?!/) )*+\*/ \s*+ | --[^\n]*+\n \s*+ )*+
    (?P<all> SET \s+ (?: (?P<scope> LOCAL|SESSION ) \s+ )?
      (?P<name> [\\]?["']? [a-z_][\w$]* (?: ["\\]*\s*\.\s*["\\]* [a-z_][\w$]* ){{1,4}} [\\]?["']?
              | {_SUBSTITUTION} | "{_SUBSTITUTION}" | \?\?? | :\w+: )
      \s* (?: = | \bTO\b ) \s* (?P<value> [^;]* ) )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SET_CONFIG = re.compile(
    rf"""
    \bset_config \s* \( \s*
      (?P<name> '[^']*' | {_SUBSTITUTION} | {_PLACEHOLDER} | \\'[^']*\\' ) (?: ::\w+ )? \s* , \s*
      (?P<value> (?: {_SUBSTITUTION} | '[^']*' | \([^()]*\) | [^,'()] )* ) \s*
      (?: , \s* (?P<local> true | false | '[^']*' | {_SUBSTITUTION} | {_PLACEHOLDER} ) (?: ::\w+ )? )?
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_ENDS_OPEN = re.compile(r"set_config\s*\(\s*'?\s*$", re.IGNORECASE)
_DOTTED = re.compile(r"[a-z_][\w$]*(?:\.[a-z_][\w$]*)+")


def may_write_settings(data: bytes) -> bool:
    """Whether it is worth parsing a file for its writes: cheap, and never wrong where it says no."""
    return _MAYBE.search(data) is not None


def surely_writes_settings(data: bytes) -> bool:
    """Whether a file that is too large to parse sets something by the look of it."""
    return _SURELY.search(data) is not None


def setting_writes(
    file: str, data: bytes, load: Load, resolve: Resolve
) -> tuple[tuple[SettingWrite, ...], tuple[Unresolved, ...]]:
    """The writes in one file in reading order, and those whose setting cannot be told.

    A name may be a constant of the file or of one that it imports, or the binding that stands for a placeholder.
    """
    root = parse(file, data).root_node
    reader = _Reader(file, data, Constants(file, root, load, resolve))
    writes: list[SettingWrite] = []
    unresolved: list[Unresolved] = []
    for node in _suspects(root, data):
        for write in reader.writes(node):
            if isinstance(write, SettingWrite):
                writes.append(write)
            else:
                unresolved.append(write)
    return tuple(writes), tuple(unresolved)


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str
    data: bytes
    constants: Constants

    def writes(self, node: Node) -> Iterator[SettingWrite | Unresolved]:
        # One character for each byte, so that offsets in the text are byte offsets.
        text = self.data[node.start_byte + 1 : node.end_byte - 1].decode("latin-1")
        for match in _SET.finditer(text):
            yield from self._write(node, text, match, *match.span("all"), self._set_form(node, text, match))
        for match in _SET_CONFIG.finditer(text):
            pasted = "${" in match["value"] and not _is_tagged(node)
            yield from self._write(node, text, match, *match.span(), "interpolated" if pasted else "set_config")
        open_end = _ENDS_OPEN.search(text)
        if open_end and _is_concatenated(node):
            yield self._unknown(node, open_end.start(), open_end.end())

    def _write(
        self, node: Node, text: str, match: re.Match[str], start: int, end: int, form: Form
    ) -> Iterator[SettingWrite | Unresolved]:
        written = match["name"]
        literal = re.sub(r"[\"'\\\s]", "", written)
        name: str | None
        if written.strip("\"'").startswith("${"):
            offset = node.start_byte + 1 + match.start("name") + written.index("${")
            name = self.constants.string(node.descendant_for_byte_range(offset, offset + len(written.strip("\"'"))))
            if (
                name is None
                and form != "set_config"
                and not match.groupdict().get("scope")
                and "local" not in match.groupdict()
            ):
                return  # `SET ${columns} = …` is more likely an UPDATE in pieces than a setting
        elif re.fullmatch(_PLACEHOLDER, written):
            name = self.constants.string(_binding(node, text, match.start("name"), written))
        elif "${" in literal:
            name = None
        else:
            name = literal
        if name is None:
            yield self._unknown(node, start, end)
        elif _DOTTED.fullmatch(name.lower()):
            end = start + len(text[start:end].rstrip())
            place = place_of(self.file, self.data, node.start_byte + 1 + start, node.start_byte + 1 + end)
            yield SettingWrite(name.lower(), place, form, self._is_local(node, text, match))

    def _set_form(self, node: Node, text: str, match: re.Match[str]) -> Form:
        value = match["value"].strip()
        if re.match(rf"'?\s*{_PLACEHOLDER}(?:\s*'|\s|$)", value) and not value.startswith("'"):
            return "bind"
        if "${" in value:
            return "bind" if _is_tagged(node) else "interpolated"
        if value in ("", "'", "\\'", '"') and match.end("value") >= len(text.rstrip()) and _is_concatenated(node):
            return "interpolated"
        return "interpolated" if re.match(r"'?%[sLI]", value) else "set"

    def _is_local(self, node: Node, text: str, match: re.Match[str]) -> bool:
        groups = match.groupdict()
        if "scope" in groups:
            return (groups["scope"] or "").lower() == "local"
        local = (groups["local"] or "").strip("'").lower()
        if local in ("true", "t", "on", "1", "false", "f", "off", "0"):
            return local in ("true", "t", "on", "1")
        argument: Node | None = None
        if re.fullmatch(_PLACEHOLDER, groups["local"] or ""):
            argument = _binding(node, text, match.start("local"), groups["local"])
        # What nothing tells is taken as local: the other claim, that it outlives its transaction, is an accusation.
        return argument is None or text_of(argument) != "false"

    def _unknown(self, node: Node, start: int, end: int) -> Unresolved:
        place = place_of(self.file, self.data, node.start_byte + 1 + start, node.start_byte + 1 + end)
        return Unresolved("", place, "sets a custom setting whose name is not known before it runs")


def _binding(node: Node, text: str, offset: int, placeholder: str) -> Node | None:
    """The argument that a placeholder in a query's text stands for: `raw(text, bindings)`, `query({text, values})`."""
    call = node.parent
    while call is not None and call.type not in ("arguments", "object"):
        if call.type not in ("pair", "binary_expression", "parenthesized_expression"):
            return None
        call = call.parent
    if call is None:
        return None
    values: Node | None = None
    if call.type == "object":
        for pair in call.named_children:
            key = pair.child_by_field_name("key")
            if key is not None and text_of(key) in ("values", "bindings"):
                values = pair.child_by_field_name("value")
    else:
        arguments = [child for child in call.named_children if child.type != "comment"]
        values = arguments[1] if len(arguments) > 1 else None
    if values is None:
        return None
    if placeholder.startswith(":") and values.type == "object":
        for pair in values.named_children:
            key = pair.child_by_field_name("key")
            if key is not None and text_of(key) == placeholder.strip(":"):
                return pair.child_by_field_name("value")
        return None
    if values.type != "array":
        return values if placeholder in ("?", "??", "$1") and values.type in ("string", "identifier") else None
    index = int(placeholder[1:]) - 1 if placeholder.startswith("$") else len(re.findall(r"\?\??", text[:offset]))
    items = [child for child in values.named_children if child.type != "comment"]
    return items[index] if 0 <= index < len(items) else None


def _is_tagged(node: Node) -> bool:
    """Whether a template is tagged (sql`…`): what stands in `${}` is then a bind parameter."""
    parent = node.parent
    return node.type == "template_string" and parent is not None and parent.type == "call_expression"


def _is_concatenated(node: Node) -> bool:
    """Whether something follows the string: `'…' + value`."""
    parent = node.parent
    if parent is None or parent.type != "binary_expression":
        return False
    return parent.child_by_field_name("left") == node or _is_concatenated(parent)


def _suspects(root: Node, data: bytes) -> Iterator[Node]:
    """The string and template literals in which something may be set, in source order.

    Looked up from the places that the pattern finds: walking the whole tree of every file takes ten times as long.
    """
    seen = set()
    for match in _MAYBE.finditer(data):
        node = root.descendant_for_byte_range(match.start(), match.start() + 1)
        while node is not None and node.type not in ("string", "template_string"):
            node = node.parent
        if node is not None and node.start_byte not in seen:
            seen.add(node.start_byte)
            yield node
