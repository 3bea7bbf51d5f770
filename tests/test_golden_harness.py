"""The golden harness itself: whatever is wrong with a repair, one of its invariants notices."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.postgres.snapshot import catalog_snapshot, snapshot_differences
from support.database import Database
from support.golden import (
    GOLDEN,
    Case,
    Planned,
    check_difference_is_declared,
    check_finding_is_gone,
    check_nothing_is_left_to_change,
    check_only_what_was_declared_is_touched,
    flat,
    flat_differences,
    replay_catalogs,
    without_guards,
    write_downs,
)
from support.knex import KnexRunner
from support.plans import TYPESCRIPT, prettier_options
from support.replan import replan
from support.rows import checksums, columns_of, fill
from support.typescript import PrettierCheck, TypeChecker

POLICIES = Case.of(GOLDEN / "missing-rls" / "a-table-beside-a-protected-one")
GUARDS = Case.of(GOLDEN / "duplicate-function" / "two-services-create-the-same")
EMITTED = "services/orders/migrations/003_enable_row_level_security.ts"
ENABLE = "  await knex.raw(`ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY`);\n"
DISABLE = "  await knex.raw(`ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY`);\n"


class Bench:
    """One case, planned, and its changes written with or without faults."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.before = Planned.of(case.copy_to(folder / "before"), case.options)
        self.root = case.copy_to(folder / "after")
        self.before.write(self.root)
        self._options = case.options

    def spoil(self, old: str, new: str, path: str = EMITTED) -> None:
        file = self.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    @property
    def after(self) -> Planned:
        return Planned.of(self.root, self._options)

    def differences(self) -> list[str]:
        (old,), (new,) = self.before.catalogs, replay_catalogs(self.root)
        return flat_differences(flat(old), flat(new))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(POLICIES, tmp_path)


def test_without_a_fault_everything_is_well(bench: Bench) -> None:
    check_finding_is_gone(bench.before, bench.after)
    check_nothing_is_left_to_change(bench.after)
    check_only_what_was_declared_is_touched(bench.before)
    check_difference_is_declared(bench.differences(), bench.before.operations)


def test_1_a_wrong_type_is_noticed(bench: Bench, type_checker: TypeChecker) -> None:
    bench.spoil("knex: Knex", "knex: Knexx")
    assert type_checker([bench.root / EMITTED])


def test_1_another_layout_is_noticed(bench: Bench, prettier_check: PrettierCheck) -> None:
    bench.spoil(ENABLE, "  " + ENABLE)
    assert prettier_check([bench.root / EMITTED], **prettier_options(TYPESCRIPT))


def test_2_a_finding_that_stays_is_noticed(bench: Bench) -> None:
    bench.spoil(ENABLE, "")
    bench.spoil("CREATE POLICY tenant_isolation", "COMMENT ON TABLE public.invoices IS 'nothing'; -- ")
    with pytest.raises(AssertionError, match=r"still there after the repair: public\.invoices"):
        check_finding_is_gone(bench.before, bench.after)


def test_2_a_new_finding_is_noticed(bench: Bench) -> None:
    bench.spoil(ENABLE, ENABLE + "  await knex.raw(`ALTER TABLE customers NO FORCE ROW LEVEL SECURITY`);\n")
    with pytest.raises(AssertionError, match=r"found only after the repair: .*public\.customers"):
        check_finding_is_gone(bench.before, bench.after)


def test_2_what_we_do_not_understand_ourselves_is_noticed(bench: Bench) -> None:
    bench.spoil(ENABLE, ENABLE + "  await knex.raw(await import('node:fs').then((fs) => fs.readFileSync(knex)));\n")
    with pytest.raises(AssertionError, match="not understood by ourselves"):
        check_finding_is_gone(bench.before, bench.after)


def test_2_what_postgresql_would_refuse_is_noticed(bench: Bench) -> None:
    bench.spoil(ENABLE, ENABLE + "  await knex.raw(`DROP TABLE nothing`);\n")
    with pytest.raises(AssertionError, match=r"refused: .*nothing"):
        check_finding_is_gone(bench.before, bench.after)


def test_3_a_change_that_is_left_is_noticed(bench: Bench) -> None:
    bench.spoil("FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY")
    with pytest.raises(AssertionError, match="the second plan has changes"):
        check_nothing_is_left_to_change(bench.after)


