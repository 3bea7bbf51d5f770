"""What tsconfig.json and jsconfig.json say of imports: `baseUrl` and `paths`, with what they extend.

TypeScript: `paths` and `baseUrl` of a file replace those of the file that it extends; `paths` are relative to
`baseUrl`, without one to the file in which they stand; an exact pattern is taken first, then the one with the longest
text before its `*`.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from remediate.source.packages import upwards
from remediate.source.text import without_comments

# A file that only compilers are pointed at (tsconfig.base.json) counts where nothing else in its folder has aliases.
_NAMES = ("tsconfig.json", "jsconfig.json", "tsconfig.base.json")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_MOST_EXTENDS = 8
_OWN_FOLDER = "${configDir}"


@dataclass(frozen=True, slots=True)
class Aliases:
    """The aliases of one folder: `patterns` with where each leads, in the order in which they are tried, paths without
    extension; `asked` the files that were looked for to know it.
    """

    patterns: tuple[tuple[str, tuple[str, ...]], ...]
    asked: frozenset[str]

    def bases(self, target: str) -> Iterator[str]:
        """Where an import may lead by them."""
        for pattern, places in self.patterns:
            before, star, after = pattern.partition("*")
            if star:
                is_meant = len(target) >= len(before) + len(after)
                if is_meant and target.startswith(before) and target.endswith(after):
                    middle = target[len(before) : len(target) - len(after)]
                    yield from (posixpath.normpath(place.replace("*", middle)) for place in places)
            elif target == pattern:
                yield from (posixpath.normpath(place) for place in places)


@dataclass(slots=True)
class TsConfigs:
    """The aliases by folder, read once. `read` gives the bytes of a file of the workspace, None where there is none."""

    read: Callable[[str], bytes | None]
    _known: dict[str, Aliases] = field(default_factory=dict)

    def above(self, folder: str) -> Iterator[Aliases]:
        """The aliases that a file in a folder may use, those of the nearest folder first."""
        return (self._of(one) for one in upwards(folder))

    def _of(self, folder: str) -> Aliases:
        if folder not in self._known:
            asked: set[str] = set()
            options = (self._options(posixpath.join(folder, name), folder, asked, 0) for name in _NAMES)
            self._known[folder] = Aliases(
                next((found for one in options if (found := _patterns(one))), ()), frozenset(asked)
            )
        return self._known[folder]

    def _options(self, path: str, folder: str, asked: set[str], depth: int) -> _Options:
        """The options of a file and of those that it extends; later ones of several replace earlier ones."""
        if depth > _MOST_EXTENDS or len(asked) > _MOST_EXTENDS * 4:
            return _Options()
        asked.add(path)
        content = _lenient_json(self.read(path))
        parents = content.get("extends")
        found = _Options()
        for parent in parents if isinstance(parents, list) else [parents]:
            if isinstance(parent, str) and parent.startswith("."):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), parent))
                target = target if target.endswith(".json") else f"{target}.json"
                found = self._options(target, folder, asked, depth + 1).under(found)
        written = content.get("compilerOptions")
        return _own(written if isinstance(written, dict) else {}, posixpath.dirname(path), folder).under(found)


@dataclass(frozen=True, slots=True)
class _Options:
    """`base` is baseUrl and `paths` as they stand in `home`, the folder of their file; None where nothing says them."""

    base: str | None = None
    home: str = ""
    paths: dict[str, list[str]] | None = None

    def under(self, above: _Options) -> _Options:
        """These options, with those of a file that is extended where they say nothing."""
        base = above.base if self.base is None else self.base
        return (
            _Options(base, self.home, self.paths) if self.paths is not None else _Options(base, above.home, above.paths)
        )


def _own(options: dict[str, Any], home: str, folder: str) -> _Options:
    base, paths = options.get("baseUrl"), options.get("paths")
    found = None
    if isinstance(paths, dict):
        found = {
            pattern: [place.replace(_OWN_FOLDER, _absolute(folder)) for place in places if isinstance(place, str)]
            for pattern, places in paths.items()
            if isinstance(places, list) and pattern.count("*") <= 1
        }
    if not isinstance(base, str):
        return _Options(None, home, found)
    return _Options(_joined(home, base.replace(_OWN_FOLDER, _absolute(folder))), home, found)


def _patterns(options: _Options) -> tuple[tuple[str, tuple[str, ...]], ...]:
    home = options.home if options.base is None else options.base
    found = [
        (pattern, tuple(_joined(home, place) for place in places)) for pattern, places in (options.paths or {}).items()
    ]
    found.sort(key=lambda item: ("*" in item[0], -len(item[0].partition("*")[0])))
    if options.base is not None:
        found.append(("*", (_joined(options.base, "*"),)))
    return tuple(found)


def _absolute(folder: str) -> str:
    return f"/{folder}" if folder else "/."


def _joined(home: str, place: str) -> str:
    """A path of the workspace; one from the root of the workspace on begins with a slash."""
    return posixpath.normpath(posixpath.join(home, place) if not place.startswith("/") else place[1:])


def _lenient_json(data: bytes | None) -> dict[str, Any]:
    """JSON with comments and trailing commas, as TypeScript allows it; what is no object is an empty one."""
    try:
        text = _TRAILING_COMMA.sub(r"\1", without_comments((data or b"").decode("utf-8-sig")))
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
