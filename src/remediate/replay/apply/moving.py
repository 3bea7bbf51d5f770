"""Gives a relation another name or schema, and everything that hangs on it with it."""

from __future__ import annotations

from dataclasses import replace

from remediate.replay.apply.base import Applying, altered
from remediate.replay.apply.columns import nextval
from remediate.replay.apply.definitions import (
    constraint_definition,
    details_of,
    index_definition,
    index_details,
)  # fmt: skip
from remediate.replay.apply.respell import Renames, move_uses, respell
from remediate.replay.builder import ObjectKey
from remediate.replay.catalog import QName
from remediate.replay.refused import Refused


def move_relation(old: QName, new: QName, at: Applying) -> None:
    """RenameRelationInternal, AlterTableNamespaceInternal: indexes, constraints and owned sequences move along."""
    if at.builder.relation_kind(new) is not None:
        code = "42P07"
        where = f' in schema "{new.schema}"' if new.schema != old.schema else ""
        raise Refused(code, f'relation "{new.name}" already exists{where}', subjects=[old])
    if old in at.builder.indexes:
        _move_index(old, new, at)
    elif old in at.builder.sequences:
        _move_sequence(old, new, at)
    elif old in at.builder.views:
        _respelled(old, new, at)
        view = at.builder.views[old]
        at.builder.views.move(old, new, replace(view, name=new, history=(*view.history, at.origin("rename"))))
        _move_key(("view", old, ""), ("view", new, ""), at)
        _move_hangers(old, new, at)
    elif old in at.builder.tables:
        _move_table(old, new, at)
    elif old in at.builder.types:
        found = at.builder.types[old]
        at.builder.types.move(old, new, replace(found, name=new))


def _respelled(old: QName, new: QName, at: Applying) -> None:
    renames = Renames({}, {(old.schema, old.name): (new.schema, new.name)}, {})
    keys = at.builder.uses.keys_of(old)
    respell(keys, renames, at)
    move_uses(renames, keys, at)


def _move_key(old: ObjectKey, new: ObjectKey, at: Applying) -> None:
    if old in at.builder.uses and old != new:
        uses = at.builder.uses[old]
        del at.builder.uses[old]
        at.builder.uses[new] = uses


def _move_index(old: QName, new: QName, at: Applying) -> None:
    """The constraint of an index has its name."""
    index = at.builder.indexes[old]
    details = index_details(at.builder, old)
    if index.constraint and new.name != old.name:
        constraint = at.builder.constraints[index.table, old.name]
        key, details_c = (index.table, new.name), details_of(at.builder, index.table, old.name)
        at.builder.constraints.move((index.table, old.name), key, replace(constraint, name=new.name))
        at.builder.extras["constraint", *key] = details_c
    renamed = replace(index, name=new.name, history=(*index.history, at.origin("rename")))
    at.builder.extras["index", new] = details
    at.builder.indexes.move(old, new, replace(renamed, definition=index_definition(renamed, details)))
    _move_key(("index", old, ""), ("index", new, ""), at)


def _move_sequence(old: QName, new: QName, at: Applying) -> None:
    sequence = at.builder.sequences[old]
    history = (*sequence.history, at.origin("rename"))
    at.builder.sequences.move(old, new, replace(sequence, name=new, history=history))
    before, after = nextval(old), nextval(new)
    for table in list(at.builder.tables.values()):
        if any(column.default == before for column in table.columns):
            columns = tuple(
                replace(column, default=after) if column.default == before else column for column in table.columns
            )
            at.builder.tables[table.name] = replace(table, columns=columns)


def _move_table(old: QName, new: QName, at: Applying) -> None:
    if new in at.builder.types:
        raise Refused("42710", f'type "{new.name}" already exists', subjects=[old])
    if new.schema != old.schema:
        for index in at.builder.indexes_of(old):
            target = QName(new.schema, index.name)
            if at.builder.relation_kind(target) is not None:
                raise Refused("42P07", f'relation "{index.name}" already exists', subjects=[old])
    _respelled(old, new, at)
    table = at.builder.tables[old]
    at.builder.tables.move(old, new, altered(replace(table, name=new), at, "rename"))
    _move_hangers(old, new, at)
    for constraint in at.builder.references_to(old):
        if constraint.table != old:
            changed = replace(constraint, references=new)
            details = details_of(at.builder, constraint.table, constraint.name)
            changed = replace(changed, definition=constraint_definition(changed, details))
            at.builder.constraints[constraint.table, constraint.name] = changed
    for constraint in at.builder.constraints_of(old):
        details = details_of(at.builder, old, constraint.name)
        references = new if constraint.references == old else constraint.references
        changed = replace(constraint, table=new, references=references)
        changed = replace(changed, definition=constraint_definition(changed, details))
        at.builder.constraints.move((old, constraint.name), (new, constraint.name), changed)
        at.builder.extras["constraint", new, constraint.name] = details
        _move_key(("constraint", old, constraint.name), ("constraint", new, constraint.name), at)
    for child in at.builder.tables.of(old):
        if child.partition_of == old:
            at.builder.tables[child.name] = replace(child, partition_of=new)
        elif old in child.inherits:
            inherits = tuple(new if each == old else each for each in child.inherits)
            at.builder.tables[child.name] = replace(child, inherits=inherits)
    for column in table.columns:
        _move_key(("default", old, column.name), ("default", new, column.name), at)
    for sequence in at.builder.sequences.of(old):
        if sequence.owned_by:
            owned = replace(sequence, owned_by=(new, sequence.owned_by[1]))
            at.builder.sequences[sequence.name] = owned
            if new.schema != old.schema:
                _move_sequence(sequence.name, QName(new.schema, sequence.name.name), at)
    key = at.builder.extras.get(("partition key", old))
    if key is not None:
        at.builder.extras["partition key", new] = key


def _move_hangers(old: QName, new: QName, at: Applying) -> None:
    """Policies, triggers, indexes and grants of a table or view."""
    for policy in at.builder.policies_of(old):
        at.builder.policies.move((old, policy.name), (new, policy.name), replace(policy, table=new))
        _move_key(("policy", old, policy.name), ("policy", new, policy.name), at)
    for trigger in at.builder.triggers_of(old):
        at.builder.extras["trigger", new, trigger.name] = at.builder.extras.get(
            ("trigger", old, trigger.name), ((), None)
        )
        at.builder.triggers.move((old, trigger.name), (new, trigger.name), replace(trigger, table=new))
        _move_key(("trigger", old, trigger.name), ("trigger", new, trigger.name), at)
        respell([("trigger", new, trigger.name)], Renames({}, {}, {}), at)
    for index in at.builder.indexes_of(old):
        name, target = QName(old.schema, index.name), QName(new.schema, index.name)
        details = index_details(at.builder, name)
        moved = replace(index, table=new)
        at.builder.extras["index", target] = details
        at.builder.indexes.move(name, target, replace(moved, definition=index_definition(moved, details)))
        _move_key(("index", name, ""), ("index", target, ""), at)
    for grant_key, grant in list(at.builder.grant_map.items()):
        if grant_key[:2] == ("table", str(old)):
            at.builder.grant_map.move(grant_key, ("table", str(new), grant_key[2]), replace(grant, subject=str(new)))
