"""The variables of a running PL/pgSQL block: nested scopes, records, parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from remediate.evaluate.values import Unknown
from remediate.replay.questions.values import Record, Value
from remediate.replay.refused import Refused


@dataclass(slots=True)
class Variable:
    """`fresh` is the value on a fresh database, where `value` itself depends on the rows of tables."""

    type: str
    value: Value = None
    fresh: Value = None
    constant: bool = False
    not_null: bool = False
    parts: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    """Of a bound cursor: the names and types of what it is opened with."""

    def set(self, value: Value, fresh: Value) -> None:
        self.value, self.fresh = value, fresh


@dataclass(slots=True)
class Frame:
    """The names of one block; `label` qualifies them."""

    label: str | None
    names: dict[str, Variable] = field(default_factory=dict)


class Frames:
    """All names in scope, the innermost block's first. `fresh` selects which values a question sees."""

    def __init__(self, parameters: Sequence[Variable] = ()) -> None:
        self.stack: list[Frame] = []
        self.parameters = list(parameters)
        self.fresh = False

    def find(self, name: str) -> Variable | None:
        for frame in reversed(self.stack):
            if name in frame.names:
                return frame.names[name]
        return None

    def find_path(self, path: tuple[str, ...]) -> tuple[Variable, str | None] | None:
        """The variable of `name`, `label.name`, `record.field` or `label.record.field`, and the field."""
        if len(path) == 1:
            found = self.find(path[0])
            return (found, None) if found else None
        for frame in reversed(self.stack):
            if frame.label == path[0] and path[1] in frame.names:
                return frame.names[path[1]], path[2] if len(path) > 2 else None
            if path[0] in frame.names and len(path) == 2:
                return frame.names[path[0]], path[1]
        return None

    def _value(self, variable: Variable) -> Value:
        return variable.fresh if self.fresh else variable.value

    # What `Session.variables` asks.

    def lookup(self, name: str) -> tuple[str, Value] | None:
        found = self.find(name)
        return None if found is None else (found.type, self._value(found))

    def lookup_qualified(self, first: str, name: str) -> tuple[str, Value] | None:
        found = self.find_path((first, name))
        if found is None:
            return None
        variable, part = found
        value = self._value(variable)
        return (variable.type, value) if part is None else field_of(first, value, part)

    def parameter(self, number: int) -> tuple[str, Value] | None:
        if not 1 <= number <= len(self.parameters):
            return None
        found = self.parameters[number - 1]
        return found.type, self._value(found)


def field_of(name: str, value: Value, part: str) -> tuple[str, Value]:
    """The type and value of a record's field."""
    if isinstance(value, Unknown):
        return "text", value
    if value is None:
        raise Refused("55000", f'record "{name}" is not assigned yet')
    if not isinstance(value, Record):
        return "text", Unknown(f"the field {part} of {name}")
    if part not in value.names:
        raise Refused("42703", f'record "{name}" has no field "{part}"')
    index = value.names.index(part)
    return value.types[index], value.values[index]
