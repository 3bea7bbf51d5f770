"""Constants as PostgreSQL prints them back: its output function has seen them, so '24 hours' reads 24:00:00."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*\Z")
_TRUE = frozenset({"t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"})
_FALSE = frozenset({"f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"})
_INTERVAL_PART = re.compile(r"([+-]?\d+)\s*([a-z]+)\s*", re.IGNORECASE)
_MONTHS = {"year": 12, "yr": 12, "y": 12, "month": 1, "mon": 1, "decade": 120, "century": 1200}
_DAYS = {"day": 1, "d": 1, "week": 7, "w": 7}
_SECONDS = {"hour": 3600, "hr": 3600, "h": 3600, "minute": 60, "min": 60, "m": 60, "second": 1, "sec": 1, "s": 1}


def number(value: str) -> str | None:
    """The text of a numeric constant, None if it is none."""
    if not _NUMBER.match(value):
        return None
    value = value.strip().lstrip("+")
    if "e" in value.lower():
        try:
            return format(Decimal(value), "f")
        except InvalidOperation:
            return None
    return value


def boolean(value: str) -> str | None:
    """bool.c parse_bool: any unambiguous prefix, case and white space ignored."""
    word = value.strip().lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else None


def normal_literal(value: str, type_name: str) -> str:
    """The constant as the type's output function writes it, as far as it is known here (else as it came)."""
    if type_name == "interval":
        return _interval(value) or value
    if type_name == "uuid":
        return value.strip().strip("{}").lower()
    if type_name in ("timestamp with time zone", "timestamp without time zone"):
        return _timestamp(value, zone=type_name.startswith("timestamp with ")) or value
    if type_name == "bytea" and not value.startswith("\\x") and "\\" not in value:
        return "\\x" + value.encode().hex()
    if type_name == "time without time zone" and re.fullmatch(r"\d\d:\d\d", value):
        return f"{value}:00"
    if type_name == "jsonb":
        return _jsonb(value) or value
    return value


def _jsonb(value: str) -> str | None:
    """jsonb.c: keys by length, then bytes, the last of equal ones; numbers as numeric writes them."""
    try:
        parsed = json.loads(value, parse_int=_JsonNumber, parse_float=_JsonNumber, parse_constant=_no_json)
        return _jsonb_text(parsed)
    except (ValueError, RecursionError):
        return None


class _JsonNumber(str):
    """A number, by its text."""

    __slots__ = ()


def _no_json(word: str) -> str:
    raise ValueError(word)


def _jsonb_text(value: Any) -> str:
    if isinstance(value, _JsonNumber):
        return number(value) or value
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: (len(pair[0].encode()), pair[0].encode()))
        return "{" + ", ".join(f"{_jsonb_text(key)}: {_jsonb_text(item)}" for key, item in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_jsonb_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _interval(value: str) -> str | None:
    months = days = seconds = 0
    position = 0
    value = value.strip()
    if not value:
        return None
    while position < len(value):
        match = _INTERVAL_PART.match(value, position)
        if not match:
            return None
        amount, unit = int(match[1]), match[2].lower()
        singular = unit[:-1] if len(unit) > 1 and unit.endswith("s") else unit
        if singular in _MONTHS:
            months += amount * _MONTHS[singular]
        elif singular in _DAYS:
            days += amount * _DAYS[singular]
        elif singular in _SECONDS:
            seconds += amount * _SECONDS[singular]
        else:
            return None
        position = match.end()
    if min(months, days, seconds) < 0:
        return None
    years, months = divmod(months, 12)
    parts = [
        f"{amount} {unit}{'' if amount == 1 else 's'}"
        for amount, unit in ((years, "year"), (months, "mon"), (days, "day"))
        if amount
    ]
    if seconds or not parts:
        parts.append(f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}")
    return " ".join(parts)


def _timestamp(value: str, *, zone: bool) -> str | None:
    """Only what means the same in every time zone setting but UTC's offset, which servers of ours run in."""
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if moment.tzinfo is not None:
        if moment.utcoffset() or not zone:
            return None
        moment = moment.replace(tzinfo=None)
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    if moment.microsecond:
        text += f".{moment.microsecond:06}".rstrip("0")
    return text + ("+00" if zone else "")
