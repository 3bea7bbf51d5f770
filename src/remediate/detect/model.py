"""What detectors work on (`Facts`) and what they say (`Finding`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remediate.config.model import Config, Severity
from remediate.replay.catalog import QName, Replayed
from remediate.source.model import Service
from remediate.source.neighbours import Neighbour
from remediate.source.place import Place

Level = Literal["safe", "unsafe", "manual"]
SubjectKind = Literal["table", "policy", "function", "view", "column", "setting", "role", "statement", "workspace"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about. `table` is the table that a policy, column or trigger belongs to.

    A function's `name` carries its argument types: `touch()`, `set_tenant(uuid)`.
    """

    kind: SubjectKind
    schema: str
    name: str
    table: str | None = None

    def __str__(self) -> str:
        inner = f"{self.table}.{self.name}" if self.table else self.name
        return f"{self.schema}.{inner}" if self.schema else inner


@dataclass(frozen=True, slots=True)
class Finding:
    """One violated rule at one subject.

    `level` is the best that the fix can reach here and `reasons` say what lowers it (empty when safe). `evidence` are
    whole sentences for the reader. `waiting` names what has to happen before the next phase; such a finding is
    information and asks for no change. `tainted_by` names the unresolved, conditional or refused statements that may
    touch the subject, so that its repair checks first. `database` names the `Replayed` that it was found in.
    """

    rule: str
    severity: Severity
    service: str
    subject: Subject
    message: str
    locations: tuple[Place, ...]
    database: str
    level: Level = "safe"
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    waiting: str | None = None
    tainted_by: tuple[str, ...] = ()
    suppressed: str | None = None

    @property
    def tainted(self) -> bool:
        return bool(self.tainted_by)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that survive moved lines and renumbered files."""
        key = "\0".join((self.rule, self.service, self.subject.kind, str(self.subject)))
        return hashlib.sha256(key.encode()).hexdigest()[:12]


TableClass = Literal["tenant", "scoped", "child", "global", "unknown"]


@dataclass(frozen=True, slots=True)
class Step:
    """One hop from a child to its parent: `columns` refer to `parent_columns`; `soft` means without foreign key."""

    child: QName
    columns: tuple[str, ...]
    parent: QName
    parent_columns: tuple[str, ...]
    soft: bool


@dataclass(frozen=True, slots=True)
class Classification:
    """What kind of table it is and why. `path` leads from a child to the nearest scoped table (or the root)."""

    kind: TableClass
    reason: str
    path: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Tenancy:
    """How this database keeps tenants apart; every derived part has a reason.

    `setting` is the canonical name, `legacy` the other names in use. `column_type` is the commonest type of the tenant
    column. `enabled` is False where no tenancy was found at all (then the tenant rules are silent, and say so once).
    `setting_is_used` is False where nothing reads or sets the tenant: `setting` is then only what a repair would use.
    """

    root: QName | None
    column: str
    column_type: str
    setting: str
    legacy: tuple[str, ...]
    enabled: bool
    reasons: Mapping[str, str] = field(default_factory=dict)
    setting_is_used: bool = True


@dataclass(frozen=True, slots=True)
class Application:
    """The role that the application connects as. Only a `certain` one, a configured one, decides anything."""

    role: str | None
    certain: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one database that a detector or planner may look at. `services` stand in replay order.

    `neighbours` are folders beside the workspace that may use the database too. `memo` keeps what is asked for once per
    finding and is the same each time.
    """

    replayed: Replayed
    services: tuple[Service, ...]
    config: Config
    tenancy: Tenancy
    classes: Mapping[QName, Classification]
    neighbours: tuple[Neighbour, ...] = ()
    memo: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def service(self, name: str) -> Service | None:
        return next((service for service in self.services if service.name == name), None)
