"""Where code sets the tenant for what follows on the same connection, and whether it always does.

PostgreSQL: what set_config(…, true) and SET LOCAL set holds to the end of the transaction, and nothing outside of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from remediate.source.access import vocabulary
from remediate.source.access.declarations import enclosing_class, returned
from remediate.source.access.handles import Handles
from remediate.source.access.methods import Methods
from remediate.source.access.program import Program
from remediate.source.access.references import References
from remediate.source.access.scope import bindings, lookup, parameter_name, parameters
from remediate.source.access.site import FUNCTIONS, Module, Site
from remediate.source.access.words import words_of
from remediate.source.model import SettingWrite

_BLOCKS = frozenset({"statement_block", "program", "switch_case", "switch_default"})
_SIMPLE = frozenset({"expression_statement", "return_statement", "lexical_declaration", "variable_declaration"})
_LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
_EMPTY = re.compile(r"set_config\s*\(\s*'[^']*'\s*,\s*(?:''|null)|(?:=|\bto\b)\s*(?:''|default\b)", re.IGNORECASE)
_BEGIN = re.compile(r"\s*(?:begin|start\s+transaction)\b", re.IGNORECASE)
_END = re.compile(r"\s*(?:commit|rollback|abort|end)\b", re.IGNORECASE)
_WHOLE_END = re.compile(r"\s*(?:commit|(?:rollback|abort|end)(?!\s+(?:work\s+|transaction\s+)?to\b))\b", re.IGNORECASE)
_SAVEPOINT = re.compile(r"\s*savepoint\b", re.IGNORECASE)
_TAKEN = "takes the tenant away"
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Write:
    """One place that sets settings. `fault` says why that does not hold for the transaction, "" if it does."""

    offset: int
    settings: frozenset[str]
    fault: str = ""


@dataclass(slots=True)
class Tenant:
    """Questions about the writes of `settings`. `functions` are the database's own that set some, by name."""

    program: Program
    references: References
    handles: Handles
    methods: Methods
    settings: frozenset[str]
    functions: Mapping[str, frozenset[str]]
    _writes: dict[str, list[Write]] = field(default_factory=dict)
    _setters: dict[tuple[object, ...], bool] = field(default_factory=dict)

    def writes(self, module: Module) -> list[Write]:
        """The writes of custom settings in a module, in reading order: of these and of others."""
        if module.name not in self._writes:
            found = [Write(one.place.start, frozenset({one.name}), _fault(one, module)) for one in module.code.writes]
            for name, settings in self.functions.items():
                if settings and words_of(name) <= module.code.words:
                    found += [Write(at, settings) for at in self._calls_of(module, name)]
            self._writes[module.name] = sorted(found, key=lambda write: write.offset)
        return self._writes[module.name]

    def _calls_of(self, module: Module, name: str) -> Iterator[int]:
        for offset in module.offsets(name):
            site = module.at(offset)
            if site.type in ("string", "string_fragment", "template_string"):
                yield offset

    # ------------------------------------------------------------------------------------------- before a place

    def is_set_before(self, handle: Site) -> bool:
        """Whether the tenant is always set on a handle, in its transaction, before the place where it stands."""
        key = key_of(handle)
        if key is None or (offset := self._precedes(handle, key, begin=False)) is None:
            return False
        scope = handle.inside(FUNCTIONS) or handle.module.root
        again = self.program.assignments(scope, key)
        if any(offset < value.node.start_byte < handle.node.start_byte for value in again):
            return False
        return not self._is_over(handle, key, offset) and self.is_transaction(handle)

    def _is_over(self, handle: Site, key: str, since: int) -> bool:
        """Whether what was set before `since` may hold no longer at a place: the transaction has ended, or the setting
        was taken away. A loop that began since then may have come by everything in it.
        """
        around = [above for above in handle.above() if above.type in _LOOPS and above.node.start_byte >= since]
        until = max([handle.node.start_byte, *(loop.node.end_byte for loop in around)])
        taken = (write.offset for write in self.writes(handle.module) if write.fault == _TAKEN)
        return any(since < at < until for at in taken) or self._has_ended(handle, key, since, until)

    def _has_ended(self, handle: Site, key: str, since: int, until: int) -> bool:
        """Whether a transaction is committed or rolled back between two offsets, and what follows is reached then."""
        has_savepoint = False
        for site in handle.module.identifiers(key.rpartition(".")[2]):
            if not since < site.node.start_byte < until:
                continue
            outer = site.parent if site.type == "property_identifier" and site.parent is not None else site
            member = outer.wrapped().parent
            call = member.wrapped().parent if member is not None and member.type == "member_expression" else None
            name = member.field("property") if member is not None else None
            arguments = call.field("arguments") if call is not None and call.type == "call_expression" else None
            if name is None or arguments is None or key_of(outer) != key or not outer.wrapped().is_field("object"):
                continue
            text = (arguments.children()[0].string() if arguments.children() else None) or ""
            has_savepoint = has_savepoint or _SAVEPOINT.match(text) is not None
            ends = name.text in ("commit", "rollback") or (_END.match(text) and not has_savepoint)
            if (ends or _WHOLE_END.match(text)) and not _is_left(site, handle):
                return True
        return False

    def _precedes(self, handle: Site, key: str, *, begin: bool) -> int | None:
        """Where what always precedes a place ends: the setting of the tenant, or the BEGIN; None if nothing does."""
        declared = _declared_in(handle, key)
        child = handle
        for above in handle.above():
            if above.type in _BLOCKS:
                before = [one for one in above.children() if one.node.start_byte < child.node.start_byte]
                for statement in reversed(before):
                    if self._ensures(statement, key, begin, 0):
                        return statement.node.end_byte
            elif above.type == "call_expression" and child.type == "arguments" and self._follows(above, key, begin):
                return child.node.start_byte
            if declared is not None and above.key == declared:
                return None
            if above.type in ("function_declaration", "method_definition", "generator_function_declaration"):
                return None
            child = above
        return None

    def _follows(self, call: Site, key: str, begin: bool) -> bool:
        """`trx.raw('…').then(() => …)`: what stands in the callback follows the call."""
        function = call.field("function")
        if function is None or function.type != "member_expression":
            return False
        name, target = function.field("property"), function.field("object")
        return name is not None and name.text == "then" and target is not None and self._always(target, key, begin, 0)

    # ------------------------------------------------------------------------------------------- statements

    def _ensures(self, statement: Site, key: str, begin: bool, depth: int) -> bool:
        """Whether whoever gets past a statement has set the tenant on the handle `key`."""
        if depth > _DEEPEST:
            return False
        match statement.type:
            case "expression_statement" | "return_statement":
                return any(self._always(child, key, begin, depth, awaited=False) for child in statement.children())
            case "lexical_declaration" | "variable_declaration":
                values = [value for child in statement.children() if (value := child.field("value")) is not None]
                return any(self._always(value, key, begin, depth, awaited=False) for value in values)
            case "statement_block":
                if key.partition(".")[0] in bindings(statement):
                    return False  # the name means something else in there
                return any(self._ensures(child, key, begin, depth + 1) for child in statement.children())
            case "else_clause" | "finally_clause":
                return any(self._ensures(child, key, begin, depth + 1) for child in statement.children())
            case "if_statement":
                branches = [statement.field("consequence"), statement.field("alternative")]
                ensured = [one is not None and self._ensures(one, key, begin, depth + 1) for one in branches]
                return any(ensured) and all(
                    done or (one is not None and _leaves(one, 0)) for done, one in zip(ensured, branches, strict=True)
                )
            case "try_statement":
                body, handler, last = (statement.field(name) for name in ("body", "handler", "finalizer"))
                if last is not None and self._ensures(last, key, begin, depth + 1):
                    return True
                caught = handler.field("body") if handler is not None else None
                return (
                    body is not None
                    and self._ensures(body, key, begin, depth + 1)
                    and (caught is None or _leaves(caught, 0))
                )
        return False

    def _always(self, expression: Site, key: str, begin: bool, depth: int, *, awaited: bool = True) -> bool:
        """Whether evaluating an expression always sets the tenant. What nobody awaits may run later."""
        site = expression.bare()
        match site.type:
            case "await_expression":
                return any(self._always(child, key, begin, depth) for child in site.children())
            case "assignment_expression" if (right := site.field("right")) is not None:
                return self._always(right, key, begin, depth, awaited=awaited)
            case "array":
                return any(self._always(child, key, begin, depth, awaited=awaited) for child in site.children())
            case "call_expression" if awaited:
                return self._sets(site, key, begin, depth)
        return False

    def _sets(self, call: Site, key: str, begin: bool, depth: int) -> bool:
        function, arguments = call.field("function"), call.field("arguments")
        if function is None or arguments is None:
            return False
        function = function.bare()
        given = arguments.children() if arguments.type == "arguments" else []
        if function.text in ("Promise.all", "Promise.allSettled") and given:
            return function.text == "Promise.all" and self._always(given[0], key, begin, depth)
        if function.type == "member_expression" and (name := function.field("property")) is not None:
            target = function.field("object")
            if name.text in ("then", "finally", "catch") and target is not None:
                return name.text != "catch" and self._always(target, key, begin, depth)
        if key_of(self.handles.handle_of(call)) == key:
            return self._begins(given) if begin else self._writes_in(call, arguments)
        return self._calls_setter(call, function, given, key, begin, depth)

    def _begins(self, given: list[Site]) -> bool:
        text = given[0].string() if given else None
        return text is not None and _BEGIN.match(text) is not None

    def _writes_in(self, call: Site, arguments: Site) -> bool:
        first, last = arguments.node.start_byte, arguments.node.end_byte
        for write in self.writes(call.module):
            if first <= write.offset < last and not write.fault and write.settings & self.settings:
                inner = call.module.at(write.offset).inside(FUNCTIONS)
                if inner is None or inner.node.start_byte < first:
                    return True
        return False

    def _calls_setter(self, call: Site, function: Site, given: list[Site], key: str, begin: bool, depth: int) -> bool:
        """Whether a function of the workspace sets the tenant on what it is handed, or on the same `this.…`."""
        functions = self.methods.of(function) if depth < _DEEPEST else None
        if not functions:
            return False
        for index, argument in enumerate(given):
            if key_of(argument) == key and all(self._sets_given(one, index, begin, depth) for one in functions):
                return True
        if key.startswith("this.") and function.text.startswith("this.") and enclosing_class(call) is not None:
            return all(self._function_sets(one, key, begin, depth) for one in functions)
        return False

    def _sets_given(self, function: Site, index: int, begin: bool, depth: int) -> bool:
        listed = parameters(function)
        name = parameter_name(listed[index]) if index < len(listed) else None
        return name is not None and name.type == "identifier" and self._function_sets(function, name.text, begin, depth)

    def _function_sets(self, function: Site, key: str, begin: bool, depth: int) -> bool:
        memo = (function.key, key, begin)
        if memo not in self._setters:
            self._setters[memo] = False  # a function that calls itself proves nothing by that
            body = function.field("body")
            if body is not None and body.type == "statement_block":
                self._setters[memo] = self._body_sets(body, key, begin, depth + 1)
            elif body is not None:
                self._setters[memo] = self._always(body, key, begin, depth + 1)
        return self._setters[memo]

    def _body_sets(self, body: Site, key: str, begin: bool, depth: int) -> bool:
        """Whether a function has set the tenant when it returns: no return leaves it before."""
        for statement in body.children():
            if self._ensures(statement, key, begin, depth):
                return statement.type in _SIMPLE or not _returns(statement)
            if _returns(statement):
                return False
        return False

    # ------------------------------------------------------------------------------------------- transactions

    def is_transaction(self, handle: Site, depth: int = 0) -> bool:
        """Whether a handle is a transaction, or a client in one, at its place. A pool or Knex itself is none."""
        handle = handle.bare()
        if handle.type == "await_expression" and handle.children():
            handle = handle.children()[0].bare()
        key = key_of(handle)
        if depth > _DEEPEST:
            return False
        if handle.type == "call_expression":
            return self._opens(handle, depth)
        if key is None:
            return False
        if self._precedes(handle, key, begin=True) is not None:
            return True
        if handle.type == "member_expression":
            return vocabulary.is_handed_over(key.rpartition(".")[2])
        binding = lookup(handle, key)
        if binding is None or binding.kind not in ("parameter", "variable"):
            return False
        if binding.kind == "variable":
            value = binding.site.field("value")
            if binding.members or value is None:
                return vocabulary.is_handed_over(binding.members[-1] if binding.members else binding.name)
            return self.is_transaction(value, depth + 1)
        listed = parameters(binding.site)
        annotation = listed[binding.index].field("type") if not binding.members else None
        type_ = annotation.text if annotation is not None else ""
        call = binding.site.wrapped().parent
        if call is not None and call.type == "arguments" and call.parent is not None:
            function = call.parent.field("function")
            if function is not None and vocabulary.opens_transaction(function.text.rpartition(".")[2]):
                return True
        if vocabulary.is_handed_over(binding.name, type_):
            return True
        return not binding.members and self._handed_transactions(binding.site, binding.index, depth)

    def _opens(self, call: Site, depth: int) -> bool:
        function = call.field("function")
        if function is None:
            return False
        if vocabulary.opens_transaction(function.text.rpartition(".")[2]):
            return True
        found = self.program.define(function)
        if isinstance(found, Site) and found.type in FUNCTIONS:
            given = returned(found)
            return bool(given) and all(self.is_transaction(one, depth + 1) for one in given)
        return False

    def _handed_transactions(self, function: Site, index: int, depth: int) -> bool:
        references = self.references.of(function)
        calls = [
            call
            for reference in references or ()
            if reference.certain
            and (call := reference.site.wrapped().parent) is not None
            and call.type == "call_expression"
        ]
        handed = []
        for call in calls:
            arguments = call.field("arguments")
            given = arguments.children() if arguments is not None else []
            handed.append(index < len(given) and self.is_transaction(given[index], depth + 1))
        return bool(handed) and all(handed)

    # ------------------------------------------------------------------------------------------- near misses

    def near_miss(self, handle: Site) -> str:
        """A clause that says which write on the same handle does not count, and why; "" without one."""
        key = key_of(handle)
        outer = next((above for above in reversed(list(handle.above())) if above.type in FUNCTIONS), None)
        if key is None or outer is None:
            return ""
        misses: list[str] = []
        for write in self.writes(handle.module):
            if not outer.node.start_byte <= write.offset < outer.node.end_byte:
                continue
            site = handle.module.at(write.offset)
            call = site.inside(frozenset({"call_expression"}))
            if call is None or key_of(self.handles.handle_of(call)) != key:
                continue
            if not write.settings & self.settings:
                misses.append(f"{site.place} sets {min(write.settings)}, which is not what it takes")
                continue
            if write.fault:
                return f"{site.place} {write.fault}"
            if not self.is_transaction(self.handles.handle_of(call)):
                return f"{site.place} sets the tenant outside of a transaction, where that has no effect"
            return f"{site.place} sets the tenant on it, but not always, or not before this"
        return misses[0] if misses else self._missed_setter(handle, key, outer)

    def _missed_setter(self, handle: Site, key: str, outer: Site) -> str:
        """The same for a function that sets the tenant on the handle that it is given."""
        for site in outer.module.identifiers(key.rpartition(".")[2], outer):
            given = site.parent if site.type == "property_identifier" and site.parent is not None else site
            arguments = given.wrapped().parent
            call = arguments.parent if arguments is not None and arguments.type == "arguments" else None
            function = call.field("function") if call is not None and key_of(given) == key else None
            if call is None or function is None or arguments is None:
                continue
            if self._calls_setter(call, function.bare(), arguments.children(), key, False, 0):
                return f"{call.place} sets the tenant on it, but not always, or not before this"
        return ""


