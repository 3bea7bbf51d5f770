"""ALTER … RENAME and ALTER … SET SCHEMA (commands/alter.c, tablecmds.c renameatt, RenameRelation)."""

from __future__ import annotations

from remediate.replay.apply.base import Applying, altered, applies
from remediate.replay.apply.constraints import children_of
from remediate.replay.apply.definitions import (
    constraint_definition,
    details_of,
    index_definition,
    index_details,
)  # fmt: skip
from remediate.replay.apply.functions import find_function
from remediate.replay.apply.moving import move_relation
from remediate.replay.apply.policies import find_policy
from remediate.replay.apply.respell import Renames, move_uses, respell
from remediate.replay.apply.retype import retype
from remediate.replay.apply.types import find_type
from remediate.replay.builder import ObjectKey, TypeDetails
from remediate.replay.catalog import QName, Table
from remediate.replay.copying import replace
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.nodes import ObjectType
from remediate.sql.parse import Node
from remediate.sql.quote import truncate_identifier

_RELATIONS = (
    ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_INDEX,
    ObjectType.OBJECT_SEQUENCE, ObjectType.OBJECT_FOREIGN_TABLE,
)  # fmt: skip
_FUNCTIONS = (ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE, ObjectType.OBJECT_ROUTINE)
_TYPES = (ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN)


@applies("rename_stmt")
def rename(node: Node, at: Applying) -> None:
    kind = node.rename_type
    if kind in _RELATIONS:
        found = at.relation(node.relation, missing_ok=node.missing_ok)
        if found is not None:
            _require_kind(found, kind)
            move_relation(found[0], QName(found[0].schema, truncate_identifier(node.newname)), at)
    elif kind == ObjectType.OBJECT_COLUMN:
        found = at.relation(node.relation, missing_ok=node.missing_ok)
        if found is not None:
            _rename_column(found[0], node.subname, truncate_identifier(node.newname), at)
    elif kind == ObjectType.OBJECT_TABCONSTRAINT:
        found = at.relation(node.relation, missing_ok=node.missing_ok)
        if found is not None:
            _rename_constraint(found[0], node.subname, truncate_identifier(node.newname), at)
    elif kind == ObjectType.OBJECT_POLICY:
        _rename_policy(node, at)
    elif kind == ObjectType.OBJECT_TRIGGER:
        _rename_trigger(node, at)
    elif kind in _FUNCTIONS:
        _move_function(node.object.object_with_args, None, truncate_identifier(node.newname), kind, at)
    elif kind in _TYPES:
        _move_type(node.object.list.items, None, truncate_identifier(node.newname), at)
    elif kind == ObjectType.OBJECT_SCHEMA:
        _rename_schema(node.subname, node.newname, at)
    elif kind == ObjectType.OBJECT_ROLE:
        _rename_role(node.subname, node.newname, at)
    elif kind == ObjectType.OBJECT_ATTRIBUTE:
        _rename_attribute(node, at)


def _require_kind(found: tuple[QName, str], kind: int) -> None:
    """ALTER TABLE renames anything that is like a table; the special forms only their own kind."""
    wanted = {
        ObjectType.OBJECT_VIEW: ("view",),
        ObjectType.OBJECT_MATVIEW: ("materialized view",),
        ObjectType.OBJECT_SEQUENCE: ("sequence",),
        ObjectType.OBJECT_FOREIGN_TABLE: ("foreign table",),
    }.get(kind)
    if wanted and found[1] not in wanted:
        raise Refused("42809", f'"{found[0].name}" is not a {wanted[0]}', subjects=[found[0]])


