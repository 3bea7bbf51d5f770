"""The syntax of a module after lowering: what a program does, without TypeScript's types and sugar.

Every node carries the byte offsets it stands at; `SourceFile` turns them into places when one is needed. The nodes
are plain data that pickles, so a lowered module can be cached by the content of its file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

from remediate.evaluate.values import Value
from remediate.source.place import Place

_LINE_END = re.compile(rb"\n")


class SourceFile:
    """One file's path and bytes, and the places in it."""

    __slots__ = ("_lines", "_places", "data", "path")

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._lines: list[int] | None = None
        self._places: dict[tuple[int, int], Place] = {}

    def place(self, start: int, end: int) -> Place:
        """The place of a span of bytes."""
        known = self._places.get((start, end))
        if known is None:
            if self._lines is None:
                self._lines = [0, *(match.end() for match in _LINE_END.finditer(self.data))]
            line = bisect_right(self._lines, start)
            column = len(self.data[self._lines[line - 1] : start].decode("utf-8", "replace")) + 1
            known = self._places[start, end] = Place(self.path, line, column, start, end)
        return known

    def text(self, start: int, end: int) -> str:
        return self.data[start:end].decode("utf-8", "replace")


@dataclass(slots=True, eq=False)
class Node:
    """Anything that stands in a file. `start` and `end` are byte offsets, `end` exclusive."""

    start: int
    end: int


# --- expressions


@dataclass(slots=True, eq=False)
class Constant(Node):
    value: Value


@dataclass(slots=True, eq=False)
class Text(Node):
    """A string literal whose content stands in the file as it is; its content's offsets are for provenance."""

    value: str
    content_start: int
    content_end: int


@dataclass(slots=True, eq=False)
class Template(Node):
    """`texts` is one longer than `values`. `raws` is kept for tagged templates."""

    texts: tuple[str, ...]
    values: tuple[Node, ...]
    raws: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Tagged(Node):
    tag: Node
    template: Template


@dataclass(slots=True, eq=False)
class Regex(Node):
    pattern: str
    flags: str


@dataclass(slots=True, eq=False)
class Name(Node):
    """A variable; also `this`, `super`, `arguments`, which scopes hold under those names."""

    name: str


@dataclass(slots=True, eq=False)
class Spread(Node):
    value: Node


@dataclass(slots=True, eq=False)
class Array(Node):
    """`None` is a hole."""

    items: tuple[Node | None, ...]


@dataclass(slots=True, eq=False)
class Property(Node):
    """One entry of an object literal. `key` is a str or, computed, an expression; for a spread it is ""."""

    kind: Literal["value", "get", "set", "spread"]
    key: str | Node
    value: Node


@dataclass(slots=True, eq=False)
class ObjectLiteral(Node):
    properties: tuple[Property, ...]


@dataclass(slots=True, eq=False)
class Parameter(Node):
    """`declared` is the text of its type, if it has one; `field` is true for a parameter property of a constructor."""

    target: Target
    default: Node | None
    rest: bool
    declared: str
    field: bool = False


@dataclass(slots=True, eq=False)
class Function(Node):
    """`variables` are the names that `var` declares anywhere in it; `depth` how deeply its syntax is nested."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Node
    arrow: bool
    asynchronous: bool
    generator: bool
    variables: tuple[str, ...]
    depth: int
    simple: bool = False
    """Whether every parameter is a plain name without default."""


@dataclass(slots=True, eq=False)
class Member(Node):
    object: Node
    name: str
    optional: bool
    name_start: int


@dataclass(slots=True, eq=False)
class Element(Node):
    """`object[index]`."""

    object: Node
    index: Node
    optional: bool


@dataclass(slots=True, eq=False)
class Call(Node):
    function: Node
    arguments: tuple[Node, ...]
    optional: bool
    spread: bool


@dataclass(slots=True, eq=False)
class Chain(Node):
    """Around an optional chain: where `?.` found nothing, the whole chain is undefined."""

    value: Node


@dataclass(slots=True, eq=False)
class New(Node):
    function: Node
    arguments: tuple[Node, ...]
    spread: bool


@dataclass(slots=True, eq=False)
class Unary(Node):
    operator: str
    value: Node


@dataclass(slots=True, eq=False)
class Update(Node):
    """`++` and `--`; `step` is 1 or -1."""

    target: Node
    step: int
    prefix: bool


@dataclass(slots=True, eq=False)
class Binary(Node):
    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Logical(Node):
    """`&&`, `||`, `??`."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Conditional(Node):
    test: Node
    then: Node
    otherwise: Node


@dataclass(slots=True, eq=False)
class Assign(Node):
    """`operator` is "" for `=`, else the operator before the `=`."""

    operator: str
    target: Target
    value: Node


@dataclass(slots=True, eq=False)
class Sequence(Node):
    values: tuple[Node, ...]


@dataclass(slots=True, eq=False)
class Await(Node):
    value: Node


@dataclass(slots=True, eq=False)
class Yield(Node):
    value: Node | None
    delegate: bool


@dataclass(slots=True, eq=False)
class DynamicImport(Node):
    value: Node


