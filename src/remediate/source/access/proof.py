"""Whether what a query runs on is proven to have the tenant set. What is not proven is a doubt, with its reason.

A handle (a transaction, a client) is followed to where it comes from: the function that hands it to a callback, the
callers of a function, whoever makes an instance of a class, the middleware that puts it into the request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from remediate.source.access import vocabulary
from remediate.source.access.answers import Answers, first
from remediate.source.access.callbacks import Callbacks, position_of
from remediate.source.access.callers import Callers
from remediate.source.access.declarations import (
    constructor_of,
    enclosing_class,
    function_name,
    is_kept,
    members_of,
    returned,
)
from remediate.source.access.handles import Handles
from remediate.source.access.injection import asked_of_container, token_of
from remediate.source.access.methods import Methods
from remediate.source.access.program import Outside, Parameter, Program
from remediate.source.access.references import References
from remediate.source.access.scope import Binding, lookup, parameter_name, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Site
from remediate.source.access.tenant import Tenant, key_of

# So many classes are gone up.
_DEEPEST = 40


@dataclass(slots=True)
class Proof:
    """Answers `doubt` for one set of settings; every answer is remembered."""

    program: Program
    references: References
    handles: Handles
    methods: Methods
    tenant: Tenant
    answers: Answers = field(default_factory=Answers)

    def doubt(self, handle: Site, members: tuple[str, ...] = ()) -> str | None:
        """Why a handle (or what the members of it lead to) may have no tenant set; None where it has, always."""
        return self.answers.remember((handle.key, members), lambda: self._doubt(handle.bare(), members))

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
                return first(self.doubt(part, members) for part in site.children())
            case "ternary_expression":
                branches = (site.field("consequence"), site.field("alternative"))
                return first(self.doubt(one, members) for one in branches if one is not None)
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

    # ------------------------------------------------------------------------------------------- names

    def _name(self, site: Site, members: tuple[str, ...]) -> str | None:
        binding = lookup(site, site.text)
        if binding is None:
            return f"{site.text} is not declared in this file"
        if binding.kind == "parameter":
            return self._parameter(binding, members, site)
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
        doubt = first(doubts)
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
            return first(self.doubt(value, members) for value in assigned)
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
                elif (token := token_of(child)) is not None:
                    sources += self.injected(token, members)
        made = constructor_of(owner)
        for index, parameter in enumerate(parameters(made) if made is not None else ()):
            if made is not None and is_kept(parameter) and parameter_name(parameter).text == name:
                kept = Binding("parameter", name, made, index, default=parameter.field("value"))
                sources.append(self._parameter(kept, members, None))
        sources += [self.doubt(value, members) for value in self.program.assignments(owner, f"this.{name}")]
        if made is not None and "Object.assign(this" in made.text:
            return f"what Object.assign puts into this.{name} ({made.place}) is not followed"
        sources += [self.doubt(value, members) for value in self._set_from_outside(owner, name)]
        if sources:
            return first(sources)
        above = self.program.superclass(owner)
        if above is not None and depth < _DEEPEST:
            return self._field(above, name, members, depth + 1)
        return f"nothing shows what this.{name} is"

    def _set_from_outside(self, owner: Site, name: str) -> Iterable[Site]:
        """What is assigned to a field of an instance elsewhere: `repo.db = db`."""
        for member in self.program.assigned_members(name):
            target, assignment = member.field("object"), member.wrapped().parent
            instance = self.program.instance_of(target) if target is not None and target.type != "this" else None
            value = assignment.field("right") if assignment is not None else None
            if instance is None or not instance.is_class or value is None:
                continue
            if self.program.descends(instance.type, owner) or self.program.descends(owner, instance.type):
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
        given = site.field("arguments")
        if (made := site.field("constructor")) is not None and made.text == "Proxy" and given and given.children():
            behind = given.children()[0]
            doubt = self.doubt(behind, members) or "what else it may give is not followed"
            return f"{site.short} ({site.place}) stands before {behind.short}: {doubt}"
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
        asked = asked_of_container(site)
        if asked is not None and (doubts := self.injected(asked, members)):
            return first(doubts)
        target = function.field("object")
        if name == "connect" and target is not None and not members and self.methods.of(function) is None:
            return self.doubt(target)  # a client of a pool has no tenant either, unless it is set on it
        functions = self.methods.of(function)
        if functions is not None:
            return first(self._returns(one, members) for one in functions)
        found = self.program.define(function)
        if isinstance(found, Site) and found.type in FUNCTIONS:
            return self._returns(found, members) or f"what takes the place of {function.short} is not followed"
        if vocabulary.opens_transaction(name):
            if self.is_within(function):
                return None
            return f"{site.short} ({site.place}) opens a transaction for which no tenant is set"
        if function.type == "member_expression" and vocabulary.is_query_method(name) and not members:
            return self.doubt(self.handles.handle_of(site))
        if site.inside(FUNCTIONS) is None or isinstance(found, Outside):
            return f"{site.short} ({site.place}) is a connection for which no tenant is set"
        return f"what {site.short} ({site.place}) gives is not followed"

    def is_within(self, function: Site) -> bool:
        """Whether a transaction is opened within one that has the tenant set: a savepoint keeps what was set."""
        target = function.field("object") if function.type == "member_expression" else None
        return target is not None and self.doubt(target) is None

    def injected(self, token: Site, members: tuple[str, ...]) -> list[str | None]:
        """The doubt, or None, about each thing that a container of dependencies gives for a token."""
        doubts: list[str | None] = []
        for provider in self.program.injection.providers(token):
            found = self.program.define(provider.value)
            if provider.kind == "useFactory" and isinstance(found, Site) and found.type in FUNCTIONS:
                doubt = self._returns(found, members)
            elif provider.kind == "useValue":
                doubt = self.doubt(provider.value, members)
            else:
                doubt = f"{provider.value.short} is not followed"
            name = token.string() or token.short
            doubts.append(f"{name} is injected ({provider.value.place}): {doubt}" if doubt is not None else None)
        return doubts

    def _returns(self, function: Site, members: tuple[str, ...]) -> str | None:
        values = returned(function)
        if not values:
            return f"{function_name(function) or 'the function'} ({function.place}) returns nothing that is followed"
        return first(self.doubt(value, members) for value in values)

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
        return first(self.doubt(value, members) for value in values)

    # ------------------------------------------------------------------------------------------- parameters

    def _parameter(self, binding: Binding, members: tuple[str, ...], used: Site | None) -> str | None:
        function, path = binding.site, (*binding.members, *members)
        if binding.default is not None and (doubt := self.doubt(binding.default, members)) is not None:
            return f"without one, {binding.name} is {binding.default.short}: {doubt}"
        if not binding.members:
            assigned = self.program.assignments(function, binding.name)
            doubt = first(self.doubt(value, members) for value in assigned if value.text != binding.name)
            if doubt is not None:
                return doubt
        outer = function.wrapped()
        arguments = outer.parent
        if arguments is not None and arguments.type == "arguments" and arguments.parent is not None:
            position = position_of(arguments, outer)
            doubt = Callbacks(self).handed(arguments.parent, position, binding.index, path)
            return self._nearest(doubt, used)
        parameter = Parameter(function, binding.index, binding.name, binding.members)
        is_handed = vocabulary.is_handed_over(path[-1] if path else binding.name, parameter.type if not members else "")
        return self._nearest(Callers(self).doubt(function, binding, path, is_handed), used)

    def _nearest(self, doubt: str | None, used: Site | None) -> str | None:
        """A doubt about where a handle comes from; a write on it that does not count explains more."""
        return (used is not None and self.tenant.near_miss(used)) or doubt if doubt is not None else None
