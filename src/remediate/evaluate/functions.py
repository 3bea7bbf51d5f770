"""Functions and classes of the program: what a closure keeps, and what happens when it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from remediate.evaluate import ast
from remediate.evaluate.conversions import property_key
from remediate.evaluate.knex.session import Settled, ThrownError, settle
from remediate.evaluate.machine import EVALUATE, EXECUTE, Machine, Scope, evaluates, throw
from remediate.evaluate.objects import Accessor, ScriptObject, function_member
from remediate.evaluate.patterns import declare, default_value
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place


class Closure(ScriptObject):
    """A function of the program with the scope that it was made in."""

    is_function: ClassVar[bool] = True

    def __init__(self, machine: Machine, node: ast.Function, scope: Scope) -> None:
        self.machine = machine
        self.node = node
        self.scope = scope
        self.file = machine.file
        self.home: ClassValue | None = None
        self.name = node.name
        self.members: dict[str, Any] = {}

    def get(self, name: str, place: Place) -> Value:
        if name in self.members:
            result: Value = self.members[name]
            return result
        if name == "name":
            return self.name
        if name == "length":
            return sum(1 for parameter in self.node.parameters if parameter.default is None and not parameter.rest)
        if name == "prototype" and not self.node.arrow:
            return self.members.setdefault("prototype", {})  # type: ignore[no-any-return]
        return function_member(self, name, place)

    def set(self, name: str, value: Value, place: Place) -> None:
        self.members[name] = value

    def own(self) -> dict[str, Value]:
        return self.members

    def text(self) -> Value:
        return self.file.text(self.node.start, self.node.end)

    def call(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.call_with_this(UNDEFINED, list(arguments), place)

    def call_with_this(self, this: Value, arguments: list[Value], place: Place) -> Value:
        """Runs the body; an async function runs at once and gives a promise that is settled already."""
        machine, node = self.machine, self.node
        machine.enter(node.depth, place)
        file, conditional, yielded = machine.file, machine.conditional, machine.yielded
        machine.file = self.file
        try:
            scope = Scope({}, self.scope)
            if not node.arrow:
                scope.variables["this"] = this
                scope.variables["arguments"] = arguments
            if not node.asynchronous:
                if node.generator:
                    machine.yielded = []
                    self._run(scope, arguments)
                    return machine.yielded
                return self._run(scope, arguments)
            try:
                if node.generator:
                    machine.yielded = []
                    self._run(scope, arguments)
                    return machine.yielded
                return Settled(settle(self._run(scope, arguments)))
            except ThrownError as failure:
                return Settled(error=failure)
        finally:
            machine.leave(node.depth)
            machine.file = file
            machine.conditional = conditional
            machine.yielded = yielded

    def _run(self, scope: Scope, arguments: list[Value]) -> Value:
        machine, node = self.machine, self.node
        variables = scope.variables
        for name in node.variables:
            variables[name] = UNDEFINED
        if node.simple:
            for index, parameter in enumerate(node.parameters):
                variables[parameter.target.name] = (  # type: ignore[union-attr]
                    arguments[index] if index < len(arguments) else UNDEFINED
                )
        else:
            self._bind(scope, arguments)
        body = node.body
        if body.__class__ is not ast.Block:
            return EVALUATE[body.__class__](machine, body, scope)
        if EXECUTE[ast.Block](machine, body, scope) == "return":
            value, machine.returned = machine.returned, UNDEFINED
            return value
        return UNDEFINED

    def _bind(self, scope: Scope, arguments: list[Value]) -> None:
        machine = self.machine
        for index, parameter in enumerate(self.node.parameters):
            if parameter.rest:
                declare(machine, parameter.target, list(arguments[index:]), scope)
                continue
            value = arguments[index] if index < len(arguments) else UNDEFINED
            declare(machine, parameter.target, default_value(machine, parameter.default, value, scope), scope)


class ClassValue(ScriptObject):
    """A class of the program. Its methods are found through `parent`, which may be something that is not known."""

    is_function: ClassVar[bool] = True

    def __init__(self, machine: Machine, node: ast.ClassLiteral, parent: Value) -> None:
        self.machine = machine
        self.node = node
        self.name = node.name
        self.parent = parent
        self.methods: dict[str, Any] = {}
        self.statics: dict[str, Any] = {}
        self.fields: list[tuple[str, ast.Node | None]] = []
        self.constructor: Closure | None = None
        self.scope = Scope({}, None)
        self.file = machine.file

    def is_parent_of(self, instance: Any) -> bool:
        owner: Value = instance.owner
        while isinstance(owner, ClassValue):
            if owner is self:
                return True
            owner = owner.parent
        return False

    def lineage(self) -> list[ClassValue]:
        """This class and those above it, as far as they are of the program."""
        result: list[ClassValue] = []
        owner: Value = self
        while isinstance(owner, ClassValue) and owner not in result:
            result.append(owner)
            owner = owner.parent
        return result

    def get(self, name: str, place: Place) -> Value:
        for owner in self.lineage():
            if name in owner.statics:
                return _accessed(owner.statics[name], self, place)
        if name == "name":
            return self.name
        if name == "prototype":
            return Unknown("a prototype is not interpreted", place)
        above = self.lineage()[-1].parent
        member = function_member(self, name, place)
        if member is not UNDEFINED or above is None or isinstance(above, ClassValue):
            return member
        if isinstance(above, HostObject):
            return above.get(name, place)
        return Unknown(f".{name} of {self.name}, which inherits from something that is not known", place)

    def set(self, name: str, value: Value, place: Place) -> None:
        self.statics[name] = value

    def own(self) -> dict[str, Value]:
        return self.statics

    def find(self, name: str) -> Any:
        for owner in self.lineage():
            if name in owner.methods:
                return owner.methods[name]
        return None

    def read(self, instance: Any, name: str, place: Place) -> Value:
        """A property of an instance: its own, or a method."""
        if name in instance.fields:
            return _accessed(instance.fields[name], instance, place)
        found = self.find(name)
        if found is not None:
            return _accessed(found, instance, place)
        if name == "constructor":
            return self
        if instance.open:
            return Unknown(f".{name} of a {self.name}, which inherits from something that is not known", place)
        return UNDEFINED

    def write(self, instance: Any, name: str, value: Value, place: Place) -> None:
        found = self.find(name)
        if isinstance(found, Accessor):
            if found.setter is not None:
                _call(found.setter, instance, [value], place)
        else:
            instance.fields[name] = value

    def call(self, arguments: Sequence[Value], place: Place) -> Value:
        raise throw("TypeError", f"Class constructor {self.name} cannot be invoked without 'new'")

    def initialise(self, instance: Any, arguments: list[Value], place: Place) -> Value:
        """What `new` does after the object is there: fields, constructor, those of the parent first."""
        if self.constructor is None:
            self.initialise_parent(instance, arguments, place)
            self.set_fields(instance)
            return UNDEFINED
        if self.parent is None:
            self.set_fields(instance)
        return self.constructor.call_with_this(instance, arguments, place)

    def initialise_parent(self, instance: Any, arguments: list[Value], place: Place) -> None:
        if isinstance(self.parent, ClassValue):
            self.parent.initialise(instance, arguments, place)
        elif self.parent is not None:
            name = getattr(self.parent, "name", "")
            instance.open = True
            if name.endswith("Error"):
                instance.is_error = True
                instance.open = False
                instance.fields.setdefault("name", "Error")
                instance.fields["message"] = arguments[0] if arguments else ""
                instance.fields["stack"] = Unknown("a stack trace", place)

    def set_fields(self, instance: Any) -> None:
        machine = self.machine
        file, machine.file = machine.file, self.file
        scope = Scope({"this": instance}, self.scope)
        for name, value in self.fields:
            instance.fields[name] = UNDEFINED if value is None else EVALUATE[value.__class__](machine, value, scope)
        machine.file = file
        if self.constructor is not None:
            return

    def text(self) -> Value:
        return self.file.text(self.node.start, self.node.end)


def _accessed(value: Any, this: Value, place: Place) -> Value:
    if isinstance(value, Accessor):
        return _call(value.getter, this, [], place) if value.getter is not None else UNDEFINED
    result: Value = value
    return result


def _call(function: Any, this: Value, arguments: list[Value], place: Place) -> Value:
    result: Value = function.call_with_this(this, arguments, place)
    return result


@evaluates(ast.Function)
def _function(machine: Machine, node: ast.Function, scope: Scope) -> Value:
    closure = Closure(machine, node, scope)
    if node.name and not node.arrow:
        own = Scope({node.name: closure}, scope)
        closure.scope = own
    return closure


@evaluates(ast.ClassLiteral)
def class_value(machine: Machine, node: ast.ClassLiteral, scope: Scope) -> Value:
    parent = None if node.parent is None else EVALUATE[node.parent.__class__](machine, node.parent, scope)
    made = ClassValue(machine, node, parent)
    inner = Scope({node.name: made} if node.name else {}, scope)
    made.scope = inner
    static = Scope({"this": made}, inner)
    later: list[ast.ClassMember] = []
    for member in node.members:
        if member.kind in ("field", "block"):
            later.append(member)
        else:
            _add_method(machine, made, member, inner)
    for member in later:
        if member.kind == "block":
            assert member.value is not None
            EXECUTE[ast.Block](machine, member.value, static)
            continue
        name = _key(machine, member.key, inner)
        if member.static:
            made.statics[name] = (
                UNDEFINED if member.value is None else EVALUATE[member.value.__class__](machine, member.value, static)
            )
        else:
            made.fields.append((name, member.value))
    return made


def _add_method(machine: Machine, made: ClassValue, member: ast.ClassMember, scope: Scope) -> None:
    assert isinstance(member.value, ast.Function)
    closure = Closure(machine, member.value, scope)
    closure.home = made
    closure.scope = Scope({"[[home]]": made, "[[static]]": member.static}, scope)
    name = _key(machine, member.key, scope)
    table = made.statics if member.static else made.methods
    if member.kind == "method":
        if name == "constructor" and not member.static:
            made.constructor = closure
            _add_parameter_fields(closure)
        else:
            table[name] = closure
        return
    accessor = table.get(name)
    if not isinstance(accessor, Accessor):
        accessor = table[name] = Accessor()
    if member.kind == "get":
        accessor.getter = closure
    else:
        accessor.setter = closure


def _add_parameter_fields(closure: Closure) -> None:
    """`constructor(private readonly name: string)` is a field as well: written as assignments before the body."""
    node = closure.node
    added: list[ast.Node] = []
    for parameter in node.parameters:
        if parameter.field and isinstance(parameter.target, ast.Name):
            at = (parameter.start, parameter.end)
            target = ast.Member(*at, ast.Name(*at, "this"), parameter.target.name, False, parameter.start)
            added.append(ast.Expression(*at, ast.Assign(*at, "", target, ast.Name(*at, parameter.target.name))))
    if added and isinstance(node.body, ast.Block):
        body = ast.Block(
            node.body.start, node.body.end, (*added, *node.body.body), node.body.functions, node.body.scoped
        )
        closure.node = ast.Function(
            node.start, node.end, node.name, node.parameters, body, node.arrow, node.asynchronous, node.generator,
            node.variables, node.depth, node.simple,
        )  # fmt: skip


def _key(machine: Machine, key: str | ast.Node, scope: Scope) -> str:
    if isinstance(key, str):
        return key
    return property_key(EVALUATE[key.__class__](machine, key, scope))
