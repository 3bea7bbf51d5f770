"""Statements, applied to the catalog: one module an object kind; importing this registers all handlers."""

from remediate.replay.apply import (
    alter_table,
    data,
    drop,
    functions,
    indexes,
    misc,
    namespaces,
    policies,
    rename,
    roles,
    sequences,
    session,
    tables,
    triggers,
    types,
    views,
)
from remediate.replay.apply.base import Applying, Log, applies, handler_of

__all__ = [
    "Applying",
    "Log",
    "alter_table",
    "applies",
    "data",
    "drop",
    "functions",
    "handler_of",
    "indexes",
    "misc",
    "namespaces",
    "policies",
    "rename",
    "roles",
    "sequences",
    "session",
    "tables",
    "triggers",
    "types",
    "views",
]
