"""What Knex sends, written down as statements and answered by the world."""

from __future__ import annotations

import re
from dataclasses import replace

from remediate.evaluate.knex.session import Answer, Query, Subject
from remediate.evaluate.limits import Stopped
from remediate.evaluate.literal import LiteralText
from remediate.evaluate.machine import Machine
from remediate.evaluate.model import Direction, Sent
from remediate.evaluate.partial import PartialText, only_rows, subject_of, without_gaps
from remediate.evaluate.values import Unknown
from remediate.evaluate.world import World
from remediate.source.model import MigrationSource
from remediate.source.place import Place, Unresolved

_SELECTS = re.compile(r"\s*(?:select|with)\b", re.IGNORECASE)
_ABOUT_CATALOG = re.compile(r"\bfrom\s+(?:information_schema\.|pg_)|\bto_reg\w+\s*\(", re.IGNORECASE)


def _storable(text: str) -> str:
    """Text as it goes over the wire: half a surrogate pair has no UTF-8, and Node sends a replacement for it."""
    return str(text) if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _plain(text: str | None) -> str | None:
    """Text without the place that it came from, which the world has no use for."""
    return None if text is None else str(text)


class Recorder:
    """The `Session` of one evaluation, and the `Reporter` of its machine."""

    machine: Machine

    def __init__(self, source: MigrationSource, direction: Direction, world: World) -> None:
        self.source = source
        self.direction = direction
        self.world = world
        self.sent: list[Sent] = []
        self.unresolved: dict[Unresolved, None] = {}
        self.assumptions: dict[Unresolved, None] = {}
        self.total_text = 0
        self.reads_rows = False
        """Whether it has asked for rows of tables; what is in them is hardly ever known."""

    def miss(self, reason: str, place: Place, subject: Subject | None = None) -> None:
        self.note(reason, place)
        self._tell(reason, place, subject)

    def _tell(self, reason: str, place: Place, subject: Subject | None) -> None:
        if subject is not None:
            subject = replace(subject, name=str(subject.name), schema=_plain(subject.schema))
        self.world.miss(Unresolved(self.source.service, place, reason), subject)

    def note(self, reason: str, place: Place) -> None:
        """An unresolved place that says nothing about what happens to the database."""
        self.unresolved[Unresolved(self.source.service, place, reason)] = None

    @property
    def guesses(self) -> bool:
        return bool(self.reads_rows or self.assumptions or self.unresolved)

    def assume(self, reason: str, place: Place) -> None:
        self.assumptions[Unresolved(self.source.service, place, reason)] = None

    def send(self, query: Query) -> Answer:
        """Takes one string of SQL. What is not known of it is reported, and its rows are those of a fresh database."""
        if isinstance(query.sql, PartialText) and only_rows(query.sql):
            # In the name of an object, what is another value each time makes another object each time.
            query = replace(query, sql=query.sql.stand_in or query.sql)
        if isinstance(query.sql, Unknown) and query.prepared is None:
            return self._missed(query, query.sql)
        return self._send(query)

    def _send(self, query: Query, gap: str | None = None, doubt: str | None = None) -> Answer:
        unknown_values = query.sql.reason if isinstance(query.sql, Unknown) else None
        text = query.prepared if isinstance(query.sql, Unknown) else query.sql
        assert text is not None
        machine = self.machine
        self.total_text += len(text)
        if len(self.sent) >= machine.limits.statements:
            raise Stopped(f"stopped after {machine.limits.statements:,} statements", query.place)
        if self.total_text > machine.limits.total_text:
            raise Stopped(f"stopped after {machine.limits.total_text:,} characters of SQL", query.place)
        sent = Sent(
            service=self.source.service,
            migration=self.source.name,
            direction=self.direction,
            place=query.place,
            sql=_storable(text),
            form=query.form,
            transaction=query.transaction,
            conditional=machine.conditional or doubt,
            swallowed=machine.swallowing > 0,
            template=text.place if isinstance(text, LiteralText) else None,
            prepared=_plain(query.prepared),
            unknown_values=unknown_values,
            control=query.control,
            gap=gap,
        )
        self.sent.append(sent)
        if query.wants_rows and _SELECTS.match(sent.sql) and not _ABOUT_CATALOG.search(sent.sql):
            self.reads_rows = True
        return self.world.execute(sent, query.wants_rows)

    def _missed(self, query: Query, unknown: Unknown) -> Answer:
        if query.form == "query":
            # A query builder reads and changes rows only: the catalog stays as it is.
            self.assume(f"reads or changes rows, it cannot be told which: {unknown.reason}", query.place)
        elif isinstance(unknown, PartialText) and only_rows(unknown):
            self.note(f"changes or reads rows, it cannot be told which: {unknown.reason}", query.place)
        else:
            reason = f"SQL that cannot be told: {unknown.reason}"
            subject = query.subject
            if subject is None and isinstance(unknown, PartialText):
                subject = subject_of(unknown)
            self.note(reason, query.place)
            rest = without_gaps(unknown) if isinstance(unknown, PartialText) else None
            about = {subject} if rest is None else {subject_of(one) for one in rest.left_out if not only_rows(one)}
            for one in sorted(about, key=str):
                self._tell(reason, query.place, one)
            if rest is not None:
                # Were the statement that is not known refused, the string as a whole would have no effect.
                doubt = f"stands beside a statement that is not known: {unknown.reason}" if rest.broken else None
                return self._send(replace(query, sql=rest.sql), unknown.reason, doubt)
        return Answer(rows=Unknown(unknown.reason, unknown.place, True), row_count=Unknown(unknown.reason))

    def has_table(self, name: str, schema: str | None) -> bool | Unknown:
        return self.world.has_table(_plain(schema), str(name))

    def has_column(self, table: str, column: str, schema: str | None) -> bool | Unknown:
        return self.world.has_column(_plain(schema), str(table), str(column))
