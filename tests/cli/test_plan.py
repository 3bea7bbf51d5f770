"""`remediate plan`: each format and option, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import EXAMPLE
from cli.running import command, environment, run
from cli.workspaces import ACCOUNTS, PLATFORM, Repository, contents, service, write

ESCAPE = "\x1b"
RULES = {
    "missing-rls",
    "rls-without-policy",
    "rls-not-forced",
    "missing-tenant-column",
    "duplicate-function",
}


def plan_of(*arguments: str | Path) -> Any:
    result = run("plan", *arguments, "--format", "json")
    assert result.code in (0, 1), result.err
    return json.loads(result.out)


def test_text_says_what_where_and_what_will_change(platform: Path) -> None:
    result = command("plan", platform)
    assert result.code == 1
    assert result.err == ""
    assert ESCAPE not in result.out
    first_screen = "\n".join(result.out.splitlines()[:24])
    assert first_screen.startswith("2 services, 3 migrations, one database.\n")
    for rule in RULES:
        assert f"\n  {rule} " in first_screen
    assert "public.payments  services/orders/migrations/001_create_orders.ts:5" in result.out
    assert "→ safe, in services/orders/migrations/003_repair_tenant_isolation.ts" in result.out
    assert "\n+++ b/services/orders/migrations/003_repair_tenant_isolation.ts\n" in result.out
    total = "7 findings (6 errors, 1 warning); 2 files to add; 3 more repaired with --unsafe; "
    assert result.last == total + "1 more repaired with --rewrite."
    assert total in first_screen


def test_the_process_and_main_do_the_same(platform: Path) -> None:
    """What lets the other tests of this folder run in this process."""
    for arguments in (["plan", platform], ["plan", platform, "--format", "json"], ["services", platform], ["rules"]):
        alone, here = command(*arguments), run(*arguments)
        assert alone == here


def test_the_same_input_gives_the_same_bytes(platform: Path, tmp_path: Path) -> None:
    """In another folder, with other hashes of strings, from within or without."""
    root = write(tmp_path / "elsewhere" / "platform", PLATFORM)
    for format in ("text", "json"):
        first = command("plan", platform, "--format", format, "--unsafe", env=environment(PYTHONHASHSEED="1"))
        second = command("plan", ".", "--format", format, "--unsafe", cwd=root, env=environment(PYTHONHASHSEED="2"))
        assert first == second


def test_the_current_folder_is_the_default(platform: Path) -> None:
    assert run("plan", cwd=platform) == run("plan", platform)


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 1), ("warning", 1), ("info", 1), ("unresolved", 1), ("never", 0)]
)
def test_fail_on_with_errors(platform: Path, fail_on: str, code: int) -> None:
    assert run("plan", platform, "--fail-on", fail_on).code == code


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 0), ("warning", 1), ("info", 1), ("unresolved", 0), ("never", 0)]
)
def test_fail_on_with_warnings_only(platform: Path, fail_on: str, code: int) -> None:
    assert run("plan", platform, "--rule", "duplicate-function", "--fail-on", fail_on).code == code


@pytest.mark.parametrize(("fail_on", "code"), [("info", 0), ("unresolved", 1), ("never", 0)])
def test_fail_on_with_an_unread_place_only(tmp_path: Path, fail_on: str, code: int) -> None:
    root = write(tmp_path, {**service("a", {"1_a.js": "exports.up = (knex) => knex.raw(process.env.SQL);\n"})})
    result = run("plan", root, "--fail-on", fail_on)
    assert result.code == code
    assert "1 place could not be read" in result.last


def test_nothing_to_report(tmp_path: Path) -> None:
    root = write(tmp_path, service("a", {"1_a.js": "exports.up = (knex) => knex.schema.createTable('a', () => {});\n"}))
    result = run("plan", root, "--fail-on", "info")
    assert (result.code, result.last) == (0, "No findings; nothing to change.")
    assert run("plan", root, "--format", "patch").out == ""
    assert run("plan", root, "--format", "sql").out == ""


def test_only_a_service(platform: Path) -> None:
    document = plan_of(platform, "--service", "accounts")
    assert {finding["service"] for finding in document["findings"]} == {"accounts"}
    assert {change["service"] for change in document["changes"]} == {"accounts"}
    both = plan_of(platform, "--service", "accounts", "--service", "orders")
    assert both == plan_of(platform)


def test_only_a_rule(platform: Path) -> None:
    document = plan_of(platform, "--rule", "rls-not-forced")
    assert {finding["rule"] for finding in document["findings"]} == {"rls-not-forced"}
    assert [change["rules"] for change in document["changes"]] == [["rls-not-forced"]]
    two = plan_of(platform, "--rule", "rls-not-forced", "--rule", "missing-rls")
    assert {finding["rule"] for finding in two["findings"]} == {"rls-not-forced", "missing-rls"}


def test_assume(tmp_path: Path) -> None:
    """On a fresh database a refused statement ends its migration; on record as applied, it had no effect."""
    broken = (
        "exports.up = async (knex) => {\n"
        "  await knex.raw('CREATE TABLE first (id int)');\n"
        "  await knex.raw('ALTER TABLE absent ADD a int');\n"
        "  await knex.raw('CREATE TABLE second (id int)');\n};\n"
    )
    write(tmp_path, service("a", {"1_a.js": broken}))
    names = {}
    for assume in ("applied", "fresh"):
        out = run("catalog", tmp_path, "--format", "json", "--assume", assume).out
        names[assume] = {table["name"] for table in json.loads(out)["tables"]}
        assert run("plan", tmp_path, "--assume", assume).code == 0
    assert names["applied"] >= {"first", "second"}
    assert "second" not in names["fresh"]


def test_unsafe_and_rewrite_write_more(platform: Path) -> None:
    written = {}
    for options in ((), ("--unsafe",), ("--unsafe", "--rewrite")):
        document = plan_of(platform, *options)
        written[options] = {one for change in document["changes"] for one in change["findings"]}
        for finding in document["findings"]:
            named = (finding["fix"]["withheld"] or "").split()
            assert not set(named) & set(options), "what was asked for is not withheld"
    assert len(written[()]) == 3
    assert written[()] < written["--unsafe",] < written["--unsafe", "--rewrite"]
    kinds = [change["kind"] for change in plan_of(platform, "--unsafe", "--rewrite")["changes"]]
    assert "rewrite" in kinds
    assert len(written["--unsafe", "--rewrite"]) == 7


def test_a_date_names_timestamped_files_only(platform: Path) -> None:
    paths = [change["path"] for change in plan_of(platform, "--date", "2031-12-24")["changes"]]
    assert paths == [
        "services/accounts/migrations/20311224000000_enable_row_level_security.ts",
        "services/orders/migrations/003_repair_tenant_isolation.ts",
    ]


def test_the_date_of_the_commit_names_files_otherwise(repo: Repository) -> None:
    assert plan_of(repo.root)["changes"][0]["path"].rpartition("/")[2].startswith("20250301")


def test_output_goes_into_a_file(platform: Path, tmp_path: Path) -> None:
    for format in ("text", "json", "patch", "sql"):
        target = tmp_path / f"plan.{format}"
        target.write_text("what was there before")
        result = run("plan", platform, "--format", format, "--output", target)
        assert (result.code, result.out, result.err) == (1, "", "")
        assert target.read_text() == run("plan", platform, "--format", format).out
    assert {path.name for path in tmp_path.iterdir()} == {"plan.text", "plan.json", "plan.patch", "plan.sql"}


def test_output_may_be_a_link_or_a_device(platform: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    assert run("plan", platform, "--format", "sql", "-o", tmp_path / "link").code == 1
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text().startswith("-- services/")
    assert run("plan", platform, "-o", "/dev/null").code == 1
    assert not Path("/dev/null").is_file()


def test_another_configuration(platform: Path, tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text('[rules.missing-rls]\nenabled = false\n[rules.duplicate-function]\nseverity = "info"\n')
    document = plan_of(platform, "--config", config)
    severities = {finding["rule"]: finding["severity"] for finding in document["findings"]}
    assert set(severities) == RULES - {"missing-rls"}
    assert severities["duplicate-function"] == "info"


def test_roles_of_the_configuration(platform: Path, tmp_path: Path) -> None:
    """The role that owns the tables is named where it matters."""
    config = tmp_path / "other.toml"
    config.write_text('[roles]\nmigration = "deployer"\n')
    messages = [finding["message"] for finding in plan_of(platform, "--config", config)["findings"]]
    assert any("deployer" in message for message in messages)
    assert not any("deployer" in finding["message"] for finding in plan_of(platform)["findings"])


def test_sql_is_what_a_dba_reads(platform: Path) -> None:
    text = run("plan", platform, "--format", "sql").out
    assert text.startswith("-- services/accounts/migrations/")
    assert "ALTER TABLE public.invitations ENABLE ROW LEVEL SECURITY;\n" in text
    assert "ALTER TABLE public.shipments FORCE ROW LEVEL SECURITY;\n" in text
    assert "knex" not in text.replace("/migrations/", "")


def test_sql_of_batches_has_no_markers_of_ours() -> None:
    text = run("plan", EXAMPLE, "--format", "sql", "--unsafe").out
    assert text.isprintable() or all(ord(character) >= 32 or character in "\n\t" for character in text)


@pytest.mark.parametrize("colour", [{"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "xterm-256color"}])
def test_no_colours_where_nobody_looks(platform: Path, colour: dict[str, str]) -> None:
    assert ESCAPE not in command("plan", platform, "--rule", "missing-rls", env=environment(**colour)).out


def test_a_terminal_that_lacks_characters_gets_them_escaped(platform: Path) -> None:
    result = command("plan", platform, "--rule", "rls-not-forced", env=environment(PYTHONIOENCODING="ascii"))
    assert (result.code, result.err) == (1, "")
    assert "\\u2192 safe, in services/orders/" in result.out
    machine = command("plan", platform, "--format", "json", env=environment(PYTHONIOENCODING="ascii"))
    assert machine == command("plan", platform, "--format", "json"), "programs read UTF-8"


def test_planning_writes_nothing(repo: Repository) -> None:
    before, status = contents(repo.root, ignore=()), repo("status", "--porcelain")
    for options in ((), ("--format", "json"), ("--format", "patch"), ("--unsafe", "--rewrite")):
        run("plan", repo.root, *options)
    run("catalog", repo.root)
    run("services", repo.root)
    assert contents(repo.root, ignore=()) == before
    assert repo("status", "--porcelain") == status


def test_a_single_service_is_a_workspace(tmp_path: Path) -> None:
    root = write(tmp_path / "accounts", service("accounts", ACCOUNTS, folder=""))
    document = plan_of(root)
    assert [(one["name"], one["path"]) for one in document["services"]] == [("accounts", ".")]
    assert [finding["subject"]["name"] for finding in document["findings"]] == ["invitations"]
    assert "  accounts" in run("plan", root).out


def test_a_service_that_is_planned_without_its_neighbours_says_so_first(repo: Repository) -> None:
    alone = repo.root / "services" / "orders"
    planned = run("plan", alone)
    (third,) = planned.out.splitlines()[2:3]
    assert third.startswith("Planned without accounts, which lies beside it")
    assert json.loads(run("plan", alone, "--format", "json").out)["notes"][0] == third
    assert run("apply", alone, "--branch", "alone").out.splitlines()[0] == third
    assert "Planned without" not in run("plan", repo.root).out
