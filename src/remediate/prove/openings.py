"""Values of settings that policies give a meaning of their own: a bypass, a tenant who is let in everywhere.

Nobody knows them but the policies themselves: what they compare with is tried.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from remediate.postgres.wire import Wire
from remediate.replay.catalog import QName
from remediate.sql.quote import Literal, QualifiedName

_SETTING = re.compile(r"current_setting\(\s*'([\w.]+)'", re.IGNORECASE)
_STRING = re.compile(r"'((?:[^']|'')*)'")
_USUAL = ("on", "true", "1")
_MOST = 24


def special_values(
    wire: Wire, table: QName, tenant_settings: Sequence[str], keys: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """Settings that policies of the table read, each with every constant in them that may be a value of it."""
    text = _policies(wire, table)
    settings = dict.fromkeys(_SETTING.findall(text))
    constants = dict.fromkeys(
        constant.replace("''", "'")
        for constant in _STRING.findall(text)
        if constant and constant not in settings and constant not in keys
    )
    found = [(setting, constant) for setting in settings for constant in constants]
    # A flag need not be compared with anything: it may be cast.
    found += [(name, usual) for name in settings if name not in tenant_settings for usual in _USUAL]
    return tuple(dict.fromkeys(found))[:_MOST]


def _policies(wire: Wire, table: QName) -> str:
    """The expressions of the table's policies, and the bodies of the functions that they name."""
    oid = f"{Literal(QualifiedName(*table).sql()).sql()}::pg_catalog.regclass"
    rows = wire.query(
        "SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_get_expr(polqual, polrelid),"
        f" pg_catalog.pg_get_expr(polwithcheck, polrelid)) FROM pg_catalog.pg_policy WHERE polrelid = {oid}"
    )
    text = "\n".join(str(one) for (one,) in rows)
    names = ", ".join(Literal(word).sql() for word in dict.fromkeys(re.findall(r"\w+(?=\()", text)))
    if not names:
        return text
    bodies = wire.query(
        "SELECT prosrc FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = pronamespace"
        f" WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND proname IN ({names})"
    )
    return "\n".join((text, *(str(body) for (body,) in bodies)))
