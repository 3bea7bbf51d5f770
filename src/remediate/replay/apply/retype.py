"""What shows a type by its name, when the name becomes another one (PostgreSQL stores numbers)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from remediate.replay.apply.base import Applying
from remediate.replay.apply.definitions import constraint_definition, details_of, index_definition, index_details
from remediate.replay.builder import TypeDetails


def retype(before: str, after: str, at: Applying) -> None:
    """`before` and `after` as format_type spells them. Columns, casts in expressions, and signatures follow."""
    cast = re.compile(r"::" + re.escape(before) + r'(?![\w"(])')

    def cast_in(text: str) -> str:
        return cast.sub(lambda _: f"::{after}", text)

    forms = [(prefix, suffix) for prefix in ("", "SETOF ") for suffix in ("", "[]")]
    swaps = {f"{prefix}{before}{suffix}": f"{prefix}{after}{suffix}" for prefix, suffix in forms}
    _tables(swaps, cast_in, at)
    _expressions(cast_in, at)
    for key, function in list(at.builder.functions.items()):
        types = tuple(swaps.get(kind, kind) for kind in function.argument_types)
        returns = swaps.get(function.returns, function.returns)
        if (types, returns) != (function.argument_types, function.returns):
            word = re.compile(rf"(?<![\w.\"]){re.escape(before)}(?![\w\"])")
            arguments = word.sub(lambda _: after, function.arguments)
            moved = replace(function, argument_types=types, returns=returns, arguments=arguments)
            at.builder.functions.move(key, (function.name, types), moved)
            if ("function", key) in at.builder.extras:
                at.builder.extras["function", (function.name, types)] = at.builder.extras["function", key]
    for name, details in list(at.builder.type_details.items()):
        attributes = tuple((each, swaps.get(kind, kind)) for each, kind in details.attributes)
        base = swaps.get(details.base, details.base) if details.base else None
        if (base, attributes) != (details.base, details.attributes):
            at.builder.type_details[name] = TypeDetails(base, attributes)


def _tables(swaps: dict[str, str], cast_in: Callable[[str], str], at: Applying) -> None:
    for table in list(at.builder.tables.values()):
        if any(column.type in swaps for column in table.columns):
            columns = tuple(
                replace(column, type=swaps[column.type], default=column.default and cast_in(column.default))
                if column.type in swaps
                else column
                for column in table.columns
            )
            at.builder.tables[table.name] = replace(table, columns=columns)


def _expressions(cast_in: Callable[[str], str], at: Applying) -> None:
    for key, constraint in list(at.builder.constraints.items()):
        if constraint.type == "c":
            details = details_of(at.builder, *key)
            text = cast_in(details.expression)
            if text != details.expression:
                details = replace(details, expression=text)
                at.builder.extras["constraint", *key] = details
                definition = constraint_definition(constraint, details)
                at.builder.constraints[key] = replace(constraint, definition=definition)
    for policy_key, policy in list(at.builder.policies.items()):
        using, check = (text and cast_in(text) for text in (policy.using, policy.check))
        if (using, check) != (policy.using, policy.check):
            at.builder.policies[policy_key] = replace(policy, using=using, check=check)
    for name, index in list(at.builder.indexes.items()):
        columns = tuple(map(cast_in, index.columns))
        predicate = index.predicate and cast_in(index.predicate)
        if (columns, predicate) != (index.columns, index.predicate):
            index = replace(index, columns=columns, predicate=predicate)
            definition = index_definition(index, index_details(at.builder, name))
            at.builder.indexes[name] = replace(index, definition=definition)
    for view in list(at.builder.views.values()):
        if (text := cast_in(view.definition)) != view.definition:
            at.builder.views[view.name] = replace(view, definition=text)
