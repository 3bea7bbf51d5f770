"""The files run by real Knex beside our interpreter: the same strings, the same schema, or the proof fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cli.running import run
from cli.workspaces import PLATFORM, javascript, protect, raw, service, write
from prove.workshop import Workshop, failed, only_change, remarks, told
from remediate.postgres.server import Server
from remediate.prove.knex import KnexTool, is_control
from support.node import Node

PLAIN = service(
    "plain",
    {
        "001_plain.js": javascript(
            "\n".join(
                map(
                    raw,
                    (
                        "CREATE TABLE tenants (id uuid PRIMARY KEY)",
                        "CREATE TABLE a (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants)",
                        "CREATE TABLE b (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants)",
                        protect("a"),
                    ),
                )
            )
        )
    },
)


@pytest.fixture(scope="session")
def knex_tool(node: Node) -> KnexTool:
    return KnexTool(node.binary, node.project)


def test_knex_and_the_interpreter_agree(tmp_path: Path, postgres: Server, knex_tool: KnexTool) -> None:
    workshop = Workshop.of(tmp_path, PLATFORM, unsafe=True)
    proofs = workshop.prove(postgres, knex=knex_tool)
    assert proofs.runner == "knex"
    for proof in proofs.changes:
        assert proof.verdict == "proven", told(proof)
        assert proof.check("queries") is not None
    assert any("missing-tenant-column" in proof.change.rules for proof in proofs.changes), "a file with bindings"


def test_plain_javascript(tmp_path: Path, postgres: Server, knex_tool: KnexTool) -> None:
    proof = only_change(Workshop.of(tmp_path, PLAIN, unsafe=True).prove(postgres, knex=knex_tool))
    assert proof.change.path.endswith(".js")
    assert proof.verdict == "proven", told(proof)


def test_what_only_knex_does_is_caught(tmp_path: Path, postgres: Server, knex_tool: KnexTool) -> None:
    """A file of which our interpreter reads something else than Node runs."""
    workshop = Workshop.of(tmp_path, PLATFORM)
    (change,) = [one for one in workshop.plan.changes if one.service == "accounts"]
    statement = "  await knex.raw(`ALTER TABLE public.invitations ENABLE ROW LEVEL SECURITY`);\n"
    assert statement in change.text
    alone = replace(workshop, plan=replace(workshop.plan, changes=(change,)))
    hidden = "  if (process.env.PATH) {\n  " + statement + "  }\n"
    broken = alone.tampered(statement, hidden.replace("ENABLE", "DISABLE") + statement)
    proof = only_change(broken.prove(postgres, knex=knex_tool))
    said = remarks(failed(proof)["queries"])
    assert "Knex sends in up 'ALTER TABLE public.invitations DISABLE ROW LEVEL SECURITY' instead" in said, told(proof)


def test_a_file_that_knex_cannot_run(tmp_path: Path, postgres: Server, knex_tool: KnexTool) -> None:
    workshop = Workshop.of(tmp_path, PLATFORM)
    (change,) = [one for one in workshop.plan.changes if one.service == "accounts"]
    nowhere = replace(change, text="import './nowhere';\n" + change.text)
    broken = replace(workshop, plan=replace(workshop.plan, changes=(nowhere,)))
    proof = only_change(broken.prove(postgres, knex=knex_tool))
    assert "Knex stops in up: Cannot find module" in remarks(failed(proof)["queries"]), told(proof)


def test_a_name_that_knex_would_not_take_next(tmp_path: Path, postgres: Server, knex_tool: KnexTool) -> None:
    """A file that sorts before what has run: `migrate:down` then takes another one back."""
    workshop = Workshop.of(tmp_path, PLATFORM)
    (change,) = [one for one in workshop.plan.changes if one.service == "accounts"]
    early = replace(change, path="services/accounts/migrations/00000000000000_early.ts")
    proof = only_change(
        replace(workshop, plan=replace(workshop.plan, changes=(early,))).prove(postgres, knex=knex_tool)
    )
    assert "queries" in failed(proof), told(proof)


def test_it_is_announced(tmp_path: Path, knex_tool: KnexTool, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {**PLATFORM, "remediate.toml": "[workspace]\npostgres = 18\n"})
    monkeypatch.setattr("remediate.prove.knex.find_tool", lambda: knex_tool)
    result = run("prove", tmp_path, "--runner", "knex", "--service", "accounts", "--format", "markdown")
    assert result.code == 0, result.out
    assert "The emitted files are run as code, by real Knex." in result.err
    assert "files run by real Knex" in result.out
    assert "| real Knex sends the same strings, and comes to the same schema, up, down and up | yes |" in result.out


@pytest.mark.parametrize(
    ("sql", "control"),
    [("BEGIN;", True), ("COMMIT;", True), ("SAVEPOINT trx2;", True), ("SELECT 1", False), ("begin", True)],
)
def test_what_knex_sends_by_itself(sql: str, control: bool) -> None:
    assert is_control(sql) == control
