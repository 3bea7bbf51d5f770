"""What the declared type of an expression says that it is: a class or an interface of the workspace.

Taken are annotations, `new X(…)`, what containers of dependencies are asked for (`inject(X)`), getters and what
functions say that they return. Nothing is inferred from how a value is used; what is not declared is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediate.source.access.declarations import enclosing_class, returned
from remediate.source.access.injection import Provider, asked_of_container, token_of
from remediate.source.access.scope import Binding, lookup, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Site

if TYPE_CHECKING:
    from remediate.source.access.program import Definition, Program

_INTERFACE = "interface_declaration"
_ALIAS = "type_alias_declaration"
TYPES = frozenset({_INTERFACE, _ALIAS})
# `Readonly<X>` has the methods of X itself; `Partial<X>` and `Pick<X, …>` may be any object.
_SAME = frozenset({"Promise", "Readonly", "Required", "NonNullable", "Awaited"})


@dataclass(frozen=True, slots=True)
class Instance:
    """`type` is a class or an interface. `exact`: it was made by `new` of that very class, and no class below it."""

    type: Site
    exact: bool = False

    @property
    def is_class(self) -> bool:
        return self.type.type in CLASSES


@dataclass(frozen=True, slots=True)
class Types:
    """The part of `program` that goes by declared types."""

    program: Program

    def of(self, site: Site | None, steps: int) -> Instance | None:
        """What an expression is an instance of; None where that is not declared."""
        if site is None or steps <= 0:
            return None
        site = site.bare()
        match site.type:
            case "this":
                owner = enclosing_class(site)
                return Instance(owner) if owner is not None else None
            case "await_expression":
                return self.of(next(iter(site.children()), None), steps - 1)
            case "new_expression":
                made = self.program.class_named(site.field("constructor"), steps - 1)
                return Instance(made, exact=True) if made is not None else None
            case "identifier":
                binding = lookup(site, site.text)
                return self._bound(binding, steps - 1) if binding is not None else None
            case "member_expression":
                return self._member(site, steps - 1)
            case "call_expression":
                return self._given_by(site, steps - 1)
        return None

    def of_definition(self, found: Definition | None, steps: int) -> Instance | None:
        """What a definition is an instance of: a parameter, a field, a getter, the value of a constant."""
        if steps <= 0 or not isinstance(found, Site):
            declared = getattr(found, "declared", None)
            return self._declared_at(declared, steps) if declared is not None else None
        if found.type == "public_field_definition":
            value = found.field("value")
            if found.field("type") is not None:
                return self._declared_at(found, steps)
            made = self.of(value, steps - 1)
            return Instance(made.type) if made is not None else None
        if found.type == "method_definition" and any(child.type == "get" for child in found.node.children):
            return self._returned_by(found, steps)
        if found.type in ("property_signature", "required_parameter"):
            return self.named_by(found.field("type"), steps)
        return self.of(found, steps) if found.type in ("new_expression", "call_expression") else None

    def _declared_at(self, declaration: Site, steps: int) -> Instance | None:
        """The type of a parameter or a field. What is injected for a token counts, whatever its type says."""
        found = self.named_by(declaration.field("type"), steps)
        token = token_of(declaration) if found is not None else None
        providers = self.program.injection.providers(token) if token is not None else ()
        given = [one for provider in providers for one in self._provided(provider, steps)]
        if found is None or all(one is not None and self._is_a(one.type, found.type, steps) for one in given):
            return found
        return given[0] if len(given) == 1 else None

    def _provided(self, provider: Provider, steps: int) -> list[Instance | None]:
        if provider.kind in ("useClass", "useExisting"):
            made = self.program.class_named(provider.value, steps)
            return [Instance(made) if made is not None else None]
        function = self.program.define(provider.value, steps)
        is_function = isinstance(function, Site) and function.type in FUNCTIONS
        values = returned(function) if isinstance(function, Site) and is_function else [provider.value]
        return [self.of(value, steps - 1) for value in values]

    def _is_a(self, given: Site, type_: Site, steps: int) -> bool:
        """Whether a class is, extends or says that it implements a type."""
        if type_.type in CLASSES or given.key == type_.key:
            return self.program.descends(given, type_)
        current: Site | None = given
        while current is not None and steps > 0:
            for clause in (
                part for child in current.children() if child.type == "class_heritage" for part in child.children()
            ):
                for one in clause.children() if clause.type == "implements_clause" else ():
                    named = self.named_by(one, steps)
                    if named is not None and named.type.key == type_.key:
                        return True
            current, steps = self.program.superclass(current), steps - 1
        return False

    def _bound(self, binding: Binding, steps: int) -> Instance | None:
        if binding.kind == "parameter":
            listed = parameters(binding.site)
            if binding.index >= len(listed):
                return None
            if not binding.members:
                return self._declared_at(listed[binding.index], steps)
            return self._through(listed[binding.index].field("type"), binding.members, steps)
        if binding.kind == "variable":
            annotation, value = binding.site.field("type"), binding.site.field("value")
            if annotation is not None:
                return self._through(annotation, binding.members, steps)
            found = self.of(value, steps)
            for name in binding.members:
                found = self._member_of(found, name, steps)
            declaration = binding.site.parent
            is_constant = declaration is not None and declaration.node.children[0].type == "const"
            return found if found is None or is_constant else Instance(found.type)
        return self.of_definition(self.program.bound(binding, steps), steps)

    def _through(self, annotation: Site | None, members: tuple[str, ...], steps: int) -> Instance | None:
        """What `members` of a declared type are: `({ db }: Services) => …`, `({ db }: { db: Db }) => …`."""
        if not members:
            return self.named_by(annotation, steps)
        written = annotation.children()[0] if annotation is not None and annotation.children() else None
        if written is not None and written.type == "object_type":
            for child in written.children():
                if child.type == "property_signature" and (key := child.field("name")) and key.text == members[0]:
                    return self._through(child.field("type"), members[1:], steps - 1)
            return None
        found = self.named_by(annotation, steps)
        for name in members:
            found = self._member_of(found, name, steps)
        return found

    def _member(self, site: Site, steps: int) -> Instance | None:
        target, name = site.field("object"), site.field("property")
        if target is None or name is None:
            return None
        owner = self.of(target, steps)
        if owner is not None:
            return self._member_of(owner, name.text, steps)
        return self.of_definition(self.program.define(site, steps), steps)

    def _member_of(self, owner: Instance | None, name: str, steps: int) -> Instance | None:
        if owner is None or steps <= 0:
            return None
        if owner.is_class:
            return self.of_definition(self.program.class_member(owner.type, name, steps), steps - 1)
        body = owner.type.field("body")
        for child in body.children() if body is not None else ():
            if child.type == "property_signature" and (key := child.field("name")) and key.text == name:
                return self.named_by(child.field("type"), steps - 1)
        return None

    def _given_by(self, call: Site, steps: int) -> Instance | None:
        """`inject(X)`, `moduleRef.get(X)`, and functions of the workspace that say what they return."""
        function = call.field("function")
        if function is None:
            return None
        if (asked := asked_of_container(call)) is not None:
            found = self.program.class_named(asked, steps)
            return Instance(found) if found is not None else None
        defined = self.program.define(function, steps)
        if isinstance(defined, Site) and defined.type in FUNCTIONS:
            return self._returned_by(defined, steps)
        return None

    def _returned_by(self, function: Site, steps: int) -> Instance | None:
        annotation = function.field("return_type")
        if annotation is not None:
            return self.named_by(annotation, steps)
        body = function.field("body")
        if body is None or steps <= 0:
            return None
        statements = body.children() if body.type == "statement_block" else [body]
        if len(statements) == 1 and statements[0].type == "return_statement":
            statements = statements[0].children()[:1]
        return self.of(statements[0], steps - 1) if len(statements) == 1 else None

    def package_of(self, site: Site, steps: int) -> str | None:
        """The package that the declared type of a name or a field comes from, where it is not in the workspace."""
        site = site.bare()
        declared: Site | None = None
        binding = lookup(site, site.text) if site.type == "identifier" else None
        if binding is not None and binding.kind == "variable" and not binding.members:
            declared = binding.site
        elif binding is not None or site.type == "member_expression":
            found = self.program.define(site, steps)
            declared = found if isinstance(found, Site) else getattr(found, "declared", None)
        annotation = declared.field("type") if declared is not None else None
        for _ in range(steps):
            if annotation is None or annotation.type in ("type_identifier", "nested_type_identifier"):
                break
            parts = [part for part in annotation.children() if part.text not in ("null", "undefined")]
            if annotation.type == "generic_type" and parts and parts[0].text in _SAME:
                parts = parts[1].children() if len(parts) > 1 else []
            annotation = next(iter(parts), None)
        named = annotation.children()[0] if annotation is not None and annotation.children() else annotation
        origin = self.program.define(named, steps)
        return getattr(origin, "package", None)

    # ------------------------------------------------------------------------------------------- annotations

    def named_by(self, annotation: Site | None, steps: int) -> Instance | None:
        """The class or interface that a type names, with brackets, `| null`, aliases and `Promise` taken off."""
        if annotation is None or steps <= 0:
            return None
        match annotation.type:
            case "type_annotation" | "parenthesized_type" | "readonly_type":
                return self.named_by(next(iter(annotation.children()), None), steps - 1)
            case "union_type":
                parts = [part for part in annotation.children() if part.text not in ("null", "undefined")]
                return self.named_by(parts[0], steps - 1) if len(parts) == 1 else None
            case "generic_type":
                return self._generic(annotation, steps - 1)
            case "type_identifier":
                return self._declared(annotation, steps - 1)
            case "type_query":
                return self.of(next(iter(annotation.children()), None), steps - 1)
        return None

    def _generic(self, generic: Site, steps: int) -> Instance | None:
        name, given = generic.field("name"), generic.field("type_arguments")
        inner = next(iter(given.children()), None) if given is not None else None
        if name is None or inner is None:
            return None
        if name.text in _SAME:
            return self.named_by(inner, steps)
        if name.text == "InstanceType" and inner.type == "type_query":
            found = self.program.class_named(next(iter(inner.children()), None), steps)
            return Instance(found) if found is not None else None
        return self._declared(name, steps) if name.type == "type_identifier" else None

    def _declared(self, name: Site, steps: int) -> Instance | None:
        if _is_type_parameter(name):
            return None
        found = self.program.define(name, steps)
        if not isinstance(found, Site):
            return None
        if found.type == _ALIAS:
            return self.named_by(found.field("value"), steps - 1)
        return Instance(found) if found.type in CLASSES or found.type == _INTERFACE else None


def _is_type_parameter(name: Site) -> bool:
    """Whether a type is a parameter of the function or class around it: `class Repo<Db>`."""
    for above in name.above():
        listed = above.field("type_parameters")
        for one in listed.children() if listed is not None else ():
            if (declared := one.field("name")) is not None and declared.text == name.text:
                return True
    return False
