"""`remediate prove` and what `--prove` adds to plan and apply, as a user has them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli.running import one_line, run
from cli.workspaces import ACCOUNTS, PLATFORM, Repository, raw, repository, service, typescript, write
from contracts.test_contracts import validator

UNREPAIRABLE = {"remediate.toml": "[workspace]\npostgres = 18\n"}
"""The version that the tests have for certain."""
CLEAN = service("alone", {"001_nothing.ts": "export async function up() {}\nexport async function down() {}\n"})


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("platform"), {**PLATFORM, **UNREPAIRABLE})


@pytest.fixture(scope="module")
def document(platform: Path) -> Any:
    result = run("prove", platform, "--unsafe", "--rewrite", "--format", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_json_is_what_the_contract_says(document: Any) -> None:
    errors = [f"{error.json_path}: {error.message}" for error in validator("proof").iter_errors(document)]
    assert not errors


def test_it_names_the_files_that_it_proved(document: Any, platform: Path) -> None:
    plan = json.loads(run("plan", platform, "--unsafe", "--rewrite", "--format", "json").out)
    (database,) = document["databases"]
    assert [change["path"] for change in database["changes"]] == [change["path"] for change in plan["changes"]]
    assert {change["verdict"] for change in database["changes"]} == {"proven"}


def test_two_runs_differ_in_nothing_but_the_times(document: Any, platform: Path) -> None:
    again = json.loads(run("prove", platform, "--unsafe", "--rewrite", "--format", "json").out)
    assert again.pop("times")
    assert again == {name: value for name, value in document.items() if name != "times"}


def test_the_text_sums_up_in_its_last_line(platform: Path) -> None:
    result = run("prove", platform)
    assert result.code == 0
    pattern = (
        r"2 changes on PostgreSQL 18\.\d+: 2 proven; of the attempts on their tables \d+ leaked before and 0 leak now\."
    )
    assert re.fullmatch(pattern, result.last), result.out


def test_another_major_version_is_said(tmp_path: Path) -> None:
    write(tmp_path, {**PLATFORM, "remediate.toml": "[workspace]\npostgres = 14\n"})
    said = run("prove", tmp_path, "--service", "accounts").last
    assert "PostgreSQL 14" in said or "only (production runs 14)" in said


def test_markdown_is_a_certificate(platform: Path, tmp_path: Path) -> None:
    result = run("prove", platform, "--format", "markdown", "--output", tmp_path / "proof.md")
    assert (result.code, result.out) == (0, "")
    text = (tmp_path / "proof.md").read_text()
    assert text.startswith("# What was proven of these changes\n")
    assert "### proven: `services/orders/migrations/003_repair_tenant_isolation.ts`" in text
    assert "| two tenants are kept apart, and each reaches its own rows as before | yes |" in text
    assert re.search(r"^\| `public.payments` \| [1-9]\d* → 0 of \d+ \| [1-9]\d* → 0 of \d+ \|$", text, re.MULTILINE)


def test_nothing_to_prove_starts_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, CLEAN)
    monkeypatch.setattr("remediate.postgres.server.Server.start", lambda self: pytest.fail("a server was started"))
    result = run("prove", tmp_path)
    assert (result.code, result.last) == (0, "Nothing to prove: the plan has no changes.")


def test_only_what_was_asked_for_is_proven(platform: Path) -> None:
    result = run("prove", platform, "--service", "orders", "--rule", "rls-not-forced", "--format", "json")
    (database,) = json.loads(result.out)["databases"]
    assert [change["rules"] for change in database["changes"]] == [["rls-not-forced"]]
    assert database["services"] == ["accounts", "orders"], "the history is that of all services"


def test_plan_shows_it_beside_each_finding(platform: Path) -> None:
    text = run("plan", platform, "--prove").out
    assert re.search(r"→ safe, in services/orders/migrations/003_\S+; proven on PostgreSQL 18", text), text
    plan = json.loads(run("plan", platform, "--prove", "--format", "json").out)
    assert not list(validator("plan").iter_errors(plan))
    proven = {finding["rule"]: finding["proof"] for finding in plan["findings"] if finding["fix"]["changes"]}
    assert proven == {"missing-rls": "proven", "rls-not-forced": "proven"}
    assert {finding["proof"] for finding in plan["findings"] if not finding["fix"]["changes"]} == {None}
    assert {change["proof"]["verdict"] for change in plan["changes"]} == {"proven"}


def test_commits_carry_the_proof(tmp_path: Path) -> None:
    repo: Repository = repository(tmp_path / "repository", {**PLATFORM, **UNREPAIRABLE})
    assert run("apply", repo.root, "--branch", "repair", "--prove").code == 0
    trailers = repo("log", "--format=%(trailers:key=Remediate-Proof,valueonly)", "main..repair").split("\n")
    said = [line for line in trailers if line]
    assert len(said) == 2
    assert all(
        re.fullmatch(r"proven on PostgreSQL 18\.\d+: up, down and up again; \d+ leaks before, 0 after", line)
        for line in said
    )


def test_what_fails_is_not_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = repository(tmp_path / "repository", {**PLATFORM, **UNREPAIRABLE})
    before = repo.state()
    monkeypatch.setattr("remediate.prove.change.lost", lambda *_: ["something is gone"])
    said = one_line(run("apply", repo.root, "--branch", "repair", "--prove"))
    assert "services/orders/migrations/003_repair_tenant_isolation.ts: the proof failed" in said
    assert repo.state() == before
    assert repo("branch", "--list", "repair") == ""


def test_a_failure_is_exit_code_1_and_names_the_check(platform: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediate.prove.change.lost", lambda *_: ["something is gone"])
    result = run("prove", platform, "--service", "accounts")
    assert result.code == 1
    assert "x rows: not so: no row and no value of any other column was lost" in result.out
    assert "- after up, something is gone" in result.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prove", "--create-roles"], "--create-roles: goes with --database-url; leave it out"),
        (["plan", "--prove", "--assume", "fresh"], "--prove: does not go with --assume fresh"),
        (["prove", "--database-url", "postgresql://u:secret@[::"], "--database-url: is no address of a database"),
        (["prove", "--database-url", "postgresql://u:secret@127.0.0.1:1/d"], "cannot connect"),
        (["prove", "--database-url", "env:NO_SUCH"], "--database-url: the variable NO_SUCH is not set"),
    ],
)
def test_wrong_input_is_one_line_without_the_password(arguments: list[str], said: str, platform: Path) -> None:
    line = one_line(run(*arguments, platform))
    assert said in line
    assert "secret" not in line


def test_a_service_alone_says_what_it_lacks(tmp_path: Path) -> None:
    migrations = dict(ACCOUNTS)
    migrations["20240102000000_more.ts"] = typescript(raw("ALTER TABLE parcels ADD COLUMN note text"))
    write(tmp_path, {**service("accounts", migrations, folder=""), **UNREPAIRABLE})
    result = run("prove", tmp_path, "--unsafe")
    assert result.code == 0, result.out
    assert "table public.parcels, for migrations/20240102000000_more.ts:4" in result.out
    result = run("prove", tmp_path, "--unsafe", "--no-stubs")
    assert result.code == 0, result.out
    assert "no migration here makes parcels: what refers to that had no effect, as in the plan" in result.out
    assert "1 change on PostgreSQL 18" in result.last
