"""The guide's seven checks on a real catalog and real rows, each beside what it must leave alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from remediate.audit.model import Item
from remediate.audit.queries import orphans
from remediate.audit.row_checks import Question, run
from remediate.postgres.address import read_address
from remediate.postgres.live import Live
from remediate.replay.catalog import QName, Table
from support.database import Database
from support.live import address, audit, audit_text, check, subjects


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder without migrations: the database is looked at alone."""
    return tmp_path


def items(document: Any, name: str) -> dict[str, Any]:
    return {item["subject"]: item for item in check(document, name)["items"]}


def test_without_migrations_the_database_is_looked_at_alone(nowhere: Path, database: Database) -> None:
    database.run("CREATE TABLE t (id int PRIMARY KEY)")
    document = audit(nowhere, database)
    assert not document["compared"]
    assert (document["drift"], document["services"], document["records"]) == ([], [], [])
    text = audit_text(nowhere, database).out
    assert "No migrations were given: the database was looked at alone." in text
    assert "No migration makes it" not in text


def test_tables_without_primary_key(nowhere: Path, database: Database) -> None:
    database.run(
        "CREATE SCHEMA other; CREATE TABLE keyed (id int PRIMARY KEY); CREATE TABLE bare (id int);"
        # The same name in another schema: a query by name alone finds the key of the first.
        "CREATE TABLE other.keyed (id int);"
        "CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);"
        "CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        "CREATE EXTENSION hstore"
    )
    assert subjects(audit(nowhere, database), "tables-without-primary-key") == [
        "other.keyed", "public.bare", "public.parts",
    ]  # fmt: skip


def test_foreign_keys_without_index(nowhere: Path, database: Database) -> None:
    """A text match takes any index that has the column, or a longer name, somewhere in it."""
    database.run(
        "CREATE SCHEMA other;"
        "CREATE TABLE p (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));"
        "CREATE TABLE indexed (id int PRIMARY KEY, p_id int REFERENCES p); CREATE INDEX ON indexed (p_id, id);"
        "CREATE TABLE second (id int PRIMARY KEY, p_id int REFERENCES p); CREATE INDEX ON second (id, p_id);"
        "CREATE TABLE longer (id int PRIMARY KEY, p_id int REFERENCES p, p_id_old int);"
        "CREATE INDEX ON longer (p_id_old);"
        "CREATE TABLE other.indexed (id int PRIMARY KEY, p_id int REFERENCES p);"
        "CREATE TABLE partial (id int PRIMARY KEY, p_id int REFERENCES p); CREATE INDEX ON partial (p_id) WHERE id > 5;"
        "CREATE TABLE filled (id int PRIMARY KEY, p_id int REFERENCES p);"
        "CREATE INDEX ON filled (p_id) WHERE p_id IS NOT NULL;"
        "CREATE TABLE pair (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES p (a, b));"
        "CREATE INDEX ON pair (b, a, id);"
        "CREATE TABLE half (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES p (a, b));"
        "CREATE INDEX ON half (a);"
        "CREATE TABLE invalid (id int PRIMARY KEY, p_id int REFERENCES p); CREATE INDEX broken ON invalid (p_id);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;"
        "CREATE TABLE parts (id int, p_id int REFERENCES p, at date) PARTITION BY RANGE (at);"
        "CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    )
    assert subjects(audit(nowhere, database), "foreign-keys-without-index") == [
        "other.indexed.p_id", "public.half (a, b)", "public.invalid.p_id", "public.longer.p_id", "public.partial.p_id",
        "public.parts.p_id", "public.second.p_id",
    ]  # fmt: skip


TENANTS = """
    CREATE TABLE tenants (id uuid PRIMARY KEY);
    CREATE TABLE events (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants);
    CREATE TABLE seats (id uuid PRIMARY KEY, event_id uuid NOT NULL REFERENCES events);
    CREATE TABLE currencies (code text PRIMARY KEY);
    ALTER TABLE events ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON events USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid);
"""


def test_tables_without_tenant_column_and_without_rls_by_their_kind(nowhere: Path, database: Database) -> None:
    database.run(TENANTS)
    document = audit(nowhere, database)
    columns = items(document, "tables-without-tenant-column")
    assert {name: item["severity"] for name, item in columns.items()} == {
        "public.seats": "warning",
        "public.currencies": "info",
    }
    assert "public.seats.event_id is a foreign key to public.events" in columns["public.seats"]["detail"]
    assert check(document, "tables-without-tenant-column")["left_out"] == [
        "1 that need none: reference data, bookkeeping, the tenants themselves."
    ]
    assert set(subjects(document, "tables-without-rls")) == {"public.tenants", "public.seats", "public.currencies"}
    database.run("ALTER TABLE events DISABLE ROW LEVEL SECURITY")
    switched_off = items(audit(nowhere, database), "tables-without-rls")["public.events"]
    assert switched_off["severity"] == "error"
    assert "it has 1 policies, which do nothing" in switched_off["detail"]


def test_what_a_rule_names_is_not_said_again_in_text(nowhere: Path, database: Database) -> None:
    database.run(TENANTS + "CREATE TABLE orders (id uuid PRIMARY KEY, tenant_id uuid NOT NULL)")
    text = audit_text(nowhere, database).out
    assert text.count("public.orders") == 1
    assert "1 that missing-rls names above." in text


def test_orphans_of_a_key_that_was_never_validated(nowhere: Path, database: Database) -> None:
    database.run(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p_id int);"
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, 7), (3, 8), (4, NULL);"
        "ALTER TABLE c ADD FOREIGN KEY (p_id) REFERENCES p NOT VALID"
    )
    item = items(audit(nowhere, database), "orphaned-rows")["public.c.p_id"]
    assert (item["rows"], item["at_least"], item["severity"]) == (2, False, "error")
    assert database.run(item["sql"]) == [(2,)], "a DBA can run it"


