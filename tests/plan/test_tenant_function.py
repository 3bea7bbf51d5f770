"""A new policy asks the function that its siblings ask, where that surely reads the setting and does no more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from remediate.plan.model import Options
from support.golden import GOLDEN, Planned

CASE = GOLDEN / "missing-rls" / "siblings-ask-a-function-for-the-tenant"
MIGRATION = Path("services", "orders", "migrations", "20260105090000_create_orders.ts")
BODY = "SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid"
POLICY = "CREATE POLICY orders_tenant ON orders USING (tenant_id = auth.tenant_id())"


def written(folder: Path, old: str, new: str) -> str:
    """What is emitted for the golden case with one change of its migration."""
    shutil.copytree(CASE / "services", folder / "services")
    text = (folder / MIGRATION).read_text()
    assert text.count(old) == 1
    (folder / MIGRATION).write_text(text.replace(old, new))
    text = "".join(change.text for change in Planned.of(folder, Options(unsafe=True)).added)
    assert " ON public.order_items\n" in text
    return text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BODY, BODY + ";"),
        (BODY, BODY.lower()),
        (BODY, f"{BODY.replace('SELECT', 'SELECT (')})"),
        (
            f"LANGUAGE sql STABLE AS $$\n      {BODY}",
            f"LANGUAGE plpgsql STABLE AS $$ BEGIN {BODY.replace('SELECT', 'RETURN')}; END",
        ),
        (POLICY, POLICY.replace("auth.tenant_id()", "(SELECT auth.tenant_id())")),
    ],
)  # fmt: skip
def test_the_siblings_function_is_asked(tmp_path: Path, old: str, new: str) -> None:
    assert "USING (tenant_id = (SELECT auth.tenant_id()))" in written(tmp_path, old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(BODY, BODY.replace(", true", ""), id="it raises without a tenant"),
        pytest.param(BODY, BODY.replace("NULLIF(", "(").replace(", '')", ")"), id="it raises on the empty string"),
        pytest.param(BODY, f"SELECT COALESCE({BODY[7:]}, gen_random_uuid())", id="it has a fallback"),
        pytest.param(POLICY, f"{POLICY[:-1]} OR current_user IS NULL)", id="the policy says more"),
        pytest.param(
            POLICY, POLICY + "');\n  await knex.raw('CREATE POLICY second ON orders USING (tenant_id IS NOT NULL)",
            id="another policy asks something else",
        ),
        pytest.param("LANGUAGE sql STABLE AS", "LANGUAGE sql STABLE SET search_path = auth AS", id="it sets something"),
    ],
)  # fmt: skip
def test_anything_else_is_not(tmp_path: Path, old: str, new: str) -> None:
    assert "(SELECT auth.tenant_id())" not in written(tmp_path, old, new)
