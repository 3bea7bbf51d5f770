"""Where something stands in a file of the workspace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A span of one file.

    `file` is a POSIX path relative to the workspace. `line` and `column` count from 1, columns in characters (as
    editors show them); what is in no file has the line 0. `start` and `end` are byte offsets into the file as it is
    stored (end exclusive), for edits.
    """

    file: str
    line: int = 1
    column: int = 1
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Unresolved:
    """A place that could not be read or understood, and why: never dropped, counted in every report."""

    service: str
    place: Place
    reason: str
