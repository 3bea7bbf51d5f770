"""With and without the cache, cold, warm, and after any change: the same catalogs and the same plans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engines.platforms import platforms
from evaluate.world import MemoryTree
from remediate.cache.store import Cache
from remediate.config.model import Config
from remediate.evaluate import modules
from remediate.evaluate.evaluate import Evaluator
from remediate.model import Request
from remediate.pipeline import make_plan, read, replay_all
from remediate.replay.catalog import Assumption, Replayed
from remediate.report.plan_json import plan_document
from remediate.source.tree import WorkingTree
from support.golden import Case, cases

EXAMPLE = Path(__file__).parents[2] / "examples" / "ticketing"
CONFIG = Config()


def document(root: Path, options: object, cache: Cache | None) -> str:
    tree = WorkingTree(root)
    plan = make_plan(read(tree, CONFIG), tree, CONFIG, Request(options=options), cache)  # type: ignore[arg-type]
    return json.dumps(plan_document(plan))


def check_document(root: Path, options: object, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = document(root, options, None)
    cold = Cache(folder)
    assert document(root, options, cold) == alone
    cold.close()
    evaluated: list[object] = []
    monkeypatch.setattr(Evaluator, "evaluate", lambda *arguments: evaluated.append(arguments))
    warm = Cache(folder)
    assert document(root, options, warm) == alone
    assert evaluated == [], "nothing is evaluated when nothing has changed"
    assert (cold.problem, warm.problem) == (None, None)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_golden_cases(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_document(case.copy_to(tmp_path / "workspace"), case.options, tmp_path / "cache", monkeypatch)


def test_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_document(EXAMPLE, Request().options, tmp_path / "cache", monkeypatch)


# ------------------------------------------------------------------------------------------------------ after changes


def replayed(files: Mapping[str, str], assume: Assumption, cache: Cache | None) -> tuple[Replayed, ...]:
    tree = MemoryTree({**files, "remediate.toml": ""})
    config = replace(CONFIG, workspace=replace(CONFIG.workspace, database="shared"))
    return replay_all(read(tree, config), tree, config, assume, cache)


_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize("assume", ["applied", "fresh"])
@settings(max_examples=25, deadline=None, suppress_health_check=_QUIET)
@given(before=platforms(8), other=platforms(4), choice=st.randoms(use_true_random=False))
def test_after_a_change(
    before: dict[str, str],
    other: dict[str, str],
    choice: object,
    assume: Assumption,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """One file changes, goes or comes: the transcripts of the others are used as far as they hold."""
    after = dict(before)
    name = choice.choice(sorted(after))  # type: ignore[attr-defined]
    if choice.random() < 0.3 and len(after) > 1:  # type: ignore[attr-defined]
        del after[name]
    else:
        after[name] = choice.choice(sorted(other.values()))  # type: ignore[attr-defined]
    cache = Cache(tmp_path_factory.mktemp("cache"))
    assert replayed(before, assume, cache) == replayed(before, assume, None)
    assert replayed(after, assume, cache) == replayed(after, assume, None)
    assert replayed(before, assume, cache) == replayed(before, assume, None)
    cache.close()
    assert cache.problem is None


GUARDED = """exports.up = async (knex) => {
  if (await knex.schema.hasTable('orders')) {
    await knex.schema.alterTable('orders', (t) => t.text('note'));
  }
  const { rows } = await knex.raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
  rows.push({ tablename: 'more' });
  for (const { tablename } of rows) {
    await knex.raw(`CREATE TABLE IF NOT EXISTS ${tablename}_log (id int)`);
  }
};
"""


def create(table: str) -> str:
    return f"exports.up = (knex) => knex.schema.createTable('{table}', (t) => t.increments('id'));\n"


def files_of(*texts: str) -> dict[str, str]:
    return {f"migrations/{number}_x.js": text for number, text in enumerate(texts)}


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that are lowered, which is what evaluating one begins with."""
    found: list[str] = []
    lower = modules.lower
    monkeypatch.setattr(modules, "lower", lambda file: (found.append(file.path), lower(file))[1])
    return found


def run(files: Mapping[str, str], cache: Cache, lowered: list[str]) -> list[str]:
    """What is lowered, having asserted that the result is right."""
    alone = replayed(files, "applied", None)
    lowered.clear()
    assert replayed(files, "applied", cache) == alone
    return [path.removeprefix("migrations/") for path in lowered]


def test_only_what_is_answered_otherwise_is_evaluated_again(tmp_path: Path, lowered: list[str]) -> None:
    cache = Cache(tmp_path / "cache")
    assert run(files_of(create("a"), GUARDED, create("b")), cache, lowered) == ["0_x.js", "1_x.js", "2_x.js"]
    assert run(files_of(create("a"), GUARDED, create("c")), cache, lowered) == ["2_x.js"]
    assert run(files_of(create("orders"), GUARDED, create("c")), cache, lowered) == ["0_x.js", "1_x.js"]
    assert run(files_of(create("a"), GUARDED, create("c")), cache, lowered) == []


