"""Knexfiles are read without being run."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.source.knexfile import Environment, Knexfile, read_knexfile, unfollowed


def read(text: str, name: str = "svc/knexfile.ts", **others: str) -> Knexfile:
    files = {name: text, **{f"svc/{path}.ts": content for path, content in others.items()}}

    def bytes_of(path: PurePosixPath) -> bytes | None:
        content = files.get(path.as_posix())
        return None if content is None else content.encode()

    return read_knexfile(PurePosixPath(name), bytes_of)


def only(text: str, **others: str) -> Environment:
    (environment,) = read(text, **others).environments
    return environment


@pytest.mark.parametrize(
    "text",
    [
        "export default { migrations: { directory: './m' } }",
        "module.exports = { migrations: { directory: './m' } }",
        "export = { migrations: { directory: './m' } };",
        "const config: Knex.Config = { migrations: { directory: './m' } };\nexport default config;",
        "const config = { migrations: { directory: './m' } } as const;\nmodule.exports = config;",
        "const migrations = { directory: './m' };\nexport default { migrations } satisfies Knex.Config;",
        "const base = { migrations: { directory: './m' } };\nexport default { ...base, client: 'pg' };",
        "const D = './m';\nexport default { migrations: { directory: D } };",
        "export default { migrations: { directory: process.env.DIR || './m' } };",
        "export default { migrations: { directory: ['./m'] } };",
        "export default { migrations: { directory: `./m` } };",
        "export default Object.assign({}, { migrations: { directory: './m' } });",
        "const make = () => ({ migrations: { directory: './m' } });\nexport default make();",
    ],
)
def test_the_directory_is_found_in_every_way_to_write_it(text):
    assert only(text).directories == ("./m",)


def test_paths_are_joined_with_the_folder_of_the_knexfile():
    text = "export default { migrations: { directory: path.join(__dirname, 'src', 'm') } };"
    assert only(text).directories == ("src/m",)


def test_an_absolute_part_joins_and_does_not_begin_anew():
    # path.join('/a', '/b') is '/a/b'; path.resolve('/a', '/b') is '/b'.
    text = "export default { migrations: { directory: path.join(__dirname, '/src/m') } };"
    assert only(text).directories == ("src/m",)
    text = "export default { migrations: { directory: path.resolve(__dirname, '/src/m') } };"
    assert only(text).directories == ("/src/m",)


def test_an_imported_configuration_is_followed():
    text = "import { config } from './src/db';\nexport default config;"
    assert only(text, **{"src/db": "export const config = { migrations: { tableName: 't' } };"}).table_name == "t"


def test_imports_in_a_circle_end():
    knexfile = read(
        "import a from './a';\nexport default a;",
        a="import b from './b';\nexport default b;",
        b="import a from './a';\nexport default a;",
    )
    assert knexfile.environments == ()


def test_constants_in_a_circle_end():
    assert read("const a = b;\nconst b = a;\nexport default a;").environments == ()


def test_constants_that_double_end():
    lines = [f"const a{n} = [a{n + 1}, a{n + 1}];" for n in range(30)]
    assert read("\n".join([*lines, "export default { migrations: { directory: a0 } };"])).environments


def test_every_environment_is_read_and_production_is_the_main_one():
    knexfile = read(
        "module.exports = {\n"
        "  development: { client: 'pg', connection: { database: 'dev' } },\n"
        "  production: { client: 'pg', connection: process.env.DATABASE_URL },\n"
        "  onUpdate: (table) => `x`,\n};"
    )
    assert [environment.name for environment in knexfile.environments] == ["development", "production"]
    assert knexfile.main is not None
    assert knexfile.main.variables == ("DATABASE_URL",)


def test_the_name_of_the_database_with_its_default_and_variables():
    environment = only(
        "export default { client: 'pg', connection: process.env.DATABASE_URL || "
        "{ host: 'x', database: process.env.DB_NAME || 'tickets' } };"
    )
    assert environment.databases == ("tickets",)
    assert environment.variables == ("DATABASE_URL", "DB_NAME")


def test_the_database_of_a_connection_string():
    text = "export default { client: 'pg', connection: process.env.URL ?? 'postgres://u:p@localhost:5432/shop?x=1' };"
    assert only(text).databases == ("shop",)
    text = "export default { client: 'pg', connection: `postgres://${process.env.HOST}/shop` };"
    assert only(text).databases == ("shop",)


def test_what_is_computed_is_not_guessed():
    environment = only(
        "export default { client: 'pg', connection: await secret(), migrations: { directory: find() } };"
    )
    assert (environment.directories, environment.databases, environment.variables) == ((), (), ())


@given(st.text(max_size=300))
def test_no_text_brings_it_down(text):
    read(text.encode(errors="replace").decode())


@given(
    st.lists(
        st.sampled_from(
            ["export default ", "{", "}", "(", ")", "a", "...", ":", "[", "]", "migrations", "`${", "require(", "||"]
        ),
        max_size=30,
    )
)
def test_no_broken_configuration_brings_it_down(pieces):
    read("".join(pieces))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("module.exports = { client: 'pg', searchPath: ['acme', 'public'] };", [(1, "searchPath")]),
        ("module.exports = {\n  client: 'pg',\n  ...knexSnakeCaseMappers(),\n};", [(3, "knexSnakeCaseMappers")]),
        ("module.exports = { wrapIdentifier: (value, wrap) => wrap(value) };", [(1, "wrapIdentifier")]),
        ("module.exports = { client: 'pg' };", []),
    ],
)
def test_options_that_may_change_names_are_found(text: str, expected: list[tuple[int, str]]) -> None:
    assert unfollowed(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'app'", [((), "app")]),
        ("'app,public'", [((), "app,public")]),
        ("['app', \"public\"]", [((), "app"), ((), "public")]),
        ("[process.env.DB_SCHEMA || 'app', env.OTHER]", [(("DB_SCHEMA",), "app"), (("OTHER",), None)]),
        ("process.env.A ?? process.env.B", [(("A", "B"), None)]),
        ("SCHEMAS", [((), "one"), ((), "two")]),
        ("choose()", []),
        ("[choose(), 'public']", [((), None), ((), "public")]),
    ],
)
def test_search_path(value: str, expected: list[tuple[tuple[str, ...], str | None]]) -> None:
    text = f"const SCHEMAS = ['one', 'two'];\nmodule.exports = {{ client: 'pg', searchPath: {value} }};"
    (environment,) = read(text).environments
    assert [(name.variables, name.literal) for name in environment.search_path] == expected
