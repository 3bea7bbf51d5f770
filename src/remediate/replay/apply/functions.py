"""CREATE, ALTER of functions and procedures (commands/functioncmds.c, catalog/pg_proc.c ProcedureCreate)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from remediate.replay.apply.base import Applying, applies, uses_of
from remediate.replay.apply.bodies import check_body
from remediate.replay.builder import Uses
from remediate.replay.catalog import Function, FunctionVersion, QName
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.builtins import builtins
from remediate.sql.functions import normal_body
from remediate.sql.lookup import FoundRelation
from remediate.sql.nodes import FunctionParameterMode, ObjectType, option, option_text
from remediate.sql.parse import Node
from remediate.sql.quote import quote_identifier, quote_literal
from remediate.sql.types import base_type, spell_type

_IN, _OUT, _INOUT, _VARIADIC, _TABLE, _DEFAULT = (
    FunctionParameterMode.FUNC_PARAM_IN, FunctionParameterMode.FUNC_PARAM_OUT, FunctionParameterMode.FUNC_PARAM_INOUT,
    FunctionParameterMode.FUNC_PARAM_VARIADIC, FunctionParameterMode.FUNC_PARAM_TABLE,
    FunctionParameterMode.FUNC_PARAM_DEFAULT,
)  # fmt: skip
_WORDS = {_IN: "", _DEFAULT: "", _OUT: "OUT ", _INOUT: "INOUT ", _VARIADIC: "VARIADIC "}


@dataclass(frozen=True, slots=True)
class Parameter:
    mode: int
    name: str
    type: str
    default: str | None = None

    @property
    def is_input(self) -> bool:
        return self.mode in (_IN, _DEFAULT, _INOUT, _VARIADIC)

    @property
    def is_output(self) -> bool:
        return self.mode in (_OUT, _INOUT, _TABLE)


@dataclass(frozen=True, slots=True)
class FunctionDetails:
    """`row` is what OUT parameters or TABLE give, by name and type."""

    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    attributes: tuple[str, ...] = ()


@applies("create_function_stmt")
def create_function(node: Node, at: Applying) -> None:
    schema, name = at.qualified(node.funcname)
    qualified = at.new_qualified(schema, name)
    procedure = bool(node.is_procedure)
    parameters = [_parameter(item.function_parameter, at) for item in node.parameters]
    inputs = tuple(each for each in parameters if each.is_input)
    outputs = tuple(each for each in parameters if each.is_output)
    _require_distinct(parameters, qualified)
    language_option = option(node.options, "language")
    language = option_text(language_option).lower() if language_option is not None else "sql"
    if language_option is None and not node.HasField("sql_body"):
        raise Refused("42P13", "no language specified")
    if language not in ("sql", "plpgsql", "c", "internal"):
        raise Refused("42704", f'language "{language}" does not exist')
    returns = _returns(node, outputs, procedure, at)
    body = _body(node, at)
    key = (qualified, tuple(each.type for each in inputs))
    old = at.builder.functions.get(key)
    if old is not None:
        _require_replaceable(node, old, returns, inputs, outputs, at)
    function = Function(
        qualified,
        _identity(parameters, procedure),
        key[1],
        returns,
        language,
        body,
        (at.origin("create"),) if old is None else (*old.history, at.origin("replace")),
        "procedure" if procedure else "function",
        statement=at.statement.text,
    )
    details = FunctionDetails(inputs, outputs)
    function, details = apply_options(function, details, node.options)
    function = replace(function, definition=definition(function, details, node))
    check_body(node, function, [(each.name, each.type) for each in inputs], at)
    at.builder.functions[key] = function
    at.builder.extras["function", key] = details
    at.builder.uses["function", qualified, ",".join(key[1])] = _uses(function, parameters, node, at)
    at.log.functions.append(FunctionVersion(function, False))


def _parameter(node: Node, at: Applying) -> Parameter:
    default = at.expression(node.defexpr).text if node.HasField("defexpr") else None
    return Parameter(node.mode, node.name, parameter_type(node.arg_type, at), default)


def parameter_type(node: Node, at: Applying) -> str:
    """Without a length: pg_proc keeps none. `table.column%TYPE` is the column's type."""
    if node.pct_type:
        names = [part.string.sval for part in node.names]
        found = at.relation_named(names[-3] if len(names) > 2 else None, names[-2])
        columns = at.lookup.found(found[0]).columns if found else None
        type_name = (columns or {}).get(names[-1])
        if type_name is None:
            raise Refused("42703", f'column "{names[-1]}" of relation "{names[-2]}" does not exist')
        return base_type(type_name)
    return base_type(at.type(node))


def _require_distinct(parameters: list[Parameter], name: QName) -> None:
    for group in ([each for each in parameters if each.is_input], [each for each in parameters if each.is_output]):
        names = [each.name for each in group if each.name]
        doubled = next((each for place, each in enumerate(names) if each in names[:place]), None)
        if doubled:
            raise Refused("42P13", f'parameter name "{doubled}" used more than once')


