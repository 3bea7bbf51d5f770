"""From what replay gave to what detectors stand on: how this database keeps tenants apart, what each table is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from remediate.config.model import Config
from remediate.detect.classify import classify
from remediate.detect.model import Facts, Tenancy
from remediate.detect.settings import comparisons, policy_text, reads, settings_by_function, writes
from remediate.replay.catalog import Catalog, QName, Replayed
from remediate.source.model import Service
from remediate.source.neighbours import Neighbour

CANONICAL = "app.current_tenant_id"
_ROOT_NAMES = ("tenants", "tenant")
DEFAULT_COLUMN = "tenant_id"
# A policy that compares these with a setting isolates users or single rows, not tenants.
_PERSONAL_COLUMN = re.compile(r"^(id|.*_by|(.*_)?(user|owner|actor|account_holder)_id)$")
_TENANT_SETTING = re.compile(r"tenant(_?(id|uuid|guid|key))?$")
_NO_TENANT_SETTING = re.compile(r"(^|[._])(bypass|skip|ignore|disable|default|is|has|allow)_")


def gather(
    replayed: Replayed, services: Sequence[Service], config: Config, neighbours: tuple[Neighbour, ...] = ()
) -> Facts:
    """Everything that detectors may look at, for one database. `services` stand in replay order.

    Where each service is said to have a database of its own, its neighbours are no concern of it.
    """
    if config.workspace.database == "per-service":
        neighbours = ()
    tenancy = find_tenancy(replayed.catalog, services, config)
    classes = classify(replayed, services, tenancy, config)
    return Facts(replayed, tuple(services), config, tenancy, classes, neighbours)


def find_tenancy(catalog: Catalog, services: Sequence[Service], config: Config) -> Tenancy:
    """The root table, tenant column and settings, each configured or derived, with the reason for each."""
    reasons: dict[str, str] = {}
    column = _column(catalog, config, reasons)
    root = _root(catalog, config, column, reasons)
    protected = any(table.rls_enabled for table in catalog.tables.values()) or bool(catalog.policies)
    enabled = bool(column or root or protected)
    reasons.setdefault("column", "the usual name; nothing in this database says otherwise")
    column = column or DEFAULT_COLUMN
    setting, legacy, is_used = _settings(catalog, services, config, column, reasons)
    reasons["enabled"] = (
        "there is a tenant column, a table of tenants or row level security"
        if enabled
        else "no tenant column, no table of tenants and no row level security was found"
    )
    return Tenancy(root, column, _column_type(catalog, column), setting, legacy, enabled, reasons, is_used)


# ------------------------------------------------------------------------------------------- column and root


def _column(catalog: Catalog, config: Config, reasons: dict[str, str]) -> str | None:
    if config.tenancy.column:
        reasons["column"] = "configured"
        return config.tenancy.column
    returned = settings_by_function(catalog)
    compared: Counter[str] = Counter()
    for policy in catalog.policies.values():
        found = comparisons(policy_text(policy), returned)
        # `order_id IN (SELECT … WHERE tenant_id = …)`: it is the inner comparison that tells.
        telling = [item for item in found if item.operator != "in"] or found
        columns = {name for item in telling for name in item.columns}
        compared.update(name for name in columns if not _PERSONAL_COLUMN.match(name) and _on_any_table(catalog, name))
    if compared:
        # Of equally common names the first by the alphabet, so that the same input gives the same answer.
        name, count = min(compared.items(), key=lambda item: (-item[1], item[0]))
        reasons["column"] = f"{_count(count, 'policy compares', 'policies compare')} it with a setting"
        return name
    named = config.tenancy.table or next((name for name in _ROOT_NAMES if _named(catalog, name)), None)
    if named and (referring := _referring_column(catalog, _named(catalog, named))):
        reasons["column"] = "the commonest name of the columns that refer to the table of tenants"
        return referring
    having = [table.name for table in catalog.tables.values() if table.column(DEFAULT_COLUMN)]
    beside_root = any(QName(name.schema, root) in catalog.tables for name in having for root in _ROOT_NAMES)
    if len(having) >= 2 or beside_root:
        reasons["column"] = f"{_count(len(having), 'table has', 'tables have')} a column of the usual name"
        return DEFAULT_COLUMN
    return None


def _on_any_table(catalog: Catalog, column: str) -> bool:
    return any(table.column(column) for table in catalog.tables.values())


def _root(catalog: Catalog, config: Config, column: str | None, reasons: dict[str, str]) -> QName | None:
    if config.tenancy.table:
        root = _named(catalog, config.tenancy.table)
        reasons["root"] = "configured" if root else f"configured as {config.tenancy.table}, which no migration creates"
        return root
    referred = Counter(
        target
        for constraint in catalog.constraints.values()
        if constraint.columns == (column,)
        and (target := constraint.references)
        and target in catalog.tables
        # A composite key that carries the tenant along refers to a sibling, not to the table of tenants; so does a
        # tenant column that refers to another table's tenant column which is not its key.
        and _is_primary_key(catalog, target, constraint.referenced_columns)
    )
    if referred:
        root, count = min(referred.items(), key=lambda item: (-item[1], str(item[0])))
        reasons["root"] = f"{_count(count, 'foreign key leads', 'foreign keys lead')} to it from {column}"
        return root
    for name in _ROOT_NAMES:
        if found := _named(catalog, name):
            reasons["root"] = "by its name"
            return found
    reasons["root"] = "no table of tenants was found"
    return None


def _named(catalog: Catalog, name: str) -> QName | None:
    """The table of that name: `schema.name`, or the name alone if one schema has it, `public` first."""
    matches = [table for table in catalog.tables if name in (table.name, str(table))]
    return min(matches, key=lambda table: (table.schema != "public", table), default=None)


def _is_primary_key(catalog: Catalog, table: QName, columns: tuple[str, ...]) -> bool:
    return any(key.type == "p" and key.columns == columns for key in catalog.constraints_of(table))


def _referring_column(catalog: Catalog, root: QName | None) -> str | None:
    """The column that refers to the table of tenants in some tables, and stands in most.

    Tables that lost their foreign key (or never had one) count by the name: `tenant` in 300 tables is the tenant
    column even if a newer `tenant_id` has more foreign keys.
    """
    names = {
        constraint.columns[0]
        for constraint in catalog.constraints.values()
        if root is not None and constraint.references == root and len(constraint.columns) == 1
    }
    tables = catalog.tables.values()
    counted = [(sum(table.column(name) is not None for table in tables), name) for name in names]
    return min(counted, key=lambda item: (-item[0], item[1]))[1] if counted else None


def _column_type(catalog: Catalog, column: str) -> str:
    types = Counter(found.type for table in catalog.tables.values() if (found := table.column(column)))
    return min(types.items(), key=lambda item: (-item[1], item[0]))[0] if types else "uuid"


# ------------------------------------------------------------------------------------------- settings


def _settings(
    catalog: Catalog, services: Sequence[Service], config: Config, column: str, reasons: dict[str, str]
) -> tuple[str, tuple[str, ...], bool]:
    in_policies = Counter(_policy_settings(catalog, column))
    others = [*_function_settings(catalog, column), *_expression_settings(catalog), *_code_settings(services)]
    canonical = _canonical(config, in_policies, frozenset(others), reasons)
    legacy = dict.fromkeys([*config.tenancy.legacy_settings, *sorted(in_policies), *sorted(others)])
    legacy.pop(canonical, None)
    reasons["legacy"] = (
        "policies, functions or code use them for the tenant" if legacy else "no other setting carries the tenant"
    )
    return canonical, tuple(legacy), bool(in_policies or others)


def _canonical(config: Config, in_policies: Counter[str], others: frozenset[str], reasons: dict[str, str]) -> str:
    if config.tenancy.setting:
        reasons["setting"] = "configured"
        return config.tenancy.setting
    if not in_policies and len(others) == 1:
        reasons["setting"] = "the only one that functions or code use for the tenant; no policy reads one"
        return next(iter(others))
    if not in_policies:
        reasons["setting"] = "the usual name; no policy compares the tenant column with a setting"
        return CANONICAL
    if len(in_policies) == 1:
        reasons["setting"] = "the only one that policies compare with the tenant column"
        return next(iter(in_policies))
    if CANONICAL in in_policies:
        reasons["setting"] = "the usual name, and policies use it"
        return CANONICAL
    reasons["setting"] = "the one that most policies compare with the tenant column"
    return min(in_policies.items(), key=lambda item: (-item[1], item[0]))[0]


def _policy_settings(catalog: Catalog, column: str) -> Iterator[str]:
    """Each setting that a policy compares with the tenant column, or reads under a tenant's name, once per policy."""
    returned = settings_by_function(catalog)
    for policy in catalog.policies.values():
        text = policy_text(policy)
        compared = {s for item in comparisons(text, returned) if column in item.columns for s in item.settings}
        named = {read.setting for read in reads(text) if carries_tenant_by_name(read.setting)}
        yield from sorted(compared | named)


