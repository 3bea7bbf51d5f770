"""What stands outside of the migrations: schemas and roles that whoever set up the database has made.

A history that was applied ran, so that what it names was there. Roles belong to the server and not to the database, and
are seldom made by a migration.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from remediate.evaluate.model import Sent
from remediate.source.model import Service
from remediate.source.place import Place
from remediate.sql.quote import quote_identifier

_GIVEN = frozenset(("$user", "public", "pg_catalog", "information_schema"))
"""What a search path may name without anybody making it."""

_SCHEMAS = re.compile(
    r"""create\s+schema\s+(?:if\s+not\s+exists\s+)?"?(?P<sql>\w*)|createSchema\w*\s*\(\s*(?:['"`](?P<call>\w*))?""",
    re.IGNORECASE,
)
_ROLES = re.compile(r'create\s+(?:role|group|user(?!\s+mapping\b))\s+"?(?P<name>\w*)', re.IGNORECASE)
_ASKED = re.compile(r"""rolname['"]?\s*(?:=|:|,|in\s*\()\s*['"](\w+)['"]""", re.IGNORECASE)
_DOWN = re.compile(r"\b(?:export\s+(?:const|(?:async\s+)?function)\s+|exports\s*\.\s*)down\b")
_MISSING_ROLE = re.compile(r'role "(?P<name>.+)" does not exist')

TAKEN_FOR_PRESENT = "no migration makes it: it is taken to be there"
_ALIKE = 0.85
"""How alike two names are (difflib) of which one is the other with a slip of the finger."""

_ABOUT_ROLES = frozenset({"drop_role_stmt", "alter_role_stmt", "alter_role_set_stmt", "rename_stmt"})
"""Statements whose subject is the role: what they would change has to be there by itself."""


class Outside:
    """What the services of a database take to be there. A name that is put together at run time may be any."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = tuple(services)

    def has_schema(self, name: str) -> bool:
        """Whether a schema of a search path has to have been made by somebody else."""
        return name not in _GIVEN and not self._made_schemas & {name, ""}

    def has_role(self, name: str, present: Iterable[str]) -> bool:
        """Whether a role has to have been made by somebody else: no migration makes it, and it is no misspelling of one
        that is present."""
        return not self._made_roles & {name, ""} and not difflib.get_close_matches(name, list(present), 1, _ALIKE)

    def roles_from_the_start(self) -> Iterator[tuple[str, Service, Place]]:
        """The roles that one migration asks for before it names them, and another names without asking, and where.

        That one ran, so that the role was there, and was there when it was asked for.
        """
        asked = {name for text in self._texts if "rolname" in text for name in _ASKED.findall(text)}
        for name in sorted(asked - self._made_roles if "" not in self._made_roles else ()):
            named = re.compile(rf'\bto\s+"?{re.escape(name)}\b', re.IGNORECASE)
            for service in self._services:
                for migration in service.migrations:
                    text = migration.data.decode("utf-8", "replace")
                    found = None if "rolname" in text else named.search(up_of(text))
                    if found is not None:
                        yield name, service, Place(migration.file, text.count("\n", 0, found.start()) + 1)
                        break
                else:
                    continue
                break

    @cached_property
    def _made_schemas(self) -> frozenset[str]:
        return frozenset(
            match["sql"] or match["call"] or "" for text in self._texts for match in _SCHEMAS.finditer(text)
        )

    @cached_property
    def _made_roles(self) -> frozenset[str]:
        return frozenset(match["name"] for text in self._texts for match in _ROLES.finditer(text))

    @cached_property
    def _texts(self) -> list[str]:
        return [
            migration.data.decode("utf-8", "replace") for service in self._services for migration in service.migrations
        ]


def up_of(text: str) -> str:
    """What stands before `down`: what that one names has not run."""
    found = _DOWN.search(text)
    return text if found is None else text[: found.start()]


def missing_role(code: str, message: str, kind: str | None) -> str | None:
    """The role for want of which PostgreSQL refuses a statement that only names it."""
    found = _MISSING_ROLE.fullmatch(message) if code in ("42704", "22023") and kind not in _ABOUT_ROLES else None
    return found["name"] if found else None


def making_role(role: str, sent: Sent) -> Sent:
    """The statement that stands for what somebody else has done, at the place where it is first missed."""
    return Sent(sent.service, "", "up", sent.place, f"CREATE ROLE {quote_identifier(role)}", "raw")


def taken_for_present(kind: str, name: str) -> str:
    """What is said of it, at the place where it is first named."""
    return f"{kind} {name} is named here, and {TAKEN_FOR_PRESENT}"
