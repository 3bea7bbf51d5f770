"""The shape of classes and functions as they are declared: their members, their names, the class around a place."""

from __future__ import annotations

from remediate.source.access.site import CLASSES, FUNCTIONS, Site


def enclosing_class(site: Site) -> Site | None:
    """The class whose `this` a place sees; None within a function that has a `this` of its own."""
    for above in site.above():
        if above.type in CLASSES:
            return above
        if above.type in ("function_expression", "function_declaration"):
            return None
        if above.type == "method_definition" and above.parent is not None and above.parent.type == "object":
            return None
    return None


def members_of(owner: Site) -> list[Site]:
    body = owner.field("body")
    return body.children() if body is not None else []


def constructor_of(owner: Site) -> Site | None:
    for child in members_of(owner):
        if child.type == "method_definition" and (key := child.field("name")) and key.text == "constructor":
            return child
    return None


def is_kept(parameter: Site) -> bool:
    """Whether TypeScript keeps a constructor's parameter as a field: `private db: Knex`."""
    return any(
        child.type in ("accessibility_modifier", "readonly", "override_modifier") for child in parameter.node.children
    )


def function_name(function: Site) -> str | None:
    """The name under which a function is called, where it has one."""
    if (name := function.field("name")) is not None:
        return name.text
    outer = function.wrapped().parent
    if outer is None:
        return None
    named = {"variable_declarator": "name", "public_field_definition": "name", "pair": "key"}.get(outer.type)
    if named is not None and (name := outer.field(named)) is not None:
        return name.text.strip("'\"")
    if outer.type == "assignment_expression" and (left := outer.field("left")) is not None:
        return left.text.rpartition(".")[2]
    return None


def returned(function: Site) -> list[Site]:
    """What a function gives back: its expression, or the values of its own return statements."""
    body = function.field("body")
    if body is None:
        return []
    if body.type != "statement_block":
        return [body]
    found, pending = [], [body]
    while pending:
        site = pending.pop()
        if site.type == "return_statement":
            found += site.children()[:1]
        elif site.type not in FUNCTIONS:
            pending += [child for child in site.children() if child.node.named_child_count]
    return found
