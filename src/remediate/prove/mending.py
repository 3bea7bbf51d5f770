"""Making what a string of a history was refused for want of, from what PostgreSQL says and from the string.

Types of columns are taken from the referencing side: from foreign keys, then from what they are compared with, then
from columns of the same name. Messages are read in English: where a server speaks otherwise, nothing is stubbed, and
what it refuses is told as ever.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from remediate.evaluate.knex.session import SqlError
from remediate.evaluate.model import Sent
from remediate.postgres.wire import Wire
from remediate.prove.model import Stub, StubKind
from remediate.prove.stubs import Stubs, StubTable, insert_sql, statements_of
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier, QualifiedName
from remediate.sql.references import (
    Column,
    Name,
    calls,
    column_names,
    comparisons,
    conflict_columns,
    foreign_keys,
    relations,
    selected_alone,
    trigger_function,
    with_bodies,
)

WANTS: Final = frozenset(("42P01", "42703", "42830", "42804", "42883", "42704", "3F000", "42P10", "42803", "23503"))
"""SQLSTATEs of strings that may lack something of another service."""
_MOST = 2000

_EXTENSIONS = {
    "uuid-ossp": r"uuid_generate_v\w+|uuid_n\w+",
    "pgcrypto": r"gen_random_bytes|crypt|gen_salt|digest|hmac|pgp_\w+|encrypt|decrypt",
    "pg_trgm": r"similarity|word_similarity|g(in|ist)_trgm_ops",
    "btree_gin": r"(uuid|int4|text)_gin_ops",
    "citext": "citext",
    "hstore": "hstore",
    "ltree": "ltree",
    "vector": "vector|vector_\\w+_ops",
    "postgis": r"geometry|geography|st_\w+",
    "unaccent": "unaccent",
}
"""What extensions bring, by their functions, types and operator classes; one service of several creates them."""

_MISSING = (
    ("42P01", re.compile(r'relation "(?P<name>.+)" does not exist')),
    ("3F000", re.compile(r'schema "(?P<schema>.+)" does not exist')),
    ("42703", re.compile(r'column "(?P<column>.+)" of relation "(?P<name>.+)" does not exist')),
    ("42703", re.compile(r'column "(?P<column>.+)" (?:referenced in foreign key constraint )?does not exist')),
    ("42703", re.compile(r"column (?P<alias>[^ .]+)\.(?P<column>[^ ]+) does not exist")),
    ("42830", re.compile(r'there is no unique constraint matching given keys for referenced table "(?P<keyed>.+)"')),
    ("42704", re.compile(r'there is no primary key for referenced table "(?P<keyed>.+)"')),
    ("42804", re.compile(r'foreign key constraint ".+" cannot be implemented(?P<foreign>)')),
    ("42804", re.compile(r'column "(?P<assigned>.+)" is of type .+ but expression is of type (?P<type>.+)')),
    ("42804", re.compile(r"argument of \S+(?: \S+)? must be type (?P<needed>\w+), not type (?P<has>.+)")),
    ("42883", re.compile(r"operator does not exist: (?P<left>.+?) (?P<operator>[-+*/<>=~!@#%^&|`?]+) (?P<right>.+)")),
    ("42883", re.compile(r"function (?P<function>[^(]+)\((?P<arguments>.*)\) does not exist")),
    ("42704", re.compile(r'type "(?P<kind>.+)" does not exist')),
    ("42704", re.compile(r'operator class "(?P<function>.+)" does not exist for access method ".+"')),
    ("42P10", re.compile(r"there is no unique or exclusion constraint matching the ON CONFLICT(?P<conflict>)")),
    ("42803", re.compile(r'column "(?P<grouped>.+)\..+" must appear in the GROUP BY clause')),
    ("23503", re.compile(r".* violates foreign key constraint (?P<parent>)")),
)

_ABSENT = re.compile(r'Key \(.+\)=\((?P<values>.*)\) is not present in table "(?P<table>.+)"\.')

_BY_FUNCTION = {
    "numeric": (
        "sum",
        "avg",
        "round",
        "ceil",
        "ceiling",
        "floor",
        "abs",
        "trunc",
        "stddev",
        "variance",
        "power",
        "percentile_cont",
    ),
    "timestamp with time zone": ("date_trunc", "date_part", "extract", "age", "to_char", "timezone"),
    "jsonb": (
        "jsonb_array_elements",
        "jsonb_each",
        "jsonb_array_length",
        "jsonb_extract_path_text",
        "jsonb_object_keys",
    ),
}
_BY_NAME = (
    (re.compile(r"_at$|^date$|_date$|_time$|^timestamp$|_until$"), "timestamp with time zone"),
    (re.compile(r"^(is|has|can|was)_|_enabled$|^(active|success|enabled|verified)$"), "boolean"),
    (re.compile(r"(^|_)(amount|price|total|cents|fee|quantity|count|percentage|rate|balance|value)(_|$)"), "numeric"),
    (re.compile(r"(^|_)(metadata|settings|config|preferences|data|payload)$"), "jsonb"),
)


def mend(stubs: Stubs, wire: Wire, sent: Sent, error: SqlError) -> bool:
    """Makes what the string was refused for want of; False where that is nothing of another service's.

    The session is outside of a transaction, and the string may be sent again afterwards.
    """
    if error.code not in WANTS or stubs.made >= _MOST:
        return False
    for code, pattern in _MISSING:
        found = pattern.match(error.message)
        if code == error.code and found is not None:
            named = {key: text for key, text in found.groupdict().items() if text is not None}
            mended = _Mending(stubs, wire, sent, named, error.detail).mend()
            stubs.made += mended
            return mended
    return False


class _Mending:
    """One refusal."""

    def __init__(self, stubs: Stubs, wire: Wire, sent: Sent, named: dict[str, str], detail: str) -> None:
        self._stubs = stubs
        self._wire = wire
        self._sent = sent
        self._named = named
        self._detail = detail
        self._statements = with_bodies(statements_of(sent.sql))

    def mend(self) -> bool:
        named = self._named
        if "schema" in named:
            return self._make("schema", named["schema"], f"CREATE SCHEMA {Identifier(named['schema']).sql()}")
        if "column" in named:
            return self._add_column(named["column"], self._owner_of_column(named))
        if "name" in named:
            return self._make_table(named["name"])
        if "keyed" in named:
            return self._add_keys(named["keyed"])
        if "foreign" in named:
            return self._align_keys()
        if "parent" in named:
            return self._add_row()
        if "needed" in named:
            # Which of its columns is meant is not said: those of that type that the string names.
            columns = [column for one in self._statements for column in column_names(one)]
            return self._retype_by_name(columns, named["has"], named["needed"])
        if "assigned" in named:
            return self._retype([(None, named["assigned"])], named["type"])
        if "operator" in named:
            return self._mend_operator(named["operator"], named["left"], named["right"])
        if "function" in named:
            return self._mend_function(named["function"].rpartition(".")[2])
        if "kind" in named:
            return self._make_type(named["kind"])
        if "conflict" in named:
            return any(self._make_unique(*found) for one in self._statements if (found := conflict_columns(one)))
        if "grouped" in named:
            table = self._stub_behind(named["grouped"])
            return table is not None and "id" in self._stubs.tables[table].columns and self._add_key(table, ("id",))
        return False

    # Tables.

    def _make_table(self, written: str) -> bool:
        schema, _, name = written.rpartition(".")
        if self._stubs.is_of_history("relation", name):
            return False
        sql = QualifiedName(schema, name).sql()
        if self._wire.send(f"CREATE TABLE {sql} ()").error is not None:
            return False
        where = self._wire.ask(
            "SELECT relnamespace::regnamespace::text AS s FROM pg_class WHERE oid = $1::regclass", [sql]
        )
        table = QName(where[0]["s"], name)
        self._stubs.tables[table] = StubTable(places=[self._sent.place])
        self._follow_keys(table)
        self._follow_selects(table)
        return True

    def _follow_selects(self, table: QName) -> None:
        """What is selected from it alone is its own: PostgreSQL would find `id` in a query around, and be content."""
        outer = f"{_singular(table.name)}_id"
        for statement in self._statements:
            for name, columns in selected_alone(statement):
                for column in columns if self._is(table, name) else ():
                    if column != outer and column not in self._stubs.tables[table].columns:
                        self._set_column(table, column, self._guess(table, column))

    def _follow_keys(self, table: QName) -> bool:
        """The columns that foreign keys of the string refer to, each with the type of the referencing side."""
        changed = False
        for statement in self._statements:
            for key in foreign_keys(statement):
                if not self._is(table, key.parent):
                    continue
                columns = key.parent_columns or ("id",)
                if len(columns) != len(key.columns):
                    continue
                for column, own, kind in zip(columns, key.columns, key.types, strict=True):
                    kind = kind or self._type_of(key.table, own)
                    if kind is not None:
                        changed = self._set_column(table, column, kind) or changed
                changed = self._add_key(table, columns) or changed
        return changed

    def _add_keys(self, name: str) -> bool:
        table = self._stub_called(name)
        return table is not None and self._follow_keys(table)

    def _align_keys(self) -> bool:
        parents = {key.parent for one in self._statements for key in foreign_keys(one)}
        stubs = [table for table in self._stubs.tables if any(self._is(table, parent) for parent in parents)]
        changed = [self._follow_keys(table) for table in stubs]
        return any(changed)

    def _add_row(self) -> bool:
        """The row that a row of the history refers to, in a stub: production has it from another service."""
        found = _ABSENT.fullmatch(self._detail)
        table = self._stub_called(found["table"].rpartition(".")[2]) if found else None
        if found is None or table is None:
            return False
        values = found["values"].split(", ")
        # The detail names the columns that refer, not those that are referred to.
        key = next((key for key in self._stubs.tables[table].keys if len(key) == len(values)), None)
        row = dict(zip(key or (), values, strict=False))
        if not row or row in self._stubs.tables[table].rows:
            return False
        if self._wire.send(insert_sql(table, row)).error is not None:
            return False
        self._stubs.tables[table].rows.append(row)
        return True

    def _make_unique(self, written: Name, columns: tuple[str, ...]) -> bool:
        table = self._stub_called(written[1])
        return table is not None and self._add_key(table, columns)

    def _add_key(self, table: QName, columns: tuple[str, ...]) -> bool:
        known = self._stubs.tables[table]
        if columns in known.keys or any(column not in known.columns for column in columns):
            return False
        known.keys.append(columns)
        self._wire.send(f"ALTER TABLE {QualifiedName(*table).sql()} ADD {known.key_sql(columns)}")
        return True

    # Columns.

    def _owner_of_column(self, named: dict[str, str]) -> QName | None:
        if "name" in named:
            return self._stub_called(named["name"].rpartition(".")[2])
        if "alias" in named:
            return self._stub_behind(named["alias"])
        for statement in self._statements:
            for key in foreign_keys(statement):
                table = self._stub_called(key.parent[1])
                if table is not None and named["column"] in key.parent_columns:
                    return table
        stubs = [stub for alias in self._aliases() if (stub := self._stub_behind(alias)) is not None]
        return stubs[0] if stubs else None

    def _add_column(self, column: str, table: QName | None) -> bool:
        if table is None or column in self._stubs.tables[table].columns:
            return False
        if self._follow_keys(table) and column in self._stubs.tables[table].columns:
            return True
        return self._set_column(table, column, self._guess(table, column))

    def _set_column(self, table: QName, column: str, kind: str) -> bool:
        known = self._stubs.tables[table].columns
        if known.get(column) == kind:
            return False
        sql, name = QualifiedName(*table).sql(), Identifier(column).sql()
        # A view may stand in the way of another type: then the next round begins with the right one.
        change = f"ALTER COLUMN {name} TYPE {kind} USING NULL" if column in known else f"ADD COLUMN {name} {kind}"
        new = column not in known
        if self._wire.send(f"ALTER TABLE {sql} {change}").error is not None and new:
            return False
        known[column] = kind
        return True

    def _guess(self, table: QName, column: str) -> str:
        for other, cast in self._compared_with(table, column):
            kind = cast or (self._type_behind(*other) if other is not None else None)
            if kind is not None:
                return kind
        if (kind := self._by_call(table, column)) is not None:
            return kind
        names = [column] if column != "id" else [f"{_singular(table.name)}_id", "id"]
        for name in names:
            if (kind := self._usual_type(name)) is not None:
                return kind
        for pattern, kind in _BY_NAME:
            if pattern.search(column):
                return kind
        return "uuid" if column == "id" or column.endswith("_id") else "text"

    def _compared_with(self, table: QName, column: str) -> Iterator[tuple[Column | None, str | None]]:
        for statement in self._statements:
            for one in comparisons(statement):
                for mine, other in ((one.left, one.right), (one.right, one.left)):
                    if mine is not None and mine[1] == column and self._is_column_of(mine, table):
                        yield other, one.cast if other is None else None

    def _by_call(self, table: QName, column: str) -> str | None:
        for statement in self._statements:
            for name, columns in calls(statement):
                if any(one[1] == column and self._is_column_of(one, table) for one in columns):
                    kind = next((kind for kind, names in _BY_FUNCTION.items() if name in names), None)
                    if kind is not None:
                        return kind
        return None

    def _retype(self, columns: Iterable[Column], kind: str) -> bool:
        changed = False
        for alias, name in columns:
            aliases = [alias] if alias is not None else list(self._aliases())
            for one in aliases:
                table = self._stub_behind(one)
                if table is not None and name in self._stubs.tables[table].columns:
                    changed = self._set_column(table, name, kind) or changed
        return changed

    def _retype_by_name(self, names: Iterable[str], has: str, wanted: str) -> bool:
        """Columns of any stub that have a name and a type: they may be reached through views."""
        changed = False
        for name in dict.fromkeys(names):
            for table, known in self._stubs.tables.items():
                if known.columns.get(name) == has:
                    changed = self._set_column(table, name, wanted) or changed
        return changed

    def _mend_operator(self, operator: str, left: str, right: str) -> bool:
        for statement in self._statements:
            for one in comparisons(statement):
                if one.operator != operator:
                    continue
                for mine, has, wanted in ((one.left, left, right), (one.right, right, left)):
                    if mine is not None and self._has_type(mine, has):
                        if operator.startswith(("->", "#>", "@>", "?")):
                            wanted = "jsonb"
                        if wanted != "unknown" and self._retype([mine], wanted):
                            return True
        return False

    def _has_type(self, column: Column, kind: str) -> bool:
        return any(
            self._stubs.tables[table].columns.get(column[1]) == kind
            for alias in ([column[0]] if column[0] is not None else list(self._aliases()))
            if (table := self._stub_behind(alias)) is not None
        )

    def _mend_function(self, name: str) -> bool:
        for extension, pattern in _EXTENSIONS.items():
            if re.fullmatch(pattern, name):
                return self._make_extension(extension)
        for statement in self._statements:
            function = trigger_function(statement)
            if function is not None and function[1] == name and not self._stubs.is_of_history("function", name):
                sql = QualifiedName(function[0] or "", name).sql()
                text = f"CREATE FUNCTION {sql}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
                return self._make("function", f"{name}()", text)
        for kind, names in _BY_FUNCTION.items():
            if name in names:
                columns = [
                    one for s in self._statements for called, those in calls(s) if called == name for one in those
                ]
                has = self._named["arguments"].partition(",")[0] if "arguments" in self._named else ""
                return self._retype(columns, kind) or self._retype_by_name([one[1] for one in columns], has, kind)
        return False

    # Whatever else.

    def _make_type(self, written: str) -> bool:
        schema, _, name = written.removesuffix("[]").rpartition(".")
        for extension, pattern in _EXTENSIONS.items():
            if re.fullmatch(pattern, name):
                return self._make_extension(extension)
        if self._stubs.is_of_history("type", name) or self._stubs.is_of_history("relation", name):
            return False
        # Of an enum of another service only some labels are known: a domain takes every text.
        return self._make("type", name, f"CREATE DOMAIN {QualifiedName(schema, name).sql()} AS text")

    def _make_extension(self, name: str) -> bool:
        schema = "" if name in ("postgis",) else " SCHEMA public"
        return self._make("extension", name, f"CREATE EXTENSION IF NOT EXISTS {Identifier(name).sql()}{schema}")

    def _make(self, kind: StubKind, name: str, statement: str) -> bool:
        if kind == "schema" and self._stubs.is_of_history("schema", name):
            return False
        if self._wire.send(statement).error is not None:
            return False
        return self._stubs.add_other(Stub(kind, name, (self._sent.place,), statement=statement))

    # Names.

    def _aliases(self) -> Iterator[str]:
        for statement in self._statements:
            yield from relations(statement)

    def _stub_behind(self, alias: str | None) -> QName | None:
        """The stub that an alias of the string stands for."""
        for statement in self._statements:
            for name in relations(statement).get(alias or "", ()):
                if (table := self._stub_called(name[1], name[0])) is not None:
                    return table
        return None

    def _stub_called(self, name: str, schema: str | None = None) -> QName | None:
        for table in self._stubs.tables:
            if table.name == name and schema in (None, table.schema):
                table_ = self._stubs.tables[table]
                if self._sent.place not in table_.places:
                    table_.places.append(self._sent.place)
                return table
        return None

    def _is(self, table: QName, name: Name) -> bool:
        return name[1] == table.name and name[0] in (None, table.schema)

    def _is_column_of(self, column: Column, table: QName) -> bool:
        return column[0] is None or self._stub_behind(column[0]) == table

    # Types that are known here.

    def _type_of(self, table: Name, column: str) -> str | None:
        sql = QualifiedName(table[0] or "", table[1]).sql()
        query = (
            "SELECT format_type(atttypid, atttypmod) AS t FROM pg_attribute"
            " WHERE attrelid = to_regclass($1) AND attname = $2 AND attnum > 0"
        )
        rows = self._wire.ask(query, [sql, column])
        return rows[0]["t"] if rows else None

    def _type_behind(self, alias: str | None, column: str) -> str | None:
        for statement in self._statements:
            known = relations(statement)
            for name in known.get(alias, ()) if alias else (one for those in known.values() for one in those):
                if (kind := self._type_of(name, column)) is not None:
                    return kind
        return None

    def _usual_type(self, column: str) -> str | None:
        """What columns of that name mostly are, Knex's own tables aside."""
        rows = self._wire.ask(
            "SELECT format_type(atttypid, atttypmod) AS t FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid"
            " WHERE attname = $1 AND c.oid >= 16384 AND relkind IN ('r', 'p') AND NOT EXISTS"
            " (SELECT FROM pg_attribute AS k WHERE k.attrelid = c.oid AND k.attname IN ('migration_time', 'is_locked'))"
            " ORDER BY c.oid", [column]
        )  # fmt: skip
        known = Counter(row["t"] for row in rows)
        return known.most_common(1)[0][0] if known else None


def _singular(name: str) -> str:
    return name.removesuffix("ies") + "y" if name.endswith("ies") else name.removesuffix("s")
