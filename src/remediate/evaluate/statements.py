"""Execution of statements. Each answers None, or how it ended: "return", "break" or "continue"."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.evaluate import ast
from remediate.evaluate.assumed import Assumed
from remediate.evaluate.builtins.numbers import enum_value
from remediate.evaluate.conversions import strict_equals, to_text, truthy
from remediate.evaluate.functions import Closure
from remediate.evaluate.knex.javascript import UnresolvableError, number_text
from remediate.evaluate.knex.session import ThrownError, settle
from remediate.evaluate.machine import EVALUATE, EXECUTE, Machine, Scope, executes
from remediate.evaluate.patterns import assign, declare
from remediate.evaluate.properties import iterate, own_properties
from remediate.evaluate.touches import always_leaves, changes_schema, may_leave, touches_database, ways_out
from remediate.evaluate.values import UNDEFINED, Unknown, Value


@executes(ast.Block)
def block(machine: Machine, node: ast.Block, scope: Scope) -> str | None:
    return run_body(machine, node, Scope({}, scope) if node.scoped else scope)


def run_body(machine: Machine, node: ast.Block, scope: Scope) -> str | None:
    """The statements of a block in a scope that is there already."""
    for declared in node.functions:
        scope.variables[declared.function.name] = Closure(machine, declared.function, scope)
    for statement in node.body:
        ended = EXECUTE[statement.__class__](machine, statement, scope)
        if ended is not None:
            return ended
    return None


@executes(ast.Expression)
def _expression(machine: Machine, node: ast.Expression, scope: Scope) -> str | None:
    machine.step(node)
    conditional = machine.conditional
    EVALUATE[node.value.__class__](machine, node.value, scope)
    machine.conditional = conditional
    return None


@executes(ast.Declaration)
def _declaration(machine: Machine, node: ast.Declaration, scope: Scope) -> str | None:
    machine.step(node)
    conditional = machine.conditional
    for target, initial in node.declarators:
        if initial is None:
            if node.kind != "var":
                declare(machine, target, UNDEFINED, scope)
            continue
        value = EVALUATE[initial.__class__](machine, initial, scope)
        if isinstance(value, Closure) and not value.name and isinstance(target, ast.Name):
            value.name = target.name
        if node.kind == "var":
            assign(machine, target, value, scope)
        else:
            declare(machine, target, value, scope)
    machine.conditional = conditional
    return None


@executes(ast.FunctionDeclaration)
def _function(machine: Machine, node: ast.FunctionDeclaration, scope: Scope) -> str | None:
    scope.variables[node.function.name] = Closure(machine, node.function, scope)
    return None


@executes(ast.ClassDeclaration)
def _class(machine: Machine, node: ast.ClassDeclaration, scope: Scope) -> str | None:
    machine.step(node)
    scope.variables[node.name] = EVALUATE[node.value.__class__](machine, node.value, scope)
    return None


@executes(ast.Enum)
def _enum(machine: Machine, node: ast.Enum, scope: Scope) -> str | None:
    """Numbers count on from the last one; they are listed both ways, as TypeScript does."""
    values: dict[str, Value] = scope.variables.setdefault(node.name, {})
    inner = Scope({}, scope)
    following: Value = 0
    for name, initial in node.members:
        value = following if initial is None else EVALUATE[initial.__class__](machine, initial, inner)
        values[name] = inner.variables[name] = value
        if isinstance(value, int | float):
            values[number_text(value)] = name
        following = enum_value(value)
    return None


@executes(ast.Namespace)
def _namespace(machine: Machine, node: ast.Namespace, scope: Scope) -> str | None:
    inner = Scope({}, scope)
    run_body(machine, node.body, inner)
    exported: dict[str, Value] = scope.variables.setdefault(node.name, {})
    for item in node.body.body:
        if isinstance(item, ast.Export):
            exported.update({there: inner.variables.get(here, UNDEFINED) for here, there in item.names})
    return None


@executes(ast.If)
def _if(machine: Machine, node: ast.If, scope: Scope) -> str | None:
    machine.step(node)
    test = EVALUATE[node.test.__class__](machine, node.test, scope)
    if isinstance(test, Unknown):
        return _unknown_if(machine, node, test, scope)
    branch = node.then if truthy(test) else node.otherwise
    return EXECUTE[branch.__class__](machine, branch, scope) if branch is not None else None


def _unknown_if(machine: Machine, node: ast.If, test: Unknown, scope: Scope) -> str | None:
    """The branch that a fresh database takes; what it does, and what it may have kept from happening, is conditional.

    A branch that always throws is not taken: the migration is on record as applied, so it did not throw. For the same
    reason the way out of a loop without an end of its own is taken: `if (updated === 0) break;`.
    """
    leaves = always_leaves(node.then)
    taken = leaves is None
    if isinstance(test, Assumed):
        taken = truthy(test.value)
    elif test.about_data:
        taken = False
    if leaves == "throw":
        taken = False
    elif not taken:
        taken = id(node) in machine.exits or always_leaves(node.otherwise) == "throw"
    branch, other = (node.then, node.otherwise) if taken else (node.otherwise, node.then)
    if touches_database(other, scope) or (may_leave(other) and leaves != "throw"):
        way = "taken" if taken else "not taken"
        machine.reporter.assume(
            f"a condition that nothing here can answer, {way}: {test.reason}", machine.place(node.test)
        )
    before = machine.conditional
    if branch is not None:
        machine.condition(test.reason)
        ended = EXECUTE[branch.__class__](machine, branch, scope)
        if ended is not None:
            return ended
    machine.conditional = before
    if may_leave(other):
        machine.condition(test.reason)
    return None


@executes(ast.For)
def _for(machine: Machine, node: ast.For, scope: Scope) -> str | None:
    """Each round has its own copy of the variables, so that closures keep the values of theirs."""
    label = _own_label(machine)
    outer = Scope({}, scope)
    machine.exits.update(ways_out(node.body, node.test))
    if node.first is not None:
        EXECUTE[node.first.__class__](machine, node.first, outer)
    conditional = machine.conditional
    rounds = outer
    while True:
        machine.step(node)
        if node.test is not None:
            test = EVALUATE[node.test.__class__](machine, node.test, rounds)
            if isinstance(test, Unknown):
                if not isinstance(test, Assumed) or truthy(test.value):
                    _unknown_loop(machine, node.body, test, rounds)
                elif changes_schema(node.body, rounds):
                    _assume_no_rounds(machine, node.test, test)
                break
            if not truthy(test):
                break
        ended = EXECUTE[node.body.__class__](machine, node.body, rounds)
        machine.conditional = conditional
        if ended is not None and (stop := _leave(machine, ended, label)) is not _GO_ON:
            return stop
        if rounds.variables:
            rounds = Scope(dict(rounds.variables), scope)
        if node.step is not None:
            EVALUATE[node.step.__class__](machine, node.step, rounds)
    return None


_GO_ON = "next"


def _own_label(machine: Machine) -> str:
    """The label that stands right before the loop that begins now."""
    label, machine.own_label = machine.own_label, ""
    return label


def _leave(machine: Machine, ended: str, label: str) -> str | None:
    """What a loop answers when its body ended early: None to stop, `_GO_ON` for the next round, else the same."""
    if ended == "continue" and machine.label in ("", label):
        machine.label = ""
        return _GO_ON
    if ended == "break" and not machine.label:
        return None
    return ended


@executes(ast.ForEach)
def _for_each(machine: Machine, node: ast.ForEach, scope: Scope) -> str | None:
    label = _own_label(machine)
    value = EVALUATE[node.iterable.__class__](machine, node.iterable, scope)
    value = settle(value) if node.asynchronous else value
    items = _elements(machine, node, value)
    if isinstance(items, Unknown):
        _unknown_loop(machine, node.body, items, scope)
        return None
    if isinstance(value, Unknown) and changes_schema(node.body, scope):
        _assume_no_rounds(machine, node.iterable, value)
    conditional = machine.conditional
    index = 0
    while index < len(items):
        machine.step(node)
        item = settle(items[index]) if node.asynchronous else items[index]
        index += 1
        inner = Scope({}, scope)
        if node.kind in ("const", "let"):
            declare(machine, node.target, item, inner)
        else:
            assign(machine, node.target, item, scope)
        ended = EXECUTE[node.body.__class__](machine, node.body, inner)
        machine.conditional = conditional
        if ended is not None and (stop := _leave(machine, ended, label)) is not _GO_ON:
            return stop
    return None


def _elements(machine: Machine, node: ast.ForEach, value: Value) -> Sequence[Value] | Unknown:
    place = machine.place(node.iterable)
    if not node.keys:
        return iterate(machine, value, place)
    if isinstance(value, Assumed) and value.value in ([], {}, None, UNDEFINED):
        return []
    if value is None or value is UNDEFINED:
        return []
    properties = own_properties(machine, value, place)
    return properties if isinstance(properties, Unknown) else list(properties)


def _assume_no_rounds(machine: Machine, node: ast.Node, unknown: Unknown) -> None:
    reason = f"a loop over query results, of which there are none: {unknown.reason}"
    machine.reporter.assume(reason, machine.place(node))


def _unknown_loop(machine: Machine, body: ast.Node, unknown: Unknown, scope: Scope) -> None:
    """A loop whose rounds nothing can tell is not run."""
    if changes_schema(body, scope):
        machine.reporter.miss(f"a loop over something that is not known: {unknown.reason}", machine.place(body))
    elif touches_database(body, scope):
        reason = f"changes or reads rows in a loop over something that is not known: {unknown.reason}"
        machine.reporter.note(reason, machine.place(body))


@executes(ast.While)
def _while(machine: Machine, node: ast.While, scope: Scope) -> str | None:
    label = _own_label(machine)
    first = node.once
    machine.exits.update(ways_out(node.body, node.test))
    conditional = machine.conditional
    while True:
        machine.step(node)
        if not first:
            test = EVALUATE[node.test.__class__](machine, node.test, scope)
            if isinstance(test, Unknown):
                if not isinstance(test, Assumed) or truthy(test.value):
                    _unknown_loop(machine, node.body, test, scope)
                return None
            if not truthy(test):
                return None
        first = False
        ended = EXECUTE[node.body.__class__](machine, node.body, scope)
        machine.conditional = conditional
        if ended is not None and (stop := _leave(machine, ended, label)) is not _GO_ON:
            return stop


@executes(ast.Return)
def _return(machine: Machine, node: ast.Return, scope: Scope) -> str | None:
    machine.step(node)
    machine.returned = UNDEFINED if node.value is None else EVALUATE[node.value.__class__](machine, node.value, scope)
    return "return"


@executes(ast.Throw)
def _throw(machine: Machine, node: ast.Throw, scope: Scope) -> str | None:
    raise ThrownError(EVALUATE[node.value.__class__](machine, node.value, scope), certain=machine.conditional is None)


@executes(ast.Jump)
def _jump(machine: Machine, node: ast.Jump, scope: Scope) -> str | None:
    machine.step(node)
    machine.label = node.label
    return node.kind


@executes(ast.Labelled)
def _labelled(machine: Machine, node: ast.Labelled, scope: Scope) -> str | None:
    """The loop below takes the label as its own: `continue label` goes on with it."""
    machine.own_label = node.label
    ended = EXECUTE[node.body.__class__](machine, node.body, scope)
    if ended in ("break", "continue") and machine.label == node.label:
        machine.label = ""
        return None
    return ended


@executes(ast.Try)
def _try(machine: Machine, node: ast.Try, scope: Scope) -> str | None:
    ended: str | None = None
    failure: ThrownError | None = None
    guarded = node.handler is not None and always_leaves(node.handler) != "throw"
    calls, levels, label = machine.calls, machine.levels, machine.label
    machine.swallowing += guarded
    try:
        ended = EXECUTE[ast.Block](machine, node.body, scope)
    except ThrownError as thrown:
        failure = thrown
        machine.calls, machine.levels, machine.label = calls, levels, label
    except UnresolvableError as unresolvable:
        failure = ThrownError(unresolvable.unknown)
    finally:
        machine.swallowing -= guarded
    if failure is not None and node.handler is not None:
        caught, failure = failure, None
        inner = Scope({}, scope)
        try:
            if node.parameter is not None:
                declare(machine, node.parameter, caught.value, inner)
            ended = EXECUTE[ast.Block](machine, node.handler, inner)
        except ThrownError as thrown:
            failure = thrown
    if node.finalizer is not None:
        returned = machine.returned
        last = EXECUTE[ast.Block](machine, node.finalizer, scope)
        if last is not None:
            return last
        machine.returned = returned
    if failure is not None:
        raise failure
    return ended


@executes(ast.Switch)
def _switch(machine: Machine, node: ast.Switch, scope: Scope) -> str | None:
    machine.step(node)
    value = EVALUATE[node.value.__class__](machine, node.value, scope)
    inner = Scope({}, scope)
    chosen: int | None = None
    unknown = value if isinstance(value, Unknown) and not isinstance(value, Assumed) else None
    value = value.value if isinstance(value, Assumed) else value
    for index, (test, _) in enumerate(node.cases):
        if test is None or unknown is not None:
            continue
        candidate = EVALUATE[test.__class__](machine, test, inner)
        try:
            if strict_equals(value, candidate):
                chosen = index
                break
        except UnresolvableError as failure:
            unknown = failure.unknown
    if chosen is None:
        chosen = next((index for index, (test, _) in enumerate(node.cases) if test is None), None)
    if unknown is not None and any(touches_database(item, scope) for _, body in node.cases for item in body):
        machine.reporter.miss(f"a switch over something that is not known: {unknown.reason}", machine.place(node.value))
        return None
    return _run_cases(machine, node, chosen, inner)


def _run_cases(machine: Machine, node: ast.Switch, chosen: int | None, scope: Scope) -> str | None:
    if chosen is None:
        return None
    for _, body in node.cases[chosen:]:
        for statement in body:
            ended = EXECUTE[statement.__class__](machine, statement, scope)
            if ended == "break" and not machine.label:
                return None
            if ended is not None:
                return ended
    return None


@executes(ast.Export)
def _export(machine: Machine, node: ast.Export, scope: Scope) -> str | None:
    return None


def message_of(value: Value) -> str:
    """The message of something that was thrown."""
    try:
        return " ".join(to_text(value).split())
    except UnresolvableError as failure:
        return failure.unknown.reason
