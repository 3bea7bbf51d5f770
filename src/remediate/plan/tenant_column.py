"""Operations that give a child table its tenant column: column, filling trigger, backfill.

The file that holds them runs outside one long transaction and can be started again after a failure. So each operation
marks what it creates with the finding's id, goes on where it finds its own mark, and raises where it finds an object
of that name without it; `down` drops only what is marked.
"""

from __future__ import annotations

from dataclasses import dataclass

from remediate.detect.model import Step
from remediate.plan.operations import ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, Lock, Operation, sql_name
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier, Literal, QualifiedName, truncate_identifier

MARK_PREFIX = "remediate:"

BINDING = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for a binding in SQL that is not yet text of a migration: a literal question mark is no binding there."""


@dataclass(frozen=True, slots=True)
class AddMarkedColumn(Operation):
    """A nullable column without default: adding it rewrites nothing."""

    table: QName
    column: str
    type: str
    mark: str

    def up(self) -> tuple[str, ...]:
        table, column = sql_name(self.table), Identifier(self.column).sql()
        message = Literal(f"{self.table}.{self.column} is there already, and this migration did not add it").sql()
        return (
            f"""DO $remediate$
  BEGIN
    IF NOT EXISTS (
      {_attribute(self.table, self.column)}
    ) THEN
      ALTER TABLE {table} ADD COLUMN {column} {self.type};
      COMMENT ON COLUMN {table}.{column} IS {Literal(self.mark).sql()};
    ELSIF (
      {_column_comment(self.table, self.column)}
    ) IS DISTINCT FROM {Literal(self.mark).sql()} THEN
      RAISE EXCEPTION USING MESSAGE = {message};
    END IF;
  END
  $remediate$""",
        )

    def down(self) -> tuple[str, ...]:
        return (
            f"""DO $remediate$
  BEGIN
    IF EXISTS (
      {_attribute(self.table, self.column)}
    ) AND (
      {_column_comment(self.table, self.column)}
    ) = {Literal(self.mark).sql()} THEN
      ALTER TABLE {sql_name(self.table)} DROP COLUMN {Identifier(self.column).sql()};
    END IF;
  END
  $remediate$""",
        )

    def locks(self) -> tuple[Lock, ...]:
        return (Lock(self.table, ACCESS_EXCLUSIVE),)

    def subject(self) -> str:
        return str(self.table)

    def purpose(self) -> str:
        return f"the column {self.column}, empty at first"


def _attribute(table: QName, column: str) -> str:
    regclass = f"{Literal(sql_name(table)).sql()}::regclass"
    return (
        "SELECT 1 FROM pg_catalog.pg_attribute\n"
        f"      WHERE attrelid = {regclass} AND attname = {Literal(column).sql()} AND NOT attisdropped"
    )


def _column_comment(table: QName, column: str) -> str:
    regclass = f"{Literal(sql_name(table)).sql()}::regclass"
    return (
        "SELECT pg_catalog.col_description(attrelid, attnum) FROM pg_catalog.pg_attribute\n"
        f"      WHERE attrelid = {regclass} AND attname = {Literal(column).sql()}"
    )


@dataclass(frozen=True, slots=True)
class FillFromParent(Operation):
    """A trigger that fills the column from the parent's row, for the code that does not know the column yet.

    On UPDATE too: what that code updates before the backfill has come to it moves to a page that the walk may have
    passed already, or did not count.
    """

    table: QName
    column: str
    path: tuple[Step, ...]
    parent_column: str
    mark: str

    @property
    def function(self) -> QName:
        return QName(self.table.schema, truncate_identifier(f"fill_{self.table.name}_{self.column}"))

    def up(self) -> tuple[str, ...]:
        function, table = QualifiedName(*self.function).sql(), sql_name(self.table)
        column = Identifier(self.column).sql()
        trigger = Identifier(self.function.name).sql()
        procedure = Literal(f"{function}()").sql()
        message = Literal(f"{self.function} is there already, and this migration did not create it").sql()
        mark = Literal(self.mark).sql()
        return (
            f"""DO $remediate$
  BEGIN
    IF pg_catalog.to_regprocedure({procedure}) IS NOT NULL AND pg_catalog.obj_description(
      pg_catalog.to_regprocedure({procedure}), 'pg_proc'
    ) IS DISTINCT FROM {mark} THEN
      RAISE EXCEPTION USING MESSAGE = {message};
    END IF;
  END
  $remediate$""",
            f"""CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $fill$
BEGIN
  IF NEW.{column} IS NULL THEN
    SELECT {_last(self.path)}.{Identifier(self.parent_column).sql()} INTO NEW.{column}
    FROM {_joined(self.path)}
    WHERE {_matches(self.path[0], "NEW", "parent_1")};
  END IF;
  RETURN NEW;
