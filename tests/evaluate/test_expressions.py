# ruff: noqa: E501 (a case stands on one line, so that the table can be read)
"""Pure JavaScript expressions: what the interpreter computes is what Node computes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from evaluate.world import value_of

if TYPE_CHECKING:
    from support.node import Node

EXPRESSIONS = [
    line
    for line in r"""
1 + 2
0.1 + 0.2
1 / 3
10 / 5
7 % 3
-7 % 3
2 ** 10
2 ** 0.5
2 ** 1024
1 / 0
-1 / 0
0 / 0
9007199254740993
1e21
1e-7
123456789012345680000
0.000001
1.5e300 * 1e10
-0
(-0).toString()
5 & 3
5 | 3
5 ^ 3
~5
1 << 31
-1 >>> 0
-8 >> 1
'1' + 2
1 + '2'
1 + 2 + '3'
'3' * '4'
'a' * 1
'5' - 2
+'12'
+''
+' 42 '
+'0x1f'
+'1e3'
+'abc'
+null
+undefined
+true
+[]
+[5]
+{}
-'3'
!0
!''
!'a'
![]
!!NaN
null + 1
undefined + 1
true + true
[] + []
[] + {}
[1, 2] + [3]
({}) + 'x'
'a' + null
'a' + undefined
'a' + [1, [2, 3]]
'a' + {a: 1}
`${null} ${undefined} ${true} ${1.50} ${[1, 2]} ${{a: 1}}`
`a${1}b${'c'}d`
`\`\${x}\n\t\\`
'\x41\u0042\u{43}\n'
"it's"
1 == '1'
1 === '1'
null == undefined
null === undefined
null == 0
'' == 0
'0' == false
[] == false
[1] == 1
NaN == NaN
NaN != NaN
'a' < 'b'
'B' < 'a'
'10' < '9'
10 < '9'
null >= 0
undefined >= 0
(1 < 2) < 3
3 > 2 > 1
typeof 1
typeof 'a'
typeof undefined
typeof null
typeof []
typeof {}
typeof (() => 1)
typeof notDeclaredAnywhere
typeof true
void 0 === undefined
null ?? 'x'
0 ?? 'x'
0 || 'x'
'' && 'x'
1 && 2
undefined?.a === undefined
null?.a.b.c === undefined
({a: null}).a?.b === undefined
({a: {b: 2}})?.a?.b
[1, 2][1]
[1, 2][5] === undefined
({a: 1})['a']
({a: 1}).b === undefined
'abc'[1]
'abc'.length
'é'.length
'😀'.length
[...'abc']
'  a b '.trim()
'abc'.toUpperCase()
'ABC'.toLowerCase()
'abc'.slice(1)
'abc'.slice(-2)
'abc'.slice(0, -1)
'abc'.substring(2, 0)
'abc'.substr(1, 1)
'abc'.charAt(1)
'abc'.charCodeAt(0)
'abc'.at(-1)
'abcabc'.indexOf('c')
'abcabc'.lastIndexOf('c')
'abc'.includes('b')
'abc'.startsWith('ab')
'abc'.endsWith('bc')
'ab'.repeat(3)
'5'.padStart(3, '0')
'5'.padEnd(3, '-')
'a,b,c'.split(',')
'abc'.split('')
'a1b2'.split(/\d/)
'a1b2'.split(/(\d)/)
'abc'.split()
'a,b,c'.split(',', 2)
''.split(',')
''.split('')
'a-b-c'.replace('-', '+')
'a-b-c'.replaceAll('-', '+')
'a-b-c'.replace(/-/g, '+')
'john smith'.replace(/(\w+) (\w+)/, '$2, $1')
'abc'.replace('b', '[$&]')
'abc'.replace('b', m => m.toUpperCase())
'fooBar'.replace(/([A-Z])/g, '_$1').toLowerCase()
'fooBarBaz'.replace(/[A-Z]/g, l => `_${l.toLowerCase()}`)
'foo_bar_baz'.replace(/_(\w)/g, (_, c) => c.toUpperCase())
'a b  c'.split(/\s+/)
'  x\n y '.replace(/\s+/g, ' ')
/^a.c$/.test('abc')
/^a.c$/.test('ab')
'a1b22'.match(/\d+/g)
'a1b22'.match(/(\d)b(\d+)/).slice(1)
'xyz'.match(/a/) === null
'2024-01-02'.match(/(?<y>\d{4})-(?<m>\d\d)/).groups.y
[...'a1b2'.matchAll(/[a-z](\d)/g)].map(m => m[1])
'abc'.search(/c/)
/a[[\]]b/.test('a[b')
/[^]/.test('\n')
'line\nend'.match(/^e\w+$/m)[0]
'a\n'.match(/a$/) === null
'abc'.concat('d', 1)
'a'.localeCompare('b')
'a' > 'B'
[3, 1, 2].sort()
[10, 9, 1].sort()
[10, 9, 1].sort((a, b) => a - b)
['b', 'a'].sort().reverse()
[1, 2, 3].map(x => x * 2)
[1, 2, 3].filter(x => x > 1)
[1, 2, 3].reduce((a, b) => a + b)
[1, 2, 3].reduce((a, b) => a + b, 10)
['a', 'b'].reduce((o, k) => ({...o, [k]: 1}), {})
[1, 2, 3].find(x => x > 1)
[1, 2, 3].findIndex(x => x > 5)
[1, 2, 3].some(x => x > 2)
[1, 2, 3].every(x => x > 0)
[1, [2, [3]]].flat()
[1, [2, [3]]].flat(Infinity)
[1, 2].flatMap(x => [x, x * 2])
[1, 2].concat([3], 4)
[1, 2, 3].slice(1)
[1, 2, 3].slice(-1)
[1, 2, 3].includes(2)
[NaN].includes(NaN)
[NaN].indexOf(NaN)
[1, 2, 3].indexOf(3)
[1, null, undefined, 'a'].join('-')
[1, 2, 3].join()
[].join() === ''
[1, 2, 3, 4].splice(1, 2)
(a => (a.splice(1, 1, 'x', 'y'), a))([1, 2, 3])
(a => (a.push(4), a))([1])
(a => [a.pop(), a.shift(), a.length])([1, 2, 3])
[...[1, 2].entries()]
[...['a', 'b'].keys()]
Array(3).fill(0)
new Array(2, 3)
Array.from({length: 3}, (_, i) => i * i)
Array.from('abc')
Array.from(new Set([1, 1, 2]))
Array.isArray([])
Array.isArray('a')
Array.of(1, 2)
[1, 2, 3].at(-1)
[, 1].length
[...[1, 2], ...'ab']
Math.max(...[1, 5, 3])
Math.min()
Math.floor(-1.5)
Math.round(2.5)
Math.round(-2.5)
Math.ceil(1.2)
Math.trunc(-1.7)
Math.abs(-3)
Math.sqrt(16)
Math.pow(2, 3)
parseInt('12px')
parseInt('ff', 16)
parseInt('abc')
parseFloat('1.5e3x')
Number('12')
Number('')
Number('1,2')
Number.isInteger(5)
Number.isInteger('5')
isNaN('a')
(255).toString(16)
(1.005).toFixed(2)
(1234.5678).toFixed(1)
(0).toFixed(2)
(25).toString(2)
String(null)
String([1, [2]])
String({})
String(true)
Boolean('')
Object.keys({b: 1, a: 2})
Object.keys({b: 1, 2: 1, 1: 1})
Object.values({a: 1, b: [2]})
Object.entries({a: 1, b: 2})
Object.fromEntries([['a', 1], ['b', 2]])
Object.assign({a: 1}, {b: 2}, null)
({...{a: 1}, b: 2, a: 3})
(({a, ...rest}) => rest)({a: 1, b: 2, c: 3})
(([a, , b = 5, ...c]) => [a, b, c])([1, 2, undefined, 4])
(({a: {b: [c]}}) => c)({a: {b: [7]}})
((a, b = a + 1) => a + b)(1)
((...args) => args.length)(1, 2, 3)
(function () { return arguments.length })(1, 2)
'a' in {a: 1}
'b' in {a: 1}
({a: 1}).hasOwnProperty('a')
Object.hasOwn({a: 1}, 'b')
(o => (delete o.a, o))({a: 1, b: 2})
JSON.stringify({a: [1, null, undefined], b: undefined, c: 'x"y'})
JSON.stringify({a: [1, {b: 2}]}, null, 2)
JSON.stringify([NaN, Infinity])
JSON.stringify('é\u2028')
JSON.parse('{"a": [1, 2.5, "x"]}')
JSON.stringify({date: new Date('2020-01-02T03:04:05Z')})
new Date('2020-01-02').toISOString()
new Date(0).toISOString()
new Date(Date.UTC(2020, 1, 29)).toISOString()
[...new Map([['a', 1], ['b', 2]]).keys()]
new Map([['a', 1]]).get('a')
[...new Set([3, 1, 3])]
new Set([1]).has(1)
new Set([1, 2]).size
(() => { let s = 0; for (let i = 0; i < 5; i++) s += i; return s })()
(() => { const r = []; for (const k in {a: 1, b: 2}) r.push(k); return r })()
(() => { let i = 0; while (true) { if (++i > 3) break; } return i })()
(() => { let i = 0; do { i++ } while (i < 3); return i })()
(() => { outer: for (const a of [1, 2]) { for (const b of [1, 2]) { if (b === 2) continue outer; if (a === 2) break outer; } } return 'done' })()
(() => { const r = []; outer: for (let i = 0; i < 3; i++) { for (;;) { if (i === 1) continue outer; r.push(i); break } } return r })()
(() => { switch (2) { case 1: return 'a'; case 2: case 3: return 'b'; default: return 'c' } })()
(() => { switch (9) { case 1: return 'a'; default: return 'd'; case 2: return 'b' } })()
(() => { try { throw new Error('x') } catch (e) { return e.message } finally { } })()
(() => { try { return 1 } finally { 2 } })()
(() => { try { return 1 } finally { return 2 } })()
(() => { try { null.x } catch (e) { return e instanceof TypeError } })()
(() => { try { undefinedName } catch (e) { return e.name } })()
(() => { var x = 1; { var x = 2 } return x })()
(() => { let x = 1; { let x = 2 } return x })()
(() => { const fs = []; for (let i = 0; i < 3; i++) fs.push(() => i); return fs.map(f => f()) })()
(() => { return hoisted(); function hoisted() { return 'ok' } })()
(() => { const f = n => n <= 1 ? 1 : n * f(n - 1); return f(10) })()
(() => { class A { constructor(x) { this.x = x } get y() { return this.x + 1 } static z() { return 's' } m() { return this.x } } return [new A(1).y, A.z(), new A(3).m()] })()
(() => { class A { f = 1; m() { return 'a' } } class B extends A { constructor() { super(); this.g = this.f + 1 } m() { return super.m() + 'b' } } const b = new B(); return [b.f, b.g, b.m(), b instanceof A] })()
(() => { class E extends Error { constructor(m) { super(m); this.name = 'E' } } const e = new E('m'); return [e.message, e.name, e instanceof E, e instanceof Error, String(e)] })()
(() => { const o = { get a() { return 5 }, b() { return this.a } }; return o.b() })()
(() => { let a = 1, b = 2; [a, b] = [b, a]; return [a, b] })()
(() => { let a; a ??= 3; a ||= 4; a &&= 5; a += 1; a **= 2; return a })()
(() => { let i = 5; return [i++, ++i, i--, --i] })()
(() => { function* g() { yield 1; yield* [2, 3] } return [...g()] })()
(() => { const tag = (s, ...v) => s.join('|') + v.join(','); return tag`a${1}b${2}c` })()
(() => { const {a = 1, b: {c = 2} = {}} = {}; return [a, c] })()
(() => { const o = {}; o['x' + 1] = 2; o.y ??= 3; return o })()
(function () { return typeof this === 'undefined' || typeof this })() !== null
[1, 2, 3].map(String)
['1', '2'].map(Number)
[0, 1, '', 'a', null].filter(Boolean)
['a', 'b'].map((x, i) => `${i}:${x}`).join(', ')
[[1, 'a'], [2, 'b']].map(([n, s]) => s + n)
Object.entries({a: 1}).map(([k, v]) => `${k}=${v}`)[0]
String(Symbol.iterator) !== ''
[1, 2, 3].toString()
(1, 2)
((a) => a?.[0]?.b?.())([{b: () => 4}])
new Error('x').message
String(new Error('x'))
new Error('x', {cause: 1}).cause
isFinite('12')
structuredClone({a: [1]})
Object.is(NaN, NaN)
[3, 2, 1].toSorted()
[1, 2, 3].lastIndexOf(3)
[1, 2, 3].reduceRight((a, b) => a + '-' + b)
'abc'.normalize('NFC')
'a'.codePointAt(0)
String.fromCharCode(65, 66)
String.raw`a\n${1}`
[undefined, 1, null] + ''
`${[]}|${[null]}|${[[1], [2, 3]]}`
`${-1.0}|${1e3}|${0.5}|${100000000000000000000000}`
""".splitlines()
    if line.strip()
]

SCRIPT = """
const lines = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const show = v => v === undefined ? {undefined: true}
  : typeof v === 'number' && !Number.isFinite(v) ? {number: String(v)}
  : JSON.parse(JSON.stringify({value: v}));
console.log(JSON.stringify(lines.map(line => show((0, eval)('(' + line + ')')))));
"""


@pytest.fixture(scope="module")
def answers(node: Node) -> dict[str, object]:
    """Node's answer to every expression, from one process."""
    return dict(
        zip(EXPRESSIONS, json.loads(node("-e", SCRIPT, stdin=json.dumps(EXPRESSIONS)), parse_int=float), strict=True)
    )


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_has_the_value_that_node_gives(expression: str, answers: dict[str, object]) -> None:
    assert value_of(expression) == answers[expression]