def _rename_column(relation: QName, old: str, new: str, at: Applying) -> None:
    table = at.builder.tables.get(relation)
    if table is None:
        view = at.builder.views.get(relation)
        if view is not None:
            columns = tuple(replace(each, name=new) if each.name == old else each for each in view.columns)
            at.builder.views[relation] = replace(view, columns=columns)
        return
    if table.column(old) is None:
        raise Refused(
            "42703", f'column "{old}" does not exist',
            nearest=nearest_name(old, [each.name for each in table.columns]), subjects=[relation],
        )  # fmt: skip
    if table.column(new) is not None:
        raise Refused("42701", f'column "{new}" of relation "{relation.name}" already exists', subjects=[relation])
    _inherited_column(table, old, at)
    _column_everywhere(table, old, new, at)


def _inherited_column(table: Table, name: str, at: Applying) -> None:
    parents = [table.partition_of] if table.partition_of else list(table.inherits)
    if any(at.builder.tables[parent].column(name) for parent in parents):
        raise Refused("42P16", f'cannot rename inherited column "{name}"', subjects=[table.name])


def _column_everywhere(table: Table, old: str, new: str, at: Applying) -> None:
    relation = table.name
    renames = Renames({(tuple(relation), old): new}, {}, {})  # type: ignore[dict-item]
    keys: list[ObjectKey] = [
        key for key in at.builder.uses.keys_of(relation) if (relation, old) in at.builder.uses[key].columns
    ]
    respell(keys, renames, at)
    move_uses(renames, keys, at)

    def swapped(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if each == old else each for each in names)

    for constraint in [*at.builder.constraints_of(relation), *at.builder.references_to(relation)]:
        constraint = at.builder.constraints[constraint.table, constraint.name]
        mine, theirs = constraint.columns, constraint.referenced_columns
        if constraint.table == relation:
            mine = swapped(mine)
        if constraint.references == relation:
            theirs = swapped(theirs)
        changed = replace(constraint, columns=mine, referenced_columns=theirs)
        details = details_of(at.builder, constraint.table, constraint.name)
        changed = replace(changed, definition=constraint_definition(changed, details))
        at.builder.constraints[constraint.table, constraint.name] = changed
    for index in at.builder.indexes_of(relation):
        name = QName(relation.schema, index.name)
        changed_index = replace(index, columns=swapped(index.columns))
        definition = index_definition(changed_index, index_details(at.builder, name))
        at.builder.indexes[name] = replace(changed_index, definition=definition)
    for sequence in at.builder.sequences.of(relation):
        if sequence.owned_by == (relation, old):
            at.builder.sequences[sequence.name] = replace(sequence, owned_by=(relation, new))
    key = ("partition key", relation)
    if key in at.builder.extras:
        at.builder.extras[key] = swapped(at.builder.extras[key])
    if ("default", relation, old) in at.builder.uses:
        at.builder.uses["default", relation, new] = at.builder.uses["default", relation, old]
        del at.builder.uses["default", relation, old]
    table = at.builder.tables[relation]
    columns = tuple(replace(each, name=new) if each.name == old else each for each in table.columns)
    at.builder.tables[relation] = altered(replace(table, columns=columns), at, "rename")
    for child in children_of(at.builder, relation):
        if child.column(old):
            _column_everywhere(child, old, new, at)


def _rename_constraint(table: QName, old: str, new: str, at: Applying) -> None:
    constraint = at.builder.constraints.get((table, old))
    if constraint is None:
        known = [each.name for each in at.builder.constraints_of(table)]
        raise Refused(
            "42704", f'constraint "{old}" for table "{table.name}" does not exist',
            nearest=nearest_name(old, known), subjects=[table],
        )  # fmt: skip
    if (table, new) in at.builder.constraints:
        raise Refused("42710", f'constraint "{new}" for relation "{table.name}" already exists', subjects=[table])
    if constraint.type in ("p", "u", "x"):
        move_relation(QName(table.schema, old), QName(table.schema, new), at)
        return
    rename_constraint(table, old, new, at)


