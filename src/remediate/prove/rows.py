"""Rows of two tenants for tables that nobody knows: typed, referring to each other, within every CHECK and key.

No CHECK is interpreted: likely values are proposed, and PostgreSQL says which of them satisfy it. Tables come after
those that they refer to; where references run in a circle, the key of the row to come is reserved, and the row is put
in without the triggers that check it. What could not be filled is told with PostgreSQL's own reason.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from remediate.detect.model import Classification, Facts
from remediate.postgres.wire import Reply, Wire
from remediate.prove.seeing import is_bound, lift
from remediate.prove.shapes import CheckShape, ColumnShape, KeyShape, TableShape, UniqueShape
from remediate.prove.tenants import ROWS, setting_names, tenant_key
from remediate.prove.values import candidates, literals, value
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier, Literal, QualifiedName

Row = dict[str, str | None]

_VALUE = re.compile(r"'(?:[^']|'')*'|\bVALUE\b")
_TRIES = 14
_COMBINATIONS = 4000
_MATCHES = 24


@dataclass(slots=True)
class Filled:
    """The rows that each table took, as text, by number (the first `ROWS` are of the first tenant), and why not."""

    rows: dict[QName, dict[int, Row]] = field(default_factory=dict)
    reasons: dict[QName, str] = field(default_factory=dict)


def fill(wire: Wire, shapes: Mapping[QName, TableShape], facts: Facts) -> Filled:
    """Puts rows of two tenants into every table that takes them. `wire` acts as a superuser or as the owner.

    The rows are committed, those of a table that could not be filled are not there.
    """
    filler = _Filler(wire, shapes, facts)
    wire.query("BEGIN; SET CONSTRAINTS ALL DEFERRED")
    restore = lift(wire) if is_bound(wire) else []
    filler.run()
    for statement in ("SET CONSTRAINTS ALL IMMEDIATE", *restore, "COMMIT"):
        wire.query(statement)
    return filler.filled


class _Filler:
    def __init__(self, wire: Wire, shapes: Mapping[QName, TableShape], facts: Facts) -> None:
        self._wire = wire
        self._facts = facts
        self._shapes = {
            name: shape for name, shape in shapes.items() if not shape.is_partition and not _is_record(facts, name)
        }
        self._by_oid = {shape.oid: shape for shape in shapes.values()}
        self._reserved: dict[QName, dict[int, Row]] = {}
        self.filled = Filled()
        superuser = wire.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        self._without_triggers = superuser == [("t",)]

    def run(self) -> None:
        waiting = list(self._shapes.values())
        done: set[int] = set()
        while waiting:
            ready = [shape for shape in waiting if self._parents(shape) <= done]
            if not ready:
                # References in a circle: first those that may stay empty for now, then the fewest reservations.
                ready = [shape for shape in waiting if self._parents(shape, required=True) <= done][:1]
            if not ready:
                ready = [min(waiting, key=lambda shape: (len(self._parents(shape, required=True) - done), shape.oid))]
            for shape in ready:
                self._fill(shape)
                done.add(shape.oid)
                waiting.remove(shape)

    def _parents(self, shape: TableShape, *, required: bool = False) -> set[int]:
        keys = {
            key.parent
            for key in shape.keys
            if key.parent != shape.oid and key.parent in self._by_oid and (not required or _is_required(shape, key))
        }
        if required:
            return keys
        soft = self._soft(shape)
        return keys | ({self._shapes[soft.parent].oid} if soft and soft.parent in self._shapes else set())

    def _soft(self, shape: TableShape) -> KeyPath | None:
        """The reference without foreign key by which the table belongs to a tenant."""
        found = self._facts.classes.get(shape.name, _UNKNOWN)
        if found.path and found.path[0].soft and found.path[0].parent != shape.name:
            step = found.path[0]
            return KeyPath(step.columns, step.parent, step.parent_columns)
        return None

    def _fill(self, shape: TableShape) -> None:
        rows: dict[int, Row] = {}
        reason = ""
        # A tenant is one row of the table of tenants.
        step = ROWS if shape.name == self._facts.tenancy.root else 1
        for number in range(0, 2 * ROWS, step):
            row, why = _RowMaker(self, shape, number).make()
            if row is not None:
                rows[number] = row
            reason = reason or why
        if not rows:
            rows = self._adopt(shape)
        self.filled.rows[shape.name] = rows
        if not all(any(number // ROWS == tenant for number in rows) for tenant in (0, 1)):
            self.filled.reasons[shape.name] = reason or "it takes no rows"

    def _adopt(self, shape: TableShape) -> dict[int, Row]:
        """Gives a row that the history put there to the first tenant, where the table takes no more rows."""
        column = shape.column(self._facts.tenancy.column)
        if column is None or column.automatic:
            return {}
        table = QualifiedName(*shape.name).sql()
        columns = ", ".join(f"{Identifier(one.name).sql()}::text" for one in shape.columns)
        own = f"{Identifier(column.name).sql()} = {Literal(tenant_key(column, 0)).sql()}"
        reply = self._wire.send(
            f"SAVEPOINT row; UPDATE {table} SET {own} WHERE ctid = (SELECT min(ctid) FROM {table}) RETURNING {columns}",
            wants_rows=True,
        )
        self._wire.send("ROLLBACK TO SAVEPOINT row" if reply.error else "RELEASE SAVEPOINT row")
        return {0: dict(reply.rows[0])} if reply.error is None and reply.rows else {}

    # What the maker of a row asks.

    @property
    def wire(self) -> Wire:
        return self._wire

    @property
    def facts(self) -> Facts:
        return self._facts

    @property
    def without_triggers(self) -> bool:
        return self._without_triggers

    def shape_of(self, oid: int) -> TableShape | None:
        return self._by_oid.get(oid)

    def soft_of(self, shape: TableShape) -> KeyPath | None:
        return self._soft(shape)

    def row_of(self, table: QName, number: int) -> Row | None:
        """The row of that number, or another of the same tenant."""
        rows = self.filled.rows.get(table, {})
        tenant = number // ROWS
        return rows.get(number) or next((row for other, row in rows.items() if other // ROWS == tenant), None)

    def rows_of(self, table: QName, tenant: int) -> list[Row]:
        return [row for number, row in self.filled.rows.get(table, {}).items() if number // ROWS == tenant]

    def is_filled(self, table: QName) -> bool:
        return table in self.filled.rows

    def reserve(self, table: QName, number: int, names: tuple[str, ...]) -> Row:
        """Values for the key of a row that is to come."""
        shape = self._shapes.get(table)
        reserved = self._reserved.setdefault(table, {}).setdefault(number, {})
        for name in names:
            column = shape.column(name) if shape else None
            if column is not None and name not in reserved:
                reserved[name] = value(column, 1000 + number)
        return reserved

    def reserved(self, table: QName, number: int) -> Row:
        return self._reserved.get(table, {}).get(number, {})


@dataclass(frozen=True, slots=True)
class KeyPath:
    columns: tuple[str, ...]
    parent: QName
    parent_columns: tuple[str, ...]


_UNKNOWN = Classification("unknown", "")


def _is_required(shape: TableShape, key: KeyShape) -> bool:
    columns = [shape.column(name) for name in key.columns]
    return all(column is not None and column.required and not column.has_default for column in columns)


def _is_record(facts: Facts, name: QName) -> bool:
    """Knex's own tables, which no tenant's rows stand in."""
    tables = {"knex_migrations", *(service.table_name for service in facts.services)}
    return name.name in tables or name.name.removesuffix("_lock") in tables


class _RowMaker:
    """One row: a first guess, mended by what PostgreSQL complains about until it takes it, or a number of times."""

    def __init__(self, filler: _Filler, shape: TableShape, number: int) -> None:
        self._filler = filler
        self._wire = filler.wire
        self._shape = shape
        self._number = number
        self._tenant = number // ROWS
        self._fixed: set[str] = set()
        self._circular = False
        self._salt = 0

    def make(self) -> tuple[Row | None, str]:
        """The row as the table took it, or None and why not."""
        if not self._shape.columns:
            return None, "it has no columns"
        full = self._first_guess()
        if isinstance(full, str):
            return None, full
        needed = {column.name for column in self._shape.columns if column.required and not column.has_default}
        least = {name: text for name, text in full.items() if name in needed or name in self._fixed}
        why = ""
        quiet = (True,) if self._circular else (False, True)
        for without_triggers in quiet if self._filler.without_triggers else (False,):
            for guess in (full, least) if least != full else (full,):
                reply, row = self._insert(dict(guess), without_triggers)
                if row is not None:
                    return row, ""
                why = why or _sentence(reply)
        return None, why

    def _first_guess(self) -> Row | str:
        shape, number = self._shape, self._number
        row: Row = {}
        for column in shape.writable:
            if not column.has_default:
                row[column.name] = value(column, number)
        row |= self._filler.reserved(shape.name, number)
        self._fixed |= self._filler.reserved(shape.name, number).keys()
        for problem in (self._refer(row), self._refer_softly(row)):
            if problem:
                return problem
        self._name_tenant(row)
        missing = [
            column.name
            for column in shape.writable
            if column.required and not column.has_default and row.get(column.name) is None
        ]
        if missing:
            kind = next(column.type for column in shape.columns if column.name == missing[0])
            return f"no value is known for {missing[0]} of type {kind}"
        return row

    def _refer(self, row: Row) -> str:
        """Foreign keys: the row of the same number in the parent. The reason why there is none, or nothing."""
        for key in self._shape.keys:
            parent = self._filler.shape_of(key.parent)
            if parent is None:
                continue
            if key.parent == self._shape.oid:
                self._refer_to_itself(row, key)
                continue
            there = self._filler.row_of(parent.name, self._number)
            if there is None and not self._filler.is_filled(parent.name) and _is_required(self._shape, key):
                there = self._filler.reserve(parent.name, self._number, key.parent_columns)
                self._circular = True
            if there is None and _is_required(self._shape, key):
                return f"it refers to {parent.name}, which has no rows"
            for own, theirs in zip(key.columns, key.parent_columns, strict=True):
                column = self._shape.column(own)
                if column is None or column.automatic:
                    continue
                row[own] = there.get(theirs) if there else None
                self._fixed.add(own)
        return ""

    def _refer_to_itself(self, row: Row, key: KeyShape) -> None:
        for own, theirs in zip(key.columns, key.parent_columns, strict=True):
            column, target = self._shape.column(own), self._shape.column(theirs)
            if column is None or target is None or own == theirs:
                continue
            if column.required and not column.has_default:
                row.setdefault(theirs, value(target, self._number))
                row[own] = row[theirs]
            else:
                row[own] = None
            self._fixed.add(own)

    def _refer_softly(self, row: Row) -> str:
        soft = self._filler.soft_of(self._shape)
        there = self._filler.row_of(soft.parent, self._number) if soft else None
        if soft is None or there is None:
            return ""
        for own, theirs in zip(soft.columns, soft.parent_columns, strict=True):
            if self._shape.column(own) is not None:
                row[own] = there.get(theirs)
                self._fixed.add(own)
        return ""

    def _name_tenant(self, row: Row) -> None:
        """The tenant column, unless a foreign key filled it already; of the table of tenants its own key."""
        tenancy = self._filler.facts.tenancy
        if self._shape.name == tenancy.root:
            names = next((unique.plain for unique in self._shape.uniques if unique.primary), ())
            if len(names) == 1 and (column := self._shape.column(names[0])):
                row[names[0]] = tenant_key(column, self._tenant)
                self._fixed.add(names[0])
            return
        column = self._shape.column(tenancy.column)
        if column is not None and not column.automatic:
            if tenancy.column not in self._fixed or row.get(tenancy.column) is None or not self._is_reference():
                row[tenancy.column] = tenant_key(column, self._tenant)
            self._fixed.add(tenancy.column)

    def _is_reference(self) -> bool:
        column = self._filler.facts.tenancy.column
        return any(column in key.columns for key in self._shape.keys)

    # What PostgreSQL says to it.

    def _insert(self, row: Row, without_triggers: bool) -> tuple[Reply, Row | None]:
        reply = Reply()
        for _ in range(_TRIES):
            reply = self._send(row, without_triggers)
            if reply.error is None:
                return reply, self._read_back(reply)
            if not self._mend(row, reply):
                break
        return reply, None

    def _send(self, row: Row, without_triggers: bool) -> Reply:
        key = row.get(self._filler.facts.tenancy.column) or tenant_key(_TEXT, self._tenant)
        before = [f"SELECT set_config({Literal(name).sql()}, {Literal(key).sql()}, true)"
                  for name in setting_names(self._filler.facts)]  # fmt: skip
        if without_triggers:
            before.append("SET LOCAL session_replication_role = replica")
        columns = ", ".join(f"{Identifier(column.name).sql()}::text" for column in self._shape.columns)
        query = f"{insertion(self._shape, row)} RETURNING {columns}"
        reply = self._wire.send("; ".join(["SAVEPOINT row", *before, query]), wants_rows=True)
        self._wire.send("ROLLBACK TO SAVEPOINT row" if reply.error else "RELEASE SAVEPOINT row")
        if without_triggers:
            self._wire.send("SET LOCAL session_replication_role = origin")
        return reply

    def _read_back(self, reply: Reply) -> Row:
        # A BEFORE trigger that returns NULL swallows the row without a word.
        return dict(reply.rows[0]) if reply.rows else {}

    def _mend(self, row: Row, reply: Reply) -> bool:
        """Changes the row so that what was complained about is gone; False where nothing is known to do."""
        assert reply.error is not None
        code = reply.error.code
        if code == "23514":
            violated = [check for check in self._shape.checks if check.name == reply.constraint]
            return self._satisfy(row, violated[0]) if violated else self._find_partition(row)
        if code in ("23505", "23P01"):
            unique = next((one for one in self._shape.uniques if one.name == reply.constraint), None)
            return unique is not None and self._differ(row, unique)
        if code == "23502" and reply.column:
            column = self._shape.column(reply.column)
            made = value(column, self._number) if column else None
            if made is None or row.get(reply.column) == made:
                return False
            row[reply.column] = made
            return True
        return False

    def _satisfy(self, row: Row, violated: CheckShape) -> bool:
        """Values for the columns of a check, and of all others that share a column with it."""
        checks, columns = self._connected(violated)
        texts = [check.expression for check in checks]
        known: dict[str, list[str | None]] = {}
        for name in columns:
            shape = self._shape.column(name)
            if shape is None:
                return False
            if name in self._fixed:
                known[name] = self._references(shape, row.get(name))
            else:
                known[name] = list(candidates(shape, texts, self._number, row.get(name)))
        free = [name for name in columns if name not in self._fixed or len(known[name]) > 1]
        held = [name for name in columns if name not in free]
        if not free:
            return False
        pools = [known[name] for name in free]
        most = max(3, int(_COMBINATIONS ** (1 / len(free))))
        rows = list(itertools.islice(itertools.product(*(pool[:most] for pool in pools)), _COMBINATIONS))
        matching = self._ask(checks, free, held, rows, row)
        if not matching:
            return False
        row.update(zip(free, rows[matching[(self._number + self._salt) % len(matching)]], strict=True))
        return True

    def _references(self, column: ColumnShape, current: str | None) -> list[str | None]:
        """What a column that refers to another row may be as well: another row of the same tenant, or none."""
        name = column.name
        if self._circular or name == self._filler.facts.tenancy.column or name in self._filler.reserved(
            self._shape.name, self._number
        ):  # fmt: skip
            return [current]
        found = [current]
        for key in self._shape.keys:
            parent = self._filler.shape_of(key.parent)
            if name in key.columns and parent is not None and parent is not self._shape:
                theirs = key.parent_columns[key.columns.index(name)]
                found += [row.get(theirs) for row in self._filler.rows_of(parent.name, self._tenant)]
        if not column.required:
            found.append(None)
        return list(dict.fromkeys(found))

    def _connected(self, violated: CheckShape) -> tuple[list[CheckShape], list[str]]:
        checks, columns = [violated], list(violated.columns)
        for _ in self._shape.checks:
            for check in self._shape.checks:
                if check not in checks and set(check.columns) & set(columns):
                    checks.append(check)
                    columns += [name for name in check.columns if name not in columns]
        return checks, columns

    def _ask(
        self, checks: list[CheckShape], free: list[str], held: list[str], rows: list[tuple[str | None, ...]], row: Row
    ) -> list[int]:
        """The numbers of the rows that satisfy all the checks, as PostgreSQL evaluates them."""
        names = [*free, *held]
        types = [column.type for name in names if (column := self._shape.column(name))]
        fixed = tuple(row.get(name) for name in held)
        listed = []
        for number, values in enumerate(rows):
            texts = (_cast(text, kind) for text, kind in zip((*values, *fixed), types, strict=True))
            listed.append(f"({number}, {', '.join(texts)})")
        quoted = ", ".join(Identifier(name).sql() for name in names)
        conditions = " AND ".join(f"({_of_value(check)}) IS NOT FALSE" for check in checks)
        query = (
            f'SELECT "#"::text AS n FROM (VALUES {", ".join(listed)}) AS given ("#", {quoted})'
            f' WHERE {conditions} ORDER BY given."#" LIMIT {_MATCHES}'
        )
        reply = self._wire.send(f"SAVEPOINT ask; {query}", wants_rows=True)
        self._wire.send("ROLLBACK TO SAVEPOINT ask")
        return [] if reply.error else [int(found["n"]) for found in reply.rows]

    def _find_partition(self, row: Row) -> bool:
        """The next value of the partition key that a partition is bound by."""
        if len(self._shape.partitioned_by) != 1 or self._shape.partitioned_by[0] in self._fixed:
            return False
        name = self._shape.partitioned_by[0]
        named = list(dict.fromkeys(itertools.chain.from_iterable(map(literals, self._shape.bounds))))
        if self._salt >= len(named):
            return False
        row[name] = named[(self._salt + self._number) % len(named)]
        self._salt += 1
        return True

    def _differ(self, row: Row, unique: UniqueShape) -> bool:
        """Another value in the columns of a unique key."""
        self._salt += 1
        free = [name for name in unique.columns if name not in self._fixed]
        checked = next((check for check in self._shape.checks if set(check.columns) & set(free)), None)
        changed = False
        for name in free:
            column = self._shape.column(name)
            if column is None or column.automatic:
                continue
            if checked is not None and name in checked.columns:
                changed = self._satisfy(row, checked) or changed
                continue
            made = value(column, self._number + 7 * self._salt)
            changed = changed or made != row.get(name)
            row[name] = made
        return changed


_TEXT = ColumnShape("", "text", False, False, False, False, (), None, "S")


def insertion(shape: TableShape, row: Mapping[str, str | None]) -> str:
    """INSERT of one row whose values are given as text; what is not in it gets its default."""
    names = [column.name for column in shape.writable if column.name in row]
    if not names:
        return f"INSERT INTO {QualifiedName(*shape.name).sql()} DEFAULT VALUES"
    columns = ", ".join(Identifier(name).sql() for name in names)
    values = ", ".join(Literal(row[name]).sql() for name in names)
    return f"INSERT INTO {QualifiedName(*shape.name).sql()} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({values})"


def _cast(text: str | None, kind: str) -> str:
    return f"CAST({Literal(text).sql()} AS {kind})"


def _of_value(check: CheckShape) -> str:
    """The expression of a check; that of a domain speaks of VALUE."""
    if len(check.columns) != 1:
        return check.expression
    quoted = Identifier(check.columns[0]).sql()
    return _VALUE.sub(lambda found: found.group() if found.group().startswith("'") else quoted, check.expression)


def _sentence(reply: Reply) -> str:
    if reply.error is None:
        return ""
    name = f" ({reply.constraint})" if reply.constraint and reply.constraint not in reply.error.message else ""
    return f"PostgreSQL refuses a row: {reply.error.message}{name}"
