"""What cannot be told is sent as unknown, with as much as is known; it never raises and never vanishes."""

from __future__ import annotations

from typing import Any

import pytest

from evaluate.knex.recorder import Recorder
from evaluate.knex.snippets import run
from remediate.evaluate.knex import KnexHandle, Query, Subject, settle
from remediate.evaluate.values import HostObject, Unknown

SECRET = Unknown("process.env.SECRET is not known")


def sent(snippet: str, **scope: Any) -> list[Query]:
    session = Recorder()
    settle(run(snippet, {"knex": KnexHandle(session), "x": SECRET, **scope}))
    return session.queries


@pytest.mark.parametrize(
    "snippet",
    [
        "knex.raw(x)",
        "knex.raw('select ??', [x])",
        "knex.raw('select :a:', x)",
        "knex(x).del()",
        "knex('t').where(x)",
        "knex('t').where(x, 1)",
        "knex('t').where('a', x, 1)",
        "knex('t').whereIn('a', x)",
        "knex('t').insert(x)",
        "knex('t').insert([x])",
        "knex('t').update(x)",
        "knex('t').select(x)",
        "knex('t').select('a').orderBy(x)",
        "knex('t').count(x)",
        "knex('t').max('a', x)",
        "knex('t').join(x, 'a', 'b')",
        "knex('t').join('u', x)",
        "knex('t').whereRaw(x)",
        "knex('t').groupBy(x)",
        "knex('t').increment(x)",
        "knex('t').withSchema(x)",
        "knex('t').returning(x).insert({ a: 1 })",
        "knex('t').insert({ a: 1 }).onConflict(x).ignore()",
        "knex('t').insert({ a: 1 }).onConflict('a').merge(x)",
        "knex('t').comment(x)",
        "knex('t').hintComment(x)",
        "knex('t').someday('a').where('b', 1)",
        "knex('t').modify(x)",
        "knex('t').modify('name')",
        "knex('t').from(x)",
        "knex('t').distinctOn(x)",
        "knex('t').union(x)",
        "knex.with('a', x).from('a')",
        "knex('t').having(x, '>', 1)",
        "knex('t').orWhere(x)",
        "knex('t').jsonExtract(x, '$.a')",
        "knex('t').clear(x)",
        "knex('t').limit(x)",
        "knex.schema.raw(x)",
        "knex.schema.dropTable(x)",
        "knex.schema.withSchema(x).dropTable('t')",
        "knex.schema.dropSchema('s', x)",
        "knex.schema.renameTable('t', x)",
        "knex.schema.someday('t')",
        "knex.schema.createView('v', x)",
        "knex.schema.createView('v', v => { v.as(x) })",
        "knex.schema.createView('v', v => { v.someday() })",
        "knex.schema.alterView('v', x)",
        "knex.schema.createTable(x, t => { t.increments() })",
        "knex.schema.createTable('t', x)",
        "knex.schema.createTableLike('t', x)",
        "knex.schema.withSchema(x).createTable('t', t => { t.increments() })",
        "knex.schema.createTable('t', t => { t.string(x) })",
        "knex.schema.createTable('t', t => { t.string('a', x) })",
        "knex.schema.createTable('t', t => { t.string('a').defaultTo(x) })",
        "knex.schema.createTable('t', t => { t.jsonb('a').defaultTo({ b: x }) })",
        "knex.schema.createTable('t', t => { t.string('a').defaultTo(knex.raw(x)) })",
        "knex.schema.createTable('t', t => { t.specificType('a', x) })",
        "knex.schema.createTable('t', t => { t.enum('a', x) })",
        "knex.schema.createTable('t', t => { t.enum('a', ['b', x]) })",
        "knex.schema.createTable('t', t => { t.timestamp('a', x) })",
        "knex.schema.createTable('t', t => { t.timestamp('a', { precision: x }) })",
        "knex.schema.createTable('t', t => { t.increments('a', { primaryKey: x }) })",
        "knex.schema.createTable('t', t => { t.string('a').nullable(x) })",
        "knex.schema.createTable('t', t => { t.string('a').someday() })",
        "knex.schema.createTable('t', t => { t.primary(x) })",
        "knex.schema.createTable('t', t => { t.primary(['a'], x) })",
        "knex.schema.createTable('t', t => { t.integer('a').checkIn(x) })",
        "knex.schema.createTable('t', t => { t.integer('a').checkIn([x]) })",
        "knex.schema.createTable('t', t => { t.integer('a').checkBetween(x) })",
        "knex.schema.createTable('t', t => { t.integer('a').checkBetween([x, 1]) })",
        "knex.schema.createTable('t', t => { t.integer('a').checkLength(x, 1) })",
        "knex.schema.createTable('t', t => { t.integer('a').checkLength('>', x) })",
        "knex.schema.createTable('t', t => { t.integer('a').checkPositive(x) })",
        "knex.schema.createTable('t', t => { t.integer('a').checkRegex(x) })",
        "knex.schema.createTable('t', t => { t.check(x) })",
        "knex.schema.createTable('t', t => { t.check('a > ?', [x]) })",
        "knex.schema.createTable('t', t => { t.inherits(x) })",
        "knex.schema.alterTable('t', t => { t.integer('a').alter(x) })",
        "knex.schema.alterTable('t', t => { t.dropColumn(x) })",
        "knex.schema.alterTable('t', t => { t.dropColumn('a', x) })",
        "knex.schema.alterTable('t', t => { t.dropChecks(x) })",
        "knex.schema.alterTable('t', t => { t.dropPrimary(x) })",
        "knex.schema.alterTable('t', t => { t.dropForeign(x) })",
        "knex.schema.alterTable('t', t => { t.renameColumn('a', x) })",
        "knex.schema.alterTable('t', t => { t.setNullable(x) })",
        "knex.schema.alterTable('t', t => { t.check('a', [], x) })",
        "knex.schema.alterTable('t', t => { t.someday('a') })",
        "knex.schema.alterTable('t', t => { t.timestamps(true, x) })",
        "knex.transaction(x)",
        "knex.migrate.latest()",
        "knex.rollback()",
        "knex.commit()",
    ],
)
def test_a_statement_with_an_unknown_part_is_unknown(snippet: str) -> None:
    queries = sent(snippet)
    assert any(isinstance(query.sql, Unknown) for query in queries), [query.sql for query in queries]


