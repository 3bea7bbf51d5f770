"""A file that cannot be read or understood is named, and the rest goes on: never a fatal error, never silence."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli.running import COMMAND, environment, run
from cli.test_bad_input import restricted
from cli.workspaces import PLATFORM, javascript, repository, write

BAD = "services/orders/migrations/003_bad.ts"
EXPECTED = 7
"""The findings of the platform without the bad file."""


def plan_of(root: Path) -> Any:
    result = run("plan", root, "--format", "json")
    assert result.code == 1, result.err
    return json.loads(result.out)


BROKEN = {
    "it does not parse": (b"export async function up(knex { await\n", "parse|syntax"),
    "it is binary": (bytes(range(256)) * 40, "binary|UTF-8|text"),
    "it is not UTF-8": ("export const up = () => 'é';\n".encode("latin-1"), "UTF-8"),
    "it is UTF-16": ("export const up = () => {};\n".encode("utf-16"), "UTF-8|binary|text"),
    "it is empty": (b"", "empty"),
    "it exports no up": (b"export const down = () => {};\n", "up"),
    "it has 50 MB": (b"// " + b"x" * 50_000_000 + b"\n", "large"),
    "it is deeply nested": (b"export const up = (knex) => " + b"(" * 20_000 + b")" * 20_000 + b";\n", ""),
}


@pytest.mark.parametrize(("content", "said"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_nothing_can_be_made_of(content: bytes, said: str, tmp_path: Path) -> None:
    root = write(tmp_path, {**PLATFORM, BAD: content})
    document = plan_of(root)
    places = [one for one in document["unresolved"] if one["file"] == BAD]
    assert places
    assert any(word.lower() in places[0]["reason"].lower() for word in said.split("|")), places
    assert len(document["findings"]) == EXPECTED
    text = run("plan", root).out
    assert BAD in text.partition("Could not be read")[2]
    assert " could not be read" in text.splitlines()[-1]


def test_the_same_in_a_commit(tmp_path: Path) -> None:
    """A branch is planned from objects. What an unread file of a service does is not known: nothing of it is safe."""
    contents = enumerate(content for content, _ in BROKEN.values())
    files = {f"services/orders/migrations/10{number}_bad.ts": content for number, content in contents}
    repo = repository(tmp_path, {**PLATFORM, **files})
    result = run("apply", repo.root, "--branch", "fix")
    assert (result.code, result.err) == (0, "")
    assert repo("diff", "--name-only", "HEAD", "fix").split() == [
        "services/accounts/migrations/20250301000000_enable_row_level_security.ts"
    ]


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    root = write(tmp_path, {**PLATFORM, BAD: "export const up = () => {};\n"})
    (root / BAD).chmod(0o000)
    result = restricted("plan", root, "--format", "json")
    assert result.code == 1
    document = json.loads(result.out)
    assert [(one["file"], one["reason"]) for one in document["unresolved"]] == [
        (BAD, "cannot be read: Permission denied")
    ]
    assert len(document["findings"]) == EXPECTED


def test_links_in_circles(tmp_path: Path) -> None:
    root = write(tmp_path, PLATFORM)
    (root / "services/orders/migrations/loop.ts").symlink_to("loop.ts")
    (root / "services/orders/again").symlink_to("..")
    (root / "services/orders/outside").symlink_to("/")
    document = plan_of(root)
    assert len(document["findings"]) == EXPECTED
    assert [one["name"] for one in document["services"]] == ["accounts", "orders"]


ENDLESS = {
    "a loop": "  let i = 0;\n  while (true) { i += 1; }",
    "a loop that sends SQL": "  for (;;) { await knex.raw('SELECT 1'); }",
    "a recursion": "  const again = (n) => again(n + 1) + 1;\n  again(0);",
    "a string that doubles": "  let text = 'x';\n  while (true) { text = text + text; }\n  await knex.raw(text);",
    "a string that is repeated": "  await knex.raw('x'.repeat(2 ** 31));\n  await knex.raw('x'.repeat(1e300));",
    "padding": "  await knex.raw('x'.padStart(1e9));\n  await knex.raw('x'.padEnd(1e12, 'ab'));",
    "an array that grows": "  const all = [1];\n  while (true) { all.push(...all); }",
    "a filled array": "  await knex.raw(new Array(1e9).fill('x').join(','));",
    "an array from a length": "  await knex.raw(Array.from({ length: 1e9 }, (_, i) => `a${i}`).join(','));",
    "doubling arrays": "  let a = ['x'];\n  for (let i = 0; i < 60; i++) a = a.concat(a);\n  await knex.raw(a.join());",
    "replacements that grow": "  let t = 'ab';\n  while (true) { t = t.replaceAll('a', 'aa').replace(/b/g, 'bb'); }",
    "a slow regular expression": "  await knex.raw(`SELECT ${/^(a+)+$/.test('a'.repeat(60) + 'b')}`);",
    "a power": "  const n = 10n ** 1000000000n;\n  await knex.raw(String(n));",
    "a promise that awaits itself": "  const f = async () => { await f(); };\n  await f();",
    "a generator": "  function* all() { for (;;) { yield 1; } }\n  for (const n of all()) await knex.raw('SELECT 1');",
    "SQL that loops": "  await knex.raw(`DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$`);",
    "SQL that counts": "  await knex.raw(`DO $$ BEGIN FOR i IN 1..2000000000 LOOP EXECUTE"
    " format('CREATE TABLE t%s ()', i); END LOOP; END $$`);",
    "SQL that repeats": "  await knex.raw(`DO $$ BEGIN EXECUTE repeat('SELECT 1;', 2000000000); END $$`);",
    "SQL that nests": "  await knex.raw('SELECT ' + '('.repeat(50000) + '1' + ')'.repeat(50000));",
}  # fmt: skip
SECONDS, MEGABYTES = 60, 400
"""Many times what it takes: some five seconds and 120 megabytes."""


def test_migrations_without_end_are_bounded_and_named(tmp_path: Path) -> None:
    """All of them in one platform: in time, in memory (which the process itself reports), and the rest is planned."""
    files = {f"services/orders/migrations/{number}_endless.js": name for number, name in enumerate(ENDLESS, 100)}
    write(tmp_path, {**PLATFORM, **{path: javascript(ENDLESS[name]) for path, name in files.items()}})
    script = (
        "import resource, sys; from remediate.__main__ import main\n"
        "try:\n    main()\nfinally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))  # so that a failure does not take the machine along

    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script, "plan", str(tmp_path), "--format", "json"],
        capture_output=True,
        env=environment(),
        preexec_fn=limit,
        timeout=240,
        check=False,
    )
    assert done.returncode == 1, done.stderr.decode()
    assert time.monotonic() - started < SECONDS
    assert int(done.stderr) / 1024 < MEGABYTES
    document = json.loads(done.stdout)
    assert len(document["findings"]) == EXPECTED
    named = {one["file"] for one in (*document["unresolved"], *document["refused"])}
    assert [name for path, name in files.items() if path not in named] == []


def test_many_links_and_pipes_are_left_alone(tmp_path: Path) -> None:
    """A named pipe would block whoever opens it."""
    root = write(tmp_path, PLATFORM)
    os.mkfifo(root / "services/orders/migrations/004_pipe.ts")
    done = subprocess.run(
        [*COMMAND, "plan", str(root)], capture_output=True, env=environment(), timeout=30, check=False
    )
    assert done.returncode == 1
