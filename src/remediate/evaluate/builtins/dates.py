"""Dates: those that are written down are known; what the clock or the machine's time zone decides is not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from remediate.evaluate.conversions import to_integer, to_text
from remediate.evaluate.machine import Machine
from remediate.evaluate.objects import Native, ScriptObject, argument, first
from remediate.evaluate.values import UNDEFINED, Drawn, Unknown, Value
from remediate.source.place import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d\d:?\d\d))?")
_LOCAL = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?:[T ](\d{1,2}):(\d\d)(?::(\d\d))?)?")


class Moment(ScriptObject):
    """A Date, in milliseconds since 1970."""

    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    @property
    def iso(self) -> str:
        moment = _EPOCH + timedelta(milliseconds=self.milliseconds)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z".rjust(24, "0")

    def get(self, name: str, place: Place) -> Value:
        moment = _EPOCH + timedelta(milliseconds=self.milliseconds)
        answers: dict[str, Value] = {
            "getTime": self.milliseconds,
            "valueOf": self.milliseconds,
            "toISOString": self.iso,
            "toJSON": self.iso,
            "getUTCFullYear": moment.year,
            "getUTCMonth": moment.month - 1,
            "getUTCDate": moment.day,
            "getUTCDay": (moment.weekday() + 1) % 7,
            "getUTCHours": moment.hour,
            "getUTCMinutes": moment.minute,
            "getUTCSeconds": moment.second,
        }
        if name in answers:
            return Native(name, lambda this, arguments, at: answers[name])
        return Unknown(f"the time zone of the machine ({name})", place)

    def primitive(self) -> Value:
        return Unknown("the time zone of the machine")


def parse_date(text: str) -> int | None:
    """The milliseconds of an ISO date that needs no time zone of the machine; None for any other text."""
    found = _ISO.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    offset = 0
    if zone and zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[-2:])) * (-1 if zone[0] == "-" else 1)
    return int((moment - _EPOCH).total_seconds()) * 1000 + int((fraction or "0").ljust(3, "0")) - offset * 60_000


def _now(place: Place) -> Drawn:
    return Drawn("the time at which the migration runs", place, stand_in="2000-01-01T00:00:00.000Z")


def date_class(machine: Machine) -> Native:
    """`Date`."""

    def local(parts: list[int], place: Place) -> Value:
        """A date in the time zone of the machine; servers and containers are set to UTC."""
        year, month, day, hour, minute, second = (parts + [0] * 6)[:6]
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return Unknown("a date that is written in a way that is not interpreted", place)
        machine.reporter.assume("a date in the time zone of the machine, taken as UTC", place)
        return Moment(int((moment - _EPOCH).total_seconds()) * 1000)

    def construct(this: Value, arguments: list[Value], place: Place) -> Value:
        if not arguments:
            return _now(place)
        value = arguments[0]
        other = Unknown("a date that is written in a way that is not interpreted", place)
        if len(arguments) == 1 and isinstance(value, Moment):
            return Moment(value.milliseconds)
        if len(arguments) == 1 and isinstance(value, int) and abs(value) < 10**14:
            return Moment(value)
        if len(arguments) == 1 and isinstance(value, str):
            if (parsed := parse_date(value)) is not None:
                return Moment(parsed)
            found = _LOCAL.fullmatch(value.strip())
            return local([int(part or 0) for part in found.groups()], place) if found else other
        if 1 < len(arguments) < 8 and all(isinstance(part, int) for part in arguments):
            year, month, *rest = (to_integer(part) for part in arguments)
            return local([year, month + 1, *(rest or [1])], place)
        return other

    def now(this: Value, arguments: list[Value], place: Place) -> Value:
        return Unknown("the time at which the migration runs", place)

    def utc(this: Value, arguments: list[Value], place: Place) -> Value:
        parts = [to_integer(item) for item in arguments]
        if len(parts) < 2 or argument(arguments, 0) is UNDEFINED:
            return Unknown("a date that is not known", place)
        year, month, day, hour, minute, second = (parts + [0, 0, 1, 0, 0, 0][len(parts) :])[:6]
        try:
            moment = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
            moment += timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
        except (ValueError, OverflowError):
            return Unknown("a date that is not known", place)
        return int((moment - _EPOCH).total_seconds()) * 1000

    def parse(this: Value, arguments: list[Value], place: Place) -> Value:
        parsed = parse_date(to_text(first(arguments)))
        return Unknown("a date in the time zone of the machine", place) if parsed is None else parsed

    members: dict[str, Value] = {
        "now": Native("now", now),
        "UTC": Native("UTC", utc),
        "parse": Native("parse", parse),
        "[[instance]]": Native("instance", lambda this, arguments, place: isinstance(first(arguments), Moment)),
    }
    return Native("Date", now, members, construct)
