"""The same proofs on every major version that can be proven on: what a change does must not hang on the version.

`pytest --postgres 15` runs everything else on another version, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.workspaces import PLATFORM
from prove.test_stubs import post
from prove.workshop import Workshop, failed, only_change, only_database, remarks, told
from remediate.errors import RemediateError
from remediate.postgres.server import Server
from remediate.postgres.versions import binaries_for
from remediate.postgres.workroom import memory_folder
from remediate.prove.model import Proofs

EXAMPLES_OWN = 15
OTHERS = (14, 16, 17)


@pytest.fixture(scope="module", params=[EXAMPLES_OWN, *(pytest.param(n, marks=pytest.mark.long) for n in OTHERS)])
def other(request: pytest.FixtureRequest, postgres: Server) -> Iterator[Server]:
    """A server of another major version than the tests' own."""
    if postgres.version.startswith(f"{request.param}."):
        pytest.skip(f"all tests run on PostgreSQL {request.param} already")
    try:
        binaries = binaries_for(request.param, fetch=True)
    except RemediateError as error:
        pytest.skip(f"there is no PostgreSQL {request.param} here: {error}")
    with Server(binaries, parent=memory_folder()) as server:
        assert server.version.startswith(f"{request.param}.")
        yield server


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.of(tmp_path_factory.mktemp("platform"), PLATFORM, unsafe=True, rewrite=True)


def test_every_attempt_gives_the_same(everything: Workshop, postgres: Server, other: Server) -> None:
    def verdicts(proofs: Proofs) -> dict[str, str]:
        return {proof.change.path: proof.verdict for proof in proofs.changes}

    here, there = everything.prove(postgres), everything.prove(other)
    assert set(verdicts(there).values()) == {"proven"}, [told(proof) for proof in there.changes]
    assert there.server != here.server
    assert replace(there, server=here.server) == here


def test_sabotage_is_caught_there_too(everything: Workshop, other: Server) -> None:
    change = next(one for one in everything.plan.changes if "rls-not-forced" in one.rules)
    alone = replace(everything, plan=replace(everything.plan, changes=(change,)))
    broken = alone.tampered("  await knex.raw(`ALTER TABLE public.shipments FORCE ROW LEVEL SECURITY`);\n", "")
    said = remarks(failed(only_change(broken.prove(other)))["tenants"])
    assert "its owner still reaches past the policies of public.shipments" in said


def test_stubs_are_made_there_too(tmp_path: Path, other: Server) -> None:
    statements = (
        "ALTER TABLE letters ADD FOREIGN KEY (tenant_id) REFERENCES tenants (id)",
        "CREATE VIEW signed AS SELECT l.id, w.name FROM letters l JOIN writers w ON w.id = l.id WHERE w.born < now()",
        "CREATE TABLE k (t int DEFAULT 1 REFERENCES owners (id), mood mood); INSERT INTO k DEFAULT VALUES",
        "CREATE TRIGGER touched BEFORE UPDATE ON letters FOR EACH ROW EXECUTE FUNCTION touch()",
        "INSERT INTO ledger (entry) VALUES ('a') ON CONFLICT (entry) DO NOTHING",
    )
    database = only_database(Workshop.of(tmp_path, post(*statements), unsafe=True).prove(other))
    assert (database.refused, database.unlike) == (0, 0)
    made = {f"{stub.kind} {stub.name}" for stub in database.stubs}
    assert made == {
        "type mood", "function touch()", "table public.tenants", "table public.writers", "table public.owners",
        "table public.ledger",
    }  # fmt: skip


def test_an_extension_that_is_not_there_is_named(tmp_path: Path, other: Server) -> None:
    """Before 18 nothing can stand in for it; what needs it is refused, and why is said."""
    database = only_database(Workshop.of(tmp_path, post("CREATE EXTENSION no_such_thing"), unsafe=True).prove(other))
    assert "the extension no_such_thing is not installed here: what needs it had no effect" in database.limits
