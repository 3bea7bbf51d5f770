"""Changes as they are planned, proven; and changes that somebody has tampered with, which must not be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.workspaces import PLATFORM
from prove.workshop import Workshop, failed, only_change, only_database, remarks, told
from remediate.evaluate.model import Evaluation
from remediate.plan.operations import Lock
from remediate.postgres.server import Server
from remediate.prove.model import MEANINGS, Check, Proofs
from remediate.prove.prediction import Prediction
from remediate.replay.catalog import QName
from remediate.source.model import MigrationSource
from support.database import Database


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.of(tmp_path_factory.mktemp("platform"), PLATFORM, unsafe=True, rewrite=True)


@pytest.fixture(scope="module")
def proofs(everything: Workshop, postgres: Server) -> Proofs:
    return everything.prove(postgres)


def test_every_change_is_proven_and_every_check_was_made(proofs: Proofs, everything: Workshop) -> None:
    assert [proof.change for proof in proofs.changes] == list(everything.plan.changes)
    for proof in proofs.changes:
        assert proof.verdict == "proven", told(proof)
    made = {check.name for proof in proofs.changes for check in proof.checks}
    assert made == set(MEANINGS) - {"queries"}, "a check that nothing here needs is one that nothing here tries"


def test_what_leaked_before_leaks_no_more(proofs: Proofs) -> None:
    matrices = {str(matrix.table): matrix for matrix in only_database(proofs).matrices}
    leaking = {name for name, matrix in matrices.items() if matrix.before and matrix.before.leaks()}
    assert leaking == {
        "public.tenants", "public.invitations", "public.payments", "public.refunds", "public.shipments",
        "public.order_items",
    }  # fmt: skip
    left = {name for name, matrix in matrices.items() if matrix.after and matrix.after.leaks()}
    assert left == {"public.tenants", "public.order_items"}, "the root has no rule, the child gets a column first"
    shipments = matrices["public.shipments"].before
    assert shipments is not None
    assert {attempt.role for attempt in shipments.leaks()} == {"owner"}, "it is protected, and not forced"
    payments = matrices["public.payments"].before
    assert payments is not None
    assert {attempt.statement for attempt in payments.leaks()} == {
        "select", "update", "delete", "insert", "insert returning", "upsert", "move",
    }  # fmt: skip
    assert {attempt.session for attempt in payments.leaks()} == {"right", "other", "wrong", "empty", "unset"}


def test_each_tenant_reaches_its_own_rows(proofs: Proofs) -> None:
    for matrix in only_database(proofs).matrices:
        if str(matrix.table) in ("public.payments", "public.shipments", "public.refunds"):
            assert matrix.after is not None
            own = {found for attempt, found in matrix.after.outcomes.items() if attempt.statement == "own select"}
            assert own == {"2 rows"}


def test_locks_are_those_that_another_session_saw(proofs: Proofs, everything: Workshop) -> None:
    proof = next(proof for proof in proofs.changes if "missing-tenant-column" in proof.change.rules)
    seen = {(str(one.lock.relation), one.lock.mode) for one in proof.locks}
    assert ("public.order_items", "ACCESS EXCLUSIVE") in seen
    assert ("public.orders", "ACCESS SHARE") in seen, "the backfill reads the parent"


def test_nothing_stays_on_the_server(everything: Workshop, proofs: Proofs, postgres: Server) -> None:
    maintenance = Database(postgres.endpoint, "postgres")
    assert maintenance.run("SELECT rolname FROM pg_roles WHERE rolname ~ 'remediate'") == []
    assert maintenance.run("SELECT datname FROM pg_database WHERE datname ~ 'platform'") == []


def test_a_proof_is_the_same_every_time(everything: Workshop, proofs: Proofs, postgres: Server) -> None:
    assert everything.prove(postgres) == proofs


# ------------------------------------------------------------------------------------------ sabotage

CHECKED = """
      WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))"""
POLICY = f"""
    CREATE POLICY payments_isolation ON public.payments
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)){CHECKED}"""
FORCE = "  await knex.raw(`ALTER TABLE public.shipments FORCE ROW LEVEL SECURITY`);\n"
DROP = "  await knex.raw(`DROP POLICY payments_isolation ON public.payments`);\n"
ENABLE = "  await knex.raw(`ALTER TABLE public.payments ENABLE ROW LEVEL SECURITY`);\n"


def one(workshop: Workshop, *rules: str) -> Workshop:
    """With the first change that repairs findings of all these rules, and nothing else."""
    change = next(change for change in workshop.plan.changes if set(rules) <= set(change.rules))
    return replace(workshop, plan=replace(workshop.plan, changes=(change,)))


@pytest.fixture(scope="module")
def payments(everything: Workshop) -> Workshop:
    """The file that protects payments, and forces what protects shipments."""
    return one(everything, "missing-rls", "rls-not-forced")


@pytest.fixture(scope="module")
def items(everything: Workshop) -> Workshop:
    """The file that gives order_items its tenant column."""
    return one(everything, "missing-tenant-column")


def expect(workshop: Workshop, server: Server, check: str, *said: str) -> dict[str, Check]:
    """Proves it; the check has failed and says all this. Gives all checks that failed."""
    proof = only_change(workshop.prove(server))
    assert proof.verdict == "failed"
    found = failed(proof)
    assert check in found, told(proof)
    for text in said:
        assert text in remarks(found[check]), told(proof)
    return found


def test_as_planned_both_are_proven(payments: Workshop, items: Workshop, postgres: Server) -> None:
    for workshop in (payments, items):
        proof = only_change(workshop.prove(postgres))
        assert proof.verdict == "proven", told(proof)


def test_a_policy_that_lets_everything_through(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(POLICY, "CREATE POLICY payments_isolation ON public.payments USING (true)")
    line = broken.line("CREATE POLICY")
    found = expect(broken, postgres, "tenants", f"{line}: public.payments still leaks: everything as the application")
    assert set(found) == {"tenants"}, "nothing but the attack can tell"


def test_a_check_that_lets_rows_go_to_others(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(CHECKED, "\n      WITH CHECK (true)")
    # With RETURNING, and for an UPDATE that names rows, the row has to be visible as well, which USING does not allow.
    expect(broken, postgres, "tenants", "public.payments still leaks: INSERT as the application")


TENANT_OF_SESSION = "(SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("', true), '')", "'), '')", "public.payments raises 42704 now in a session with no setting"),
        (
            TENANT_OF_SESSION,
            "current_setting('app.current_tenant_id', true)::uuid",
            "public.payments raises 22P02 now in a session with the setting empty",
        ),
        (
            "USING (",
            "USING (current_setting('app.bypass', true) = 'yes' OR ",
            "public.payments shows rows of tenants to whoever sets app.bypass to 'yes'",
        ),
        (
            "USING (",
            "USING (current_setting('app.current_tenant_id', true) = '00000000-0000-0000-0000-000000000000' OR ",
            "to whoever sets app.current_tenant_id to '00000000-0000-0000-0000-000000000000'",
        ),
        (
            f"tenant_id = {TENANT_OF_SESSION}",
            "left(tenant_id::text, 20) = left(current_setting('app.current_tenant_id', true), 20)",
            "public.payments still leaks: SELECT as the application and the owner (the setting another tenant's)",
        ),
        ("isolation ON public.payments", "isolation ON public.payments AS RESTRICTIVE", "gave 2 rows, and now 0 rows"),
        ("public.payments\n", "public.payments FOR UPDATE\n", "a tenant's DELETE, SELECT, UPDATE of its own rows"),
        (CHECKED, "", ""),
    ],
    ids=[
        "missing_ok lost", "NULLIF lost", "a bypass", "a tenant who sees all", "a part of the key", "restrictive",
        "another command", "USING alone is a check as well",
    ],
)  # fmt: skip
def test_a_policy_that_is_nearly_right(old: str, new: str, said: str, payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(POLICY, POLICY.replace(old, new))
    if said:
        expect(broken, postgres, "tenants", said)
    else:
        assert only_change(broken.prove(postgres)).verdict == "proven"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "SET row_security = off",
            "leaves row_security at 'off' in the transaction, which Knex shares with other files",
        ),
        ("SET LOCAL search_path = pg_catalog", "leaves search_path at 'pg_catalog' in the transaction"),
        ("SELECT set_config('app.current_tenant_id', 'x', false)", "leaves app.current_tenant_id at 'x' in"),
        ("SELECT pg_advisory_lock(1)", "leaves an advisory lock in the session"),
        ("SET ROLE remediate_application", "leaves role at 'remediate_application' in the transaction"),
    ],
)
def test_what_is_left_to_the_next_file(statement: str, said: str, payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(FORCE, f"{FORCE}  await knex.raw(`{statement}`);\n")
    place = f"{broken.plan.changes[0].path}:"
    expect(broken, postgres, "up", place, said)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("REVOKE UPDATE ON public.payments FROM remediate_application", "a tenant's UPDATE of its own rows as the app"),
        ("GRANT SELECT ON public.payments TO PUBLIC", "privileges"),
        ("ALTER TABLE public.shipments ALTER COLUMN tenant_id DROP NOT NULL", "not_null: True -> False"),
        (
            "ALTER TABLE public.payments ALTER COLUMN id SET DEFAULT gen_random_uuid()",
            "default: None -> 'gen_random_uuid",
        ),
        ("CREATE INDEX odd ON public.shipments (id)", "+ indexes public.odd"),
        ("COMMENT ON TABLE public.shipments IS 'odd'", "+ comments table of public.shipments"),
    ],
)
def test_what_down_does_not_take_back(statement: str, said: str, payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(FORCE, f"{FORCE}  await knex.raw(`{statement}`);\n")
    proof = only_change(broken.prove(postgres))
    assert proof.verdict == "failed"
    assert "down" in failed(proof)
    assert said in told(proof)


@pytest.mark.parametrize(
    ("old", "new", "check", "said"),
    [
        ("IF NEW.tenant_id IS NULL THEN", "IF false THEN", "backfill", "comes without tenant_id gets no tenant"),
        ("WHERE parent_1.id = NEW.order_id;", "ORDER BY 1 DESC LIMIT 1;", "backfill", "another tenant than"),
        ("BEFORE INSERT OR UPDATE ON", "BEFORE UPDATE ON", "backfill", "comes without tenant_id gets no tenant"),
        ("ADD COLUMN tenant_id uuid", "ADD COLUMN tenant_id text", "backfill", "is of type text, and that of"),
        ("of batches.rows) {", "of batches.rows.slice(1)) {", "backfill", "4 of 4 rows of public.order_items have not"),
        ("`SET LOCAL row_security = off`", "`SET row_security = off`", "up", "leaves row_security at 'off'"),
        ("            DROP FUNCTION public.fill_order_items_tenant_id();\n", "", "down", "+ functions public.fill"),
        (
            "      await trx.raw(`ALTER TABLE public.orders FORCE ROW LEVEL SECURITY`);\n", "", "tenants",
            "public.orders leaks now where it did not",
        ),
    ],
)  # fmt: skip
def test_an_expansion_that_is_nearly_right(
    old: str, new: str, check: str, said: str, items: Workshop, postgres: Server
) -> None:
    expect(items.tampered(old, new), postgres, check, said)


def test_a_policy_that_reads_another_setting(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(POLICY, POLICY.replace("app.current_tenant_id", "app.tenant"))
    expect(broken, postgres, "tenants", "in public.payments, a tenant's SELECT of its own rows as the application")


def test_a_policy_for_reading_only(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(POLICY, POLICY.replace("payments\n", "payments FOR SELECT\n").replace(CHECKED, ""))
    expect(
        broken,
        postgres,
        "tenants",
        "a tenant's INSERT, INSERT RETURNING, UPSERT of its own rows as the application and the owner",
    )


def test_row_security_that_is_never_enabled(payments: Workshop, postgres: Server) -> None:
    expect(payments.tampered(ENABLE, ""), postgres, "tenants", "public.payments still leaks: everything")


def test_an_owner_who_is_not_bound(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(FORCE, "")
    found = expect(
        broken, postgres, "tenants", "its owner still reaches past the policies of public.shipments: everything"
    )
    assert "is still found: public.shipments" in remarks(found["findings"])
    assert "the plan says ACCESS EXCLUSIVE on public.shipments, and no lock was taken" in remarks(found["locks"])


def test_a_down_that_leaves_something(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(DROP, "")
    found = expect(broken, postgres, "down", "is not as before: + policies public.payments payments_isolation")
    assert "already exists (42710)" in remarks(found["up again"]), "and so it cannot go up once more"
    assert broken.line("CREATE POLICY") in remarks(found["up again"])


def test_a_down_that_takes_too_much(payments: Workshop, postgres: Server) -> None:
    more = DROP + "  await knex.raw(`ALTER TABLE public.shipments DISABLE ROW LEVEL SECURITY`);\n"
    broken = payments.tampered(DROP, more)
    place = broken.line("shipments NO FORCE")
    expect(
        broken, postgres, "down", f"{place}: is not as before: ~ tables public.shipments: rls_enabled: True -> False"
    )


def test_a_down_that_does_not_run(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(DROP, DROP.replace("payments_isolation", "payment_isolation"))
    expect(broken, postgres, "down", broken.line("DROP POLICY"), "does not exist (42704)")


def test_an_up_that_does_not_run(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(FORCE, FORCE.replace("shipments", "shipment"))
    found = expect(broken, postgres, "up", broken.line("TABLE public.shipment FORCE"), "does not exist (42P01)")
    assert set(found) == {"up"}


def test_rows_that_go(payments: Workshop, postgres: Server) -> None:
    broken = payments.tampered(FORCE, "  await knex.raw(`DELETE FROM public.shipments`);\n" + FORCE)
    expect(broken, postgres, "rows", "after up, public.shipments has 0 rows, and had 4")


def test_a_table_that_is_rewritten(payments: Workshop, postgres: Server) -> None:
    added = "  await knex.raw(`ALTER TABLE public.shipments ADD COLUMN noise float DEFAULT random()`);\n"
    found = expect(payments.tampered(FORCE, added + FORCE), postgres, "rewrites", "public.shipments was rewritten")
    assert "+ columns public.shipments.noise" in remarks(found["down"])


def test_a_backfill_that_misses_rows(items: Workshop, postgres: Server) -> None:
    broken = items.tampered("AND child.tenant_id IS NULL", "AND child.tenant_id IS NOT NULL")
    place = f"{broken.plan.changes[0].path}:"
    found = expect(
        broken, postgres, "backfill", place, "4 of 4 rows of public.order_items have not their parent's tenant"
    )
    lines = only_text(broken).splitlines()
    (said,) = found["backfill"].remarks
    assert said.place is not None
    assert "await trx.raw(update" in lines[said.place.line - 1]


def test_a_backfill_that_takes_the_wrong_tenant(items: Workshop, postgres: Server) -> None:
    other = "(SELECT max(id::text)::uuid FROM public.tenants)"
    broken = items.tampered("SET tenant_id = parent_1.tenant_id\n", f"SET tenant_id = {other}\n")
    expect(broken, postgres, "backfill", "2 of 4 rows of public.order_items have not their parent's tenant")


def test_a_backfill_that_touches_another_column(items: Workshop, postgres: Server) -> None:
    more = "SET order_id = (SELECT max(id::text)::uuid FROM public.orders), tenant_id = parent_1.tenant_id\n"
    broken = items.tampered("SET tenant_id = parent_1.tenant_id\n", more)
    expect(
        broken, postgres, "rows", "after up, values of public.order_items changed in columns that no change is about"
    )


def test_a_lock_that_the_plan_does_not_tell(payments: Workshop, postgres: Server) -> None:
    quiet = payments.changed(lambda change: replace(change, locks=change.locks[:1]))
    place = quiet.line("shipments FORCE")
    text = f"{place}: takes ACCESS EXCLUSIVE on public.shipments, which the plan does not say"
    assert set(expect(quiet, postgres, "locks", text)) == {"locks"}


def test_a_lock_that_is_stronger_than_told(payments: Workshop, postgres: Server) -> None:
    weak = tuple(Lock(lock.relation, "SHARE ROW EXCLUSIVE") for lock in payments.plan.changes[0].locks)
    told_wrong = payments.changed(lambda change: replace(change, locks=weak))
    text = "takes ACCESS EXCLUSIVE on public.payments, and the plan says SHARE ROW EXCLUSIVE"
    expect(told_wrong, postgres, "locks", text, "public.shipments")


def test_a_lock_that_is_never_taken(payments: Workshop, postgres: Server) -> None:
    bold = payments.changed(
        lambda change: replace(change, locks=(*change.locks, Lock(QName("public", "orders"), "ACCESS EXCLUSIVE")))
    )
    expect(bold, postgres, "locks", "the plan says ACCESS EXCLUSIVE on public.orders, and no lock was taken on it")


def test_a_catalog_that_is_not_the_predicted_one(
    payments: Workshop, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The static engine, led to believe that shipments are not forced."""
    apply = Prediction.apply

    def misled(self: Prediction, source: MigrationSource) -> Evaluation:
        return apply(self, replace(source, data=source.data.replace(FORCE.encode(), b"")))

    monkeypatch.setattr(Prediction, "apply", misled)
    text = "rls flags public.shipments: forced is True, and False was predicted"
    expect(payments, postgres, "prediction", f"{payments.line('shipments FORCE')}: {text}")


def test_an_edit_that_makes_another_schema(everything: Workshop, postgres: Server) -> None:
    (edit,) = [change for change in everything.plan.changes if change.kind == "rewrite"]
    alone = replace(everything, plan=replace(everything.plan, changes=(edit,)))
    assert only_change(alone.prove(postgres)).verdict == "proven"
    broken = alone.tampered("'payments', 'refunds', 'shipments'", "'payments', 'refunds', 'shipments', 'parcels'")
    found = expect(broken, postgres, "history", "table public.parcels: is there, and was not there before")
    assert "public.parcels" not in remarks(found.get("findings", Check("findings", "passed")))


def only_text(workshop: Workshop) -> str:
    (change,) = workshop.plan.changes
    return change.text
