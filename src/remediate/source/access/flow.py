"""From the mention of a table to the queries that it ends in, and the connections that these run on.

What is followed: chains of calls, constants, options, parameters of the workspace's own functions, fields of classes.
Where that ends in something else, the mention is unclear, and counts as an access of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from remediate.source.access import vocabulary
from remediate.source.access.handles import Handles
from remediate.source.access.program import (
    Outside,
    Program,
    constructor_of,
    enclosing_class,
)
from remediate.source.access.references import References, uses_of_parameter
from remediate.source.access.relations import Kind
from remediate.source.access.scope import lookup, parameter_name, parameters
from remediate.source.access.site import CLASSES, FUNCTIONS, Site

_DEEPEST = 10
_PASSES = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "await_expression"}
    | {"template_string", "object", "spread_element", "sequence_expression", "arguments_list"}
)
_LOOPS = frozenset({"map", "forEach", "flatMap", "filter", "reduce", "some", "every", "find"})


@dataclass(frozen=True, slots=True)
class Query:
    """A query at `at` that runs on what `handle` is there."""

    at: Site
    handle: Site


@dataclass(frozen=True, slots=True)
class Model:
    """A class of an ORM that stands for the table."""

    at: Site
    model: Site


@dataclass(frozen=True, slots=True)
class Unclear:
    """A mention that may be an access; `why` completes "names the table and …"."""

    at: Site
    why: str


Access = Query | Model | Unclear


@dataclass(frozen=True, slots=True)
class _Carried:
    """The name on its way: `keys` are the properties that it is wrapped in, the innermost first."""

    kind: Kind
    keys: tuple[str, ...] = ()
    depth: int = 0

    @property
    def deeper(self) -> _Carried:
        return replace(self, depth=self.depth + 1)

    @property
    def is_text(self) -> bool:
        return self.kind == "sql"


@dataclass(slots=True)
class Flow:
    program: Program
    references: References
    handles: Handles
    _seen: set[tuple[object, ...]] = field(default_factory=set)

    def accesses(self, mention: Site, kind: Kind) -> list[Access]:
        """What a string that names a table is used for; nothing where it is no access."""
        self._seen = set()
        return list(self._climb(mention, _Carried(kind)))

    def _climb(self, site: Site, carried: _Carried) -> Iterator[Access]:
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
                    yield from self._argument(parent, current, carried)
                    return
                carried, current = passed, parent.parent
                continue
            if kind == "call_expression" and current.type == "template_string":
                yield from self._tagged(parent, carried)
                return
            if kind == "template_substitution" or (kind == "binary_expression" and _operator(parent) == "+"):
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
            elif kind == "array" and current.type != "spread_element":
                carried = replace(carried, keys=(*carried.keys, "[]"))
            elif kind == "member_expression" and carried.keys and current.is_field("object"):
                yield from self._use(current, carried)
                return
            elif kind not in _PASSES and kind != "array":
                yield from self._end(parent, current, carried)
                return
            current = parent

    # ------------------------------------------------------------------------------------------- bound to a name

    def _end(self, parent: Site, current: Site, carried: _Carried) -> Iterator[Access]:
        match parent.type:
            case "variable_declarator":
                yield from self._variable(parent, carried)
            case "assignment_expression" if current.is_field("right"):
                yield from self._assigned(parent, carried)
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
            case _ if carried.is_text and parent.type not in (
                "expression_statement",
                "jsx_expression",
                "jsx_attribute",
            ):
                yield Unclear(current, "what becomes of this SQL is not followed")

    def _variable(self, declarator: Site, carried: _Carried) -> Iterator[Access]:
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None:
            return
        if name.type != "identifier":
            yield Unclear(name, "what becomes of it is not followed")
            return
        found = self.program.define(value)
        yield from self._uses(found if isinstance(found, Site) else value.bare(), carried, name)

    def _uses(self, value: Site, carried: _Carried, name: Site) -> Iterator[Access]:
        references = self.references.of(value, name.text if name.type == "identifier" else None)
        if references is None:
            yield Unclear(name, f"where {name.text} is used is not followed")
            return
        for reference in references:
            if reference.certain:
                yield from self._use(reference.site, carried.deeper)

    def _use(self, site: Site, carried: _Carried) -> Iterator[Access]:
        """One use of a name that stands for what is carried: members are taken off again."""
        keys = list(carried.keys)
        site = site.wrapped()
        while keys and site.parent is not None:
            parent, key = site.parent, keys[-1]
            if parent.type == "member_expression" and site.is_field("object"):
                property_ = parent.field("property")
                name = property_.text if property_ is not None else ""
                if key == "[]":
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
        yield from self._climb(site, replace(carried, keys=tuple(keys)))

    def _callback(self, member: Site, carried: _Carried) -> Iterator[Access]:
        """`TABLES.map((table) => …)`."""
        call = member.parent
        arguments = call.field("arguments") if call is not None and call.type == "call_expression" else None
        for argument in arguments.children()[:1] if arguments is not None else ():
            function = self.program.define(argument)
            if isinstance(function, Site) and function.type in FUNCTIONS:
                yield from self._into_parameter(function, 0, carried, member)

    def _assigned(self, assignment: Site, carried: _Carried) -> Iterator[Access]:
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
            yield from self._members(owner_class, name, carried, left)
        elif left.type == "identifier" and (binding := lookup(left, text)) is not None:
            for site in left.module.identifiers(text):
                other = lookup(site, text) if site.type == "identifier" and site.key != left.key else None
                if other is not None and other.site.is_same(binding.site):
                    yield from self._use(site, carried.deeper)
        elif text.startswith(("exports.", "module.exports")):
            value = assignment.field("right")
            if value is not None:
                yield from self._exported(value, carried, left)
        elif carried.is_text or vocabulary.names_table(name):
            yield Unclear(assignment, f"what becomes of {text[:40]} is not followed")

    def _exported(self, value: Site, carried: _Carried, at: Site) -> Iterator[Access]:
        """`module.exports = { TABLES: { … } }`: each member is what others import by name."""
        value = value.bare()
        while value.type == "call_expression" and (arguments := value.field("arguments")) is not None:
            value = arguments.children()[0].bare() if arguments.children() else arguments
        member = _member(value, carried.keys[-1]) if carried.keys and value.type == "object" else None
        if member is not None:
            yield from self._uses(member, replace(carried, keys=carried.keys[:-1]), at)
        else:
            yield from self._uses(value, carried, at)

    def _field(self, definition: Site, carried: _Carried) -> Iterator[Access]:
        owner, name = enclosing_class(definition), definition.field("name")
        if owner is None or name is None:
            return
        if name.text == "tableName":
            yield Model(definition, owner)
            return
        yield from self._members(owner, name.text, carried, definition)

    def _members(self, owner: Site, name: str, carried: _Carried, at: Site) -> Iterator[Access]:
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
                    yield from self._use(member, carried.deeper)

    def _is_member_of(self, member: Site, owner: Site) -> bool:
        target = member.field("object")
        if target is None:
            return False
        text = target.text
        if text in ("this", "this.constructor", "super"):
            inside = enclosing_class(member)
            return inside is not None and self._is_kin(inside, owner)
        found = self.program.define(target)
        return isinstance(found, Site) and found.key == owner.key

    def _is_kin(self, inside: Site, owner: Site) -> bool:
        """Whether a method of `inside` may run on an instance of `owner`: it is that class or one above it."""
        current: Site | None = owner
        for _ in range(8):
            if current is None:
                return False
            if current.key == inside.key:
                return True
            current = self.program.superclass(current)
        return False

    def _returned(self, parent: Site, current: Site, carried: _Carried) -> Iterator[Access]:
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
                yield from self._use(call, carried.deeper)

    def _enum(self, assignment: Site, carried: _Carried) -> Iterator[Access]:
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
                    yield from self._use(member, carried.deeper)

    def _loop(self, loop: Site, carried: _Carried) -> Iterator[Access]:
        left = loop.field("left")
        keys = carried.keys[:-1] if carried.keys[-1:] == ("[]",) else carried.keys
        if left is None or left.type != "identifier":
            yield Unclear(loop, "what becomes of it in this loop is not followed")
            return
        for site in loop.module.identifiers(left.text, loop):
            if site.key != left.key and site.type == "identifier":
                yield from self._use(site, replace(carried.deeper, keys=keys))

    def _default(self, parameter: Site, carried: _Carried) -> Iterator[Access]:
        function = parameter.inside(FUNCTIONS)
        for index, one in enumerate(parameters(function) if function is not None else ()):
            if function is not None and one.node.start_byte <= parameter.node.start_byte < one.node.end_byte:
                yield from self._into_parameter(function, index, carried, parameter)

    # ------------------------------------------------------------------------------------------- handed to a call

    def _argument(self, arguments: Site, argument: Site, carried: _Carried) -> Iterator[Access]:
        call = arguments.parent
        if call is None:
            return
        index = next((i for i, one in enumerate(arguments.children()) if one.is_same(argument)), 0)
        if call.type == "new_expression":
            yield from self._constructed(call, index, carried)
            return
        function = call.field("function")
        if call.type != "call_expression" or function is None:
            return
        function = function.bare()
        if function.type == "super":
            owner = enclosing_class(call)
            above = self.program.superclass(owner) if owner is not None else None
            yield from self._into_constructor(above, index, carried, call)
            return
        if function.type == "import" or function.text == "require":
            return
        if call.parent is not None and call.parent.type == "decorator":
            if function.text in ("Entity", "Table", "ViewEntity", "JoinTable", "Model"):
                yield Unclear(call, f"@{function.text} maps a class of an ORM to it, whose queries are not followed")
            return
        yield from self._called(call, function, index, carried)

    def _called(self, call: Site, function: Site, index: int, carried: _Carried) -> Iterator[Access]:
        member = function.type == "member_expression"
        property_ = function.field("property") if member else None
        method = property_.text if property_ is not None else ""
        if method and (vocabulary.is_no_query(method) or vocabulary.defines_schema(method)):
            return
        if method == "table" and function.text.endswith(".schema.table"):
            return
        if vocabulary.is_no_database(_first_name(function)) and not _is_handle(method):
            return
        if method and vocabulary.is_query_method(method):
            own = self.program.define(function)
            if isinstance(own, Site) and own.type in FUNCTIONS:
                yield from self._into_parameter(own, index, carried, call)
            elif carried.is_text or self._is_table(call, method.lower(), index, carried):
                yield Query(call, self.handles.handle_of(call))
            return
        found = self.program.define(function)
        if isinstance(found, Site) and found.type in FUNCTIONS:
            yield from self._into_parameter(found, index, carried, call)
        elif isinstance(found, Outside):
            if not carried.is_text and carried.keys and not vocabulary.names_table(carried.keys[-1]):
                return
            if found.package.startswith((".", "@/", "~/")) or not vocabulary.is_harmless_package(found.package):
                where = f"{function.text[:60]} of {found.package}"
                yield Unclear(call, f"hands it to {where}, whose code is not in the workspace")
        elif self._is_harmless(function):
            return
        elif carried.is_text:
            yield Query(call, self.handles.handle_of(call))
        elif carried.keys and not (len(carried.keys) == 1 and index == 0 and (not method or _is_handle(method))):
            if vocabulary.names_table(carried.keys[-1]):
                yield Unclear(call, f"hands it to {function.text[:60]}, which is not followed")
        elif index == 0 and _may_be_query(call, function, carried):
            yield Query(call, self.handles.handle_of(call))

    def _is_harmless(self, function: Site) -> bool:
        """`const { t } = useTranslation()`: what a package gives that has nothing to do with a database."""
        start = function
        while start.type == "member_expression" and (target := start.field("object")) is not None:
            start = target.bare()
        binding = lookup(start, start.text) if start.type == "identifier" else None
        value = binding.site.field("value") if binding is not None and binding.kind == "variable" else None
        called = value.bare().field("function") if value is not None else None
        origin = self.program.define(called) if called is not None else None
        return isinstance(origin, Outside) and vocabulary.is_harmless_package(origin.package)

    def _is_table(self, call: Site, method: str, index: int, carried: _Carried) -> bool:
        """Whether a bare name is a table where it stands among the arguments of a query's method."""
        if method in vocabulary.TABLE_METHODS:
            return index == 0
        if method not in vocabulary.TEXT_METHODS:
            return False
        if index == 0:
            return carried.kind == "bare" and not carried.keys
        arguments = call.field("arguments")
        text = arguments.children()[0].string() if arguments is not None and arguments.children() else None
        return text is None or "??" in text or any(f":{key}:" in text for key in carried.keys)

    def _constructed(self, call: Site, index: int, carried: _Carried) -> Iterator[Access]:
        made = call.field("constructor")
        found = self.program.define(made)
        if isinstance(found, Site) and found.type in CLASSES:
            yield from self._into_constructor(found, index, carried, call)
            return
        name = made.text if made is not None else ""
        if name.endswith(("Error", "Exception", "Event")) or vocabulary.is_no_database(name):
            return
        if isinstance(found, Outside) and vocabulary.is_harmless_package(found.package):
            return
        if carried.is_text or not carried.keys or vocabulary.names_table(carried.keys[-1]):
            yield Unclear(call, f"hands it to new {name[:60]}, which is not followed")

    def _into_constructor(self, owner: Site | None, index: int, carried: _Carried, at: Site) -> Iterator[Access]:
        for _ in range(8):
            made = constructor_of(owner) if owner is not None else None
            if made is not None and owner is not None:
                yield from self._into_parameter(made, index, carried, at)
                kept = parameters(made)[index : index + 1]
                for parameter in kept:
                    if any(child.type in ("accessibility_modifier", "readonly") for child in parameter.node.children):
                        yield from self._members(owner, parameter_name(parameter).text, carried.deeper, at)
                return
            owner = self.program.superclass(owner) if owner is not None else None
        yield Unclear(at, "hands it to a class that is not in the workspace")

    def _into_parameter(self, function: Site, index: int, carried: _Carried, at: Site) -> Iterator[Access]:
        listed = parameters(function)
        pattern = parameter_name(listed[index]) if index < len(listed) else None
        if pattern is None or pattern.type == "rest_pattern":
            if carried.is_text:
                yield Unclear(at, "hands this SQL to a function that is not followed")
            return
        if pattern.type == "identifier":
            for site in uses_of_parameter(function, pattern.text):
                yield from self._use(site, carried.deeper)
            return
        for child in pattern.children():
            name, keys = _taken(child, carried.keys)
            if name is not None:
                for site in uses_of_parameter(function, name):
                    yield from self._use(site, replace(carried.deeper, keys=keys))

    def _tagged(self, call: Site, carried: _Carried) -> Iterator[Access]:
        """sql`…`: run by the tag itself (postgres.js), or by what it is handed to (Kysely, Drizzle, slonik)."""
        function = call.field("function")
        if function is None:
            return
        tag = self.program.define(function)
        root = _first_name(function)
        if function.bare().type == "identifier" and (isinstance(tag, Outside) or tag is None) and root != "gql":
            outer = call.wrapped().parent
            method = outer.field("property") if outer is not None and outer.type == "member_expression" else None
            run = outer.parent if method is not None and outer is not None else None
            arguments = run.field("arguments") if run is not None and run.type == "call_expression" else None
            if method is not None and method.text == "execute" and arguments is not None and arguments.children():
                yield Query(call, arguments.children()[0])
            else:
                yield from self._climb(call, replace(carried.deeper, kind="sql"))
        elif root not in ("gql", "graphql", "css", "html", "styled"):
            yield Query(call, self.handles.root_of(function))


