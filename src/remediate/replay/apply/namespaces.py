"""Schemas and extensions."""

from __future__ import annotations

from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.roles import role_name
from remediate.replay.catalog import QName
from remediate.replay.extensions import EXTENSIONS
from remediate.replay.refused import Refused
from remediate.sql.nodes import option
from remediate.sql.parse import Node


@applies("create_schema_stmt")
def create_schema(node: Node, at: Applying) -> None:
    owner = role_name(node.authrole, at) if node.HasField("authrole") else None
    name = node.schemaname or owner or ""
    if name in at.builder.schemas:
        if node.if_not_exists:
            return
        raise Refused("42P06", f'schema "{name}" already exists')
    if name.startswith("pg_"):
        raise Refused("42939", f'unacceptable schema name "{name}"')
    at.builder.schemas[name] = (at.origin("create"),)


@applies("create_extension_stmt")
def create_extension(node: Node, at: Applying) -> None:
    name = node.extname
    if name in at.builder.extensions or name == "plpgsql":
        if node.if_not_exists:
            return
        raise Refused("42710", f'extension "{name}" already exists')
    schema = option(node.options, "schema")
    if schema is not None and schema.arg.string.sval not in at.builder.schemas:
        raise Refused("3F000", f'schema "{schema.arg.string.sval}" does not exist')
    required = EXTENSIONS[name].requires if name in EXTENSIONS else ()
    for each in required:
        if each not in at.builder.extensions:
            if option(node.options, "cascade") is None:
                raise Refused("42704", f'required extension "{each}" is not installed')
            at.builder.extensions[each] = (at.origin("create"),)
    at.builder.extensions[name] = (at.origin("create"),)
    if name == "postgis":
        at.builder.extras["extension relation", QName("public", "spatial_ref_sys")] = name
