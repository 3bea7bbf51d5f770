"""Room for recursion: the depth of a program is bounded by us, not by Python's default of a thousand frames."""

from __future__ import annotations

import sys

MOST_NESTED = 2_000
"""How deeply syntax may be nested. Code of people stays under 60; a chain of 500 calls reaches 1,000."""

MOST_LEVELS = 8_000
"""How many levels of syntax may be under evaluation at once, summed over the functions that are being called."""

_FRAMES = 60_000
"""Frames for that: at most 5 a level. Calls from Python to Python take no room on the C stack since 3.11."""


def make_room() -> None:
    """Lets Python recurse as deeply as the bounds above allow. Never lowered again: others may rely on it by then."""
    if sys.getrecursionlimit() < _FRAMES:
        sys.setrecursionlimit(_FRAMES)
