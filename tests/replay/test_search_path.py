"""The search path of a knexfile decides where unqualified names are made and found; real Knex is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.config.load import load
from remediate.evaluate.evaluate import Evaluator
from remediate.pipeline import read, replay_all
from remediate.postgres.engine import replay_on_server
from remediate.postgres.introspect import introspect
from remediate.postgres.server import Server
from remediate.replay.catalog import Assumption, Replayed
from remediate.source.model import Workspace
from remediate.source.tree import WorkingTree
from support.database import Database
from support.knex import KnexRunner

PATH = ("app", "public")
MIGRATION = """
exports.up = async (knex) => {
  await knex.raw('CREATE SCHEMA IF NOT EXISTS app');
  await knex.schema.createTable('notes', (table) => {
    table.increments('id');
    table.text('body');
  });
  if (!(await knex.schema.hasTable('notes'))) throw new Error('asked another schema');
  await knex.raw('CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$');
  await knex.raw('ALTER TABLE notes ADD COLUMN number int DEFAULT one()');
  await knex.raw('SET search_path = public');
  await knex.schema.createTable('elsewhere', (table) => table.integer('id'));
};
exports.down = async () => {};
"""
SECOND = """
exports.up = (knex) => knex.schema.alterTable('notes', (table) => table.index(['body']));
exports.down = async () => {};
"""


def workspace(folder: Path, option: str, first: str = MIGRATION) -> Path:
    (folder / "migrations").mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "notes"}')
    (folder / "knexfile.js").write_text(f"module.exports = {{\n  client: 'pg',\n  {option}\n}};\n")
    (folder / "migrations" / "001_notes.js").write_text(first)
    (folder / "migrations" / "002_index.js").write_text(SECOND)
    return folder


def replayed(folder: Path, assume: Assumption = "applied") -> tuple[Workspace, Replayed]:
    tree = WorkingTree(folder)
    config = load(tree)
    found = read(tree, config)
    (result,) = replay_all(found, tree, config, assume)
    return found, result


@pytest.mark.parametrize("assume", ["applied", "fresh"])
def test_both_engines_and_knex_agree(
    assume: Assumption, postgres: Server, database: Database, knex_runner: KnexRunner, tmp_path: Path
) -> None:
    folder = workspace(tmp_path / "notes", "searchPath: ['app', 'public'],")
    # Files of their own transactions: the connection keeps what the first has set, in a pool of one as in a service.
    found, static = replayed(folder, assume)
    real = replay_on_server(postgres, found.services, Evaluator(WorkingTree(folder)), assume=assume)
    assert not found.unresolved
    assert not static.unresolved
    assert static.catalog.tables.keys() == real.catalog.tables.keys()
    command = knex_runner.apply if assume == "applied" else knex_runner.latest
    run = command(database, folder, search_path=PATH)
    with database.connect() as connection:
        catalog = introspect(connection)
    own = {name for name in catalog.tables if name.name.startswith("knex_")}
    assert set(static.catalog.tables) == set(catalog.tables) - own
    assert {outcome.code for outcome in static.outcomes if outcome.code} == ({run.code} if run.error else set())


def test_a_schema_that_no_migration_makes_is_taken_to_be_there(tmp_path: Path) -> None:
    first = MIGRATION.replace("  await knex.raw('CREATE SCHEMA IF NOT EXISTS app');\n", "")
    folder = workspace(tmp_path, "searchPath: process.env.NOTES_SCHEMA || 'app',", first)
    _, static = replayed(folder)
    assert {str(name) for name in static.catalog.tables} == {"app.notes", "public.elsewhere"}
    (assumed,) = static.assumptions
    assert str(assumed.place) == "knexfile.js:3"
    assert assumed.reason == "schema app is named here, and no migration makes it: it is taken to be there"
    (folder / "remediate.toml").write_text('[workspace.environment]\nNOTES_SCHEMA = "other"\n')
    _, static = replayed(folder)
    assert {str(name) for name in static.catalog.tables} == {"other.notes", "public.elsewhere"}


def test_on_a_fresh_database_it_is_missing(tmp_path: Path, database: Database, knex_runner: KnexRunner) -> None:
    first = MIGRATION.replace("  await knex.raw('CREATE SCHEMA IF NOT EXISTS app');\n", "")
    folder = workspace(tmp_path, "searchPath: ['app'],", first)
    _, static = replayed(folder, "fresh")
    run = knex_runner.latest(database, folder, search_path=["app"])
    assert run.code == "3F000"
    assert [outcome.code for outcome in static.outcomes] == ["3F000"]


@pytest.mark.parametrize(
    "option",
    [
        "searchPath: choose(),",
        "searchPath: [process.env.SCHEMA, 'public'],",
        "pool: { afterCreate: (conn, done) => conn.query(`SET search_path TO ${schema}, public`, done) },",
    ],
)
def test_a_path_that_is_not_known_is_said_to_be_unread(option: str, tmp_path: Path) -> None:
    found, static = replayed(workspace(tmp_path, option))
    (unresolved,) = found.unresolved
    assert str(unresolved.place) == "knexfile.js:3"
    assert unresolved.reason.startswith("searchPath ")
    assert "in the knexfile is not followed" in unresolved.reason
    assert {name.schema for name in static.catalog.tables} == {"public"}


@pytest.mark.parametrize(
    "sql",
    [
        "'SET search_path TO app,public'",
        "'set session search_path = \"app\", public;'",
        '"SET search_path TO APP"',
        "`SET search_path TO app`",
    ],
)
def test_what_a_new_connection_sends_counts(sql: str, tmp_path: Path) -> None:
    option = f"searchPath: ['other'], pool: {{ afterCreate: (conn, done) => conn.query({sql}, done) }},"
    found, static = replayed(workspace(tmp_path, option))
    assert not found.unresolved
    assert {str(name) for name in static.catalog.tables} == {"app.notes", "public.elsewhere"}
