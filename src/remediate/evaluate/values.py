"""The values that the interpreter computes with.

JavaScript maps to Python as: string → str, boolean → bool, number → int or float, null → None, undefined →
`UNDEFINED`, array → list, object → dict (insertion-ordered). What cannot be known is a value too: `Unknown`, with the
reason, and it spreads through whatever is computed from it. Everything else (functions, the Knex handle, builders) is
a `HostObject`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from remediate.source.place import Place


class _Undefined:
    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "UNDEFINED"  # there is one, and it is compared by identity


UNDEFINED: Final = _Undefined()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that nothing can tell before the migration runs; `place` is where it came into being.

    `about_data`: only the rows in the tables would tell, and on a fresh database those are none.
    """

    reason: str
    place: Place | None = None
    about_data: bool = False


@dataclass(frozen=True, slots=True)
class Assumed(Unknown):
    """Nothing can tell the value, but on a fresh database, with a bare environment, it would be `value`.

    Conditions and loops go by it, and what they do is marked conditional; text that is made of it stays unknown.
    """

    value: Any = UNDEFINED


@dataclass(frozen=True, slots=True)
class Drawn(Unknown):
    """A value that is another one each time (an identifier, the time): among rows, `stand_in` is as good as any."""

    stand_in: str = ""


class HostObject:
    """An object of the world around the migration (Knex, Node, a closure); subclasses override what they have.

    `get` reads a property, `call` calls the object itself. The default answers are `Unknown`, never an exception.
    """

    def get(self, name: str, place: Place) -> Value:
        return Unknown(f"nothing is known of .{name} here", place)

    def call(self, arguments: Sequence[Value], place: Place) -> Value:
        return Unknown("calls something that is not known here", place)


Value: TypeAlias = "str | bool | int | float | _Undefined | Unknown | HostObject | list[Any] | dict[str, Any] | None"