def rename_constraint(table: QName, old: str, new: str, at: Applying) -> None:
    constraint = at.builder.constraints[table, old]
    details = details_of(at.builder, table, old)
    history = (*constraint.history, at.origin("rename"))
    at.builder.constraints.move((table, old), (table, new), replace(constraint, name=new, history=history))
    at.builder.extras["constraint", table, new] = details
    if ("constraint", table, old) in at.builder.uses:
        uses = at.builder.uses["constraint", table, old]
        del at.builder.uses["constraint", table, old]
        at.builder.uses["constraint", table, new] = uses


def _rename_policy(node: Node, at: Applying) -> None:
    found = at.relation(node.relation, missing_ok=node.missing_ok)
    if found is None:
        return
    table = at.table(node.relation)
    new = truncate_identifier(node.newname)
    if (table.name, new) in at.builder.policies:
        raise Refused("42710", f'policy "{new}" for table "{table.name.name}" already exists', subjects=[table.name])
    policy = find_policy(table, node.subname, at)
    history = (*policy.history, at.origin("rename"))
    at.builder.policies.move((table.name, policy.name), (table.name, new), replace(policy, name=new, history=history))
    uses = at.builder.uses["policy", table.name, policy.name]
    del at.builder.uses["policy", table.name, policy.name]
    at.builder.uses["policy", table.name, new] = uses


def _rename_trigger(node: Node, at: Applying) -> None:
    found = at.relation(node.relation)
    assert found is not None
    key = (found[0], node.subname)
    trigger = at.builder.triggers.get(key)
    if trigger is None:
        raise Refused(
            "42704", f'trigger "{node.subname}" for table "{found[0].name}" does not exist', subjects=[found[0]]
        )
    new = (found[0], truncate_identifier(node.newname))
    if new in at.builder.triggers:
        raise Refused("42710", f'trigger "{new[1]}" for relation "{found[0].name}" already exists', subjects=[found[0]])
    history = (*trigger.history, at.origin("rename"))
    at.builder.triggers.move(key, new, replace(trigger, name=new[1], history=history))
    at.builder.extras["trigger", *new] = at.builder.extras.get(("trigger", *key), ((), None))
    uses = at.builder.uses["trigger", found[0], node.subname]
    del at.builder.uses["trigger", found[0], node.subname]
    at.builder.uses["trigger", *new] = uses
    respell([("trigger", *new)], Renames({}, {}, {}), at)


def _move_function(node: Node, schema: str | None, name: str | None, kind: int, at: Applying) -> None:
    function = find_function(node, at, objtype=kind)
    if function is None:
        return
    new = QName(schema or function.name.schema, name or function.name.name)
    old_key, new_key = (function.name, function.argument_types), (new, function.argument_types)
    if new_key in at.builder.functions and new_key != old_key:
        raise Refused("42723", f'function {new.name} already exists in schema "{new.schema}"')
    keys = at.builder.uses.keys_of(old_key)
    renames = Renames({}, {}, {(function.name.schema, function.name.name): (new.schema, new.name)})
    respell(keys, renames, at)
    move_uses(renames, keys, at)
    for trigger in list(at.builder.triggers.values()):
        if trigger.function == function.name and not function.argument_types:
            at.builder.triggers[trigger.table, trigger.name] = replace(trigger, function=new)
    history = (*function.history, at.origin("rename"))
    at.builder.functions.move(old_key, new_key, replace(function, name=new, history=history))
    at.builder.extras["function", new_key] = at.builder.extras["function", old_key]
    own = ("function", function.name, ",".join(function.argument_types))
    if own in at.builder.uses:
        uses = at.builder.uses[own]  # type: ignore[index]
        del at.builder.uses[own]  # type: ignore[arg-type]
        at.builder.uses["function", new, own[2]] = uses


