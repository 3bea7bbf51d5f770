"""What is known of the accesses to a table, as far as it speaks against binding its owner to tenants.

An obstacle is a sentence that names the place. Where there is none, all known access goes on working.
"""

from __future__ import annotations

from collections.abc import Iterator

from remediate.detect.code import code_of
from remediate.detect.found import enabling, listed
from remediate.detect.model import Facts
from remediate.detect.settings import policy_text, reads, settings_by_function
from remediate.detect.tokens import tokens
from remediate.replay.catalog import Constraint, DataChange, Function, Origin, Policy, QName, Table, Trigger


class Access:
    """Everything that reads or writes tables, indexed once for all tables of a database."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._catalog = facts.replayed.catalog
        self.code = code_of(facts)
        self._read_by_functions = settings_by_function(self._catalog)
        self._words = {key: _words(function.body) for key, function in self._catalog.functions.items()}
        self._naming_functions: dict[str, list[tuple[QName, tuple[str, ...]]]] = {}
        for key, named in self._words.items():
            for word in named:
                self._naming_functions.setdefault(word, []).append(key)
        self._naming_policies: dict[str, list[Policy]] = {}
        for policy in self._catalog.policies.values():
            for word in _words(policy_text(policy)):
                self._naming_policies.setdefault(word, []).append(policy)
        self._not_valid: dict[QName, list[Constraint]] = {}
        for constraint in self._catalog.constraints.values():
            if constraint.type == "f" and not constraint.validated:
                for table in dict.fromkeys((constraint.table, constraint.references)):
                    if table is not None:
                        self._not_valid.setdefault(table, []).append(constraint)
        self._order = {name: number for number, name in enumerate(self._catalog.tables)}
        self._tables_by_name: dict[str, list[Table]] = {}
        for found in self._catalog.tables.values():
            self._tables_by_name.setdefault(found.name.name, []).append(found)
        self._changes: dict[QName, list[DataChange]] = {}
        for change in self._facts.replayed.data_changes:
            self._changes.setdefault(change.relation, []).append(change)
        self._services = {service.name: number for number, service in enumerate(facts.services)}
        self._migrations: dict[str, dict[str, int]] = {}

    def obstacles(self, table: Table, settings: frozenset[str], *, by_code: bool = True) -> tuple[str, ...]:
        """Why access to the table may stop working once it takes one of `settings` to reach its rows.

        Migrations count from where the table was enabled for RLS on, else from its creation on: what was written before
        says nothing about what comes. `by_code` leaves the application code out where it is False.
        """
        code = self.code.obstacles(table.name, table.service, settings) if by_code else ()
        return tuple(
            dict.fromkeys(
                [
                    *code,
                    *self._through_functions(table),
                    *self._through_views(table.name),
                    *self._through_policies(table.name, settings),
                    *self._through_migrations(table),
                    *self._pending_validation(table.name),
                ]
            )
        )

    def read_by(self, policy: Policy) -> frozenset[str]:
        """The settings that a policy reads, itself or through functions."""
        text = policy_text(policy)
        direct = {read.setting for read in reads(text)}
        called = self._read_by_functions.keys() & _words(text)
        return frozenset(direct).union(*(self._read_by_functions[name] for name in called))

    def blind_spots(self, policy: Policy) -> Iterator[str]:
        """Protected tables that a policy looks into, and that take other settings than it reads itself."""
        own = self.read_by(policy)
        named = _words(policy_text(policy))
        looked_into = (table for word in named for table in self._tables_by_name.get(word, ()) if table.rls_enabled)
        for table in sorted(looked_into, key=lambda each: self._order[each.name]):
            name = table.name
            if name == policy.table:
                continue
            needed = frozenset(s for other in self._catalog.policies_of(name) for s in self.read_by(other))
            if needed and not needed & own:
                yield f"Policy {policy.name} looks into {name}, whose rows take {listed(sorted(needed))} to be seen."

    # ------------------------------------------------------------------------------------- database objects

    def _through_functions(self, table: Table) -> Iterator[str]:
        for key in self._naming_functions.get(table.name.name, ()):
            function = self._catalog.functions[key]
            place = function.history[-1].place
            others = sorted({str(t.table) for t in self._triggers(function) if t.table != table.name})
            if others:
                yield f"{function.signature} ({place}) reads or writes it when a trigger on {listed(others)} fires."
            if function.security_definer:
                yield f"{function.signature} ({place}) reads or writes it with its owner's rights (SECURITY DEFINER)."
            elif files := self.code.background_files_naming(function.name.name):
                yield f"{function.signature} ({place}) reads or writes it, and {listed(files)} names that function."

    def _triggers(self, function: Function) -> Iterator[Trigger]:
        return (trigger for trigger in self._catalog.triggers.values() if trigger.function == function.name)

    def _through_views(self, table: QName) -> Iterator[str]:
        """Views over the table, and over such views. A view that checks its caller's rights is no other access."""
        pending = [table]
        seen: set[QName] = set()
        while pending:
            current = pending.pop()
            for view in self._catalog.views.values():
                if current in view.reads and view.name not in seen and not view.security_invoker:
                    seen.add(view.name)
                    pending.append(view.name)
        views = [self._catalog.views[name] for name in sorted(seen)]
        if plain := [view for view in views if not view.materialized]:
            place = plain[0].history[-1].place
            yield f"Views read it with their owner's rights: {listed([str(view.name) for view in plain])} ({place})."
        if stored := [view for view in views if view.materialized]:
            names = listed([str(view.name) for view in stored])
            place = stored[0].history[-1].place
            yield f"Materialized views fill from it, and are empty once their owner refreshes them: {names} ({place})."

    def _through_policies(self, table: QName, settings: frozenset[str]) -> Iterator[str]:
        for policy in self._naming_policies.get(table.name, ()):
            if policy.table == table:
                continue
            if settings and not self.read_by(policy) & settings:
                where = f"{policy.name} on {policy.table} ({policy.history[-1].place})"
                yield f"Policy {where} looks into it, and reads another setting."

    def _through_migrations(self, table: Table) -> Iterator[str]:
        since = self._position(enabling(table) or table.history[0])
        places = [
            str(change.origin.place)
            for change in self._changes.get(table.name, ())
            if change.origin.direction == "up" and self._position(change.origin) > since
        ]
        if places:
            where = listed(list(dict.fromkeys(places)))
            yield f"Later migrations change its rows ({where}); under FORCE such a migration changes none."

    def _position(self, origin: Origin) -> tuple[int, int, str]:
        """Where a migration stands among all: by its service, its number in it, its name where it has no number."""
        number = self._services.get(origin.service)
        if number is None:
            return (-1, 0, origin.migration)
        order = self._migrations.get(origin.service)
        if order is None:
            migrations = self._facts.services[number].migrations
            # Of two files of one name the first counts.
            order = {migrations[index].name: index for index in reversed(range(len(migrations)))}
            self._migrations[origin.service] = order
        return (number, order.get(origin.migration, 0), origin.migration)

    def _pending_validation(self, table: QName) -> Iterator[str]:
        for key in self._not_valid.get(table, ()):
            yield f"Foreign key {key.name} on {key.table} is NOT VALID; under FORCE its owner cannot validate it."


def access_to(facts: Facts) -> Access:
    """The one `Access` of a database, made when it is first asked for."""
    access = facts.memo.get(Access)
    if access is None:
        access = facts.memo[Access] = Access(facts)
    return access


def _words(sql: str) -> frozenset[str]:
    """Every word of some SQL, those in strings too: dynamic SQL names tables there."""
    found: set[str] = set()
    for token in tokens(sql):
        if token.kind == "string":
            found.update(inner.text for inner in tokens(token.text) if inner.kind in ("word", "quoted"))
        elif token.name:
            found.add(token.text)
    return frozenset(found)
