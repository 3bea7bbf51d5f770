"""The audit of one live database: what was observed, held against what its migrations say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from remediate.audit import catalog_checks, row_checks
from remediate.audit.model import Check, Drift
from remediate.audit.records import Records
from remediate.config.model import Config, Severity
from remediate.detect.model import Facts, Finding
from remediate.postgres.observe import Observed
from remediate.source.model import Service, Workspace
from remediate.source.place import Unresolved

CHECKS = (
    catalog_checks.PRIMARY_KEYS, catalog_checks.FOREIGN_KEYS, row_checks.ORPHANS, catalog_checks.TENANT_COLUMNS,
    catalog_checks.RLS, row_checks.DUPLICATES, catalog_checks.CHECKS,
)  # fmt: skip
"""The guide's seven, in its order."""
DRIFT = "drift"
RECORDS = "records"
ROLES = "roles"


@dataclass(frozen=True, slots=True)
class PassingRole:
    """A role that one can log in as and that no policy binds, and what that is worth."""

    name: str
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that reports need. `workspace` is None where only the database was looked at.

    `services` are those of this database, in replay order; `facts` those of the live catalog, with the sources as
    evidence. `asked` names the rules and parts that were asked for, empty for all.
    """

    observed: Observed
    workspace: Workspace | None
    services: tuple[Service, ...]
    facts: Facts
    findings: tuple[Finding, ...]
    records: Records
    drift: tuple[Drift, ...]
    checks: tuple[Check, ...]
    roles: tuple[PassingRole, ...]
    unresolved: tuple[Unresolved, ...] = ()
    asked: frozenset[str] = frozenset()

    def wants(self, part: str) -> bool:
        return not self.asked or part in self.asked

    def severities(self) -> Iterator[Severity]:
        """Of all that counts for `--fail-on`: what is accepted or waits does not."""
        yield from (one.severity for one in self.findings if not one.suppressed and not one.waiting)
        yield from (one.severity for one in self.records.problems)
        yield from (one.severity for one in self.drift)
        yield from (one.severity for one in self.roles)
        yield from (item.severity for check in self.checks for item in check.items if not item.not_counted)


def passing_roles(observed: Observed, config: Config) -> tuple[PassingRole, ...]:
    """Who is not bound by policies, whatever they say."""
    found = []
    for role in observed.bypassing:
        how = "a superuser" if role.superuser else "BYPASSRLS" if role.bypassrls else ""
        how = how or f"a member of {', '.join(role.through)}, and so can become one whom no policy binds"
        severity: Severity = "info" if role.superuser or role.name in config.roles.bypass else "warning"
        message = f"It is configured to be one: {how}" if role.name in config.roles.bypass else how
        if role.name == config.roles.application:
            severity, message = "error", f"The application connects as it: {how}"
        found.append(PassingRole(role.name, severity, message[:1].upper() + message[1:]))
    return tuple(found)


def chosen(audit: Audit, services: Collection[str], rules: Collection[str]) -> Audit:
    """The part of an audit that was asked for; nothing means all. `rules` may name checks, drift, records and roles."""
    audit = replace(audit, asked=frozenset(rules))
    wanted = audit.wants

    def ours(names: Sequence[str]) -> bool:
        return not services or bool(set(names) & set(services))

    records = replace(
        audit.records,
        problems=tuple(one for one in audit.records.problems if wanted(RECORDS) and ours(one.services)),
        standings=tuple(one for one in audit.records.standings if ours([one.service])),
    )
    return replace(
        audit,
        findings=tuple(one for one in audit.findings if wanted(one.rule) and ours([one.service])),
        records=records,
        drift=tuple(one for one in audit.drift if wanted(DRIFT) and ours([one.service])),
        checks=tuple(
            replace(check, items=tuple(item for item in check.items if ours([item.service])))
            for check in audit.checks
            if wanted(check.id)
        ),
        roles=audit.roles if wanted(ROLES) else (),
        unresolved=tuple(one for one in audit.unresolved if ours([one.service])),
    )
