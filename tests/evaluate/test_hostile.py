# ruff: noqa: E501 (a case stands on one line, so that the table can be read)
"""Input that would hang, crash or fill the memory of a program that is not bounded."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.world import RecordingWorld, in_up, run
from remediate.evaluate.evaluate import FAULT
from remediate.evaluate.limits import Limits

LIMITS = Limits(steps=100_000, statements=1_000)

CASES: dict[str, str | bytes] = {
    'endless while':in_up('while (true) {}'),
    'endless for':in_up('for (;;) { }'),
    'endless do':in_up('let i=0; do { i++ } while (i>=0)'),
    'doubling':in_up('let s="x"; while(true) s += s;'),
    'doubling tmpl':in_up('let s="x"; while(true) s = `${s}${s}`;'),
    'repeat':in_up('"x".repeat(1e9)'),
    'pad':in_up('"x".padStart(1e9)'),
    'array doubling':in_up('let a=[1]; while(true) a = [...a, ...a];'),
    'array concat':in_up('let a=[1]; while(true) a = a.concat(a);'),
    'array push self':in_up('const a=[]; while(true) a.push(a);  '),
    'nested self join':in_up('const a=[1]; a.push(a); await knex.raw(a.join())'),
    'json cycle':in_up('const a={}; a.a=a; await knex.raw(JSON.stringify(a))'),
    'cycle bind':in_up('const a={}; a.a=a; await knex("t").insert(a); await knex.raw("?", [a]);'),
    'cyclelist':in_up('const a=[]; a[0]=a; await knex("t").insert(a); await knex.raw("?", [a]); await knex.schema.createTable("x", t=>t.enu("a", a))'),
    'new Array':in_up('new Array(1e9).fill(0)'),
    'array from':in_up('Array.from({length: 1e9})'),
    'array length':in_up('const a=[]; a.length=4e9; a[3e8]=1'),
    'recursion':in_up('const f=()=>f(); f();'),
    'mutual':in_up('function a(){return b()} function b(){return a()} try { a() } catch {} finally { a() }'),
    'recursion via map':in_up('const f=()=>[1].map(f); f();'),
    'recursion via sort':in_up('const f=()=>[1,2].sort(f); f();'),
    'recursion via tostring':in_up('const o={toString(){return `${o}`}}; `${o}`'),
    'recursion getter':in_up('const o={get a(){return o.a}}; o.a'),
    'recursion promise':in_up('const f=async()=>{await f()}; await f();'),
    'recursion then':in_up('const f=()=>Promise.resolve().then(f); await f();'),
    'recursion trx':in_up('const f=(k)=>k.transaction(f); await f(knex);'),
    'deep parens':in_up('x = '+'('*50000+'1'+')'*50000),
    'deep arrays':in_up('x = '+'['*50000+']'*50000),
    'deep blocks':in_up('{'*20000+'}'*20000),
    'deep ifs':in_up('if(1)'*20000+';'),
    'deep else':in_up('if(0);else '*20000+';'),
    'deep calls':in_up('x = '+'f('*20000+')'*20000),
    'deep member':in_up('x = a'+'.b'*50000),
    'chain calls 500':in_up('await knex.schema'+'.raw("select 1")'*450),
    'deep ternary':in_up('x = '+'1?1:'*20000+'1'),
    'deep unary':in_up('x = '+'!'*50000+'1'),
    'long binary':in_up('const x = '+'"a" + '*20000+'"a"; await knex.raw(x)'),
    'deep template':in_up('x = '+'`${'*5000+'1'+'}`'*5000),
    'deep arrow':in_up('x = '+'a => '*20000+'1'),
    'deep pattern':in_up('const '+'['*5000+'a'+']'*5000+' = 1'),
    'regex catastrophe':in_up('/^(a+)+$/.test("a".repeat(40)+"b")'),
    'regex alt':in_up('/^(a|aa)+$/.test("a".repeat(60)+"b")'),
    'regex poly':in_up('/.*.*.*.*x/.test("a".repeat(5000))'),
    'regex poly2':in_up('/\\s+$/.test(" ".repeat(50000)+"b")'),
    'regex backref':in_up('/(a*)*\\1b/.test("a".repeat(60))'),
    'regex nested lookahead':in_up('/^(?=(a+)+$)/.test("a".repeat(40)+"b")'),
    'regex count':in_up('/^(a{1,1000}){1,1000}$/.test("a".repeat(60)+"b")'),
    'regex huge count':in_up('/a{100000000}/.test("a")'),
    'proto':in_up('const a={}; a.__proto__={x:1}; a.constructor.constructor("return 1")(); Object.prototype.x=1; [].__proto__.map=1; knex.__proto__.raw=null; a.__class__; knex.__class__.__init__; await knex.raw(`${a.x}`)'),
    'python attrs':in_up('const m = new Map(); m.put("a"); m["__init__"]; m["_get"]; m.machine; m.content; m._set("a",1); m.__class__.__mro__'),
    'endless sql':in_up('while(true) await knex.raw("select 1")'),
    'endless generator':in_up('function* g(){ while(true) yield 1 } for (const x of g()) break;'),
    'grow while iterating':in_up('const a=[1]; for (const x of a) a.push(x)'),
    'grow map':in_up('const m=new Map(); let i=0; while(true) m.set(i++, "x".repeat(100000))'),
    'objects':in_up('const o={}; let i=0; while(true) o[i++]="x".repeat(10000)'),
    'many strings':in_up('const a=[]; while(true) a.push("x".repeat(5000000))'),
    'split':in_up('const s="x".repeat(9000000); const a=[]; while(true) a.push(s.split(""))'),
    'slices':in_up('const s="x".repeat(9000000); const a=[]; let i=0; while(true) a.push(s.slice(i++))'),
    'upper':in_up('const s="x".repeat(9000000); const a=[]; while(true) a.push(s.toUpperCase())'),
    'arr copies':in_up('const s=Array(900000).fill(1); const a=[]; while(true) a.push(s.slice())'),
    'arr map':in_up('const s=Array(900000).fill(1); const a=[]; while(true) a.push(s.reverse())'),
    'obj spread':in_up('let o={}; for(let i=0;i<10000;i++) o={...o,[i]:i}'),
    'flat':in_up('let a=[1]; for(;;) a=[a,a,a,a].flat(Infinity)'),
    'flatnest':in_up('let a=[1]; for(let i=0;i<60;i++) a=[a,a]; a.flat(Infinity)'),
    'nest tostring':in_up('let a=[1]; for(let i=0;i<60;i++) a=[a,a]; `${a}`'),
    'nest json':in_up('let a=[1]; for(let i=0;i<60;i++) a=[a,a]; JSON.stringify(a)'),
    'nest clone':in_up('let a=[1]; for(let i=0;i<60;i++) a=[a,a]; structuredClone(a)'),
    'nest bind':in_up('let a=[1]; for(let i=0;i<60;i++) a=[a,a]; await knex.raw("?", [a]); await knex("t").insert({a})'),
    'nest reach':in_up('let a=[1]; for(let i=0;i<60;i++) a=[a,a]; unknownThing(a); require("x")(a)'),
    'deep nest value':in_up('let a=[]; for(let i=0;i<100000;i++) a=[a]; `${a}`; JSON.stringify(a); a.flat(Infinity); structuredClone(a); await knex.raw("?", [a]); await knex("t").insert({a}); await knex("t").where(a)'),
    'deep closures':in_up('let f=()=>1; for(let i=0;i<10000;i++){ const g=f; f=()=>g() } f()'),
    'deep promise':in_up('let p=Promise.resolve(1); for(let i=0;i<100000;i++) p=p.then(x=>x); await p'),
    'deep class':in_up('let C=class{}; for(let i=0;i<10000;i++) C=class extends C{}; new C()'),
    'import self':'export * from "./001_test"; export async function up(knex){}',
    'require self':'const x=require("./001_test"); module.exports={...x, up: async k=>{await k.raw("1")}}',
    'import cycle up':'export {up} from "./001_test";',
    'BOM':b'\xef\xbb\xbfexports.up = async k => { await k.raw("select 1") }',
    'crlf':b'exports.up = async k => {\r\n await k.raw(`select\r\n 1`) }\r\n',
    'latin1':b'exports.up = "\xe9"',
    'nul':b'exports.up = \x00',
    'empty':'',
    'big':'// '+'x'*6_000_000,
    'pow':in_up('2**1e308; 10**309; (-8)**(1/3); 1<<1e10; 1e308*10; parseInt("9".repeat(10000)); Number("9".repeat(10000)); BigInt(1); 10n**10000n; "9".repeat(5000)*1; Math.pow(10,400); 1e400; '+'9'*5000),
    'tofixed':in_up('(1e20).toFixed(50); (1e300).toFixed(2); NaN.toFixed(1); (5).toFixed(200)'),
    'dates':in_up('new Date(8.64e15).toISOString(); new Date(1e14).toISOString(); new Date(-1e14).toISOString(); Date.UTC(1e9,1); Date.UTC(2020,1,1e15); new Date("9999-99-99")'),
    'surrogates':in_up("await knex.raw('\\ud800'); await knex.raw('\\ud83d' + '\\ude00'); String.fromCharCode(0xd800)"),
    'surrogate2':in_up("await knex.raw(String.fromCharCode(0xd800)); await knex.schema.createTable(String.fromCharCode(0xd800), t => t.text('a')); JSON.parse('\"\\\\ud800\"').length; await knex.raw(JSON.parse('\"\\\\ud800\"'))"),
    'labels':in_up('a: b: for(;;) { break a }'),
    'weird':in_up('var [a=await knex.raw("1")] = []; for (var {x} of [{x:1}]); with_(1); new.target; (async()=>{})().x.y'),
    'yield throw':in_up('function*g(){throw 1} try{[...g()]}catch{}; async function* h(){yield 1} for await (const x of h()) await knex.raw("select "+x)'),
    'switch':in_up('switch(knex){ case knex: await knex.raw("1") }'),
    'delete':in_up('delete knex.raw; delete knex; delete this.x; delete undefined'),
    'spread str':in_up('const f=(...a)=>a; f(..."x".repeat(9e6))'),
    'json big':in_up('JSON.parse("[".repeat(100000))'),
    'knex args':in_up('await knex.schema.createTable(undefined, undefined); await knex.raw(undefined); await knex(); await knex.schema.createTable("a", t => { t.x.y.z(); }); await knex.schema.alterTable({}, t=>t.text(Symbol("x")))'),
    'string idx':in_up('"abc"["-1"]; "abc"[1e400]; "a"["²"]; [1]["²"]; ["a"]["٣"]; "abc"["٣"]; const a=[]; a["٣"]=1'),
}  # fmt: skip


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_evaluation_ends_soon_and_without_a_fault(text: str | bytes) -> None:
    begun = time.monotonic()
    evaluation = run(text, limits=LIMITS)
    assert not [item for item in evaluation.unresolved if item.reason.startswith(FAULT)]
    assert time.monotonic() - begun < 20


ENDLESS = {
    "a loop": "while (true) {}",
    "statements": "while (true) await knex.raw('a');",
    "a string": "let s = 'x'; while (true) s += s;",
    "recursion": "const f = () => f(); f();",
    "an array": "new Array(1e9).fill(0);",
}


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_never_ends_is_stopped_and_unresolved_and_keeps_what_was_sent(body: str) -> None:
    evaluation = run(
        in_up(f"await knex.raw('first');\ntry {{ {body} }} catch {{}}\nawait knex.raw('last');"), limits=LIMITS
    )
    assert evaluation.sent[0].sql == "first"
    assert evaluation.sent[-1].sql != "last"
    [unresolved] = evaluation.unresolved
    assert unresolved.reason.startswith("stopped")
    assert unresolved.place.line == 4


def test_ten_thousand_pieces_of_text_are_no_depth() -> None:
    evaluation = run(in_up("await knex.raw(" + "'a' + " * 10_000 + "'b');"), limits=Limits(total_text=10**9))
    assert len(evaluation.sent[0].sql) == 10_001


REAL = [
    """
