"""Strings that remember the literal they came from."""

from __future__ import annotations

from remediate.evaluate.ast import SourceFile
from remediate.source.place import Place


class LiteralText(str):
    """The text of one string literal as it stands in the file: no escapes, no substitutions.

    Every computation gives a plain str: the memory is lost as soon as the text is another one.
    """

    __slots__ = ("_end", "_file", "_start")
    _file: SourceFile
    _start: int
    _end: int

    @classmethod
    def of(cls, text: str, file: SourceFile, start: int, end: int) -> LiteralText:
        """The text of a file between two byte offsets."""
        literal = cls(text)
        literal._file, literal._start, literal._end = file, start, end
        return literal

    @property
    def place(self) -> Place:
        """The span of the content: byte offsets of the text's UTF-8 map to the file by adding `place.start`.

        Worked out when it is asked for: few literals become statements.
        """
        return self._file.place(self._start, self._end)
