"""What the names of a module stand for where they are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from remediate.source.access.site import CLASSES, FUNCTIONS, Site

Kind = Literal["parameter", "variable", "function", "class", "import", "other"]

_SCOPES = FUNCTIONS | {"program", "statement_block", "switch_case", "switch_default", "catch_clause"}
_SCOPES |= {"for_in_statement", "for_statement"}


@dataclass(frozen=True, slots=True)
class Binding:
    """`site` is the function of a parameter, the declarator of a variable, else the declaration itself.

    `members` is the way from the value to what the name stands for (`const { a: { b } } = …` gives a, b), `default`
    what it is when that is undefined. Of an import: `package` as it is written, and the `original` name there
    ("default", "*" for the namespace, "=" for what require gives).
    """

    kind: Kind
    name: str
    site: Site
    index: int = -1
    members: tuple[str, ...] = ()
    default: Site | None = None
    package: str = ""
    original: str = ""


def lookup(site: Site, name: str) -> Binding | None:
    """What a name means at a place, or None for what the module does not declare."""
    for scope in site.above():
        if scope.type in _SCOPES and (found := bindings(scope).get(name)) is not None:
            return found
    return None


def bindings(scope: Site) -> dict[str, Binding]:
    """The names that a scope declares itself."""
    known = scope.module.scopes
    key = scope.key
    if key not in known:
        known[key] = {binding.name: binding for binding in _declared(scope)}
    return known[key]


def _declared(scope: Site) -> Iterator[Binding]:
    if scope.type in FUNCTIONS:
        for index, parameter in enumerate(parameters(scope)):
            yield from _parameter(scope, index, parameter)
        if scope.type == "function_expression" and (name := scope.field("name")):
            yield Binding("function", name.text, scope)
    elif scope.type == "catch_clause":
        if (caught := scope.field("parameter")) is not None:
            yield from (Binding("other", name, scope) for name, _, _ in _pattern(caught, ()))
    elif scope.type == "for_in_statement":
        if (left := scope.field("left")) is not None:
            yield from (Binding("other", name, scope) for name, _, _ in _pattern(left, ()))
    else:
        for statement in scope.children():
            yield from declared_by(statement)


def parameters(function: Site) -> list[Site]:
    """The parameters of a function, in order; TypeScript's `this` is none."""
    single = function.field("parameter")
    if single is not None:
        return [single]
    listed = function.field("parameters")
    found = listed.children() if listed is not None else []
    return [one for one in found if not ((pattern := one.field("pattern")) is not None and pattern.type == "this")]


def parameter_name(parameter: Site) -> Site:
    """The pattern of a parameter, without its type and default."""
    return parameter.field("pattern") or parameter


def _parameter(function: Site, index: int, parameter: Site) -> Iterator[Binding]:
    default = parameter.field("value")
    for name, members, inner in _pattern(parameter_name(parameter), ()):
        yield Binding("parameter", name, function, index, members, inner or (None if members else default))


def _pattern(pattern: Site, members: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], Site | None]]:
    """The names in a pattern, the members that lead to them, their defaults."""
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        own = (pattern.text,) if pattern.type.startswith("shorthand") else ()
        yield pattern.text, (*members, *own), None
    elif pattern.type in ("object_assignment_pattern", "assignment_pattern"):
        left, right = pattern.field("left"), pattern.field("right")
        if left is not None:
            yield from ((name, path, inner or right) for name, path, inner in _pattern(left, members))
    elif pattern.type == "pair_pattern":
        key, value = pattern.field("key"), pattern.field("value")
        if key is not None and value is not None:
            yield from _pattern(value, (*members, key.text.strip("'\"")))
    elif pattern.type == "array_pattern":
        for index, child in enumerate(pattern.children()):
            yield from _pattern(child, (*members, str(index)))
    elif pattern.type == "rest_pattern":
        for child in pattern.children():
            yield from _pattern(child, (*members, "..."))
    elif pattern.type == "object_pattern":
        for child in pattern.children():
            yield from _pattern(child, members)


def declared_by(statement: Site) -> Iterator[Binding]:
    """The names that a statement declares in the scope in which it stands."""
    if statement.type == "export_statement":
        declaration = statement.field("declaration")
        if declaration is not None:
            yield from declared_by(declaration)
    elif statement.type in ("function_declaration", "generator_function_declaration", *CLASSES):
        if (name := statement.field("name")) is not None:
            yield Binding("class" if statement.type in CLASSES else "function", name.text, statement)
    elif statement.type in ("lexical_declaration", "variable_declaration"):
        for declarator in statement.children():
            yield from _declarator(declarator)
    elif statement.type == "import_statement":
        yield from _imported(statement)
    elif (
        statement.type
        in (
            "enum_declaration",
            "interface_declaration",
            "type_alias_declaration",
            "ambient_declaration",
        )
        and (name := statement.field("name")) is not None
    ):
        yield Binding("other", name.text, statement)


def _declarator(declarator: Site) -> Iterator[Binding]:
    name, value = declarator.field("name"), declarator.field("value")
    if name is None:
        return
    package = required(value) if value is not None else None
    for found, members, default in _pattern(name, ()):
        if package is not None:
            original = members[0] if members else "="
            yield Binding("import", found, declarator, members=members[1:], package=package, original=original)
        else:
            yield Binding("variable", found, declarator, members=members, default=default)


def required(value: Site) -> str | None:
    """The module of `require('…')` and `await import('…')`."""
    site = value.bare()
    if site.type == "await_expression" and site.children():
        site = site.children()[0].bare()
    function, arguments = site.field("function"), site.field("arguments")
    if site.type != "call_expression" or function is None or arguments is None:
        return None
    if function.type == "import" or function.text == "require":
        first = arguments.children()[:1]
        return first[0].string() if first else None
    return None


def _imported(statement: Site) -> Iterator[Binding]:
    source = statement.field("source")
    package = source.string() if source is not None else None
    for clause in statement.children():
        if clause.type == "import_require_clause":
            named = [child for child in clause.children() if child.type == "identifier"]
            text = next((child.string() for child in clause.children() if child.type == "string"), None)
            if named and text:
                yield Binding("import", named[0].text, statement, package=text, original="=")
        elif clause.type == "import_clause" and package is not None:
            for part in clause.children():
                yield from _import_part(statement, part, package)


def _import_part(statement: Site, part: Site, package: str) -> Iterator[Binding]:
    if part.type == "identifier":
        yield Binding("import", part.text, statement, package=package, original="default")
    elif part.type == "namespace_import" and part.children():
        yield Binding("import", part.children()[0].text, statement, package=package, original="*")
    elif part.type == "named_imports":
        for specifier in part.children():
            name, alias = specifier.field("name"), specifier.field("alias")
            if name is not None:
                yield Binding("import", (alias or name).text, statement, package=package, original=name.text)
