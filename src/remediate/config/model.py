"""What can be configured; every field has the default that an empty file gives.

`None` or empty means "find out": what is derived is shown by `remediate services`, with the reason.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["error", "warning", "info"]


class Workspace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    services: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    database: Literal["shared", "per-service"] | None = None
    exclude: tuple[str, ...] = ()
    postgres: int = 15
    environment: dict[str, str] = {}


class Tenancy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    table: str | None = None
    column: str | None = None
    setting: str | None = None
    legacy_settings: tuple[str, ...] = ()
    global_tables: tuple[str, ...] = ()


class Roles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    application: str | None = None
    migration: str | None = None
    bypass: tuple[str, ...] = ()


class Emit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    lock_timeout: str = "5s"


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    severity: Severity | None = None
    enabled: bool = True


class Suppression(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """`[[suppress]]`: `subject` is a schema-qualified name, `*` matches any run of characters; `until` is a date."""

    rule: str
    subject: str = "*"
    reason: str
    until: str | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    workspace: Workspace = Workspace()
    tenancy: Tenancy = Tenancy()
    roles: Roles = Roles()
    emit: Emit = Emit()
    rules: dict[str, Rule] = {}
    suppress: tuple[Suppression, ...] = ()
