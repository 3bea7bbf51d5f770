"""The certificate as Markdown, for a pull request: what was proven on what, what was not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remediate import __version__
from remediate.prove.model import MEANINGS, ChangeProof, DatabaseProof, Matrix, Proofs
from remediate.prove.summary import server_of, summary
from remediate.report.proof_text import STUBBED, VERDICT

_STATUS = {"passed": "yes", "failed": "**no**", "untried": "not tried"}
_ROLES = ("application", "owner")


def proof_markdown(proofs: Proofs, times: Mapping[str, Any]) -> str:
    """The whole certificate; the same for the same input and server, but for `times`."""
    return "\n".join(_lines(proofs, times)) + "\n"


def _lines(proofs: Proofs, times: Mapping[str, Any]) -> Iterator[str]:
    yield "# What was proven of these changes"
    yield ""
    yield summary(proofs)
    yield ""
    yield f"- {server_of(proofs)}; remediate {__version__}; files run by {_runner(proofs)}"
    yield f"- {times['started']}, {times['seconds']} s"
    yield from (f"- {sentence}" for sentence in proofs.skipped)
    for database in proofs.databases:
        yield from _database(database)


def _runner(proofs: Proofs) -> str:
    return "real Knex" if proofs.runner == "knex" else "the interpreter that reads migrations, statement by statement"


def _database(database: DatabaseProof) -> Iterator[str]:
    yield ""
    yield f"## {_escaped(database.database)}"
    for proof in database.changes:
        yield from _change(proof)
    yield from _matrix(database)
    left = [matrix for matrix in database.matrices if matrix.unfilled and not matrix.stub]
    if left:
        yield ""
        yield f"### Tables that were not attacked ({len(left)})"
        yield ""
        yield from (f"- `{matrix.table}`: {_escaped(matrix.unfilled or '')}" for matrix in left)
    if database.stubs:
        yield ""
        yield f"### Stubs ({len(database.stubs)})"
        yield ""
        yield f"{STUBBED} What was tried on them says nothing of production."
        yield ""
        yield "| stub | made as | referred to by |"
        yield "|---|---|---|"
        for stub in database.stubs:
            columns = ", ".join(f"`{name} {type_}`" for name, type_ in stub.columns)
            yield f"| {stub.kind} `{stub.name}` | {columns or 'empty'} | {', '.join(map(str, stub.places))} |"
    if database.limits:
        yield ""
        yield "### Not as in production"
        yield ""
        yield from (f"- {_escaped(limit)}" for limit in database.limits)


def _change(proof: ChangeProof) -> Iterator[str]:
    change = proof.change
    yield ""
    yield f"### {VERDICT[proof.verdict]}: `{change.path}`"
    yield ""
    yield f"{change.level}; {', '.join(change.rules)}; {len(change.findings)} findings."
    yield ""
    yield "| tried | holds |"
    yield "|---|---|"
    yield from (f"| {MEANINGS[check.name]} | {_STATUS[check.status]} |" for check in proof.checks)
    remarks = [remark for check in proof.checks for remark in check.remarks]
    if remarks:
        yield ""
        yield from (f"- {_escaped(str(remark))}" for remark in remarks)
    locks = dict.fromkeys(one.lock.mode for one in proof.locks)
    if locks:
        yield ""
        modes = (f"{mode} on {len({o.lock.relation for o in proof.locks if o.lock.mode == mode})}" for mode in locks)
        yield f"Locks seen by another session: {'; '.join(modes)} relations."


def _matrix(database: DatabaseProof) -> Iterator[str]:
    tried = [matrix for matrix in database.matrices if matrix.before is not None and matrix.after is not None]
    if not tried:
        return
    yield ""
    yield "### Attempts that reached rows of another tenant"
    yield ""
    yield "Before → now, out of all that were made; settings right, another tenant's, wrong, empty, unset."
    yield ""
    yield f"| table | as {database.application or 'the application'} | as the owner |"
    yield "|---|---|---|"
    for matrix in tried:
        yield f"| `{matrix.table}` | {' | '.join(_cell(matrix, role) for role in _ROLES)} |"


def _cell(matrix: Matrix, role: str) -> str:
    assert matrix.before is not None
    assert matrix.after is not None
    made = sum(attempt.role == role and not attempt.statement.startswith("own") for attempt in matrix.after.outcomes)
    before, after = (sum(attempt.role == role for attempt in reach.leaks()) for reach in (matrix.before, matrix.after))
    return f"{before} → {after} of {made}" if made else "not tried"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
