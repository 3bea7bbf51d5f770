"""`JSON`."""

from __future__ import annotations

import json
from typing import Any

from remediate.evaluate.builtins.dates import Moment
from remediate.evaluate.conversions import call_method, number, to_text
from remediate.evaluate.knex.javascript import UnresolvableError, number_text
from remediate.evaluate.machine import Machine, throw
from remediate.evaluate.objects import Library, Native, argument, first
from remediate.evaluate.properties import own_properties
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

_MOST_NESTED = 200


def json_library(machine: Machine) -> Library:
    """`JSON.parse` and `JSON.stringify`."""

    def parse(this: Value, arguments: list[Value], place: Place) -> Value:
        text = to_text(first(arguments))
        machine.spend(len(text) // 10, place)
        if argument(arguments, 1) is not UNDEFINED:
            return Unknown("JSON.parse with a reviver", place)
        return parse_json(text)

    def stringify(this: Value, arguments: list[Value], place: Place) -> Value:
        space, chosen = argument(arguments, 2), argument(arguments, 1)
        if isinstance(chosen, HostObject):
            return Unknown("JSON.stringify with a replacer", place)
        names = [to_text(name) for name in chosen] if isinstance(chosen, list) else None
        indent = " " * min(space, 10) if isinstance(space, int) else space[:10] if isinstance(space, str) else ""
        text = _Writer(machine, indent, names, place).write(first(arguments), "")
        return UNDEFINED if text is None else text

    return Library("JSON", {"parse": Native("parse", parse), "stringify": Native("stringify", stringify)})


def parse_json(text: str) -> Value:
    """The value of a JSON text. Raises the SyntaxError that JavaScript throws."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    def convert(text: str) -> int | float:
        return number(float(text))

    try:
        result: Value = json.loads(text, parse_constant=refuse, parse_int=convert, parse_float=convert)
    except (ValueError, RecursionError):
        raise throw("SyntaxError", "Unexpected token in JSON") from None
    return result


class _Writer:
    def __init__(self, machine: Machine, indent: str, names: list[str] | None, place: Place) -> None:
        self.machine = machine
        self.indent = indent
        self.names = names
        self.place = place
        self.depth = 0

    def write(self, value: Value, before: str) -> str | None:
        """The text of a value; None where JSON leaves it out."""
        self.machine.spend(1, self.place)
        if isinstance(value, Unknown):
            raise UnresolvableError(value)
        if isinstance(value, bool) or value is None:
            return {True: "true", False: "false", None: "null"}[value]
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\x7f")
        if isinstance(value, int | float):
            return number_text(value) if value == value and abs(value) != float("inf") else "null"
        if value is UNDEFINED:
            return None
        if isinstance(value, Moment):
            return json.dumps(value.iso)
        if isinstance(value, HostObject) and getattr(value, "is_function", True):
            return None
        self.depth += 1
        if self.depth > _MOST_NESTED:
            raise throw("TypeError", "Converting circular structure to JSON")
        text = self._nested(value, before)
        self.depth -= 1
        return text

    def _nested(self, value: Value, before: str) -> str | None:
        inner = before + self.indent
        if isinstance(value, list):
            items = [self.write(item, inner) or "null" for item in value]
            return self._joined("[", items, "]", before, inner)
        if isinstance(value, dict) and isinstance(value.get("toJSON"), HostObject):
            return self.write(call_method(value["toJSON"], value, [], self.place), before)
        found = own_properties(self.machine, value, self.place)
        if isinstance(found, Unknown):
            raise UnresolvableError(found)
        colon = ": " if self.indent else ":"
        parts = []
        for key, item in found.items():
            text = self.write(item, inner) if self.names is None or key in self.names else None
            if text is not None:
                parts.append(json.dumps(key, ensure_ascii=False) + colon + text)
        return self._joined("{", parts, "}", before, inner)

    def _joined(self, opening: str, parts: list[str], closing: str, before: str, inner: str) -> str:
        self.machine.check_text(sum(map(len, parts)), self.place)
        if not parts or not self.indent:
            return opening + ",".join(parts) + closing
        separator = ",\n" + inner
        return f"{opening}\n{inner}{separator.join(parts)}\n{before}{closing}"
