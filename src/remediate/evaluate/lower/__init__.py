"""From a file's bytes to a lowered module. Pure: the same bytes give the same module, whatever else there is."""

from __future__ import annotations

from remediate.evaluate import ast
from remediate.evaluate.lower import expressions as _expressions  # noqa: F401 (registers itself)
from remediate.evaluate.lower import functions as _functions  # noqa: F401 (registers itself)
from remediate.evaluate.lower.lowering import Lowering, named
from remediate.evaluate.lower.statements import statements
from remediate.evaluate.stack import run_deep
from remediate.evaluate.syntax import parse

__all__ = ["lower"]


def lower(file: ast.SourceFile) -> ast.Module:
    """Lowers one TypeScript or JavaScript file. Raises `SyntaxProblem` with the reason and the place."""
    return run_deep(lambda: _lower(file))


def _lower(file: ast.SourceFile) -> ast.Module:
    root = parse(file).root_node
    low = Lowering(file)
    body = statements(low, root, named(root))
    return ast.Module(body, tuple(low.imports), tuple(dict.fromkeys(low.variables)), low.deepest + 2, low.modern)
