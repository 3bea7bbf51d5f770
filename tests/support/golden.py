"""Golden cases: a workspace that goes in, the plan and the files that come out, and what has to be true of them."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from remediate.config.load import load
from remediate.config.model import Config
from remediate.evaluate.evaluate import Evaluator
from remediate.model import Plan, Request
from remediate.pipeline import databases_of, make_plan, read, replay_all
from remediate.plan.model import Change, MigrationPlan, Options
from remediate.plan.operations import (
    AlterPolicy,
    CreateFunction,
    CreatePolicy,
    EnableRls,
    ForceRls,
    Operation,
    ReplaceFunction,
    ReplaceTrigger,
    RequireTable,
)
from remediate.plan.plan import plan
from remediate.plan.tenant_column import AddMarkedColumn, BackfillColumn, FillFromParent
from remediate.replay.catalog import Catalog
from remediate.replay.engine import StaticEngine
from remediate.replay.replay import connect
from remediate.report.plan_json import plan_document
from remediate.source.model import Service, Workspace
from remediate.source.tree import WorkingTree
from remediate.sql.quote import quote_identifier

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PARTS = ("findings", "changes", "next", "unresolved", "assumed", "refused")
COMMIT_DATE = date(2026, 3, 1)
"""The date of the commit that every case is planned from: it names timestamped files."""


@dataclass(frozen=True)
class Case:
    """`tests/golden/<rule>/<name>/`: the workspace, `expected/`, and what `case.toml` says (all of it optional).

    unsafe, rewrite   options of the plan
    leaves-alone      the rule of the folder finds nothing here that is not suppressed
    history           "refused" where real Knex cannot run the migrations as they stand; it is then loaded string by
                      string (default: "runs")
    """

    folder: Path
    unsafe: bool = False
    rewrite: bool = False
    leaves_alone: bool = False
    history: str = "runs"

    @classmethod
    def of(cls, folder: Path) -> Case:
        file = folder / "case.toml"
        given = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return cls(folder, **{name.replace("-", "_"): value for name, value in given.items()})

    @property
    def rule(self) -> str:
        return self.folder.parent.name

    @property
    def id(self) -> str:
        return f"{self.rule}/{self.folder.name}"

    @property
    def expected(self) -> Path:
        return self.folder / "expected"

    @property
    def options(self) -> Options:
        return Options(unsafe=self.unsafe, rewrite=self.rewrite)

    def copy_to(self, workspace: Path) -> Path:
        """A fresh copy of what goes in, which may be written to."""
        left_out = shutil.ignore_patterns("expected", "case.toml") if self.folder.name != "before" else None
        shutil.copytree(self.folder, workspace, ignore=left_out)
        return workspace


def cases() -> list[Case]:
    return [Case.of(folder) for folder in sorted(GOLDEN.glob("*/*")) if folder.is_dir()]


@dataclass(frozen=True)
class Planned:
    """One planning of a workspace on disk."""

    root: Path
    config: Config
    plan: Plan
    options: Options

    @classmethod
    def of(cls, root: Path, options: Options) -> Planned:
        tree = WorkingTree(root)
        config = load(tree)
        request = Request(options=options, today=COMMIT_DATE, commit_date=COMMIT_DATE)
        return cls(root, config, make_plan(read(tree, config), tree, config, request), options)

    @property
    def workspace(self) -> Workspace:
        return self.plan.workspace

    @property
    def catalogs(self) -> tuple[Catalog, ...]:
        return tuple(facts.replayed.catalog for facts in self.plan.databases)

    @cached_property
    def migrations(self) -> tuple[MigrationPlan, ...]:
        """What the emitted files were made of."""
        writes = {change.service for change in self.added}
        found: list[MigrationPlan] = []
        for facts in self.plan.databases:
            findings = [fix.finding for fix in self.plan.fixes if fix.finding.database == facts.replayed.database]
            planned = plan(facts, findings, self.options).migrations
            # A service whose migrations take a Pool only gets no file.
            found += [migration for migration in planned if migration.service in writes]
        return tuple(found)

    @property
    def operations(self) -> list[Operation]:
        return [operation for migration in self.migrations for operation in migration.operations]

    @property
    def added(self) -> list[Change]:
        return [change for change in self.plan.changes if change.kind == "migration"]

    def write(self, root: Path, changes: Sequence[Change] | None = None) -> None:
        """Writes the changes into a workspace, as `apply --write` would."""
        for change in self.plan.changes if changes is None else changes:
            path = root / change.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(change.text.encode())

    def document(self) -> dict[str, Any]:
        """The plan as it is kept in `expected/plan.json`: what is about findings and changes.

        Without diffs, since the files lie beside it, and without what the tests of the contract look at.
        """
        whole = json.loads(json.dumps(plan_document(self.plan)))
        document = {part: whole[part] for part in PARTS}
        for change in document["changes"]:
            del change["diff"]
        return document

    def output(self) -> dict[str, str]:
        """Everything that is written down of a case: the plan and the text of each changed file, by path."""
        texts = {change.path: change.text for change in self.plan.changes}
        return {"plan.json": json.dumps(self.document(), indent=2, ensure_ascii=False) + "\n", **texts}


def read_expected(case: Case) -> dict[str, str]:
    """What `expected/` holds, in the shape of `Planned.output`."""
    files = (path for path in sorted(case.expected.rglob("*")) if path.is_file())
    return {path.relative_to(case.expected).as_posix(): path.read_bytes().decode() for path in files}


def write_expected(case: Case, output: Mapping[str, str]) -> None:
    """Rewrites `expected/` where it is other."""
    if read_expected(case) == output:
        return
    shutil.rmtree(case.expected, ignore_errors=True)
    for path, text in output.items():
        file = case.expected / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())


# ------------------------------------------------------------------------------------------ what has to be true


def check_finding_is_gone(before: Planned, after: Planned) -> None:
    """Invariant 2: what the changes are for is found no more (or waits for a later phase), and nothing new is.

    Nor is there anything in the changed files that could not be understood, or that PostgreSQL would refuse.
    """
    repaired = {finding for change in before.plan.changes for finding in change.findings}
    left = {fix.finding.id: fix.finding for fix in after.plan.fixes}
    for finding in repaired & left.keys():
        assert left[finding].waiting, f"still there after the repair: {left[finding].message}"
    known = {finding.id for finding in before.plan.findings}
    new = {finding.message for id_, finding in left.items() if id_ not in known and not finding.waiting}
    assert not new, f"found only after the repair: {new}"
    written = {change.path for change in before.added}
    obscure = [str(one.place) for one in after.plan.unresolved if one.place.file in written]
    assert not obscure, f"not understood by ourselves: {obscure}"
    refused = {
        f"{refusal.origin.place}: {refusal.message}"
        for facts in after.plan.databases
        for refusal in facts.replayed.refusals
    }
    earlier = {
        f"{refusal.origin.place}: {refusal.message}"
        for facts in before.plan.databases
        for refusal in facts.replayed.refusals
    }
    assert refused <= earlier, f"refused: {refused - earlier}"


def check_nothing_is_left_to_change(after: Planned) -> None:
    """Invariant 3."""
    assert [change.path for change in after.plan.changes] == [], "the second plan has changes"


def check_only_what_was_declared_is_touched(before: Planned) -> None:
    """Invariant 4: migrations are new files that sort last; codemods put text around statements and no more."""
    for change in before.plan.changes:
        path = before.root / change.path
        if change.kind == "migration":
            assert change.before is None
            assert not path.exists(), f"{change.path} is there already"
            service = next(s for s in before.workspace.services if s.name == change.service)
            assert change.path.rpartition("/")[0] in service.directories
            assert all(source.name < path.name for source in service.migrations), f"{change.path} does not sort last"
        else:
            data = path.read_bytes()
            assert change.before is not None
            assert change.before.encode() == data
            assert change.text.encode() != data
            assert without_guards(change.text).encode() == data, f"{change.path}: more than guards was changed"


_GUARDS = [
    re.compile(
        r"""DO \$guard\$ BEGIN IF to_regprocedure\(\\?'[^']*\\?'\) IS NULL THEN EXECUTE \$create\$(?:\r?\n| )"""
        r"""(.*?)(?:\r?\n| )\$create\$; END IF; END \$guard\$""",
        re.DOTALL,
    ),
    re.compile(
        r"""DO \$guard\$ BEGIN IF NOT EXISTS \([^`"]*?deptype = \\?'n\\?'\) THEN(?:\r?\n| )"""
        r"""(.*?);(?:\r?\n| )END IF; END \$guard\$""",
        re.DOTALL,
    ),
]


