"""The queries of a class of an ORM (Objection) that stands for a table, and the connections that they run on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from remediate.source.access.carried import Query, Unclear
from remediate.source.access.handles import Handles
from remediate.source.access.program import Program
from remediate.source.access.references import References
from remediate.source.access.site import CLASSES, Site

_TYPES = re.compile(r"type|interface|implements|import|export")
_BINDS = frozenset({"bindKnex", "bindTransaction"})
_INSTANCE = ("$query", "$relatedQuery", "$fetchGraph")


@dataclass(slots=True)
class Models:
    program: Program
    references: References
    handles: Handles
    _seen: set[tuple[str, int, int, str]] = field(default_factory=set)

    def queries(self, model: Site) -> Iterator[Query | Unclear]:
        """What runs queries of a model: its own methods, those of models that relate to it, of its instances."""
        self._seen = set()
        yield from self._of_class(model)
        yield from self._of_instances()

    def _of_class(self, model: Site) -> Iterator[Query | Unclear]:
        if model.key in self._seen:
            return
        self._seen.add(model.key)
        name = model.field("name")
        title = name.text if name is not None else "the model"
        references = self.references.of(model)
        if references is None or len(self._seen) > 50:
            yield Unclear(model, f"where {title} is used is not followed")
            return
        for reference in references:
            site = reference.site.wrapped()
            parent = site.parent
            if parent is None or _TYPES.search(parent.type) or parent.type in ("new_expression", "binary_expression"):
                continue
            if (
                parent.type in ("extends_clause", "class_heritage") and (owner := parent.inside(CLASSES)) is not None
            ) or (parent.type == "pair" and (owner := parent.inside(CLASSES)) is not None):
                yield from self._of_class(owner)
            elif parent.type == "member_expression" and site.is_field("object"):
                yield from self._of_member(parent, title)
            else:
                yield Unclear(parent, f"{title} is used in a way that is not followed")

    def _of_member(self, member: Site, title: str) -> Iterator[Query | Unclear]:
        name, call = member.field("property"), member.wrapped().parent
        method = name.text if name is not None else ""
        if call is None or call.type != "call_expression":
            if method in ("tableName", "name", "prototype", "jsonSchema", "idColumn", "HasManyRelation"):
                return
            if method.endswith("Relation"):
                return
            yield Unclear(member, f"{title}.{method} is not followed")
        elif method in ("query", "relatedQuery", *_BINDS):
            handle = self._given(call, 1 if method == "relatedQuery" else 0)
            if handle is not None:
                yield Query(call, handle)
            else:
                yield Unclear(call, f"{title}.{method}() runs on the connection that the model is bound to")
        elif method not in ("knex", "fromJson", "fromDatabaseJson", "ref", "raw", "fn"):
            yield Unclear(call, f"what {title}.{method}() runs on is not followed")

    def _given(self, call: Site, index: int) -> Site | None:
        arguments = call.field("arguments")
        given = arguments.children() if arguments is not None else []
        if index < len(given):
            return given[index]
        _, handed = self.handles.outermost(call)
        return handed

    def _of_instances(self) -> Iterator[Query | Unclear]:
        """`order.$query(trx)`: whose instance it is cannot be told, so each of them counts."""
        for method in _INSTANCE:
            for module in self.program.files_with(method):
                for site in module.identifiers(method):
                    member = site.parent
                    call = member.wrapped().parent if member is not None else None
                    if member is None or call is None or call.type != "call_expression":
                        continue
                    handle = self._given(call, 0 if method == "$query" else 1)
                    if handle is not None:
                        yield Query(call, handle)
                    else:
                        yield Unclear(call, f"{method}() runs on the connection that the model is bound to")
