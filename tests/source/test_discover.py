"""Services and migrations are found in every layout that repositories have, and nothing else is."""

from __future__ import annotations

import pytest

from remediate.config import model
from remediate.errors import RemediateError
from remediate.source.discover import discover
from remediate.source.exports import other_tool
from remediate.source.model import Service, Workspace
from remediate.source.tree import WorkingTree

UP = "export async function up(knex) {}\nexport async function down(knex) {}\n"
COMMONJS = "exports.up = async (knex) => {};\nexports.down = async (knex) => {};\n"
KNEX = '{"name": "%s", "dependencies": {"knex": "^3"}}'


def names(service: Service) -> list[str]:
    return [migration.name for migration in service.migrations]


def by_name(workspace: Workspace) -> dict[str, Service]:
    return {service.name: service for service in workspace.services}


def test_a_folder_named_migrations_makes_a_service(found):
    (service,) = found({"services/auth/src/migrations/001_a.ts": UP}).services
    assert (service.name, service.path, service.directories) == (
        "auth",
        "services/auth",
        ("services/auth/src/migrations",),
    )
    assert names(service) == ["001_a.ts"]
    assert service.migrations[0].file == "services/auth/src/migrations/001_a.ts"
    assert service.migrations[0].data == UP.encode()


def test_a_service_is_named_by_its_package_without_scope(found):
    (service,) = found({"api/package.json": KNEX % "@acme/orders", "api/db/migrations/1.js": COMMONJS}).services
    assert service.name == "orders"
    assert service.reasons["name"] == "name in api/package.json"


def test_equal_names_are_told_apart_by_folder(found):
    workspace = found(
        {
            "a/api/package.json": KNEX % "api",
            "a/api/migrations/1.js": COMMONJS,
            "b/api/package.json": KNEX % "api",
            "b/api/migrations/1.js": COMMONJS,
        }
    )
    assert [service.name for service in workspace.services] == ["a-api", "b-api"]


def test_the_root_itself_may_be_the_service(found):
    (service,) = found({"package.json": KNEX % "spoke", "migrations/1.js": COMMONJS}).services
    assert (service.name, service.path) == ("spoke", ".")
    (service,) = found({"migrations/1.js": COMMONJS, "package.json": "{}"}).services
    assert service.name == "platform"


@pytest.mark.parametrize(
    "content",
    [
        "export async function up(knex: Knex): Promise<void> {}",
        "export const up = async (knex) => {}",
        "export const up: Migration = k => k",
        "function up() {}\nfunction down() {}\nexport { up, down };",
        "export { up, down } from './shared';",
        "export default { up, down };",
        "export default {\n  async up(knex) {},\n};",
        "exports.up = function (knex) {};",
        "exports['up'] = function (knex) {};",
        "module.exports.up = k => k",
        "module.exports = { up, down };",
        "module.exports = {\n  up: async (knex) => {},\n};",
        "module.exports = {\n  async up(knex) {},\n};",
        "export = { up, down };",
        'Object.defineProperty(exports, "up", { value: up });',
        "exports.down = exports.up = k => k",
    ],
)
def test_every_form_of_export_is_a_migration(found, content):
    (service,) = found({"svc/migrations/001_a.ts": content}).services
    assert names(service) == ["001_a.ts"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("001_a.d.ts", UP),
        ("001_a.test.ts", UP),
        ("001_a.spec.js", UP),
        ("001_a.sql", "create table a ();"),
        ("README.md", UP),
        ("helpers.ts", "export function touch() {}"),
        ("seed.ts", "export async function seed(knex) {}"),
        ("index.ts", "// export async function up() {}\nexport const x = 1;"),
        ("text.ts", "export const x = 'setup';"),
    ],
)
def test_what_lies_beside_migrations_is_none(found, name, content):
    workspace = found({f"svc/migrations/{name}": content, "svc/migrations/002_b.ts": UP})
    assert names(workspace.services[0]) == ["002_b.ts"]
    assert workspace.unresolved == ()


