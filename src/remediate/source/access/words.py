"""The words by which a file is known to hold a name, without looking into it."""

from __future__ import annotations

import re


def words_of(name: str) -> frozenset[str]:
    """The words of `CodeFile.words` that a file has to have to hold a name."""
    return frozenset(re.findall(r"[a-z0-9_]+", name.lower()))
