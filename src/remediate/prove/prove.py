"""From the catalogs and changes of a plan to proofs: the public function of this stage."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from remediate.config.model import Config
from remediate.detect.model import Facts, Finding
from remediate.evaluate.evaluate import Evaluator
from remediate.plan.model import Change
from remediate.postgres.host import Host
from remediate.prove.change import GUARDING, ChangeTrial, State
from remediate.prove.detours import Scout, Way, compare, find_ways
from remediate.prove.edits import prove_edits
from remediate.prove.ground import Detect, Ground
from remediate.prove.judge import affected, lost_access
from remediate.prove.knex import KnexTool
from remediate.prove.model import ChangeProof, Check, DatabaseProof, Matrix, Proofs, Reach, Remark
from remediate.prove.prediction import deviations, with_histories
from remediate.prove.targets import Target
from remediate.prove.tenants import ROWS, setting_names
from remediate.replay.catalog import QName
from remediate.source.model import FileTree
from remediate.sql.older import grammar_of

_MISSING = re.compile(r'relation "(.+?)" does not exist')


def _nothing(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be proven, and where.

    `host` runs; `detect` gives the findings in given facts, as the plan had them; `step` hears of each piece of work.
    With `knex`, the files are run by real Knex as well.
    """

    tree: FileTree
    config: Config
    host: Host
    detect: Detect
    step: Callable[[str], None] = field(default=_nothing)
    knex: KnexTool | None = None


def prove(
    databases: Sequence[Facts], findings: Mapping[str, Finding], changes: Sequence[Change], asked: Asked
) -> Proofs:
    """Tries every change on a database that holds the history of all its services, one after the other.

    A database that no change is for is left out. Raises `RemediateError` where the server cannot do its part; what is
    wrong with a change is in its proof.
    """
    evaluator = Evaluator(asked.tree, environment=asked.config.workspace.environment)
    proofs = []
    runner: Literal["evaluator", "knex"] = "evaluator" if asked.knex is None else "knex"
    with grammar_of(asked.config.workspace.postgres):
        for facts in databases:
            services = {service.name for service in facts.services}
            own = [change for change in changes if change.service in services]
            if own:
                proofs.append(_prove_database(facts, findings, own, evaluator, asked))
    return Proofs(asked.host.version, asked.config.workspace.postgres, runner, tuple(proofs))


def _prove_database(
    facts: Facts, findings: Mapping[str, Finding], changes: Sequence[Change], evaluator: Evaluator, asked: Asked
) -> DatabaseProof:
    asked.step(f"Running the history of {facts.replayed.database} on PostgreSQL")
    with Ground(asked.host, facts, evaluator, asked.config, asked.knex) as ground:
        state = _state(ground, asked.detect)
        asked.step("Attacking every table")
        first = {name: ground.attack(name) for name in ground.shapes}
        scout, ways = _scout(ground)
        seen = scout.look(ways)
        state.reaches = dict(first)
        proven: list[ChangeProof] = []
        for change in changes:
            if change.kind == "migration":
                asked.step(f"Proving {change.path}")
                proven.append(ChangeTrial(ground, change, findings, asked.detect, state).run())
        asked.step("Looking at what no change was about")
        detours, around = compare(ways, seen, _scout(ground)[0].look(ways))
        checks = _aside(ground, first, proven)
        proven, left = _blame(proven, around)
        if left:
            checks.append(Check("tenants", "failed", tuple(map(Remark, left))))
        done = DatabaseProof(
            database=facts.replayed.database,
            services=tuple(service.name for service in facts.services),
            application=ground.actors.application or "",
            changes=tuple(proven),
            matrices=_matrices(ground, first, state.reaches),
            detours=tuple(detours),
            checks=tuple(checks),
            limits=_limits(ground),
            refused=len(ground.history.refusals),
            unlike=len(state.unlike),
            settings=setting_names(facts),
        )
    edits = [change for change in changes if change.kind == "rewrite"]
    if edits:
        asked.step("Running the edited history")
    proofs = prove_edits(
        asked.host, facts, edits, findings, ground.history.catalog, evaluator, asked.config, asked.detect
    )
    # In the order of the plan, edits among migrations.
    order = {change.path: number for number, change in enumerate(changes)}
    together = sorted((*done.changes, *proofs), key=lambda proof: order[proof.change.path])
    return replace(done, changes=tuple(together))


def _scout(ground: Ground) -> tuple[Scout, list[Way]]:
    targets = {name: target for name in ground.shapes if isinstance(target := ground.target(name), Target)}
    # Only a superuser can make others' rows vanish without their triggers and references.
    able = ground.sees_all and not ground.actors.unbound
    ways = find_ways(ground.wire, ground.history.catalog, targets) if able else []
    return Scout(ground.new_attacker, setting_names(ground.facts), targets), ways


def _aside(ground: Ground, first: Mapping[QName, Reach | str], proven: Sequence[ChangeProof]) -> list[Check]:
    """What tenants do with their own rows where no change was about them: triggers there may reach what changed."""
    about = {table for proof in proven for table in proof.tables}
    about.update(affected(ground.history.catalog, about))
    problems: list[Remark] = []
    for name, before in first.items():
        if name in about or isinstance(before, str) or not proven:
            continue
        after = ground.attack(name, own_only=True)
        if isinstance(after, Reach):
            problems += [Remark(text) for text in lost_access(name, before, after)]
    return [Check("tenants", "failed", tuple(problems))] if problems else []


def _blame(proven: Sequence[ChangeProof], around: Sequence[tuple[Way, str]]) -> tuple[list[ChangeProof], list[str]]:
    """Holds what views and functions do now against the changes of tables that they read; what is left is nobody's."""
    left = []
    blamed: dict[int, list[Remark]] = {}
    for way, sentence in around:
        near = [number for number, proof in enumerate(proven) if set(proof.tables) & set(way.reads)]
        # A new column that nothing reads yet changes no answer; who may read which rows does.
        guilty = [number for number in near if set(proven[number].change.rules) & GUARDING] or near
        for number in guilty:
            blamed.setdefault(number, []).append(Remark(sentence))
        if not guilty:
            left.append(sentence)
    return [
        replace(proof, checks=_with(proof.checks, blamed[number])) if number in blamed else proof
        for number, proof in enumerate(proven)
    ], left


def _with(checks: Sequence[Check], remarks: Sequence[Remark]) -> tuple[Check, ...]:
    return tuple(
        replace(check, status="failed", remarks=(*remarks, *check.remarks)) if check.name == "tenants" else check
        for check in checks
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
    limits = [f"{one.place}: {one.reason}" for one in ground.history.unresolved if one not in known]
    missing = {found.group(1) for one in ground.history.refusals if (found := _MISSING.fullmatch(one.message))}
    if missing:
        limits.append(
            f"no migration here makes {', '.join(sorted(missing))}: what refers to that had no effect, as in the plan"
        )
    if not ground.sees_all and not ground.actors.unbound:
        limits.append("views and functions with their owner's rights were not tried: that takes a superuser")
    return tuple(dict.fromkeys(limits))