def test_files_run_in_the_order_of_knex_which_is_that_of_strings(found):
    files = {f"svc/migrations/{name}": COMMONJS for name in ("2_c.js", "10_a.js", "20260101_b.js", "B.js", "a.js")}
    (service,) = found(files).services
    assert names(service) == ["10_a.js", "20260101_b.js", "2_c.js", "B.js", "a.js"]


def test_the_knexfile_names_the_folder_as_seen_from_itself(found):
    (service,) = found(
        {
            "packages/api/package.json": KNEX % "api",
            "packages/api/.knex/package.json": '{"name": "knexfile", "type": "module"}',
            "packages/api/.knex/knexfile.js": "const migrations = { directory: '../db/changes' };\n"
            "export default { production: { client: 'pg', connection: process.env.URL, migrations } };",
            "packages/api/db/changes/1_a.js": COMMONJS,
        }
    ).services
    assert (service.path, service.directories) == ("packages/api", ("packages/api/db/changes",))


def test_a_knexfile_that_points_nowhere_does_not_hide_the_migrations(found):
    (service,) = found(
        {
            "svc/package.json": KNEX % "svc",
            "svc/knexfile.ts": "export default { client: 'pg', migrations: { directory: './dist/migrations' } };",
            "svc/src/migrations/1_a.ts": UP,
        }
    ).services
    assert service.directories == ("svc/src/migrations",)
    assert "no knexfile names an existing folder" in service.reasons["directories"]


def test_directories_of_one_knexfile_are_one_sequence(found):
    (service,) = found(
        {
            "svc/package.json": KNEX % "svc",
            "svc/knexfile.js": "module.exports = { client: 'pg', migrations: { directory: ['./new', './old'] } };",
            "svc/old/1_a.js": COMMONJS,
            "svc/old/3_c.js": COMMONJS,
            "svc/new/2_b.js": COMMONJS,
        }
    ).services
    assert names(service) == ["1_a.js", "2_b.js", "3_c.js"]
    assert service.directories == ("svc/new", "svc/old")


def test_directories_sorted_apart_stay_apart(found):
    (service,) = found(
        {
            "svc/package.json": KNEX % "svc",
            "svc/knexfile.js": "module.exports = { client: 'pg', migrations: "
            "{ directory: ['./new', './old'], sortDirsSeparately: true } };",
            "svc/old/1_a.js": COMMONJS,
            "svc/new/2_b.js": COMMONJS,
        }
    ).services
    assert names(service) == ["2_b.js", "1_a.js"]


def test_a_second_folder_that_no_knexfile_names_comes_after(found):
    (service,) = found(
        {
            "svc/package.json": KNEX % "svc",
            "svc/knexfile.js": "module.exports = { client: 'pg', migrations: { directory: './src/migrations' } };",
            "svc/src/migrations/002_b.js": COMMONJS,
            "svc/migrations/001_a.js": COMMONJS,
        }
    ).services
    assert names(service) == ["002_b.js", "001_a.js"]
    assert "svc/migrations: no knexfile names it" in service.reasons["directories"]


def test_compiled_copies_are_not_read_twice(found):
    workspace = found(
        {
            "svc/package.json": KNEX % "svc",
            "svc/migrations/001_a.ts": UP,
            "svc/migrations/001_a.js": COMMONJS,
            "svc/dist/migrations/001_a.js": COMMONJS,
            "svc/build/migrations/001_a.js": COMMONJS,
            "svc/node_modules/x/migrations/001_x.js": COMMONJS,
        }
    )
    assert [names(service) for service in workspace.services] == [["001_a.ts"]]


def test_only_the_extensions_that_knex_loads(found):
    (service,) = found(
        {
            "svc/package.json": KNEX % "svc",
            "svc/knexfile.js": "module.exports = { client: 'pg', migrations: { loadExtensions: ['.cjs'] } };",
            "svc/migrations/001_a.cjs": COMMONJS,
            "svc/migrations/002_b.js": COMMONJS,
        }
    ).services
    assert names(service) == ["001_a.cjs"]


