"""Where a function, a class or a value is used, in all the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from remediate.source.access.declarations import function_name
from remediate.source.access.program import Outside, Program
from remediate.source.access.scope import Binding, bindings, lookup
from remediate.source.access.site import CLASSES, FUNCTIONS, Module, Site

# So many names are looked for in all files; a program that takes more is answered with what is not known.
MOST_SEARCHES = 600


@dataclass(frozen=True, slots=True)
class Reference:
    """One use: the name, or the member expression that ends in it. Not `certain` where only the name speaks for it."""

    site: Site
    certain: bool


@dataclass(slots=True)
class References:
    program: Program
    _known: dict[tuple[str, int, int, str], tuple[Reference, ...] | None] = field(default_factory=dict)

    def of(self, definition: Site, name: str | None = None) -> tuple[Reference, ...] | None:
        """The uses of a declaration outside of itself, its imports and exports; None where they cannot be told.

        `name` is what it is called where its own place does not tell: `const NAME = Object.freeze({ … })`.
        """
        if definition.key not in self._known:
            self._known[definition.key] = self._find(definition, name)
        return self._known[definition.key]

    def _find(self, definition: Site, name: str | None) -> tuple[Reference, ...] | None:
        own = _own_name(definition) or name
        found: dict[tuple[str, int, int, str], Reference] = {}
        pending: list[tuple[str, str | None]] = [(own, None)] if own else []
        is_method = _is_method(definition)
        if own and not is_method and not self._is_exported(definition, own):
            pending = [(own, definition.module.name)]
        else:
            pending += self._default_imports(definition)
        searched: set[tuple[str, str | None]] = set()
        while pending:
            word, only = pending.pop()
            if (word, only) in searched:
                continue
            searched.add((word, only))
            if self.program.searched > MOST_SEARCHES:
                return None
            for module in self.program.files_with(word):
                if only is not None and module.name != only:
                    continue
                if module is not definition.module and not _may_refer(module, word, _is_of_class(definition)):
                    continue
                for site in module.identifiers(word):
                    if (alias := _alias(site)) is not None:
                        pending.append((alias, None if site.inside(frozenset({"export_statement"})) else module.name))
                    elif (reference := self._reference(site, definition)) is not None:
                        found.setdefault(reference.site.key, reference)
        return tuple(found.values())

    def _is_exported(self, definition: Site, name: str) -> bool:
        """Whether other modules may get hold of it: it stands in what is exported, or is named there."""
        if definition.inside(FUNCTIONS) is not None:
            return False
        exported = self.program.exports(definition.module).named.values()
        first, last = definition.node.start_byte, definition.node.end_byte
        named = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
        return any(
            (site.node.start_byte <= first and last <= site.node.end_byte)
            or (
                site.type in ("identifier", "object", "call_expression", "array")
                and named.search(site.text) is not None
            )
            for site in exported
        )

    def _default_imports(self, definition: Site) -> list[tuple[str, str | None]]:
        """The names under which other modules import what a module exports as its default or as a whole."""
        exports = self.program.exports(definition.module)
        whole = [exports.named[name] for name in ("default", "=") if name in exports.named]
        if not any(_is(self.program.define(site), definition) or site.is_same(definition) for site in whole):
            return []
        found: list[tuple[str, str | None]] = []
        for module in self.program.modules.values():
            if definition.module.name in module.code.imports:
                found += [(name, module.name) for name in _whole_imports(module, definition.module.name)]
        return found

    def _reference(self, site: Site, definition: Site) -> Reference | None:
        parent = site.parent
        if parent is None or parent.type in ("import_specifier", "export_specifier", "import_clause"):
            return None
        if site.is_field("name") and parent.type not in ("jsx_opening_element", "generic_type"):
            return None
        if site.type == "property_identifier":
            if parent.type != "member_expression":
                return None
            found = self.program.define(parent)
            if found is None:
                return Reference(parent, certain=False) if _is_method(definition) else None
            is_it = _is(found, definition) or self._takes_its_place(definition, found)
            return Reference(parent, certain=True) if is_it else None
        if parent.type == "pair" and site.is_field("key"):
            return None
        found = self.program.define(site)
        if isinstance(found, Outside):
            # An import that cannot be resolved (an alias of the compiler, say) may mean it.
            return Reference(site, certain=False) if _own_name(definition) == found.name else None
        return Reference(site, certain=True) if _is(found, definition) else None

    def _takes_its_place(self, definition: Site, found: object) -> bool:
        """Whether a method is called where one of a class above it is: it may be an instance of the class below."""
        if not isinstance(found, Site) or not _is_of_class(definition) or not _is_of_class(found):
            return False
        below, above = definition.inside(CLASSES), found.inside(CLASSES)
        return below is not None and above is not None and self.program.descends(below, above)


def _may_refer(module: Module, word: str, is_method: bool) -> bool:
    """Whether a module may use a name of another one: as a member, or imported. Cheap; most files are not parsed."""
    name = rb"(?<![\w$])" + re.escape(word.encode()) + rb"(?![\w$])"
    if re.search(rb"\.\s*" + name, module.code.data):
        return True
    if is_method:
        return False
    return re.search(rb"\b(?:import|export)\b[^;=]*?" + name, module.code.data) is not None or (
        re.search(rb"\brequire\s*\(|\bimport\s*\(", module.code.data) is not None
    )


def _is(found: object, definition: Site) -> bool:
    return isinstance(found, Site) and found.key == definition.key


def _own_name(definition: Site) -> str | None:
    name = definition.field("name") if definition.type in CLASSES else None
    return name.text if name is not None else function_name(definition) or _variable(definition)


def _is_of_class(definition: Site) -> bool:
    """Whether it is a member of a class, which no import names."""
    is_member = definition.type in ("method_definition", "abstract_method_signature", "method_signature")
    outer = definition if is_member else definition.wrapped().parent
    above = outer.parent if outer is not None else None
    return above is not None and above.type == "class_body"


def _is_method(definition: Site) -> bool:
    return definition.type == "method_definition" or (
        (outer := definition.wrapped().parent) is not None and outer.type in ("public_field_definition", "pair")
    )


def _variable(definition: Site) -> str | None:
    outer = definition.wrapped().parent
    if outer is not None and outer.type in ("variable_declarator", "public_field_definition"):
        name = outer.field("name")
        return name.text if name is not None and "identifier" in name.type else None
    return None


def _alias(site: Site) -> str | None:
    parent = site.parent
    if parent is not None and parent.type in ("import_specifier", "export_specifier") and site.is_field("name"):
        alias = parent.field("alias")
        return alias.text if alias is not None else None
    if parent is not None and parent.type == "pair_pattern" and site.is_field("key"):
        value = parent.field("value")
        return value.text if value is not None and value.type == "identifier" else None
    return None


def _whole_imports(module: Module, target: str) -> Iterator[str]:
    for name, binding in bindings(module.root).items():
        is_whole = binding.kind == "import" and binding.original in ("default", "=", "*")
        if is_whole and module.code.modules.get(binding.package) == target:
            yield name


def uses_of_parameter(function: Site, name: str) -> Iterator[Site]:
    """The uses of a parameter's name within its function."""
    for site in function.module.identifiers(name, function):
        if site.type == "property_identifier":
            continue
        binding = lookup(site, name)
        is_it = binding is not None and binding.kind == "parameter" and binding.site.is_same(function)
        if is_it and not _declares(site, function):
            yield site


