"""Which services share a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from remediate.source.knexfile import Knexfile
from remediate.source.order import READ, Need

# Names that come with a template or stand for an environment say nothing about which database it is.
_GENERIC = re.compile(
    r"(?:development|dev|test|testing|staging|production|prod|local|localhost|my_db|mydb|db|database|postgres|…)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the knexfiles of one service say about its database: literal names, and environment variables."""

    names: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()


def identity_of(knexfiles: Iterable[Knexfile]) -> Identity:
    """Taken from the environment that describes production best; from all where that one says nothing."""
    names: set[str] = set()
    variables: set[str] = set()
    for knexfile in knexfiles:
        main = knexfile.main
        environments = [main] if main and (main.databases or main.variables) else list(knexfile.environments)
        for environment in environments:
            names.update(name for name in environment.databases if not _GENERIC.fullmatch(name))
            variables.update(environment.variables)
    return Identity(frozenset(names), frozenset(variables))


def is_same_run(first: Knexfile, second: Knexfile) -> bool:
    """Whether nothing shows that two knexfiles stand for two runs: they agree on Knex's table, and on the database.

    Knex refuses a folder that lacks files which its table records: two folders take two tables, or two databases.
    """
    tables = [(main.table_name or "knex_migrations", main.schema_name) for one in (first, second) if (main := one.main)]
    return len(set(tables)) < 2 and _may_share(identity_of([first]), identity_of([second]))


def databases(
    services: Sequence[str],
    identities: Mapping[str, Identity],
    needs: Iterable[Need],
    configured: Literal["shared", "per-service"] | None,
) -> dict[str, tuple[str, str]]:
    """For each service the name of its database and the reason.

    The configuration decides; then equal database names in the knexfiles; then, for services that are not known to
    have databases of their own, that one uses a table that only another creates.
    """
    if configured == "per-service" or len(services) < 2:
        reason = "remediate.toml says per-service" if configured else "the only service"
        return {name: (name, reason) for name in services}
    if configured == "shared":
        return dict.fromkeys(services, ("shared", "remediate.toml says shared"))
    group = {name: name for name in services}
    reasons: dict[str, str] = {}
    for index, first in enumerate(services):
        for second in services[index + 1 :]:
            common = identities[first].names & identities[second].names
            if common:
                reason = f"the knexfiles of several services name the database {min(common)}"
                _join(group, first, second)
                reasons.setdefault(first, reason)
                reasons.setdefault(second, reason)
    for need in sorted(needs, key=lambda need: (-need.weight, need)):
        if need.weight < READ or not _may_share(identities[need.service], identities[need.owner]):
            continue
        if group[need.service] != group[need.owner]:
            _join(group, need.service, need.owner)
            reason = f"{need.service} uses {need.subject} of {need.owner} ({need.how})"
            reasons.setdefault(need.service, reason)
            reasons.setdefault(need.owner, reason)
    result = {}
    for name in services:
        members = [other for other in services if group[other] == group[name]]
        if len(members) == 1:
            result[name] = (
                name,
                'nothing shows that it shares a database; database = "shared" in remediate.toml says so',
            )
            continue
        literal = sorted(set.intersection(*(set(identities[member].names) or {""} for member in members)) - {""})
        whole = len(members) == len(services)
        title = literal[0] if literal else "shared" if whole else f"shared-{min(members)}"
        reason = reasons.get(name) or next(reasons[member] for member in members if member in reasons)
        result[name] = (title, reason)
    return result


def _join(group: dict[str, str], first: str, second: str) -> None:
    old, new = group[second], group[first]
    for name, root in group.items():
        if root == old:
            group[name] = new


def _may_share(first: Identity, second: Identity) -> bool:
    """Whether nothing shows that they are apart: names that differ do, and variables where neither names a database."""
    if first.names and second.names:
        return bool(first.names & second.names)
    if first.variables and second.variables and not (first.names or second.names):
        return bool(first.variables & second.variables)
    return True
