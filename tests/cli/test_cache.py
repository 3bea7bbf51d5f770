"""The cache as a user meets it: the same output with and without, nothing in the workspace, one line where it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import EXAMPLE
from cli.running import command, environment, one_line, run
from cli.workspaces import Repository

COMMANDS = [
    ["plan"],
    ["plan", "--format", "json", "--unsafe", "--rewrite"],
    ["plan", "--assume", "fresh", "--format", "json"],
    ["catalog", "--format", "json"],
    ["catalog", "--assume", "fresh"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_the_same_bytes_without_cold_and_warm(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv("REMEDIATE_CACHE_DIR", str(folder))
    without = run(*arguments, EXAMPLE, "--no-cache")
    assert not folder.exists()
    cold = run(*arguments, EXAMPLE)
    assert folder.exists()
    warm = run(*arguments, EXAMPLE)
    assert without == cold == warm
    assert without.err == ""


def test_applying_uses_it_too(repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv("REMEDIATE_CACHE_DIR", str(folder))
    assert run("apply", repo.root, "--branch", "without", "--no-cache").code == 0
    assert not folder.exists()
    assert run("apply", repo.root, "--branch", "cold").code == 0
    assert folder.exists()
    assert run("apply", repo.root, "--branch", "warm").code == 0
    trees = {repo("rev-parse", f"{branch}^{{tree}}") for branch in ("without", "cold", "warm")}
    assert len(trees) == 1
    assert run("apply", repo.root, "--write", "--no-cache").code == 0


def test_another_configuration_is_another_result(platform: Path, tmp_path: Path) -> None:
    first = run("plan", platform)
    config = tmp_path / "other.toml"
    config.write_text('[tenancy]\nsetting = "app.other"\n')
    changed = run("plan", platform, "--config", config)
    assert changed == run("plan", platform, "--config", config, "--no-cache")
    assert changed != first
    assert run("plan", platform) == first


def test_where_it_cannot_be_used_one_line_says_so(platform: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "cache"
    result = command("plan", platform, env=environment(REMEDIATE_CACHE_DIR=str(place)))
    told = f"remediate: the cache was not used: Not a directory ({place}); --no-cache does without it\n"
    without = run("plan", platform, "--no-cache")
    assert (result.code, result.out, result.err) == (without.code, without.out, told)


def test_a_command_that_fails_says_that_and_no_more(platform: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    env = environment(REMEDIATE_CACHE_DIR=str(tmp_path / "file"))
    assert "there is no service nobody here" in one_line(command("plan", platform, "--service", "nobody", env=env))


def test_a_damaged_cache_is_no_reason_to_complain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv("REMEDIATE_CACHE_DIR", str(folder))
    first = run("plan", EXAMPLE)
    for file in folder.iterdir():
        data = bytearray(file.read_bytes())
        data[len(data) // 3 :: 97] = b"\xff" * len(data[len(data) // 3 :: 97])
        file.write_bytes(data)
    assert run("plan", EXAMPLE) == first
    assert run("plan", EXAMPLE) == first
