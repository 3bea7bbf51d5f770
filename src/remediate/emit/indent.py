"""Indents SQL as the code around it is, without ever touching what PostgreSQL would store."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.sql.parse import SqlSyntaxError
from remediate.sql.tokens import tokens


def indent(sql: str, pad: str) -> str:
    """`pad` before every line that begins between tokens; a string, a quoted name, a function's body stay as they are.

    The body of a DO block is run and never stored: it is indented too, apart from the constants in it.
    """
    kept = set(_inside_constants(sql))
    lines, start = [], 0
    for line in sql.split("\n"):
        lines.append(pad + line if line and start not in kept else line)
        start += len(line) + 1
    return "\n".join(lines)


def _inside_constants(sql: str) -> Iterator[int]:
    """The offsets of the lines that begin within a token; all of them where the text cannot be cut into tokens."""
    try:
        found = tokens(sql)
    except SqlSyntaxError:
        yield from _line_starts(sql, 0)
        return
    for index, token in enumerate(found):
        if "\n" not in token.text:
            continue
        if index and found[index - 1].kind == "DO" and token.text.startswith("$"):
            opening = token.text.index("$", 1) + 1
            body = token.text[opening : len(token.text) - opening]
            yield from (token.start + opening + offset for offset in _inside_constants(body))
        else:
            yield from _line_starts(token.text, token.start)


def _line_starts(text: str, start: int) -> Iterator[int]:
    return (start + offset + 1 for offset, character in enumerate(text) if character == "\n")