def _function_settings(catalog: Catalog, column: str) -> Iterator[str]:
    for function in catalog.functions.values():
        for item in comparisons(function.body):
            if column in item.columns:
                yield from item.settings
        read = [found.setting for found in reads(function.body)]
        yield from filter(carries_tenant_by_name, read)
        written = writes(function.body)
        yield from (write.setting for write in written if carries_tenant_by_name(write.setting))
        name = function.name.name.lower()
        if "tenant" in name:
            # Functions that set the tenant often set a user or a bypass beside it: only a tenant's value counts.
            yield from (write.setting for write in written if any("tenant" in word for word in write.value))
        if _TENANT_SETTING.search(name) and len(set(read)) == 1 and not written:
            yield read[0]


def _expression_settings(catalog: Catalog) -> Iterator[str]:
    """Settings that views and column defaults read under a tenant's name."""
    expressions = [view.definition for view in catalog.views.values()]
    expressions += [column.default for table in catalog.tables.values() for column in table.columns if column.default]
    for expression in expressions:
        yield from filter(carries_tenant_by_name, (read.setting for read in reads(expression)))


def _code_settings(services: Iterable[Service]) -> Iterator[str]:
    for service in services:
        for file in service.code:
            yield from (write.name for write in file.writes if carries_tenant_by_name(write.name))


def carries_tenant_by_name(setting: str) -> bool:
    """Whether a setting's own name says that it holds a tenant's key: app.current_tenant, app.tenant_id, …"""
    name = setting.lower()
    return "." in name and bool(_TENANT_SETTING.search(name)) and not _NO_TENANT_SETTING.search(name)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