def test_migrations_of_tests_and_of_other_tools_are_no_services(found):
    workspace = found(
        {
            "svc/migrations/1_a.js": COMMONJS,
            "svc/test/migrations/1_x.js": COMMONJS,
            "tests/fixtures/app/migrations/1_x.js": COMMONJS,
            "old/migrations/1_x.js": "module.exports = { up: async (queryInterface, Sequelize) => {} };",
        }
    )
    assert [service.name for service in workspace.services] == ["svc"]
    assert workspace.notes == ("old/migrations holds migrations of another tool (up takes queryInterface)",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("exports.up = (pgm) => { pgm.sql('x'); };", "pgm"),
        ("exports.up = async ({ context: queryInterface }) => {};", "queryInterface"),
        ("export async function up(db: Kysely<any>) { await db.schema.createTable('t').execute(); }", "Kysely"),
        (
            "export async function up(client, b: MigrationBuilder) {}\nexport function up(b: MigrationBuilder) {}",
            "MigrationBuilder",
        ),
        (
            "module.exports = { async up(db, client) { await db.collection('t').updateMany({}, {}); } };",
            "a MongoDB database",
        ),
        ("export default { async up(db) { for (const x of db.collection('t').find()) {} } };", "a MongoDB database"),
        ("exports.up = async (knex) => { await knex('collection'); };", None),
        ("export async function up(db: Knex) { await db.schema.createTable('collection', () => {}); }", None),
    ],
)
def test_what_up_takes_tells_the_tool(text, shown):
    assert other_tool(text) == shown


def test_folders_among_those_of_another_tool_that_say_nothing_of_knex_belong_to_it(found):
    workspace = found(
        {
            "svc/migrations/1_a.js": COMMONJS,
            "app/migrations/1-first/index.js": "export default { async up(db) { await db.collection('t').drop(); } };",
            "app/migrations/2-second/index.js": "module.exports = { async up() { this.reindex = true; } };",
        }
    )
    assert [service.name for service in workspace.services] == ["svc"]


def test_numbered_files_of_which_none_exports_up_are_the_migrations_of_something_else(found):
    workspace = found(
        {
            "migrations/1.js": COMMONJS,
            "tools/migrations/20190101_indexes.mjs": "export default { tags: [], migrate, rollback };",
            "lib/migrations/20.js": "const script = {};\nscript.exec = async () => {};\nmodule.exports = script;\n",
            "kept/migrations/1.js": "const { up } = require('../make');\nconst all = { up };\nmodule.exports = all;\n",
        }
    )
    assert [service.directories for service in workspace.services] == [("kept/migrations",), ("migrations",)]
    assert workspace.unresolved == ()
    assert [note.partition(" holds ")[0] for note in workspace.notes] == ["lib/migrations", "tools/migrations"]


def test_a_monorepo_has_a_service_for_each_package(found):
    workspace = found(
        {
            "package.json": '{"name": "root", "workspaces": ["packages/*"], "devDependencies": {"knex": "3"}}',
            "packages/a/package.json": '{"name": "a", "dependencies": {"express": "4"}}',
            "packages/a/src/db/migrations/1.js": COMMONJS,
            "packages/b/migrations/1.js": COMMONJS,
        }
    )
    assert [(service.name, service.path) for service in workspace.services] == [
        ("a", "packages/a"),
        ("b", "packages/b"),
    ]


def test_services_without_packages_are_split_at_their_knexfiles(found):
    knexfile = "module.exports = { client: 'pg', migrations: { directory: './migrations' } };"
    workspace = found(
        {
            "package.json": KNEX % "platform",
            "services/a/knexfile.js": knexfile,
            "services/a/migrations/1.js": COMMONJS,
            "services/b/knexfile.js": knexfile,
            "services/b/migrations/1.js": COMMONJS,
        }
    )
    assert [service.path for service in workspace.services] == ["services/a", "services/b"]


def knexfile(database: str, directory: str, table: str = "knex_migrations") -> str:
    return (
        f"module.exports = {{ client: 'pg', connection: {{ database: '{database}' }}, "
        f"migrations: {{ directory: '{directory}', tableName: '{table}' }} }};"
    )


