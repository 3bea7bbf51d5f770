"""The reader that other tests compare catalogs with must itself notice every kind of change, and no other."""

from __future__ import annotations

import pytest

from remediate.postgres.snapshot import catalog_snapshot, snapshot_differences
from support.database import Database

_HISTORY = """
CREATE EXTENSION "uuid-ossp";
CREATE ROLE reader;
CREATE TYPE mood AS ENUM ('calm', 'loud');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (a integer, b text);
CREATE TABLE venues (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), tenant_id uuid NOT NULL, mood mood);
CREATE TABLE events (id serial PRIMARY KEY, venue_id uuid REFERENCES venues, size positive, CHECK (id > 0));
CREATE TABLE parts (id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX events_venue ON events (venue_id) WHERE size > 3;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON venues FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW calm AS SELECT id FROM venues WHERE mood = 'calm';
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM events;
ALTER TABLE venues ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON venues USING (tenant_id = current_setting('app.t')::uuid);
COMMENT ON TABLE venues IS 'where';
"""

_CHANGES = {
    "ALTER TABLE venues FORCE ROW LEVEL SECURITY": "~ tables public.venues: rls_forced: False -> True",
    "ALTER POLICY tenant ON venues WITH CHECK (false)": "~ policies public.venues tenant: check: None -> 'false'",
    "ALTER POLICY tenant ON venues TO reader": "~ policies public.venues tenant: roles: ['PUBLIC'] -> ['reader']",
    "ALTER TABLE events ADD COLUMN note text": "+ columns public.events.note",
    "ALTER TABLE venues ALTER COLUMN tenant_id DROP NOT NULL": (
        "~ columns public.venues.tenant_id: not_null: True -> False"
    ),
    "DROP INDEX events_venue": "- indexes public.events_venue",
    "DROP TRIGGER touch ON venues": "- triggers public.venues touch",
    "ALTER TABLE venues DISABLE TRIGGER touch": "~ triggers public.venues touch: enabled: 'O' -> 'D'",
    "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'": (
        "~ functions public.touch(): definition"
    ),
    "ALTER VIEW calm SET (security_invoker = true)": (
        "~ views public.calm: options: None -> ['security_invoker=true']"
    ),
    "ALTER TYPE mood ADD VALUE 'shy'": "~ types public.mood: labels: ['calm', 'loud'] -> ['calm', 'loud', 'shy']",
    "ALTER SEQUENCE events_id_seq INCREMENT 5": "~ sequences public.events_id_seq: increment: 1 -> 5",
    "COMMENT ON TABLE venues IS 'there'": "~ comments table of public.venues: text: 'where' -> 'there'",
    "GRANT SELECT ON venues TO reader": "~ tables public.venues: privileges",
    "GRANT UPDATE (mood) ON venues TO reader": "~ columns public.venues.mood: privileges",
    "ALTER TABLE events ADD CONSTRAINT big CHECK (size > 9) NOT VALID": "+ constraints public.events big",
    "CREATE EXTENSION citext": "+ extensions citext",
    "ALTER ROLE reader BYPASSRLS": "~ roles reader: bypassrls: False -> True",
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_change_is_seen(database: Database, change: str) -> None:
    database.run(_HISTORY)
    with database.connect() as connection:
        before = catalog_snapshot(connection)
        connection.execute(change.encode())
        differences = snapshot_differences(before, catalog_snapshot(connection))
    assert len(differences) >= 1
    assert any(line.startswith(_CHANGES[change]) for line in differences), differences


def test_what_is_taken_back_is_no_change(database: Database) -> None:
    database.run(_HISTORY)
    with database.connect() as connection:
        before = catalog_snapshot(connection)
        connection.execute("ALTER TABLE events ADD COLUMN note text")
        connection.execute("ALTER TABLE events DROP COLUMN note")
        connection.execute("GRANT SELECT ON venues TO reader")
        connection.execute("REVOKE SELECT ON venues FROM reader")
        connection.execute("DROP INDEX events_venue")
        connection.execute("CREATE INDEX events_venue ON events (venue_id) WHERE size > 3")
        connection.execute("SET search_path = pg_catalog, public")
        connection.execute("INSERT INTO events DEFAULT VALUES")
        assert snapshot_differences(before, catalog_snapshot(connection)) == []


def test_what_an_extension_brings_is_the_extension(database: Database) -> None:
    with database.connect() as connection:
        before = catalog_snapshot(connection)
        connection.execute("CREATE EXTENSION hstore")
        connection.execute("CREATE EXTENSION pgcrypto")
        assert snapshot_differences(before, catalog_snapshot(connection)) == [
            "+ extensions hstore",
            "+ extensions pgcrypto",
        ]
