"""The built-in functions that questions about the catalog use, computed as PostgreSQL computes them.

A function that is not here is unknown. `strict` ones give NULL for a NULL argument; an unknown argument makes the
result unknown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import QName
from remediate.replay.questions.casts import cast, find_procedure
from remediate.replay.questions.definitions import DEFINITIONS
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.operators import regular_expression, text_of
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Oid, Value
from remediate.sql.quote import quote_identifier, quote_literal

Implementation = Callable[[Session, list[Value], list[str]], Value]


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """`type` is the result's, or a function of the arguments' types."""

    type: str | Callable[[list[str]], str]
    run: Implementation
    strict: bool = True


def _texts(run: Callable[..., Value]) -> Implementation:
    """Wraps a function of plain strings and numbers."""

    def wrapped(session: Session, values: list[Value], types: list[str]) -> Value:
        arguments = [
            value if isinstance(value, int | list) and name != "bool" else _text(session, value, name)
            for value, name in zip(values, types, strict=True)
        ]
        unknown = next((value for value in arguments if isinstance(value, Unknown)), None)
        if unknown is not None:
            return unknown
        try:
            return run(*arguments)
        except (TypeError, AttributeError) as error:
            raise NotUnderstood("a function with arguments of other types than expected") from error

    return wrapped


def _text(session: Session, value: Value, type_name: str) -> Value:
    return session.spell_oid(value) if isinstance(value, Oid) and type_name != "oid" else text_of(value, type_name)


_SPECIFIER: Final = re.compile(r"%(?:(\d+)\$)?(-)?(\d+|\*)?(.)?", re.S)


def _format(session: Session, values: list[Value], types: list[str]) -> Value:
    """format(): %s, %I, %L, %%, positions and widths (utils/adt/varlena.c, text_format)."""
    template = values[0]
    if template is None or isinstance(template, Unknown):
        return template
    if "VARIADIC" in types:
        items = values[1] if isinstance(values[1], list) else []
        arguments, names = list(items), ["text"] * len(items)
    else:
        arguments, names = values[1:], types[1:]
    following, parts, position = 0, [], 0
    for match in _SPECIFIER.finditer(str(template)):
        parts.append(template[position : match.start()])
        position = match.end()
        number, left, width, kind = match.groups()
        if kind == "%":
            parts.append("%")
            continue
        if kind not in ("s", "I", "L"):
            raise Refused("22023", f'unrecognized format() type specifier "{kind or ""}"')
        if width == "*":
            return Unknown("format() with a computed width")
        index = int(number) - 1 if number else following
        following = index + 1
        if index < 0:
            raise Refused("22023", "format specifies argument 0, but arguments are numbered from 1")
        if index >= len(arguments):
            raise Refused("22023", "too few arguments for format()")
        text = _text(session, arguments[index], names[index])
        if isinstance(text, Unknown):
            return text
        if kind == "I":
            if text is None:
                raise Refused("22004", "null values cannot be formatted as an SQL identifier")
            text = quote_identifier(text)
        elif kind == "L":
            text = "NULL" if text is None else quote_literal(text)
        text = text or ""
        parts.append(text.ljust(int(width)) if width and left else text.rjust(int(width)) if width else text)
    parts.append(template[position:])
    return "".join(parts)


def _concat(session: Session, values: list[Value], types: list[str]) -> Value:
    parts: list[str] = []
    for value, name in zip(values, types, strict=True):
        text = _text(session, value, name)
        if isinstance(text, Unknown):
            return text
        parts.append(text or "")
    return "".join(parts)


def _concat_ws(session: Session, values: list[Value], types: list[str]) -> Value:
    separator = values[0]
    if separator is None or isinstance(separator, Unknown):
        return separator
    parts: list[str] = []
    for value, name in zip(values[1:], types[1:], strict=True):
        text = _text(session, value, name)
        if isinstance(text, Unknown):
            return text
        if text is not None:
            parts.append(text)
    return str(separator).join(parts)


def _quote_nullable(session: Session, values: list[Value], types: list[str]) -> Value:
    text = _text(session, values[0], types[0])
    return text if isinstance(text, Unknown) else "NULL" if text is None else quote_literal(text)


def _substring(text: str, start: Value, length: int | None = None) -> Value:
    if isinstance(start, str):
        found = regular_expression(start, False).search(text)
        return None if found is None else found[1] if found.re.groups else found[0]
    if length is None:
        return text[max(start - 1, 0) :]
    if length < 0:
        raise Refused("22011", "negative substring length not allowed")
    return text[max(start - 1, 0) : max(start - 1 + length, 0)]


def _regexp_replace(text: str, pattern: str, replacement: str, flags: str = "") -> Value:
    compiled = regular_expression(pattern, "i" in flags)
    target = re.sub(r"\\([0-9&\\])", lambda m: "\\g<0>" if m[1] == "&" else m[0], replacement)
    return compiled.sub(target, text, count=0 if "g" in flags else 1)


def _regexp_like(text: str, pattern: str, flags: str = "") -> bool:
    return regular_expression(pattern, "i" in flags).search(text) is not None


def _translate(text: str, old: str, new: str) -> str:
    return text.translate({ord(c): new[at] if at < len(new) else None for at, c in reversed(list(enumerate(old)))})


def _split_part(text: str, separator: str, number: int) -> Value:
    parts = text.split(separator) if separator else [text]
    index = number - 1 if number > 0 else len(parts) + number
    return parts[index] if 0 <= index < len(parts) else ""


def _string_to_array(text: str | None, separator: str | None, null: str | None = None) -> Value:
    if text is None:
        return None
    items = list(text) if separator is None else [] if text == "" else text.split(separator) if separator else [text]
    return [None if null is not None and item == null else item for item in items]


def _array_to_string(session: Session, values: list[Value], types: list[str]) -> Value:
    if values[0] is None or values[1] is None:
        return None
    null = values[2] if len(values) > 2 else None
    parts: list[str] = []
    for item in values[0]:
        text = _text(session, item, types[0].removesuffix("[]"))
        if isinstance(text, Unknown):
            return text
        if text is not None or null is not None:
            parts.append(str(null if text is None else text))
    return str(values[1]).join(parts)


def _array_length(array: list[Value], dimension: int) -> Value:
    return len(array) if array and dimension == 1 else None


def _array_position(session: Session, values: list[Value], types: list[str]) -> Value:
    if not isinstance(values[0], list):
        return values[0]
    return values[0].index(values[1]) + 1 if values[1] in values[0] else None


def _to_regclass(session: Session, values: list[Value], types: list[str]) -> Value:
    return values[0] if isinstance(values[0], Oid) else session.class_oid(str(values[0]))


def _to_regtype(session: Session, values: list[Value], types: list[str]) -> Value:
    found = session.find_type(str(values[0]))
    return Oid("type", found) if found else None


def _to_regprocedure(session: Session, values: list[Value], types: list[str]) -> Value:
    return find_procedure(str(values[0]), session, with_arguments=True)


def _to_regproc(session: Session, values: list[Value], types: list[str]) -> Value:
    return find_procedure(str(values[0]), session, with_arguments=False)


def _to_regnamespace(session: Session, values: list[Value], types: list[str]) -> Value:
    name = str(values[0]).strip('"')
    return Oid("namespace", name) if name in session.reader.schemas or name == "pg_catalog" else None


def _to_regrole(session: Session, values: list[Value], types: list[str]) -> Value:
    name = str(values[0]).strip('"')
    return Oid("role", name) if name in session.reader.roles or name == session.reader.current_user else None


def _current_schema(session: Session, values: list[Value], types: list[str]) -> Value:
    return session.reader.current_schema


def _current_schemas(session: Session, values: list[Value], types: list[str]) -> Value:
    visible = [name for name in session.reader.search_path if name in session.reader.schemas]
    return [*(["pg_catalog"] if values[0] else []), *visible]


def _current_setting(session: Session, values: list[Value], types: list[str]) -> Value:
    known = session.reader.setting(str(values[0]))
    if known is not None:
        return known
    if str(values[0]) == "block_size":
        # Fixed when a server is compiled; no distribution has another one.
        return "8192"
    if str(values[0]) == "server_version_num":
        return f"{session.reader.server_version}0000"
    if str(values[0]) == "server_version":
        return f"{session.reader.server_version}.0"
    if "." not in str(values[0]):
        return Unknown(f"depends on the server's setting {values[0]}")
    # A custom setting that no one has set; that a database or role has it set by default is nowhere to be seen.
    if len(values) > 1 and values[1]:
        return None
    raise Refused("42704", f'unrecognized configuration parameter "{values[0]}"')


def _version(session: Session, values: list[Value], types: list[str]) -> Value:
    # Its minor version and how it was built are not known; migrations look at the beginning.
    return f"PostgreSQL {session.reader.server_version}.0"


def _relation_size(session: Session, values: list[Value], types: list[str]) -> Value:
    return 0 if session.tables_are_empty else Unknown("depends on how large a table is", about_data=True)


def _column_comment(session: Session, values: list[Value], types: list[str]) -> Value:
    oid, number = values[0], values[1]
    table = session.reader.tables.get(oid.key) if isinstance(oid, Oid) and isinstance(oid.key, QName) else None
    if table is None or not isinstance(number, int) or not 0 < number <= len(table.columns):
        return Unknown("a comment")
    return table.columns[number - 1].comment


def _object_comment(session: Session, values: list[Value], types: list[str]) -> Value:
    """Of tables and functions; other comments are not kept."""
    oid, catalog = values[0], values[1] if len(values) > 1 else None
    if isinstance(oid, Oid) and oid.kind == "proc" and catalog in (None, "pg_proc"):
        function = next((one for key, one in session.reader.functions.items() if key == oid.key), None)
        return function.comment if function is not None else Unknown("a comment")
    if isinstance(oid, Oid) and oid.kind == "class" and catalog in (None, "pg_class") and isinstance(oid.key, QName):
        table = session.reader.tables.get(oid.key)
        return table.comment if table is not None else Unknown("a comment")
    return Unknown("a comment")


def _enum_labels(session: Session, values: list[Value], types: list[str]) -> Value:
    schema, _, name = types[0].partition(".")
    made = session.reader.types.get(QName(schema, name))
    return list(made.labels) if made is not None and made.kind == "enum" else Unknown(f"the labels of {types[0]}")


def _enum_edge(position: int) -> Implementation:
    def run(session: Session, values: list[Value], types: list[str]) -> Value:
        labels = _enum_labels(session, values, types)
        return labels[position] if isinstance(labels, list) and labels else labels

    return run


def _visible(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = values[0]
    if not isinstance(oid, Oid) or not isinstance(oid.key, QName):
        return Unknown("whether an object is visible")
    if oid.kind == "class":
        return session.find_relation(oid.key.name, None) == oid.key
    return session.reader.find_type(oid.key.name) == oid.key


def _extreme(pick: Callable[[list[Value]], Value]) -> Implementation:
    def run(session: Session, values: list[Value], types: list[str]) -> Value:
        known = [value for value in values if value is not None]
        return pick(known) if known else None

    return run


def _first(types: list[str]) -> str:
    return types[0] if types and types[0] != "unknown" else "text"


def _element(types: list[str]) -> str:
    return types[0].removesuffix("[]") if types else "text"


def _chr(number: int) -> str:
    if not 0 < number < 0x110000:
        raise Refused("54000", "requested character too large for encoding")
    return chr(number)


def _repeat(text: str, count: int) -> Value:
    return text * max(count, 0) if len(text) * max(count, 0) < 1_000_000 else Unknown("a text that is too long")


def _pad(text: str, length: int, fill: str = " ", *, left: bool) -> Value:
    if length > 100_000:
        return Unknown("a text that is too long")
    if len(text) >= length or not fill:
        return text[: max(length, 0)]
    padding = (fill * length)[: length - len(text)]
    return padding + text if left else text + padding


def _left(text: str, count: int) -> str:
    return text[:count] if count >= 0 else text[: max(len(text) + count, 0)]


def _right(text: str, count: int) -> str:
    return (text[-count:] if count else "") if count >= 0 else text[-count:]


def _has_role(session: Session, values: list[Value], types: list[str]) -> Value:
    return Unknown("depends on the privileges of a role")


def _set_config(session: Session, values: list[Value], types: list[str]) -> Value:
    name, value, local = values
    known = isinstance(name, str) and (value is None or isinstance(value, str)) and isinstance(local, bool)
    if session.assign is not None and known:
        session.assign(str(name), str(value or ""), bool(local))
    # Of a statement that is only this, the effect is the engine's business.
    return value


def _lower(text: str) -> str:
    return text.lower()


FUNCTIONS: Final[dict[str, ScalarFunction]] = {
    "format": ScalarFunction("text", _format, strict=False),
    "concat": ScalarFunction("text", _concat, strict=False),
    "concat_ws": ScalarFunction("text", _concat_ws, strict=False),
    "quote_ident": ScalarFunction("text", _texts(quote_identifier)),
    "quote_literal": ScalarFunction("text", _texts(quote_literal)),
    "quote_nullable": ScalarFunction("text", _quote_nullable, strict=False),
    "lower": ScalarFunction("text", _texts(_lower)),
    "upper": ScalarFunction("text", _texts(lambda text: text.upper())),
    "initcap": ScalarFunction("text", _texts(lambda text: re.sub(r"[a-zA-Z0-9]+", lambda m: m[0].capitalize(), text))),
    "length": ScalarFunction("int4", _texts(len)),
    "char_length": ScalarFunction("int4", _texts(len)),
    "character_length": ScalarFunction("int4", _texts(len)),
    "octet_length": ScalarFunction("int4", _texts(lambda text: len(text.encode()))),
    "btrim": ScalarFunction("text", _texts(lambda text, characters=" ": text.strip(characters))),
    "ltrim": ScalarFunction("text", _texts(lambda text, characters=" ": text.lstrip(characters))),
    "rtrim": ScalarFunction("text", _texts(lambda text, characters=" ": text.rstrip(characters))),
    "replace": ScalarFunction("text", _texts(lambda text, old, new: text.replace(old, new) if old else text)),
    "translate": ScalarFunction("text", _texts(_translate)),
    "substring": ScalarFunction("text", _texts(_substring)),
    "substr": ScalarFunction("text", _texts(_substring)),
    "left": ScalarFunction("text", _texts(_left)),
    "right": ScalarFunction("text", _texts(_right)),
    "lpad": ScalarFunction("text", _texts(lambda *items: _pad(*items, left=True))),
    "rpad": ScalarFunction("text", _texts(lambda *items: _pad(*items, left=False))),
    "repeat": ScalarFunction("text", _texts(_repeat)),
    "reverse": ScalarFunction("text", _texts(lambda text: text[::-1])),
    "position": ScalarFunction("int4", _texts(lambda text, part: text.find(part) + 1)),
    "strpos": ScalarFunction("int4", _texts(lambda text, part: text.find(part) + 1)),
    "starts_with": ScalarFunction("bool", _texts(lambda text, part: text.startswith(part))),
    "split_part": ScalarFunction("text", _texts(_split_part)),
    "regexp_replace": ScalarFunction("text", _texts(_regexp_replace)),
    "regexp_like": ScalarFunction("bool", _texts(_regexp_like)),
    "ascii": ScalarFunction("int4", _texts(lambda text: ord(text[0]) if text else 0)),
    "chr": ScalarFunction("text", _texts(_chr)),
    "md5": ScalarFunction("text", _texts(lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())),
    "string_to_array": ScalarFunction("text[]", lambda session, values, types: _string_to_array(*values), strict=False),
    "array_to_string": ScalarFunction("text", _array_to_string, strict=False),
    "array_length": ScalarFunction("int4", _texts(_array_length)),
    "array_upper": ScalarFunction("int4", _texts(_array_length)),
    "array_lower": ScalarFunction("int4", _texts(lambda array, dimension: 1 if array and dimension == 1 else None)),
    "cardinality": ScalarFunction("int4", _texts(len)),
    "array_append": ScalarFunction(
        _first, lambda session, values, types: [*(values[0] or []), values[1]], strict=False
    ),
    "array_prepend": ScalarFunction(
        lambda types: types[-1], lambda session, values, types: [values[0], *(values[1] or [])], strict=False
    ),
    "array_cat": ScalarFunction(
        _first, lambda session, values, types: [*(values[0] or []), *(values[1] or [])], strict=False
    ),
    "array_remove": ScalarFunction(_first, _texts(lambda array, item: [one for one in array if one != item])),
    "array_position": ScalarFunction("int4", _array_position, strict=False),
    "to_regclass": ScalarFunction("regclass", _to_regclass),
    "to_regtype": ScalarFunction("regtype", _to_regtype),
    "to_regproc": ScalarFunction("regproc", _to_regproc),
    "to_regprocedure": ScalarFunction("regprocedure", _to_regprocedure),
    "to_regnamespace": ScalarFunction("regnamespace", _to_regnamespace),
    "to_regrole": ScalarFunction("regrole", _to_regrole),
    "current_schema": ScalarFunction("name", _current_schema),
    "current_schemas": ScalarFunction("name[]", _current_schemas),
    "current_database": ScalarFunction("name", lambda session, values, types: session.reader.database),
    "current_setting": ScalarFunction("text", _current_setting),
    "version": ScalarFunction("text", _version),
    "set_config": ScalarFunction("text", _set_config),
    "pg_relation_size": ScalarFunction("int8", _relation_size),
    "pg_table_size": ScalarFunction("int8", _relation_size),
    "pg_total_relation_size": ScalarFunction("int8", _relation_size),
    "col_description": ScalarFunction("text", _column_comment),
    "obj_description": ScalarFunction("text", _object_comment),
    "enum_range": ScalarFunction(lambda types: f"{types[0]}[]", _enum_labels, strict=False),
    "enum_first": ScalarFunction(_first, _enum_edge(0), strict=False),
    "enum_last": ScalarFunction(_first, _enum_edge(-1), strict=False),
    "pg_table_is_visible": ScalarFunction("bool", _visible),
    "pg_type_is_visible": ScalarFunction("bool", _visible),
    "greatest": ScalarFunction(_first, _extreme(max), strict=False),
    "least": ScalarFunction(_first, _extreme(min), strict=False),
    "abs": ScalarFunction(_first, _texts(abs)),
    "mod": ScalarFunction(_first, _texts(lambda left, right: left % right)),
    "to_json": ScalarFunction("json", lambda session, values, types: Unknown("builds json")),
    "pg_advisory_lock": ScalarFunction("void", lambda session, values, types: ""),
    "pg_advisory_xact_lock": ScalarFunction("void", lambda session, values, types: ""),
    "pg_notify": ScalarFunction("void", lambda session, values, types: ""),
    "pg_sleep": ScalarFunction("void", lambda session, values, types: ""),
    "setval": ScalarFunction("int8", lambda session, values, types: values[1] if len(values) > 1 else None),
    **{name: ScalarFunction("text", run) for name, run in DEFINITIONS.items()},
}


def text_argument(value: Value, type_name: str, session: Session) -> Value:
    return cast(value, type_name, "text", session)
