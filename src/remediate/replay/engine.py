"""The static engine: PostgreSQL as migrations see it, without PostgreSQL (evaluate's `World`).

`assume="applied"`: every string is its own unit and commits by itself; a refused one has no effect as a whole, is told
as a `Refusal` and answered without error. `assume="fresh"`: what a plain `migrate:latest` does; errors are thrown into
the migration, and in a transaction everything after one fails with 25P02.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from remediate.evaluate.knex.session import Answer, SqlError, Subject
from remediate.evaluate.model import Sent
from remediate.evaluate.values import Assumed, Unknown
from remediate.replay.apply import Applying, Log, handler_of, memory
from remediate.replay.apply.session import begin_with_kept, end_local
from remediate.replay.block import BlockHost
from remediate.replay.builder import CatalogBuilder
from remediate.replay.catalog import (
    Assumption,
    Catalog,
    DataChange,
    FunctionVersion,
    Outcome,
    QName,
    Refusal,
    Replayed,
    UnknownEffect,
)
from remediate.replay.doubts import UNLESS, Doubts
from remediate.replay.outside import Outside, making_role, missing_role, taken_for_present
from remediate.replay.plpgsql import run_do, run_query
from remediate.replay.questions.answer import run_question
from remediate.replay.questions.remembered import returned_rows
from remediate.replay.questions.session import Session
from remediate.replay.records import creation_of, record_tables, without_records
from remediate.replay.refused import Refused
from remediate.replay.settings import setting_uses
from remediate.replay.transactions import Transaction, Transactions, aborted
from remediate.replay.violations import refuse_keys, refuse_nulls
from remediate.source.place import Place, Unresolved
from remediate.sql.calls import function_name
from remediate.sql.lookup import MismatchError
from remediate.sql.nodes import option, option_text
from remediate.sql.parse import Node, SqlSyntaxError, Statement, UnreadableSqlError, parse
from remediate.sql.quote import quote_identifier, quote_literal

Rows: TypeAlias = list[dict[str, Any]] | Unknown

_MOST_LEFT_OUT = 20
"""Statements of one string that are left out before the string is, because each costs a run of the others."""

_ROWS = frozenset({"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})


@dataclass(slots=True)
class Told:
    """What the engine tells beside the catalog."""

    refusals: list[Refusal] = field(default_factory=list)
    unresolved: dict[Unresolved, None] = field(default_factory=dict)
    unknown_effects: list[UnknownEffect] = field(default_factory=list)
    assumptions: dict[Unresolved, None] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    def replayed(
        self,
        database: str,
        catalog: Catalog,
        *,
        data_changes: tuple[DataChange, ...] = (),
        functions: tuple[FunctionVersion, ...] = (),
    ) -> Replayed:
        """All of it, beside the catalog that it is told about."""
        return Replayed(
            database,
            catalog,
            tuple(self.refusals),
            tuple(self.unresolved),
            data_changes,
            functions,
            setting_uses(catalog),
            tuple(self.unknown_effects),
            dict(self.statements),
            tuple(self.assumptions),
            tuple(self.outcomes),
        )


OTHER_ROWS = "but for other rows than those of migrations, which are taken to be there"


class StaticEngine:
    """One database. `strict` lets faults of ours through instead of telling them as unresolved (for the tests)."""

    def __init__(
        self,
        database: str = "postgres",
        *,
        assume: Assumption = "applied",
        strict: bool = False,
        user: str = "postgres",
        server_version: int = 15,
    ) -> None:
        self.builder = CatalogBuilder(database, user, server_version)
        self.log = Log()
        self.told = Told()
        self.assume = assume
        self.strict = strict
        self.transactions = Transactions()
        self.last_error: SqlError | None = None
        self.outside: Outside | None = None
        self.doubts = Doubts()
        self._statement: Statement | None = None
        self._first_schema: str | None = None
        self._records: set[QName] = set()

    # The World of evaluate.

    def execute(self, sent: Sent, wants_rows: bool) -> Answer:
        """Applies one string; see the module for what becomes of errors."""
        if sent.control and self.assume == "applied":
            return Answer([], command="BEGIN")
        self._statement = None
        counted = self.told.statements.get(sent.place.file, 0)
        try:
            answer = self._run_all(self._statements(sent), sent, wants_rows)
        except Refused as refused:
            if self._takes_for_present(refused, sent):
                self.told.statements[sent.place.file] = counted
                return self.execute(sent, wants_rows)
            doubt = sent.gap or self.doubts.about(refused, sent.service)
            answer = self._doubted(refused, sent, doubt) if doubt else self._refused(refused, self._statement, sent)
        except UnreadableSqlError as error:
            self.tell_unknown(sent, str(error), ())
            answer = Answer(Unknown(str(error), sent.place))
        except (RecursionError, LookupError, AttributeError, TypeError, ValueError, AssertionError) as error:
            if self.strict:
                raise
            reason = f"a statement that could not be followed ({type(error).__name__}: {error})"
            self.tell_unknown(sent, reason, ())
            answer = Answer(Unknown(reason, sent.place))
        if self.transactions.current is None:
            end_local(self.builder)
            self.builder.log.forget()
        return answer

    def miss(self, unresolved: Unresolved, subject: Subject | None) -> None:
        self.told.unresolved[unresolved] = None
        if subject is not None and subject.action == "create others":
            self.doubts.add_maker(unresolved)
            return
        if subject is not None and subject.action == "roles":
            self.doubts.add_roles(unresolved)
            return
        subjects: tuple[QName, ...] = ()
        if subject is not None:
            schema, _, name = subject.name.rpartition(".")
            found = self.builder.find_relation(name, subject.schema or schema or None)
            default = QName(subject.schema or schema or self.builder.current_schema or "public", name)
            subjects = (found[0] if found else default,)
        self._note_effect(UnknownEffect(unresolved.place, unresolved.service, unresolved.reason, subjects))

    def has_table(self, schema: str | None, name: str) -> bool | Unknown:
        """information_schema.tables: tables and views, of the current schema where none is given."""
        relation = QName(schema or self.builder.current_schema or "public", name)
        if self.builder.relation_kind(relation) in ("table", "partitioned table", "foreign table", "view"):
            return True
        return Unknown(self.doubts.relations[relation]) if relation in self.doubts.relations else False

    def has_column(self, schema: str | None, table: str, column: str) -> bool | Unknown:
        relation = QName(schema or self.builder.current_schema or "public", table)
        found = self.builder.tables.get(relation)
        if found is not None:
            return found.column(column) is not None
        view = self.builder.views.get(relation)
        if view is None:
            return False
        if not view.columns:
            return Unknown(f"the columns of the view {relation} are not known")
        return any(each.name == column for each in view.columns)

    # States.

    def mark(self) -> Any:
        return self.builder.log.mark(), self.log.mark()

    def undo(self, mark: Any) -> None:
        self.builder.log.undo_to(mark[0])
        self.log.undo_to(mark[1])

    def begin_session(self, search_path: Sequence[str] = ()) -> None:
        """A new connection: nothing is set but what is kept for its user, and its search path, where one is given."""
        begin_with_kept(self.builder)
        if search_path:
            self.builder.session["search_path"] = tuple(search_path)
        self._first_schema = self.builder.current_schema
        self.transactions.current = None
        self.builder.log.forget()

    def keep_records(self, schema: str | None, table: str) -> None:
        schema = schema or self.builder.current_schema or "public"
        sent = Sent("", "", "up", Place("knex"), creation_of(schema, table), "raw")
        self._records |= set(record_tables(schema, table))
        try:
            for statement in parse(sent.sql):
                self._apply(statement, sent, False, in_block=False)
        except Refused:
            pass  # something else is called so: the run would end here, and its files are on record all the same
        self.builder.log.forget()

    def begin(self) -> None:
        """Knex opens a transaction around a file, or a batch of them."""
        self.transactions.current = Transaction(self.mark())

    def commit(self) -> None:
        self.transactions.current = None
        end_local(self.builder)
        self.builder.log.forget()

    def finds_records(self) -> bool:
        return self._first_schema is None or self._first_schema in self.builder.search_path

    def roll_back(self) -> None:
        """ROLLBACK; what a migration committed by itself in between stays, as it does on a server."""
        current = self.transactions.current
        if current is not None:
            self.undo(current.mark)
        self.transactions.current = None

    @property
    def aborted(self) -> bool:
        """Whether a transaction is open in which an error was."""
        return self.transactions.current is not None and self.transactions.current.aborted

    def finish(self) -> Replayed:
        """Freezes what was replayed."""
        catalog = without_records(self.builder.freeze(), self._records)
        latest = {}
        for version in self.log.functions:
            latest[version.function.name, version.function.argument_types] = version
        versions = (
            FunctionVersion(one.function, latest[one.function.name, one.function.argument_types] is not one)
            for one in self.log.functions
        )
        return self.told.replayed(
            self.builder.database,
            catalog,
            data_changes=tuple(self.log.data_changes),
            functions=tuple(versions),
        )

    # One string.

    def _statements(self, sent: Sent) -> list[Statement]:
        """The statements of a string, with what the protocol refuses before any of them runs."""
        try:
            if sent.prepared is not None:
                prepared = parse(sent.prepared)
                if len(prepared) > 1:
                    raise Refused("42601", "cannot insert multiple commands into a prepared statement")
                if prepared and prepared[0].kind not in _ROWS and "$1" in sent.prepared:
                    raise Refused("08P01", "bind message supplies parameters, but prepared statement requires 0")
            statements = parse(sent.sql)
        except SqlSyntaxError as error:
            self._count(sent, 1)
            raise Refused("42601", error.message) from error
        self._count(sent, len(statements))
        return statements

    def _count(self, sent: Sent, number: int) -> None:
        file = sent.place.file
        self.told.statements[file] = self.told.statements.get(file, 0) + number

    def _run_all(self, statements: list[Statement], sent: Sent, wants_rows: bool) -> Answer:
        """Runs the statements of one string, whose effects are undone where it is refused.

        Where a refusal is in doubt, that statement may well have gone through, and the others with it: they are run
        again without it, as what nothing can tell whether it ran.
        """
        mark = self.mark()
        left_out: set[int] = set()
        while True:
            try:
                return self._run_once(statements, left_out, sent, wants_rows)
            except Refused as refused:
                doubt = sent.gap or self.doubts.about(refused, sent.service)
                if not doubt or len(left_out) + 1 >= min(len(statements), _MOST_LEFT_OUT):
                    raise
                self.undo(mark)
                reason = self._tell_doubt(refused, sent, doubt)
                left_out.add(next(at for at, one in enumerate(statements) if one is self._statement))
                sent = replace(sent, conditional=sent.conditional or reason)

    def _run_once(self, statements: list[Statement], left_out: set[int], sent: Sent, wants_rows: bool) -> Answer:
        mark = self.mark()
        answer = Answer([], command=None)
        try:
            for at, statement in enumerate(statements):
                if at in left_out:
                    continue
                self._statement = statement
                answer = self._run(statement, sent, wants_rows, len(statements) == 1)
                if statement.kind == "transaction_stmt" and self.assume == "applied":
                    if answer.command == "ROLLBACK" and not statement.node.savepoint_name:
                        self.undo(mark)
                    mark = mark if answer.command in ("BEGIN", "START", "SAVEPOINT") else self.mark()
        except Exception:
            self.undo(mark)
            raise
        return answer

    def _run(self, statement: Statement, sent: Sent, wants_rows: bool, alone: bool) -> Answer:
        if statement.kind == "transaction_stmt":
            return self._transaction(statement)
        if self.transactions.current is not None and self.transactions.current.aborted:
            raise aborted()
        # Several statements in one string are a transaction, too (exec_simple_query), whatever is assumed.
        in_transaction = not alone or (self.assume == "fresh" and self.transactions.current is not None)
        self._apply(statement, sent, in_transaction, in_block=False)
        return self._answer(statement, sent, wants_rows)

    def _transaction(self, statement: Statement) -> Answer:
        if self.assume == "fresh":
            back = self.transactions.apply(statement.node, self.mark())
            if back is not None:
                self.undo(back)
            if self.transactions.current is None:
                end_local(self.builder)
        return Answer([], command=statement.text.split(None, 1)[0].upper().rstrip(";"))

    def _apply(self, statement: Statement, sent: Sent, in_transaction: bool, *, in_block: bool) -> None:
        if statement.kind == "do_stmt":
            self._do(statement, sent)
            return
        if statement.kind == "call_stmt":
            self._call(statement, sent)
            return
        handler = handler_of(statement.kind)
        if handler is None:
            self.tell_unknown(sent, f"a statement that is not followed: {statement.text.split(None, 1)[0]}", ())
            return
        applying = Applying(self.builder, self.log, sent, statement, in_transaction, in_block)
        try:
            handler(statement.node, applying)
            memory.follow(statement.kind, statement.node, applying.about, self.builder)
            if statement.kind == "insert_stmt":
                self._refuse_rows(statement.node, sent)
        except Refused as refused:
            if not refused.subjects:
                refused.subjects = tuple(dict.fromkeys(applying.about))
            raise
        except MismatchError as error:
            subjects = tuple(dict.fromkeys(applying.about))
            raise Refused(error.code, error.message, subjects=subjects) from error

    def _refuse_rows(self, node: Any, sent: Sent) -> None:
        """What an INSERT brings that the table cannot hold, where nothing unknown may have changed that."""
        found = self.builder.find_relation(node.relation.relname, node.relation.schemaname or None)
        table = self.builder.tables.get(found[0]) if found is not None else None
        if table is None or table.name in self.doubts.relations or sent.service in self.doubts.services:
            return
        if sent.conditional:
            return
        refuse_nulls(node, table, self.builder)
        if self.doubts.services:
            return
        try:
            refuse_keys(table, self.builder, commits=self.assume == "applied")
        except Refused as refused:
            if self.assume == "fresh":
                raise
            # The history went through: other rows were there than those that migrations put there.
            self._assume(sent, f"{refused.message}, {OTHER_ROWS}")

    def _do(self, statement: Statement, sent: Sent) -> None:
        body = option(statement.node.args, "as")
        language = option(statement.node.args, "language")
        if body is None:
            raise Refused("42601", "no inline code specified")
        text = body.arg.string.sval
        start = statement.offset + len(statement.text[: max(statement.text.find(text), 0)].encode())
        run_do(text, self._host(sent, text, start), option_text(language) if language is not None else "plpgsql")

    def _call(self, statement: Statement, sent: Sent) -> None:
        """CALL: the body of the procedure runs, as that of a function does when it is selected."""
        schema, name = function_name(statement.node.funccall)
        overloads = self.builder.find_functions(name, None if schema == "pg_catalog" else schema)
        (select,) = parse("SELECT" + statement.text[statement.text.lower().index("call") + len("call") :])
        if not any(each.kind == "procedure" for each in overloads):
            if overloads:
                raise Refused("42809", f"{name} is not a procedure")
            raise Refused("42883", f"procedure {name} does not exist")
        rows = run_query(select.node, self._host(sent, statement.text, statement.offset))
        if isinstance(rows, Unknown):
            self.tell_unknown(sent, f"a procedure that is not followed: {rows.reason}", ())

    def _host(self, sent: Sent, body: str, start: int) -> BlockHost:
        return BlockHost(
            self.builder,
            sent,
            body,
            start,
            lambda statement, sent: self._apply(statement, sent, self.assume == "fresh", in_block=True),
            self.mark,
            self.undo,
            lambda reason, subjects: self.tell_unknown(sent, reason, subjects),
            lambda reason: self._assume(sent, reason),
        )

    def _answer(self, statement: Statement, sent: Sent, wants_rows: bool) -> Answer:
        command = statement.text.split(None, 1)[0].upper()
        if statement.kind == "select_stmt":
            if sent.unknown_values is not None:
                return Answer(Unknown(sent.unknown_values, sent.place, True), command=command)
            if not wants_rows and not self._calls_functions(statement):
                return Answer([], command=command)
            rows = run_query(statement.node, self._host(sent, statement.text, statement.offset))
            rows = self._as_fresh(rows, statement.node)
            count = Unknown(rows.reason, rows.place, rows.about_data) if isinstance(rows, Unknown) else len(rows)
            return Answer(rows, command=command, row_count=count)
        if statement.kind == "variable_show_stmt" and statement.node.name != "all":
            name = statement.node.name
            (shown,) = parse(f"SELECT current_setting({quote_literal(name)}) AS {quote_identifier(name)}")
            rows = run_query(shown.node, self._host(sent, shown.text, 0))
            return Answer(rows, command=command, row_count=1)
        if statement.kind in _ROWS:
            unknown = Unknown("the rows of a table", sent.place, True)
            returns = bool(statement.node.HasField("returning_clause"))
            if returns and wants_rows and statement.kind == "insert_stmt":
                returned = returned_rows(statement.node, Session(self.builder))
                return Answer(unknown if returned is None else returned, command=command, row_count=unknown)
            # On a fresh database there is nothing to change: a loop that goes on until nothing is left ends there.
            changed = unknown if statement.kind == "insert_stmt" else Assumed(unknown.reason, sent.place, True, 0)
            return Answer(unknown if returns else [], command=command, row_count=changed)
        return Answer([], command=command)

    def _as_fresh(self, rows: Rows, select: Node) -> Rows:
        """Rows that only data would tell, with those of a fresh database beside them where these are not just none."""
        if isinstance(rows, Unknown):
            if not rows.about_data:
                return rows
            fresh = run_question(select, Session(self.builder, tables_are_empty=True))
            return rows if isinstance(fresh, Unknown) or not fresh else Assumed(rows.reason, rows.place, True, fresh)
        if not any(isinstance(value, Unknown) and value.about_data for row in rows for value in row.values()):
            return rows
        fresh = run_question(select, Session(self.builder, tables_are_empty=True))
        if isinstance(fresh, Unknown) or len(fresh) != len(rows):
            return rows
        return [
            {name: _beside(value, other.get(name)) for name, value in row.items()}
            for row, other in zip(rows, fresh, strict=True)
        ]

    def _calls_functions(self, statement: Statement) -> bool:
        """Whether a SELECT names a function of the user, which may have effects."""
        text = statement.text
        return "(" in text and any(key[0].name in text for key in self.builder.functions)

    # What is told.

    def _takes_for_present(self, refused: Refused, sent: Sent) -> bool:
        """Makes the role that is missing, where somebody other than the migrations has made it."""
        if self.assume != "applied" or sent.gap or self.outside is None:
            return False
        role = missing_role(refused.code, refused.message, self._statement.kind if self._statement else None)
        if role is None or not self.outside.has_role(role, self.builder.roles):
            return False
        self.execute(making_role(role, sent), False)
        self._assume(sent, taken_for_present("role", role))
        return role in self.builder.roles

    def _refused(self, refused: Refused, statement: Statement | None, sent: Sent) -> Answer:
        statement = statement or Statement(sent.sql.strip(), 0, "", None)
        origin = Applying(self.builder, self.log, sent, statement).origin("refused")
        self.told.refusals.append(
            Refusal(origin, refused.code, refused.message, refused.nearest, tuple(dict.fromkeys(refused.subjects)))
        )
        if self.assume == "applied":
            return Answer([], command=None)
        if self.transactions.current is not None:
            self.transactions.current.aborted = True
        self.last_error = SqlError(refused.code, refused.message)
        return Answer([], error=self.last_error)

    def _doubted(self, refused: Refused, sent: Sent, doubt: str) -> Answer:
        """What would be refused, unless something that is not known made what is missed: nothing is claimed."""
        reason = self._tell_doubt(refused, sent, doubt)
        return Answer(Unknown(reason, sent.place), row_count=Unknown(reason))

    def _tell_doubt(self, refused: Refused, sent: Sent, doubt: str) -> str:
        reason = f"{refused.message}{UNLESS}{doubt}"
        self.tell_unknown(sent, reason, tuple(dict.fromkeys(refused.subjects)))
        return reason

    def tell_unknown(self, sent: Sent, reason: str, subjects: tuple[QName, ...]) -> None:
        """Something that may have happened to `subjects`, or to anything."""
        self.told.unresolved[Unresolved(sent.service, sent.place, reason)] = None
        self._note_effect(UnknownEffect(sent.place, sent.service, reason, subjects))

    def _note_effect(self, effect: UnknownEffect) -> None:
        memory.lose_about(self.builder, effect.subjects)
        self.doubts.add(effect)
        self.told.unknown_effects.append(effect)

    def _assume(self, sent: Sent, reason: str) -> None:
        self.told.assumptions[Unresolved(sent.service, sent.place, reason)] = None


def _beside(value: Any, fresh: Any) -> Any:
    """A value with that of a fresh database beside it, where only data would tell."""
    if isinstance(value, Unknown) and value.about_data and not isinstance(fresh, Unknown):
        return Assumed(value.reason, value.place, True, fresh)
    return value
