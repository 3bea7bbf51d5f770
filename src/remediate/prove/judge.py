"""What two rounds of attempts on a table mean: what leaks, what leaks no more, what a tenant has lost of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from remediate.prove.model import Attempt, Reach
from remediate.replay.catalog import Catalog, QName

_OWN = "own "
STATEMENTS = frozenset(("SELECT", "UPDATE", "DELETE", "INSERT", "INSERT RETURNING", "UPSERT", "MOVE"))
"""What is tried with rows of others."""

CLOSES: dict[str, frozenset[str]] = {
    "missing-rls": frozenset(("application", "owner")),
    "rls-not-forced": frozenset(("owner",)),
}
"""Rules whose repair ends a leak, and for whom it is there before."""


def is_own(attempt: Attempt) -> bool:
    return attempt.statement.startswith(_OWN)


def failures(table: QName, before: Reach, after: Reach, rules: Collection[str]) -> Iterator[str]:
    """What is wrong after a change whose findings on the table are of `rules`: sentences, none where all is well."""
    old, new = set(before.leaks()), set(after.leaks())
    yield from _never_there(table, old, rules)
    opened = {attempt for attempt in new - old if _was_held(before.outcomes.get(attempt, "untried"))}
    if opened:
        yield f"{table} leaks now where it did not: {spell(opened)}"
    left = new & old
    if "missing-rls" in rules:
        if new - opened:
            yield f"{table} still leaks: {spell(new - opened)}"
    elif "rls-not-forced" in rules:
        # FORCE binds the owner to the policies, and these let the application do what they do.
        own = {one for one in left if one.role == "owner" and one._replace(role="application") not in old}
        if own:
            yield f"its owner still reaches past the policies of {table}: {spell(own)}"
    yield from lost_access(table, before, after)
    yield from _raising(table, before, after)
    if "inconsistent-tenant-setting" in rules:
        yield from _not_gained(table, before, after)


def _raising(table: QName, before: Reach, after: Reach) -> Iterator[str]:
    """Policies that raise for being asked without a tenant, where a session had got an answer: 42704 for a setting that
    was never set, 22P02 for one that is empty, as after RESET and in a pool."""
    for session in ("unset", "empty"):
        attempt = Attempt("application", session, "select")
        now = after.outcomes.get(attempt, "untried")
        if now in ("refused 42704", "refused 22P02") and not before.outcomes.get(attempt, now).startswith("refused"):
            yield f"{table} raises {now.removeprefix('refused ')} now in a session with {_session(session)}"


def _was_held(outcome: str) -> bool:
    """Whether security stood in the way: not a key that was taken, nor that there was nothing to try."""
    return outcome != "untried" and not outcome.startswith("refused 23")


def _never_there(table: QName, old: set[Attempt], rules: Collection[str]) -> Iterator[str]:
    for rule in CLOSES.keys() & set(rules):
        if not any(attempt.role in CLOSES[rule] for attempt in old):
            yield f"{table} leaked nothing before, although {rule} was found there"


def remaining(before: Reach, after: Reach) -> str:
    """What leaked before and still does, for reasons that no repair of the change is about; empty for nothing."""
    return spell(set(after.leaks()) & set(before.leaks()))


def lost_access(table: QName, before: Reach, after: Reach) -> Iterator[str]:
    """A tenant's own access that worked and works no more.

    Under another name of the setting it counts only where the table was protected: where nothing looked at a setting,
    any name, and none, had worked.
    """
    leaking = {(one.role, one.session) for one in before.leaks() if one.statement == "select"}
    lost: dict[tuple[str, str], list[Attempt]] = {}
    for attempt, had in before.outcomes.items():
        if not is_own(attempt) or _number(had) == 0:
            continue
        if attempt.session.startswith("legacy") and (attempt.role, attempt.session) in leaking:
            continue
        now = after.outcomes.get(attempt, "untried")
        if _number(now) < _number(had):
            lost.setdefault((had, now), []).append(attempt)
    for (had, now), attempts in lost.items():
        for statements, who in _groups(attempts):
            yield f"in {table}, a tenant's {statements} of its own rows {who} gave {had}, and now {now}"
    yield from _other_effects(table, before, after)


def _other_effects(table: QName, before: Reach, after: Reach) -> Iterator[str]:
    """What triggers wrote for a tenant and write no more, and what they write now of other tenants."""
    changed: dict[str, list[Attempt]] = {}
    for attempt, had in before.effects.items():
        if _number(after.outcomes.get(attempt, "untried")) < _number(before.outcomes[attempt]):
            continue  # told already
        then = {(one.table, one.kind, one.whose): one.number for one in had}
        now = {(one.table, one.kind, one.whose): one.number for one in after.effects.get(attempt, ())}
        for (other, kind, whose), number in then.items():
            left = now.get((other, kind, whose), 0)
            if whose != "other" and left < number:
                said = f"{kind} {left} rows of {other}, and did {number} before"
                changed.setdefault(said, []).append(attempt)
        for (other, kind, whose), number in now.items():
            if whose == "other" and (other, kind, whose) not in then:
                said = f"now {kind} {number} rows of other tenants in {other}"
                changed.setdefault(said, []).append(attempt)
    for said, attempts in changed.items():
        for statements, who in _groups(attempts):
            yield f"triggers of a tenant's {statements} in {table} {who} {said}"


def _not_gained(table: QName, before: Reach, after: Reach) -> Iterator[str]:
    """What worked under the old name of the setting has to work under the canonical one."""
    for attempt, had in before.outcomes.items():
        if not is_own(attempt) or not attempt.session.startswith("legacy") or _number(had) == 0:
            continue
        now = after.outcomes.get(attempt._replace(session="right"), "untried")
        if _number(now) < _number(had):
            yield (
                f"in {table}, {attempt.statement.removeprefix(_OWN).upper()} as the {attempt.role} gives {now} under"
                f" the canonical setting, and gave {had} under {attempt.session.removeprefix('legacy ')}"
            )


def _number(outcome: str) -> int:
    """How many of one's own rows were reached: none where it was refused or not tried."""
    number, _, noun = outcome.partition(" ")
    return int(number) if noun in ("row", "rows") else 0


