"""Which functions of the workspace a call may run, by the declared type of what it is called on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from remediate.source.access.declarations import returned
from remediate.source.access.injection import Provider
from remediate.source.access.program import Program
from remediate.source.access.references import References
from remediate.source.access.site import CLASSES, FUNCTIONS, Site

_MOST = 50


@dataclass(slots=True)
class Methods:
    program: Program
    references: References
    _named: dict[str, tuple[Site, ...]] = field(default_factory=dict)
    _below: dict[tuple[str, int, int, str], tuple[Site, ...] | None] = field(default_factory=dict)

    def of(self, function: Site) -> tuple[Site, ...] | None:
        """Every function that a callee may be: that of the declared type and those that take its place in classes
        below; None where that cannot be told.
        """
        function = function.bare()
        found = self.program.define(function)
        target, name = function.field("object"), function.field("property")
        if function.type == "member_expression" and target is not None and name is not None:
            instance = self.program.instance_of(target)
            if instance is not None and instance.exact:
                return _functions([found])
            if instance is not None:
                owners = self.below(instance.type)
                if owners is None:
                    return None
                every = [self.program.class_member(one, name.text) for one in owners]
                if instance.is_class:
                    every.append(self.program.class_member(instance.type, name.text))
                else:
                    every += self._in_objects(instance.type, name.text)
                return _functions([one for one in every if not is_signature(one)])
        return _functions([found])

    def named(self, name: str) -> tuple[Site, ...]:
        """All functions that the workspace has under a name as a member of something."""
        if name not in self._named:
            found = [function for site in self._members(name) if (function := site.bare()).type in FUNCTIONS]
            self._named[name] = tuple({function.key: function for function in found}.values())
        return self._named[name]

    def _members(self, name: str) -> Iterator[Site]:
        for module in self.program.files_with(name):
            for site in module.identifiers(name):
                outer = site.parent
                if outer is None:
                    continue
                value = outer.field("value")
                if outer.type == "method_definition" and site.is_field("name"):
                    yield outer
                elif outer.type == "public_field_definition" and site.is_field("name") and value is not None:
                    yield value
                elif outer.type == "pair" and site.is_field("key") and value is not None:
                    found = self.program.define(value)
                    yield found if isinstance(found, Site) else value
        for member in self.program.assigned_members(name):
            assignment = member.wrapped().parent
            value = assignment.field("right") if assignment is not None else None
            if value is not None:
                yield value

    def below(self, type_: Site) -> tuple[Site, ...] | None:
        """The classes that extend or implement a class or interface, and what containers of dependencies give for it;
        None where they cannot be told.
        """
        if type_.key not in self._below:
            self._below[type_.key] = None  # what leads back to itself cannot be told
            self._below[type_.key] = self._find(type_)
        return self._below[type_.key]

    def _find(self, type_: Site) -> tuple[Site, ...] | None:
        found: dict[tuple[str, int, int, str], Site] = {}
        seen: set[tuple[str, int, int, str]] = set()
        pending = [type_]
        while pending:
            current = pending.pop()
            if current.key in seen:
                continue
            seen.add(current.key)
            references = self.references.of(current)
            if references is None or len(seen) > _MOST:
                return None
            for provider in self.program.injection.providers(current):
                provided = self._provided(provider)
                if provided is None:
                    return None
                pending += provided
                found.update((one.key, one) for one in provided)
            for reference in references:
                following = self._of_reference(reference.site.wrapped())
                if following is None:
                    return None
                pending += following
                found.update((one.key, one) for one in following if one.type in CLASSES)
        found.pop(type_.key, None)
        return tuple(found.values())

    def _of_reference(self, site: Site) -> list[Site] | None:
        """The types that a use of a type's name says to take its place; None where something unknown does."""
        parent = site.parent
        if parent is not None and parent.type == "generic_type":
            site, parent = parent, parent.parent
        if parent is None:
            return []
        if parent.type in ("extends_clause", "class_heritage", "implements_clause"):
            owner = parent.inside(CLASSES)
            return [owner] if owner is not None else None
        if parent.type in ("extends_type_clause", "extends_clause") and parent.parent is not None:
            return [parent.parent]
        return []

    def _provided(self, provider: Provider) -> list[Site] | None:
        """The classes that a container of dependencies gives; None where it may be anything."""
        if provider.kind in ("useClass", "useExisting"):
            made = self.program.class_named(provider.value)
            return [made] if made is not None else None
        found = self.program.define(provider.value)
        values = returned(found) if isinstance(found, Site) and found.type in FUNCTIONS else [provider.value]
        instances = [self.program.instance_of(one) for one in values]
        known = [one.type for one in instances if one is not None and one.is_class]
        return known if known and len(known) == len(instances) else None

    def _in_objects(self, interface: Site, name: str) -> Iterator[Site | None]:
        """The methods of that name in objects, wherever the interface is named: any may be meant to implement it."""
        title = interface.field("name")
        for module in self.program.files_with(title.text) if title is not None else ():
            for site in module.identifiers(name):
                outer = site.parent
                owner = outer.parent if outer is not None else None
                if outer is None or owner is None or owner.type != "object":
                    continue
                if outer.type == "method_definition":
                    yield outer
                elif outer.type == "pair" and site.is_field("key"):
                    found = self.program.define(outer.field("value"))
                    yield found if isinstance(found, Site) else None


def _functions(found: list[object]) -> tuple[Site, ...] | None:
    """Nothing where one of them is no function that is known, or there is none."""
    functions = {one.key: one for one in found if isinstance(one, Site) and one.type in FUNCTIONS}
    known = sum(isinstance(one, Site) and one.type in FUNCTIONS for one in found)
    return tuple(functions.values()) if functions and known == len(found) else None


def is_signature(found: object) -> bool:
    """Whether it is a method without a body, which only classes below have."""
    return isinstance(found, Site) and found.type in ("abstract_method_signature", "method_signature")
