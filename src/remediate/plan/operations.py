"""Operations: one reversible change of one object each, with the locks that it takes.

An operation knows its SQL in both directions; what decides whether it is wanted lives in the planners. Locks are those
of the PostgreSQL manual ("Explicit Locking") and were tried on a server: CREATE, ALTER and DROP POLICY, ENABLE and
FORCE ROW LEVEL SECURITY take ACCESS EXCLUSIVE, CREATE TRIGGER takes SHARE ROW EXCLUSIVE.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from remediate.replay.catalog import Command, Policy, QName
from remediate.sql.quote import Identifier, Literal, QualifiedName

ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"


class Lock(NamedTuple):
    relation: QName
    mode: str


STRENGTH = ("ROW EXCLUSIVE", SHARE_ROW_EXCLUSIVE, ACCESS_EXCLUSIVE)
"""The modes that operations take, the weakest first."""


def strongest(locks: Iterable[Lock]) -> tuple[Lock, ...]:
    """Of each relation the one lock that shuts out most."""
    found: dict[QName, Lock] = {}
    for lock in locks:
        known = found.get(lock.relation)
        if known is None or STRENGTH.index(lock.mode) > STRENGTH.index(known.mode):
            found[lock.relation] = lock
    return tuple(found.values())


def sql_name(name: QName) -> str:
    """The schema-qualified name, quoted where it needs quotes."""
    return QualifiedName(name.schema, name.name).sql()


class Operation:
    """What the subclasses answer. `up` and `down` are lists of single statements without a final semicolon."""

    def up(self) -> tuple[str, ...]:
        raise NotImplementedError

    def down(self) -> tuple[str, ...]:
        raise NotImplementedError

    def locks(self) -> tuple[Lock, ...]:
        return ()

    def subject(self) -> str:
        """What the comment above it in an emitted file calls it."""
        raise NotImplementedError

    def purpose(self) -> str:
        """What that comment says of it beside its subject, if the statements do not say it themselves."""
        return ""


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A policy as it should be; the same fields as in the catalog, without its history."""

    table: QName
    name: str
    command: Command
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    check: str | None

    @classmethod
    def of(cls, policy: Policy) -> PolicyState:
        return cls(
            policy.table, policy.name, policy.command, policy.permissive, policy.roles, policy.using, policy.check
        )

    def create(self) -> str:
        """CREATE POLICY in full; clauses at their defaults (PERMISSIVE, FOR ALL, TO PUBLIC) are left out."""
        lines = [f"CREATE POLICY {Identifier(self.name).sql()} ON {sql_name(self.table)}"]
        if not self.permissive:
            lines.append("  AS RESTRICTIVE")
        if self.command != "all":
            lines.append(f"  FOR {self.command.upper()}")
        if self.roles != ("public",):
            lines.append(f"  TO {_roles(self.roles)}")
        return "\n".join([*lines, *_clauses(self.using, self.check)])

    def drop(self, *, if_exists: bool = False) -> str:
        clause = "IF EXISTS " if if_exists else ""
        return f"DROP POLICY {clause}{Identifier(self.name).sql()} ON {sql_name(self.table)}"


def _roles(roles: tuple[str, ...]) -> str:
    return ", ".join("PUBLIC" if role == "public" else Identifier(role).sql() for role in roles)


def _clauses(using: str | None, check: str | None) -> list[str]:
    lines = []
    if using is not None:
        lines.append(f"  USING ({_indented(using)})")
    if check is not None:
        lines.append(f"  WITH CHECK ({_indented(check)})")
    return lines


def _indented(expression: str) -> str:
    return expression.replace("\n", "\n  ")


