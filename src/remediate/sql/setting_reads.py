"""Where an expression reads a custom setting, and the same expression with the reads exchanged.

A read is the whole operand that comes of `current_setting('name'…)`: with the NULLIF around it, the cast behind it, the
parentheses and the scalar sub-select that hold nothing else. Expressions are those of the catalog, which are spelled in
one way; still, nothing here depends on spaces or on redundant parentheses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from remediate.sql.tokens import Call, Token, calls, tokens


@dataclass(frozen=True, slots=True)
class SettingRead:
    """One read: `start` and `end` span the operand in characters. `type` is the type that it is cast to, or "text".

    `compared` says whether it stands directly beside `=`: then NULL makes the comparison reject the row. Anywhere else
    (IS NULL, COALESCE, an argument) a NULL may open what it closed before.
    """

    name: str
    start: int
    end: int
    type: str
    compared: bool


@dataclass(frozen=True, slots=True)
class Expanded:
    text: str
    changed: bool
    obstacles: tuple[str, ...] = ()


def setting_reads(expression: str) -> list[SettingRead]:
    """The reads of settings that are named by a constant, in order."""
    all_tokens = tokens(expression)
    found = []
    for call in calls(expression, "current_setting"):
        name = _constant(expression, call)
        if name is not None:
            found.append(_operand(name, call, all_tokens, expression))
    return found


def expand_reads(
    expression: str,
    canonical: str,
    legacy: Sequence[str],
    value: Callable[[Sequence[str], str], str],
) -> Expanded:
    """The expression with each read of a legacy name reading the canonical name too.

    `value(names, type)` is the SQL of the tenant under these names. `obstacles` name the reads whose surroundings may
    let a NULL open something.
    """
    text, obstacles, changed = expression, [], False
    for read in reversed(setting_reads(expression)):
        if read.name not in legacy:
            continue
        text = text[: read.start] + value((canonical, read.name), read.type) + text[read.end :]
        changed = True
        if not read.compared:
            operand = expression[read.start : read.end]
            obstacles.append(
                f"The policy uses {operand} other than in a comparison: two names that disagree may open it."
            )
    return Expanded(text, changed, tuple(reversed(obstacles)))


def _constant(expression: str, call: Call) -> str | None:
    """The name in the first argument, whatever cast it carries."""
    if not call.arguments:
        return None
    start, end = call.arguments[0]
    first = next(iter(tokens(expression[start:end])), None)
    return first.text[1:-1] if first is not None and first.kind == "SCONST" and first.text.startswith("'") else None


def _operand(name: str, call: Call, all_tokens: tuple[Token, ...], expression: str) -> SettingRead:
    """Climbs from the call outwards for as long as what is around it adds nothing but form."""
    first = next(index for index, token in enumerate(all_tokens) if token.start == call.start)
    last = next(index for index, token in enumerate(all_tokens) if token.end == call.end)
    type_ = "text"
    while True:
        if (after := _cast(all_tokens, last)) is not None:
            type_ = _type_text(all_tokens[last + 2 : after + 1])
            last = after
        elif (around := _wrapped(all_tokens, first, last)) is not None:
            first, last = around
        else:
            break
    before = all_tokens[first - 1].text if first else ""
    behind = all_tokens[last + 1].text if last + 1 < len(all_tokens) else ""
    start, end = all_tokens[first].start, all_tokens[last].end
    return SettingRead(name, start, end, type_, "=" in (before, behind))


def _cast(all_tokens: tuple[Token, ...], last: int) -> int | None:
    """The index of the last token of `::type` behind token `last`."""
    if last + 2 >= len(all_tokens) or all_tokens[last + 1].text != "::":
        return None
    end = last + 2
    while end + 1 < len(all_tokens):
        token = all_tokens[end + 1]
        if token.text == "(":
            while end + 1 < len(all_tokens) and all_tokens[end].text != ")":
                end += 1
        elif token.text == "." or all_tokens[end].text == "." or token.text.lower() in ("varying", "precision"):
            end += 1
        else:
            break
    return end


def _type_text(parts: Sequence[Token]) -> str:
    text = " ".join(part.text for part in parts)
    return text.replace(" . ", ".").replace(" (", "(").replace("( ", "(").replace(" )", ")")


def _wrapped(all_tokens: tuple[Token, ...], first: int, last: int) -> tuple[int, int] | None:
    """One step outwards: plain parentheses, a scalar sub-select of nothing else, NULLIF(…, '')."""
    if first == 0 or last + 1 >= len(all_tokens):
        return None
    before = all_tokens[first - 1]
    if before.kind == "SELECT" and first >= 2 and all_tokens[first - 2].text == "(":
        end = last + 1
        if all_tokens[end].kind == "AS":
            end += 2
        return (first - 2, end) if end < len(all_tokens) and all_tokens[end].text == ")" else None
    if before.text != "(":
        return None
    opener = all_tokens[first - 2] if first >= 2 else None
    if opener is not None and opener.kind == "NULLIF":
        end = last + 1
        if all_tokens[end].text != "," or all_tokens[end + 1].text != "''":
            return None
        closing = _cast(all_tokens, end + 1) or end + 1
        return (first - 2, closing + 1) if all_tokens[closing + 1].text == ")" else None
    # `(` behind a name is a call, behind ANY or IN it is no operand of its own.
    if opener is not None and opener.text != "(" and opener.kind not in _BEFORE_OPERAND:
        return None
    return (first - 1, last + 1) if all_tokens[last + 1].text == ")" else None


_BEFORE_OPERAND = frozenset(
    {"AND", "OR", "NOT", "WHERE", "ON", "WHEN", "THEN", "ELSE", "SELECT", "LIKE", "Op"}
    | {"LESS_EQUALS", "GREATER_EQUALS", "NOT_EQUALS"}
    | {"ASCII_60", "ASCII_61", "ASCII_62", "ASCII_43", "ASCII_44", "ASCII_45"}
)
"""Kinds of token behind which a parenthesis opens an operand."""
