"""The query builder: `knex("table").where(…)…`."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from remediate.evaluate.knex.builder import Builder, Compiled, Statement, Unbuilt
from remediate.evaluate.knex.clauses import Clause
from remediate.evaluate.knex.having import HavingMethods
from remediate.evaluate.knex.javascript import UnresolvableError, keys
from remediate.evaluate.knex.join import JoinMethods
from remediate.evaluate.knex.json_where import JsonWhereMethods
from remediate.evaluate.knex.method import Method, at, call_back, js
from remediate.evaluate.knex.query_sql import QueryCompiler
from remediate.evaluate.knex.select import SelectMethods
from remediate.evaluate.knex.session import Session
from remediate.evaluate.knex.write import WriteMethods
from remediate.evaluate.values import HostObject, Unknown, Value
from remediate.source.place import Place

_CHANGES = frozenset({"insert", "update", "del", "delete", "truncate"})


class QueryBuilder(WriteMethods, SelectMethods, JoinMethods, HavingMethods, JsonWhereMethods, Builder):
    """Gathers clauses; compiled when it is awaited or becomes a part of another query.

    Its statement's place is that of the last call of the chain, whose span covers the calls before it.
    """

    form = "query"

    def __init__(self, session: Session | None, transaction: str | None, place: Place) -> None:
        super().__init__(session, transaction, place)
        self.clauses: list[Clause] = []
        self.single: dict[str, Any] = {}
        self.verb = "select"
        self.next_glue = "and"
        self.next_negated = False
        self.as_column = False
        self.unsupported: Unknown | None = None

    def is_change(self) -> bool:
        return self.verb in _CHANGES

    def get(self, name: str, place: Place) -> Value:
        found = super().get(name, place)
        if not isinstance(found, Method):
            return found

        def run(arguments: Sequence[Value], at: Place) -> Value:
            if self.session is not None:
                self.place = at
            try:
                return found.run(arguments, at)
            except UnresolvableError as error:
                self.unsupported = self.unsupported or error.unknown
                return self

        return Method(name, run)

    def missing(self, name: str, place: Place) -> Value:
        if name == "and":
            return self
        if name == "or":
            self.next_glue = "or"
            return self
        if name == "not":
            self.next_negated = True
            return self
        return Method(name, lambda _, at: self._poison(name, at))

    def _poison(self, name: str, place: Place) -> Value:
        self.unsupported = self.unsupported or Unknown(f"Knex method {name} is not supported in a query", place)
        return self

    def statements(self) -> list[Statement]:
        try:
            return [self.compile_part([])]
        except UnresolvableError as error:
            return [Unbuilt(error.unknown, self.place)]

    def compile_part(self, bindings: list[Value], method: str | None = None) -> Compiled:
        if self.unsupported is not None:
            raise UnresolvableError(self.unsupported)
        return QueryCompiler(self, bindings).compile(method)

    @js("clone")
    def clone(self, arguments: Sequence[Value], place: Place) -> Value:
        cloned = copy(self)
        cloned.clauses = list(self.clauses)
        cloned.single = dict(self.single)
        return cloned

    @js("modify")
    def modify(self, arguments: Sequence[Value], place: Place) -> Value:
        callback = at(arguments, 0)
        if not isinstance(callback, HostObject):
            return self._poison("modify", place)
        call_back(callback, self, [self, *arguments[1:]], place)
        return self

    @js("fromJS")
    def from_object(self, arguments: Sequence[Value], place: Place) -> Value:
        calls = at(arguments, 0)
        if not isinstance(calls, dict):
            return self._poison("fromJS", place)
        for name in keys(calls):
            method = self.get(name, place)
            if isinstance(method, HostObject):
                method.call(calls[name] if isinstance(calls[name], list) else [calls[name]], place)
        return self
