"""What is planned for `examples/ticketing`, run by real Knex on PostgreSQL, and whether it keeps tenants apart."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.plan.model import Options
from remediate.replay.catalog import QName
from remediate.sql.quote import QualifiedName
from support.database import Database
from support.golden import (
    Planned,
    check_difference_is_declared,
    check_finding_is_gone,
    check_nothing_is_left_to_change,
    check_only_what_was_declared_is_touched,
    flat,
    flat_differences,
)
from support.knex import KnexRunner
from support.real import OWNER, Real, differences_of
from support.rows import columns_of, fill
from support.typescript import TypeChecker

EXAMPLE = Path(__file__).parents[1] / "examples" / "ticketing"
MODES = {
    "safe": Options(),
    "unsafe": Options(unsafe=True),
    "unsafe and rewrite": Options(unsafe=True, rewrite=True),
}


class Example:
    """The example planned in one mode, and a copy of it with the changes written."""

    def __init__(self, options: Options, folder: Path) -> None:
        self.before = Planned.of(Path(shutil.copytree(EXAMPLE, folder / "before")), options)
        self.root = Path(shutil.copytree(EXAMPLE, folder / "after"))
        self.before.write(self.root)
        self.after = Planned.of(self.root, options)


@pytest.fixture(scope="module", params=MODES)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example(MODES[request.param], tmp_path_factory.mktemp("example"))


def test_something_is_planned(example: Example) -> None:
    assert len(example.before.added) >= (5 if example.before.options.unsafe else 3)
    assert any(change.kind == "rewrite" for change in example.before.plan.changes) == example.before.options.rewrite


def test_typescript_takes_what_is_written(example: Example, type_checker: TypeChecker) -> None:
    assert type_checker([example.root / change.path for change in example.before.added]) == []


def test_what_is_repaired_is_found_no_more(example: Example) -> None:
    check_finding_is_gone(example.before, example.after)
    check_only_what_was_declared_is_touched(example.before)


def test_a_second_plan_has_no_change(example: Example) -> None:
    check_nothing_is_left_to_change(example.after)


def test_the_catalog_differs_as_declared(example: Example) -> None:
    ((old,), (new,)) = example.before.catalogs, example.after.catalogs
    check_difference_is_declared(
        flat_differences(flat(old), flat(new)), example.before.operations, "comments function", "comments policy"
    )


def test_real_knex_runs_it_up_down_and_up_and_tenants_are_apart(
    example: Example, new_database: Callable[..., Database], knex_runner: KnexRunner
) -> None:
    real = Real(example.before, new_database, knex_runner)
    real.load_strings()
    (database,) = real.databases.values()
    counts = fill(database)
    assert sum(count > 0 for count in counts.values()) > len(counts) / 2
    real.hand_over()
    columns = {name: columns_of(one) for name, one in real.databases.items()}
    catalog, rows = real.snapshots(), real.rows(columns)

    real.run("latest", example.root)
    repaired = real.snapshots()
    check_difference_is_declared(differences_of(catalog, repaired), example.before.operations)
    assert real.rows(columns) == rows
    real.run("rollback", example.root)
    assert differences_of(catalog, real.snapshots()) == []
    assert real.rows(columns) == rows
    real.run("latest", example.root)
    assert differences_of(repaired, real.snapshots()) == []
    assert real.rows(columns) == rows

    check_tenants_are_apart(example, database)


def check_tenants_are_apart(example: Example, database: Database) -> None:
    """Every table that had no policy and has one now shows each tenant its own rows, to a guest and to its owner."""
    catalog = example.before.plan.databases[0].replayed.catalog
    tenancy = example.before.plan.databases[0].tenancy
    names = [
        QName(fix.finding.subject.schema, fix.finding.subject.name)
        for fix in example.before.plan.fixes
        if fix.finding.rule in ("missing-rls", "rls-without-policy") and example.before.plan.changes_for(fix.finding)
    ]
    tables = [name for name in names if catalog.tables[name].column(tenancy.column)]
    database.run("CREATE ROLE guest; GRANT USAGE ON SCHEMA public TO guest")
    looked_at = 0
    for table in tables:
        sql = QualifiedName(*table).sql()
        tenants = [
            tenant
            for (tenant,) in database.run(
                f"SELECT DISTINCT {tenancy.column}::text FROM {sql} WHERE {tenancy.column} IS NOT NULL ORDER BY 1"
            )
        ]
        if len(tenants) < 2:
            continue
        looked_at += 1
        database.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {sql} TO guest")
        for role in ("guest", OWNER):
            for tenant in tenants[:2]:
                assert _seen(database, table, role, {tenancy.setting: tenant}) == {tenant}, (table, role)
            assert _seen(database, table, role, {}) == set(), (table, role)
            assert _seen(database, table, role, {tenancy.setting: ""}) == set(), (table, role)
    assert looked_at >= (10 if example.before.options.unsafe else 2), tables


def _seen(database: Database, table: QName, role: str, settings: dict[str, str]) -> set[str]:
    """The tenants whose rows a role sees in a new session; it cannot change any others' either."""
    sql = QualifiedName(*table).sql()
    with database.connect() as connection, connection.transaction(force_rollback=True):
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        connection.execute(f"SET LOCAL ROLE {role}".encode())
        seen = {row[0] for row in connection.execute(f"SELECT tenant_id::text FROM {sql}".encode())}
        changed = connection.execute(f"UPDATE {sql} SET tenant_id = tenant_id RETURNING tenant_id::text".encode())
        assert {row[0] for row in changed} == seen
    return seen
