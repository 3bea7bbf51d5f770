"""The search path that a knexfile gives to the connections of a service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from remediate.source.folders import Folder
from remediate.source.knexfile import SchemaName, unfollowed
from remediate.source.model import SearchPath
from remediate.source.place import Place
from remediate.source.text import STRING_OR_COMMENT

OPTION = "searchPath"

_SENT = re.compile(r"\bset\s+(?:session\s+)?search_path\s*(?:=|\bto\b)\s*(?P<names>[^;]*)", re.IGNORECASE)
_SCHEMA = re.compile(r"\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<plain>[\w$]+))\s*(?:,|$)")


def search_path(
    folders: Iterable[Folder], environment: Mapping[str, str], texts: Mapping[str, str]
) -> SearchPath | None:
    """What the knexfiles of these folders say; None where they say nothing, or a name is not known.

    Knex sends `set search_path` on every connection, each name quoted (lib/dialects/postgres/index.js). `environment`
    are the variables that are configured, `texts` the knexfiles by path, without comments.
    """
    folders = list(folders)
    for file in dict.fromkeys(folder.knexfile.file for folder in folders if folder.knexfile):
        sent = sent_by(texts.get(file, ""))
        if sent is not None:
            line, schemas = sent
            return SearchPath(schemas, Place(file, line, 1)) if schemas else None
    for folder in folders:
        main = folder.knexfile.main if folder.knexfile else None
        if folder.knexfile is None or main is None or not main.search_path:
            continue
        names = [_name(schema, environment) for schema in main.search_path]
        known = tuple(name for name in names if name)
        if len(known) < len(names):
            return None
        file = folder.knexfile.file
        lines = (line for line, option in unfollowed(texts.get(file, "")) if option == OPTION)
        return SearchPath(known, Place(file, next(lines, 1), 1))
    return None


def _name(schema: SchemaName, environment: Mapping[str, str]) -> str | None:
    given = (environment[variable] for variable in schema.variables if environment.get(variable))
    return next(given, schema.literal)


def sent_by(text: str) -> tuple[int, tuple[str, ...]] | None:
    """The search path that a knexfile sets by SQL, with its line; without schemas where they are not literal.

    Commonly in `pool.afterCreate`, and so after Knex has set its own path.
    """
    for literal in STRING_OR_COMMENT.finditer(text):
        match = _SENT.search(literal[0][1:-1].replace("\\", ""))
        if match is not None:
            return text.count("\n", 0, literal.start()) + 1, tuple(_schemas(match["names"]))
    return None


def _schemas(names: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(names):
        schema = _SCHEMA.match(names, at)
        if schema is None:
            return []
        found.append(schema["quoted"] or schema["plain"].lower())
        at = schema.end()
    return found
