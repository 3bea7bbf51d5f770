"""The pipeline on one screen: each stage's one function, in the order of the picture in the README."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from remediate.cache.store import Cache
from remediate.config.model import Config
from remediate.detect.detect import detect
from remediate.detect.facts import gather
from remediate.detect.model import Facts, Finding
from remediate.detect.notices import unused_acceptances, warnings
from remediate.detect.suppress import misnamed
from remediate.emit.emit import emit, writable
from remediate.kept import Run, replay_kept
from remediate.model import Observation, Plan, Request
from remediate.plan.model import Change, Fix
from remediate.plan.plan import Planned, plan
from remediate.replay.catalog import Assumption, Replayed
from remediate.rewrite.rewrite import rewrite
from remediate.source.discover import discover
from remediate.source.model import FileTree, Service, Workspace
from remediate.sql.older import grammar_of

if TYPE_CHECKING:
    from remediate.postgres.host import Host
    from remediate.prove.knex import KnexTool
    from remediate.prove.model import Proofs


def read(tree: FileTree, config: Config) -> Workspace:
    """source: the services of a tree and their migrations."""
    return discover(tree, config)


def replay_all(
    workspace: Workspace, tree: FileTree, config: Config, assume: Assumption = "applied", cache: Cache | None = None
) -> tuple[Replayed, ...]:
    """evaluate and replay, migration by migration: one catalog for each database, in the order of the services."""
    run = Run(
        tree,
        tuple(sorted(config.workspace.environment.items())),
        assume,
        config.roles.migration or "postgres",
        config.workspace.postgres,
    )
    return replay_kept(databases_of(workspace.services), run, cache)


def databases_of(services: Sequence[Service]) -> list[list[Service]]:
    """The services of each database, in replay order."""
    groups: dict[str, list[Service]] = {}
    for service in services:
        groups.setdefault(service.database, []).append(service)
    return list(groups.values())


def make_plan(
    workspace: Workspace,
    tree: FileTree,
    config: Config,
    request: Request,
    cache: Cache | None = None,
    observed: Observation | None = None,
) -> Plan:
    """replay, detect, plan, emit and rewrite: from a workspace to findings, their fixes and the changes.

    `observed` takes the place of the replay: a live database, and what to make of a finding there.
    """
    with grammar_of(config.workspace.postgres):
        if observed is None:
            databases = replay_all(workspace, tree, config, request.assume, cache)
            return _make_plan(workspace, databases, config, request, lambda finding: finding)
        return _make_plan(workspace, (observed.replayed,), config, request, observed.judge)


def _make_plan(
    workspace: Workspace,
    replays: tuple[Replayed, ...],
    config: Config,
    request: Request,
    judge: Callable[[Finding], Finding],
) -> Plan:
    databases: list[Facts] = []
    fixes: list[Fix] = []
    changes: list[Change] = []
    everything: list[Finding] = []
    for replayed in replays:
        services = [service for service in workspace.services if service.database == replayed.database]
        facts = gather(replayed, services, config, request.neighbours)
        databases.append(facts)
        found = detect(
            facts,
            request.rules or None,
            today=request.today,
            ignores=workspace.ignores,
            baseline=request.baseline,
        )
        found = tuple(map(judge, found))
        everything.extend(found)
        findings = [finding for finding in found if not request.services or finding.service in request.services]
        planned = plan(facts, findings, request.options)
        written, fixed = _write(services, planned, request)
        fixes.extend(fixed)
        changes.extend(written)
    unresolved = [*workspace.unresolved, *(place for facts in databases for place in facts.replayed.unresolved)]
    unresolved += misnamed(workspace.ignores, workspace.services)
    if request.services:
        unresolved = [place for place in unresolved if place.service in request.services]
    unused = unused_acceptances(databases, everything, workspace.ignores, request.baseline, request.rules)
    return Plan(
        workspace,
        tuple(databases),
        tuple(fixes),
        tuple(changes),
        tuple(dict.fromkeys(unresolved)),
        warnings(databases),
        (*workspace.notes, *unused),
    )


def prove_plan(
    plan: Plan, tree: FileTree, config: Config, request: Request, host: Host, step: Callable[[str], None],
    knex: KnexTool | None = None, stubs: bool | None = None,
) -> Proofs:  # fmt: skip
    """prove: every change of a plan, tried on a running server; `stubs` as in `prove.Asked`."""
    from remediate.prove.prove import Asked, prove  # whoever only plans loads nothing of it

    def found(facts: Facts) -> tuple[Finding, ...]:
        return detect(
            facts,
            request.rules or None,
            today=request.today,
            ignores=plan.workspace.ignores,
            baseline=request.baseline,
        )

    findings = {finding.id: finding for finding in plan.findings}
    return prove(plan.databases, findings, plan.changes, Asked(tree, config, host, found, step, knex, stubs))


def _write(services: Sequence[Service], planned: Planned, request: Request) -> tuple[list[Change], list[Fix]]:
    """emit and rewrite; a fix that could not be written after all becomes manual and says why."""
    mute = {service.name for service in services if not writable(service)}
    emitted = emit(services, planned.migrations, request.commit_date)
    rewritten = rewrite(services, planned.rewrites)
    fixes = []
    for fix in planned.fixes:
        if fix.finding.service in mute and fix.level != "manual":
            reason = "All migrations of the service take a pg Pool, which Knex does not run."
            fix = replace(fix, level="manual", reasons=(*fix.reasons, reason), withheld="")
        if fix.finding.id in rewritten.missed:
            reason = "The statement does not stand in the file as it is sent, so that it cannot be edited there."
            fix = replace(fix, level="manual", reasons=(*fix.reasons, reason))
        fixes.append(fix)
    return [*emitted, *rewritten.changes], fixes
