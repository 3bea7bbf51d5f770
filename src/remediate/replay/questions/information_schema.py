"""The rows of information_schema's views, made from the catalog as it stands.

Columns and their meaning as in PostgreSQL's manual, chapter "The Information Schema", and as its source
(information_schema.sql) computes them. The role that migrations run as is taken to own, and so to see, everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from remediate.replay.catalog import Constraint, QName, Table
from remediate.replay.questions.names import Found, Wanted, all_schemas, attributes, roles, tables, views
from remediate.replay.questions.session import Session
from remediate.replay.questions.system import system_functions, system_relations, system_types
from remediate.replay.questions.values import Deparsed, Placeholder, Value

_KINDS: Final = {"p": "PRIMARY KEY", "u": "UNIQUE", "f": "FOREIGN KEY", "c": "CHECK"}
_NUMBERS: Final = {"int2": (16, 2, 0), "int4": (32, 2, 0), "int8": (64, 2, 0), "float4": (24, 2, None)} | {
    "float8": (53, 2, None)
}
_TIMES: Final = frozenset({"date", "time", "timetz", "timestamp", "timestamptz", "interval"})


def _names(wanted: Wanted, column: str) -> set[object] | None:
    return set(wanted[column]) if column in wanted else None


def _tables(session: Session, wanted: Wanted) -> Iterator[Found]:
    database = session.reader.database
    names = _names(wanted, "table_name")

    def row(name: QName, kind: str, insertable: Value) -> Found:
        return {
            "table_catalog": database,
            "table_schema": name.schema,
            "table_name": name.name,
            "table_type": kind,
            "self_referencing_column_name": None,
            "reference_generation": None,
            "user_defined_type_catalog": None,
            "user_defined_type_schema": None,
            "user_defined_type_name": None,
            "is_insertable_into": insertable,
            "is_typed": "NO",
            "commit_action": None,
        }, None

    for table in tables(session, names):
        yield row(table.name, "BASE TABLE" if table.server is None else "FOREIGN", "YES")
    for view in views(session, names):
        if not view.materialized:
            made, _ = row(view.name, "VIEW", None)
            yield {key: value for key, value in made.items() if key != "is_insertable_into"}, None
    for name, system in system_relations().items():
        if system.kind in "rv" and (names is None or name.name in names):
            yield row(name, "BASE TABLE" if system.kind == "r" else "VIEW", "YES" if system.kind == "r" else "NO")


def _described(session: Session, spelled: str) -> dict[str, Value]:
    """The columns of `columns` and `routines` that follow from a type's spelling."""
    known = session.find_type(spelled)
    row: dict[str, Value] = {
        "character_maximum_length": None,
        "numeric_precision": None,
        "numeric_precision_radix": None,
        "numeric_scale": None,
        "datetime_precision": None,
        "udt_catalog": session.reader.database,
    }
    if known is None:
        return {"udt_catalog": session.reader.database}
    row |= {"udt_schema": known.schema, "udt_name": known.name}
    if spelled.endswith("[]"):
        return row | {"data_type": "ARRAY"}
    if known not in system_types():
        made = session.reader.types.get(known)
        if made is not None and made.kind == "domain":
            # A domain is described by its base type, which the catalog does not keep.
            return {"udt_catalog": session.reader.database}
        return row | {"data_type": "USER-DEFINED"}
    row["data_type"] = system_types()[known].spelling
    modifier = re.search(r"\((\d+)(?:,(-?\d+))?\)", spelled)
    if known.name in ("varchar", "bpchar", "bit", "varbit"):
        row["character_maximum_length"] = int(modifier[1]) if modifier else (1 if known.name == "bpchar" else None)
    elif known.name == "numeric":
        row["numeric_precision_radix"] = 10
        if modifier:
            row |= {"numeric_precision": int(modifier[1]), "numeric_scale": int(modifier[2] or 0)}
    elif known.name in _NUMBERS:
        precision, radix, scale = _NUMBERS[known.name]
        row |= {"numeric_precision": precision, "numeric_precision_radix": radix, "numeric_scale": scale}
    elif known.name in _TIMES:
        row["datetime_precision"] = 0 if known.name == "date" else int(modifier[1]) if modifier else 6
    return row


_NOT_UPDATABLE = re.compile(
    r"\A(?:WITH|VALUES|SELECT DISTINCT)\b|\b(?:JOIN|UNION|INTERSECT|EXCEPT|GROUP BY|HAVING|LIMIT|OFFSET)\b"
)
"""What a view that is updatable by itself has none of (view_query_is_auto_updatable)."""


