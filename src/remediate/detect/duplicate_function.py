"""duplicate-function: one function, created by several services of one database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from remediate.detect.found import found, function_subject, listed
from remediate.detect.model import Facts, Finding
from remediate.detect.taint import taints
from remediate.detect.tokens import tokens
from remediate.replay.catalog import Function, Origin, QName, Refusal
from remediate.sql.quote import truncate_identifier

RULE = "duplicate-function"
_CREATES = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?function\s+(?:\"?(?P<schema>\w+)\"?\s*\.\s*)?\"?(?P<name>\w+)\"?\s*\(",
    re.IGNORECASE,
)
# duplicate_function and invalid_function_definition: what PostgreSQL says where CREATE meets one that is there already.
_TAKEN = ("42723", "42P13")

_Key = tuple[QName, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Creation:
    """A service's last creation of a function; `refused` where PostgreSQL would not have it."""

    service: str
    origin: Origin
    function: Function | None
    refused: Refusal | None = None


def detect(facts: Facts) -> Iterator[Finding]:
    """One finding for each service but the first that creates a function, unless the function is gone again."""
    for key, creations in _creations(facts).items():
        in_force = facts.replayed.catalog.functions.get(key)
        if in_force is None or len(creations) < 2:
            continue
        first, *others = creations.values()
        for other in others:
            yield _finding(facts, in_force, first, other)


def own_copy(name: QName, service: str) -> QName:
    """What a service's own copy of a shared function is called: its name without its kind, then the function's."""
    prefix = service.removesuffix("-service").replace("-", "_").replace(".", "_").lower()
    return QName(name.schema, truncate_identifier(f"{prefix}_{name.name}"))


def _creations(facts: Facts) -> dict[_Key, dict[str, _Creation]]:
    """By function, then by service, in the order in which services first created it; each with its last version."""
    found_by_key: dict[_Key, dict[str, _Creation]] = {}
    for version in facts.replayed.functions:
        function = version.function
        origin = function.history[-1]
        found_by_key.setdefault((function.name, function.argument_types), {})[origin.service] = _Creation(
            origin.service, origin, function
        )
    for refusal in facts.replayed.refusals:
        key = _refused_function(facts, refusal)
        service = refusal.origin.service
        if key is not None and service not in found_by_key.get(key, {service: None}):
            found_by_key[key][service] = _Creation(service, refusal.origin, None, refusal)
    return found_by_key


def _refused_function(facts: Facts, refusal: Refusal) -> _Key | None:
    """The function that a refused CREATE FUNCTION meant, if only one of that name is there."""
    match = _CREATES.search(refusal.origin.statement)
    if refusal.code not in _TAKEN or match is None or refusal.origin.direction != "up":
        return None
    schema = match["schema"] or "public"
    keys = [key for key in facts.replayed.catalog.functions if key[0] == QName(schema, match["name"].lower())]
    return keys[0] if len(keys) == 1 else None


def _finding(facts: Facts, in_force: Function, first: _Creation, other: _Creation) -> Finding:
    differences = _differences(first, other)
    signature = in_force.signature
    message = (
        f"{other.service} creates {signature} differently from {first.service}: {listed(differences, 8)}"
        if differences
        else f"{other.service} creates {signature}, which is the same function as that of {first.service}"
    )
    return found(
        facts,
        RULE,
        other.service,
        function_subject(in_force),
        message,
        [other.origin.place, first.origin.place],
        reasons=_reasons(other, differences, in_force),
        evidence=_evidence(facts, in_force, first, other.service),
        waiting=_has_its_own(facts, in_force, other.service),
        # An unresolved statement elsewhere taints tables; whether creations are equal stands in the files.
        tainted_by=taints(facts, "", [], [first.origin, other.origin]),
    )


def _differences(first: _Creation, other: _Creation) -> list[str]:
    if other.refused:
        return [f"PostgreSQL refuses it ({other.refused.code}: {other.refused.message})"]
    one, two = first.function, other.function
    if one is None or two is None or (one.definition and one.definition == two.definition):
        return []
    parts = {
        "body": _body(one) != _body(two),
        "argument names": one.arguments != two.arguments,
        "return type": one.returns != two.returns,
        "language": one.language != two.language,
        "kind": one.kind != two.kind,
        "volatility": one.volatility != two.volatility,
        "SECURITY DEFINER": one.security_definer != two.security_definer,
        "SET clauses": one.settings != two.settings,
    }
    return [
        f"another {part}" if part not in ("SET clauses",) else "other SET clauses"
        for part, is_so in parts.items()
        if is_so
    ]


def _body(function: Function) -> tuple[tuple[str, str], ...]:
    """The body without layout and comments: two that differ in these only do the same."""
    return tuple((token.kind, token.text) for token in tokens(function.body))


def _reasons(other: _Creation, differences: list[str], in_force: Function) -> Iterator[str]:
    if other.refused:
        yield f"The version of {other.service} has never existed: its creation is refused."
    elif differences:
        last = in_force.history[-1].service
        yield f"Only one of them is in force, today that of {last}; something may rely on it."


def _has_its_own(facts: Facts, shared: Function, service: str) -> str | None:
    """What is left to do for a service that has a copy of its own, and no trigger on the shared function any more."""
    catalog = facts.replayed.catalog
    copy = catalog.functions.get((own_copy(shared.name, service), shared.argument_types))
    uses_it = any(
        trigger.function == shared.name and trigger.history[-1].service == service
        for trigger in catalog.triggers.values()
    )
    if copy is None or copy.history[0].service != service or uses_it:
        return None
    return f"its migrations create {shared.name} no more; what {service} uses is {copy.name}"


def _evidence(facts: Facts, function: Function, first: _Creation, service: str) -> Iterator[str]:
    yield f"{first.service} comes first, in {first.origin.place}."
    yield f"In force is the one that {function.history[-1].place} creates."
    by_service: dict[str, list[str]] = {}
    for trigger in facts.replayed.catalog.triggers.values():
        if trigger.function == function.name:
            by_service.setdefault(trigger.history[0].service, []).append(f"{trigger.name} on {trigger.table}")
    if own := by_service.pop(service, []):
        yield f"Triggers of {service} that run it: {listed(own)}."
    if by_service:
        others = [f"{name} ({len(triggers)})" for name, triggers in by_service.items()]
        yield f"Triggers of others run it too: of {listed(others, 8)}."
    policies = [
        f"{policy.name} on {policy.table}"
        for policy in facts.replayed.catalog.policies.values()
        if any(t.name == function.name.name for t in tokens(f"{policy.using or ''} {policy.check or ''}"))
    ]
    if policies:
        yield f"Policies that call it: {listed(policies)}."
