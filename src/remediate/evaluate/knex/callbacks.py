"""What a table callback leaves for later: Knex runs it to its end before it sends anything, and awaits none of it.

What stands in a `.then` in the callback runs after the table's own statements were sent, and what it asks of the table
builder by then has no effect. The same goes for what follows an `await` in an asynchronous callback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from remediate.evaluate.knex.session import Settled, Thenable, ThrownError
from remediate.evaluate.values import Value


class Later(Thenable):
    """A promise whose handler has not run yet; it runs once."""

    def __init__(self, run: Callable[[], Settled]) -> None:
        self._run = run
        self._outcome: Settled | None = None

    def execute(self) -> Value:
        if self._outcome is None:
            self._outcome = self._run()
        return self._outcome.execute()


@dataclass(slots=True)
class Callbacks:
    """The callbacks of one schema builder; `awaited` once one of them has awaited something."""

    waiting: list[Later] = field(default_factory=list)
    awaited: bool = False

    def leave(self, query: Thenable) -> None:
        """A query that is awaited in an asynchronous callback: its turn comes when the callback is over."""
        self.waiting.append(Later(lambda: Settled(query.execute())))


_CURRENT: ContextVar[Callbacks | None] = ContextVar("callbacks", default=None)


def current_callbacks() -> Callbacks | None:
    """The callbacks that run now, or None outside of them."""
    return _CURRENT.get()


@contextmanager
def running_callbacks() -> Iterator[Callbacks]:
    callbacks = Callbacks()
    token = _CURRENT.set(callbacks)
    try:
        yield callbacks
    finally:
        _CURRENT.reset(token)


def run_waiting(callbacks: Callbacks) -> None:
    """What was left for later. Nobody awaits it, so nobody hears of its errors."""
    for later in callbacks.waiting:
        try:
            later.execute()
        except ThrownError:
            continue
