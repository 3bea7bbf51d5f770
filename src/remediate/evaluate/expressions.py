"""Evaluation of expressions."""

from __future__ import annotations

from remediate.evaluate import ast
from remediate.evaluate.assumed import Assumed, assume
from remediate.evaluate.builtins.regexes import Matched, Pattern
from remediate.evaluate.calls import arguments_of, call_function, call_member, construct, super_call
from remediate.evaluate.conversions import property_key, to_text, truthy
from remediate.evaluate.functions import ClassValue, Closure
from remediate.evaluate.globals import global_value
from remediate.evaluate.knex.builder import Builder
from remediate.evaluate.knex.callbacks import current_callbacks
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.knex.session import Settled, settle
from remediate.evaluate.literal import LiteralText
from remediate.evaluate.machine import EVALUATE, MISSING, Lazy, Machine, Scope, evaluates, throw, unknown_of
from remediate.evaluate.objects import Accessor
from remediate.evaluate.operators import binary, unary
from remediate.evaluate.partial import partial_text
from remediate.evaluate.patterns import assign
from remediate.evaluate.properties import iterate, own_properties, read
from remediate.evaluate.touches import always_leaves, touches_database
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value


class _Short(HostObject):
    """What an optional chain gives up with."""


_SHORT = _Short()


@evaluates(ast.Constant)
def _constant(machine: Machine, node: ast.Constant, scope: Scope) -> Value:
    return node.value


@evaluates(ast.Text)
def _text(machine: Machine, node: ast.Text, scope: Scope) -> Value:
    return LiteralText.of(node.value, machine.file, node.content_start, node.content_end)


@evaluates(ast.Template)
def _template(machine: Machine, node: ast.Template, scope: Scope) -> Value:
    parts: list[str | Unknown] = [node.texts[0]]
    known = True
    for text, inner in zip(node.texts[1:], node.values, strict=True):
        value = EVALUATE[inner.__class__](machine, inner, scope)
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, Unknown):
            known = False
            parts.append(value)
        else:
            try:
                parts.append(to_text(value))
            except UnresolvableError as failure:
                known = False
                parts.append(unknown_of(failure, machine.place(inner)))
        parts.append(text)
    if not known:
        return partial_text(parts, machine.place(node))
    result = "".join(parts)  # type: ignore[arg-type]
    machine.check_text(len(result), machine.place(node))
    return result


@evaluates(ast.Tagged)
def _tagged(machine: Machine, node: ast.Tagged, scope: Scope) -> Value:
    """A tag of the program is called; of any other, the text is joined as it stands (`sql`, `String.raw`, `dedent`)."""
    this: Value = UNDEFINED
    tag: Value
    if isinstance(node.tag, ast.Member):
        this = EVALUATE[node.tag.object.__class__](machine, node.tag.object, scope)
        tag = read(machine, this, node.tag.name, machine.place(node.tag))
    else:
        tag = EVALUATE[node.tag.__class__](machine, node.tag, scope)
    template = node.template
    if isinstance(tag, Closure):
        values = [EVALUATE[value.__class__](machine, value, scope) for value in template.values]
        texts = Matched(list(template.texts), {"raw": list(template.raws)})
        return call_function(machine, tag, this, [texts, *values], machine.place(node))
    name = node.tag.name if isinstance(node.tag, ast.Member | ast.Name) else ""
    if name == "raw" and not isinstance(tag, Unknown) and getattr(tag, "name", "") == "raw":
        template = ast.Template(template.start, template.end, template.raws, template.values, template.raws)
    text = _template(machine, template, scope)
    if isinstance(tag, Unknown) and name not in ("sql", "SQL", "dedent", "outdent", "gql", "stripIndent"):
        return Unknown(f"the tag {name} is not known: {tag.reason}", machine.place(node))
    if isinstance(tag, HostObject) and not hasattr(tag, "construct"):
        return call_function(machine, tag, this, [text], machine.place(node))
    return text


@evaluates(ast.Regex)
def _regex(machine: Machine, node: ast.Regex, scope: Scope) -> Value:
    return Pattern(machine, node.pattern, node.flags)


@evaluates(ast.Name)
def name(machine: Machine, node: ast.Name, scope: Scope) -> Value:
    wanted = node.name
    inner: Scope | None = scope
    while inner is not None:
        variables = inner.variables
        if wanted in variables:
            value = variables[wanted]
            if value.__class__ is Lazy:
                value = variables[wanted] = value.find()
            return value  # type: ignore[no-any-return]
        inner = inner.parent
    found = global_value(machine, wanted, machine.place(node))
    if found is MISSING:
        if wanted == "this":
            return UNDEFINED
        raise throw("ReferenceError", f"{wanted} is not defined")
    return found


