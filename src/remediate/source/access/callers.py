"""What is handed to a parameter: by whoever calls the function, or makes an instance of the class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediate.source.access import vocabulary
from remediate.source.access.answers import first
from remediate.source.access.callbacks import Callbacks, position_of
from remediate.source.access.declarations import constructor_of, enclosing_class, function_name
from remediate.source.access.injection import asked_of_container, is_metadata, token_of
from remediate.source.access.references import Reference
from remediate.source.access.scope import Binding, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Site

if TYPE_CHECKING:
    from remediate.source.access.proof import Proof

# So many classes are gone down.
_DEEPEST = 40
# What migrations and seeds export.
_RUN_BY_KNEX = frozenset({"up", "down", "seed"})
_TYPES = re.compile(r"type|heritage|interface|implements|import|export")


@dataclass(frozen=True, slots=True)
class Callers:
    """The part of `proof` that goes from a parameter to the callers of its function."""

    proof: Proof

    def doubt(self, function: Site, binding: Binding, path: tuple[str, ...], is_handed: bool) -> str | None:
        """A parameter is what all known callers hand over; of a transaction one trusts the unknown ones."""
        name = function.field("name")
        owner = enclosing_class(function) if name is not None and name.text == "constructor" else None

        def answer() -> str | None:
            if owner is not None:
                token = token_of(parameters(function)[binding.index]) if not binding.members else None
                injected = self.proof.injected(token, path) if token is not None else []
                doubt = first(injected)
                return doubt or self._by_makers(owner, binding, path, is_handed or bool(injected), 0)
            return self._by_calls(function, binding, path, is_handed)

        return self.proof.answers.remember((function.key, binding.index, path, is_handed), answer)

    def _by_calls(self, function: Site, binding: Binding, path: tuple[str, ...], is_handed: bool) -> str | None:
        references = self.proof.references.of(function)
        if references is None:
            return f"who calls {function_name(function) or 'the function'} is not followed"
        is_called = False
        for reference in references:
            given, doubt = self._by_call(reference, binding, path, is_handed)
            is_called = is_called or given
            if doubt is not None:
                return doubt
        name = function_name(function)
        if not is_called and name in _RUN_BY_KNEX and binding.index == 0 and function.inside(FUNCTIONS) is None:
            return f"Knex runs {name} ({function.place}) on a connection for which no tenant is set"
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
            doubt = self.proof.doubt(handed, path)
            return True, f"{parent.place} hands over {handed.short}: {doubt}" if doubt is not None else None
        if not reference.certain or _TYPES.search(parent.type):
            return False, None
        if parent.type == "arguments" and parent.parent is not None:
            doubt = Callbacks(self.proof).handed(parent.parent, position_of(parent, site), binding.index, path)
            if doubt is None:
                return True, None
            function = parent.parent.field("function")
            known = self.proof.program.define(function) if function is not None else None
            is_known = isinstance(known, Site) or (
                function is not None and vocabulary.opens_transaction(function.text.rpartition(".")[2])
            )
            return False, doubt if is_known or not is_handed else None
        return False, None

    def _if_plain(self, handed: Site, call: Site) -> str | None:
        """A call that only its name ties to the function speaks against it where it hands over a plain connection."""
        found = self.proof.program.define(handed)
        if not isinstance(found, Site) or found.type not in ("call_expression", "new_expression"):
            return None
        if found.inside(FUNCTIONS) is not None or handed.bare().is_same(found):
            return None
        doubt = self.proof.doubt(handed)
        return f"{call.place} may hand over {handed.short}: {doubt}" if doubt is not None else None

    def _by_makers(
        self, owner: Site, binding: Binding, path: tuple[str, ...], is_handed: bool, depth: int
    ) -> str | None:
        """What everybody hands over who makes an instance of a class, or of one below it."""
        references = self.proof.references.of(owner)
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
            elif is_metadata(site) or (parent.parent is not None and asked_of_container(parent.parent) is not None):
                continue  # the framework makes it, of what it injects
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
        doubt = self.proof.doubt(given[binding.index], path)
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
