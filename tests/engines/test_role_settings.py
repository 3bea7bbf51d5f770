"""What a history sets for a role in all databases belongs to the server, and would reach into the next history."""

from __future__ import annotations

from pathlib import Path

from remediate.evaluate.evaluate import Evaluator
from remediate.postgres.engine import replay_on_server
from remediate.postgres.server import Server
from remediate.source.model import MigrationSource, Service
from remediate.source.tree import WorkingTree
from support.database import Database

SETS = """
exports.up = async (knex) => {
  await knex.raw("ALTER ROLE postgres SET search_path = elsewhere, public");
  await knex.raw("ALTER ROLE ALL SET app.tenant_id = 'everybody'");
};
"""
MAKES = "exports.up = (knex) => knex.schema.createTable('notes', (table) => table.increments('id'));"


def test_no_setting_of_a_role_outlives_its_history(postgres: Server, database: Database, tmp_path: Path) -> None:
    def catalog_of(*texts: str) -> set[str]:
        sources = [
            MigrationSource("shop", f"migrations/{number}.js", "migrations", f"{number}.js", text.encode())
            for number, text in enumerate(texts)
        ]
        service = Service("shop", ".", ("migrations",), tuple(sources), "shop")
        replayed = replay_on_server(postgres, [service], Evaluator(WorkingTree(tmp_path)), assume="applied")
        assert not replayed.unresolved
        return {str(name) for name in replayed.catalog.tables}

    assert catalog_of("exports.up = (knex) => knex.raw('CREATE SCHEMA elsewhere');", SETS, MAKES) == {"public.notes"}
    assert database.value("SHOW search_path") == '"$user", public'
    assert database.value("SELECT current_setting('app.tenant_id', true)") is None
