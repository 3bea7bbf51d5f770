"""What the mention of a table comes to, and what is carried along on the way there."""

from __future__ import annotations

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
    """The name on its way: `keys` are the properties that it is wrapped in, the innermost first."""

    kind: Kind
    keys: tuple[str, ...] = ()
    depth: int = 0

    @property
    def deeper(self) -> Carried:
        return replace(self, depth=self.depth + 1)

    @property
    def is_text(self) -> bool:
        return self.kind == "sql"
