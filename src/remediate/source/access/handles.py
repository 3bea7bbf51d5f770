"""What a query runs on: the handle at the start of a chain of calls."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.source.access import vocabulary
from remediate.source.access.injection import asked_of_container
from remediate.source.access.program import Program
from remediate.source.access.site import FUNCTIONS, Site


@dataclass(frozen=True, slots=True)
class Handles:
    program: Program

    def handle_of(self, call: Site) -> Site:
        """What a query runs on: the start of its chain, what it is given (`transacting`), or what it is a part of."""
        function = call.field("function")
        if function is None:
            return call
        function = function.bare()
        if function.type == "member_expression":
            property_, target = function.field("property"), function.field("object")
            if property_ is not None and target is not None and vocabulary.is_query_method(property_.text):
                handle = self.root_of(target)
            else:
                handle = function
        else:
            handle = self.root_of(function)
        outer, given = self.outermost(call)
        if given is not None:
            return given
        around = outer.wrapped()
        while around.parent is not None and around.parent.type in ("array", "spread_element"):
            around = around.parent
        arguments = around.parent
        if arguments is not None and arguments.type == "arguments" and arguments.parent is not None:
            method = arguments.parent.field("function")
            name = method.field("property") if method is not None and method.type == "member_expression" else None
            if (
                name is not None
                and vocabulary.is_query_method(name.text)
                and name.text not in ("then", "catch", "finally")
            ):
                return self.handle_of(arguments.parent)
        return handle

    def outermost(self, call: Site) -> tuple[Site, Site | None]:
        """The end of a chain of calls, and the connection that it is given on the way."""
        given: Site | None = None
        current = call
        while True:
            member = current.wrapped().parent
            if member is None or member.type != "member_expression" or not current.wrapped().is_field("object"):
                return current, given
            name, following = member.field("property"), member.parent
            if name is None or following is None or following.type != "call_expression":
                return current, given
            arguments = following.field("arguments")
            first = arguments.children()[:1] if arguments is not None else []
            if name.text in ("then", "catch", "finally"):
                return current, given
            if first and (name.text.lower() in vocabulary.GIVES_CONNECTION or name.text == "execute"):
                given = first[0]
            current = following

    def root_of(self, site: Site) -> Site:
        """The start of a chain of calls, where it is the connection."""
        site = site.bare()
        while True:
            if site.type == "await_expression" and site.children():
                site = site.children()[0].bare()
                continue
            if site.type == "member_expression":
                name, target = site.field("property"), site.field("object")
                if name is not None and target is not None and name.text in ("schema", "fn", "$$", "manager"):
                    site = target.bare()
                    continue
                return site
            if site.type != "call_expression":
                return site
            function, arguments = site.field("function"), site.field("arguments")
            if function is None:
                return site
            function = function.bare()
            given = arguments.children() if arguments is not None and arguments.type == "arguments" else []
            if function.type == "member_expression":
                name, target = function.field("property"), function.field("object")
                if name is None or target is None:
                    return site
                if given and name.text.lower() in vocabulary.GIVES_CONNECTION:
                    return given[0]
                if name.text == "query" and given and given[0].string() is None and given[0].type != "template_string":
                    return given[0]
                if vocabulary.is_query_method(name.text):
                    site = target.bare()
                    continue
            elif function.type == "call_expression":
                return function
            if asked_of_container(site) is not None:
                return site
            found = self.program.define(function)
            if not given or vocabulary.opens_transaction(function.text.rpartition(".")[2]):
                return site
            return site if isinstance(found, Site) and found.type in FUNCTIONS else function