def _returns(node: Node, outputs: tuple[Parameter, ...], procedure: bool, at: Applying) -> str:
    """pg_get_function_result."""
    if procedure:
        return ""
    table = [each for each in outputs if each.mode == _TABLE]
    if table:
        return f"TABLE({', '.join(f'{quote_identifier(each.name)} {each.type}' for each in table)})"
    if node.HasField("return_type"):
        type_name = parameter_type(node.return_type, at)
        return f"SETOF {type_name}" if node.return_type.setof else type_name
    if not outputs:
        raise Refused("42P13", "function result type must be specified")
    return outputs[0].type if len(outputs) == 1 else "record"


def _body(node: Node, at: Applying) -> str:
    if node.HasField("sql_body"):
        return at.statement.text
    element = option(node.options, "as")
    if element is None:
        raise Refused("42P13", "no function body specified")
    return "\n".join(item.string.sval for item in element.arg.list.items)


def _identity(parameters: list[Parameter], procedure: bool) -> str:
    """pg_get_function_identity_arguments; procedures show IN."""
    parts = []
    for each in parameters:
        if each.mode == _TABLE:
            continue
        word = _WORDS[each.mode] or ("IN " if procedure else "")
        parts.append(f"{word}{quote_identifier(each.name) + ' ' if each.name else ''}{each.type}")
    return ", ".join(parts)


def _require_replaceable(
    node: Node, old: Function, returns: str, inputs: tuple[Parameter, ...], outputs: tuple[Parameter, ...], at: Applying
) -> None:
    """ProcedureCreate, in its order: kind, result, row type, names, defaults."""
    shown = old.signature.split(".", 1)[1]
    if not node.replace:
        raise Refused("42723", f'function "{old.name.name}" already exists with same argument types')
    if old.kind != ("procedure" if node.is_procedure else "function"):
        raise Refused("42809", f'cannot change routine kind: "{old.name.name}" is a {old.kind}')
    details: FunctionDetails = at.builder.extras["function", (old.name, old.argument_types)]
    if old.returns != returns:
        before = [(each.name, each.type) for each in details.outputs]
        what = "" if not before else " (row type defined by OUT parameters is different)"
        raise Refused("42P13", f"cannot change return type of existing function {shown}{what}")
    if [(each.name, each.type) for each in details.outputs] != [(each.name, each.type) for each in outputs]:
        raise Refused("42P13", f"cannot change return type of existing function {shown}")
    for before_, after in zip(details.inputs, inputs, strict=True):
        if before_.name and before_.name != after.name:
            raise Refused("42P13", f'cannot change name of input parameter "{before_.name}" of {shown}')
        if before_.default is not None and after.default is None:
            raise Refused("42P13", f"cannot remove parameter defaults from existing function {shown}")


def apply_options(function: Function, details: FunctionDetails, options: Node) -> tuple[Function, FunctionDetails]:
    """SECURITY, volatility, SET and the like, of CREATE and ALTER alike."""
    attributes = {name: value for name, _, value in (each.partition(" ") for each in details.attributes)}
    for item in options:
        element = item.def_elem
        name = element.defname
        if name == "security":
            function = replace(function, security_definer=option_text(element) == "true")
        elif name == "volatility":
            function = replace(function, volatility=option_text(element))
        elif name == "set":
            function = replace(function, settings=_with_setting(function.settings, element.arg.variable_set_stmt))
        elif name in ("strict", "leakproof", "window"):
            if option_text(element) == "true":
                attributes[name] = ""
            else:
                attributes.pop(name, None)
        elif name in ("parallel", "cost", "rows"):
            attributes[name] = option_text(element)
    return function, replace(details, attributes=tuple(f"{key} {value}".strip() for key, value in attributes.items()))


def _with_setting(settings: tuple[tuple[str, str], ...], node: Node) -> tuple[tuple[str, str], ...]:
    values = dict(settings)
    if node.kind == 6:  # RESET ALL
        return ()
    if node.kind in (2, 5):  # TO DEFAULT, RESET
        values.pop(node.name, None)
    else:
        values[node.name] = ", ".join(setting_value(item) for item in node.args)
    return tuple(values.items())


def setting_value(node: Node) -> str:
    """One value of SET: a constant or a name."""
    constant = node.a_const if node.WhichOneof("node") == "a_const" else node.type_cast.arg.a_const
    kind = constant.WhichOneof("val")
    if kind == "sval":
        return str(constant.sval.sval)
    if kind == "ival":
        return str(constant.ival.ival)
    if kind == "fval":
        return str(constant.fval.fval)
    return "true" if kind == "boolval" and constant.boolval.boolval else "false" if kind == "boolval" else ""


