"""Function calls, and the syntax that SQL gives to some of them (ruleutils.c get_func_sql_syntax)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from remediate.sql.context import Call, Context
from remediate.sql.inference import candidates, is_implicit, result_type
from remediate.sql.parse import Node
from remediate.sql.piece import AT, ATOM, Piece, array_piece, as_type
from remediate.sql.quote import quote_identifier
from remediate.sql.types import base_type

_SQL_SYNTAX: Final = 4  # COERCE_SQL_SYNTAX
_NAMED_ARGUMENT: Final = "named_arg_expr"
_PATHS: Final = ("json_extract_path", "json_extract_path_text", "jsonb_extract_path", "jsonb_extract_path_text")
"""The functions of PostgreSQL's own that take any number of arguments of one type."""


def function_name(node: Node) -> tuple[str | None, str]:
    """(schema, name) of a call; None for no schema."""
    names = [part.string.sval for part in node.funcname]
    return (names[-2] if len(names) > 1 else None), names[-1]


def spell_call(node: Node, context: Context) -> Piece:
    schema, name = function_name(node)
    arguments = [_argument(item, context) for item in node.args]
    if node.funcformat == _SQL_SYNTAX and schema == "pg_catalog":
        special = _SYNTAX.get(name)
        if special is not None and (piece := special(arguments)) is not None:
            context.calls.append(Call("pg_catalog", name, (), _volatility(name, arguments), True))
            return piece
    types = tuple(piece.type if piece.kind not in ("literal", "null") else None for piece in arguments)
    gathered = None if node.func_variadic else _gathered(schema, name, arguments, types, context)
    if gathered is not None:
        arguments, types = gathered, tuple(piece.type for piece in gathered)
    direct = len(arguments)
    if node.agg_within_group:
        # What an ordered-set aggregate sorts is an argument of its own (ParseFuncOrColumn).
        arguments += [context.spell(item.sort_by.node, context) for item in node.agg_order]
        types = tuple(piece.type if piece.kind not in ("literal", "null") else None for piece in arguments)
    written, arguments, type_name = _resolve(schema, name, arguments, types, context)
    arguments, keys = arguments[:direct], iter(arguments[direct:])
    inner = ", ".join(piece.text for piece in arguments)
    if (node.func_variadic or gathered is not None) and arguments:
        inner = ", ".join([*(piece.text for piece in arguments[:-1]), f"VARIADIC {arguments[-1].text}"])
    if node.agg_star:
        inner = "*"
    if node.agg_distinct:
        inner = f"DISTINCT {inner}"
    if node.agg_order and not node.agg_within_group:
        inner += f" ORDER BY {spell_order(node.agg_order, context)}"
    text = f"{written}({inner})"
    if node.agg_within_group:
        text += f" WITHIN GROUP (ORDER BY {spell_order(node.agg_order, context, lambda _: next(keys).text)})"
    if node.HasField("agg_filter"):
        text += f" FILTER (WHERE {context.spell(node.agg_filter, context).text})"
    if node.HasField("over"):
        text += f" OVER {spell_window(node.over, context)}"
    return Piece(text, ATOM, type_name)


def _argument(node: Node, context: Context) -> Piece:
    if node.WhichOneof("node") == _NAMED_ARGUMENT:
        named = node.named_arg_expr
        value = context.spell(named.arg, context)
        return Piece(f"{quote_identifier(named.name)} => {value.text}", ATOM, value.type)
    return context.spell(node, context)


def _gathered(
    schema: str | None, name: str, arguments: list[Piece], types: tuple[str | None, ...], context: Context
) -> list[Piece] | None:
    """The arguments with those that a variadic parameter takes as one array (ParseFuncOrColumn); None without one."""
    if schema in (None, "pg_catalog") and name in _PATHS:
        first, element = 1, "text"
    else:
        # A function of PostgreSQL's own that fits as it is comes first.
        own = schema in (None, "pg_catalog") and bool(candidates(name, types))
        user = None if own or schema == "pg_catalog" else context.lookup.function(schema, name, types)
        if user is None or not user.variadic:
            return None
        first, element = len(user.arguments) - 1, user.arguments[-1].removesuffix("[]")
    if len(arguments) <= first:
        return None
    rest = tuple(_fit(piece, element) for piece in arguments[first:])
    return [*arguments[:first], array_piece(rest, f"{element}[]")]