def test_knexfiles_of_different_databases_keep_histories_of_their_own(found):
    workspace = found(
        {
            "package.json": KNEX % "shop",
            "db/knexfile.js": knexfile("shop", "./migrations"),
            "db/knexfile-archive.js": knexfile("archive", "./migrations-archive"),
            "db/migrations/1.js": COMMONJS,
            "db/migrations-archive/1.js": COMMONJS,
            "src/index.js": "const knex = require('knex'); knex('t').select();",
        }
    )
    assert [(service.name, service.path, service.directories) for service in workspace.services] == [
        ("shop", ".", ("db/migrations",)),
        ("shop-archive", ".", ("db/migrations-archive",)),
    ]
    assert len({service.database for service in workspace.services}) == 2
    # Which database the code uses is not known: it may use each.
    assert len({tuple(code.file for code in service.code) for service in workspace.services}) == 1


def test_knexfiles_with_records_of_their_own_keep_histories_of_their_own(found):
    workspace = found(
        {
            "package.json": KNEX % "shop",
            "knexfile.js": knexfile("shop", "./migrations"),
            "knexfile.audit.js": knexfile("shop", "./audit", "knex_migrations_audit"),
            "migrations/1.js": COMMONJS,
            "audit/1.js": COMMONJS,
        }
    )
    assert [(service.name, service.table_name, service.database) for service in workspace.services] == [
        ("shop", "knex_migrations", "shop"),
        ("shop-audit", "knex_migrations_audit", "shop"),
    ]


def test_knexfiles_of_one_database_and_one_table_are_one_service(found):
    workspace = found(
        {
            "package.json": KNEX % "shop",
            "knexfile.js": knexfile("shop", "./migrations"),
            "knexfile.seeds.js": knexfile("shop", "./reference"),
            "migrations/1.js": COMMONJS,
            "reference/2.js": COMMONJS,
        }
    )
    (service,) = workspace.services
    assert service.directories == ("migrations", "reference")


def test_configured_services_are_the_only_ones(found):
    config = model.Config(workspace=model.Workspace(services=("apps/*",)))
    workspace = found({"apps/a/x/migrations/1.js": COMMONJS, "tools/b/migrations/1.js": COMMONJS}, config)
    assert [(service.name, service.path) for service in workspace.services] == [("a", "apps/a")]


def test_a_configured_glob_without_a_folder_names_the_nearest(found):
    config = model.Config(workspace=model.Workspace(services=("service",)))
    with pytest.raises(RemediateError, match=r"service matches no folder; the nearest folder is services"):
        found({"services/migrations/1.js": COMMONJS}, config)


def test_excluded_paths_are_not_read(found):
    config = model.Config(workspace=model.Workspace(exclude=("**/archived/**",)))
    workspace = found({"a/migrations/1.js": COMMONJS, "archived/b/migrations/1.js": COMMONJS}, config)
    assert [service.name for service in workspace.services] == ["a"]


def test_no_services_says_where_it_looked(found):
    with pytest.raises(RemediateError) as caught:
        found({"src/index.ts": "export {}", "knexfile.js": "module.exports = {};"})
    assert "no services found in 2 files (knexfiles knexfile.js; no folder named migrations" in str(caught.value)
    assert "platform" in caught.value.place


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01exports.up = 1", "is binary, not text"),
        (b"exports.up = '\xff'", "is not UTF-8 (byte 14)"),
        ("exports.up = 1".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b"", "is empty"),
        (b"// nothing\n", "exports no up"),
        (
            b"exports.up = 1;" + b" " * (6 << 20),
            "is 6291471 bytes large; files of more than 5242880 bytes are not read",
        ),
    ],
)
def test_a_migration_that_cannot_be_read_is_unresolved_and_the_rest_goes_on(found, content, reason):
    workspace = found({"svc/migrations/001_a.js": content, "svc/migrations/002_b.js": COMMONJS})
    assert names(workspace.services[0]) == ["002_b.js"]
    (unresolved,) = workspace.unresolved
    assert (unresolved.service, unresolved.place.file, unresolved.reason) == ("svc", "svc/migrations/001_a.js", reason)


