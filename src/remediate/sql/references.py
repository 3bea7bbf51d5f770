"""What a statement refers to, by name alone: its relations, foreign keys, comparisons, and what it makes itself.

Nothing is looked up, so it also serves statements that PostgreSQL refuses for want of what they name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from remediate.sql.lookup import NoLookup
from remediate.sql.nodes import AlterTableType, ConstrType, ObjectType, option, option_text, strings
from remediate.sql.parse import Node, SqlSyntaxError, Statement, UnreadableSqlError, parse
from remediate.sql.types import SERIALS, spell_type

Name: TypeAlias = tuple[str | None, str]
"""(schema, name); the schema is None where the name stands alone."""
Column: TypeAlias = tuple[str | None, str]
"""(alias or table, column); the first is None where the name stands alone."""

_MADE_RELATIONS = frozenset(
    (ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_SEQUENCE)
)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`types` are those of `columns` where the statement itself declares them, else None.

    `parent_columns` are empty where the primary key is meant.
    """

    table: Name
    columns: tuple[str, ...]
    types: tuple[str | None, ...]
    parent: Name
    parent_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands of one operator, as far as they are columns; a cast around one is looked through, and its type
    kept."""

    operator: str
    left: Column | None
    right: Column | None
    cast: str | None = None


def made(statement: Statement) -> Iterator[tuple[str, Name]]:
    """What the statement is to make: ("relation" | "function" | "type" | "schema", its name)."""
    node = statement.node
    match statement.kind:
        case "create_stmt":
            yield "relation", _relation(node.relation)
        case "create_table_as_stmt":
            yield "relation", _relation(node.into.rel)
        case "view_stmt":
            yield "relation", _relation(node.view)
        case "create_seq_stmt":
            yield "relation", _relation(node.sequence)
        case "create_foreign_table_stmt":
            yield "relation", _relation(node.base_stmt.relation)
        case "rename_stmt" if node.rename_type in _MADE_RELATIONS:
            schema, _ = _relation(node.relation)
            yield "relation", (schema, node.newname)
        case "create_function_stmt":
            yield "function", _name(strings(node.funcname))
        case "create_enum_stmt" | "create_range_stmt":
            yield "type", _name(strings(node.type_name))
        case "create_domain_stmt":
            yield "type", _name(strings(node.domainname))
        case "composite_type_stmt":
            yield "type", _relation(node.typevar)
        case "create_schema_stmt":
            yield "schema", (None, node.schemaname or node.authrole.rolename)


def relations(statement: Statement) -> dict[str, list[Name]]:
    """Every relation that the statement names, by its alias where it has one, else by its own name."""
    found: dict[str, list[Name]] = {}
    for node in _walk(statement.node):
        if node.DESCRIPTOR.name == "RangeVar" and node.relname:
            found.setdefault(node.alias.aliasname or node.relname, []).append(_relation(node))
    return found


def with_bodies(statements: Sequence[Statement]) -> list[Statement]:
    """The statements, and those in the bodies of SQL functions among them, which PostgreSQL looks into as well."""
    found = list(statements)
    for statement in statements:
        if statement.kind == "create_function_stmt":
            language = option(statement.node.options, "language")
            body = option(statement.node.options, "as")
            if language is not None and option_text(language).lower() == "sql" and body is not None:
                found += _body(strings(body.arg.list.items))
    return found


def _body(texts: list[str]) -> list[Statement]:
    try:
        return parse(texts[0]) if texts else []
    except (SqlSyntaxError, UnreadableSqlError):
        return []


def foreign_keys(statement: Statement) -> list[ForeignKey]:
    """The foreign keys that CREATE TABLE or ALTER TABLE declares."""
    node = statement.node
    if statement.kind == "create_stmt":
        return list(_declared(_relation(node.relation), [_inner(element) for element in node.table_elts]))
    if statement.kind == "alter_table_stmt":
        elements = []
        for command in node.cmds:
            inner = command.alter_table_cmd
            if inner.subtype in (AlterTableType.AT_AddColumn, AlterTableType.AT_AddConstraint):
                elements.append(_inner(getattr(inner, "def")))
        return list(_declared(_relation(node.relation), elements))
    return []


def _declared(table: Name, elements: list[Node]) -> Iterator[ForeignKey]:
    types: dict[str, str] = {}
    for element in elements:
        if element.DESCRIPTOR.name == "ColumnDef":
            written = spell_type(element.type_name, NoLookup())
            types[element.colname] = SERIALS.get(written, written)
    for element in elements:
        if element.DESCRIPTOR.name == "ColumnDef":
            for constraint in element.constraints:
                if constraint.constraint.contype == ConstrType.CONSTR_FOREIGN:
                    yield _key(table, (element.colname,), constraint.constraint, types)
        elif element.DESCRIPTOR.name == "Constraint" and element.contype == ConstrType.CONSTR_FOREIGN:
            yield _key(table, tuple(strings(element.fk_attrs)), element, types)


def _key(table: Name, columns: tuple[str, ...], node: Node, types: dict[str, str]) -> ForeignKey:
    kinds = tuple(types.get(column) for column in columns)
    return ForeignKey(table, columns, kinds, _relation(node.pktable), tuple(strings(node.pk_attrs)))


def comparisons(statement: Statement) -> Iterator[Comparison]:
    """Operators of which at least one operand is a column, and `IN (SELECT …)`."""
    for node in _walk(statement.node):
        if node.DESCRIPTOR.name == "A_Expr" and node.name:
            left, left_cast = _column(node.lexpr) if node.HasField("lexpr") else (None, None)
            right, right_cast = _column(node.rexpr) if node.HasField("rexpr") else (None, None)
            if left or right:
                yield Comparison(node.name[-1].string.sval, left, right, left_cast or right_cast)
        elif node.DESCRIPTOR.name == "SubLink" and node.HasField("testexpr"):
            selected = node.subselect.select_stmt.target_list
            right, cast = _column(selected[0].res_target.val) if selected else (None, None)
            yield Comparison("=", _column(node.testexpr)[0], right, cast)


def calls(statement: Statement) -> Iterator[tuple[str, list[Column]]]:
    """Function calls, each with the columns among its arguments."""
    for node in _walk(statement.node):
        if node.DESCRIPTOR.name == "FuncCall" and node.funcname:
            columns = (_column(argument)[0] for argument in node.args)
            yield node.funcname[-1].string.sval, [column for column in columns if column]


def column_names(statement: Statement) -> Iterator[str]:
    """The name of every column that the statement mentions, by itself or of a relation."""
    for node in _walk(statement.node):
        if node.DESCRIPTOR.name == "ColumnRef" and node.fields[-1].WhichOneof("node") == "string":
            yield node.fields[-1].string.sval


def selected_alone(statement: Statement) -> Iterator[tuple[Name, list[str]]]:
    """Each SELECT from a single relation: that, and the columns in it that stand without a relation's name."""
    for node in _walk(statement.node):
        if node.DESCRIPTOR.name != "SelectStmt" or len(node.from_clause) != 1:
            continue
        if node.from_clause[0].WhichOneof("node") == "range_var":
            inner = _walk(node, into_selects=False)
            columns = (_bare(one) for one in inner if one.DESCRIPTOR.name == "ColumnRef")
            yield _relation(node.from_clause[0].range_var), [name for name in columns if name]


