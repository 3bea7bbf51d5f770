"""The live catalog with the sources as evidence: every object knows the statements that made it, as far as any did.

What is the same on both sides is taken from the replay as a whole, which also knows the texts as they were sent; what
differs is taken from the live database, with the history of its counterpart; what no migration makes is `OUTSIDE`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from remediate.audit.model import OUTSIDE, Drift
from remediate.detect.model import Finding
from remediate.detect.settings import policy_text
from remediate.detect.tokens import tokens
from remediate.postgres.observe import Observed
from remediate.replay.catalog import Catalog, Function, History, Origin, QName, Replayed
from remediate.replay.compare import FactKey, catalog_facts
from remediate.replay.settings import setting_uses
from remediate.sql.functions import normal_body

Key = TypeVar("Key")


def attribute(live: Catalog, expected: Replayed, definitions: Mapping[Any, str]) -> Catalog:
    """`live` with histories. `definitions` are the CREATE statements of functions, as the server gives them."""
    ours = expected.catalog
    before, after = catalog_facts(ours), catalog_facts(live)
    differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    # A table is what its columns and flags are, too.
    tables = {key.relations[0] for key in differing if key.kind in _OF_TABLES and key.relations}

    def merged(
        found: Mapping[Key, Any], known: Mapping[Key, Any], is_same: Callable[[Any], bool], owner: Callable[[Any], str]
    ) -> dict[Key, Any]:
        """In the order of the replay, so that the same comes out as without a database where nothing differs."""
        order = [*(key for key in known if key in found), *(key for key in found if key not in known)]
        return {key: _one(found[key], known.get(key), is_same, owner) for key in order}

    def fact(kind: str, subject: Callable[[Any], str]) -> Callable[[Any], bool]:
        return lambda one: FactKey(kind, subject(one)) not in differing

    def beneath(one: Any) -> str:
        table = ours.tables.get(one.table)
        return table.service if table and table.history else ""

    def on_table(one: Any) -> str:
        return f"{one.name} on {one.table}"

    def index_subject(one: Any) -> str:
        return f"{QName(one.table.schema, one.name)} on {one.table}"

    functions = merged(live.functions, ours.functions, fact("function", lambda one: one.signature), _nobody)
    return Catalog(
        tables=merged(live.tables, ours.tables, lambda one: one.name not in tables, _nobody),
        policies=merged(live.policies, ours.policies, fact("policy", on_table), beneath),
        constraints=merged(live.constraints, ours.constraints, fact("constraint", on_table), beneath),
        indexes=merged(live.indexes, ours.indexes, fact("index", index_subject), beneath),
        functions={key: _with_statement(one, expected, definitions) for key, one in functions.items()},
        triggers=merged(live.triggers, ours.triggers, fact("trigger", on_table), beneath),
        views=merged(live.views, ours.views, fact("view", lambda one: str(one.name)), _nobody),
        types=merged(live.types, ours.types, fact("type", lambda one: str(one.name)), _nobody),
        sequences=merged(live.sequences, ours.sequences, fact("sequence", lambda one: str(one.name)), _nobody),
        schemas={name: ours.schemas.get(name) or _outside("") for name in live.schemas},
        extensions={name: ours.extensions.get(name) or _outside("") for name in live.extensions},
        roles=merged(live.roles, ours.roles, fact("role", lambda one: one.name), _nobody),
        grants=_grants(live, ours),
    )  # fmt: skip


_OF_TABLES = ("table", "rls flags", "column", "type of column", "nullability", "default")


def _one(found: Any, known: Any, is_same: Callable[[Any], bool], owner: Callable[[Any], str]) -> Any:
    if known is None:
        return replace(found, history=_outside(owner(found)))
    ran = _certain(known.history) or _outside(owner(found))
    return replace(known if is_same(found) else found, history=ran)


def _certain(history: History) -> History:
    """Nothing can tell of these statements whether they ran; that the object is there tells."""
    return tuple(replace(origin, conditional=None) if origin.conditional else origin for origin in history)


def _outside(service: str) -> History:
    return (Origin(service, "", OUTSIDE, "create", ""),)


def _nobody(_: object) -> str:
    return ""


def _with_statement(found: Function, expected: Replayed, definitions: Mapping[Any, str]) -> Function:
    """A function with the text that made it: that of the migration that it is of, else as the server writes it."""
    if found.statement and version_of(found, [found]):
        return found
    made = version_of(found, [one.function for one in expected.functions])
    if made is not None:
        return replace(made, history=_certain(made.history))
    return replace(found, statement=definitions.get((found.name, found.argument_types), ""))


def version_of(found: Function, versions: Iterable[Function]) -> Function | None:
    """The last of these versions of a function that is the one found, in all that PostgreSQL keeps of it.

    Which of several services ran last in a database need not be what a replay makes of it.
    """
    return next((one for one in reversed(list(versions)) if _kept(one) == _kept(found)), None)


def _kept(function: Function) -> tuple[object, ...]:
    return (
        function.name, function.arguments, function.argument_types, function.returns, function.language,
        normal_body(function.body, function.language), function.kind, function.security_definer, function.volatility,
        function.settings,
    )  # fmt: skip


def _grants(live: Catalog, ours: Catalog) -> tuple[Any, ...]:
    known = {(one.kind, one.subject, one.role): one for one in ours.grants}
    found = []
    for grant in live.grants:
        mine = known.get((grant.kind, grant.subject, grant.role))
        found.append(replace(grant, history=_certain(mine.history) if mine else _outside("")))
    # Those on functions and schemas are not read back: what the migrations say of them holds.
    return (*found, *(one for one in ours.grants if one.kind not in ("table", "sequence")))


def without(catalog: Catalog, tables: Collection[QName]) -> Catalog:
    """The catalog without some tables and what hangs on them: Knex's own, and a schema that holds no more."""
    left_out = set(tables)

    def kept(objects: Mapping[Any, Any]) -> dict[Any, Any]:
        return {key: one for key, one in objects.items() if one.table not in left_out}

    sequences = {
        name: one for name, one in catalog.sequences.items() if one.owned_by is None or one.owned_by[0] not in left_out
    }
    kept_tables = {name: table for name, table in catalog.tables.items() if name not in left_out}
    used = {name.schema for names in (kept_tables, catalog.views, catalog.types, sequences) for name in names}
    used |= {key[0].schema for key in catalog.functions}
    emptied = {name.schema for name in left_out} - used
    gone = {str(name) for name in left_out} | {str(name) for name in catalog.sequences.keys() - sequences.keys()}
    return replace(
        catalog,
        tables=kept_tables,
        schemas={name: history for name, history in catalog.schemas.items() if name not in emptied},
        policies=kept(catalog.policies),
        constraints=kept(catalog.constraints),
        indexes=kept(catalog.indexes),
        triggers=kept(catalog.triggers),
        sequences=sequences,
        grants=tuple(grant for grant in catalog.grants if grant.subject not in gone),
    )


