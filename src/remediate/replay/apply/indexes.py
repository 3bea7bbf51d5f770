"""CREATE INDEX (indexcmds.c DefineIndex)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from remediate.replay.apply.base import Applying, applies, uses_of
from remediate.replay.apply.constraints import children_of, moved_uses, store, store_index
from remediate.replay.apply.definitions import IndexDetails, details_of, index_details
from remediate.replay.builder import Signature, Uses
from remediate.replay.catalog import Index, QName, Table
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.deparse import Spelled
from remediate.sql.lookup import FoundRelation
from remediate.sql.nodes import SortByDir, SortByNulls
from remediate.sql.parse import Node
from remediate.sql.quote import choose_name, index_name_addition, quote_identifier, truncate_identifier
from remediate.sql.select import implied_name
from remediate.sql.simplify import simplify


@applies("index_stmt")
def create_index(node: Node, at: Applying) -> None:
    if node.concurrent and at.in_transaction:
        raise Refused("25001", "CREATE INDEX CONCURRENTLY cannot run inside a transaction block")
    found = at.relation(node.relation)
    assert found is not None
    name, kind = found
    table = at.builder.tables.get(name)
    view = at.builder.views.get(name) if kind == "materialized view" else None
    if (table is None and view is None) or kind == "foreign table":
        raise Refused("42809", f'"{name.name}" is not a table or materialized view', subjects=[name])
    if node.concurrent and table is not None and table.partitioned:
        raise Refused("0A000", f'cannot create index on partitioned table "{name.name}" concurrently', subjects=[name])
    relation = at.lookup.found(name)
    # transformIndexStmt looks at the expressions; DefineIndex at the predicate, then at the keys.
    condition = None
    if node.HasField("where_clause"):
        condition = at.expression(node.where_clause, relation, no_subquery="index predicate", condition="WHERE")
    expressions = [
        at.expression(item.index_elem.expr, relation, no_subquery="index expression")
        for item in node.index_params
        if not item.index_elem.name
    ]
    if condition is not None and not condition.immutable:
        # CheckPredicate looks at what is left when constants have decided what they can.
        decided = simplify(node.where_clause)
        condition_left = at.expression(decided, relation, condition="WHERE")
        _require_immutable(condition_left, "index predicate", name)
    columns, suffixes, additions = _keys(node.index_params, expressions, name, relation)
    spelled = [*expressions, condition] if condition is not None else expressions
    # A predicate that is plainly true is none (make_ands_implicit).
    predicate = condition.text if condition is not None and condition.text != "true" else None
    included = [item.index_elem.name for item in node.index_including_params]
    for column in included:
        _require_column(column, relation, name)
    if node.unique and table is not None and table.partitioned:
        key: tuple[str, ...] = at.builder.extras.get(("partition key", name), ())
        if any(column not in columns for column in key):
            raise Refused(
                "0A000", "unique constraint on partitioned table must include all partitioning columns", subjects=[name]
            )
    # index_create asks for the name last, so that IF NOT EXISTS does not save a predicate that is refused.
    if node.idxname and at.builder.relation_kind(QName(name.schema, truncate_identifier(node.idxname))) is not None:
        if node.if_not_exists:
            return
        raise Refused("42P07", f'relation "{node.idxname}" already exists', subjects=[name])
    index_name = truncate_identifier(node.idxname) if node.idxname else choose_index_name(name, additions, at)
    qualified = QName(name.schema, index_name)
    index = Index(
        name, index_name, node.unique, tuple(columns), predicate, (at.origin("create"),), node.access_method or "btree"
    )
    details = IndexDetails(tuple(suffixes), tuple(included), node.nulls_not_distinct)
    if table is not None:
        store_index(qualified, index, details, at)
    else:
        at.builder.extras["index", qualified] = details
        at.builder.indexes[qualified] = index
    at.builder.uses["index", qualified, ""] = _all_uses(spelled, name, columns, at)
    if table is not None and node.relation.inh:
        for child in children_of(at.builder, name):
            if child.partition_of == name:
                inherit_index(at.builder.indexes[qualified], child, at)


def choose_index_name(table: QName, additions: Sequence[str], at: Applying) -> str:
    """ChooseIndexName for a plain index."""
    taken = at.relation_taken(table.schema)
    return choose_name(table.name, index_name_addition(additions), "idx", taken)


def _keys(
    params: Node, expressions: list[Spelled], name: QName, relation: FoundRelation
) -> tuple[list[str], list[str], list[str]]:
    """The key columns, what follows each of them, and what a generated name is made of."""
    columns: list[str] = []
    suffixes: list[str] = []
    additions: list[str] = []
    pending = iter(expressions)
    for item in params:
        element = item.index_elem
        if element.name:
            _require_column(element.name, relation, name)
            columns.append(element.name)
            addition = element.name
        else:
            key = next(pending)
            _require_immutable(key, "index expression", name)
            columns.append(f"({key.text})")
            implied = implied_name(element.expr)
            addition = "expr" if implied == "?column?" else implied
        additions.append(_unlike(addition, additions))
        suffixes.append(_suffix(element))
    return columns, suffixes, additions


def _unlike(name: str, others: list[str]) -> str:
    """ChooseIndexColumnNames: 1, 2, … behind what is there already."""
    candidate, number = name, 0
    while candidate in others:
        number += 1
        candidate = f"{name}{number}"
    return candidate


def _suffix(element: Node) -> str:
    text = ""
    if element.collation:
        text += f" COLLATE {quote_identifier(element.collation[-1].string.sval)}"
    if element.opclass:
        text += f" {quote_identifier(element.opclass[-1].string.sval)}"
    descending = element.ordering == SortByDir.SORTBY_DESC
    text += " DESC" if descending else ""
    if element.nulls_ordering == SortByNulls.SORTBY_NULLS_FIRST and not descending:
        text += " NULLS FIRST"
    if element.nulls_ordering == SortByNulls.SORTBY_NULLS_LAST and descending:
        text += " NULLS LAST"
    return text


def _require_column(column: str, relation: FoundRelation, name: QName) -> None:
    if relation.columns is not None and column not in relation.columns:
        raise Refused(
            "42703",
            f'column "{column}" does not exist',
            nearest=nearest_name(column, relation.columns),
            subjects=[name],
        )


def _require_immutable(spelled: Spelled, what: str, name: QName) -> None:
    """CheckPredicate, ComputeIndexAttrs."""
    if not spelled.immutable:
        raise Refused("42P17", f"functions in {what} must be marked IMMUTABLE", subjects=[name])


def _all_uses(spelled: Sequence[Spelled], name: QName, columns: Sequence[str], at: Applying) -> Uses:
    used: set[tuple[QName, str]] = {(name, column) for column in columns if not column.startswith("(")}
    functions: set[Signature] = set()
    for each in spelled:
        uses = uses_of(each, at.builder)
        used |= uses.columns
        functions |= uses.functions
    return Uses(frozenset(used), frozenset({name}), frozenset(functions))


def _additions(index: Index) -> list[str]:
    """What the generated name of a copy is made of; the name of an expression's function is in its text."""
    additions: list[str] = []
    for column in index.columns:
        name = column
        if column.startswith("("):
            head = column[1:].split("(")[0]
            name = head.lower() if "(" in column[1:] and head.replace("_", "").isalnum() else "expr"
        additions.append(_unlike(name, additions))
    return additions


