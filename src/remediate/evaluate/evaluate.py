"""What one migration does, found by interpreting it: the public function of this stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from remediate.evaluate import ast
from remediate.evaluate import expressions as _expressions  # noqa: F401 (registers itself)
from remediate.evaluate import statements as _statements  # noqa: F401 (registers itself)
from remediate.evaluate.functions import Closure
from remediate.evaluate.globals import global_value
from remediate.evaluate.knex import KnexHandle, PoolHandle
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.knex.session import ThrownError, settle
from remediate.evaluate.limits import Limits, Stopped
from remediate.evaluate.machine import Machine
from remediate.evaluate.model import Direction, Evaluation
from remediate.evaluate.modules import Loaded, LoweredCache, Modules
from remediate.evaluate.recorder import Recorder
from remediate.evaluate.resolve import Files
from remediate.evaluate.stack import run_deep
from remediate.evaluate.statements import message_of
from remediate.evaluate.syntax import SyntaxProblem
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.evaluate.world import World
from remediate.source.model import FileTree, MigrationSource
from remediate.source.place import Place

_POOL_TYPES = frozenset({"Pool", "PoolClient", "Client", "ClientBase", "pg.Pool", "pg.PoolClient", "pg.Client"})
_POOL_USES = frozenset({"query", "connect"})
_KNEX_USES = frozenset({"schema", "raw", "transaction", "fn", "select", "insert", "from", "into", "table"})


FAULT = "could not be evaluated: a fault of this program"
"""How the reason begins when evaluation itself failed."""

TOO_LARGE = "stopped: too deep or too large to evaluate"
"""The reason when memory or stack did not suffice, which another time they may."""


class Evaluator:
    """Evaluates the migrations of one tree, sharing what was read and lowered.

    `cache` may be kept longer than the evaluator, `environment` is what is known of `process.env`.
    """

    def __init__(
        self,
        tree: FileTree,
        *,
        limits: Limits | None = None,
        environment: Mapping[str, str] | None = None,
        cache: LoweredCache | None = None,
    ) -> None:
        self.files = Files(tree)
        self.limits = limits or Limits()
        self.environment = environment or {}
        self.cache: LoweredCache = {} if cache is None else cache

    def evaluate(self, source: MigrationSource, direction: Direction, world: World) -> Evaluation:
        """What `source` sends in one direction. Never raises: what cannot be told is unresolved."""
        return run_deep(lambda: self._evaluate(source, direction, world))

    def _evaluate(self, source: MigrationSource, direction: Direction, world: World) -> Evaluation:
        run = _Run(self, source, direction, world)
        try:
            run.run()
        except SyntaxProblem as problem:
            run.recorder.miss(problem.reason, problem.place)
        except Stopped as stopped:
            run.recorder.miss(stopped.reason, stopped.place)
        except UnresolvableError as failure:
            run.recorder.miss(failure.unknown.reason, failure.unknown.place or run.place)
        except (RecursionError, MemoryError):
            run.recorder.miss(TOO_LARGE, run.place)
        except Exception as fault:
            # A fault of ours in one file must not cost the others; the tests look for this text.
            run.recorder.miss(f"{FAULT} ({type(fault).__name__}: {fault})", run.place)
        return run.result()


def evaluate(
    source: MigrationSource,
    direction: Direction,
    tree: FileTree,
    world: World,
    *,
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
) -> Evaluation:
    """What one migration of a tree sends in one direction; `Evaluator` shares work between several."""
    return Evaluator(tree, limits=limits, environment=environment).evaluate(source, direction, world)


class _Run:
    """One evaluation."""

    def __init__(self, evaluator: Evaluator, source: MigrationSource, direction: Direction, world: World) -> None:
        self.source = source
        self.direction = direction
        self.place = Place(source.file)
        self.recorder = Recorder(source, direction, world)
        self.modules = Modules(evaluator.files, evaluator.cache, source.file)
        self.machine = Machine(evaluator.limits, self.recorder, evaluator.environment, self.modules)
        self.recorder.machine = self.machine
        self.transactional = True
        self.handle: Literal["knex", "pool"] = "knex"
        self.thrown: str | None = None
        self.code: str | None = None
        self.ends = False

    def run(self) -> None:
        module = self.modules.load(self.machine, self.source.file, self.source.data)
        self.transactional = self._is_transactional(module)
        function = self._exported(module, self.direction)
        if isinstance(function, HostObject) and getattr(function, "is_function", True):
            self._call(function)
        elif isinstance(function, Unknown):
            self.recorder.miss(f"its {self.direction} is not known: {function.reason}", function.place or self.place)
        elif self.direction == "up" or module.failure is not None:
            reason = f"exports no {self.direction}" if module.failure is None else module.failure.reason
            self.recorder.miss(reason, self.place)

    def _call(self, function: HostObject) -> None:
        handle: Value = KnexHandle(self.recorder, in_transaction=self.transactional)
        if isinstance(function, Closure) and takes_pool(function.node):
            self.handle = "pool"
            handle = PoolHandle(self.recorder)
        promise = global_value(self.machine, "Promise", self.place)
        try:
            result = function.call([handle, promise], self._function_place(function))
            settle(result)
        except ThrownError as failure:
            self._failed(failure)

    def _failed(self, failure: ThrownError) -> None:
        """A refused statement is replay's to report; what the program throws itself ends it here."""
        value = failure.value
        self.thrown = message_of(value)
        self.code = value["code"] if isinstance(value, dict) and isinstance(value.get("code"), str) else None
        refused = self.code is not None
        deliberate = not isinstance(value, dict) or value.get("name") not in (
            "TypeError",
            "ReferenceError",
            "SyntaxError",
        )
        self.ends = failure.certain and deliberate and not self.recorder.guesses
        if not refused and (self.direction == "up" or not deliberate):
            self.recorder.miss(f"throws: {self.thrown}", self.place)

    def _function_place(self, function: HostObject) -> Place:
        if isinstance(function, Closure):
            return function.file.place(function.node.start, function.node.end)
        return self.place

    def _exported(self, module: Loaded, name: str) -> Value:
        found = module.get(name, self.place)
        if found is UNDEFINED:
            default = module.get("default", self.place)
            found = _property(default, name, self.place)
        return found

    def _is_transactional(self, module: Loaded) -> bool:
        config = self._exported(module, "config")
        value = _property(config, "transaction", self.place)
        if isinstance(config, Unknown) or isinstance(value, Unknown):
            return True
        return value is not False

    def result(self) -> Evaluation:
        return Evaluation(
            service=self.source.service,
            migration=self.source.name,
            file=self.source.file,
            direction=self.direction,
            sent=tuple(self.recorder.sent),
            unresolved=tuple(self.recorder.unresolved),
            transactional=self.transactional,
            handle=self.handle,
            thrown=self.thrown,
            ends=self.ends,
            assumptions=tuple(self.recorder.assumptions),
            code=self.code,
        )


def _property(value: Value, name: str, place: Place) -> Value:
    if isinstance(value, dict):
        found: Any = value.get(name, UNDEFINED)
        return found  # type: ignore[no-any-return]
    return value.get(name, place) if isinstance(value, HostObject) else UNDEFINED


def takes_pool(function: ast.Function) -> bool:
    """Whether an `up` is written for a pg Pool: by the type of its parameter, else by what it does with it."""
    if not function.parameters:
        return False
    parameter = function.parameters[0]
    if parameter.declared:
        return parameter.declared in _POOL_TYPES
    if not isinstance(parameter.target, ast.Name):
        return False
    name = parameter.target.name
    used: set[str] = set()
    for item in ast.walk(function.body):
        if isinstance(item, ast.Member) and isinstance(item.object, ast.Name) and item.object.name == name:
            used.add(item.name)
        elif isinstance(item, ast.Call) and isinstance(item.function, ast.Name) and item.function.name == name:
            return False
    return bool(used & _POOL_USES) and not used & _KNEX_USES
