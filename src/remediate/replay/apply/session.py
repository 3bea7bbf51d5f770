"""Settings of the session, and SELECTs that are there for what they do: SET, set_config, SET ROLE."""

from __future__ import annotations

from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.functions import setting_value
from remediate.replay.apply.roles import role_name
from remediate.replay.builder import CatalogBuilder
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.nodes import VariableSetKind
from remediate.sql.parse import Node

_RESETS = (VariableSetKind.VAR_SET_DEFAULT, VariableSetKind.VAR_RESET)


@applies("variable_set_stmt")
def set_variable(node: Node, at: Applying) -> None:
    name = node.name.lower()
    if node.kind == VariableSetKind.VAR_RESET_ALL:
        for key in list(at.builder.session):
            if key != "role":
                del at.builder.session[key]
        return
    if node.kind in _RESETS:
        key = _key(name)
        if key in at.builder.session:
            del at.builder.session[key]
        return
    if node.kind != VariableSetKind.VAR_SET_VALUE:
        return
    values = [setting_value(item) for item in node.args]
    set_setting(name, values, bool(node.is_local), at)


def _key(name: str) -> str:
    return name if name in ("search_path", "role") else f"setting {name}"


def set_setting(name: str, values: list[str], local: bool, at: Applying) -> None:
    """SET and set_config. What is local is taken back by the engine, at the end of the transaction."""
    key = _key(name)
    if local:
        remembered = dict(at.builder.session.get("local", {}))
        remembered.setdefault(key, at.builder.session.get(key))
        at.builder.session["local"] = remembered
    if name == "search_path":
        at.builder.session[key] = tuple(values)
    elif name == "role":
        if values[0] in ("none", "default"):
            if key in at.builder.session:
                del at.builder.session[key]
        else:
            if values[0] not in at.builder.roles and not values[0].startswith("pg_"):
                raise Refused(
                    "22023", f'role "{values[0]}" does not exist', nearest=nearest_name(values[0], at.builder.roles)
                )
            at.builder.session[key] = values[0]
    else:
        at.builder.session[key] = ", ".join(values)


@applies("alter_role_set_stmt", "alter_database_set_stmt")
def set_for_later(node: Node, at: Applying) -> None:
    """What sessions of a role, or of the database, begin with from now on (pg_db_role_setting)."""
    whose = ""
    if at.statement.kind == "alter_role_set_stmt" and node.HasField("role"):
        whose = role_name(node.role, at)
    change = node.setstmt
    name = change.name.lower()
    for key in [key for key in at.builder.extras if key[:2] == ("kept setting", whose)]:
        if change.kind == VariableSetKind.VAR_RESET_ALL or key[2] == name:
            del at.builder.extras[key]
    if change.kind == VariableSetKind.VAR_SET_VALUE:
        at.builder.extras["kept setting", whose, name] = tuple(setting_value(item) for item in change.args)


def begin_with_kept(builder: CatalogBuilder) -> None:
    """A new session: nothing is set but what is kept for the database, and over it for its user."""
    for key in list(builder.session):
        del builder.session[key]
    for whose in ("", builder.current_user):
        for key, values in list(builder.extras.items()):
            if key[:2] == ("kept setting", whose) and key[2] != "role":
                setting = _key(key[2])
                builder.session[setting] = values if setting == "search_path" else ", ".join(values)


def end_local(builder: CatalogBuilder) -> None:
    """The end of a transaction: what SET LOCAL changed is as before."""
    remembered = builder.session.get("local")
    if not remembered:
        return
    for key, old in remembered.items():
        if old is None:
            if key in builder.session:
                del builder.session[key]
        else:
            builder.session[key] = old
    del builder.session["local"]


def split_path(value: str) -> list[str]:
    """SplitIdentifierString, for the value of search_path in set_config."""
    names = [part.strip() for part in value.split(",")]
    return [part[1:-1] if part.startswith('"') else part.lower() for part in names if part]
