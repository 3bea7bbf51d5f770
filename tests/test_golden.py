"""Every golden case, and for each of them everything that has to be true of any repair (see CONTRIBUTING.md).

`pytest tests/test_golden.py --update-golden` rewrites the expectations. No case can opt out of an invariant.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.catalogue.rules import load_rules
from remediate.emit.house_style import house_style
from remediate.plan.model import Options
from support.database import Database
from support.golden import (
    Case,
    Planned,
    cases,
    check_difference_is_declared,
    check_finding_is_gone,
    check_nothing_is_left_to_change,
    check_only_what_was_declared_is_touched,
    flat,
    flat_differences,
    read_expected,
    replay_catalogs,
    write_downs,
    write_expected,
)
from support.knex import KnexRunner
from support.plans import prettier_options
from support.real import Real, differences_of
from support.replan import replan
from support.rows import columns_of, fill
from support.typescript import PrettierCheck, TypeChecker

CASES = {case.id: case for case in cases()}
FIXES = Path(__file__).parents[1] / "fixes"
RULES = sorted(load_rules())

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


class Workshop:
    """The plans of this session: each case is planned once, and once more with its changes written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before: dict[str, Planned] = {}
        self._after: dict[str, Planned] = {}

    def before(self, case: Case) -> Planned:
        if case.id not in self._before:
            root = case.copy_to(self._folder / "before" / case.id / "ws")
            self._before[case.id] = Planned.of(root, case.options)
        return self._before[case.id]

    def after(self, case: Case) -> Planned:
        if case.id not in self._after:
            root = case.copy_to(self._folder / "after" / case.id / "ws")
            self.before(case).write(root)
            self._after[case.id] = Planned.of(root, case.options)
        return self._after[case.id]


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def complaints(workshop: Workshop, type_checker: TypeChecker, request: pytest.FixtureRequest) -> list[str]:
    """What TypeScript says about the files of all cases of this session, as one program."""
    files = [
        workshop.after(case).root / change.path
        for case in _selected(request)
        for change in workshop.before(case).plan.changes
        if change.path.endswith(".ts")
    ]
    return [str(complaint) for complaint in type_checker(files)] if files else []


@pytest.fixture(scope="session")
def replanned(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, dict[str, str]]:
    """What another process makes of all cases of this session."""
    return replan([case.folder for case in _selected(request)], tmp_path_factory.mktemp("replan") / "elsewhere")


def _selected(request: pytest.FixtureRequest) -> list[Case]:
    """The cases that this session runs."""
    chosen = {
        item.callspec.params["case"].id
        for item in request.session.items
        if hasattr(item, "callspec") and isinstance(item.callspec.params.get("case"), Case)
    }
    return [case for id_, case in CASES.items() if id_ in chosen]


# ------------------------------------------------------------------------------------------ what comes out


@each_case
def test_the_plan_is_the_one_expected(case: Case, workshop: Workshop, request: pytest.FixtureRequest) -> None:
    output = workshop.before(case).output()
    if request.config.getoption("update_golden"):
        write_expected(case, output)
    assert read_expected(case) == output, "if this is meant: pytest tests/test_golden.py --update-golden"


@each_case
def test_the_rule_finds_what_the_case_is_about(case: Case, workshop: Workshop) -> None:
    found = [finding for finding in workshop.before(case).plan.findings if finding.rule == case.rule]
    if case.leaves_alone:
        assert all(finding.suppressed for finding in found)
        assert not any(case.rule in change.rules for change in workshop.before(case).plan.changes)
    else:
        assert found


@each_case
def test_1_what_is_written_is_typescript(case: Case, workshop: Workshop, complaints: list[str]) -> None:
    root = str(workshop.after(case).root)
    assert [complaint for complaint in complaints if complaint.startswith(root)] == []


@each_case
def test_1_prettier_would_write_it_so(case: Case, workshop: Workshop, prettier_check: PrettierCheck) -> None:
    for service in workshop.before(case).workspace.services:
        added = [change for change in workshop.before(case).added if change.service == service.name]
        if added:
            style = house_style(service)
            assert style is not None
            files = [workshop.after(case).root / change.path for change in added]
            assert prettier_check(files, **prettier_options(style)) == {}


@each_case
def test_2_the_finding_is_gone_and_no_other_came(case: Case, workshop: Workshop) -> None:
    check_finding_is_gone(workshop.before(case), workshop.after(case))


