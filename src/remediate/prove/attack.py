"""Two tenants, one attacker: every statement by which a role could reach rows that are not its tenant's, tried.

Each attempt is rolled back. Where a superuser sets the scene, what reaches for others' rows runs without triggers and
foreign keys, so that nothing but row security and rights stands in the way; what a tenant does with its own rows runs
with all of them. A setting that
was set once in a session is never unset again in it: each kind of session is a connection of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from remediate.postgres.server import Endpoint
from remediate.postgres.wire import Reply, Wire
from remediate.prove.actors import Actors
from remediate.prove.effects import Counts, count_writes, effects_since
from remediate.prove.model import Attempt, Effect, Reach, Role
from remediate.prove.targets import Target
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier, Literal

_WITHOUT_TRIGGERS = "SET LOCAL session_replication_role = replica"
_WITH_TRIGGERS = "SET LOCAL session_replication_role = origin"


@dataclass(frozen=True, slots=True)
class Session:
    """A kind of session, as `Attempt.session` names it, and the settings that it makes, with their values."""

    name: str
    settings: tuple[tuple[str, str], ...]

    def statements(self) -> list[str]:
        return [
            f"SELECT set_config({Literal(name).sql()}, {Literal(value).sql()}, true)" for name, value in self.settings
        ]


@dataclass(frozen=True, slots=True)
class _Try:
    """What is sent for one attempt: statements before the role is taken on, the statement, a question after it.

    `unless` are outcomes of an earlier way to try the same that make this one needless.
    """

    statement: str
    query: str
    before: tuple[str, ...] = ()
    after: str | None = None
    quiet: bool = True
    unless: tuple[str, ...] = ("leak",)


class Attacker:
    """Holds the sessions that attempts run in. `settings` are the names of the tenant setting, the canonical first."""

    def __init__(
        self,
        endpoint: Endpoint,
        database: str,
        actors: Actors,
        settings: Sequence[str],
        targets: Callable[[QName], Target | str],
    ) -> None:
        self.targets = targets
        self._endpoint = endpoint
        self._database = database
        self._settings = tuple(settings)
        self._superuser: bool | None = None
        self._wires: dict[str, Wire] = {}
        self.roles: list[tuple[Role, str]] = [("owner", actors.owner)]
        if actors.application is not None:
            self.roles.insert(0, ("application", actors.application))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for wire in self._wires.values():
            wire.close()
        self._wires.clear()

    def sessions(self, target: Target) -> Iterator[Session]:
        """Each kind of session that is tried on the target, and what it sets: the fewest settings first."""
        first = tuple((name, value) for name, value, _ in target.conditions)
        second = tuple((name, value) for name, _, value in target.conditions)
        name = self._settings[0]
        yield Session("unset", ())
        yield Session("empty", ((name, ""),))
        yield Session("wrong", ((name, target.keys[2]),))
        yield Session("right", ((name, target.keys[0]), *first))
        yield Session("other", ((name, target.keys[1]), *second))
        for legacy in target.legacy:
            yield Session(f"legacy {legacy}", ((legacy, target.keys[0]), *first))

    def wire(self, session: str) -> Wire:
        """The connection for a kind of session, in a transaction with the savepoint that attempts go back to."""
        kind = session if session == "unset" or session.startswith("legacy") else "set"
        if kind not in self._wires:
            self._wires[kind] = Wire(self._endpoint, self._database)
        wire = self._wires[kind]
        if kind == "unset" and not wire.in_transaction and self._is_set(wire):
            wire.close()
            wire = self._wires[kind] = Wire(self._endpoint, self._database)
        if not wire.in_transaction:
            wire.query("BEGIN; SAVEPOINT attempt")
        return wire

    def _is_set(self, wire: Wire) -> bool:
        """Whether something that was called has set a setting in the session in which none is to be set."""
        tests = " OR ".join(f"current_setting({Literal(name).sql()}, true) IS NOT NULL" for name in self._settings)
        return wire.query(f"SELECT {tests}") == [("t",)]

    def forget(self) -> None:
        """Closes the sessions in which something was set: of what is set once there remains an empty text."""
        for kind in [kind for kind in self._wires if kind != "unset"]:
            self._wires.pop(kind).close()

    def rest(self) -> None:
        """Ends all transactions, so that nothing is locked."""
        for wire in self._wires.values():
            if wire.in_transaction:
                wire.query("ROLLBACK")

    def attack(self, target: Target, *, own_only: bool = False) -> Reach:
        """Every attempt on one table, or those of a tenant on its own rows."""
        outcomes: dict[Attempt, str] = {}
        effects: dict[Attempt, tuple[Effect, ...]] = {}
        for role, name in self.roles:
            for session in self.sessions(target):
                for one in _tries(target, session.name):
                    attempt = Attempt(role, session.name, one.statement)
                    if outcomes.get(attempt) in one.unless or (own_only and not one.statement.startswith("own")):
                        continue
                    wire = self.wire(session.name)
                    watched = target.watched and one.statement.startswith("own") and self._is_superuser(wire)
                    if watched:
                        wire.query("ROLLBACK TO SAVEPOINT attempt")
                    before = count_writes(wire) if watched else {}
                    found = self._run(wire, one, name, session, target)
                    outcomes[attempt] = _worse(outcomes.get(attempt), found)
                    if watched and not wire.aborted:
                        effects[attempt] = self._effects(wire, before, session.name, target)
                self.rest()  # the last attempt still holds its locks, and the next session is another connection
        self.forget()
        return Reach(outcomes, effects)

    def opened_by(self, target: Target, values: Iterable[tuple[str, str]]) -> frozenset[tuple[Role, str, str]]:
        """The settings with whose values, and no tenant, a role sees rows of tenants."""
        look = _Try("select", target.select())
        values = list(values)
        found = frozenset(
            (role, setting, value)
            for role, name in self.roles
            for setting, value in values
            if self._run(self.wire("wrong"), look, name, Session("wrong", ((setting, value),)), target) == "leak"
        )
        self.rest()
        self.forget()
        return found

    def _effects(self, wire: Wire, before: Counts, session: str, target: Target) -> tuple[Effect, ...]:
        """What triggers did beside the table itself."""
        seen = effects_since(before, wire, lambda other: own_of(other, session), self.targets)
        return tuple(effect for effect in seen if effect.table != target.shape.name)

    def _run(self, wire: Wire, one: _Try, role: str, session: Session, target: Target) -> str:
        setup = ["ROLLBACK TO SAVEPOINT attempt", *self._prepared(wire, one, target), *session.statements()]
        setup.append(f"SET LOCAL ROLE {Identifier(role).sql()}")
        queries = [*setup, one.query]
        if one.after is not None:
            queries += ["RESET ROLE", *self._lifted(wire, target), one.after]
        reply = wire.send("; ".join(queries), wants_rows=True)
        if reply.error is not None:
            return f"refused {reply.error.code}" if reply.done == len(setup) else "untried"
        return _outcome(one, reply, target, session.name)

    def _prepared(self, wire: Wire, one: _Try, target: Target) -> list[str]:
        """What comes before: as a superuser without triggers and foreign keys, else as an owner whom nothing binds."""
        if self._is_superuser(wire):
            return [_WITHOUT_TRIGGERS, *one.before, *([] if one.quiet else [_WITH_TRIGGERS])]
        if not one.before or not target.forced:
            return list(one.before)
        return [*self._lifted(wire, target), *one.before, f"ALTER TABLE {target.sql} FORCE ROW LEVEL SECURITY"]

    def _lifted(self, wire: Wire, target: Target) -> list[str]:
        if self._is_superuser(wire) or not target.forced:
            return []
        return [f"ALTER TABLE {target.sql} NO FORCE ROW LEVEL SECURITY"]

    def _is_superuser(self, wire: Wire) -> bool:
        if self._superuser is None:
            self._superuser = wire.query("SELECT rolsuper FROM pg_roles WHERE rolname = session_user") == [("t",)]
        return self._superuser


def _outcome(one: _Try, reply: Reply, target: Target, session: str) -> str:
    others = others_of(target, session)
    if one.statement == "select":
        seen = {(row["t"], row["c"]) for row in reply.rows}
        return "leak" if seen & others else "held"
    if one.statement == "own select":
        seen = {(row["t"], row["c"]) for row in reply.rows}
        return rows(len(seen & own_of(target, session)))
    if one.after is not None:
        return "leak" if int(reply.rows[0]["n"]) < len(others) else "held"
    if one.statement.startswith("own"):
        return rows(reply.row_count if isinstance(reply.row_count, int) else 0)
    return "leak" if reply.row_count else "held"


def rows(number: int) -> str:
    """`1 row`, `2 rows`."""
    return "1 row" if number == 1 else f"{number} rows"


def _worse(first: str | None, second: str) -> str:
    """Of two ways to try the same the one that got further."""
    return second if first is None or second == "leak" or first == "untried" else first


def own_of(target: Target, session: str) -> frozenset[tuple[str, str]]:
    """The rows that belong to the tenant of such a session."""
    if session == "other":
        return target.rows[1]
    return target.rows[0] if session == "right" or session.startswith("legacy") else frozenset()


def others_of(target: Target, session: str) -> frozenset[tuple[str, str]]:
    """The rows of tenants that such a session has no business with."""
    return (target.rows[0] | target.rows[1] | target.strangers) - own_of(target, session)


def _tries(target: Target, session: str) -> Iterator[_Try]:
    """What a session tries; the second tenant only looks, but where there are rows of the first one only."""
    yield _Try("select", target.select())
    if session != "other" or not target.rows[1]:
        yield from _reaching(target, session)
    if session == "other" and target.rows[1]:
        yield _Try("own select", target.select(), quiet=False)
    if session == "right" or session.startswith("legacy"):
        yield from _own(target)


def _reaching(target: Target, session: str) -> Iterator[_Try]:
    """What a session tries with rows that are none of its tenant's."""
    others = others_of(target, session)
    count = target.count(others)
    # The tenant that the attacker writes for: in a session of nobody, any.
    victim = 1 if session == "right" or session.startswith("legacy") else 0
    if not others:
        return
    remove = target.delete([target.sample_ids[victim]])
    # What reads no column is bound by fewer policies: where it held, so does what names the rows.
    for update in (target.touch_blindly(), target.touch(others)):
        if update is not None:
            yield _Try("update", update, after=count, unless=("leak", "held"))
    for delete in (target.delete_blindly(), target.delete(others)):
        yield _Try("delete", delete, after=count, unless=("leak", "held"))
    yield _Try("insert", target.insert(victim), (remove,))
    yield _Try("insert returning", f"{target.insert(victim)} RETURNING *", (remove,))
    for owner in (target.keys[0], target.keys[1]):
        upsert = target.upsert(victim, owner)
        if upsert is not None:
            yield _Try("upsert", upsert, after=count)
    move = target.move(target.rows[0], 1)
    if move is not None:
        yield _Try("move", move)


def _own(target: Target) -> Iterator[_Try]:
    """What the first tenant does with its own rows, with every trigger and foreign key there is."""
    own = target.rows[0]
    remove = target.delete([target.sample_ids[0]])
    yield _Try("own select", target.select(), quiet=False)
    yield _Try("own insert", target.insert(0), (remove,), quiet=False)
    yield _Try("own insert returning", f"{target.insert(0)} RETURNING *", (remove,), quiet=False)
    touch = target.touch(own)
    if touch is not None:
        yield _Try("own update", touch, quiet=False)
    yield _Try("own delete", target.delete(own), quiet=False)
    upsert = target.upsert(0, target.keys[0])
    if upsert is not None:
        yield _Try("own upsert", upsert, quiet=False)
