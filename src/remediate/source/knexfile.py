"""Knexfiles, read without running them: where the migrations are, and which database they go to.

Follows constants, spreads, `process.env`, `path.join(__dirname, …)` and relative imports as far as they are literal;
everything else is not known, and nothing is guessed from it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from tree_sitter import Node

from remediate.source.syntax import descendants, parse, string_value, text_of

NAME = re.compile(
    r"knexfile(?:[-.](?!(?:[\w.-]+\.)?d\.[cm]?ts$)[\w.-]+)?\.(?:ts|js|cjs|mjs|mts|cts)|knex[-.]config\.(?:ts|js|cjs|mjs)"
)
Read: TypeAlias = Callable[[PurePosixPath], bytes | None]

# Constants that refer to each other in circles, or double with each step, end here.
_DEPTH = 40
_STEPS = 20_000
_CONFIG_KEYS = frozenset({"client", "connection", "migrations"})


# Options that change the names or the schema that SQL means, and that evaluation does not follow: a search path that
# is no literal among them.
_UNFOLLOWED = re.compile(r"\b(wrapIdentifier|knexSnakeCaseMappers|knexIdentifierMapping|searchPath)\b")


def unfollowed(text: str) -> list[tuple[int, str]]:
    """The lines of a knexfile (comments taken out) with options that may not be followed, and which they are."""
    return [(text.count("\n", 0, match.start()) + 1, match[1]) for match in _UNFOLLOWED.finditer(text)]


@dataclass(frozen=True, slots=True)
class SchemaName:
    """A schema of a search path: the environment variables that may name it, in their order, and the name otherwise."""

    variables: tuple[str, ...]
    literal: str | None


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of a knexfile. `directories` as written, `None` where it names none (Knex: `./migrations`).

    `databases` are the literal names of the database, defaults of `||` included; `variables` the environment
    variables that decide about it. `search_path` is empty where it has none.
    """

    name: str
    directories: tuple[str, ...] | None
    extensions: tuple[str, ...] = ()
    table_name: str | None = None
    schema_name: str | None = None
    databases: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    sort_directories_separately: bool = False
    search_path: tuple[SchemaName, ...] = ()


@dataclass(frozen=True, slots=True)
class Knexfile:
    """`file` relative to the workspace; no environments if nothing of it could be read."""

    file: str
    environments: tuple[Environment, ...]

    @property
    def folder(self) -> str:
        """The folder that its directories are relative to, "" for the root."""
        return posixpath.dirname(self.file)

    @property
    def main(self) -> Environment | None:
        """The environment that describes production best."""
        order = {name: rank for rank, name in enumerate(("production", "prod", "staging", "", "development", "dev"))}
        return min(self.environments, key=lambda env: order.get(env.name, len(order)), default=None)


@dataclass(frozen=True, slots=True)
class _Variable:
    """`process.env.NAME`."""

    name: str


@dataclass(frozen=True, slots=True)
class _Choice:
    """One of several values, as `a || b` and `c ? a : b` give."""

    values: tuple[Any, ...]


class _Here:
    """`__dirname` and `import.meta.url`."""


_HERE = _Here()
_UNKNOWN = object()


def read_knexfile(file: PurePosixPath, read: Read) -> Knexfile:
    """The environments of a knexfile. Never raises; what is not literal is left out."""
    reader = _Reader(file, read, {})
    return Knexfile(file.as_posix(), tuple(_environments(reader.exported())))


def _environments(value: Any) -> Iterator[Environment]:
    value = _first(value)
    if not isinstance(value, dict):
        return
    if _CONFIG_KEYS & value.keys():
        yield _environment("", value)
        return
    for name, inner in value.items():
        config = _first(inner)
        if isinstance(config, dict) and _CONFIG_KEYS & config.keys():
            yield _environment(name, config)


