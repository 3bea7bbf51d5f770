"""inconsistent-tenant-setting: policies and functions that know the tenant by another than the canonical setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from remediate.detect.code import Code, code_of
from remediate.detect.found import found, function_subject, last_change, listed, policy_subject
from remediate.detect.model import Facts, Finding, Subject
from remediate.detect.settings import (
    comparisons,
    is_guarded,
    mentions,
    policy_text,
    reads,
    returned_read,
    writes,
)
from remediate.detect.taint import taints
from remediate.detect.tokens import Token, tokens, words
from remediate.replay.catalog import Function, History, Policy

RULE = "inconsistent-tenant-setting"
# Where one of these stands, a comparison that is NULL instead of false may let a row through.
_OPENS_ON_NULL = words("not coalesce case unknown distinct except")


def detect(facts: Facts) -> Iterator[Finding]:
    """One finding for each policy that reads a legacy name, and each function that reads or sets one."""
    if not facts.tenancy.enabled or not facts.tenancy.legacy:
        return
    code = code_of(facts)
    for policy in facts.replayed.catalog.policies.values():
        if names := _legacy_in(facts, [read.setting for read in reads(policy_text(policy))]):
            yield _policy(facts, code, policy, names)
    for function in facts.replayed.catalog.functions.values():
        used = [read.setting for read in reads(function.body)] + [write.setting for write in writes(function.body)]
        if names := _legacy_in(facts, used):
            yield _function(facts, code, function, names)
    yield from _elsewhere(facts, code)


def _elsewhere(facts: Facts, code: Code) -> Iterator[Finding]:
    """Views and column defaults: rare, and found so that nothing is missed, but repaired by people."""
    for view in facts.replayed.catalog.views.values():
        if names := _legacy_in(facts, [read.setting for read in reads(view.definition)]):
            yield _by_hand(facts, code, Subject("view", *view.name), f"View {view.name}", view.history, names)
    for table in facts.replayed.catalog.tables.values():
        for column in table.columns:
            if names := _legacy_in(facts, [read.setting for read in reads(column.default or "")]):
                subject = Subject("column", table.name.schema, column.name, table.name.name)
                yield _by_hand(facts, code, subject, f"The default of {subject}", table.history, names)


def _by_hand(facts: Facts, code: Code, subject: Subject, what: str, history: History, names: list[str]) -> Finding:
    origin = last_change(history)
    return found(
        facts,
        RULE,
        origin.service,
        subject,
        _message(what, "reads", facts, names, expanded=False),
        [origin.place],
        reasons=["What a missing value would do there is for people to say."],
        evidence=_code_evidence(facts, code, names),
        level="manual",
    )


def _legacy_in(facts: Facts, used: Sequence[str]) -> list[str]:
    return [name for name in facts.tenancy.legacy if name in used]


# ------------------------------------------------------------------------------------------- policies


def _policy(facts: Facts, code: Code, policy: Policy, names: list[str]) -> Finding:
    expanded = _reads_both(facts, policy_text(policy), names)
    return found(
        facts,
        RULE,
        policy.history[0].service,
        policy_subject(policy),
        _message(f"Policy {policy.name} on {policy.table}", "reads", facts, names, expanded),
        [last_change(policy.history).place, policy.history[0].place],
        reasons=[] if expanded else _policy_reasons(facts, policy, names),
        evidence=_code_evidence(facts, code, names),
        tainted_by=() if expanded else taints(facts, policy.history[0].service, [policy.table], policy.history),
        waiting=_waits_for(facts, code, names) if expanded else None,
    )


def _reads_both(facts: Facts, text: str, names: list[str]) -> bool:
    """Whether each read of a legacy name stands beside one of the canonical name, guarded against disagreement."""
    canonical = facts.tenancy.setting
    found_reads = [read.setting for read in reads(text)]
    if not is_guarded(text) or any(found_reads.count(name) > found_reads.count(canonical) for name in names):
        return False
    legacy = frozenset(names)
    return all(
        item.guarded and canonical in item.settings for item in comparisons(text) if item.settings.intersection(legacy)
    )


def _policy_reasons(facts: Facts, policy: Policy, names: list[str]) -> Iterator[str]:
    text = policy_text(policy)
    column = facts.tenancy.column
    for name in names:
        of_name = [item for item in comparisons(text) if name in item.settings]
        others = sorted({other for item in of_name for other in item.columns if item.operator != "in"} - {column})
        plain = [item for item in of_name if item.plain and item.columns == {column}]
        if others:
            yield f"{name} is compared with {listed(others)}, not with {column}: what it holds may be no tenant."
        elif len(plain) < sum(read.setting == name for read in reads(text)):
            yield f"{name} is used for more than a comparison with {column}: without a value it may let rows through."
    sequence = tokens(text)
    following = zip(sequence, (*sequence[1:], Token("symbol", "")), strict=True)
    risky = {t.text for t, after in following if t.kind == "word" and t.text in _OPENS_ON_NULL and after.text != "null"}
    if risky:
        yield f"It decides with {listed(sorted(word.upper() for word in risky))}: a NULL in it may let rows through."


# ------------------------------------------------------------------------------------------- functions


def _function(facts: Facts, code: Code, function: Function, names: list[str]) -> Finding:
    read = _legacy_in(facts, [one.setting for one in reads(function.body)])
    written = {one.setting for one in writes(function.body)}
    sets = _legacy_in(facts, sorted(written))
    expanded = (not read or _reads_both(facts, function.body, read)) and (not sets or facts.tenancy.setting in written)
    origin = function.history[-1]
    return found(
        facts,
        RULE,
        origin.service,
        function_subject(function),
        _message(f"Function {function.signature}", "sets" if sets else "reads", facts, names, expanded),
        [origin.place],
        reasons=[] if expanded else _function_reasons(facts, function, sets),
        evidence=[*_callers(facts, function), *_code_evidence(facts, code, names)],
        tainted_by=() if expanded else taints(facts, origin.service, [], function.history),
        waiting=_waits_for(facts, code, names) if expanded else None,
    )


def _function_reasons(facts: Facts, function: Function, sets: list[str]) -> Iterator[str]:
    if sets:
        yield f"It sets {listed(sets)}: its callers and all that reads that name have to move together."
    read = returned_read(function.body)
    if not sets and read is None:
        yield "It does more than return the setting: in a function a missing value may let through what raised before."
    if read is not None and not read.missing_ok:
        yield "It raises where the setting is not set, and its callers may rely on that."
    callers = [
        str(other.signature)
        for other in facts.replayed.catalog.functions.values()
        if other is not function and mentions(other, function.name.name)
    ]
    if callers:
        yield f"{listed(callers)} calls it, and may take a missing value otherwise than a policy does."


def _callers(facts: Facts, function: Function) -> Iterator[str]:
    catalog = facts.replayed.catalog
    name = function.name.name
    policies = [
        f"{policy.name} on {policy.table}"
        for policy in catalog.policies.values()
        if any(token.name == name for token in tokens(policy_text(policy)))
    ]
    if policies:
        yield f"Policies that call it: {listed(policies)}."
    triggers = [f"{one.name} on {one.table}" for one in catalog.triggers.values() if one.function == function.name]
    if triggers:
        yield f"Triggers that run it: {listed(triggers)}."


# ------------------------------------------------------------------------------------------- sentences


def _message(subject: str, verb: str, facts: Facts, names: list[str], expanded: bool) -> str:
    canonical = facts.tenancy.setting
    if expanded:
        return f"{subject} accepts {canonical}, and still {listed(names)}"
    return f"{subject} {verb} the tenant as {listed(names)}, where {canonical} is meant"


def _code_evidence(facts: Facts, code: Code, names: list[str]) -> Iterator[str]:
    for name in (*names, facts.tenancy.setting):
        for service, places in code.writers(name).items():
            yield f"{service} sets {name} in {listed(places, 3)}."


def _waits_for(facts: Facts, code: Code, names: list[str]) -> str:
    canonical = facts.tenancy.setting
    writers = [f"{service} ({places[0]})" for name in names for service, places in code.writers(name).items()]
    if writers:
        who = listed(list(dict.fromkeys(writers)), 6)
        return f"{who} still sets {listed(names)}: it has to set {canonical}, and be deployed"
    return f"no code in the workspace sets {listed(names)} any more; what has been deployed, only you can tell"
