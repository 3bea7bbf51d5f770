"""`remediate.toml`: what is read, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.config.load import load, parse
from remediate.config.model import Config
from remediate.errors import RemediateError


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == Config()


def test_the_file_at_the_root_is_read(tmp_path: Path) -> None:
    (tmp_path / "remediate.toml").write_text(
        '[workspace]\npostgres = 16\n[tenancy]\nlegacy-settings = ["app.tenant"]\n'
    )
    config = load(tmp_path)
    assert config.workspace.postgres == 16
    assert config.tenancy.legacy_settings == ("app.tenant",)


def test_an_explicit_file_wins(tmp_path: Path) -> None:
    (tmp_path / "remediate.toml").write_text("[workspace]\npostgres = 16\n")
    other = tmp_path / "other.toml"
    other.write_text("[workspace]\npostgres = 14\n")
    assert load(tmp_path, other).workspace.postgres == 14


def test_an_explicit_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RemediateError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path, tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[workspace]\nservcies = []\n", "unknown key workspace.servcies; the nearest known key is workspace.services"),
        ("[tenancy]\nlegacy_settings = []\n", "the nearest known key is tenancy.legacy-settings"),
        ("[tenant]\n", "unknown key tenant; the nearest known key is tenancy"),
        ("[zzz]\n", "unknown key zzz; known are workspace, tenancy, roles, emit, rules, suppress"),
        ("[rules.rls-not-forced]\nseverty = 'info'\n", "the nearest known key is rules.rls-not-forced.severity"),
        ("[[suppress]]\nrule = 'a'\nreasn = 'b'\n", "the nearest known key is suppress[1].reason"),
        ("[workspace]\npostgres = 'x'\n", "key workspace.postgres: expected an integer, got a string"),
        ("[workspace]\nservices = [1]\n", "key workspace.services[1]: expected a string, got an integer"),
        ("[workspace]\nservices = 'a'\n", "key workspace.services: expected an array, got a string"),
        ("workspace = 1\n", "key workspace: expected a table, got an integer"),
        ("[workspace]\ndatabase = 'one'\n", "key workspace.database: invalid enum value 'one'"),
        ("[workspace]\npostgres = 150\n", "there is no PostgreSQL 150"),
        ("[emit]\nlock-timeout = 'soon'\n", "key emit.lock-timeout: 'soon' is no time"),
        ("[[suppress]]\nrule = 'a'\n", "missing required field `reason`"),
        ("[[suppress]]\nrule = 'a'\nreason = ' '\n", "a suppression needs a reason"),
        ("[[suppress]]\nrule = 'a'\nreason = 'b'\nuntil = '2027-02-30'\n", "'2027-02-30' is no date"),
        ("[[suppress]]\nrule = 'a'\nreason = 'b'\nuntil = 'soon'\n", "write it as 2027-01-31"),
        ("[workspace\n", "remediate.toml:1: is not TOML"),
        ("[workspace]\npostgres = \n", "remediate.toml:2: is not TOML: invalid value"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(text: str, message: str) -> None:
    with pytest.raises(RemediateError) as caught:
        parse(text.encode(), "remediate.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_utf8_are_named_with_their_line() -> None:
    with pytest.raises(RemediateError, match=r"remediate\.toml:2: is not UTF-8"):
        parse(b"[emit]\n# \xff\n", "remediate.toml")


def test_a_date_may_stand_without_quotes() -> None:
    config = parse(b"[[suppress]]\nrule = 'a'\nreason = 'b'\nuntil = 2027-01-31\n", "remediate.toml")
    assert config.suppress[0].until == "2027-01-31"


@given(st.binary(max_size=200))
def test_no_bytes_bring_it_down(data: bytes) -> None:
    try:
        parse(data, "remediate.toml")
    except RemediateError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
