"""Executions that an execution starts, on this machine (aws-facts: nested executions)."""

from __future__ import annotations

import json
import random
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.executions import Executions, Ports, child_events
from runner.local.runs import ExecutionDoesNotExist, RunHandle, RunRegistry, RunStatus
from runner.machine import EventKind, FaultPlan, NoAnswerYet, TaskRequest, VirtualClock
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.machine import Event

NOON = datetime(2013, 1, 2, 12, tzinfo=UTC)
ARN = "arn:aws:states:local:000000000000:stateMachine:flights-local-daily-tables-1-1"
CHILD = ARN.replace("stateMachine", "execution") + ":r1"
START = "arn:aws:states:::states:startExecution"
TASK = {"Type": "Task", "Resource": "arn:aws:states:::test:do", "End": True}


def definition(**fields: Any) -> bytes:  # noqa: ANN401
    """Write a machine of one task."""
    states = {"work": {**TASK, **fields}}
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": "work", "States": states}).encode()


class World:
    """A run that may start one machine, and a service that counts its calls."""

    def __init__(self, folder: Path) -> None:
        self.runs = RunRegistry(folder / "runs", now=lambda: NOON)
        machines = {"flights-local-daily-tables-1-1": definition()}
        self.handle: RunHandle = self.runs.create(
            "r1", workflow="daily", execution_input={}, definition=b"{}", machines=machines
        )
        self.calls: list[TaskRequest] = []
        self.events: list[Event] = []
        self.does: Callable[[], object] = lambda: {"done": 1}
        self.ports = Ports(
            clock=VirtualClock(NOON),
            random=random.Random(1),  # noqa: S311 - a seed
            faults=FaultPlan(),
            observer=self.events.append,
            crash=lambda: None,
            abort=None,
        )
        self.executions = Executions(self.handle.run, self, self.ports)

    def call(self, request: TaskRequest) -> Any:  # noqa: ANN401 - JSON
        self.calls.append(request)
        return self.does()

    @staticmethod
    def may_repeat(request: TaskRequest) -> bool:
        del request
        return True

    def start(
        self,
        *,
        stop: threading.Event | None = None,
        kind: str = ".sync:2",
        **arguments: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        given = {"StateMachineArn": ARN, "Name": "r1", "Input": {"n": 1}, **arguments}
        given = {key: value for key, value in given.items() if value is not None}
        resource = START + kind
        return self.executions.call(
            TaskRequest(
                "k#1.0",
                "k",
                resource,
                given,
                0,
                None,
                None,
                CONTEXT,
                stop=stop or threading.Event(),
            )
        )


CONTEXT = {"Execution": {"Id": "arn:parent"}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with made.handle:
        yield made


def test_a_child_tells_what_describe_execution_tells_with_parsed_json(world: World) -> None:
    assert world.start() == {
        "ExecutionArn": CHILD,
        "Input": {"n": 1},
        "InputDetails": {"Included": True},
        "Name": "r1",
        "Output": {"done": 1},
        "OutputDetails": {"Included": True},
        "StartDate": 1357128000000,
        "StateMachineArn": ARN,
        "Status": "SUCCEEDED",
        "StopDate": 1357128000000,
    }
    (call,) = world.calls
    assert call.context["Execution"]["Id"] == CHILD
    assert [event.kind for event in world.events][-1] is EventKind.EXECUTION_ENDED
    assert list(child_events(world.handle.run)) == world.events


def test_a_failed_child_fails_the_task_and_its_cause_is_the_execution(world: World) -> None:
    def fail() -> object:
        raise ServiceError("TooBad", "because")

    world.does = fail
    with pytest.raises(ServiceError) as caught:
        world.start()
    assert caught.value.error == "States.TaskFailed"
    told = json.loads(caught.value.cause)
    assert (told["Status"], told["Error"], told["ExecutionArn"]) == ("FAILED", "TooBad", CHILD)


def test_asked_again_a_child_goes_on_where_it_was(world: World) -> None:
    first = world.start()
    assert world.start() == first
    assert len(world.calls) == 1


def test_without_a_name_the_same_call_has_the_same_one(world: World) -> None:
    assert world.start(Name=None) == world.start(Name=None)
    assert len(world.calls) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"Input": {"n": 2}}, "StepFunctions.ExecutionAlreadyExistsException"),
        ({"Name": "../r2"}, "StepFunctions.InvalidNameException"),
        ({"Name": "n" * 81}, "StepFunctions.InvalidNameException"),
        ({"StateMachineArn": ARN + "x"}, "StepFunctions.StateMachineDoesNotExistException"),
        ({"StateMachineArn": None}, "StepFunctions.StateMachineDoesNotExistException"),
        ({"StateMachineArn": "a:../x"}, "StepFunctions.StateMachineDoesNotExistException"),
    ],
)
def test_what_is_refused(world: World, arguments: dict[str, Any], error: str) -> None:
    world.start()
    with pytest.raises(ServiceError) as caught:
        world.start(**arguments)
    assert caught.value.error == error


