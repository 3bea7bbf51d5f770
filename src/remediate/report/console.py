"""Writing to the terminal: colours where they are wanted, progress where it takes long."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from remediate.report.lines import Line, plain

if TYPE_CHECKING:
    from rich.status import Status

PATIENCE = 1.0
"""Seconds of work before progress is shown."""


def wants_color(no_color: bool) -> bool:
    """Colours only on a terminal, and never with --no-color, NO_COLOR (any value that is not empty) or TERM=dumb."""
    return not no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def terminal_width() -> int | None:
    """The columns of the terminal that is written to; None where there is none, so that nothing is broken."""
    if not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def print_lines(lines: Iterable[Line], *, color: bool) -> None:
    """Prints lines of segments to standard output. Without colours nothing of rich is loaded."""
    if not color:
        with until_closed():
            for line in lines:
                sys.stdout.write(plain(line) + "\n")
            sys.stdout.flush()
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((segment.text, segment.style) for segment in line)))


@contextmanager
def until_closed() -> Iterator[None]:
    """Standard output may be closed before all is written: its reader has seen enough.

    That is no error, and no reason for another exit code; what is written afterwards vanishes.
    """
    try:
        yield
    except BrokenPipeError:
        # Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
