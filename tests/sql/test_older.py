"""SQL of an older PostgreSQL: what became a keyword later is a name, at the offsets where it stands."""

from __future__ import annotations

import threading

import pytest

from remediate.evaluate.stack import run_deep
from remediate.sql.deparse import canonical
from remediate.sql.functions import syntax_error
from remediate.sql.older import grammar_of
from remediate.sql.parse import SqlSyntaxError, parse

NAMES = [
    "CREATE TABLE {0} ({0}_id int, {0} text)",
    "SELECT {0}, t.{0}, {0}.a FROM {0} t WHERE {0}.b = 'x'",
    "CREATE FUNCTION {0}(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
    "SELECT {0}(1, 'a'), s.{0}()",
    "ALTER TABLE {0} RENAME COLUMN {0} TO b",
]


@pytest.mark.parametrize("word", ["system_user", "SYSTEM_USER", "json_value", "merge_action", "json_object"])
@pytest.mark.parametrize("template", NAMES)
def test_a_later_keyword_is_an_ordinary_name(template: str, word: str) -> None:
    sql = template.format(word)
    with grammar_of(15):
        (statement,) = parse(sql)
    (quoted,) = parse(template.format("ordinary_name"))
    assert statement.text == sql
    wanted = str(quoted.node).replace("ordinary_name", word.lower())
    assert _without_locations(str(statement.node)) == _without_locations(wanted)


def _without_locations(node: str) -> list[str]:
    return [line for line in node.splitlines() if "location" not in line]


def test_newer_versions_keep_the_keyword() -> None:
    with grammar_of(16), pytest.raises(SqlSyntaxError, match="system_user"):
        parse("CREATE TABLE system_user (id int)")
    with grammar_of(16):
        assert parse("CREATE TABLE json_value (id int)")


def test_offsets_are_those_of_the_text() -> None:
    sql = "/* é */ SELECT 1; SELECT 'é', system_user FROM system_user; DROP TABLE system_user"
    with grammar_of(15):
        statements = parse(sql)
    assert [sql.encode()[each.offset :].decode()[: len(each.text)] for each in statements] == [
        each.text for each in statements
    ]
    assert statements[2].text == "DROP TABLE system_user"


def test_strings_and_quoted_names_stay() -> None:
    with grammar_of(15):
        (statement,) = parse("SELECT 'system_user', \"SYSTEM_USER\" FROM system_user")
    values = [item.res_target.val for item in statement.node.target_list]
    assert values[0].a_const.sval.sval == "system_user"
    assert values[1].column_ref.fields[0].string.sval == "SYSTEM_USER"


def test_a_stand_in_that_is_taken_is_avoided() -> None:
    with grammar_of(15):
        (statement,) = parse("SELECT system_us00, system_user FROM t")
    columns = [item.res_target.val.column_ref.fields[0].string.sval for item in statement.node.target_list]
    assert columns == ["system_us00", "system_user"]


def test_an_error_shows_the_word_as_written() -> None:
    with grammar_of(15), pytest.raises(SqlSyntaxError) as caught:
        parse("SELECT a b system_user")
    assert caught.value.message == 'syntax error at or near "system_user"'
    assert caught.value.offset == 11


def test_deeply_nested_sql_is_read_too() -> None:
    sql = "SELECT " + "(SELECT " * 25 + "system_user" + ")" * 25 + " FROM t"
    with grammar_of(15):
        (statement,) = parse(sql)
    assert "system_user" in str(statement.node.SerializeToString())


def test_bodies_of_plpgsql() -> None:
    body = "BEGIN PERFORM id FROM system_user WHERE system_user.a = 1; END"
    with grammar_of(15):
        assert syntax_error(f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ {body} $$") is None
    assert syntax_error(f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ {body} $$") is not None


def test_expressions_are_spelled_with_the_name_quoted() -> None:
    with grammar_of(15):
        assert canonical("system_user > 0") == canonical('"system_user" > 0')


def test_a_deep_call_in_another_thread_reads_the_same_grammar() -> None:
    with grammar_of(15):
        seen = run_deep(lambda: (threading.current_thread().name, len(parse("DROP TABLE system_user"))))
    assert seen == ("evaluate", 1)
