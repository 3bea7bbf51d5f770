"""What the handles answer, and how the session sees their statements."""

from __future__ import annotations

from typing import Any

import pytest

from evaluate.knex.recorder import Recorder
from evaluate.knex.snippets import run
from remediate.evaluate.knex import Answer, KnexHandle, PoolHandle, Query, ThrownError, settle
from remediate.evaluate.knex.literals import inline_dollars
from remediate.evaluate.values import UNDEFINED, Unknown


def evaluate(snippet: str, session: Recorder, **scope: Any) -> Any:
    return settle(run(snippet, {"knex": KnexHandle(session), "pool": PoolHandle(session), **scope}))


@pytest.mark.parametrize(
    ("snippet", "answer"),
    [
        ("knex.schema.hasTable('t')", True),
        ("knex.schema.hasTable('u')", False),
        ("knex.schema.withSchema('s').hasTable('v')", True),
        ("knex.schema.hasTable('s.v')", True),
        ("knex.schema.hasColumn('t', 'a')", True),
        ("knex.schema.hasColumn('t', 'b')", False),
        ("knex.schema.hasTable('t').hasTable('u')", [True, False]),
        ("knex.client.config.client", "pg"),
        ("knex.client.dialect", "postgresql"),
        ("knex.isTransaction", True),
        ("knex.raw('?', [1]).toString()", "1"),
        ("knex('t').where('a', \"it's\").toString()", "select * from \"t\" where \"a\" = 'it''s'"),
        ("knex.schema.dropTable('a').dropTable('b').toString()", 'drop table "a";\ndrop table "b"'),
        ("knex('t').where('a', 1).toSQL().toNative().sql", 'select * from "t" where "a" = $1'),
        ("knex.raw('select ?', [1]).toSQL().bindings", [1]),
        ("knex.fn.now().toString()", "CURRENT_TIMESTAMP"),
        ("knex.destroy()", UNDEFINED),
    ],
)
def test_answers(snippet: str, answer: Any) -> None:
    assert evaluate(snippet, Recorder(("t", "s.v"), ("t.a",))) == answer


@pytest.mark.parametrize(
    ("snippet", "form"),
    [
        ("knex.schema.dropTable('t')", "builder"),
        ("knex.schema.raw('select 1')", "raw"),
        ("knex.raw('select 1')", "raw"),
        ("knex('t').del()", "query"),
        ("pool.query('select 1')", "pool"),
    ],
)
def test_the_form_tells_what_sent_it(snippet: str, form: str) -> None:
    session = Recorder()
    evaluate(snippet, session)
    assert [query.form for query in session.queries] == [form]


def test_statements_of_a_transaction_carry_its_id() -> None:
    session = Recorder()
    evaluate("knex.transaction(async trx => { await trx('t').del(); await knex('u').del() })", session)
    assert [(query.sql, query.transaction, query.control) for query in session.queries] == [
        ("SAVEPOINT trx2;", "trx2", True),
        ('delete from "t"', "trx2", False),
        ('delete from "u"', None, False),
        ("RELEASE SAVEPOINT trx2;", "trx2", True),
    ]


def test_a_place_is_that_of_the_call() -> None:
    session = Recorder()
    evaluate("knex.schema.createTable('t',\n t => { t.string('a')\n.index(); t.uuid('b').comment('c') })", session)
    assert [query.place.line for query in session.queries] == [1, 3, 2]


def test_text_without_bindings_is_passed_on_as_the_same_object() -> None:
    session = Recorder()
    text = "create policy p on t using (true)"
    evaluate("knex.raw(sql)", session, sql=text)
    assert session.queries[0].sql is text


def test_callbacks_get_this() -> None:
    session = Recorder()
    evaluate("knex.schema.createTable('t', function () { this.uuid('id') })", session)
    assert session.sent == ['create table "t" ("id" uuid)']


