"""Host objects whose JavaScript methods are Python methods marked with `@js("names", …)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias, TypeVar

from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

Run: TypeAlias = Callable[[Sequence[Value], Place], Value]
_Marked = TypeVar("_Marked", bound=Callable[..., Value])


def js(*names: str) -> Callable[[_Marked], _Marked]:
    """Marks a method `(self, arguments, place) -> Value` of a `Scripted` class with its names in JavaScript."""

    def mark(function: _Marked) -> _Marked:
        function.js_names = names  # type: ignore[attr-defined]
        return function

    return mark


def at(arguments: Sequence[Value], index: int) -> Value:
    """The argument at `index`, undefined when it was not passed."""
    return arguments[index] if index < len(arguments) else UNDEFINED


class Method(HostObject):
    """A function value, with the three ways of every JavaScript function to be called indirectly."""

    def __init__(self, name: str, run: Run) -> None:
        self.name = name
        self.run = run

    def get(self, name: str, place: Place) -> Value:
        if name == "name":
            return self.name
        if name == "call":
            return Method(name, lambda arguments, place: self.run(arguments[1:], place))
        if name == "apply":
            return Method(name, self._apply)
        if name == "bind":
            return Method(name, lambda bound, _: Method(self.name, lambda rest, at: self.run([*bound[1:], *rest], at)))
        return Unknown(f"nothing is known of .{name} of the function {self.name}", place)

    def call(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.run(arguments, place)

    def _apply(self, arguments: Sequence[Value], place: Place) -> Value:
        passed = at(arguments, 1)
        if isinstance(passed, Unknown):
            return passed
        return self.run(passed if isinstance(passed, list) else [], place)


class Scripted(HostObject):
    """A host object that finds its methods by their JavaScript names."""

    methods: ClassVar[dict[str, Callable[[Any, Sequence[Value], Place], Value]]] = {}
    is_function: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        found = {}
        for base in reversed(cls.__mro__):
            for function in vars(base).values():
                for name in getattr(function, "js_names", ()):
                    found[name] = function
        cls.methods = found

    def get(self, name: str, place: Place) -> Value:
        function = self.methods.get(name)
        if function is None:
            return self.missing(name, place)
        return Method(name, lambda arguments, place: function(self, arguments, place))

    def missing(self, name: str, place: Place) -> Value:
        """A property that is no method of this class."""
        return Unknown(f"nothing is known of .{name} here", place)


def is_function(value: Value) -> bool:
    """Whether `typeof value` is "function".

    Host objects of other packages count as functions (closures) unless they have an attribute `is_function` that is
    false (dates, maps, …).
    """
    return isinstance(value, HostObject) and bool(getattr(value, "is_function", True))


def call_back(function: HostObject, this: Value, arguments: Sequence[Value], place: Place) -> Value:
    """Calls a function of the user with `this`, if the function takes one."""
    with_this = getattr(function, "call_with_this", None)
    if with_this is not None:
        result: Value = with_this(this, list(arguments), place)
        return result
    return function.call(list(arguments), place)
