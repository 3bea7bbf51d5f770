"""The string and template literals of a file whose text is all there, found by a codemod's query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tree_sitter import Language, Query, QueryCursor

from remediate.catalogue.locate import locate
from remediate.source.syntax import parse


@dataclass(frozen=True, slots=True)
class SqlLiteral:
    """A literal without escapes and substitutions: its text is the file's bytes from `start` on.

    `quote` is its quotation mark; a template literal may hold line breaks.
    """

    text: str
    start: int
    quote: str

    @property
    def template(self) -> bool:
        return self.quote == "`"


def sql_literals(codemod: str, name: str, data: bytes) -> Iterator[SqlLiteral]:
    """What the codemod's `query.scm` captures as `@sql`, in source order; without literals that are put together."""
    tree = parse(name, data)
    captures = QueryCursor(_query(codemod, tree.language)).captures(tree.root_node)
    for node in sorted(captures.get("sql", []), key=lambda node: node.start_byte):
        if all(child.type == "string_fragment" for child in node.named_children):
            start, end = node.start_byte + 1, node.end_byte - 1
            yield SqlLiteral(data[start:end].decode(errors="replace"), start, chr(data[node.start_byte]))


@cache
def _query(codemod: str, language: Language) -> Query:
    return Query(language, (locate("codemods") / codemod / "query.scm").read_text(encoding="utf-8"))
