"""The difference of two target states leads from one to the other, in an order that leaves no gap."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from remediate.plan.operations import AlterPolicy, CreatePolicy, EnableRls, ForceRls, Operation, PolicyState
from remediate.plan.target import TableState, difference
from remediate.replay.catalog import QName

TABLE = QName("public", "orders")

POLICIES = st.builds(
    PolicyState,
    st.just(TABLE),
    st.sampled_from("abcd"),
    st.sampled_from(["all", "select", "insert", "update", "delete"]),
    st.booleans(),
    st.sampled_from([("public",), ("reader",), ("reader", "writer")]),
    st.sampled_from([None, "true", "a = b"]),
    st.sampled_from([None, "true", "a = b"]),
)
STATES = st.builds(
    lambda policies, enabled, forced: TableState(TABLE, {p.name: p for p in policies}, enabled, forced),
    st.lists(POLICIES, max_size=4),
    st.booleans(),
    st.booleans(),
)


def _applied(state: TableState, operations: tuple[Operation, ...]) -> TableState:
    for operation in operations:
        match operation:
            case CreatePolicy(policy):
                assert policy.name not in state.policies
                state = state.with_policy(policy)
            case AlterPolicy(old, new):
                assert state.policies[old.name] == old
                state = state.with_policy(new)
            case EnableRls():
                assert not state.rls_enabled
                state = replace(state, rls_enabled=True)
            case ForceRls():
                assert not state.rls_forced
                state = replace(state, rls_forced=True)
            case _:
                raise AssertionError(operation)
    return state


@given(STATES, STATES)
def test_it_leads_to_what_is_wanted_and_takes_nothing_away(before: TableState, after: TableState) -> None:
    reached = _applied(before, difference(before, after))
    assert reached.policies == {**before.policies, **after.policies}
    assert reached.rls_enabled == (before.rls_enabled or after.rls_enabled)
    assert reached.rls_forced == (before.rls_forced or after.rls_forced)


@given(STATES)
def test_nothing_is_done_where_nothing_is_wanted(state: TableState) -> None:
    assert difference(state, state) == ()


@given(STATES, STATES)
def test_nothing_is_done_twice(before: TableState, after: TableState) -> None:
    reached = _applied(before, difference(before, after))
    assert difference(reached, after) == ()


@given(STATES, STATES)
def test_policies_come_first_and_force_last(before: TableState, after: TableState) -> None:
    """So no moment denies everything, and none lets the owner through that should be bound."""
    order = {CreatePolicy: 0, AlterPolicy: 0, EnableRls: 1, ForceRls: 2}
    ranks = [order[type(operation)] for operation in difference(before, after)]
    assert ranks == sorted(ranks)


@given(STATES, POLICIES, POLICIES)
def test_two_edits_of_one_policy_are_one_operation(state: TableState, first: PolicyState, second: PolicyState) -> None:
    second = replace(second, name=first.name)
    operations = difference(state, state.with_policy(first).with_policy(second))
    assert len(operations) <= 1
    assert _applied(state, operations).policies[first.name] == second


@given(STATES, POLICIES)
def test_an_edit_that_is_taken_back_leaves_nothing(state: TableState, policy: PolicyState) -> None:
    if (old := state.policies.get(policy.name)) is not None:
        assert difference(state, state.with_policy(policy).with_policy(old)) == ()
