"""The SQL that reads the tenant of the session, robustly, under one name or under several.

After `SET LOCAL` and COMMIT a custom setting is the empty string, not NULL, and `''::uuid` raises: hence NULLIF and the
two-argument current_setting. In a policy the value stands in a sub-select, which PostgreSQL evaluates once and not per
row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from remediate.sql.quote import Identifier, Literal

TEXT_TYPES = ("text", "character varying", "character", "name", "citext")


def cast_type(column_type: str) -> str:
    """The type to cast the setting to, so that it compares with a column of `column_type`.

    Character types become text: `::varchar(n)` would cut the setting off, and another tenant's key could match.
    """
    base = column_type.split("(")[0]
    return "text" if base in TEXT_TYPES else column_type


def read_setting(name: str, type_: str) -> str:
    """`NULLIF(current_setting('name', true), '')` as `type_`: NULL when unset, never an error for being unset."""
    value = f"NULLIF(current_setting({Literal(name).sql()}, true), '')"
    return value if type_ == "text" else f"{value}::{type_}"


def session_tenant(names: Sequence[str], type_: str) -> str:
    """The tenant of the session as a sub-select, canonical name first.

    With several names it accepts each, and is NULL, which no row equals, when two of them are set and disagree.
    """
    if len(names) == 1:
        return f"(SELECT {read_setting(names[0], type_)})"
    aliases = _aliases(names)
    reads = ",\n    ".join(
        f"{read_setting(name, type_)} AS {alias}" for name, alias in zip(names, aliases, strict=True)
    )
    values = [f"setting.{alias}" for alias in aliases]
    disagree = " OR ".join(f"{one} <> {other}" for one, other in combinations(values, 2))
    value = f"CASE\n    WHEN {disagree} THEN NULL\n    ELSE COALESCE({', '.join(values)})\n  END"
    return f"(\n  SELECT {value}\n  FROM (SELECT\n    {reads}\n  ) AS setting\n)"


def _aliases(names: Sequence[str]) -> list[str]:
    """What the reads are called: the last part of each setting's name, or a letter where two would be the same."""
    last = [Identifier(name.rsplit(".", 1)[-1]).sql() for name in names]
    return last if len(set(last)) == len(last) else [chr(ord("a") + index) for index in range(len(names))]