@dataclass(frozen=True, slots=True)
class CreatePolicy(Operation):
    """A policy of a new name: where that is taken, CREATE POLICY raises.

    With a `mark` it can be run again after a failure of what comes later: what an earlier run has made is told by its
    comment, and made anew. `down` needs no mark: it runs where `up` has, all of it, so that the policy is ours.
    """

    policy: PolicyState
    mark: str | None = None

    def up(self) -> tuple[str, ...]:
        if self.mark is None:
            return (self.policy.create(),)
        table, name, mark = sql_name(self.policy.table), self.policy.name, Literal(self.mark).sql()
        return (
            f"""DO $remediate$
  BEGIN
    IF EXISTS (
      SELECT 1 FROM pg_catalog.pg_policy
      WHERE polrelid = {Literal(table).sql()}::regclass AND polname = {Literal(name).sql()}
        AND pg_catalog.obj_description(oid, 'pg_policy') = {mark}
    ) THEN
      {self.policy.drop()};
    END IF;
  END
  $remediate$""",
            self.policy.create(),
            f"COMMENT ON POLICY {Identifier(name).sql()} ON {table} IS {mark}",
        )

    def down(self) -> tuple[str, ...]:
        return (self.policy.drop(if_exists=self.mark is not None),)

    def locks(self) -> tuple[Lock, ...]:
        return (Lock(self.policy.table, ACCESS_EXCLUSIVE),)

    def subject(self) -> str:
        return str(self.policy.table)


@dataclass(frozen=True, slots=True)
class AlterPolicy(Operation):
    """ALTER POLICY where that can express the change, else DROP and CREATE.

    ALTER POLICY changes roles, USING and WITH CHECK, but neither the command nor PERMISSIVE, and it cannot take a
    clause away again; dropping and creating within one transaction leaves no moment without the policy.
    """

    before: PolicyState
    after: PolicyState

    def up(self) -> tuple[str, ...]:
        return _change_policy(self.before, self.after)

    def down(self) -> tuple[str, ...]:
        return _change_policy(self.after, self.before)

    def locks(self) -> tuple[Lock, ...]:
        return (Lock(self.before.table, ACCESS_EXCLUSIVE),)

    def subject(self) -> str:
        return str(self.before.table)


def _change_policy(before: PolicyState, after: PolicyState) -> tuple[str, ...]:
    takes_away = (before.using and not after.using) or (before.check and not after.check)
    if before.command != after.command or before.permissive != after.permissive or takes_away:
        return (before.drop(), after.create())
    lines = [f"ALTER POLICY {Identifier(before.name).sql()} ON {sql_name(before.table)}"]
    if before.roles != after.roles:
        lines.append(f"  TO {_roles(after.roles)}")
    using = after.using if after.using != before.using else None
    check = after.check if after.check != before.check else None
    return ("\n".join([*lines, *_clauses(using, check)]),)


@dataclass(frozen=True, slots=True)
class EnableRls(Operation):
    table: QName

    def up(self) -> tuple[str, ...]:
        return (f"ALTER TABLE {sql_name(self.table)} ENABLE ROW LEVEL SECURITY",)

    def down(self) -> tuple[str, ...]:
        return (f"ALTER TABLE {sql_name(self.table)} DISABLE ROW LEVEL SECURITY",)

    def locks(self) -> tuple[Lock, ...]:
        return (Lock(self.table, ACCESS_EXCLUSIVE),)

    def subject(self) -> str:
        return str(self.table)


@dataclass(frozen=True, slots=True)
class ForceRls(Operation):
    table: QName

    def up(self) -> tuple[str, ...]:
        return (f"ALTER TABLE {sql_name(self.table)} FORCE ROW LEVEL SECURITY",)

    def down(self) -> tuple[str, ...]:
        return (f"ALTER TABLE {sql_name(self.table)} NO FORCE ROW LEVEL SECURITY",)

    def locks(self) -> tuple[Lock, ...]:
        return (Lock(self.table, ACCESS_EXCLUSIVE),)

    def subject(self) -> str:
        return str(self.table)


@dataclass(frozen=True, slots=True)
class ReplaceFunction(Operation):
    """CREATE OR REPLACE with the new text; `down` puts the old text back. Both texts are whole statements.

    Its arguments and return type stay as they are: PostgreSQL refuses to replace those (42P13).
    """

    name: QName
    before: str
    after: str

    def up(self) -> tuple[str, ...]:
        return (self.after,)

    def down(self) -> tuple[str, ...]:
        return (self.before,)

    def subject(self) -> str:
        return f"function {self.name}"


