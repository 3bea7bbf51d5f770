"""The parts of the test support that no other test would miss if they lied."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.database import Database, load_history
from support.driver import Driver
from support.node import Node, NodeError, prepare_project
from support.typescript import PrettierCheck, TypeChecker

GOOD = """import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('venues', (table) => {
    table.increments();
  });
}
"""


def test_the_project_is_there_and_writes_no_lock_file(node_project: Path) -> None:
    assert (node_project / "node_modules" / "knex" / "package.json").is_file()
    assert not (node_project / "package-lock.json").exists()
    assert prepare_project(node_project.parent) == node_project


def test_node_returns_what_is_printed_and_raises_what_went_wrong(node: Node, tmp_path: Path) -> None:
    assert node("-p", "require('knex') && process.argv[1]", "an argument", cwd=tmp_path) == "an argument\n"
    assert node("-e", "process.stdin.pipe(process.stdout)", stdin="é\n") == "é\n"
    with pytest.raises(NodeError, match="ended with 3"):
        node("-e", "process.exit(3)")
    with pytest.raises(NodeError, match="did not end within"):
        node("-e", "setInterval(() => {}, 1000)", timeout=0.5)


def test_a_driver_that_hangs_is_replaced(node: Node, tmp_path: Path) -> None:
    driver = Driver(node, timeout=5)
    with pytest.raises(NodeError, match="no task nonsense"):
        driver.ask("nonsense")
    assert driver.ask("format", files=[], options={}) == {}
    process = driver._process
    assert process is not None
    process.kill()
    process.wait()
    assert driver.ask("format", files=[], options={}) == {}
    driver.close()


def test_types_are_checked_with_those_of_the_packages(type_checker: TypeChecker, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.ts", tmp_path / "bad.ts"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace("createTable", "createTabel") + "export const f = (a) => a;\n")
    assert type_checker([good]) == []
    found = type_checker([good, bad])
    assert {Path(each.file).name for each in found} == {"bad.ts"}
    assert [(each.line, each.code) for each in found] == [(4, 2551), (4, 7006), (8, 7006)]
    assert type_checker([bad], strict=False, noImplicitAny=False)[0].code == 2551


def test_prettier_says_how_it_would_write(prettier_check: PrettierCheck, tmp_path: Path) -> None:
    file = tmp_path / "a.ts"
    file.write_text(GOOD)
    assert prettier_check([file], singleQuote=True) == {}
    assert prettier_check([file]) == {file: GOOD.replace("'", '"')}


def test_a_history_goes_on_after_what_is_refused(database: Database) -> None:
    history = [
        "CREATE TABLE a ()",
        "CREATE TABLE a ()",
        "BEGIN; CREATE TABLE b ()",
        "SELECT '100%s?'",
        "CREATE TABLE c ()",
    ]
    assert load_history(database, history) == list(zip(history, [None, "42P07", None, None, None], strict=True))
    assert database.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1") == [("a",), ("c",)]
