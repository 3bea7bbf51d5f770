"""`whereJson…` of the query builder."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.evaluate.knex.method import at, js
from remediate.evaluate.knex.where import WhereMethods
from remediate.evaluate.values import Value
from remediate.source.place import Place


class JsonWhereMethods(WhereMethods):
    """Conditions on json columns."""

    def _json(self, kind: str, arguments: Sequence[Value], glue: str = "", *, negated: bool = False) -> Value:
        if glue:
            self.next_glue = glue
        if negated:
            self.next_negated = True
        return self.add_where(kind, column=at(arguments, 0), value=at(arguments, 1), as_column=self.as_column)

    @js("whereJsonObject", "andWhereJsonObject")
    def json_object(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json object", arguments)

    @js("orWhereJsonObject")
    def or_json_object(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json object", arguments, "or")

    @js("whereNotJsonObject", "andWhereNotJsonObject")
    def not_json_object(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json object", arguments, negated=True)

    @js("orWhereNotJsonObject")
    def or_not_json_object(self, arguments: Sequence[Value], place: Place) -> Value:
        # Knex forgets the negation here.
        return self._json("json object", arguments, "or")

    @js("whereJsonSupersetOf")
    def superset(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json superset", arguments)

    @js("orWhereJsonSupersetOf")
    def or_superset(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json superset", arguments, "or")

    @js("whereJsonNotSupersetOf")
    def not_superset(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json superset", arguments, negated=True)

    @js("orWhereJsonNotSupersetOf")
    def or_not_superset(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json superset", arguments, "or", negated=True)

    @js("whereJsonSubsetOf")
    def subset(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json subset", arguments)

    @js("orWhereJsonSubsetOf")
    def or_subset(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json subset", arguments, "or")

    @js("whereJsonNotSubsetOf")
    def not_subset(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json subset", arguments, negated=True)

    @js("orWhereJsonNotSubsetOf")
    def or_not_subset(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json("json subset", arguments, "or", negated=True)

    @js("whereJsonPath", "andWhereJsonPath")
    def json_path(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.add_where(
            "json path",
            column=at(arguments, 0),
            path=at(arguments, 1),
            operator=at(arguments, 2),
            value=at(arguments, 3),
            as_column=self.as_column,
        )

    @js("orWhereJsonPath")
    def or_json_path(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.json_path(arguments, place)
