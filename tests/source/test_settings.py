"""Every way in which application code sets a custom setting."""

from __future__ import annotations

import pytest

from remediate.source.exports import exports_up
from remediate.source.settings import may_write_settings, setting_writes
from remediate.source.text import strings


def writes(text: str, **others: str):
    files = {f"{name}.ts": content.encode() for name, content in others.items()}
    data = text.encode()
    found, unresolved = setting_writes(
        "a.ts",
        data,
        files.get,
        lambda _, target: f"{target.removeprefix('./')}.ts" if target.startswith("./") else None,
    )
    assert may_write_settings(data) or not found, "the quick look must not miss what the thorough one finds"
    for write in found:
        assert data[write.place.start : write.place.end]
    return [(write.name, write.form, write.local) for write in found], [item.reason for item in unresolved]


def first(text: str, **others: str):
    found, unresolved = writes(text, **others)
    assert unresolved == []
    (one,) = found
    return one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trx.raw(\"SELECT set_config('app.t', ?, true)\", [id])", ("app.t", "set_config", True)),
        ("trx.raw(\"SELECT set_config('app.t', ?, false)\", [id])", ("app.t", "set_config", False)),
        ("c.query(`select set_config('app.t', $1::text, true)`, [id])", ("app.t", "set_config", True)),
        ("c.query('select set_config(\\'app.t\\', $1, true)', [id])", ("app.t", "set_config", True)),
        ("c.query(`SELECT set_config('app.t', '${id}', true)`)", ("app.t", "interpolated", True)),
        ("sql`SELECT set_config('app.t', ${id}, true)`", ("app.t", "set_config", True)),
        ("trx.raw('select set_config(?, ?, true)', ['app.t', id])", ("app.t", "set_config", True)),
        ("trx.raw('select set_config(?, ?, ?)', ['app.t', id, false])", ("app.t", "set_config", False)),
        ("c.query('select set_config($1, $2, true)', ['app.t', id])", ("app.t", "set_config", True)),
        ("c.query('select set_config($2, $1, true)', [id, 'app.t'])", ("app.t", "set_config", True)),
        ("c.query({ text: 'select set_config($1, $2, true)', values: ['app.t', id] })", ("app.t", "set_config", True)),
        ("trx.raw('select set_config(:name, :id, true)', { name: 'app.t', id })", ("app.t", "set_config", True)),
        ("const N = 'app.t';\ntrx.raw('select set_config(?, ?, true)', [N, id])", ("app.t", "set_config", True)),
        ("const N = 'app.t';\ntrx.raw(`select set_config('${N}', ?, true)`, [id])", ("app.t", "set_config", True)),
        (
            "const S = { t: 'app.t' } as const;\nc.query('select set_config($1, $2, true)', [S.t, x])",
            ("app.t", "set_config", True),
        ),
        ("enum S { T = 'app.t' }\nc.query('select set_config($1, $2, true)', [S.T, x])", ("app.t", "set_config", True)),
        (
            "class A { static readonly N = 'app.t'; f() { c.query(`select set_config('${A.N}', $1, true)`, [x]) } }",
            ("app.t", "set_config", True),
        ),
        ("c.query(`SET LOCAL app.t = '${id}'`)", ("app.t", "interpolated", True)),
        ("c.query(`SET app.t TO '${id}'`)", ("app.t", "interpolated", False)),
        ("c.query(`SET SESSION \"app.t\" = '${id}';`)", ("app.t", "interpolated", False)),
        ("c.query('SET LOCAL app.t = $1', [id])", ("app.t", "bind", True)),
        ("c.raw('SET app.t = ?', [id])", ("app.t", "bind", False)),
        ("c.raw('SET LOCAL ?? = ?', ['app.t', id])", ("app.t", "bind", True)),
        ("sql`SET LOCAL app.t = ${id}`", ("app.t", "bind", True)),
        ('c.query("SET LOCAL app.t = \'" + id + "\'")', ("app.t", "interpolated", True)),
        ("c.query(format('SET LOCAL app.t = %L', id))", ("app.t", "interpolated", True)),
        ("c.query(\"SET LOCAL app.bypass_rls = 'on'\")", ("app.bypass_rls", "set", True)),
        ("c.query('BEGIN; SET LOCAL App.Tenant = 1')", ("app.tenant", "set", True)),
        ("const N = 'app.t';\nc.query(`SET LOCAL ${N} = '${id}'`)", ("app.t", "interpolated", True)),
        ("c.query(`\n  set local app.t = '${id}'\n`)", ("app.t", "interpolated", True)),
        ("c.query(`SELECT set_config('app.t', ${quote(`a`)}, true)`)", ("app.t", "interpolated", True)),
    ],
)
def test_every_form_is_recognised(text, expected):
    assert first(text) == expected