def uses_of_variable(binding: Binding) -> Iterator[Site]:
    """The uses of a variable's name in the function, or module, that declares it; where it is written to left out."""
    scope = binding.site.inside(FUNCTIONS) or binding.site.module.root
    declared = binding.site.field("name")
    for site in scope.module.identifiers(binding.name, scope):
        if site.type == "property_identifier" or (declared is not None and site.is_same(declared)):
            continue
        is_written = site.parent is not None and site.parent.type == "assignment_expression" and site.is_field("left")
        other = lookup(site, binding.name) if not is_written else None
        if other is not None and other.site.is_same(binding.site):
            yield site


def _declares(site: Site, function: Site) -> bool:
    """Whether a name stands in the list of parameters itself, and not in a default there."""
    for above in site.above():
        if above.is_same(function):
            return False
        if above.type in ("formal_parameters",) and above.parent is not None and above.parent.is_same(function):
            return site.type != "identifier" or not _in_default(site)
    return False


def _in_default(site: Site) -> bool:
    child = site
    for above in site.above():
        if above.type in (
            "required_parameter",
            "optional_parameter",
            "assignment_pattern",
            "object_assignment_pattern",
        ):
            default = above.field("value") or above.field("right")
            return default is not None and default.node.id == child.node.id
        child = above
    return False
