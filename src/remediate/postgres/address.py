"""Where a database of the user is: a URL or what libpq takes else, or the name of a variable that holds either.

The password stays out of everything that is printed: what is made of the address for a reader is `label`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from remediate.errors import RemediateError, conceal

_VARIABLE = re.compile(r"(?:env:|\$)\{?(?P<name>[A-Za-z_]\w*)\}?")
_SECRETS = ("password", "sslpassword")
_FORMS = "write it as postgresql://user@host:5432/database, or as libpq takes it: host=… dbname=… user=…, or env:NAME"


@dataclass(frozen=True, slots=True)
class Address:
    """What libpq is given. What is not in `parameters` it takes from PGHOST, PGSERVICE, ~/.pgpass and their like."""

    parameters: Mapping[str, str] = field(repr=False)

    @property
    def label(self) -> str:
        """The database and the server in words, without user or password."""
        database = self.parameters.get("dbname") or os.environ.get("PGDATABASE")
        host = self.parameters.get("host") or self.parameters.get("hostaddr") or os.environ.get("PGHOST")
        service = self.parameters.get("service") or os.environ.get("PGSERVICE")
        port = self.parameters.get("port", "")
        where = f" at {host}{f':{port}' if port and ',' not in f'{host}{port}' else ''}" if host else ""
        if not database and service:
            return f"service {service}{where}"
        return f"database {database}{where}" if database else f"the default database{where}"


def read_address(text: str) -> Address:
    """The address that was given. Its password is concealed from now on.

    `env:NAME`, `$NAME` and `${NAME}` stand for the value of a variable of the environment. Raises `RemediateError`,
    which quotes nothing of the address, where it is none.
    """
    from remediate.postgres.connection import require_driver

    require_driver()
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = conninfo_to_dict(_value(text))
    except (psycopg.Error, ValueError):  # whose text quotes what it cannot read
        raise RemediateError("is no address of a database", place="--database-url", hint=_FORMS) from None
    parameters = {name: str(one) for name, one in found.items() if one is not None}
    for name in _SECRETS:
        conceal(parameters.get(name, ""))
        conceal(quote(parameters.get(name, ""), safe=""))
    return Address(parameters)


def _value(text: str) -> str:
    text = text.strip()
    if (variable := _VARIABLE.fullmatch(text)) is None:
        return text
    value = os.environ.get(variable["name"], "").strip()
    if not value:
        hint = "put the address into it, or give it with --database-url"
        raise RemediateError(f"the variable {variable['name']} is not set", place="--database-url", hint=hint)
    return value
