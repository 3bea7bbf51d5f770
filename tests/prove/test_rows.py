"""Rows for tables that nobody knows: every constraint that PostgreSQL has, satisfied or named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from remediate.config.model import Config
from remediate.detect.facts import gather
from remediate.postgres.introspect import introspect
from remediate.postgres.wire import Wire
from remediate.prove.rows import Filled, fill
from remediate.prove.shapes import read_shapes
from remediate.prove.tenants import UUIDS
from remediate.replay.catalog import QName, Replayed
from support.database import Database

TENANTS = "CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL UNIQUE);"


def filled(database: Database, schema: str) -> Filled:
    database.run(TENANTS + schema)
    with database.connect() as connection:
        catalog = introspect(connection)
    with Wire(database.endpoint, database.name) as wire:
        return fill(wire, read_shapes(wire), gather(Replayed("shop", catalog), [], Config()))


FILLABLE = {
    "types": """CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN cents AS int NOT NULL CHECK (VALUE > 99);
        CREATE TABLE t (id serial PRIMARY KEY, tenant_id uuid NOT NULL, a mood NOT NULL, b cents, c varchar(2) NOT NULL,
        d numeric(2,2) NOT NULL, e jsonb NOT NULL, f inet NOT NULL, g text[] NOT NULL, h tstzrange NOT NULL,
        i bytea NOT NULL, j interval NOT NULL, k point NOT NULL, l bit(3) NOT NULL, m time NOT NULL, n "char" NOT NULL,
        o money NOT NULL, q tsvector NOT NULL, r macaddr NOT NULL, s boolean NOT NULL, u date NOT NULL)""",
    "a check on a list": "CREATE TABLE t (tenant_id uuid, state text NOT NULL CHECK (state IN ('open', 'shut')))",
    "checks that share columns": """CREATE TABLE t (tenant_id uuid, low int NOT NULL CHECK (low > 41),
        high int NOT NULL CHECK (high < 60), CHECK (low < high), kind text NOT NULL CHECK (length(kind) = 3))""",
    "a check with a pattern": """CREATE TABLE t (tenant_id uuid,
        email text NOT NULL CHECK (email ~ '^[^@]+@[^@]+[.]com$'))""",
    "a check on dates": """CREATE TABLE t (tenant_id uuid, starts date NOT NULL CHECK (starts < '2021-01-01'),
        ends date NOT NULL, CHECK (ends > starts))""",
    "a check that a default breaks": "CREATE TABLE t (tenant_id uuid, n int NOT NULL DEFAULT 0 CHECK (n > 0))",
    "a unique key over a list": """CREATE TABLE t (tenant_id uuid NOT NULL, day text NOT NULL
        CHECK (day IN ('monday', 'tuesday', 'friday')), UNIQUE (tenant_id, day))""",
    "one true flag a tenant": """CREATE TABLE t (tenant_id uuid NOT NULL, main boolean NOT NULL DEFAULT true);
        CREATE UNIQUE INDEX one_main ON t (tenant_id) WHERE main""",
    "an exclusion": """CREATE EXTENSION btree_gist;
        CREATE TABLE t (tenant_id uuid NOT NULL, room int NOT NULL DEFAULT 1,
            at daterange NOT NULL, EXCLUDE USING gist (room WITH =, at WITH &&))""",
    "identity and generated": """CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid,
        n int NOT NULL, twice int GENERATED ALWAYS AS (n * 2) STORED)""",
    "partitions by list": """CREATE TABLE t (tenant_id uuid, place text NOT NULL) PARTITION BY LIST (place);
        CREATE TABLE t_north PARTITION OF t FOR VALUES IN ('north');
        CREATE TABLE t_south PARTITION OF t FOR VALUES IN ('south')""",
    "a tree": "CREATE TABLE t (id uuid PRIMARY KEY, tenant_id uuid, parent_id uuid REFERENCES t)",
    "a tree with a root that is its own": """CREATE TABLE t (id uuid PRIMARY KEY, tenant_id uuid,
        up uuid NOT NULL REFERENCES t)""",
    "a circle": """CREATE TABLE s (id uuid PRIMARY KEY, tenant_id uuid, t_id uuid NOT NULL);
        CREATE TABLE t (id uuid PRIMARY KEY, tenant_id uuid, s_id uuid NOT NULL REFERENCES s);
        ALTER TABLE s ADD FOREIGN KEY (t_id) REFERENCES t""",
    "composite keys": """CREATE TABLE s (tenant_id uuid REFERENCES tenants, id int, PRIMARY KEY (tenant_id, id));
        CREATE TABLE t (tenant_id uuid, s_id int NOT NULL, FOREIGN KEY (tenant_id, s_id) REFERENCES s)""",
    "one of two references, by a kind": """CREATE TABLE s (id int PRIMARY KEY, tenant_id uuid);
        CREATE TABLE t (tenant_id uuid, kind text NOT NULL, a int REFERENCES s, b int REFERENCES s,
            CHECK ((kind = 'a' AND a IS NOT NULL AND b IS NULL) OR (kind = 'b' AND b IS NOT NULL AND a IS NULL)))""",
    "two references to different rows": """CREATE TABLE s (tenant_id uuid, id int, PRIMARY KEY (tenant_id, id));
        CREATE TABLE t (tenant_id uuid, a int NOT NULL, b int NOT NULL, CHECK (a <> b),
            FOREIGN KEY (tenant_id, a) REFERENCES s, FOREIGN KEY (tenant_id, b) REFERENCES s)""",
    "one to one": """CREATE TABLE s (id uuid PRIMARY KEY, tenant_id uuid REFERENCES tenants);
        CREATE TABLE t (s_id uuid PRIMARY KEY REFERENCES s, tenant_id uuid)""",
    "a trigger that refuses": """CREATE TABLE t (id uuid PRIMARY KEY, tenant_id uuid);
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
        CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION no()""",
}


@pytest.mark.parametrize("schema", FILLABLE.values(), ids=FILLABLE)
def test_rows_of_both_tenants(schema: str, database: Database) -> None:
    done = filled(database, schema)
    assert done.reasons == {}
    assert len(done.rows[QName("public", "t")]) == 4
    assert database.run("SELECT tenant_id::text, count(*) FROM t GROUP BY 1 ORDER BY 1") == [
        (UUIDS[0], 2),
        (UUIDS[1], 2),
    ]


def test_references_hold_although_some_were_made_without_looking(database: Database) -> None:
    filled(database, FILLABLE["a circle"])
    assert database.value("SELECT count(*) FROM s JOIN t ON t.id = s.t_id AND s.id = t.s_id") == 4


def test_a_table_of_one_row_is_given_to_the_first_tenant(database: Database) -> None:
    done = filled(
        database,
        "CREATE TABLE t (id int PRIMARY KEY DEFAULT 1 CHECK (id = 1), tenant_id uuid);"
        " INSERT INTO t (tenant_id) VALUES (gen_random_uuid())",
    )
    assert list(done.rows[QName("public", "t")]) == [0]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("CREATE TABLE t (tenant_id uuid, n int NOT NULL CHECK (n > 5 AND n < 5))", "check constraint"),
        ("CREATE TABLE t (tenant_id uuid, n int NOT NULL CHECK (n > 5 AND n < 5))", "t_n_check"),
        (
            "CREATE TYPE pair AS (a int); CREATE TABLE t (tenant_id uuid, p pair NOT NULL)",
            "no value is known for p of type public.pair",
        ),
        (
            "CREATE TABLE s (id int PRIMARY KEY CHECK (id IS NULL));"
            " CREATE TABLE t (tenant_id uuid, s int NOT NULL REFERENCES s)",
            "it refers to public.s, which has no rows",
        ),
    ],
)
def test_what_cannot_be_filled_has_a_reason(schema: str, said: str, database: Database) -> None:
    assert said in filled(database, schema).reasons[QName("public", "t")]


def test_the_same_rows_every_time(new_database: Callable[..., Database]) -> None:
    schema = FILLABLE["types"]
    assert [filled(new_database(), schema).rows for _ in range(2)] == [filled(new_database(), schema).rows] * 2