def spell(attempts: Iterable[Attempt]) -> str:
    """Attempts as a reader takes them in: statements, and who makes them in which sessions."""
    return "; ".join(f"{statements} {who}" for statements, who in _groups(attempts))


def _groups(attempts: Iterable[Attempt]) -> Iterator[tuple[str, str]]:
    """Statements, and who makes them: sessions of one role that make the same together, then roles."""
    order = {"application": 0, "owner": 1}
    made: dict[tuple[str, str], list[str]] = {}
    for one in sorted(set(attempts), key=lambda one: (order[one.role], one.session, one.statement)):
        made.setdefault((one.role, one.session), []).append(one.statement.removeprefix(_OWN).upper())
    sessions: dict[tuple[str, str], list[str]] = {}
    for (role, session), statements in made.items():
        said = "everything" if set(statements) >= STATEMENTS else ", ".join(statements)
        sessions.setdefault((said, role), []).append(_session(session))
    roles: dict[tuple[str, str], list[str]] = {}
    for (said, role), names in sessions.items():
        roles.setdefault((said, ", ".join(names)), []).append(f"the {role}")
    for (said, where), names in roles.items():
        yield said, f"as {' and '.join(names)} ({where})"


def _session(session: str) -> str:
    return {
        "right": "the setting right",
        "other": "the setting another tenant's",
        "wrong": "the setting wrong",
        "empty": "the setting empty",
        "unset": "no setting",
    }.get(session, f"only {session.removeprefix('legacy ')} set")


def affected(catalog: Catalog, changed: Collection[QName]) -> list[QName]:
    """Tables that are not changed themselves, but have a policy or a trigger function which names one that is.

    By name, through functions that call functions and views over views: rather one too many than one too few.
    """
    names = leading_to(catalog, changed)
    found = []
    for table in catalog.tables:
        if table in changed:
            continue
        functions = {trigger.function.name for trigger in catalog.triggers_of(table)}
        if names & functions or _goes_by(catalog, table, names):
            found.append(table)
    return found


def read_by_policies(catalog: Catalog, table: QName, others: Collection[QName]) -> list[QName]:
    """Those of the other tables that policies of the table read, directly or through functions and views."""
    return [other for other in others if _goes_by(catalog, table, leading_to(catalog, [other]))]


def leading_to(catalog: Catalog, tables: Collection[QName]) -> set[str]:
    """Names of these tables, and of the functions and views that read them."""
    names = {table.name for table in tables}
    grown = True
    while grown:
        size = len(names)
        names |= {key[0].name for key, one in catalog.functions.items() if names & _words(one.body)}
        names |= {name.name for name, view in catalog.views.items() if names & {read.name for read in view.reads}}
        grown = len(names) > size
    return names


def _goes_by(catalog: Catalog, table: QName, names: set[str]) -> bool:
    texts = (f"{policy.using} {policy.check}" for policy in catalog.policies_of(table))
    return any(names & _words(text) for text in texts)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def count_leaks(reaches: Iterable[Reach | None]) -> int:
    return sum(len(reach.leaks()) for reach in reaches if reach is not None)


def untried(reach: Reach) -> Counter[str]:
    """Statements that could not be tried, and how often."""
    return Counter(attempt.statement for attempt, outcome in reach.outcomes.items() if outcome == "untried")
