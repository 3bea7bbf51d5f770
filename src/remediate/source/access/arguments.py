"""What becomes of the name of a table that is handed to a call: a query, a parameter of the workspace, or unclear."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remediate.source.access import vocabulary
from remediate.source.access.carried import Access, Carried, Query, Unclear, taken
from remediate.source.access.declarations import constructor_of, enclosing_class
from remediate.source.access.program import Outside
from remediate.source.access.references import uses_of_parameter
from remediate.source.access.scope import lookup, parameter_name, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Site

if TYPE_CHECKING:
    from remediate.source.access.flow import Flow

_BUILT_IN = frozenset({"Set", "Map", "WeakSet", "WeakMap", "URLSearchParams", "FormData", "Headers", "Date", "Array"})
# The links of a chain of calls that are gone back.
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Arguments:
    """The part of `flow` that goes through calls."""

    flow: Flow

    def argument(self, arguments: Site, argument: Site, carried: Carried) -> Iterator[Access]:
        call = arguments.parent
        if call is None:
            return
        index = next((i for i, one in enumerate(arguments.children()) if one.is_same(argument)), 0)
        if call.type == "new_expression":
            yield from self._constructed(call, index, carried)
            return
        function = call.field("function")
        if call.type != "call_expression" or function is None:
            return
        function = function.bare()
        if function.type == "super":
            owner = enclosing_class(call)
            above = self.flow.program.superclass(owner) if owner is not None else None
            yield from self._into_constructor(above, index, carried, call)
            return
        if function.type == "import" or function.text == "require":
            return
        if call.parent is not None and call.parent.type == "decorator":
            if function.text in ("Entity", "Table", "ViewEntity", "JoinTable", "Model"):
                yield Unclear(call, f"@{function.text} maps a class of an ORM to it, whose queries are not followed")
            return
        yield from self._called(call, function, index, carried)

    def _called(self, call: Site, function: Site, index: int, carried: Carried) -> Iterator[Access]:
        member = function.type == "member_expression"
        property_ = function.field("property") if member else None
        method = property_.text if property_ is not None else ""
        if method and (vocabulary.is_no_query(method) or vocabulary.defines_schema(method)):
            return
        if method == "table" and function.text.endswith(".schema.table"):
            return
        if vocabulary.is_no_database(_first_name(function)) and not _is_handle(method):
            return
        if method and vocabulary.is_query_method(method):
            if own := self._functions(function):
                for one in own:
                    yield from self.into_parameter(one, index, carried, call)
            elif carried.is_text or self._is_table(call, method.lower(), index, carried):
                yield Query(call, self.flow.handles.handle_of(call))
            return
        found = self.flow.program.define(function)
        if own := self._functions(function):
            for one in own:
                yield from self.into_parameter(one, index, carried, call)
        elif isinstance(found, Outside):
            if not carried.is_text and carried.keys and not vocabulary.names_table(carried.keys[-1]):
                return
            if found.package.startswith((".", "@/", "~/")) or not vocabulary.is_harmless_package(found.package):
                where = f"{function.text[:60]} of {found.package}"
                yield Unclear(call, f"hands it to {where}, whose code is not in the workspace")
        elif self._is_harmless(function):
            return
        elif carried.is_text:
            yield Query(call, self.flow.handles.handle_of(call))
        elif carried.keys and not (len(carried.keys) == 1 and index == 0 and (not method or _is_handle(method))):
            if vocabulary.names_table(carried.keys[-1]):
                yield Unclear(call, f"hands it to {function.text[:60]}, which is not followed")
        elif index == 0 and _may_be_query(call, function, carried):
            yield Query(call, self.flow.handles.handle_of(call))

    def _functions(self, function: Site) -> tuple[Site, ...]:
        """The functions of the workspace that a callee may be, as far as they are known."""
        known = self.flow.methods.of(function)
        found = self.flow.program.define(function) if known is None else None
        return known or ((found,) if isinstance(found, Site) and found.type in FUNCTIONS else ())

    def _is_harmless(self, function: Site) -> bool:
        """`const { t } = useTranslation()`: what a package gives that has nothing to do with a database."""
        start = function
        for _ in range(_LONGEST):
            inner = start.field("object" if start.type == "member_expression" else "function")
            if start.type not in ("member_expression", "call_expression") or inner is None:
                break
            start = inner.bare()
        binding = lookup(start, start.text) if start.type == "identifier" else None
        if binding is not None and binding.kind == "import":
            origin = self.flow.program.define(start)
            return isinstance(origin, Outside) and vocabulary.is_harmless_package(origin.package)
        value = binding.site.field("value") if binding is not None and binding.kind == "variable" else None
        made = value.bare().field("constructor") if value is not None else None
        if made is not None and made.text in _BUILT_IN and lookup(made, made.text) is None:
            return True
        called = value.bare().field("function") if value is not None else None
        origin = self.flow.program.define(called) if called is not None else None
        return isinstance(origin, Outside) and vocabulary.is_harmless_package(origin.package)

    def _is_table(self, call: Site, method: str, index: int, carried: Carried) -> bool:
        """Whether a bare name is a table where it stands among the arguments of a query's method."""
        if method in vocabulary.TABLE_METHODS:
            return index == 0
        if method not in vocabulary.TEXT_METHODS:
            return False
        if index == 0:
            return carried.kind == "bare" and not carried.keys
        arguments = call.field("arguments")
        text = arguments.children()[0].string() if arguments is not None and arguments.children() else None
        return text is None or "??" in text or any(f":{key}:" in text for key in carried.keys)

    def _constructed(self, call: Site, index: int, carried: Carried) -> Iterator[Access]:
        made = call.field("constructor")
        found = self.flow.program.define(made)
        if isinstance(found, Site) and found.type in CLASSES:
            yield from self._into_constructor(found, index, carried, call)
            return
        name = made.text if made is not None else ""
        if name.endswith(("Error", "Exception", "Event")) or vocabulary.is_no_database(name):
            return
        if isinstance(found, Outside) and vocabulary.is_harmless_package(found.package):
            return
        if carried.is_text or not carried.keys or vocabulary.names_table(carried.keys[-1]):
            yield Unclear(call, f"hands it to new {name[:60]}, which is not followed")

    def _into_constructor(self, owner: Site | None, index: int, carried: Carried, at: Site) -> Iterator[Access]:
        for _ in range(8):
            made = constructor_of(owner) if owner is not None else None
            if made is not None and owner is not None:
                yield from self.into_parameter(made, index, carried, at)
                kept = parameters(made)[index : index + 1]
                for parameter in kept:
                    if any(child.type in ("accessibility_modifier", "readonly") for child in parameter.node.children):
                        yield from self.flow.members(owner, parameter_name(parameter).text, carried.deeper, at)
                return
            owner = self.flow.program.superclass(owner) if owner is not None else None
        yield Unclear(at, "hands it to a class that is not in the workspace")

    def into_parameter(self, function: Site, index: int, carried: Carried, at: Site) -> Iterator[Access]:
        listed = parameters(function)
        pattern = parameter_name(listed[index]) if index < len(listed) else None
        if pattern is None or pattern.type == "rest_pattern":
            if carried.is_text:
                yield Unclear(at, "hands this SQL to a function that is not followed")
            return
        if pattern.type == "identifier":
            for site in uses_of_parameter(function, pattern.text):
                yield from self.flow.use(site, carried.deeper)
            return
        for name, keys in taken(pattern, carried.keys):
            for site in uses_of_parameter(function, name.text):
                yield from self.flow.use(site, replace(carried.deeper, keys=keys))

    def tagged(self, call: Site, carried: Carried) -> Iterator[Access]:
        """sql`…`: run by the tag itself (postgres.js), or by what it is handed to (Kysely, Drizzle, slonik)."""
        function = call.field("function")
        if function is None:
            return
        tag = self.flow.program.define(function)
        root = _first_name(function)
        if function.bare().type == "identifier" and (isinstance(tag, Outside) or tag is None) and root != "gql":
            outer = call.wrapped().parent
            method = outer.field("property") if outer is not None and outer.type == "member_expression" else None
            run = outer.parent if method is not None and outer is not None else None
            arguments = run.field("arguments") if run is not None and run.type == "call_expression" else None
            if method is not None and method.text == "execute" and arguments is not None and arguments.children():
                yield Query(call, arguments.children()[0])
            else:
                yield from self.flow.climb(call, replace(carried.deeper, kind="sql"))
        elif root not in ("gql", "graphql", "css", "html", "styled"):
            yield Query(call, self.flow.handles.root_of(function))


def _first_name(function: Site) -> str:
    """The name at the start of a callee: `logger` of `logger.child().info`."""
    current: Site | None = function
    while current is not None:
        current = current.bare()
        if current.type in ("member_expression", "subscript_expression"):
            target = current.field("object")
            if target is not None and target.type == "this":
                property_ = current.field("property")
                return property_.text if property_ is not None else "this"
            current = target
        elif current.type == "call_expression":
            current = current.field("function")
        elif current.type == "await_expression" and current.children():
            current = current.children()[0]
        else:
            return current.text if current.type in ("identifier", "this") else ""
    return ""


def _is_handle(name: str) -> bool:
    return vocabulary.is_handed_over(name) or vocabulary.is_connection_name(name)


def _may_be_query(call: Site, function: Site, carried: Carried) -> bool:
    """Whether `f('orders')` may be a query. Two words are one only on a connection; so is a word in a view's file."""
    if _is_handle(function.text.rpartition(".")[2]):
        return True
    return carried.kind == "bare" and not call.module.name.endswith((".tsx", ".jsx"))