def _columns(session: Session, wanted: Wanted) -> Iterator[Found]:
    names, column_names = _names(wanted, "table_name"), _names(wanted, "column_name")
    for relation, kind, position, column in attributes(session, names):
        if kind == "m" or (column_names is not None and column.name not in column_names):
            continue
        default = Deparsed(column.default) if column.default is not None and column.generated is None else None
        row: dict[str, Value] = {
            "table_catalog": session.reader.database,
            "table_schema": relation.schema,
            "table_name": relation.name,
            "column_name": column.name,
            "ordinal_position": position,
            "column_default": None if column.identity else default,
            "is_nullable": "YES" if column.nullable or kind == "v" else "NO",
            "is_identity": "YES" if column.identity else "NO",
            "identity_generation": column.identity.upper() if column.identity else None,
            "is_generated": "ALWAYS" if column.generated is not None else "NEVER",
            "generation_expression": Deparsed(column.generated) if column.generated is not None else None,
            "is_self_referencing": "NO",
        }
        if kind in "rp":
            row["is_updatable"] = "YES"
        elif (view := session.reader.views.get(relation)) and _NOT_UPDATABLE.search(view.definition):
            row["is_updatable"] = "NO"
        yield row | _described(session, column.type), None
    for name, system in system_relations().items():
        if names is not None and name.name not in names:
            continue
        for position, (column_name, type_name) in enumerate(system.columns, 1):
            if column_names is None or column_name in column_names:
                yield (
                    {
                        "table_catalog": session.reader.database,
                        "table_schema": name.schema,
                        "table_name": name.name,
                        "column_name": column_name,
                        "ordinal_position": position,
                        "column_default": None,
                    }
                    | _described(session, type_name),
                    None,
                )


def _constraints(session: Session, wanted: Wanted) -> Iterator[Constraint]:
    if "table_name" in wanted:
        for table in tables(session, _names(wanted, "table_name")):
            yield from session.reader.constraints_of(table.name)
    else:
        yield from session.reader.all_constraints()


def _not_null_names(session: Session, wanted: Wanted) -> Iterator[tuple[Table, str, Placeholder]]:
    """NOT NULL columns are listed as checks under names made of oids (before PostgreSQL 18)."""
    for table in tables(session, _names(wanted, "table_name")):
        for position, column in enumerate(table.columns, 1):
            if not column.nullable:
                yield table, column.name, Placeholder(f"{table.name.schema}_{table.name.name}_{position}_not_null")


def _described_constraint(session: Session, schema: str, name: str, table: QName) -> dict[str, Value]:
    return {
        "constraint_catalog": session.reader.database,
        "constraint_schema": schema,
        "constraint_name": name,
        "table_catalog": session.reader.database,
        "table_schema": table.schema,
        "table_name": table.name,
    }


def _table_constraints(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "constraint_name")
    for made in _constraints(session, wanted):
        if made.type == "x" or (names is not None and made.name not in names):
            continue
        yield (
            _described_constraint(session, made.table.schema, made.name, made.table)
            | {
                "constraint_type": _KINDS[made.type],
                "enforced": "YES",
                "is_deferrable": "YES" if "DEFERRABLE" in made.definition.upper() else "NO",
                "initially_deferred": "YES" if "INITIALLY DEFERRED" in made.definition.upper() else "NO",
            },
            None,
        )
    for table, _, name in _not_null_names(session, wanted):
        yield (
            _described_constraint(session, table.name.schema, name, table.name)
            | {
                "constraint_type": "CHECK",
                "enforced": "YES",
                "is_deferrable": "NO",
                "initially_deferred": "NO",
            },
            None,
        )


def _key_column_usage(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "constraint_name")
    for made in _constraints(session, wanted):
        if made.type not in "puf" or (names is not None and made.name not in names):
            continue
        key = _referenced_key(session, made)
        for position, column in enumerate(made.columns, 1):
            row = _described_constraint(session, made.table.schema, made.name, made.table) | {
                "column_name": column,
                "ordinal_position": position,
                "position_in_unique_constraint": None,
            }
            if made.type == "f":
                del row["position_in_unique_constraint"]
                if key is not None and made.referenced_columns:
                    referenced = made.referenced_columns[position - 1]
                    row["position_in_unique_constraint"] = key.columns.index(referenced) + 1
            yield row, None


def _referenced_key(session: Session, made: Constraint) -> Constraint | None:
    if made.type != "f" or made.references is None:
        return None
    candidates = [
        key
        for key in session.reader.constraints_of(made.references)
        if key.type in "pu" and sorted(key.columns) == sorted(made.referenced_columns)
    ]
    return min(candidates, key=lambda key: key.type, default=None)


