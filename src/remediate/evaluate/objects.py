"""Objects of the interpreter itself: functions of JavaScript's library, errors, accessors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

Run: TypeAlias = Callable[[Value, list[Value], Place], Value]
"""How a function of the library runs: `this`, the arguments, and where it is called."""


class ScriptObject(HostObject):
    """An object that the program can also write to, and that may have a text or a number of its own."""

    is_function: ClassVar[bool] = False

    def set(self, name: str, value: Value, place: Place) -> None:
        """`object.name = value`; without effect where nothing can read it back."""

    def own(self) -> dict[str, Value]:
        """The properties that `Object.keys`, spread and JSON see."""
        return {}

    def text(self) -> Value:
        """What `String(object)` gives, None when that is not known."""
        return None

    def primitive(self) -> Value:
        """What operators see, None for the same as `text`."""
        return None


class Accessor(HostObject):
    """A property with a getter or a setter; it stands in an object in the place of a value."""

    def __init__(self, getter: HostObject | None = None, setter: HostObject | None = None) -> None:
        self.getter = getter
        self.setter = setter


class Native(ScriptObject):
    """A function of JavaScript's library, with its members (`Object.keys`) and, for classes, what `new` does."""

    is_function: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        run: Run | None = None,
        members: Mapping[str, Value] | None = None,
        construct: Run | None = None,
    ) -> None:
        self.name = name
        self.run = run
        self.members: dict[str, Value] = dict(members or {})
        self.construct = construct

    def get(self, name: str, place: Place) -> Value:
        if name in self.members:
            return self.members[name]
        if name == "name":
            return self.name
        if name == "prototype":
            return Unknown(f"{self.name}.prototype is not interpreted", place)
        return function_member(self, name, place)

    def set(self, name: str, value: Value, place: Place) -> None:
        self.members[name] = value

    def call(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.call_with_this(UNDEFINED, list(arguments), place)

    def call_with_this(self, this: Value, arguments: list[Value], place: Place) -> Value:
        if self.run is None:
            return Unknown(f"{self.name} is called without new", place)
        return self.run(this, arguments, place)

    def text(self) -> Value:
        return f"function {self.name}() {{ [native code] }}"


class Library(ScriptObject):
    """A namespace of the library: Math, JSON, console, a module of Node."""

    def __init__(self, name: str, members: Mapping[str, Value], *, lenient: bool = False) -> None:
        self.name = name
        self.members = dict(members)
        self.lenient = lenient

    def get(self, name: str, place: Place) -> Value:
        if name in self.members:
            return self.members[name]
        if self.lenient:
            return Native(name, lambda this, arguments, place: UNDEFINED)
        return Unknown(f"{self.name}.{name} is not interpreted", place)

    def set(self, name: str, value: Value, place: Place) -> None:
        self.members[name] = value

    def own(self) -> dict[str, Value]:
        return self.members

    def text(self) -> Value:
        return f"[object {self.name}]"


class Instance(ScriptObject):
    """An object of a class of the program. `owner` finds what is not a field of its own."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.fields: dict[str, Any] = {}
        self.is_error = False
        self.open = False
        """Whether it inherits from something that is not known, so that it may have any property."""

    def get(self, name: str, place: Place) -> Value:
        result: Value = self.owner.read(self, name, place)
        return result

    def set(self, name: str, value: Value, place: Place) -> None:
        self.owner.write(self, name, value, place)

    def own(self) -> dict[str, Value]:
        return self.fields

    def text(self) -> Value:
        method = self.get("toString", Place(""))
        if isinstance(method, HostObject) and hasattr(method, "call_with_this"):
            result: Value = method.call_with_this(self, [], Place(""))
            return result
        if self.is_error:
            return f"{self.fields.get('name', 'Error')}: {self.fields.get('message', '')}"
        return "[object Object]"


def function_member(function: HostObject, name: str, place: Place) -> Value:
    """`call`, `apply` and `bind` of any function of ours."""

    def run(this: Value, arguments: list[Value], place: Place) -> Value:
        with_this = getattr(function, "call_with_this", None)
        if with_this is None:
            return function.call(arguments, place)
        result: Value = with_this(this, arguments, place)
        return result

    if name == "call":
        return Native("call", lambda _, arguments, at: run(first(arguments), arguments[1:], at))
    if name == "apply":

        def apply(_: Value, arguments: list[Value], at: Place) -> Value:
            passed = arguments[1] if len(arguments) > 1 else []
            if isinstance(passed, Unknown):
                return passed
            return run(first(arguments), list(passed) if isinstance(passed, list) else [], at)

        return Native("apply", apply)
    if name == "bind":

        def bind(_: Value, bound: list[Value], at: Place) -> Value:
            return Native("bound", lambda _, rest, where: run(first(bound), [*bound[1:], *rest], where))

        return Native("bind", bind)
    if name == "toString":
        return Native("toString", lambda _, arguments, at: Unknown("the text of a function", at))
    return UNDEFINED


def first(arguments: Sequence[Value]) -> Value:
    return arguments[0] if arguments else UNDEFINED


def argument(arguments: Sequence[Value], index: int) -> Value:
    """The argument at `index`, undefined when it was not passed."""
    return arguments[index] if index < len(arguments) else UNDEFINED


def error(message: str, name: str = "Error") -> dict[str, Any]:
    """An error object, in the form that Knex's errors have too."""
    return {"name": name, "message": message}


def type_error(message: str) -> dict[str, Any]:
    return error(message, "TypeError")
