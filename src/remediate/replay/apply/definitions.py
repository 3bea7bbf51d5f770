"""Constraints and indexes as text, from their parts (ruleutils.c pg_get_constraintdef, pg_get_indexdef)."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.replay.builder import CatalogBuilder
from remediate.replay.catalog import Constraint, Index, QName
from remediate.sql.quote import quote_identifier

ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}


@dataclass(frozen=True, slots=True)
class ConstraintDetails:
    """What of a constraint is only in its definition. `expression` for a check; `suffix` begins with a space."""

    expression: str = ""
    suffix: str = ""
    match: str = ""
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    set_columns: tuple[str, ...] = ()
    inherited: bool = False
    no_inherit: bool = False


@dataclass(frozen=True, slots=True)
class IndexDetails:
    """`suffixes` are what follows each key (operator class, DESC, …). `parent` is the partitioned table's index."""

    suffixes: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    parent: QName | None = None


def details_of(builder: CatalogBuilder, table: QName, name: str) -> ConstraintDetails:
    details: ConstraintDetails = builder.extras.get(("constraint", table, name), ConstraintDetails())
    return details


def index_details(builder: CatalogBuilder, name: QName) -> IndexDetails:
    details: IndexDetails = builder.extras.get(("index", name), IndexDetails())
    return details


def listed(columns: tuple[str, ...]) -> str:
    return "(" + ", ".join(map(quote_identifier, columns)) + ")"


def written(name: QName) -> str:
    """A relation's name as it is printed with public in the search_path."""
    text = quote_identifier(name.name)
    return text if name.schema in ("public", "pg_temp") else f"{quote_identifier(name.schema)}.{text}"


def constraint_definition(constraint: Constraint, details: ConstraintDetails) -> str:
    """As pg_get_constraintdef, in the canonical spelling of expressions. Exclusions keep what they were made with."""
    if constraint.type == "c":
        text = f"CHECK ({details.expression})" + (" NO INHERIT" if details.no_inherit else "")
    elif constraint.type == "f":
        assert constraint.references is not None
        text = f"FOREIGN KEY {listed(constraint.columns)} REFERENCES {written(constraint.references)}"
        text += listed(constraint.referenced_columns) + details.match
        if constraint.on_update != "no action":
            text += f" ON UPDATE {constraint.on_update.upper()}"
        if constraint.on_delete != "no action":
            text += f" ON DELETE {constraint.on_delete.upper()}"
            text += " " + listed(details.set_columns) if details.set_columns else ""
    elif constraint.type == "x":
        text = details.expression
    else:
        text = "PRIMARY KEY" if constraint.type == "p" else "UNIQUE"
        text += " NULLS NOT DISTINCT" if details.nulls_not_distinct else ""
        text += " " + listed(constraint.columns)
        text += " INCLUDE " + listed(details.include) if details.include else ""
    return text + details.suffix + ("" if constraint.validated else " NOT VALID")


def index_definition(index: Index, details: IndexDetails, *, only: bool = False) -> str:
    """As pg_get_indexdef."""
    suffixes = details.suffixes or ("",) * len(index.columns)
    keys = []
    for column, suffix in zip(index.columns, suffixes, strict=True):
        keys.append((column if column.startswith("(") else quote_identifier(column)) + suffix)
    text = f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {quote_identifier(index.name)} ON "
    text += f"{'ONLY ' if only else ''}{written(index.table)} USING {index.method} ({', '.join(keys)})"
    text += f" INCLUDE {listed(details.include)}" if details.include else ""
    text += " NULLS NOT DISTINCT" if details.nulls_not_distinct else ""
    return text + (f" WHERE {index.predicate}" if index.predicate else "")