def _bare(node: Node) -> str:
    fields = node.fields
    return str(fields[0].string.sval) if len(fields) == 1 and fields[0].WhichOneof("node") == "string" else ""


def conflict_columns(statement: Statement) -> tuple[Name, tuple[str, ...]] | None:
    """The table of INSERT … ON CONFLICT, and the columns that its unique key has to have."""
    if statement.kind != "insert_stmt" or not statement.node.HasField("on_conflict_clause"):
        return None
    elements = statement.node.on_conflict_clause.infer.index_elems
    names = tuple(element.index_elem.name for element in elements if element.index_elem.name)
    return (_relation(statement.node.relation), names) if names else None


def trigger_function(statement: Statement) -> Name | None:
    """The function that CREATE TRIGGER calls."""
    return _name(strings(statement.node.funcname)) if statement.kind == "create_trig_stmt" else None


def _column(node: Node) -> tuple[Column | None, str | None]:
    """A column reference, through casts, and the type of the outermost cast."""
    kind = node.WhichOneof("node")
    if kind == "type_cast":
        column, _ = _column(node.type_cast.arg)
        return column, spell_type(node.type_cast.type_name, NoLookup())
    if kind != "column_ref":
        return None, None
    names = [part.string.sval for part in node.column_ref.fields if part.WhichOneof("node") == "string"]
    if len(names) != len(node.column_ref.fields):
        return None, None
    return (names[-2] if len(names) > 1 else None, names[-1]), None


def _relation(node: Node) -> Name:
    return node.schemaname or None, node.relname


def _name(parts: list[str]) -> Name:
    return (parts[-2] if len(parts) > 1 else None), parts[-1] if parts else ""


def _inner(node: Node) -> Node:
    kind = node.WhichOneof("node")
    return getattr(node, kind) if kind else node


def _walk(root: Node, *, into_selects: bool = True) -> Iterator[Node]:
    """Every message of a tree, in no promised order; without recursion, because trees are deep."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if not into_selects and node is not root and node.DESCRIPTOR.name == "SelectStmt":
            continue
        yield node
        for descriptor, value in node.ListFields():
            if descriptor.message_type is not None:
                waiting.extend((value,) if hasattr(value, "DESCRIPTOR") else value)
