"""What definer functions and triggers write: of which tenant, before and after, and which change made that other."""

from __future__ import annotations

from pathlib import Path

from cli.workspaces import PLATFORM, protect, raw, typescript
from prove.test_tenants import PARCELS, shop
from prove.workshop import Workshop, failed, only_change, only_database, remarks, told
from remediate.postgres.server import Server
from remediate.prove.model import Attempt

JOURNAL = "CREATE TABLE journal (id serial PRIMARY KEY, tenant_id uuid, number int DEFAULT 0)"
AS_NOBODY = "SET app.current_tenant_id = '00000000-0000-0000-0000-000000000000'"


def definer(name: str, body: str, *, returns: str = "void", more: str = "") -> str:
    return (
        f"CREATE FUNCTION {name} RETURNS {returns} LANGUAGE plpgsql SECURITY DEFINER {more} AS $$ BEGIN {body} END $$"
    )


def test_rows_of_others_that_a_function_writes(tmp_path: Path, postgres: Server) -> None:
    workshop = shop(
        tmp_path,
        PARCELS,
        definer("close_all()", "UPDATE parcels SET note = 'closed';"),
        definer("lose(parcel_id uuid)", "DELETE FROM parcels WHERE id = parcel_id;"),
        definer("send(tenant_id uuid)", "INSERT INTO parcels VALUES (gen_random_uuid(), send.tenant_id);"),
        definer("count_all()", "RETURN (SELECT count(*) FROM parcels);", returns="bigint"),
    )
    database = only_database(workshop.prove(postgres))
    assert [proof.verdict for proof in database.changes] == ["proven"], told(database.changes[0])
    seen = {detour.name: detour for detour in database.detours}
    for name, kind in (("close_all()", "update"), ("lose(uuid)", "delete"), ("send(uuid)", "insert")):
        other, own = (Attempt("application", "right", f"{who}{kind}") for who in ("", "own "))
        assert seen[name].before[other] == "leak", name
        assert seen[name].after.get(other) != "leak", name
        assert seen[name].before[own] == seen[name].after[own] != "0 rows", name
    assert seen["close_all()"].after[Attempt("owner", "right", "own update")] == "2 rows"
    assert {attempt.statement for attempt in seen["count_all()"].before} == {"select", "own select"}
    leaking = {attempt.session for attempt, outcome in seen["close_all()"].before.items() if outcome == "leak"}
    assert leaking == {"right", "wrong", "empty", "unset"}


def test_a_function_that_writes_nothing_any_more(tmp_path: Path, postgres: Server) -> None:
    """An UPDATE that policies bind finds no row, and says nothing: only what it wrote tells."""
    count = definer("bump()", "UPDATE journal SET number = number + 1;", more=AS_NOBODY)
    workshop = shop(tmp_path, JOURNAL, protect("journal", force=False), count)
    said = remarks(failed(only_change(workshop.prove(postgres)))["tenants"])
    assert "function bump() updates 0 rows of a tenant's own, and did 2 rows before" in said


def test_a_trigger_that_writes_nothing_any_more(tmp_path: Path, postgres: Server) -> None:
    """The row that fires it goes in as ever; what it was to write elsewhere is lost."""
    count = definer(
        "count_it()",
        "UPDATE journal SET number = number + 1 WHERE tenant_id = NEW.tenant_id; RETURN NEW;",
        returns="trigger",
        more=AS_NOBODY,
    )
    workshop = shop(
        tmp_path, JOURNAL, protect("journal", force=False), count,
        "CREATE TRIGGER counted AFTER INSERT ON letters FOR EACH ROW EXECUTE FUNCTION count_it()",
    )  # fmt: skip
    proof = only_change(workshop.prove(postgres))
    said = remarks(failed(proof)["tenants"])
    assert "triggers of a tenant's INSERT, INSERT RETURNING in public.letters as the application and the owner" in said
    assert "update 0 rows of public.journal, and did 2 before" in said


def test_a_trigger_that_begins_to_write_for_others(tmp_path: Path, postgres: Server) -> None:
    """A change that opens a table to a trigger which policies had kept to its own tenant."""
    count = (
        "CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN UPDATE journal SET number = 1; RETURN NEW; END $$"
    )
    workshop = shop(
        tmp_path, JOURNAL, protect("journal", force=False), count,
        "CREATE TRIGGER counted AFTER INSERT ON letters FOR EACH ROW EXECUTE FUNCTION count_it()",
    )  # fmt: skip
    force = "  await knex.raw(`ALTER TABLE public.journal FORCE ROW LEVEL SECURITY`);\n"
    broken = workshop.tampered(
        force, force + "  await knex.raw(`CREATE POLICY open ON public.journal USING (true)`);\n"
    )
    said = remarks(failed(only_change(broken.prove(postgres)))["tenants"])
    assert "triggers of a tenant's INSERT, INSERT RETURNING in public.letters as the application" in said
    assert "now update 2 rows of other tenants in public.journal" in said


def test_what_a_view_shows_is_blamed_on_the_change_that_did_it(tmp_path: Path, postgres: Server) -> None:
    """Two changes, both about tables that the view reads: one of them lets others' rows through."""
    view = raw("CREATE VIEW board AS SELECT s.id FROM shipments s JOIN members m ON m.tenant_id = s.tenant_id")
    workshop = Workshop.of(
        tmp_path, {**PLATFORM, "services/orders/migrations/003_view.ts": typescript(view)}, unsafe=True
    )
    assert len(workshop.plan.changes) > 1
    force = "  await knex.raw(`ALTER TABLE public.shipments FORCE ROW LEVEL SECURITY`);\n"
    more = f"{force}  await knex.raw(`ALTER VIEW public.board SET (security_barrier)`);\n"
    more += "  await knex.raw(`CREATE POLICY all_of_them ON public.shipments USING (true)`);\n"
    broken = workshop.tampered(force, more)
    proofs = broken.prove(postgres)
    guilty = [proof for proof in proofs.changes if "tenants" in failed(proof)]
    assert len(guilty) == 1
    assert "public.shipments" in map(str, guilty[0].tables)
    assert only_database(proofs).checks == ()
