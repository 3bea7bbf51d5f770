"""From bytes to text, and TypeScript text without its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from remediate.source.model import FileTree
from remediate.source.place import Place

# A migration is written by hand; what is larger is a dump, and is named rather than read.
LARGEST_MIGRATION = 5 * 1024 * 1024

# Strings stand beside comments in one pattern, so that `'--'`, `"/*"` and `https://` inside a string are no comment.
# A quote that nothing closes takes the rest of its line: trying again behind each would take quadratic time.
STRING_OR_COMMENT = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?(?:\*/|\Z) )
  | '(?:\\.|[^'\\\n])*+(?:'|\\?$)
  | "(?:\\.|[^"\\\n])*+(?:"|\\?$)
  | `(?:\\.|[^`\\])*+(?:`|\\?\Z)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)

_STRINGS = re.compile(
    rb"""
    //[^\n]* | /\*.*?(?:\*/|\Z)
  | ( '(?:\\.|[^'\\\n])*+(?:'|\\?$) | "(?:\\.|[^"\\\n])*+(?:"|\\?$) | `(?:\\.|[^`\\])*+(?:`|\\?\Z) )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


class Unreadable(Exception):
    """A file that is no text that we read; the message is the reason."""


def read_text(tree: FileTree, path: PurePosixPath, limit: int = LARGEST_MIGRATION) -> tuple[bytes, str]:
    """The bytes of a file as stored, and its text. Raises Unreadable with the reason."""
    try:
        data = tree.read(path)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from None
    if len(data) > limit:
        raise Unreadable(f"is {len(data)} bytes large; files of more than {limit} bytes are not read")
    return data, decode(data)


def decode(data: bytes) -> str:
    """The text of UTF-8 bytes, without a byte order mark. Raises Unreadable."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("is UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise Unreadable("is binary, not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 (byte {error.start})") from None


def without_comments(text: str) -> str:
    """TypeScript without `//` and `/* */` comments; line breaks and strings stay."""
    return STRING_OR_COMMENT.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    comment = match.group("comment")
    return match.group() if comment is None else " " + "\n" * comment.count("\n")


def place_of(file: str, data: bytes, start: int, end: int) -> Place:
    """The place of the bytes from `start` to `end` of a file."""
    line_start = data.rfind(b"\n", 0, start) + 1
    column = len(data[line_start:start].decode("utf-8-sig" if line_start == 0 else "utf-8", errors="replace")) + 1
    return Place(file, data.count(b"\n", 0, start) + 1, column, start, end)


def comments(data: bytes) -> Iterator[tuple[int, int]]:
    """The byte spans of the `//` and `/* */` comments of a TypeScript file."""
    # One character for each byte: the pattern's offsets are then byte offsets, and its special characters are ASCII.
    for match in STRING_OR_COMMENT.finditer(data.decode("latin-1")):
        if match.group("comment") is not None:
            yield match.span()


def strings(data: bytes) -> list[bytes]:
    """The string and template literals of a TypeScript file, as they are written, quotes included."""
    return [string for string in _STRINGS.findall(data) if string]
