"""How far an evaluation may go, and how it ends when it would go further."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.source.place import Place


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one evaluation of one file. Real migrations stay a hundred times below each."""

    steps: int = 1_000_000
    """Statements, calls and rounds of loops, and the elements that library functions go over."""
    calls: int = 200
    """Calls within calls."""
    text: int = 10_000_000
    """Characters of one string."""
    items: int = 1_000_000
    """Elements of one array."""
    statements: int = 50_000
    """SQL strings sent."""
    total_text: int = 100_000_000
    """Characters of all strings that were computed, and of all SQL that was sent: a bound on time and memory."""


class Stopped(Exception):
    """The evaluation ends here; the program cannot catch it. What was sent before counts."""

    def __init__(self, reason: str, place: Place) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place