@evaluates(ast.Array)
def _array(machine: Machine, node: ast.Array, scope: Scope) -> Value:
    items: list[Value] = []
    for item in node.items:
        if item is None:
            items.append(UNDEFINED)
        elif item.__class__ is ast.Spread:
            value = EVALUATE[item.value.__class__](machine, item.value, scope)
            elements = iterate(machine, value, machine.place(item))
            if isinstance(elements, Unknown):
                return elements
            items.extend(elements)
            machine.check_items(len(items), machine.place(node))
        else:
            items.append(EVALUATE[item.__class__](machine, item, scope))
    return items


@evaluates(ast.ObjectLiteral)
def _object(machine: Machine, node: ast.ObjectLiteral, scope: Scope) -> Value:
    result: dict[str, Value] = {}
    for entry in node.properties:
        key = entry.key
        if entry.kind == "spread":
            value = EVALUATE[entry.value.__class__](machine, entry.value, scope)
            copied = own_properties(machine, value, machine.place(entry))
            if isinstance(copied, Unknown):
                if isinstance(copied, Assumed):
                    machine.reporter.assume(f"{copied.reason}; nothing is taken of it", machine.place(entry))
                    continue
                return copied
            result.update(copied)
            continue
        if not isinstance(key, str):
            try:
                key = property_key(EVALUATE[key.__class__](machine, key, scope))
            except UnresolvableError as failure:
                return unknown_of(failure, machine.place(entry))
        if entry.kind == "value":
            value = EVALUATE[entry.value.__class__](machine, entry.value, scope)
            if isinstance(value, Closure) and not value.name:
                value.name = key
            result[key] = value
        else:
            _add_accessor(machine, result, key, entry, scope)
    return result


def _add_accessor(machine: Machine, result: dict[str, Value], key: str, entry: ast.Property, scope: Scope) -> None:
    function = EVALUATE[entry.value.__class__](machine, entry.value, scope)
    accessor = result.get(key)
    if not isinstance(accessor, Accessor):
        accessor = Accessor()
        result[key] = accessor
    if isinstance(function, HostObject):
        if entry.kind == "get":
            accessor.getter = function
        else:
            accessor.setter = function


@evaluates(ast.Member)
def _member(machine: Machine, node: ast.Member, scope: Scope) -> Value:
    if node.object.__class__ is ast.Name and node.object.name == "super":
        return _super_member(machine, node, scope)
    base = EVALUATE[node.object.__class__](machine, node.object, scope)
    if base is _SHORT or (node.optional and (base is None or base is UNDEFINED)):
        return _SHORT
    return read(machine, base, node.name, machine.place(node))


def _super_member(machine: Machine, node: ast.Member, scope: Scope) -> Value:
    home = scope.find("[[home]]")
    this = scope.find("this")
    if isinstance(home, ClassValue) and isinstance(home.parent, ClassValue):
        if scope.find("[[static]]") is True:
            return home.parent.get(node.name, machine.place(node))
        found = home.parent.find(node.name)
        if isinstance(found, Closure):
            return found
        if isinstance(found, Accessor) and found.getter is not None:
            return call_function(machine, found.getter, this, [], machine.place(node))
        return UNDEFINED
    return Unknown("super of something that is not known", machine.place(node))


@evaluates(ast.Element)
def _element(machine: Machine, node: ast.Element, scope: Scope) -> Value:
    base = EVALUATE[node.object.__class__](machine, node.object, scope)
    if base is _SHORT or (node.optional and (base is None or base is UNDEFINED)):
        return _SHORT
    index = EVALUATE[node.index.__class__](machine, node.index, scope)
    return read(machine, base, index, machine.place(node))


@evaluates(ast.Chain)
def _chain(machine: Machine, node: ast.Chain, scope: Scope) -> Value:
    value = EVALUATE[node.value.__class__](machine, node.value, scope)
    return UNDEFINED if value is _SHORT else value


@evaluates(ast.Call)
def _call(machine: Machine, node: ast.Call, scope: Scope) -> Value:
    function = node.function
    if isinstance(function, ast.Member):
        return _call_member(machine, node, function, scope)
    this: Value = UNDEFINED
    if isinstance(function, ast.Element):
        this = EVALUATE[function.object.__class__](machine, function.object, scope)
        if this is _SHORT or (function.optional and (this is None or this is UNDEFINED)):
            return _SHORT
        index = EVALUATE[function.index.__class__](machine, function.index, scope)
        value = read(machine, this, index, machine.place(function))
    elif isinstance(function, ast.Name) and function.name == "super":
        passed = arguments_of(machine, node.arguments, node.spread, scope)
        return super_call(machine, scope.find("[[home]]"), scope.find("this"), passed, machine.place(node))
    else:
        value = EVALUATE[function.__class__](machine, function, scope)
    if value is _SHORT or (node.optional and (value is None or value is UNDEFINED)):
        return _SHORT
    arguments = arguments_of(machine, node.arguments, node.spread, scope)
    return call_function(machine, value, this, arguments, machine.place(node), function)


