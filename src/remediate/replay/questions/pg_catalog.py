"""The rows of pg_catalog's tables and views, made from the catalog as it stands.

Columns as in PostgreSQL's manual, chapter "System Catalogs". A row names only the columns that are known; identities
of objects are `Oid`s, so that joins on oids work without the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from remediate.replay.catalog import Constraint, QName, Table, View
from remediate.replay.extensions import EXTENSIONS, brings_function, type_of_extension
from remediate.replay.questions.names import Found, Wanted, attributes, relations, roles, tables, views
from remediate.replay.questions.names import all_schemas as _all_schemas
from remediate.replay.questions.pg_views import VIEWS
from remediate.replay.questions.session import Row, Session, split_identifier
from remediate.replay.questions.system import system_functions, system_relations, system_types
from remediate.replay.questions.values import Deparsed, Oid, Placeholder, Value

Source = Callable[[Session, Wanted], Iterator[Found]]

_COMMANDS: Final = {"all": "*", "select": "r", "insert": "a", "update": "w", "delete": "d"}
_ACTIONS: Final = {"no action": "a", "restrict": "r", "cascade": "c", "set null": "n", "set default": "d"}
_SET_COLUMNS: Final = re.compile(r" ON DELETE SET (?:NULL|DEFAULT) \(([^)]+)\)")
_SYSTEM_COLUMNS: Final = ("tableoid", "cmax", "xmax", "cmin", "xmin", "ctid")
_TYPE_CATEGORIES: Final = {"enum": ("e", "E"), "domain": ("d", "U"), "composite": ("c", "C"), "range": ("r", "R")}


def _names(wanted: Wanted, column: str) -> set[object] | None:
    return set(wanted[column]) if column in wanted else None


def _names_of(wanted: Wanted, column: str) -> set[object] | None:
    """The names of the relations whose oids are wanted in `column`."""
    if column not in wanted:
        return None
    return {oid.key.name for oid in wanted[column] if isinstance(oid, Oid) and isinstance(oid.key, QName)}


def _type_oid(session: Session, spelled: str) -> Value:
    found = session.find_type(spelled)
    return Oid("type", found) if found else Oid("type", spelled)


def _namespaces(session: Session, wanted: Wanted) -> Iterator[Found]:
    for schema in _all_schemas(session):
        yield {"oid": Oid("namespace", schema), "nspname": schema}, None


def _classes(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "relname")
    by_oid = _names_of(wanted, "oid")
    names = by_oid if names is None else names
    for name, kind, made in relations(session, names):
        row: dict[str, Value] = {
            "oid": Oid("class", name),
            "relname": name.name,
            "relnamespace": Oid("namespace", name.schema),
            "reltype": 0 if kind in "iIS" else Oid("type", name),
            "relkind": kind,
            "relisshared": False,
            "relpersistence": "p",
            "relrowsecurity": False,
            "relforcerowsecurity": False,
            "relispartition": False,
            "relispopulated": True,
            "relhassubclass": False,
        }
        if isinstance(made, Table):
            row |= {
                "relrowsecurity": made.rls_enabled,
                "relforcerowsecurity": made.rls_forced,
                "relispartition": made.partition_of is not None,
                "relnatts": len(made.columns),
                "relhasindex": any(True for _ in session.reader.indexes_of(name)),
                "relowner": Oid("role", made.owner or session.reader.current_user),
            }
            del row["relhassubclass"], row["relpersistence"]
        elif isinstance(made, View):
            row["reloptions"] = ["security_invoker=true"] if made.security_invoker else None
        yield row, None
    for name, system in system_relations().items():
        if names is not None and name.name not in names:
            continue
        yield (
            {
                "oid": Oid("class", name),
                "relname": name.name,
                "relnamespace": Oid("namespace", name.schema),
                "relkind": system.kind,
                "relrowsecurity": False,
                "relforcerowsecurity": False,
                "relispartition": False,
                "relpersistence": "p",
            },
            None,
        )


def _attribute_rows(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names_of(wanted, "attrelid")
    columns = _names(wanted, "attname")
    for relation, kind, position, column in attributes(session, names):
        if columns is not None and column.name not in columns:
            continue
        yield (
            {
                "attrelid": Oid("class", relation),
                "attname": column.name,
                "atttypid": _type_oid(session, column.type),
                "attnum": position,
                "attnotnull": not column.nullable and kind in "rp",
                "atthasdef": column.default is not None or column.generated is not None,
                "attisdropped": False,
                "attislocal": True,
                "attidentity": {"always": "a", "by default": "d", None: ""}[column.identity],
                "attgenerated": "s" if column.generated is not None else "",
                "atttypmod": Deparsed(column.type),
                "attndims": 1 if column.type.endswith("[]") else 0,
            },
            None,
        )
    for table in tables(session, names):
        for number, name in enumerate(_SYSTEM_COLUMNS, -6):
            if columns is None or name in columns:
                yield (
                    {
                        "attrelid": Oid("class", table.name),
                        "attname": name,
                        "attnum": number,
                        "attnotnull": True,
                        "attisdropped": False,
                        "atthasdef": False,
                        "attidentity": "",
                        "attgenerated": "",
                    },
                    None,
                )
    for qualified, system in system_relations().items():
        if names is not None and qualified.name not in names:
            continue
        for position, (name, type_name) in enumerate(system.columns, 1):
            if columns is None or name in columns:
                yield (
                    {
                        "attrelid": Oid("class", qualified),
                        "attname": name,
                        "attnum": position,
                        "attisdropped": False,
                        "atttypid": _type_oid(session, type_name),
                        "attidentity": "",
                        "attgenerated": "",
                    },
                    None,
                )


def _types(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "typname")

    def row(name: QName, type_type: str, category: str, *, array: bool = False, relation: Value = 0) -> Row:
        element = QName(name.schema, name.name[1:]) if array else None
        return {
            "oid": Oid("type", name),
            "typname": name.name,
            "typnamespace": Oid("namespace", name.schema),
            "typtype": type_type,
            "typcategory": category,
            "typrelid": relation,
            "typisdefined": True,
            "typelem": Oid("type", element) if element else 0,
            "typarray": 0 if array else Oid("type", QName(name.schema, f"_{name.name}")),
        }

    def both(name: QName, type_type: str, category: str, relation: Value = 0) -> Iterator[Found]:
        if names is None or name.name in names:
            yield row(name, type_type, category, relation=relation), None
        if names is None or f"_{name.name}" in names:
            yield row(QName(name.schema, f"_{name.name}"), "b", "A", array=True), None

    for made in session.reader.types.values():
        type_type, category = _TYPE_CATEGORIES[made.kind]
        yield from both(made.name, type_type, category, Oid("class", made.name) if made.kind == "composite" else 0)
    relation_names = None if names is None else names | {str(name).removeprefix("_") for name in names}
    for table in tables(session, relation_names):
        yield from both(table.name, "c", "C", Oid("class", table.name))
    for view in views(session, relation_names):
        yield from both(view.name, "c", "C", Oid("class", view.name))
    for text in names or ():
        if isinstance(text, str) and type_of_extension(session.reader.extensions, text) is not None:
            yield {"typname": text, "oid": Oid("type", QName("extension", text))}, None
    for known in system_types().values():
        if known.type_type == "p":
            if names is None or known.name.name in names:
                yield row(known.name, "p", "P"), None
        else:
            yield from both(known.name, known.type_type, known.category)


def _enums(session: Session, wanted: Wanted) -> Iterator[Found]:
    for made in session.reader.types.values():
        if made.kind != "enum":
            continue
        for position, label in enumerate(made.labels, 1):
            yield {"enumtypid": Oid("type", made.name), "enumlabel": label, "enumsortorder": float(position)}, None


def _procs(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "proname")
    for (name, types), made in session.reader.functions.items():
        if names is not None and name.name not in names:
            continue
        yield (
            {
                "oid": Oid("proc", (name, types)),
                "proname": name.name,
                "pronamespace": Oid("namespace", name.schema),
                "prolang": Oid("language", made.language),
                "prokind": "p" if made.kind == "procedure" else "f",
                "prosecdef": made.security_definer,
                "provolatile": made.volatility[:1],
                "pronargs": len(types),
                "prorettype": _type_oid(session, made.returns.removeprefix("SETOF ")),
                "proretset": made.returns.startswith(("SETOF ", "TABLE(")),
                "prosrc": made.body,
                "proconfig": [f"{key}={value}" for key, value in made.settings] or None,
            },
            None,
        )
    for name, number in system_functions(names):
        yield (
            {
                "oid": Oid("proc", (name, number)),
                "proname": name.name,
                "pronamespace": Oid("namespace", name.schema),
            },
            None,
        )
    for text in names or ():
        if isinstance(text, str) and brings_function(session.reader.extensions, text):
            # Where an extension puts its functions is not known, so neither is their schema.
            yield {"proname": text, "oid": Oid("proc", ("extension", text))}, _sure_of(session, text)


def _sure_of(session: Session, function: str) -> str | None:
    installed = [EXTENSIONS.get(name) for name in session.reader.extensions]
    if any(extension is not None and function in extension.functions for extension in installed):
        return None
    return "depends on what an extension brings along"


def _languages(session: Session, wanted: Wanted) -> Iterator[Found]:
    for name in ("internal", "c", "sql", "plpgsql"):
        yield {"oid": Oid("language", name), "lanname": name, "lanispl": name == "plpgsql"}, None


def constraint_numbers(session: Session, relation: QName, columns: tuple[str, ...]) -> list[int] | None:
    """The attnums of a key's columns, or None where the table or a column is not known."""
    table = session.reader.tables.get(relation)
    if table is None:
        return None
    positions = {column.name: number for number, column in enumerate(table.columns, 1)}
    if any(column not in positions for column in columns):
        return None
    return [positions[column] for column in columns]


