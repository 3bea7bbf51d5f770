"""Partitions: what one gets from the table that it belongs to (DefineRelation, ATExecAttachPartition)."""

from __future__ import annotations

from dataclasses import replace

from remediate.replay.apply.base import Applying, altered
from remediate.replay.apply.constraints import inherit_foreign_key, inherit_key
from remediate.replay.apply.definitions import details_of, index_details
from remediate.replay.apply.indexes import inherit_index
from remediate.replay.catalog import QName, Table
from remediate.replay.refused import Refused


def attach_partition(parent: Table, child: Table, at: Applying) -> None:
    """Gives the child the parent's keys, indexes, foreign keys and row triggers."""
    for column in parent.columns:
        own = child.column(column.name)
        if own is None:
            raise Refused("42804", f'child table is missing column "{column.name}"', subjects=[child.name, parent.name])
        if own.type != column.type:
            raise Refused(
                "42804", f'child table "{child.name.name}" has different type for column "{column.name}"',
                subjects=[child.name, parent.name],
            )  # fmt: skip
    for constraint in at.builder.constraints_of(parent.name):
        if constraint.type == "c" and (child.name, constraint.name) not in at.builder.constraints:
            raise Refused(
                "42804",
                f'child table is missing constraint "{constraint.name}"',
                subjects=[child.name, parent.name],
            )
    for index in at.builder.indexes_of(parent.name):
        if index.constraint:
            inherit_key(index, at.builder.tables[child.name], at)
        else:
            inherit_index(index, at.builder.tables[child.name], at)
    for constraint in at.builder.constraints_of(parent.name):
        if constraint.type == "f":
            inherit_foreign_key(constraint, at.builder.tables[child.name], at)
    for trigger in at.builder.triggers_of(parent.name):
        key = (child.name, trigger.name)
        if trigger.row and key not in at.builder.triggers:
            at.builder.triggers[key] = replace(trigger, table=child.name, history=(at.origin("create"),))


def attach(parent: Table, child: Table, at: Applying) -> None:
    """ALTER TABLE … ATTACH PARTITION."""
    if not parent.partitioned:
        raise Refused("42809", f'"{parent.name.name}" is not partitioned', subjects=[parent.name])
    if child.partition_of is not None:
        raise Refused("42809", f'"{child.name.name}" is already a partition', subjects=[child.name])
    child = altered(replace(child, partition_of=parent.name), at)
    at.builder.tables[child.name] = child
    attach_partition(parent, child, at)


def detach(parent: Table, child: Table, at: Applying) -> None:
    """ALTER TABLE … DETACH PARTITION: what it got stays with it."""
    if child.partition_of != parent.name:
        raise Refused(
            "42P01", f'relation "{child.name.name}" is not a partition of relation "{parent.name.name}"',
            subjects=[child.name],
        )  # fmt: skip
    at.builder.tables[child.name] = altered(replace(child, partition_of=None), at)
    for constraint in at.builder.constraints_of(child.name):
        key = ("constraint", child.name, constraint.name)
        at.builder.extras[key] = replace(details_of(at.builder, *key[1:]), inherited=False)
    for index in at.builder.indexes_of(child.name):
        name = QName(child.name.schema, index.name)
        at.builder.extras["index", name] = replace(index_details(at.builder, name), parent=None)
