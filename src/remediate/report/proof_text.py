"""A proof as text for a person: what was proven of each change, what leaked before and after, what was not tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from remediate.detect.found import listed
from remediate.prove.model import MEANINGS, ChangeProof, Check, DatabaseProof, Matrix, Proofs, Stub
from remediate.prove.summary import server_of, summary
from remediate.report.lines import LEVEL_STYLE, Line, Segment, count, heading, prose

VERDICT_STYLE = {"proven": "green", "failed": "bold red", "unprovable": "yellow"}
VERDICT = {"proven": "proven", "failed": "FAILED", "unprovable": "unprovable here"}
_MARK = {"passed": "+", "failed": "x", "untried": "?"}
_STATUS_STYLE = {"passed": "green", "failed": "red", "untried": "yellow"}


def proof_lines(proofs: Proofs, *, width: int | None = None) -> Iterator[Line]:
    """The whole report; the last line sums up."""
    for database in proofs.databases:
        yield from _database(database, proofs, width)
    for sentence in proofs.skipped:
        yield from prose(sentence, indent=0, width=width, style="yellow")
    yield from prose(summary(proofs), indent=0, width=None, style="bold")


def _database(database: DatabaseProof, proofs: Proofs, width: int | None) -> Iterator[Line]:
    yield heading(database.database)
    ran = f"The history of {count(len(database.services), 'service')} ran on {server_of(proofs)}"
    refused = f", without {count(database.refused, 'statement')} that it refuses" if database.refused else ""
    yield from prose(f"{ran}{refused}.", indent=2, width=width)
    yield from prose(_attacked(database), indent=2, width=width)
    if database.unlike:
        text = (
            f"In {count(database.unlike, 'fact')} its catalog is other than what the static engine read;"
            " remediate catalog --compare shows them."
        )
        yield from prose(text, indent=2, width=width, style="yellow")
    yield []
    for proof in database.changes:
        yield from _change(proof, width)
    yield from _matrix(database.matrices)
    yield from _around(database, width)
    yield from _unfilled(database.matrices, width)
    yield from _stubs(database.stubs, width)
    if database.limits:
        yield heading(f"Not as in production ({len(database.limits):,})")
        for limit in database.limits:
            yield from prose(limit, indent=4, width=width, first=[Segment("  ")], style="yellow")
        yield []


def _attacked(database: DatabaseProof) -> str:
    tried = [matrix for matrix in database.matrices if matrix.after is not None]
    attempts = sum(
        len(matrix.before.outcomes) + len(matrix.after.outcomes) for matrix in tried if matrix.before and matrix.after
    )
    who = f"as {database.application} and as their owner" if database.application else "as their owner"
    return f"{count(len(tried), 'table')} held rows of tenants and were attacked {who}: {attempts:,} attempts."


def _change(proof: ChangeProof, width: int | None) -> Iterator[Line]:
    change = proof.change
    leaks = f", {proof.leaks_before:,} leaks before, {proof.leaks_after:,} after" if proof.tables else ""
    yield [
        Segment("  "),
        Segment(VERDICT[proof.verdict], VERDICT_STYLE[proof.verdict]),
        Segment("  "),
        Segment(change.path, "bold"),
        Segment("  "),
        Segment(change.level, LEVEL_STYLE[change.level]),
        Segment(f", {count(len(change.findings), 'finding')}{leaks}"),
    ]
    for check in proof.checks:
        if check.status != "passed" or check.remarks:
            yield from _check(check, width)
    yield []


def _check(check: Check, width: int | None) -> Iterator[Line]:
    first = [Segment("    "), Segment(_MARK[check.status] + " ", _STATUS_STYLE[check.status])]
    negation = {"passed": "", "failed": "not so: ", "untried": "could not be tried: "}[check.status]
    yield from prose(f"{check.name}: {negation}{MEANINGS[check.name]}", indent=6, width=width, first=first)
    for remark in check.remarks:
        yield from prose(str(remark), indent=10, width=width, first=[Segment("      - ", "dim")], style="dim")


def _matrix(matrices: Sequence[Matrix]) -> Iterator[Line]:
    """The tables whose leaks have changed; the others are counted."""
    tried = [matrix for matrix in matrices if matrix.before is not None and matrix.after is not None]
    changed = [matrix for matrix in tried if _leaks(matrix) != (0, 0) and _leaks(matrix)[0] != _leaks(matrix)[1]]
    if changed:
        yield heading("Attempts that reached rows of another tenant")
        longest = max(len(str(matrix.table)) for matrix in changed)
        for matrix in changed:
            before, after = _leaks(matrix)
            style = "green" if not after else "yellow" if after < before else "red"
            yield [Segment(f"  {matrix.table!s:{longest}}  {before:>4} before  "), Segment(f"{after:>4} now", style)]
        yield []
    same = Counter(
        "leak as before" if _leaks(matrix)[1] else "leak nothing, before and now"
        for matrix in tried
        if matrix not in changed
    )
    if same:
        said = "; ".join(f"{count(number, 'table')} {what}" for what, number in sorted(same.items()))
        yield [Segment(f"  {said}; --format json has every attempt.", "dim")]
        yield []


def _leaks(matrix: Matrix) -> tuple[int, int]:
    assert matrix.before is not None
    assert matrix.after is not None
    return len(matrix.before.leaks()), len(matrix.after.leaks())


def _around(database: DatabaseProof, width: int | None) -> Iterator[Line]:
    """Views and functions through which other tenants' rows are seen."""
    leaking = [detour for detour in database.detours if "leak" in detour.after.values()]
    closed = [one for one in database.detours if "leak" in one.before.values() and one not in leaking]
    if leaking or closed:
        yield heading("Around the tables")
        for detours, what in ((closed, "reach other tenants' rows no more"), (leaking, "reach other tenants' rows")):
            kinds = Counter(detour.kind for detour in detours)
            if detours:
                said = listed([count(number, kind) for kind, number in kinds.items()])
                what = what if len(detours) > 1 else what.replace("reach", "reaches")
                names = ", ".join(detour.name for detour in detours[:6])
                more = f" and {len(detours) - 6} more" if len(detours) > 6 else ""
                yield from prose(f"{said} {what}: {names}{more}.", indent=4, width=width, first=[Segment("  ")])
        yield []
    for check in database.checks:
        yield from _check(check, width)
        yield []


STUBBED = "No migration here makes these, and the history refers to them: they were made from what refers to them."


def _stubs(stubs: Sequence[Stub], width: int | None) -> Iterator[Line]:
    if not stubs:
        return
    yield heading(f"Stubs ({len(stubs):,})")
    yield from prose(f"{STUBBED} They are not attacked.", indent=2, width=width)
    for stub in stubs:
        columns = f" ({', '.join(name for name, _ in stub.columns)})" if stub.columns else ""
        text = f"{stub.kind} {stub.name}{columns}, for {stub.places[0]}"
        yield from prose(text, indent=4, width=width, first=[Segment("  ")], style="yellow")
    yield []


def _unfilled(matrices: Sequence[Matrix], width: int | None) -> Iterator[Line]:
    left = [matrix for matrix in matrices if matrix.unfilled and not matrix.stub]
    groups: dict[str, list[str]] = {}
    for matrix in left:
        groups.setdefault(matrix.unfilled or "", []).append(str(matrix.table))
    if groups:
        yield heading(f"Tables that were not attacked ({len(left):,})")
        for reason, names in groups.items():
            yield from prose(
                f"{', '.join(names)}: {reason}.", indent=4, width=width, first=[Segment("  ")], style="dim"
            )
        yield []