@each_case
def test_3_a_second_plan_has_no_change(case: Case, workshop: Workshop) -> None:
    check_nothing_is_left_to_change(workshop.after(case))


@each_case
def test_4_only_what_was_declared_is_touched(case: Case, workshop: Workshop) -> None:
    check_only_what_was_declared_is_touched(workshop.before(case))


@each_case
def test_5_and_6_the_catalog_changes_as_declared_and_back(case: Case, workshop: Workshop, tmp_path: Path) -> None:
    before, after = workshop.before(case), workshop.after(case)
    differences = [
        difference
        for old, new in zip(before.catalogs, after.catalogs, strict=True)
        for difference in flat_differences(flat(old), flat(new))
    ]
    check_difference_is_declared(differences, before.operations, "comments function", "comments policy")
    back = tmp_path / "ws"
    shutil.copytree(after.root, back)
    write_downs(before, back)
    for old, restored in zip(before.catalogs, replay_catalogs(back), strict=True):
        assert flat_differences(flat(old), flat(restored)) == []


@each_case
def test_7_every_run_gives_the_same_bytes(case: Case, workshop: Workshop, replanned: dict[str, dict[str, str]]) -> None:
    assert replanned[str(case.folder)] == workshop.before(case).output()


# ------------------------------------------------------------------------------------------ on PostgreSQL


@each_case
def test_real_knex_runs_it_up_down_and_up_on_real_rows(
    case: Case, workshop: Workshop, new_database: Callable[..., Database], knex_runner: KnexRunner
) -> None:
    before, root = workshop.before(case), workshop.after(case).root
    real = Real(before, new_database, knex_runner)
    assert real.history() == case.history, "say so in case.toml: history"
    counts = {name: count for database in real.databases.values() for name, count in fill(database).items()}
    touched = {str(lock.relation) for migration in before.migrations for lock in migration.locks}
    assert all(counts[name] for name in touched), f"no rows in some of {touched}"
    real.hand_over()
    columns = {name: columns_of(database) for name, database in real.databases.items()}
    catalog, rows = real.snapshots(), real.rows(columns)

    real.run("latest", root)
    repaired = real.snapshots()
    check_difference_is_declared(differences_of(catalog, repaired), before.operations)
    assert real.rows(columns) == rows, "rows were changed or lost"

    real.run("rollback", root)
    assert differences_of(catalog, real.snapshots()) == []
    assert real.rows(columns) == rows, "rows were changed or lost"

    real.run("latest", root)
    assert differences_of(repaired, real.snapshots()) == []
    assert real.rows(columns) == rows, "rows were changed or lost"

    if case.history == "runs":
        fresh = Real(before, new_database, knex_runner)
        fresh.run_all(root)
        fresh.hand_over()
        assert differences_of(repaired, fresh.snapshots()) == [], "a fresh database comes out otherwise"


# ------------------------------------------------------------------------------------------ what cases there are


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_cases(rule: str) -> None:
    own = [case for case in CASES.values() if case.rule == rule]
    assert len(own) >= 6
    assert any(case.leaves_alone for case in own)


@pytest.mark.parametrize("rule", [rule for rule in RULES if load_rules()[rule].level == "safe"])
def test_a_safe_rule_is_safe_in_several_cases(rule: str, workshop: Workshop) -> None:
    """Lowering a level to be done with a test is a defect."""
    safe = [
        case
        for case in CASES.values()
        if any(rule in change.rules and change.level == "safe" for change in workshop.before(case).plan.changes)
    ]
    assert len(safe) >= 3, Counter(case.rule for case in safe)


@pytest.mark.parametrize("rule", RULES)
def test_the_example_of_a_rule_is_what_comes_out_of_it(
    rule: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """`fixes/<rule>/example/after` is `before` with the changes of the plan."""
    known = load_rules()[rule]
    example = FIXES / rule / "example"
    root = tmp_path / "ws"
    shutil.copytree(example / "before", root)
    planned = Planned.of(root, Options(unsafe=known.level != "safe", rewrite=rule == "duplicate-function"))
    assert any(rule in change.rules for change in planned.plan.changes)
    planned.write(root)
    if request.config.getoption("update_golden"):
        shutil.rmtree(example / "after", ignore_errors=True)
        shutil.copytree(root, example / "after")
    assert _texts(root) == _texts(example / "after")


def _texts(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
