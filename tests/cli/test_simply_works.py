"""What is unusual and right: strange names of folders and tables, JavaScript, other line ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.running import run
from cli.workspaces import (
    ACCOUNTS,
    DATABASE,
    PLATFORM,
    javascript,
    protect,
    raw,
    repository,
    service,
    typescript,
    write,
)
from remediate.sql.quote import Identifier
from support.typescript import TypeChecker


def plan_of(root: Path, *options: str) -> Any:
    result = run("plan", root, "--format", "json", *options)
    assert result.code in (0, 1), result.err
    return json.loads(result.out)


FOLDERS = ["with space", "it's", 'a "quoted" name', "ünïcode", "back\\slash", "tab\there", "$HOME `x`", "~", "-dash"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_path_of_the_workspace_may_be_anything(tmp_path: Path, folder: str, platform: Path) -> None:
    files = {f"{folder}/{path}": text for path, text in PLATFORM.items()}
    repo = repository(tmp_path / f"top {folder}", files)
    workspace = repo.root / folder
    here = plan_of(workspace)
    assert [one["id"] for one in here["findings"]] == [one["id"] for one in plan_of(platform)["findings"]]
    patch = run("plan", workspace, "--format", "patch").out
    repo("apply", "--check", stdin=patch.encode())
    assert run("apply", workspace, "--branch", "fix").code == 0
    repo("apply", "--index", stdin=patch.encode())
    assert repo("write-tree") == repo("rev-parse", "fix^{tree}")


def test_folders_of_services_may_have_any_name(tmp_path: Path) -> None:
    files = service("accounts", ACCOUNTS, folder='services/the "accounts" service')
    files['services/the "accounts" service/src/database.ts'] = DATABASE
    repo = repository(tmp_path, files)
    patch = run("plan", repo.root, "--format", "patch").out
    assert patch
    repo("apply", "--check", stdin=patch.encode())
    text = run("plan", repo.root).out
    assert 'services/the "accounts" service/migrations/' in text


@pytest.mark.parametrize(
    ("extension", "module"), [(".js", "commonjs"), (".cjs", "commonjs"), (".mjs", "esm"), (".js", "esm")]
)
def test_javascript_gets_javascript(tmp_path: Path, extension: str, module: str) -> None:
    text = javascript(
        "  await knex.raw('CREATE TABLE tenants (id uuid PRIMARY KEY)');\n"
        "  await knex.raw('CREATE TABLE a (tenant_id uuid NOT NULL REFERENCES tenants)');\n"
        "  await knex.raw('CREATE TABLE b (tenant_id uuid NOT NULL REFERENCES tenants)');\n" + raw(protect("b"))
    )
    if module == "esm":
        text = text.replace("exports.up =", "export const up =").replace("exports.down =", "export const down =")
    package = {"name": "plain", **({"type": "module"} if module == "esm" else {})}
    root = write(
        tmp_path,
        {"package.json": json.dumps(package), f"migrations/001_a{extension}": text, "src/db.js": DATABASE_JS[module]},
    )
    (change,) = plan_of(root, "--unsafe")["changes"]
    assert change["path"].endswith(extension)
    assert "import type" not in change["diff"]
    assert ": Promise" not in change["diff"]
    assert ("exports.up" in change["diff"]) == (module == "commonjs")
    assert ("export const up" in change["diff"] or "export async function up" in change["diff"]) == (module == "esm")


AS_TENANT = "(trx, id) => trx.raw(\"SELECT set_config('app.current_tenant_id', ?, true)\", [id]);\n"
DATABASE_JS = {"commonjs": f"exports.asTenant = {AS_TENANT}", "esm": f"export const asTenant = {AS_TENANT}"}

NAMES = [
    "MixedCase",
    "with space",
    "select",
    "user",
    "order",
    "a.b",
    'say "hi"',
    "it's",
    "back`tick",
    "dollar${name}",
    "why?",
    "named :binding",
    "back\\slash",
    "ünïcode",
    "$$",
    "-- comment",
    "/* not */",
    "x" * 63,
]


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service whose tables have every kind of name, without protection."""
    # Knex takes a question mark for a binding, in names too, unless a backslash stands before it.
    statements = [f"CREATE TABLE {Identifier(name).sql()} (tenant_id uuid)".replace("?", "\\?") for name in NAMES]
    up = "\n".join(
        [
            "  await knex.schema.createTable('tenants', (t) => { t.uuid('id').primary(); });",
            "  await knex.schema.createTable('plain', (t) => { t.uuid('tenant_id').notNullable(); });",
            raw(protect("plain")),
            *(f"  await knex.raw({json.dumps(statement)});" for statement in statements),
        ]
    )
    files = {**service("strange", {"001_create.ts": typescript(up)}), "services/strange/src/database.ts": DATABASE}
    return write(tmp_path_factory.mktemp("strange"), files)


def test_every_table_is_found(strange: Path) -> None:
    document = json.loads(run("catalog", strange, "--format", "json").out)
    assert {table["name"] for table in document["tables"]} == {"tenants", "plain", *NAMES}
    assert document["unresolved"] == []


def test_what_is_written_for_strange_names_is_right(strange: Path, type_checker: TypeChecker, tmp_path: Path) -> None:
    """It parses and type-checks, and planning again finds nothing left."""
    document = plan_of(strange, "--unsafe")
    missing = {one["subject"]["name"] for one in document["findings"] if one["rule"] == "missing-rls"}
    assert missing == set(NAMES)
    manual = {one["subject"]["name"] for one in document["findings"] if one["fix"]["applicability"] == "manual"}
    sql = run("plan", strange, "--unsafe", "--format", "sql").out
    for name in set(NAMES) - manual:
        assert f"ALTER TABLE public.{Identifier(name).sql()} ENABLE ROW LEVEL SECURITY" in sql
    repo = repository(tmp_path / "copy", {
        str(path.relative_to(strange)): path.read_bytes() for path in strange.rglob("*") if path.is_file()
    })  # fmt: skip
    assert run("apply", repo.root, "--write", "--unsafe").code == 0
    left = [one["subject"]["name"] for one in plan_of(repo.root, "--unsafe")["findings"] if not one["waiting"]]
    assert set(left) == manual
    new = [repo.root / change["path"] for change in document["changes"]]
    assert new
    assert type_checker(new) == []


def test_a_workspace_without_package_json(tmp_path: Path) -> None:
    root = write(tmp_path / "bare", {"migrations/1_a.js": javascript("  await knex.raw('CREATE TABLE a (b int)');")})
    document = plan_of(root)
    assert [(one["name"], one["migrations"]) for one in document["services"]] == [("bare", 1)]
