"""The name of the next migration: the service's own scheme, and after every name that is there.

Knex compares names as strings, and a name that sorts before one already run is run late and out of order. So whatever
the scheme, the result is checked against every existing name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_PREFIX = re.compile(r"^(\d+)([_.\-]*)(.*)$")
_STAMPS = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M", 8: "%Y%m%d"}


@dataclass(frozen=True, slots=True)
class Numbered:
    """`001_`, `12-`: a counter of some width."""

    last: int
    width: int
    separator: str

    def prefix(self, ahead: int) -> str:
        return str(self.last + ahead).zfill(self.width) + self.separator


@dataclass(frozen=True, slots=True)
class Stamped:
    """`20260103_`, `20240917164841_`: a date, or a date and time, with `step` between one and the next."""

    first: datetime
    layout: str
    separator: str
    step: timedelta

    def prefix(self, ahead: int) -> str:
        return (self.first + self.step * (ahead - 1)).strftime(self.layout) + self.separator


@dataclass(frozen=True, slots=True)
class Epoch:
    """`1699999999999_`: milliseconds (or seconds) since 1970."""

    last: int
    separator: str

    def prefix(self, ahead: int) -> str:
        return f"{self.last + ahead}{self.separator}"


def next_names(existing: Sequence[str], slugs: Sequence[str], extension: str, today: date) -> list[str]:
    """A file name for each slug, each sorting after every existing name and after the one before it.

    `existing` holds the names of all directories of the service. `today` is the date of the commit that is planned
    from (or what `--date` says), never that of the clock: the same commit gives the same names on every day.
    """
    ordered = sorted(existing, key=_order)
    scheme = _scheme(ordered, today)
    last = ordered[-1] if ordered else ""
    names = []
    for ahead, slug in enumerate(slugs, 1):
        slug = _plain(slug)
        name = f"{scheme.prefix(ahead)}{_cased(slug, ordered)}{extension}"
        if _order(name) <= _order(last):
            name = _after(last, slug, extension)
        names.append(name)
        last = name
    return names


def _scheme(ordered: Sequence[str], today: date) -> Numbered | Stamped | Epoch:
    """The scheme of the last name that has one: where two were mixed, only what sorts last can be continued."""
    for name in reversed(ordered):
        match = _PREFIX.match(name)
        if not match:
            continue
        digits, separator = match[1], match[2] or "_"
        if stamp := _stamp(digits):
            moment, layout = stamp
            step = timedelta(days=1) if len(digits) == 8 else timedelta(minutes=1)
            start = datetime(today.year, today.month, today.day)
            return Stamped(max(moment + step, start), layout, separator, step)
        if len(digits) in (10, 13):
            return Epoch(int(digits), separator)
        return Numbered(int(digits), len(digits), separator)
    if ordered:
        return Numbered(0, 3, "_")
    return Stamped(datetime(today.year, today.month, today.day), _STAMPS[14], "_", timedelta(minutes=1))


def _stamp(digits: str) -> tuple[datetime, str] | None:
    layout = _STAMPS.get(len(digits))
    if layout is None:
        return None
    try:
        moment = datetime.strptime(digits, layout)
    except ValueError:
        # 20251399 looks like a date and is none; hours past 23 occur where people count upwards.
        return None
    # Other years are counters too, and cannot be written with four digits, or not be continued.
    return (moment, layout) if 1900 <= moment.year < 9000 else None


def _after(last: str, slug: str, extension: str) -> str:
    """A name after `last` where its scheme cannot be continued: `9_` is followed by no `10_` in string order."""
    match = _PREFIX.match(last)
    prefix = f"{match[1]}{match[2] or '_'}" if match else ""
    name = f"{prefix}zz_{slug}{extension}"
    # An underscore sorts after the dot of an extension, so that what continues the last name is always after it.
    return name if _order(name) > _order(last) else f"{last.rpartition('.')[0] or last}_{slug}{extension}"


def _order(name: str) -> bytes:
    """A sort key as JavaScript compares strings: by UTF-16 code unit."""
    return name.encode("utf-16-be", "surrogatepass")


def _plain(slug: str) -> str:
    """Lower-case words: a slug may hold a table's name, and that may hold anything, slashes and `camelCase` too."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", slug)
    return re.sub(r"[^0-9a-z]+", "_", parted.lower()).strip("_") or "repair"


def _cased(slug: str, existing: Sequence[str]) -> str:
    """snake_case, or kebab-case or camelCase where the newest name with several words is so."""
    for name in reversed(existing):
        match = _PREFIX.match(name)
        rest = (match[3] if match else name).split(".")[0]
        if "_" in rest:
            return slug
        if "-" in rest:
            return slug.replace("_", "-")
        if re.search(r"[a-z][A-Z]", rest):
            first, *others = slug.split("_")
            joined = "".join(word.capitalize() for word in others)
            return (first.capitalize() if rest[0].isupper() else first) + joined
    return slug