def _call_member(machine: Machine, node: ast.Call, function: ast.Member, scope: Scope) -> Value:
    if function.object.__class__ is ast.Name and function.object.name == "super":
        value = _super_member(machine, function, scope)
        arguments = arguments_of(machine, node.arguments, node.spread, scope)
        return call_function(machine, value, scope.find("this"), arguments, machine.place(node), function)
    # What `.catch(…)` hangs on is sent under its protection, and evaluation sends it before the handler is seen.
    guarded = function.name == "catch" and bool(node.arguments) and not _always_throws(node.arguments[0])
    machine.swallowing += guarded
    try:
        base = EVALUATE[function.object.__class__](machine, function.object, scope)
    finally:
        machine.swallowing -= guarded
    if base is _SHORT or (function.optional and (base is None or base is UNDEFINED)):
        return _SHORT
    return call_member(machine, node, function, base, scope)


def _always_throws(node: ast.Node) -> bool:
    return isinstance(node, ast.Function) and always_leaves(node.body) == "throw"


@evaluates(ast.New)
def _new(machine: Machine, node: ast.New, scope: Scope) -> Value:
    function = EVALUATE[node.function.__class__](machine, node.function, scope)
    arguments = arguments_of(machine, node.arguments, node.spread, scope)
    return construct(machine, function, arguments, machine.place(node))


@evaluates(ast.Unary)
def _unary(machine: Machine, node: ast.Unary, scope: Scope) -> Value:
    inner = node.value
    if node.operator == "delete":
        return _delete(machine, inner, scope)
    if node.operator == "typeof" and isinstance(inner, ast.Name) and scope.find(inner.name) is MISSING:
        value = global_value(machine, inner.name, machine.place(inner))
        return "undefined" if value is MISSING else unary("typeof", value, machine.place(node))
    value = EVALUATE[inner.__class__](machine, inner, scope)
    return unary(node.operator, value, machine.place(node))


def _delete(machine: Machine, target: ast.Node, scope: Scope) -> Value:
    if isinstance(target, ast.Member | ast.Element):
        base = EVALUATE[target.object.__class__](machine, target.object, scope)
        key: Value = target.name if isinstance(target, ast.Member) else UNDEFINED
        if isinstance(target, ast.Element):
            key = EVALUATE[target.index.__class__](machine, target.index, scope)
        if isinstance(base, dict) and not isinstance(key, Unknown):
            base.pop(property_key(key), None)
        elif isinstance(base, list) and isinstance(key, int) and 0 <= key < len(base):
            base[key] = UNDEFINED
    return True


@evaluates(ast.Binary)
def _binary(machine: Machine, node: ast.Binary, scope: Scope) -> Value:
    """Chains that lean to the left are walked, so that a text of a thousand pieces takes no depth."""
    chain = [node]
    left: ast.Node = node.left
    while left.__class__ is ast.Binary:
        chain.append(left)
        left = left.left
    value = EVALUATE[left.__class__](machine, left, scope)
    for link in reversed(chain):
        right = EVALUATE[link.right.__class__](machine, link.right, scope)
        if link.operator == "+" and isinstance(value, str) and isinstance(right, str):
            value = value + right
            if len(value) > machine.limits.text:
                machine.check_text(len(value), machine.place(link))
        else:
            value = binary(machine, link.operator, value, right, machine.place(link))
    if isinstance(value, str) and len(value) > 1000:
        machine.check_text(len(value), machine.place(node))
    return value


@evaluates(ast.Logical)
def _logical(machine: Machine, node: ast.Logical, scope: Scope) -> Value:
    left = EVALUATE[node.left.__class__](machine, node.left, scope)
    if isinstance(left, Unknown):
        return _unknown_logical(machine, node, left, scope)
    if node.operator == "&&":
        goes_on = truthy(left)
    elif node.operator == "||":
        goes_on = not truthy(left)
    else:
        goes_on = left is None or left is UNDEFINED
    return EVALUATE[node.right.__class__](machine, node.right, scope) if goes_on else left


def _unknown_logical(machine: Machine, node: ast.Logical, left: Unknown, scope: Scope) -> Value:
    """`process.env.X || 'default'` takes the default; a condition before an action makes the action conditional."""
    place = machine.place(node)
    if isinstance(left, Assumed):
        value = left.value
        goes_on = truthy(value) if node.operator == "&&" else not truthy(value)
        if node.operator == "??":
            goes_on = value is None or value is UNDEFINED
        if not goes_on:
            return left
        if node.operator != "&&":
            machine.reporter.assume(f"{left.reason}; what stands in its place is taken", place)
            right = EVALUATE[node.right.__class__](machine, node.right, scope)
            return assume(left, right) if isinstance(right, bool) else right
        machine.condition(left.reason)
        return EVALUATE[node.right.__class__](machine, node.right, scope)
    if touches_database(node.right, scope):
        machine.condition(left.reason)
        return EVALUATE[node.right.__class__](machine, node.right, scope)
    return left


