"""Replay from memory: while nothing has changed of what a catalog was made from, the catalog is the same.

A catalog is determined by the migrations of the services of its database, by the files that these read, and by a few
settings. Where all of that is as it was, it is read from the cache; where not, at least each migration whose answers
stay the same need not be evaluated again (`evaluate.transcript`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from remediate.cache.store import Cache
from remediate.evaluate.resolve import Files, Reads
from remediate.replay.catalog import Assumption, Replayed
from remediate.source.model import FileTree, Service

if TYPE_CHECKING:
    from remediate.evaluate.world import Evaluates


@dataclass(frozen=True, slots=True)
class Run:
    """How migrations are replayed: what all databases of a workspace have in common."""

    tree: FileTree
    environment: tuple[tuple[str, str], ...]
    assume: Assumption
    user: str
    server_version: int


def replay_kept(groups: Sequence[Sequence[Service]], run: Run, cache: Cache | None) -> tuple[Replayed, ...]:
    """The catalog of each database, as `replay` gives it, from the cache where it can be had there."""
    if cache is None:
        return tuple(replayed for _, replayed in replay_anew(groups, run, None))
    keys = [_key(services, run, cache) for services in groups]
    found = _found(keys, run.tree, cache)
    missing = [number for number in range(len(groups)) if number not in found]
    if missing:
        made = replay_anew([groups[number] for number in missing], run, cache)
        for number, (reads, replayed) in zip(missing, made, strict=True):
            cache.save(keys[number], (reads, replayed))
            found[number] = replayed
    return tuple(found[number] for number in range(len(groups)))


def _found(keys: Sequence[bytes], tree: FileTree, cache: Cache) -> dict[int, Replayed]:
    files = Files(tree)
    found = {}
    for number, key in enumerate(keys):
        entry = cache.load(key, tuple)
        if entry is not None and files.are_same(entry[0]):
            found[number] = entry[1]
    return found


def _key(services: Sequence[Service], run: Run, cache: Cache) -> bytes:
    settings = [run.environment, run.assume, run.user, run.server_version]
    parts = [json.dumps(settings).encode()]
    for service in services:
        parts.append(json.dumps([service.table_schema, service.table_name]).encode())
        if service.search_path is not None:
            parts.append(json.dumps(service.search_path.schemas).encode())
        for migration in service.migrations:
            names = [service.name, service.database, migration.service, migration.file, migration.name]
            parts += [json.dumps(names).encode(), blake2b(migration.data, digest_size=16).digest()]
    return cache.key("replay", *parts)


def replay_anew(groups: Sequence[Sequence[Service]], run: Run, cache: Cache | None) -> list[tuple[Reads, Replayed]]:
    """Evaluates and replays; for each database the files that its migrations read, and the catalog."""
    # Not before: half of all modules take part in this, and a workspace that has not changed needs none of them.
    from remediate.evaluate.evaluate import Evaluator
    from remediate.evaluate.stack import run_deep
    from remediate.evaluate.transcript import DivergedError, RememberingEvaluator
    from remediate.replay.replay import replay
    from remediate.sql.older import grammar_of

    evaluator = Evaluator(run.tree, environment=dict(run.environment))
    remembering = None if cache is None else RememberingEvaluator(evaluator, cache)

    def one(services: Sequence[Service], evaluates: Evaluates) -> tuple[Reads, Replayed]:
        evaluator.files.touched.clear()
        replayed = replay(services, evaluates, assume=run.assume, user=run.user, server_version=run.server_version)
        return evaluator.files.reads(), replayed

    def all_of_them() -> list[tuple[Reads, Replayed]]:
        if remembering is not None:
            try:
                return [one(services, remembering) for services in groups]
            except DivergedError:
                pass
        return [one(services, evaluator) for services in groups]

    with grammar_of(run.server_version):
        # Once around everything: a thread with so large a stack takes longer to start than a small file to evaluate.
        return run_deep(all_of_them)