@dataclass(slots=True, eq=False)
class ClassMember(Node):
    kind: Literal["method", "get", "set", "field", "block"]
    key: str | Node
    static: bool
    value: Node | None


@dataclass(slots=True, eq=False)
class ClassLiteral(Node):
    name: str
    parent: Node | None
    members: tuple[ClassMember, ...]


@dataclass(slots=True, eq=False)
class Unsupported(Node):
    """Syntax that is not interpreted; reaching it gives an unknown value."""

    reason: str


# --- targets of assignments and declarations


@dataclass(slots=True, eq=False)
class TargetPart(Node):
    """One part of a destructuring. `key` is used in objects only; `rest` takes what is left."""

    key: str | Node
    target: Target
    default: Node | None
    rest: bool


@dataclass(slots=True, eq=False)
class ObjectTarget(Node):
    parts: tuple[TargetPart, ...]


@dataclass(slots=True, eq=False)
class ArrayTarget(Node):
    parts: tuple[TargetPart | None, ...]


Target: TypeAlias = "Name | Member | Element | ObjectTarget | ArrayTarget | Unsupported"


# --- statements


@dataclass(slots=True, eq=False)
class Declaration(Node):
    """`const`, `let`, `var`. A declarator without initial value has None."""

    kind: Literal["const", "let", "var"]
    declarators: tuple[tuple[Target, Node | None], ...]


@dataclass(slots=True, eq=False)
class FunctionDeclaration(Node):
    function: Function


@dataclass(slots=True, eq=False)
class ClassDeclaration(Node):
    name: str
    value: Node


@dataclass(slots=True, eq=False)
class Enum(Node):
    """`members` are a name and its initial value, if written."""

    name: str
    members: tuple[tuple[str, Node | None], ...]


@dataclass(slots=True, eq=False)
class Namespace(Node):
    name: str
    body: Block


@dataclass(slots=True, eq=False)
class Expression(Node):
    value: Node


@dataclass(slots=True, eq=False)
class Block(Node):
    """`functions` are hoisted to its start. `scoped` is false when it declares nothing of its own."""

    body: tuple[Node, ...]
    functions: tuple[FunctionDeclaration, ...]
    scoped: bool


@dataclass(slots=True, eq=False)
class If(Node):
    test: Node
    then: Node
    otherwise: Node | None


@dataclass(slots=True, eq=False)
class For(Node):
    first: Node | None
    test: Node | None
    step: Node | None
    body: Node


@dataclass(slots=True, eq=False)
class ForEach(Node):
    """`for … of` and, with `keys`, `for … in`. `kind` is "" when it assigns to something that is declared already."""

    kind: Literal["", "const", "let", "var"]
    target: Target
    iterable: Node
    body: Node
    keys: bool
    asynchronous: bool


@dataclass(slots=True, eq=False)
class While(Node):
    """`do … while` when `once`."""

    test: Node
    body: Node
    once: bool


@dataclass(slots=True, eq=False)
class Return(Node):
    value: Node | None


@dataclass(slots=True, eq=False)
class Throw(Node):
    value: Node


@dataclass(slots=True, eq=False)
class Jump(Node):
    """`break` and `continue`; `label` is "" for the innermost."""

    kind: Literal["break", "continue"]
    label: str


@dataclass(slots=True, eq=False)
class Labelled(Node):
    label: str
    body: Node


@dataclass(slots=True, eq=False)
class Try(Node):
    body: Block
    parameter: Target | None
    handler: Block | None
    finalizer: Block | None


@dataclass(slots=True, eq=False)
class Switch(Node):
    """A case without test is `default`. `functions` are hoisted."""

    value: Node
    cases: tuple[tuple[Node | None, tuple[Node, ...]], ...]


@dataclass(slots=True, eq=False)
class Import(Node):
    """`names` are (exported, local); "default" and "*" stand for the default export and the whole namespace."""

    source: str
    names: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class Export(Node):
    """Exported names of this module: (local, exported)."""

    names: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class ExportFrom(Node):
    """(name there, name here); ("*", "*") for `export *`, ("*", name) for `export * as name`."""

    source: str
    names: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class ExportValue(Node):
    """`export default …`, and with `whole` `export = …`."""

    value: Node
    whole: bool


@dataclass(slots=True, eq=False)
class Module:
    """One lowered file. `imports` are hoisted; `body` holds everything else in order."""

    body: Block
    imports: tuple[Import, ...]
    variables: tuple[str, ...]
    depth: int
    modern: bool = field(default=False)
    """Whether it has import or export declarations (ES modules)."""


def walk(node: object) -> Iterator[Node]:
    """The node and every node below it, in no particular order. For the rare questions about a piece of syntax."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple):
            waiting.extend(item)
        elif isinstance(item, Node):
            yield item
            names = _FIELDS.get(item.__class__.__name__)
            if names is None:
                names = tuple(entry.name for entry in fields(item) if entry.name not in ("start", "end"))
                _FIELDS[item.__class__.__name__] = names
            waiting.extend([getattr(item, name) for name in names])


_FIELDS: dict[str, tuple[str, ...]] = {}
"""The fields of each kind of node that may hold nodes, once it was walked through."""
