"""What a condition decides about: named by what a migration looks like, with what its other branch may touch."""

from __future__ import annotations

import pytest

from remediate.source.branches import decided

TABLES = ("orders", "items", "users", "audit", "late")

# name: (the migration, CONDITION where the condition stands; whether it was taken; the tables it decides about)
CASES: dict[str, tuple[str, bool, str]] = {
    "the branch alone": ("await k('users'); if (CONDITION) { await k('orders') } await k('late');", False, "orders"),
    "a branch without braces": ("if (CONDITION) await k('orders'); await k('late');", False, "orders"),
    "the other branch": ("if (CONDITION) { k('orders') } else { k('items') }", True, "items"),
    "the next condition of a chain": (
        "if (CONDITION) { k('orders') } else if (other) { k('items') } else { k('users') }",
        True,
        "items users",
    ),
    "no other branch": ("if (CONDITION) { k('orders') }", True, ""),
    "what comes after a return": ("if (CONDITION) { return; } k('late');", False, "late"),
    "what comes after a return in a block": (
        "{ if (CONDITION) { return; } k('items'); } k('late');",
        False,
        "items late",
    ),
    "a return of a function within": ("if (CONDITION) { a.map(() => { return 1 }) } k('late');", False, ""),
    "a constant": (
        "const T = ['orders', 'items']; if (CONDITION) { for (const t of T) k(t) } k('late')",
        False,
        "orders items",
    ),
    "a constant of constants": ("const A = 'orders'; const T = [A]; if (CONDITION) T.forEach(k)", False, "orders"),
    "a helper": (
        "async function help() { await k('audit') } if (CONDITION) { await help() } k('late')",
        False,
        "audit",
    ),
    "a helper in an arrow": ("const help = () => k('audit'); if (CONDITION) help()", False, "audit"),
    "in a loop": ("for (const t of ['orders', 'items']) { if (CONDITION) { k(t) } } k('late')", False, "orders items"),
    "in a callback": ("['orders'].forEach((t) => { if (CONDITION) k(t) }); k('late')", False, "orders"),
    "in a helper": ("function help(t) { if (CONDITION) k(t) } help('orders'); k('late')", False, "orders"),
    "in a helper in an arrow": (
        "const help = async (t) => { if (CONDITION) k(t) }; help('orders'); k('late')",
        False,
        "orders",
    ),
    "a name that means something else elsewhere": (
        "const t = 'orders'; if (CONDITION) { k(t) } } function other(t) { k(t) } function more() { other('users');",
        False,
        "orders",
    ),
    "the handle, passed to a helper": (
        "if (CONDITION) { k('orders') } help(k, 'late') } function help(k, t) { k(t)",
        False,
        "orders",
    ),
    "a destructured row": ("const [{ t }] = [{ t: 'orders' }]; if (CONDITION) k(t); k('late')", False, "orders"),
    "an object of names": ("const N = { a: 'orders' }; if (CONDITION) { k(N.a) } k('late')", False, "orders"),
    "the rounds of a loop": ("for (const r of CONDITION) { k('orders') } k('late')", False, "orders"),
    "a template": ("if (CONDITION) { k(`ALTER TABLE orders`) }", False, "orders"),
    "no comment": ("if (CONDITION) { k('orders') /* users */ } // items", False, "orders"),
    "its own test": ("if (CONDITION && users) { k('orders') }", False, "orders"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("file", ["a.ts", "a.js"])
def test_what_is_decided(name: str, file: str) -> None:
    text, taken, expected = CASES[name]
    source = f"export async function up(k) {{ {text} }}\nexport async function down(k) {{ k('users') }}"
    found = decided(file, source.encode(), source.index("CONDITION"), taken=taken)
    assert found is not None
    assert [table for table in TABLES if table in found.text] == sorted(expected.split(), key=TABLES.index)
    assert found.elsewhere == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import { T } from './tables'; if (CONDITION) T.forEach(k)", ("T",)),
        ("const { T } = require('../tables'); if (CONDITION) T.forEach(k)", ("T",)),
        ("import T from './tables'; const all = [...T]; if (CONDITION) all.forEach(k)", ("T",)),
        ("import { log } from './log'; if (CONDITION) log.info('orders')", ()),
        ("import { readFileSync } from 'fs'; if (CONDITION) k(readFileSync('a.sql'))", ()),
        ("import { T } from './tables'; if (CONDITION) k('orders')", ()),
    ],
)
def test_names_of_other_files(text: str, expected: tuple[str, ...]) -> None:
    found = decided("a.ts", text.encode(), text.index("CONDITION"), taken=False)
    assert found is not None
    assert found.elsewhere == expected


def test_no_condition_stands_there() -> None:
    assert decided("a.ts", b"const a = b ? k('orders') : 1", 10, taken=False) is None


def test_any_depth_is_read() -> None:
    text = "if (CONDITION) { " + "{" * 3000 + "k('orders')" + "}" * 3000 + " }"
    found = decided("a.ts", text.encode(), text.index("CONDITION"), taken=False)
    assert found is not None
    assert "orders" in found.text
