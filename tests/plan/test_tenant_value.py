"""What the SQL of the session's tenant answers, for every state of the settings, to a role that RLS binds."""

from __future__ import annotations

from itertools import groupby, product

import psycopg
import pytest

from remediate.plan.tenant_value import cast_type, session_tenant
from support.database import Database

A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
VALUES = {
    "uuid": (A, B),
    "text": ("acme", "umbrella"),
    "integer": ("17", "42"),
    "character varying(4)": ("acme", "acme2"),
}
NAMES = {
    "one name": ("app.current_tenant_id",),
    "two names": ("app.current_tenant_id", "app.current_tenant"),
    "three names": ("app.current_tenant_id", "app.current_tenant", "app.tenant_id"),
    "two names that end alike": ("app.tenant_id", "my.tenant_id"),
    "a name that is a key word": ("app.tenant_id", "app.user"),
}


@pytest.fixture
def tenants(database: Database) -> Database:
    database.run("CREATE ROLE reader; GRANT reader TO CURRENT_USER")
    return database


def _table(database: Database, names: tuple[str, ...], type_: str) -> str:
    """A table with a row of each tenant and one without, isolated by the value; the value's SQL."""
    value = session_tenant(names, cast_type(type_))
    rows = ", ".join(f"('{value}')" for value in _stored(type_))
    database.run(
        f"""CREATE TABLE things (tenant_id {type_});
        INSERT INTO things VALUES {rows}, (NULL);
        GRANT SELECT ON things TO reader;
        ALTER TABLE things ENABLE ROW LEVEL SECURITY;
        CREATE POLICY isolation ON things USING (tenant_id = {value})"""
    )
    return value


def _stored(type_: str) -> list[str]:
    """The tenants that have a row. "acme2" fits no varchar(4): cut to four characters it would be another one's key."""
    return [value for value in VALUES[type_] if type_ != "character varying(4)" or len(value) <= 4]


@pytest.mark.parametrize("type_", VALUES)
@pytest.mark.parametrize("naming", NAMES)
def test_truth_table(tenants: Database, naming: str, type_: str) -> None:
    names = NAMES[naming]
    value = _table(tenants, names, type_)
    states = list(product((None, "", *VALUES[type_]), repeat=len(names)))
    # What was set once in a session is never unset again, only empty: states with the same names unset share one.
    for unset, group in groupby(sorted(states, key=_unset), key=_unset):
        with tenants.connect() as connection:
            connection.execute("SET ROLE reader")
            for state in group:
                for name, value_given in zip(names, state, strict=True):
                    if value_given is not None:
                        connection.execute("SELECT set_config(%s, %s, false)", (name, value_given))
                given = {one for one in state if one}
                expected = given.pop() if len(given) == 1 else None
                ((answer,),) = connection.execute(f"SELECT {value}::text".encode()).fetchall()
                rows = connection.execute("SELECT tenant_id::text FROM things").fetchall()
                assert answer == expected, (state, unset)
                assert rows == ([(expected,)] if expected in _stored(type_) else []), state


def _unset(state: tuple[str | None, ...]) -> tuple[bool, ...]:
    return tuple(value is None for value in state)


@pytest.mark.parametrize("naming", NAMES)
def test_it_is_evaluated_once_and_not_per_row(tenants: Database, naming: str) -> None:
    _table(tenants, NAMES[naming], "uuid")
    with tenants.connect() as connection:
        connection.execute("SET ROLE reader")
        plan = "\n".join(line for (line,) in connection.execute("EXPLAIN SELECT * FROM things"))
    assert "InitPlan" in plan
    assert "current_setting" not in plan.split("InitPlan")[0]


@pytest.mark.parametrize("naming", NAMES)
def test_after_the_transaction_that_set_it_nobody_is_there(tenants: Database, naming: str) -> None:
    """The setting is the empty string then, which is no uuid."""
    value = _table(tenants, NAMES[naming], "uuid")
    with tenants.connect() as connection:
        connection.execute("SET ROLE reader")
        with connection.transaction():
            for name in NAMES[naming]:
                connection.execute("SELECT set_config(%s, %s, true)", (name, A))
            assert connection.execute("SELECT count(*) FROM things").fetchone() == (1,)
        assert connection.execute(f"SELECT {value}".encode()).fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)


def test_what_is_no_tenant_is_an_error_and_not_everything(tenants: Database) -> None:
    _table(tenants, NAMES["two names"], "uuid")
    with tenants.connect() as connection:
        connection.execute("SET ROLE reader")
        connection.execute("SELECT set_config('app.current_tenant', 'everybody', false)")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT * FROM things")


@pytest.mark.parametrize(
    ("column", "cast"),
    [
        ("uuid", "uuid"),
        ("bigint", "bigint"),
        ("text", "text"),
        ("character varying(8)", "text"),
        ("character(2)", "text"),
        ("numeric(10,0)", "numeric(10,0)"),
    ],
)
def test_character_types_are_compared_as_text(column: str, cast: str) -> None:
    assert cast_type(column) == cast
