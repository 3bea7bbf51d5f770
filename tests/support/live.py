"""Running `audit` and `plan` on a database of the test's server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cli.running import Result, run
from support.database import Database


def address(database: Database, user: str = "postgres", **more: str | int) -> str:
    """How libpq is told where it is."""
    parts = {"host": database.endpoint.host, "port": database.endpoint.port, "dbname": database.name, "user": user}
    return " ".join(f"{name}='{value}'" for name, value in (parts | more).items())


def audit(path: Path, database: Database | str, *options: str, user: str = "postgres") -> Any:
    """The document of `remediate audit --format json`, of a run without error."""
    url = database if isinstance(database, str) else address(database, user)
    result = run("audit", path, "--database-url", url, "--format", "json", *options)
    assert result.code in (0, 1), result.err
    assert result.err == ""
    return json.loads(result.out)


def audit_text(path: Path, database: Database, *options: str, user: str = "postgres") -> Result:
    return run("audit", path, "--database-url", address(database, user), *options)


def check(document: Any, name: str) -> Any:
    """One check of a document."""
    return next(one for one in document["checks"] if one["id"] == name)


def subjects(document: Any, name: str) -> list[str]:
    return [item["subject"] for item in check(document, name)["items"]]
