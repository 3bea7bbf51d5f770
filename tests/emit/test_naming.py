"""The names of new files: the service's own scheme, and always after everything that is there."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediate.emit.naming import next_names

TODAY = date(2026, 3, 5)

SCHEMES = {
    "three digits": (["001_a.ts", "002_b.ts"], ["003_repair_it.ts", "004_and_that.ts"]),
    "two digits and a hyphen": (["01-first-thing.ts"], ["02-repair-it.ts", "03-and-that.ts"]),
    "a day before the commit": (["20260103_add_rls.ts"], ["20260305_repair_it.ts", "20260306_and_that.ts"]),
    "a day after the commit": (["20260401_add_rls.ts"], ["20260402_repair_it.ts", "20260403_and_that.ts"]),
    "the last day of a year": (["20261231_a.ts"], ["20270101_repair_it.ts", "20270102_and_that.ts"]),
    "Knex's own": (
        ["20240917164841_create_orders.ts"],
        ["20260305000000_repair_it.ts", "20260305000100_and_that.ts"],
    ),
    "Knex's own, after the commit": (
        ["20260917235930_create_orders.ts"],
        ["20260918000030_repair_it.ts", "20260918000130_and_that.ts"],
    ),
    "to the minute": (["202601011230_x_y.ts"], ["202603050000_repair_it.ts", "202603050001_and_that.ts"]),
    "milliseconds since 1970": (["1699999999999_a_b.ts"], ["1700000000000_repair_it.ts", "1700000000001_and_that.ts"]),
    "no date although eight digits": (["20261399_a.ts"], ["20261400_repair_it.ts", "20261401_and_that.ts"]),
    "camel case": (["001_createOrders.ts"], ["002_repairIt.ts", "003_andThat.ts"]),
    "no scheme": (["create_orders.ts"], ["zz_repair_it.ts", "zz_repair_it_and_that.ts"]),
    "numbers and dates, dates last": (
        ["001_a.ts", "20260103_b.ts"],
        ["20260305_repair_it.ts", "20260306_and_that.ts"],
    ),
    "an empty folder": ([], ["20260305000000_repair_it.ts", "20260305000100_and_that.ts"]),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_is_continued(scheme: str) -> None:
    existing, expected = SCHEMES[scheme]
    assert next_names(existing, ["repair_it", "and_that"], ".ts", TODAY) == expected


def test_a_counter_that_overflows_its_width_still_sorts_last() -> None:
    """In string order `10_` stands before `9_`."""
    existing = ["8_a.ts", "9_b.ts"]
    names = next_names(existing, ["repair"], ".ts", TODAY)
    assert sorted([*existing, *names])[-1] == names[0]


_PREFIXES = st.one_of(
    st.integers(0, 12000).map(lambda n: f"{n:03d}_"),
    st.integers(0, 120).map(lambda n: f"{n}-"),
    st.dates(date(1999, 1, 1), date(2030, 12, 31)).map(lambda d: f"{d:%Y%m%d}_"),
    st.datetimes().map(lambda d: f"{d:%Y%m%d%H%M%S}_".zfill(15)),
    st.integers(10**12, 10**13 - 1).map(lambda n: f"{n}_"),
    st.just("V"),
    st.just(""),
)
_SLUGS = st.text(string.ascii_letters + string.digits + "_-.~zé{", min_size=1, max_size=12)
_NAMES = st.builds(lambda prefix, slug, end: prefix + slug + end, _PREFIXES, _SLUGS, st.sampled_from([".ts", ".js"]))


@settings(max_examples=1000, deadline=None)
@given(st.lists(_NAMES, max_size=6, unique=True), st.lists(_SLUGS, min_size=1, max_size=4), st.dates())
def test_new_names_sort_after_all_others_in_their_order(existing: list[str], slugs: list[str], today: date) -> None:
    """By UTF-16 code unit, as JavaScript sorts and therefore Knex."""
    names = next_names(existing, slugs, ".ts", today)

    def order(name: str) -> bytes:
        return name.encode("utf-16-be")

    assert sorted([*existing, *names], key=order) == [*sorted(existing, key=order), *names]
    assert len(set(names) | set(existing)) == len(names) + len(existing)


@pytest.mark.parametrize(
    ("slug", "written"),
    [("add_x_to_Line Items", "add_x_to_line_items"), ("../../up", "up"), ("größe", "gr_e"), ("日本", "repair")],
)
def test_a_table_with_any_name_gives_a_plain_file_name(slug: str, written: str) -> None:
    assert next_names(["001_a.ts"], [slug], ".ts", TODAY) == [f"002_{written}.ts"]


@pytest.mark.parametrize("name", ["9a.ts", "9_zzz.ts", "99991231235959_a.ts", "zzz", "00010101_a.ts", "9"])
def test_the_strangest_names_are_followed_too(name: str) -> None:
    (follower,) = next_names([name], ["a"], ".ts", TODAY)
    assert follower > name


@given(st.lists(_NAMES, max_size=6, unique=True), st.dates(), st.randoms())
def test_the_order_in_which_files_were_found_does_not_matter(existing: list[str], today: date, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(existing, len(existing))
    assert next_names(shuffled, ["a"], ".ts", today) == next_names(existing, ["a"], ".ts", today)
