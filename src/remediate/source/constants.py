"""Names of constants in application code, resolved as far as they are plain strings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tree_sitter import Node

from remediate.source.syntax import descendants, parse, string_value, text_of

Load = Callable[[str], bytes | None]
Resolve = Callable[[str, str], str | None]

_TRANSPARENT = frozenset(
    {
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "parenthesized_expression",
        "template_substitution",
    }
)
# A constant may come through a barrel file; more hops than that are not followed.
_HOPS = 3


@dataclass(slots=True)
class Constants:
    """The constants of one module. `load` gives the bytes of a file, `resolve` the file that an import means."""

    file: str
    root: Node
    load: Load
    resolve: Resolve
    hops: int = 0
    _values: dict[str, Node] | None = None
    _imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    _reexports: list[str] = field(default_factory=list)

    def string(self, node: Node | None) -> str | None:
        """The string that an expression stands for, or None if that cannot be told."""
        if node is None:
            return None
        while node.type in _TRANSPARENT and node.named_children:
            node = node.named_children[0]
        literal = string_value(node)
        if literal is not None:
            return literal
        if node.type == "identifier":
            return self.named(text_of(node))
        if node.type in ("member_expression", "subscript_expression"):
            target = node.child_by_field_name("object")
            key = node.child_by_field_name("property") or node.child_by_field_name("index")
            if target is not None and key is not None:
                member = text_of(key) if key.type == "property_identifier" else self.string(key)
                return self.named(text_of(target).removeprefix("this.constructor."), member) if member else None
        return None

    def named(self, name: str, member: str | None = None) -> str | None:
        """The constant `name`, or its member."""
        if self._values is None:
            self._collect()
        assert self._values is not None
        node = self._values.get(f"{name}.{member}" if member else name)
        if node is not None:
            return self.string(node) if node.type != "identifier" or text_of(node) != name else None
        target, original = self._imports.get(name, (None, name))
        sources = [target] if target else (self._reexports if self.hops else [])
        for source in sources:
            path = self.resolve(self.file, source)
            data = self.load(path) if path and self.hops < _HOPS else None
            if path is None or data is None:
                continue
            other = Constants(path, parse(path, data).root_node, self.load, self.resolve, self.hops + 1)
            found = other.named(member if original == "*" and member else original, None if original == "*" else member)
            if found is not None:
                return found
        return None

    def _collect(self) -> None:
        self._values = {}
        for node in descendants(self.root):
            if node.type in ("variable_declarator", "public_field_definition"):
                name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
                if name is not None and value is not None:
                    self._bind(text_of(name), value)
            elif node.type == "enum_declaration":
                self._enumeration(node)
            elif node.type in ("import_statement", "export_statement"):
                self._module(node)

    def _bind(self, name: str, value: Node) -> None:
        assert self._values is not None
        while value.type in _TRANSPARENT and value.named_children:
            value = value.named_children[0]
        if value.type == "call_expression" and text_of(value).startswith("Object.freeze("):
            value = value.named_children[-1].named_children[0] if value.named_children[-1].named_children else value
        if value.type == "object":
            for pair in value.named_children:
                key, inner = pair.child_by_field_name("key"), pair.child_by_field_name("value")
                if pair.type == "pair" and key is not None and inner is not None:
                    self._values.setdefault(f"{name}.{string_value(key) or text_of(key)}", inner)
        elif value.type in ("string", "template_string", "identifier", "member_expression", "subscript_expression"):
            # Two constants of one name in different functions: nothing tells which one is meant.
            if name in self._values and text_of(self._values[name]) != text_of(value):
                self._values[name] = self.root
            else:
                self._values[name] = value
                parent = _class_name(value)
                if parent:
                    self._values[f"{parent}.{name}"] = value
                    self._values[f"this.{name}"] = value

    def _enumeration(self, node: Node) -> None:
        assert self._values is not None
        name = node.child_by_field_name("name")
        for child in descendants(node):
            if child.type == "enum_assignment" and name is not None:
                key, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if key is not None and value is not None:
                    self._values[f"{text_of(name)}.{text_of(key)}"] = value

    def _module(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        target = string_value(source) if source is not None else None
        if target is None:
            return
        specifiers = [child for child in descendants(node) if child.type in ("import_specifier", "export_specifier")]
        for specifier in specifiers:
            names = specifier.named_children
            self._imports[text_of(names[-1])] = (target, text_of(names[0]))
        for child in descendants(node):
            if child.type == "namespace_import" and child.named_children:
                self._imports[text_of(child.named_children[0])] = (target, "*")
        if node.type == "export_statement" and not specifiers:
            self._reexports.append(target)


def _class_name(node: Node) -> str | None:
    """The class in whose field definition a value stands."""
    parent = node.parent
    if parent is None or parent.type != "public_field_definition":
        return None
    while parent is not None and parent.type not in ("class_declaration", "class"):
        parent = parent.parent
    name = parent.child_by_field_name("name") if parent is not None else None
    return text_of(name) if name is not None else None
