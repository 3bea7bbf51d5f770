"""Where the output of a command goes: standard output, or the file that was asked for."""

from __future__ import annotations

import sys
from pathlib import Path

from remediate.errors import RemediateError


def write_text(text: str, output: Path | None) -> None:
    """Writes as UTF-8, whatever the terminal's locale says. Raises RemediateError if the file cannot be written."""
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise RemediateError(
            f"cannot be written: {error.strerror}", place=str(output), hint="choose another --output"
        ) from None
