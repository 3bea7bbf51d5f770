"""From requests to edits of existing files: one change a file, all edits of it together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remediate.plan.model import Change, GuardCreation
from remediate.rewrite.edits import Edit, apply_edits
from remediate.rewrite.guard_function import guard_function
from remediate.source.model import MigrationSource, Service


@dataclass(frozen=True, slots=True)
class Rewritten:
    """`missed` holds the finding ids whose statements no literal of the file holds as they are."""

    changes: tuple[Change, ...]
    missed: frozenset[str] = frozenset()


def rewrite(services: Sequence[Service], requests: Sequence[GuardCreation]) -> Rewritten:
    """Edits the migrations that the requests name; only the spans around the statements change."""
    sources = {source.file: source for service in services for source in service.migrations}
    edits: dict[str, list[Edit]] = {}
    requests_by_file: dict[str, list[GuardCreation]] = {}
    missed = set()
    for request in requests:
        files = dict.fromkeys(origin.place.file for origin in request.creations)
        found = {file: guard_function(request, file, sources[file].data) for file in files if file in sources}
        if not found or not all(found.values()):
            missed.add(request.finding.id)
            continue
        for file, file_edits in found.items():
            if file_edits:
                edits.setdefault(file, []).extend(file_edits)
                requests_by_file.setdefault(file, []).append(request)
    changes = [_change(sources, file, edits[file], requests_by_file[file]) for file in sorted(edits)]
    return Rewritten(tuple(changes), frozenset(missed))


def _change(
    sources: Mapping[str, MigrationSource], file: str, edits: Sequence[Edit], requests: Sequence[GuardCreation]
) -> Change:
    data = sources[file].data
    return Change(
        service=sources[file].service,
        path=file,
        kind="rewrite",
        text=apply_edits(data, edits).decode(),
        before=data.decode(),
        rules=tuple(sorted({request.finding.rule for request in requests})),
        findings=tuple(sorted({request.finding.id for request in requests})),
        level="safe" if all(request.finding.level == "safe" for request in requests) else "unsafe",
    )
