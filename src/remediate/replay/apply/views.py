"""Views, materialized views, CREATE TABLE AS and SELECT INTO (commands/view.c, createas.c)."""

from __future__ import annotations

from dataclasses import replace

from remediate.replay.apply.base import Applying, applies, uses_of
from remediate.replay.apply.default_privileges import grant_defaults
from remediate.replay.catalog import Column, History, QName, Table, View
from remediate.replay.refused import Refused
from remediate.sql.deparse import Spelled
from remediate.sql.nodes import ObjectType, option, option_text, strings
from remediate.sql.parse import Node
from remediate.sql.quote import truncate_identifier


@applies("view_stmt")
def create_view(node: Node, at: Applying) -> None:
    spelled = at.query(node.query.select_stmt)
    name = at.new_name(node.view)
    name = QName(name.schema, truncate_identifier(name.name))
    columns = _columns(spelled, strings(node.aliases))
    invoker = option(node.options, "security_invoker")
    kind = at.builder.relation_kind(name)
    if kind != "view" or not node.replace:
        _require_distinct(spelled, columns)
    history: History = (at.origin("create"),)
    if kind is not None:
        if not node.replace:
            raise Refused("42P07", f'relation "{name.name}" already exists', subjects=[name])
        if kind != "view":
            raise Refused("42809", f'"{name.name}" is not a view', subjects=[name])
        old = at.builder.views[name]
        # Columns that are new are added to the relation, which is when names are compared.
        _require_replaceable(old, columns)
        _require_distinct(spelled, columns)
        history = (*old.history, at.origin("replace"))
    elif name in at.builder.types:
        raise Refused("42710", f'type "{name.name}" already exists', subjects=[name])
    store_view(View(name, spelled.text, history, False, _is_on(invoker), _reads(spelled), columns), spelled, at)
    if kind is None:
        grant_defaults("table", name, at)


def _is_on(element: Node | None) -> bool:
    return element is not None and option_text(element).lower() in ("true", "on", "1", "yes")


def store_view(view: View, spelled: Spelled, at: Applying) -> None:
    at.builder.views[view.name] = view
    at.builder.uses["view", view.name, ""] = uses_of(spelled, at.builder)


def _reads(spelled: Spelled) -> tuple[QName, ...]:
    return tuple(QName(*relation) for relation in spelled.relations)


def _columns(spelled: Spelled, names: list[str]) -> tuple[Column, ...]:
    """The output columns; empty where they cannot be told."""
    if spelled.output is None:
        return ()
    found = list(spelled.output.items())
    if len(names) > len(found):
        raise Refused("42601", "CREATE VIEW specifies more column names than columns")
    return tuple(
        Column(names[at] if at < len(names) else name, type_name or "text")
        for at, (name, type_name) in enumerate(found)
    )


def _require_distinct(spelled: Spelled, columns: tuple[Column, ...]) -> None:
    names = [column.name for column in columns]
    doubled = next((name for at, name in enumerate(names) if name in names[:at]), None) or spelled.duplicate
    if doubled:
        raise Refused("42701", f'column "{doubled}" specified more than once')


def _require_replaceable(old: View, columns: tuple[Column, ...]) -> None:
    """checkViewColumns: the old columns stay, in place and type."""
    if not old.columns or not columns:
        return
    if len(columns) < len(old.columns):
        raise Refused("42P16", "cannot drop columns from view", subjects=[old.name])
    for before, after in zip(old.columns, columns, strict=False):
        if before.name != after.name:
            raise Refused(
                "42P16", f'cannot change name of view column "{before.name}" to "{after.name}"', subjects=[old.name]
            )
        if before.type != after.type:
            raise Refused(
                "42P16",
                f'cannot change data type of view column "{before.name}" from {before.type} to {after.type}',
                subjects=[old.name],
            )


@applies("create_table_as_stmt")
def create_table_as(node: Node, at: Applying) -> None:
    """CREATE TABLE … AS and CREATE MATERIALIZED VIEW."""
    name = at.new_name(node.into.rel)
    name = QName(name.schema, truncate_identifier(name.name))
    if at.builder.relation_kind(name) is not None:
        if node.if_not_exists:
            return
        raise Refused("42P07", f'relation "{name.name}" already exists', subjects=[name])
    if node.query.WhichOneof("node") != "select_stmt":
        return
    spelled = at.query(node.query.select_stmt)
    columns = _columns(spelled, strings(node.into.col_names))
    _require_distinct(spelled, columns)
    if node.objtype == ObjectType.OBJECT_MATVIEW:
        view = View(name, spelled.text, (at.origin("create"),), True, False, _reads(spelled), columns)
        store_view(view, spelled, at)
        grant_defaults("table", name, at)
    else:
        create_from_query(name, columns, at)


def create_from_query(name: QName, columns: tuple[Column, ...], at: Applying) -> None:
    owner = at.builder.current_user
    at.builder.tables[name] = Table(name, columns, (at.origin("create"),), owner=owner)
    grant_defaults("table", name, at)


def select_into(node: Node, at: Applying) -> None:
    """SELECT … INTO table."""
    name = at.new_name(node.into_clause.rel)
    at.require_free(name)
    spelled = at.query(node)
    create_from_query(name, _columns(spelled, []), at)


@applies("refresh_mat_view_stmt")
def refresh(node: Node, at: Applying) -> None:
    found = at.relation(node.relation)
    assert found is not None
    if found[1] != "materialized view":
        raise Refused("0A000", f'"{found[0].name}" is not a materialized view', subjects=[found[0]])
    if node.concurrent:
        unique = any(
            index.unique and index.predicate is None and not any(each.startswith("(") for each in index.columns)
            for index in at.builder.indexes_of(found[0])
        )
        if not unique:
            raise Refused("55000", f'cannot refresh materialized view "{found[0]}" concurrently', subjects=[found[0]])


def set_view_options(view: View, options: Node, at: Applying, *, reset: bool = False) -> None:
    """ALTER VIEW … SET (security_invoker = …)."""
    element = option(options, "security_invoker")
    if element is not None:
        invoker = False if reset else _is_on(element)
        history = (*view.history, at.origin("alter"))
        at.builder.views[view.name] = replace(view, security_invoker=invoker, history=history)
