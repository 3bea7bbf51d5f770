"""The command line: names, options and help. What a command does lives in `commands/` and is imported when it runs."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from remediate import __version__
from remediate.errors import RemediateError

app = typer.Typer(
    name="remediate",
    help="Finds what Knex migrations left broken in PostgreSQL and writes the follow-up migrations that repair it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class PlanFormat(enum.StrEnum):
    text = "text"
    json = "json"
    patch = "patch"
    sql = "sql"


class ListFormat(enum.StrEnum):
    text = "text"
    json = "json"


class FailOn(enum.StrEnum):
    error = "error"
    warning = "warning"
    info = "info"
    unresolved = "unresolved"
    never = "never"


class Assume(enum.StrEnum):
    applied = "applied"
    fresh = "fresh"


PathArgument = Annotated[Path, typer.Argument(help="The workspace: a repository of services, or one service.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration file instead of PATH/remediate.toml.")
]
ServiceOption = Annotated[list[str] | None, typer.Option("--service", help="Only this service; may be repeated.")]
RuleOption = Annotated[list[str] | None, typer.Option("--rule", help="Only this rule; may be repeated.")]
AssumeOption = Annotated[
    Assume,
    typer.Option(
        help="applied: every migration is on record as applied, and a statement that PostgreSQL refuses has no effect; "
        "fresh: what migrate:latest does on an empty database."
    ),
]
UnsafeOption = Annotated[
    bool, typer.Option("--unsafe", help="Also write repairs that are right in most cases and need a look.")
]
RewriteOption = Annotated[bool, typer.Option("--rewrite", help="Also edit existing migrations, where only that helps.")]
DateOption = Annotated[
    str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Date for the names of timestamped files.")
]
ColorOption = Annotated[bool, typer.Option("--no-color", help="No colours (as with NO_COLOR in the environment).")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"remediate {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Finds what Knex migrations left broken in PostgreSQL and writes the follow-up migrations that repair it."""


@app.command()
def plan(
    path: PathArgument = Path(),
    format: Annotated[PlanFormat, typer.Option("--format", help="How to print it.")] = PlanFormat.text,
    service: ServiceOption = None,
    rule: RuleOption = None,
    fail_on: Annotated[
        FailOn, typer.Option(help="Exit with 1 from this severity on; unresolved: also for unread places.")
    ] = FailOn.error,
    assume: AssumeOption = Assume.applied,
    unsafe: UnsafeOption = False,
    rewrite: RewriteOption = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Accept today's findings: writes remediate-baseline.json.")
    ] = False,
    date: DateOption = None,
    config: ConfigOption = None,
    no_color: ColorOption = False,
) -> None:
    """Show what is broken and the exact changes that would repair it. Writes nothing in the workspace."""
    from remediate.commands.options import PlanOptions
    from remediate.commands.plan import run

    options = PlanOptions(
        path, config, tuple(service or ()), tuple(rule or ()), assume.value, unsafe, rewrite, date, no_color
    )
    raise typer.Exit(run(options, format.value, fail_on.value, output, write_baseline))


@app.command()
def apply(
    path: PathArgument = Path(),
    branch: Annotated[
        str | None, typer.Option("--branch", help="New branch for the changes; the working tree stays as it is.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write into the working tree instead.")] = False,
    service: ServiceOption = None,
    rule: RuleOption = None,
    assume: AssumeOption = Assume.applied,
    unsafe: UnsafeOption = False,
    rewrite: RewriteOption = False,
    date: DateOption = None,
    config: ConfigOption = None,
    no_color: ColorOption = False,
) -> None:
    """Put the changes on a new git branch, one commit per service, planned from the committed tree."""
    from remediate.commands.apply import run
    from remediate.commands.options import PlanOptions

    options = PlanOptions(
        path, config, tuple(service or ()), tuple(rule or ()), assume.value, unsafe, rewrite, date, no_color
    )
    raise typer.Exit(run(options, branch, write))


@app.command()
def catalog(
    path: PathArgument = Path(),
    format: Annotated[ListFormat, typer.Option("--format", help="How to print it.")] = ListFormat.text,
    service: Annotated[str | None, typer.Option("--service", help="That service's migrations alone.")] = None,
    assume: AssumeOption = Assume.applied,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    config: ConfigOption = None,
    no_color: ColorOption = False,
) -> None:
    """Show the schema as it is after the migrations, and which statement made each object."""
    from remediate.commands.catalog import run

    raise typer.Exit(run(path, config, service, assume.value, format.value, output, no_color))


@app.command()
def services(path: PathArgument = Path(), config: ConfigOption = None, no_color: ColorOption = False) -> None:
    """Show the services that were found, their order and databases, and why."""
    from remediate.commands.listings import run_services

    run_services(path, config, no_color)


@app.command()
def rules(no_color: ColorOption = False) -> None:
    """List the rules with the severity of their findings and the best level of their repair."""
    from remediate.commands.listings import run_rules

    run_rules(no_color)


@app.command()
def explain(rule: Annotated[str, typer.Argument(help="A rule's id, as remediate rules lists them.")]) -> None:
    """Explain a rule: what it finds, why it matters, what it writes, when that is unsafe."""
    from remediate.commands.listings import run_explain

    run_explain(rule)


@app.command()
def init(path: PathArgument = Path()) -> None:
    """Write a remediate.toml that names every setting with its default. Nothing needs one."""
    from remediate.commands.init import run

    run(path)


def main() -> None:
    """Runs the command line. What the user can mend is one line on standard error and exit code 2, our faults 3."""
    from remediate.commands.failures import guarded

    sys.exit(guarded(lambda: app(standalone_mode=False)))


__all__ = ["RemediateError", "app", "main"]
