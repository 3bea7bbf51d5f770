"""CREATE TRIGGER (commands/trigger.c)."""

from __future__ import annotations

from dataclasses import replace

from remediate.replay.apply.base import Applying, applies, uses_of
from remediate.replay.apply.definitions import written
from remediate.replay.builder import Uses
from remediate.replay.catalog import QName, Table, Trigger
from remediate.replay.extensions import brings_function
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.builtins import builtins
from remediate.sql.deparse import spell_expression
from remediate.sql.nodes import strings
from remediate.sql.parse import Node
from remediate.sql.quote import quote_identifier, quote_literal, truncate_identifier

_BEFORE, _INSTEAD = 2, 64
_EVENTS = {4: "insert", 16: "update", 8: "delete", 32: "truncate"}


@applies("create_trig_stmt")
def create_trigger(node: Node, at: Applying) -> None:
    found = at.relation(node.relation)
    assert found is not None
    relation, kind = found
    if kind not in ("table", "partitioned table", "foreign table", "view"):
        raise Refused("42809", f'"{relation.name}" cannot have triggers', subjects=[relation])
    timing = "before" if node.timing & _BEFORE else "instead of" if node.timing & _INSTEAD else "after"
    if (timing == "instead of") != (kind == "view") and not (kind == "view" and not node.row):
        raise Refused("42809", f'"{relation.name}" is a {kind}', subjects=[relation])
    name = truncate_identifier(node.trigname)
    columns = strings(node.columns)
    table = at.builder.tables.get(relation)
    if table is not None:
        for column in columns:
            at.column_of(table, column)
    condition, uses = _condition(node, relation, at)
    function = _function(node, relation, at)
    old = at.builder.triggers.get((relation, name))
    if old is not None and not node.replace:
        raise Refused("42710", f'trigger "{name}" for relation "{relation.name}" already exists', subjects=[relation])
    events = tuple(word for bit, word in _EVENTS.items() if node.events & bit)
    arguments = tuple(strings(node.args))
    trigger = Trigger(relation, name, function, timing, events, "", (at.origin("create"),), node.row, arguments)
    if old is not None:
        trigger = replace(trigger, history=(*old.history, at.origin("replace")))
    at.builder.extras["trigger", relation, name] = (tuple(columns), condition)
    at.builder.triggers[relation, name] = replace(trigger, definition=trigger_definition(trigger, columns, condition))
    used = uses.columns | frozenset((relation, column) for column in columns)
    signature = (function, ())
    functions = uses.functions | (frozenset({signature}) if signature in at.builder.functions else frozenset())
    at.builder.uses["trigger", relation, name] = Uses(used, uses.relations, functions)
    if table is not None and table.partitioned and node.row:
        _clone(trigger, table, at)


def _clone(trigger: Trigger, table: Table, at: Applying) -> None:
    for child in at.builder.tables.of(table.name):
        if child.partition_of == table.name and (child.name, trigger.name) not in at.builder.triggers:
            copy = replace(trigger, table=child.name)
            columns, condition = at.builder.extras["trigger", table.name, trigger.name]
            at.builder.extras["trigger", child.name, trigger.name] = (columns, condition)
            definition = trigger_definition(copy, list(columns), condition)
            at.builder.triggers[child.name, trigger.name] = replace(copy, definition=definition)
            _clone(copy, child, at)


def _condition(node: Node, relation: QName, at: Applying) -> tuple[str | None, Uses]:
    if not node.HasField("when_clause"):
        return None, Uses()
    columns = at.lookup.found(relation)
    spelled = spell_expression(
        node.when_clause, at.lookup, relations=[("old", columns), ("new", columns)], qualify=True, condition="WHEN"
    )
    return spelled.text, uses_of(spelled, at.builder)


def _function(node: Node, relation: QName, at: Applying) -> QName:
    schema, name = at.qualified(node.funcname)
    overloads = [each for each in at.builder.find_functions(name, schema) if not each.argument_types]
    if overloads:
        if overloads[0].returns != "trigger":
            raise Refused("42P17", f"function {name} must return type trigger", subjects=[relation])
        return overloads[0].name
    if name in builtins().functions or brings_function(at.builder.extensions, name):
        return QName(schema or "pg_catalog", name)
    if schema is not None and schema not in at.builder.schemas:
        raise Refused("3F000", f'schema "{schema}" does not exist', subjects=[relation])
    shown = f"{schema}.{name}" if schema else name
    nearest = nearest_name(name, [key[0].name for key in at.builder.functions])
    raise Refused("42883", f"function {shown}() does not exist", nearest=nearest, subjects=[relation])


def trigger_definition(trigger: Trigger, columns: list[str], condition: str | None) -> str:
    """As pg_get_triggerdef, with the table's and the function's schema left out where they are public."""
    events = []
    for event in trigger.events:
        of = f" OF {', '.join(map(quote_identifier, columns))}" if event == "update" and columns else ""
        events.append(event.upper() + of)
    text = f"CREATE TRIGGER {quote_identifier(trigger.name)} {trigger.timing.upper()} {' OR '.join(events)}"
    text += f" ON {written(trigger.table)} FOR EACH {'ROW' if trigger.row else 'STATEMENT'}"
    text += f" WHEN ({condition})" if condition else ""
    arguments = ", ".join(map(quote_literal, trigger.arguments))
    return f"{text} EXECUTE FUNCTION {written(trigger.function)}({arguments})"
