"""Escapes of string literals and the spelling of numbers."""

from __future__ import annotations

import re

from remediate.evaluate.values import Unknown

_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_LINE_ENDS = {"\n", "\r\n", "\r", "\u2028", "\u2029"}


def unescape(text: str) -> str:
    """What a string or template literal means whose content is `text`."""
    return _ESCAPE.sub(_meaning, text) if "\\" in text else text


def _meaning(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is not None:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    character = match[4]
    return "" if character in _LINE_ENDS else _SIMPLE.get(character, character)


def join_surrogates(text: str) -> str:
    r"""`\uD83D\uDE00` is one character to us; a lone half is replaced, as it would be on its way to the database."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def big_integer(value: int) -> int | Unknown:
    """A BigInt, as the number that it is written like: as long as no digit is lost."""
    return value if abs(value) <= 2**53 else Unknown("a BigInt beyond the safe integers")


def number(text: str) -> int | float | Unknown:
    """The value of a number literal."""
    text = text.replace("_", "").lower()
    if text.startswith(("0x", "0o", "0b")) and not text.endswith("n"):
        value: int | float = int(text, 0)
    elif text.endswith("n"):
        return big_integer(int(text[:-1], 0))
    elif text.isdigit():
        legacy = len(text) > 1 and text[0] == "0" and not set(text) & {"8", "9"}
        value = int(text, 8) if legacy else int(text) if len(text) < 400 else float("inf")
    else:
        value = float(text)
    if isinstance(value, int):
        return value if value <= 2**53 else float(value) if value < 2**1024 else float("inf")
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value