@evaluates(ast.Conditional)
def _conditional(machine: Machine, node: ast.Conditional, scope: Scope) -> Value:
    test = EVALUATE[node.test.__class__](machine, node.test, scope)
    if isinstance(test, Unknown):
        return _unknown_conditional(machine, node, test, scope)
    branch = node.then if truthy(test) else node.otherwise
    return EVALUATE[branch.__class__](machine, branch, scope)


def _unknown_conditional(machine: Machine, node: ast.Conditional, test: Unknown, scope: Scope) -> Value:
    if isinstance(test, Assumed):
        machine.reporter.assume(f"{test.reason}; taken as on a fresh database", machine.place(node))
        branch = node.then if truthy(test.value) else node.otherwise
    elif touches_database(node.then, scope) or touches_database(node.otherwise, scope):
        branch = node.then if touches_database(node.then, scope) else node.otherwise
    else:
        return test
    if touches_database(branch, scope):
        machine.condition(test.reason)
    return EVALUATE[branch.__class__](machine, branch, scope)


@evaluates(ast.Assign)
def _assign(machine: Machine, node: ast.Assign, scope: Scope) -> Value:
    target = node.target
    if not node.operator:
        value = EVALUATE[node.value.__class__](machine, node.value, scope)
        if isinstance(value, Closure) and not value.name and isinstance(target, ast.Name | ast.Member):
            value.name = target.name
        assign(machine, target, value, scope)
        return value
    old = EVALUATE[target.__class__](machine, target, scope)
    if node.operator in ("&&", "||", "??"):
        logical = ast.Logical(node.start, node.end, node.operator, ast.Constant(node.start, node.end, old), node.value)
        value = _logical(machine, logical, scope)
    else:
        right = EVALUATE[node.value.__class__](machine, node.value, scope)
        value = binary(machine, node.operator, old, right, machine.place(node))
    assign(machine, target, value, scope)
    return value


@evaluates(ast.Update)
def _update(machine: Machine, node: ast.Update, scope: Scope) -> Value:
    old = EVALUATE[node.target.__class__](machine, node.target, scope)
    old = unary("+", old, machine.place(node))
    new = binary(machine, "+", old, node.step, machine.place(node))
    assign(machine, node.target, new, scope)
    return new if node.prefix else old


@evaluates(ast.Sequence)
def _sequence(machine: Machine, node: ast.Sequence, scope: Scope) -> Value:
    value: Value = UNDEFINED
    for inner in node.values:
        value = EVALUATE[inner.__class__](machine, inner, scope)
    return value


@evaluates(ast.Await)
def _await(machine: Machine, node: ast.Await, scope: Scope) -> Value:
    value = EVALUATE[node.value.__class__](machine, node.value, scope)
    callbacks = current_callbacks()
    if callbacks is not None:
        callbacks.awaited = True
        if isinstance(value, Builder) and value.is_change():
            callbacks.leave(value)
            return Unknown("what a table callback awaits is sent after the table's own statements", machine.place(node))
    try:
        return settle(value)
    except UnresolvableError as failure:
        return unknown_of(failure, machine.place(node))


@evaluates(ast.Yield)
def _yield(machine: Machine, node: ast.Yield, scope: Scope) -> Value:
    value = UNDEFINED if node.value is None else EVALUATE[node.value.__class__](machine, node.value, scope)
    if machine.yielded is not None:
        if node.delegate:
            items = iterate(machine, value, machine.place(node))
            machine.yielded.extend([items] if isinstance(items, Unknown) else items)
        else:
            machine.yielded.append(value)
        machine.step(node)
        machine.check_items(len(machine.yielded), machine.place(node))
    return UNDEFINED


@evaluates(ast.DynamicImport)
def _import(machine: Machine, node: ast.DynamicImport, scope: Scope) -> Value:
    source = EVALUATE[node.value.__class__](machine, node.value, scope)
    if not isinstance(source, str):
        return source if isinstance(source, Unknown) else Unknown("imports something that is not known")
    return Settled(machine.modules.namespace(machine, machine.file.path, source, machine.place(node)))


@evaluates(ast.Unsupported)
def _unsupported(machine: Machine, node: ast.Unsupported, scope: Scope) -> Value:
    if touches_database(node, scope):
        machine.reporter.miss(node.reason, machine.place(node))
    return Unknown(node.reason, machine.place(node))
