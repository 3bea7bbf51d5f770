from __future__ import annotations

from remediate.plan.reasons import condensed

SAYS = "names the table, and sets no tenant itself."


def test_what_is_said_of_many_files_is_said_once_where_it_was_said_first() -> None:
    files = [f"seeds/{number}.ts {SAYS}" for number in range(5)]
    assert condensed(["First.", *files, "Last."]) == (
        "First.",
        f"seeds/0.ts, seeds/1.ts, seeds/2.ts and 2 more: each {SAYS}",
        "Last.",
    )


def test_what_is_said_of_few_stays() -> None:
    reasons = (f"a/b.ts {SAYS}", f"a/c.ts {SAYS}", "a/d.ts names the table, and runs early.", "No code sets app.x.")
    assert condensed(reasons) == reasons