def _constraints_of(session: Session, names: set[object] | None, own_names: set[object] | None) -> Iterator[Constraint]:
    """Those of the tables `names`, or those that are called so themselves; all where neither is known."""
    if names is not None:
        for table in tables(session, names):
            yield from session.reader.constraints_of(table.name)
    elif own_names is not None:
        for name in own_names:
            if isinstance(name, str):
                yield from session.reader.constraints_named(name)
    else:
        yield from session.reader.all_constraints()


def _set_columns(session: Session, made: Constraint) -> list[int] | None:
    """The columns that ON DELETE SET NULL (…) or SET DEFAULT (…) names; None where it sets all of them."""
    named = _SET_COLUMNS.search(made.definition)
    if named is None:
        return None
    names = [split_identifier(name) for name in named[1].split(",")]
    return constraint_numbers(session, made.table, tuple(name[0] for name in names if name))


def _constraints(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "conname")
    for made in _constraints_of(session, _names_of(wanted, "conrelid"), names):
        if names is not None and made.name not in names:
            continue
        row: dict[str, Value] = {
            "oid": Oid("constraint", (made.table, made.name)),
            "conname": made.name,
            "connamespace": Oid("namespace", made.table.schema),
            "contype": made.type,
            "conrelid": Oid("class", made.table),
            "contypid": 0,
            "convalidated": made.validated,
            "confrelid": 0,
            "confupdtype": " ",
            "confdeltype": " ",
            "confmatchtype": " ",
            "confkey": None,
            "confdelsetcols": None,
        }
        if made.columns:
            numbers = constraint_numbers(session, made.table, made.columns)
            if numbers is not None:
                row["conkey"] = numbers
        if made.type == "f" and made.references is not None:
            row["confrelid"] = Oid("class", made.references)
            row["confupdtype"] = _ACTIONS.get(made.on_update, "a")
            row["confdeltype"] = _ACTIONS.get(made.on_delete, "a")
            row["confmatchtype"] = "s"
            row["confdelsetcols"] = _set_columns(session, made)
            numbers = constraint_numbers(session, made.references, made.referenced_columns)
            if numbers is not None:
                row["confkey"] = numbers
            else:
                del row["confkey"]
        if made.type in "pux":
            row["conindid"] = Oid("class", QName(made.table.schema, made.name))
        yield row, None