def definition(function: Function, details: FunctionDetails, node: Node | None, body: str | None = None) -> str:
    """The CREATE statement without OR REPLACE, such that equal functions have equal text."""
    word = "PROCEDURE" if function.kind == "procedure" else "FUNCTION"
    defaults = {each.name: each.default for each in details.inputs if each.default is not None}
    parts = [f"CREATE {word} {quote_identifier(function.name.schema)}.{quote_identifier(function.name.name)}"
             f"({function.arguments})"]  # fmt: skip
    if function.returns:
        parts.append(f"RETURNS {function.returns}")
    parts.append(f"LANGUAGE {function.language}")
    parts += [function.volatility.upper()] if function.volatility != "volatile" else []
    parts += ["SECURITY DEFINER"] if function.security_definer else []
    parts += [attribute.upper() for attribute in sorted(details.attributes)]
    parts += [f"SET {name} TO {quote_literal(value)}" for name, value in sorted(function.settings)]
    parts += [f"DEFAULT {name} {default}" for name, default in defaults.items()]
    if node is not None and node.HasField("sql_body"):
        body = " ".join(function.body.split())
    body = normal_body(function.body, function.language) if body is None else body
    return " ".join([*parts, f"AS {quote_literal(body)}"])


def _uses(function: Function, parameters: list[Parameter], node: Node, at: Applying) -> Uses:
    """pg_depend of a function: the row types in its signature, and what a body of the SQL standard refers to."""
    relations = set()
    for type_name in (function.returns.removeprefix("SETOF "), *(each.type for each in parameters)):
        base = type_name.removesuffix("[]").strip('"')
        if base in builtins().types or "(" in base or " " in base:
            continue
        schema, _, name = base.rpartition(".")
        found = at.builder.find_type(name, schema or None)
        if found is not None and (found in at.builder.tables or found in at.builder.views):
            relations.add(found)
    uses = Uses(relations=frozenset(relations))
    if node.HasField("sql_body") and node.sql_body.WhichOneof("node") == "return_stmt":
        scope = FoundRelation("", "", {each.name: each.type for each in parameters if each.name})
        spelled = at.expression(node.sql_body.return_stmt.returnval, scope)
        body = uses_of(spelled, at.builder)
        columns = frozenset(each for each in body.columns if each[0].name)
        return Uses(columns, body.relations | uses.relations, body.functions)
    return uses


@applies("alter_function_stmt")
def alter_function(node: Node, at: Applying) -> None:
    function = find_function(node.func, at)
    if function is None:
        return
    key = (function.name, function.argument_types)
    details: FunctionDetails = at.builder.extras["function", key]
    changed, details = apply_options(function, details, node.actions)
    changed = replace(changed, history=(*function.history, at.origin("alter")))
    at.builder.extras["function", key] = details
    at.builder.functions[key] = replace(changed, definition=definition(changed, details, None))


_ROUTINES: Final = {ObjectType.OBJECT_PROCEDURE: "procedure", ObjectType.OBJECT_FUNCTION: "function"}


def find_function(node: Node, at: Applying, *, missing_ok: bool = False, objtype: int | None = None) -> Function | None:
    """The function that an ObjectWithArgs names (parse_func.c LookupFuncWithArgs); None for a built-in one.

    Raises 42883 where there is none, 42725 where a name without arguments fits several.
    """
    schema, name = at.qualified(node.objname)
    overloads = list(at.builder.find_functions(name, schema))
    wanted = _ROUTINES.get(objtype) if objtype is not None else None
    others = [each for each in overloads if wanted is not None and each.kind != wanted]
    overloads = [each for each in overloads if each not in others]
    if node.args_unspecified:
        if len(overloads) > 1:
            raise Refused("42725", f'function name "{name}" is not unique')
        if overloads:
            return overloads[0]
        types: tuple[str, ...] = ()
    else:
        types = _argument_types(node, at)
        for each in overloads:
            if each.argument_types == types:
                return each
        if any(each.argument_types == types for each in others):
            raise Refused("42809", f"{name}({', '.join(types)}) is not a {wanted}")
    if missing_ok or (schema in (None, "pg_catalog") and name in builtins().functions and not overloads):
        return None
    if schema is not None and schema not in at.builder.schemas:
        raise Refused("3F000", f'schema "{schema}" does not exist')
    from remediate.replay.extensions import brings_function

    if brings_function(at.builder.extensions, name):
        return None
    shown = f"{schema}.{name}" if schema else name
    nearest = nearest_name(name, [key[0].name for key in at.builder.functions])
    if node.args_unspecified:
        raise Refused("42883", f'could not find a function named "{shown}"', nearest=nearest)
    raise Refused("42883", f"function {shown}({', '.join(types)}) does not exist", nearest=nearest)


def _argument_types(node: Node, at: Applying) -> tuple[str, ...]:
    if node.objfuncargs:
        parameters = [item.function_parameter for item in node.objfuncargs]
        return tuple(parameter_type(each.arg_type, at) for each in parameters if each.mode not in (_OUT, _TABLE))
    return tuple(base_type(spell_type(item.type_name, at.lookup)) for item in node.objargs)
