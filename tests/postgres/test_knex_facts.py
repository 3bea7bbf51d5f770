"""What Knex really does, where that decides how migrations are read and written. See `test_facts` for PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.database import Database, seed_knex_migrations
from support.knex import KnexRun, KnexRunner
from support.node import Node

UP = "exports.up = async (knex) => {{ {} }};\nexports.down = async () => {{}};\n"


@pytest.fixture
def service(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    return tmp_path


def write(service: Path, **bodies: str) -> None:
    """Write a CommonJS migration for each name (a leading underscore is dropped) with that body of `up`."""
    for name, body in bodies.items():
        (service / "migrations" / f"{name.removeprefix('_')}.js").write_text(UP.format(body), encoding="utf-8")


def tables(database: Database) -> set[str]:
    return {name for (name,) in database.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def sent(run: KnexRun) -> list[str]:
    return [sql for sql, _ in run.queries if "knex_migrations" not in sql]


def test_files_run_in_string_order(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    write(service, _2_a="", _10_b="", _20260101_c="")
    run = knex_runner.latest(database, service).expect_success()
    assert run.files == ("10_b.js", "20260101_c.js", "2_a.js")
    assert run.batch == 1


def test_a_name_that_sorts_earlier_runs_late_without_a_word(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(service, _2_b="")
    knex_runner.latest(database, service).expect_success()
    write(service, _1_a="")
    run = knex_runner.latest(database, service).expect_success()
    assert (run.files, run.batch, run.log) == (("1_a.js",), 2, ())


def test_a_failing_file_takes_back_the_whole_batch(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    write(service, _1="await knex.raw('CREATE TABLE one ()')", _2="await knex.raw('SELECT nope')")
    assert knex_runner.latest(database, service).code == "42703"
    assert "one" not in tables(database)


def test_one_file_without_transaction_removes_it_for_the_whole_batch(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(service, _1="await knex.raw('CREATE TABLE one ()')", _2="await knex.raw('SELECT nope')", _3="")
    with (service / "migrations" / "3.js").open("a") as file:
        file.write("exports.config = { transaction: false };\n")
    assert knex_runner.latest(database, service).code == "42703"
    assert "one" in tables(database)
    assert database.run("SELECT name FROM knex_migrations") == [("1.js",)]


def test_where_transactions_are_switched_off_a_failing_file_stays_half_done(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(service, _1="await knex.raw('CREATE TABLE one ()'); await knex.raw('SELECT nope')")
    assert knex_runner.latest(database, service, disable_transactions=True).code == "42703"
    assert "one" in tables(database)


@pytest.mark.parametrize("command", ["latest", "up"])
def test_where_transactions_are_switched_off_a_file_may_ask_for_its_own(
    database: Database, knex_runner: KnexRunner, service: Path, command: str
) -> None:
    write(
        service,
        _1="await knex.raw('CREATE TABLE kept ()')",
        _2="await knex.raw('CREATE TABLE one ()'); await knex.raw('SELECT nope')",
    )
    with (service / "migrations" / "2.js").open("a") as file:
        file.write("exports.config = { transaction: true };\n")
    if command == "up":
        knex_runner.up(database, service, disable_transactions=True).expect_success()
    assert knex_runner.run(command, database, service, disable_transactions=True).code == "42703"
    assert tables(database) & {"kept", "one"} == {"kept"}
    assert database.run("SELECT name FROM knex_migrations") == [("1.js",)]


def test_a_file_may_ask_for_its_own_transaction_on_the_way_down(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    (service / "migrations" / "1.js").write_text(
        "exports.config = { transaction: true };\nexports.up = async () => {};\n"
        "exports.down = async (knex) => { await knex.raw('CREATE TABLE one ()'); await knex.raw('SELECT nope'); };\n"
    )
    knex_runner.latest(database, service, disable_transactions=True).expect_success()
    assert knex_runner.rollback(database, service, disable_transactions=True).code == "42703"
    assert "one" not in tables(database)


def test_a_file_that_asks_for_a_transaction_shares_that_of_its_batch(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(service, _1="await knex.raw('CREATE TABLE one ()')", _2="await knex.raw('SELECT nope')")
    with (service / "migrations" / "1.js").open("a") as file:
        file.write("exports.config = { transaction: true };\n")
    assert knex_runner.latest(database, service).code == "42703"
    assert "one" not in tables(database)


def test_settings_leak_into_the_next_file_of_the_batch(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(
        service,
        _1='await knex.raw("SET LOCAL row_security = off")',
        _2="""await knex.raw("CREATE TABLE seen AS SELECT current_setting('row_security') AS setting")""",
    )
    knex_runner.latest(database, service).expect_success()
    assert database.value("SELECT setting FROM seen") == "off"


def test_a_search_path_that_leaks_hides_knexs_own_table(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(service, _1="""await knex.raw("SET LOCAL search_path = 'other'")""")
    assert knex_runner.latest(database, service).code == "42P01"


def test_concurrently_needs_a_file_without_transaction(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(service, _1="await knex.raw('CREATE TABLE one (id int)')")
    knex_runner.latest(database, service).expect_success()
    write(service, _2="await knex.raw('CREATE INDEX CONCURRENTLY i ON one (id)')")
    assert knex_runner.latest(database, service).code == "25001"
    with (service / "migrations" / "2.js").open("a") as file:
        file.write("exports.config = { transaction: false };\n")
    knex_runner.latest(database, service).expect_success()


def test_a_missing_file_is_a_corrupt_directory(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    write(service, _1="", _2="")
    knex_runner.latest(database, service).expect_success()
    (service / "migrations" / "1.js").rename(service / "migrations" / "1.cjs")
    error = knex_runner.latest(database, service).error or ""
    assert "The migration directory is corrupt, the following files are missing: 1.js" in error


def test_two_services_on_one_table_are_corrupt_and_equal_names_are_skipped(
    database: Database, knex_runner: KnexRunner, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        (tmp_path / name / "migrations").mkdir(parents=True)
    write(tmp_path / "one", _1="")
    write(tmp_path / "other", _1="await knex.raw('CREATE TABLE never ()')")
    knex_runner.latest(database, tmp_path / "one").expect_success()
    assert knex_runner.latest(database, tmp_path / "other").expect_success().files == ()
    assert "never" not in tables(database)
    write(tmp_path / "one", _2="")
    knex_runner.latest(database, tmp_path / "one").expect_success()
    assert "corrupt" in (knex_runner.latest(database, tmp_path / "other").error or "")


def test_seeded_names_count_as_applied(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    write(service, _1="await knex.raw('SELECT nope')", _2="")
    seed_knex_migrations(database, ["1.js"])
    assert knex_runner.status(database, service).pending == ("2.js",)
    assert knex_runner.latest(database, service).expect_success().files == ("2.js",)
    assert knex_runner.rollback(database, service).expect_success().files == ("2.js",)


def test_up_and_down_take_one_file(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    write(service, _1="", _2="", _3="")
    assert knex_runner.up(database, service).expect_success().files == ("1.js",)
    assert knex_runner.up(database, service, name="3.js").expect_success().files == ("3.js",)
    assert knex_runner.down(database, service, name="1.js").expect_success().files == ("1.js",)
    assert knex_runner.status(database, service).files == ("3.js",)
    assert knex_runner.rollback(database, service, all=True).expect_success().files == ("3.js",)


def test_several_directories_are_one_history(database: Database, knex_runner: KnexRunner, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "2.js").write_text(UP.format(""))
    (tmp_path / "b" / "1.js").write_text(UP.format(""))
    run = knex_runner.latest(database, tmp_path, directories=["a", "b"])
    assert run.expect_success().files == ("1.js", "2.js")
    database.run("DROP TABLE knex_migrations, knex_migrations_lock")
    run = knex_runner.latest(database, tmp_path, directories=["a", "b"], sort_directories_separately=True)
    assert run.expect_success().files == ("2.js", "1.js")


def test_a_question_mark_in_raw_is_a_binding(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    database.run("""CREATE TABLE t (j jsonb); INSERT INTO t VALUES ('{"a": 1}')""")
    write(service, _1="""await knex.raw("DELETE FROM t WHERE j ? 'a' AND 1 = ?", [1])""")
    assert "Expected 1 bindings, saw 2" in (knex_runner.latest(database, service).error or "")
    write(service, _1="""await knex.raw("DELETE FROM t WHERE j \\\\? 'a' AND 1 = ?", [1])""")
    run = knex_runner.latest(database, service).expect_success()
    assert "DELETE FROM t WHERE j ? 'a' AND 1 = $1" in sent(run)
    assert database.value("SELECT count(*) FROM t") == 0


def test_without_bindings_a_question_mark_silently_becomes_a_placeholder(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    database.run("CREATE TABLE t (j jsonb)")
    write(service, _1="""await knex.raw("COMMENT ON TABLE t IS 'why?'")""")
    knex_runner.latest(database, service).expect_success()
    assert database.value("SELECT obj_description('t'::regclass)") == "why$1"
    write(service, _2="""await knex.raw("COMMENT ON TABLE t IS 'why\\\\?'")""")
    knex_runner.latest(database, service).expect_success()
    assert database.value("SELECT obj_description('t'::regclass)") == "why?"


def test_alter_drops_default_and_not_null(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    database.run("CREATE TABLE t (c varchar(10) NOT NULL DEFAULT 'x')")
    write(service, _1="await knex.schema.alterTable('t', (t) => { t.string('c', 20).alter(); })")
    run = knex_runner.latest(database, service).expect_success()
    assert [sql for sql in sent(run) if sql.startswith("alter table")] == [
        'alter table "t" alter column "c" drop default',
        'alter table "t" alter column "c" drop not null',
        'alter table "t" alter column "c" type varchar(20) using ("c"::varchar(20))',
    ]


def test_a_builder_that_nobody_awaits_never_runs_but_the_file_is_recorded(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(service, _1="knex.schema.createTable('never', (t) => { t.increments(); }); knex.raw('SELECT nope')")
    run = knex_runner.latest(database, service).expect_success()
    assert run.files == ("1.js",)
    assert "never" not in tables(database)
    assert database.run("SELECT name FROM knex_migrations") == [("1.js",)]


def test_a_builder_that_is_returned_runs(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    write(service, _1="return knex.schema.createTable('made', (t) => { t.increments(); })")
    knex_runner.latest(database, service).expect_success()
    assert "made" in tables(database)


def test_a_missing_down_is_told_at_run_time(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    (service / "migrations" / "1.js").write_text("exports.up = async () => {};\n")
    run = knex_runner.latest(database, service)
    if run.error is None:
        run = knex_runner.rollback(database, service)
    assert "down" in (run.error or "")


def test_typescript_in_a_service_of_plain_javascript_stops_everything(
    database: Database, node: Node, service: Path
) -> None:
    write(service, _1="")
    (service / "migrations" / "2.ts").write_text(
        "export async function up(): Promise<void> {}\nexport const down = up;\n"
    )
    script = """
      const { connection, directory } = JSON.parse(process.argv[1]);
      const knex = require('knex')({ client: 'pg', connection, migrations: { directory } });
      knex.migrate.latest().then(() => 'ran', (error) => `stopped: ${error.message}`)
        .then((text) => { console.log(text); return knex.destroy(); });
    """
    endpoint = database.endpoint
    connection = {"host": endpoint.host, "port": endpoint.port, "user": endpoint.user, "database": database.name}
    argument = json.dumps({"connection": connection, "directory": str(service / "migrations")})
    # A plain Node, as the service has it: no tsx, and no stripping of types either.
    flags = ["--no-experimental-strip-types"] if b"strip-types" in _options(node) else []
    assert node(*flags, "-e", script, argument).startswith("stopped: ")
    assert database.run("SELECT name FROM knex_migrations") == []


def _options(node: Node) -> bytes:
    return node("-p", "[...process.allowedNodeEnvironmentFlags].join(' ')").encode()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1.ts", "import type { Knex } from 'knex';\nexport const up = async (knex: Knex): Promise<void> => {\n"
                 "  await knex.raw('SELECT 1');\n};\nexport async function down(): Promise<void> {}\n"),
        ("1.ts", "import { Knex } from 'knex';\nimport { Pool } from 'pg';\nnew Pool();\n"
                 "export async function up(knex: Knex) {}\nexport async function down() {}\n"),
        ("1.cjs", "module.exports = { async up(knex) {}, async down() {} };\n"),
        ("1.mjs", "import pg from 'pg';\nnew pg.Pool();\nexport const up = async () => {};\nexport const down = up;\n"),
    ],
    ids=["typescript", "typescript that imports pg", "commonjs", "es module"],
)  # fmt: skip
def test_every_kind_of_file_runs(
    database: Database, knex_runner: KnexRunner, service: Path, name: str, text: str
) -> None:
    (service / "migrations" / name).write_text(text)
    assert knex_runner.latest(database, service).expect_success().files == (name,)
    assert knex_runner.rollback(database, service).expect_success().files == (name,)


def test_a_file_that_was_written_anew_is_read_anew(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    for number in (1, 2):
        write(service, _1=f"await knex.raw('CREATE TABLE made_{number} ()')")
        knex_runner.latest(database, service).expect_success()
        database.run("DROP TABLE knex_migrations")
    assert {"made_1", "made_2"} <= tables(database)


def test_a_search_path_without_its_table_ends_the_run(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    write(service, _1="await knex.raw(\"SELECT set_config('search_path', '', false); CREATE TABLE public.one ()\")")
    run = knex_runner.latest(database, service)
    assert run.code == "42P01"
    assert "knex_migrations" in str(run.error)
    assert "one" not in tables(database)


def test_an_insert_of_no_rows_throws(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    write(service, _1="await knex.schema.createTable('t', (t) => { t.increments(); }); await knex('t').insert([])")
    run = knex_runner.latest(database, service)
    assert (run.code, run.error) == (None, "The query is empty")


def test_apply_takes_each_string_for_itself(database: Database, knex_runner: KnexRunner, service: Path) -> None:
    write(
        service,
        _1="for (const it of ['CREATE TABLE one ()', 'SELECT nope', 'CREATE TABLE two ()']) await knex.raw(it)",
        _2="await knex.raw('CREATE TABLE three ()'); throw new Error('given up')",
        _3="await knex.raw('SAVEPOINT s'); await knex.raw('CREATE INDEX CONCURRENTLY i ON one ((1))')",
    )
    run = knex_runner.apply(database, service).expect_success()
    assert {"one", "two", "three"} <= tables(database)
    assert [(file, code) for file, _, code in run.refused] == [("1.js", "42703")]
    assert run.thrown == (("2.js", "given up"),)


def test_apply_gives_a_pool_to_a_file_that_wants_one(
    database: Database, knex_runner: KnexRunner, service: Path
) -> None:
    (service / "migrations" / "1.js").write_text(
        "exports.up = async (pool) => { const c = await pool.connect(); await c.query('BEGIN');"
        " await c.query('CREATE TABLE one ()'); await c.query('COMMIT'); c.release(); };\n"
        "exports.down = async () => {};\n"
    )
    run = knex_runner.apply(database, service).expect_success()
    assert (run.refused, run.thrown) == ((), ())
    assert "one" in tables(database)
