"""`remediate plan --format patch` and `--format sql`: the changes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from remediate.plan.model import Change
from remediate.plan.operations import strongest
from remediate.plan.tenant_column import BINDING
from remediate.report.diff import unified_diff
from remediate.report.lines import count


def patch(changes: Sequence[Change], prefix: str) -> str:
    """All changes as one patch for `git apply` at the git top level; `prefix` leads from there to the workspace."""
    return "".join(unified_diff(change, prefix) for change in changes)


def sql(changes: Sequence[Change]) -> str:
    """What the follow-up migrations send, for a DBA to read. It is no script to run: loops show one round."""
    return "".join(f"{line}\n" for change in changes if change.kind == "migration" for line in _statements(change))


def _statements(change: Change) -> Iterator[str]:
    mode = "one transaction" if change.transaction else "a transaction per step"
    yield f"-- {change.path}"
    yield f"-- {change.service}: {', '.join(change.rules)} ({change.level}, {mode}{locks(change)})"
    previous_is_long = False
    for statement in change.sql:
        text = statement.replace(BINDING, "$page")
        # Statements of one line stand together; longer ones have air around them.
        if previous_is_long or "\n" in text:
            yield ""
        previous_is_long = "\n" in text
        yield f"{text};"
    yield ""


def locks(change: Change) -> str:
    """The strongest lock that a change takes on each table: `, ACCESS EXCLUSIVE on 2 tables`, or nothing."""
    modes = Counter(lock.mode for lock in strongest(change.locks))
    return "".join(f", {mode} on {count(number, 'table')}" for mode, number in modes.items())
