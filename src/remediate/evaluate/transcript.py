"""Evaluation from memory: what a migration did the last time is what it does now, while it is answered the same.

An evaluation is determined by its file, by what it reads of the tree, by the environment and by what the world answers
it. So the transcript of one, every call to the world with what came back, stands for the next: the calls are made
again, since the world lives by them, and as long as the answers are the same, the rest follows. At the first other
answer the migration is evaluated after all. The world has heard its calls so far, so the evaluation is given the
answers that came, until it has caught up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from hashlib import blake2b
from typing import Any, Literal, TypeAlias, TypeVar

from remediate.cache.store import Cache
from remediate.evaluate.evaluate import FAULT, TOO_LARGE, Evaluator
from remediate.evaluate.knex.session import Answer, Subject
from remediate.evaluate.model import Direction, Evaluation, Sent
from remediate.evaluate.resolve import Reads
from remediate.evaluate.values import Unknown
from remediate.evaluate.world import World
from remediate.source.model import MigrationSource
from remediate.source.place import Unresolved

_Answer = TypeVar("_Answer")

Kind: TypeAlias = Literal["execute", "miss", "has_table", "has_column"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the world. `answer` spells out what came back: values are equal when they read the same.

    (`True == 1` in Python, but not for a migration.)
    """

    kind: Kind
    arguments: tuple[Any, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """One evaluation: what it read of the tree beside its own file, what it said and heard, and what came of it."""

    reads: Reads
    calls: tuple[Call, ...]
    evaluation: Evaluation


class DivergedError(Exception):
    """An evaluation that was given the same answers went another way: a fault of ours, and the world is spoilt."""


class RememberingEvaluator:
    """Evaluates as `evaluator` does (replay's `Evaluates`), from the cache where it can."""

    def __init__(self, evaluator: Evaluator, cache: Cache) -> None:
        self.evaluator = evaluator
        self.cache = cache
        self._common = settings_of(evaluator.environment) + json.dumps(astuple(evaluator.limits)).encode()

    def evaluate(self, source: MigrationSource, direction: Direction, world: World) -> Evaluation:
        """As `Evaluator.evaluate`; raises `DivergedError` besides."""
        files = self.evaluator.files
        names = json.dumps([source.service, source.file, source.name, direction]).encode()
        key = self.cache.key("evaluation", self._common, names, digest(source.data))
        known = self.cache.load(key, Transcript)
        resumed: _Resumed | None = None
        if known is not None and files.are_same(known.reads):
            given = _repeat(known.calls, world)
            if given is None:
                files.touched.update(path for path, _ in known.reads)
                return known.evaluation
            world = resumed = _Resumed(world, known.calls, given)
        outside, files.touched = files.touched, set()
        heard = _Listening(world)
        evaluation = self.evaluator.evaluate(source, direction, heard)
        if resumed is not None and not resumed.caught_up:
            raise DivergedError(source.file)
        if not any(each.reason.startswith((FAULT, TOO_LARGE)) for each in evaluation.unresolved):
            self.cache.save(key, Transcript(files.reads(), tuple(heard.calls), evaluation))
        files.touched |= outside
        return evaluation


def settings_of(environment: Mapping[str, str]) -> bytes:
    """What is known of `process.env`, as part of a key."""
    return json.dumps(sorted(environment.items())).encode()


def digest(data: bytes) -> bytes:
    """A file's bytes, as part of a key."""
    return blake2b(data, digest_size=16).digest()


def _repeat(calls: Sequence[Call], world: World) -> list[Any] | None:
    """Makes the calls again. None when all answers are the same, else those up to the first other one."""
    given: list[Any] = []
    for call in calls:
        answer = getattr(world, call.kind)(*call.arguments)
        given.append(answer)
        if repr(answer) != call.answer:
            return given
    return None


class _Listening:
    """A world that writes down what is said."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calls: list[Call] = []
        self._spelled: dict[str, str] = {}

    def execute(self, sent: Sent, wants_rows: bool) -> Answer:
        return self._heard("execute", (sent, wants_rows), self.world.execute(sent, wants_rows))

    def miss(self, unresolved: Unresolved, subject: Subject | None) -> None:
        self.world.miss(unresolved, subject)
        self._heard("miss", (unresolved, subject), None)

    def has_table(self, schema: str | None, name: str) -> bool | Unknown:
        return self._heard("has_table", (schema, name), self.world.has_table(schema, name))

    def has_column(self, schema: str | None, table: str, column: str) -> bool | Unknown:
        return self._heard("has_column", (schema, table, column), self.world.has_column(schema, table, column))

    def _heard(self, kind: Kind, arguments: tuple[Any, ...], answer: _Answer) -> _Answer:
        # At once: the migration may change what it is given.
        spelled = repr(answer)
        self.calls.append(Call(kind, arguments, self._spelled.setdefault(spelled, spelled)))
        return answer


class _Resumed:
    """A world that has heard the first calls already."""

    def __init__(self, world: World, calls: Sequence[Call], given: Sequence[Any]) -> None:
        self.world = world
        self._waiting = list(zip(calls, given, strict=False))[::-1]
        self._diverged = False

    @property
    def caught_up(self) -> bool:
        return not self._waiting and not self._diverged

    def execute(self, sent: Sent, wants_rows: bool) -> Answer:
        return self._answer("execute", (sent, wants_rows))  # type: ignore[no-any-return]

    def miss(self, unresolved: Unresolved, subject: Subject | None) -> None:
        self._answer("miss", (unresolved, subject))

    def has_table(self, schema: str | None, name: str) -> bool | Unknown:
        return self._answer("has_table", (schema, name))  # type: ignore[no-any-return]

    def has_column(self, schema: str | None, table: str, column: str) -> bool | Unknown:
        return self._answer("has_column", (schema, table, column))  # type: ignore[no-any-return]

    def _answer(self, kind: Kind, arguments: tuple[Any, ...]) -> Any:
        if not self._waiting:
            return getattr(self.world, kind)(*arguments)
        call, given = self._waiting.pop()
        if (call.kind, call.arguments) != (kind, arguments):
            self._diverged = True
        return given
