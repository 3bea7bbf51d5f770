"""`remediate apply`: the changes on a new branch, or in the working tree where that is asked for."""

from __future__ import annotations

from contextlib import closing
from itertools import groupby

from remediate.cache.store import Cache
from remediate.commands.caching import opened_cache
from remediate.commands.options import PlanOptions, check_options, load_baseline, plan_as_asked, request_of
from remediate.commands.plan import commit_date_of, with_proofs
from remediate.commands.workspace import check_services, load_config, workspace_root
from remediate.deliver.branch import check_branch, write_branch
from remediate.deliver.changes import CommitSpec
from remediate.deliver.differs import differing_files
from remediate.deliver.git_tree import CommitTree
from remediate.deliver.repository import Repository, open_repository
from remediate.deliver.working_tree import write
from remediate.errors import RemediateError
from remediate.model import Plan
from remediate.pipeline import read
from remediate.plan.model import Change
from remediate.prove.model import Proofs
from remediate.prove.summary import line_of
from remediate.report.console import progress
from remediate.report.lines import count
from remediate.report.overview import withheld
from remediate.source.tree import WorkingTree


def run(options: PlanOptions, branch: str | None, into_working_tree: bool, prove: bool = False) -> int:
    """Plans from HEAD's tree and commits onto the branch; or plans the working tree and writes into it."""
    if (branch is None) == (not into_working_tree):
        raise RemediateError("say where the changes go", place="apply", hint="either --branch NAME or --write")
    check_options(options)
    with opened_cache(options.no_cache) as cache:
        return _write(options, prove, cache) if branch is None else _branch(options, branch, prove, cache)


def _branch(options: PlanOptions, branch: str, prove: bool, cache: Cache | None) -> int:
    root = workspace_root(options.path)
    repository = open_repository(root)
    check_branch(repository, branch)
    tree = CommitTree(repository.top, repository.head, repository.prefix)
    with closing(tree), progress() as shown:
        config = load_config(tree, options.config)
        workspace = read(tree, config)
        check_services(options.services, workspace)
        shown.step("Planning from the committed tree")
        request = request_of(options, repository.date, load_baseline(tree))
        plan = plan_as_asked(options, workspace, tree, config, request, cache)
        if prove:
            plan = with_proofs(plan, tree, config, request, shown)
            refuse_unproven(plan)
        shown.step("Committing")
        commits = write_branch(root, branch, _commits(plan)) if plan.changes else []
    _warn(plan)
    for commit in commits:
        print(f"{commit.commit[:10]}  {commit.service}  {', '.join(commit.paths)}")
    _say_differences(repository, plan)
    _say_withheld(plan)
    if commits:
        print(f"Branch {branch} has {count(len(commits), 'commit')}. Review it with: git log -p HEAD..{branch}")
    else:
        print("Nothing to change: no branch was made.")
    return 0


def refuse_unproven(plan: Plan) -> None:
    """Raises RemediateError where a change was tried and failed: nothing is delivered then."""
    proofs = plan.proofs
    if proofs is not None and proofs.failed:
        paths = ", ".join(proof.change.path for proof in proofs.of("failed")) or "a table that no change is about"
        hint = "see remediate prove, with the same options; nothing was written"
        raise RemediateError("the proof failed", place=paths, hint=hint)


def _commits(plan: Plan) -> list[CommitSpec]:
    """One commit a service, in dependency order, so that the branch can be merged commit by commit."""
    order = {service.name: number for number, service in enumerate(plan.workspace.services)}
    ordered = sorted(plan.changes, key=lambda change: order[change.service])
    groups = groupby(ordered, lambda change: change.service)
    return [_commit(service, tuple(changes), plan.proofs) for service, changes in groups]


def _commit(service: str, changes: tuple[Change, ...], proofs: Proofs | None) -> CommitSpec:
    rules = sorted({rule for change in changes for rule in change.rules})
    findings = {finding for change in changes for finding in change.findings}
    lines = [f"- {change.path} ({change.level}: {', '.join(change.rules)})" for change in changes]
    body = f"Repairs {count(len(findings), 'finding')}:\n" + "\n".join(lines)
    what = rules[0] if len(rules) == 1 else "tenant isolation"
    proof = ""
    if proofs is not None:
        proof = line_of([one for one in proofs.changes if one.change in changes], proofs)
    return CommitSpec(service, f"fix({service}): repair {what} in the database", changes, body, proof)


def _say_differences(repository: Repository, plan: Plan) -> None:
    """The plan was made from the commit: says where the working tree is not what was planned."""
    paths = [service.path or "." for service in plan.workspace.services]
    differing = differing_files(repository, repository.head, paths)
    if differing:
        more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
        files = f"{', '.join(differing[:5])}{more}"
        print(f"Planned from the commit {repository.head[:10]}; your working tree differs in {files}.")


def _warn(plan: Plan) -> None:
    """What the plan cannot know, before what was made of it."""
    for warning in plan.warnings:
        print(warning)


def _say_withheld(plan: Plan) -> None:
    """What another option would have written."""
    left = [f"{count(number, 'finding')} with {option}" for option, number in withheld(plan).items()]
    if left:
        print(f"Not asked for: the repair of {', '.join(left)}.")


def _write(options: PlanOptions, prove: bool, cache: Cache | None) -> int:
    root = workspace_root(options.path)
    config = load_config(root, options.config)
    tree = WorkingTree(root)
    commit_date, _ = commit_date_of(root)
    with progress() as shown:
        workspace = read(tree, config)
        check_services(options.services, workspace)
        shown.step("Planning")
        request = request_of(options, commit_date, load_baseline(tree))
        plan = plan_as_asked(options, workspace, tree, config, request, cache)
        if prove:
            plan = with_proofs(plan, tree, config, request, shown)
            refuse_unproven(plan)
        written = write(root, plan.changes)
    _warn(plan)
    for path in written:
        print(path)
    _say_withheld(plan)
    print(f"{count(len(written), 'file')} written.")
    return 0