def test_a_byte_order_mark_is_no_obstacle(found):
    workspace = found({"svc/migrations/001_a.js": b"\xef\xbb\xbf" + COMMONJS.encode()})
    assert names(workspace.services[0]) == ["001_a.js"]
    assert workspace.unresolved == ()


def test_a_file_that_does_not_parse_is_still_a_migration(found):
    (service,) = found({"svc/migrations/001_a.ts": "export async function up(knex { if ("}).services
    assert names(service) == ["001_a.ts"]


@pytest.mark.parametrize(
    ("content", "module"), [(UP, "esm"), (COMMONJS, "commonjs"), ("export = { up, down };", "commonjs")]
)
def test_the_newest_migration_sets_the_module_form(found, content, module):
    old = COMMONJS if module == "esm" else UP
    (service,) = found({"svc/migrations/001_a.ts": old, "svc/migrations/002_b.ts": content}).services
    assert service.module == module
    assert service.reasons["module"] == "as svc/migrations/002_b.ts is written"


def test_the_name_of_the_migrations_table_is_read(found):
    (service,) = found(
        {
            "svc/package.json": KNEX % "svc",
            "svc/knexfile.ts": "export default { client: 'pg', migrations: { tableName: 'knex_migrations_svc' } };",
            "svc/migrations/1_a.ts": UP,
        }
    ).services
    assert service.table_name == "knex_migrations_svc"


def test_paths_with_spaces_and_quotes_simply_work(found):
    (service,) = found({"my 'odd' \"service\"/migrations/1 a.js": COMMONJS}).services
    assert names(service) == ["1 a.js"]


def test_the_very_folder_of_the_migrations_may_be_given(lay_out):
    root = lay_out({"svc/src/migrations/001_a.ts": UP})
    (service,) = discover(WorkingTree(root / "svc" / "src" / "migrations"), model.Config()).services
    assert names(service) == ["001_a.ts"]
    assert service.migrations[0].file == "001_a.ts"


def test_a_knexfile_among_its_migrations(found):
    (service,) = found(
        {
            "svc/changes/knexfile.js": "module.exports = { client: 'pg', migrations: { directory: '.' } };",
            "svc/changes/001_a.js": COMMONJS,
        }
    ).services
    assert (service.directories, names(service)) == (("svc/changes",), ["001_a.js"])


KNEXFILE = "module.exports = { client: 'pg', connection: { database: '%s' }, migrations: { directory: './%s'%s } };"


@pytest.mark.parametrize(
    ("first", "second", "split"),
    [
        (("shop", "migrations", ""), ("warehouse", "migrations-wh", ""), True),
        (("shop", "migrations", ""), ("shop", "extra", ", tableName: 'knex_migrations_extra'"), True),
        (("shop", "migrations", ""), ("shop", "extra", ""), False),
        (("postgres", "migrations", ""), ("postgres", "extra", ""), False),
    ],
)
def test_knexfiles_of_one_package_with_other_databases_or_tables_are_other_runs(found, first, second, split):
    """Knex refuses a folder that lacks files which its table records, so that these cannot be one run."""
    workspace = found(
        {
            "package.json": KNEX % "shop",
            "db/knexfile.js": KNEXFILE % first,
            "db/knexfile-extra.js": KNEXFILE % second,
            f"db/{first[1]}/001_a.js": COMMONJS,
            f"db/{second[1]}/001_b.js": COMMONJS,
            "src/code.ts": "db.raw(\"SELECT set_config('app.tenant', '1', true)\");",
        }
    )
    services = by_name(workspace)
    if not split:
        assert list(services) == ["shop"]
        return
    assert {name: service.directories for name, service in services.items()} == {
        "shop": (f"db/{first[1]}",),
        "shop-extra": (f"db/{second[1]}",),
    }
    assert {service.path for service in services.values()} == {"."}
    assert [[code.file for code in service.code if code.writes] for service in services.values()] == [
        ["src/code.ts"]
    ] * 2
    assert "db/knexfile-extra.js" in services["shop-extra"].reasons["name"]
