"""What PostgreSQL refuses, raised where it would."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from remediate.replay.catalog import QName


class Refused(Exception):
    """PostgreSQL's answer to a statement that it does not take: SQLSTATE, message, the nearest name that exists.

    `subjects` are the relations that the statement is about.
    """

    def __init__(self, code: str, message: str, *, nearest: str | None = None, subjects: Iterable[QName] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.nearest = nearest
        self.subjects = tuple(subjects)


def nearest_name(name: str, existing: Iterable[str]) -> str | None:
    """The existing name that is most like the missing one, None when none is like it."""
    found = difflib.get_close_matches(name, sorted(set(existing)), n=1, cutoff=0.6)
    return found[0] if found else None
