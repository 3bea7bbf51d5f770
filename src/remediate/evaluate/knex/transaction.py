"""`knex.transaction`: what Knex sends around it, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from remediate.evaluate.knex.javascript import because, text, truthy
from remediate.evaluate.knex.session import Answer, Query, Session, Settled, ThrownError, refused, settle, thrown
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

if TYPE_CHECKING:
    from remediate.evaluate.knex.handle import KnexHandle


class Transaction:
    """One `knex.transaction`: a savepoint where the outer handle is in a transaction already.

    `outer` is the id of the transaction around it (None for the migration's own).
    """

    def __init__(self, session: Session, identifier: str, *, nested: bool) -> None:
        self.session = session
        self.identifier = identifier
        self.nested = nested
        self.outcome: Settled | None = None

    def begin(self, mode: str, place: Place) -> None:
        """Sends `BEGIN` or `SAVEPOINT`. Raises `ThrownError` when that is refused."""
        if self.nested:
            self._send(f"SAVEPOINT {self.identifier};", place)
        else:
            self._send(f"BEGIN TRANSACTION {mode};" if mode else "BEGIN;", place)

    def commit(self, value: Value, place: Place) -> Settled:
        """Sends the commit; the transaction's promise then gives `value`."""
        if self.outcome is not None:
            return Settled(error=_completed())
        try:
            self._send(f"RELEASE SAVEPOINT {self.identifier};" if self.nested else "COMMIT;", place)
        except ThrownError as error:
            self.outcome = Settled(error=error)
            return self.outcome
        self.outcome = Settled(value)
        return Settled(UNDEFINED)

    def rollback(self, error: Value, place: Place) -> Settled:
        """Sends the rollback; the transaction's promise then rejects with `error`, unless there is none."""
        if self.outcome is not None:
            return Settled(error=_completed())
        try:
            self._send(f"ROLLBACK TO SAVEPOINT {self.identifier}" if self.nested else "ROLLBACK", place)
        except ThrownError as failure:
            self.outcome = Settled(error=failure)
            return self.outcome
        self.outcome = Settled(UNDEFINED) if error is UNDEFINED else Settled(error=ThrownError(error))
        return Settled(UNDEFINED)

    def _send(self, sql: str, place: Place) -> Answer:
        query = Query(sql, place, "builder", self.identifier, wants_rows=False, control=True)
        answer = self.session.send(query)
        if answer.error is not None:
            raise refused(answer.error, sql)
        return answer


def run(handle: KnexHandle, arguments: Sequence[Value], place: Place) -> Settled:
    """`knex.transaction(callback, config)` or `knex.transaction(config)`: begins at once, awaited or not."""
    container = arguments[0] if arguments else UNDEFINED
    config = arguments[1] if len(arguments) > 1 else UNDEFINED
    if isinstance(container, dict):
        container, config = UNDEFINED, container
    if isinstance(container, Unknown):
        handle.session.send(Query(container, place, "builder", handle.transaction, wants_rows=False))
        return Settled(because("the result of a transaction that is not known", container, place))
    inner = handle.nested_handle()
    transaction = inner.current
    assert transaction is not None
    try:
        transaction.begin(_mode(config), place)
    except ThrownError as error:
        return Settled(error=error)
    if not isinstance(container, HostObject):
        return Settled(inner)
    try:
        result = settle(container.call([inner], place))
    except ThrownError as error:
        if transaction.outcome is None:
            transaction.rollback(error.value, place)
        return transaction.outcome or Settled(error=error)
    if transaction.outcome is None:
        transaction.commit(result, place)
    return transaction.outcome or Settled(result)


def _mode(config: Value) -> str:
    # Options that are not known are left out: they change how rows are seen, never what a statement makes.
    if not isinstance(config, dict):
        return ""
    level = config.get("isolationLevel")
    words = [f"ISOLATION LEVEL {text(level)}"] if truthy(level) else []
    return " ".join(words + (["READ ONLY"] if truthy(config.get("readOnly")) else []))


def _completed() -> ThrownError:
    return thrown("Transaction query already complete, run with DEBUG=knex:tx for more info")