def _resolve(
    schema: str | None, name: str, arguments: list[Piece], types: tuple[str | None, ...], context: Context
) -> tuple[str, list[Piece], str | None]:
    """The name as it is written, the arguments as the function takes them, and the type of the result."""
    found = candidates(name, types) if schema in (None, "pg_catalog") else []
    user = None if schema == "pg_catalog" else context.lookup.function(schema, name, types)
    if user is not None and not (found and schema is None):
        context.calls.append(Call(user.schema, user.name, types, user.volatility, False))
        arguments = [
            _fit(piece, user.arguments[at]) if at < len(user.arguments) else piece for at, piece in enumerate(arguments)
        ]
        target = context.rename_functions.get((user.schema, user.name), (user.schema, user.name))
        return _written(*target), arguments, user.returns
    if not found:
        # Not known, or variadic: jsonb_build_object, format, concat, extensions.
        volatility = _volatility(name, arguments) if schema in (None, "pg_catalog") else None
        context.calls.append(Call(schema, name, types, volatility, volatility is not None))
        return _written(schema, name), arguments, None
    context.calls.append(Call("pg_catalog", name, types, _agreed(each.volatility for each in found), True))
    fitted = []
    for at, piece in enumerate(arguments):
        wanted = {each.arguments[at] for each in found}
        target_type = "text" if "text" in wanted else wanted.pop() if len(wanted) == 1 else None
        fitted.append(_fit(piece, target_type) if target_type else piece)
    return _written(None, name), fitted, result_type(found, [piece.type for piece in fitted])


def _fit(piece: Piece, wanted: str) -> Piece:
    """An argument as a parameter of that type takes it: constants get it, implicit casts go."""
    piece = as_type(piece, wanted)
    if piece.kind == "cast" and piece.type == wanted:
        inner = piece.inner[0]
        if inner.type and is_implicit(inner.type, wanted):
            return inner
    return piece


def _written(schema: str | None, name: str) -> str:
    if schema in (None, "public", "pg_catalog"):
        return quote_identifier(name)
    return f"{quote_identifier(schema or '')}.{quote_identifier(name)}"


def _agreed(values: object) -> str | None:
    found = set(values)  # type: ignore[call-overload]
    return found.pop() if len(found) == 1 else None


def _volatility(name: str, arguments: list[Piece]) -> str | None:
    """What the candidates agree on; among several, arguments whose types are not known decide nothing."""
    from remediate.sql.builtins import builtins

    found = candidates(name, [piece.type for piece in arguments]) or list(builtins().functions.get(name, ()))
    return _agreed(each.volatility for each in found)


def spell_order(items: Node, context: Context, spell_key: Callable[[Node], str] | None = None) -> str:
    """ORDER BY, with what is the default left out. `spell_key` spells what is sorted by, other than an expression."""
    parts = []
    for item in items:
        by = item.sort_by
        text = spell_key(by.node) if spell_key else context.spell(by.node, context).text
        descending = by.sortby_dir == 3
        text += " DESC" if descending else ""
        if by.sortby_nulls == 2 and not descending:
            text += " NULLS FIRST"
        if by.sortby_nulls == 3 and descending:
            text += " NULLS LAST"
        parts.append(text)
    return ", ".join(parts)


def spell_window(node: Node, context: Context) -> str:
    """What OVER refers to or says itself, and what WINDOW gives a name (get_rule_windowspec)."""
    if node.name:
        return quote_identifier(node.name)
    return window_specification(node, context)


