"""The application code of one database as a whole: what its names, members and imports stand for.

Everything is looked up when it is asked for, and only in the files that it takes. What cannot be told is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from remediate.source.access.declarations import constructor_of, enclosing_class, is_kept, members_of
from remediate.source.access.exports import Exports, exports_of
from remediate.source.access.injection import Injection
from remediate.source.access.scope import Binding, lookup, parameter_name, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Module, Site
from remediate.source.access.types import TYPES, Instance, Types
from remediate.source.access.words import words_of
from remediate.source.model import CodeFile

_ASSIGNMENTS = ("assignment_expression", "augmented_assignment_expression")
# Names lead to names; more steps than that are not followed.
_STEPS = 16


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a function is called with: its parameter at `index`, or a member of it."""

    function: Site
    index: int
    name: str
    members: tuple[str, ...] = ()
    default: Site | None = None

    @property
    def type(self) -> str:
        """Its annotated type as it is written, "" without one."""
        listed = parameters(self.function)
        annotation = listed[self.index].field("type") if self.index < len(listed) else None
        return annotation.text.lstrip(": ") if annotation is not None and not self.members else ""

    @property
    def declared(self) -> Site | None:
        """The parameter in the list, where this is the whole of it."""
        listed = parameters(self.function)
        return listed[self.index] if self.index < len(listed) and not self.members else None


@dataclass(frozen=True, slots=True)
class Outside:
    """Something of a package that is not in the workspace."""

    package: str
    name: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """A module as a value: `import * as x`, `require` of an ES module."""

    module: Module


Definition = Site | Parameter | Outside | Namespace


