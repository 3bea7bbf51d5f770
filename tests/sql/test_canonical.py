"""One text for an expression as it was written and as PostgreSQL prints it back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.sql.deparse import canonical
from remediate.sql.lookup import FoundRelation, NoLookup
from remediate.sql.parse import SqlSyntaxError, UnreadableSqlError, parse, parse_expression
from support.database import Database

COLUMNS = {
    "id": "integer", "big": "bigint", "tenant_id": "uuid", "status": "character varying(20)", "name": "text",
    "price": "numeric(10,2)", "rate": "double precision", "flag": "boolean", "at": "timestamp with time zone",
    "local": "timestamp without time zone", "day": "date", "data": "jsonb", "tags": "text[]", "span": "interval",
    "code": "character(3)",
}  # fmt: skip

WHOLE = [
    "tenant_id = current_setting('app.tenant')::uuid", "tenant_id = current_setting('app.tenant', TRUE)::UUID",
    "tenant_id::text = current_setting('app.tenant', true)", "(tenant_id) = ((current_setting('app.t'))::uuid)",
    "tenant_id = NULLIF(current_setting('app.t', true), '')::uuid", "CAST(tenant_id AS text) = 'x'",
    "tenant_id = (SELECT current_setting('app.t', true)::uuid)", "tenant_id = (select nullif('a', '')::uuid)",
    "tenant_id IS NULL OR tenant_id = '00000000-0000-0000-0000-0000000000AB'", "current_setting('a.b') = 'on'",
    "coalesce(current_setting('app.admin', true), 'false')::boolean", "current_user = 'app'", "user = 'x'",
    "EXISTS (SELECT 1 FROM t AS o WHERE o.id = t.id AND o.name = 'x')", "EXISTS (SELECT * FROM t x WHERE x.id = 1)",
    "id IN (SELECT id FROM t WHERE flag)", "id = ANY (SELECT x.id FROM t x)", "id NOT IN (SELECT x.id FROM t x)",
    "id > ALL (SELECT x.id FROM t x WHERE x.flag)", "(SELECT count(*) FROM t x WHERE x.id = t.id) > 0",
    "id = (SELECT max(x.id) FROM t x)", "id IN (SELECT x.id FROM t x JOIN t y ON y.id = x.id WHERE y.flag)",
    "id IN (SELECT x.id FROM t x LEFT JOIN t y USING (id) ORDER BY x.id DESC LIMIT 3)",
    "id IN (WITH q AS (SELECT id FROM t) SELECT q.id FROM q)", "EXISTS (SELECT DISTINCT name FROM t GROUP BY name)",
    "status IN ('a', 'b', 'c')", "status NOT IN ('a', 'b')", "status IN ('a')", "status = ANY (ARRAY['a', 'b'])",
    "status = ANY ('{a,b}'::text[])", "name = ANY (tags)", "'x' = ANY (tags)", "id IN (1, 2, 3)", "id IN (1, big)",
    "price IN (1, 2.5)", "tenant_id IN ('00000000-0000-0000-0000-000000000001', NULL)", "big = ANY (ARRAY[1, 2])",
    "status LIKE 'a%'", "name NOT LIKE '%b'", "name ILIKE 'x'", "name NOT ILIKE 'x'", "name ~ '^a'", "name !~* 'b'",
    "name SIMILAR TO 'a+'", "name LIKE 'a!%' ESCAPE '!'", "price BETWEEN 1 AND 10", "price NOT BETWEEN 1 AND 10.5",
    "id BETWEEN SYMMETRIC 3 AND 1", "day BETWEEN '2020-01-01' AND '2020-12-31'", "price > 0", "price > 0.5",
    "id > 0.5", "big = id", "price = id", "rate > 1", "rate > id", "price * 100 = round(price * 100)", "id / 2 = 1",
    "id::numeric / 3 > 1", "5::numeric / id > 1", "id / 3::numeric > 1", "-id < 5", "id - (big - 1) > 0",
    "(id - big) - 1 > 0", "id * (big + 1) > 0", "id % 2 = 0", "id ^ 2 > 4", "id = -1", "id = 3000000000", "+id = 1",
    "abs(id) < 3", "greatest(id, 5) = 5", "least(price, 1) > 0", "power(id, 2) < 3", "id & 1 = 1", "id = 1e3",
    "flag", "NOT flag", "flag IS TRUE", "flag IS NOT FALSE", "flag IS UNKNOWN", "NOT (flag AND id = 1)", "flag = 't'",
    "NOT flag OR id = 1 AND name = 'x'", "(flag OR id = 1) AND name = 'x'", "flag AND (id = 1 AND name = 'x')",
    "id IS DISTINCT FROM 3", "name IS NOT DISTINCT FROM 'x'", "(id IS NULL) <> (name IS NULL)", "(id = 1) = flag",
    "at > now()", "at > now() - interval '30 days'", "at < CURRENT_TIMESTAMP + '1 hour'::interval",
    "day = CURRENT_DATE",
    "at >= '2024-01-01'", "at > local", "day + 1 > day", "at AT TIME ZONE 'UTC' > local", "span > '90 minutes'",
    "extract(year FROM at) = 2024", "date_trunc('day', at) = at", "date_part('dow', day) = 1", "at::date = day",
    "span = INTERVAL '1 week 2 hours'", "at > local::timestamptz", "age(at) > '1 year'", "to_char(at, 'YYYY') = '2024'",
    "data ->> 'a' = 'x'", "(data -> 'a' ->> 'b')::int = 3", "data #>> '{a,b}' = 'x'", "data ? 'a'", "data @> '{}'",
    "jsonb_typeof(data) = 'object'", "data ->> 'tenant' = current_setting('app.t')", "(data->>'on')::boolean",
    "lower(status) = 'x'", "upper(name) || '-' || status = 'A-b'", "length(status) > 2", "trim(name) <> ''",
    "substring(name from 1 for 2) = 'ab'", "substr(name, 1) = 'x'", "position('a' in name) > 0",
    "left(status, 1) = 'x'",
    "name COLLATE \"C\" < 'z'", "concat(name, status) = 'x'", "status || name = 'x'", "status = name", "code = 'abc'",
    "status::text = 'x'", "name::varchar = status", "status::varchar(5) = 'x'", "coalesce(status, name) <> ''",
    "nullif(status, '') IS NOT NULL", "regexp_replace(status, 'a', 'b') = name", "md5(name) = 'x'", "name <> 'it''s'",
    "CASE WHEN flag THEN id > 1 ELSE true END", "CASE id WHEN 1 THEN flag END", "CASE WHEN flag THEN 'a' END = 'a'",
    "tags @> ARRAY['a']", "tags && '{a,b}'", "cardinality(tags) > 0", "tags[1] = 'x'", "array_length(tags, 1) > 0",
    "array_position(tags, 'x') IS NOT NULL", "tags = ARRAY[]::text[]", "string_to_array(name, ',') && tags",
    "(id, name) = (1, 'x')", "ROW(id, name) IS NOT NULL", "pg_has_role(current_user, 'postgres', 'member')",
]  # fmt: skip

TABLE = FoundRelation("public", "t", COLUMNS)


class _OneTable(NoLookup):
    def relation(self, schema: str | None, name: str) -> FoundRelation | None:
        return TABLE if name == "t" else None


def spelled(text: str) -> str:
    return canonical(text, _OneTable(), relations=[("t", TABLE)])


def test_every_expression_is_spelled_as_postgresql_prints_it_back(database: Database) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with database.connect() as connection:
        connection.execute(f"CREATE TABLE t ({columns})".encode())
        for number, text in enumerate(WHOLE):
            connection.execute(f"CREATE POLICY p{number} ON t USING ({text})".encode())
        connection.execute(b"SET search_path = pg_catalog")
        query = b"SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy"
        printed = dict(connection.execute(query).fetchall())
    different = [
        (text, spelled(text), spelled(printed[f"p{number}"]), printed[f"p{number}"])
        for number, text in enumerate(WHOLE)
        if spelled(text) != spelled(printed[f"p{number}"])
    ]
    assert different == []
    assert len(WHOLE) > 100


@pytest.mark.parametrize("text", WHOLE)
def test_the_canonical_spelling_is_its_own(text: str) -> None:
    assert spelled(spelled(text)) == spelled(text)


def test_what_is_no_expression_is_refused() -> None:
    for text in ("", "1; DROP TABLE t", "1, 2", "a FROM t", "a b c"):
        with pytest.raises(SqlSyntaxError):
            parse_expression(text)


@given(st.text(max_size=200))
def test_parsing_any_text_ends_in_statements_or_a_known_error(text: str) -> None:
    try:
        for statement in parse(text):
            data = text.encode()
            assert data[statement.offset : statement.offset + len(statement.text.encode())] == statement.text.encode()
    except (SqlSyntaxError, UnreadableSqlError):
        pass


def test_deep_nesting_is_read_or_said_to_be_too_deep() -> None:
    assert len(parse("SELECT " + "(SELECT " * 30 + "1" + ")" * 30)) == 1
    for text in ("SELECT " + "1+" * 5000 + "1", "SELECT " + "(" * 20000 + "1" + ")" * 20000):
        with pytest.raises((UnreadableSqlError, SqlSyntaxError)):
            parse(text)
