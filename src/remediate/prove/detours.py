"""Ways around the tables: views, and functions with their owner's rights. Whether they leak is told by what they say.

Nothing has to be understood of a view for it: a tenant must see the same whether another tenant's rows are there or
not. So each is read twice, once with the others' rows gone (in a transaction that is rolled back); where the answers
differ, others' rows shine through. What answers differently by itself (a clock, a random number) cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal as Choice

from remediate.postgres.wire import Wire
from remediate.prove.attack import Attacker, Session, own_of, rows
from remediate.prove.effects import Counts, count_writes, effects_since
from remediate.prove.model import Attempt, Detour
from remediate.prove.shapes import ColumnShape
from remediate.prove.targets import Id, Target
from remediate.prove.tenants import STRANGER, UUIDS
from remediate.prove.values import value
from remediate.replay.catalog import Catalog, QName
from remediate.sql.quote import Identifier, Literal, QualifiedName

Kind = Choice["view", "materialized view", "function"]

_FUNCTIONS = """
SELECT n.nspname, p.proname,
    array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) AS t), E'\\x01'),
    coalesce(array_to_string(proargnames[1:pronargs], E'\\x01', ''), ''), p.oid::regprocedure::text, prosrc,
    provolatile = 'v'
FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = pronamespace
WHERE prosecdef AND prokind = 'f' AND provariadic = 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND NOT EXISTS (SELECT FROM pg_depend
        WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e') ORDER BY p.oid"""


@dataclass(frozen=True, slots=True)
class Way:
    """One view or function. `calls` are the FROM items for the first and the second tenant.

    `writes`: it is a function that may write.
    """

    kind: Kind
    name: str
    reads: tuple[QName, ...]
    calls: tuple[str, str]
    writes: bool = False

    @property
    def called(self) -> str:
        """Its name alone, without schema and arguments."""
        return self.name.partition("(")[0].rpartition(".")[2]


@dataclass(slots=True)
class Look:
    """What every way gave at one time; `digests` are of what a tenant alone in the world sees, and differ by run."""

    outcomes: dict[str, dict[Attempt, str]] = field(default_factory=dict)
    digests: dict[tuple[str, Attempt], str] = field(default_factory=dict)

    def update(self, newer: Look) -> None:
        self.outcomes.update(newer.outcomes)
        self.digests.update(newer.digests)


def find_ways(wire: Wire, catalog: Catalog, targets: Mapping[QName, Target]) -> list[Way]:
    """Views in creation order, then functions. `catalog` says what views read."""
    ways = []
    for name, view in catalog.views.items():
        kind: Kind = "materialized view" if view.materialized else "view"
        sql = QualifiedName(*name).sql()
        ways.append(Way(kind, str(name), tuple(sorted(_tables_behind(name, catalog))), (sql, sql)))
    for schema, called, types, names, signature, body, is_volatile in wire.query(_FUNCTIONS):
        arguments = list(zip((types or "").split("\x01"), (names or "").split("\x01"), strict=False)) if types else []
        function = QualifiedName(str(schema), str(called)).sql()
        calls = [f"{function}({', '.join(_arguments(arguments, tenant, targets))})" for tenant in (0, 1)]
        mentioned = set(re.findall(r"\w+", body or ""))
        behind = tuple(table for table in catalog.tables if table.name in mentioned)
        ways.append(Way("function", str(signature), behind, (calls[0], calls[1]), is_volatile == "t"))
    return ways


def _tables_behind(view: QName, catalog: Catalog) -> set[QName]:
    found: set[QName] = set()
    waiting = [view]
    while waiting:
        for read in catalog.views[waiting.pop()].reads:
            if read in catalog.views and read not in found:
                waiting.append(read)
            found.add(read)
    return found & catalog.tables.keys()


def _arguments(arguments: Sequence[tuple[str, str]], tenant: int, targets: Mapping[QName, Target]) -> Iterator[str]:
    """Values that a caller would try: keys of that tenant and of its rows, by the names of the parameters."""
    for number, (kind, name) in enumerate(arguments):
        column = ColumnShape(name, kind, False, False, False, False, (), None, "")
        text = UUIDS[tenant] if "tenant" in name and kind in ("uuid", "text", "character varying") else None
        if text is None and (found := re.fullmatch(r"(?:[pv]?_+)?(\w+)_(?:id|uuid)", name)):
            text = _key_of(found.group(1), tenant, targets)
        text = value(column, number) if text is None else text
        yield f"CAST({Literal(text).sql()} AS {kind})"


def _key_of(singular: str, tenant: int, targets: Mapping[QName, Target]) -> str | None:
    for table, target in targets.items():
        if table.name in (singular, f"{singular}s"):
            return target.samples[tenant].get("id")
    return None


class Scout:
    """Reads (and calls) every way in every kind of session, as each role. `attacker` opens the connections for it."""

    def __init__(
        self, attacker: Callable[[], Attacker], settings: Sequence[str], targets: Mapping[QName, Target]
    ) -> None:
        self._open = attacker
        self._setting = settings[0]
        self._targets = targets

    def look(self, ways: Sequence[Way]) -> Look:
        """Everything is rolled back. What functions leave set must not reach views: each have their sessions."""
        look = Look()
        for functions in (False, True):
            some = [way for way in ways if (way.kind == "function") == functions]
            if some:
                with self._open() as self._attacker:
                    self._look(some, look)
        return look

    def _look(self, ways: Sequence[Way], look: Look) -> None:
        stored = [way for way in ways if way.kind == "materialized view"]
        sessions = [
            Session("right", ((self._setting, UUIDS[0]),)),
            Session("wrong", ((self._setting, STRANGER),)),
            Session("empty", ((self._setting, ""),)),
            Session("unset", ()),
        ]
        answers: dict[tuple[str, str, Attempt], tuple[str, str]] = {}
        self._written: dict[str, dict[Attempt, str]] = {way.name: {} for way in ways}
        for world in ("full", "again", "first", "nobody"):
            for kind in (sessions[:3], sessions[3:]):
                wire = self._attacker.wire(kind[0].name)
                self._remove(wire, world)
                for way in stored:
                    wire.send(f"REFRESH MATERIALIZED VIEW {way.calls[0]}; RELEASE SAVEPOINT attempt; SAVEPOINT attempt")
                for session in kind:
                    if world == "first" and session.name != "right":
                        continue
                    self._ask(wire, world, ways, session, answers)
                self._attacker.rest()
        for way in ways:
            look.outcomes[way.name] = {**dict(self._outcomes(way, sessions, answers, look)), **self._written[way.name]}

    def _remove(self, wire: Wire, world: str) -> None:
        """Takes rows away, behind the savepoint that attempts go back to: all but the first tenant's, or all."""
        statements = ["SET LOCAL session_replication_role = replica"]
        for target in self._targets.values() if world in ("first", "nobody") else ():
            gone = target.rows[1] | target.strangers | target.unowned
            gone |= target.rows[0] if world == "nobody" else frozenset()
            statements += [target.delete(gone)] if gone else []
        statements += ["SET LOCAL session_replication_role = origin", "RELEASE SAVEPOINT attempt", "SAVEPOINT attempt"]
        wire.query("; ".join(statements))

    def _ask(
        self, wire: Wire, world: str, ways: Sequence[Way], session: Session,
        answers: dict[tuple[str, str, Attempt], tuple[str, str]],
    ) -> None:  # fmt: skip
        for role, name in self._attacker.roles:
            for way in ways:
                for statement, call in (("own select", way.calls[0]), ("select", way.calls[1])):
                    setup = [
                        "ROLLBACK TO SAVEPOINT attempt",
                        *session.statements(),
                        f"SET LOCAL ROLE {Identifier(name).sql()}",
                    ]
                    query = (
                        "SELECT count(*)::text AS n, coalesce(md5(string_agg(v::text, ',' ORDER BY v::text"
                        f" COLLATE \"C\")), '') AS d FROM {call} AS v"
                    )
                    attempt = Attempt(role, session.name, statement)
                    before = self._count(wire) if way.writes and world == "full" else None
                    reply = wire.send("; ".join([*setup, query]), wants_rows=True)
                    if before is not None and reply.error is None:
                        self._note_writes(way, attempt, before, wire)
                    if reply.error is not None:
                        answers[way.name, world, attempt] = (f"refused {reply.error.code}", "")
                    else:
                        answers[way.name, world, attempt] = (reply.rows[0]["n"], reply.rows[0]["d"])

    def _count(self, wire: Wire) -> Counts:
        wire.query("ROLLBACK TO SAVEPOINT attempt")
        return count_writes(wire)

    def _note_writes(self, way: Way, attempt: Attempt, before: Counts, wire: Wire) -> None:
        """What a call wrote: of others it leaks, of its own tenant it is counted, for each kind of statement."""

        def own(target: Target) -> frozenset[Id]:
            return own_of(target, attempt.session)

        known = self._written[way.name]
        for effect in effects_since(before, wire, own, lambda name: self._targets.get(name, "")):
            key = attempt._replace(statement=effect.kind)
            if effect.whose == "other":
                known[key] = "leak"
            elif attempt.statement == "own select":
                mine = key._replace(statement=f"own {effect.kind}")
                known[mine] = rows(effect.number + int(known.get(mine, "0").partition(" ")[0]))
            else:
                known.setdefault(key, "held")

    def _outcomes(
        self, way: Way, sessions: Sequence[Session], answers: Mapping[tuple[str, str, Attempt], tuple[str, str]],
        look: Look,
    ) -> Iterator[tuple[Attempt, str]]:  # fmt: skip
        for role, _ in self._attacker.roles:
            for session in sessions:
                attempt = Attempt(role, session.name, "select")
                alone = "first" if session.name == "right" else "nobody"
                full, again, less = (answers[way.name, world, attempt] for world in ("full", "again", alone))
                yield attempt, _told(full, again, less)
                if session.name == "right":
                    own = attempt._replace(statement="own select")
                    count, digest = answers[way.name, "first", own]
                    steady = answers[way.name, "full", own] == answers[way.name, "again", own]
                    look.digests[way.name, own] = f"{count} {digest}" if steady else "varies"
                    yield own, count if count.startswith("refused") else rows(int(count))


def _told(full: tuple[str, str], again: tuple[str, str], less: tuple[str, str]) -> str:
    if full[0].startswith("refused"):
        return full[0]
    if full != again:
        return "untried"
    return "held" if full == less else "leak"


def detours_of(ways: Sequence[Way], before: Look, after: Look) -> tuple[Detour, ...]:
    """Every way with both rounds."""
    return tuple(
        Detour(way.kind, way.name, way.reads, before.outcomes[way.name], after.outcomes.get(way.name, {}))
        for way in ways
    )


def changes_around(ways: Sequence[Way], before: Look, after: Look) -> list[tuple[Way, str]]:
    """What is wrong in the second of two rounds: the way, and a sentence."""
    problems = []
    for way in ways:
        old, new = before.outcomes[way.name], after.outcomes.get(way.name, {})
        opened = [one for one, outcome in new.items() if outcome == "leak" and old.get(one) not in ("leak", "untried")]
        for attempt in opened:
            does = _DOES[attempt.statement]
            problems.append((way, f"{way.kind} {way.name} {does} rows of other tenants now ({_session(attempt)})"))
        for attempt, outcome in old.items():
            if attempt.statement in ("own insert", "own update", "own delete"):
                now = new.get(attempt, "0 rows")
                if int(now.partition(" ")[0]) < int(outcome.partition(" ")[0]):
                    does = _DOES[attempt.statement.removeprefix("own ")]
                    problems.append(
                        (way, f"{way.kind} {way.name} {does} {now} of a tenant's own, and did {outcome} before"
                              f" ({_session(attempt)})")
                    )  # fmt: skip
        for attempt in old:
            had, has = (look.digests.get((way.name, attempt)) for look in (before, after))
            if had is None or "varies" in (had, has) or had == has or had.startswith(("refused", "0 ")):
                continue
            problems.append(
                (way, f"{way.kind} {way.name} gives a tenant other rows of its own than before ({_session(attempt)}):"
                      f" {old[attempt]} before, {new.get(attempt, 'nothing')} now")
            )  # fmt: skip
    return problems


_DOES = {"select": "shows", "insert": "inserts", "update": "updates", "delete": "deletes"}


def _session(attempt: Attempt) -> str:
    return f"as the {attempt.role}, the setting {attempt.session}"
