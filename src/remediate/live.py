"""The pipeline on a live database: `audit --database-url` and `plan --database-url`.

The migrations that are on record there are replayed as ever; what is then looked at is the live catalog, with what was
replayed as evidence of where its objects come from. Nothing is written: `postgres/live.py` cannot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from remediate.audit import catalog_checks, row_checks
from remediate.audit.audit import CHECKS, Audit, passing_roles
from remediate.audit.catalog_checks import CatalogChecks
from remediate.audit.drift import find_drift
from remediate.audit.evidence import stand_in, told, without, without_places
from remediate.audit.model import Drift
from remediate.audit.records import Records, bookkeeping, in_recorded_order, match_records, ran_otherwise
from remediate.config.model import Config
from remediate.detect.baseline import Baseline
from remediate.detect.detect import detect
from remediate.detect.facts import DEFAULT_COLUMN, gather
from remediate.detect.found import listed
from remediate.detect.model import Finding
from remediate.errors import RemediateError
from remediate.model import Observation, Plan, Request
from remediate.pipeline import make_plan, replay_all
from remediate.postgres.live import Live
from remediate.postgres.observe import Observed, RecordTable, observe
from remediate.replay.catalog import Catalog, QName, Replayed
from remediate.replay.compare import catalog_facts
from remediate.source.model import FileTree, Service, Workspace
from remediate.source.neighbours import Neighbour
from remediate.sql.older import grammar_of

NOTHING = Workspace("", ())
"""The workspace of a database that is looked at alone."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A live database beside its migrations.

    `workspace` has the services of this database alone; `expected` is the replay of what is on record, `catalog` the
    live one without Knex's own tables, `replayed` that with the histories of `expected`. `later` is the replay of all
    files, None where none waits. `config` has what only the server knows: its version, and the role that migrates.
    """

    observed: Observed
    workspace: Workspace
    config: Config
    records: Records
    expected: Replayed
    catalog: Catalog
    drift: tuple[Drift, ...]
    replayed: Replayed
    later: Replayed | None


def look(live: Live, workspace: Workspace, tree: FileTree, config: Config, chosen: Collection[str] = ()) -> Sight:
    """Reads the database and finds what its migrations say of it. `chosen` are services that are known to live there.

    Raises `RemediateError` where it cannot be told which of several databases of the workspace this is.
    """
    with grammar_of(live.seen.major):
        return _look(live, workspace, tree, config, chosen)


def _look(live: Live, workspace: Workspace, tree: FileTree, config: Config, chosen: Collection[str]) -> Sight:
    observed = observe(live, catalog_checks.questions(config.tenancy.column or DEFAULT_COLUMN).values())
    own = bookkeeping(observed.records)
    catalog = without(observed.catalog, own)
    services = _services_here(workspace, observed, chosen)
    workspace = replace(workspace, services=services)
    config = _known_by_server(config, observed, catalog)
    records = match_records(services, observed.records)
    expected = _replay(workspace, tree, config, records)
    if (ran := in_recorded_order(services, records)) is not None:
        as_it_ran = _replay_in_order(ran, workspace, tree, config)
        if _unlike(as_it_ran.catalog, catalog) < _unlike(expected.catalog, catalog):
            expected = as_it_ran
            records = replace(records, problems=(*records.problems, ran_otherwise(services, ran)))
    later = replay_all(workspace, tree, config)[0] if records.pending else None
    drift: tuple[Drift, ...] = ()
    if services:
        facts = gather(expected, services, config)
        drift = find_drift(expected, catalog, observed, facts, later.catalog if later else None)
    replayed = stand_in(observed, catalog, expected, drift)
    return Sight(observed, workspace, config, records, expected, catalog, drift, replayed, later)


def make_audit(
    live: Live,
    workspace: Workspace | None,
    tree: FileTree,
    config: Config,
    *,
    services: Collection[str] = (),
    rules: Collection[str] = (),
    count_rows: bool = True,
    neighbours: tuple[Neighbour, ...] = (),
    baseline: Baseline | None = None,
    today: date = date.max,
) -> Audit:
    """The audit as a whole; `rules` and `count_rows` spare work, `services` say which database it is."""
    sight = look(live, workspace or NOTHING, tree, config, services)
    with grammar_of(sight.observed.seen.major):
        facts = gather(sight.replayed, sight.workspace.services, sight.config, neighbours)
        found = detect(facts, today=today, ignores=sight.workspace.ignores, baseline=baseline)
    answers = _answers(live, sight, facts.tenancy.column)
    checks = {one.id: one for one in CatalogChecks(facts, answers, bookkeeping(sight.observed.records)).run()}
    wanted = not rules or {row_checks.ORPHANS, row_checks.DUPLICATES} & set(rules)
    asked = row_checks.questions(facts, sight.observed) if wanted else []
    checks |= {one.id: one for one in row_checks.run(live if count_rows else None, asked)}
    return Audit(
        observed=sight.observed,
        workspace=workspace and sight.workspace,
        services=sight.workspace.services,
        facts=facts,
        findings=tuple(map(told if workspace is not None else without_places, found)),
        records=sight.records,
        drift=sight.drift,
        checks=tuple(checks[id] for id in CHECKS),
        roles=passing_roles(sight.observed, config),
        unresolved=(*sight.workspace.unresolved, *sight.expected.unresolved),
    )


def plan_on(sight: Sight, tree: FileTree, request: Request) -> Plan:
    """The plan for the live database; the emitted files come after those that wait, which run first."""
    later = _Later(sight)
    workspace = replace(sight.workspace, notes=(*sight.workspace.notes, _note(sight)))
    return make_plan(workspace, tree, sight.config, request, observed=Observation(sight.replayed, later.judge))


class _Later:
    """What the files that wait will have done before an emitted one runs."""

    def __init__(self, sight: Sight) -> None:
        self._drift = sight.replayed.drift
        self._names = listed([source.file for source in sight.records.pending])
        self._repaired: frozenset[str] = frozenset()
        self._touched: frozenset[QName] = frozenset()
        if sight.later is None:
            return
        self._repaired = _ids(sight.expected, sight) - _ids(sight.later, sight)
        before, after = catalog_facts(sight.expected.catalog), catalog_facts(sight.later.catalog)
        changed = (key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        self._touched = frozenset(name for key in changed for name in key.relations[:1])

    def judge(self, finding: Finding) -> Finding:
        finding = told(finding)
        if finding.suppressed or finding.waiting:
            return finding
        if finding.id in self._repaired:
            # Manual, so that no planner writes what those files do already.
            waiting = f"{self._names} is applied, which repairs it"
            return replace(finding, severity="info", level="manual", waiting=waiting)
        if finding.level == "manual":
            return finding
        subject = finding.subject
        about = QName(subject.schema, subject.table or subject.name.partition("(")[0])
        reasons: list[str] = []
        if about in self._touched:
            reasons.append(
                f"What it is about is changed by {self._names}, on disk and not on record, which runs before."
            )
        if subject.kind == "function":  # what tables have in drift is among what detectors look at
            reasons += self._drift.get(about, ())
        if not reasons:
            return finding
        tainted_by = (*finding.tainted_by, *reasons)
        return replace(finding, level="unsafe", tainted_by=tainted_by, reasons=(*finding.reasons, *reasons))


def _note(sight: Sight) -> str:
    """What a plan on a live database stands on."""
    recorded = sum(len(one.on_record) for one in sight.records.standings)
    note = f"Planned on the live {sight.observed.label} (PostgreSQL {sight.observed.seen.version}), where"
    note += f" {recorded} migrations are on record"
    note += f" and {len(sight.records.pending)} wait, which run before what is written here" if sight.later else ""
    bearing = sum(drift.isolation for drift in sight.drift)
    return note + (f"; {bearing} objects in drift bear on isolation: remediate audit names them" if bearing else "")


def _ids(replayed: Replayed, sight: Sight) -> frozenset[str]:
    with grammar_of(sight.observed.seen.major):
        return frozenset(one.id for one in detect(gather(replayed, sight.workspace.services, sight.config)))


# --------------------------------------------------------------------------------------------- what it is held against


def _replay(workspace: Workspace, tree: FileTree, config: Config, records: Records) -> Replayed:
    """The replay of the files on record, in the order in which they ran."""
    if not workspace.services:
        return Replayed("", Catalog())
    ran = {standing.service: standing.on_record for standing in records.standings}
    applied = replace(workspace, services=tuple(replace(one, migrations=ran[one.name]) for one in workspace.services))
    (replayed,) = replay_all(applied, tree, config)
    return replayed


def _replay_in_order(ran: Sequence[Service], workspace: Workspace, tree: FileTree, config: Config) -> Replayed:
    (replayed,) = replay_all(replace(workspace, services=tuple(ran)), tree, config)
    return replayed


def _unlike(expected: Catalog, live: Catalog) -> int:
    """In how many facts two catalogs differ."""
    before, after = catalog_facts(expected), catalog_facts(live)
    return sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())


def _services_here(workspace: Workspace, observed: Observed, chosen: Collection[str]) -> tuple[Service, ...]:
    """The services whose database this is, all of them under one name."""
    groups: dict[str, list[Service]] = {}
    for service in workspace.services:
        groups.setdefault(service.database, []).append(service)
    named = [group for group in groups.values() if any(service.name in chosen for service in group)]
    recorded = [group for group in groups.values() if any(_is_recorded(one, observed.records) for one in group)]
    called = [group for name, group in groups.items() if name == observed.seen.database]
    here = list(groups.values()) if len(groups) <= 1 else named or recorded or called
    if not here and groups:
        raise RemediateError(
            f"which of the workspace's {len(groups)} databases this is cannot be told: none of their migrations is on "
            "record in it",
            place=observed.label,
            hint="name a service of it with --service",
        )
    # What has its record here lives here, whatever its knexfile's name for the database.
    names = {service.name for group in here for service in group}
    database = here[0][0].database if here else ""
    return tuple(replace(one, database=database) for one in workspace.services if one.name in names)


def _is_recorded(service: Service, tables: Collection[RecordTable]) -> bool:
    (standing,) = match_records([service], tuple(tables)).standings
    return standing.known and bool(standing.on_record)


def _known_by_server(config: Config, observed: Observed, catalog: Catalog) -> Config:
    """The configuration with the server's version, and with the owner of Knex's tables as the role that migrates."""
    records = {table.name for table in observed.records}
    owners = Counter(
        table.owner
        for table in (observed.catalog.tables.values() if records else catalog.tables.values())
        if table.owner and (table.name in records or not records)
    )
    owner = min(owners, key=lambda name: (-owners[name], name), default=None)
    roles = msgspec.structs.replace(config.roles, migration=config.roles.migration or owner)
    return msgspec.structs.replace(
        config, roles=roles, workspace=msgspec.structs.replace(config.workspace, postgres=observed.seen.major)
    )


def _answers(live: Live, sight: Sight, column: str) -> Mapping[str, list[object]]:
    """The rows of the checks' queries; the one for the tenant column is asked again where that has another name."""
    answers: dict[str, list[object]] = dict(sight.observed.rows)  # type: ignore[arg-type]
    query = catalog_checks.questions(column)[catalog_checks.TENANT_COLUMNS]
    if query not in answers:
        with live.transaction() as reading:
            answers[query] = list(reading.rows(query))
    return answers
