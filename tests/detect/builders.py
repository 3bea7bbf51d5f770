"""Small catalogs, built by hand: what a detector needs, and nothing that replay would have to get right first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from remediate.config.model import Config
from remediate.detect.facts import gather
from remediate.detect.model import Facts
from remediate.replay.catalog import (
    Catalog,
    Column,
    Command,
    Constraint,
    DataChange,
    Function,
    FunctionVersion,
    History,
    Origin,
    Policy,
    QName,
    Refusal,
    Replayed,
    Table,
    Trigger,
    UnknownEffect,
    View,
)
from remediate.source.code import code_file, is_code
from remediate.source.imports import Imports
from remediate.source.model import CodeFile, Service
from remediate.source.packages import Packages
from remediate.source.place import Place
from remediate.source.tsconfig import TsConfigs

CURRENT = "tenant_id = current_setting('app.current_tenant_id', true)::uuid"
LEGACY = "tenant_id = current_setting('app.current_tenant', true)::uuid"
EXPANDED = (
    "tenant_id = (SELECT CASE WHEN setting.a <> setting.b THEN NULL ELSE COALESCE(setting.a, setting.b) END "
    "FROM (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid AS a, "
    "NULLIF(current_setting('app.current_tenant', true), '')::uuid AS b) setting)"
)


def q(name: str) -> QName:
    """`orders` in public, or `audit.orders`."""
    schema, _, rest = name.rpartition(".")
    return QName(schema or "public", rest)


def origin(service: str, line: int = 1, migration: str = "001.ts", statement: str = "", verb: str = "create") -> Origin:
    file = f"services/{service}/migrations/{migration}"
    return Origin(service, migration, Place(file, line), verb, statement)


@dataclass
class Database:
    """Collects objects and gives facts; every method returns the database, so that a case reads as one sentence."""

    config: Config = field(default_factory=Config)
    tables: dict[QName, Table] = field(default_factory=dict)
    policies: dict[tuple[QName, str], Policy] = field(default_factory=dict)
    constraints: dict[tuple[QName, str], Constraint] = field(default_factory=dict)
    functions: dict[tuple[QName, tuple[str, ...]], Function] = field(default_factory=dict)
    triggers: dict[tuple[QName, str], Trigger] = field(default_factory=dict)
    views: dict[QName, View] = field(default_factory=dict)
    versions: list[FunctionVersion] = field(default_factory=list)
    changes: list[DataChange] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    effects: list[UnknownEffect] = field(default_factory=list)
    code: dict[str, list[tuple[str, str, str | None]]] = field(default_factory=dict)
    service_names: list[str] = field(default_factory=list)
    lines: int = 0

    def _history(self, service: str, migration: str = "001.ts", statement: str = "") -> History:
        self.lines += 10
        if service not in self.service_names:
            self.service_names.append(service)
        return (origin(service, self.lines, migration, statement),)

    def table(
        self,
        name: str,
        columns: Mapping[str, str] | None = None,
        *,
        service: str = "shop",
        tenant: bool = True,
        rls: bool = False,
        forced: bool = False,
        partition_of: str | None = None,
        nullable: Iterable[str] = (),
    ) -> Database:
        """A table with a uuid key, `tenant_id` unless told otherwise, and more columns by name and type."""
        types = {"id": "uuid", **({"tenant_id": "uuid"} if tenant else {}), **(columns or {})}
        weak = set(nullable)
        found = tuple(Column(column, type_, nullable=column in weak) for column, type_ in types.items())
        parent = q(partition_of) if partition_of else None
        history = self._history(service)
        if rls:
            history += self._history(service, "002.ts", f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        self.tables[q(name)] = Table(q(name), found, history, rls, forced, partition_of=parent)
        key = Constraint(q(name), f"{q(name).name}_pkey", "p", ("id",), "PRIMARY KEY (id)", history)
        self.constraints[q(name), key.name] = key
        return self

    def column(self, table: str, column: Column) -> Database:
        """One more column, or another one of that name."""
        before = self.tables[q(table)]
        kept = tuple(one for one in before.columns if one.name != column.name)
        self.tables[q(table)] = replace(before, columns=(*kept, column))
        return self

    def reference(self, table: str, columns: str, parent: str, *, validated: bool = True) -> Database:
        names = tuple(columns.split(", "))
        name = f"{q(table).name}_{names[0]}_fkey"
        theirs = ("id",) if len(names) == 1 else names
        self.constraints[q(table), name] = Constraint(
            q(table), name, "f", names, "", self._history(self.tables[q(table)].service), q(parent), theirs,
            validated=validated,
        )  # fmt: skip
        return self

    def policy(
        self,
        table: str,
        using: str | None = CURRENT,
        *,
        name: str = "tenant_isolation",
        command: Command = "all",
        roles: tuple[str, ...] = ("public",),
        check: str | None = None,
        permissive: bool = True,
        service: str | None = None,
    ) -> Database:
        history = self._history(service or self.tables[q(table)].service, "002.ts")
        self.policies[q(table), name] = Policy(q(table), name, command, permissive, roles, using, check, history)
        return self

    def protected(self, name: str, *, using: str = CURRENT, forced: bool = False, service: str = "shop") -> Database:
        """A table with its tenant policy."""
        return self.table(name, rls=True, forced=forced, service=service).policy(name, using)

    def function(
        self,
        name: str,
        body: str,
        *,
        service: str = "shop",
        arguments: str = "",
        returns: str = "trigger",
        language: str = "plpgsql",
        definer: bool = False,
    ) -> Database:
        """Creates or replaces a function; what it was before stays among the versions."""
        types = tuple(part.split()[-1] for part in arguments.split(", ") if part)
        key = (q(name), types)
        before = self.functions.get(key)
        history = (*(before.history if before else ()), *self._history(service))
        made = Function(
            q(name), arguments, types, returns, language, body, history, security_definer=definer,
            definition=f"{name}({arguments}) {returns} {language} {definer} {body}",
        )  # fmt: skip
        self.functions[key] = made
        self.versions.append(FunctionVersion(made, replaced=False))
        return self

    def trigger(self, table: str, function: str, name: str = "touch") -> Database:
        history = self._history(self.tables[q(table)].service)
        self.triggers[q(table), name] = Trigger(q(table), name, q(function), "before", ("update",), "", history)
        return self

    def view(self, name: str, reads: str, *, materialized: bool = False, invoker: bool = False) -> Database:
        self.views[q(name)] = View(q(name), "", self._history("shop"), materialized, invoker, (q(reads),))
        return self

    def data_change(self, table: str, verb: str, migration: str = "001.ts") -> Database:
        service = self.tables[q(table)].service
        self.changes.append(DataChange(q(table), verb, self._history(service, migration)[0]))
        return self

    def refusal(
        self, code: str, message: str, *, subjects: Iterable[str] = (), statement: str = "", service: str = "shop"
    ) -> Database:
        made = self._history(service, "003.ts", statement)[0]
        self.refusals.append(Refusal(made, code, message, subjects=tuple(map(q, subjects))))
        return self

    def unknown_effect(self, reason: str, *, subjects: Iterable[str] = (), service: str = "shop") -> Database:
        place = self._history(service, "004.ts")[0].place
        self.effects.append(UnknownEffect(place, service, reason, tuple(map(q, subjects))))
        return self

    def file(
        self, path: str, text: str = "", *, service: str = "shop", role: str | None = None, sets: Iterable[str] = ()
    ) -> Database:
        """A file of code or a script, read as it is from a workspace; with `sets`, a line that sets them.

        The role is told by its path, unless given.
        """
        lines = [f"trx.raw(`SELECT set_config('{setting}', ?, true)`, [x]);" for setting in sets]
        self.code.setdefault(service, []).append((path, "\n".join([*filter(None, [text]), *lines]), role))
        if service not in self.service_names:
            self.service_names.append(service)
        return self

    def setting_code(self, service: str = "shop", setting: str = "app.current_tenant_id") -> Database:
        """The usual code: a connection, and a function that opens a transaction for a tenant."""
        text = (
            "import knex from 'knex';\n"
            "export const db = knex(config);\n"
            "export async function inTenant(id, work) {\n"
            f"  return db.transaction(async (trx) => {{ await trx.raw(`SELECT set_config('{setting}', ?, true)`, [id]);"
            " return work(trx); });\n}\n"
        )
        return self.file("db/tenant.ts", text, service=service)

    def _files(self, service: str) -> list[CodeFile]:
        root = {name: f"services/{name}/src/" for name in self.service_names}
        data = {f"{root[name]}{path}": text.encode() for name, files in self.code.items() for path, text, _ in files}
        imports = Imports(data.keys(), Packages((), lambda _: None), TsConfigs(data.get))
        made = []
        for path, _, role in self.code.get(service, ()):
            full = f"{root[service]}{path}"
            one = code_file(service, full, path, data[full], data.get, imports)[0]
            made.append(replace(one, role=role) if role else one)  # type: ignore[arg-type]
        return made

    def _service(self, name: str) -> Service:
        files = self._files(name)
        code = tuple(file for file in files if is_code(file.file))
        scripts = tuple(replace(file, role="script") for file in files if not is_code(file.file))
        return Service(name, f"services/{name}", (), (), "main", code=code, around=scripts)

    def facts(self) -> Facts:
        services = tuple(self._service(name) for name in self.service_names)
        catalog = Catalog(
            tables=self.tables, policies=self.policies, constraints=self.constraints, functions=self.functions,
            triggers=self.triggers, views=self.views,
        )  # fmt: skip
        replayed = Replayed(
            "main", catalog, tuple(self.refusals), data_changes=tuple(self.changes), functions=tuple(self.versions),
            unknown_effects=tuple(self.effects),
        )  # fmt: skip
        return gather(replayed, services, self.config)


def platform(config: Config | None = None) -> Database:
    """A database with tenants, one protected and forced table, and code that sets the tenant."""
    return (
        Database(config or Config())
        .table("tenants", tenant=False, service="auth")
        .protected("customers", forced=True)
        .reference("customers", "tenant_id", "tenants")
        .setting_code()
    )
