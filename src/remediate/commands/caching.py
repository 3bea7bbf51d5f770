"""The cache of a command, unless it wants none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from remediate.cache.folder import UnusableError, cache_folder
from remediate.cache.store import Cache


@contextmanager
def opened_cache(no_cache: bool) -> Iterator[Cache | None]:
    """The user's cache, None with --no-cache. Where it cannot be used, one line on standard error says so.

    It says so at the end, and not where the command fails: then there is one line already, and that is what matters.
    """
    if no_cache:
        yield None
        return
    try:
        cache = Cache(cache_folder())
    except UnusableError as error:
        yield None
        _tell(str(error))
        return
    try:
        yield cache
    finally:
        cache.close()
    if cache.problem is not None:
        _tell(f"{cache.problem} ({cache.folder})")


def _tell(reason: str) -> None:
    print(f"remediate: the cache was not used: {reason}; --no-cache does without it", file=sys.stderr)
