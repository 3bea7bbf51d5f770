"""Edits of a file: insertions and replacements at byte offsets, applied right to left so that the rest survives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replaces the bytes from `start` to `end` (exclusive); equal offsets insert."""

    start: int
    end: int
    text: str


def apply_edits(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The bytes with all edits made, in the line ends of the file. Raises ValueError for edits that overlap."""
    windows = b"\r\n" in data and data.count(b"\n") == data.count(b"\r\n")
    limit = len(data)
    for edit in sorted(set(edits), reverse=True):
        if edit.end > limit or edit.start > edit.end:
            raise ValueError(f"edits overlap at byte {edit.start}")
        text = "\r\n".join(edit.text.replace("\r\n", "\n").split("\n")) if windows else edit.text
        data = data[: edit.start] + text.encode() + data[edit.end :]
        limit = edit.start
    return data