def _move_type(names: Node, schema: str | None, name: str | None, at: Applying) -> None:
    """Columns show the new name, since they point at the type."""
    found = find_type(names, at)
    new = QName(schema or found.name.schema, name or found.name.name)
    if new in at.builder.types:
        raise Refused("42710", f'type "{new.name}" already exists', subjects=[new])
    before = at.lookup.type_name(found.name.schema, found.name.name)
    history = (*found.history, at.origin("rename"))
    at.builder.types.move(found.name, new, replace(found, name=new, history=history))
    if found.name in at.builder.type_details:
        at.builder.type_details[new] = at.builder.type_details[found.name]
    after = at.lookup.type_name(new.schema, new.name)
    if before is None or after is None:
        return
    retype(before, after, at)


def _rename_attribute(node: Node, at: Applying) -> None:
    name = at.builder.find_type(node.relation.relname, node.relation.schemaname or None)
    if name is None or name not in at.builder.type_details:
        return
    details = at.builder.type_details[name]
    attributes = tuple((node.newname if each == node.subname else each, kind) for each, kind in details.attributes)
    at.builder.type_details[name] = TypeDetails(details.base, attributes)


def _rename_schema(old: str, new: str, at: Applying) -> None:
    if old not in at.builder.schemas:
        raise Refused("3F000", f'schema "{old}" does not exist', nearest=nearest_name(old, at.builder.schemas))
    if new in at.builder.schemas:
        raise Refused("42P06", f'schema "{new}" already exists')
    at.builder.schemas.move(old, new, (*at.builder.schemas[old], at.origin("rename")))
    for name in [*at.builder.tables, *at.builder.views, *at.builder.sequences]:
        if name.schema == old and at.builder.relation_kind(name) is not None:
            move_relation(name, QName(new, name.name), at)
    for key, function in list(at.builder.functions.items()):
        if key[0].schema == old:
            moved = replace(function, name=QName(new, key[0].name))
            at.builder.functions.move(key, (moved.name, key[1]), moved)
            at.builder.extras["function", (moved.name, key[1])] = at.builder.extras["function", key]
    for name, found in list(at.builder.types.items()):
        if name.schema == old:
            at.builder.types.move(name, QName(new, name.name), replace(found, name=QName(new, name.name)))


def _rename_role(old: str, new: str, at: Applying) -> None:
    role = at.builder.roles.get(old)
    if role is None:
        raise Refused("42704", f'role "{old}" does not exist', nearest=nearest_name(old, at.builder.roles))
    if new in at.builder.roles:
        raise Refused("42710", f'role "{new}" already exists')
    at.builder.roles.move(old, new, replace(role, name=new, history=(*role.history, at.origin("rename"))))
    for key, policy in list(at.builder.policies.items()):
        if old in policy.roles:
            roles = tuple(sorted(new if each == old else each for each in policy.roles))
            at.builder.policies[key] = replace(policy, roles=roles)
    for grant_key, grant in list(at.builder.grant_map.items()):
        if grant.role == old:
            at.builder.grant_map.move(grant_key, (*grant_key[:2], new), replace(grant, role=new))
    for table in list(at.builder.tables.values()):
        if table.owner == old:
            at.builder.tables[table.name] = replace(table, owner=new)


@applies("alter_object_schema_stmt")
def set_schema(node: Node, at: Applying) -> None:
    schema = node.newschema
    kind = node.object_type
    if kind in _RELATIONS:
        found = at.relation(node.relation, missing_ok=node.missing_ok)
        if found is None:
            return
        if schema not in at.builder.schemas:
            raise Refused(
                "3F000", f'schema "{schema}" does not exist', nearest=nearest_name(schema, at.builder.schemas)
            )
        if found[0].schema != schema:
            move_relation(found[0], QName(schema, found[0].name), at)
        return
    if schema not in at.builder.schemas:
        raise Refused("3F000", f'schema "{schema}" does not exist', nearest=nearest_name(schema, at.builder.schemas))
    if kind in _FUNCTIONS:
        _move_function(node.object.object_with_args, schema, None, kind, at)
    elif kind in _TYPES:
        _move_type(node.object.list.items, schema, None, at)