def _constraint_column_usage(session: Session, wanted: Wanted) -> Iterator[Found]:
    # Of a foreign key these are the referenced columns, so a restriction on table_name is not one on its table.
    names = _names(wanted, "constraint_name")
    for made in session.reader.all_constraints():
        if made.type == "x" or (names is not None and made.name not in names):
            continue
        table, columns = made.table, made.columns
        if made.type == "f":
            if made.references is None:
                continue
            table, columns = made.references, made.referenced_columns
        for column in columns:
            yield _described_constraint(session, made.table.schema, made.name, table) | {"column_name": column}, None


def _constraint_table_usage(session: Session, wanted: Wanted) -> Iterator[Found]:
    for made in session.reader.all_constraints():
        table = made.references if made.type == "f" else made.table
        if made.type in "pufc" and table is not None and made.type != "c":
            yield _described_constraint(session, made.table.schema, made.name, table), None


def _referential_constraints(session: Session, wanted: Wanted) -> Iterator[Found]:
    for made in session.reader.all_constraints():
        if made.type != "f":
            continue
        row: dict[str, Value] = {
            "constraint_catalog": session.reader.database,
            "constraint_schema": made.table.schema,
            "constraint_name": made.name,
            "unique_constraint_catalog": session.reader.database,
            "match_option": "NONE",
            "update_rule": made.on_update.upper(),
            "delete_rule": made.on_delete.upper(),
        }
        key = _referenced_key(session, made)
        if key is not None:
            row |= {"unique_constraint_schema": key.table.schema, "unique_constraint_name": key.name}
        yield row, None


def _check_constraints(session: Session, wanted: Wanted) -> Iterator[Found]:
    for made in session.reader.all_constraints():
        if made.type == "c":
            clause = made.definition.removeprefix("CHECK ").strip()
            yield (
                {
                    "constraint_catalog": session.reader.database,
                    "constraint_schema": made.table.schema,
                    "constraint_name": made.name,
                    "check_clause": Deparsed(clause),
                },
                None,
            )
    for table, column, name in _not_null_names(session, wanted):
        yield (
            {
                "constraint_catalog": session.reader.database,
                "constraint_schema": table.name.schema,
                "constraint_name": name,
                "check_clause": f"{column} IS NOT NULL",
            },
            None,
        )


def _views(session: Session, wanted: Wanted) -> Iterator[Found]:
    for view in views(session, _names(wanted, "table_name")):
        if not view.materialized:
            yield (
                {
                    "table_catalog": session.reader.database,
                    "table_schema": view.name.schema,
                    "table_name": view.name.name,
                    "view_definition": Deparsed(view.definition),
                    "check_option": "NONE",
                },
                None,
            )
    for name, system in system_relations().items():
        if system.kind == "v":
            row: dict[str, Value] = {
                "table_catalog": session.reader.database,
                "table_schema": name.schema,
                "table_name": name.name,
            }
            yield row, None


def _triggers(session: Session, wanted: Wanted) -> Iterator[Found]:
    for made in session.reader.all_triggers():
        for event in made.events:
            verb = event.split()[0].upper()
            if verb == "TRUNCATE":
                continue
            yield (
                {
                    "trigger_catalog": session.reader.database,
                    "trigger_schema": made.table.schema,
                    "trigger_name": made.name,
                    "event_manipulation": verb,
                    "event_object_catalog": session.reader.database,
                    "event_object_schema": made.table.schema,
                    "event_object_table": made.table.name,
                    "action_orientation": "ROW" if made.row else "STATEMENT",
                    "action_timing": made.timing.upper(),
                    "action_statement": Deparsed(f"EXECUTE FUNCTION {made.function.name}()"),
                },
                None,
            )


def _routines(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "routine_name")
    for (name, types), made in session.reader.functions.items():
        if names is not None and name.name not in names:
            continue
        row: dict[str, Value] = {
            "specific_catalog": session.reader.database,
            "specific_schema": name.schema,
            "specific_name": Placeholder(f"{name.name}_{len(types)}"),
            "routine_catalog": session.reader.database,
            "routine_schema": name.schema,
            "routine_name": name.name,
            "routine_type": "PROCEDURE" if made.kind == "procedure" else "FUNCTION",
            "routine_definition": made.body,
            "external_language": made.language.upper(),
            "security_type": "DEFINER" if made.security_definer else "INVOKER",
        }
        returns = made.returns.removeprefix("SETOF ")
        row["data_type"] = None if made.kind == "procedure" else _described(session, returns).get("data_type")
        if row["data_type"] is None and made.kind != "procedure":
            del row["data_type"]
        yield row, None
    for name, _ in system_functions(names):
        yield {"specific_schema": name.schema, "routine_schema": name.schema, "routine_name": name.name}, None


