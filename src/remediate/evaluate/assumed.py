"""Unknown values for which at least the answer of a fresh database, with a bare environment, is known."""

from __future__ import annotations

from remediate.evaluate.values import Assumed, Unknown, Value


def fresh(value: Value) -> Value:
    """What a fresh database would give for an assumed value; any other value is itself."""
    return value.value if isinstance(value, Assumed) else value


def assume(unknown: Unknown, value: Value) -> Assumed:
    """A value computed from an unknown one, as a fresh database would give it."""
    return Assumed(unknown.reason, unknown.place, unknown.about_data, value)


def no_rows(unknown: Unknown) -> Assumed | None:
    """Rows that only data would tell are none on a fresh database; None for any other unknown value."""
    if isinstance(unknown, Assumed):
        return unknown
    return assume(unknown, []) if unknown.about_data else None


__all__ = ["Assumed", "assume", "fresh", "no_rows"]
