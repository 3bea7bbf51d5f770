from __future__ import annotations

import re

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


CAUSE = "through db: knex(…) (src/db.ts:3) is a connection for which no tenant is set."


def test_accesses_that_say_the_same_are_one_sentence() -> None:
    reasons = [f"src/a.ts:{line} reaches it {CAUSE}" for line in (1, 5, 9, 12)]
    assert condensed([*reasons, "Last."]) == (
        f"src/a.ts:1, src/a.ts:5, src/a.ts:9 and 1 more: each reaches it {CAUSE}",
        "Last.",
    )


def test_an_access_by_way_of_a_constant_is_listed_where_it_is() -> None:
    reasons = [f"src/tables.ts:1 reaches it, in src/a.ts:{line}, {CAUSE}" for line in (3, 7)]
    assert condensed(reasons) == (f"src/a.ts:3 and src/a.ts:7: each reaches it {CAUSE}",)
    assert condensed(reasons[:1]) == (reasons[0],)


def test_of_many_accesses_the_most_telling_ones_are_shown_and_the_rest_is_counted() -> None:
    unknown = [f"src/u.ts:{line} reaches it through x{line}: x{line} is not followed." for line in range(9)]
    known = [f"src/k.ts:{line} reaches it {CAUSE}" for line in (1, 2)]
    found = condensed(["First.", *unknown, *known, "Last."])
    assert found[:2] == ("First.", f"src/k.ts:1 and src/k.ts:2: each reaches it {CAUSE}")
    assert found[2:6] == tuple(unknown[:4])
    assert found[6:] == ("5 more places reach it that are not proven to set a tenant.", "Last.")


def test_every_access_is_shown_or_counted() -> None:
    reasons = [f"src/a{line}.ts:{line} names it and {word}." for line in range(30) for word in ("ends", "goes on")]
    reasons += [f"src/b.ts:{line} reaches it through c{line}: d." for line in range(7)]
    found = condensed(reasons)
    counted = sum(int(match[1]) for one in found if (match := re.match(r"(\d+) more places", one)))
    named = [re.findall(r"src/\w+\.ts:\d+", one) for one in found]
    more = [int(match[1]) for one in found if (match := re.search(r"and (\d+) more: each", one))]
    assert counted + sum(more) + sum(map(len, named)) == len(reasons)
