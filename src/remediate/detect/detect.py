"""From facts to findings: every detector that is wanted, in one order, with severities and acceptances applied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from remediate.catalogue.rules import get_rule
from remediate.detect.baseline import Baseline
from remediate.detect.model import Facts, Finding
from remediate.detect.registry import DETECTORS
from remediate.detect.suppress import suppress
from remediate.source.model import IgnoreComment


def detect(
    facts: Facts,
    rules: Collection[str] | None = None,
    *,
    today: date | None = None,
    ignores: Sequence[IgnoreComment] = (),
    baseline: Baseline | None = None,
) -> tuple[Finding, ...]:
    """The findings of one database, sorted by service (in replay order), rule (in reading order) and subject.

    `rules` limits it to some; an unknown one raises `RemediateError` with the nearest name, in the configuration too.
    `today` decides which acceptances have run out; without it none has. Suppressed findings are among the result.
    """
    for name in (*(rules or ()), *facts.config.rules, *(item.rule for item in facts.config.suppress)):
        get_rule(name)
    chosen = [one for one in DETECTORS if (rules is None or one.rule in rules) and _is_enabled(facts, one.rule)]
    findings = [_with_severity(facts, finding) for one in chosen for finding in one.detect(facts)]
    accepted = suppress(findings, facts, today or date.min, ignores, baseline)
    services = {service.name: index for index, service in enumerate(facts.services)}
    reading = {detector.rule: index for index, detector in enumerate(DETECTORS)}
    return tuple(
        sorted(
            accepted,
            key=lambda finding: (
                services.get(finding.service, len(services)),
                reading[finding.rule],
                str(finding.subject),
            ),
        )
    )


def _is_enabled(facts: Facts, rule: str) -> bool:
    configured = facts.config.rules.get(rule)
    return configured is None or configured.enabled


def _with_severity(facts: Facts, finding: Finding) -> Finding:
    """The configured severity; what only waits, or matters less than the rule does, stays what it is."""
    configured = facts.config.rules.get(finding.rule)
    if configured is None or configured.severity is None or finding.severity != get_rule(finding.rule).severity:
        return finding
    return replace(finding, severity=configured.severity)
