"""What deliver takes: the files to write, and the commits to make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class FileChange(Protocol):
    """One file to add (`before` is None) or to edit. `path` is relative to the workspace; texts are whole files."""

    @property
    def service(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def before(self) -> str | None: ...
    @property
    def rules(self) -> Sequence[str]: ...
    @property
    def findings(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class CommitSpec:
    """One commit: a subject of one line, a body (may be empty), and the changes; rules and findings become trailers.

    `proof` is what was proven of the changes, in one line; it becomes a trailer, too.
    """

    service: str
    subject: str
    changes: tuple[FileChange, ...]
    body: str = ""
    proof: str = ""

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(sorted({rule for change in self.changes for rule in change.rules}))

    @property
    def findings(self) -> tuple[str, ...]:
        return tuple(sorted({finding for change in self.changes for finding in change.findings}))

    @property
    def message(self) -> str:
        """The whole commit message, with one trailer for each rule and each finding, and one for the proof."""
        trailers = [f"Remediate-Rule: {rule}" for rule in self.rules]
        trailers += [f"Remediate-Finding: {finding}" for finding in self.findings]
        trailers += [f"Remediate-Proof: {self.proof}"] if self.proof else []
        parts = [" ".join(self.subject.split()), self.body.strip(), "\n".join(trailers)]
        return "\n\n".join(part for part in parts if part) + "\n"


@dataclass(frozen=True, slots=True)
class CommitResult:
    """A commit that was made. `paths` are relative to the workspace."""

    service: str
    commit: str
    paths: tuple[str, ...]


BOM = "\ufeff"


def same_text(data: bytes, text: str) -> bool:
    """Whether a file still holds `text`; a byte order mark that the reader skipped does not count."""
    return data == text.encode() or data == (BOM + text).encode()


def encoded(text: str, data_before: bytes | None) -> bytes:
    """The bytes to write: UTF-8, with the byte order mark that the file had."""
    marked = data_before is not None and data_before.startswith(BOM.encode()) and not text.startswith(BOM)
    return ((BOM if marked else "") + text).encode()