def without_guards(text: str) -> str:
    """A file that the codemod has edited, its guards taken out again by means of their own."""
    for guard in _GUARDS:
        text = guard.sub(lambda match: match[1], text)
    return text


# ------------------------------------------------------------------------------------------ up and down, static


def swapped(text: str) -> str:
    """A migration whose `up` is the `down` of this one, and the other way round."""
    pattern = re.compile(r"^((?:export (?:async function|const) |exports\.))(up|down)\b", re.MULTILINE)
    result, count = pattern.subn(lambda m: m[1] + ("down" if m[2] == "up" else "up"), text)
    assert count == 2
    return result


def write_downs(planned: Planned, root: Path) -> None:
    """Behind the emitted files, in reverse, files that do what their `down`s do."""
    by_service: dict[str, list[Change]] = {}
    for change in planned.added:
        by_service.setdefault(change.service, []).append(change)
    for changes in by_service.values():
        last = changes[-1].path.rpartition("/")[2]
        for number, change in enumerate(reversed(changes), 1):
            folder, _, name = change.path.rpartition("/")
            stem, dot, extension = last.rpartition(".")
            path = root / folder / f"{stem}_zz{number}{dot}{extension}"
            assert path.name > name
            path.write_bytes(swapped(change.text).encode())


def replay_catalogs(root: Path) -> tuple[Catalog, ...]:
    """The catalogs of a workspace on disk, one for each database."""
    tree = WorkingTree(root)
    config = load(tree)
    return tuple(replayed.catalog for replayed in replay_all(read(tree, config), tree, config))


