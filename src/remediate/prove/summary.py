"""A proof in a sentence: for the last line of a report, and for the commit that carries the change."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.prove.model import ChangeProof, Proofs, Verdict

_VERDICTS: tuple[Verdict, ...] = ("proven", "failed", "unprovable")


def summary(proofs: Proofs) -> str:
    """How many changes were proven, on what, and what leaked before and after."""
    changes = proofs.changes
    if not changes:
        return "Nothing to prove: the plan has no changes."
    counts = {verdict: len(proofs.of(verdict)) for verdict in _VERDICTS}
    said = ", ".join(f"{number:,} {_word(verdict)}" for verdict, number in counts.items() if number)
    before, after = sum(one.leaks_before for one in changes), sum(one.leaks_after for one in changes)
    noun = "change" if len(changes) == 1 else "changes"
    broken = sum(check.status == "failed" for database in proofs.databases for check in database.checks)
    more = "; something that no change is about is broken, see above" if broken else ""
    return (
        f"{len(changes):,} {noun} on {server_of(proofs)}: {said}; of the attempts on their tables"
        f" {before:,} leaked before and {after:,} {'leaks' if after == 1 else 'leak'} now{more}."
    )


def _word(verdict: Verdict) -> str:
    return "unprovable here" if verdict == "unprovable" else verdict


def server_of(proofs: Proofs) -> str:
    """`PostgreSQL 18.6`, and that production runs another major version, if it does."""
    major = proofs.server.partition(".")[0]
    only = "" if major == str(proofs.production) else f" only (production runs {proofs.production})"
    return f"PostgreSQL {proofs.server}{only}"


def line_of(changes: Sequence[ChangeProof], proofs: Proofs) -> str:
    """What a commit says of its changes."""
    verdicts = {proof.verdict for proof in changes}
    if not changes:
        return ""
    before, after = sum(one.leaks_before for one in changes), sum(one.leaks_after for one in changes)
    if verdicts == {"proven"}:
        return f"proven on {server_of(proofs)}: up, down and up again; {before:,} leaks before, {after:,} after"
    if "failed" in verdicts:
        paths = ", ".join(proof.change.path for proof in changes if proof.verdict == "failed")
        return f"NOT proven on {server_of(proofs)}: {paths} failed"
    paths = ", ".join(proof.change.path for proof in changes if proof.verdict == "unprovable")
    return f"unprovable here, on {server_of(proofs)}: {paths}"
