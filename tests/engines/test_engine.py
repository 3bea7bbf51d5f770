"""What the PostgreSQL engine promises beside agreeing: nothing stays, what is lacking is told, errors are one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.running import run
from engines.both import MIGRATIONS, migration, replay_both, write
from remediate.errors import RemediateError
from remediate.postgres import binaries
from remediate.postgres.rows import to_javascript
from remediate.postgres.server import Server
from remediate.replay.catalog import QName
from support.database import Database

TABLE = {"001_idiom.ts": migration("await knex.raw('CREATE TABLE t (a int)');")}


def test_nothing_stays_on_the_server(postgres: Server, tmp_path: Path) -> None:
    maintenance = Database(postgres.endpoint, "postgres")
    state = "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles ORDER BY 1"
    before = maintenance.run(state)
    body = "await knex.raw('CREATE ROLE stays; CREATE TABLE t (a int); ALTER TABLE t OWNER TO stays');"
    ((_, real),) = replay_both(write(tmp_path, {"001_idiom.ts": migration(body)}), postgres, "applied")
    assert "stays" in real.catalog.roles
    assert maintenance.run(state) == before


def test_an_extension_that_is_lacking_is_told(postgres: Server, tmp_path: Path) -> None:
    body = """await knex.raw('CREATE EXTENSION IF NOT EXISTS postgis');
    await knex.raw('CREATE TABLE t (a int)');"""
    ((_, real),) = replay_both(write(tmp_path, {"001_idiom.ts": migration(body)}), postgres, "fresh")
    assert [one.reason for one in real.unresolved] == [
        "the extension postgis is not installed here: an empty one stands in for it"
    ]
    assert QName("public", "t") in real.catalog.tables


def test_what_reaches_out_of_the_database_is_not_run(postgres: Server, tmp_path: Path) -> None:
    target = tmp_path / "written"
    body = f"await knex.raw(\"COPY (SELECT 1) TO PROGRAM 'touch {target}'\");"
    ((_, real),) = replay_both(write(tmp_path, {"001_idiom.ts": migration(body)}), postgres, "applied")
    assert "reaches out" in real.unresolved[0].reason
    assert not target.exists()


def test_both_engines_write_the_same_document(tmp_path: Path) -> None:
    root = write(tmp_path, TABLE)
    static, real = (
        json.loads(run("catalog", root, "--format", "json", "--engine", engine).out)
        for engine in ("static", "postgres")
    )
    assert static == real
    assert real["tables"][0]["file"] == f"{MIGRATIONS}/001_idiom.ts"


def test_the_comparison(tmp_path: Path) -> None:
    result = run("catalog", write(tmp_path, TABLE), "--compare")
    assert result.code == 0
    assert "policy            n = 0\n" in result.out
    assert "0 differences in " in result.out


def test_without_binaries_it_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda name: None)
    result = run("catalog", write(tmp_path, TABLE), "--engine", "postgres")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "knex-remediate[prove]" in result.err
    with pytest.raises(RemediateError):
        Server().start()


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("t", 16, True),
        ("9007199254740993", 20, "9007199254740993"),
        ("1.50", 1700, "1.50"),
        ("1.5", 701, 1.5),
        ('{"a": [1]}', 3802, {"a": [1]}),
        ('{a,"b c",NULL}', 1009, ["a", "b c", None]),
        ("{{1,2},{3,4}}", 1007, [[1, 2], [3, 4]]),
        ("{a,b}", 1003, "{a,b}"),
        ("{}", 1009, []),
        (None, 25, None),
    ],
)
def test_values_are_those_of_node_postgres(text: str | None, kind: int, value: object) -> None:
    assert to_javascript(text, kind) == value
