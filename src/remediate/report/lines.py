"""Lines of a report before they are printed: pieces of text with a style each, and prose that fits the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Segment(NamedTuple):
    text: str
    style: str = ""


Line = list[Segment]
"""One line of output: pieces of text with the style of each, a name that rich knows or ""."""

SEVERITY_STYLE = {"error": "bold red", "warning": "yellow", "info": "cyan", "waiting": "cyan", "suppressed": "dim"}
LEVEL_STYLE = {"safe": "green", "unsafe": "yellow", "manual": "magenta"}
WIDEST_PROSE = 120
"""Longer lines are hard to read, however wide the terminal is."""
_NARROWEST = 30


def plain(line: Line) -> str:
    """A line without its styles."""
    return "".join(segment.text for segment in line).rstrip()


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `1,200 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def heading(text: str) -> Line:
    return [Segment(text, "bold underline")]


def prose(text: str, *, indent: int, width: int | None, first: Line | None = None, style: str = "") -> Iterator[Line]:
    """Text behind `indent` spaces, or behind `first` in its first line; broken at words to fit `width` columns.

    Without a width (a file, a pipe) each text is one line, so that searching in it finds it.
    """
    start = first if first is not None else [Segment(" " * indent)]
    if width is None:
        yield [*start, Segment(text, style)]
        return
    room = max(min(width, WIDEST_PROSE), indent + _NARROWEST)
    words = text.lstrip(" ").split(" ")
    lead = " " * (len(text) - len(text.lstrip(" ")))
    line, position, written = [*start, Segment(lead)], sum(len(segment.text) for segment in start) + len(lead), ""
    for word in words:
        space = " " if written else ""
        if position + len(space) + len(word) > room and (written or position > indent):
            yield [*line, Segment(written, style)]
            line, position, written, space = [Segment(" " * indent)], indent, "", ""
        written += space + word
        position += len(space) + len(word)
    yield [*line, Segment(written, style)]
