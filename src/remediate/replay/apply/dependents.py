"""What hangs on what, and how dropping goes down that tree (catalog/dependency.c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from remediate.replay.apply.base import Applying, altered
from remediate.replay.apply.columns import nextval
from remediate.replay.catalog import Constraint, QName
from remediate.replay.extensions import EXTENSIONS
from remediate.replay.refused import Refused
from remediate.replay.undo import UndoDict
from remediate.sql.types import base_type

Kind: TypeAlias = Literal[
    "table", "column", "view", "index", "constraint", "policy", "trigger", "default", "sequence", "function", "type",
    "schema", "extension", "server", "wrapper", "aggregate",
]  # fmt: skip
Object: TypeAlias = tuple[Kind, QName, str]
"""("column" | "constraint" | "policy" | "trigger" | "default", relation, name); ("function", name, argument types
joined by commas); the others with an empty last part."""

WRAPPERS = {"dblink": "dblink_fdw"}
"""The foreign-data wrappers of extensions that are called otherwise; most bring one of their own name."""

_PARTS = ("constraint", "policy", "trigger", "default")


def drop_objects(targets: Iterable[Object], cascade: bool, at: Applying, *, what: str = "") -> list[Object]:
    """Removes the objects and what goes with them; 2BP01 where something else depends on them and there is no CASCADE.

    Returns everything that was removed.
    """
    targets = list(targets)
    doomed: dict[Object, None] = dict.fromkeys(targets)
    queue = list(targets)
    blocked: list[tuple[Object, Object]] = []
    while queue:
        current = queue.pop(0)
        for dependent, automatic in dependents(current, at):
            if dependent in doomed:
                continue
            if not automatic and not cascade:
                blocked.append((current, dependent))
                continue
            doomed[dependent] = None
            queue.append(dependent)
    blocked = [(current, dependent) for current, dependent in blocked if not _goes_anyway(dependent, doomed)]
    if blocked:
        current, dependent = blocked[0]
        raise Refused(
            "2BP01",
            f"cannot drop {what or shown(current)} because other objects depend on it: {shown(dependent)}",
            subjects=[target[1] for target in targets],
        )
    for each in doomed:
        remove(each, at)
    return list(doomed)


def _goes_anyway(found: Object, doomed: dict[Object, None]) -> bool:
    kind, name, part = found
    if found in doomed:
        return True
    if kind in ("default", "column", "policy", "trigger", "constraint") and ("table", name, "") in doomed:
        return True
    return kind == "default" and ("column", name, part) in doomed


def shown(found: Object) -> str:
    kind, name, part = found
    if kind == "function":
        return f"function {name.name}({part})"
    return f"{kind} {part} on table {name.name}" if part else f"{kind} {name.name}"


def dependents(found: Object, at: Applying) -> list[tuple[Object, bool]]:
    """The objects that depend on this one directly; True where they go without being asked about (auto, internal)."""
    return list(_DEPENDENTS[found[0]](found[1], found[2], at))


Edges: TypeAlias = Iterator[tuple[Object, bool]]


def _of_table(name: QName, _: str, at: Applying) -> Edges:
    builder = at.builder
    for policy in builder.policies_of(name):
        yield ("policy", name, policy.name), True
    for trigger in builder.triggers_of(name):
        yield ("trigger", name, trigger.name), True
    for constraint in builder.constraints_of(name):
        yield ("constraint", name, constraint.name), True
    for index in builder.indexes_of(name):
        yield ("index", QName(name.schema, index.name), ""), True
    for constraint in builder.references_to(name):
        yield ("constraint", constraint.table, constraint.name), constraint.table == name
    for sequence in builder.sequences.of(name):
        yield ("sequence", sequence.name, ""), True
    for child in builder.tables.of(name):
        yield ("table", child.name, ""), child.partition_of == name
    yield from _users(name, None, at)
    yield from _of_type(name, "", at)


def _users(name: QName, column: str | None, at: Applying) -> Edges:
    """The objects whose expressions use a relation, or one column of it."""
    for key in at.builder.uses.keys_of(name):
        uses = at.builder.uses[key]
        if column is not None and (name, column) not in uses.columns:
            continue
        kind, owner, part = key
        if kind == "index":
            if owner in at.builder.indexes:
                yield ("index", owner, ""), at.builder.indexes[owner].table == name
        elif kind in _PARTS:
            own = owner == name and (column is None or kind in ("constraint",))
            if kind == "default" and column is not None and owner == name and part == column:
                own = True
            yield (kind, owner, part), own
        else:
            yield (kind, owner, part), False


def _of_column(name: QName, column: str, at: Applying) -> Edges:
    builder = at.builder
    for constraint in builder.constraints_of(name):
        if column in constraint.columns:
            yield ("constraint", name, constraint.name), True
    for index in builder.indexes_of(name):
        if column in index.columns:
            yield ("index", QName(name.schema, index.name), ""), True
    for constraint in builder.references_to(name):
        if constraint.table != name and column in constraint.referenced_columns:
            yield ("constraint", constraint.table, constraint.name), False
    for sequence in builder.sequences.of(name):
        if sequence.owned_by == (name, column):
            yield ("sequence", sequence.name, ""), True
    for child in builder.tables.of(name):
        if child.column(column):
            yield ("column", child.name, column), True
    for found, automatic in _users(name, column, at):
        if found[0] == "default" and found[1] == name and found[2] != column:
            yield ("column", name, found[2]), False  # a generated column goes with what it is made from
        else:
            yield found, automatic


def _of_view(name: QName, _: str, at: Applying) -> Edges:
    for trigger in at.builder.triggers_of(name):
        yield ("trigger", name, trigger.name), True
    for index in at.builder.indexes_of(name):
        yield ("index", QName(name.schema, index.name), ""), True
    for found, automatic in _users(name, None, at):
        if found[0] != "index":
            yield found, automatic
    yield from _of_type(name, "", at)


def _of_constraint(table: QName, name: str, at: Applying) -> Edges:
    constraint = at.builder.constraints.get((table, name))
    if constraint is None:
        return
    if constraint.type in ("p", "u", "x"):
        yield ("index", QName(table.schema, name), ""), True
        yield from _keys_on(table, name, at)
    for child in at.builder.tables.of(table):
        for own in at.builder.constraints_of(child.name):
            if _inherits(own, constraint, at):
                yield ("constraint", child.name, own.name), True


def _inherits(own: Constraint, parent: Constraint, at: Applying) -> bool:
    details = at.builder.extras.get(("constraint", own.table, own.name))
    if details is None or not details.inherited or own.type != parent.type:
        return False
    return own.name == parent.name if own.type in ("c", "f") else own.columns == parent.columns


def _keys_on(table: QName, index: str, at: Applying) -> Edges:
    """Foreign keys stand on the first unique index that fits (transformFkeyCheckAttrs)."""
    for constraint in at.builder.references_to(table):
        wanted = sorted(constraint.referenced_columns)
        fitting = [
            each.name for each in at.builder.indexes_of(table)
            if each.unique and each.predicate is None and sorted(each.columns) == wanted
        ]  # fmt: skip
        if fitting and fitting[0] == index:
            yield ("constraint", constraint.table, constraint.name), False


def _of_index(name: QName, _: str, at: Applying) -> Edges:
    index = at.builder.indexes.get(name)
    if index is None:
        return
    if index.constraint:
        yield ("constraint", index.table, index.name), False
    elif index.unique:
        yield from _keys_on(index.table, index.name, at)
    for child in at.builder.tables.of(index.table):
        for own in at.builder.indexes_of(child.name):
            other = QName(own.table.schema, own.name)
            details = at.builder.extras.get(("index", other))
            if details is not None and details.parent == name:
                kind: Object = ("constraint", own.table, own.name) if own.constraint else ("index", other, "")
                yield kind, True


def _of_sequence(name: QName, _: str, at: Applying) -> Edges:
    text = nextval(name)
    for table in at.builder.tables.values():
        for column in table.columns:
            if column.default and text in column.default:
                yield ("default", table.name, column.name), False


def _of_function(name: QName, arguments: str, at: Applying) -> Edges:
    key = (name, tuple(arguments.split(",")) if arguments else ())
    for other, stands_on in at.builder.extras.items():
        if other[0] == "aggregate" and stands_on == name:
            yield ("aggregate", other[1], ",".join(other[2])), False
    for owner in at.builder.uses.keys_of(key):
        if owner[0] == "default":
            table = at.builder.tables[owner[1]]
            column = table.column(owner[2])
            if column is not None and column.generated:
                yield ("column", owner[1], owner[2]), False
                continue
        yield owner, False


def _of_type(name: QName, _: str, at: Applying) -> Edges:
    spelled = at.builder.extras.get(("type spelling", name)) or at.lookup.type_name(name.schema, name.name)
    types = {spelled, f"{spelled}[]"}
    for table in at.builder.tables.values():
        for column in table.columns:
            if base_type(column.type) in types:
                yield ("column", table.name, column.name), False
        if at.builder.extras.get(("of type", table.name)) in types:
            yield ("table", table.name, ""), False
    for key, function in at.builder.functions.items():
        if types & {*function.argument_types, function.returns.removeprefix("SETOF ")}:
            yield ("function", key[0], ",".join(key[1])), False
    for other, details in at.builder.type_details.items():
        if other in at.builder.types and (
            details.base in types or any(kind in types for _, kind in details.attributes)
        ):
            yield ("type", other, ""), False


def _of_schema(name: QName, _: str, at: Applying) -> Edges:
    schema = name.schema
    for table in at.builder.tables:
        if table.schema == schema:
            yield ("table", table, ""), False
    for view in at.builder.views:
        if view.schema == schema:
            yield ("view", view, ""), False
    for sequence in at.builder.sequences:
        if sequence.schema == schema:
            yield ("sequence", sequence, ""), False
    for key in at.builder.functions:
        if key[0].schema == schema:
            yield ("function", key[0], ",".join(key[1])), False
    for each in at.builder.types:
        if each.schema == schema:
            yield ("type", each, ""), False


def _of_extension(name: QName, _: str, at: Applying) -> Edges:
    """Defaults that call its functions, columns of its types, servers of its wrapper."""
    yield from _of_wrapper(QName("", WRAPPERS.get(name.name, name.name)), "", at)
    extension = EXTENSIONS.get(name.name)
    if extension is None:
        return
    for table in at.builder.tables.values():
        for column in table.columns:
            if base_type(column.type).removesuffix("[]") in extension.types:
                yield ("column", table.name, column.name), False
            elif column.default and column.default.split("(")[0] in extension.functions - {"gen_random_uuid"}:
                yield ("default", table.name, column.name), False


def _of_server(name: QName, _: str, at: Applying) -> Edges:
    for table in at.builder.tables.values():
        if table.server == name.name:
            yield ("table", table.name, ""), False


def _of_wrapper(name: QName, _: str, at: Applying) -> Edges:
    for key, wrapper in at.builder.extras.items():
        if key[0] == "wrapper of" and wrapper == name.name:
            yield ("server", QName("", key[1]), ""), False


def _of_nothing(name: QName, part: str, at: Applying) -> Edges:
    return iter(())


_DEPENDENTS = {
    "table": _of_table,
    "column": _of_column,
    "view": _of_view,
    "index": _of_index,
    "constraint": _of_constraint,
    "policy": _of_nothing,
    "trigger": _of_nothing,
    "default": _of_nothing,
    "sequence": _of_sequence,
    "function": _of_function,
    "type": _of_type,
    "schema": _of_schema,
    "extension": _of_extension,
    "server": _of_server,
    "wrapper": _of_wrapper,
    "aggregate": _of_nothing,
}


def remove(found: Object, at: Applying) -> None:
    """Takes one object out of the catalog, if it is still there."""
    kind, name, part = found
    builder = at.builder
    if kind in ("policy", "trigger", "constraint"):
        parts: dict[str, UndoDict[Any, Any]] = {
            "policy": builder.policies,
            "trigger": builder.triggers,
            "constraint": builder.constraints,
        }
        mapping = parts[kind]
        if (name, part) in mapping:
            del mapping[name, part]
    elif kind == "default":
        table = builder.tables.get(name)
        if table is not None:
            columns = tuple(replace(each, default=None) if each.name == part else each for each in table.columns)
            builder.tables[name] = replace(table, columns=columns)
    elif kind == "column":
        table = builder.tables.get(name)
        if table is not None:
            kept = tuple(each for each in table.columns if each.name != part)
            builder.tables[name] = altered(replace(table, columns=kept), at)
        if ("default", name, part) in builder.uses:
            del builder.uses["default", name, part]
    elif kind == "function":
        key = (name, tuple(part.split(",")) if part else ())
        if key in builder.functions:
            del builder.functions[key]
    elif kind == "aggregate":
        del builder.extras["aggregate", name, tuple(part.split(",")) if part else ()]
    elif kind in ("server", "wrapper"):
        for fact in ((kind, name.name), ("wrapper of", name.name)):
            if fact in builder.extras:
                del builder.extras[fact]
    elif kind == "schema":
        if name.schema in builder.schemas:
            del builder.schemas[name.schema]
    elif kind == "extension":
        if name.name in builder.extensions:
            del builder.extensions[name.name]
    else:
        by_kind: dict[str, UndoDict[Any, Any]] = {
            "table": builder.tables,
            "view": builder.views,
            "index": builder.indexes,
            "sequence": builder.sequences,
            "type": builder.types,
        }
        relations = by_kind[kind]
        if name in relations:
            del relations[name]
        if kind in ("table", "view", "sequence"):
            word = "sequence" if kind == "sequence" else "table"
            for grant_key in [each for each in builder.grant_map if each[:2] == (word, str(name))]:
                del builder.grant_map[grant_key]
    if kind in ("policy", "trigger", "constraint", "default", "index", "view", "function"):
        use_key = (kind, name, part)
        if use_key in builder.uses:
            del builder.uses[use_key]
