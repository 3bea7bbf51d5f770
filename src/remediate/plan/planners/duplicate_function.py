"""duplicate-function: one owner for a function that several services create.

Where the copies are equal, nothing is wrong in the database, only in the files: the non-owner's creation gets a guard.
Where they differ, the last service to run decides for all: the non-owner gets a function of its own, and its triggers,
policies and defaults move to it.
"""

from __future__ import annotations

from remediate.detect.duplicate_function import own_copy
from remediate.detect.model import Facts, Finding
from remediate.plan.model import Fix, GuardCreation
from remediate.plan.operations import CreateFunction, Operation, ReplaceFunction, ReplaceTrigger
from remediate.plan.planners.function_text import expand_function, rename_function, replacing, retarget_trigger
from remediate.plan.proposal import Proposal
from remediate.replay.catalog import Catalog, Function, Trigger
from remediate.sql.quote import QualifiedName


def plan(finding: Finding, facts: Facts) -> Proposal:
    if finding.waiting:
        return Proposal(Fix(finding, finding.level, reasons=finding.reasons))
    versions = [one.function for one in facts.replayed.functions if one.function.signature == str(finding.subject)]
    own = [function for function in versions if _creator(function) == finding.service]
    if not own:
        return Proposal(Fix(finding, "manual", reasons=finding.reasons))
    creations = tuple(origin for function in own for origin in function.history[-1:])
    guard = GuardCreation(finding.service, finding, own[-1].signature, creations)
    if finding.level == "safe":
        return Proposal(Fix(finding, "safe", reasons=finding.reasons), rewrites=(guard,))
    operations = _own_function(versions[0], own[-1], finding.service, facts)
    if not operations:
        # A guard alone would give the service another function than the one it wrote, on every fresh database.
        suggestion = (
            f"No trigger of {finding.service} runs it, so that whoever calls it does so by name: "
            f"create {own_copy(own[-1].name, finding.service)} with the body that is meant, and call that."
        )
        return Proposal(Fix(finding, "manual", reasons=finding.reasons, suggestion=suggestion))
    return Proposal(Fix(finding, finding.level, reasons=finding.reasons), operations=operations, rewrites=(guard,))


def _creator(function: Function) -> str:
    return function.history[-1].service


def _own_function(shared: Function, own: Function, service: str, facts: Facts) -> tuple[Operation, ...]:
    """A function named after the service, and its triggers moved; empty where that has been done already.

    Where this service was the last to write the shared function, the owner's version comes back: until then the
    triggers of every other service run this one's body.
    """
    catalog = facts.replayed.catalog
    name = own_copy(own.name, service)
    triggers = _dependants(catalog, own, service)
    if not triggers or (name, own.argument_types) in catalog.functions:
        return ()
    signature = f"{QualifiedName(*name).sql()}({', '.join(own.argument_types)})"
    moves = [
        ReplaceTrigger(
            trigger.table, trigger.name, retarget_trigger(trigger, trigger.function), retarget_trigger(trigger, name)
        )
        for trigger in triggers
    ]
    # A copy that knows only an old name of the tenant setting would be the next finding.
    tenancy = facts.tenancy
    text = expand_function(own.statement, own.name, tenancy.setting, tenancy.legacy) or own.statement
    operations: list[Operation] = [CreateFunction(name, rename_function(text, name), signature), *moves]
    current = catalog.functions.get((own.name, own.argument_types))
    if current is not None and _creator(current) == service and current.definition != shared.definition:
        before, after = replacing(current.statement, own.name), replacing(shared.statement, own.name)
        operations.append(ReplaceFunction(own.name, before, after))
    return tuple(operations)


def _dependants(catalog: Catalog, function: Function, service: str) -> list[Trigger]:
    """The triggers on it that this service created."""
    return [
        trigger
        for trigger in catalog.triggers.values()
        if trigger.function == function.name and trigger.history[-1].service == service
    ]