def test_4_a_file_in_the_wrong_place_is_noticed(bench: Bench) -> None:
    plan = bench.before.plan
    (change,) = plan.changes
    for path in (
        "services/orders/migrations/002_create_invoices.ts",
        "services/orders/migrations/000_early.ts",
        "services/orders/003_elsewhere.ts",
    ):
        wrong = replace(bench.before, plan=replace(plan, changes=(replace(change, path=path),)))
        with pytest.raises(AssertionError):
            check_only_what_was_declared_is_touched(wrong)


def test_4_an_edit_beside_the_guards_is_noticed(tmp_path: Path) -> None:
    bench = Bench(GUARDS, tmp_path)
    (change,) = bench.before.plan.changes
    assert without_guards(change.text) == change.before
    for text in (change.text.replace("orders", "order", 1), change.text + "\n", change.text.replace("$$", "$x$", 2)):
        wrong = replace(bench.before, plan=replace(bench.before.plan, changes=(replace(change, text=text),)))
        with pytest.raises(AssertionError, match="more than guards was changed"):
            check_only_what_was_declared_is_touched(wrong)


def test_5_a_down_that_leaves_something_is_noticed(bench: Bench) -> None:
    (change,) = bench.before.added
    wrong = replace(change, text=change.text.replace(DISABLE, ""))
    assert wrong.text != change.text
    spoilt = replace(bench.before, plan=replace(bench.before.plan, changes=(wrong,)))
    for planned, expected in ((bench.before, []), (spoilt, ["~ tables public.invoices: rls_enabled: False -> True"])):
        root = bench.root.with_name(f"back {len(expected)}")
        shutil.copytree(bench.root, root)
        write_downs(planned, root)
        (old,), (new,) = bench.before.catalogs, replay_catalogs(root)
        assert flat_differences(flat(old), flat(new)) == expected


def test_6_a_difference_that_nobody_declared_is_noticed(bench: Bench) -> None:
    bench.spoil(ENABLE, ENABLE + "  await knex.raw(`CREATE INDEX extra ON invoices (tenant_id)`);\n")
    with pytest.raises(AssertionError, match=r"changed and not declared: \['\+ indexes public\.extra'\]"):
        check_difference_is_declared(bench.differences(), bench.before.operations)


def test_6_a_difference_that_did_not_come_is_noticed(bench: Bench) -> None:
    bench.spoil(ENABLE, "")
    with pytest.raises(AssertionError, match=r"declared and not changed: .*rls_enabled"):
        check_difference_is_declared(bench.differences(), bench.before.operations)


def test_7_the_other_process_really_plans(tmp_path: Path, bench: Bench) -> None:
    other = Bench(GUARDS, tmp_path / "other")
    outputs = replan([POLICIES.folder, GUARDS.folder], tmp_path / "elsewhere")
    assert outputs[str(POLICIES.folder)] == bench.before.output()
    assert outputs[str(GUARDS.folder)] == other.before.output() != bench.before.output()


def test_rows_that_are_lost_or_changed_are_noticed(
    bench: Bench, new_database: Callable[..., Database], knex_runner: KnexRunner
) -> None:
    database = new_database()
    folder = "services/orders/migrations"
    knex_runner.latest(database, bench.before.root, directories=[folder]).expect_success()
    assert fill(database) == {"public.tenants": 2, "public.customers": 4, "public.invoices": 4}
    columns, before = columns_of(database), checksums(database)
    with database.connect() as connection:
        catalog = catalog_snapshot(connection)
    bench.spoil(ENABLE, ENABLE + "  await knex.raw(`UPDATE invoices SET cents = 7 WHERE cents = 2`);\n")
    knex_runner.latest(database, bench.root, directories=[folder]).expect_success()
    after = checksums(database, columns)
    assert {table for table in before if before[table] != after[table]} == {"public.invoices"}
    with database.connect() as connection:
        differences = snapshot_differences(catalog, catalog_snapshot(connection))
    check_difference_is_declared(differences, bench.before.operations)
    with pytest.raises(AssertionError):
        check_difference_is_declared(differences[1:], bench.before.operations)