def _environment(name: str, config: Mapping[str, Any]) -> Environment:
    migrations = _first(config.get("migrations"))
    migrations = migrations if isinstance(migrations, dict) else {}
    databases, variables = _connection(config.get("connection"))
    extensions = _strings(migrations.get("loadExtensions"))
    directories = tuple(_strings(migrations.get("directory"))) if "directory" in migrations else None
    table_name = _first(migrations.get("tableName"))
    schema_name = _first(migrations.get("schemaName"))
    return Environment(
        name=name,
        directories=directories,
        extensions=tuple(extension if extension.startswith(".") else f".{extension}" for extension in extensions),
        table_name=table_name if isinstance(table_name, str) else None,
        schema_name=schema_name if isinstance(schema_name, str) else None,
        databases=tuple(dict.fromkeys(databases)),
        variables=tuple(dict.fromkeys(variables)),
        sort_directories_separately=migrations.get("sortDirsSeparately") is True,
        search_path=tuple(_search_path(config.get("searchPath"))),
    )


def _search_path(value: Any) -> Iterator[SchemaName]:
    """A string is one schema, whatever is in it."""
    found = _first(value)
    for inner in found if isinstance(found, list) else [value] if found is not _UNKNOWN else []:
        literals, variables = _names(inner)
        yield SchemaName(tuple(variables), literals[0] if literals else None)


def _connection(value: Any) -> tuple[list[str], list[str]]:
    """The literal names of the database and the environment variables that name it, in order of preference."""
    databases: list[str] = []
    variables: list[str] = []
    for choice in _choices(value):
        if isinstance(choice, dict):
            for key in ("connectionString", "database", "filename"):
                inner = _connection(choice.get(key)) if key != "database" else _names(choice.get(key))
                databases += inner[0]
                variables += inner[1]
        elif isinstance(choice, str):
            found = re.match(r"\w+://[^/]*/([^?#]+)", choice)
            if found:
                databases.append(found.group(1))
        elif isinstance(choice, _Variable):
            variables.append(choice.name)
    return databases, variables


def _names(value: Any) -> tuple[list[str], list[str]]:
    choices = list(_choices(value))
    return (
        [choice for choice in choices if isinstance(choice, str)],
        [choice.name for choice in choices if isinstance(choice, _Variable)],
    )


def _strings(value: Any) -> list[str]:
    found = []
    for choice in _choices(value):
        for inner in choice if isinstance(choice, list) else [choice]:
            found += [text for text in _choices(inner) if isinstance(text, str)]
    return list(dict.fromkeys(found))


def _choices(value: Any) -> Iterator[Any]:
    if isinstance(value, _Choice):
        for inner in value.values:
            yield from _choices(inner)
    else:
        yield value


def _first(value: Any) -> Any:
    """The first alternative that says something."""
    return next((choice for choice in _choices(value) if choice is not _UNKNOWN and choice is not None), _UNKNOWN)


