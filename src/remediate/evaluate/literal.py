"""Strings that remember the literal they came from."""

from __future__ import annotations

from remediate.source.place import Place


class LiteralText(str):
    """The text of one string literal as it stands in the file: no escapes, no substitutions.

    `place` is the span of its content, so byte offsets of the text's UTF-8 map to the file by adding `place.start`.
    Every computation gives a plain str: the memory is lost as soon as the text is another one.
    """

    __slots__ = ("place",)
    place: Place

    @classmethod
    def of(cls, text: str, place: Place) -> LiteralText:
        literal = cls(text)
        literal.place = place
        return literal
