"""Where the two engines differ, by kind of object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from remediate.replay.compare import Comparison, Difference, changed
from remediate.report.lines import Line, Segment, count, heading

FORMAT = "remediate.comparison/1"

_STYLES = {"missing": "red", "extra": "red", "different": "yellow"}


def comparison_lines(comparisons: Sequence[Comparison]) -> Iterator[Line]:
    """A line for each kind, n = 0 where a kind has nothing in it; below it what differs, with both spellings."""
    for comparison in comparisons:
        yield heading(comparison.database)
        for kind in comparison.counts:
            differences = comparison.of_kind(kind)
            yield _summary(kind, comparison.counts[kind], len(differences))
            for difference in differences:
                yield from _difference(difference)
        explained = sum(one.explanation is not None for one in comparison.differences)
        total = count(len(comparison.differences), "difference")
        told = f", {explained:,} of them beside a place that could not be read" if explained else ""
        yield [Segment(f"  {total} in {count(sum(comparison.counts.values()), 'fact')}{told}.", "bold")]
        yield []


def _summary(kind: str, facts: int, differences: int) -> Line:
    if not facts:
        return [Segment(f"  {kind:18}"), Segment("n = 0", "dim")]
    share = (facts - differences) / facts
    style = "yellow" if differences else "green"
    return [Segment(f"  {kind:18}"), Segment(f"{facts - differences:,} of {facts:,} the same ({share:.2%})", style)]


def _difference(difference: Difference) -> Iterator[Line]:
    yield [Segment(f"    {difference.sort:10}", _STYLES[difference.sort]), Segment(difference.subject)]
    for name, expected, found in changed(difference):
        yield [Segment(f"      {name}")]
        yield [Segment(f"        PostgreSQL  {expected!r}")]
        yield [Segment(f"        static      {found!r}")]
    if difference.explanation is not None:
        where = difference.explanation
        yield [Segment(f"      not read: {where.place}  {where.reason}", "dim")]


def comparison_document(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "format": FORMAT,
        "databases": [
            {
                "name": comparison.database,
                "facts": dict(comparison.counts),
                "differences": [_document(one) for one in comparison.differences],
            }
            for comparison in comparisons
        ],
    }


def _document(difference: Difference) -> dict[str, Any]:
    where = difference.explanation
    return {
        "kind": difference.kind,
        "object": difference.subject,
        "sort": difference.sort,
        "postgres": difference.expected,
        "static": difference.found,
        "explanation": None
        if where is None
        else {"file": where.place.file, "line": where.place.line, "reason": where.reason},
    }
