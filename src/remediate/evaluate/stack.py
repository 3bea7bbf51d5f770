"""Room for recursion: the depth of a program is bounded by us, not by Python's default of a thousand frames."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

MOST_NESTED = 2_000
"""How deeply syntax may be nested. Code of people stays under 60; a chain of 500 calls reaches 1,000."""

MOST_LEVELS = 8_000
"""How many levels of syntax may be under evaluation at once, summed over the functions that are being called."""

_FRAMES = 60_000
"""Frames for that: at most 5 a level."""

_STACK = 256 * 1024 * 1024
"""Bytes of C stack for that many frames, where each comes through C (a join over a generator, a sort). Only reserved:
pages that are never reached take no memory."""

_Result = TypeVar("_Result")
_deep = threading.local()
_lock = threading.Lock()
_running = 0
_usual_limit = 0


def run_deep(function: Callable[[], _Result]) -> _Result:
    """Calls a function where it may recurse deeply, and gives or raises what it does.

    It runs in a thread of its own with a large stack: Python's limit alone would let the C stack of the caller's
    thread overflow, which ends the process. Calls within such a call cost nothing. Context variables go along.
    """
    if getattr(_deep, "active", False):
        return function()
    results: list[_Result] = []
    failures: list[BaseException] = []

    def work() -> None:
        _deep.active = True
        try:
            results.append(function())
        except BaseException as failure:
            failures.append(failure)

    context = copy_context()
    thread = _start(lambda: context.run(work))
    try:
        thread.join()
    finally:
        _finish()
    if failures:
        raise failures[0]
    return results[0]


def _start(work: Callable[[], None]) -> threading.Thread:
    """The limit on recursion is the interpreter's, so it is raised while any such thread runs."""
    global _running, _usual_limit
    with _lock:
        if _running == 0:
            _usual_limit = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_usual_limit, _FRAMES))
        _running += 1
        usual_size = threading.stack_size(_STACK)
        try:
            thread = threading.Thread(target=work, name="evaluate", daemon=True)
            thread.start()
        finally:
            threading.stack_size(usual_size)
    return thread


def _finish() -> None:
    global _running
    with _lock:
        _running -= 1
        if _running == 0:
            sys.setrecursionlimit(_usual_limit)