def sent_strings(root: Path) -> dict[str, list[tuple[Service, list[str]]]]:
    """By database, for each service in order, the SQL strings that its migrations send on the way up."""
    tree = WorkingTree(root)
    workspace = read(tree, load(tree))
    found: dict[str, list[tuple[Service, list[str]]]] = {}
    for group in databases_of(workspace.services):
        evaluator, engine = Evaluator(tree), StaticEngine(group[0].database)
        for service in group:
            connect(engine, service, group)
            evaluations = [evaluator.evaluate(source, "up", engine) for source in service.migrations]
            strings = [sent.sql for one in evaluations for sent in one.sent if not sent.control]
            found.setdefault(service.database, []).append((service, strings))
    return found


# ------------------------------------------------------------------------------------------ catalogs compared


Flat = dict[str, dict[str, Any]]


def flat(catalog: Catalog) -> Flat:
    """A catalog as `kind name` → its properties, named as `remediate.postgres.snapshot` names them; without history."""
    objects: Flat = {}
    for name, table in catalog.tables.items():
        objects[f"tables {_qualified(name)}"] = {"rls_enabled": table.rls_enabled, "rls_forced": table.rls_forced}
        if table.comment:
            objects[f"comments table of {_qualified(name)}"] = {"text": table.comment}
        for column in table.columns:
            objects[f"columns {_qualified(name)}.{quote_identifier(column.name)}"] = _properties(
                column, "name", "comment"
            )
            if column.comment:
                key = f"comments table column of {_qualified(name)}.{quote_identifier(column.name)}"
                objects[key] = {"text": column.comment}
    for (table_name, own), policy in catalog.policies.items():
        objects[f"policies {_qualified(table_name)} {quote_identifier(own)}"] = _properties(policy)
    for (table_name, own), constraint in catalog.constraints.items():
        objects[f"constraints {_qualified(table_name)} {quote_identifier(own)}"] = _properties(constraint)
    for (table_name, own), trigger in catalog.triggers.items():
        objects[f"triggers {_qualified(table_name)} {quote_identifier(own)}"] = {"definition": trigger.definition}
    for (name, types), function in catalog.functions.items():
        properties = _properties(function, "statement")
        objects[f"functions {_qualified(name)}({','.join(types)})"] = properties
    for kind, things in (("indexes", catalog.indexes), ("views", catalog.views), ("types", catalog.types)):
        for name, thing in things.items():
            objects[f"{kind} {_qualified(name)}"] = _properties(thing)
    for name, sequence in catalog.sequences.items():
        objects[f"sequences {_qualified(name)}"] = _properties(sequence)
    for role_name, role in catalog.roles.items():
        objects[f"roles {role_name}"] = _properties(role)
    for grant in catalog.grants:
        objects[f"grants {grant.kind} {grant.subject} {grant.role}"] = {"privileges": grant.privileges}
    return objects