def _indexes(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names_of(wanted, "indrelid")
    for key, made in session.reader.indexes.items():
        if names is not None and made.table.name not in names:
            continue
        kinds = {item.type for item in session.reader.constraints_of(made.table) if item.name == made.name}
        yield (
            {
                "indexrelid": Oid("class", key),
                "indrelid": Oid("class", made.table),
                "indisunique": made.unique,
                "indisprimary": "p" in kinds,
                "indisexclusion": "x" in kinds,
                "indisvalid": True,
                "indisready": True,
                "indislive": True,
                "indpred": Deparsed(made.predicate) if made.predicate is not None else None,
            },
            None,
        )


def _policies(session: Session, wanted: Wanted) -> Iterator[Found]:
    for made in session.reader.all_policies():
        yield (
            {
                "oid": Oid("policy", (made.table, made.name)),
                "polname": made.name,
                "polrelid": Oid("class", made.table),
                "polcmd": _COMMANDS[made.command],
                "polpermissive": made.permissive,
                "polroles": [0 if role == "public" else Oid("role", role) for role in made.roles],
                "polqual": Deparsed(made.using) if made.using is not None else None,
                "polwithcheck": Deparsed(made.check) if made.check is not None else None,
            },
            None,
        )


def _roles(session: Session, wanted: Wanted) -> Iterator[Found]:
    for name, superuser, bypassrls, login in roles(session):
        yield (
            {
                "oid": Oid("role", name),
                "rolname": name,
                "rolsuper": superuser,
                "rolbypassrls": bypassrls,
                "rolcanlogin": login,
            },
            None,
        )


def _users(session: Session, wanted: Wanted) -> Iterator[Found]:
    for name, superuser, bypassrls, login in roles(session):
        if login:
            yield (
                {
                    "usename": name,
                    "usesysid": Oid("role", name),
                    "usesuper": superuser,
                    "usebypassrls": bypassrls,
                },
                None,
            )


def _triggers(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names_of(wanted, "tgrelid")
    if names is None:
        triggers = list(session.reader.all_triggers())
    else:
        triggers = [item for table in tables(session, names) for item in session.reader.triggers_of(table.name)]
    for made in triggers:
        functions = session.reader.find_functions(made.function.name, made.function.schema)
        yield (
            {
                "oid": Oid("trigger", (made.table, made.name)),
                "tgname": made.name,
                "tgrelid": Oid("class", made.table),
                "tgfoid": Oid("proc", (made.function, functions[0].argument_types if functions else ())),
                "tgisinternal": False,
                "tgparentid": 0,
            },
            None,
        )
    # The server keeps a foreign key with two internal triggers on either side.
    for constraint in session.reader.all_constraints():
        if constraint.type != "f" or constraint.references is None:
            continue
        for table in (constraint.table, constraint.references):
            for event in ("ins", "upd") if table is constraint.table else ("del", "upd"):
                yield (
                    {
                        "tgname": Placeholder(f"RI_ConstraintTrigger_{event}_{constraint.name}"),
                        "tgrelid": Oid("class", table),
                        "tgfoid": Oid("proc", (QName("pg_catalog", f"RI_FKey_{event}"), ())),
                        "tgisinternal": True,
                        "tgenabled": "O",
                    },
                    None,
                )


def _extensions(session: Session, wanted: Wanted) -> Iterator[Found]:
    for name in dict.fromkeys(("plpgsql", *session.reader.extensions)):
        yield {"oid": Oid("extension", name), "extname": name}, None


def _databases(session: Session, wanted: Wanted) -> Iterator[Found]:
    for name in dict.fromkeys((session.reader.database, "postgres", "template0", "template1")):
        yield {"datname": name, "oid": Oid("database", name)}, None
    if "datname" not in wanted or not set(wanted["datname"]) <= {session.reader.database, "postgres"}:
        yield {}, "depends on the other databases of the server"


def _inherits(session: Session, wanted: Wanted) -> Iterator[Found]:
    for table in session.reader.tables.values():
        parents = (*table.inherits, *((table.partition_of,) if table.partition_of else ()))
        for position, parent in enumerate(dict.fromkeys(parents), 1):
            yield {"inhrelid": Oid("class", table.name), "inhparent": Oid("class", parent), "inhseqno": position}, None


def _partitioned(session: Session, wanted: Wanted) -> Iterator[Found]:
    for table in session.reader.tables.values():
        if table.partitioned:
            yield {"partrelid": Oid("class", table.name)}, None


def _defaults(session: Session, wanted: Wanted) -> Iterator[Found]:
    for relation, _, position, column in attributes(session, _names_of(wanted, "adrelid")):
        text = column.default if column.generated is None else column.generated
        if text is not None:
            yield {"adrelid": Oid("class", relation), "adnum": position, "adbin": Deparsed(text)}, None


SOURCES: Final[dict[str, Source]] = {
    "pg_namespace": _namespaces,
    "pg_class": _classes,
    "pg_attribute": _attribute_rows,
    "pg_type": _types,
    "pg_enum": _enums,
    "pg_proc": _procs,
    "pg_language": _languages,
    "pg_constraint": _constraints,
    "pg_index": _indexes,
    "pg_policy": _policies,
    "pg_roles": _roles,
    "pg_authid": _roles,
    "pg_user": _users,
    "pg_shadow": _users,
    "pg_trigger": _triggers,
    "pg_extension": _extensions,
    "pg_database": _databases,
    "pg_inherits": _inherits,
    "pg_partitioned_table": _partitioned,
    "pg_attrdef": _defaults,
    **VIEWS,
}
"""What makes the rows of each relation of pg_catalog; the rows of those that are not here are unknown."""
