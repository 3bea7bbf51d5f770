"""What services need of each other, told from the text of their migrations, and the order that follows.

This is a light scan that decides an order and never a finding: what really exists is for replay to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from remediate.source.text import without_comments

# How much harm the wrong order does: a foreign key fails, a guarded use skips in silence, a name in a list may be data.
FOREIGN_KEY = 100
ALTERED = 30
READ = 10
CALLED = 5
GUARDED = 2
MENTIONED = 1

_NAME = r"(?:\"?(?P<schema>[A-Za-z_][\w$]*)\"?\s*\.\s*)?\"?(?P<name>[A-Za-z_][\w$]*)\"?"


class _Pattern:
    """A pattern that begins with one of some words."""

    def __init__(self, words: str, rest: str) -> None:
        self.words = words.lower().split()
        self._whole = re.compile(rf"(?:{'|'.join(words.split())}){rest}".replace("NAME", _NAME), re.IGNORECASE)

    def matches(self, code: str, starts: Mapping[str, Sequence[int]]) -> Iterator[re.Match[str]]:
        """What `finditer` would find; `starts` says where each word stands."""
        if len(self.words) == 1:
            places = starts.get(self.words[0], ())
        else:
            places = sorted(start for word in self.words for start in starts.get(word, ()))
        end = 0
        for start in places:
            if start >= end and (match := self._whole.match(code, start)):
                end = match.end()
                yield match


_CREATED_TABLES = (
    _Pattern(
        "createTable createTableIfNotExists createTableLike createView createViewOrReplace createMaterializedView",
        r"\s*\(\s*['\"`]NAME['\"`]",
    ),
    _Pattern(
        "CREATE",
        r"\s+(?:OR\s+REPLACE\s+)?(?:UNLOGGED\s+|TEMP(?:ORARY)?\s+|MATERIALIZED\s+|RECURSIVE\s+)*"
        r"(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?NAME",
    ),
    _Pattern("renameTable", r"\s*\(\s*['\"`][^'\"`]*['\"`]\s*,\s*['\"`]NAME['\"`]"),
)
_CREATED_FUNCTIONS = (_Pattern("CREATE", r"\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+NAME\s*\("),)

_USES: tuple[tuple[int, _Pattern], ...] = (
    (FOREIGN_KEY, _Pattern("inTable", r"\s*\(\s*['\"`]NAME['\"`]")),
    (FOREIGN_KEY, _Pattern("references", r"\s*\(\s*['\"`]NAME\.\w+['\"`]\s*\)(?!\s*\.\s*inTable)")),
    (FOREIGN_KEY, _Pattern("REFERENCES", r"\s+NAME\s*(?:\(|[,;`\n]|ON\b|NOT\b|DEFERRABLE\b|MATCH\b)")),
    (ALTERED, _Pattern("alterTable table", r"\s*\(\s*['\"`]NAME['\"`]\s*,")),
    (ALTERED, _Pattern("ALTER", r"\s+TABLE\s+(?!IF\b)(?:ONLY\s+)?NAME")),
    (GUARDED, _Pattern("ALTER", r"\s+TABLE\s+IF\s+EXISTS\s+(?:ONLY\s+)?NAME")),
    (ALTERED, _Pattern("CREATE", r"\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?TRIGGER\b[^;`]{0,600}?\bON\s+NAME")),
    (ALTERED, _Pattern("CREATE", r"\s+POLICY\s+[^;`]{0,600}?\bON\s+NAME")),
    (ALTERED, _Pattern("CREATE", r"\s+(?:UNIQUE\s+)?INDEX\b[^;`(]{0,200}?\bON\s+(?:ONLY\s+)?NAME")),
    (READ, _Pattern("FROM JOIN UPDATE", r"\s+(?:ONLY\s+)?NAME")),
    (READ, _Pattern("INSERT", r"\s+INTO\s+(?:ONLY\s+)?NAME")),
    (READ, _Pattern("knex trx db", r"\s*\(\s*['\"`]NAME['\"`]\s*\)")),
    (GUARDED, _Pattern("hasTable hasColumn", r"\s*\(\s*['\"`]NAME['\"`]")),
)
_WORDS = {
    word for pattern in (*_CREATED_TABLES, *_CREATED_FUNCTIONS, *(use for _, use in _USES)) for word in pattern.words
}
_KEYWORDS = re.compile(rf"\b(?:{'|'.join(sorted(_WORDS))})\b", re.IGNORECASE)
_CALLS = re.compile(
    rf"\b(?:EXECUTE\s+(?:FUNCTION|PROCEDURE)\s+|PERFORM\s+|SELECT\s+|[=(,]\s*){_NAME}\s*\(", re.IGNORECASE
)
_QUOTED = re.compile(r"['\"`]([A-Za-z_][\w$]*)['\"`]")
_GUARDS = re.compile(r"\bhasTable\b|\bto_regclass\b|\binformation_schema\b|\bpg_tables\b|\bpg_class\b", re.IGNORECASE)
_ASKED = (
    re.compile(r"\bhasTable\s*\(\s*['\"`]([^'\"`]*)['\"`]", re.IGNORECASE),
    re.compile(r"table_name\s*=\s*'([^']*)'", re.IGNORECASE),
)
_ASKED_IN_TEXT = re.compile(r"to_regclass\s*\(\s*'([^']*)'", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One service needs an object that another creates; `weight` is how badly."""

    service: str
    owner: str
    subject: str
    weight: int

    @property
    def how(self) -> str:
        return _HOW.get(self.weight, "mentioned")


