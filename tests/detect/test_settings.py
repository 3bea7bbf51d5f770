"""What expressions and function bodies read, write and compare."""

from __future__ import annotations

import pytest

from remediate.detect.settings import comparisons, reads, returned_read, writes

PLAIN = {
    "a cast setting": "tenant_id = current_setting('app.t', true)::uuid",
    "as PostgreSQL deparses it": "(tenant_id = (current_setting('app.t'::text, true))::uuid)",
    "with NULLIF in a sub-select": "tenant_id = ( SELECT NULLIF(current_setting('app.t', true), '')::uuid AS x)",
    "the other way round": "current_setting('app.t')::uuid = orders.tenant_id",
    "inside EXISTS": "EXISTS (SELECT 1 FROM v WHERE v.id = o.v_id AND v.tenant_id = current_setting('app.t')::uuid)",
}


@pytest.mark.parametrize("case", PLAIN)
def test_a_plain_comparison_is(case: str) -> None:
    (found,) = comparisons(PLAIN[case])
    assert (found.columns, found.settings, found.plain) == (frozenset({"tenant_id"}), frozenset({"app.t"}), True)


NOT_PLAIN = {
    "a default": "tenant_id = COALESCE(current_setting('app.t', true)::uuid, other)",
    "a choice": "tenant_id = (CASE WHEN x THEN current_setting('app.t')::uuid END)",
    "an inequality": "tenant_id <> current_setting('app.t')::uuid",
    "IS DISTINCT FROM": "tenant_id IS DISTINCT FROM current_setting('app.t')::uuid",
    "a list": "tenant_id = ANY (string_to_array(current_setting('app.t'), ',')::uuid[])",
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_no_plain_comparison_is(case: str) -> None:
    (found,) = comparisons(NOT_PLAIN[case])
    assert (found.columns, found.plain) == (frozenset({"tenant_id"}), False)


def test_comments_and_strings_are_not_read() -> None:
    assert reads("-- current_setting('app.t')\nx = 'current_setting(''app.t'')'") == ()


def test_the_second_argument_decides_whether_it_may_be_missing() -> None:
    found = reads("current_setting('a') current_setting('b', true) current_setting('c', false)")
    assert [(read.setting, read.missing_ok) for read in found] == [("a", False), ("b", True), ("c", False)]


def test_all_ways_to_set_are_seen() -> None:
    body = """BEGIN
      PERFORM set_config('app.a', p_tenant::text, true);
      SET LOCAL app.b = 'x';
      EXECUTE format('SET LOCAL app.c = %L', p_tenant);
      UPDATE orders SET total = 1;
      SET LOCAL lock_timeout = '5s';
    END"""
    assert [write.setting for write in writes(body)] == ["app.a", "app.b", "app.c"]
    assert "p_tenant" in writes(body)[0].value


@pytest.mark.parametrize(
    ("body", "simple"),
    [
        ("SELECT NULLIF(current_setting('app.t', true), '')::uuid", True),
        ("BEGIN RETURN current_setting('app.t', true)::uuid; END;", True),
        ("BEGIN IF x THEN RETURN NULL; END IF; RETURN current_setting('app.t', true)::uuid; END;", False),
        ("BEGIN RETURN COALESCE(current_setting('app.t', true), 'none'); END;", False),
    ],
)
def test_a_function_that_only_returns_the_setting(body: str, simple: bool) -> None:
    assert (returned_read(body) is not None) == simple
