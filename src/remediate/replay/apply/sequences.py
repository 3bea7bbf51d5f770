"""Sequences that stand by themselves (commands/sequence.c)."""

from __future__ import annotations

from dataclasses import replace

from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.default_privileges import grant_defaults
from remediate.replay.catalog import QName, Sequence
from remediate.replay.refused import Refused
from remediate.sql.nodes import option, strings
from remediate.sql.parse import Node
from remediate.sql.quote import truncate_identifier


@applies("create_seq_stmt")
def create_sequence(node: Node, at: Applying) -> None:
    name = at.new_name(node.sequence)
    name = QName(name.schema, truncate_identifier(name.name))
    if at.builder.relation_kind(name) is not None and node.if_not_exists:
        return
    at.require_free(name)
    at.builder.sequences[name] = Sequence(name, _owner(node, at), (at.origin("create"),))
    grant_defaults("sequence", name, at)


@applies("alter_seq_stmt")
def alter_sequence(node: Node, at: Applying) -> None:
    found = at.relation(node.sequence, missing_ok=node.missing_ok)
    if found is None:
        return
    sequence = at.builder.sequences.get(found[0])
    if sequence is None:
        raise Refused("42809", f'"{found[0].name}" is not a sequence', subjects=[found[0]])
    owned = _owner(node, at) if option(node.options, "owned_by") is not None else sequence.owned_by
    history = (*sequence.history, at.origin("alter"))
    at.builder.sequences[found[0]] = replace(sequence, owned_by=owned, history=history)


def _owner(node: Node, at: Applying) -> tuple[QName, str] | None:
    element = option(node.options, "owned_by")
    if element is None:
        return None
    names = strings(element.arg.list.items)
    if len(names) < 2:  # NONE
        return None
    found = at.relation_named(names[-3] if len(names) > 2 else None, names[-2])
    assert found is not None
    if found[0] in at.builder.tables:
        at.column_of(at.builder.tables[found[0]], names[-1])
    return found[0], names[-1]
