"""Writing to the terminal: colours where they are wanted, progress where it takes long."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

    from remediate.report.text import Line

PATIENCE = 1.0
"""Seconds of work before progress is shown."""


def wants_color(no_color: bool) -> bool:
    """Colours only on a terminal, and never with --no-color, NO_COLOR (any value that is not empty) or TERM=dumb."""
    return not no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def print_lines(lines: Iterable[Line], *, color: bool) -> None:
    """Prints lines of segments to standard output. Without colours nothing of rich is loaded."""
    if not color:
        for line in lines:
            sys.stdout.write("".join(segment.text for segment in line).rstrip() + "\n")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((segment.text, segment.style) for segment in line)))


class Progress:
    """Says what is going on, on standard error, once the work has taken longer than `PATIENCE`; only on a terminal."""

    def __init__(self) -> None:
        self._what = "Reading"
        self._status: Status | None = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        if sys.stderr.isatty():
            self._timer = threading.Timer(PATIENCE, self._show)
            self._timer.daemon = True
            self._timer.start()

    def step(self, what: str) -> None:
        """Call it before each piece of work; it costs nothing where nothing is shown."""
        with self._lock:
            self._what = what
            if self._status is not None:
                self._status.update(what)

    def _show(self) -> None:
        from rich.console import Console

        with self._lock:
            if self._timer is not None:
                self._status = Console(stderr=True).status(self._what)
                self._status.start()

    def stop(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._status is not None:
                self._status.stop()
                self._status = None


@contextmanager
def progress() -> Iterator[Progress]:
    """Progress that is gone again however the work ends."""
    shown = Progress()
    try:
        yield shown
    finally:
        shown.stop()
