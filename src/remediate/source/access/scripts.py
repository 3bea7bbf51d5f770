"""SQL files and scripts in other languages: whether they name a table in SQL, and set a tenant before."""

from __future__ import annotations

import re

from remediate.source.access.relations import Relation
from remediate.source.model import CodeFile

_SQL = (".sql", ".psql", ".pgsql")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_SETS = re.compile(r"\bset_config\s*\(\s*'([^']+)'|\bset\s+(?:local\s+|session\s+)?([a-z_]\w*\.\w+)", re.IGNORECASE)


def script_doubt(file: CodeFile, relation: Relation, settings: frozenset[str]) -> str | None:
    """Why a script may reach a table without the tenant set, as a sentence; None where it does not, or sets it."""
    text = file.data.decode("utf-8", "replace")
    if file.file.endswith(".prisma"):
        line = _model_of_prisma(text, relation.name)
        return f"{file.file}:{line} maps it to a model of Prisma, whose queries are not followed." if line else None
    is_sql = file.file.endswith(_SQL)
    if is_sql:
        text = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    offset = relation.offset_in(text, is_sql=is_sql)
    if offset is None:
        return None
    place = f"{file.file}:{text.count(chr(10), 0, offset) + 1}"
    if not is_sql:
        return f"{place} names it in SQL, in a script that is not followed."
    for match in _SETS.finditer(text, 0, offset):
        if (match[1] or match[2]).lower() in settings:
            return None
    return f"{place} names it in SQL that sets no tenant before."


def _model_of_prisma(text: str, table: str) -> int | None:
    pattern = rf"@@map\(\s*\"{re.escape(table)}\"\s*\)|^model\s+{re.escape(table)}\b"
    match = re.search(pattern, text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match is not None else None
