"""What the command says about itself: help, version, completion, and what it makes of a wrong command line."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cli.running import COMMAND, command, environment, one_line, run
from remediate import __version__

COMMANDS = ("plan", "prove", "apply", "audit", "catalog", "services", "rules", "explain", "init")


def test_help_names_every_command_with_a_whole_sentence() -> None:
    result = command("--help")
    assert result.code == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} +[A-Z].*\.$", result.out, re.MULTILINE), name
    assert "..." not in result.out.partition("Commands:")[2], "nothing is cut"
    assert "\x1b" not in result.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described(name: str) -> None:
    result = run(name, "--help")
    assert result.code == 0
    assert result.out == run(name, "-h").out
    if name != "rules":
        assert re.search(r"^Arguments:\n  \S+ +[A-Z]\S* \S+ \S+", result.out, re.MULTILINE), "so is the argument"
    # An option is "  --name VALUE", its description stands behind it or on the next line, indented.
    entries = re.split(r"^  (?=-)", result.out.partition("Options:")[2], flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        spelled, _, described = entry.strip().replace("\n", "  ").partition("  ")
        assert re.search(r"[A-Za-z]{3}", described), spelled
        assert "list[" not in spelled


def test_the_help_of_plan_names_the_values_of_each_choice() -> None:
    text = " ".join(run("plan", "--help").out.split())
    for values in ("text|json|patch|sql", "error|warning|info|unresolved|never", "applied|fresh"):
        assert values in text


def test_without_a_command_it_shows_the_help_and_that_something_is_missing() -> None:
    result = command()
    assert result.code == 2
    assert result.out == command("--help").out


def test_version() -> None:
    assert command("--version").out == f"remediate {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["paln"], r"No such command 'paln'. Did you mean 'plan'\?; see remediate --help"),
        (["plan", "--servce", "x"], r"No such option: --servce .*--service.*; see remediate plan --help"),
        (["plan", "--format", "xml"], r"Invalid value for '--format': .*'xml'.*'text', 'json', 'patch', 'sql'"),
        (["plan", "--fail-on", "warn"], r"Invalid value for '--fail-on': .*'warn'.*'warning'"),
        (["plan", "--assume", "both"], r"Invalid value for '--assume': .*'both'.*'applied', 'fresh'"),
        (["plan", "a", "b"], r"unexpected extra argument.* \(b\); see remediate plan --help"),
        (["plan", "--service"], r"Option '--service' requires an argument"),
        (["explain"], r"Missing argument 'RULE'; see remediate explain --help"),
        (["apply"], r"say where the changes go; either --branch NAME or --write"),
        (["apply", "--branch", "x", "--write"], r"say where the changes go; either --branch NAME or --write"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    assert re.search(said, one_line(run(*arguments, cwd=tmp_path)))


@pytest.mark.parametrize(
    ("shell", "mark"), [("bash", "complete -o default -F"), ("zsh", "#compdef"), ("fish", "complete ")]
)
def test_the_completion_of_a_shell(shell: str, mark: str) -> None:
    result = command(env=environment(_REMEDIATE_COMPLETE=f"source_{shell}"))
    assert result.code == 0
    assert mark in result.out


def test_show_completion_finds_the_shell_that_it_is_called_from() -> None:
    script = f"{shlex.join(COMMAND)} --show-completion; exit $?"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment(), check=True)
    assert "complete -o default -F _remediate_completion remediate" in done.stdout


def test_completion_offers_commands() -> None:
    offered = command(env=environment(_REMEDIATE_COMPLETE="complete_bash", COMP_WORDS="remediate ex", COMP_CWORD="1"))
    assert offered.out.split() == ["explain"]


def test_help_loads_neither_parsers_nor_git() -> None:
    """What makes `--help` quick: a command's own modules are loaded when it runs."""
    script = "import sys; from remediate.cli import app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"tree_sitter", "postgast", "git", "jinja2", "msgspec", "jsonschema", "remediate.pipeline"}


@pytest.mark.long
def test_the_benchmark_runs(platform: Path) -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "plan.py"
    done = subprocess.run(
        [sys.executable, script, platform, "--runs", "1", "--profile"], capture_output=True, text=True, check=True
    )
    assert re.search(r"^remediate --help +[\d.]+ s, +[\d.]+ s of processor", done.stdout, re.MULTILINE)
    assert re.search(r"^plan, cold .* × the floor, 1.00 × cold$", done.stdout, re.MULTILINE)
    assert re.search(r"^planning, all of it +[\d.]+ s +[\d.]+ × the floor", done.stdout, re.MULTILINE)