def test_files_that_a_migration_reads_count(tmp_path: Path, lowered: list[str]) -> None:
    cache = Cache(tmp_path / "cache")
    main = (
        "import { TABLES } from '@lib/tables';\nimport { readFileSync, readdirSync } from 'fs';\n"
        "import path from 'path';\n"
        "export async function up(knex) {\n"
        "  for (const t of TABLES) { await knex.raw(`CREATE TABLE ${t} (id int)`); }\n"
        "  await knex.raw(readFileSync(path.join(__dirname, '../sql/base.sql'), 'utf8'));\n"
        "  for (const f of readdirSync(path.join(__dirname, '../sql'))) {\n"
        "    await knex.raw(`CREATE TABLE ${f.replace('.sql', '')}_seen (id int)`);\n  }\n}\n"
    )
    files = {
        "tsconfig.json": '{"compilerOptions": {"paths": {"@lib/*": ["./lib/*"]}}}',
        "lib/tables.ts": "export const TABLES = ['a', 'b'];\n",
        "other/tables.ts": "export const TABLES = ['z'];\n",
        "sql/base.sql": "CREATE TABLE base (id int);",
        "migrations/0_x.ts": main,
        "migrations/1_x.ts": main.replace("${t}", "${t}2").replace("_seen", "_seen2"),
    }
    first = run(files, cache, lowered)
    assert first.count("0_x.ts") == first.count("1_x.ts") == 1
    assert run(files, cache, lowered) == []
    for path, text in {
        "lib/tables.ts": "export const TABLES = ['a', 'c'];\n",
        "sql/base.sql": "CREATE TABLE other (id int);",
        "sql/more.sql": "",  # is listed
        "tsconfig.json": '{"compilerOptions": {"paths": {"@lib/*": ["./other/*"]}}}',
        "lib/tables/index.ts": "",  # is looked for only where there is no tables.ts
    }.items():
        run(files, cache, lowered)
        changed = {**files, path: text}
        again = run(changed, cache, lowered)
        assert ("0_x.ts" in again, "1_x.ts" in again) == (
            (True, True) if path != "lib/tables/index.ts" else (False, False)
        ), path
        assert run(changed, cache, lowered) == []


def test_packages_of_the_workspace_count(tmp_path: Path, lowered: list[str]) -> None:
    """Each migration that imports by the name of a package depends on all of them, not only the first that did."""
    cache = Cache(tmp_path / "cache")
    text = (
        "import { NAME } from '@our/names';\n"
        "export async function up(knex) { await knex.raw(`CREATE TABLE ${NAME}_NUMBER (id int)`); }\n"
    )
    files = {
        "package.json": '{"private": true, "workspaces": ["packages/*"]}',
        "packages/names/package.json": '{"name": "@our/names", "main": "one.ts"}',
        "packages/names/one.ts": "export const NAME = 'one';\n",
        "packages/names/two.ts": "export const NAME = 'two';\n",
        "migrations/0_x.ts": text.replace("NUMBER", "0"),
        "migrations/1_x.ts": text.replace("NUMBER", "1"),
    }
    assert {"0_x.ts", "1_x.ts"} <= set(run(files, cache, lowered))
    assert run(files, cache, lowered) == []
    moved = {**files, "packages/names/package.json": '{"name": "@our/names", "main": "two.ts"}'}
    assert {"0_x.ts", "1_x.ts"} <= set(run(moved, cache, lowered))
    assert str(replayed(moved, "applied", cache)) != str(replayed(files, "applied", cache))


def test_settings_count(tmp_path: Path) -> None:
    files = files_of("exports.up = (knex) => knex.raw(`CREATE TABLE ${process.env.PREFIX || 'x'}_t (id int)`);\n")
    tree = MemoryTree(files)
    cache = Cache(tmp_path / "cache")

    def with_(environment: dict[str, str], role: str | None, version: int) -> tuple[Replayed, ...]:
        config = replace(
            CONFIG,
            workspace=replace(CONFIG.workspace, environment=environment, postgres=version),
            roles=replace(CONFIG.roles, migration=role),
        )
        alone = replay_all(read(tree, config), tree, config)
        assert replay_all(read(tree, config), tree, config, "applied", cache) == alone
        return alone

    results = [
        with_(*each)
        for each in (
            ({}, None, 15),
            ({"PREFIX": "a"}, None, 15),
            ({"PREFIX": "a"}, "me", 15),
            ({"PREFIX": "b"}, None, 15),
        )
    ]
    assert len({str(each) for each in results}) == 4


def test_an_evaluation_that_goes_another_way_costs_the_cache_and_not_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot, as long as evaluation is determined by what it is told; should we be wrong, the result is right."""
    from remediate.evaluate.transcript import _Resumed

    cache = Cache(tmp_path / "cache")
    replayed(files_of(create("a"), GUARDED), "applied", cache)
    monkeypatch.setattr(_Resumed, "caught_up", property(lambda self: False))
    changed = files_of(create("orders"), GUARDED)
    assert replayed(changed, "applied", cache) == replayed(changed, "applied", None)
