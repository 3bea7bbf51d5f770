"""Running the command: as a process of its own, or in this one where that is the same and a tenth of the time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

COMMAND = (sys.executable, "-m", "remediate")


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left: its exit code, and what it said."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]


def environment(**changed: str) -> dict[str, str]:
    """This environment without what changes how output looks, or coverage and tracing of the test run itself."""
    hidden = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "LINES", "PYTHONIOENCODING", "PYTHONWARNINGS")
    return {name: value for name, value in os.environ.items() if name not in hidden} | changed


def command(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None, **options: Any
) -> Result:
    """Runs the real command with its output in pipes."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=dict(env or environment()),
        capture_output=True,
        timeout=120,
        check=False,
        **options,
    )
    return Result(done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode())


def run(*arguments: str | Path, cwd: Path | None = None) -> Result:
    """Runs the command in this process. Its main() ends with sys.exit, as it would as a process of its own."""
    from remediate.__main__ import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = Path.cwd()
    code: object = None
    try:
        os.chdir(cwd or before)
        with (
            mock.patch.object(sys, "argv", ["remediate", *map(str, arguments)]),
            mock.patch.object(sys, "stdout", out),
            mock.patch.object(sys, "stderr", err),
        ):
            main()
    except SystemExit as end:
        code = end.code
    finally:
        os.chdir(before)
    assert isinstance(code, int), "main() ends with an exit code"
    texts = [stream.buffer.getvalue().decode(errors="surrogateescape") for stream in (out, err)]  # type: ignore[attr-defined]
    return Result(code, *texts)


def one_line(result: Result) -> str:
    """The complaint of a run that was given something wrong: asserts that it is one line, and code 2, and no output."""
    assert result.code == 2, (result.out, result.err)
    assert result.out == ""
    lines = result.err.splitlines()
    assert len(lines) == 1, result.err
    assert lines[0].startswith("remediate: ")
    return lines[0].removeprefix("remediate: ")
