"""The two files of the tool's own that a user may ask for: the configuration and the baseline."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from remediate.errors import RemediateError


def write_new(path: Path, text: str) -> None:
    """Writes a file that is not there yet, or nothing. Raises RemediateError if it is, or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError:
        raise RemediateError("is there already", place=str(path), hint="edit it, or move it away first") from None
    except OSError as error:
        raise RemediateError(f"cannot be written: {error.strerror}", place=str(path)) from None


def replace_whole(path: Path, data: bytes) -> None:
    """Writes a file, or another one over it in one step. Raises RemediateError if it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):  # on a disk that may only be read, even taking away what is not there fails
            temporary.unlink(missing_ok=True)
        raise RemediateError(f"cannot be written: {error.strerror}", place=str(path)) from None