def test_orphans_of_a_key_that_was_validated_over_no_rows(nowhere: Path, database: Database) -> None:
    """PostgreSQL says that the key is valid: its owner saw no row while FORCE held."""
    database.run("CREATE ROLE house LOGIN; GRANT CREATE ON SCHEMA public TO house")
    database.run(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p_id int);"
        "INSERT INTO c VALUES (1, 7);"
        "ALTER TABLE c ENABLE ROW LEVEL SECURITY; ALTER TABLE c FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY q ON c USING (false); ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p_id) REFERENCES p",
        user="house",
    )
    assert database.value("SELECT convalidated FROM pg_constraint WHERE conname = 'k'") is True
    item = items(audit(nowhere, database), "orphaned-rows")["public.c.p_id"]
    assert item["rows"] == 1
    assert "k may have been validated while FORCE on public.c hid the rows" in item["detail"]
    bound = items(audit(nowhere, database, user="house"), "orphaned-rows")["public.c.p_id"]
    assert bound["rows"] is None
    assert bound["not_counted"] == "row level security hides rows of it from this role"


def test_orphans_of_references_by_name(nowhere: Path, database: Database) -> None:
    database.run(
        "CREATE TABLE events (id uuid PRIMARY KEY);"
        "CREATE TABLE notes (id int PRIMARY KEY, event_id uuid, stripe_id uuid);"
        "INSERT INTO notes VALUES (1, gen_random_uuid(), gen_random_uuid()), (2, NULL, NULL)"
    )
    found = items(audit(nowhere, database), "orphaned-rows")
    assert {name: (item["rows"], item["severity"]) for name, item in found.items()} == {
        "public.notes.event_id": (1, "warning")
    }


def test_orphans_in_partitions_count_and_those_of_heirs_do_not(nowhere: Path, database: Database) -> None:
    """A foreign key holds for all partitions of a table; for a table that inherits from it, it does not hold."""
    database.run(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p_id int);"
        "CREATE TABLE heir () INHERITS (c);"
        "ALTER TABLE c ADD FOREIGN KEY (p_id) REFERENCES p NOT VALID; INSERT INTO heir VALUES (1, 7);"
        "CREATE TABLE events (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
        "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        "CREATE TABLE logs (id int, event_id int, at date) PARTITION BY RANGE (at);"
        "CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        "INSERT INTO events VALUES (1, '2026-05-01');"
        "INSERT INTO logs VALUES (1, 1, '2026-05-01'), (2, 9, '2026-05-01');"
        "ALTER TABLE logs ADD FOREIGN KEY (event_id, at) REFERENCES events NOT VALID"
    )
    found = items(audit(nowhere, database), "orphaned-rows")
    assert {name: item["rows"] for name, item in found.items()} == {
        "public.logs (event_id, at)": 1,
        "public.heir.p_id": 1,  # by the column's name
    }


