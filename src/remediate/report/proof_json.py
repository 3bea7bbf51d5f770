"""`remediate prove --format json`: the contract `remediate.proof/1`. Fields may be added, none changes its meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from remediate import __version__
from remediate.prove.model import (
    MEANINGS,
    Attempt,
    ChangeProof,
    Check,
    DatabaseProof,
    Detour,
    Matrix,
    Observed,
    Proofs,
    Reach,
    Remark,
    Stub,
)
from remediate.prove.summary import summary
from remediate.replay.catalog import QName

FORMAT = "remediate.proof/1"


def proof_document(proofs: Proofs, times: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate as plain dictionaries: the same for the same input and server, but for `times`."""
    return {
        "format": FORMAT,
        "remediate": __version__,
        "postgres": proofs.server,
        "production": proofs.production,
        "runner": proofs.runner,
        "times": dict(times),
        "summary": summary(proofs),
        "databases": [_database(database) for database in proofs.databases],
        "skipped": list(proofs.skipped),
    }


def _database(database: DatabaseProof) -> dict[str, Any]:
    return {
        "name": database.database,
        "services": list(database.services),
        "application": database.application or None,
        "settings": list(database.settings),
        "history": {"refused": database.refused, "unlike": database.unlike},
        "limits": list(database.limits),
        "stubs": [_stub(stub) for stub in database.stubs],
        "changes": [change_document(proof) for proof in database.changes],
        "tables": [_matrix(matrix) for matrix in database.matrices],
        "detours": [_detour(detour) for detour in database.detours],
        "checks": [_check(check) for check in database.checks],
    }


def _stub(stub: Stub) -> dict[str, Any]:
    return {
        "kind": stub.kind,
        "name": stub.name,
        "columns": [{"name": name, "type": type_} for name, type_ in stub.columns],
        "references": [{"file": place.file, "line": place.line} for place in stub.places],
    }


def change_document(proof: ChangeProof) -> dict[str, Any]:
    """One change and everything that was tried of it."""
    change = proof.change
    return {
        "service": change.service,
        "path": change.path,
        "kind": change.kind,
        "sha256": hashlib.sha256(change.text.encode()).hexdigest(),
        "rules": list(change.rules),
        "findings": list(change.findings),
        "applicability": change.level,
        "phase": change.phase,
        "verdict": proof.verdict,
        "checks": [_check(check) for check in proof.checks],
        "locks": [_lock(one) for one in proof.locks],
        "rewritten": [str(name) for name in proof.rewritten],
        "tables": [str(name) for name in proof.tables],
        "leaks": {"before": proof.leaks_before, "after": proof.leaks_after},
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "status": check.status,
        "says": MEANINGS[check.name],
        "remarks": [_remark(remark) for remark in check.remarks],
    }


def _remark(remark: Remark) -> dict[str, Any]:
    place = remark.place
    return {"text": remark.text, "file": place.file if place else None, "line": place.line if place else None}


def _lock(observed: Observed) -> dict[str, Any]:
    place = observed.place
    return {
        "relation": str(observed.lock.relation),
        "mode": observed.lock.mode,
        "file": place.file,
        "line": place.line,
    }


def _matrix(matrix: Matrix) -> dict[str, Any]:
    return {
        **_name(matrix.table),
        "service": matrix.service,
        "rows": list(matrix.rows),
        "unfilled": matrix.unfilled,
        "leaks": {"before": _leaks(matrix.before), "after": _leaks(matrix.after)},
        "attempts": _attempts(_outcomes(matrix.before), _outcomes(matrix.after)),
    }


def _name(name: QName) -> dict[str, str]:
    return {"schema": name.schema, "name": name.name}


def _leaks(reach: Reach | None) -> int | None:
    return len(reach.leaks()) if reach is not None else None


def _outcomes(reach: Reach | None) -> Mapping[Attempt, str]:
    return reach.outcomes if reach is not None else {}


def _attempts(before: Mapping[Attempt, str], after: Mapping[Attempt, str]) -> list[dict[str, Any]]:
    return [
        {
            "role": attempt.role,
            "session": attempt.session,
            "statement": attempt.statement,
            "before": before.get(attempt),
            "after": after.get(attempt),
        }
        for attempt in dict.fromkeys((*before, *after))
    ]


def _detour(detour: Detour) -> dict[str, Any]:
    return {
        "kind": detour.kind,
        "name": detour.name,
        "reads": [str(name) for name in detour.reads],
        "attempts": _attempts(detour.before, detour.after),
    }
