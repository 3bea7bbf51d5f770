"""Constraints: named, checked and added, for CREATE TABLE and ALTER TABLE alike."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.replay.apply.base import Applying, altered, uses_of
from remediate.replay.apply.definitions import (
    ACTIONS,
    ConstraintDetails,
    IndexDetails,
    constraint_definition,
    details_of,
    index_definition,
    index_details,
)  # fmt: skip
from remediate.replay.builder import CatalogBuilder, Uses
from remediate.replay.catalog import Constraint, Index, QName, Table
from remediate.replay.copying import replace
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.nodes import ConstrType, strings
from remediate.sql.parse import Node
from remediate.sql.quote import choose_name, index_name_addition, quote_identifier, truncate_identifier
from remediate.sql.types import NUMBERS, base_type, is_text_like


def add_constraint(node: Node, table: Table, at: Applying, *, column: str | None = None) -> Table:
    """Adds one constraint to a table that is in the catalog; returns the table as it then is.

    `column` is the one whose definition the constraint stands in.
    """
    kind = node.contype
    if kind in (ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE):
        return add_key(node, table, at, column=column)
    if kind == ConstrType.CONSTR_CHECK:
        add_check(node, table, at)
    elif kind == ConstrType.CONSTR_FOREIGN:
        add_foreign_key(node, table, at, column=column)
    elif kind == ConstrType.CONSTR_EXCLUSION:
        add_exclusion(node, table, at)
    elif kind == ConstrType.CONSTR_NOTNULL:
        for name in strings(node.keys):
            at.column_of(table, name)
            table = set_nullable(table, name, at, False)
    return at.builder.tables[table.name]


def children_of(builder: CatalogBuilder, table: QName) -> list[Table]:
    """Partitions and inheritance children."""
    return builder.tables.of(table)


def set_nullable(table: Table, name: str, at: Applying, nullable: bool) -> Table:
    columns = tuple(replace(each, nullable=nullable) if each.name == name else each for each in table.columns)
    table = altered(replace(table, columns=columns), at)
    at.builder.tables[table.name] = table
    for child in children_of(at.builder, table.name):
        if not nullable or child.partition_of:
            set_nullable(child, name, at, nullable)
    return table


def store(constraint: Constraint, details: ConstraintDetails, at: Applying) -> Constraint:
    """42710 where the name is taken on that table (ConstraintNameIsUsed)."""
    key = (constraint.table, constraint.name)
    if key in at.builder.constraints:
        raise Refused(
            "42710",
            f'constraint "{constraint.name}" for relation "{constraint.table.name}" already exists',
            subjects=[constraint.table],
        )
    constraint = replace(constraint, definition=constraint_definition(constraint, details))
    at.builder.constraints[key] = constraint
    at.builder.extras["constraint", *key] = details
    return constraint


def choose_constraint_name(table: QName, addition: str | None, label: str, at: Applying) -> str:
    """ChooseConstraintName: free among the constraints of the whole schema."""
    return choose_name(table.name, addition, label, lambda name: at.builder.constraint_named(table.schema, name))


def suffix_of(node: Node) -> str:
    text = " DEFERRABLE" if node.deferrable else ""
    return text + (" INITIALLY DEFERRED" if node.initdeferred else "")


def add_key(node: Node, table: Table, at: Applying, *, column: str | None) -> Table:
    """PRIMARY KEY and UNIQUE: a constraint with an index of its own name (DefineIndex, index_constraint_create)."""
    primary = node.contype == ConstrType.CONSTR_PRIMARY
    if primary and any(each.type == "p" for each in at.builder.constraints_of(table.name)):
        raise Refused(
            "42P16",
            f'multiple primary keys for table "{table.name.name}" are not allowed',
            subjects=[table.name],
        )
    if node.indexname:
        return _add_key_from_index(node, table, at, primary)
    columns = strings(node.keys) or ([column] if column else [])
    _check_key_columns(columns, table, altering=at.statement.kind == "alter_table_stmt")
    _require_partition_key(table, columns, at)
    name = truncate_identifier(node.conname) if node.conname else _key_name(table, columns, primary, at)
    index_name = QName(table.name.schema, name)
    if at.builder.relation_kind(index_name) is not None:
        raise Refused("42P07", f'relation "{name}" already exists', subjects=[table.name])
    include = tuple(strings(node.including))
    details = ConstraintDetails("", suffix_of(node), "", include, node.nulls_not_distinct)
    origin = at.origin("create")
    store(Constraint(table.name, name, "p" if primary else "u", tuple(columns), "", (origin,)), details, at)
    index = Index(table.name, index_name.name, True, tuple(columns), None, (origin,), "btree", True)
    store_index(index_name, index, IndexDetails(("",) * len(columns), include, node.nulls_not_distinct), at)
    if primary:
        for each in columns:
            table = set_nullable(table, each, at, False)
    for child in children_of(at.builder, table.name):
        if child.partition_of == table.name:
            inherit_key(index, child, at)
    return at.builder.tables[table.name]


def _check_key_columns(columns: Sequence[str], table: Table, *, altering: bool) -> None:
    """transformIndexConstraint takes the columns one by one: does it exist, then does it repeat one before it.

    ALTER TABLE leaves the first question to DefineIndex, which comes after it has gone through all of them.
    """

    def exists(name: str) -> None:
        if table.column(name) is None:
            raise Refused(
                "42703",
                f'column "{name}" named in key does not exist',
                nearest=nearest_name(name, [each.name for each in table.columns]),
                subjects=[table.name],
            )

    for number, name in enumerate(columns):
        if not altering:
            exists(name)
        if name in columns[:number]:
            raise Refused("42701", f'column "{name}" appears twice in key', subjects=[table.name])
    for name in columns:
        exists(name)


def _key_name(table: Table, columns: Sequence[str], primary: bool, at: Applying) -> str:
    """ChooseIndexName."""
    schema = table.name.schema
    taken = at.relation_taken(schema)
    if primary:
        return choose_name(table.name.name, None, "pkey", taken)
    return choose_name(table.name.name, index_name_addition(columns), "key", taken)


def _require_partition_key(table: Table, columns: Sequence[str], at: Applying) -> None:
    key: tuple[str, ...] = at.builder.extras.get(("partition key", table.name), ())
    if any(name not in columns for name in key):
        raise Refused(
            "0A000",
            "unique constraint on partitioned table must include all partitioning columns",
            subjects=[table.name],
        )


def _add_key_from_index(node: Node, table: Table, at: Applying, primary: bool) -> Table:
    """ALTER TABLE … ADD CONSTRAINT … USING INDEX: the index takes the constraint's name."""
    old = QName(table.name.schema, node.indexname)
    index = at.builder.indexes.get(old)
    if index is None or index.table != table.name:
        raise Refused("42704", f'index "{node.indexname}" does not exist', subjects=[table.name])
    if index.constraint:
        raise Refused(
            "55000", f'index "{node.indexname}" is already associated with a constraint', subjects=[table.name]
        )
    if not index.unique:
        raise Refused("42809", f'"{node.indexname}" is not a unique index', subjects=[table.name])
    if index.predicate or any(column.startswith("(") for column in index.columns):
        raise Refused("42809", f'index "{node.indexname}" cannot become a constraint', subjects=[table.name])
    name = node.conname or node.indexname
    details = index_details(at.builder, old)
    store(
        Constraint(table.name, name, "p" if primary else "u", index.columns, "", (at.origin("create"),)),
        ConstraintDetails("", suffix_of(node), "", details.include, details.nulls_not_distinct),
        at,
    )
    del at.builder.indexes[old]
    renamed = replace(index, name=name, constraint=True, history=(*index.history, at.origin("alter")))
    store_index(QName(table.name.schema, name), renamed, details, at)
    if primary:
        for each in index.columns:
            table = set_nullable(table, each, at, False)
    return table


