"""Whether what a query runs on is proven to have the tenant set. What is not proven is a doubt, with its reason.

A handle (a transaction, a client) is followed to where it comes from: the function that hands it to a callback, the
callers of a function, whoever makes an instance of a class, the middleware that puts it into the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from remediate.source.access import vocabulary
from remediate.source.access.handles import Handles
from remediate.source.access.program import (
    Outside,
    Parameter,
    Program,
    constructor_of,
    enclosing_class,
    function_name,
    is_kept,
    members_of,
)
from remediate.source.access.references import Reference, References, uses_of_parameter
from remediate.source.access.scope import Binding, lookup, parameter_name, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Site
from remediate.source.access.tenant import Tenant, key_of, returned

# So deep, and in so many steps for all tables together, questions are followed from function to function.
_DEEPEST = 40
_MOST_STEPS = 100_000
_TYPES = re.compile(r"type|heritage|interface|implements|import|export")


@dataclass(slots=True)
class Proof:
    """Answers `doubt` for one set of settings; every answer is remembered."""

    program: Program
    references: References
    handles: Handles
    tenant: Tenant
    _known: dict[tuple[object, ...], str | None] = field(default_factory=dict)
    _open: dict[tuple[object, ...], int] = field(default_factory=dict)
    _rests_on: int = 0
    _steps: int = 0

    def doubt(self, handle: Site, members: tuple[str, ...] = ()) -> str | None:
        """Why a handle (or what the members of it lead to) may have no tenant set; None where it has, always."""
        return self._remember((handle.key, members), lambda: self._doubt(handle.bare(), members))

    def _remember(self, memo: tuple[object, ...], answer: Callable[[], str | None]) -> str | None:
        """An answer that is worked out once.

        Where a question leads back to itself, it proves nothing against itself. An answer that rests on another one
        that is still open is not kept: that one may yet become a doubt.
        """
        if memo in self._known:
            return self._known[memo]
        if memo in self._open:
            self._rests_on = min(self._rests_on, self._open[memo])
            return None
        self._steps += 1
        level = len(self._open)
        if level > _DEEPEST or self._steps > _MOST_STEPS:
            return "it comes from farther away than is followed"
        outer, self._rests_on = self._rests_on, level
        self._open[memo] = level
        try:
            found = answer()
        finally:
            del self._open[memo]
        if found is not None or self._rests_on >= level:
            self._known[memo] = found
        self._rests_on = min(outer, self._rests_on) if self._rests_on < level else outer
        return found

    def _doubt(self, site: Site, members: tuple[str, ...]) -> str | None:
        if not members and self.tenant.is_set_before(site):
            return None
        match site.type:
            case "await_expression":
                return self.doubt(site.children()[0], members) if site.children() else "nothing is awaited"
            case "undefined" | "null":
                return None
            case "identifier" if site.text == "undefined":
                return None
            case "binary_expression":
                return self._first(self.doubt(part, members) for part in site.children())
            case "ternary_expression":
                branches = (site.field("consequence"), site.field("alternative"))
                return self._first(self.doubt(one, members) for one in branches if one is not None)
            case "identifier" | "shorthand_property_identifier":
                return self._name(site, members)
            case "this":
                return self._this(site)
            case "member_expression":
                return self._member(site, members)
            case "call_expression":
                return self._call(site, members)
            case "object" if members:
                return self._property(site, members)
            case "new_expression":
                return self._new(site, members)
            case "object":
                return f"what the object at {site.place} does with its connection is not followed"
        return f"{site.short} is not followed"

    def _first(self, doubts: Iterable[str | None]) -> str | None:
        return next((doubt for doubt in doubts if doubt is not None), None)

    # ------------------------------------------------------------------------------------------- names

    def _name(self, site: Site, members: tuple[str, ...]) -> str | None:
        binding = lookup(site, site.text)
        if binding is None:
            return f"{site.text} is not declared in this file"
        if binding.kind == "parameter":
            return self._parameter(binding, members, self.tenant.near_miss(site))
        if binding.kind == "variable":
            return self._variable(site, binding, members)
        if binding.kind == "import":
            found = self.program.define(site)
            if isinstance(found, Site) and found.type not in (*CLASSES, *FUNCTIONS):
                return self.doubt(found, members)
            if isinstance(found, Outside):
                return f"{site.text} comes from {found.package}, which is not in the workspace"
        return f"where {site.text} comes from is not followed"

    def _variable(self, site: Site, binding: Binding, members: tuple[str, ...]) -> str | None:
        value = binding.site.field("value")
        declaration = binding.site.parent
        is_constant = declaration is not None and declaration.node.children[0].type == "const"
        scope = binding.site.inside(FUNCTIONS) or binding.site.module.root
        values = [(value, (*binding.members, *members))] if value is not None else []
        if not is_constant:
            values += [(one, members) for one in self.program.assignments(scope, binding.name)]
        values = [(one, path) for one, path in values if one.bare().text not in ("undefined", "null")]
        doubts = [self.doubt(one, path) for one, path in values]
        if not doubts:
            return f"nothing shows what {site.text} is"
        doubt = self._first(doubts)
        miss = self.tenant.near_miss(site) if doubt is not None else ""
        return miss or doubt

    def _this(self, site: Site) -> str | None:
        """`this` of a callback that builds a part of a query."""
        function = site.inside(frozenset({"function_expression", "function_declaration", "method_definition"}))
        arguments = function.wrapped().parent if function is not None else None
        if arguments is None or arguments.type != "arguments" or arguments.parent is None:
            return "what `this` is there is not followed"
        return self.doubt(self.handles.handle_of(arguments.parent))

    # ------------------------------------------------------------------------------------------- members

    def _member(self, site: Site, members: tuple[str, ...]) -> str | None:
        target, name = site.field("object"), site.field("property")
        if target is None or name is None:
            return f"{site.short} is not followed"
        if target.bare().type == "this":
            owner = enclosing_class(site)
            if owner is None:
                return f"what {site.short} is there is not followed"
            return self._field(owner, name.text, members, 0)
        found = self.program.define(site)
        if isinstance(found, Site) and found.type not in (*CLASSES, *FUNCTIONS) and not found.is_same(site):
            return self.doubt(found, members)
        key = key_of(site)
        if key is not None and (assigned := self._request_scoped(site, key)):
            return self._first(self.doubt(value, members) for value in assigned)
        return self.doubt(target, (name.text, *members))

    def _request_scoped(self, site: Site, key: str) -> list[Site]:
        """What code puts under a member of what a function is handed: `req.trx = trx`, `res.locals.trx = trx`."""
        root, _, path = key.partition(".")
        binding = lookup(site, root)
        if binding is None or binding.kind != "parameter":
            return []
        found = []
        for member in self.program.assigned_members(path.rpartition(".")[2]):
            written = key_of(member) or ""
            assignment = member.wrapped().parent
            owner = lookup(member, written.partition(".")[0])
            if written.partition(".")[2] == path and owner is not None and owner.kind == "parameter":
                value = assignment.field("right") if assignment is not None else None
                if value is not None and value.text not in ("undefined", "null"):
                    found.append(value)
        return found

    def _field(self, owner: Site, name: str, members: tuple[str, ...], depth: int) -> str | None:
        """`this.name` of a class: the constructor's parameter, what is assigned to it, what a getter returns."""
        sources: list[str | None] = []
        for child in members_of(owner):
            key, value = child.field("name"), child.field("value")
            if key is not None and key.text == name:
                if child.type == "method_definition":
                    sources.append(self._returns(child, members))
                elif value is not None:
                    sources.append(self.doubt(value, members))
        made = constructor_of(owner)
        for index, parameter in enumerate(parameters(made) if made is not None else ()):
            if made is not None and is_kept(parameter) and parameter_name(parameter).text == name:
                kept = Binding("parameter", name, made, index, default=parameter.field("value"))
                sources.append(self._parameter(kept, members, ""))
        sources += [self.doubt(value, members) for value in self.program.assignments(owner, f"this.{name}")]
        if made is not None and "Object.assign(this" in made.text:
            return f"what Object.assign puts into this.{name} ({made.place}) is not followed"
        sources += [self.doubt(value, members) for value in self._set_from_outside(owner, name)]
        if sources:
            return self._first(sources)
        above = self.program.superclass(owner)
        if above is not None and depth < _DEEPEST:
            return self._field(above, name, members, depth + 1)
        return f"nothing shows what this.{name} is"

    def _set_from_outside(self, owner: Site, name: str) -> Iterable[Site]:
        """What is assigned to a field of an instance elsewhere: `repo.db = db`."""
        for member in self.program.assigned_members(name):
            target, assignment = member.field("object"), member.wrapped().parent
            found = self.program.define(target) if target is not None and target.type != "this" else None
            instance = self.program.instance_of(found) if isinstance(found, Site) else None
            value = assignment.field("right") if assignment is not None else None
            if instance is not None and instance.key == owner.key and value is not None:
                yield value

    def _property(self, site: Site, members: tuple[str, ...]) -> str | None:
        for child in site.children():
            if child.type == "shorthand_property_identifier" and child.text == members[0]:
                return self.doubt(child, members[1:])
            if child.type == "pair" and (key := child.field("key")) and key.text.strip("'\"") == members[0]:
                value = child.field("value")
                return self.doubt(value, members[1:]) if value is not None else None
            if child.type == "spread_element":
                return f"{child.short} is not followed"
        return None  # undefined: nothing is reached through it

    def _new(self, site: Site, members: tuple[str, ...]) -> str | None:
        owner = self.program.class_named(site.field("constructor"))
        if owner is not None and members:
            return self._field(owner, members[0], members[1:], 0)
        return f"{site.short} ({site.place}) is a connection for which no tenant is set"

    # ------------------------------------------------------------------------------------------- calls

    def _call(self, site: Site, members: tuple[str, ...]) -> str | None:
        function = site.field("function")
        if function is None:
            return f"{site.short} is not followed"
        function = function.bare()
        name = function.text.rpartition(".")[2]
        if name == "getStore" and function.type == "member_expression":
            return self._store(function.field("object"), members)
        found = self.program.define(function)
        if isinstance(found, Site) and found.type in FUNCTIONS:
            return self._returns(found, members)
        if vocabulary.opens_transaction(name):
            if self._is_within(function):
                return None
            return f"{site.short} ({site.place}) opens a transaction for which no tenant is set"
        if function.type == "member_expression" and vocabulary.is_query_method(name) and not members:
            return self.doubt(self.handles.handle_of(site))
        if site.inside(FUNCTIONS) is None or isinstance(found, Outside):
            return f"{site.short} ({site.place}) is a connection for which no tenant is set"
        return f"what {site.short} ({site.place}) gives is not followed"

    def _returns(self, function: Site, members: tuple[str, ...]) -> str | None:
        values = returned(function)
        if not values:
            return f"{function_name(function) or 'the function'} ({function.place}) returns nothing that is followed"
        return self._first(self.doubt(value, members) for value in values)

    def _store(self, storage: Site | None, members: tuple[str, ...]) -> str | None:
        """What an AsyncLocalStorage holds: what is given to its `run` and `enterWith`, everywhere."""
        found = self.program.define(storage) if storage is not None else None
        references = self.references.of(found) if isinstance(found, Site) else None
        values = []
        for reference in references or ():
            member = reference.site.wrapped().parent
            call = member.parent if member is not None and member.type == "member_expression" else None
            name = member.field("property") if member is not None else None
            arguments = call.field("arguments") if call is not None and call.type == "call_expression" else None
            if name is not None and name.text in ("run", "enterWith") and arguments is not None:
                values += arguments.children()[:1]
        if not values:
            return "what is put into the storage that it comes from is not followed"
        return self._first(self.doubt(value, members) for value in values)

    # ------------------------------------------------------------------------------------------- parameters

    def _parameter(self, binding: Binding, members: tuple[str, ...], miss: str) -> str | None:
        function, path = binding.site, (*binding.members, *members)
        if binding.default is not None and (doubt := self.doubt(binding.default, members)) is not None:
            return f"without one, {binding.name} is {binding.default.short}: {doubt}"
        if not binding.members:
            assigned = self.program.assignments(function, binding.name)
            doubt = self._first(self.doubt(value, members) for value in assigned if value.text != binding.name)
            if doubt is not None:
                return doubt
        outer = function.wrapped()
        arguments = outer.parent
        if arguments is not None and arguments.type == "arguments" and arguments.parent is not None:
            position = _position(arguments, outer)
            doubt = self._handed(arguments.parent, position, binding.index, path)
            return miss or doubt if doubt is not None else None
        parameter = Parameter(function, binding.index, binding.name, binding.members)
        is_handed = vocabulary.is_handed_over(path[-1] if path else binding.name, parameter.type if not members else "")
        doubt = self._by_callers(function, binding, path, is_handed)
        return miss or doubt if doubt is not None else None

    def _handed(self, call: Site, position: int, index: int, path: tuple[str, ...]) -> str | None:
        """What a call hands to parameter `index` of the function that is its argument at `position`."""
        function = call.field("function")
        if function is None:
            return f"what {call.short} hands to it is not followed"
        function = function.bare()
        property_ = function.field("property") if function.type == "member_expression" else None
        target = function.field("object") if function.type == "member_expression" else None
        name = property_.text if property_ is not None else function.text
        if name == "then" and target is not None and index == 0:
            return self.doubt(target, path)
        found = self.program.define(function)
        if isinstance(found, Site) and found.type in FUNCTIONS:
            every = (found, *self._overriding(function, found))
            return self._first(self.callback(one, position, index, path) for one in every)
        if vocabulary.opens_transaction(name):
            if self._is_within(function):
                return None
            return f"{function.short} ({call.place}) opens a transaction for which no tenant is set"
        if property_ is not None and vocabulary.is_query_method(name):
            return self.doubt(self.handles.handle_of(call))
        if found is None and property_ is not None:
            return self._by_name(name, call, position, index, path)
        return f"what {function.short} ({call.place}) hands to it is not followed"

    def _overriding(self, function: Site, found: Site) -> list[Site]:
        """The methods that take the place of `this.method` in classes below."""
        target, name = function.field("object"), function.field("property")
        owner = enclosing_class(function) if target is not None and target.type == "this" else None
        pending, methods = [owner] if owner is not None else [], []
        for _ in range(50):
            if not pending or name is None:
                break
            for reference in self.references.of(pending.pop()) or ():
                parent = reference.site.wrapped().parent
                below = parent.inside(CLASSES) if parent is not None and "extends" in parent.type else None
                if below is not None:
                    pending.append(below)
                    method = self.program.class_member(below, name.text)
                    if isinstance(method, Site) and method.type in FUNCTIONS and method.key != found.key:
                        methods.append(method)
        return methods

    def _is_within(self, function: Site) -> bool:
        """Whether a transaction is opened within one that has the tenant set: a savepoint keeps what was set."""
        target = function.field("object") if function.type == "member_expression" else None
        return target is not None and self.doubt(target) is None

    def _by_name(self, name: str, call: Site, position: int, index: int, path: tuple[str, ...]) -> str | None:
        """A method of something unknown: what all methods of that name in the workspace do."""
        methods = []
        for module in self.program.files_with(name):
            for site in module.identifiers(name):
                if site.is_field("name") and site.parent is not None:
                    value = site.parent.field("value")
                    if site.parent.type == "method_definition":
                        methods.append(site.parent)
                    elif site.parent.type == "public_field_definition" and value is not None:
                        methods.append(value.bare())
        known = [method for method in methods if method.type in FUNCTIONS]
        if not known:
            return f"what {name} ({call.place}) hands to it is not followed"
        return self._first(self.callback(method, position, index, path) for method in known)

    def callback(self, function: Site, position: int, index: int, path: tuple[str, ...] = ()) -> str | None:
        """Why a function may call the function that it is given without the tenant set on argument `index`."""
        memo = (function.key, position, index, path)
        return self._remember(memo, lambda: self._callback(function, position, index, path))

    def _callback(self, function: Site, position: int, index: int, path: tuple[str, ...]) -> str | None:
        listed = parameters(function)
        name = function_name(function) or "the function"
        pattern = parameter_name(listed[position]) if position < len(listed) else None
        if pattern is None or pattern.type != "identifier":
            return f"what {name} ({function.place}) does with it is not followed"
        is_called = False
        for use in uses_of_parameter(function, pattern.text):
            site = use.wrapped()
            parent = site.parent
            if parent is None or parent.type in ("unary_expression", "if_statement", "parenthesized_expression"):
                continue
            arguments = parent.field("arguments")
            if parent.type == "call_expression" and site.is_field("function") and arguments is not None:
                given = arguments.children()
                is_called = True
                if index < len(given) and (doubt := self.doubt(given[index], path)) is not None:
                    return f"{name} hands {given[index].short} over ({parent.place}): {doubt}"
            elif parent.type == "arguments" and parent.parent is not None:
                is_called = True
                if (doubt := self._handed(parent.parent, _position(parent, site), index, path)) is not None:
                    return doubt
            elif parent.type != "binary_expression":
                return f"{name} ({parent.place}) does something else with it, which is not followed"
        return None if is_called else f"{name} ({function.place}) never calls it"

    # ------------------------------------------------------------------------------------------- callers

    def _by_callers(self, function: Site, binding: Binding, path: tuple[str, ...], is_handed: bool) -> str | None:
        """A parameter is what all known callers hand over; of a transaction one trusts the unknown ones."""
        name = function.field("name")
        owner = enclosing_class(function) if name is not None and name.text == "constructor" else None

        def answer() -> str | None:
            if owner is not None:
                return self._by_makers(owner, binding, path, is_handed, 0)
            return self._by_calls(function, binding, path, is_handed)

        return self._remember((function.key, binding.index, path, is_handed), answer)

    def _by_calls(self, function: Site, binding: Binding, path: tuple[str, ...], is_handed: bool) -> str | None:
        references = self.references.of(function)
        if references is None:
            return f"who calls {function_name(function) or 'the function'} is not followed"
        is_called = False
        for reference in references:
            given, doubt = self._by_call(reference, binding, path, is_handed)
            is_called = is_called or given
            if doubt is not None:
                return doubt
        if is_called or is_handed:
            return None
        return f"{binding.name} is a parameter ({function.place}), and what callers hand over is not known"

    def _by_call(
        self, reference: Reference, binding: Binding, path: tuple[str, ...], is_handed: bool
    ) -> tuple[bool, str | None]:
        """Whether a reference is a known call, and the doubt about what it hands over."""
        site = reference.site.wrapped()
        parent = site.parent
        if parent is None:
            return False, None
        arguments = parent.field("arguments")
        if parent.type == "call_expression" and site.is_field("function") and arguments is not None:
            given = arguments.children()
            if any(one.type == "spread_element" for one in given[: binding.index + 1]):
                return False, f"{parent.place} hands over {given[0].short}, which is not followed"
            if binding.index >= len(given):
                return reference.certain, None
            handed = given[binding.index]
            if not reference.certain:
                return False, self._if_plain(handed, parent)
            doubt = self.doubt(handed, path)
            return True, f"{parent.place} hands over {handed.short}: {doubt}" if doubt is not None else None
        if not reference.certain or _TYPES.search(parent.type):
            return False, None
        if parent.type == "arguments" and parent.parent is not None:
            doubt = self._handed(parent.parent, _position(parent, site), binding.index, path)
            if doubt is None:
                return True, None
            function = parent.parent.field("function")
            known = self.program.define(function) if function is not None else None
            is_known = isinstance(known, Site) or (
                function is not None and vocabulary.opens_transaction(function.text.rpartition(".")[2])
            )
            return False, doubt if is_known or not is_handed else None
        return False, None

    def _if_plain(self, handed: Site, call: Site) -> str | None:
        """A call that only its name ties to the function speaks against it where it hands over a plain connection."""
        found = self.program.define(handed)
        if not isinstance(found, Site) or found.type not in ("call_expression", "new_expression"):
            return None
        if found.inside(FUNCTIONS) is not None or handed.bare().is_same(found):
            return None
        doubt = self.doubt(handed)
        return f"{call.place} may hand over {handed.short}: {doubt}" if doubt is not None else None

    def _by_makers(
        self, owner: Site, binding: Binding, path: tuple[str, ...], is_handed: bool, depth: int
    ) -> str | None:
        """What everybody hands over who makes an instance of a class, or of one below it."""
        references = self.references.of(owner)
        name = owner.field("name")
        if references is None or depth > _DEEPEST:
            return f"who makes an instance of {name.text if name is not None else 'the class'} is not followed"
        is_made = False
        for reference in references:
            site = reference.site.wrapped()
            parent = site.parent
            if parent is None:
                continue
            if parent.type == "new_expression" and site.is_field("constructor"):
                doubt = self._by_arguments(parent, binding, path)
                is_made = True
            elif parent.type in ("extends_clause", "class_heritage"):
                doubt = self._by_subclass(parent, binding, path, is_handed, depth)
                is_made = is_made or doubt is None
            elif _TYPES.search(parent.type) or parent.type in ("member_expression", "binary_expression"):
                continue
            else:
                doubt = None if is_handed else f"{parent.place} may make an instance in a way that is not followed"
            if doubt is not None:
                return doubt
        if is_made or is_handed:
            return None
        who = name.text if name is not None else "the class"
        return f"{binding.name} is handed to {who} ({owner.place}), and by whom is not known"

    def _by_arguments(self, call: Site, binding: Binding, path: tuple[str, ...]) -> str | None:
        arguments = call.field("arguments")
        given = arguments.children() if arguments is not None else []
        if binding.index >= len(given):
            return None
        doubt = self.doubt(given[binding.index], path)
        return f"{call.place} hands over {given[binding.index].short}: {doubt}" if doubt is not None else None

    def _by_subclass(
        self, heritage: Site, binding: Binding, path: tuple[str, ...], is_handed: bool, depth: int
    ) -> str | None:
        owner = heritage.inside(CLASSES)
        made = constructor_of(owner) if owner is not None else None
        if owner is None:
            return f"{heritage.place} is not followed"
        if made is None:
            return self._by_makers(owner, binding, path, is_handed, depth + 1)
        for offset in made.module.offsets("super"):
            inside = made.node.start_byte <= offset < made.node.end_byte
            called = made.module.at(offset).parent if inside else None
            if called is not None and called.type == "call_expression":
                return self._by_arguments(called, binding, path)
        return None


def _position(arguments: Site, argument: Site) -> int:
    return next((i for i, one in enumerate(arguments.children()) if one.is_same(argument)), 0)
