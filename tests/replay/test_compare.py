"""Which unresolved place explains a difference: one about the object, or one in whose file it is named; no other."""

from __future__ import annotations

import pytest

from remediate.replay.catalog import Catalog, QName, Replayed, Table, UnknownEffect
from remediate.replay.compare import Comparison, compare
from remediate.source.place import Place, Unresolved

ORDERS = QName("public", "orders")
FILES = {"named.ts": "new Queue('orders').start()", "silent.ts": "start(knex)", "close.ts": "preorders, orders_2"}


def _replayed(*effects: UnknownEffect, tables: tuple[QName, ...] = ()) -> Replayed:
    catalog = Catalog(tables={name: Table(name, (), ()) for name in tables})
    unresolved = tuple(Unresolved(one.service, one.place, one.reason) for one in effects)
    return Replayed("shop", catalog, unresolved=unresolved, unknown_effects=effects)


def _effect(file: str, *subjects: QName) -> UnknownEffect:
    return UnknownEffect(Place(file, 7), "shop", "not known", subjects)


def _compared(*effects: UnknownEffect) -> Comparison:
    found = compare(_replayed(*effects), _replayed(tables=(ORDERS,)), lambda file: FILES[file])
    assert {one.sort for one in found.differences} == {"missing"}
    return found


@pytest.mark.parametrize("effect", [_effect("silent.ts", ORDERS), _effect("named.ts")])
def test_what_may_have_touched_the_object_explains_it(effect: UnknownEffect) -> None:
    for difference in _compared(effect).differences:
        assert difference.explanation == Unresolved("shop", effect.place, "not known")


@pytest.mark.parametrize(
    "effect", [_effect("silent.ts"), _effect("close.ts"), _effect("named.ts", QName("public", "others"))]
)
def test_nothing_else_does(effect: UnknownEffect) -> None:
    assert [one.explanation for one in _compared(effect).differences] == [None, None]
