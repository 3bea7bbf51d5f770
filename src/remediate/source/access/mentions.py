"""Where the strings of a module name a table."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.source.access.relations import Kind, Relation, may_name
from remediate.source.access.site import Module, Site

_STRINGS = frozenset({"string", "template_string"})
# Strings that are no values: what is imported, types, keys, the attributes of a view.
_NO_VALUES = frozenset(
    {"import_statement", "export_statement", "literal_type", "jsx_attribute", "switch_case", "import_require_clause"}
)


def mentions(module: Module, relation: Relation) -> Iterator[tuple[Site, Kind]]:
    """The strings that name a table as a relation, in source order. Raises TooMuch."""
    seen: set[int] = set()
    text = module.text
    for offset in module.offsets(relation.name):
        if not may_name(text, offset):
            continue
        site = module.at(offset)
        literal = site if site.type in _STRINGS else None
        if literal is None:
            if site.type not in ("string_fragment", "escape_sequence", "ERROR", "template_string"):
                continue
            literal = site.inside(_STRINGS)
        if literal is None or literal.node.start_byte in seen:
            continue
        seen.add(literal.node.start_byte)
        if literal.parent is not None and literal.parent.type in _NO_VALUES:
            continue
        kind = relation.kind_in(literal.text[1:-1])
        if kind is not None:
            yield literal, kind