def test_other_ways_to_start_are_refused_by_name(world: World) -> None:
    with pytest.raises(ServiceError, match="sync:2 are") as caught:
        world.start(kind=".waitForTaskToken")
    assert caught.value.error == "States.Runtime"


def test_sync_gives_input_and_output_as_text(world: World) -> None:
    told = world.start(kind=".sync", Input='{"n": 1}')
    assert (told["Input"], told["Output"]) == ('{"n":1}', '{"done":1}')
    assert told == world.start() | {"Input": '{"n":1}', "Output": '{"done":1}'}


def test_the_cause_of_a_failed_sync_has_the_input_as_text(world: World) -> None:
    def fail() -> object:
        raise ServiceError("TooBad", "because")

    world.does = fail
    with pytest.raises(ServiceError) as caught:
        world.start(kind=".sync")
    assert json.loads(caught.value.cause)["Input"] == '{"n":1}'


def test_an_input_that_is_not_json_is_refused(world: World) -> None:
    with pytest.raises(ServiceError) as caught:
        world.start(Input="{n: 1}")
    assert caught.value.error == "StepFunctions.InvalidExecutionInputException"


def test_a_plain_start_does_not_wait(world: World) -> None:
    going, seen = threading.Event(), threading.Event()

    def work() -> object:
        seen.set()
        assert going.wait(10)
        return {"done": 1}

    world.does = work
    told = world.start(kind="")
    assert told == {"ExecutionArn": CHILD, "StartDate": 1357128000000}
    assert seen.wait(10)
    assert world.start(kind="") == told, "started again with the same input, it is the same"
    going.set()
    world.executions.finish()
    assert len(world.calls) == 1
    found = world.runs.describe_execution(executionArn=CHILD)
    assert (found["status"], found["output"]) == (RunStatus.SUCCEEDED, '{"done": 1}')


def test_what_breaks_a_child_that_nobody_waits_for_is_raised_at_the_end(world: World) -> None:
    def crash() -> object:
        raise KeyboardInterrupt

    world.does = crash
    world.start(kind="")
    with pytest.raises(KeyboardInterrupt):
        world.executions.finish()
    world.does = lambda: {"done": 2}
    again = Executions(world.handle.run, world, world.ports)
    again.go_on()
    again.finish()
    assert world.runs.describe_execution(executionArn=CHILD)["output"] == '{"done": 2}'
    again.go_on()
    again.finish()
    assert len(world.calls) == 2, "one that ended is not continued"


def test_a_child_that_fails_unwatched_fails_nobody(world: World) -> None:
    def fail() -> object:
        raise ServiceError("TooBad", "because")

    world.does = fail
    world.start(kind="")
    world.executions.finish()
    assert world.runs.describe_execution(executionArn=CHILD)["status"] == RunStatus.FAILED


def test_a_child_runs_while_its_run_does(world: World) -> None:
    seen = []

    def look() -> object:
        seen.append(world.runs.describe_execution(executionArn=CHILD)["status"])
        return {}

    world.does = look
    world.start()
    assert seen == ["RUNNING"]
    told = world.runs.describe_execution(executionArn=CHILD)
    assert (told["status"], told["stateMachineArn"]) == ("SUCCEEDED", ARN)
    assert [run.name for run in world.runs.runs()] == ["r1"]
    with pytest.raises(ExecutionDoesNotExist):
        world.runs.describe_execution(executionArn=CHILD + "x")


def test_the_child_of_a_killed_run_is_aborted(world: World) -> None:
    def crash() -> object:
        raise KeyboardInterrupt

    world.does = crash
    with pytest.raises(KeyboardInterrupt):
        world.start()
    assert world.runs.describe_execution(executionArn=CHILD)["status"] == RunStatus.RUNNING
    world.handle.close()
    assert world.runs.describe_execution(executionArn=CHILD)["status"] == RunStatus.ABORTED


def test_a_child_that_nobody_waits_for_stops_and_can_be_continued(world: World) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(NoAnswerYet):
        world.start(stop=stop)
    assert world.calls == []
    assert world.runs.describe_execution(executionArn=CHILD)["status"] == RunStatus.ABORTED
    assert world.start()["Status"] == "SUCCEEDED"
    world.executions.close()
