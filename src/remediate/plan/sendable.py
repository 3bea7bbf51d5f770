"""What `knex.raw` cannot send: such a repair is for people."""

from __future__ import annotations

from collections.abc import Iterable

from remediate.plan.operations import Operation

UNSENDABLE = (
    "Its SQL has a backslash before a question mark, which knex.raw cannot send: "
    "it takes the question mark for a binding, and drops the backslash with which it could be escaped."
)


def sendable(operations: Iterable[Operation]) -> bool:
    """Whether Knex can send all SQL of the operations, in both directions.

    Before it sends, Knex replaces every question mark by `$1`, or by a plain one where an odd number of backslashes
    stands before it, and takes all of these backslashes away: none can stay before a question mark.
    """
    return not any("\\?" in statement for operation in operations for statement in (*operation.up(), *operation.down()))
