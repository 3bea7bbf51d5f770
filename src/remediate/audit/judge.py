"""How much a difference between the live database and its migrations weighs: what bears on isolation, and which way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from remediate.audit.model import Change, Drift
from remediate.config.model import Severity
from remediate.detect.found import listed
from remediate.detect.model import Facts
from remediate.detect.settings import policy_text, reads, writes
from remediate.detect.tokens import tokens
from remediate.replay.catalog import Catalog

_NOUNS = {"rls flags": "Row level security of"}
_SHORT = 200


class Judge:
    """Knows both catalogs, since either may be where a function is called by a policy."""

    def __init__(self, expected: Catalog, live: Catalog, facts: Facts) -> None:
        self._column = facts.tenancy.column
        self._sides = (live, expected)
        self._in_policies = frozenset(
            token.text
            for catalog in self._sides
            for policy in catalog.policies.values()
            for token in tokens(policy_text(policy))
            if token.name
        )
        # What leads from a child to its tenant decides what a policy of it lets through.
        self._on_path = {
            f"{step.child}.{column}"
            for found in facts.classes.values()
            for step in found.path
            for column in step.columns
        }

    def judge(self, drift: Drift, live: Mapping[str, object] | None, expected: Mapping[str, object] | None) -> Drift:
        """The drift with its weight and its sentence."""
        isolation, weakens = self._bears(drift, live, expected)
        severity: Severity = "error" if isolation and weakens else "warning" if isolation else _usual(drift)
        # A repair of a function writes its text; one of a child goes by what leads to its tenant.
        matters = drift.about is not None and (isolation or drift.kind == "function" or drift.subject in self._on_path)
        return replace(
            drift, isolation=isolation, severity=severity, matters=matters, message=_sentence(drift, live, expected)
        )

    def _bears(
        self, drift: Drift, live: Mapping[str, object] | None, expected: Mapping[str, object] | None
    ) -> tuple[bool, bool]:
        """Whether it bears on isolation, and whether it may make that worse than the migrations say."""
        changed = {change.name for change in drift.changes}
        if drift.kind == "rls flags":
            return True, any(change.expected and not change.live for change in drift.changes)
        if drift.kind == "policy":
            # A restrictive policy only takes away; a permissive one that is gone may leave another that lets through.
            return True, not (drift.sort == "extra" and live is not None and not live["permissive"])
        if drift.kind == "role":
            weaker = any(change.name in ("superuser", "bypassrls") and change.live for change in drift.changes)
            return bool(changed & {"superuser", "bypassrls"}), weaker
        if drift.kind == "function":
            used = drift.about is not None and drift.about.name in self._in_policies
            tenant = any(self._is_of_tenant(body) for body in self._bodies(drift))
            return used or tenant, drift.sort != "extra" or used
        if drift.kind == "column":
            return drift.subject.rpartition(".")[2] == self._column, drift.sort != "extra"
        if drift.kind == "view":
            return "security_invoker" in changed, "security_invoker" in changed
        if drift.kind == "table":
            return "owner" in changed, False
        if drift.kind == "trigger":
            fills = any(self._column in _words(body) for body in self._bodies_of_trigger(live, expected))
            return fills, drift.sort != "extra"
        if drift.kind == "grant":
            return drift.subject.endswith(" to public") and drift.sort != "missing", False
        return False, False

    def _is_of_tenant(self, body: str) -> bool:
        return bool([*reads(body), *writes(body)])

    def _bodies(self, drift: Drift) -> Iterator[str]:
        for catalog in self._sides:
            for function in catalog.functions.values():
                if function.signature == drift.subject:
                    yield function.body

    def _bodies_of_trigger(self, *facts: Mapping[str, object] | None) -> Iterator[str]:
        names = {str(fact["function"]) for fact in facts if fact is not None}
        for catalog in self._sides:
            yield from (one.body for one in catalog.functions.values() if str(one.name) in names)


def _words(sql: str) -> frozenset[str]:
    return frozenset(token.text for token in tokens(sql) if token.name)


def _usual(drift: Drift) -> Severity:
    """Of what does not bear on isolation: what code may rely on and is not there weighs more than what is beside it."""
    if drift.sort == "different" and {change.name for change in drift.changes} == {"comment"}:
        return "info"
    if drift.kind in ("grant", "sequence", "schema", "extension") and drift.sort == "extra":
        return "info"
    return "info" if drift.sort == "extra" and drift.kind in ("index", "type") else "warning"


# --------------------------------------------------------------------------------------------- in words


def _sentence(drift: Drift, live: Mapping[str, object] | None, expected: Mapping[str, object] | None) -> str:
    """Without a full stop, and without the place, which stands beside it."""
    what = f"{_NOUNS.get(drift.kind, drift.kind.capitalize())} {drift.subject}"
    if drift.sort == "extra":
        broken = live is not None and live.get("valid") is False
        kind = _kind_of_policy(drift, live)
        return f"{what} is in the database{' and INVALID' if broken else ''}{kind}, and no migration makes it"
    if drift.sort == "missing":
        return f"{what}{_kind_of_policy(drift, expected)} is not in the database, though the migrations make it"
    if drift.kind == "rls flags":
        return f"{what} is {_flags(live)} in the database; the migrations have it {_flags(expected)}"
    return f"{what} differs from the migrations: {listed([_change(one) for one in drift.changes], 6)}"


def _kind_of_policy(drift: Drift, fact: Mapping[str, object] | None) -> str:
    if drift.kind != "policy" or fact is None:
        return ""
    kind = "" if fact["permissive"] else ", restrictive"
    using = fact["using"] if fact["using"] is not None else fact["check"]
    return f" (for {fact['command']}{kind}: {_value(using)})"


def _flags(fact: Mapping[str, object] | None) -> str:
    if fact is None or not fact["enabled"]:
        return "off" + (" (but forced)" if fact is not None and fact["forced"] else "")
    return "enabled and forced" if fact["forced"] else "enabled, not forced"


_STATES = {
    "valid": "it is INVALID, so that no query uses it",
    "fires": "it does not fire ({})",
}


def _change(change: Change) -> str:
    if change.name in _STATES:
        return _STATES[change.name].format(change.live)
    if change.name == "body":
        return "another body"
    if change.name == "definition" and "\n" in f"{change.live}{change.expected}":
        return "another definition"
    return f"{change.name} {_value(change.live)}, not {_value(change.expected)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    text = "none" if value is None else " ".join(str(value).split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT]} …"