def test_a_name_from_another_file_is_found():
    text = "import { TENANT } from './names';\ntrx.raw('select set_config(?, ?, true)', [TENANT, id])"
    assert first(text, names="export const TENANT = 'app.t';") == ("app.t", "set_config", True)


def test_a_name_through_a_barrel_file_is_found():
    text = "import { S } from './index';\nc.query('select set_config($1, $2, true)', [S.tenant, id])"
    others = {"index": "export * from './names';", "names": "export const S = { tenant: 'app.t' };"}
    assert first(text, **others) == ("app.t", "set_config", True)


def test_several_in_one_string_are_all_found():
    found, _ = writes("c.query(`SELECT set_config('app.a', $1, true), set_config('app.b', $2, true)`, [a, b])")
    assert [name for name, _, _ in found] == ["app.a", "app.b"]
    found, _ = writes("c.query(`SET LOCAL app.a = '${x}'; SET LOCAL app.b = '${y}';`)")
    assert [name for name, _, _ in found] == ["app.a", "app.b"]


@pytest.mark.parametrize(
    "text",
    [
        "for (const [k, v] of all) c.query('select set_config($1, $2, true)', [k, v])",
        "c.query(`select set_config('app.${name}', $1, true)`, [v])",
        "c.query(`SET LOCAL ${name} = 1`)",
        "c.query(\"select set_config('\" + name + \"', '1', true)\")",
    ],
)
def test_a_name_that_nothing_tells_is_said(text):
    found, unresolved = writes(text)
    assert found == []
    assert unresolved == ["sets a custom setting whose name is not known before it runs"]


@pytest.mark.parametrize(
    "text",
    [
        "c.query('UPDATE a SET b.c = 1')",
        "c.query(`UPDATE a SET ${columns} = 1`)",
        "c.query(`SET search_path = public`)",
        "c.query('SET LOCAL lock_timeout = 5')",
        "// SET LOCAL app.t = 1",
        "c.query(\"SELECT current_setting('app.t')\")",
        "c.query('RESET app.t')",
        "c.query(\"SELECT set_config('search_path', '', false)\")",
        "new Set(['app.t'])",
    ],
)
def test_what_sets_no_custom_setting_is_none(text):
    assert writes(text) == ([], [])


def test_the_place_is_that_of_the_words():
    text = "// ü\nawait c.query('ü; SET LOCAL app.t = $1', [x]);\n"
    ((write,), _) = setting_writes("a.ts", text.encode(), lambda _: None, lambda *_: None)
    assert (write.place.line, write.place.column) == (2, text.splitlines()[1].index("SET") + 1)
    assert text.encode()[write.place.start : write.place.end] == b"SET LOCAL app.t = $1"


@pytest.mark.parametrize(
    "text",
    ["/* */ " * 20_000, "set_config('a'," + "(" * 5_000, "SET a" + " . a" * 4_000, "-- a\n" * 20_000, "'\\" * 20_000],
    ids=["comments", "brackets", "dots", "lines", "quotes"],
)
def test_no_text_takes_for_ever(text):
    writes(f"const text = `{text}`;\n{text}")
    strings(text.encode())
    exports_up(text)