def inherit_index(index: Index, child: Table, at: Applying) -> None:
    """A partition gets its own copy of each index of the partitioned table, unless it has an equal one."""
    parent = QName(index.table.schema, index.name)
    for own in at.builder.indexes_of(child.name):
        if (own.columns, own.predicate, own.unique, own.method) == (
            index.columns, index.predicate, index.unique, index.method,
        ):  # fmt: skip
            qualified = QName(child.name.schema, own.name)
            details = index_details(at.builder, qualified)
            if details.parent is None:
                at.builder.extras["index", qualified] = replace(details, parent=parent)
                return
    name = _copy(index, child, at, parent)
    for grandchild in children_of(at.builder, child.name):
        if grandchild.partition_of == child.name:
            inherit_index(at.builder.indexes[name], grandchild, at)


def _copy(index: Index, table: Table, at: Applying, parent: QName | None) -> QName:
    qualified = QName(table.name.schema, choose_index_name(table.name, _additions(index), at))
    source = QName(index.table.schema, index.name)
    details = replace(index_details(at.builder, source), parent=parent)
    copy = replace(index, table=table.name, name=qualified.name, history=(at.origin("create"),))
    store_index(qualified, copy, details, at)
    uses = at.builder.uses.get(("index", source, ""), Uses())
    moved = moved_uses(uses, index.table, table.name)
    at.builder.uses["index", qualified, ""] = Uses(moved.columns, frozenset({table.name}), moved.functions)
    return qualified


def copy_index(index: Index, table: Table, at: Applying) -> None:
    """LIKE … INCLUDING INDEXES (generateClonedIndexStmt); keys become keys."""
    constraint = at.builder.constraints.get((index.table, index.name)) if index.constraint else None
    if constraint is None:
        _copy(index, table, at, None)
        return
    taken = at.relation_taken(table.name.schema)
    if constraint.type == "p":
        name = choose_name(table.name.name, None, "pkey", taken)
    else:
        label = "key" if constraint.type == "u" else "excl"
        name = choose_name(table.name.name, index_name_addition(_additions(index)), label, taken)
    details = details_of(at.builder, index.table, index.name)
    store(replace(constraint, table=table.name, name=name, history=(at.origin("create"),)), details, at)
    own = index_details(at.builder, QName(index.table.schema, index.name))
    copy = replace(index, table=table.name, name=name, history=(at.origin("create"),))
    store_index(QName(table.name.schema, name), copy, replace(own, parent=None), at)
