"""One idiom each, on the static engine and on a real PostgreSQL: the same catalogs, the same SQLSTATEs."""

from __future__ import annotations

import pytest

from replay.differential import differences, idioms
from support.database import Database

IDIOMS = idioms()


@pytest.mark.parametrize("name", IDIOMS)
def test_both_engines_agree(name: str, database: Database) -> None:
    assert differences(database, IDIOMS[name]) == []
