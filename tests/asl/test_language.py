"""Rules of Amazon States Language that AWS holds a definition to, over every kind of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.definitions import variety

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFINITIONS = {name: json.loads(text) for name, text in variety().items()}
each_definition = pytest.mark.parametrize("flow", DEFINITIONS.values(), ids=DEFINITIONS)


def inner(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])]


def flows(flow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield flow
    for state in flow["States"].values():
        for one in inner(state):
            yield from flows(one)


def assigned(flow: dict[str, Any]) -> set[str]:
    places = [
        place
        for state in flow["States"].values()
        for place in (state, *state.get("Choices", ()), *state.get("Catch", ()))
    ]
    return {name for place in places for name in place.get("Assign", ())}


def shadowed(flow: dict[str, Any], outer: frozenset[str] = frozenset()) -> Iterator[str]:
    here = assigned(flow)
    yield from sorted(here & outer)
    for state in flow["States"].values():
        for one in inner(state):
            yield from shadowed(one, outer | here)


def followers(state: dict[str, Any]) -> set[str]:
    places = [state, *state.get("Choices", ()), *state.get("Catch", ())]
    found = {place["Next"] for place in places if "Next" in place}
    return found | ({state["Default"]} if "Default" in state else set())


@each_definition
def test_no_inner_scope_assigns_a_variable_of_an_outer_one(flow: dict[str, Any]) -> None:
    """Step Functions, workflow variables: a name assigned anywhere in an outer scope is taken."""
    assert list(shadowed(flow)) == []


@each_definition
def test_every_state_is_reached_and_every_target_exists(flow: dict[str, Any]) -> None:
    for one in flows(flow):
        states = one["States"]
        reached, todo = set(), [one["StartAt"]]
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                todo += followers(states[name])
        assert reached == set(states)


@each_definition
def test_every_state_goes_on_or_ends(flow: dict[str, Any]) -> None:
    for one in flows(flow):
        for name, state in one["States"].items():
            ends = state["Type"] in {"Succeed", "Fail"} or state.get("End") is True
            goes_on = "Next" in state or state["Type"] == "Choice"
            assert ends != goes_on, name


@each_definition
def test_catchers_are_never_empty_and_states_all_stands_alone_and_last(
    flow: dict[str, Any],
) -> None:
    for one in flows(flow):
        for name, state in one["States"].items():
            assert state.get("Catch", True), name
            assert state.get("Retry", True), name
            caught = [catcher["ErrorEquals"] for catcher in state.get("Catch", ())]
            assert all(errors == ["States.ALL"] for errors in caught if "States.ALL" in errors)
            assert ["States.ALL"] not in caught[:-1], name


@each_definition
def test_every_task_has_a_timeout(flow: dict[str, Any]) -> None:
    for one in flows(flow):
        for name, state in one["States"].items():
            assert state["Type"] != "Task" or state["TimeoutSeconds"] > 0, name
