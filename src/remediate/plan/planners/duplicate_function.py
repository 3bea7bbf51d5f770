"""duplicate-function: one owner for a function that several services create.

Where the copies are equal, nothing is wrong in the database, only in the files: the non-owner's creation gets a guard.
Where they differ, the last service to run decides for all: the non-owner gets a function of its own, and its triggers,
policies and defaults move to it.
"""

from __future__ import annotations

from remediate.detect.model import Facts, Finding
from remediate.plan.model import Fix, GuardCreation
from remediate.plan.operations import CreateFunction, Operation, ReplaceTrigger
from remediate.plan.planners.function_text import owned_name, rename_function, retarget_trigger
from remediate.plan.proposal import Proposal
from remediate.replay.catalog import Catalog, Function, QName, Trigger


def plan(finding: Finding, facts: Facts) -> Proposal:
    versions = [
        version.function for version in facts.replayed.functions if version.function.signature == str(finding.subject)
    ]
    own = [function for function in versions if _creator(function) == finding.service]
    if not own:
        return Proposal(Fix(finding, "manual", reasons=finding.reasons))
    guard = GuardCreation(
        finding.service,
        finding,
        own[-1].signature,
        tuple(origin for function in own for origin in function.history[-1:]),
    )
    if finding.level == "safe":
        return Proposal(Fix(finding, "safe", reasons=finding.reasons), rewrites=(guard,))
    operations = _own_function(own[-1], finding.service, facts)
    return Proposal(Fix(finding, finding.level, reasons=finding.reasons), operations=operations, rewrites=(guard,))


def _creator(function: Function) -> str:
    return function.history[-1].service


def _own_function(function: Function, service: str, facts: Facts) -> tuple[Operation, ...]:
    """A function named after the service, and its triggers moved; empty where that has been done already."""
    catalog = facts.replayed.catalog
    name = owned_name(function.name, service)
    triggers = _dependants(catalog, function, service)
    if not triggers or (name, function.argument_types) in catalog.functions:
        return ()
    signature = function.signature.replace(str(function.name), str(name), 1)
    create = CreateFunction(name, rename_function(function.statement, name), signature)
    moves = [
        ReplaceTrigger(trigger.table, trigger.name, trigger.definition, retarget_trigger(trigger, name))
        for trigger in triggers
    ]
    return (create, *moves)


def _dependants(catalog: Catalog, function: Function, service: str) -> list[Trigger]:
    """The triggers on it that this service created."""
    return [
        trigger
        for trigger in catalog.triggers.values()
        if trigger.function == function.name and trigger.history[-1].service == service
    ]


def owner_of(name: QName, catalog: Catalog) -> str | None:
    """The service that created a table."""
    table = catalog.tables.get(name)
    return table.service if table else None
