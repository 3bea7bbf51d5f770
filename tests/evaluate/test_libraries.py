# ruff: noqa: E501 (a case stands on one line, so that the table can be read)
"""The functions of lodash and ramda that are written for evaluation, against the packages themselves."""

from __future__ import annotations

import json

import pytest

from evaluate.world import run
from support.node import Node

USERS = "[{ n: 'b', a: 2, r: { k: 1 } }, { n: 'a', a: 2, r: { k: 2 } }, { n: 'c', a: 1, r: null }]"

LODASH = [
    f"_.map({USERS}, 'n')", f"_.map({USERS}, u => u.a + 1)", "_.map({ a: 1, b: 2 }, (v, k) => k + v)", f"_.filter({USERS}, {{ a: 2 }})",
    f"_.filter({USERS}, ['n', 'c'])", f"_.reject({USERS}, 'r')", f"_.find({USERS}, {{ a: 1 }})", f"_.some({USERS}, 'r.k')", f"_.every({USERS}, 'n')",
    f"_.sortBy({USERS}, 'a', 'n')", f"_.sortBy({USERS}, ['n'])", f"_.orderBy({USERS}, ['a', 'n'], ['desc', 'asc'])", f"_.groupBy({USERS}, 'a')",
    f"_.keyBy({USERS}, 'n')", f"_.uniqBy({USERS}, 'a')", "_.uniq([1, 2, 1])", "_.union([1], [2, 1])", "_.difference([1, 2, 3], [2])", "_.without([1, 2, 1], 1)",
    "_.intersection([1, 2], [2, 3])", "_.flatten([1, [2, [3]]])", "_.flattenDeep([1, [2, [3]]])", "_.flatMap([1, 2], n => [n, n])", "_.compact([0, 1, '', null, 2])",
    "_.chunk([1, 2, 3], 2)", "_.concat([1], 2, [3])", "_.head([1, 2])", "_.last([1, 2])", "_.tail([1, 2])", "_.initial([1, 2])", "_.take([1, 2, 3], 2)", "_.drop([1, 2, 3])",
    "_.size({ a: 1 })", "_.size('abc')", "_.range(3)", "_.range(1, 7, 2)", "_.times(3, n => n * 2)", "_.zip(['a', 'b'], [1, 2])", "_.zipObject(['a', 'b'], [1, 2])",
    "_.sum([1, 2])", "_.max([1, 3, 2])", "_.min([3, 1])", "_.max([])", "_.keys({ a: 1 })", "_.values({ a: 1 })", "_.toPairs({ a: 1 })", "_.fromPairs([['a', 1]])", "_.invert({ a: 'b' })",
    "_.pick({ a: 1, b: 2 }, 'a')", "_.pick({ a: 1, b: 2 }, ['b', 'c'])", "_.omit({ a: 1, b: 2 }, ['a'])", "_.pickBy({ a: 1, b: null })", "_.omitBy({ a: 1, b: null }, _.isNil)",
    "_.mapValues({ a: 1 }, v => v + 1)", "_.mapKeys({ a: 1 }, (v, k) => k + v)", "_.defaults({ a: 1 }, { a: 2, b: 3 })", "_.assign({ a: 1 }, { b: 2 })", "_.get({ a: [{ b: 1 }] }, 'a[0].b')",
    "_.get({}, 'a.b', 'x')", "_.has({ a: { b: 1 } }, 'a.b')", "_.has({ a: 1 }, 'b')", "_.isEmpty({})", "_.isEmpty([1])", "_.isEmpty(null)", "_.isEmpty(3)", "_.isEqual({ a: [1] }, { a: [1] })",
    "_.includes([1, 2], 2)", "_.includes('abc', 'b')", "_.reduce({ a: 1, b: 2 }, (s, v, k) => s + k + v, '')", "_.cloneDeep({ a: [1] })", "_.camelCase('foo_bar baz')", "_.camelCase('__FOO_BAR__')",
    "_.snakeCase('fooBar Baz')", "_.snakeCase('HTMLParser2')", "_.kebabCase('fooBarBaz')", "_.startCase('foo_bar')", "_.lowerCase('fooBar')", "_.upperCase('fooBar')", "_.upperFirst('abc')", "_.lowerFirst('ABC')",
    "_.capitalize('fOO')", "_.trim('  a ')", "_.padStart('7', 3, '0')", "_.join(['a', 'b'], '-')",
]  # fmt: skip