def test_the_relation_is_known_where_the_statement_is_not() -> None:
    (query,) = sent("knex.schema.withSchema('s').createTable('t', t => { t.string(x) })")
    assert query.subject == Subject("create table", "t", "s")


def test_one_unknown_key_spoils_only_its_own_statement() -> None:
    queries = sent("knex.schema.createTable('t', t => { t.uuid('id').primary(); t.index(x); t.index('id') })")
    assert [isinstance(query.sql, Unknown) for query in queries] == [False, True, False]


def test_an_unknown_comment_spoils_only_the_comment() -> None:
    queries = sent("knex.schema.createTable('t', t => { t.uuid('id'); t.comment(x) })")
    assert [isinstance(query.sql, Unknown) for query in queries] == [False, True]


@pytest.mark.parametrize(
    ("snippet", "prepared"),
    [
        ("knex('t').insert({ a: x, b: 1 })", 'insert into "t" ("a", "b") values ($1, $2)'),
        ("knex('t').where('a', x).del()", 'delete from "t" where "a" = $1'),
        ("knex('t').update({ a: x })", 'update "t" set "a" = $1'),
        ("knex.raw('select ?, ??', [x, 'b'])", 'select $1, "b"'),
        ("knex.raw('select ?, ?', x)", "select $1, $2"),
        ("knex('t').insert({ a: { b: x } })", 'insert into "t" ("a") values ($1)'),
    ],
)
def test_with_unknown_values_the_prepared_text_is_still_known(snippet: str, prepared: str) -> None:
    (query,) = sent(snippet)
    assert isinstance(query.sql, Unknown)
    assert query.prepared == prepared


def test_what_only_rows_would_tell_stays_marked() -> None:
    rows = Unknown("depends on the rows of t", about_data=True)
    for snippet in (
        "knex('u').insert({ a: x })",
        "knex('u').whereIn('a', x)",
        "knex('t').update(x)",
        "knex.raw('?', x)",
    ):
        (query,) = sent(snippet, x=rows)
        assert isinstance(query.sql, Unknown)
        assert query.sql.about_data, snippet


def test_what_comes_of_an_unknown_statement_is_unknown() -> None:
    assert isinstance(settle(run("knex.raw(x)", {"knex": KnexHandle(Recorder()), "x": SECRET})), Unknown)


@pytest.mark.parametrize("snippet", ["knex.schema.hasTable(x)", "knex.schema.hasColumn('t', x)"])
def test_a_question_about_an_unknown_name_has_an_unknown_answer(snippet: str) -> None:
    session = Recorder()
    assert isinstance(settle(run(snippet, {"knex": KnexHandle(session), "x": SECRET})), Unknown)
    assert session.queries == []


@pytest.mark.parametrize(
    "snippet",
    [
        "knex.client.config.connection",
        "knex.migrate.currentVersion()",
        "knex.someday",
        "knex.schema.createTable('t', t => { t.string(x) }).toString()",
        "knex(x).toString()",
        "knex(x).toSQL()",
    ],
)
def test_other_things_of_knex_are_unknown_or_do_nothing(snippet: str) -> None:
    value = settle(run(snippet, {"knex": KnexHandle(Recorder()), "x": SECRET}))
    assert isinstance(value, Unknown | HostObject)