@dataclass(frozen=True, slots=True)
class CreateFunction(Operation):
    """A function of a new name. `signature` is its qualified name with argument types, ready for DROP FUNCTION.

    With a `mark`, `statement` is CREATE OR REPLACE, and can be run again: it raises where a function of that name has
    another comment, or none.
    """

    name: QName
    statement: str
    signature: str
    mark: str | None = None

    def up(self) -> tuple[str, ...]:
        if self.mark is None:
            return (self.statement,)
        mark, procedure = Literal(self.mark).sql(), Literal(self.signature).sql()
        message = Literal(f"{self.name} is there already, and this migration did not create it").sql()
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
            self.statement,
            f"COMMENT ON FUNCTION {self.signature} IS {mark}",
        )

    def down(self) -> tuple[str, ...]:
        return (f"DROP FUNCTION {'IF EXISTS ' if self.mark else ''}{self.signature}",)

    def subject(self) -> str:
        return f"function {self.name}"


@dataclass(frozen=True, slots=True)
class ReplaceTrigger(Operation):
    """The same trigger with another function. DROP and CREATE, which every supported version of PostgreSQL has."""

    table: QName
    name: str
    before: str
    after: str

    def up(self) -> tuple[str, ...]:
        return (self._drop(), self.after)

    def down(self) -> tuple[str, ...]:
        return (self._drop(), self.before)

    def _drop(self) -> str:
        return f"DROP TRIGGER {Identifier(self.name).sql()} ON {sql_name(self.table)}"

    def locks(self) -> tuple[Lock, ...]:
        return (Lock(self.table, ACCESS_EXCLUSIVE),)

    def subject(self) -> str:
        return str(self.table)


@dataclass(frozen=True, slots=True)
class RequireTable(Operation):
    """A check that raises unless the table is as the plan took it to be; for findings that something may have tainted.

    `columns` must exist, the flags and the set of policies must be these. `down` needs no check: it undoes `up` only.
    """

    table: QName
    columns: tuple[str, ...]
    rls_enabled: bool
    rls_forced: bool
    policies: tuple[str, ...]

    def up(self) -> tuple[str, ...]:
        table = Literal(sql_name(self.table)).sql()
        names = ", ".join(Literal(name).sql() for name in sorted(self.policies))
        columns = ", ".join(Literal(name).sql() for name in self.columns)
        missing = (
            f"""    IF EXISTS (
      SELECT FROM unnest(ARRAY[{columns}]::name[]) AS wanted(name)
      WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute
        WHERE attrelid = pg_catalog.to_regclass({table}) AND attname = wanted.name AND NOT attisdropped
      )
    ) THEN
      RAISE EXCEPTION '% has not the columns that this migration was planned for', {table};
    END IF;
"""
            if columns
            else ""
        )
        return (
            f"""DO $remediate$
  BEGIN
    IF pg_catalog.to_regclass({table}) IS NULL THEN
      RAISE EXCEPTION '% does not exist here; this migration was planned for a database that has it', {table};
    END IF;
{missing}    IF (
      SELECT relrowsecurity <> {_bool(self.rls_enabled)} OR relforcerowsecurity <> {_bool(self.rls_forced)}
      FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass({table})
    ) THEN
      RAISE EXCEPTION 'row level security of % is not as this migration was planned for', {table};
    END IF;
    IF ARRAY(
      SELECT polname FROM pg_catalog.pg_policy
      WHERE polrelid = pg_catalog.to_regclass({table}) ORDER BY polname COLLATE "C"
    ) IS DISTINCT FROM ARRAY[{names}]::name[] THEN
      RAISE EXCEPTION 'the policies of % are not those that this migration was planned for', {table};
    END IF;
  END
  $remediate$""",
        )

    def down(self) -> tuple[str, ...]:
        return ()

    def subject(self) -> str:
        return str(self.table)


def _bool(value: bool) -> str:
    return "true" if value else "false"
