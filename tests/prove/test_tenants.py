"""What an attack sees beyond plain tables: views, functions, triggers, keys, tables that cannot be filled."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.workspaces import DATABASE, TENANT, protect, raw, service, typescript
from prove.workshop import Workshop, failed, only_change, only_database, remarks, told
from remediate.postgres.server import Server
from remediate.prove.model import Attempt

TENANTS = "CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL)"
PARCELS = "CREATE TABLE parcels (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants, note text)"
LETTERS = "CREATE TABLE letters (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants)"


def shop(root: Path, *statements: str, unsafe: bool = True) -> Workshop:
    """A service with a protected table beside what the statements make."""
    all_statements = (TENANTS, LETTERS, protect("letters"), *statements)
    files = service("post", {"001_post.ts": typescript("\n".join(map(raw, all_statements)))})
    return Workshop.of(root, {**files, "services/post/src/database.ts": DATABASE}, unsafe=unsafe)


def test_views_and_definer_functions_close_with_the_table(tmp_path: Path, postgres: Server) -> None:
    workshop = shop(
        tmp_path,
        PARCELS,
        "CREATE VIEW notes AS SELECT note FROM parcels",
        "CREATE FUNCTION find_parcel(parcel_id uuid) RETURNS text LANGUAGE sql SECURITY DEFINER"
        " AS $$ SELECT note FROM parcels WHERE id = parcel_id $$",
        "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT n * 2 $$",
        "CREATE VIEW clock AS SELECT clock_timestamp() AS now, note FROM parcels",
    )
    database = only_database(workshop.prove(postgres))
    seen = {detour.name: detour for detour in database.detours}
    right = Attempt("application", "right", "select")
    told_of = {name: (one.before[right], one.after[right]) for name, one in seen.items()}
    assert told_of == {
        "public.notes": ("leak", "held"),
        "find_parcel(uuid)": ("leak", "held"),
        "twice(integer)": ("held", "held"),
        "public.clock": ("untried", "untried"),
    }
    own = right._replace(statement="own select")
    assert (seen["public.notes"].before[own], seen["public.notes"].after[own]) == ("2 rows", "2 rows")
    assert all(change.verdict == "proven" for change in database.changes), [told(one) for one in database.changes]


def test_a_view_that_shows_its_owner_nothing_any_more(tmp_path: Path, postgres: Server) -> None:
    """A materialized view that is refreshed without a tenant: FORCE empties it."""
    workshop = shop(
        tmp_path, PARCELS, protect("parcels", force=False), "CREATE MATERIALIZED VIEW board AS SELECT note FROM parcels"
    )
    proof = only_change(workshop.prove(postgres))
    said = remarks(failed(proof)["tenants"])
    assert "materialized view public.board gives a tenant other rows of its own than before" in said
    assert "2 rows before, 0 rows now" in said


def test_a_trigger_elsewhere_that_writes_without_a_tenant(tmp_path: Path, postgres: Server) -> None:
    workshop = shop(
        tmp_path,
        "CREATE TABLE journal (id serial PRIMARY KEY, tenant_id uuid, what text)",
        protect("journal", force=False),
        "CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN INSERT INTO journal (what) VALUES (TG_OP); RETURN NEW; END $$",
        "CREATE TRIGGER noted AFTER INSERT ON letters FOR EACH ROW EXECUTE FUNCTION note_it()",
    )
    proof = only_change(workshop.prove(postgres))
    assert [str(table) for table in proof.tables] == ["public.journal"]
    said = remarks(failed(proof)["tenants"])
    assert said == (
        "in public.letters, a tenant's INSERT, INSERT RETURNING of its own rows as the application and the owner"
        " (the setting right) gave 1 row, and now refused 42501"
    ), "one line"


def test_what_cannot_be_filled_is_unprovable_and_never_proven(tmp_path: Path, postgres: Server) -> None:
    workshop = shop(tmp_path, f"{PARCELS}; ALTER TABLE parcels ADD CHECK (note IS NOT NULL AND length(note) < 0)")
    proofs = workshop.prove(postgres)
    proof = only_change(proofs)
    assert proof.verdict == "unprovable"
    check = proof.check("tenants")
    assert check is not None
    assert check.status == "untried"
    assert "public.parcels could not be tried: PostgreSQL refuses a row: " in remarks(check)
    assert "parcels_note_check" in remarks(check)


def test_an_extension_that_is_only_stood_in_for_is_said(tmp_path: Path, postgres: Server) -> None:
    workshop = shop(tmp_path, "CREATE EXTENSION no_such_thing", PARCELS)
    proofs = workshop.prove(postgres)
    assert any("the extension no_such_thing is not installed here" in limit for limit in only_database(proofs).limits)


def test_a_policy_that_asks_for_more_than_the_tenant(tmp_path: Path, postgres: Server) -> None:
    """The desk of a session is set, too, wherever a policy compares it: own rows are those of tenant and desk."""
    both = f"{TENANT} AND desk = current_setting('app.desk', true)"
    workshop = shop(
        tmp_path,
        "CREATE TABLE forms (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants, desk text NOT NULL)",
        f"ALTER TABLE forms ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON forms USING ({both})",
    )
    proof = only_change(workshop.prove(postgres))
    assert proof.verdict == "proven", told(proof)
    (matrix,) = [one for one in only_database(workshop.prove(postgres)).matrices if one.table.name == "forms"]
    assert matrix.after is not None
    assert matrix.after.outcomes[Attempt("owner", "right", "own select")] == "1 row"


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ("id uuid PRIMARY KEY, tenant_id varchar(50) NOT NULL", "text"),
        ("id serial PRIMARY KEY, tenant_id integer NOT NULL", "integer"),
        ("tenant_id uuid NOT NULL, id int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (tenant_id, id)", "composite"),
        ("tenant_id uuid NOT NULL, at date NOT NULL) PARTITION BY RANGE (at", "partitioned"),
    ],
)
def test_tables_of_every_shape_are_attacked(columns: str, key: str, tmp_path: Path, postgres: Server) -> None:
    partition = "; CREATE TABLE odd_2025 PARTITION OF odd FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
    workshop = shop(tmp_path, f"CREATE TABLE odd ({columns}){partition if key == 'partitioned' else ''}")
    proofs = workshop.prove(postgres)
    (matrix,) = [one for one in only_database(proofs).matrices if one.table.name == "odd"]
    assert matrix.unfilled is None
    assert matrix.rows == (2, 2)
    assert matrix.before is not None
    reached = {attempt.statement for attempt in matrix.before.leaks()}
    assert reached >= {"select", "update", "delete", "insert", "insert returning", "move"}
