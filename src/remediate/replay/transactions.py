"""Transactions as one connection sees them, for `--assume fresh`: savepoints, and the aborted state (25P02)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from remediate.replay.refused import Refused
from remediate.sql.nodes import TransactionStmtKind as Kind
from remediate.sql.parse import Node


@dataclass(slots=True)
class Transaction:
    """`mark` is the state to go back to; `savepoints` are inside, oldest first."""

    mark: Any
    savepoints: list[tuple[str, Any]] = field(default_factory=list)
    aborted: bool = False


class Transactions:
    """At most one transaction; `take` and `undo` mark and restore the state of the catalog."""

    def __init__(self) -> None:
        self.current: Transaction | None = None

    def apply(self, node: Node, mark: Any) -> Any | None:
        """Follows a transaction statement; returns the mark to go back to, if it rolls back. Raises `Refused`."""
        kind = node.kind
        if kind in (Kind.TRANS_STMT_BEGIN, Kind.TRANS_STMT_START):
            if self.current is None:
                self.current = Transaction(mark)
            return None
        if kind == Kind.TRANS_STMT_COMMIT:
            ended, self.current = self.current, None
            return ended.mark if ended is not None and ended.aborted else None
        if kind == Kind.TRANS_STMT_ROLLBACK:
            ended, self.current = self.current, None
            return ended.mark if ended is not None else None
        return self._savepoint(kind, node.savepoint_name, mark)

    def _savepoint(self, kind: int, name: str, mark: Any) -> Any | None:
        current = self.current
        if current is None:
            raise Refused("25P01", "SAVEPOINT can only be used in transaction blocks")
        if kind == Kind.TRANS_STMT_SAVEPOINT:
            if current.aborted:
                raise aborted()
            current.savepoints.append((name, mark))
            return None
        place = next((at for at in reversed(range(len(current.savepoints))) if current.savepoints[at][0] == name), None)
        if place is None:
            raise Refused("3B001", f'savepoint "{name}" does not exist')
        if kind == Kind.TRANS_STMT_RELEASE:
            if current.aborted:
                raise aborted()
            del current.savepoints[place:]
            return None
        if kind == Kind.TRANS_STMT_ROLLBACK_TO:
            del current.savepoints[place + 1 :]
            current.aborted = False
            return current.savepoints[place][1]
        return None


def aborted() -> Refused:
    return Refused("25P02", "current transaction is aborted, commands ignored until end of transaction block")
