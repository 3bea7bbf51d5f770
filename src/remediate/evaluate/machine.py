"""The state of one evaluation, and the tables through which expressions and statements reach each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from remediate.evaluate import ast
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.knex.session import Subject, ThrownError
from remediate.evaluate.limits import Limits, Stopped
from remediate.evaluate.objects import error
from remediate.evaluate.stack import MOST_LEVELS
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place

if TYPE_CHECKING:
    from remediate.evaluate.modules import Modules


class Scope:
    """Variables by name, and the scope around. `this` and `arguments` are variables, under these names."""

    __slots__ = ("parent", "variables")

    def __init__(self, variables: dict[str, Any], parent: Scope | None) -> None:
        self.variables = variables
        self.parent = parent

    def find(self, name: str) -> Any:
        """The value as stored, `MISSING` when no scope has it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                return scope.variables[name]
            scope = scope.parent
        return MISSING

    def assign(self, name: str, value: Value) -> bool:
        """Writes to the innermost variable of that name; False when there is none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                scope.variables[name] = value
                return True
            scope = scope.parent
        return False


class _Missing:
    __slots__ = ()


MISSING = _Missing()


class Lazy:
    """A variable whose value is found when it is first read: an imported name."""

    __slots__ = ("find",)

    def __init__(self, find: Callable[[], Value]) -> None:
        self.find = find


class Reporter(Protocol):
    """Where an evaluation reports what it could not tell."""

    def miss(self, reason: str, place: Place, subject: Subject | None = None) -> None:
        """Something may happen to the database here that cannot be told."""
        ...

    def note(self, reason: str, place: Place) -> None:
        """Something cannot be told here that leaves what the migrations themselves make as it is."""
        ...

    def assume(self, reason: str, place: Place) -> None:
        """Something unknown was taken here as it is on a fresh database."""
        ...


class Machine:
    """One evaluation of one migration.

    `conditional` is the reason why nothing can tell whether the code that runs now would run, or None. `swallowing`
    counts the handlers around it that keep an error from the caller. `exits` holds the identities of the `if`
    statements through which loops without an end of their own are left; the syntax outlives the evaluation.
    `drawn` counts the random values that were asked for.
    """

    def __init__(self, limits: Limits, reporter: Reporter, environment: Mapping[str, str], modules: Modules) -> None:
        self.limits = limits
        self.reporter = reporter
        self.environment = environment
        self.modules = modules
        self.file = ast.SourceFile("", b"")
        self.globals: dict[str, Value] = {}
        self.conditional: str | None = None
        self.swallowing = 0
        self.steps = 0
        self.levels = 0
        self.calls = 0
        self.computed_text = 0
        self.returned: Value = UNDEFINED
        self.label = ""
        self.own_label = ""
        self.exits: set[int] = set()
        self.drawn = 0
        self.yielded: list[Value] | None = None

    def place(self, node: ast.Node) -> Place:
        return self.file.place(node.start, node.end)

    def step(self, node: ast.Node) -> None:
        self.steps += 1
        if self.steps > self.limits.steps:
            raise Stopped(f"stopped after {self.limits.steps:,} steps", self.place(node))

    def spend(self, amount: int, place: Place) -> None:
        """Counts the work of a library function that goes over `amount` elements."""
        self.steps += amount
        if self.steps > self.limits.steps:
            raise Stopped(f"stopped after {self.limits.steps:,} steps", place)

    def check_items(self, count: int, place: Place) -> None:
        if count > self.limits.items:
            raise Stopped(f"stopped at an array of more than {self.limits.items:,} elements", place)

    def check_text(self, length: int, place: Place) -> None:
        """Called before a long string is made."""
        self.computed_text += length
        if length > self.limits.text:
            raise Stopped(f"stopped at a string of more than {self.limits.text:,} characters", place)
        if self.computed_text > self.limits.total_text:
            raise Stopped(f"stopped after {self.limits.total_text:,} characters of text", place)

    def enter(self, depth: int, place: Place) -> None:
        """Begins a call of a function whose syntax is `depth` levels deep; `leave` ends it."""
        self.calls += 1
        self.levels += depth
        self.steps += 3
        if self.calls > self.limits.calls or self.levels > MOST_LEVELS:
            raise Stopped(f"stopped at {self.calls:,} calls within calls", place)
        if self.steps > self.limits.steps:
            raise Stopped(f"stopped after {self.limits.steps:,} steps", place)

    def leave(self, depth: int) -> None:
        self.calls -= 1
        self.levels -= depth

    def condition(self, reason: str) -> None:
        """From here on nothing can tell whether the code runs, until the caller restores `conditional`."""
        if self.conditional is None:
            self.conditional = reason


Evaluate: TypeAlias = Callable[[Machine, Any, Scope], Value]
Execute: TypeAlias = Callable[[Machine, Any, Scope], "str | None"]
EVALUATE: dict[type[Any], Evaluate] = {}
"""How to evaluate an expression, by its class."""
EXECUTE: dict[type[Any], Execute] = {}
"""How to execute a statement, by its class. The answer is None, or how it ended: "return", "break", "continue"."""


def evaluates(node: type[Any]) -> Callable[[Evaluate], Evaluate]:
    def register(function: Evaluate) -> Evaluate:
        EVALUATE[node] = function
        return function

    return register


def executes(node: type[Any]) -> Callable[[Execute], Execute]:
    def register(function: Execute) -> Execute:
        EXECUTE[node] = function
        return function

    return register


def evaluate(machine: Machine, node: ast.Node, scope: Scope) -> Value:
    """The value of an expression. Raises `ThrownError` for what the program throws, `Stopped` at a bound."""
    return EVALUATE[node.__class__](machine, node, scope)


def unknown_of(failure: UnresolvableError, place: Place) -> Unknown:
    """The unknown value that kept something from being computed, with a place."""
    known = failure.unknown
    return known if known.place is not None else Unknown(known.reason, place, known.about_data)


def throw(name: str, message: str) -> ThrownError:
    """The error that JavaScript itself throws."""
    return ThrownError(error(message, name))
