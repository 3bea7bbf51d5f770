"""What `remediate init` writes is a configuration, says nothing new, and leaves nothing out."""

from __future__ import annotations

import re

import msgspec

from remediate.config.load import parse
from remediate.config.model import Config, Emit, Roles, Rule, Suppression, Tenancy, Workspace
from remediate.config.template import TEMPLATE


def _uncommented() -> str:
    return re.sub(r"^# (?=\[|[a-z-]+ = )", "", TEMPLATE, flags=re.MULTILINE)


def test_it_means_the_defaults_as_it_stands() -> None:
    assert parse(TEMPLATE.encode(), "remediate.toml") == Config()


def test_every_line_that_it_offers_is_valid() -> None:
    config = parse(_uncommented().encode(), "remediate.toml")
    assert config.rules["duplicate-function"].enabled is True
    assert config.suppress[0].until == "2027-01-31"


def test_it_names_every_key() -> None:
    text = _uncommented()
    for struct in (Workspace, Tenancy, Roles, Emit, Rule, Suppression):
        for field in msgspec.structs.fields(struct):
            assert re.search(rf"^{field.encode_name} = ", text, re.MULTILINE), f"{struct.__name__}.{field.encode_name}"


def test_the_defaults_that_it_shows_are_the_defaults() -> None:
    shown = parse(_uncommented().encode(), "remediate.toml")
    assert shown.workspace.postgres == Config().workspace.postgres
    assert shown.workspace.exclude == Config().workspace.exclude
    assert shown.emit == Config().emit
    assert shown.tenancy.global_tables == Config().tenancy.global_tables
    assert shown.tenancy.legacy_settings == Config().tenancy.legacy_settings
    assert shown.roles.bypass == Config().roles.bypass
