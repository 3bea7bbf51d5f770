"""Refusals that may come from our not knowing: what is missed may have been made by what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from remediate.replay.catalog import QName, UnknownEffect
from remediate.replay.refused import Refused
from remediate.source.place import Unresolved

MISSING = frozenset({"42P01", "42703", "42883", "42704", "3F000"})
"""The refusals of a relation, a column, a function, a type or role, a schema that is not there."""

UNLESS = ", unless something that is not known made it: "
"""Stands between a refusal that cannot be claimed and the reason why."""

_MADE_BY_LIBRARIES = frozenset({"42P01", "42883", "3F000"})
"""What a library that connects by itself makes; neither roles nor columns of other tables."""


@dataclass(slots=True)
class Doubts:
    """What unknown effects were about, so far: relations, or anything (then by the service whose migration it was)."""

    relations: dict[QName, str] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)

    def add(self, effect: UnknownEffect) -> None:
        # Of a doubt that follows from another one, the first cause.
        cause = effect.reason.partition(UNLESS)[2]
        reason = cause or f"{effect.place} could not be read ({effect.reason})"
        for relation in effect.subjects:
            self.relations.setdefault(relation, reason)
        if not effect.subjects:
            self.services.setdefault(effect.service, reason)

    def add_maker(self, unresolved: Unresolved) -> None:
        """Something that makes relations of its own, and that no effect is told of: it changes no other ones."""
        self.libraries.setdefault(unresolved.service, f"{unresolved.place} could not be read ({unresolved.reason})")

    def add_roles(self, unresolved: Unresolved) -> None:
        """Something that may make roles, and that no effect is told of: it leaves every relation as it is."""
        self.roles.setdefault(unresolved.service, f"{unresolved.place} could not be read ({unresolved.reason})")

    def about(self, refused: Refused, service: str) -> str | None:
        """Why a refusal cannot be claimed; None where it can."""
        # SET ROLE calls a role that is not there an invalid value of a parameter (check_role in variable.c).
        if refused.code not in MISSING and not (refused.code == "22023" and refused.message.startswith('role "')):
            return None
        # A catalog of an extension, like pg_dist_node: nobody makes a table of that name.
        if refused.code == "42P01" and any(each.name.startswith("pg_") for each in refused.subjects):
            return None
        found = next((self.relations[each] for each in refused.subjects if each in self.relations), None)
        if found is None and refused.code in _MADE_BY_LIBRARIES:
            found = self.libraries.get(service)
        if found is None and refused.code == "42704":
            found = self.roles.get(service)
        return found or self.services.get(service)
