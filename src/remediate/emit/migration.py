"""A migration plan as the text of a file: frame from a template, SQL through one escaping function."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from remediate.emit.escape import comment, quoted, raw_sql
from remediate.emit.house_style import HouseStyle
from remediate.emit.indent import indent
from remediate.plan.operations import ForceRls, Operation, sql_name
from remediate.plan.tenant_column import BackfillColumn
from remediate.sql.quote import Literal

if TYPE_CHECKING:
    import jinja2

    from remediate.plan.model import MigrationPlan

TIMEOUT = "Gives up rather than queue behind a long query. What was set before holds again at the end."
SAVE_TIMEOUT = "SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)"
LINE = 80
"""The width up to which a call stays on one line: Prettier's default."""

FEWEST_IN_LOOP = 3
"""Tables that make a loop shorter to read than their statements one after the other."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*")

RESTORE_TIMEOUT = "SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)"
"""Outside a transaction, where somebody calls `up` by himself, nothing was saved: NULL then sets the default again."""


def emit_migration(plan: MigrationPlan, style: HouseStyle, header: Sequence[str]) -> str:
    """The whole file. `header` holds the lines of its leading comment, unwrapped."""
    body = _Body(style)
    up = body.steps(plan, "up")
    down = body.steps(plan, "down")
    commonjs = style.module == "commonjs"

    def opening(name: str) -> str:
        parameter, result = ("knex: Knex", ": Promise<void>") if style.typescript else ("knex", "")
        if commonjs:
            arrow = f"async ({parameter}) => {{" if style.arrow else f"async function ({parameter}) {{"
            return f"exports.{name} = {arrow}"
        if style.arrow:
            return f"export const {name} = async ({parameter}){result} => {{"
        return f"export async function {name}({parameter}){result} {{"

    text = _template(style.quote).render(
        style=style,
        end=";" if style.semicolons else "",
        header=[line for paragraph in header for line in _wrapped(paragraph)],
        transactional=plan.transactional,
        commonjs=commonjs,
        opening=opening,
        closing="};" if (style.arrow or commonjs) and style.semicolons else "}",
        up=up,
        down=down,
    )
    # A template literal holds a line feed for every kind of line end, so that the SQL stays the same.
    return (text.rstrip("\n") + "\n").replace("\n", style.newline)


def _wrapped(paragraph: str) -> list[str]:
    """A header line at most 100 characters wide; what follows a list mark is indented under it."""
    mark = paragraph[: len(paragraph) - len(paragraph.lstrip(" -"))]
    lines = textwrap.wrap(
        comment(paragraph.strip(" -")), 100 - len(mark), break_long_words=False, break_on_hyphens=False
    )
    return [(mark if number == 0 else " " * len(mark)) + line for number, line in enumerate(lines)] or [""]


@cache
def _template(quote: str) -> jinja2.Template:
    # Imported here: only a plan that writes something needs it.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("remediate.emit"), undefined=jinja2.StrictUndefined, autoescape=False
    )
    environment.filters["quoted"] = lambda text: quoted(text, quote)
    return environment.get_template("migration.jinja")


class _Body:
    """Writes the statements of one function in a style."""

    def __init__(self, style: HouseStyle) -> None:
        self._style = style
        self._end = ";" if style.semicolons else ""

    def steps(self, plan: MigrationPlan, direction: str) -> str:
        forward = direction == "up"
        steps = plan.steps if forward else tuple(reversed(plan.steps))
        ordered = [step if forward else tuple(reversed(step)) for step in steps]
        blocks: list[str] = []
        for alike, group in groupby(ordered, key=_only_forces):
            run = list(group)
            if alike and len(run) >= FEWEST_IN_LOOP and not plan.transactional:
                blocks.append(self._forced_in_turn([name for step in run for name in _forced(step)], direction, plan))
            else:
                blocks += [block for step in run for block in self._step(step, direction, plan)]
        if plan.transactional:
            timeout = f"SELECT set_config('lock_timeout', {Literal(plan.lock_timeout).sql()}, true)"
            why = f"{self._style.indent}// {TIMEOUT}"
            first = "\n".join((why, self._raw("knex", SAVE_TIMEOUT, 1), self._raw("knex", timeout, 1)))
            blocks = [first, *blocks, self._raw("knex", RESTORE_TIMEOUT, 1)]
        return "\n\n".join(blocks)

    def _forced_in_turn(self, names: Sequence[str], direction: str, plan: MigrationPlan) -> str:
        """A loop over tables of which nothing but FORCE is to be set, a transaction each."""
        pad, inner = self._style.indent, self._style.indent * 2
        literals = [quoted(name, self._style.quote) for name in names]
        head = f"{pad}for (const table of [{', '.join(literals)}]) {{"
        if len(head) > LINE:
            head = "\n".join((f"{pad}for (const table of [", *(f"{inner}{one}," for one in literals), f"{pad}]) {{"))
        force = "FORCE" if direction == "up" else "NO FORCE"
        statements = (
            self._raw("trx", f"SET LOCAL lock_timeout = {Literal(plan.lock_timeout).sql()}", 3),
            f"{self._style.indent * 3}await trx.raw(`ALTER TABLE ${{table}} {force} ROW LEVEL SECURITY`){self._end}",
        )
        return "\n".join((head, self._transaction("\n".join(statements), 2), f"{pad}}}"))

    def _step(self, step: Sequence[Operation], direction: str, plan: MigrationPlan) -> list[str]:
        """The blocks of one step; outside Knex's transaction, the step is one block in one of its own."""
        if plan.transactional:
            return [
                self._commented(subject, statements, "knex", 1) for subject, statements in _grouped(step, direction)
            ]
        backfills = [operation for operation in step if isinstance(operation, BackfillColumn)]
        if backfills:
            return [self._backfill(operation, plan.lock_timeout) for operation in backfills if direction == "up"]
        groups = _grouped(step, direction)
        if not groups:
            return []
        timeout = self._raw("trx", f"SET LOCAL lock_timeout = {Literal(plan.lock_timeout).sql()}", 2)
        if len(groups) == 1:
            ((subject, statements),) = groups
            inner = "\n".join((timeout, *(self._raw("trx", sql, 2) for sql in statements)))
            return [f"{self._style.indent}// {comment(subject)}\n{self._transaction(inner, 1)}"]
        inner = "\n\n".join((timeout, *(self._commented(subject, sql, "trx", 2) for subject, sql in groups)))
        return [self._transaction(inner, 1)]

    def _transaction(self, inner: str, depth: int) -> str:
        pad = self._style.indent * depth
        return f"{pad}await knex.transaction(async (trx) => {{\n{inner}\n{pad}}}){self._end}"

    def _commented(self, subject: str, statements: Iterable[str], handle: str, depth: int) -> str:
        pad = self._style.indent * depth
        return "\n".join((f"{pad}// {comment(subject)}", *(self._raw(handle, sql, depth) for sql in statements)))

    def _raw(self, handle: str, sql: str, depth: int) -> str:
        """`await knex.raw(…)`: short SQL on one line, anything else on lines of its own, indented with the code."""
        pad = self._style.indent * depth
        line = f"{pad}await {handle}.raw(`{raw_sql(sql)}`){self._end}"
        if "\n" not in sql and len(line) <= LINE:
            return line
        text = raw_sql(indent(sql, pad + self._style.indent))
        return f"{pad}await {handle}.raw(`\n{text}\n{pad}`){self._end}"

    def _backfill(self, operation: BackfillColumn, lock_timeout: str) -> str:
        """A loop over the pages of the table, one transaction a batch."""
        one, two, three = (self._style.indent * depth for depth in (1, 2, 3))
        end = self._end
        statements = [f"SET LOCAL lock_timeout = {Literal(lock_timeout).sql()}", *operation.batch()]
        update = next(index for index, sql in enumerate(statements) if sql.startswith("UPDATE"))
        written = [
            f"{three}await trx.raw(update, [first, past]){end}" if index == update else self._raw("trx", sql, 3)
            for index, sql in enumerate(statements)
        ]
        text = raw_sql(indent(statements[update], two), bindings=True)
        batches = raw_sql(indent(operation.batches(), two))
        lines = [
            f"{one}// {comment(f'{operation.subject()}: {operation.purpose()}')}",
            f"{one}const update = `\n{text}\n{one}`{end}",
            f"{one}const batches = await knex.raw(`\n{batches}\n{one}`){end}",
            f"{one}for (const {{ first, past }} of batches.rows) {{",
            f"{two}await knex.transaction(async (trx) => {{",
            *written,
            f"{two}}}){end}",
            f"{one}}}",
        ]
        return "\n".join(lines)


def _only_forces(step: Sequence[Operation]) -> bool:
    """Whether all that a step does is FORCE, on tables whose names are the same in SQL and in a string."""
    return all(isinstance(one, ForceRls) and _PLAIN.fullmatch(sql_name(one.table)) for one in step)


def _forced(step: Sequence[Operation]) -> list[str]:
    return [sql_name(one.table) for one in step if isinstance(one, ForceRls)]


def _grouped(step: Sequence[Operation], direction: str) -> list[tuple[str, list[str]]]:
    """Consecutive operations on one subject, and of one purpose, under one comment."""
    groups: list[tuple[str, list[str]]] = []
    for operation in step:
        statements = operation.up() if direction == "up" else operation.down()
        if not statements:
            continue
        title = ": ".join(filter(None, (operation.subject(), operation.purpose())))
        if groups and groups[-1][0] == title:
            groups[-1][1].extend(statements)
        else:
            groups.append((title, list(statements)))
    return groups
