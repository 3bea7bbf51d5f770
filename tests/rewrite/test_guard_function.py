# ruff: noqa: E501 (lines of migrations stand as their authors write them)
"""The guard around a function that another service owns: two insertions a statement, and real Knex is content."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.plan.model import Change, GuardCreation
from remediate.replay.catalog import Origin
from remediate.rewrite.edits import Edit, apply_edits
from remediate.rewrite.rewrite import Rewritten, rewrite
from remediate.source.model import MigrationSource, Service
from remediate.source.place import Place
from support.database import Database
from support.golden import without_guards
from support.knex import KnexRunner
from support.plans import FINDING
from support.typescript import TypeChecker

CODEMOD = Path(__file__).parents[2] / "codemods" / "duplicate-function" / "example"
SIGNATURE = "public.touch_updated_at()"

TEMPLATE = """import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE orders (id integer, updated_at timestamptz);
    CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger AS $$
    BEGIN
      -- an ümlaut, and it's "quoted"
      NEW.updated_at = now();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;
    CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE orders');
  await knex.raw("DROP FUNCTION IF EXISTS touch_updated_at() CASCADE");
}
"""
ONE_LINE = """exports.up = async (knex) => {
  await knex.raw("CREATE TABLE venues (id integer, updated_at timestamptz)");
  await knex.raw("CREATE OR REPLACE FUNCTION public.touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
  await knex.raw('CREATE TRIGGER touch BEFORE UPDATE ON venues FOR EACH ROW EXECUTE FUNCTION touch_updated_at()');
};

exports.down = async (knex) => {
  await knex.raw('DROP TABLE venues');
  await knex.raw('DROP FUNCTION IF EXISTS "touch_updated_at"()');
};
"""
SEVERAL = TEMPLATE.replace(
    "    CREATE TRIGGER",
    "    CREATE FUNCTION touch_updated_at(text) RETURNS text LANGUAGE sql AS 'SELECT $1';\n    CREATE TRIGGER",
).replace("touch_updated_at() CASCADE", "touch_updated_at(text); DROP FUNCTION touch_updated_at()")

FILES = {
    "a template literal with several statements": ("001_a.ts", TEMPLATE),
    "strings on one line": ("001_a.js", ONE_LINE),
    "an overload beside it": ("001_a.ts", SEVERAL),
    "Windows line ends": ("001_a.ts", TEMPLATE.replace("\n", "\r\n")),
    "a byte order mark": ("001_a.ts", "\ufeff" + TEMPLATE),
    "tabs": ("001_a.ts", TEMPLATE.replace("  ", "\t")),
}

LEFT_ALONE = {
    "a substitution in the literal": TEMPLATE.replace(
        "FUNCTION touch_updated_at()", "FUNCTION ${'touch_updated_at'}()"
    ),
    "an escape in the literal": TEMPLATE.replace("-- an ümlaut", "-- \\`an escape\\`"),
    "text that is no SQL": TEMPLATE.replace("CREATE TABLE orders", "CREATE TABEL orders"),
    "another function": TEMPLATE.replace("touch_updated_at", "touch_updated"),
    "another schema": TEMPLATE.replace(
        "FUNCTION touch_updated_at() RETURNS", "FUNCTION other.touch_updated_at() RETURNS"
    ),
    "a tag of the guard in the body": TEMPLATE.replace("NEW.updated_at = now();", "PERFORM $create$x$create$;"),
}


def edited(name: str, text: str) -> Rewritten:
    """What the codemod makes of a service with this one file."""
    file = f"orders/migrations/{name}"
    source = MigrationSource("orders", file, "orders/migrations", name, text.encode())
    service = Service("orders", "orders", ("orders/migrations",), (source,), "orders")
    origin = Origin("orders", file, Place(file, 6), "create", "CREATE FUNCTION touch_updated_at() …")
    return rewrite([service], [GuardCreation("orders", FINDING, SIGNATURE, (origin,))])


def change(name: str, text: str) -> Change:
    (made,) = edited(name, text).changes
    return made


@pytest.mark.parametrize("given", FILES)
def test_only_guards_are_put_into_the_file(given: str) -> None:
    name, text = FILES[given]
    made = change(name, text)
    assert made.before == text
    assert made.text != text
    assert without_guards(made.text) == text
    assert made.text.count("$guard$") == 4, "one guard in up and one in down"
    assert edited(name, text).missed == frozenset()


@pytest.mark.parametrize("given", FILES)
def test_twice_is_once(given: str) -> None:
    name, text = FILES[given]
    again = edited(name, change(name, text).text)
    assert again.changes == ()


def test_line_ends_stay_those_of_the_file() -> None:
    text = change(*FILES["Windows line ends"]).text
    assert text.count("\n") == text.count("\r\n")


@pytest.mark.parametrize("given", LEFT_ALONE)
def test_a_file_that_cannot_be_edited_as_a_whole_is_left_alone(given: str) -> None:
    made = edited("001_a.ts", LEFT_ALONE[given])
    assert made.changes == ()
    assert made.missed == {FINDING.id}


def test_it_is_still_typescript(type_checker: TypeChecker, tmp_path: Path) -> None:
    files = []
    for number, (name, text) in enumerate(FILES.values()):
        file = tmp_path / f"{number}_{name}"
        file.write_bytes(change(name, text).text.encode())
        files.append(file)
    assert type_checker(files) == []


def test_the_example_of_the_codemod_is_what_it_does() -> None:
    before, after = ((CODEMOD / f"{name}.ts").read_text() for name in ("before", "after"))
    assert change("before.ts", before).text == after


@pytest.fixture
def platform(tmp_path: Path) -> dict[str, Path]:
    """Two services whose files create the function under a guard."""
    folders = {}
    for service, given in (("orders", "a template literal with several statements"), ("venues", "strings on one line")):
        name, text = FILES[given]
        folders[service] = tmp_path / service
        (folders[service] / "migrations").mkdir(parents=True)
        (folders[service] / "migrations" / name).write_text(change(name, text).text)
    return folders


FUNCTION = "SELECT count(*) FROM pg_proc WHERE proname = 'touch_updated_at'"


@pytest.mark.parametrize("order", [("orders", "venues"), ("venues", "orders")])
def test_either_service_may_come_first_and_go_first(
    order: tuple[str, str], platform: dict[str, Path], knex_runner: KnexRunner, database: Database
) -> None:
    for service in order:
        knex_runner.latest(database, platform[service], table=f"knex_{service}").expect_success()
    body = database.value("SELECT prosrc FROM pg_proc WHERE proname = 'touch_updated_at'")
    assert ("ümlaut" in body) == (order[0] == "orders"), "the first one's function stays"
    for going, staying in (order, order[::-1]):
        knex_runner.rollback(database, platform[going], table=f"knex_{going}").expect_success()
        assert database.value(FUNCTION) == 1, f"{staying} has a trigger on it"
        assert database.value("SELECT count(*) FROM pg_trigger WHERE tgname = 'touch'") == 1
        knex_runner.latest(database, platform[going], table=f"knex_{going}").expect_success()
    for service in order:
        knex_runner.rollback(database, platform[service], table=f"knex_{service}").expect_success()
    assert database.value(FUNCTION) == 0


def test_edits_are_made_from_the_right() -> None:
    edits = [Edit(3, 3, "X"), Edit(0, 1, "Y"), Edit(5, 6, "")]
    assert apply_edits(b"abcdefg", edits) == b"YbcXdeg"
    assert apply_edits(b"abc", []) == b"abc"
    with pytest.raises(ValueError, match="overlap at byte 1"):
        apply_edits(b"abc", [Edit(1, 3, ""), Edit(2, 3, "x")])
