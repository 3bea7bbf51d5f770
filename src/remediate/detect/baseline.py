"""The baseline: findings that were there when it was written, and that are not to be reported again as new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from remediate.detect.model import Finding
from remediate.errors import RemediateError

FILE_NAME = "remediate-baseline.json"
FORMAT = "remediate.baseline/1"


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One accepted finding. `rule` and `subject` are for people: the id decides."""

    id: str
    rule: str
    subject: str
    reason: str = ""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    findings: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def reason(self, finding: Finding) -> str | None:
        """Why a finding is accepted, or None if it is not."""
        entry = self.entries.get(finding.id)
        if entry is None:
            return None
        return f"baseline: {entry.reason}" if entry.reason else "baseline"


def read_baseline(data: bytes) -> Baseline:
    """The baseline in the bytes of its file. Raises `RemediateError` if they are none."""
    again = "write it again with `plan --write-baseline`"
    try:
        content = msgspec.json.decode(data, type=_File)
    except msgspec.MsgspecError as error:
        raise RemediateError(f"is no baseline: {error}", place=FILE_NAME, hint=again) from None
    if content.format != FORMAT:
        raise RemediateError(f"has format {content.format!r}, not {FORMAT!r}", place=FILE_NAME, hint=again)
    return Baseline({entry.id: entry for entry in content.findings})


def write_baseline(
    findings: Iterable[Finding], reason: str, before: Baseline | None = None, *, keep_others: bool = False
) -> bytes:
    """The file for what is there today. Findings that `before` knew keep their reason.

    `keep_others`: the findings are only a part of what there is, so that what `before` has beside them stays. What only
    waits needs no entry, and neither does what a comment or the configuration accepts already.
    """
    known = before.entries if before else {}
    findings = tuple(findings)
    entries = [
        Entry(
            id=finding.id,
            rule=finding.rule,
            subject=str(finding.subject),
            reason=known[finding.id].reason if finding.id in known else reason,
        )
        for finding in findings
        if not finding.waiting and (finding.suppressed is None or finding.suppressed.startswith("baseline"))
    ]
    if keep_others:
        present = {finding.id for finding in findings}
        entries += [entry for entry in known.values() if entry.id not in present]
    entries.sort(key=lambda entry: (entry.rule, entry.subject, entry.id))
    content = _File(format=FORMAT, findings=tuple(dict.fromkeys(entries)))
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
