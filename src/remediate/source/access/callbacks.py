"""What is handed to a function that is given to a call: a callback of a transaction, of the workspace, of a query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediate.source.access import vocabulary
from remediate.source.access.answers import first
from remediate.source.access.declarations import function_name
from remediate.source.access.methods import is_signature
from remediate.source.access.references import uses_of_parameter, uses_of_variable
from remediate.source.access.scope import lookup, parameter_name, parameters
from remediate.source.access.site import FUNCTIONS, Site

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
        functions = self.proof.methods.of(function)
        if functions is not None:
            return first(self.callback(one, position, index, path) for one in functions)
        if vocabulary.opens_transaction(name):
            if self.proof.is_within(function):
                return None
            return f"{function.short} ({call.place}) opens a transaction for which no tenant is set"
        if property_ is not None and vocabulary.is_query_method(name):
            return self.proof.doubt(self.proof.handles.handle_of(call))
        if target is not None and target.type != "super" and self._may_be_any(function):
            if (package := self.proof.program.package_of(target)) is not None:
                return f"{function.short} ({call.place}) is of {package}, whose code is not in the workspace"
            return self._by_name(name, call, position, index, path)
        return f"what {function.short} ({call.place}) hands to it is not followed"

    def _may_be_any(self, function: Site) -> bool:
        """Whether nothing is known of a method but its name, or only that of what it is called on in part."""
        found = self.proof.program.define(function)
        return found is None or (isinstance(found, Site) and (found.type in FUNCTIONS or is_signature(found)))

    def _by_name(self, name: str, call: Site, position: int, index: int, path: tuple[str, ...]) -> str | None:
        """A method of something unknown: what all methods of that name in the workspace do."""
        known = self.proof.methods.named(name)
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
        asked = _Asked(name, index, path, set())
        is_called = False
        for use in uses_of_parameter(function, pattern.text):
            if not _is_no_function(use, pattern.text, function):
                for doubt in self._becomes(use, asked):
                    is_called = True
                    if doubt is not None:
                        return doubt
        return None if is_called else f"{name} ({function.place}) never calls it"

    def _becomes(self, site: Site, asked: _Asked) -> Iterator[str | None]:
        """A doubt, or None, for each place at which an expression that is the callback is called or handed on."""
        site = site.wrapped()
        parent = site.parent
        if parent is None or site.key in asked.seen:
            return
        asked.seen.add(site.key)
        match parent.type:
            case "call_expression" if site.is_field("function"):
                yield self._called(parent, asked)
            case "arguments" if parent.parent is not None:
                yield self.handed(parent.parent, position_of(parent, site), asked.index, asked.path)
            case "unary_expression" | "if_statement" | "expression_statement":
                return
            case "binary_expression":
                operator = parent.node.child_by_field_name("operator")
                is_kept = operator is not None and (operator.type in ("??", "||") or not site.is_field("left"))
                if is_kept and operator is not None and operator.type in ("??", "||", "&&"):
                    yield from self._becomes(parent, asked)
            case "ternary_expression":
                if not site.is_field("condition"):
                    yield from self._becomes(parent, asked)
            case "variable_declarator" if site.is_field("value"):
                yield from self._kept(parent.field("name"), parent, asked)
            case "assignment_expression" if site.is_field("right"):
                yield from self._kept(parent.field("left"), parent, asked)
                yield from self._becomes(parent, asked)
            case _:
                yield f"{asked.name} ({parent.place}) does something else with it, which is not followed"

    def _called(self, call: Site, asked: _Asked) -> str | None:
        arguments = call.field("arguments")
        given = arguments.children() if arguments is not None else []
        if any(one.type == "spread_element" for one in given[: asked.index + 1]):
            return f"{asked.name} hands {given[0].short} over ({call.place}), which is not followed"
        if asked.index >= len(given):
            return None
        doubt = self.proof.doubt(given[asked.index], asked.path)
        return f"{asked.name} hands {given[asked.index].short} over ({call.place}): {doubt}" if doubt else None

    def _kept(self, name: Site | None, at: Site, asked: _Asked) -> Iterator[str | None]:
        """What becomes of it under the name of a variable of a function."""
        binding = lookup(name, name.text) if name is not None and name.type == "identifier" else None
        if binding is None or binding.kind != "variable" or binding.site.inside(FUNCTIONS) is None:
            yield f"{asked.name} ({at.place}) does something else with it, which is not followed"
            return
        for use in uses_of_variable(binding):
            yield from self._becomes(use, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a function, by its `name`: what it hands to parameter `index` of its callback, or the members
    `path` of that. `seen` are the places that were gone through.
    """

    name: str
    index: int
    path: tuple[str, ...]
    seen: set[tuple[str, int, int, str]]


def _is_no_function(use: Site, name: str, function: Site) -> bool:
    """Whether a place in `function` is reached only where its parameter is none: `typeof work === 'string'`."""
    child = use
    for above in use.above():
        if above.is_same(function):
            return False
        if above.type in ("if_statement", "ternary_expression") and not child.is_field("condition"):
            condition = above.field("condition")
            is_then = child.is_field("consequence")
            if condition is not None and _says_no_function(condition, name, is_then):
                return True
        child = above
    return False


def _says_no_function(condition: Site, name: str, is_true: bool) -> bool:
    """Whether a parameter is no function where a condition is true, or false."""
    condition = condition.bare()
    left, right = condition.field("left"), condition.field("right")
    operator = condition.node.child_by_field_name("operator")
    if condition.type != "binary_expression" or left is None or right is None or operator is None:
        return False
    if operator.type == "&&" and is_true:
        return _says_no_function(left, name, True) or _says_no_function(right, name, True)
    asked, type_ = left.bare(), right.string()
    if asked.type != "unary_expression" or "".join(asked.text.split()) != f"typeof{name}" or type_ is None:
        return False
    is_equal = operator.type in ("===", "==")
    if not is_equal and operator.type not in ("!==", "!="):
        return False
    return (type_ == "function") != (is_equal == is_true)


def position_of(arguments: Site, argument: Site) -> int:
    return next((i for i, one in enumerate(arguments.children()) if one.is_same(argument)), 0)
