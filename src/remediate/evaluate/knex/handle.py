"""The `knex` that a migration gets: its entry points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from remediate.evaluate.knex import transaction as transactions
from remediate.evaluate.knex.method import Method, Scripted, at, call_back, js
from remediate.evaluate.knex.query import QueryBuilder
from remediate.evaluate.knex.raw import Functions, RawBuilder, Ref
from remediate.evaluate.knex.schema import SchemaBuilder
from remediate.evaluate.knex.session import Query, Session, Settled, Thenable
from remediate.evaluate.knex.transaction import Transaction
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

_READING = ("currentVersion", "list", "status")


class _Counter:
    """Numbers the transactions of one migration; its own is the first."""

    def __init__(self) -> None:
        self.last = 1

    def next(self) -> str:
        self.last += 1
        return f"trx{self.last}"


class KnexHandle(Scripted):
    """`knex`, or a transaction of it.

    `transaction` is the id of the `knex.transaction` that it stands for, None for the migration's own handle; that one
    is itself in a transaction unless `in_transaction` is false (`config = { transaction: false }`). `config` is what
    `knex.client.config` answers, as far as it is known.
    """

    is_function: ClassVar[bool] = True

    def __init__(
        self,
        session: Session,
        transaction: str | None = None,
        *,
        in_transaction: bool = True,
        config: Mapping[str, Value] | None = None,
        counter: _Counter | None = None,
    ) -> None:
        self.session = session
        self.transaction = transaction
        self.in_transaction = in_transaction or transaction is not None
        self.config: Mapping[str, Value] = {"client": "pg"} if config is None else config
        self.counter = counter or _Counter()
        self.current: Transaction | None = None

    def nested_handle(self) -> KnexHandle:
        """The handle of a new transaction inside this one; nothing is sent yet."""
        identifier = self.counter.next()
        inner = KnexHandle(self.session, identifier, config=self.config, counter=self.counter)
        inner.current = Transaction(self.session, identifier, nested=self.in_transaction)
        return inner

    def unknown(self, unknown: Unknown, place: Place) -> Settled:
        """Sends something whose effect cannot be told."""
        self.session.send(Query(unknown, place, "builder", self.transaction, wants_rows=False))
        return Settled(unknown)

    def call(self, arguments: Sequence[Value], place: Place) -> Value:
        builder = QueryBuilder(self.session, self.transaction, place)
        if at(arguments, 0) is UNDEFINED:
            return builder
        return _invoke(builder, "table", arguments, place)

    def get(self, name: str, place: Place) -> Value:
        if name in ("commit", "rollback", "savepoint", "isCompleted") and not self.in_transaction:
            return UNDEFINED
        return super().get(name, place)

    def missing(self, name: str, place: Place) -> Value:
        if name == "schema":
            return SchemaBuilder(self.session, self.transaction, place)
        if name == "context":  # the handle without the function call, for those that extend it
            return self
        if name == "fn":
            return Functions()
        if name == "isTransaction":
            return True if self.in_transaction else UNDEFINED
        if name == "client":
            return _Client(self.config)
        if name in ("migrate", "seed"):
            return _Unread(self, f"knex.{name}")
        if name in QueryBuilder.methods:
            return Method(
                name,
                lambda arguments, at: _invoke(QueryBuilder(self.session, self.transaction, at), name, arguments, at),
            )
        return Unknown(f"nothing is known of knex.{name}", place)

    @js("raw")
    def raw(self, arguments: Sequence[Value], place: Place) -> Value:
        return RawBuilder(self.session, self.transaction, place, at(arguments, 0), at(arguments, 1))

    @js("ref")
    def ref(self, arguments: Sequence[Value], place: Place) -> Value:
        return Ref(self.session, self.transaction, place, at(arguments, 0))

    @js("queryBuilder")
    def query_builder(self, arguments: Sequence[Value], place: Place) -> Value:
        return QueryBuilder(self.session, self.transaction, place)

    @js("transaction", "savepoint")
    def begin(self, arguments: Sequence[Value], place: Place) -> Value:
        return transactions.run(self, arguments, place)

    @js("transactionProvider")
    def provider(self, arguments: Sequence[Value], place: Place) -> Value:
        begun: list[Settled] = []

        def provide(_: Sequence[Value], at: Place) -> Value:
            if not begun:
                begun.append(transactions.run(self, arguments, at))
            return begun[0]

        return Method("transactionProvider", provide)

    @js("commit")
    def commit(self, arguments: Sequence[Value], place: Place) -> Value:
        if self.current is None:
            return self.unknown(Unknown("commits the migration's own transaction", place), place)
        return self.current.commit(at(arguments, 0), place)

    @js("rollback")
    def rollback(self, arguments: Sequence[Value], place: Place) -> Value:
        if self.current is None:
            return self.unknown(Unknown("rolls back the migration's own transaction", place), place)
        return self.current.rollback(at(arguments, 0), place)

    @js("isCompleted")
    def is_completed(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.current is not None and self.current.outcome is not None

    @js("batchInsert")
    def batch_insert(self, arguments: Sequence[Value], place: Place) -> Value:
        return BatchInsert(self, arguments, place)

    @js("destroy", "initialize")
    def destroy(self, arguments: Sequence[Value], place: Place) -> Value:
        return Settled(UNDEFINED)

    @js("on", "once", "removeListener")
    def listen(self, arguments: Sequence[Value], place: Place) -> Value:
        return self


class BatchInsert(Scripted, Thenable):
    """`knex.batchInsert(table, rows, chunkSize)`: one insert per chunk, all in one transaction.

    Knex starts it by itself shortly after the call; here it starts when it is awaited.
    """

    def __init__(self, handle: KnexHandle, arguments: Sequence[Value], place: Place) -> None:
        self.handle = handle
        self.arguments = arguments
        self.place = place
        self.columns: Value = UNDEFINED
        self.inside: KnexHandle | None = None

    @js("returning")
    def returning(self, arguments: Sequence[Value], place: Place) -> Value:
        self.columns = at(arguments, 0)
        return self

    @js("transacting")
    def transacting(self, arguments: Sequence[Value], place: Place) -> Value:
        inside = at(arguments, 0)
        self.inside = inside if isinstance(inside, KnexHandle) else None
        return self

    def execute(self) -> Value:
        insert = Method("batchInsert", self._insert)
        if self.inside is not None:
            return insert.call([self.inside], self.place)
        return transactions.run(self.handle, [insert], self.place).execute()

    def _insert(self, arguments: Sequence[Value], place: Place) -> Value:
        handle, rows, size = arguments[0], at(self.arguments, 1), at(self.arguments, 2)
        assert isinstance(handle, KnexHandle)
        if not isinstance(rows, list) or not isinstance(size, int | type(UNDEFINED)):
            chunks: list[Value] = [rows if isinstance(rows, Unknown) else Unknown("rows that are not known", place)]
        else:
            step = size if isinstance(size, int) else 1000
            chunks = [rows[start : start + step] for start in range(0, len(rows), step)]
        results: list[Value] = []
        for chunk in chunks:
            builder = QueryBuilder(handle.session, handle.transaction, place)
            _invoke(builder, "table", [at(self.arguments, 0)], place)
            _invoke(builder, "insert", [chunk, self.columns], place)
            result = builder.execute()
            if isinstance(result, Unknown):
                return result
            results.extend(result if isinstance(result, list) else [result])
        return results


class _Client(HostObject):
    """`knex.client`."""

    is_function = False

    def __init__(self, config: Mapping[str, Value]) -> None:
        self.config = config

    def get(self, name: str, place: Place) -> Value:
        if name == "config":
            return _Config(self.config)
        if name == "dialect":
            return "postgresql"
        if name == "driverName":
            return "pg"
        return Unknown(f"nothing is known of knex.client.{name}", place)


@dataclass(frozen=True, slots=True)
class Connection(Unknown):
    """How the database is reached, or a part of it: whoever gets it may connect by itself."""


class _Config(HostObject):
    """`knex.client.config`: what is not known to be in it is unknown, not undefined."""

    is_function = False

    def __init__(self, config: Mapping[str, Value]) -> None:
        self.config = config

    def get(self, name: str, place: Place) -> Value:
        if name in self.config:
            return self.config[name]
        unknown = Connection if name == "connection" else Unknown
        return unknown(f"knex.client.config.{name} is known when the migration runs", place)


class _Unread(HostObject):
    """An interface of Knex that a migration hardly ever uses; all that comes from it is unknown."""

    is_function = False

    def __init__(self, handle: KnexHandle, path: str) -> None:
        self.handle = handle
        self.path = path

    def get(self, name: str, place: Place) -> Value:
        def run(_: Sequence[Value], at: Place) -> Value:
            unknown = Unknown(f"{self.path}.{name} is not supported", at)
            return Settled(unknown) if name in _READING else self.handle.unknown(unknown, at)

        return Method(name, run)


def _invoke(builder: QueryBuilder, name: str, arguments: Sequence[Value], place: Place) -> Value:
    method = builder.get(name, place)
    assert isinstance(method, HostObject)
    return call_back(method, builder, arguments, place)
