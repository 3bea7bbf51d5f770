"""Which calls enclose a word of a file, what a file imports, which function encloses a place."""

from __future__ import annotations

import pytest

from remediate.source.surroundings import calls_around, functions_around, imported_names

AROUND = {
    "a call": ("db('orders')", [("db",)]),
    "a call with type arguments": ("db<Order>('orders')", [("db",)]),
    "a chained call": ("db('a').where({ b: 1 }).join('orders', 'x', 'y')", [("db",)]),
    "a chain over lines": ("db('a')\n  .leftJoin(\n 'orders as o')", [("db",)]),
    "a method": ("trx.raw(`SELECT 1 FROM orders`)", [("trx",)]),
    "a member": ("this.db('orders')", [("this.db",)]),
    "a callback": ("inTenant(id, async (trx) => { return trx('orders'); })", [("trx", "inTenant")]),
    "a second argument": ("query(id, `SELECT 1 FROM orders`, [1])", [("query",)]),
    "no call": ("const TABLE = 'orders';", [()]),
    "a condition": ("if (name === 'orders') {}", [()]),
    "two mentions": ("db('orders'); trx('orders')", [("db",), ("trx",)]),
    "a mixed case": ("db('Orders')", [("db",)]),
    "a statement of its own": ("f(\ndb('orders')", [("db",)]),
    "part of a word": ("db('orders_old')", []),
    "a comment": ("// db('orders')\n/* 'orders' */", []),
    "an import": ("import { a } from './orders'; const b = require('./orders');", []),
    "brackets in strings": ("f('('); db('orders')", [("db",)]),
}


@pytest.mark.parametrize("case", AROUND)
def test_calls_around(case: str) -> None:
    text, expected = AROUND[case]
    assert calls_around(text.encode(), {"orders"}).get("orders", []) == expected


def test_imported_names() -> None:
    text = """
    import knex, { Knex } from 'knex';
    import type { A as B } from './a';
    import * as all from "./all";
    import './bare';
    const { c, d: e } = require('./c');
    const f = require('./f');
    """
    assert imported_names(text.encode()) == {
        "knex": "knex", "Knex": "knex", "B": "./a", "all": "./all", "c": "./c", "e": "./c", "f": "./f",
    }  # fmt: skip


def test_functions_around() -> None:
    text = b"""
    const db: Knex = knex(config);
    export async function first(id) { await db.raw('x'); }
    export const second = async (id: string) => { if (id) { return db.transaction(async (t) => t.raw('MARK')); } };
    class Store {
      public async third(id: string): Promise<void> { this.x('y'); }
    }
    """
    assert functions_around(text, text.index(b"MARK")) == ("second",)
    assert functions_around(text, text.index(b"'x'")) == ("first",)
    assert functions_around(text, text.index(b"'y'")) == ("third",)
    assert functions_around(text, text.index(b"knex(config)")) == ()
