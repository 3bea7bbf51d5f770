"""A fault of ours: exit code 3, one line, and a file that helps to reproduce it and holds no secret."""

from __future__ import annotations

import re
from pathlib import Path
from unittest import mock

import pytest

from cli.running import Result, run
from remediate import __version__

SECRETS = ["hunter2", "s3cret", "tok-123", "Tr0ub4dor"]
MESSAGE = (
    'postgres://app:hunter2@db/prod, CREATE ROLE app PASSWORD \'s3cret\', api_key=tok-123, {"password": "Tr0ub4dor"}'
)


@pytest.fixture
def failed(platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgres://app:environment@db/prod")
    with mock.patch("remediate.commands.options.make_plan", side_effect=ValueError(MESSAGE + "\nsecond line")):
        return run("plan", platform)


def test_it_is_one_line_and_exit_code_3(failed: Result) -> None:
    assert failed.code == 3
    assert failed.out == ""
    (line,) = failed.err.splitlines()
    assert line.startswith("remediate: INTERNAL ERROR ValueError: ")
    assert "; this is a fault of remediate, not yours; details saved in " in line


def test_the_saved_file_tells_what_ran_and_where_it_failed(failed: Result, platform: Path, tmp_path: Path) -> None:
    saved = Path(failed.err.rpartition(" in ")[2].strip())
    assert saved.parent == tmp_path
    text = saved.read_text()
    assert text.startswith(f"remediate {__version__}\npython 3.")
    assert f"arguments ['plan', '{platform}']" in text
    assert "typer " in text
    assert re.search(r'File ".*commands/plan\.py", line \d+, in run', text)


def test_no_secret_is_shown_or_saved(failed: Result) -> None:
    saved = Path(failed.err.rpartition(" in ")[2].strip()).read_text()
    for secret in (*SECRETS, "environment@db"):
        assert secret not in failed.err
        assert secret not in saved
    assert "postgres://app:***@db/prod" in saved


def test_where_nothing_can_be_saved_it_says_so(platform: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent/folder")
    with mock.patch("remediate.commands.options.make_plan", side_effect=ValueError("x")):
        result = run("plan", platform)
    assert result.code == 3
    assert "; no details saved, because the temporary folder cannot be written" in result.err


def test_too_little_memory_is_the_users_to_solve(platform: Path) -> None:
    with mock.patch("remediate.commands.options.make_plan", side_effect=MemoryError):
        result = run("plan", platform)
    assert result.code == 2
    assert result.err == (
        "remediate: this machine has not enough memory for the workspace; plan fewer services with --service\n"
    )
