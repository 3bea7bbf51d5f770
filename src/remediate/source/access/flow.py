"""From the mention of a table to the queries that it ends in, and the connections that these run on.

What is followed: chains of calls, constants, options, parameters of the workspace's own functions, fields of classes.
Where that ends in something else, the mention is unclear, and counts as an access of which nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from remediate.source.access import vocabulary
from remediate.source.access.arguments import Arguments
from remediate.source.access.carried import Access, Carried, Model, Unclear, is_element, taken
from remediate.source.access.declarations import enclosing_class
from remediate.source.access.handles import Handles
from remediate.source.access.methods import Methods
from remediate.source.access.program import Program
from remediate.source.access.references import References, uses_of_variable
from remediate.source.access.relations import Kind
from remediate.source.access.scope import lookup, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Site

_DEEPEST = 10
_PASSES = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "await_expression"}
    | {"template_string", "object", "spread_element", "sequence_expression", "arguments_list"}
)
# Where a text stands that nothing is done with.
_NO_USE = frozenset({"expression_statement", "jsx_expression", "jsx_attribute", "if_statement", "unary_expression"})
_SAME_TEXT = frozenset({"trim", "trimStart", "trimEnd", "replace", "replaceAll", "concat", "toString", "slice"})
_ASKED = frozenset({"length", "includes", "startsWith", "endsWith", "indexOf"})
_SQL_WORDS = re.compile(
    r"\b(?:select|insert|into|update|delete|from|join|table|truncate|where|set|exists|copy|lock|using|with|only|analyze)\b",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"[:/#@|&%-]")
_LOOPS = frozenset({"map", "forEach", "flatMap", "filter", "reduce", "some", "every", "find"})


@dataclass(slots=True)
class Flow:
    program: Program
    references: References
    handles: Handles
    methods: Methods
    _seen: set[tuple[object, ...]] = field(default_factory=set)

    def accesses(self, mention: Site, kind: Kind) -> list[Access]:
        """What a string that names a table is used for; nothing where it is no access."""
        self._seen = set()
        return list(self.climb(mention, Carried(kind)))

    def climb(self, site: Site, carried: Carried) -> Iterator[Access]:
        if carried.depth > _DEEPEST:
            yield Unclear(site, "where it goes from there is not followed")
            return
        seen = (site.key, carried.keys)
        if seen in self._seen:
            return
        self._seen.add(seen)
        current = site
        while (parent := current.parent) is not None:
            kind = parent.type
            if kind == "arguments":
                passed = _passes_on(parent, carried)
                if passed is None or parent.parent is None:
                    yield from Arguments(self).argument(parent, current, carried)
                    return
                carried, current = passed, parent.parent
                continue
            if kind == "call_expression" and current.type == "template_string":
                yield from Arguments(self).tagged(parent, carried)
                return
            if kind == "template_substitution":
                text = _text_of(parent.parent) if parent.parent is not None else ""
                if _SQL_WORDS.search(text) is not None:
                    carried = replace(carried, kind="sql")
                elif _NO_NAME.search(text) is not None:
                    return  # `${module}:${name}` is neither SQL nor a name
            elif kind == "binary_expression" and _operator(parent) == "+":
                carried = replace(carried, kind="sql")
            elif kind == "binary_expression":
                if _operator(parent) not in ("??", "||", "&&"):
                    return
            elif kind == "ternary_expression":
                if current.is_field("condition"):
                    return
            elif kind == "pair":
                key = parent.field("key")
                if key is None or current.is_field("key"):
                    return
                carried = replace(carried, keys=(*carried.keys, key.text.strip("'\"")))
            elif kind == "object" and current.type == "shorthand_property_identifier":
                carried = replace(carried, keys=(*carried.keys, current.text))
            elif kind == "array" and current.type != "spread_element":
                carried = replace(carried, keys=(*carried.keys, _position_in(parent, current)))
            elif kind == "member_expression" and carried.keys and current.is_field("object"):
                yield from self.use(current, carried)
                return
            elif kind == "member_expression" and carried.is_text and (call := _same_text(parent, current)) is not None:
                parent = call
            elif kind not in _PASSES and kind != "array":
                yield from self._end(parent, current, carried)
                return
            current = parent

    # ------------------------------------------------------------------------------------------- bound to a name

    def _end(self, parent: Site, current: Site, carried: Carried) -> Iterator[Access]:
        match parent.type:
            case "variable_declarator":
                yield from self._variable(parent, carried)
            case "assignment_expression" | "augmented_assignment_expression":
                # What is on the left is written to; where it is read, it is followed from there.
                if current.is_field("right"):
                    yield from self._assigned(parent, carried)
            case "member_expression" if current.is_field("object") and _is_asked(parent):
                return
            case "public_field_definition":
                yield from self._field(parent, carried)
            case "return_statement" | "arrow_function":
                yield from self._returned(parent, current, carried)
            case "export_statement":
                yield from self._exported(current, carried, current)
            case "enum_assignment":
                yield from self._enum(parent, carried)
            case "for_in_statement" if current.is_field("right"):
                yield from self._loop(parent, carried)
            case "required_parameter" | "optional_parameter" | "assignment_pattern" | "object_assignment_pattern":
                yield from self._default(parent, carried)
            case _ if carried.is_text and parent.type not in _NO_USE:
                yield Unclear(current, "what becomes of this SQL is not followed")

    def _variable(self, declarator: Site, carried: Carried) -> Iterator[Access]:
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None:
            return
        if name.type != "identifier":
            yield from self._destructured(declarator, name, carried)
            return
        found = self.program.define(value)
        yield from self._uses(found if isinstance(found, Site) else value.bare(), carried, name)

    def _destructured(self, declarator: Site, pattern: Site, carried: Carried) -> Iterator[Access]:
        """`const { ORDERS } = TABLES`."""
        is_exported = declarator.inside(frozenset({"export_statement"})) is not None
        for name, keys in taken(pattern, carried.keys):
            binding = lookup(name, name.text)
            if binding is None or (is_exported and declarator.inside(FUNCTIONS) is None):
                yield Unclear(name, "what becomes of it is not followed")
                return
            for site in uses_of_variable(binding):
                yield from self.use(site, replace(carried.deeper, keys=keys))

    def _uses(self, value: Site, carried: Carried, name: Site) -> Iterator[Access]:
        references = self.references.of(value, name.text if name.type == "identifier" else None)
        if references is None:
            yield Unclear(name, f"where {name.text} is used is not followed")
            return
        for reference in references:
            if reference.certain:
                yield from self.use(reference.site, carried.deeper)

    def use(self, site: Site, carried: Carried) -> Iterator[Access]:
        """One use of a name that stands for what is carried: members are taken off again."""
        keys = list(carried.keys)
        site = site.wrapped()
        while keys and site.parent is not None:
            parent, key = site.parent, keys[-1]
            if parent.type == "member_expression" and site.is_field("object"):
                property_ = parent.field("property")
                name = property_.text if property_ is not None else ""
                if is_element(key):
                    if name in _LOOPS:
                        yield from self._callback(parent, replace(carried, keys=tuple(keys[:-1])))
                    if name not in ("join", "concat", "slice"):
                        return
                    break
                if name != key:
                    return
            elif not (parent.type == "subscript_expression" and site.is_field("object")):
                break
            keys.pop()
            site = parent.wrapped()
        yield from self.climb(site, replace(carried, keys=tuple(keys)))

    def _callback(self, member: Site, carried: Carried) -> Iterator[Access]:
        """`TABLES.map((table) => …)`."""
        call = member.parent
        arguments = call.field("arguments") if call is not None and call.type == "call_expression" else None
        for argument in arguments.children()[:1] if arguments is not None else ():
            function = self.program.define(argument)
            if isinstance(function, Site) and function.type in FUNCTIONS:
                name = member.field("property")
                index = 1 if name is not None and name.text == "reduce" else 0
                yield from Arguments(self).into_parameter(function, index, carried, member)

    def _assigned(self, assignment: Site, carried: Carried) -> Iterator[Access]:
        left = assignment.field("left")
        if left is None:
            return
        text = "".join(left.text.split())
        name = text.rpartition(".")[2]
        if name in ("tableName", "table") and left.type == "member_expression":
            owner = self.program.define(left.field("object"))
            if isinstance(owner, Site) and owner.type in CLASSES:
                yield Model(assignment, owner)
                return
        if text.startswith("this.") and text.count(".") == 1 and (owner_class := enclosing_class(left)) is not None:
            yield from self.members(owner_class, name, carried, left)
        elif left.type == "identifier" and (binding := lookup(left, text)) is not None:
            for site in left.module.identifiers(text):
                other = lookup(site, text) if site.type == "identifier" and site.key != left.key else None
                if other is not None and other.site.is_same(binding.site):
                    yield from self.use(site, carried.deeper)
        elif text.startswith(("exports.", "module.exports")):
            value = assignment.field("right")
            if value is not None:
                yield from self._exported(value, carried, left)
        elif carried.is_text or vocabulary.names_table(name):
            yield Unclear(assignment, f"what becomes of {text[:40]} is not followed")

    def _exported(self, value: Site, carried: Carried, at: Site) -> Iterator[Access]:
        """`module.exports = { TABLES: { … } }`: each member is what others import by name."""
        value = value.bare()
        while value.type == "call_expression" and (arguments := value.field("arguments")) is not None:
            value = arguments.children()[0].bare() if arguments.children() else arguments
        member = _member(value, carried.keys[-1]) if carried.keys and value.type == "object" else None
        if member is not None:
            yield from self._uses(member, replace(carried, keys=carried.keys[:-1]), at)
        else:
            yield from self._uses(value, carried, at)

    def _field(self, definition: Site, carried: Carried) -> Iterator[Access]:
        owner, name = enclosing_class(definition), definition.field("name")
        if owner is None or name is None:
            return
        if name.text == "tableName":
            yield Model(definition, owner)
            return
        yield from self.members(owner, name.text, carried, definition)

    def members(self, owner: Site, name: str, carried: Carried, at: Site) -> Iterator[Access]:
        """The uses of a field, in its class and in those above it: `this.table`, `Orders.table`."""
        if name == "tableName" and self.program.superclass(owner) is None and _inherits(owner):
            yield Model(at, owner)
            return
        for module in self.program.files_with_member(owner, name):
            for site in module.identifiers(name):
                member = site.parent
                if site.type != "property_identifier" or member is None or member.type != "member_expression":
                    continue
                if self._is_member_of(member, owner) and not member.is_field("left"):
                    yield from self.use(member, carried.deeper)

    def _is_member_of(self, member: Site, owner: Site) -> bool:
        target = member.field("object")
        if target is None:
            return False
        text = target.text
        if text in ("this", "this.constructor", "super"):
            inside = enclosing_class(member)
            return inside is not None and self.program.descends(owner, inside)
        found = self.program.define(target)
        return isinstance(found, Site) and found.key == owner.key

    def _returned(self, parent: Site, current: Site, carried: Carried) -> Iterator[Access]:
        if parent.type == "arrow_function" and not current.is_field("body"):
            return
        function = parent if parent.type == "arrow_function" else parent.inside(FUNCTIONS)
        name = function.field("name") if function is not None else None
        if function is not None and name is not None and name.text == "tableName":
            owner = enclosing_class(function)
            if owner is not None:
                yield Model(parent, owner)
                return
        if function is None:
            return
        references = self.references.of(function)
        if references is None:
            yield Unclear(current, "where the function that returns it is called is not followed")
            return
        for reference in references:
            called = reference.site.wrapped()
            call = called.parent if called.is_field("function") else None
            if reference.certain and call is not None and call.type == "call_expression":
                yield from self.use(call, carried.deeper)

    def _enum(self, assignment: Site, carried: Carried) -> Iterator[Access]:
        name = assignment.field("name")
        declaration = assignment.inside(frozenset({"enum_declaration"}))
        owner = declaration.field("name") if declaration is not None else None
        if name is None or owner is None:
            return
        for module in self.program.files_with(owner.text):
            for site in module.identifiers(owner.text):
                member = site.parent
                if member is None or member.type != "member_expression" or not site.is_field("object"):
                    continue
                property_ = member.field("property")
                if property_ is not None and property_.text == name.text.strip("'\""):
                    yield from self.use(member, carried.deeper)

    def _loop(self, loop: Site, carried: Carried) -> Iterator[Access]:
        left = loop.field("left")
        keys = carried.keys[:-1] if carried.keys and is_element(carried.keys[-1]) else carried.keys
        for name, rest in taken(left, keys) if left is not None else ():
            for site in loop.module.identifiers(name.text, loop):
                if site.key != name.key and site.type == "identifier":
                    yield from self.use(site, replace(carried.deeper, keys=rest))

    def _default(self, parameter: Site, carried: Carried) -> Iterator[Access]:
        function = parameter.inside(FUNCTIONS)
        for index, one in enumerate(parameters(function) if function is not None else ()):
            if function is not None and one.node.start_byte <= parameter.node.start_byte < one.node.end_byte:
                yield from Arguments(self).into_parameter(function, index, carried, parameter)


def _passes_on(arguments: Site, carried: Carried) -> Carried | None:
    """What the result of a call carries that gives its argument back, or the values in it: `Object.freeze(TABLES)`."""
    call = arguments.parent
    function = (call.field("function") or call.field("constructor")) if call is not None else None
    if function is None:
        return None
    if function.text in ("Object.freeze", "Object.seal", "structuredClone"):
        return carried
    if function.text in ("Object.values", "Object.keys", "Object.entries", "Array.from", "Set", "Map", "Array.of"):
        return replace(carried, keys=(*carried.keys[:-1], "[]"))
    return None


def _member(owner: Site, name: str) -> Site | None:
    for child in owner.children():
        if child.type == "pair" and (key := child.field("key")) is not None and key.text.strip("'\"") == name:
            value = child.field("value")
            return value.bare() if value is not None else None
    return None


def _operator(binary: Site) -> str:
    operator = binary.node.child_by_field_name("operator")
    return operator.type if operator is not None else ""


def _inherits(owner: Site) -> bool:
    return any(child.type == "class_heritage" for child in owner.children())


def _position_in(array: Site, element: Site) -> str:
    """The key of an element; of one behind a spread, that of any."""
    for index, one in enumerate(array.children()):
        if one.type == "spread_element":
            break
        if one.is_same(element):
            return f"[{index}]"
    return "[]"


def _text_of(template: Site) -> str:
    """What stands in a template between its substitutions."""
    return " x ".join(child.text for child in template.children() if child.type == "string_fragment")


def _same_text(member: Site, text: Site) -> Site | None:
    """The call of a method that gives the text back, more or less: `sql.trim()`."""
    name, call = member.field("property"), member.parent
    if name is None or call is None or call.type != "call_expression" or not text.is_field("object"):
        return None
    return call if name.text in _SAME_TEXT else None


def _is_asked(member: Site) -> bool:
    """Whether a member only tells something about a text: `sql.length`, `sql.includes('…')`."""
    name = member.field("property")
    return name is not None and name.text in _ASKED
