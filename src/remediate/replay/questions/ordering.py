"""ORDER BY: rows sorted by several keys, NULLs placed as PostgreSQL places them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any, TypeVar

from remediate.evaluate.values import Unknown
from remediate.replay.questions.values import Value

Item = TypeVar("Item")


def sort_rows(
    items: Sequence[Item], keys: Sequence[Callable[[Item], Value]], orders: Sequence[tuple[Any, bool, bool]]
) -> list[Item] | Unknown:
    """`orders` has, for each key, (anything, descending, NULLs first). Unknown where a key is unknown."""
    if len(items) < 2:
        return list(items)
    decorated = [([key(item) for key in keys], item) for item in items]
    for values, _ in decorated:
        for value in values:
            if isinstance(value, Unknown):
                return Unknown(f"is ordered by a value that is not known: {value.reason}", about_data=value.about_data)

    def compare(left: tuple[list[Value], Item], right: tuple[list[Value], Item]) -> int:
        for (_, descending, nulls_first), a, b in zip(orders, left[0], right[0], strict=True):
            if a is None or b is None:
                if a is None and b is None:
                    continue
                return (-1 if nulls_first else 1) if a is None else (1 if nulls_first else -1)
            if a == b:
                continue
            sign = -1 if a < b else 1
            return -sign if descending else sign
        return 0

    try:
        return [item for _, item in sorted(decorated, key=cmp_to_key(compare))]
    except TypeError:
        return Unknown("is ordered by values that have no order here")