_HOW = {FOREIGN_KEY: "foreign key", ALTERED: "altered", READ: "read", CALLED: "called", GUARDED: "guarded"}


@dataclass(slots=True)
class Scan:
    """What one service's migrations create and use; names in lower case, without schema."""

    tables: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    uses: dict[str, int] = field(default_factory=dict)
    calls: set[str] = field(default_factory=set)
    mentions: set[str] = field(default_factory=set)


def scan(texts: Iterable[str]) -> Scan:
    """Scans the texts of one service's migrations."""
    found = Scan()
    for text in texts:
        code = without_comments(text)
        # Where any of the patterns may match: to look for them one by one would go over the text once for each.
        starts: dict[str, list[int]] = {}
        for match in _KEYWORDS.finditer(code):
            starts.setdefault(match[0].lower(), []).append(match.start())
        guarded = _GUARDS.search(code) is not None
        for pattern in _CREATED_TABLES:
            found.tables.update(match["name"].lower() for match in pattern.matches(code, starts))
        for pattern in _CREATED_FUNCTIONS:
            found.functions.update(match["name"].lower() for match in pattern.matches(code, starts))
        mentions = {name.lower() for name in _QUOTED.findall(code)}
        asked = _Guards(code) if guarded else None
        for weight, pattern in _USES:
            for match in pattern.matches(code, starts):
                name = match["name"].lower()
                # A guard names the table in quotes; then the wrong order skips, and does not fail.
                actual = min(weight, GUARDED) if guarded and name in mentions and weight < FOREIGN_KEY else weight
                if asked is not None and name in mentions and weight == FOREIGN_KEY and asked.name(name):
                    actual = GUARDED
                found.uses[name] = max(found.uses.get(name, 0), actual)
        found.calls.update(match["name"].lower() for match in _CALLS.finditer(code))
        found.mentions |= mentions
    return found


class _Guards:
    """The tables that a file asks for before it refers to them."""

    def __init__(self, code: str) -> None:
        self._names = {name.lower() for pattern in _ASKED for name in pattern.findall(code)}
        self._texts = [text.lower() for text in _ASKED_IN_TEXT.findall(code)]

    def name(self, name: str) -> bool:
        """Whether a table is among them; `name` in lower case."""
        return name in self._names or any(
            text.endswith(name) and not re.search(r"\w\Z", text[: -len(name)]) for text in self._texts
        )


def needs_of(scans: Mapping[str, Scan]) -> list[Need]:
    """What each service needs of the others, sorted; what it creates itself is no need."""
    table_owners = _owners({name: found.tables for name, found in scans.items()})
    function_owners = _owners({name: found.functions for name, found in scans.items()})
    needs: dict[tuple[str, str, str], int] = {}
    for service, found in scans.items():
        wanted = dict.fromkeys(found.mentions & table_owners.keys(), MENTIONED)
        wanted |= {name: weight for name, weight in found.uses.items() if name in table_owners}
        for name, weight in wanted.items():
            if name in found.tables:
                continue
            for owner in table_owners[name]:
                needs[service, owner, name] = weight
        for name in (found.calls & function_owners.keys()) - found.functions:
            for owner in function_owners[name]:
                key = (service, owner, f"{name}()")
                needs[key] = max(needs.get(key, 0), CALLED)
    return [Need(*key, weight) for key, weight in sorted(needs.items())]


def _owners(created: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    owners: dict[str, list[str]] = {}
    for service in sorted(created):
        for name in created[service]:
            owners.setdefault(name, []).append(service)
    # Where several services create the same object, whichever runs first will do.
    return {name: tuple(services[:1]) for name, services in owners.items()}


@dataclass(frozen=True, slots=True)
class Order:
    """`services` in the order to run; `cut` the needs that no order can meet, weakest first."""

    services: tuple[str, ...]
    cut: tuple[tuple[str, str], ...]


def dependency_order(services: Sequence[str], needs: Iterable[Need]) -> Order:
    """The order in which every service comes after what it needs; equals stand by name.

    A cycle is broken where its needs weigh least in sum, one pair of services at a time.
    """
    weights: dict[tuple[str, str], int] = {}
    for need in needs:
        weights[need.service, need.owner] = weights.get((need.service, need.owner), 0) + need.weight
    left = set(services)
    edges = {pair for pair in weights if pair[0] != pair[1]}
    ordered: list[str] = []
    cut: list[tuple[str, str]] = []
    while left:
        ready = sorted(name for name in left if not any(a == name and b in left for a, b in edges))
        if ready:
            ordered.append(ready[0])
            left.remove(ready[0])
            continue
        inside = [
            pair for pair in edges if pair[0] in left and pair[1] in left and _reaches(pair[1], pair[0], edges, left)
        ]
        weakest = min(inside, key=lambda pair: (weights[pair], pair))
        edges.remove(weakest)
        cut.append(weakest)
    rank = {name: position for position, name in enumerate(ordered)}
    unmet = tuple(pair for pair in cut if rank[pair[0]] < rank[pair[1]])
    return Order(tuple(ordered), unmet)


def _reaches(start: str, goal: str, edges: set[tuple[str, str]], within: set[str]) -> bool:
    seen, pending = {start}, [start]
    while pending:
        current = pending.pop()
        if current == goal:
            return True
        for a, b in edges:
            if a == current and b in within and b not in seen:
                seen.add(b)
                pending.append(b)
    return False
