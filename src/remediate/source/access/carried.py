"""What the mention of a table comes to, and what is carried along on the way there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from remediate.source.access.relations import Kind
from remediate.source.access.site import Site


@dataclass(frozen=True, slots=True)
class Query:
    """A query at `at` that runs on what `handle` is there."""

    at: Site
    handle: Site


@dataclass(frozen=True, slots=True)
class Model:
    """A class of an ORM that stands for the table."""

    at: Site
    model: Site


@dataclass(frozen=True, slots=True)
class Unclear:
    """A mention that may be an access; `why` completes "names the table and …"."""

    at: Site
    why: str


Access = Query | Model | Unclear


@dataclass(frozen=True, slots=True)
class Carried:
    """The name on its way: `keys` are the properties that it is wrapped in, the innermost first; of arrays, `[2]`, or
    `[]` where the position is not known.
    """

    kind: Kind
    keys: tuple[str, ...] = ()
    depth: int = 0

    @property
    def deeper(self) -> Carried:
        return replace(self, depth=self.depth + 1)

    @property
    def is_text(self) -> bool:
        return self.kind == "sql"


def is_element(key: str) -> bool:
    """Whether a key is the position in an array."""
    return key.startswith("[")


def taken(pattern: Site, keys: tuple[str, ...]) -> Iterator[tuple[Site, tuple[str, ...]]]:
    """The names that a pattern gives to what is wrapped in `keys`, each with the keys that are left."""
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        own = pattern.type == "identifier"
        if own or (keys and keys[-1] == pattern.text):
            yield pattern, keys if own else keys[:-1]
    elif pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        if (left := pattern.field("left")) is not None:
            yield from taken(left, keys)
    elif pattern.type == "array_pattern" and keys and is_element(keys[-1]):
        for index, child in enumerate(pattern.children()):
            if keys[-1] in ("[]", f"[{index}]"):
                yield from taken(child, keys[:-1])
    elif pattern.type == "object_pattern" and keys:
        for child in pattern.children():
            key, value = child.field("key"), child.field("value")
            if child.type != "pair_pattern":
                yield from taken(child, keys)
            elif key is not None and value is not None and key.text.strip("'\"") == keys[-1]:
                yield from taken(value, keys[:-1])
