"""The committed list of what PostgreSQL brings is that of the embedded server."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from support.database import Database

_SCRIPT = Path(__file__).with_name("generate_builtins.py")


def test_the_committed_list_is_what_the_server_has(database: Database) -> None:
    spec = importlib.util.spec_from_file_location("generate_builtins", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with database.connect() as connection:
        assert module.TARGET.read_text(encoding="utf-8") == module.generate(connection)
