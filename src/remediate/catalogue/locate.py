"""Where the data about rules lies: in the installed package, else in the checkout that the package is run from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from remediate.errors import RemediateError

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]


@cache
def locate(name: str) -> Path:
    """The folder `fixes` or `codemods`.

    A wheel holds them as `remediate/_catalogue/…`. An editable install does not (the build maps folders only into the
    wheel), so the checkout around `src/` comes second. Raises `RemediateError` if neither has it.
    """
    for folder in (_PACKAGE / "_catalogue" / name, _CHECKOUT / name):
        if folder.is_dir() and (folder.parent != _CHECKOUT or (_CHECKOUT / "pyproject.toml").is_file()):
            return folder
    raise RemediateError(
        f"the rules' own data ({name}) is missing from this installation",
        place=str(_PACKAGE),
        hint="install knex-remediate again, from a wheel or from a whole checkout",
    )
