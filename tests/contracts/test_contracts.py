"""The two JSON outputs against their contracts, written down as JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli.running import run
from cli.workspaces import ACCOUNTS, PLATFORM, service, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "ticketing"
JAVASCRIPT = {
    "package.json": '{"name": "alone"}',
    "migrations/1_create.js": "exports.up = (knex) => knex.schema.createTable('Order \"x\"', (t) => t.increments());\n"
    "exports.down = (knex) => knex.schema.dropTable('Order \"x\"');\n",
}
UNREAD = {**PLATFORM, "services/orders/migrations/003_broken.ts": "export async function up(knex { \n"}
WORKSPACES = {
    "a platform": PLATFORM,
    "one service": service("accounts", ACCOUNTS, folder=""),
    "plain JavaScript without tenants": JAVASCRIPT,
    "a file that does not parse": UNREAD,
}
OBJECTS = ("tables", "policies", "constraints", "indexes", "functions", "triggers", "views", "types", "extensions")


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((Path(__file__).parent / f"remediate.{name}.1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def read(command: str, path: Path, *options: str) -> Any:
    result = run(command, path, "--format", "json", *options)
    assert result.code in (0, 1), result.err
    document = json.loads(result.out)
    errors = [f"{error.json_path}: {error.message}" for error in validator(command).iter_errors(document)]
    assert not errors
    return document


@pytest.fixture(scope="module")
def plan() -> Any:
    return read("plan", EXAMPLE, "--unsafe", "--rewrite")


@pytest.mark.parametrize("files", WORKSPACES.values(), ids=WORKSPACES)
def test_of_small_workspaces(files: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, files)
    document = read("plan", tmp_path)
    catalog = read("catalog", tmp_path)
    assert [one["name"] for one in document["services"]] == [one["name"] for one in catalog["services"]]
    for one in catalog["services"]:
        read("catalog", tmp_path, "--service", one["name"])


def test_every_reference_within_a_plan_leads_somewhere(plan: Any) -> None:
    findings = {finding["id"]: finding for finding in plan["findings"]}
    changes = {change["path"]: change for change in plan["changes"]}
    services = {service["name"] for service in plan["services"]}
    assert len(findings) == len(plan["findings"]), "an id names one finding"
    assert len(changes) == len(plan["changes"]), "a path names one change"
    assert changes
    for finding in findings.values():
        assert finding["service"] in services
        assert set(finding["fix"]["changes"]) == {
            path for path in changes if finding["id"] in changes[path]["findings"]
        }
        for location in finding["locations"]:
            assert (EXAMPLE / location["file"]).is_file()
    for change in changes.values():
        assert change["rules"] == sorted(
            {findings[one]["rule"] for one in change["findings"]}, key=change["rules"].index
        )
        assert set(change["after"]) <= set(changes)
        assert (EXAMPLE / change["path"]).is_file() == (change["kind"] == "rewrite")
        assert change["diff"].startswith(f"diff --git a/{change['path']} b/{change['path']}\n")
    for later in plan["next"]:
        assert later["finding"] in findings
    for service_ in plan["services"]:
        assert set(service_["depends_on"]) <= services


def test_the_example_fills_every_part_of_the_catalog() -> None:
    catalog = read("catalog", EXAMPLE)
    for name in (*OBJECTS, "roles", "settings"):
        assert catalog[name], name
    files = {migration["file"] for one in catalog["services"] for migration in one["migrations"]}
    assert {table["file"] for table in catalog["tables"]} <= files
    assert all((EXAMPLE / file).is_file() for file in files)
    setting = next(one for one in catalog["settings"] if one["name"] == "app.current_tenant_id")
    assert setting["reads"]
    assert setting["writes"]


@pytest.mark.parametrize("name", ["plan", "catalog"])
def test_fields_may_be_added_but_none_may_go(name: str, plan: Any) -> None:
    """The schemas are strict where it counts: they refuse a document that lacks something."""
    document = plan if name == "plan" else read("catalog", EXAMPLE)
    check = validator(name)
    assert check.is_valid({**document, "new": 1})
    for key in document:
        smaller = {other: value for other, value in document.items() if other != key}
        assert check.is_valid(smaller) == (key not in check.schema["required"])
    assert set(document) >= set(check.schema["required"])
    assert not check.is_valid({**document, "format": f"remediate.{name}/2"})
