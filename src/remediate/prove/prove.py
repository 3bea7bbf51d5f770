"""From the catalogs and changes of a plan to proofs: the public function of this stage."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from remediate.config.model import Config
from remediate.detect.found import listed
from remediate.detect.model import Facts, Finding
from remediate.evaluate.evaluate import Evaluator
from remediate.plan.model import Change
from remediate.postgres.host import Host
from remediate.prove.change import ChangeTrial, State
from remediate.prove.detours import changes_around, detours_of
from remediate.prove.edits import prove_edits
from remediate.prove.ground import Detect, Ground
from remediate.prove.judge import affected, lost_access
from remediate.prove.knex import KnexTool
from remediate.prove.model import ChangeProof, Check, DatabaseProof, Matrix, Proofs, Reach, Remark
from remediate.prove.prediction import deviations, with_histories
from remediate.prove.tenants import ROWS, setting_names
from remediate.replay.catalog import QName
from remediate.source.model import FileTree
from remediate.sql.older import grammar_of

_ABSENT = re.compile(r'extension "(.+)" is not available|extension control file ".*/(.+)\.control"')
_MISSING = re.compile(r'relation "(.+?)" does not exist')


def _nothing(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be proven, and where.

    `host` runs; `detect` gives the findings in given facts, as the plan had them; `step` hears of each piece of work.
    With `knex`, the files are run by real Knex as well. `stubs`: whether tables that nobody makes are stubbed; None
    leaves it to what the workspace is.
    """

    tree: FileTree
    config: Config
    host: Host
    detect: Detect
    step: Callable[[str], None] = field(default=_nothing)
    knex: KnexTool | None = None
    stubs: bool | None = None


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
                proofs.append(
                    _prove_database(facts, findings, own, evaluator, asked, _needs_stubs(facts, databases, asked))
                )
    return Proofs(asked.host.version, asked.config.workspace.postgres, runner, tuple(proofs))


def _needs_stubs(facts: Facts, databases: Sequence[Facts], asked: Asked) -> bool:
    """Whether there are other services whose migrations are not here: what nobody makes may be theirs.

    In a workspace of several services, what no migration makes is taken to be missing in production, too.
    """
    if asked.stubs is not None:
        return asked.stubs
    alone = sum(len(one.services) for one in databases) == 1
    return asked.config.workspace.database != "per-service" and (alone or bool(facts.neighbours))


def _prove_database(
    facts: Facts, findings: Mapping[str, Finding], changes: Sequence[Change], evaluator: Evaluator, asked: Asked,
    with_stubs: bool,
) -> DatabaseProof:  # fmt: skip
    asked.step(f"Running the history of {facts.replayed.database} on PostgreSQL")
    with Ground(asked.host, facts, evaluator, asked.config, asked.knex, with_stubs=with_stubs) as ground:
        state = _state(ground, asked.detect)
        asked.step("Attacking every table")
        first = {name: ground.attack(name) for name in ground.shapes}
        state.openings = {name: ground.openings(name) for name in ground.shapes}
        state.ways = ground.find_ways()
        seen = ground.look_around(state.ways)
        state.around.update(seen)
        state.reaches = dict(first)
        proven: list[ChangeProof] = []
        for change in changes:
            if change.kind == "migration":
                asked.step(f"Proving {change.path}")
                proven.append(ChangeTrial(ground, change, findings, asked.detect, state).run())
        asked.step("Looking at what no change was about")
        last = ground.look_around(state.ways)
        checks = _aside(ground, first, proven)
        if left := [sentence for _, sentence in changes_around(state.ways, state.around, last)]:
            checks.append(Check("tenants", "failed", tuple(map(Remark, left))))
        done = DatabaseProof(
            database=facts.replayed.database,
            services=tuple(service.name for service in facts.services),
            application=ground.actors.application or "",
            changes=tuple(proven),
            matrices=_matrices(ground, first, state.reaches),
            detours=detours_of(state.ways, seen, last),
            checks=tuple(checks),
            limits=_limits(ground, facts, findings, {change.service for change in changes}, state.first),
            refused=len(ground.history.refusals),
            unlike=len(state.unlike),
            settings=setting_names(facts),
            stubs=ground.stubs,
        )
    edits = [change for change in changes if change.kind == "rewrite"]
    if edits:
        asked.step("Running the edited history")
    proofs = prove_edits(
        asked.host, ground.facts, edits, findings, ground.history.catalog, evaluator, ground.config, asked.detect
    )
    # In the order of the plan, edits among migrations.
    order = {change.path: number for number, change in enumerate(changes)}
    together = sorted((*done.changes, *proofs), key=lambda proof: order[proof.change.path])
    return replace(done, changes=tuple(together))


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


def _state(ground: Ground, detect: Detect) -> State:
    """The database before any change: its catalog, how that differs from the predicted one, what is found in it."""
    static = ground.prediction.replayed()
    real = ground.catalog(static.catalog)
    catalog = with_histories(real, static.catalog)
    found = detect(ground.prediction.facts(replace(static, catalog=catalog)))
    before = {one.id: one for one in found}
    return State(ground.snapshot(), deviations(static.catalog, real), before, before)


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
            why = reach if isinstance(reach, str) else str(now)
            matrices.append(Matrix(name, service, counts, unfilled=why, stub=ground.is_stub(name)))
        else:
            matrices.append(Matrix(name, service, counts, reach, now))
    return tuple(matrices)


def _beyond_the_plan(
    ground: Ground,
    planned: Facts,
    known_findings: Collection[str],
    services: Collection[str],
    found: Mapping[str, Finding],
) -> list[str]:
    """What the history makes with stubs, and the plan, which was made without, does not know."""
    tables = [
        name for name in ground.shapes
        if name not in planned.replayed.catalog.tables and not ground.is_stub(name)
    ]  # fmt: skip
    more = [
        one for id_, one in found.items()
        if id_ not in known_findings and one.service in services and not one.suppressed and not one.waiting
    ]  # fmt: skip
    if not tables and not more:
        return []
    noun = "table" if len(tables) == 1 else "tables"
    said = f"{len(tables)} more {noun} ({listed(list(map(str, tables)))})" if tables else "no more tables"
    beyond = f"{len(more)} more {'finding' if len(more) == 1 else 'findings'}" if more else "nothing more"
    return [
        f"with the stubs the history makes {said}, and {beyond} that this plan, made without them, knows nothing of:"
        " plan the whole repository"
    ]


def _limits(
    ground: Ground,
    planned: Facts,
    known_findings: Collection[str],
    services: Collection[str],
    found: Mapping[str, Finding],
) -> tuple[str, ...]:
    """What was not run as in production, each once. `found` is what detectors find before any change."""
    known = set(ground.facts.replayed.unresolved)
    limits = [f"{one.place}: {one.reason}" for one in ground.history.unresolved if one not in known]
    missing = {named.group(1) for one in ground.history.refusals if (named := _MISSING.fullmatch(one.message))}
    if missing:
        limits.append(
            f"no migration here makes {', '.join(sorted(missing))}: what refers to that had no effect, as in the plan"
        )
    refused = (_ABSENT.search(one.message) for one in ground.history.refusals)
    absent = (f"the extension {found[1] or found[2]} is not installed here" for found in refused if found)
    limits += [f"{one}: what needs it had no effect" for one in absent]
    if ground.stubs:
        limits += _beyond_the_plan(ground, planned, known_findings, services, found)
    if not ground.sees_all and not ground.actors.unbound:
        limits.append("views and functions with their owner's rights were not tried: that takes a superuser")
    return tuple(dict.fromkeys(limits))
