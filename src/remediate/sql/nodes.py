"""The enumerations of the parser's tree, for those who look into nodes; protobuf stays behind this package."""

from __future__ import annotations

from typing import Any

from postgast import pg_query_pb2 as _tree

AlterTableType: Any = _tree.AlterTableType
ConstrType: Any = _tree.ConstrType
DropBehavior: Any = _tree.DropBehavior
FunctionParameterMode: Any = _tree.FunctionParameterMode
GrantTargetType: Any = _tree.GrantTargetType
ObjectType: Any = _tree.ObjectType
RoleSpecType: Any = _tree.RoleSpecType
SortByDir: Any = _tree.SortByDir
SortByNulls: Any = _tree.SortByNulls
TransactionStmtKind: Any = _tree.TransactionStmtKind
VariableSetKind: Any = _tree.VariableSetKind


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