END
$fill$""",
            f"COMMENT ON FUNCTION {function}() IS {mark}",
            f"DROP TRIGGER IF EXISTS {trigger} ON {table}",
            f"CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table}\n"
            f"  FOR EACH ROW EXECUTE FUNCTION {function}()",
        )

    def down(self) -> tuple[str, ...]:
        function = QualifiedName(*self.function).sql()
        procedure = Literal(f"{function}()").sql()
        return (
            f"""DO $remediate$
  BEGIN
    IF pg_catalog.obj_description(
      pg_catalog.to_regprocedure({procedure}), 'pg_proc'
    ) = {Literal(self.mark).sql()} THEN
      DROP TRIGGER IF EXISTS {Identifier(self.function.name).sql()} ON {sql_name(self.table)};
      DROP FUNCTION {function}();
    END IF;
  END
  $remediate$""",
        )

    def locks(self) -> tuple[Lock, ...]:
        return (Lock(self.table, ACCESS_EXCLUSIVE), Lock(self.table, SHARE_ROW_EXCLUSIVE))

    def subject(self) -> str:
        return str(self.table)

    def purpose(self) -> str:
        return f"a trigger that fills {self.column} for code that does not know it"


def _last(path: tuple[Step, ...]) -> str:
    return f"parent_{len(path)}"


def _matches(step: Step, child: str, parent: str) -> str:
    pairs = zip(step.columns, step.parent_columns, strict=True)
    return " AND ".join(
        f"{parent}.{Identifier(theirs).sql()} = {child}.{Identifier(own).sql()}" for own, theirs in pairs
    )


def _joined(path: tuple[Step, ...]) -> str:
    """The parents along the path, joined: `public.a AS parent_1 JOIN public.b AS parent_2 ON …`."""
    parts = [f"{sql_name(path[0].parent)} AS parent_1"]
    for number, step in enumerate(path[1:], 2):
        condition = _matches(step, f"parent_{number - 1}", f"parent_{number}")
        parts.append(f"JOIN {sql_name(step.parent)} AS parent_{number} ON {condition}")
    return " ".join(parts)


_RANGE = f"""child.ctid >= format('(%s,0)', {BINDING}::bigint)::tid
    AND child.ctid < format('(%s,0)', {BINDING}::bigint)::tid"""

# A page of the usual 8 kB holds no more than 291 rows: each has a header of 24 bytes, and a pointer of 4.
_EACH = f"""child.ctid = ANY (ARRAY(
      SELECT format('(%s,%s)', page, item)::tid
      FROM generate_series({BINDING}::bigint, {BINDING}::bigint - 1) AS page,
        generate_series(1, current_setting('block_size')::bigint / 28) AS item
    ))"""


@dataclass(frozen=True, slots=True)
class BackfillColumn(Operation):
    """Fills the column of the rows that are there, in batches of pages, each in a transaction of its own.

    Walking the pages of the table ends however many rows have no path to a tenant; a loop "until nothing is NULL"
    would not. Rows that an update moves to other pages have their value by then (see `FillFromParent`).

    An ordinary owner sees no rows of a table under FORCE: where `forced` names tables, a batch takes FORCE off and
    puts it back before it commits, and `row_security = off` turns what would still be hidden into an error instead of
    a silent nothing. PostgreSQL refuses to alter a table with pending trigger events (55006), so that deferred
    triggers fire before FORCE comes back.
    """

    table: QName
    column: str
    path: tuple[Step, ...]
    parent_column: str
    forced: tuple[QName, ...] = ()
    triggers: tuple[str, ...] = ()
    pages: int = 250
    scans_ranges: bool = True
    """Whether the server scans a range of ctid (PostgreSQL 14); an older one would read the whole table each time."""

    @property
    def touched(self) -> tuple[QName, ...]:
        """The table and its parents along the path, each once."""
        return tuple(dict.fromkeys((self.table, *(step.parent for step in self.path))))

    def batch(self) -> tuple[str, ...]:
        """The statements of one batch; the UPDATE has two `BINDING`s, the first page and the one after the last."""
        column = Identifier(self.column).sql()
        release = tuple(f"ALTER TABLE {sql_name(table)} NO FORCE ROW LEVEL SECURITY" for table in self.forced)
        fire = ("SET CONSTRAINTS ALL IMMEDIATE",) if self.forced or self.triggers else ()
        force = tuple(f"ALTER TABLE {sql_name(table)} FORCE ROW LEVEL SECURITY" for table in self.forced)
        update = f"""UPDATE {sql_name(self.table)} AS child
  SET {column} = {_last(self.path)}.{Identifier(self.parent_column).sql()}
  FROM {_joined(self.path)}
  WHERE {_matches(self.path[0], "child", "parent_1")}
    AND child.{column} IS NULL
    AND {_last(self.path)}.{Identifier(self.parent_column).sql()} IS NOT NULL
    AND {_RANGE if self.scans_ranges else _EACH}"""
        off, on = (
            tuple(
                f"ALTER TABLE {sql_name(self.table)} {way} TRIGGER {Identifier(name).sql()}" for name in self.triggers
            )
            for way in ("DISABLE", "ENABLE")
        )
        return ("SET LOCAL row_security = off", *release, *off, update, *fire, *on, *force)

    def batches(self) -> str:
        """The pages of each batch, asked once before the first one: the walk has an end.

        Rows of an answer rather than a number to count up to, and none for an empty table, so that whoever replays the
        file without rows (we, for one) knows that it leaves the schema as it is.
        """
        regclass = Literal(sql_name(self.table)).sql()
        return f"""SELECT page AS first, page + {self.pages} AS past
  FROM pg_catalog.generate_series(
    0, pg_relation_size({regclass}::regclass) / current_setting('block_size')::bigint - 1, {self.pages}
  ) AS batch(page)"""

    def up(self) -> tuple[str, ...]:
        return self.batch()

    def down(self) -> tuple[str, ...]:
        return ()

    def locks(self) -> tuple[Lock, ...]:
        own = Lock(self.table, SHARE_ROW_EXCLUSIVE if self.triggers else "ROW EXCLUSIVE")
        return (own, *(Lock(table, ACCESS_EXCLUSIVE) for table in self.forced))

    def subject(self) -> str:
        return str(self.table)

    def purpose(self) -> str:
        return "the rows that are there, a batch of pages at a time"
