"""What the speller asks of the catalog as it stands; a name that PostgreSQL would not find is refused here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from remediate.replay.builder import SYSTEM_SCHEMAS, CatalogBuilder
from remediate.replay.catalog import Function, QName
from remediate.replay.extensions import brings_function, brings_relation, type_of_extension
from remediate.replay.questions.system import system_relations
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.builtins import builtins
from remediate.sql.inference import is_implicit
from remediate.sql.lookup import FoundFunction, FoundRelation
from remediate.sql.quote import quote_identifier
from remediate.sql.types import base_type, is_text_like

VOLATILITY: Final = {"immutable": "i", "stable": "s", "volatile": "v"}


class CatalogLookup:
    """`sql.lookup.Lookup` on a builder. `about` are the relations that a refusal names as its subjects."""

    def __init__(self, builder: CatalogBuilder, about: Sequence[QName] = ()) -> None:
        self.builder = builder
        self.about = tuple(about)

    def relation(self, schema: str | None, name: str) -> FoundRelation | None:
        found = self.builder.find_relation(name, schema)
        if found is not None:
            return self.found(found[0])
        system = builtins().relations
        if (schema or "pg_catalog", name) in system:
            return FoundRelation(schema or "pg_catalog", name, _system_columns(schema or "pg_catalog", name))
        if brings_relation(self.builder.extensions, name):
            return FoundRelation(schema or "public", name, None)
        raise missing_relation(self.builder, schema, name, self.about)

    def found(self, name: QName) -> FoundRelation:
        """A relation that exists, with the types of its columns."""
        if table := self.builder.tables.get(name):
            return FoundRelation(*name, {column.name: column.type for column in table.columns})
        if (view := self.builder.views.get(name)) and view.columns:
            return FoundRelation(*name, {column.name: column.type for column in view.columns})
        return FoundRelation(*name, None)

    def function(self, schema: str | None, name: str, arguments: Sequence[str | None]) -> FoundFunction | None:
        overloads = self.builder.find_functions(name, schema)
        if not overloads:
            if schema in (None, *SYSTEM_SCHEMAS) and name in builtins().functions:
                return None
            if schema in (None, "pg_catalog") and _converts(name):
                return None
            if brings_function(self.builder.extensions, name) or schema in SYSTEM_SCHEMAS:
                return None
            if any(key[0] == "aggregate" and key[1].name == name for key in self.builder.extras):
                return None
            if schema in (None, "pg_catalog") and (name in builtins().types or self.builder.find_type(name, schema)):
                return None  # a cast that looks like a call: date(x)
            raise self._missing_function(schema, name, arguments)
        best = max(overloads, key=lambda each: _match(each, arguments))
        returns = best.returns.removeprefix("SETOF ")
        variadic = best.arguments.rpartition(", ")[2].startswith("VARIADIC ")
        return FoundFunction(*best.name, best.argument_types, returns, _volatility(best), variadic)

    def _missing_function(self, schema: str | None, name: str, arguments: Sequence[str | None]) -> Refused:
        called = f"{schema}.{name}" if schema else name
        if schema is not None and schema not in self.builder.schemas:
            return Refused("3F000", f'schema "{schema}" does not exist', subjects=self.about)
        known = [key[0].name for key in self.builder.functions]
        types = ", ".join(each or "unknown" for each in arguments)
        return Refused(
            "42883",
            f"function {called}({types}) does not exist",
            nearest=nearest_name(name, known) or nearest_name(name, builtins().functions),
            subjects=self.about,
        )

    def type_name(self, schema: str | None, name: str) -> str | None:
        found = self.builder.find_type(name, schema)
        if found is not None:
            prefix = "" if found.schema in ("public", "pg_temp") else f"{quote_identifier(found.schema)}."
            return prefix + quote_identifier(found.name)
        if (known := type_of_extension(self.builder.extensions, name)) is not None:
            return known
        if schema in SYSTEM_SCHEMAS or (name.startswith("_") and name[1:] in builtins().types):
            return builtins().types[name[1:]] + "[]" if name[1:] in builtins().types else name
        if schema is not None and schema not in self.builder.schemas:
            raise Refused("3F000", f'schema "{schema}" does not exist', subjects=self.about)
        nearest = nearest_name(name, [*(key.name for key in self.builder.types), *builtins().types])
        raise Refused("42704", f'type "{name}" does not exist', nearest=nearest, subjects=self.about)

    def missing_column(self, name: str, relation: str | None) -> None:
        known = [
            column.name for table in self.about if table in self.builder.tables
            for column in self.builder.tables[table].columns
        ]  # fmt: skip
        written = f"{relation}.{name}" if relation else f'"{name}"'
        raise Refused(
            "42703", f"column {written} does not exist", nearest=nearest_name(name, known), subjects=self.about
        )

    def missing_entry(self, alias: str) -> None:
        raise Refused("42P01", f'missing FROM-clause entry for table "{alias}"', subjects=self.about)


def _volatility(function: Function) -> str:
    """A function in SQL that reads no table is inlined before its volatility is looked at (inline_function)."""
    if function.language == "sql" and " from " not in f" {function.body.lower()} ":
        return "i"
    return VOLATILITY[function.volatility]


@cache
def _system_columns(schema: str, name: str) -> dict[str, str] | None:
    relation = system_relations().get(QName(schema, name))
    if relation is None:
        return None
    types = builtins().types
    return {column: types.get(kind, kind) for column, kind in relation.columns}


def missing_relation(builder: CatalogBuilder, schema: str | None, name: str, about: Sequence[QName] = ()) -> Refused:
    """42P01 for a name that is looked up in a query."""
    names = [each.name for each in (*builder.tables, *builder.views)]
    written = f"{schema}.{name}" if schema else name
    missing = QName(schema or builder.current_schema or "public", name)
    return Refused(
        "42P01", f'relation "{written}" does not exist', nearest=nearest_name(name, names), subjects=(missing, *about)
    )


def _match(function: Function, arguments: Sequence[str | None]) -> int:
    """How well the arguments fit; parse_func.c in short."""
    wanted = function.argument_types
    if len(wanted) < len(arguments):
        return -100
    score = -abs(len(wanted) - len(arguments))
    for given, declared in zip(arguments, wanted, strict=False):
        if given is None:
            continue
        if base_type(given) == declared or (is_text_like(given) and is_text_like(declared)):
            score += 3
        elif not is_implicit(given, declared):
            score -= 5
    return score


def _converts(name: str) -> bool:
    """Whether it is the input or output function of a built-in type: uuid_in, int4out."""
    stem = name.removesuffix("in").removesuffix("out").removesuffix("_")
    return stem != name and stem in builtins().types
