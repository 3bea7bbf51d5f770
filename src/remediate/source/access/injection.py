"""What containers of dependencies (NestJS, Angular) give for a token: `{ provide: TOKEN, useFactory: () => … }`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from remediate.source.access.site import Site

if TYPE_CHECKING:
    from remediate.source.access.program import Program

_KINDS = ("useClass", "useExisting", "useValue", "useFactory")
_CONTAINER = re.compile(r"(?:^|[._])(?:injector|moduleref|container|app|application|context)$", re.IGNORECASE)
_ASKS = frozenset({"get", "resolve", "create"})
# What stands under them in the metadata of a module is made by the framework, or only named for it.
_METADATA = frozenset({"providers", "exports", "imports", "controllers", "inject", "declarations", "provide", *_KINDS})

Token = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """One entry of a module: `value` is the class, the value or the function behind `use…`."""

    kind: Literal["useClass", "useExisting", "useValue", "useFactory"]
    value: Site


@dataclass(slots=True)
class Injection:
    program: Program
    _providers: dict[Token, list[Provider]] = field(default_factory=dict)
    _is_read: bool = False

    def providers(self, token: Site) -> tuple[Provider, ...]:
        """What the modules of the workspace give for a token: a string, a constant or a class."""
        if not self._is_read:
            self._is_read = True
            for asked, provider in self._read():
                self._providers.setdefault(asked, []).append(provider)
        identity = self._identity(token)
        return tuple(self._providers.get(identity, ())) if identity is not None else ()

    def _read(self) -> Iterator[tuple[Token, Provider]]:
        for module in self.program.files_with("provide"):
            for site in module.identifiers("provide"):
                pair = site.parent
                entry = pair.parent if pair is not None and pair.type == "pair" and site.is_field("key") else None
                asked = pair.field("value") if pair is not None else None
                token = self._identity(asked) if entry is not None and asked is not None else None
                if token is None or entry is None:
                    continue
                for other in entry.children():
                    key, value = other.field("key"), other.field("value")
                    if other.type == "method_definition" and (key := other.field("name")) is not None:
                        value = other
                    if key is not None and value is not None and key.text in _KINDS:
                        yield token, Provider(key.text, value)  # type: ignore[arg-type]

    def _identity(self, token: Site) -> Token | None:
        """What makes two tokens the same: the text of a string, the place of anything else that is declared once."""
        found = self.program.define(token)
        text = token.string() if found is None or not isinstance(found, Site) else found.string()
        if text is not None:
            return ("text", text)
        return found.key if isinstance(found, Site) else None


def token_of(declaration: Site) -> Site | None:
    """The token in `@Inject(TOKEN)` of a parameter or a field."""
    for child in declaration.node.children:
        if child.type == "decorator":
            call = next(iter(Site(declaration.module, child, declaration).children()), None)
            function, arguments = (
                (call.field("function"), call.field("arguments")) if call is not None else (None, None)
            )
            if function is not None and function.text == "Inject" and arguments is not None:
                return next(iter(arguments.children()), None)
    return None


def asked_of_container(call: Site) -> Site | None:
    """The token in `inject(TOKEN)` and `moduleRef.get(TOKEN)`."""
    function, arguments = call.field("function"), call.field("arguments")
    if function is None or arguments is None:
        return None
    function = function.bare()
    name, target = function.field("property"), function.field("object")
    asks = name is not None and target is not None and name.text in _ASKS and _CONTAINER.search(target.text)
    return next(iter(arguments.children()), None) if function.text == "inject" or asks else None


def is_metadata(site: Site) -> bool:
    """Whether the name of a class stands where a framework is told of it: in a decorator, among providers."""
    for above in site.above():
        if above.type == "decorator":
            return True
        if above.type == "pair" and (key := above.field("key")) is not None and key.text in _METADATA:
            return True
        if above.type in ("statement_block", "class_body"):
            return False
    return False