@dataclass(slots=True)
class Program:
    """The code files by path. `searched` counts the names that were looked for in all of them."""

    modules: dict[str, Module]
    searched: int = 0
    _exports: dict[str, Exports] = field(default_factory=dict)
    _with: dict[str, tuple[Module, ...]] = field(default_factory=dict)
    _assigned: dict[str, tuple[Site, ...]] = field(default_factory=dict)
    _words: list[tuple[Module, frozenset[str]]] = field(default_factory=list)
    _injection: list[Injection] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------- definitions

    def define(self, site: Site | None, steps: int = _STEPS) -> Definition | None:
        """What an expression stands for: a function, a class, an object, a call, … at its own site."""
        if site is None or steps <= 0:
            return None
        site = site.bare()
        if site.type in ("identifier", "type_identifier", "shorthand_property_identifier"):
            binding = lookup(site, site.text)
            return self.bound(binding, steps - 1) if binding is not None else None
        if site.type == "member_expression":
            target, name = site.field("object"), site.field("property")
            if target is None or name is None:
                return None
            if target.bare().type in ("this", "super"):
                inside = enclosing_class(site)
                if inside is not None and target.bare().type == "super":
                    inside = self.superclass(inside, steps - 1)
                return self.class_member(inside, name.text, steps - 1) if inside is not None else None
            found = self.member(self.define(target, steps - 1), name.text, steps - 1)
            return found if found is not None else self._of_type(target, name.text, steps - 1)
        if site.type == "call_expression" and (frozen := _frozen(site)) is not None:
            return self.define(frozen, steps - 1)
        if site.type == "await_expression" and site.children():
            inner = site.children()[0].bare()
            return self.define(inner, steps - 1) if inner.type == "identifier" else site
        return site

    def bound(self, binding: Binding, steps: int = _STEPS) -> Definition | None:
        """What a declared name stands for."""
        if binding.kind == "parameter":
            return Parameter(binding.site, binding.index, binding.name, binding.members, binding.default)
        if binding.kind == "import":
            found = self._imported(binding.site.module, binding.package, binding.original, steps)
            return self._members(found, binding.members, steps)
        if binding.kind == "variable":
            value = binding.site.field("value")
            if value is None:
                return None
            return self._members(self.define(value, steps), binding.members, steps)
        is_type = binding.kind == "other" and binding.site.type in TYPES
        return binding.site if is_type or binding.kind in ("function", "class") else None

    def _of_type(self, target: Site, name: str, steps: int) -> Definition | None:
        """The member of what an expression is by its declared type."""
        found = Types(self).of(target, steps)
        return self.class_member(found.type, name, steps) if found is not None and found.is_class else None

    def _members(self, found: Definition | None, members: Iterable[str], steps: int) -> Definition | None:
        for name in members:
            found = self.member(found, name, steps - 1)
        return found

    def _imported(self, module: Module, package: str, original: str, steps: int) -> Definition | None:
        path = module.code.modules.get(package)
        target = self.modules.get(path) if path is not None else None
        if target is None:
            return Outside(package, original)
        return self.exported(target, original, steps - 1)

    def exported(self, module: Module, name: str, steps: int = _STEPS) -> Definition | None:
        """What a module exports under a name: "default", "*" for all of it, "=" for what `require` gives."""
        if steps <= 0:
            return None
        exports = self.exports(module)
        if name == "*" and "=" not in exports.named:
            return Namespace(module)
        if name in ("=", "*"):
            return self.define(exports.named["="], steps) if "=" in exports.named else Namespace(module)
        if name in exports.named:
            return self._value(exports.named[name], name, steps)
        if name in exports.forwarded:
            package, original = exports.forwarded[name]
            return self._imported(module, package, original, steps)
        if "=" in exports.named:
            whole = self.define(exports.named["="], steps)
            return whole if name == "default" else self.member(whole, name, steps)
        for package in exports.everything:
            found = self._imported(module, package, name, steps)
            if found is not None and not isinstance(found, Outside):
                return found
        return None

    def exports(self, module: Module) -> Exports:
        if module.name not in self._exports:
            self._exports[module.name] = exports_of(module)
        return self._exports[module.name]

    def _value(self, site: Site, name: str, steps: int) -> Definition | None:
        if site.type in ("lexical_declaration", "variable_declaration"):
            binding = lookup(Site(site.module, site.node, site), name)
            return self.bound(binding, steps) if binding is not None else None
        return self.define(site, steps)

    # ------------------------------------------------------------------------------------------- members

    def member(self, owner: Definition | None, name: str, steps: int = _STEPS) -> Definition | None:
        """A member of what something stands for."""
        if steps <= 0:
            return None
        match owner:
            case Namespace(module):
                return self.exported(module, name, steps)
            case Outside(package, original):
                return Outside(package, f"{original}.{name}")
            case Site() if owner.type == "object":
                return self._property(owner, name, steps)
            case Site() if owner.type in CLASSES:
                return self.class_member(owner, name, steps)
        instance = Types(self).of_definition(owner, steps)
        return self.class_member(instance.type, name, steps) if instance is not None and instance.is_class else None

    def _property(self, owner: Site, name: str, steps: int) -> Definition | None:
        for child in owner.children():
            if child.type == "method_definition" and (key := child.field("name")) and key.text == name:
                return child
            if child.type == "shorthand_property_identifier" and child.text == name:
                return self.define(child, steps - 1)
            if child.type == "pair" and (key := child.field("key")) and key.text.strip("'\"") == name:
                return self.define(child.field("value"), steps - 1)
        return None

    def instance_of(self, site: Site | None, steps: int = _STEPS) -> Instance | None:
        """What an expression is an instance of by its declared type."""
        return Types(self).of(site, steps)

    def package_of(self, site: Site) -> str | None:
        """The package that the declared type of an expression comes from, where it is not in the workspace."""
        return Types(self).package_of(site, _STEPS)

    def class_named(self, site: Site | None, steps: int = _STEPS) -> Site | None:
        found = self.define(site, steps)
        return found if isinstance(found, Site) and found.type in CLASSES else None

    def class_member(self, owner: Site, name: str, steps: int = _STEPS) -> Definition | None:
        """A method, the function in a field, a field, or the constructor's parameter that is kept under that name."""
        if steps <= 0:
            return None
        for child in members_of(owner):
            if (key := child.field("name")) is None or key.text != name:
                continue
            value = child.field("value")
            if value is not None and value.bare().type in FUNCTIONS:
                return value.bare()
            if child.type == "public_field_definition" and value is None and (kept := self._kept(owner, name, steps)):
                return kept
            return child
        if (kept := self._kept(owner, name, steps)) is not None:
            return kept
        above = self.superclass(owner, steps)
        return self.class_member(above, name, steps - 1) if above is not None else None

    def _kept(self, owner: Site, name: str, steps: int) -> Definition | None:
        made = constructor_of(owner)
        if made is None:
            return None
        for index, parameter in enumerate(parameters(made)):
            pattern = parameter_name(parameter)
            if is_kept(parameter) and pattern.text == name:
                return Parameter(made, index, name, default=parameter.field("value"))
        assigned = list(self.assignments(made, f"this.{name}"))
        return self.define(assigned[0], steps - 1) if len(assigned) == 1 else None

    def superclass(self, owner: Site, steps: int = _STEPS) -> Site | None:
        for child in owner.children():
            if child.type == "class_heritage":
                for clause in child.children():
                    value = clause.field("value") if clause.type == "extends_clause" else clause
                    if value is not None:
                        return self.class_named(value, steps - 1)
        return None

    def descends(self, below: Site, above: Site) -> bool:
        """Whether a class is another one, or extends it, directly or not."""
        current: Site | None = below
        for _ in range(_STEPS):
            if current is None:
                return False
            if current.key == above.key:
                return True
            current = self.superclass(current)
        return False

    def assignments(self, inside: Site, target: str) -> Iterator[Site]:
        """The values that are assigned to `target` (`this.db`, `trx`) within a site, in order."""
        for site in inside.module.identifiers(target.rpartition(".")[2], inside):
            left = site.parent if site.parent is not None and site.parent.type == "member_expression" else site
            if left.parent is None or left.parent.type not in _ASSIGNMENTS or not left.is_field("left"):
                continue
            if "".join(left.text.split()) == target and (right := left.parent.field("right")) is not None:
                yield right

    @property
    def injection(self) -> Injection:
        """What containers of dependencies give in this program."""
        if not self._injection:
            self._injection.append(Injection(self))
        return self._injection[0]

    # ------------------------------------------------------------------------------------------- search

    def files_with(self, word: str) -> tuple[Module, ...]:
        """The modules that hold a name, as it is written."""
        if word not in self._with:
            self.searched += 1
            needle, words = word.encode(), words_of(word)
            longest = max(words, key=len, default="")
            self._with[word] = tuple(
                module for module, held in self._held() if longest in held and needle in module.code.data
            )
        return self._with[word]

    def files_with_member(self, owner: Site, name: str) -> Iterator[Module]:
        """The modules that may use a member of a class: as `this.name`, as `Class.name`, or importing its module."""
        title = owner.field("name")
        objects = ("this", "super", "constructor", *((title.text,) if title is not None else ()))
        written = "|".join(re.escape(one) for one in objects)
        pattern = re.compile(rf"(?<![\w$])(?:{written})\s*\??\.\s*{re.escape(name)}(?![\w$])".encode())
        for module in self.files_with(name):
            if pattern.search(module.code.data) or owner.module.name in module.code.imports:
                yield module

    def assigned_members(self, name: str) -> tuple[Site, ...]:
        """Every `….name` to which something is assigned."""
        if name not in self._assigned:
            pattern = re.compile(rf"\.\s*{re.escape(name)}\s*(?:\|\||&&|\?\?)?=(?!=)".encode())
            self._assigned[name] = tuple(
                member
                for module in self.files_with(name)
                if pattern.search(module.code.data)
                for site in module.identifiers(name)
                if (member := site.parent) is not None
                and member.type == "member_expression"
                and member.wrapped().is_field("left")
            )
        return self._assigned[name]

    def _held(self) -> list[tuple[Module, frozenset[str]]]:
        if not self._words:
            self._words.extend((module, module.code.words) for module in self.modules.values())
        return self._words


def program_of(files: Iterable[CodeFile]) -> Program:
    return Program({file.file: Module(file) for file in sorted(files, key=lambda file: file.file)})


def _frozen(call: Site) -> Site | None:
    """The argument of `Object.freeze(…)`."""
    function, arguments = call.field("function"), call.field("arguments")
    if function is None or arguments is None or function.text != "Object.freeze":
        return None
    return next(iter(arguments.children()), None)
