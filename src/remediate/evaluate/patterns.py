"""Assignments and declarations: names, members and destructuring."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.evaluate import ast
from remediate.evaluate.assumed import Assumed, assume, no_rows
from remediate.evaluate.conversions import property_key
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.machine import EVALUATE, Machine, Scope, throw, unknown_of
from remediate.evaluate.properties import iterate, own_properties, read, write
from remediate.evaluate.values import UNDEFINED, Unknown, Value


def declare(machine: Machine, target: ast.Node, value: Value, scope: Scope) -> None:
    """Declares the names of a target in this scope."""
    if target.__class__ is ast.Name:
        scope.variables[target.name] = value
    else:
        _bind(machine, target, value, scope, True)


def assign(machine: Machine, target: ast.Node, value: Value, scope: Scope) -> None:
    """Assigns to names that are declared already, to members, or destructures into those."""
    if isinstance(target, ast.Name):
        if not scope.assign(target.name, value):
            machine.globals[target.name] = value
    elif isinstance(target, ast.Member):
        base = EVALUATE[target.object.__class__](machine, target.object, scope)
        write(machine, base, target.name, value, machine.place(target))
    elif isinstance(target, ast.Element):
        base = EVALUATE[target.object.__class__](machine, target.object, scope)
        index = EVALUATE[target.index.__class__](machine, target.index, scope)
        write(machine, base, index, value, machine.place(target))
    else:
        _bind(machine, target, value, scope, False)


def _bind(machine: Machine, target: ast.Node, value: Value, scope: Scope, new: bool) -> None:
    machine.step(target)
    put = declare if new else assign
    if isinstance(target, ast.ObjectTarget):
        if value is None or value is UNDEFINED:
            raise throw("TypeError", f"Cannot destructure '{value or 'null'}' as it is undefined or null.")
        _bind_object(machine, target, value, scope, new)
    elif isinstance(target, ast.ArrayTarget):
        for part, item in zip(target.parts, _items(machine, target, value), strict=True):
            if part is not None:
                put(machine, part.target, _default(machine, part.default, item, scope), scope)
    elif new and isinstance(target, ast.Member | ast.Element):
        assign(machine, target, value, scope)


def _bind_object(machine: Machine, target: ast.ObjectTarget, value: Value, scope: Scope, new: bool) -> None:
    taken: list[str] = []
    put = declare if new else assign
    for part in target.parts:
        place = machine.place(part)
        if part.rest:
            rest = own_properties(machine, value, place)
            left: Value = rest if isinstance(rest, Unknown) else {k: v for k, v in rest.items() if k not in taken}
            put(machine, part.target, left, scope)
            continue
        key = part.key
        if not isinstance(key, str):
            computed = EVALUATE[key.__class__](machine, key, scope)
            try:
                key = property_key(computed)
            except UnresolvableError as failure:
                unknown = unknown_of(failure, place)
                put(machine, part.target, unknown, scope)
                continue
        taken.append(key)
        item = read(machine, value, key, place)
        put(machine, part.target, _default(machine, part.default, item, scope), scope)


def _items(machine: Machine, target: ast.ArrayTarget, value: Value) -> Sequence[Value]:
    """One value for each part."""
    parts = target.parts
    place = machine.place(target)
    if isinstance(value, Unknown):
        rows = no_rows(value)
        if rows is None:
            return [value] * len(parts)
        items = rows.value if isinstance(rows.value, list) else []
        unknown: Unknown = rows
    else:
        found = iterate(machine, value, place)
        if isinstance(found, Unknown):
            return [found] * len(parts)
        items, unknown = found, Unknown("")
    result: list[Value] = []
    for index, part in enumerate(parts):
        item: Value = items[index:] if part and part.rest else items[index] if index < len(items) else UNDEFINED
        result.append(assume(unknown, item) if isinstance(value, Unknown) else item)
    return result


def default_value(machine: Machine, default: ast.Node | None, value: Value, scope: Scope) -> Value:
    """The value, or the default where it is undefined."""
    if default is None:
        return value
    if isinstance(value, Assumed) and value.value is UNDEFINED:
        machine.reporter.assume(f"{value.reason}; its default is taken", machine.place(default))
        value = UNDEFINED
    if value is UNDEFINED:
        return EVALUATE[default.__class__](machine, default, scope)
    return value


_default = default_value
