"""One change, tried: up, attacked, down, up again, with everything compared on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from remediate.detect.model import Facts, Finding
from remediate.detect.model import Step as PathStep
from remediate.evaluate.model import Direction
from remediate.plan.model import Change
from remediate.plan.operations import Lock
from remediate.postgres.snapshot import Snapshot, snapshot_differences
from remediate.prove.contents import Columns, Contents, columns_of, files_of, lost
from remediate.prove.detours import Look, Way, changes_around
from remediate.prove.filling import wrongly_filled
from remediate.prove.ground import Detect, Ground
from remediate.prove.judge import (
    affected,
    count_leaks,
    failures,
    leading_to,
    lost_access,
    read_by_policies,
    remaining,
    untried,
)
from remediate.prove.knex import KnexTool
from remediate.prove.model import MEANINGS, ChangeProof, Check, CheckName, Reach, Remark, Role, Status
from remediate.prove.prediction import Deviation, deviations, source_of, with_histories
from remediate.prove.run import Run, run_file
from remediate.prove.targets import joins, tables_in_order
from remediate.prove.tenants import setting_names
from remediate.replay.catalog import QName, Replayed
from remediate.source.place import Place
from remediate.sql.quote import Identifier

STRENGTH = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE", "ACCESS EXCLUSIVE",
)  # fmt: skip
"""The modes of a table lock; each conflicts with more than those before it."""
GUARDING = frozenset(("missing-rls", "rls-without-policy", "inconsistent-tenant-setting", "rls-not-forced"))
"""Rules about row security itself."""
ABOUT_TENANTS = GUARDING | {"missing-tenant-column"}
"""Rules about who reaches the rows of a table: a repair that could not be attacked there is not proven."""
SHOWN = 8
"""Remarks of one check that are kept; the rest is counted."""


@dataclass(slots=True)
class State:
    """What is known of the database before the next change. `first` are the findings before any.

    `ways` lead around the tables, and `around` is what they showed last. `openings` are the values of settings that
    opened a table.
    """

    snapshot: Snapshot
    unlike: set[Deviation]
    findings: Mapping[str, Finding]
    first: Mapping[str, Finding]
    reaches: dict[QName, Reach | str] = field(default_factory=dict)
    ways: Sequence[Way] = ()
    around: Look = field(default_factory=Look)
    openings: dict[QName, frozenset[tuple[Role, str, str]]] = field(default_factory=dict)


class ChangeTrial:
    """Tries one change on a ground. Where it could be applied it stays so, and `state` is that of the database then.

    `rules` are those whose findings on a table the change repairs.
    """

    def __init__(
        self, ground: Ground, change: Change, findings: Mapping[str, Finding], detect: Detect, state: State
    ) -> None:
        self._ground = ground
        self._change = change
        self._source = source_of(change)
        self._findings = {id_: findings[id_] for id_ in change.findings if id_ in findings}
        self._detect = detect
        self._state = state
        self._checks: list[Check] = []
        self._after = ground.history.catalog

    def run(self) -> ChangeProof:
        ground, state = self._ground, self._state
        transactional = ground.prediction.apply(self._source).transactional
        static = ground.prediction.replayed()
        self._after = static.catalog
        columns = columns_of(ground.shapes)
        before, files = ground.contents(columns), files_of(ground.observer)
        up = self._go("up", transactional)
        if up.problem is not None:
            plan = Remark("the plan was made without what is stubbed here, and may be wrong where that is there")
            self._add("up", "untried" if up.unprovable else "failed", [up.problem, *([plan] if ground.stubs else [])])
            return ChangeProof(self._change, tuple(self._checks), up.locks)
        self._add_problems("up", up.left)
        ground.look_again()
        applied = ground.snapshot()
        rewritten = self._rewritten(files, up)
        self._compare(static, up)
        tables = self._tables(up)
        old = {name: self._reach_before(name) for name in tables}
        new = {name: ground.attack(name) for name in tables}
        beside = [*self._look_beside(tables), *self._look_around(tables, up), *self._try_to_open(tables, up)]
        self._judge(old, new, up, beside)
        self._look_at_backfill(up)
        self._compare_locks(up)
        lost_rows = self._lost(before, columns, "after up")
        down = self._go("down", transactional)
        if self._took_back(down, up):
            lost_rows += self._lost(before, columns, "after down")
            again = self._go("up", transactional)
            self._once_more(again, applied)
            lost_rows += self._lost(before, columns, "after up once more")
            if ground.knex is not None and again.problem is None:
                self._ask_knex(ground.knex, up, down, applied, transactional)
                lost_rows += self._lost(before, columns, "after real Knex")
        self._add("rows", "failed" if lost_rows else "passed", lost_rows)
        ground.look_again()
        state.snapshot = applied
        state.reaches.update(new)
        return ChangeProof(
            self._change, self._in_order(), up.locks, rewritten, tuple(tables),
            count_leaks(_tried(old)), count_leaks(_tried(new)),
        )  # fmt: skip

    def _in_order(self) -> tuple[Check, ...]:
        order = list(MEANINGS)
        return tuple(sorted(self._checks, key=lambda check: order.index(check.name)))

    def _go(self, direction: Direction, transactional: bool) -> Run:
        ground = self._ground
        return run_file(
            self._source, direction, ground.evaluator, ground.as_owner, ground.observer,
            transactional=transactional, settings=setting_names(ground.facts),
        )  # fmt: skip

    def _add(self, name: CheckName, status: Status, remarks: Sequence[Remark] = ()) -> None:
        shown = tuple(remarks[:SHOWN])
        if len(remarks) > SHOWN:
            shown += (Remark(f"and {len(remarks) - SHOWN} more"),)
        self._checks.append(Check(name, status, shown))

    def _add_problems(self, name: CheckName, problems: Sequence[Remark], notes: Sequence[Remark] = ()) -> None:
        self._add(name, "failed" if problems else "passed", [*problems, *notes])

    # What the catalog says.

    def _rewritten(self, files: Mapping[QName, str], up: Run) -> tuple[QName, ...]:
        now = files_of(self._ground.observer)
        rewritten = tuple(name for name, file in files.items() if name in now and now[name] != file)
        self._add_problems("rewrites", [Remark(f"{name} was rewritten", up.place_of(name)) for name in rewritten])
        return rewritten

    def _compare(self, static: Replayed, up: Run) -> None:
        """The real catalog against the predicted one, and what detectors find in it."""
        ground, state = self._ground, self._state
        real = ground.catalog(static.catalog)
        unlike = deviations(static.catalog, real)
        problems = [
            Remark(f"{kind} {subject}: {how}", self._place_about(subject, up))
            for kind, subject, how in sorted(unlike - state.unlike)
        ]
        self._add_problems("prediction", problems)
        catalog = with_histories(real, static.catalog)
        found = {one.id: one for one in self._detect(ground.prediction.facts(replace(static, catalog=catalog)))}
        wrong = []
        for id_, finding in self._findings.items():
            if id_ not in state.findings:
                wrong.append(Remark(f"was not found in pg_catalog before: {finding.message}"))
            elif id_ in found and not found[id_].waiting:
                table = _table_of(finding)
                place = up.place_of(table) if table else None
                wrong.append(Remark(f"is still found: {finding.message}", place or self._first_line("up")))
        wrong += [
            Remark(f"is found only afterwards: {finding.message}", self._place_about(str(finding.subject), up))
            for id_, finding in found.items()
            if id_ not in state.findings and not finding.waiting and not finding.suppressed
        ]
        self._add_problems("findings", wrong)
        state.unlike, state.findings = unlike, found

    # Two tenants.

    def _tables(self, up: Run) -> list[QName]:
        """What it is about: the tables that it locks against readers or writers, and those of its findings."""
        strong = STRENGTH.index("SHARE ROW EXCLUSIVE")
        locked = {one.lock.relation for one in up.locks if STRENGTH.index(one.lock.mode) >= strong}
        found = {table for finding in self._findings.values() if (table := _table_of(finding))}
        return tables_in_order(locked | found, list(self._ground.shapes))

    def _reach_before(self, table: QName) -> Reach | str:
        return self._state.reaches.get(table, "it was not there before")

    def _look_beside(self, tables: Sequence[QName]) -> list[Remark]:
        """What tenants do with their own rows where a trigger or a policy reaches into the tables of the change."""
        problems: list[Remark] = []
        for name in affected(self._ground.history.catalog, tables):
            before = self._state.reaches.get(name)
            after = self._ground.attack(name, own_only=True) if isinstance(before, Reach) else ""
            if isinstance(before, Reach) and isinstance(after, Reach):
                problems += [Remark(text) for text in lost_access(name, before, after)]
                self._state.reaches[name] = Reach({**before.outcomes, **after.outcomes})
        return problems

    def _look_around(self, tables: Sequence[QName], up: Run) -> list[Remark]:
        """What views and functions that lead to the tables of the change show and write, and did not before."""
        names = leading_to(self._after, tables)
        near = [way for way in self._state.ways if set(way.reads) & set(tables) or way.called in names]
        look = self._ground.look_around(near)
        problems = changes_around(near, self._state.around, look)
        self._state.around.update(look)
        return [Remark(text, self._place_of_any(way.reads, up)) for way, text in problems]

    def _try_to_open(self, tables: Sequence[QName], up: Run) -> Iterator[Remark]:
        """Values of settings that open a table to whoever sets them, and did not before."""
        for table in tables:
            now = self._ground.openings(table)
            opened = now - self._state.openings.get(table, frozenset())
            place = up.place_of(table, "policy") or up.place_of(table)
            for setting, value in sorted({(setting, value) for _, setting, value in opened}):
                yield Remark(f"{table} shows rows of tenants to whoever sets {setting} to {value!r}", place)
            self._state.openings[table] = now

    def _place_of_any(self, tables: Sequence[QName], up: Run) -> Place | None:
        places = (up.place_of(table, "policy") or up.place_of(table) for table in tables)
        return next((place for place in places if place is not None), None)

    def _judge(
        self, old: Mapping[QName, Reach | str], new: Mapping[QName, Reach | str], up: Run, beside: Sequence[Remark]
    ) -> None:
        problems, notes, missing = list(beside), [], []
        still: dict[str, list[QName]] = {}
        for table, before in old.items():
            after = new[table]
            rules = self._rules_of(table)
            if isinstance(before, str) or isinstance(after, str):
                why = before if isinstance(before, str) else after
                if rules & ABOUT_TENANTS:
                    missing.append(Remark(f"{table} could not be tried: {why}"))
                continue
            missing += self._through_stubs(table) if rules & ABOUT_TENANTS else []
            place = up.place_of(table, "policy") or up.place_of(table)
            wrong = [Remark(text, place) for text in failures(table, before, after, rules)]
            problems += wrong
            left = remaining(before, after) if rules & ABOUT_TENANTS and not wrong else ""
            if left:
                still.setdefault(left, []).append(table)
            skipped = untried(after)
            if skipped and rules & ABOUT_TENANTS:
                notes.append(
                    Remark(f"{table}: {', '.join(sorted(skipped)).upper()} could not be tried in every session")
                )
        if self._ground.actors.application is None and self._is_about_tenants():
            text = "only the owner could be tried; on a server of yours, --create-roles makes a role of an application"
            missing.append(Remark(text))
        for left, tables in still.items():
            names = f"{', '.join(map(str, tables))} {'leaks' if len(tables) == 1 else 'leak'}"
            notes.append(Remark(f"{names} as before, and no repair in this change is about that: {left}"))
        status: Status = "failed" if problems else "untried" if missing else "passed"
        self._add("tenants", status, [*problems, *missing, *notes])

    def _through_stubs(self, table: QName) -> list[Remark]:
        """What a policy reads of a stub is other rows than production's, under no policy of theirs."""
        stubs = [name for name in self._ground.shapes if self._ground.is_stub(name)]
        read = read_by_policies(self._after, table, stubs) if stubs else []
        return [Remark(f"policies of {table} read {', '.join(map(str, read))}, stubbed here")] if read else []

    def _rules_of(self, table: QName) -> set[str]:
        return {finding.rule for finding in self._findings.values() if _table_of(finding) == table}

    def _is_about_tenants(self) -> bool:
        return any(finding.rule in ABOUT_TENANTS for finding in self._findings.values())

    def _look_at_backfill(self, up: Run) -> None:
        """Rows that did not get the tenant which the path to their parent leads to."""
        problems, missing, filled = [], [], 0
        facts = self._ground.facts
        for finding in self._findings.values():
            table = _table_of(finding)
            if finding.rule != "missing-tenant-column" or table is None or table not in facts.classes:
                continue
            path = facts.classes[table].path
            if not path:
                continue
            wrong, right = self._backfilled(table, path, facts)
            filled += right
            column = facts.tenancy.column
            problems += [Remark(text, up.place_of(table)) for text in self._other_type(table, path, column)]
            problems += [
                Remark(f"a row of {table} that comes without {column} gets {got}", up.place_of(table, "trigger"))
                for got in wrongly_filled(self._ground, table, column)
            ]
            place = up.place_of(table, r"^\s*update\b")
            if wrong:
                problems.append(
                    Remark(f"{wrong} of {wrong + right} rows of {table} have not their parent's tenant", place)
                )
            elif not right:
                missing.append(Remark(f"{table} has no row whose parent has a tenant"))
        if filled or problems or missing:
            self._add("backfill", "failed" if problems else "untried" if missing else "passed", [*problems, *missing])

    def _other_type(self, table: QName, path: Sequence[PathStep], column: str) -> Iterator[str]:
        shapes = self._ground.shapes
        own, theirs = (shapes[name].column(column) if name in shapes else None for name in (table, path[-1].parent))
        if own is not None and theirs is not None and own.type != theirs.type:
            yield f"{column} of {table} is of type {own.type}, and that of {path[-1].parent} of {theirs.type}"

    def _backfilled(self, table: QName, path: Sequence[PathStep], facts: Facts) -> tuple[int, int]:
        column = Identifier(facts.tenancy.column).sql()
        last = path[-1]
        parent = facts.replayed.catalog.tables[last.parent]
        theirs = facts.tenancy.column if parent.column(facts.tenancy.column) else last.parent_columns[0]
        source = f"parent_{len(path)}.{Identifier(theirs).sql()}::text"
        joined = joins(table, path)
        ((wrong, right),) = self._ground.wire.query(
            f"SELECT count(*) FILTER (WHERE parent_0.{column}::text IS DISTINCT FROM {source}),"
            f" count(*) FILTER (WHERE parent_0.{column}::text = {source}) {joined} WHERE {source} IS NOT NULL"
        )
        return int(wrong or 0), int(right or 0)

    # Locks.

    def _compare_locks(self, up: Run) -> None:
        """What was seen against what the plan says. ACCESS SHARE, what every SELECT takes, is nobody's claim."""
        claimed = _strongest(Lock(lock.relation, lock.mode) for lock in self._change.locks)
        seen = _strongest(one.lock for one in up.locks if one.lock.mode != "ACCESS SHARE")
        problems: list[Remark] = []
        missing: list[Remark] = []
        for relation in sorted(claimed.keys() | seen.keys()):
            place = next((one.place for one in up.locks if one.lock == Lock(relation, seen.get(relation, ""))), None)
            if relation not in seen:
                remark = Remark(f"the plan says {claimed[relation]} on {relation}, and no lock was taken on it")
                (missing if relation in self._ground.filled.reasons else problems).append(remark)
            elif relation not in claimed:
                problems.append(Remark(f"takes {seen[relation]} on {relation}, which the plan does not say", place))
            elif seen[relation] != claimed[relation]:
                text = f"takes {seen[relation]} on {relation}, and the plan says {claimed[relation]}"
                problems.append(Remark(text, place))
        missing += up.unseen
        self._add("locks", "failed" if problems else "untried" if missing else "passed", [*problems, *missing])

    # There and back.

    def _lost(self, before: Contents | str, columns: Columns, when: str) -> list[Remark]:
        now = self._ground.contents(columns)
        if isinstance(before, str) or isinstance(now, str):
            said = before if isinstance(before, str) else now
            return [Remark(f"{when}: {said}")]
        return [Remark(f"{when}, {sentence}") for sentence in lost(before, now)]

    def _took_back(self, down: Run, up: Run) -> bool:
        if down.problem is not None:
            self._add("down", "failed", [down.problem])
            return False
        differences = snapshot_differences(self._state.snapshot, self._ground.snapshot())
        problems = [
            Remark(f"is not as before: {line}", self._place_about(line, down) or self._first_line("down"))
            for line in differences
        ]
        self._add_problems("down", [*down.left, *problems])
        return True

    def _once_more(self, again: Run, applied: Snapshot) -> None:
        if again.problem is not None:
            self._add("up again", "failed", [again.problem])
            return
        differences = snapshot_differences(applied, self._ground.snapshot())
        self._add_problems(
            "up again",
            [Remark(f"is not as after the first time: {line}", self._place_about(line, again)) for line in differences],
        )

    # The same by real Knex.

    def _ask_knex(self, knex: KnexTool, up: Run, down: Run, applied: Snapshot, transactional: bool) -> None:
        """Takes it back once more; then Knex goes up, down and up, and has to send the same and come to the same."""
        ground = self._ground
        self._go("down", transactional)
        module = next(one.module for one in ground.facts.services if one.name == self._change.service)
        before = ground.prediction.names_before(self._source)
        problems: list[Remark] = []
        directions: tuple[tuple[Direction, Run, Snapshot], ...] = (
            ("up", up, applied), ("down", down, self._state.snapshot), ("up", up, applied),
        )  # fmt: skip
        for direction, expected, snapshot in directions:
            done = knex.run(
                self._source, direction, ground.host.endpoint, ground.database, ground.actors.owner,
                module=module, before=before,
            )  # fmt: skip
            if done.error:
                problems.append(Remark(f"Knex stops in {direction}: {done.error}", self._first_line(direction)))
                break
            problems += _other_queries(direction, expected, done.queries)
            differences = snapshot_differences(snapshot, ground.snapshot())
            problems += [Remark(f"after {direction} by Knex, it is not as after ours: {line}") for line in differences]
        self._add_problems("queries", problems)

    # Places in the emitted file.

    def _place_about(self, text: str, run: Run) -> Place | None:
        """The line that changes the table which a text names."""
        named = [name for name in self._ground.shapes if re.search(rf"(?<![\w.]){re.escape(str(name))}(?![\w])", text)]
        return run.place_of(max(named, key=lambda name: len(str(name)))) if named else None

    def _first_line(self, direction: str) -> Place:
        for number, line in enumerate(self._change.text.splitlines(), 1):
            if re.match(rf"(export|exports\.).*\b{direction}\b", line):
                return Place(self._change.path, number)
        return Place(self._change.path)


def _other_queries(direction: str, expected: Run, queries: Sequence[str]) -> list[Remark]:
    """Where what Knex sent is not what was read out of the file."""
    steps = [step for step in expected.steps if not step.control]
    for step, query in zip(steps, queries, strict=False):
        if step.text != query:
            return [Remark(f"Knex sends in {direction} {query.strip()[:80]!r} instead", step.place)]
    if len(steps) != len(queries):
        return [Remark(f"Knex sends {len(queries)} strings in {direction}, and {len(steps)} were read")]
    return []


def _tried(reaches: Mapping[QName, Reach | str]) -> list[Reach]:
    return [reach for reach in reaches.values() if isinstance(reach, Reach)]


def _table_of(finding: Finding) -> QName | None:
    subject = finding.subject
    if subject.kind == "table":
        return QName(subject.schema, subject.name)
    return QName(subject.schema, subject.table) if subject.table else None


def _strongest(locks: Iterable[Lock]) -> dict[QName, str]:
    found: dict[QName, str] = {}
    for relation, mode in locks:
        if relation not in found or STRENGTH.index(mode) > STRENGTH.index(found[relation]):
            found[relation] = mode
    return found
