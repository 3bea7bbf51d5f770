from __future__ import annotations

from pathlib import Path

import pytest

from remediate.source.neighbours import neighbours


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_ts", ".ts").replace("_js", ".js").replace("_sql", ".sql")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    write(
        tmp_path,
        services__users__migrations__001_ts="await knex.raw('UPDATE Orders'); // invoices",
        services__stats__knexfile_js="",
        services__stats__src__report_ts="db('payments'); const refunds = `x`",
        services__stats__node_modules__a__b_js="'carts'",
        services__stats__views_sql="SELECT FROM ledger",
        services__orders__migrations__001_ts="'own'",
        services__web__index_ts="'orders'",
        docs__a_ts="",
    )
    return tmp_path


def test_services_that_lie_beside_it(platform: Path) -> None:
    found = {one.name: one.words for one in neighbours(platform / "services" / "orders")}
    assert list(found) == ["stats", "users"]
    assert "orders" in found["users"]
    assert "invoices" not in found["users"], "a comment does nothing"
    assert found["stats"] & {"payments", "refunds", "carts", "ledger"} == {"payments", "ledger"}


def test_from_within_a_service_too(platform: Path) -> None:
    assert [one.name for one in neighbours(platform / "services" / "orders" / "migrations")] == ["stats", "users"]


def test_the_whole_platform_has_none(platform: Path) -> None:
    assert neighbours(platform / "services") == ()
    assert neighbours(platform) == ()


def test_nothing_is_looked_for_outside_of_a_repository(tmp_path: Path) -> None:
    write(tmp_path, a__migrations__001_ts="", b__migrations__001_ts="")
    assert neighbours(tmp_path / "a") == ()
    (tmp_path / "a" / ".git").mkdir()
    assert neighbours(tmp_path / "a") == ()


def test_what_cannot_be_read_is_not_there(platform: Path) -> None:
    loop = platform / "services" / "loop"
    loop.symlink_to(platform / "services")
    (platform / "services" / "users" / "migrations" / "gone.ts").symlink_to("nowhere")
    assert [one.name for one in neighbours(platform / "services" / "orders")] == ["stats", "users"]