def store_index(name: QName, index: Index, details: IndexDetails, at: Applying) -> None:
    only = at.builder.tables[index.table].partitioned if index.table in at.builder.tables else False
    at.builder.extras["index", name] = details
    at.builder.indexes[name] = replace(index, definition=index_definition(index, details, only=only))


def inherit_key(index: Index, child: Table, at: Applying) -> None:
    """A partition gets its own key for each of the partitioned table's (DefineIndex, on partitions)."""
    constraint = at.builder.constraints.get((index.table, index.name))
    if constraint is None:
        return
    existing = next(
        (each for each in at.builder.constraints_of(child.name)
         if each.type == constraint.type and each.columns == constraint.columns), None,
    )  # fmt: skip
    if existing is not None:
        return
    name = _key_name(child, index.columns, constraint.type == "p", at)
    origin = at.origin("create")
    details = details_of(at.builder, index.table, index.name)
    store(Constraint(child.name, name, constraint.type, index.columns, "", (origin,)),
          replace(details, inherited=True), at)  # fmt: skip
    own = index_details(at.builder, QName(index.table.schema, index.name))
    copy = Index(child.name, name, True, index.columns, None, (origin,), index.method, True)
    store_index(QName(child.name.schema, name), copy, replace(own, parent=QName(index.table.schema, index.name)), at)
    if constraint.type == "p":
        for each in index.columns:
            child = set_nullable(child, each, at, False)
    for grandchild in children_of(at.builder, child.name):
        if grandchild.partition_of == child.name:
            inherit_key(copy, grandchild, at)


