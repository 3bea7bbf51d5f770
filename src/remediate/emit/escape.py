"""SQL and text as they have to stand in TypeScript: the one place where they are escaped."""

from __future__ import annotations

from remediate.plan.tenant_column import BINDING


def raw_sql(sql: str, *, bindings: bool = False) -> str:
    """SQL as the inside of a template literal that is handed to `knex.raw`.

    Knex takes every question mark for a binding, also without bindings, and drops the backslash of `\\?`; a template
    literal drops one backslash before that, and makes a line feed of every carriage return. With `bindings`, what
    stands for a binding becomes a question mark. SQL with a backslash before a question mark cannot be written at all:
    Knex drops every backslash that stands there (see `remediate.plan.sendable`).
    """
    escaped = sql.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${").replace("?", "\\\\?")
    escaped = escaped.replace("\r", "\\r")
    return escaped.replace(BINDING, "?") if bindings else escaped


def comment(text: str) -> str:
    """Text inside a block comment: nothing in it may end the comment, or its line where that matters."""
    return " ".join(text.split()).replace("*/", "*\N{ZERO WIDTH SPACE}/")


def quoted(text: str, quote: str) -> str:
    """A JavaScript string literal on one line."""
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n").replace("\r", "\\r")
    return f"{quote}{escaped}{quote}"