def _fault(write: SettingWrite, module: Module) -> str:
    if _EMPTY.search(module.text[write.place.start : write.place.end]):
        return _TAKEN
    if write.form == "bind":
        return "sets the tenant by SET with a bind parameter, which fails"
    return "" if write.local else "sets the tenant for a session, which any connection of the pool may serve"


def key_of(site: Site) -> str | None:
    """How a handle is written, so that two places can be compared: `trx`, `this.trx`, `req.trx`."""
    site = site.bare()
    if site.type in ("identifier", "shorthand_property_identifier"):
        return site.text
    if site.type == "member_expression":
        target, name = site.field("object"), site.field("property")
        if target is None or name is None:
            return None
        owner = "this" if target.bare().type == "this" else key_of(target)
        return f"{owner}.{name.text}" if owner is not None else None
    return None


def _returns(statement: Site) -> bool:
    """Whether a return stands in a statement, which leaves the function without an error."""
    pending = [statement]
    while pending:
        site = pending.pop()
        if site.type == "return_statement":
            return True
        if site.type not in FUNCTIONS:
            pending += [child for child in site.children() if child.node.named_child_count or "return" in child.type]
    return False


def _leaves(statement: Site, depth: int) -> bool:
    """Whether a statement always leaves the function."""
    if depth > _DEEPEST:
        return False
    match statement.type:
        case "return_statement" | "throw_statement":
            return True
        case "statement_block" | "else_clause":
            return any(_leaves(child, depth + 1) for child in statement.children())
        case "if_statement":
            branches = [statement.field("consequence"), statement.field("alternative")]
            return all(one is not None and _leaves(one, depth + 1) for one in branches)
    return False


def _is_left(site: Site, handle: Site) -> bool:
    """Whether a place stands in a block that always leaves the function, and that another place is not in."""
    for above in site.above():
        if above.node.start_byte <= handle.node.start_byte < above.node.end_byte:
            return False
        if above.type == "statement_block" and _leaves(above, 0):
            return True
    return False


def _declared_in(handle: Site, key: str) -> tuple[str, int, int, str] | None:
    """The function or block that declares the name at the start of a handle; beyond it, the name means another."""
    binding = lookup(handle, key.partition(".")[0])
    if binding is None:
        return None
    if binding.kind == "parameter":
        return binding.site.key
    return next((above.key for above in binding.site.above() if above.type in _BLOCKS), None)