def add_check(node: Node, table: Table, at: Applying) -> None:
    """AddRelationNewConstraints; a check of one column is named after it, wherever it stands."""
    spelled = at.expression(node.raw_expr, table, no_subquery="check constraint", condition="CHECK")
    uses = uses_of(spelled, at.builder)
    columns = tuple(
        each.name for each in table.columns if (table.name, each.name) in uses.columns
    )  # fmt: skip
    if node.conname:
        name = truncate_identifier(node.conname)
    else:
        name = choose_constraint_name(table.name, columns[0] if len(columns) == 1 else None, "check", at)
    details = ConstraintDetails(spelled.text, "", no_inherit=node.is_no_inherit)
    _add_check(name, columns, details, not node.skip_validation, uses, table, at)


def _add_check(
    name: str,
    columns: tuple[str, ...],
    details: ConstraintDetails,
    validated: bool,
    uses: Uses,
    table: Table,
    at: Applying,
) -> None:
    constraint = Constraint(table.name, name, "c", columns, "", (at.origin("create"),), validated=validated)
    known = at.builder.constraints.get((table.name, name))
    if known is not None and known.type == "c" and details.inherited:
        return  # merged with the child's own (MergeWithExistingConstraint)
    store(constraint, details, at)
    at.builder.uses["constraint", table.name, name] = uses
    if details.no_inherit:
        return
    for child in children_of(at.builder, table.name):
        _add_check(name, columns, replace(details, inherited=True), validated,
                   moved_uses(uses, table.name, child.name), child, at)  # fmt: skip


def moved_uses(uses: Uses, old: QName, new: QName) -> Uses:
    """The uses of an expression that is copied to another table."""
    columns = frozenset((new if relation == old else relation, column) for relation, column in uses.columns)
    return Uses(columns, uses.relations, uses.functions)


def add_exclusion(node: Node, table: Table, at: Applying) -> None:
    """EXCLUDE USING …"""
    method = node.access_method or "btree"
    keys, columns, additions = [], [], []
    for item in node.exclusions:
        element = item.list.items[0].index_elem
        operator = item.list.items[1].list.items[-1].string.sval
        if element.name:
            at.column_of(table, element.name)
            columns.append(element.name)
            additions.append(element.name)
            keys.append(f"{quote_identifier(element.name)} WITH {operator}")
        else:
            spelled = at.expression(element.expr, table)
            columns.append(f"({spelled.text})")
            additions.append("expr")
            keys.append(f"({spelled.text}) WITH {operator}")
    text = f"EXCLUDE USING {method} ({', '.join(keys)})"
    predicate = (
        at.expression(node.where_clause, table, condition="WHERE").text if node.HasField("where_clause") else None
    )
    text += f" WHERE ({predicate})" if predicate else ""
    schema = table.name.schema
    taken = at.relation_taken(schema)
    name = node.conname or choose_name(table.name.name, index_name_addition(additions), "excl", taken)
    if taken(name):
        raise Refused("42P07", f'relation "{name}" already exists', subjects=[table.name])
    origin = at.origin("create")
    plain = tuple(column for column in columns if not column.startswith("("))
    store(Constraint(table.name, name, "x", plain, "", (origin,)), ConstraintDetails(text, suffix_of(node)), at)
    store_index(
        QName(schema, name),
        Index(table.name, name, False, tuple(columns), predicate, (origin,), method, True),
        IndexDetails(),
        at,
    )


def add_foreign_key(node: Node, table: Table, at: Applying, *, column: str | None) -> None:
    """ATAddForeignKeyConstraint: what it refers to has to be there, unique, and of a comparable type."""
    columns = tuple(strings(node.fk_attrs)) or ((column,) if column else ())
    found = at.relation(node.pktable)
    assert found is not None
    parent = at.builder.tables.get(found[0])
    if parent is None or parent.server is not None:
        raise Refused("42809", f'referenced relation "{found[0].name}" is not a table', subjects=[table.name, found[0]])
    for name in columns:
        if table.column(name) is None:
            raise Refused(
                "42703",
                f'column "{name}" referenced in foreign key constraint does not exist',
                nearest=nearest_name(name, [each.name for each in table.columns]),
                subjects=[table.name],
            )
    referenced = _referenced_columns(node, parent, table, at)
    if len(referenced) != len(columns):
        raise Refused(
            "42830", "number of referencing and referenced columns for foreign key disagree", subjects=[table.name]
        )
    _require_immediate(parent.name, referenced, at)
    if not _is_unique(at.builder, parent.name, referenced):
        raise Refused(
            "42830",
            f'there is no unique constraint matching given keys for referenced table "{parent.name.name}"',
            subjects=[table.name, parent.name],
        )
    given = truncate_identifier(node.conname) if node.conname else None
    _require_comparable(given, table, columns, parent, referenced)
    name = given or choose_constraint_name(table.name, index_name_addition(columns), "fkey", at)
    details = ConstraintDetails(
        suffix=suffix_of(node),
        match=" MATCH FULL" if node.fk_matchtype == "f" else "",
        set_columns=tuple(strings(node.fk_del_set_cols)),
    )
    constraint = Constraint(
        table.name, name, "f", columns, "", (at.origin("create"),), parent.name, referenced,
        ACTIONS.get(node.fk_del_action, "no action"), ACTIONS.get(node.fk_upd_action, "no action"),
        not node.skip_validation,
    )  # fmt: skip
    store(constraint, details, at)
    for child in children_of(at.builder, table.name):
        if child.partition_of == table.name:
            inherit_foreign_key(constraint, child, at)


