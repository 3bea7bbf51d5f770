"""From the catalogs and changes of a plan to proofs: the public function of this stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from remediate.config.model import Config
from remediate.detect.model import Facts, Finding
from remediate.evaluate.evaluate import Evaluator
from remediate.plan.model import Change
from remediate.postgres.server import Server
from remediate.prove.change import ChangeTrial, State
from remediate.prove.ground import Detect, Ground
from remediate.prove.model import ChangeProof, DatabaseProof, Matrix, Proofs, Reach
from remediate.prove.prediction import deviations, with_histories
from remediate.prove.tenants import ROWS, setting_names
from remediate.replay.catalog import QName
from remediate.source.model import FileTree
from remediate.sql.older import grammar_of


def _nothing(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be proven, and where.

    `host` runs; `detect` gives the findings in given facts, as the plan had them; `step` hears of each piece of work.
    """

    tree: FileTree
    config: Config
    host: Server
    detect: Detect
    step: Callable[[str], None] = field(default=_nothing)


def prove(
    databases: Sequence[Facts], findings: Mapping[str, Finding], changes: Sequence[Change], asked: Asked
) -> Proofs:
    """Tries every change on a database that holds the history of all its services, one after the other.

    A database that no change is for is left out. Raises `RemediateError` where the server cannot do its part; what is
    wrong with a change is in its proof.
    """
    evaluator = Evaluator(asked.tree, environment=asked.config.workspace.environment)
    proofs = []
    with grammar_of(asked.config.workspace.postgres):
        for facts in databases:
            services = {service.name for service in facts.services}
            own = [change for change in changes if change.service in services]
            if own:
                proofs.append(_prove_database(facts, findings, own, evaluator, asked))
    return Proofs(asked.host.version, asked.config.workspace.postgres, "evaluator", tuple(proofs))


def _prove_database(
    facts: Facts, findings: Mapping[str, Finding], changes: Sequence[Change], evaluator: Evaluator, asked: Asked
) -> DatabaseProof:
    asked.step(f"Running the history of {facts.replayed.database} on PostgreSQL")
    with Ground(asked.host, facts, evaluator, asked.config) as ground:
        state = _state(ground, asked.detect)
        asked.step("Attacking every table")
        first = {name: ground.attack(name) for name in ground.shapes}
        state.reaches = dict(first)
        proven: list[ChangeProof] = []
        for change in changes:
            if change.kind == "migration":
                asked.step(f"Proving {change.path}")
                proven.append(ChangeTrial(ground, change, findings, asked.detect, state).run())
        return DatabaseProof(
            database=facts.replayed.database,
            services=tuple(service.name for service in facts.services),
            application=ground.actors.application or "",
            changes=tuple(proven),
            matrices=_matrices(ground, first, state.reaches),
            limits=_limits(ground),
            refused=len(ground.history.refusals),
            unlike=len(state.unlike),
            settings=setting_names(facts),
        )


def _state(ground: Ground, detect: Detect) -> State:
    """The database before any change: its catalog, how that differs from the predicted one, what is found in it."""
    static = ground.prediction.replayed()
    real = ground.catalog(static.catalog)
    catalog = with_histories(real, static.catalog)
    found = detect(ground.prediction.facts(replace(static, catalog=catalog)))
    return State(ground.snapshot(), deviations(static.catalog, real), {one.id: one for one in found})


def _matrices(
    ground: Ground, before: Mapping[QName, Reach | str], after: Mapping[QName, Reach | str]
) -> tuple[Matrix, ...]:
    tables = ground.facts.replayed.catalog.tables
    matrices = []
    for name, reach in before.items():
        service = tables[name].service if name in tables else ""
        rows = ground.filled.rows.get(name, {})
        counts = (sum(number < ROWS for number in rows), sum(number >= ROWS for number in rows))
        now = after[name]
        if isinstance(reach, str) or isinstance(now, str):
            matrices.append(Matrix(name, service, counts, unfilled=reach if isinstance(reach, str) else str(now)))
        else:
            matrices.append(Matrix(name, service, counts, reach, now))
    return tuple(matrices)


def _limits(ground: Ground) -> tuple[str, ...]:
    """What was not run as in production, each once."""
    known = set(ground.facts.replayed.unresolved)
    return tuple(dict.fromkeys(f"{one.place}: {one.reason}" for one in ground.history.unresolved if one not in known))
