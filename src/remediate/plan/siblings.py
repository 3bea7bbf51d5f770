"""How a service writes its tenant policies, so that a new one looks like those around it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from remediate.detect.model import Facts
from remediate.plan.operations import PolicyState
from remediate.plan.tenant_value import cast_type, session_tenant
from remediate.replay.catalog import Command, Policy, QName
from remediate.sql.quote import NAMEDATALEN, Identifier, truncate_identifier

COMMANDS: tuple[Command, ...] = ("select", "insert", "update", "delete")


@dataclass(frozen=True, slots=True)
class PolicyStyle:
    """`names` maps each command that gets a policy to its name, `{table}` standing for the table's."""

    names: tuple[tuple[Command, str], ...]
    roles: tuple[str, ...]
    explicit_check: bool
    source: str

    def policies(self, table: QName, condition: str) -> Iterator[PolicyState]:
        """The policies that hold `condition` for every command on `table`."""
        for command, pattern in self.names:
            name = _name(pattern, table.name)
            using = None if command == "insert" else condition
            check = condition if command == "insert" or (self.explicit_check and command in ("all", "update")) else None
            yield PolicyState(table, name, command, True, self.roles, using, check)


DEFAULT_STYLE = PolicyStyle((("all", "tenant_isolation"),), ("public",), True, "no other table here has a policy")


def policy_style(facts: Facts, service: str) -> PolicyStyle:
    """The style most tables of the service follow; else that of the database; else one policy for all commands.

    Only policies that compare the tenant column count, and of those per table either one for all commands or one for
    each of the four: anything else is no style to copy.
    """
    styles = _styles(facts)
    for owner, source in ((service, f"as the other tables of {service} have it"), (None, "as other services have it")):
        if counted := styles.get(owner):
            return replace(counted.most_common(1)[0][0], source=source)
    return DEFAULT_STYLE


def _styles(facts: Facts) -> dict[str | None, Counter[PolicyStyle]]:
    """How often each service has each style; None stands for all of them."""
    found: dict[str | None, Counter[PolicyStyle]] | None = facts.shared.get(_styles)
    if found is None:
        found = facts.shared[_styles] = {}
        catalog = facts.replayed.catalog
        for table in catalog.tables.values():
            isolating = [policy for policy in catalog.policies_of(table.name) if isolates(facts, policy)]
            if style := _style_of(table.name, isolating, ""):
                for owner in (table.service, None):
                    found.setdefault(owner, Counter())[style] += 1
    return found


def isolates(facts: Facts, policy: Policy) -> bool:
    """Whether it is a permissive policy that mentions the tenant column (what it compares is the detectors' affair)."""
    return policy.permissive and facts.tenancy.column in f"{policy.using} {policy.check}"


def _style_of(table: QName, policies: Iterable[Policy], source: str) -> PolicyStyle | None:
    by_command = {policy.command: policy for policy in policies}
    if "all" in by_command:
        chosen: tuple[Command, ...] = ("all",)
    elif all(command in by_command for command in COMMANDS):
        chosen = COMMANDS
    else:
        return None
    names = tuple((command, _pattern(by_command[command].name, table.name)) for command in chosen)
    first = by_command[chosen[0]]
    checking = by_command.get("all") or by_command["update"]
    return PolicyStyle(names, first.roles, checking.check is not None, source)


def _pattern(name: str, table: str) -> str:
    """The table's name as a word of the policy's: in `tenant_isolation` on a table `t` there is none."""
    return re.sub(rf"(?<![^\W_]){re.escape(table)}(?![^\W_])", "{table}", name)


def _name(pattern: str, table: str) -> str:
    """The pattern for a table; where that is too long the table's part is cut, so that the rest still tells apart."""
    room = NAMEDATALEN - 1 - len(pattern.replace("{table}", "").encode())
    each = max(room // max(pattern.count("{table}"), 1), 1)
    return truncate_identifier(pattern.replace("{table}", truncate_identifier(table, each)))


def accepted_settings(facts: Facts, service: str) -> tuple[str, ...]:
    """The names under which this service's sessions carry the tenant: the canonical one, then the legacy ones in use.

    A legacy name is in use when the service's code writes it or its policies read it. Policies that knew only the
    canonical name would deny everything to code that has not moved yet.
    """
    code = facts.service(service)
    written = {write.name for file in (code.code if code else ()) for write in file.writes}
    read = _read_by_service(facts).get(service, set())
    used = [name for name in facts.tenancy.legacy if name in written | read]
    return (facts.tenancy.setting, *used)


def _read_by_service(facts: Facts) -> dict[str | None, set[str]]:
    """The settings that the policies on each service's tables read."""
    found: dict[str | None, set[str]] | None = facts.shared.get(_read_by_service)
    if found is None:
        found = facts.shared[_read_by_service] = {}
        for use in facts.replayed.settings:
            if use.kind == "policy":
                found.setdefault(_owner(facts, use.object), set()).add(use.name)
    return found


def _owner(facts: Facts, policy: str) -> str | None:
    """The service whose table the policy `schema.table.name` is on."""
    schema, table, _ = policy.split(".", 2)
    found = facts.replayed.catalog.tables.get(QName(schema, table))
    return found.service if found else None


def tenant_condition(facts: Facts, service: str, table: QName) -> str:
    """`tenant_id = (the session's tenant)` for a table that has the tenant column."""
    column = facts.replayed.catalog.tables[table].column(facts.tenancy.column)
    type_ = cast_type(column.type if column else facts.tenancy.column_type)
    return f"{Identifier(facts.tenancy.column).sql()} = {session_tenant(accepted_settings(facts, service), type_)}"
