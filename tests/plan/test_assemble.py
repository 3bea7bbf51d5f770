"""Which repairs share a file, and in which order the files come."""

from __future__ import annotations

from detect.builders import Database
from remediate.detect.detect import detect
from remediate.plan.assemble import MOST_AT_ONCE, MOST_IN_FILE
from remediate.plan.model import MigrationPlan, Options
from remediate.plan.operations import ForceRls, RequireTable
from remediate.plan.plan import plan


def files(database: Database, *, unsafe: bool = False) -> tuple[MigrationPlan, ...]:
    facts = database.setting_code().facts()
    return plan(facts, detect(facts), Options(unsafe=unsafe)).migrations


def unforced(number: int) -> Database:
    database = Database().table("tenants", tenant=False)
    for index in range(number):
        database.protected(f"t{index:03}")
    return database


def test_few_tables_are_changed_at_one_stroke() -> None:
    (file,) = files(unforced(MOST_AT_ONCE))
    assert (file.transactional, len(file.steps)) == (True, 1)


def test_more_tables_take_a_transaction_each() -> None:
    (file,) = files(unforced(MOST_AT_ONCE + 1).table("bare"))
    assert (file.transactional, len(file.steps)) == (False, MOST_AT_ONCE + 2)
    assert all(len({lock.relation for operation in step for lock in operation.locks()}) == 1 for step in file.steps)
    assert [len(step) for step in file.steps] == [3] + [1] * (MOST_AT_ONCE + 1), "what only takes FORCE is last"


def test_no_file_is_too_long_to_review() -> None:
    found = files(unforced(2 * MOST_IN_FILE + 1))
    assert [len(file.steps) for file in found] == [27, 27, 27]
    assert [len(file.findings) for file in found] == [27, 27, 27]
    forced = [operation.table for file in found for operation in file.operations if isinstance(operation, ForceRls)]
    assert len(forced) == len(set(forced)) == 2 * MOST_IN_FILE + 1


def test_columns_come_before_what_is_forced_and_what_checks_first_comes_last() -> None:
    database = unforced(2).view("v", "t000").protected("doubtful")
    database.table("items", {"t000_id": "uuid"}, tenant=False).reference("items", "t000_id", "t000")
    database.refusal("42703", 'column "x" does not exist', subjects=["doubtful"])
    safe, column, forced, guarded = files(database, unsafe=True)
    assert [file.level for file in (safe, column, forced, guarded)] == ["safe", "unsafe", "unsafe", "unsafe"]
    assert [file.slug for file in (column, forced, guarded)] == [
        "add_tenant_id_to_items",
        "force_row_level_security",
        "force_row_level_security_for_doubtful",
    ]
    assert [type(operation) for operation in guarded.operations] == [RequireTable, ForceRls]
    assert (guarded.transactional, len(guarded.steps)) == (False, 1)


def test_what_the_same_statement_may_have_touched_shares_a_file() -> None:
    database = unforced(0).protected("a").protected("b").protected("c")
    database.refusal("42703", 'column "x" does not exist', subjects=["a", "b"])
    database.refusal("42703", 'column "y" does not exist', subjects=["c"])
    found = files(database, unsafe=True)
    assert [file.slug for file in found] == [
        "force_row_level_security_for_a_and_1_more",
        "force_row_level_security_for_c",
    ]