RAMDA = [
    "R.compose(R.toUpper, R.head)(['a', 'b'])", "R.pipe((a, b) => a + b, n => n * 2)(1, 2)", "R.map(n => n + 1)([1, 2])", "R.map(n => n + 1, { a: 1 })", "R.filter(n => n > 1)([1, 2])",
    "R.reject(n => n > 1, [1, 2])", "R.reduce((a, b) => a + b, 0)([1, 2])", "R.chain(n => [n, n], [1, 2])", "R.find(n => n > 1)([1, 2])", "R.any(n => n > 1)([1, 2])", "R.all(n => n > 1)([1, 2])",
    "R.head([1])", "R.last([1, 2])", "R.tail([1, 2])", "R.init([1, 2])", "R.take(2)([1, 2, 3])", "R.drop(1, [1, 2])", "R.length([1])", "R.reverse([1, 2])", "R.reverse('ab')", "R.join(', ')(['a', 'b'])",
    "R.split('/')('a/b')", "R.replace('.ts', '.sql')('a.ts')", "R.concat([1])([2])", "R.append(3, [1])", "R.prepend(0)([1])", "R.includes(1)([1])", "R.without([1])([1, 2])", "R.difference([1, 2], [2])",
    "R.intersection([1, 2], [2])", "R.union([1], [1, 2])", "R.range(1, 4)", "R.zip([1, 2], ['a', 'b'])", "R.zipObj(['a'])([1])", "R.sortBy(R.prop('a'))([{ a: 2 }, { a: 1 }])",
    "R.groupBy(n => n % 2 ? 'odd' : 'even')([1, 2, 3])", "R.indexBy(R.prop('id'))([{ id: 'x' }])", "R.keys({ a: 1 })", "R.values({ a: 1 })", "R.toPairs({ a: 1 })", "R.fromPairs([['a', 1]])",
    "R.propOr(3, 'b', { a: 1 })", "R.pluck('a')([{ a: 1 }])", "R.path(['a', 'b'])({ a: { b: 1 } })", "R.pathOr(0, ['a', 'b'], {})", "R.has('a')({ a: 1 })", "R.pick(['a'])({ a: 1, b: 2 })", "R.omit(['a'], { a: 1, b: 2 })",
    "R.assoc('a', 1)({ b: 2 })", "R.dissoc('a', { a: 1, b: 2 })", "R.mergeRight({ a: 1 })({ a: 2 })", "R.mergeLeft({ a: 1 }, { a: 2 })", "R.mergeAll([{ a: 1 }, { b: 2 }])", "R.defaultTo(1)(null)",
    "R.ifElse(R.isNil, R.always('none'), R.identity)('x')", "R.when(R.isNil, R.always(0))(null)", "R.unless(R.isNil, n => n + 1, 1)", "R.times(R.identity, 3)", "R.uniq([1, 2, 1])", "R.flatten([1, [2, [3]]])",
    "R.equals({ a: 1 })({ a: 1 })", "R.isEmpty('')", "R.mapObjIndexed((v, k) => k + v, { a: 1 })", "R.complement(R.isNil)(1)", "R.curry((a, b, c) => a + b + c)(1)(2, 3)", "R.toLower('A')", "R.trim(' a ')",
]  # fmt: skip


@pytest.mark.parametrize(("package", "name", "calls"), [("lodash", "_", LODASH), ("ramda", "R", RAMDA)])
def test_they_answer_as_the_package_does(package: str, name: str, calls: list[str], node: Node) -> None:
    parts = ", ".join(f"[{call}]" for call in calls)
    program = f"const {name} = require('{package}');\nconst answers = [{parts}];\n"
    expected = json.loads(node("-e", program + "console.log(JSON.stringify(answers));"))
    evaluation = run(program + "exports.up = (knex) => knex.raw(JSON.stringify(answers));", name="1.js")
    assert [place.reason for place in evaluation.unresolved] == []
    (sent,) = evaluation.sent
    different = [
        (call, was, is_) for call, was, is_ in zip(calls, expected, json.loads(sent.sql), strict=True) if was != is_
    ]
    assert different == []


def test_a_part_of_lodash_may_be_imported_alone() -> None:
    text = "import flatten from 'lodash/flatten';\nimport { pick } from 'lodash';\nexport const up = k => k.raw(flatten([['a']])[0] + pick({ b: 'c' }, 'b').b);"
    assert [sent.sql for sent in run(text).sent] == ["ac"]


def test_what_is_not_written_is_not_known() -> None:
    evaluation = run("import _ from 'lodash';\nexport const up = k => k.raw(_.template('a')());")
    (unresolved,) = evaluation.unresolved
    assert "lodash.template is not interpreted" in unresolved.reason
