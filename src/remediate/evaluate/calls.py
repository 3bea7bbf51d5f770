"""Calls: of functions of the program, of the library, of Knex, and of what is not known."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.evaluate import ast
from remediate.evaluate.assumed import Assumed, no_rows
from remediate.evaluate.builtins import members
from remediate.evaluate.conversions import is_bounded
from remediate.evaluate.functions import ClassValue, Closure
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.knex.session import Subject, Thenable
from remediate.evaluate.machine import EVALUATE, Machine, Scope, throw, unknown_of
from remediate.evaluate.objects import Instance, Native
from remediate.evaluate.properties import iterate, read
from remediate.evaluate.touches import changes_schema, is_database, knows_connection, reaches_database
from remediate.evaluate.values import UNDEFINED, Drawn, HostObject, Unknown, Value
from remediate.source.place import Place

_LOOPS = frozenset({"forEach", "map", "flatMap", "filter", "reduce", "some", "every", "find", "each", "mapSeries"})


def arguments_of(machine: Machine, nodes: tuple[ast.Node, ...], spread: bool, scope: Scope) -> list[Value]:
    """The values of arguments. A spread of something unknown is one unknown argument."""
    if not spread:
        return [EVALUATE[node.__class__](machine, node, scope) for node in nodes]
    values: list[Value] = []
    for node in nodes:
        if isinstance(node, ast.Spread):
            value = EVALUATE[node.value.__class__](machine, node.value, scope)
            elements = iterate(machine, value, machine.place(node))
            values.extend([elements] if isinstance(elements, Unknown) else elements)
        else:
            values.append(EVALUATE[node.__class__](machine, node, scope))
    return values


def call_member(machine: Machine, node: ast.Call, function: ast.Member, base: Value, scope: Scope) -> Value:
    """`base.name(…)`, without making a bound method of the library first."""
    name = function.name
    place = member_place(machine, node, function)
    method: members.Method | None = None
    if isinstance(base, HostObject):
        if isinstance(base, Thenable):
            method = members.PROMISE.get(name)
    elif isinstance(base, Unknown):
        return _call_on_unknown(machine, node, function, base, scope, place)
    elif not (isinstance(base, dict) and name in base):
        method = members.find(base, name)
    if method is not None:
        arguments = arguments_of(machine, node.arguments, node.spread, scope)
        return members.invoke(machine, method, base, arguments, place)
    value = read(machine, base, name, place)
    if node.optional and (value is None or value is UNDEFINED):
        return UNDEFINED
    arguments = arguments_of(machine, node.arguments, node.spread, scope)
    if isinstance(value, Unknown) and is_database(base):
        machine.reporter.miss(f".{name}() of the database handle is not understood: {value.reason}", place)
        return Unknown(f"the answer of .{name}()", place)
    return call_function(machine, value, base, arguments, place, function)


def member_place(machine: Machine, node: ast.Call, function: ast.Member) -> Place:
    """The place of a call: from the method's name on where the chain before it began on a line above."""
    if b"\n" in machine.file.data[node.start : function.name_start]:
        return machine.file.place(function.name_start, node.end)
    return machine.file.place(node.start, node.end)


def call_function(
    machine: Machine, value: Value, this: Value, arguments: list[Value], place: Place, written: ast.Node | None = None
) -> Value:
    """Calls a value. `written` is the syntax it was called by, for messages."""
    if isinstance(value, HostObject):
        if isinstance(value, Closure):
            return value.call_with_this(this, arguments, place)
        try:
            if isinstance(value, Native):
                return value.call_with_this(this, arguments, place)
            result = value.call([_bounded(argument, place) for argument in arguments], place)
        except UnresolvableError as failure:
            return unknown_of(failure, place)
        return result
    if isinstance(value, Unknown):
        return call_unknown(machine, value, arguments, place, written)
    raise throw("TypeError", f"{_text(machine, written)} is not a function")


def _bounded(value: Value, place: Place) -> Value:
    """An argument for Knex, which writes values out to their last part."""
    if isinstance(value, list | dict) and not is_bounded(value):
        return Unknown("a value that is too large or holds itself", place)
    return value


