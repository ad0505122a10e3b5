"""Workflows too large for one definition: the tables go to machines of their own (SEMANTICS 36)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl import compile as compiling
from runner.asl.build import render
from runner.asl.compile import compile_workflow
from runner.asl.flow import size_of
from runner.asl.validate import MAX_DEFINITION_BYTES, check_machine
from runner.machine import parse_definition
from tests.asl.test_cfn_lint import findings
from tests.asl.test_definition import TABLES, every_state
from tests.support.projects import project, select_all, table, workflow

if TYPE_CHECKING:
    from runner.asl.flow import Machine

LOAD = {"mode": "merge", "keys": ["dt"]}
STEPS = {"tables": {"type": "tables"}, "loads": {"type": "loads", "needs": ["tables"]}}
RAW = table("raw.flights", kind="ddl")


def tree(count: int, **header: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Make tables that each read one before it, in waves of growing size."""
    made = [
        table(f"marts.t{n:03}", f"marts.t{(n - 1) // 2:03}" if n else "raw.flights", **header)
        for n in range(count)
    ]
    return (RAW, *made)


def compiled(*tables: Any, **fields: Any) -> Machine:  # noqa: ANN401
    found, named = project(*tables), workflow(**{"steps": STEPS, **fields})
    return compile_workflow(found, named, select_all(named, found))


def states_of(machine: Machine) -> dict[str, dict[str, Any]]:
    return dict(every_state(json.loads(render(machine))["States"]))


@pytest.fixture(scope="module")
def large() -> Machine:
    return compiled(*tree(100, load=LOAD))


def test_a_hundred_tables_fit_into_machines_below_the_limit(large: Machine) -> None:
    machines = [large, *(child.machine for child in large.children)]
    assert len(machines) > 8
    for machine in machines:
        text = render(machine)
        assert len(text) < MAX_DEFINITION_BYTES
        check_machine(machine, text, file="workflows/daily.yaml")
        parse_definition(text)


def test_every_table_is_in_one_child_and_keeps_the_names_of_its_states(large: Machine) -> None:
    tables = [name for child in large.children for name in child.tables]
    assert sorted(tables) == [*(f"marts.t{n:03}" for n in range(100)), "raw.flights"]
    for child in large.children:
        states = states_of(child.machine)
        for name in child.tables:
            assert states[f"{name} choose"]["Type"] == "Choice"
    assert not [name for name in states_of(large) if name.endswith(" insert")]


def test_a_wave_has_as_many_lanes_as_before(large: Machine) -> None:
    lanes: dict[str, int] = {}
    for child in large.children:
        wave = child.name.rpartition("-")[0]
        states = json.loads(render(child.machine))["States"]
        (parallel,) = [state for state in states.values() if state["Type"] == "Parallel"]
        lanes[wave] = lanes.get(wave, 0) + len(parallel["Branches"])
    assert list(lanes.values()) == [1, 1, 2, 4, 5, 5, 5, 5]


def test_the_parent_starts_each_child_once_and_waits(large: Machine) -> None:
    starts = {
        name: state
        for name, state in states_of(large).items()
        if state.get("Resource", "").startswith("arn:aws:states:::states:")
    }
    assert sorted(starts) == sorted(f"{child.subject} execute" for child in large.children)
    state = starts["tables wave 1 part 1 execute"]
    assert state["Resource"] == "arn:aws:states:::states:startExecution.sync:2"
    assert state["Arguments"]["StateMachineArn"] == (
        "arn:aws:states:local:000000000000:stateMachine:flights-env-daily-tables-1-1"
    )
    assert "Execution.Name" in state["Arguments"]["Name"]
    assert "RedriveCount" in state["Arguments"]["Name"]
    assert state["TimeoutSeconds"] > 0
    retried = [error for one in state["Retry"] for error in one["ErrorEquals"]]
    assert all(error.startswith("StepFunctions.") for error in retried)
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_cfn_lint_accepts_parent_and_child(large: Machine) -> None:
    objects = [render(large), render(large.children[1].machine)]
    assert findings(objects=objects, texts=[]) == []


def test_a_lane_too_long_for_one_machine_goes_to_several_one_after_the_other() -> None:
    many = [table(f"marts.t{n:03}") for n in range(70)]
    machine = compiled(
        *many,
        steps={"tables": {"type": "tables"}},
        concurrency={"dml": 1},
    )
    assert [child.name for child in machine.children] == [
        "tables-1-1",
        "tables-1-2",
        "tables-1-3",
    ]
    branches = json.loads(render(machine))["States"]["tables wave 1"]["Branches"]
    assert len(branches) == 1
    states = branches[0]["States"]
    for number, following in ((1, "part 2 execute"), (2, "part 3 execute"), (3, "part 3 end")):
        next_state = f"tables wave 1 {following}"
        assert states[f"tables wave 1 part {number} execute"]["Next"] == next_state
        assert states[f"tables wave 1 part {number} fail"]["Next"] == next_state


@pytest.mark.parametrize("many", [0, 1000])
def test_a_small_workflow_stays_one_definition(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled(*TABLES)
    assert before.children == ()
    monkeypatch.setattr(compiling, "MANY_TABLES", many)
    assert render(compiled(*TABLES)) == render(before)
    assert size_of(before.flow) < compiling.NEST_ABOVE_BYTES


def test_parallel_steps_of_tables_know_what_is_down_in_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiling, "NEST_ABOVE_BYTES", 0)
    found = project(table("marts.a"), table("marts.b"))
    steps = {"one": {"type": "tables"}, "two": {"type": "tables"}}
    named = workflow(steps=steps)
    first, second = (one.name for one in found.tables)
    machine = compile_workflow(found, named, {"one": (first,), "two": (second,)})
    text = render(machine)
    check_machine(machine, text, file=named.file)
    parse_definition(text)
    assert [child.name for child in machine.children] == ["one-1-1", "two-1-1"]
    begin = states_of(machine)["two wave 1 part 1 begin"]
    assert "$append($results, $branch)[status in" in begin["Assign"]["failing"]


def test_long_names_of_machines_are_cut_and_differ() -> None:
    found = project(table("marts.a"), project="p" * 40)
    from runner.asl.target import target_of

    target = target_of(found)
    names = {target.machine("w" * 40, f"tables-1-{number}") for number in range(3)}
    assert len(names) == 3
    assert all(len(name) == 80 for name in names)
