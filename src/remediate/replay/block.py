"""The catalog as the host of DO blocks and of functions with effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from remediate.evaluate.model import Sent
from remediate.replay.builder import CatalogBuilder
from remediate.replay.catalog import QName
from remediate.replay.refused import Refused
from remediate.sql.parse import SqlSyntaxError, Statement, UnreadableSqlError, parse

Run = Callable[[Statement, Sent], None]
Mark = Callable[[], object]


class BlockHost:
    """`plpgsql.Host` on an engine; `start` is the byte offset of the body in the string that was sent."""

    def __init__(
        self,
        builder: CatalogBuilder,
        sent: Sent,
        body: str,
        start: int,
        run: Run,
        mark: Mark,
        undo: Callable[[object], None],
        tell: Callable[[str, tuple[QName, ...]], None],
        assume: Callable[[str], None],
    ) -> None:
        self.builder = builder
        self.sent = sent
        self.body = body
        self.start = start
        self.run = run
        self.savepoint = mark
        self.rollback_to = undo
        self.tell = tell
        self.tell_assumption = assume

    @property
    def reader(self) -> CatalogBuilder:
        return self.builder

    def execute(self, sql: str, offset: int, conditional: str | None) -> None:
        sent = replace(self.sent, conditional=conditional) if conditional else self.sent
        try:
            statements = parse(sql)
        except SqlSyntaxError as error:
            raise Refused("42601", error.message) from error
        except UnreadableSqlError as error:
            self.tell(str(error), ())
            return
        place = self.start + len(self.body[:offset].encode())
        for statement in statements:
            self.run(replace(statement, offset=place + statement.offset), sent)

    def unknown(self, reason: str, offset: int, subjects: tuple[str, ...], conditional: str | None) -> None:
        names = []
        for subject in subjects:
            schema, _, name = subject.rpartition(".")
            found = self.builder.find_relation(name.strip('"'), schema.strip('"') or None)
            names.append(found[0] if found else QName(schema or self.builder.current_schema or "public", name))
        self.tell(reason, tuple(names))

    def assume(self, reason: str, offset: int) -> None:
        self.tell_assumption(reason)
