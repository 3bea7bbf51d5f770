"""ALTER DEFAULT PRIVILEGES: grants on tables and sequences that a role makes later (catalog/aclchk.c)."""

from __future__ import annotations

from itertools import product

from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.roles import ALL_PRIVILEGES, GRANT_KINDS, change_grant, role_name
from remediate.replay.catalog import QName
from remediate.replay.refused import Refused
from remediate.sql.nodes import option
from remediate.sql.parse import Node

_KEY = "default privileges"


@applies("alter_default_privileges_stmt")
def alter_default_privileges(node: Node, at: Applying) -> None:
    """Kept by (maker, schema or None, kind, grantee) until something is made."""
    grantees = [role_name(item.role_spec, at) for item in node.action.grantees]
    makers = [role_name(item.role_spec, at) for item in _items(node, "roles")] or [at.builder.current_user]
    schemas: list[str | None] = [item.string.sval for item in _items(node, "schemas")]
    for schema in schemas:
        if schema not in at.builder.schemas:
            raise Refused("3F000", f'schema "{schema}" does not exist')
    kind = GRANT_KINDS.get(node.action.objtype)
    if kind not in ("table", "sequence"):
        return
    given = [item.access_priv.priv_name for item in node.action.privileges]
    privileges = set(given) if node.action.privileges else set(ALL_PRIVILEGES[kind])
    defaults = dict(at.builder.extras.get(_KEY, {}))
    for key in product(makers, schemas or [None], (kind,), grantees):
        had = defaults.get(key, frozenset())
        defaults[key] = had | privileges if node.action.is_grant else had - privileges
    at.builder.extras[_KEY] = defaults


def _items(node: Node, name: str) -> list[Node]:
    element = option(node.options, name)
    return [] if element is None else list(element.arg.list.items)


def grant_defaults(kind: str, name: QName, at: Applying) -> None:
    """After a table, a view ("table") or a sequence was made: those of the schema add to those of the database."""
    maker = at.builder.current_user
    for (granting, schema, of, grantee), privileges in at.builder.extras.get(_KEY, {}).items():
        if granting == maker != grantee and of == kind and schema in (None, name.schema) and privileges:
            change_grant(kind, str(name), grantee, tuple(sorted(privileges)), True, at)
