"""Foreign servers and tables (commands/foreigncmds.c): views stand on them; they have no policies."""

from __future__ import annotations

from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.dependents import WRAPPERS
from remediate.replay.apply.roles import role_name
from remediate.replay.apply.tables import create_table
from remediate.replay.copying import replace
from remediate.replay.refused import Refused
from remediate.sql.nodes import ConstrType
from remediate.sql.parse import Node

_UNSUPPORTED = {
    ConstrType.CONSTR_PRIMARY: "primary key",
    ConstrType.CONSTR_UNIQUE: "unique",
    ConstrType.CONSTR_EXCLUSION: "exclusion",
    ConstrType.CONSTR_FOREIGN: "foreign key",
}


@applies("create_fdw_stmt")
def create_wrapper(node: Node, at: Applying) -> None:
    at.builder.extras["wrapper", node.fdwname] = True


@applies("create_foreign_server_stmt")
def create_server(node: Node, at: Applying) -> None:
    wrapper = node.fdwname
    brought = {WRAPPERS.get(extension, extension) for extension in at.builder.extensions}
    if ("wrapper", wrapper) not in at.builder.extras and wrapper not in brought:
        raise Refused("42704", f'foreign-data wrapper "{wrapper}" does not exist')
    if ("server", node.servername) in at.builder.extras:
        if node.if_not_exists:
            return
        raise Refused("42710", f'server "{node.servername}" already exists')
    at.builder.extras["server", node.servername] = frozenset()
    at.builder.extras["wrapper of", node.servername] = wrapper


@applies("alter_foreign_server_stmt")
def alter_server(node: Node, at: Applying) -> None:
    _require_server(node.servername, at)


@applies("create_user_mapping_stmt")
def create_mapping(node: Node, at: Applying) -> None:
    """The server's entry is the set of roles that are mapped there."""
    role = role_name(node.user, at)
    mapped = _require_server(node.servername, at)
    if role in mapped:
        if node.if_not_exists:
            return
        raise Refused("42710", f'user mapping for "{role}" already exists for server "{node.servername}"')
    at.builder.extras["server", node.servername] = mapped | {role}


@applies("alter_user_mapping_stmt", "drop_user_mapping_stmt")
def change_mapping(node: Node, at: Applying) -> None:
    missing_ok = getattr(node, "missing_ok", False)
    if missing_ok and ("server", node.servername) not in at.builder.extras:
        return
    role = role_name(node.user, at)
    mapped = _require_server(node.servername, at)
    if role not in mapped:
        if missing_ok:
            return
        raise Refused("42704", f'user mapping for "{role}" does not exist for server "{node.servername}"')
    if at.statement.kind == "drop_user_mapping_stmt":
        at.builder.extras["server", node.servername] = mapped - {role}


@applies("create_foreign_table_stmt")
def create_foreign_table(node: Node, at: Applying) -> None:
    base = node.base_stmt
    name = at.new_name(base.relation)
    if base.if_not_exists and at.builder.relation_kind(name) is not None:
        return
    keys = [item.constraint for item in base.table_elts if item.WhichOneof("node") == "constraint"]
    for item in base.table_elts:
        if item.WhichOneof("node") == "column_def":
            keys += [each.constraint for each in item.column_def.constraints]
    for constraint in keys:
        refuse_key(constraint)
    create_table(base, at)
    _require_server(node.servername, at)
    at.builder.tables[name] = replace(at.builder.tables[name], server=node.servername)


def refuse_key(constraint: Node) -> None:
    """0A000 for what only a table of this server can have."""
    kind = _UNSUPPORTED.get(constraint.contype)
    if kind is not None:
        raise Refused("0A000", f"{kind} constraints are not supported on foreign tables")


def _require_server(name: str, at: Applying) -> frozenset[str]:
    mapped: frozenset[str] | None = at.builder.extras.get(("server", name))
    if mapped is None:
        raise Refused("42704", f'server "{name}" does not exist')
    return mapped
