"""Plans made by hand: what emit and the operations are tested with, without a workspace behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from remediate.detect.model import Finding, Subject
from remediate.emit.house_style import HouseStyle
from remediate.plan.model import MigrationPlan
from remediate.plan.operations import Operation
from remediate.source.model import MigrationSource, Module, Service
from remediate.source.place import Place

TYPESCRIPT = HouseStyle("migrations", ".ts", True, "esm", False, "'", "  ", True)

STYLES = {
    "typescript": TYPESCRIPT,
    "typescript with arrows": replace(TYPESCRIPT, arrow=True),
    "double quotes, four spaces, no semicolons": replace(TYPESCRIPT, quote='"', indent="    ", semicolons=False),
    "tabs": replace(TYPESCRIPT, indent="\t"),
    "commonjs": replace(TYPESCRIPT, extension=".js", typescript=False, module="commonjs"),
    "commonjs with arrows in .cjs": replace(
        TYPESCRIPT, extension=".cjs", typescript=False, module="commonjs", arrow=True
    ),
    "esm in .mjs": replace(TYPESCRIPT, extension=".mjs", typescript=False, quote='"'),
    "windows line ends": replace(TYPESCRIPT, newline="\r\n"),
}

FINDING = Finding(
    rule="missing-rls",
    severity="error",
    service="orders",
    subject=Subject("table", "public", "orders"),
    message="public.orders has the tenant column tenant_id, but no row level security",
    locations=(Place("services/orders/migrations/001_orders.ts", 3, 1),),
    database="orders",
)


@dataclass(frozen=True)
class Statements(Operation):
    """An operation of any SQL."""

    forward: tuple[str, ...]
    backward: tuple[str, ...] = ("SELECT 'back'",)
    name: str = "public.orders"

    def up(self) -> tuple[str, ...]:
        return self.forward

    def down(self) -> tuple[str, ...]:
        return self.backward

    def subject(self) -> str:
        return self.name


def one_step(operations: Iterable[Operation], **changed: object) -> MigrationPlan:
    """A transactional plan of these operations."""
    plan = MigrationPlan("orders", "repair", "repair", "safe", (tuple(operations),), (FINDING,))
    return replace(plan, **changed)  # type: ignore[arg-type]


def prettier_options(style: HouseStyle) -> dict[str, object]:
    """The options under which Prettier writes what the style asks for."""
    return {
        "singleQuote": style.quote == "'",
        "semi": style.semicolons,
        "useTabs": style.indent.startswith("\t"),
        "tabWidth": 2 if style.indent.startswith("\t") else len(style.indent),
        "endOfLine": "crlf" if style.newline == "\r\n" else "lf",
    }


STRINGS = [
    "a `backtick` and ${substitution} and $${two}",
    "is it? ?? :name :name: @> ? ?| ?&",
    "back\\slash, \\n no line feed, \\\\ two, trailing \\",
    "\\` \\${x} \\\\${y}",
    "a real\nline feed, a tab\t, a carriage return\r and both\r\n",
    "quotes ' '' \" \"\" and $$dollars$$ $1 $tag$",
    "ümlaut, 日本語, 👩‍👩‍👧, \u2028 and \u2029, \ufeff, \N{OBJECT REPLACEMENT CHARACTER}",
    "--no comment /* nor */ this */",
    "</script> <!-- %s %% {braces} #{x}",
]


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


TS = """import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE "a" (b text DEFAULT 'x')
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('a');
}
"""
COMMONJS = """exports.up = async function (knex) {
  await knex.schema.createTable('a', (table) => {
    table.increments();
  });
};

exports.down = (knex) => knex.schema.dropTable('a');
"""
POOL = """import type { Pool } from 'pg';

export async function up(pool: Pool): Promise<void> {
    await pool.query("CREATE TABLE a ()")
}
"""


def service(*texts: str, extension: str = ".ts", module: Module = "esm") -> Service:
    """A service with these migrations in this order."""
    sources = tuple(
        MigrationSource(
            "orders", f"o/migrations/{n:03d}_a{extension}", "o/migrations", f"{n:03d}_a{extension}", t.encode()
        )
        for n, t in enumerate(texts, 1)
    )
    return Service("orders", "o", ("o/migrations",), sources, "orders", module=module)
