"""The search path that a knexfile gives to the connections of a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from remediate.source.folders import Folder
from remediate.source.knexfile import SchemaName, unfollowed
from remediate.source.model import SearchPath
from remediate.source.place import Place

OPTION = "searchPath"


def search_path(
    folders: Iterable[Folder], environment: Mapping[str, str], texts: Mapping[str, str]
) -> SearchPath | None:
    """What the knexfiles of these folders say; None where they say nothing, or a name is not known.

    Knex sends `set search_path` on every connection, each name quoted (lib/dialects/postgres/index.js). `environment`
    are the variables that are configured, `texts` the knexfiles by path, without comments.
    """
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
