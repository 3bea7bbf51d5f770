"""What kind of code a file is, judged by its path."""

from __future__ import annotations

import itertools
import re
from typing import Literal, TypeAlias

from remediate.source.exports import is_test_name

Role: TypeAlias = Literal["request", "entry", "job", "seed", "script", "test"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TEST = frozenset({"test", "tests", "spec", "specs", "mock", "mocks", "fixture", "fixtures", "e2e", "testing"})
_SEED = frozenset({"seed", "seeds", "seeder", "seeders"})
_JOB = frozenset(
    {"job", "jobs", "worker", "workers", "cron", "crons", "queue", "queues", "consumer", "consumers"}
    | {"processor", "processors", "scheduler", "schedulers", "scheduled"}
)
_SCRIPT = frozenset({"script", "scripts", "bin", "tool", "tools", "tooling", "cli"})
# What runs before anybody knows the tenant.
_ENTRY = frozenset(
    {"auth", "authenticate", "authentication", "login", "signin", "signup", "register", "registration", "oauth", "sso"}
    | {"webhook", "webhooks", "public"}
)
# A session of a user, unless it stands among the code for the database: that one is a connection's.
_SESSION = frozenset({"session", "sessions"})
_DATABASE = frozenset({"db", "database", "databases", "knex", "postgres", "pg"})
_ENTRY_PAIRS = frozenset({("api", "key"), ("api", "keys"), ("custom", "domain"), ("sign", "in"), ("sign", "up")})


def role_of(path: str) -> Role:
    """The role of a file; `path` is relative to its service, so that the service's own name says nothing."""
    words = [word.lower() for word in _WORD.findall(path)]
    present = set(words)
    if present & _TEST or is_test_name(path):
        return "test"
    if present & _SEED:
        return "seed"
    if present & _JOB:
        return "job"
    if present & _SCRIPT:
        return "script"
    if present & _SESSION and not present & _DATABASE:
        return "entry"
    if present & _ENTRY or any(pair in _ENTRY_PAIRS for pair in itertools.pairwise(words)):
        return "entry"
    return "request"
