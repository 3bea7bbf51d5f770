"""What policies and functions do with settings: which they read, write, and compare with which column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from remediate.detect.tokens import CAST, CLOSE, COMMA, DOT, OPEN, Token, closing, opening, tokens, words
from remediate.replay.catalog import Catalog, Function, Policy

_READS = "current_setting"
_COMPARING = frozenset({"=", "<>", "!="})
# What ends an operand to either side. `in` and `from` (of IS DISTINCT FROM) compare, and end what stands beside them.
_BOUNDARY = words(
    """
    and or not where when then else end if elsif on using check return returns select from in is begin
    declare loop having case group order limit into values set perform raise exception language as
    """
)
_NOT_COLUMNS = words(
    """
    null true false nullif coalesce cast current_setting any all array select distinct
    """
)


@dataclass(frozen=True, slots=True)
class Read:
    """One call of current_setting on a constant name. `missing_ok`: its second argument is given and not false."""

    setting: str
    missing_ok: bool


@dataclass(frozen=True, slots=True)
class Write:
    """One place that sets a setting. `value` holds the names that stand in the value's expression."""

    setting: str
    value: frozenset[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of something with a value that comes from settings.

    `columns` are the names that stand alone on the other side; `plain` says that the value's side is one read of one
    setting and nothing but casts, NULLIF(…, '') and a sub-select around it, and the other side one name or its cast.
    `guarded` says that the value's side refuses settings that disagree: CASE WHEN one <> other.
    """

    operator: str
    columns: frozenset[str]
    settings: frozenset[str]
    plain: bool
    guarded: bool = False


def reads(sql: str) -> tuple[Read, ...]:
    """Every read of a setting in an expression or a function body, in reading order."""
    # Few texts do, and looking for the name costs a hundredth of cutting the text into tokens.
    return _all_reads(sql) if _READS in sql.lower() else ()


@lru_cache(maxsize=4096)
def _all_reads(sql: str) -> tuple[Read, ...]:
    return tuple(read for _, read in _reads(tokens(sql)))


def _reads(sequence: Sequence[Token]) -> Iterator[tuple[int, Read]]:
    for index, token in enumerate(sequence[:-2]):
        if token.name == _READS and sequence[index + 1] == OPEN and sequence[index + 2].kind == "string":
            arguments = sequence[index + 3 : closing(sequence, index + 1)]
            missing_ok = COMMA in arguments and Token("word", "false") not in arguments
            yield index, Read(sequence[index + 2].text, missing_ok)


def writes(sql: str) -> tuple[Write, ...]:
    """Every write of a custom setting in a function body: set_config, SET, and SET in a string for EXECUTE."""
    return tuple(_writes(tokens(sql))) if "set" in sql.lower() else ()


def _writes(sequence: Sequence[Token]) -> Iterator[Write]:
    for index, token in enumerate(sequence):
        following = sequence[index + 1 : index + 3]
        if token.name == "set_config" and len(following) == 2 and following[1].kind == "string":
            arguments = sequence[index + 3 : closing(sequence, index + 1)]
            yield Write(following[1].text, _words(arguments))
        elif token.name == "set":
            yield from _set_command(sequence[index + 1 : index + 12])
        elif token.kind == "string" and "set" in token.text.lower() and "." in token.text:
            yield from _writes(tokens(token.text))


def _set_command(after: Sequence[Token]) -> Iterator[Write]:
    """`[LOCAL | SESSION] prefix.name = value`; without a dot it is SET of an UPDATE or a setting of PostgreSQL."""
    if after and after[0].name in ("local", "session"):
        after = after[1:]
    if len(after) > 3 and after[0].name and after[1] == DOT and after[2].name and after[3].text in ("=", "to"):
        value = after[4:]
        end = next((index for index, token in enumerate(value) if token.text == ";"), len(value))
        yield Write(f"{after[0].text}.{after[2].text}", _words(value[:end]))


def _words(sequence: Iterable[Token]) -> frozenset[str]:
    return frozenset(token.text for token in sequence if token.kind in ("word", "quoted", "number"))


def comparisons(sql: str, returned: Mapping[str, frozenset[str]] | None = None) -> tuple[Comparison, ...]:
    """Every comparison whose one side holds a setting.

    `returned` gives the settings that functions read, by function name, so that `tenant_id = current_tenant_id()` is
    seen as a comparison with what that function reads.
    """
    folded = sql.lower()
    if _READS not in folded and not any(name.lower() in folded for name in returned or ()):
        return ()
    sequence = tokens(sql)
    found = []
    for index, token in enumerate(sequence):
        operator = _operator(sequence, index)
        if operator is None:
            continue
        left = sequence[_left_edge(sequence, index) : index]
        right = sequence[index + 1 : _right_edge(sequence, index)]
        for value, other in ((right, left), (left, right)):
            settings = _settings(value, returned or {})
            if settings and not _settings(other, returned or {}):
                plain = token.text == "=" and _is_plain_read(value) and _is_plain_column(other)
                found.append(Comparison(operator, _columns(other), settings, plain, _is_guarded(value)))
                break
    return tuple(found)


def _operator(sequence: Sequence[Token], index: int) -> str | None:
    token = sequence[index]
    if token.kind == "symbol" and token.text in _COMPARING:
        return token.text
    if token == Token("word", "in"):
        return "in"
    if token == Token("word", "from") and index and sequence[index - 1] == Token("word", "distinct"):
        return "distinct"
    return None


def _left_edge(sequence: Sequence[Token], index: int) -> int:
    position = index - 1
    while position >= 0 and sequence[position].text in ("distinct", "not", "is") and sequence[position].kind == "word":
        position -= 1
    while position >= 0:
        token = sequence[position]
        if token == CLOSE:
            position = opening(sequence, position)
        elif _ends_operand(token):
            break
        position -= 1
    return position + 1


def _right_edge(sequence: Sequence[Token], index: int) -> int:
    position = index + 1
    while position < len(sequence):
        token = sequence[position]
        if token == OPEN:
            position = closing(sequence, position)
        elif token == CLOSE or _ends_operand(token):
            break
        position += 1
    return position


def _ends_operand(token: Token) -> bool:
    if token.kind == "symbol":
        return token.text in ("(", ",", ";", ":=") or token.text in _COMPARING
    return token.kind == "word" and token.text in _BOUNDARY


def _settings(operand: Sequence[Token], returned: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = {read.setting for _, read in _reads(operand)}
    for index, token in enumerate(operand[:-1]):
        if token.name in returned and operand[index + 1] == OPEN:
            found |= returned[token.text]
    return frozenset(found)


def _columns(operand: Sequence[Token]) -> frozenset[str]:
    """The names in an operand that may be columns: no functions, types after a cast, or qualifiers."""
    found = set()
    for index, token in enumerate(operand):
        following = operand[index + 1] if index + 1 < len(operand) else None
        before = operand[index - 1] if index else None
        if token.name is None or following in (OPEN, DOT) or before == CAST:
            continue
        if token.kind == "quoted" or token.text not in _NOT_COLUMNS | _BOUNDARY:
            found.add(token.text)
    return frozenset(found)


def _is_plain_column(operand: Sequence[Token]) -> bool:
    return all(token.name or token in (DOT, OPEN, CLOSE, CAST) for token in operand)


def _is_plain_read(operand: Sequence[Token]) -> bool:
    """Whether it is one read inside nothing but parentheses, casts, NULLIF with the empty string and a bare SELECT."""
    rest: list[Token] = []
    position = 0
    count = 0
    while position < len(operand):
        token = operand[position]
        if token.name == "current_setting":
            count += 1
            position = closing(operand, position + 1)
        elif token == CAST or token == Token("word", "as"):
            position += 1  # a type's first word or an alias; longer types leave words that are refused below
        elif token.name not in ("nullif", "select") and token not in (OPEN, CLOSE, COMMA, Token("string", "")):
            rest.append(token)
        position += 1
    return count == 1 and not rest


def _is_guarded(sequence: Sequence[Token]) -> bool:
    return Token("word", "case") in sequence and Token("symbol", "<>") in sequence


def is_guarded(sql: str) -> bool:
    """Whether it compares two values and decides by a CASE: the form that accepts settings unless they disagree."""
    return _is_guarded(tokens(sql))


def returned_read(body: str) -> Read | None:
    """The read that a function consists of: `SELECT <read>` in SQL, `BEGIN RETURN <read>; END` in PL/pgSQL."""
    sequence = [token for token in tokens(body) if token != Token("symbol", ";")]
    while sequence and sequence[0].text in ("begin", "return", "select"):
        sequence.pop(0)
    if sequence and sequence[-1] == Token("word", "end"):
        sequence.pop()
    found = reads(body)
    return found[0] if len(found) == 1 and _is_plain_read(sequence) else None


def policy_text(policy: Policy) -> str:
    """USING and WITH CHECK, one after the other: what a policy reads and compares is in one of them."""
    return f"{policy.using or ''} ; {policy.check or ''}"


def settings_by_function(catalog: Catalog) -> dict[str, frozenset[str]]:
    """The settings that functions read, by bare function name; overloads are taken together.

    A function that calls such a function reads what that one reads.
    """
    direct = {name: frozenset(read.setting for read in reads(body)) for name, body in _bodies(catalog)}
    changed = True
    while changed:
        changed = False
        for name, body in _bodies(catalog):
            called = _settings(tokens(body), direct)
            if not called <= direct[name]:
                direct[name] |= called
                changed = True
    return {name: settings for name, settings in direct.items() if settings}


def _bodies(catalog: Catalog) -> list[tuple[str, str]]:
    bodies: dict[str, str] = {}
    for function in catalog.functions.values():
        bodies[function.name.name] = bodies.get(function.name.name, "") + "\n;\n" + function.body
    return list(bodies.items())


def mentions(function: Function, name: str) -> bool:
    """Whether the body of a function names something, in SQL or in a string that it executes."""
    return any(
        token.text == name or (token.kind == "string" and name in _words(tokens(token.text)))
        for token in tokens(function.body)
    )