def stand_in(observed: Observed, live: Catalog, expected: Replayed, drifts: Collection[Drift]) -> Replayed:
    """What stands for a replay where a live database is looked at.

    What could not be read or answered in the migrations leaves no doubt about this catalog, and is no effect any more;
    that it could not be read is told as before. The drift that bears on isolation is, in sentences, by relation.
    """
    catalog, ours = attribute(live, expected, observed.definitions), expected.catalog
    sentences: dict[QName, list[str]] = {}
    callers = _callers(catalog, ours)
    for drift in drifts:
        if drift.matters and drift.about is not None:
            for name in (drift.about, *(callers.get(drift.about, ()) if drift.isolation else ())):
                sentences.setdefault(name, []).append(f"{drift.message}.")
    return replace(
        expected,
        catalog=catalog,
        settings=setting_uses(catalog),
        unknown_effects=(),
        assumptions=(),
        refusals=tuple(refusal for refusal in expected.refusals if refusal.code in _TAKEN),
        drift={name: tuple(found) for name, found in sentences.items()},
    )


def _callers(*catalogs: Catalog) -> dict[QName, list[QName]]:
    """By function, the tables whose policies call it, or whose triggers run it: what they let through hangs on it."""
    names = {key[0].name: key[0] for catalog in catalogs for key in catalog.functions}
    found: dict[QName, dict[QName, None]] = {}
    for catalog in catalogs:
        for policy in catalog.policies.values():
            for token in tokens(policy_text(policy)):
                if token.name and token.text in names:
                    found.setdefault(names[token.text], {})[policy.table] = None
        for trigger in catalog.triggers.values():
            found.setdefault(trigger.function, {})[trigger.table] = None
    return {name: list(tables) for name, tables in found.items()}


# A function that could not be replaced is what duplicate-function looks for; other refusals changed nothing here.
_TAKEN = ("42723", "42P13")


def of_nobody(finding: Finding) -> bool:
    """Whether what it is about was made outside of the migrations, or lies on a table that was."""
    return not finding.service or (bool(finding.locations) and set(finding.locations) == {OUTSIDE})


def told(finding: Finding) -> Finding:
    """The finding for a reader: places are in files only, and what has none says why, and is for people to repair."""
    if OUTSIDE not in finding.locations and finding.service:
        return finding
    evidence = finding.evidence
    if of_nobody(finding):
        evidence = (*evidence, "No migration makes it: it was made by hand, or by something else.")
    shown = replace(without_places(finding), evidence=evidence)
    if finding.service or finding.waiting:
        return shown
    reason = "No migration makes it, so there is no service to write its repair into."
    return replace(shown, level="manual", reasons=(reason, *(one for one in shown.reasons if one != reason)))


def without_places(finding: Finding) -> Finding:
    """The finding with the places that are in files."""
    return replace(finding, locations=tuple(one for one in finding.locations if one != OUTSIDE))
