"""How a service writes its migrations: extension, module form, signature, quotes, indentation, semicolons.

Read off the newest files that take Knex (a file that takes a pg Pool does not run under Knex, so nobody should copy
it). Text statistics are enough here: the files were parsed before, and a wrong guess costs looks, not correctness.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from remediate.source.model import MigrationSource, Module, Service

SAMPLE = 5
"""How many of the newest files are looked at: a service that changed its style is met in its present one."""

_POOL = re.compile(r"\bup\b[^{;]*?\(\s*\w+\s*:\s*(?:pg\.)?(?:Pool|PoolClient|Client)\b|\b(?:pool|client)\.query\(")
_COMMONJS = re.compile(r"^\s*(?:module\.)?exports\b", re.MULTILINE)
_ESM = re.compile(r"^\s*export\b", re.MULTILINE)
_ARROW = re.compile(r"\bup\s*=\s*async\s*\(|\bup\s*=\s*\(|\bup\s*:\s*async\s*\(|\bup\s*=\s*async\s+\w+\s*=>")
_INDENT = re.compile(r"^( +|\t+)\S", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class HouseStyle:
    """`module` is the form of the file's own text: TypeScript that is compiled to CommonJS is written as ESM."""

    directory: str
    extension: str
    typescript: bool
    module: Module
    arrow: bool
    quote: Literal["'", '"']
    indent: str
    semicolons: bool
    newline: Literal["\n", "\r\n"] = "\n"


def house_style(service: Service) -> HouseStyle | None:
    """The style of a service, or None where none of its migrations takes Knex: then nothing can be written for it."""
    found = [
        source for source in service.migrations if not service.configured or source.directory in service.configured
    ]
    usable = [source for source in found if not takes_pool(source)]
    if not usable:
        return None
    newest = usable[-SAMPLE:]
    last = newest[-1]
    texts = [source.data.decode("utf-8", "replace") for source in newest]
    text = "\n".join(texts)
    extension = PurePosixPath(last.name).suffix
    return HouseStyle(
        directory=last.directory,
        extension=extension,
        typescript=extension in (".ts", ".mts", ".cts"),
        module=_module(extension, texts[-1], service.module),
        arrow=_ARROW.search(texts[-1]) is not None,
        quote=_quote(text),
        indent=_indent(texts),
        semicolons=_semicolons(text),
        newline="\r\n" if text.count("\r\n") > text.count("\n") / 2 else "\n",
    )


def takes_pool(source: MigrationSource) -> bool:
    """Whether its functions take a `pg` Pool or Client instead of Knex."""
    return _POOL.search(source.data.decode("utf-8", "replace")) is not None


def _module(extension: str, text: str, declared: Module) -> Module:
    if extension in (".cjs", ".cts") or (_COMMONJS.search(text) and not _ESM.search(text)):
        return "commonjs"
    if extension == ".mjs" or _ESM.search(text):
        return "esm"
    return declared


def _quote(text: str) -> Literal["'", '"']:
    """The commoner quote around module names and short strings; SQL in template literals holds both and is left out."""
    code = re.sub(r"`(?:[^`\\]|\\.)*`", "", text, flags=re.DOTALL)
    single, double = len(re.findall(r"'[^'\n\"]*'", code)), len(re.findall(r'"[^"\n\']*"', code))
    return '"' if double > single else "'"


def _indent(texts: Sequence[str]) -> str:
    """The smallest indentation that is common: a file's first indented line is nearly always one level deep."""
    first = Counter(match[1] for text in texts if (match := _INDENT.search(_without_comments(text))))
    return first.most_common(1)[0][0] if first else "  "


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _semicolons(text: str) -> bool:
    lines = [line.rstrip() for line in text.splitlines()]
    ending = sum(line.endswith((");", "`;", "';", '";', "];")) for line in lines)
    bare = sum(line.endswith((")", "`)", "']", '"]')) for line in lines)
    return ending >= bare / 4 or ending > 3