import { Knex } from 'knex';
const TABLES = ['users', 'orders'] as const;
const policy = (t: string, op = 'SELECT') => `CREATE POLICY ${t}_p ON ${t} FOR ${op} USING (tenant_id = 1)`;
export const config = { transaction: false };
export async function up(knex: Knex): Promise<void> {
  for (const [i, t] of TABLES.entries()) {
    if (!(await knex.schema.hasTable(t))) { continue; }
    await knex.raw(`ALTER TABLE ${t} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(policy(t, i > 0 ? 'ALL' : undefined));
  }
  const { rows } = await knex.raw('select 1 as x');
  if (rows.length && rows[0].x) { await knex('users').where({ id: 1 }).update({ a: null }); }
  try { await knex.schema.alterTable('users', t => { t.string('x', 10).notNullable().defaultTo('a'); }); } catch (e) { throw e; }
}
export async function down(knex) { await Promise.all(TABLES.map(t => knex.schema.dropTableIfExists(t))); }
""",
    """
exports.up = function (knex, Promise) {
  return knex.schema.createTable('a', function (t) {
    t.increments('id'); t.enu('s', ['x', 'y']).defaultTo('x'); t.foreign('b').references('c.id').onDelete('CASCADE');
    t.timestamps(true, true); t.unique(['a', 'b'], { indexName: 'u' });
  }).then(() => knex('a').insert([{ s: 'x' }, { s: /x/g.test('x') ? 'y' : "z" }]))
    .catch(err => { console.error(err); switch (err.code) { case '42P07': return; default: throw err } });
};
exports.down = knex => knex.schema.dropTable('a');
""",
]
PIECES = [
    "(", ")", "{", "}", "[", "]", ";", ",", "=>", "await ", "...", "?.", "??", "`${", "}`", "'", "null", "undefined", "0", "-1",
    "knex", "t", "this", "async ", "new ", "typeof ", "delete ", "return ", "throw ", "class A extends B {}", "for (;;) ", "/a+/g",
    "Symbol.iterator", "1e400", "super", "yield ", "import('x')", ".constructor", "__proto__", "NaN", "[]", "{}", "process.env.X",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(REAL), st.integers(0, 2**32), st.integers(1, 8))
def test_mutated_migrations_never_fail(text: str, seed: int, changes: int) -> None:
    chance = random.Random(seed)
    for _ in range(changes):
        begin = chance.randrange(len(text))
        end = min(len(text), begin + chance.choice([0, 0, 1, 3, 10, 40]))
        kind = chance.random()
        new = chance.choice(PIECES) if kind < 0.6 else text[end : end + 30] if kind < 0.8 else ""
        text = text[:begin] + new + text[end:]
    for direction in ("up", "down"):
        world = RecordingWorld({"users": ("id",)})
        evaluation = run(text, world, direction=direction, limits=Limits(steps=20_000, statements=200))
        assert not [item for item in evaluation.unresolved if item.reason.startswith(FAULT)]


WORDS = st.sampled_from(
    "a b t knex undefined null 1 2.5 'x' `y` [1,2] {a:1} this (x=>x) [] new_Map() /x/ NaN -1 '' true".replace(
        "_", " "
    ).split()
)
OPERATORS = st.sampled_from(
    ["+", "-", "*", "==", "===", "<", "&&", "||", "??", ",", "in", "instanceof", "**", ">>>", "%"]
)
CALLS = st.sampled_from(
    [
        "map",
        "join",
        "split",
        "replace",
        "slice",
        "concat",
        "toString",
        "flat",
        "sort",
        "reduce",
        "includes",
        "repeat",
        "padStart",
        "raw",
        "schema",
        "then",
        "catch",
        "call",
        "apply",
        "bind",
        "toFixed",
        "entries",
        "at",
        "fill",
        "splice",
        "match",
        "test",
        "get",
        "set",
        "has",
        "keys",
        "length",
        "constructor",
        "hasOwnProperty",
    ]
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(WORDS)
    inner = expressions(depth - 1)
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return f"({draw(inner)} {draw(OPERATORS)} {draw(inner)})"
    if kind == 1:
        return f"({draw(inner)})?.{draw(CALLS)}({draw(inner)}, {draw(inner)})"
    if kind == 2:
        return f"({draw(inner)}).{draw(CALLS)}"
    if kind == 3:
        return f"`${{{draw(inner)}}}`"
    return f"[...({draw(inner)})][{draw(inner)}]"


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_any_expression_is_evaluated_or_thrown_or_unknown(expression: str) -> None:
    body = f"const a = [3, 'b'], b = {{ x: 1 }}; let t: any;\ntry {{ t = {expression}; }} catch (e) {{ t = e; }}\nawait knex.raw(`${{t}}`);"
    evaluation = run(in_up(body), limits=Limits(steps=20_000))
    assert not [item for item in evaluation.unresolved if item.reason.startswith(FAULT)]