def test_methods_can_be_called_indirectly() -> None:
    session = Recorder()
    evaluate("knex.schema.dropTable.call(null, 't')", session)
    evaluate("knex.raw.apply(null, ['select ?', [1]])", session)
    evaluate("knex.raw.bind(null, 'select 2')()", session)
    assert session.sent == ['drop table "t"', "select 1", "select 2"]


@pytest.mark.parametrize(
    ("snippet", "sql", "prepared"),
    [
        ("pool.query('select 1')", "select 1", None),
        ("pool.query('select $1, $2', ['a', 2])", "select 'a', 2", "select $1, $2"),
        ("pool.query({ text: 'select $1', values: [null] })", "select NULL", "select $1"),
        ("pool.query('select $1::jsonb', [{ a: \"it's\" }])", "select '{\"a\":\"it''s\"}'::jsonb", "select $1::jsonb"),
        ("pool.query('select 1', [])", "select 1", None),
    ],
)
def test_a_pool_sends_its_text(snippet: str, sql: str, prepared: str | None) -> None:
    session = Recorder()
    result = evaluate(snippet, session)
    assert [(query.sql, query.prepared) for query in session.queries] == [(sql, prepared)]
    assert result["rows"] == [{"a": 1, "b": 2}]
    assert (result["rowCount"], result["command"]) == (1, "SELECT")


def test_a_pool_sends_at_once_awaited_or_not() -> None:
    session = Recorder()
    run("pool.query('select 1')", {"pool": PoolHandle(session)})
    assert session.sent == ["select 1"]


def test_a_client_of_a_pool() -> None:
    session = Recorder()
    client = evaluate("pool.connect()", session)
    run("client.query('begin')", {"client": client})
    assert run("client.release()", {"client": client}) is UNDEFINED
    assert session.sent == ["begin"]


def test_a_pool_reports_the_message_of_postgres_alone() -> None:
    with pytest.raises(ThrownError) as raised:
        evaluate("pool.query('fail')", Recorder())
    assert raised.value.value == {"name": "error", "message": "refused", "code": "42601"}


def test_unknown_values_of_a_pool() -> None:
    session = Recorder()
    evaluate("pool.query('select $1', [x])", session, x=Unknown("no"))
    evaluate("pool.query(x)", session, x=Unknown("no"))
    evaluate("pool.query('select $1', x)", session, x=Unknown("no"))
    assert [isinstance(query.sql, Unknown) for query in session.queries] == [True, True, True]
    assert [query.prepared for query in session.queries] == ["select $1", None, "select $1"]


@pytest.mark.parametrize(
    ("sql", "inlined"),
    [
        ("select '$1', $1", "select '$1', 'x'"),
        ('select "$1", $1', "select \"$1\", 'x'"),
        ("select $$ $1 $$, $1", "select $$ $1 $$, 'x'"),
        ("select $f$ $1 $$ $f$, $1", "select $f$ $1 $$ $f$, 'x'"),
        ("select E'\\'$1', $1", "select E'\\'$1', 'x'"),
        ("select 1 -- $1\n, $1", "select 1 -- $1\n, 'x'"),
        ("select /* $1 */ $1, $2", "select /* $1 */ 'x', $2"),
        ("select 'it''s $1' || $1", "select 'it''s $1' || 'x'"),
    ],
)
def test_dollars_in_quotes_and_comments_stay(sql: str, inlined: str) -> None:
    assert inline_dollars(sql, ["'x'"]) == inlined


def test_unknown_rows_stay_unknown() -> None:
    class Blind(Recorder):
        def send(self, query: Query) -> Answer:
            return Answer(Unknown("rows are not replayed"), row_count=Unknown("rows are not replayed"))

    for snippet in ("knex('t')", "knex('t').first()", "knex('t').pluck('a')", "knex('t').update({ a: 1 })"):
        assert isinstance(evaluate(snippet, Blind()), Unknown), snippet
    assert isinstance(evaluate("knex.raw('select 1')", Blind())["rows"], Unknown)
