"""Dictionaries that can go back: every change is logged, and the log undoes them in reverse."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")
T = TypeVar("T")

_MISSING: Any = object()


class UndoLog:
    """The changes since a mark, newest last."""

    def __init__(self) -> None:
        self._changes: list[tuple[UndoDict[Any, Any], Any, Any]] = []

    def mark(self) -> int:
        return len(self._changes)

    def undo_to(self, mark: int) -> None:
        """Takes back everything after the mark. An entry that comes back stands last in its dictionary."""
        while len(self._changes) > mark:
            target, key, old = self._changes.pop()
            target.put_back(key, old)

    def forget(self) -> None:
        """What was changed stays."""
        self._changes.clear()

    def record(self, target: UndoDict[Any, Any], key: Any, old: Any) -> None:
        self._changes.append((target, key, old))


class UndoDict(Mapping[K, V], Generic[K, V]):
    """A dictionary whose changes are logged; values are immutable."""

    def __init__(self, log: UndoLog) -> None:
        self._log = log
        self._items: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    # What `Mapping` makes of the above goes through Python for every entry, and every guard of a migration asks.

    @overload
    def get(self, key: K, /) -> V | None: ...

    @overload
    def get(self, key: K, /, default: V | T) -> V | T: ...

    def get(self, key: K, /, default: T | None = None) -> V | T | None:
        return self._items.get(key, default)

    def keys(self) -> KeysView[K]:
        return self._items.keys()

    def values(self) -> ValuesView[V]:
        return self._items.values()

    def items(self) -> ItemsView[K, V]:
        return self._items.items()

    def __setitem__(self, key: K, value: V) -> None:
        self._log.record(self, key, self._items.get(key, _MISSING))
        self._store(key, value)

    def __delitem__(self, key: K) -> None:
        self._log.record(self, key, self._items[key])
        self._remove(key)

    def put_back(self, key: K, old: V) -> None:
        """What the log does."""
        if old is _MISSING:
            self._remove(key)
        else:
            self._store(key, old)

    def _store(self, key: K, value: V) -> None:
        self._items[key] = value

    def _remove(self, key: K) -> None:
        del self._items[key]

    def move(self, old: K, new: K, value: V) -> None:
        """Stores under another key."""
        if old != new:
            del self[old]
        self[new] = value

    def frozen(self) -> dict[K, V]:
        return dict(self._items)


class IndexedDict(UndoDict[K, V], Generic[K, V, S]):
    """Also finds its keys by what `group_of` says that an entry belongs to (it may belong to several)."""

    def __init__(self, log: UndoLog, groups_of: Callable[[K, V], Iterable[S]]) -> None:
        super().__init__(log)
        self._groups_of = groups_of
        self._groups: dict[S, dict[K, None]] = {}

    def _store(self, key: K, value: V) -> None:
        if key in self._items:
            self._leave(key)
        self._items[key] = value
        for group in self._groups_of(key, value):
            self._groups.setdefault(group, {})[key] = None

    def _remove(self, key: K) -> None:
        self._leave(key)
        del self._items[key]

    def _leave(self, key: K) -> None:
        for group in self._groups_of(key, self._items[key]):
            members = self._groups[group]
            members.pop(key, None)
            if not members:
                del self._groups[group]

    def of(self, group: S) -> list[V]:
        """The entries of a group, oldest first; a list, so that they may be changed on the way."""
        return [self._items[key] for key in self._groups.get(group, ())]

    def keys_of(self, group: S) -> list[K]:
        return list(self._groups.get(group, ()))
