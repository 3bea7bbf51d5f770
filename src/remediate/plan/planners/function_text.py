"""Edits of a function's text: what it reads and writes, what it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from remediate.replay.catalog import QName, Trigger
from remediate.sql.function_source import function_source
from remediate.sql.quote import Literal, QualifiedName
from remediate.sql.tokens import Call, calls, tokens


def expand_function(statement: str, name: QName, canonical: str, legacy: Sequence[str]) -> str | None:
    """The statement with every read of a legacy setting accepting the canonical name, every write writing both.

    A read keeps what it answers while only the legacy name is set: the empty string stays one, and a one-argument read
    still raises where nothing is set, because a function may rely on either. Returns None where nothing was found to
    change. The result replaces the function under its qualified name.
    """
    source = function_source(statement)
    if source is None:
        return None
    body = _edit(source.body, "current_setting", lambda text, call: _expand_read(text, call, canonical, legacy))
    body = _edit(body, "set_config", lambda text, call: _expand_write(text, call, canonical, legacy))
    if body == source.body:
        return None
    return source.text(name=QualifiedName(*name).sql(), body=body, replace=True)


def replacing(statement: str, name: QName) -> str:
    """The statement as it stands, as CREATE OR REPLACE under its qualified name: what a `down` puts back."""
    source = function_source(statement)
    return source.text(name=QualifiedName(*name).sql(), replace=True) if source else statement


def rename_function(statement: str, name: QName) -> str:
    """The same function under another name, created and never replaced: a taken name must raise."""
    source = function_source(statement)
    return source.text(name=QualifiedName(*name).sql(), replace=False) if source else statement


def retarget_trigger(trigger: Trigger, function: QName) -> str:
    """The trigger's definition with another function, table and function under their qualified names.

    The definition is as PostgreSQL prints it: `… ON table …`, and at its end EXECUTE FUNCTION name(arguments).
    """
    found = tokens(trigger.definition)
    # The keyword that is followed by the table's name; what a trigger of that name is called comes as an identifier.
    on = next(index for index, token in enumerate(found) if token.kind == "ON")
    last = on + 1
    while found[last + 1].text == ".":
        last += 2
    execute = next(token for token in reversed(found) if token.kind == "EXECUTE")
    call = trigger.definition[execute.start :]
    return "".join(
        (
            trigger.definition[: found[on].end],
            f" {QualifiedName(*trigger.table).sql()}",
            trigger.definition[found[last].end : execute.start],
            f"EXECUTE FUNCTION {QualifiedName(*function).sql()}{call[call.index('(') :]}",
        )
    )


def _edit(text: str, name: str, change: Callable[[str, Call], str | None]) -> str:
    """Changes every call of one function, the last first, so that the offsets before it stay right."""
    for call in reversed(calls(text, name)):
        changed = change(text, call)
        if changed is not None:
            text = text[: call.start] + changed + text[call.end :]
    return text


def _argument(text: str, call: Call, index: int) -> str:
    start, end = call.arguments[index]
    return text[start:end].strip()


def _named(text: str, call: Call, names: Sequence[str]) -> str | None:
    """The setting that the call's first argument names, if it is one of `names`."""
    return next((name for name in names if call.arguments and _argument(text, call, 0) == f"'{name}'"), None)


def _expand_read(text: str, call: Call, canonical: str, legacy: Sequence[str]) -> str | None:
    name = _named(text, call, legacy)
    if name is None:
        return None
    reads = [f"NULLIF(current_setting({Literal(one).sql()}, true), '')" for one in (canonical, name)]
    disagree = " OR ".join(f"{one} <> {other}" for one, other in combinations(reads, 2))
    return f"(CASE WHEN {disagree} THEN NULL ELSE COALESCE({reads[0]}, {text[call.start : call.end]}) END)"


def _expand_write(text: str, call: Call, canonical: str, legacy: Sequence[str]) -> str | None:
    """set_config returns what it set: nested, one expression sets both names."""
    if _named(text, call, legacy) is None or len(call.arguments) != 3:
        return None
    return f"set_config({Literal(canonical).sql()}, {text[call.start : call.end]}, {_argument(text, call, 2)})"
