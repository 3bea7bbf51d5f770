"""Where the output of a command goes: standard output, or the file that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from remediate.errors import RemediateError
from remediate.report.console import print_lines, until_closed, wants_color
from remediate.report.lines import Line, plain


def write_lines(lines: Iterable[Line], output: Path | None, *, no_color: bool) -> None:
    """A report for people: in colours on a terminal, as plain text in a file."""
    if output is None:
        print_lines(lines, color=wants_color(no_color))
    else:
        write_text("".join(plain(line) + "\n" for line in lines), output)


def write_text(text: str, output: Path | None) -> None:
    """Writes as UTF-8, whatever the terminal's locale says. Raises RemediateError if the file cannot be written."""
    data = text.encode("utf-8", "surrogateescape")
    if output is None:
        with until_closed():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        return
    from remediate.deliver.own_files import replace_whole

    try:
        if output.is_dir():
            raise RemediateError("is a folder", place=str(output), hint="name a file with --output")
        if output.exists() and not output.is_file():  # a pipe or a device: nothing to put in its place
            output.write_bytes(data)
            return
        # Links stay links: the file that they lead to is replaced.
        replace_whole(output.resolve(), data)
    except OSError as error:
        raise RemediateError(
            f"cannot be written: {error.strerror}", place=str(output), hint="choose another --output"
        ) from None
