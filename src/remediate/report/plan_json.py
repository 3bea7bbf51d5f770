"""`remediate plan --format json`: the contract `remediate.plan/1`. Fields may be added, none changes its meaning."""

from __future__ import annotations

from typing import Any

from remediate.model import Plan
from remediate.plan.model import Change, Fix
from remediate.replay.catalog import Refusal
from remediate.report.diff import unified_diff
from remediate.report.proof_json import change_document
from remediate.source.model import Service
from remediate.source.place import Unresolved

FORMAT = "remediate.plan/1"


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain dictionaries; paths are relative to the workspace, findings in reading order."""
    return {
        "format": FORMAT,
        "findings": [_finding(fix, plan) for fix in plan.fixes],
        "changes": [_change(change, plan) for change in plan.changes],
        "next": [
            {"finding": later.finding, "phase": later.phase, "waits_for": later.waits_for, "does": later.does}
            for later in plan.next
        ],
        "unresolved": [place_document(one) for one in plan.unresolved],
        "assumed": [place_document(one) for facts in plan.databases for one in facts.replayed.assumptions],
        "refused": [refusal_document(one) for facts in plan.databases for one in facts.replayed.refusals],
        "notes": [*plan.warnings, *plan.notes],
        "services": [_service(service) for service in plan.workspace.services],
    }


def place_document(place: Unresolved) -> dict[str, Any]:
    return {"service": place.service, "file": place.place.file, "line": place.place.line, "reason": place.reason}


def refusal_document(refusal: Refusal) -> dict[str, Any]:
    """A statement that PostgreSQL would refuse, with its SQLSTATE."""
    origin = refusal.origin
    return {
        "service": origin.service,
        "file": origin.place.file,
        "line": origin.place.line,
        "code": refusal.code,
        "message": refusal.message,
        "nearest": refusal.nearest,
    }


def _finding(fix: Fix, plan: Plan) -> dict[str, Any]:
    finding = fix.finding
    subject = finding.subject
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "service": finding.service,
        "subject": {"kind": subject.kind, "schema": subject.schema, "table": subject.table, "name": subject.name},
        "message": finding.message,
        "locations": [{"file": place.file, "line": place.line, "column": place.column} for place in finding.locations],
        "fix": {
            "applicability": fix.level,
            "changes": [change.path for change in plan.changes_for(finding)],
            "reasons": list(fix.reasons),
            "withheld": fix.withheld or None,
            "suggestion": fix.suggestion or None,
        },
        "suppressed": finding.suppressed,
        "waiting": finding.waiting,
        "evidence": list(finding.evidence),
        **_verdicts(fix, plan),
    }


def _verdicts(fix: Fix, plan: Plan) -> dict[str, Any]:
    """With --prove, what was said of the changes for a finding: proven only where all of them are."""
    if plan.proofs is None:
        return {}
    verdicts = {proof.verdict for proof in plan.proofs_for(fix.finding)}
    worst = next((verdict for verdict in ("failed", "unprovable", "proven") if verdict in verdicts), None)
    return {"proof": worst}


def _change(change: Change, plan: Plan) -> dict[str, Any]:
    proofs = plan.proofs.changes if plan.proofs is not None else ()
    proof = next((proof for proof in proofs if proof.change == change), None)
    return {
        **({"proof": change_document(proof)} if proof is not None else {}),
        "service": change.service,
        "path": change.path,
        "kind": change.kind,
        "rules": list(change.rules),
        "findings": list(change.findings),
        "phase": change.phase,
        "applicability": change.level,
        "transaction": change.transaction,
        "after": list(change.after),
        "locks": [{"relation": str(lock.relation), "mode": lock.mode} for lock in change.locks],
        "diff": unified_diff(change),
    }


def _service(service: Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "path": service.path,
        "database": service.database,
        "depends_on": list(service.depends_on),
        "migrations": len(service.migrations),
    }