def _properties(thing: Any, *left_out: str) -> dict[str, Any]:
    skipped = {"history", *left_out}
    return {field.name: getattr(thing, field.name) for field in fields(thing) if field.name not in skipped}


def _qualified(name: tuple[str, str]) -> str:
    return ".".join(map(quote_identifier, name))


def flat_differences(before: Flat, after: Flat) -> list[str]:
    """As `remediate.postgres.snapshot.snapshot_differences` gives them."""
    return sorted(_compare(before, after))


def _compare(before: Flat, after: Flat) -> Iterator[str]:
    for name in before.keys() | after.keys():
        if name not in after:
            yield f"- {name}"
        elif name not in before:
            yield f"+ {name}"
        else:
            for property_, value in after[name].items():
                if value != before[name][property_]:
                    yield f"~ {name}: {property_}: {before[name][property_]!r} -> {value!r}"


# ------------------------------------------------------------------------------------------ what operations declare


def declared(operations: Sequence[Operation]) -> set[str]:
    """How the differences that the operations declare begin, as `remediate.postgres.snapshot` spells them."""
    found = {difference for operation in operations for difference in _declared(operation)}
    made = {one[2:] for one in found if one.startswith("+ ")}
    # What one file makes and a later one changes is new as a whole.
    return {one for one in found if one.startswith("+ ") or one[2:].split(":")[0] not in made}


def _declared(operation: Operation) -> Iterator[str]:
    match operation:
        case CreatePolicy(policy, mark):
            yield f"+ policies {_qualified(policy.table)} {quote_identifier(policy.name)}"
            if mark:
                yield f"+ comments policy of {quote_identifier(policy.name)} on {_qualified(policy.table)}"
        case AlterPolicy(old, new):
            for property_ in ("command", "permissive", "roles", "using", "check"):
                if getattr(old, property_) != getattr(new, property_):
                    yield f"~ policies {_qualified(old.table)} {quote_identifier(old.name)}: {property_}:"
        case EnableRls(table):
            yield f"~ tables {_qualified(table)}: rls_enabled: False -> True"
        case ForceRls(table):
            yield f"~ tables {_qualified(table)}: rls_forced: False -> True"
        case ReplaceFunction(name):
            yield f"~ functions {_qualified(name)}("
        case CreateFunction(name, mark=mark):
            yield f"+ functions {_qualified(name)}("
            if mark:
                yield f"+ comments function of {_qualified(name)}("
        case ReplaceTrigger(table, name):
            yield f"~ triggers {_qualified(table)} {quote_identifier(name)}: definition:"
        case AddMarkedColumn(table, column):
            yield f"+ columns {_qualified(table)}.{quote_identifier(column)}"
            yield f"+ comments table column of {_qualified(table)}.{quote_identifier(column)}"
        case FillFromParent(table):
            function = operation.function
            yield f"+ functions {_qualified(function)}()"
            yield f"+ comments function of {_qualified(function)}()"
            yield f"+ triggers {_qualified(table)} {quote_identifier(function.name)}"
        case RequireTable() | BackfillColumn():
            pass
        case _:
            raise AssertionError(f"say what {type(operation).__name__} declares")


def check_difference_is_declared(differences: Sequence[str], operations: Sequence[Operation], *left_out: str) -> None:
    """Invariant 6: every difference is one that an operation declares, and each of those is there."""
    wanted = {one for one in declared(operations) if not one[2:].startswith(left_out or ("\0",))}
    undeclared = [one for one in differences if not any(one.startswith(prefix) for prefix in wanted)]
    assert not undeclared, f"changed and not declared: {undeclared}"
    missing = [prefix for prefix in wanted if not any(one.startswith(prefix) for one in differences)]
    assert not missing, f"declared and not changed: {missing}"
