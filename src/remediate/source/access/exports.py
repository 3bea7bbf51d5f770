"""What a module exports under which names, in the forms of ESM, CommonJS and TypeScript."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from remediate.source.access.scope import declared_by
from remediate.source.access.site import Module, Site


@dataclass(slots=True)
class Exports:
    """`named` by exported name; `"="` is what the module as a whole is (`module.exports = …`, `export = …`).

    `forwarded` are names that come from another module, as (module as written, name there); `everything` the modules
    of `export * from`.
    """

    named: dict[str, Site] = field(default_factory=dict)
    forwarded: dict[str, tuple[str, str]] = field(default_factory=dict)
    everything: list[str] = field(default_factory=list)


def exports_of(module: Module) -> Exports:
    found = Exports()
    for statement in module.root.children():
        if statement.type == "export_statement":
            _esm(statement, found)
        elif statement.type == "expression_statement":
            for name, value in _commonjs(statement):
                found.named.setdefault(name, value)
    return found


def _esm(statement: Site, found: Exports) -> None:
    declaration, value, source = (statement.field(name) for name in ("declaration", "value", "source"))
    package = source.string() if source is not None else None
    words = {child.type for child in statement.node.children}
    if declaration is not None:
        for name in _declared(declaration):
            found.named["default" if "default" in words else name] = declaration
        if "default" in words:
            found.named["default"] = declaration
        elif declaration.type in ("lexical_declaration", "variable_declaration"):
            for name in _declared(declaration):
                found.named[name] = declaration
    elif value is not None:
        found.named["=" if "=" in words else "default"] = value
    for clause in statement.children():
        if clause.type == "export_clause":
            for specifier in clause.children():
                own, alias = specifier.field("name"), specifier.field("alias")
                if own is None:
                    continue
                if package is not None:
                    found.forwarded[(alias or own).text] = (package, own.text)
                else:
                    found.named[(alias or own).text] = own
        elif clause.type == "namespace_export" and package is not None and clause.children():
            found.forwarded[clause.children()[0].text] = (package, "*")
    if package is not None and "*" in words:
        found.everything.append(package)
    if statement.type == "export_statement" and "=" in words and value is None:
        rest = [child for child in statement.children() if child.type not in ("export_clause", "string")]
        if rest:
            found.named["="] = rest[-1]


def _declared(declaration: Site) -> list[str]:
    return [binding.name for binding in declared_by(declaration)]


def _commonjs(statement: Site) -> Iterator[tuple[str, Site]]:
    """`exports.x = …`, `module.exports.x = …`, `module.exports = …` and chains of them."""
    assignment = statement.children()[0] if statement.children() else None
    names = []
    while assignment is not None and assignment.type == "assignment_expression":
        left, right = assignment.field("left"), assignment.field("right")
        if left is None or right is None:
            return
        target = left.text.replace(" ", "")
        if target == "module.exports":
            names.append("=")
        elif target.startswith(("exports.", "module.exports.")):
            names.append(target.removeprefix("module.").removeprefix("exports."))
        assignment = right.bare()
    if assignment is not None:
        yield from ((name, assignment) for name in names)
