"""`remediate audit --format json`: the contract `remediate.audit/1`. Fields may be added, none changes its meaning."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from remediate.audit.audit import Audit
from remediate.audit.model import Check, Drift, Item, Problem, Standing
from remediate.detect.model import Finding
from remediate.replay.catalog import QName
from remediate.report.plan_json import place_document
from remediate.source.place import Place

FORMAT = "remediate.audit/1"


def audit_document(audit: Audit) -> dict[str, Any]:
    """The audit as plain dictionaries: isolation first within drift, everything else in reading order."""
    seen, tenancy = audit.observed.seen, audit.facts.tenancy
    return {
        "format": FORMAT,
        "database": {
            "name": seen.database,
            "version": seen.version,
            "user": seen.user,
            "superuser": seen.superuser,
            "passes_rls": seen.passes,
            "standby": seen.standby,
        },
        "tenancy": {
            "column": tenancy.column,
            "setting": tenancy.setting,
            "legacy": list(tenancy.legacy),
            "root": str(tenancy.root) if tenancy.root else None,
            "enabled": tenancy.enabled,
        },
        "compared": audit.workspace is not None,
        "services": [_standing(one) for one in audit.records.standings],
        "drift": [drift_document(one) for one in audit.drift],
        "findings": [_finding(one) for one in audit.findings],
        "roles": [{"name": one.name, "severity": one.severity, "message": one.message} for one in audit.roles],
        "records": [_problem(one) for one in audit.records.problems],
        "checks": [_check(one) for one in audit.checks],
        "unresolved": [place_document(one) for one in audit.unresolved],
    }


def _name(name: QName | None) -> dict[str, str] | None:
    return None if name is None else {"schema": name.schema, "name": name.name}


def _where(place: Place | None) -> dict[str, Any]:
    return {"file": place.file if place else None, "line": place.line if place else None}


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "name": standing.service,
        "record": _name(standing.table),
        "known": standing.known,
        "on_record": [source.file for source in standing.on_record] if standing.known else [],
        "pending": [source.file for source in standing.pending],
    }


def drift_document(drift: Drift) -> dict[str, Any]:
    """One difference; `live` and `expected` are as the catalogs spell them."""
    explanation = drift.explanation
    return {
        "sort": drift.sort,
        "kind": drift.kind,
        "object": drift.subject,
        "about": _name(drift.about),
        "severity": drift.severity,
        "isolation": drift.isolation,
        "message": drift.message,
        "changes": [{"name": one.name, "live": one.live, "expected": one.expected} for one in drift.changes],
        "service": drift.service or None,
        **_where(drift.place),
        "explanation": place_document(explanation) if explanation else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    subject = finding.subject
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "service": finding.service or None,
        "subject": {"kind": subject.kind, "schema": subject.schema, "table": subject.table, "name": subject.name},
        "message": finding.message,
        "locations": [{"file": one.file, "line": one.line, "column": one.column} for one in finding.locations],
        "level": finding.level,
        "reasons": list(finding.reasons),
        "evidence": list(finding.evidence),
        "suppressed": finding.suppressed,
        "waiting": finding.waiting,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "kind": problem.kind,
        "severity": problem.severity,
        "table": _name(problem.table),
        "services": list(problem.services),
        "names": list(problem.names),
        "message": problem.message,
        "advice": problem.advice or None,
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "title": check.title,
        "looked_at": check.looked_at,
        "items": [_item(one) for one in check.items],
        "left_out": list(check.left_out),
        "sql": dedent(check.sql).strip(),
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "subject": item.subject,
        "table": _name(item.table),
        "severity": item.severity,
        "message": item.message,
        "detail": item.detail or None,
        "service": item.service or None,
        **_where(item.place),
        "rows": item.count,
        "at_least": item.at_least,
        "not_counted": item.not_counted or None,
        "sql": item.sql or None,
    }
