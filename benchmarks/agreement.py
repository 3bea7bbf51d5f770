"""How far the static engine, the PostgreSQL engine and real Knex agree on a repository, by kind of object.

    python benchmarks/agreement.py CHECKOUT [--service NAME] [--config FILE] [--setup FILE.sql]
                                            [--engines-only] [--truth FILE]

The migrations of each service are really run by Knex on an embedded PostgreSQL: string by string for `applied` (what is
refused is skipped, each string commits by itself), with a plain `migrate:latest` for `fresh`. Both engines replay the
same, and the static one is held against the other two. With `--truth`, nothing is run: it is held against a catalog
that was recorded after such a run (benchmarks/recorded.py has the format).

A kind with nothing in it is shown as n = 0, which is no agreement. Every difference is printed with the place that
could not be read and explains it: one that is about the object, or in whose file it is named. The exit code is 1 when
one is left without.

`--setup` is SQL that stands in the database before the first migration. The variables of the environment that
migrations read come from the configuration ([workspace] environment), and are set for Knex, too.

Needs the extra `test` (Node, PostgreSQL and psycopg come with it; Knex, pg and tsx are installed by npm at the first
run). The repository's code is run, with your rights: only do this to one that you trust. What its migrations import
beside Knex and pg has to be installed in its checkout.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from real_knex import against_knex  # noqa: E402
from recorded import KINDS, read_record, recorded_ends, recorded_facts, replayed_ends, replayed_facts  # noqa: E402

from remediate.config.load import load  # noqa: E402
from remediate.evaluate.evaluate import Evaluator  # noqa: E402
from remediate.evaluate.model import Sent  # noqa: E402
from remediate.pipeline import databases_of, read  # noqa: E402
from remediate.postgres.engine import PostgresEngine  # noqa: E402
from remediate.postgres.server import Server  # noqa: E402
from remediate.postgres.workroom import memory_folder  # noqa: E402
from remediate.replay.catalog import Replayed  # noqa: E402
from remediate.replay.compare import Comparison, compare, compare_facts  # noqa: E402
from remediate.replay.engine import Assumption, StaticEngine  # noqa: E402
from remediate.replay.replay import Engine, replay_on  # noqa: E402
from remediate.report.comparison import comparison_lines  # noqa: E402
from remediate.report.lines import plain  # noqa: E402
from remediate.source.model import Service  # noqa: E402
from remediate.source.place import Place  # noqa: E402
from remediate.source.tree import WorkingTree  # noqa: E402
from remediate.sql.older import grammar_of  # noqa: E402

MODES: tuple[Assumption, ...] = ("applied", "fresh")


@dataclass(frozen=True)
class Checkout:
    """A repository, and what is known of how it is run."""

    root: Path
    tree: WorkingTree
    environment: dict[str, str]
    setup: str

    def replay(self, engine: Engine, services: Sequence[Service]) -> Replayed:
        """What an engine has after the set-up and the migrations."""
        if self.setup:
            engine.begin_session()
            engine.execute(Sent("", "", "up", Place("set-up"), self.setup, "raw"), False)
        return replay_on(engine, services, Evaluator(self.tree, environment=self.environment))

    def text_of(self, file: str) -> str:
        try:
            return self.tree.read(PurePosixPath(file)).decode("utf-8", "replace")
        except OSError:
            return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="the repository, or a folder in it")
    parser.add_argument("--service", action="append", help="only this service; may be repeated")
    parser.add_argument("--config", type=Path, help="a remediate.toml from elsewhere")
    parser.add_argument("--setup", type=Path, help="SQL that is run before the first migration")
    parser.add_argument("--engines-only", action="store_true", help="do not run Knex")
    parser.add_argument("--truth", type=Path, help="hold the static engine against this record; run nothing")
    chosen = parser.parse_args()
    root = chosen.checkout.resolve()
    tree = WorkingTree(root)
    settings = load(tree, chosen.config)
    if chosen.truth and (order := read_record(chosen.truth).order):
        workspace = msgspec.structs.replace(settings.workspace, order=order, database="shared")
        settings = msgspec.structs.replace(settings, workspace=workspace)
    setup = chosen.setup.read_text(encoding="utf-8") if chosen.setup else ""
    checkout = Checkout(root, tree, settings.workspace.environment, setup)
    os.environ.update(checkout.environment)  # what Knex's process inherits
    services = [one for one in read(tree, settings).services if not chosen.service or one.name in chosen.service]
    groups = databases_of(services)
    if chosen.truth:
        with grammar_of(settings.workspace.postgres):
            unexplained = sum(show(*one) for one in recorded(checkout, groups, chosen.truth))
    else:
        unexplained = sum(show(*one) for one in run(checkout, groups, chosen))
    print(f"{unexplained} differences that no unresolved place explains")
    return 1 if unexplained else 0


Titled = Iterable[tuple[str, Comparison]]


def recorded(checkout: Checkout, groups: Sequence[Sequence[Service]], truth: Path) -> Titled:
    """The static engine against a record."""
    record = read_record(truth)
    for services in groups:
        name = services[0].database
        static = checkout.replay(StaticEngine(name, assume="applied"), services)
        comparison = compare_facts(
            name, replayed_facts(static.catalog), recorded_facts(record), [static], checkout.text_of, KINDS
        )
        yield f"applied, static engine and {truth.name}", comparison
        static = checkout.replay(StaticEngine(name, assume="fresh"), services)
        found, expected = replayed_ends(static.outcomes), recorded_ends(record)
        yield (
            f"fresh, how the run ended, static engine and {truth.name}",
            compare_facts(name, found, expected, [static], checkout.text_of, ["outcome"]),
        )


def run(checkout: Checkout, groups: Sequence[Sequence[Service]], chosen: argparse.Namespace) -> Titled:
    """Both engines and real Knex."""
    with Server(parent=memory_folder()) as server:
        for services in groups:
            for assume in MODES:
                static = checkout.replay(StaticEngine(services[0].database, assume=assume), services)
                with PostgresEngine(server, services[0].database, assume=assume) as engine:
                    real = checkout.replay(engine, services)
                yield f"{assume}, static and PostgreSQL engine", compare(static, real, checkout.text_of)
                if not chosen.engines_only:
                    title = f"{assume}, static engine and real Knex"
                    yield (
                        title,
                        against_knex(server, services, checkout.root, [static, real], assume, checkout),
                    )


def show(title: str, comparison: Comparison) -> int:
    """Prints one comparison; the number of differences without an explanation."""
    print(f"== {title}")
    for line in comparison_lines([comparison]):
        print(plain(line))
    return sum(one.explanation is None for one in comparison.differences)


if __name__ == "__main__":
    sys.exit(main())
