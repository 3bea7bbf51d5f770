"""`remediate audit --format json` against its contract, of a database that has something of everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from audit.conftest import EXAMPLE
from support.database import Database
from support.live import audit

SCHEMA = Path(__file__).parents[1] / "contracts" / "remediate.audit.1.schema.json"


def errors(document: Any) -> list[str]:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    found = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


@pytest.fixture
def document(ticketing: Database) -> Any:
    ticketing.run(
        "DROP POLICY orders_tenant_isolation ON orders; CREATE TABLE scratch (id int, tenant_id uuid, slug text);"
        "INSERT INTO scratch VALUES (1, NULL, 'a'); ALTER TABLE venues ALTER COLUMN name DROP NOT NULL;"
        "INSERT INTO scratch SELECT 1, '00000000-0000-0000-0000-000000000001', 'same' FROM generate_series(1, 2);"
        "DELETE FROM knex_migrations_ticket WHERE name LIKE '011%'; CREATE SCHEMA warehouse;"
        "INSERT INTO knex_migrations_venue (name, batch) VALUES ('999_gone.ts', 1);"
        "CREATE ROLE reporter LOGIN BYPASSRLS"
    )
    return audit(EXAMPLE, ticketing)


def test_it_keeps_to_the_contract(document: Any, tmp_path: Path, database: Database) -> None:
    assert errors(document) == []
    for part in ("services", "drift", "findings", "roles", "records", "checks"):
        assert document[part], part
    assert errors(audit(tmp_path, database)) == [], "so does that of an empty database"
    assert errors(document | {"compared": "yes"}), "the contract can be broken"


def test_every_place_is_in_a_file(document: Any) -> None:
    places = [(one["file"], one["line"]) for one in document["drift"] if one["file"]]
    places += [(place["file"], place["line"]) for one in document["findings"] for place in one["locations"]]
    places += [(item["file"], item["line"]) for check in document["checks"] for item in check["items"] if item["file"]]
    assert places
    for file, line in set(places):
        assert (EXAMPLE / file).read_text().splitlines()[line - 1]


def test_the_same_database_gives_the_same_document(document: Any, ticketing: Database) -> None:
    assert audit(EXAMPLE, ticketing) == document
