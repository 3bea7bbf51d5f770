"""A parser for PL/pgSQL, after PostgreSQL's pl_gram.y.

Like PostgreSQL's, it takes SQL as it comes up to the word that has to end it, and leaves its syntax to the SQL parser.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from remediate.sql.parse import SqlSyntaxError
from remediate.sql.plpgsql.cursor import Cursor
from remediate.sql.plpgsql.loops import parse_for, parse_foreach
from remediate.sql.plpgsql.tree import (
    Assert,
    Assign,
    Block,
    Branch,
    Case,
    CursorStatement,
    Declaration,
    Execute,
    Exit,
    GetDiagnostics,
    Handler,
    If,
    Loop,
    Null,
    Perform,
    Raise,
    Return,
    ReturnNext,
    ReturnQuery,
    Sql,
    SqlStatement,
    Statement,
    Target,
    Transaction,
)

_LEVELS: Final = frozenset({"debug", "log", "info", "notice", "warning", "exception"})
_DEEPEST: Final = 100


def parse_block(body: str) -> Block:
    """The outermost block of a body. Raises `SqlSyntaxError` where PostgreSQL would.

    The SQL inside is not parsed: PostgreSQL does that too when it creates a function or runs a DO block, and so must
    the caller who wants to know about it.
    """
    return Parser(body).whole()


class Parser:
    """One body. Statements are dispatched by their first word, as in pl_gram.y's proc_stmt."""

    def __init__(self, body: str) -> None:
        self.cursor = Cursor(body)
        self.depth = 0

    def whole(self) -> Block:
        cursor = self.cursor
        while cursor.accept("#"):
            # `#variable_conflict use_column` and its like.
            cursor.position += 2
        label = self.label()
        block = self.block(label, final=True)
        if cursor.token is not None:
            raise cursor.fail()
        return block

    def label(self) -> str | None:
        if not self.cursor.accept("<<"):
            return None
        name = self.cursor.name()
        self.cursor.expect(">>")
        return name

    def end_label(self) -> None:
        if self.cursor.word() not in (";", ""):
            self.cursor.name()

    def block(self, label: str | None, *, final: bool = False) -> Block:
        cursor, offset = self.cursor, self.cursor.offset
        declarations: list[Declaration] = []
        if cursor.accept("declare"):
            while cursor.word() not in ("begin", ""):
                if cursor.accept("declare"):
                    continue
                declarations.append(self.declaration())
        cursor.expect("begin")
        body = self.statements("end", "exception")
        handlers: list[Handler] = []
        if cursor.accept("exception"):
            while cursor.accept("when"):
                conditions = [self.condition()]
                while cursor.accept("or"):
                    conditions.append(self.condition())
                cursor.expect("then")
                handlers.append(Handler(tuple(conditions), self.statements("when", "end")))
            if not handlers:
                raise cursor.fail()
        cursor.expect("end")
        self.end_label()
        if not (final and cursor.token is None):
            cursor.expect(";")
        return Block(offset, label, tuple(declarations), body, tuple(handlers))

    def condition(self) -> str:
        if self.cursor.word() == "sqlstate":
            self.cursor.position += 1
            return self.string().upper()
        return self.cursor.name()

    def string(self) -> str:
        token = self.cursor.token
        if token is None or token.kind != "SCONST":
            raise self.cursor.fail()
        self.cursor.position += 1
        return unquote(token.text)

    def declaration(self) -> Declaration:
        cursor = self.cursor
        name = cursor.name()
        if cursor.accept("alias", "for"):
            token = cursor.token
            if token is not None and token.kind == "PARAM":
                cursor.position += 1
                alias = token.text
            else:
                alias = cursor.name()
            cursor.expect(";")
            return Declaration(name, "", alias=alias)
        cursor.accept("no")
        cursor.accept("scroll")
        if cursor.accept("cursor"):
            parameters: list[tuple[str, str]] = []
            if cursor.accept("("):
                while not parameters or cursor.accept(","):
                    parameters.append((cursor.name(), cursor.until(",", ")").text))
                cursor.expect(")")
            if not (cursor.accept("for") or cursor.accept("is")):
                raise cursor.fail()
            query = cursor.until(";")
            cursor.expect(";")
            return Declaration(name, "", cursor=query, parameters=tuple(parameters))
        constant = cursor.accept("constant")
        type_name = cursor.until(";", ":=", "=", "default", "not", "collate").text
        if cursor.accept("collate"):
            cursor.target()
        not_null = cursor.accept("not", "null")
        default = None
        if cursor.word() in (":=", "=", "default"):
            cursor.position += 1
            default = cursor.until(";")
        cursor.expect(";")
        return Declaration(name, type_name, default, constant, not_null)

    def statements(self, *stops: str) -> tuple[Statement, ...]:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise SqlSyntaxError("PL/pgSQL that is nested too deeply")
        found: list[Statement] = []
        while self.cursor.word() not in stops:
            if self.cursor.token is None:
                raise self.cursor.fail()
            found.append(self.statement())
        self.depth -= 1
        return tuple(found)

    def statement(self) -> Statement:
        cursor = self.cursor
        label = self.label()
        word, offset = cursor.word(), cursor.offset
        if word in ("declare", "begin"):
            return self.block(label)
        if word in ("loop", "while", "for", "foreach"):
            return self.loop(label, offset)
        handler = _STATEMENTS.get(word)
        if handler is not None and not self.is_assignment():
            cursor.position += 1
            return handler(self, offset)
        if self.is_assignment():
            return self.assignment(offset)
        if word in ("open", "fetch", "move", "close"):
            return self.cursor_statement(offset)
        return self.sql_statement(offset)

    def is_assignment(self) -> bool:
        """`x := …`, `x = …`, `r.x := …`, `a[1] := …`: no SQL statement starts like that."""
        ahead = 1
        while self.cursor.word(ahead) == ".":
            ahead += 2
        if self.cursor.word(ahead) == "[":
            depth = 0
            while self.cursor.word(ahead) != "":
                depth += {"[": 1, "]": -1}.get(self.cursor.word(ahead), 0)
                ahead += 1
                if depth == 0:
                    break
        return self.cursor.word(ahead) in (":=", "=")

    def assignment(self, offset: int) -> Assign:
        target = self.cursor.target()
        self.cursor.position += 1
        value = self.cursor.until(";")
        self.cursor.expect(";")
        return Assign(offset, target, value)

    def loop(self, label: str | None, offset: int) -> Statement:
        cursor = self.cursor
        if cursor.accept("foreach"):
            return parse_foreach(self, label, offset)
        if cursor.accept("for"):
            return parse_for(self, label, offset)
        condition = cursor.until("loop") if cursor.accept("while") else None
        return Loop(offset, label, condition, self.loop_body())

    def loop_body(self) -> tuple[Statement, ...]:
        self.cursor.expect("loop")
        body = self.statements("end")
        self.cursor.expect("end", "loop")
        self.end_label()
        self.cursor.expect(";")
        return body

    def if_statement(self, offset: int) -> If:
        cursor = self.cursor
        branches: list[Branch] = []
        while True:
            condition = cursor.until("then")
            cursor.expect("then")
            branches.append(Branch((condition,), self.statements("elsif", "elseif", "else", "end")))
            if not (cursor.accept("elsif") or cursor.accept("elseif")):
                break
        otherwise = self.statements("end") if cursor.accept("else") else ()
        cursor.expect("end", "if", ";")
        return If(offset, tuple(branches), otherwise)

    def case_statement(self, offset: int) -> Case:
        cursor = self.cursor
        subject = None if cursor.word() == "when" else cursor.until("when")
        branches: list[Branch] = []
        while cursor.accept("when"):
            values = cursor.list_until("then") if subject is not None else (cursor.until("then"),)
            cursor.expect("then")
            branches.append(Branch(values, self.statements("when", "else", "end")))
        if not branches:
            raise cursor.fail()
        otherwise = self.statements("end") if cursor.accept("else") else None
        cursor.expect("end", "case", ";")
        return Case(offset, subject, tuple(branches), otherwise)

    def exit_statement(self, offset: int, *, proceed: bool) -> Exit:
        cursor = self.cursor
        label = None if cursor.word() in (";", "when") else cursor.name()
        condition = cursor.until(";") if cursor.accept("when") else None
        cursor.expect(";")
        return Exit(offset, proceed, label, condition)

    def return_statement(self, offset: int) -> Statement:
        cursor = self.cursor
        if cursor.accept("next"):
            value = None if cursor.word() == ";" else cursor.until(";")
            cursor.expect(";")
            return ReturnNext(offset, value)
        if cursor.accept("query"):
            if cursor.accept("execute"):
                query = cursor.until(";", "using")
                parameters = cursor.list_until(";") if cursor.accept("using") else ()
                cursor.expect(";")
                return ReturnQuery(offset, query, True, parameters)
            query = cursor.until(";")
            cursor.expect(";")
            return ReturnQuery(offset, query, False)
        value = None if cursor.word() == ";" else cursor.until(";")
        cursor.expect(";")
        return Return(offset, value)

    def raise_statement(self, offset: int) -> Raise:
        cursor = self.cursor
        level = cursor.name() if cursor.word() in _LEVELS else "exception"
        message = condition = None
        parameters: tuple[Sql, ...] = ()
        options: list[tuple[str, Sql]] = []
        token = cursor.token
        if token is not None and token.kind == "SCONST":
            message = self.string()
            if cursor.accept(","):
                parameters = cursor.list_until(";", "using")
        elif cursor.word() not in (";", "using"):
            condition = self.condition()
        if cursor.accept("using"):
            while True:
                name = cursor.name()
                if not (cursor.accept("=") or cursor.accept(":=")):
                    raise cursor.fail()
                options.append((name, cursor.until(",", ";")))
                if not cursor.accept(","):
                    break
        cursor.expect(";")
        return Raise(offset, level, message, parameters, condition, tuple(options))

    def assert_statement(self, offset: int) -> Assert:
        condition = self.cursor.until(",", ";")
        if self.cursor.accept(","):
            self.cursor.until(";")
        self.cursor.expect(";")
        return Assert(offset, condition)

    def execute_statement(self, offset: int) -> Execute:
        cursor = self.cursor
        command = cursor.until("into", "using", ";")
        into: tuple[Target, ...] = ()
        strict = False
        parameters: tuple[Sql, ...] = ()
        while cursor.word() in ("into", "using"):
            if cursor.accept("into"):
                strict = cursor.accept("strict")
                into = cursor.targets()
            else:
                cursor.expect("using")
                parameters = cursor.list_until("into", ";")
        cursor.expect(";")
        return Execute(offset, command, into, strict, parameters)

    def perform_statement(self, offset: int) -> Perform:
        query = self.cursor.until(";")
        self.cursor.expect(";")
        # The word PERFORM and the space behind it are one longer than SELECT.
        return Perform(offset, Sql(f"SELECT {query.text}", query.offset - len("SELECT ")))

    def diagnostics_statement(self, offset: int) -> Statement:
        cursor = self.cursor
        if not (cursor.accept("stacked") or cursor.accept("current")):
            pass
        cursor.expect("diagnostics")
        items: list[tuple[Target, str]] = []
        while True:
            target = cursor.target()
            if not (cursor.accept("=") or cursor.accept(":=")):
                raise cursor.fail()
            items.append((target, cursor.name()))
            if not cursor.accept(","):
                break
        cursor.expect(";")
        return GetDiagnostics(offset, tuple(items))

    def transaction_statement(self, offset: int, verb: str) -> Transaction:
        self.cursor.skip_until((";",))
        self.cursor.expect(";")
        return Transaction(offset, verb)

    def null_statement(self, offset: int) -> Null:
        self.cursor.expect(";")
        return Null(offset)

    def cursor_statement(self, offset: int) -> CursorStatement:
        cursor = self.cursor
        verb = cursor.name()
        found = self._open(offset) if verb == "open" else self._fetch(offset, verb)
        cursor.expect(";")
        return found

    def _open(self, offset: int) -> CursorStatement:
        cursor = self.cursor
        name = cursor.name()
        if cursor.accept("("):
            arguments = cursor.arguments()
            cursor.expect(")")
            return CursorStatement(offset, "open", name, arguments=arguments)
        cursor.accept("no")
        cursor.accept("scroll")
        if not cursor.accept("for"):
            return CursorStatement(offset, "open", name)
        if not cursor.accept("execute"):
            return CursorStatement(offset, "open", name, query=cursor.until(";"))
        query = cursor.until(";", "using")
        parameters = cursor.list_until(";") if cursor.accept("using") else ()
        return CursorStatement(offset, "open", name, query=query, dynamic=True, parameters=parameters)

    def _fetch(self, offset: int, verb: str) -> CursorStatement:
        """FETCH and MOVE with their direction, and CLOSE."""
        cursor = self.cursor
        start = cursor.position
        cursor.skip_until((";", "into"))
        words = [cursor.word(at - cursor.position) for at in range(start, cursor.position)]
        direction = words[: next((at for at, word in enumerate(words) if word in ("from", "in")), len(words) - 1)]
        cursor.position -= 1
        name = cursor.name()
        into = cursor.targets() if cursor.accept("into") else ()
        return CursorStatement(offset, verb, name, into, next=direction in ([], ["next"], ["forward"]))

    def sql_statement(self, offset: int) -> SqlStatement:
        """Any other statement; INTO is taken out of it wherever it stands, except in INSERT INTO and MERGE INTO."""
        cursor = self.cursor
        start = cursor.position
        first = cursor.word()
        if first in ("end", "else", "elsif", "then", "when", "exception", ";", "\0"):
            raise cursor.fail()
        into: tuple[Target, ...] = ()
        strict = False
        cuts: list[tuple[int, int]] = []
        while True:
            end = cursor.skip_until((";", "into"))
            if cursor.word() == ";":
                break
            previous = cursor.word(-1)
            if previous in ("insert", "merge") or first == "import" or into:
                cursor.position += 1
                continue
            at = cursor.offset
            cursor.position += 1
            strict = cursor.accept("strict")
            into = cursor.targets()
            cuts.append((at, cursor.tokens[cursor.position - 1].end))
        piece = cursor.piece(start, end)
        text = piece.text
        for at, to in cuts:
            at, to = at - piece.offset, to - piece.offset
            text = text[:at] + " " * (to - at) + text[to:]
        cursor.expect(";")
        return SqlStatement(offset, Sql(text, piece.offset), into, strict)


_STATEMENTS: Final[dict[str, Callable[[Parser, int], Statement]]] = {
    "if": Parser.if_statement,
    "case": Parser.case_statement,
    "exit": lambda parser, offset: parser.exit_statement(offset, proceed=False),
    "continue": lambda parser, offset: parser.exit_statement(offset, proceed=True),
    "return": Parser.return_statement,
    "raise": Parser.raise_statement,
    "assert": Parser.assert_statement,
    "execute": Parser.execute_statement,
    "perform": Parser.perform_statement,
    "get": Parser.diagnostics_statement,
    "commit": lambda parser, offset: parser.transaction_statement(offset, "commit"),
    "rollback": lambda parser, offset: parser.transaction_statement(offset, "rollback"),
    "null": Parser.null_statement,
}


def unquote(literal: str) -> str:
    """The value of a string literal of any form."""
    if literal.startswith("$"):
        tag = literal.index("$", 1) + 1
        return literal[tag:-tag]
    if literal[:1] in "eE":
        inner = literal[2:-1].replace("''", "'")
        return inner.replace("\\n", "\n").replace("\\t", "\t").replace("\\'", "'").replace("\\\\", "\\")
    return literal[literal.index("'") + 1 : -1].replace("''", "'")
