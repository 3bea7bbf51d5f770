"""A strategy for snippets that create or alter a table, with columns, modifiers, keys and indexes of all kinds."""

from __future__ import annotations

import json

from hypothesis import strategies as st

_NAMES = st.one_of(
    st.sampled_from(["id", "tenant_id", "camelCase", "a.b", "data[1]", "we ird", 'quo"te', "x as y", "what?", "ä"]),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=8),
)
_TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["it's", "back\\slash", "why?", "\\?", "", "''", "$1", "%s"]))
_SCALARS = st.one_of(_TEXTS, st.integers(-(2**40), 2**40), st.booleans(), st.none())
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "it's"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def js(value: object) -> str:
    """A value as JavaScript source."""
    return json.dumps(value, ensure_ascii=False)


NAME = _NAMES.map(js)
TEXT = _TEXTS.map(js)
_COLUMNS = st.one_of(NAME, st.lists(NAME, min_size=1, max_size=3).map(lambda names: f"[{', '.join(names)}]"))
JSON = _JSON.map(js)
_DEFAULTS = st.one_of(
    JSON,
    st.sampled_from(["knex.fn.now()", "knex.fn.uuid()", "undefined", "knex.raw('now()')", "knex.raw('?', [1])"]),
)
_PREDICATES = st.sampled_from(
    ["knex.whereNull('a')", "knex.whereRaw('a > 1')", "knex.where('a', 'x')", "knex.whereNotNull('a').orWhere('b', 1)"]
)


@st.composite
def _types(draw: st.DrawFn) -> str:
    name = draw(NAME)
    size, scale = draw(st.integers(1, 99)), draw(st.integers(0, 9))
    plain = st.sampled_from(
        [
            "integer",
            "bigInteger",
            "bigint",
            "smallint",
            "tinyint",
            "text",
            "boolean",
            "date",
            "time",
            "datetime",
            "timestamp",
            "json",
            "jsonb",
            "uuid",
            "float",
            "double",
            "decimal",
            "binary",
            "string",
            "increments",
            "bigIncrements",
        ]
    ).map(lambda kind: f"{kind}({name})")
    sized = st.sampled_from(
        [
            f"string({name}, {size})",
            f"decimal({name}, {size}, {scale})",
            f"timestamp({name}, {{ useTz: false, precision: {scale} }})",
            f"specificType({name}, 'text[]')",
            f"enum({name}, ['x', \"it's\"])",
            f"enum({name}, ['x', 'y'], {{ useNative: true, enumName: 'kind{size}' }})",
            f"uuid({name}, {{ primaryKey: true }})",
            f"increments({name}, {{ primaryKey: false }})",
        ]
    )
    kind: str = draw(st.one_of(plain, sized))
    return kind


@st.composite
def _modifiers(draw: st.DrawFn, alters: bool) -> str:
    choices = [
        st.sampled_from([".notNullable()", ".nullable()", ".unsigned()", ".index()", ".unique()", ".primary()"]),
        _DEFAULTS.map(lambda value: f".defaultTo({value})"),
        TEXT.map(lambda value: f".comment({value})"),
        TEXT.map(lambda value: f".checkIn(['x', {value}])"),
        st.sampled_from([".checkPositive()", ".checkPositive('p')", ".checkBetween([1, 2])", ".checkLength('>', 2)"]),
        NAME.map(lambda name: f".references({name}).inTable('u')" if "." not in name else f".references({name})"),
        NAME.map(lambda name: f".references('id').inTable({name}).onDelete('CASCADE')"),
    ]
    if alters:
        choices.append(
            st.sampled_from([".alter()", ".alter({ alterNullable: false })", ".alter({ alterType: false })"])
        )
    modifier: str = draw(st.one_of(*choices))
    return modifier


@st.composite
def _calls(draw: st.DrawFn, alters: bool) -> str:
    columns, name = draw(_COLUMNS), draw(st.one_of(st.just("undefined"), NAME))
    choices = [
        f"primary({columns})",
        f"primary({columns}, {name})",
        f"unique({columns}, {name})",
        f"unique({columns}, {{ indexName: {name}, predicate: {draw(_PREDICATES)} }})",
        f"unique({columns}, {{ indexName: {name}, deferrable: 'deferred' }})",
        f"index({columns}, {name}, 'gin')",
        f"index({columns}, {name}, {{ predicate: {draw(_PREDICATES)} }})",
        f"foreign({columns}).references(['a', 'b']).inTable('u').onUpdate('CASCADE')",
        f"foreign({columns}, {name}).references('u.id').deferrable('DEFERRED')",
        f"comment({draw(TEXT)})",
        "timestamps(true, true)",
        "check('a > ?', [1], 'c1')",
        "check('a > 1')",
    ]
    if alters:
        choices += [
            f"dropColumn({columns})",
            f"renameColumn({draw(NAME)}, {draw(NAME)})",
            f"dropIndex({columns}, {name})",
            f"dropUnique({columns}, {name})",
            f"dropForeign({columns}, {name})",
            f"dropPrimary({name})",
            f"setNullable({draw(NAME)})",
            f"dropNullable({draw(NAME)})",
            "dropTimestamps()",
            "dropChecks('a')",
        ]
    call: str = draw(st.sampled_from(choices))
    return call


@st.composite
def table_snippets(draw: st.DrawFn) -> str:
    """A snippet of `knex.schema…` that makes or changes one table."""
    alters = draw(st.booleans())
    lines = []
    for _ in range(draw(st.integers(0, 4))):
        modifiers = draw(st.lists(_modifiers(alters), max_size=4))
        lines.append(f"t.{draw(_types())}{''.join(modifiers)}")
    lines += [f"t.{call}" for call in draw(st.lists(_calls(alters), max_size=3))]
    schema = draw(st.sampled_from(["", "", ".withSchema('s')"]))
    method = "alterTable" if alters else draw(st.sampled_from(["createTable", "createTableIfNotExists"]))
    return f"knex.schema{schema}.{method}({draw(NAME)}, t => {{ {'; '.join(draw(st.permutations(lines)))} }})"
