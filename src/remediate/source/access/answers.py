"""Answers to questions that lead from function to function. A doubt is a clause; None is no doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

# So deep, and in so many steps for all tables together, questions are followed.
_DEEPEST = 40
_MOST_STEPS = 100_000


@dataclass(slots=True)
class Answers:
    """Remembers every answer, so that each question is gone into once."""

    _known: dict[tuple[object, ...], str | None] = field(default_factory=dict)
    _open: dict[tuple[object, ...], int] = field(default_factory=dict)
    _rests_on: int = 0
    _steps: int = 0

    def remember(self, memo: tuple[object, ...], answer: Callable[[], str | None]) -> str | None:
        """An answer that is worked out once.

        Where a question leads back to itself, it proves nothing against itself. An answer that rests on another one
        that is still open is not kept: that one may yet become a doubt.
        """
        if memo in self._known:
            return self._known[memo]
        if memo in self._open:
            self._rests_on = min(self._rests_on, self._open[memo])
            return None
        self._steps += 1
        level = len(self._open)
        if level > _DEEPEST or self._steps > _MOST_STEPS:
            return "it comes from farther away than is followed"
        outer, self._rests_on = self._rests_on, level
        self._open[memo] = level
        try:
            found = answer()
        finally:
            del self._open[memo]
        if found is not None or self._rests_on >= level:
            self._known[memo] = found
        self._rests_on = min(outer, self._rests_on) if self._rests_on < level else outer
        return found


def first(doubts: Iterable[str | None]) -> str | None:
    """The first doubt of several: one is enough, and what follows it is not asked."""
    return next((doubt for doubt in doubts if doubt is not None), None)
