"""Texts that follow what they refer to: PostgreSQL stores numbers, so a renaming shows wherever it is printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from remediate.replay.apply.base import Applying
from remediate.replay.apply.definitions import (
    constraint_definition,
    details_of,
    index_definition,
    index_details,
)  # fmt: skip
from remediate.replay.apply.triggers import trigger_definition
from remediate.replay.builder import ObjectKey, Signature, Uses
from remediate.replay.catalog import QName
from remediate.replay.lookup import CatalogLookup
from remediate.sql.deparse import NO_RENAMES, Renames, spell_expression, spell_query
from remediate.sql.lookup import MismatchError
from remediate.sql.parse import SqlSyntaxError, UnreadableSqlError, parse, parse_expression


def respell(keys: Iterable[ObjectKey], renames: Renames, at: Applying) -> None:
    """Writes the texts of these objects again; the catalog still has the old names."""
    for key in keys:
        try:
            _RESPELL[key[0]](key[1], key[2], renames, at)
        except (MismatchError, SqlSyntaxError, UnreadableSqlError):
            continue  # a text that was only copied stays as it is


def _text(text: str, table: QName, renames: Renames, at: Applying, wanted: str | None = None) -> str:
    lookup = CatalogLookup(at.builder)
    relation = lookup.found(table)
    spelled = spell_expression(
        parse_expression(text), lookup, relations=[(table.name, relation)], renames=renames, wanted=wanted
    )
    return spelled.text if spelled.complete else text


def _optional(text: str | None, table: QName, renames: Renames, at: Applying) -> str | None:
    return None if text is None else _text(text, table, renames, at)


def _policy(table: QName, name: str, renames: Renames, at: Applying) -> None:
    policy = at.builder.policies[table, name]
    using, check = _optional(policy.using, table, renames, at), _optional(policy.check, table, renames, at)
    if (using, check) != (policy.using, policy.check):
        at.builder.policies[table, name] = replace(
            policy, using=using, check=check, history=(*policy.history, at.origin("rename"))
        )


def _constraint(table: QName, name: str, renames: Renames, at: Applying) -> None:
    constraint, details = at.builder.constraints[table, name], details_of(at.builder, table, name)
    if constraint.type == "c":
        details = replace(details, expression=_text(details.expression, table, renames, at))
        at.builder.extras["constraint", table, name] = details
        definition = constraint_definition(constraint, details)
        at.builder.constraints[table, name] = replace(constraint, definition=definition)


def _index(name: QName, _: str, renames: Renames, at: Applying) -> None:
    index = at.builder.indexes[name]
    columns = tuple(
        f"({_text(column[1:-1], index.table, renames, at)})" if column.startswith("(") else column
        for column in index.columns
    )
    predicate = _optional(index.predicate, index.table, renames, at)
    index = replace(index, columns=columns, predicate=predicate)
    at.builder.indexes[name] = replace(index, definition=index_definition(index, index_details(at.builder, name)))


def _default(table: QName, name: str, renames: Renames, at: Applying) -> None:
    found = at.builder.tables[table]
    columns = []
    for column in found.columns:
        if column.name == name:
            if column.generated is not None:
                column = replace(column, generated=_text(column.generated, table, renames, at))
            elif column.default is not None:
                column = replace(column, default=_text(column.default, table, renames, at, column.type))
        columns.append(column)
    at.builder.tables[table] = replace(found, columns=tuple(columns))


def _trigger(table: QName, name: str, renames: Renames, at: Applying) -> None:
    trigger = at.builder.triggers[table, name]
    columns, condition = at.builder.extras.get(("trigger", table, name), ((), None))
    columns = tuple(renames.columns.get(((table.schema, table.name), each), each) for each in columns)
    if condition is not None:
        lookup = CatalogLookup(at.builder)
        relation = lookup.found(table)
        condition = spell_expression(
            parse_expression(condition), lookup, relations=[("old", relation), ("new", relation)], qualify=True,
            renames=renames,
        ).text  # fmt: skip
    at.builder.extras["trigger", table, name] = (columns, condition)
    function = QName(*renames.functions.get((trigger.function.schema, trigger.function.name), trigger.function))
    trigger = replace(trigger, function=function)
    definition = trigger_definition(trigger, list(columns), condition)
    at.builder.triggers[table, name] = replace(trigger, definition=definition)


def _view(name: QName, _: str, renames: Renames, at: Applying) -> None:
    view = at.builder.views[name]
    spelled = spell_query(parse(view.definition)[0].node, CatalogLookup(at.builder), renames=renames)
    reads = tuple(QName(*renames.relations.get((each.schema, each.name), each)) for each in view.reads)
    text = spelled.text if spelled.complete else view.definition
    at.builder.views[name] = replace(view, definition=text, reads=reads)


def _function(name: QName, _: str, renames: Renames, at: Applying) -> None:
    return None


_RESPELL = {
    "policy": _policy,
    "constraint": _constraint,
    "index": _index,
    "default": _default,
    "trigger": _trigger,
    "view": _view,
    "function": _function,
}


def move_uses(renames: Renames, keys: Iterable[ObjectKey], at: Applying) -> None:
    """The dependency log under the new names."""

    def relation(name: QName) -> QName:
        return QName(*renames.relations.get((name.schema, name.name), name))

    def function(signature: Signature) -> Signature:
        name = signature[0]
        return QName(*renames.functions.get((name.schema, name.name), name)), signature[1]

    for key in list(keys):
        uses = at.builder.uses[key]
        at.builder.uses[key] = Uses(
            frozenset(
                (relation(name), renames.columns.get(((name.schema, name.name), column), column))
                for name, column in uses.columns
            ),
            frozenset(map(relation, uses.relations)),
            frozenset(map(function, uses.functions)),
        )


__all__ = ["NO_RENAMES", "Renames", "move_uses", "respell"]
