"""What is handed to a function that is given to a call: a callback of a transaction, of the workspace, of a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediate.source.access import vocabulary
from remediate.source.access.answers import first
from remediate.source.access.program import enclosing_class, function_name
from remediate.source.access.references import uses_of_parameter
from remediate.source.access.scope import parameter_name, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Site

if TYPE_CHECKING:
    from remediate.source.access.proof import Proof


@dataclass(frozen=True, slots=True)
class Callbacks:
    """The part of `proof` that goes from a callback to whoever calls it."""

    proof: Proof

    def handed(self, call: Site, position: int, index: int, path: tuple[str, ...]) -> str | None:
        """What a call hands to parameter `index` of the function that is its argument at `position`."""
        function = call.field("function")
        if function is None:
            return f"what {call.short} hands to it is not followed"
        function = function.bare()
        property_ = function.field("property") if function.type == "member_expression" else None
        target = function.field("object") if function.type == "member_expression" else None
        name = property_.text if property_ is not None else function.text
        if name == "then" and target is not None and index == 0:
            return self.proof.doubt(target, path)
        found = self.proof.program.define(function)
        if isinstance(found, Site) and found.type in FUNCTIONS:
            every = (found, *self._overriding(function, found))
            return first(self.callback(one, position, index, path) for one in every)
        if vocabulary.opens_transaction(name):
            if self.proof.is_within(function):
                return None
            return f"{function.short} ({call.place}) opens a transaction for which no tenant is set"
        if property_ is not None and vocabulary.is_query_method(name):
            return self.proof.doubt(self.proof.handles.handle_of(call))
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
            for reference in self.proof.references.of(pending.pop()) or ():
                parent = reference.site.wrapped().parent
                below = parent.inside(CLASSES) if parent is not None and "extends" in parent.type else None
                if below is not None:
                    pending.append(below)
                    method = self.proof.program.class_member(below, name.text)
                    if isinstance(method, Site) and method.type in FUNCTIONS and method.key != found.key:
                        methods.append(method)
        return methods

    def _by_name(self, name: str, call: Site, position: int, index: int, path: tuple[str, ...]) -> str | None:
        """A method of something unknown: what all methods of that name in the workspace do."""
        methods = []
        for module in self.proof.program.files_with(name):
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
        return first(self.callback(method, position, index, path) for method in known)

    def callback(self, function: Site, position: int, index: int, path: tuple[str, ...] = ()) -> str | None:
        """Why a function may call the function that it is given without the tenant set on argument `index`."""
        memo = (function.key, position, index, path)
        return self.proof.answers.remember(memo, lambda: self._callback(function, position, index, path))

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
                if index < len(given) and (doubt := self.proof.doubt(given[index], path)) is not None:
                    return f"{name} hands {given[index].short} over ({parent.place}): {doubt}"
            elif parent.type == "arguments" and parent.parent is not None:
                is_called = True
                if (doubt := self.handed(parent.parent, position_of(parent, site), index, path)) is not None:
                    return doubt
            elif parent.type != "binary_expression":
                return f"{name} ({parent.place}) does something else with it, which is not followed"
        return None if is_called else f"{name} ({function.place}) never calls it"


def position_of(arguments: Site, argument: Site) -> int:
    return next((i for i, one in enumerate(arguments.children()) if one.is_same(argument)), 0)
