"""benchmarks/agreement.py with a recorded catalog: what agrees, what is explained, and what makes it fail."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engines.both import migration, write

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "agreement.py"
BODY = """await knex.schema.createTable('orders', (t) => { t.increments('id'); t.uuid('tenant_id'); });
  await knex.raw(`ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (tenant_id = current_setting('app.tenant', true)::uuid)`);"""


def record() -> dict[str, Any]:
    columns = [["id", "integer", False, True], ["tenant_id", "uuid", True, False]]
    applied = {
        "tables": [["public", "orders", True, False, columns]],
        "policies": [["public", "orders", "own", "ALL", True, ["app.tenant"], False]],
        "constraints": [["public", "orders", "orders_pkey", "p"]],
        "indexes": [["public", "orders", "orders_pkey", True]],
        "functions": [],
        "triggers": [],
        "views": [],
    }
    return {"order": [], "applied": applied, "fresh": [["service", "001_idiom.ts", True, "", ""]]}


def compared(folder: Path, truth: dict[str, Any], body: str = BODY) -> tuple[int, str]:
    root = write(folder / "checkout", {"001_idiom.ts": migration(body)})
    file = folder / "truth.json.gz"
    file.write_bytes(gzip.compress(json.dumps(truth).encode()))
    done = subprocess.run([sys.executable, SCRIPT, root, "--truth", file], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_what_agrees(tmp_path: Path) -> None:
    code, out = compared(tmp_path, record())
    assert code == 0
    assert "policy            1 of 1 the same (100.00%)" in out
    assert "function          n = 0" in out
    assert out.count(" differences in ") == 2


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("column", lambda applied: applied["tables"][0][4].append(["name", "text", True, False])),
        ("type of column", lambda applied: applied["tables"][0][4][1].__setitem__(1, "text")),
        ("rls flags", lambda applied: applied["tables"][0].__setitem__(3, True)),
        ("policy", lambda applied: applied["policies"][0].__setitem__(3, "SELECT")),
        ("index", lambda applied: applied["indexes"].append(["public", "orders", "by_tenant", False])),
        ("view", lambda applied: applied["views"].append(["public", "overview", False])),
    ],
)
def test_what_nothing_explains_fails(kind: str, change: Any, tmp_path: Path) -> None:
    truth = record()
    change(truth["applied"])
    code, out = compared(tmp_path, truth)
    assert code == 1
    line = next(line for line in out.splitlines() if line.startswith(f"  {kind} "))
    assert "(100.00%)" not in line


def test_how_the_run_ended_is_compared(tmp_path: Path) -> None:
    truth = record()
    truth["fresh"] = [["service", "001_idiom.ts", False, "42P01", 'relation "x" does not exist']]
    code, out = compared(tmp_path, truth)
    assert code == 1
    assert "'42P01'" in out


def test_a_place_that_names_the_object_explains_it(tmp_path: Path) -> None:
    truth = record()
    truth["applied"]["tables"].append(["queue", "jobs", False, False, []])
    body = BODY + "\n  await require('some-queue').start(knex, { schema: 'queue' });"
    code, out = compared(tmp_path, truth, body)
    assert code == 0
    assert "not read: service/migrations/001_idiom.ts:" in out
