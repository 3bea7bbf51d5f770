"""Roles that no migration makes were made by somebody else, where the history was applied."""

from __future__ import annotations

import pytest

from remediate.evaluate.evaluate import Evaluator
from remediate.replay.catalog import Assumption, Replayed
from remediate.replay.replay import replay
from remediate.source.model import MigrationSource, Service
from remediate.source.tree import WorkingTree

TABLE = "CREATE TABLE notes (id int); ALTER TABLE notes ENABLE ROW LEVEL SECURITY"


def replayed(tmp_path, *strings: str, assume: Assumption = "applied") -> Replayed:
    body = "\n".join(f"  await knex.raw(`{string}`);" for string in strings)
    text = f"exports.up = async (knex) => {{\n{body}\n}};\n"
    source = MigrationSource("shop", "migrations/1.js", "migrations", "1.js", text.encode())
    service = Service("shop", ".", ("migrations",), (source,), "shop")
    return replay([service], Evaluator(WorkingTree(tmp_path)), assume=assume)


def test_what_is_for_such_a_role_holds_and_that_is_said(tmp_path):
    found = replayed(
        tmp_path,
        TABLE,
        "CREATE POLICY mine ON notes TO app_user USING (true)",
        "GRANT SELECT ON notes TO app_user",
        "ALTER TABLE notes OWNER TO app_owner",
    )
    assert [policy.roles for policy in found.catalog.policies.values()] == [("app_user",)]
    assert {"app_user", "app_owner"} <= found.catalog.roles.keys()
    assert not found.refusals
    assert [(str(one.place), one.reason) for one in found.assumptions] == [
        ("migrations/1.js:3", "role app_user is named here, and no migration makes it: it is taken to be there"),
        ("migrations/1.js:5", "role app_owner is named here, and no migration makes it: it is taken to be there"),
    ]
    assert found.statements == {"migrations/1.js": 5}


@pytest.mark.parametrize(
    "strings",
    [
        pytest.param(["GRANT SELECT ON notes TO app_user", "CREATE ROLE app_user"], id="made too late"),
        pytest.param(["CREATE ROLE app_user", "GRANT SELECT ON notes TO app_usr"], id="misspelt"),
        pytest.param(["DROP ROLE app_user"], id="dropped"),
        pytest.param(["ALTER ROLE app_user BYPASSRLS"], id="altered"),
        pytest.param(["GRANT SELECT ON nothing TO app_user"], id="refused for something else"),
    ],
)
def test_a_real_fault_stays_one(tmp_path, strings):
    found = replayed(tmp_path, TABLE, *strings)
    assert len(found.refusals) == 1
    assert not found.assumptions


ASKS = "const { rows } = await knex.raw(`SELECT 1 FROM pg_roles WHERE rolname = 'app_user'`);\n" + (
    "if (rows.length) await knex.raw(`CREATE POLICY mine ON notes TO app_user USING (true)`);"
)


def replayed_files(tmp_path, *bodies: str) -> Replayed:
    sources = tuple(
        MigrationSource(
            "shop",
            f"migrations/{number}.js",
            "migrations",
            f"{number}.js",
            f"exports.up = async (knex) => {{\n{body}\n}};\nexports.down = async (knex) => {{\n{down}\n}};\n".encode(),
        )
        for number, (body, _, down) in enumerate((body.partition("=== down") for body in bodies), 1)
    )
    service = Service("shop", ".", ("migrations",), sources, "shop")
    return replay([service], Evaluator(WorkingTree(tmp_path)))


@pytest.mark.parametrize(
    ("second", "there"),
    [
        ("await knex.raw(`GRANT SELECT ON notes TO app_user`);", True),
        ("await knex.raw(`SELECT 1`);", False),
        ("await knex.raw(`SELECT 1`);=== down\nawait knex.raw(`GRANT SELECT ON notes TO app_user`);", False),
        (ASKS.replace("mine", "other"), False),
        ("await knex.raw(`CREATE ROLE app_user`); await knex.raw(`GRANT SELECT ON notes TO app_user`);", False),
    ],
    ids=["named without asking", "not named", "named in down", "asked for again", "made"],
)
def test_a_role_that_is_asked_for_was_there_if_another_names_it_without_asking(tmp_path, second, there):
    found = replayed_files(tmp_path, f"await knex.raw(`{TABLE}`);\n{ASKS}", second)
    assert [policy.name for policy in found.catalog.policies.values()] == (["mine"] if there else [])


def test_on_a_fresh_database_nothing_is_taken_to_be_there(tmp_path):
    found = replayed(tmp_path, TABLE, "GRANT SELECT ON notes TO app_user", assume="fresh")
    assert [refusal.code for refusal in found.refusals] == ["42704"]
