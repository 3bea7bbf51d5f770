"""Services proven alone: what others would have made is stubbed from what is referenced, said, and never attacked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.running import run
from cli.workspaces import protect, raw, repository, service, typescript, write
from contracts.test_contracts import validator
from prove.workshop import Workshop, failed, only_change, only_database, remarks, told
from remediate.postgres.server import Server
from remediate.prove.model import DatabaseProof, Proofs

EXAMPLE = Path(__file__).parents[2] / "examples" / "ticketing" / "services"
LETTERS = (
    "CREATE TABLE letters (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, note text, author_id bigint,"
    " sent_at timestamptz)"
)


def post(*statements: str) -> dict[str, str]:
    """A service with a table that no policy protects, and what else it does."""
    text = typescript("\n".join(map(raw, (LETTERS, protect("letters", force=False), *statements))))
    return {**service("post", {"001_post.ts": text}, folder=""), "remediate.toml": "[workspace]\npostgres = 18\n"}


def prove(root: Path, server: Server, *statements: str, stubs: bool | None = None) -> Proofs:
    return Workshop.of(root, post(*statements), unsafe=True).prove(server, stubs=stubs)


def stubbed(database: DatabaseProof) -> list[str]:
    return [
        f"{stub.kind} {stub.name}" + (f" ({', '.join(' '.join(one) for one in stub.columns)})" if stub.columns else "")
        for stub in database.stubs
    ]


@pytest.mark.parametrize(
    ("statements", "made"),
    [
        (["ALTER TABLE letters ADD FOREIGN KEY (author_id) REFERENCES authors"], ["table public.authors (id bigint)"]),
        (
            ["CREATE TABLE stamps (id int, letter varchar(20) REFERENCES mail.boxes (code))"],
            ["schema mail", "table mail.boxes (code character varying(20))"],
        ),
        (
            ["CREATE TABLE a (x int, y text, FOREIGN KEY (x, y) REFERENCES far (p, q))",
             "CREATE TABLE b (z date REFERENCES far (r))"],
            ["table public.far (p integer, q text, r date)"],
        ),
        (
            ["CREATE VIEW signed AS SELECT l.id, w.full_name FROM letters l JOIN writers w ON w.id = l.author_id"
             " WHERE w.born_at < l.sent_at"],
            ["table public.writers (full_name text, id bigint, born_at timestamp with time zone)"],
        ),
        (
            ["CREATE POLICY mine ON letters USING (author_id IN (SELECT m.member FROM clubs m"
             " WHERE m.tenant_id = letters.tenant_id))"],
            ["table public.clubs (member bigint, tenant_id uuid)"],
        ),
        (
            ["CREATE TRIGGER touched BEFORE UPDATE ON letters FOR EACH ROW EXECUTE FUNCTION touch()"],
            ["function touch()"],
        ),
        (["ALTER TABLE letters ADD COLUMN mood mood"], ["type mood"]),
        (
            ["INSERT INTO ledger (entry, at, body) VALUES ('a', now(), '{}'::jsonb) ON CONFLICT (entry) DO NOTHING"],
            ["table public.ledger (entry text, at text, body text)"],
        ),
        (["CREATE INDEX ON parcels (tenant_id, weight)"], ["table public.parcels (tenant_id uuid, weight text)"]),
        (
            ["CREATE VIEW sums AS SELECT c.id, c.name, sum(c.cost) FROM letters l"
             " JOIN clients c ON c.letter_id = l.id GROUP BY c.id"],
            ["table public.clients (id uuid, name text, cost numeric, letter_id uuid)"],
        ),
        (
            ["CREATE TABLE k (t uuid DEFAULT '00000000-0000-0000-0000-000000000001' REFERENCES owners (id))",
             "INSERT INTO k DEFAULT VALUES"],
            ["table public.owners (id uuid)"],
        ),
        (
            ["CREATE FUNCTION count_pens() RETURNS bigint LANGUAGE sql AS"
             " $$ SELECT count(*) FROM pens p WHERE p.ink > 3 $$"],
            ["table public.pens (ink integer)"],
        ),
    ],
    ids=lambda value: value[-1][:40] if isinstance(value, list) else None,
)  # fmt: skip
def test_what_is_referred_to_is_made_as_it_is_referred_to(
    statements: Sequence[str], made: list[str], tmp_path: Path, postgres: Server
) -> None:
    alone = only_database(prove(tmp_path, postgres, *statements, stubs=False))
    assert alone.refused
    assert alone.stubs == ()
    database = only_database(prove(tmp_path, postgres, *statements))
    assert [sorted(re.split(r"[(), ]+", one)) for one in stubbed(database)] == [
        sorted(re.split(r"[(), ]+", one)) for one in made
    ]
    assert database.refused == 0
    assert database.unlike == 0, "the static engine reads the same stubs"


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE INDEX ON later (id)", "CREATE TABLE later (id int)"],
        ["ALTER TABLE letters ADD COLUMN note text"],
        ["CREATE INDEX ON letters (nothing)"],
        ["SELECT no_such_function(1)"],
    ],
)
def test_what_is_the_historys_own_stays_refused(statements: list[str], tmp_path: Path, postgres: Server) -> None:
    database = only_database(prove(tmp_path, postgres, *statements))
    assert database.refused
    assert not any("later" in name or "letters" in name for name in stubbed(database))


def test_a_stub_is_not_attacked_and_is_no_proof(tmp_path: Path, postgres: Server) -> None:
    """Policies of a repaired table that read a stub: what they let through is not what production lets through."""
    visible = (
        "CREATE FUNCTION is_known(a bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS"
        " $$ BEGIN RETURN EXISTS (SELECT 1 FROM authors WHERE id = a); END $$"
    )
    tenant = "tenant_id = current_setting('app.current_tenant_id', true)::uuid"
    proofs = prove(
        tmp_path, postgres, visible, "ALTER TABLE letters ADD FOREIGN KEY (author_id) REFERENCES authors",
        "CREATE TABLE notes (id int PRIMARY KEY, tenant_id uuid NOT NULL, author_id bigint)",
        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY n ON notes USING ({tenant} AND is_known(author_id))",
    )  # fmt: skip
    database = only_database(proofs)
    (stub,) = [matrix for matrix in database.matrices if matrix.stub]
    assert str(stub.table) == "public.authors"
    assert (stub.before, stub.after) == (None, None)
    assert "stub" in str(stub.unfilled)
    about = [proof for proof in proofs.changes if "public.notes" in map(str, proof.tables)]
    assert about
    for proof in about:
        assert proof.verdict != "proven", told(proof)
        assert "policies of public.notes read public.authors, stubbed here" in told(proof)


def test_what_the_plan_could_not_know_is_said(tmp_path: Path, postgres: Server) -> None:
    hidden = "CREATE TABLE hidden (id int PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants (id))"
    database = only_database(prove(tmp_path, postgres, hidden))
    (said,) = [limit for limit in database.limits if "with the stubs" in limit]
    assert "1 more table (public.hidden)" in said
    assert "1 more finding that this plan, made without them, knows nothing of" in said


def test_a_change_that_production_would_refuse_fails(tmp_path: Path, postgres: Server) -> None:
    """The plan was made without the table of the other service, and so without what stands in one string with it."""
    together = f"CREATE TABLE x (id int REFERENCES away (id)); {protect('parcels')}"
    parcels = "CREATE TABLE parcels (id uuid PRIMARY KEY, tenant_id uuid NOT NULL)"
    proof = only_change(prove(tmp_path, postgres, "ALTER TABLE letters FORCE ROW LEVEL SECURITY", parcels, together))
    said = remarks(failed(proof)["up"])
    assert 'policy "parcels_isolation" for table "parcels" already exists (42710)' in said
    assert "the plan was made without what is stubbed here" in said


def test_several_services_are_the_whole_unless_others_lie_beside_them(tmp_path: Path) -> None:
    refers = "ALTER TABLE letters ADD FOREIGN KEY (author_id) REFERENCES authors"
    files = {f"back/{path}": text for path, text in post(refers).items()}
    other = {
        f"back/{path}": text
        for path, text in service("other", {"001.ts": typescript(raw("CREATE TABLE o (id int)"))}).items()
    }
    root = write(tmp_path / "whole", {**files, **other})
    document = json.loads(run("prove", root / "back", "--unsafe", "--format", "json").out)
    (database,) = [one for one in document["databases"] if "post" in one["services"]]
    assert database["stubs"] == []
    assert any("no migration here makes authors" in limit for limit in database["limits"])
    document = json.loads(run("prove", root / "back", "--unsafe", "--stubs", "--format", "json").out)
    (database,) = [one for one in document["databases"] if "post" in one["services"]]
    assert [stub["name"] for stub in database["stubs"]] == ["public.authors"]

    beside = {f"front/{path}": text for path, text in service("front", {"001.ts": typescript("")}, folder="").items()}
    repo = repository(tmp_path / "part", {**files, **other, **beside})
    document = json.loads(run("prove", repo.root / "back", "--unsafe", "--format", "json").out)
    (database,) = [one for one in document["databases"] if "post" in one["services"]]
    assert [stub["name"] for stub in database["stubs"]] == ["public.authors"]


def test_every_form_of_the_certificate_says_what_was_stubbed(tmp_path: Path) -> None:
    write(tmp_path, post("ALTER TABLE letters ADD FOREIGN KEY (author_id) REFERENCES authors"))
    document = json.loads(run("prove", tmp_path, "--unsafe", "--format", "json").out)
    assert not list(validator("proof").iter_errors(document))
    assert document["databases"][0]["stubs"] == [
        {
            "kind": "table",
            "name": "public.authors",
            "columns": [{"name": "id", "type": "bigint"}],
            "references": [{"file": "migrations/001_post.ts", "line": 6}],
        }
    ]
    text = run("prove", tmp_path, "--unsafe").out
    assert "Stubs (1)" in text
    assert "table public.authors (id), for migrations/001_post.ts:6" in text
    markdown = run("prove", tmp_path, "--unsafe", "--format", "markdown").out
    assert "| table `public.authors` | `id bigint` | migrations/001_post.ts:6 |" in markdown


@pytest.mark.parametrize(
    ("name", "refused", "missing"),
    [("order-service", (10, 0), 4), ("blockchain-indexer", (9, 0), 2)],
)
def test_a_service_of_the_example_alone(name: str, refused: tuple[int, int], missing: int, postgres: Server) -> None:
    """The same change, proven on a history of which PostgreSQL refuses much, and of which it refuses nothing."""
    workshop = Workshop.of(EXAMPLE / name)
    without, with_ = (only_database(workshop.prove(postgres, stubs=stubs)) for stubs in (False, True))
    assert (without.refused, with_.refused) == refused
    assert len(with_.stubs) == missing
    for database in (without, with_):
        assert [proof.verdict for proof in database.changes] == ["proven"], told(database.changes[0])


@pytest.mark.long
def test_the_services_of_the_example_one_by_one(postgres: Server) -> None:
    verdicts = {}
    for root in sorted(EXAMPLE.iterdir()):
        database = only_database(Workshop.of(root).prove(postgres, stubs=True))
        assert database.unlike == 0, root.name
        verdicts[root.name] = [proof.verdict for proof in database.changes]
    # Whose the rows of some of its tables are only the venues of another service can tell.
    assert verdicts.pop("payment-service") == ["unprovable"]
    assert {verdict for those in verdicts.values() for verdict in those} == {"proven"}