def window_specification(node: Node, context: Context) -> str:
    """A window in parentheses; `name` is left to the one who asks."""
    parts = [quote_identifier(node.refname)] if node.refname else []
    if node.partition_clause:
        parts.append("PARTITION BY " + ", ".join(context.spell(item, context).text for item in node.partition_clause))
    if node.order_clause:
        parts.append("ORDER BY " + spell_order(node.order_clause, context))
    if node.frame_options & 1:  # FRAMEOPTION_NONDEFAULT
        parts.append(_frame(node, context))
    return f"({' '.join(parts)})"


_FRAME_KINDS: Final = {0x2: "RANGE", 0x4: "ROWS", 0x8: "GROUPS"}
_FRAME_STARTS: Final = {0x20: "UNBOUNDED PRECEDING", 0x200: "CURRENT ROW", 0x800: "PRECEDING", 0x2000: "FOLLOWING"}
_FRAME_ENDS: Final = {0x100: "UNBOUNDED FOLLOWING", 0x400: "CURRENT ROW", 0x1000: "PRECEDING", 0x4000: "FOLLOWING"}
_FRAME_EXCLUDES: Final = {0x8000: "EXCLUDE CURRENT ROW", 0x10000: "EXCLUDE GROUP", 0x20000: "EXCLUDE TIES"}
_BETWEEN: Final = 0x10
"""parsenodes.h FRAMEOPTION_…"""


def _frame(node: Node, context: Context) -> str:
    options = node.frame_options

    def bound(words: Mapping[int, str], offset: str) -> str:
        word = next(word for bit, word in words.items() if options & bit)
        if word not in ("PRECEDING", "FOLLOWING"):
            return word
        return f"{context.spell(getattr(node, offset), context).text} {word}"

    kind = next(word for bit, word in _FRAME_KINDS.items() if options & bit)
    text = bound(_FRAME_STARTS, "start_offset")
    if options & _BETWEEN:
        text = f"BETWEEN {text} AND {bound(_FRAME_ENDS, 'end_offset')}"
    return " ".join([kind, text, *(word for bit, word in _FRAME_EXCLUDES.items() if options & bit)])


def _timezone(arguments: list[Piece]) -> Piece | None:
    if len(arguments) != 2:
        return None
    zone, value = as_type(arguments[0], "text"), arguments[1]
    base = value.type and base_type(value.type)
    result = {
        "timestamp with time zone": "timestamp without time zone",
        "timestamp without time zone": "timestamp with time zone",
    }.get(base or "")
    return Piece(f"{value.within(AT)} AT TIME ZONE {zone.within(AT + 1)}", AT, result)


def _extract(arguments: list[Piece]) -> Piece | None:
    field, value = arguments
    return Piece(f"EXTRACT({field.value or field.text} FROM {value.text})", ATOM, "numeric")


def _position(arguments: list[Piece]) -> Piece | None:
    return Piece(f'"position"({arguments[0].text}, {as_type(arguments[1], "text").text})', ATOM, "integer")


def _plain_call(name: str, result: str | None) -> Callable[[list[Piece]], Piece | None]:
    def spell(arguments: list[Piece]) -> Piece | None:
        texts = [as_type(piece, "text").text if piece.kind == "literal" else piece.text for piece in arguments]
        return Piece(f"{quote_identifier(name)}({', '.join(texts)})", ATOM, result)

    return spell


_SYNTAX: Final[Mapping[str, Callable[[list[Piece]], Piece | None]]] = {
    "timezone": _timezone,
    "extract": _extract,
    "position": _position,
    "btrim": _plain_call("btrim", "text"),
    "ltrim": _plain_call("ltrim", "text"),
    "rtrim": _plain_call("rtrim", "text"),
    "substring": _plain_call("substring", "text"),
    "overlay": _plain_call("overlay", "text"),
    "overlaps": _plain_call("overlaps", "boolean"),
    "normalize": _plain_call("normalize", "text"),
    "xmlexists": _plain_call("xmlexists", "boolean"),
}
