"""What a statement wrote beside its own table, or a function in any: how many rows of which tables, and whose.

PostgreSQL counts the rows that a transaction writes for each table, those of rolled back savepoints too: so the counts
before and after are held against each other, and only where they differ is a table looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from remediate.postgres.wire import Wire
from remediate.prove.model import Effect, Whose
from remediate.prove.targets import Id, Target
from remediate.replay.catalog import QName

_COUNTS = """
SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_catalog.pg_stat_xact_user_tables
WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY relid"""


class _Count(NamedTuple):
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def less(self, other: _Count) -> _Count:
        return _Count(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


Counts = Mapping[QName, _Count]


def count_writes(wire: Wire) -> Counts:
    """Rows that the open transaction has written so far."""
    return {
        QName(str(schema), str(name)): _Count(*(int(number or 0) for number in numbers))
        for schema, name, *numbers in wire.query(_COUNTS)
    }


def effects_since(
    before: Counts, wire: Wire, own: Callable[[Target], frozenset[Id]], targets: Callable[[QName], Target | str]
) -> tuple[Effect, ...]:
    """What was written since; `wire` sees every row from here on. `own` are the rows of the session's tenant."""
    written = {
        name: more for name, count in count_writes(wire).items() if any(more := count.less(before.get(name, _Count())))
    }
    if written:
        wire.query("RESET ROLE")
    return tuple(
        effect for name, count in written.items() for effect in _effects(name, count, wire, own, targets(name))
    )


def _effects(
    name: QName, count: _Count, wire: Wire, own: Callable[[Target], frozenset[Id]], target: Target | str
) -> Iterator[Effect]:
    if isinstance(target, str):
        if count.inserted:
            yield Effect(name, "insert", "nobody", count.inserted)
        if count.updated:
            yield Effect(name, "update", "nobody", count.updated)
        if count.deleted:
            yield Effect(name, "delete", "nobody", count.deleted)
        return
    mine = own(target)
    key = target.keys[0] if mine == target.rows[0] and mine else target.keys[1] if mine else None
    now: dict[Id, str | None] = {(str(t), str(c)): tenant for t, c, tenant in wire.query(target.tenants)}
    known = target.rows[0] | target.rows[1] | target.strangers | target.unowned
    gone: Counter[Whose] = Counter(
        "own" if row in mine else "nobody" if row in target.unowned else "other" for row in known - now.keys()
    )
    new: Counter[Whose] = Counter(
        "nobody" if tenant is None else "own" if tenant == key else "other"
        for row, tenant in now.items() if row not in known
    )  # fmt: skip
    for whose in dict.fromkeys((*gone, *new)):
        if count.updated:
            # An updated row has another place; one that came to this tenant or left it counts for both.
            yield Effect(name, "update", whose, max(gone[whose], new[whose]))
            continue
        if gone[whose]:
            yield Effect(name, "delete", whose, gone[whose])
        if new[whose]:
            yield Effect(name, "insert", whose, new[whose])