def test_counting_ends_where_there_are_many(nowhere: Path, database: Database) -> None:
    database.run(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id serial PRIMARY KEY, p_id int);"
        "INSERT INTO c (p_id) SELECT 7 FROM generate_series(1, 5000);"
        "ALTER TABLE c ADD FOREIGN KEY (p_id) REFERENCES p NOT VALID"
    )
    item = items(audit(nowhere, database), "orphaned-rows")["public.c.p_id"]
    assert (item["rows"], item["at_least"]) == (1000, True)
    assert "more than 1,000 rows" in audit_text(nowhere, database).out


def test_what_takes_too_long_is_told_and_not_counted(nowhere: Path, database: Database) -> None:
    database.run(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id serial PRIMARY KEY, p_id int);"
        "ALTER TABLE c ADD FOREIGN KEY (p_id) REFERENCES p NOT VALID"
    )
    table = Table(QName("public", "c"), (), ())
    sql = orphans(table, ["p_id"], Table(QName("public", "p"), (), ()), ["id"])
    asked = [Question("orphaned-rows", Item(str(number), table.name, "error", "", sql=sql)) for number in range(20)]
    ticks = iter(range(100))
    with database.connect() as other, Live(read_address(address(database)), timeout=0.5) as live:
        other.execute("BEGIN; LOCK TABLE c IN ACCESS EXCLUSIVE MODE")
        found, _ = run(live, asked[:1])
        assert [item.not_counted for item in found.items] == ["it took longer than 0.5 s"]
        other.execute("ROLLBACK")
        found, _ = run(live, asked, clock=lambda: float(next(ticks)))
    assert [item.not_counted for item in found.items] == ["the time for counting (6 s in all) was spent before"] * 14
    assert found.left_out == ("6 of 20 referring columns were counted, and are in order.",)


def test_a_migration_that_is_running_is_waited_for_shortly_and_named(nowhere: Path, database: Database) -> None:
    database.run("CREATE TABLE c (id serial PRIMARY KEY, a int CHECK (a > 0))")
    with database.connect() as other:
        other.execute("BEGIN; LOCK TABLE c IN ACCESS EXCLUSIVE MODE")
        result = audit_text(nowhere, database)
    assert result.code == 2
    assert result.err.endswith(
        "a catalog could not be read: something else holds a lock on it for more than 1s; "
        "if a migration is running, run it again when that has ended\n"
    )


def test_without_counting_everything_is_named_and_nothing_read(nowhere: Path, database: Database) -> None:
    database.run("CREATE TABLE events (id uuid PRIMARY KEY); CREATE TABLE notes (id int PRIMARY KEY, event_id uuid)")
    item = items(audit(nowhere, database, "--no-count-rows"), "orphaned-rows")["public.notes.event_id"]
    assert item["not_counted"] == "--no-count-rows"
    result = audit_text(nowhere, database, "--no-count-rows", "--fail-on", "unresolved")
    assert result.code == 1, "what was not counted is not known"
    assert "Not counted: public.notes.event_id: --no-count-rows." in result.out


def test_duplicates_of_business_keys(nowhere: Path, database: Database) -> None:
    database.run(
        TENANTS + "ALTER TABLE events ADD COLUMN slug text;"
        "CREATE TABLE users (id int PRIMARY KEY, email text, deleted_at timestamptz);"
        "CREATE TABLE orders (id int PRIMARY KEY, email text, order_number text UNIQUE);"
        "CREATE TABLE requests (id int PRIMARY KEY, idempotency_key text);"
        "CREATE UNIQUE INDEX ON requests (idempotency_key) WHERE idempotency_key IS NOT NULL;"
        "INSERT INTO tenants VALUES ('00000000-0000-0000-0000-00000000000a'), ('00000000-0000-0000-0000-00000000000b');"
        "INSERT INTO events (id, tenant_id, slug) SELECT gen_random_uuid(), id, 'same' FROM tenants;"
        "INSERT INTO users VALUES (1, 'a@b', NULL), (2, 'a@b', NULL), (3, 'c@d', now()), (4, 'c@d', NULL);"
        "INSERT INTO orders VALUES (1, 'a@b', '1'), (2, 'a@b', '2')"
    )
    document = audit(nowhere, database)
    found = items(document, "duplicate-rows")
    assert {name: item["rows"] for name, item in found.items()} == {"public.users.email": 1}
    assert check(document, "duplicate-rows")["looked_at"] == 2, "slug per tenant, and the e-mail of users"
    database.run("INSERT INTO events (id, tenant_id, slug) SELECT gen_random_uuid(), id, 'same' FROM tenants LIMIT 1")
    assert items(audit(nowhere, database), "duplicate-rows")["public.events (tenant_id, slug)"]["rows"] == 1