def _schemata(session: Session, wanted: Wanted) -> Iterator[Found]:
    for schema in all_schemas(session):
        yield {"catalog_name": session.reader.database, "schema_name": schema}, None


def _sequences(session: Session, wanted: Wanted) -> Iterator[Found]:
    identity = {
        (table.name, column.name)
        for table in session.reader.tables.values()
        for column in table.columns
        if column.identity
    }
    for made in session.reader.sequences.values():
        # Sequences of identity columns are internal, and not listed.
        if made.owned_by is None or made.owned_by not in identity:
            yield (
                {
                    "sequence_catalog": session.reader.database,
                    "sequence_schema": made.name.schema,
                    "sequence_name": made.name.name,
                },
                None,
            )


def _enabled_roles(session: Session, wanted: Wanted) -> Iterator[Found]:
    for name, *_ in roles(session):
        yield {"role_name": name}, None


def _domains(session: Session, wanted: Wanted) -> Iterator[Found]:
    for made in session.reader.types.values():
        if made.kind == "domain":
            yield (
                {
                    "domain_catalog": session.reader.database,
                    "domain_schema": made.name.schema,
                    "domain_name": made.name.name,
                },
                None,
            )
    for name, known in system_types().items():
        if known.type_type == "d":
            yield {"domain_schema": name.schema, "domain_name": name.name}, None


_OF_TABLES = ("INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def _table_privileges(session: Session, wanted: Wanted) -> Iterator[Found]:
    """What was granted on tables and views, and what the owner has by itself; of the system's nothing is told."""
    names = _names(wanted, "table_name")
    owners = {table.name: table.owner or session.reader.current_user for table in tables(session, names)}
    owners |= {view.name: session.reader.current_user for view in views(session, names) if not view.materialized}
    given = {(name, owner, word, True) for name, owner in owners.items() for word in _OF_TABLES}
    for grant in session.reader.grants:
        name = QName(*grant.subject.split(".", 1)) if grant.kind == "table" else None
        if name in owners and grant.role != owners[name]:
            grantee = "PUBLIC" if grant.role == "public" else grant.role
            given |= {(name, grantee, word.upper(), False) for word in grant.privileges if word.upper() in _OF_TABLES}
    for name, grantee, privilege, grantable in sorted(given):
        yield (
            {
                "grantor": owners[name],
                "grantee": grantee,
                "table_catalog": session.reader.database,
                "table_schema": name.schema,
                "table_name": name.name,
                "privilege_type": privilege,
                "is_grantable": "YES" if grantable else "NO",
                "with_hierarchy": "YES" if privilege == "SELECT" else "NO",
            },
            None,
        )


def _role_table_grants(session: Session, wanted: Wanted) -> Iterator[Found]:
    return (found for found in _table_privileges(session, wanted) if found[0]["grantee"] != "PUBLIC")


def _view_table_usage(session: Session, wanted: Wanted) -> Iterator[Found]:
    for view in views(session, _names(wanted, "view_name")):
        for read in view.reads if not view.materialized else ():
            yield (
                {
                    "view_catalog": session.reader.database,
                    "view_schema": view.name.schema,
                    "view_name": view.name.name,
                    "table_catalog": session.reader.database,
                    "table_schema": read.schema,
                    "table_name": read.name,
                },
                None,
            )


SOURCES: Final[dict[str, Callable[[Session, Wanted], Iterator[Found]]]] = {
    "tables": _tables,
    "columns": _columns,
    "table_constraints": _table_constraints,
    "key_column_usage": _key_column_usage,
    "constraint_column_usage": _constraint_column_usage,
    "constraint_table_usage": _constraint_table_usage,
    "referential_constraints": _referential_constraints,
    "check_constraints": _check_constraints,
    "views": _views,
    "triggers": _triggers,
    "routines": _routines,
    "schemata": _schemata,
    "sequences": _sequences,
    "enabled_roles": _enabled_roles,
    "domains": _domains,
    "table_privileges": _table_privileges,
    "role_table_grants": _role_table_grants,
    "view_table_usage": _view_table_usage,
}
"""What makes the rows of each view of information_schema; the rows of those that are not here are unknown."""
