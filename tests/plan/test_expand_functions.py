# ruff: noqa: E501 (a function in one piece is easier to read than one in lines of a given width)
"""Functions that use a legacy setting answer the same after expand, and answer to the canonical name too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import psycopg
import pytest

from remediate.detect.duplicate_function import own_copy
from remediate.plan.planners.function_text import expand_function, rename_function, replacing, retarget_trigger
from remediate.postgres.database import create_database, drop_database
from remediate.postgres.server import Server
from remediate.replay.catalog import QName, Trigger
from support.database import Database

CANONICAL = "app.current_tenant_id"
LEGACY = ("app.current_tenant", "app.tenant_id")
A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"

READERS: Mapping[str, tuple[str, str]] = {
    "plain sql": (
        "CREATE FUNCTION f() RETURNS uuid LANGUAGE sql STABLE AS"
        " $$ SELECT NULLIF(current_setting('app.current_tenant', true), '')::uuid $$",
        "SELECT f()",
    ),
    "a body in single quotes": (
        "CREATE FUNCTION f() RETURNS uuid LANGUAGE sql AS"
        " 'SELECT nullif(current_setting(''app.current_tenant'', true), '''')::uuid'",
        "SELECT f()",
    ),
    "it raises when unset": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('app.tenant_id') $$",
        "SELECT f()",
    ),
    "the empty string stays one": (
        "CREATE FUNCTION f() RETURNS boolean LANGUAGE sql AS $$ SELECT current_setting('app.tenant_id', true) = '' $$",
        "SELECT f()",
    ),
    "is null": (
        "CREATE FUNCTION f() RETURNS boolean LANGUAGE sql AS"
        " $$ SELECT current_setting('app.tenant_id', true) IS NULL $$",
        "SELECT f()",
    ),
    "a cast": (
        "CREATE FUNCTION f() RETURNS uuid LANGUAGE sql AS $$ SELECT CURRENT_SETTING ( 'app.tenant_id' , TRUE ) :: uuid $$",
        "SELECT f()",
    ),
    "qualified": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT pg_catalog.current_setting('app.tenant_id', true) $$",
        "SELECT f()",
    ),
    "a variable": (
        "CREATE FUNCTION f() RETURNS uuid LANGUAGE plpgsql AS $$ DECLARE t uuid := current_setting('app.tenant_id',"
        " true)::uuid; BEGIN RETURN t; END $$",
        "SELECT f()",
    ),
    "an exception handler": (
        """CREATE OR REPLACE FUNCTION f() RETURNS uuid AS $body$
        BEGIN
          -- the tenant of current_setting('app.tenant_id')
          RETURN current_setting('app.current_tenant')::uuid;
        EXCEPTION WHEN OTHERS THEN RETURN NULL;
        END; $body$ LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog;""",
        "SELECT f()",
    ),
    "raises on another tenant": (
        "CREATE FUNCTION f(x text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN IF x <> current_setting('app.tenant_id')"
        " THEN RAISE EXCEPTION 'no'; END IF; RETURN x; END $$",
        f"SELECT f('{A}')",
    ),
    "coalesce to a default": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS"
        " $$ SELECT coalesce(nullif(current_setting('app.tenant_id', true), ''), 'nobody') $$",
        "SELECT f()",
    ),
    "both legacy names": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT coalesce(current_setting('app.current_tenant', true),"
        " current_setting('app.tenant_id', true)) $$",
        "SELECT f()",
    ),
    "nested calls": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS"
        " $$ SELECT lower(trim(both ' ' from current_setting('app.tenant_id', true))) $$",
        "SELECT f()",
    ),
    "a string that looks like a call": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS"
        " $$ SELECT 'current_setting(''app.tenant_id'')' || current_setting('app.tenant_id', true) $$",
        "SELECT f()",
    ),
    "an awkward dollar tag": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $x$ SELECT $$a$$ || current_setting('app.tenant_id', true) $x$",
        "SELECT f()",
    ),
    "a default of a parameter stays the author's": (
        "CREATE FUNCTION f(x text DEFAULT 'y') RETURNS text LANGUAGE sql AS"
        " $$ SELECT x || current_setting('app.tenant_id', true) $$",
        "SELECT f()",
    ),
    "rows": (
        "CREATE FUNCTION f() RETURNS SETOF integer LANGUAGE sql AS"
        " $$ SELECT id FROM things WHERE tenant = current_setting('app.tenant_id', true) $$",
        "SELECT array(SELECT f())",
    ),
    "a trigger function": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.tenant := current_setting('app.tenant_id', true); RETURN NEW; END $$",
        "CREATE TEMP TABLE t (tenant text); CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
        " INSERT INTO t VALUES (NULL); SELECT tenant FROM t",
    ),
    "a case": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN CASE current_setting('app.tenant_id', true)"
        " WHEN '' THEN 'empty' ELSE 'other' END; END $$",
        "SELECT f()",
    ),
    "a procedure": (
        "CREATE PROCEDURE f(INOUT x text) LANGUAGE plpgsql AS"
        " $$ BEGIN x := current_setting('app.tenant_id', true); END $$",
        "CALL f(NULL)",
    ),
    "dynamic SQL beside a plain read": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ DECLARE x text; BEGIN EXECUTE 'SELECT 1'; x :="
        " current_setting('app.tenant_id', true); RETURN x; END $$",
        "SELECT f()",
    ),
}

WRITERS: Mapping[str, tuple[str, str]] = {
    "set_config": (
        "CREATE FUNCTION f(t uuid) RETURNS void LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM set_config('app.current_tenant', t::text, true); END $$",
        "app.current_tenant",
    ),
    "set_config in sql": (
        "CREATE FUNCTION f(t uuid) RETURNS text LANGUAGE sql AS"
        " $$ SELECT set_config('app.tenant_id', $1::text, false) $$",
        "app.tenant_id",
    ),
    "it reads what it set": (
        "CREATE FUNCTION f(t uuid) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.tenant_id',"
        " coalesce(t::text, ''), true); RETURN current_setting('app.tenant_id'); END $$",
        "app.tenant_id",
    ),
}

UNTOUCHED = {
    "another setting": "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('app.user', true) $$",
    "a body without quotes": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql RETURN current_setting('app.tenant_id', true)"
    ),
    "a C function": "CREATE FUNCTION f() RETURNS text LANGUAGE c AS 'lib', 'current_setting'",
    "only a comment": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS"
    " $$ SELECT 1 -- current_setting('app.tenant_id')\n $$",
    "only dynamic SQL": (
        "CREATE FUNCTION f(t text) RETURNS void LANGUAGE plpgsql AS"
        " $$ BEGIN EXECUTE format('SET app.tenant_id = %L', t); END $$"
    ),
}


def expanded(statement: str) -> str:
    after = expand_function(statement, QName("public", "f"), CANONICAL, LEGACY)
    assert after is not None
    return after


@pytest.fixture(scope="module")
def empty(postgres: Server) -> Iterator[Database]:
    database = Database(postgres.endpoint, create_database(postgres.endpoint))
    database.run(f"CREATE TABLE things (id integer, tenant text); INSERT INTO things VALUES (1, '{A}'), (2, '{B}')")
    yield database
    drop_database(postgres.endpoint, database.name)


def _answer(database: Database, statement: str, question: str, **settings: str) -> object:
    """What the function answers in a new session with these settings (`.` written as `__`), or its SQLSTATE."""
    with database.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", (name.replace("__", "."), value))
        try:
            *before, last = question.split("; ")
            for sql in before:
                connection.execute(sql.encode())
            ((value,),) = connection.execute(last.encode()).fetchall()
        except psycopg.Error as error:
            return error.sqlstate
    return str(value)


@pytest.mark.parametrize("name", READERS)
def test_while_only_the_old_name_is_used_nothing_changes(empty: Database, name: str) -> None:
    before, question = READERS[name]
    after = expanded(before)
    assert after.startswith("CREATE OR REPLACE")
    for state in (
        {},
        {"app__tenant_id": "", "app__current_tenant": ""},
        {"app__tenant_id": A},
        {"app__current_tenant": A},
        {"app__tenant_id": A, "app__current_tenant": A},
        {"app__tenant_id": "", "app__current_tenant": B},
    ):
        assert _answer(empty, after, question, **state) == _answer(empty, before, question, **state), state


@pytest.mark.parametrize("name", READERS)
def test_the_canonical_name_counts_alike(empty: Database, name: str) -> None:
    before, question = READERS[name]
    both = {"app__tenant_id": A, "app__current_tenant": A}
    expected = _answer(empty, before, question, **both)
    assert _answer(empty, expanded(before), question, app__current_tenant_id=A) == expected
    assert _answer(empty, expanded(before), question, app__current_tenant_id=A, **both) == expected


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_sets_both_names(empty: Database, name: str) -> None:
    before, setting = WRITERS[name]
    after = expanded(before)
    question = f"SELECT f('{A}')"
    assert _answer(empty, after, question) == _answer(empty, before, question)
    for read in (setting, CANONICAL):
        assert _answer(empty, after, f"{question}; SELECT current_setting('{read}', true)") == A
    # Within the same scope: what ends with the transaction does so under both names.
    with empty.connect() as connection:
        connection.execute(after.encode())
        connection.execute(question.encode())
        left = connection.execute(
            "SELECT current_setting(%s, true), current_setting(%s, true)", (setting, CANONICAL)
        ).fetchone()
        connection.execute("DROP FUNCTION f(uuid)")
    assert left is not None
    assert left[0] == left[1]


@pytest.mark.parametrize("name", UNTOUCHED)
def test_what_cannot_be_expanded_is_not(name: str) -> None:
    assert expand_function(UNTOUCHED[name], QName("public", "f"), CANONICAL, LEGACY) is None


@pytest.mark.parametrize("name", READERS)
def test_expanding_twice_is_expanding_once_in_what_it_answers(empty: Database, name: str) -> None:
    before, question = READERS[name]
    twice = expanded(expanded(before))
    for state in ({}, {"app__tenant_id": A}, {"app__current_tenant_id": B}):
        assert _answer(empty, twice, question, **state) == _answer(empty, expanded(before), question, **state)


@pytest.mark.parametrize("name", READERS)
def test_what_down_puts_back_is_the_function_as_it_was(empty: Database, name: str) -> None:
    before, _ = READERS[name]
    definition = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'f'"
    with empty.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(before.encode())
        original = connection.execute(definition.encode()).fetchall()
        connection.execute(expanded(before).encode())
        assert connection.execute(definition.encode()).fetchall() != original
        connection.execute(replacing(before, QName("public", "f")).encode())
        assert connection.execute(definition.encode()).fetchall() == original


@pytest.mark.parametrize("name", READERS)
def test_a_copy_under_another_name_is_the_same_function(empty: Database, name: str) -> None:
    before, _ = READERS[name]
    body = "SELECT prosrc, proconfig, prosecdef, provolatile FROM pg_proc WHERE proname = '{}'"
    with empty.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(before.encode())
        connection.execute(rename_function(before, QName("public", 'orders "f"')).encode())
        copies = [connection.execute(body.format(one).encode()).fetchall() for one in ("f", 'orders "f"')]
        assert copies[0] == copies[1] != []
        with pytest.raises(psycopg.errors.DuplicateFunction), connection.transaction():
            connection.execute(rename_function(before, QName("public", "f")).encode())


@pytest.mark.parametrize(
    ("service", "name"),
    [("order-service", "order_touch"), ("Payments.api", "payments_api_touch"), ("x" * 70, "x" * 63)],
)
def test_a_copy_is_named_after_its_service(service: str, name: str) -> None:
    assert own_copy(QName("public", "touch"), service) == QName("public", name)


TRIGGERS = [
    "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
    'CREATE TRIGGER touch BEFORE UPDATE OF id, "on" ON public.orders FOR EACH ROW'
    " WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION public.touch('(', 'ON orders')",
    "CREATE CONSTRAINT TRIGGER touch AFTER INSERT OR DELETE ON orders DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION touch()",
    'CREATE TRIGGER touch AFTER UPDATE ON orders REFERENCING NEW TABLE AS "ON" FOR EACH STATEMENT'
    " EXECUTE FUNCTION touch()",
]


@pytest.mark.parametrize("definition", TRIGGERS)
def test_a_trigger_gets_another_function_and_qualified_names(empty: Database, definition: str) -> None:
    trigger = Trigger(QName("public", "orders"), "touch", QName("public", "touch"), "before", (), definition, ())
    shown = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'touch'"
    with empty.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute('CREATE TABLE orders (id integer, "on" text)')
        for name in ("touch", '"Orders_touch"'):
            connection.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'".encode())
        connection.execute(definition.encode())
        before = connection.execute(shown).fetchone()
        connection.execute("SET LOCAL search_path = pg_catalog")
        for function in ("touch", "Orders_touch", "touch"):
            connection.execute("DROP TRIGGER touch ON public.orders")
            connection.execute(retarget_trigger(trigger, QName("public", function)).encode())
        connection.execute("SET LOCAL search_path = public")
        assert connection.execute(shown).fetchone() == before
