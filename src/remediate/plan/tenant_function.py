"""The function by which a service's policies read the tenant, where they have one that does no more than that."""

from __future__ import annotations

import re

from remediate.detect.model import Facts
from remediate.plan.operations import sql_name
from remediate.replay.catalog import Function, QName
from remediate.sql.quote import Identifier

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_COMPARED = re.compile(rf" = (?:\( ?SELECT )?((?:{_NAME}\.)?{_NAME})\(\)(?: AS {_NAME})?(?: ?\))?")
"""What follows the column in a policy's condition, as PostgreSQL spells it: the function alone."""

_BODY = re.compile(
    r"\s*(?:begin\s+return|select|return)\s+(?P<open>\()?\s*nullif\s*\(\s*(?:pg_catalog\.)?current_setting\s*\("
    r"\s*'(?P<setting>[^']+)'\s*,\s*true\s*\)\s*,\s*''\s*\)\s*(?:::\s*[\w ]+?)?\s*(?(open)\))\s*;?\s*(?:end\s*;?\s*)?",
    re.IGNORECASE,
)


def tenant_function(facts: Facts, service: str, setting: str, type_: str) -> str | None:
    """A call of the function that all tenant policies of a service compare the tenant column with; None without one.

    It has to be made by one service once, to give `type_`, and to be nothing but the robust reading of `setting` that
    would be written in its place: then a policy that calls it is as sure, and reads like its siblings.
    """
    column = facts.tenancy.column
    catalog = facts.replayed.catalog
    called: set[str] = set()
    for policy in catalog.policies.values():
        if catalog.tables[policy.table].service != service or not policy.permissive:
            continue
        for clause in (policy.using, policy.check):
            if clause is not None and column in clause:
                found = _COMPARED.fullmatch(clause.removeprefix(Identifier(column).sql()))
                called.add(found[1] if found else "")
    functions = [function for function in catalog.functions.values() if not function.argument_types]
    meant = [function for function in functions if called == {_spelled(function.name)}]
    if len(called) != 1 or len(meant) != 1:
        return None
    function = meant[0]
    return f"{sql_name(function.name)}()" if _only_reads(facts, function, setting, type_) else None


def _spelled(name: QName) -> str:
    """As a policy names a function: PostgreSQL leaves out the schema that is searched anyway."""
    return sql_name(name).removeprefix("public.")


def _only_reads(facts: Facts, function: Function, setting: str, type_: str) -> bool:
    body = _BODY.fullmatch(function.body)
    versions = [version for version in facts.replayed.functions if version.function.name == function.name]
    return (
        body is not None
        and body["setting"] == setting
        and function.returns == type_
        and len(versions) == 1
        and len(function.history) == 1
        and not function.settings
    )
