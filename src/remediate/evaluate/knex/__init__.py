"""What Knex does with the calls of a migration: builder calls in, the SQL that Knex 3.x (client `pg`) sends out.

The interpreter evaluates TypeScript and calls the host objects of this package (`KnexHandle`, `PoolHandle`); they send
`Query` objects to a `Session`. Knex's own `toSQL()` is the oracle of the tests.
"""

from remediate.evaluate.knex.handle import KnexHandle
from remediate.evaluate.knex.pool import PoolHandle
from remediate.evaluate.knex.session import (
    Answer,
    Query,
    Session,
    Settled,
    SqlError,
    Subject,
    Thenable,
    ThrownError,
    settle,
)

__all__ = [
    "Answer",
    "KnexHandle",
    "PoolHandle",
    "Query",
    "Session",
    "Settled",
    "SqlError",
    "Subject",
    "Thenable",
    "ThrownError",
    "settle",
]
