"""A strategy for snippets of the query builder: conditions of all kinds, nested, in selects and changes."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from evaluate.knex.tables import JSON, NAME, TEXT, js

_SCALAR = st.one_of(TEXT, st.integers(-99, 99).map(js), st.booleans().map(js))
_RAW = st.sampled_from(
    ["knex.raw('now()')", "knex.raw('? + ??', [1, 'a.b'])", "knex.raw('a \\\\? b')", "knex.ref('t.a')"]
)
_VALUE = st.one_of(_SCALAR, _SCALAR, _RAW, st.just("null"))
_LIST = st.lists(_SCALAR, max_size=3).map(lambda values: f"[{', '.join(values)}]")
_PAIR = st.lists(_SCALAR, min_size=2, max_size=2).map(lambda values: f"[{', '.join(values)}]")
_OPERATOR = st.sampled_from(["'='", "'<>'", "'LIKE'", "'>='", "'?'", "'@>'", "'is'", "'not in'", "'bogus'"])
_OBJECT = st.dictionaries(st.sampled_from(["a", "b", "10", "cD"]), _VALUE, max_size=2).map(
    lambda values: "{ " + ", ".join(f"{key}: {value}" for key, value in values.items()) + " }"
)
_SIMPLE = st.sampled_from(["knex('u').select('x')", "knex('u').where('y', 2).select('x')", "knex.raw('select ?', [3])"])


@st.composite
def _condition(draw: st.DrawFn, depth: int) -> str:
    """One call of a where or having method, with its dot."""
    column, value = draw(NAME), draw(_VALUE)
    prefix = draw(st.sampled_from(["where", "orWhere", "whereNot", "orWhereNot", "andWhere"]))
    either = draw(st.sampled_from(["where", "orWhere"]))
    choices: list[Callable[[], str]] = [
        lambda: f".{prefix}({column}, {value})",
        lambda: f".{prefix}({column}, {draw(_OPERATOR)}, {value})",
        lambda: f".{prefix}({draw(_OBJECT)})",
        lambda: f".{either}In({column}, {draw(_LIST)})",
        lambda: f".{either}NotIn({column}, {draw(_LIST)})",
        lambda: f".{either}In({column}, {draw(_SIMPLE)})",
        lambda: f".{either}Null({column})",
        lambda: f".{either}NotNull({column})",
        lambda: f".{either}Between({column}, {draw(_PAIR)})",
        lambda: f".{either}NotBetween({column}, {draw(_PAIR)})",
        lambda: f".{either}Raw('a = ? or ??', [{draw(_SCALAR)}, {column}])",
        lambda: f".{either}Exists({draw(_SIMPLE)})",
        lambda: f".{either}NotExists({draw(_SIMPLE)})",
        lambda: f".{either}ILike({column}, {draw(TEXT)})",
        lambda: f".{either}Column({column}, {draw(NAME)})",
        lambda: f".{either}JsonSupersetOf({column}, {draw(JSON)})",
    ]
    if depth:
        inner = st.lists(_condition(depth - 1), min_size=1, max_size=3).map("".join)
        choices += [
            lambda: f".{prefix}(q => q{draw(inner)})",
            lambda: f".{either}(function () {{ this{draw(inner)} }})",
        ]
    return draw(st.sampled_from(choices))()


@st.composite
def _part(draw: st.DrawFn) -> str:
    """One call that adds something else to a select."""
    name, other = draw(NAME), draw(NAME)
    choices: list[Callable[[], str]] = [
        lambda: f".select({name}, {other})",
        lambda: f".select([{name}, {draw(_RAW)}])",
        lambda: f".count({name})",
        lambda: f".max({{ m: {name} }})",
        lambda: f".countDistinct({name}, {other})",
        lambda: f".distinct({name})",
        lambda: f".orderBy({name}, 'desc')",
        lambda: f".orderBy([{name}, {{ column: {other}, order: 'DESC', nulls: 'last' }}])",
        lambda: f".groupBy({name}, {other})",
        lambda: f".having({name}, '>', {draw(_VALUE)})",
        lambda: f".havingIn({name}, {draw(_LIST)})",
        lambda: f".limit({draw(st.integers(0, 9))})",
        lambda: f".offset({draw(st.integers(0, 9))})",
        lambda: f".leftJoin('u', {name}, {other})",
        lambda: f".join('u as v', j => j.on({name}, {other}).orOnVal({name}, {draw(_SCALAR)}).onNotNull({other}))",
        lambda: f".innerJoin({name}, {{ a: {other} }})",
        lambda: f".unionAll({draw(_SIMPLE)})",
        lambda: f".with('w', {draw(_SIMPLE)})",
        lambda: f".withSchema({name})",
        lambda: ".first()",
        lambda: ".forUpdate()",
    ]
    return draw(st.sampled_from(choices))()


@st.composite
def query_snippets(draw: st.DrawFn) -> str:
    """A snippet that selects or changes rows."""
    wheres = "".join(draw(st.lists(_condition(2), max_size=4)))
    row = draw(st.lists(st.tuples(NAME, st.one_of(_VALUE, JSON)), max_size=3))
    rows = "{ " + ", ".join(f"{key}: {value}" for key, value in dict(row).items()) + " }"
    table = f"knex({draw(NAME)})"
    choices: list[Callable[[], str]] = [
        lambda: table + "".join(draw(st.permutations([wheres, *draw(st.lists(_part(), max_size=5))]))),
        lambda: f"{table}{wheres}.update({rows})",
        lambda: f"{table}{wheres}.del()",
        lambda: f"{table}.insert([{rows}, {draw(_OBJECT)}]).returning({draw(NAME)})",
        lambda: f"{table}.insert({rows}).onConflict({draw(NAME)}).{draw(st.sampled_from(['ignore', 'merge']))}()",
    ]
    return draw(st.sampled_from(choices))()
