"""On a terminal: colours, lines that fit, and progress for what takes over a second."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from cli.running import COMMAND, environment
from cli.workspaces import PLATFORM, javascript, write

ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
SLOW = "  for (let i = 0; i < 1e9; i++) { i += 0; }"


def on_a_terminal(*arguments: str | Path, columns: int = 80, both: bool = False, **env: str) -> tuple[bytes, bytes]:
    """Runs the command with standard output on a terminal (`both`: standard error only); what each got."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    streams = (
        {"stdout": subprocess.PIPE, "stderr": terminal} if both else {"stdout": terminal, "stderr": subprocess.PIPE}
    )
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], env=environment(**{"TERM": "xterm-256color", **env}), **streams
    )
    os.close(terminal)
    shown = b""
    piped = process.stdout if both else process.stderr
    assert piped is not None
    while True:
        try:
            chunk = os.read(controller, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    rest = piped.read()
    process.wait(60)
    os.close(controller)
    return shown, rest


def text_of(shown: bytes) -> list[str]:
    return ANSI.sub(b"", shown).decode().replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_prose_fits_the_terminal(platform: Path, columns: int) -> None:
    shown, errors = on_a_terminal("plan", platform, "--rule", "rls-not-forced", columns=columns)
    assert errors == b""
    assert b"\x1b[" in shown, "there are colours"
    prose = [line for line in text_of(shown) if re.match(" {13}- |    Each ", line)]
    assert prose
    longest = max(len(word) for line in prose for word in line.split())
    assert max(map(len, prose)) <= max(columns, 15 + longest, 45)


def test_nothing_is_lost_on_a_narrow_terminal(platform: Path) -> None:
    narrow = " ".join(" ".join(text_of(on_a_terminal("plan", platform, columns=30)[0])).split())
    wide = " ".join(" ".join(text_of(on_a_terminal("plan", platform, columns=300)[0])).split())
    assert narrow == wide


@pytest.mark.parametrize(("options", "env"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})])
def test_no_colours_where_they_are_not_wanted(platform: Path, options: list[str], env: dict[str, str]) -> None:
    shown, _ = on_a_terminal("rules", *options, **env)
    assert shown
    assert b"\x1b" not in shown


def test_progress_on_what_takes_long_and_nothing_left_of_it(tmp_path: Path) -> None:
    files = {f"services/orders/migrations/{number}_slow.js": javascript(SLOW) for number in range(100, 101)}
    write(tmp_path, {**PLATFORM, **files})
    shown, out = on_a_terminal("plan", tmp_path, both=True)
    assert b"Reading 4 migrations" in shown
    assert b"\x1b[?25h" in shown, "the cursor is there again"
    assert b"\x1b" not in out
    assert out.decode().startswith("2 services, 4 migrations")


def test_no_progress_on_what_is_quick(tmp_path: Path) -> None:
    shown, out = on_a_terminal("rules", both=True)
    assert shown == b""
    assert out
