"""The door to spelling: a tree or a text in, the canonical text and what it refers to out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from postgast import PgQueryError
from postgast import deparse as deparse_protobuf
from postgast.pg_query_pb2 import ParseResult

from remediate.sql.change import resolve_change
from remediate.sql.context import Call, Context, Entry, Name, Unspelled
from remediate.sql.expression import cast, spell
from remediate.sql.inference import require_boolean
from remediate.sql.lookup import FoundRelation, Lookup, NoLookup
from remediate.sql.parse import Node, parse, parse_expression
from remediate.sql.piece import Piece, as_type
from remediate.sql.select import Columns, spell_select
from remediate.sql.types import base_type, is_text_like


@dataclass(frozen=True, slots=True)
class Spelled:
    """`columns` are ((schema, relation), column); `complete` is False where something was only copied, not resolved."""

    text: str
    type: str | None
    columns: frozenset[tuple[Name, str]] = frozenset()
    relations: tuple[Name, ...] = ()
    calls: tuple[Call, ...] = ()
    has_subquery: bool = False
    complete: bool = True
    output: Columns = None
    immutable: bool = True
    duplicate: str | None = None


@dataclass(frozen=True, slots=True)
class Renames:
    """What is called differently from now on, by its old name."""

    columns: Mapping[tuple[Name, str], str]
    relations: Mapping[Name, Name]
    functions: Mapping[Name, Name]


NO_RENAMES = Renames({}, {}, {})


def spell_expression(
    node: Node,
    lookup: Lookup,
    *,
    relations: Sequence[tuple[str, FoundRelation]] = (),
    qualify: bool = False,
    wanted: str | None = None,
    renames: Renames = NO_RENAMES,
    no_subquery: str | None = None,
    condition: str | None = None,
) -> Spelled:
    """Spells an expression `Node`; `condition` is the place that wants a boolean ("CHECK"), if one does.

    `relations` are in scope under their aliases; `qualify` writes these aliases also outside of sub-selects (NEW and
    OLD of a trigger). `no_subquery` names the place where sub-selects are refused. `wanted` is the type that the place
    of the expression asks for (a column's, for a default).
    """
    context = _context(lookup, renames)
    context.forbid_subquery = no_subquery
    context.levels.append(
        [Entry(alias, found.columns, (found.schema, found.name), qualify) for alias, found in relations]
    )
    try:
        piece = spell(node, context)
    except (Unspelled, RecursionError):
        return Spelled(_copied(node), None, complete=False)
    piece = _as_wanted(piece, "boolean" if condition is not None else wanted)
    if condition is not None:
        require_boolean(piece.type, condition)
    return _result(piece.text, piece.type, context, None)


def spell_query(
    node: Node,
    lookup: Lookup,
    *,
    around: Sequence[tuple[str, FoundRelation]] = (),
    renames: Renames = NO_RENAMES,
) -> Spelled:
    """Spells a SelectStmt; `output` are its columns with their types. `around` is in scope outside of it."""
    context = _context(lookup, renames)
    if around:
        context.levels.append([Entry(alias, found.columns) for alias, found in around])
    try:
        text, columns = spell_select(node, context)
    except (Unspelled, RecursionError):
        return Spelled(_copied_query(node), None, relations=tuple(context.relations), complete=False)
    return _result(text, None, context, columns)


def check_change(node: Node, lookup: Lookup, alias: str, target: FoundRelation) -> None:
    """Resolves what a change of rows reads; raises `MismatchError` or `Refused` as for a SELECT."""
    with suppress(Unspelled, RecursionError):
        resolve_change(node, _context(lookup, NO_RENAMES), Entry(alias, target.columns, (target.schema, target.name)))


def canonical(
    text: str,
    lookup: Lookup | None = None,
    *,
    relations: Sequence[tuple[str, FoundRelation]] = (),
    wanted: str | None = None,
) -> str:
    """One text for all spellings of an expression: a source's, the static engine's, and that of pg_get_expr.

    Only with `relations` (and a `lookup`, for what sub-selects read) can implicit casts of columns be told from
    explicit ones. Raises `SqlSyntaxError` for what is no expression.
    """
    return spell_expression(parse_expression(text), lookup or NoLookup(), relations=relations, wanted=wanted).text


def canonical_query(text: str, lookup: Lookup | None = None) -> Spelled:
    """The same for a SELECT (a view's definition)."""
    statement = parse(text)[0]
    return spell_query(statement.node, lookup or NoLookup())


def _as_wanted(piece: Piece, wanted: str | None) -> Piece:
    """The assignment cast of a default is implicit (COERCE_IMPLICIT_CAST), and does not print at the top."""
    if wanted is None:
        return piece
    piece = as_type(piece, base_type(wanted))
    if piece.kind == "cast" and piece.type and base_type(piece.type) == base_type(wanted) and is_text_like(wanted):
        inner = piece.inner[0]
        if inner.kind in ("literal", "number") or is_text_like(inner.type):
            return inner
    return piece


def _context(lookup: Lookup, renames: Renames) -> Context:
    return Context(
        lookup,
        spell,
        rename_columns=renames.columns,
        rename_relations=renames.relations,
        rename_functions=renames.functions,
    )


def _result(text: str, type_name: str | None, context: Context, output: Columns) -> Spelled:
    return Spelled(
        text,
        type_name,
        frozenset(context.columns),
        tuple(context.relations),
        tuple(context.calls),
        context.has_subquery,
        True,
        output,
        not context.mutable and not any(call.volatility in ("s", "v") for call in context.calls),
        context.duplicate,
    )


def _copied(node: Node) -> str:
    """The parser's own spelling, for the kinds of node that are rare."""
    tree = ParseResult()
    tree.stmts.add().stmt.select_stmt.target_list.add().res_target.val.CopyFrom(node)
    return _deparsed(tree).removeprefix("SELECT ")


def _copied_query(node: Node) -> str:
    tree = ParseResult()
    tree.stmts.add().stmt.select_stmt.CopyFrom(node)
    return _deparsed(tree)


def _deparsed(tree: ParseResult) -> str:
    try:
        return deparse_protobuf(tree)
    except PgQueryError:
        return ""


__all__ = [
    "NO_RENAMES",
    "Renames",
    "Spelled",
    "canonical",
    "canonical_query",
    "cast",
    "spell_expression",
    "spell_query",
]
