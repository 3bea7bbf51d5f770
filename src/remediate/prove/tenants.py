"""The two tenants: their keys in every type that a tenant column may have, and the settings that name them."""

from __future__ import annotations

from typing import Final

from remediate.detect.model import Facts
from remediate.prove.shapes import ColumnShape

UUIDS: Final = ("aaaaaaaa-0000-4000-8000-00000000000a", "aaaaaaaa-0000-4000-8000-00000000000b")
STRANGER: Final = "aaaaaaaa-0000-4000-8000-00000000000c"
"""The key of no tenant. They differ as late as they can, so that whoever compares a part of them lets others in."""
_NUMBERS: Final = ("910001", "910002", "910003")
ROWS = 2
"""Rows of each tenant in each table."""


def tenant_key(column: ColumnShape, tenant: int) -> str:
    """The key of tenant 0 or 1 (or of 2, who is nobody) as the text of a value of `column`.

    The same text in every type that can hold a UUID, so that one setting names the tenant everywhere.
    """
    keys = (*UUIDS, STRANGER)
    bare, _, size = column.type.partition("(")
    if column.labels:
        return column.labels[tenant % len(column.labels)]
    if bare in ("smallint",):
        return str(31001 + tenant)
    if bare in ("integer", "bigint", "numeric", "oid"):
        return _NUMBERS[tenant]
    if size and bare.startswith("character") and int(size.rstrip(")")) < len(keys[tenant]):
        return f"{'abc'[tenant]}1"[: int(size.rstrip(")"))]
    return keys[tenant]


def setting_names(facts: Facts) -> tuple[str, ...]:
    """The canonical setting, then the other names that are in use."""
    return (facts.tenancy.setting, *facts.tenancy.legacy)
