"""The enumerations of the parser's tree, for those who look into nodes; protobuf stays behind this package."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from postgast import pg_query_pb2 as _tree


def _constants(enumeration: Any) -> Any:
    """The numbers by their names; protobuf's own wrapper looks each up in a descriptor, thousands of times a second."""
    return SimpleNamespace(**dict(enumeration.items()))


AlterTableType: Any = _constants(_tree.AlterTableType)
ConstrType: Any = _constants(_tree.ConstrType)
DropBehavior: Any = _constants(_tree.DropBehavior)
FunctionParameterMode: Any = _constants(_tree.FunctionParameterMode)
GrantTargetType: Any = _constants(_tree.GrantTargetType)
ObjectType: Any = _constants(_tree.ObjectType)
RoleSpecType: Any = _constants(_tree.RoleSpecType)
SortByDir: Any = _constants(_tree.SortByDir)
SortByNulls: Any = _constants(_tree.SortByNulls)
TransactionStmtKind: Any = _constants(_tree.TransactionStmtKind)
VariableSetKind: Any = _constants(_tree.VariableSetKind)


def strings(nodes: Any) -> list[str]:
    """The values of a list of String nodes."""
    return [node.string.sval for node in nodes]


def option(nodes: Any, name: str) -> Any | None:
    """The last DefElem of that name in a list of options."""
    found = None
    for node in nodes:
        if node.def_elem.defname == name:
            found = node.def_elem
    return found


def option_text(element: Any) -> str:
    """The value of a DefElem as text: a name, a string, a number, "true" where it stands alone."""
    kind = element.arg.WhichOneof("node") if element.HasField("arg") else None
    if kind is None:
        return "true"
    value = getattr(element.arg, kind)
    if kind == "string":
        return str(value.sval)
    if kind == "integer":
        return str(value.ival)
    if kind == "float":
        return str(value.fval)
    if kind == "boolean":
        return "true" if value.boolval else "false"
    if kind == "type_name":
        return str(value.names[-1].string.sval)
    return ""
