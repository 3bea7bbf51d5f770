"""How the conditions of `where`, `having` and `on` are written."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence

from remediate.evaluate.knex.builder import Builder
from remediate.evaluate.knex.clauses import Condition
from remediate.evaluate.knex.formatter import Formatter
from remediate.evaluate.knex.javascript import UnresolvableError, known, stringify, text, unresolvable
from remediate.evaluate.knex.join import JoinClause
from remediate.evaluate.knex.method import at, call_back
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.values import HostObject, Unknown, Value


class ConditionWriter:
    """Writes conditions with the formatter of their query."""

    def __init__(self, formatter: Formatter) -> None:
        self.formatter = formatter

    def all(self, conditions: Sequence[Condition], keyword: str) -> str:
        """The whole clause with its keyword, or nothing when no condition has any text."""
        written = ""
        for condition in conditions:
            if part := self.one(condition):
                written += f" {condition.glue} {part}" if written else f"{keyword} {part}"
        return written

    def one(self, condition: Condition) -> str:
        """One condition, without glue."""
        form = self.formatter
        kind, value = condition.kind, condition.value
        negation = "not " if condition.negated else ""
        if kind == "unknown":
            raise UnresolvableError(value if isinstance(value, Unknown) else Unknown("a condition is not known"))
        if kind == "raw":
            return negation + form.unwrap(value)
        if kind == "wrapped":
            inner = form.raw_or_callback(value, "where")
            return f"{negation}({inner[6:]})" if inner else ""
        if kind == "on wrapped":
            return self._on_wrapped(value)
        if kind == "exists":
            return f"{negation}exists ({form.raw_or_callback(value)})"
        if kind == "using":
            return f"({form.columnize(condition.column)})"
        if kind == "null":
            return f"{form.wrap(condition.column)} is {negation}null"
        if kind == "basic":
            left = f"{negation}{form.wrap(condition.column)} {form.operator(condition.operator)} "
            return left + self._value(condition)
        if kind == "basic column":
            left = f"{form.wrap(condition.column)} {form.operator(condition.operator)} "
            query = isinstance(value, Builder) and not isinstance(value, RawBuilder)
            return left + (f"({form.wrap(value)})" if query else form.wrap(value))
        if kind == "between":
            known(value)
            low, high = (at(value, 0), at(value, 1)) if isinstance(value, list) else (value, value)
            left = f"{form.wrap(condition.column)} {negation}between "
            return f"{left}{form.parameter(low)} and {form.parameter(high)}"
        if kind in ("like", "ilike"):
            return f"{self._column(condition)} {negation}{kind} {self._value(condition)}"
        if kind == "in":
            return self._in(condition, negation)
        return self._json(condition, negation)

    def _column(self, condition: Condition) -> str:
        if isinstance(condition.column, list):
            return f"({self.formatter.columnize(condition.column)})"
        return self.formatter.wrap(condition.column)

    def _value(self, condition: Condition) -> str:
        if condition.as_column:
            return self.formatter.wrap(condition.value)
        return self.formatter.parameter(condition.value)

    def _in(self, condition: Condition, negation: str) -> str:
        form = self.formatter
        if condition.grouping == "where":
            return f"{self._column(condition)} {negation}in {form.values(condition.value)}"
        if isinstance(known(condition.value), list) and isinstance(condition.column, list):
            rows = "),(".join(form.parameterize(row) for row in condition.value)  # type: ignore[union-attr]
            return f"({form.columnize(condition.column)}) {negation}in (({rows}))"
        # Knex writes the values before the column here, and the bindings follow that order.
        if condition.grouping == "on":
            values = self._list(condition)
            return f"{form.wrap(condition.column)} {negation}in {values}"
        column = form.wrap(condition.column)
        return f"{column} {negation}in {self._list(condition)}"

    def _list(self, condition: Condition) -> str:
        values = self.formatter.parameterize(condition.value)
        return values if values.startswith("(") else f"({values})"

    def _on_wrapped(self, value: Value) -> str:
        clause = JoinClause()
        if not isinstance(value, HostObject):
            raise unresolvable("the callback of a join is not known", self.formatter.place)
        call_back(value, clause, [clause], self.formatter.place)
        written = ""
        for condition in clause.conditions:
            part = self.one(condition)
            written += f" {condition.glue} {part}" if written else part
        return f"({written})" if written else ""

    def _json(self, condition: Condition, negation: str) -> str:
        form, kind = self.formatter, condition.kind
        if kind == "json path equals":
            sides = ((condition.column, condition.path), (condition.value, condition.second_path))
            return " = ".join(
                f"jsonb_path_query_first({form.wrap(column)}, {form.parameter(path)})" for column, path in sides
            )
        if kind == "json object":
            operator = "!=" if condition.negated else "="
            return f"{self._column(condition)} {operator} {self._json_value(condition)}"
        if kind == "json superset":
            return f"{negation}{form.wrap(condition.column)} @> {self._json_value(condition)}"
        if kind == "json subset":
            return f"{negation}{form.columnize(condition.column)} <@ {self._json_value(condition)}"
        if kind == "json path":
            path = f"jsonb_path_query_first({self._column(condition)}, {form.parameter(condition.path)})"
            cast = _cast(known(condition.value))
            return f"{path}{cast} {form.operator(condition.operator)} {self._json_value(condition)}"
        raise unresolvable(f"a condition of the kind {kind} is not supported", form.place)

    def _json_value(self, condition: Condition) -> str:
        value = known(condition.value)
        if isinstance(value, Builder):
            return self._value(condition)
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = stringify(json.loads(re.sub(r"[\n\t]", "", value)))
        elif isinstance(value, list | dict | HostObject):
            value = stringify(value)
        condition.value = value
        return self._value(condition)


def _cast(value: Value) -> str:
    try:
        number = float(text(value))
    except (ValueError, UnresolvableError):
        return " #>> '{}'"
    if int(number):
        return "::int"
    return "::float" if number else " #>> '{}'"