@dataclass(slots=True)
class _Reader:
    """Evaluates literal expressions of one module; `modules` are those read so far, so that circles end."""

    file: PurePosixPath
    read: Read
    modules: dict[str, _Reader]
    constants: dict[str, Node] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    root: Node | None = None
    assigned: list[tuple[str, Node]] = field(default_factory=list)
    steps: list[int] = field(default_factory=lambda: [_STEPS])

    def __post_init__(self) -> None:
        self.modules[self.file.as_posix()] = self
        data = self.read(self.file)
        if data is None:
            return
        self.root = parse(self.file.name, data).root_node
        for node in self.root.named_children:
            self._statement(node)

    def exported(self, name: str = "default", depth: int = 0) -> Any:
        """The value of an export; "default" also means what `module.exports` was assigned."""
        members: dict[str, Any] = {}
        for target, node in self.assigned:
            if target == name or (target == "*" and name == "default"):
                return self.value(node, depth)
            if target == "*":
                whole = _first(self.value(node, depth))
                if isinstance(whole, dict) and name in whole:
                    return whole[name]
            elif name == "default":
                members[target] = self.value(node, depth)
        return members if members else _UNKNOWN

    def _statement(self, node: Node) -> None:
        if node.type in ("lexical_declaration", "variable_declaration"):
            self._declaration(node, exported=False)
        elif node.type == "import_statement":
            self._import(node)
        elif node.type == "export_statement":
            declaration = node.child_by_field_name("declaration")
            value = node.child_by_field_name("value")
            if value is not None:
                self.assigned.append(("default", value))
            elif declaration is not None and declaration.type == "lexical_declaration":
                self._declaration(declaration, exported=True)
            elif any(child.type == "=" for child in node.children) and node.named_children:
                self.assigned.append(("*", node.named_children[-1]))
            else:
                for specifier in (child for child in descendants(node) if child.type == "export_specifier"):
                    names = specifier.named_children
                    self.assigned.append((text_of(names[-1]), names[0]))
        elif node.type == "expression_statement" and node.named_children:
            self._assignment(node.named_children[0])
        elif node.type in ("try_statement", "statement_block", "if_statement"):
            # `try { config = require('./src/knex') } catch { … }`: the first assignment counts.
            for child in node.named_children:
                self._statement(child)

    def _declaration(self, node: Node, *, exported: bool) -> None:
        for declarator in node.named_children:
            name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
            if name is None or value is None:
                continue
            if name.type == "identifier":
                self.constants.setdefault(text_of(name), value)
                if exported:
                    self.assigned.append((text_of(name), name))

    def _import(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        target = string_value(source) if source is not None else None
        if target is None:
            return
        for child in descendants(node):
            if child.type == "import_specifier":
                names = child.named_children
                self.imports[text_of(names[-1])] = (target, text_of(names[0]))
            elif child.type in ("import_clause", "namespace_import"):
                for name in child.named_children:
                    if name.type == "identifier":
                        self.imports[text_of(name)] = (target, "default")

    def _assignment(self, node: Node) -> None:
        if node.type != "assignment_expression":
            return
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        target = re.sub(r"\s", "", text_of(left))
        if target == "module.exports":
            if right.type == "assignment_expression":
                self._assignment(right)
                right = right.child_by_field_name("right") or right
            self.assigned.append(("*", right))
        elif target.startswith(("module.exports.", "exports.")):
            self.assigned.append((target.rsplit(".", 1)[1], right))
        elif left.type == "identifier":
            self.constants.setdefault(target, right)

    def value(self, node: Node, depth: int) -> Any:
        self.steps[0] -= 1
        if depth > _DEPTH or self.steps[0] < 0:
            return _UNKNOWN
        handler = _HANDLERS.get(node.type)
        return handler(self, node, depth + 1) if handler else _UNKNOWN

    def _string(self, node: Node, depth: int) -> Any:
        literal = string_value(node)
        if literal is not None:
            return literal
        parts: list[str] = []
        for child in node.named_children:
            if child.type != "template_substitution":
                parts.append(text_of(child))
                continue
            inner = _first(self.value(child.named_children[0], depth)) if child.named_children else _UNKNOWN
            if inner is _HERE:
                inner = "."
            if not isinstance(inner, str):
                # The last part of a connection string is what counts; a host in front of it need not be known.
                inner = "…"
            parts.append(inner)
        return "".join(parts) if "…" not in parts[-1:] else _UNKNOWN

    def _array(self, node: Node, depth: int) -> Any:
        return [self.value(child, depth) for child in node.named_children]

    def _object(self, node: Node, depth: int) -> Any:
        result: dict[str, Any] = {}
        for child in node.named_children:
            if child.type == "spread_element":
                inner = _first(self.value(child.named_children[0], depth)) if child.named_children else _UNKNOWN
                if isinstance(inner, dict):
                    result.update(inner)
            elif child.type == "shorthand_property_identifier":
                result[text_of(child)] = self._name(text_of(child), depth)
            elif child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is None or value is None or key.type == "computed_property_name":
                    continue
                result[string_value(key) or text_of(key)] = self.value(value, depth)
        return result

    def _identifier(self, node: Node, depth: int) -> Any:
        return self._name(text_of(node), depth)

    def _name(self, name: str, depth: int) -> Any:
        if name == "__dirname":
            return _HERE
        if name in self.constants:
            return self.value(self.constants[name], depth)
        if name in self.imports:
            target, member = self.imports[name]
            return self._module(target, member, depth)
        return _UNKNOWN

    def _module(self, target: str, member: str, depth: int) -> Any:
        if not target.startswith("."):
            return _UNKNOWN
        base = PurePosixPath(posixpath.normpath((self.file.parent / target).as_posix()))
        names = [base, *(base.with_name(base.name + end) for end in (".ts", ".js", ".cjs", ".mjs"))]
        names += [base / f"index{end}" for end in (".ts", ".js")]
        if base.suffix == ".js":
            names.append(base.with_suffix(".ts"))
        for name in names:
            known = self.modules.get(name.as_posix())
            if known is None and self.read(name) is not None:
                known = _Reader(name, self.read, self.modules, steps=self.steps)
            if known is not None:
                return known.exported(member, depth)
        return _UNKNOWN

    def _member(self, node: Node, depth: int) -> Any:
        text = re.sub(r"\s", "", text_of(node)).replace("?.", ".").replace("!", "")
        variable = re.fullmatch(r"process\.env(?:\.(\w+)|\[['\"](\w+)['\"]\])", text)
        if variable:
            return _Variable(variable.group(1) or variable.group(2))
        if text in ("import.meta.url", "import.meta.dirname"):
            return _HERE
        target, name = node.child_by_field_name("object"), node.child_by_field_name("property")
        if target is None or name is None:
            return _UNKNOWN
        if text_of(target) == "env":
            return _Variable(text_of(name))
        inner = _first(self.value(target, depth))
        return inner.get(text_of(name), _UNKNOWN) if isinstance(inner, dict) else _UNKNOWN

    def _subscript(self, node: Node, depth: int) -> Any:
        index = node.child_by_field_name("index")
        text = text_of(node)
        if text.startswith("process.env[") and index is not None and string_value(index):
            return _Variable(string_value(index) or "")
        return _UNKNOWN

    def _binary(self, node: Node, depth: int) -> Any:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return _UNKNOWN
        first, second = self.value(left, depth), self.value(right, depth)
        if operator.type in ("||", "??", "&&"):
            return _Choice((first, second))
        if operator.type == "+":
            pieces = ["." if piece is _HERE else piece for piece in (_first(first), _first(second))]
            if all(isinstance(piece, str) for piece in pieces):
                return "".join(pieces)
        return _UNKNOWN

    def _ternary(self, node: Node, depth: int) -> Any:
        branches = [node.child_by_field_name(name) for name in ("consequence", "alternative")]
        return _Choice(tuple(self.value(branch, depth) for branch in branches if branch is not None))

    def _inner(self, node: Node, depth: int) -> Any:
        return self.value(node.named_children[0], depth) if node.named_children else _UNKNOWN

    def _call(self, node: Node, depth: int) -> Any:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return _UNKNOWN
        name = re.sub(r"\s", "", text_of(function))
        nodes = [child for child in arguments.named_children if child.type != "comment"]
        if name == "require" and len(nodes) == 1:
            return self._module(string_value(nodes[0]) or "", "default", depth)
        if name in ("String", "fileURLToPath", "defineConfig", "Object.freeze", "dirname", "path.dirname") and nodes:
            return self.value(nodes[0], depth)
        if name in ("path.join", "path.resolve", "join", "resolve"):
            return _joined([self.value(child, depth) for child in nodes], resolving=name.endswith("resolve"))
        if name == "Object.assign":
            merged: dict[str, Any] = {}
            for child in nodes:
                inner = _first(self.value(child, depth))
                merged.update(inner if isinstance(inner, dict) else {})
            return merged
        local = self.constants.get(name)
        if local is not None and local.type == "arrow_function":
            body = local.child_by_field_name("body")
            return self.value(body, depth) if body is not None and body.type != "statement_block" else _UNKNOWN
        return _UNKNOWN


def _joined(parts: Sequence[Any], *, resolving: bool) -> Any:
    """path.join, or path.resolve, which begins anew at an absolute part."""
    known = [_first(part) for part in parts]
    texts = ["." if part is _HERE else part for part in known]
    if not texts or not all(isinstance(text, str) for text in texts):
        return _UNKNOWN
    return posixpath.join(*texts) if resolving else posixpath.normpath("/".join(text for text in texts if text) or ".")


_HANDLERS: Mapping[str, Callable[[_Reader, Node, int], Any]] = {
    "string": _Reader._string,
    "template_string": _Reader._string,
    "array": _Reader._array,
    "object": _Reader._object,
    "identifier": _Reader._identifier,
    "member_expression": _Reader._member,
    "subscript_expression": _Reader._subscript,
    "binary_expression": _Reader._binary,
    "ternary_expression": _Reader._ternary,
    "parenthesized_expression": _Reader._inner,
    "as_expression": _Reader._inner,
    "satisfies_expression": _Reader._inner,
    "non_null_expression": _Reader._inner,
    "await_expression": _Reader._inner,
    "call_expression": _Reader._call,
    "true": lambda _reader, _node, _depth: True,
    "false": lambda _reader, _node, _depth: False,
}
