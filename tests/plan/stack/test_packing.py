"""Statements into policies: nothing is lost or too large, and wide only where it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.plan.stack.iam.packing import (
    MANAGED_PER_ROLE,
    MOST_INLINE,
    MOST_MANAGED,
    Policies,
    packed,
    size,
)
from runner.plan.stack.iam.statements import Condition, Spot, Statement, allow, grouped
from tests.support.iam import allows

if TYPE_CHECKING:
    from typing import Any


def documents(policies: Policies) -> list[dict[str, Any]]:
    return [*([policies.inline] if policies.inline else []), *policies.managed]


def tables(count: int, *, wide: str = "arn:aws:glue:::table/marts/*") -> Statement:
    spots = [Spot(f"arn:aws:glue:::table/marts/table_{number:05}", wide) for number in range(count)]
    return allow("Read", ["glue:GetTable"], spots)


def test_few_statements_are_one_policy_in_the_role() -> None:
    found = packed((tables(3), allow("Other", ["sns:Publish"], ["topic"])))
    assert found.managed == ()
    assert found.inline == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": ["glue:GetTable"],
                "Resource": [f"arn:aws:glue:::table/marts/table_0000{n}" for n in range(3)],
            },
            {"Sid": "Other", "Effect": "Allow", "Action": ["sns:Publish"], "Resource": ["topic"]},
        ],
    }


def test_a_role_without_permissions_has_no_policy() -> None:
    assert packed(()) == Policies(None)


def test_what_does_not_fit_goes_to_managed_policies() -> None:
    found = packed((tables(500),))
    assert len(found.managed) == 2
    assert not found.broad
    for number in (0, 250, 499):
        table = f"arn:aws:glue:::table/marts/table_{number:05}"
        assert allows(documents(found), "glue:GetTable", table)
    assert not allows(documents(found), "glue:GetTable", "arn:aws:glue:::table/marts/other")


def test_what_does_not_fit_there_names_the_database() -> None:
    found = packed((tables(5000),))
    assert found.broad
    assert found.managed == ()
    assert allows(documents(found), "glue:GetTable", "arn:aws:glue:::table/marts/other")
    assert not allows(documents(found), "glue:GetTable", "arn:aws:glue:::table/other/table")


def test_prefixes_are_spread_as_resources_are() -> None:
    prefixes = tuple(Spot(f"marts/table_{n:05}/*", "marts/*") for n in range(800))
    listing = Statement("List", ("s3:ListBucket",), (Spot("lake"),), prefixes=prefixes)
    found = packed((listing,))
    assert len(found.managed) == 2
    asked = {"s3_prefix": "marts/table_00799/dt=1/"}
    assert allows(documents(found), "s3:ListBucket", "lake", **asked)
    assert not allows(documents(found), "s3:ListBucket", "lake", s3_prefix="marts/other/")
    assert allows(documents(found), "s3:ListBucket", "lake")  # a look at one key has no prefix


def test_conditions_stay_with_every_part() -> None:
    where = Condition("StringEquals", "iam:PassedToService", ("ecs-tasks.amazonaws.com",))
    roles = allow("Pass", ["iam:PassRole"], [f"role/{n:040}" for n in range(400)], where)
    found = documents(packed((roles,)))
    assert len(found) == 3
    assert all(one["Condition"] for document in found for one in document["Statement"])


Need = tuple[tuple[str, ...], tuple[Spot, ...]]


def need(actions: list[str], first: int, count: int) -> Need:
    """Ask for so many resources, named by numbers."""
    numbers = range(first, first + count)
    return tuple(actions), tuple(Spot(f"arn:{n:060}", f"arn:{n % 7}*") for n in numbers)


ACTIONS = st.lists(st.sampled_from(["a:One", "a:Two", "b:Three"]), min_size=1, unique=True)
NEEDS = st.lists(
    st.builds(need, ACTIONS, st.integers(0, 300), st.sampled_from([1, 2, 30, 150, 700])),
    max_size=6,
)


def allowed(policies: Policies) -> set[tuple[str, str]]:
    """Give the pairs of action and resource that stand in policies word by word."""
    return {
        (action, resource)
        for document in documents(policies)
        for one in document["Statement"]
        for action in one["Action"]
        for resource in one["Resource"]
    }


@settings(deadline=None, max_examples=60)
@given(NEEDS)
def test_everything_asked_for_is_allowed_and_fits(needs: list[Need]) -> None:
    found = packed([allow(f"S{n}", *one) for n, one in enumerate(needs)])
    assert found.inline is None or size(found.inline) <= MOST_INLINE
    assert all(size(one) <= MOST_MANAGED for one in found.managed)
    assert len(found.managed) <= MANAGED_PER_ROLE
    assert allowed(found) == {
        (action, spot.text(broad=found.broad))
        for actions, spots in needs
        for action in actions
        for spot in spots
    }


@settings(deadline=None, max_examples=60)
@given(NEEDS)
def test_grouping_allows_the_same_and_names_each_resource_once(needs: list[Need]) -> None:
    made = list(grouped("G", needs))
    named = [spot for one in made for spot in one.on]
    assert len(named) == len(set(named))
    wanted = {(a, spot) for actions, spots in needs for a in actions for spot in spots}
    assert {(action, spot) for one in made for action in one.actions for spot in one.on} == wanted
