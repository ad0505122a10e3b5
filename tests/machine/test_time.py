"""Timeouts, heartbeats, aborts, and calls that run side by side, on real threads."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.machine import NoAnswerYet, TaskRequest
from tests.machine.machines import Script, answer_slowly, jsonata, play

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any


class WallClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        del busy
        left = 0.05 if until is None else (until - self.now()).total_seconds()
        arrived.wait(max(0.0, min(left, 0.05)))


def silent(_request: TaskRequest) -> Json:
    raise NoAnswerYet


def task(**fields: Json) -> dict[str, Json]:
    return {"Type": "Task", "Resource": "r", "End": True, **fields}


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ({"TimeoutSeconds": 30}, 30),
        ({"TimeoutSeconds": 30, "HeartbeatSeconds": 5}, 5),
        ({"TimeoutSeconds": "{% $states.input.t %}"}, 7),
        ({}, 99_999_999),
    ],
)
def test_a_task_without_an_answer_times_out(limits: Json, seconds: int) -> None:
    outcome = play(jsonata({"T": task(**limits)}), {"t": 7}, Script(T=silent))
    assert (outcome.status, outcome.error) == ("FAILED", "States.Timeout")
    assert (outcome.ended - outcome.started).total_seconds() == seconds


def test_a_timeout_can_be_retried_and_caught_with_an_empty_cause() -> None:
    states = {
        "T": task(
            TimeoutSeconds=5,
            Retry=[{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}],
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "H"}],
        ),
        "H": {"Type": "Pass", "End": True},
    }
    service = Script(T=silent)
    assert play(jsonata(states), {}, service).output == {"Error": "States.Timeout", "Cause": ""}
    assert service.keys == ["T#1.0", "T#1.1"]


def test_the_machine_times_out_and_nothing_catches_it() -> None:
    states = {
        "W": task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "H"}]),
        "H": {"Type": "Pass", "End": True},
    }
    outcome = play(jsonata(states, TimeoutSeconds=60), {}, Script(W=silent))
    assert outcome.status == "TIMED_OUT"
    assert (outcome.ended - outcome.started).total_seconds() == 60


def test_a_slow_call_is_left_behind_when_its_time_is_over() -> None:
    answer = answer_slowly(30, "late")
    branches = [{"StartAt": name, "States": {name: task(TimeoutSeconds=1)}} for name in ("A", "B")]
    states = {"P": {"Type": "Parallel", "Branches": branches, "End": True}}
    service = Script(A=answer, B=answer)
    outcome = play(jsonata(states), {}, service, clock=WallClock())
    assert outcome.error == "States.Timeout"
    assert all(request.stop.is_set() for request in service.requests)


@pytest.mark.parametrize(
    ("limits", "error"),
    [({"T": {"TimeoutSeconds": 1}}, "States.Timeout"), ({"TimeoutSeconds": 1}, "States.Timeout")],
    ids=["task", "machine"],
)
def test_a_slow_lone_call_is_left_behind_too(limits: Json, error: str) -> None:
    states = {"T": task(**limits.get("T", {}))}
    machine = {name: value for name, value in limits.items() if name != "T"}
    service = Script(T=answer_slowly(30, "late"))
    outcome = play(jsonata(states, **machine), {}, service, clock=WallClock())
    assert outcome.error == error
    assert all(request.stop.is_set() for request in service.requests)


class Minutes:
    """A clock on which every wait lasts until an answer is there, and takes a minute."""

    def __init__(self) -> None:
        self.minutes = 0
        self.waits = threading.Event()

    def now(self) -> datetime:
        return datetime.fromtimestamp(60 * self.minutes, UTC)

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        del until, busy
        self.waits.set()
        assert arrived.wait(20)
        self.minutes += 1


def test_an_answer_that_comes_with_the_deadline_is_too_late() -> None:
    clock = Minutes()

    def answer(_request: TaskRequest) -> Json:
        assert clock.waits.wait(20)
        return "late"

    outcome = play(jsonata({"T": task(TimeoutSeconds=60)}), {}, Script(T=answer), clock=clock)
    assert outcome.error == "States.Timeout"


def test_a_defect_that_comes_with_the_deadline_passes_through() -> None:
    clock = Minutes()

    def broken(_request: TaskRequest) -> Json:
        assert clock.waits.wait(20)
        message = "defect"
        raise ZeroDivisionError(message)

    with pytest.raises(ZeroDivisionError, match="defect"):
        play(jsonata({"T": task(TimeoutSeconds=60)}), {}, Script(T=broken), clock=clock)


def test_calls_of_branches_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=20)

    def meet(request: TaskRequest) -> Json:
        together.wait()
        return request.arguments

    processor = {"StartAt": "I", "States": {"I": task()}}
    states = {"M": {"Type": "Map", "ItemProcessor": processor, "End": True}}
    outcome = play(jsonata(states), [1, 2, 3], Script(I=meet), clock=WallClock())
    assert outcome.output == [1, 2, 3]


def test_no_more_calls_than_workers_run_at_once() -> None:
    now, most, lock = 0, 0, threading.Lock()

    def count(request: TaskRequest) -> Json:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        request.stop.wait(0.01)
        with lock:
            now -= 1
        return request.arguments

    processor = {"StartAt": "I", "States": {"I": task()}}
    states = {"M": {"Type": "Map", "ItemProcessor": processor, "End": True}}
    outcome = play(
        jsonata(states), list(range(12)), Script(I=count), clock=WallClock(), max_workers=3
    )
    assert outcome.output == list(range(12))
    assert most <= 3


def test_a_lone_call_runs_on_the_callers_thread() -> None:
    threads: list[str] = []

    def where(_request: TaskRequest) -> Json:
        threads.append(threading.current_thread().name)
        return 1

    play(jsonata({"T": task()}), {}, Script(T=where))
    assert threads == [threading.current_thread().name]


def aborting(flag: threading.Event) -> Callable[[TaskRequest], Json]:
    def answer(request: TaskRequest) -> Json:
        flag.set()
        request.stop.wait(30)
        return 1

    return answer


def test_an_abort_ends_the_execution_and_tells_the_calls() -> None:
    flag = threading.Event()
    branches = [{"StartAt": name, "States": {name: task()}} for name in ("A", "B")]
    states = {"P": {"Type": "Parallel", "Branches": branches, "End": True}}
    service = Script(A=aborting(flag), B=aborting(flag))
    outcome = play(jsonata(states), {}, service, clock=WallClock(), abort=flag)
    assert outcome.status == "ABORTED"
    assert all(request.stop.is_set() for request in service.requests)


def test_a_defect_of_a_service_passes_through() -> None:
    def broken(_request: TaskRequest) -> Json:
        message = "defect"
        raise ZeroDivisionError(message)

    processor = {"StartAt": "I", "States": {"I": task()}}
    states = {"M": {"Type": "Map", "ItemProcessor": processor, "End": True}}
    for data in ([1], [1, 2]):
        with pytest.raises(ZeroDivisionError, match="defect"):
            play(jsonata(states), data, Script(I=broken))
