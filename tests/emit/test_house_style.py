"""How a service writes its migrations is read off its newest files that take Knex."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.emit.emit import writable
from remediate.emit.house_style import house_style
from support.plans import COMMONJS, POOL, TS, TYPESCRIPT, service

ARROWS = TS.replace("async function up(knex: Knex): Promise<void>", "const up = async (knex: Knex): Promise<void> =>")


STYLE = replace(TYPESCRIPT, directory="o/migrations")
COMMONJS_STYLE = replace(STYLE, extension=".js", typescript=False, module="commonjs")

READ = {
    "TypeScript": (service(TS), STYLE),
    "arrow functions": (service(ARROWS), replace(STYLE, arrow=True)),
    "double quotes": (service(TS.replace("'", '"')), replace(STYLE, quote='"')),
    "four spaces": (service(TS.replace("  ", "    ")), replace(STYLE, indent="    ")),
    "tabs": (service(TS.replace("  ", "\t")), replace(STYLE, indent="\t")),
    "no semicolons": (service(TS.replace(";", "")), replace(STYLE, semicolons=False)),
    "CommonJS": (service(COMMONJS, extension=".js"), COMMONJS_STYLE),
    "CommonJS in a .cjs file": (service(COMMONJS, extension=".cjs"), replace(COMMONJS_STYLE, extension=".cjs")),
    "JavaScript modules": (
        service(TS.replace(": Knex", "").replace(": Promise<void>", ""), extension=".mjs"),
        replace(STYLE, extension=".mjs", typescript=False),
    ),
    "TypeScript that assigns to exports": (service(COMMONJS), replace(STYLE, module="commonjs")),
    "the newest file decides on the module form": (service(COMMONJS, TS), STYLE),
    "files that take a Pool are no model": (service(TS, POOL, POOL), STYLE),
    "a leading comment is not indentation": (service("/**\n *   old\n */\n" + TS), STYLE),
    "Windows line ends": (service(TS.replace("\n", "\r\n")), replace(STYLE, newline="\r\n")),
}


@pytest.mark.parametrize("name", READ)
def test_the_style_is_read(name: str) -> None:
    given, expected = READ[name]
    assert house_style(given) == expected


def test_a_service_whose_migrations_all_take_a_pool_gets_no_file() -> None:
    assert house_style(service(POOL, POOL)) is None
    assert not writable(service(POOL))
    assert writable(service(POOL, TS))


def test_a_new_file_goes_where_the_newest_one_is() -> None:
    old, new = service(TS, TS).migrations
    moved = replace(new, directory="o/migrations-2026", file="o/migrations-2026/002_a.ts")
    style = house_style(replace(service(TS), migrations=(old, moved)))
    assert style is not None
    assert style.directory == "o/migrations-2026"
