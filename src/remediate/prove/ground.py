"""The database that a proof stands on: the history replayed, rows of two tenants, an ordinary owner of everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self

import msgspec

from remediate.config.model import Config
from remediate.detect.model import Facts, Finding
from remediate.detect.settings import settings_by_function
from remediate.evaluate.evaluate import Evaluator
from remediate.postgres.database import opened
from remediate.postgres.engine import PostgresEngine
from remediate.postgres.host import Host
from remediate.postgres.introspect import introspect
from remediate.postgres.snapshot import Snapshot, catalog_snapshot
from remediate.postgres.wire import Wire
from remediate.prove.actors import make_actors
from remediate.prove.attack import Attacker
from remediate.prove.contents import Columns, Contents, contents
from remediate.prove.detours import Look, Scout, Way, find_ways
from remediate.prove.knex import KnexTool
from remediate.prove.mending import WANTS, mend
from remediate.prove.model import Reach, Role, Stub
from remediate.prove.openings import special_values
from remediate.prove.prediction import Prediction, without_actors
from remediate.prove.rows import Filled, fill
from remediate.prove.seeing import SeeingWire, is_bound
from remediate.prove.shapes import TableShape, read_shapes
from remediate.prove.stubs import STUBS, Stubs, names_of_history, stub_service
from remediate.prove.targets import Target, find_target
from remediate.prove.tenants import setting_names
from remediate.replay.catalog import Catalog, QName
from remediate.replay.replay import replay_on

_FLAGS = r"""
SELECT relforcerowsecurity, EXISTS (SELECT FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_proc AS p ON p.oid = tgfoid
    WHERE tgrelid = c.oid AND NOT tgisinternal
        AND prosrc ~* '\m(insert|update|delete|merge|perform|execute|call|select)\M')