def test_checks_that_disagree_are_missing_or_are_not_valid(nowhere: Path, database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id int PRIMARY KEY, price numeric, quantity int CHECK (quantity > 0), status text"
        "  CONSTRAINT one CHECK (status IN ('new', 'paid')) CONSTRAINT two CHECK (status IN ('paid', 'void')),"
        "  note text);"
        "ALTER TABLE orders ADD CONSTRAINT late CHECK (note <> '') NOT VALID"
    )
    found = [
        (item["subject"], item["message"], item["detail"])
        for item in check(audit(nowhere, database), "check-constraints")["items"]
    ]
    assert found == [
        ("public.orders.status", "checks that disagree", "one and two: only paid pass all of them"),
        ("public.orders", "amounts without a check: a negative one is stored as readily as any", "price"),
        (
            "public.orders", "a check that is NOT VALID: rows from before it were never looked at",
            "late: CHECK ((note <> ''::text)) NOT VALID",
        ),
    ]  # fmt: skip


def test_the_queries_are_shown_and_run_as_they_are_shown(nowhere: Path, database: Database) -> None:
    database.run(TENANTS)
    document = audit(nowhere, database)
    assert [one["id"] for one in document["checks"]] == [
        "tables-without-primary-key", "foreign-keys-without-index", "orphaned-rows", "tables-without-tenant-column",
        "tables-without-rls", "duplicate-rows", "check-constraints",
    ]  # fmt: skip
    for one in document["checks"]:
        if one["sql"]:
            database.run(one["sql"])
    rls = check(document, "tables-without-rls")
    assert {f"{schema}.{name}" for schema, name, *_ in database.run(rls["sql"])} == set(
        subjects(document, "tables-without-rls")
    )
    assert (
        "cardinality(k.conkey)"
        in audit_text(nowhere, database, "--show-sql", "--rule", "foreign-keys-without-index").out
    )
    markdown = audit_text(nowhere, database, "--format", "markdown").out
    assert "```sql\nSELECT n.nspname" in markdown
    assert markdown.startswith("# Audit of a live database\n")


def test_roles_that_no_policy_binds(nowhere: Path, database: Database) -> None:
    database.run(
        "CREATE ROLE reporter LOGIN BYPASSRLS; CREATE ROLE analyst LOGIN; GRANT reporter TO analyst;"
        "CREATE ROLE app LOGIN; CREATE ROLE group_only BYPASSRLS"
    )
    (nowhere / "remediate.toml").write_text('[roles]\napplication = "analyst"\nbypass = ["reporter"]\n')
    roles = {one["name"]: one["severity"] for one in audit(nowhere, database)["roles"]}
    assert roles == {"analyst": "error", "postgres": "info", "reporter": "info"}


# ------------------------------------------------------------------------------------ what is never run


