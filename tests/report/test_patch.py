"""The changes alone: as a patch, and as the SQL that they send."""

from __future__ import annotations

from remediate.plan.operations import Lock
from remediate.plan.tenant_column import BINDING
from remediate.replay.catalog import QName
from remediate.report.patch import patch, sql
from report.plans import change, fix


def test_a_patch_is_the_diffs_one_after_another() -> None:
    first, second = change(fix("a")), change(fix("b"), path="services/shop/migrations/003.ts")
    text = patch([first, second], "sub/")
    assert text.count("diff --git a/sub/services/shop/migrations/00") == 2
    assert text.endswith("+text\n")
    assert patch([], "sub/") == ""


def test_sql_keeps_short_statements_together() -> None:
    one = change(
        fix("a"),
        sql=(
            "ALTER TABLE a ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE a FORCE ROW LEVEL SECURITY",
            "CREATE\n  VIEW v",
            "SELECT 1",
        ),
        locks=(Lock(QName("public", "a"), "ACCESS EXCLUSIVE"), Lock(QName("public", "a"), "ACCESS EXCLUSIVE")),
    )
    assert sql([one]) == (
        "-- services/shop/migrations/002_force.ts\n"
        "-- shop: rls-not-forced (safe, one transaction, ACCESS EXCLUSIVE on 1 table)\n"
        "ALTER TABLE a ENABLE ROW LEVEL SECURITY;\n"
        "ALTER TABLE a FORCE ROW LEVEL SECURITY;\n"
        "\n"
        "CREATE\n  VIEW v;\n"
        "\n"
        "SELECT 1;\n"
        "\n"
    )


def test_sql_names_what_a_loop_binds_and_leaves_edits_out() -> None:
    loop = change(fix("a"), sql=(f"UPDATE a SET b = 1 WHERE id > {BINDING}",), transaction=False)
    edit = change(fix("b"), kind="rewrite", before="old\n", sql=())
    text = sql([loop, edit])
    assert "id > $page;\n" in text
    assert "a transaction per step" in text
    assert text.count("-- services/") == 1