def _passes_on(arguments: Site, carried: _Carried) -> _Carried | None:
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


def _first_name(function: Site) -> str:
    """The name at the start of a callee: `logger` of `logger.child().info`."""
    current: Site | None = function
    while current is not None:
        current = current.bare()
        if current.type in ("member_expression", "subscript_expression"):
            target = current.field("object")
            if target is not None and target.type == "this":
                property_ = current.field("property")
                return property_.text if property_ is not None else "this"
            current = target
        elif current.type == "call_expression":
            current = current.field("function")
        elif current.type == "await_expression" and current.children():
            current = current.children()[0]
        else:
            return current.text if current.type in ("identifier", "this") else ""
    return ""


def _is_handle(name: str) -> bool:
    return vocabulary.is_handed_over(name) or vocabulary.is_connection_name(name)


def _may_be_query(call: Site, function: Site, carried: _Carried) -> bool:
    """Whether `f('orders')` may be a query. Two words are one only on a connection; so is a word in a view's file."""
    if _is_handle(function.text.rpartition(".")[2]):
        return True
    return carried.kind == "bare" and not call.module.name.endswith((".tsx", ".jsx"))


def _inherits(owner: Site) -> bool:
    return any(child.type == "class_heritage" for child in owner.children())


def _taken(child: Site, keys: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The local name of a destructured option, if it is the one that the table's name stands in."""
    if child.type == "object_assignment_pattern" and child.field("left") is not None:
        child = child.field("left") or child
    if not keys:
        return None, ()
    if child.type == "shorthand_property_identifier_pattern" and child.text == keys[-1]:
        return child.text, keys[:-1]
    if child.type == "pair_pattern":
        key, value = child.field("key"), child.field("value")
        if key is not None and value is not None and key.text == keys[-1] and value.type == "identifier":
            return value.text, keys[:-1]
    return None, ()
