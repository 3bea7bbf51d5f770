"""`catalog`, `services`, `rules`, `explain` and `init`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cli.running import command, one_line, run
from cli.workspaces import PLATFORM, TENANT, write
from remediate.catalogue.rules import load_rules


def catalog_of(*arguments: str | Path) -> Any:
    return json.loads(run("catalog", *arguments, "--format", "json").out)


def test_the_catalog_as_text(platform: Path) -> None:
    result = command("catalog", platform)
    assert result.code == 0
    file = "services/accounts/migrations/20240101000000_create_tenants.ts"
    assert f"  public.members  2 columns, RLS forced  {file}:8\n" in result.out
    assert f"      members_isolation (all) using {TENANT}\n" in result.out
    assert "  public.payments  2 columns, no RLS  " in result.out
    assert "  public.refunds  2 columns, RLS not forced  " in result.out
    assert "8 tables, 3 policies" in result.out


def test_the_catalog_as_json(platform: Path) -> None:
    document = catalog_of(platform)
    tables = {table["name"]: table for table in document["tables"]}
    assert set(tables) == {
        "tenants", "members", "invitations", "orders", "payments", "refunds", "shipments", "order_items",
    }  # fmt: skip
    assert (tables["members"]["rls_enabled"], tables["members"]["rls_forced"]) == (True, True)
    assert tables["payments"]["columns"][1] == {
        "name": "tenant_id", "type": "uuid", "nullable": False, "default": None,
    }  # fmt: skip
    assert tables["payments"]["service"] == "orders"
    assert {policy["using"] for policy in document["policies"]} == {TENANT}
    keys = [one for one in document["constraints"] if one["table"] == "order_items" and one["type"] == "f"]
    assert keys[0]["definition"] == "FOREIGN KEY (order_id) REFERENCES orders(id)"
    setting = next(one for one in document["settings"] if one["name"] == "app.current_tenant_id")
    assert {read["kind"] for read in setting["reads"]} == {"policy"}
    assert [(write_["form"], write_["local"]) for write_ in setting["writes"]] == [("set_config", True)] * 2


def test_the_catalog_of_one_service_alone(platform: Path) -> None:
    document = catalog_of(platform, "--service", "accounts")
    assert {table["service"] for table in document["tables"]} == {"accounts"}
    assert [one["name"] for one in document["services"]] == ["accounts"]
    alone = catalog_of(platform, "--service", "orders")
    assert alone["refused"], "what it needs of the others is not there"


def test_the_catalog_in_a_file(platform: Path, tmp_path: Path) -> None:
    for format in ("text", "json"):
        result = run("catalog", platform, "--format", format, "-o", tmp_path / format)
        assert (result.code, result.out) == (0, "")
        assert (tmp_path / format).read_text() == run("catalog", platform, "--format", format).out


def test_services_say_why(platform: Path) -> None:
    result = run("services", platform)
    assert result.code == 0
    assert result.last == "2 services."
    assert "orders  services/orders\n" in result.out
    assert "named by services/orders/knexfile.ts" in result.out
    assert "accounts: tenants (foreign key)" in result.out


def test_services_take_a_configuration(platform: Path, tmp_path: Path) -> None:
    config = tmp_path / "one.toml"
    config.write_text('[workspace]\nservices = ["services/orders"]\n')
    assert run("services", platform, "--config", config).last == "1 service."


def test_rules_are_listed_with_severity_and_level() -> None:
    result = command("rules")
    assert result.code == 0
    lines = [line.split(maxsplit=3) for line in result.out.splitlines()]
    assert [line[0] for line in lines] == list(load_rules())
    for name, severity, level, title in lines:
        rule = load_rules()[name]
        assert (severity, level, title) == (rule.severity, rule.level, rule.title)


@pytest.mark.parametrize("rule", load_rules())
def test_each_rule_is_explained(rule: str) -> None:
    result = run("explain", rule)
    assert result.code == 0
    assert result.out.startswith(f"# {rule}\n")
    assert "## Why it matters" in result.out


@pytest.mark.parametrize(("name", "nearest"), [("rls-forced", "rls-not-forced"), ("missing_rls", "missing-rls")])
def test_an_unknown_rule_names_the_nearest(name: str, nearest: str) -> None:
    assert one_line(run("explain", name)) == f"there is no rule {name!r}; did you mean {nearest}?"


def test_a_rule_like_no_other_names_the_list() -> None:
    assert one_line(run("explain", "xyz")) == "there is no rule 'xyz'; see `remediate rules`"


def test_init_writes_a_file_that_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, PLATFORM)
    before = run("plan", tmp_path)
    result = run("init", tmp_path)
    assert result.code == 0
    assert result.out == f"{tmp_path / 'remediate.toml'} written; every setting in it is at its default.\n"
    tomllib.loads((tmp_path / "remediate.toml").read_text())
    assert run("plan", tmp_path) == before


def test_init_never_writes_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "remediate.toml").write_text("# mine\n")
    assert one_line(run("init", tmp_path)) == (
        f"{tmp_path / 'remediate.toml'}: is there already; edit it, or move it away first"
    )
    assert (tmp_path / "remediate.toml").read_text() == "# mine\n"
