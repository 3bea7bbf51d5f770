"""Promises. Everything runs at once, so every promise is settled by the time that anyone can look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remediate.evaluate.builtins.members import PROMISE, method
from remediate.evaluate.conversions import call_method, need_function
from remediate.evaluate.knex.callbacks import Later, current_callbacks
from remediate.evaluate.knex.session import Settled, Thenable, ThrownError, settle
from remediate.evaluate.machine import Machine
from remediate.evaluate.objects import Native, argument, error, first
from remediate.evaluate.properties import iterate
from remediate.evaluate.touches import rethrows
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place


def _settled(machine: Machine, value: Value, guarded: bool) -> Settled:
    machine.swallowing += guarded
    try:
        return Settled(settle(value))
    except ThrownError as failure:
        return Settled(error=failure)
    finally:
        machine.swallowing -= guarded


def _is_function(value: Value) -> bool:
    return isinstance(value, HostObject) and bool(getattr(value, "is_function", True))


Handler = Callable[[Machine, Thenable, list[Value], Place], Thenable]


def _in_time(handle: Callable[[Machine, Thenable, list[Value], Place], Settled]) -> Handler:
    """In a callback of Knex, handlers wait until it is over."""

    def run(machine: Machine, this: Thenable, arguments: list[Value], place: Place) -> Thenable:
        callbacks = current_callbacks()
        if callbacks is None:
            return handle(machine, this, arguments, place)
        later = Later(lambda: handle(machine, this, arguments, place))
        callbacks.waiting.append(later)
        return later

    return run


@method(PROMISE, "then")
@_in_time
def _then(machine: Machine, this: Thenable, arguments: list[Value], place: Place) -> Settled:
    good, bad = first(arguments), argument(arguments, 1)
    state = _settled(machine, this, _is_function(bad) and not rethrows(bad))
    if state.error is None:
        return _follow(machine, good, state.value, place) if _is_function(good) else state
    return _follow(machine, bad, state.error.value, place) if _is_function(bad) else state


@method(PROMISE, "catch")
@_in_time
def _catch(machine: Machine, this: Thenable, arguments: list[Value], place: Place) -> Settled:
    handler = first(arguments)
    state = _settled(machine, this, not rethrows(handler))
    if state.error is None or not _is_function(handler):
        return state
    return _follow(machine, handler, state.error.value, place)


@method(PROMISE, "finally")
@_in_time
def _finally(machine: Machine, this: Thenable, arguments: list[Value], place: Place) -> Settled:
    state = _settled(machine, this, False)
    handler = first(arguments)
    if _is_function(handler):
        after = _follow(machine, handler, UNDEFINED, place, pass_value=False)
        if after.error is not None:
            return after
    return state


def _follow(machine: Machine, function: Value, value: Value, place: Place, pass_value: bool = True) -> Settled:
    """Calls a handler: what it gives or throws is the next promise."""
    try:
        called = call_method(need_function(function, "the handler"), UNDEFINED, [value] if pass_value else [], place)
        return Settled(settle(called))
    except ThrownError as failure:
        return Settled(error=failure)


def promise(machine: Machine) -> Native:
    """`Promise`."""

    def construct(this: Value, arguments: list[Value], place: Place) -> Value:
        outcome: list[Settled] = []

        def settle_with(ok: bool) -> Native:
            def run(this: Value, passed: list[Value], at: Place) -> Value:
                if not outcome:
                    value = first(passed)
                    outcome.append(Settled(value) if ok else Settled(error=ThrownError(value)))
                return UNDEFINED

            return Native("resolve" if ok else "reject", run)

        executor = need_function(first(arguments), "Promise resolver")
        try:
            call_method(executor, UNDEFINED, [settle_with(True), settle_with(False)], place)
        except ThrownError as failure:
            outcome.append(Settled(error=failure))
        if not outcome:
            return Settled(Unknown("a promise that nothing here settles", place))
        if outcome[0].error is None:
            return _settled(machine, outcome[0].value, False)
        return outcome[0]

    def resolve(this: Value, arguments: list[Value], place: Place) -> Value:
        return _settled(machine, first(arguments), False)

    def reject(this: Value, arguments: list[Value], place: Place) -> Value:
        return Settled(error=ThrownError(first(arguments)))

    def each(arguments: list[Value], place: Place) -> list[Settled] | Unknown:
        items = iterate(machine, settle(first(arguments)), place)
        return items if isinstance(items, Unknown) else [_settled(machine, item, False) for item in list(items)]

    def gather(this: Value, arguments: list[Value], place: Place) -> Value:
        states = each(arguments, place)
        if isinstance(states, Unknown):
            return Settled(states)
        failed = next((state for state in states if state.error is not None), None)
        return failed or Settled([state.value for state in states])

    def all_settled(this: Value, arguments: list[Value], place: Place) -> Value:
        machine.swallowing += 1
        states = each(arguments, place)
        machine.swallowing -= 1
        if isinstance(states, Unknown):
            return Settled(states)
        return Settled([_described(state) for state in states])

    def race(this: Value, arguments: list[Value], place: Place) -> Value:
        states = each(arguments, place)
        if isinstance(states, Unknown):
            return Settled(states)
        return states[0] if states else Settled(Unknown("a race without runners", place))

    def any_of(this: Value, arguments: list[Value], place: Place) -> Value:
        states = each(arguments, place)
        if isinstance(states, Unknown):
            return Settled(states)
        good = next((state for state in states if state.error is None), None)
        return good or Settled(error=ThrownError(error("All promises were rejected", "AggregateError")))

    # `Promise.map`, `each` and `mapSeries` are Bluebird's, which older migrations get as their second parameter.
    def map_in_order(this: Value, arguments: list[Value], place: Place) -> Value:
        items = iterate(machine, settle(first(arguments)), place)
        if isinstance(items, Unknown):
            return Settled(items)
        function = need_function(argument(arguments, 1), "the callback")
        results: list[Any] = []
        for index, item in enumerate(list(items)):
            machine.spend(1, place)
            try:
                results.append(settle(call_method(function, UNDEFINED, [settle(item), index, len(items)], place)))
            except ThrownError as failure:
                return Settled(error=failure)
        return Settled(results)

    functions = {
        "resolve": resolve,
        "reject": reject,
        "all": gather,
        "allSettled": all_settled,
        "race": race,
        "any": any_of,
        "map": map_in_order,
        "each": map_in_order,
        "mapSeries": map_in_order,
    }
    return Native("Promise", None, {name: Native(name, run) for name, run in functions.items()}, construct)


def _described(state: Settled) -> dict[str, Any]:
    if state.error is None:
        return {"status": "fulfilled", "value": state.value}
    return {"status": "rejected", "reason": state.error.value}