def inherit_foreign_key(constraint: Constraint, child: Table, at: Applying) -> None:
    """CloneFkReferencing: a partition has the partitioned table's foreign keys, under the same names if free."""
    name = constraint.name
    if (child.name, name) in at.builder.constraints:
        name = choose_constraint_name(child.name, index_name_addition(constraint.columns), "fkey", at)
    details = replace(details_of(at.builder, constraint.table, constraint.name), inherited=True)
    copy = replace(constraint, table=child.name, name=name, history=(at.origin("create"),))
    store(copy, details, at)
    for grandchild in children_of(at.builder, child.name):
        if grandchild.partition_of == child.name:
            inherit_foreign_key(copy, grandchild, at)


def _referenced_columns(node: Node, parent: Table, table: Table, at: Applying) -> tuple[str, ...]:
    named = tuple(strings(node.pk_attrs))
    for name in named:
        if parent.column(name) is None:
            raise Refused(
                "42703",
                f'column "{name}" referenced in foreign key constraint does not exist',
                nearest=nearest_name(name, [each.name for each in parent.columns]),
                subjects=[table.name, parent.name],
            )
    if named:
        return named
    primary = next((each for each in at.builder.constraints_of(parent.name) if each.type == "p"), None)
    if primary is None:
        raise Refused(
            "42704",
            f'there is no primary key for referenced table "{parent.name.name}"',
            subjects=[table.name, parent.name],
        )
    return primary.columns


def _require_immediate(parent: QName, referenced: tuple[str, ...], at: Applying) -> None:
    """55000 where all keys that fit are deferrable."""
    fitting = [
        each
        for each in at.builder.constraints_of(parent)
        if each.type in ("p", "u") and sorted(each.columns) == sorted(referenced)
    ]
    if fitting and all("DEFERRABLE" in details_of(at.builder, parent, each.name).suffix for each in fitting):
        raise Refused(
            "55000",
            f'cannot use a deferrable unique constraint for referenced table "{parent.name}"',
            subjects=[parent],
        )


def _is_unique(builder: CatalogBuilder, table: QName, columns: tuple[str, ...]) -> bool:
    """transformFkeyCheckAttrs: a unique index over exactly these columns, in any order, not partial."""
    wanted = sorted(columns)
    return any(
        index.unique and index.predicate is None and sorted(index.columns) == wanted
        for index in builder.indexes_of(table)
    )


def _require_comparable(
    name: str | None, table: Table, columns: tuple[str, ...], parent: Table, referenced: tuple[str, ...]
) -> None:
    """42804 where no equality operator takes both types."""
    for mine, theirs in zip(columns, referenced, strict=True):
        own, other = table.column(mine), parent.column(theirs)
        if own is None or other is None or comparable(own.type, other.type):
            continue
        shown = name or f"{table.name.name}_{mine}_fkey"
        raise Refused(
            "42804",
            f'foreign key constraint "{shown}" cannot be implemented: "{mine}" is {own.type}, '
            f'"{theirs}" of "{parent.name.name}" is {other.type}',
            subjects=[table.name, parent.name],
        )


_FAMILIES = (
    frozenset({*NUMBERS}),
    frozenset({"date", "timestamp without time zone", "timestamp with time zone"}),
    frozenset({"uuid"}), frozenset({"boolean"}), frozenset({"bytea"}), frozenset({"jsonb"}), frozenset({"interval"}),
    frozenset({"inet", "cidr"}),
)  # fmt: skip


def _family(name: str) -> object | None:
    base = base_type(name)
    if is_text_like(base):
        return "citext" if base == "citext" else "text"
    return next((family for family in _FAMILIES if base in family), None)


def comparable(own: str, other: str) -> bool:
    mine, theirs = _family(own), _family(other)
    if base_type(own) == base_type(other) or {mine, theirs} == {"text", "citext"}:
        return True
    if mine is None and theirs is None:
        return False
    return mine == theirs
