"""What TypeScript and Prettier say about files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.driver import Driver


@dataclass(frozen=True, order=True)
class Diagnostic:
    """A complaint of the TypeScript compiler; line and column count from 1."""

    file: str
    line: int
    column: int
    code: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: TS{self.code}: {self.message}"


class TypeChecker:
    """`type_checker(files)` checks all files as one strict program, so hand in many at once."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __call__(self, files: Iterable[Path], **options: object) -> list[Diagnostic]:
        """The complaints about `files`; `options` are compiler options beyond `strict`, as in tsconfig.json."""
        found = self._driver.ask("types", files=[str(file.resolve()) for file in files], options=options)
        return sorted(Diagnostic(**diagnostic) for diagnostic in found)


class PrettierCheck:
    """`prettier_check(files, singleQuote=True)` gives the files that Prettier would write otherwise."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __call__(self, files: Iterable[Path], **options: object) -> Mapping[Path, str]:
        """Each file that Prettier would change, with the text that it would write; empty when all is well."""
        changed = self._driver.ask("format", files=[str(file.resolve()) for file in files], options=options)
        return {Path(path): text for path, text in changed.items()}