TRAPS = """
    CREATE TABLE tripped (what text);
    CREATE FUNCTION trap(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN true; END $$;
    CREATE FUNCTION trap_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a trigger ran'; END $$;
    CREATE TABLE events (id uuid PRIMARY KEY, tenant_id uuid, slug text, ok boolean DEFAULT trap('default'));
    CREATE TABLE notes (id int PRIMARY KEY, event_id uuid, slug text);
    INSERT INTO events VALUES (gen_random_uuid(), gen_random_uuid(), 'a', true);
    INSERT INTO notes VALUES (1, gen_random_uuid(), 'b');
    ALTER TABLE events ENABLE ROW LEVEL SECURITY;
    ALTER TABLE events FORCE ROW LEVEL SECURITY;
    CREATE POLICY p ON events USING (trap('policy'));
    ALTER TABLE notes ADD CONSTRAINT k CHECK (slug <> 'x' OR trap('check'));
    CREATE VIEW notes_view AS SELECT *, trap('view') AS trapped FROM notes;
    CREATE MATERIALIZED VIEW stored AS SELECT id FROM notes;
    CREATE TRIGGER t BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION trap_trigger();
    CREATE RULE r AS ON UPDATE TO notes DO ALSO SELECT trap('rule');
    CREATE TABLE comments (id int PRIMARY KEY, event_id uuid, slug text);
    CREATE INDEX ON comments (slug) WHERE trap('index');
    CREATE TABLE replies (id int PRIMARY KEY, event_id uuid, slug text);
    CREATE STATISTICS s ON (id = 1 AND trap('statistics')), slug FROM replies;
    CREATE OR REPLACE FUNCTION trap(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN RAISE EXCEPTION 'a function of the user was called: %', what; END $$;
"""


def test_no_function_of_the_user_is_called(nowhere: Path, database: Database) -> None:
    database.run(TRAPS)
    database.run("CREATE ROLE bound LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO bound")
    for user in ("postgres", "bound"):
        document = audit(nowhere, database, user=user)
        found = items(document, "orphaned-rows")
        if user == "postgres":
            assert found["public.notes.event_id"]["rows"] == 1
        else:
            assert found["public.notes.event_id"]["not_counted"] == "row level security hides rows of it from this role"
        for name in ("comments", "replies"):
            assert "planning a query would run" in found[f"public.{name}.event_id"]["not_counted"]
            with pytest.raises(psycopg.errors.RaiseException, match=r"was called: (index|statistics)"):
                database.run(f"SELECT slug FROM {name} WHERE slug = 'a'")  # which is why


def test_operators_of_the_user_are_not_called(nowhere: Path, database: Database) -> None:
    """Neither those of a type of the user, nor one that a schema in the search_path puts before PostgreSQL's."""
    database.run(
        "CREATE EXTENSION citext; CREATE TABLE users (id int PRIMARY KEY, email citext);"
        "CREATE FUNCTION trap(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'called'; END $$;"
        "CREATE OPERATOR = (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = trap);"
        "CREATE TABLE events (id uuid PRIMARY KEY); CREATE TABLE notes (id int PRIMARY KEY, event_id uuid);"
        "INSERT INTO notes VALUES (1, gen_random_uuid()); INSERT INTO events VALUES (gen_random_uuid())"
    )
    name = database.name
    database.run(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
    document = audit(nowhere, database)
    assert items(document, "orphaned-rows")["public.notes.event_id"]["rows"] == 1
    reason = items(document, "duplicate-rows")["public.users.email"]["not_counted"]
    assert reason == "public.users.email is of a type with operators of its own, which are not run"


def test_foreign_tables_are_not_read(nowhere: Path, database: Database) -> None:
    database.run(
        "CREATE FOREIGN DATA WRAPPER none; CREATE SERVER s FOREIGN DATA WRAPPER none;"
        "CREATE TABLE events (id uuid PRIMARY KEY);"
        "CREATE TABLE notes (id int, event_id uuid, at date) PARTITION BY RANGE (at);"
        "CREATE FOREIGN TABLE notes_old PARTITION OF notes FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') SERVER s"
    )
    reason = items(audit(nowhere, database), "orphaned-rows")["public.notes.event_id"]["not_counted"]
    assert reason == "public.notes: it has foreign tables among its parts, which are not read"


def test_a_role_without_any_right_reads_the_catalog_and_says_what_it_cannot_count(
    nowhere: Path, new_database: Callable[..., Database]
) -> None:
    database = new_database()
    database.run(
        TENANTS
        + "CREATE ROLE stranger LOGIN; CREATE SCHEMA private; CREATE TABLE private.notes (id int, event_id uuid)"
    )
    document = audit(nowhere, database, user="stranger")
    assert not document["database"]["passes_rls"]
    assert "private.notes" in subjects(document, "tables-without-primary-key")
    item = items(document, "orphaned-rows")["private.notes.event_id"]
    assert item["not_counted"] == "permission denied for schema private"
