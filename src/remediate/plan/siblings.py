"""How a service writes its tenant policies, so that a new one looks like those around it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from remediate.detect.found import listed
from remediate.detect.model import Facts
from remediate.detect.settings import policy_text, reads, settings_by_function
from remediate.plan.operations import PolicyState
from remediate.plan.tenant_function import tenant_function
from remediate.plan.tenant_value import cast_type, session_tenant
from remediate.replay.catalog import Command, Policy, QName
from remediate.sql.quote import NAMEDATALEN, Identifier, truncate_identifier

COMMANDS: tuple[Command, ...] = ("select", "insert", "update", "delete")
_OTHER_CONDITION = "<other>"


@dataclass(frozen=True, slots=True)
class Companion:
    """A permissive policy beside the tenant policies, without its table: `name` holds `{table}` for that.

    `using` and `check` are "true", None, or "tenant" for the condition that compares the tenant.
    """

    name: str
    command: Command
    roles: tuple[str, ...]
    using: str | None
    check: str | None

    @property
    def is_open(self) -> bool:
        """Whether it lets its roles reach the rows of every tenant."""
        return "true" in (self.using, self.check)

    def policy(self, table: QName, condition: str) -> PolicyState:
        using, check = (condition if clause == "tenant" else clause for clause in (self.using, self.check))
        return PolicyState(table, _name(self.name, table.name), self.command, True, self.roles, using, check)


@dataclass(frozen=True, slots=True)
class PolicyStyle:
    """`names` maps each command that gets a policy to its name, `{table}` standing for the table's.

    `companions` are what every sibling has for other roles beside it. `doubts` are whole sentences on what somebody has
    to confirm of that: who reaches every tenant's rows as before, and whose access may end.
    """

    names: tuple[tuple[Command, str], ...]
    roles: tuple[str, ...]
    explicit_check: bool
    source: str
    companions: tuple[Companion, ...] = ()
    doubts: tuple[str, ...] = ()

    def policies(self, table: QName, condition: str) -> Iterator[PolicyState]:
        """The policies that hold `condition` for every command on `table`, and those for other roles beside them."""
        for command, pattern in self.names:
            name = _name(pattern, table.name)
            using = None if command == "insert" else condition
            check = condition if command == "insert" or (self.explicit_check and command in ("all", "update")) else None
            yield PolicyState(table, name, command, True, self.roles, using, check)
        yield from (companion.policy(table, condition) for companion in self.companions)


DEFAULT_STYLE = PolicyStyle((("all", "tenant_isolation"),), ("public",), True, "no other table here has a policy")


def policy_style(facts: Facts, service: str) -> PolicyStyle:
    """The style most tables of the service follow; else that of the database; else one policy for all commands.

    Only policies that compare the tenant column count, and of those per table either one for all commands or one for
    each of the four, for the same roles: anything else is no style to copy.
    """
    key = ("policy_style", service)
    if key not in facts.memo:
        facts.memo[key] = _policy_style(facts, service)
    style: PolicyStyle = facts.memo[key]
    return style


def _policy_style(facts: Facts, service: str) -> PolicyStyle:
    policies: dict[QName, list[Policy]] = {}
    for policy in facts.replayed.catalog.policies.values():
        if policy.permissive:
            policies.setdefault(policy.table, []).append(policy)
    for owner, source in ((service, f"as the other tables of {service} have it"), (None, "as other services have it")):
        tables = facts.replayed.catalog.tables
        own = {name: found for name, found in policies.items() if owner is None or tables[name].service == owner}
        styles = {name: style for name, found in own.items() if (style := _style_of(facts, name, found, source))}
        if styles:
            style = Counter(styles.values()).most_common(1)[0][0]
            return _with_companions(facts, style, {name: own[name] for name in styles})
    return DEFAULT_STYLE


def _style_of(facts: Facts, table: QName, policies: Iterable[Policy], source: str) -> PolicyStyle | None:
    by_roles: dict[tuple[str, ...], dict[Command, Policy]] = {}
    for policy in policies:
        if isolates(facts, policy):
            by_roles.setdefault(policy.roles, {})[policy.command] = policy
    for roles, by_command in by_roles.items():
        if "all" in by_command:
            chosen: tuple[Command, ...] = ("all",)
        elif all(command in by_command for command in COMMANDS):
            chosen = COMMANDS
        else:
            continue
        names = tuple((command, _pattern(by_command[command].name, table.name)) for command in chosen)
        checking = by_command.get("all") or by_command["update"]
        return PolicyStyle(names, roles, checking.check is not None, source)
    return None


# ------------------------------------------------------------------------------------- what stands beside it


def _with_companions(facts: Facts, style: PolicyStyle, siblings: Mapping[QName, Sequence[Policy]]) -> PolicyStyle:
    """The style with what each sibling has for other roles, and with what it cannot take over.

    The new table has no row level security yet: each role reaches all of it, so that a policy which all siblings have
    for a role takes nothing from anybody, while a missing one would lock that role out. What opens on a setting is
    never taken over, since any session can set it: code that relies on it is the affair of the detectors.
    """
    found: dict[Companion, list[Policy]] = {}
    commands = [command for command, _ in style.names]
    for name, policies in siblings.items():
        for policy in policies:
            if policy.roles != style.roles or policy.command not in commands or not isolates(facts, policy):
                found.setdefault(_companion(facts, policy, name), []).append(policy)
    everywhere = [one for one, policies in found.items() if len({policy.table for policy in policies}) == len(siblings)]
    configured = facts.config.roles
    bound = {*style.roles, configured.application} - {"public"}
    companions = tuple(
        one
        for one in everywhere
        if _OTHER_CONDITION not in (one.using, one.check) and not (one.is_open and bound.intersection(one.roles))
    )
    admitted = {role for companion in companions for role in companion.roles}
    doubts = []
    for companion, policies in found.items():
        where = f"{policies[0].name} on {policies[0].table} ({policies[0].history[-1].place})"
        others = [role for role in companion.roles if role not in bound]
        if companion in companions:
            if companion.is_open and not set(companion.roles) <= set(configured.bypass):
                doubts.append(
                    f"{listed(companion.roles)} goes on reaching the rows of every tenant, as its siblings have it in "
                    f"policy {where}: confirm that, or say in [roles] bypass that it is meant to."
                )
        elif companion.roles != style.roles and not admitted.issuperset(others) and 2 * len(policies) >= len(siblings):
            doubts.append(
                f"Policy {where} lets {listed(others)} in besides: whether and how it should here is not known, and "
                "without a policy this table is closed to that role."
            )
    return replace(style, companions=companions, doubts=tuple(doubts))


def _companion(facts: Facts, policy: Policy, table: QName) -> Companion:
    def kind(clause: str | None) -> str | None:
        if clause is None or clause == "true":
            return clause
        plain = isolates(facts, policy) and not _opens_on(facts, policy)
        return "tenant" if plain else _OTHER_CONDITION

    public = "public" in policy.roles
    # What is open to everybody isolates nothing, wherever it stands.
    using, check = (_OTHER_CONDITION if public and kind(c) == "true" else kind(c) for c in (policy.using, policy.check))
    return Companion(_pattern(policy.name, table.name), policy.command, policy.roles, using, check)


def _opens_on(facts: Facts, policy: Policy) -> list[str]:
    """The settings other than the tenant's that a policy reads, itself or through functions."""
    text = policy_text(policy)
    found = {read.setting for read in reads(text)}
    called = _read_by_functions(facts)
    found.update(*(settings for name, settings in called.items() if re.search(rf"\b{re.escape(name)}\b", text)))
    return sorted(found - {facts.tenancy.setting, *facts.tenancy.legacy})


def _read_by_functions(facts: Facts) -> Mapping[str, frozenset[str]]:
    if "settings_by_function" not in facts.memo:
        facts.memo["settings_by_function"] = settings_by_function(facts.replayed.catalog)
    found: Mapping[str, frozenset[str]] = facts.memo["settings_by_function"]
    return found


def isolates(facts: Facts, policy: Policy) -> bool:
    """Whether it is a permissive policy that mentions the tenant column (what it compares is the detectors' affair)."""
    return policy.permissive and facts.tenancy.column in f"{policy.using} {policy.check}"


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
    found: dict[str | None, set[str]] | None = facts.memo.get(_read_by_service)
    if found is None:
        found = facts.memo[_read_by_service] = {}
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
    settings = accepted_settings(facts, service)
    function = tenant_function(facts, service, settings[0], type_) if len(settings) == 1 else None
    tenant = f"(SELECT {function})" if function is not None else session_tenant(settings, type_)
    return f"{Identifier(facts.tenancy.column).sql()} = {tenant}"