def call_unknown(
    machine: Machine, value: Unknown, arguments: Sequence[Value], place: Place, written: ast.Node | None
) -> Value:
    """Harmless, unless it is handed something that reaches the database."""
    text = _text(machine, written)
    if any(reaches_database(argument) for argument in arguments):
        machine.reporter.miss(
            f"calls {text}, which is not known here, with the database handle ({value.reason})", place
        )
    elif any(knows_connection(argument) for argument in arguments):
        # A library that connects by itself keeps relations of its own: it was not told the names of others.
        machine.reporter.miss(
            f"calls {text}, which is not known here, with the database's connection ({value.reason})",
            place,
            Subject("create others", ""),
        )
    return Unknown(f"the answer of {text}() ({value.reason})" if len(value.reason) < 200 else value.reason, place)


def _call_on_unknown(
    machine: Machine, node: ast.Call, function: ast.Member, base: Unknown, scope: Scope, place: Place
) -> Value:
    name = function.name
    rows = no_rows(base)
    if rows is not None and (isinstance(base, Assumed) or name in _LOOPS):
        return _call_on_assumed(machine, node, function, rows, scope, place)
    arguments = arguments_of(machine, node.arguments, node.spread, scope)
    if name in _LOOPS and any(reaches_database(argument) for argument in arguments):
        machine.reporter.miss(f"a loop over something that is not known: {base.reason}", place)
        return Unknown(base.reason, place)
    if any(reaches_database(argument) for argument in arguments):
        return call_unknown(machine, base, arguments, place, function)
    if isinstance(base, Drawn) and name not in ("toISOString", "toJSON"):
        return Unknown(base.reason, base.place)
    return Unknown(base.reason, base.place, base.about_data) if base.about_data else base


def _call_on_assumed(
    machine: Machine, node: ast.Call, function: ast.Member, base: Assumed, scope: Scope, place: Place
) -> Value:
    arguments = arguments_of(machine, node.arguments, node.spread, scope)
    value = base.value
    if value is None or value is UNDEFINED:
        return Unknown(base.reason, base.place, base.about_data)
    if function.name in _LOOPS and any(changes_schema(passed, scope) for passed in node.arguments):
        machine.reporter.assume(f"a loop over query results, of which there are none: {base.reason}", place)
    method = members.find(value, function.name)
    if method is None:
        return Unknown(base.reason, base.place, base.about_data)
    return members.invoke_assumed(machine, method, base, arguments, place)


def construct(machine: Machine, function: Value, arguments: list[Value], place: Place) -> Value:
    """`new function(…)`."""
    if isinstance(function, ClassValue):
        machine.enter(20, place)
        instance = Instance(function)
        result = function.initialise(instance, arguments, place)
        machine.leave(20)
        return result if isinstance(result, dict | list | HostObject) else instance
    if isinstance(function, Closure):
        this: dict[str, Value] = {}
        prototype = function.members.get("prototype")
        if isinstance(prototype, dict):
            this.update(prototype)
        result = function.call_with_this(this, arguments, place)
        return result if isinstance(result, dict | list | HostObject) else this
    if isinstance(function, Native):
        if function.construct is None:
            return Unknown(f"new {function.name}() is not interpreted", place)
        try:
            return function.construct(UNDEFINED, arguments, place)
        except UnresolvableError as failure:
            return unknown_of(failure, place)
    if isinstance(function, Unknown | HostObject):
        unknown = function if isinstance(function, Unknown) else Unknown("makes an object that is not known", place)
        return call_unknown(machine, unknown, arguments, place, None)
    raise throw("TypeError", "is not a constructor")


def super_call(machine: Machine, home: object, this: Value, arguments: list[Value], place: Place) -> Value:
    """`super(…)` in a constructor."""
    if isinstance(home, ClassValue) and isinstance(this, Instance):
        machine.enter(20, place)
        home.initialise_parent(this, arguments, place)
        home.set_fields(this)
        machine.leave(20)
    return UNDEFINED


def _text(machine: Machine, written: ast.Node | None) -> str:
    if written is None:
        return "a function"
    text = " ".join(machine.file.text(written.start, written.end).split())
    return text if len(text) <= 60 else text[:57] + "…"
