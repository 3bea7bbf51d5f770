"""`remediate plan --format patch` and `--format sql`: the changes alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from remediate.plan.model import Change
from remediate.plan.tenant_column import BINDING
from remediate.report.diff import unified_diff


def patch(changes: Sequence[Change], prefix: str) -> str:
    """All changes as one patch for `git apply` at the git top level; `prefix` leads from there to the workspace."""
    return "".join(unified_diff(change, prefix) for change in changes)


def sql(changes: Sequence[Change]) -> str:
    """What the follow-up migrations send, for a DBA to read. It is no script to run: loops show one round."""
    return "\n".join(line for change in changes if change.kind == "migration" for line in _statements(change))


def _statements(change: Change) -> Iterator[str]:
    mode = "one transaction" if change.transaction else "one transaction per step"
    yield f"-- {change.path}"
    yield f"-- {change.service}: {', '.join(change.rules)} ({change.level}, {mode})"
    for statement in change.sql:
        text = statement.replace(BINDING, "$page")
        yield f"{text};\n"
