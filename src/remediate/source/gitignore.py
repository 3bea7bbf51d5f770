"""Which paths of a tree are left alone: .gitignore files, and folders that never hold sources."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

# Folders that hold other people's code or copies that a build made. A compiled copy of a migration would otherwise be
# read as a second migration.
SKIPPED_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        "bower_components",
        "jspm_packages",
        "dist",
        "build",
        "out",
        "coverage",
        "vendor",
        ".next",
        ".nuxt",
        ".nyc_output",
        ".output",
        ".svelte-kit",
        ".turbo",
        ".nx",
        ".yarn",
        ".pnpm-store",
        ".cache",
        ".parcel-cache",
        ".serverless",
        ".terraform",
        ".venv",
        "__pycache__",
    }
)


class IgnoreRules:
    """The .gitignore files that hold for one folder: its own and those of the folders above it.

    Immutable: `entered` gives the rules of a sub-folder. Paths are POSIX and relative to the git top level. As in git
    the deepest file that says something about a path decides, and within a file its last matching line.
    """

    __slots__ = ("_layers",)

    def __init__(self, layers: tuple[tuple[str, GitIgnoreSpec, re.Pattern[str] | None], ...] = ()) -> None:
        self._layers = layers

    def entered(self, folder: str, text: str) -> IgnoreRules:
        """These rules and those of `folder`'s own .gitignore file; `folder` is "" for the top level."""
        spec = GitIgnoreSpec.from_lines(text.splitlines())
        prefix = f"{folder}/" if folder else ""
        return IgnoreRules(((prefix, spec, _any_of(spec)), *self._layers))

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        if is_folder:
            path += "/"
        for prefix, spec, quick in self._layers:
            if not path.startswith(prefix) or (quick is not None and not quick.match(path, len(prefix))):
                continue
            verdict = spec.check_file(path[len(prefix) :]).include
            if verdict is not None:
                return verdict
        return False


def _any_of(spec: GitIgnoreSpec) -> re.Pattern[str] | None:
    """One pattern that matches where any line of the file does; most paths match none, and are told apart at once."""
    compiled = [getattr(pattern, "regex", None) for pattern in spec.patterns]
    sources = [regex.pattern for regex in compiled if isinstance(regex, re.Pattern)]
    # The lines' own groups have names, which may not repeat, and `^` would not hold behind a prefix.
    plain = [re.sub(r"\(\?P<\w+>", "(?:", source).removeprefix("^") for source in sources]
    try:
        return re.compile("|".join(f"(?:{source})" for source in plain)) if plain else None
    except re.error:
        return None


def is_skipped_folder(name: str) -> bool:
    """Whether a folder of this name is never entered, whatever .gitignore says."""
    return name in SKIPPED_FOLDERS


def parents(path: PurePosixPath) -> list[PurePosixPath]:
    """The folders above `path`, from the top one down, without the root itself."""
    return [parent for parent in reversed(path.parents) if parent != PurePosixPath()]