FROM pg_catalog.pg_class AS c WHERE oid = {oid}"""
_ROUNDS = 5
"""Runs of a history at most, each with the stubs that the one before it lacked."""

Detect = Callable[[Facts], Sequence[Finding]]


class Ground:
    """A context manager: everything of it is gone afterwards.

    Raises `RemediateError` where the server ends a session, has no room, or refuses what it is asked.
    """

    def __init__(
        self,
        host: Host,
        facts: Facts,
        evaluator: Evaluator,
        config: Config,
        knex: KnexTool | None = None,
        *,
        with_stubs: bool = False,
    ) -> None:
        self.knex = knex
        self.facts = facts
        self.stubs: tuple[Stub, ...] = ()
        self._with_stubs = with_stubs
        self.host = host
        self.evaluator = evaluator
        self.config = config
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._set_up(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)  # so that what cannot be cleaned up hides no error before it

    def _set_up(self, stack: ExitStack) -> None:
        self.prediction = Prediction(self.facts.services, self.evaluator, self.config)
        engine = self._replay(stack)
        self.database = engine.database
        with Wire(self.host.endpoint, self.database) as wire:
            self.shapes: Mapping[QName, TableShape] = read_shapes(wire)
            self.filled: Filled = fill(wire, self.shapes, self.facts)
            self.actors = make_actors(wire, self.config, self.host)
            self.sees_all = not is_bound(wire)
        self.observer = stack.enter_context(Wire(self.host.endpoint, self.database))
        kind = Wire if self.sees_all else SeeingWire
        self.wire = stack.enter_context(kind(self.host.endpoint, self.database))
        self._returned = settings_by_function(self.facts.replayed.catalog)
        self.attacker = stack.enter_context(self.new_attacker())

    def _replay(self, stack: ExitStack) -> PostgresEngine:
        """Runs the history; with stubs again and again, until it lacks nothing more that can be stubbed."""
        # On a server of the user nobody is there but the user.
        user = self.config.roles.migration or "postgres" if self.host.is_own else self.host.endpoint.user
        database = self.facts.replayed.database
        stubs: Stubs | None = None
        if self._with_stubs and any(one.code in WANTS for one in self.facts.replayed.refusals):
            stubs = Stubs(names_of_history(self.prediction.sent, self.facts.replayed.catalog))
        for left in reversed(range(_ROUNDS if stubs else 1)):
            known = stubs.made if stubs else 0
            with ExitStack() as attempt:
                mending = partial(mend, stubs) if stubs and left else None
                engine = attempt.enter_context(
                    PostgresEngine(self.host, database, user=user, mend=mending, hint="try again")
                )
                self.history = replay_on(engine, self.facts.services, self.evaluator)
                if stubs is None or stubs.made == known or not left:
                    stack.push(attempt.pop_all())
                    break
            self._stand_on(stubs.listed())
        return engine

    def _stand_on(self, stubs: tuple[Stub, ...]) -> None:
        """Puts the stubs before the history. Who is whose tenant stays as the plan has it."""
        plain = [service for service in self.facts.services if service.name != STUBS]
        services = [stub_service(stubs, self.facts.replayed.database), *plain]
        tenancy = self.facts.tenancy
        pinned = msgspec.structs.replace(
            self.config.tenancy, column=tenancy.column, setting=tenancy.setting, legacy_settings=tenancy.legacy,
            table=str(tenancy.root).removeprefix("public.") if tenancy.root else None,
        )  # fmt: skip
        self.config = msgspec.structs.replace(self.config, tenancy=pinned)
        self.prediction = Prediction(services, self.evaluator, self.config)
        self.facts = self.prediction.facts(self.prediction.replayed())
        self.stubs = stubs

    def as_owner(self) -> Wire:
        """A new session of the owner, as a service's migrations have it."""
        return Wire(self.host.endpoint, self.database, role=self.actors.owner)

    def new_attacker(self) -> Attacker:
        return Attacker(self.host.endpoint, self.database, self.actors, setting_names(self.facts), self.target)

    def snapshot(self) -> Snapshot:
        with opened(self.host.endpoint, self.database) as connection:
            return catalog_snapshot(connection)

    def catalog(self, static: Catalog) -> Catalog:
        """The real catalog, without what the proof put in."""
        with opened(self.host.endpoint, self.database) as connection:
            real = introspect(connection)
        return without_actors(real, static, self.actors)

    def contents(self, columns: Columns) -> Contents | str:
        return contents(self.wire, columns)

    def look_again(self) -> None:
        """After a change of the schema: what columns there are."""
        self.shapes = read_shapes(self.wire)

    def target(self, table: QName) -> Target | str:
        """A table as something to attack, or why it is none."""
        shape = self.shapes.get(table)
        if shape is None:
            return "it does not exist here"
        # Asked where nothing is lifted.
        ((forced, watched),) = self.observer.query(_FLAGS.format(oid=shape.oid))
        if self.is_stub(table):
            return "it is a stub, and what stands in for a table is not attacked"
        target = find_target(self.wire, shape, self.facts, self._returned, forced=forced == "t", watched=watched == "t")
        if not isinstance(target, str):
            return target
        oids = {key.parent for key in shape.keys}
        parents = [str(name) for name, other in self.shapes.items() if other.oid in oids and self.is_stub(name)]
        found = self.facts.classes.get(table)
        if parents and (found is None or found.kind not in ("tenant", "scoped", "child")):
            return f"only {', '.join(parents)} can tell whose its rows are, and that is stubbed here"
        return self.filled.reasons.get(table, target)

    def is_stub(self, table: QName) -> bool:
        return any(stub.kind == "table" and stub.name == str(table) for stub in self.stubs)

    @property
    def setting(self) -> str:
        """The canonical name of the tenant setting."""
        return setting_names(self.facts)[0]

    def openings(self, table: QName) -> frozenset[tuple[Role, str, str]]:
        """Values that policies of the table, and functions that these call, compare settings with, and that open it."""
        target = self.target(table)
        if isinstance(target, str) or self.actors.unbound:
            return frozenset()
        values = special_values(self.observer, table, setting_names(self.facts), target.keys)
        return self.attacker.opened_by(target, values) if values else frozenset()

    def look_around(self, ways: Sequence[Way]) -> Look:
        """What views and definer functions show and write now."""
        if not ways:
            return Look()
        return Scout(self.new_attacker, setting_names(self.facts), self._targets()).look(ways)

    def find_ways(self) -> list[Way]:
        # Only a superuser can make others' rows vanish without their triggers and references.
        able = self.sees_all and not self.actors.unbound
        return find_ways(self.wire, self.history.catalog, self._targets()) if able else []

    def _targets(self) -> dict[QName, Target]:
        return {name: target for name in self.shapes if isinstance(target := self.target(name), Target)}

    def attack(self, table: QName, *, own_only: bool = False) -> Reach | str:
        """Every attempt on a table, or the reason why none was made."""
        if self.actors.unbound:
            return self.actors.unbound
        target = self.target(table)
        return target if isinstance(target, str) else self.attacker.attack(target, own_only=own_only)
