"""Tasks that end when somebody answers with their token: callbacks and activities."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.machine import (
    Activities,
    Callbacks,
    EventKind,
    MemoryJournal,
    NoAnswerYet,
    SimulatedCrash,
    TaskDoesNotExist,
    TaskTimedOut,
)
from tests.machine.machines import jsonata, jsonpath, play

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine import Outcome, TaskRequest

Json = Any

WAITING = "arn:aws:states:::lambda:invoke.waitForTaskToken"
ACTIVITY = "arn:aws:states:us-east-1:111111111111:activity:count"


class RealClock:
    """The machine's time; every wait is short, so that answers are seen."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        del until, busy
        arrived.wait(0.01)


def callback(**fields: Json) -> dict[str, Json]:
    arguments = {"FunctionName": "f", "Payload": {"token": "{% $states.context.Task.Token %}"}}
    return {"Type": "Task", "Resource": WAITING, "Arguments": arguments, "End": True, **fields}


class Handing:
    """Hands the token of each call to somebody, and has no answer itself."""

    def __init__(self, give: Callable[[str], None]) -> None:
        self._give = give
        self.tokens: list[str] = []

    def call(self, request: TaskRequest) -> Json:
        assert request.token == request.arguments["Payload"]["token"]
        self.tokens.append(str(request.token))
        self._give(str(request.token))
        raise NoAnswerYet


def execute(state: dict[str, Json], service: Any, callbacks: Callbacks, **options: Any) -> Outcome:  # noqa: ANN401
    options.setdefault("clock", RealClock())
    return play(jsonata({"T": state}), {}, service, callbacks=callbacks, **options)


def later(act: Callable[[], None]) -> None:
    threading.Timer(0.05, act).start()


def test_a_task_ends_with_the_answer_to_its_token() -> None:
    callbacks = Callbacks()
    service = Handing(lambda token: later(lambda: callbacks.succeed(token, {"n": 1})))
    assert execute(callback(), service, callbacks).output == {"n": 1}


def test_an_answer_may_come_before_the_call_returns() -> None:
    callbacks = Callbacks()
    service = Handing(lambda token: callbacks.succeed(token, 5))
    assert execute(callback(), service, callbacks).output == 5


@pytest.mark.parametrize(("error", "cause"), [("Mine", "because"), (None, None)])
def test_a_task_fails_by_its_token(error: str | None, cause: str | None) -> None:
    callbacks = Callbacks()
    service = Handing(lambda token: later(lambda: callbacks.fail(token, error, cause)))
    outcome = execute(callback(), service, callbacks)
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", error, cause)


def test_each_attempt_has_a_token_of_its_own() -> None:
    callbacks = Callbacks()

    def give(token: str) -> None:
        if len(service.tokens) == 1:
            callbacks.fail(token, "Again")
        else:
            callbacks.succeed(token, "done")

    service = Handing(give)
    retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    outcome = execute(callback(Retry=retry), service, callbacks)
    assert outcome.output == "done"
    assert len(set(service.tokens)) == 2


def test_heartbeats_keep_a_task_alive_and_their_lack_ends_it() -> None:
    callbacks = Callbacks()

    def beat_then_answer(token: str) -> None:
        def work() -> None:
            for _ in range(4):
                time.sleep(0.4)
                callbacks.beat(token)
            callbacks.succeed(token, "alive")

        threading.Thread(target=work).start()

    assert execute(callback(HeartbeatSeconds=1), Handing(beat_then_answer), callbacks).output == (
        "alive"
    )
    silent = execute(callback(HeartbeatSeconds=1), Handing(lambda _token: None), callbacks)
    assert (silent.status, silent.error) == ("FAILED", "States.Timeout")


def test_a_missed_heartbeat_is_a_timeout_that_has_a_name_of_its_own_too() -> None:
    """AWS reports States.Timeout; ErrorEquals may say States.HeartbeatTimeout."""
    catch = [{"ErrorEquals": ["States.HeartbeatTimeout"], "Output": "caught", "Next": "End"}]
    states = {
        "T": callback(HeartbeatSeconds=5, TimeoutSeconds=60, Catch=catch),
        "End": {"Type": "Pass", "Output": "{% $states.input %}", "End": True},
    }
    journal = MemoryJournal()
    for _ in range(2):  # as it happens, and from the journal
        outcome = play(jsonata(states), {}, Handing(lambda _token: None), journal=journal)
        assert outcome.output == "caught"
        journal = MemoryJournal(journal.events()[:-1])
    states["T"] = callback(TimeoutSeconds=5, HeartbeatSeconds=60, Catch=catch)
    assert play(jsonata(states), {}, Handing(lambda _token: None)).error == "States.Timeout"


def test_heartbeats_do_not_move_the_timeout() -> None:
    callbacks = Callbacks()
    stop = threading.Event()

    def beat(token: str) -> None:
        def work() -> None:
            while not stop.wait(0.2):
                try:
                    callbacks.beat(token)
                except TaskTimedOut:
                    return

        threading.Thread(target=work, daemon=True).start()

    state = callback(HeartbeatSeconds=1, TimeoutSeconds=2)
    outcome = execute(state, Handing(beat), callbacks)
    stop.set()
    assert outcome.error == "States.Timeout"
    assert 2 <= (outcome.ended - outcome.started).total_seconds() < 30


def test_tokens_that_nobody_waits_for_are_refused() -> None:
    callbacks = Callbacks()
    with pytest.raises(TaskDoesNotExist):
        callbacks.succeed("unknown", 1)
    service = Handing(lambda token: callbacks.succeed(token, 1))
    execute(callback(), service, callbacks)
    for answer in (callbacks.fail, callbacks.beat):
        with pytest.raises(TaskTimedOut):
            answer(service.tokens[0])


def test_after_a_crash_the_same_token_is_waited_for_and_no_second_call_made() -> None:
    callbacks, journal = Callbacks(), MemoryJournal()

    class Dying:
        """Dies once the call is known to be waited for."""

        def __init__(self, service: Handing) -> None:
            self._service = service

        def is_set(self) -> bool:
            if any(event.kind is EventKind.TASK_SUBMITTED for event in journal.events()):
                raise SimulatedCrash
            return False

    first = Handing(lambda _token: None)
    with pytest.raises(SimulatedCrash):
        execute(callback(), first, callbacks, journal=journal, abort=Dying(first))
    second = Handing(lambda _token: None)
    callbacks = Callbacks()

    def answer() -> None:
        try:
            callbacks.succeed(first.tokens[0], "found")
        except TaskDoesNotExist:
            later(answer)

    later(answer)
    assert execute(callback(), second, callbacks, journal=journal).output == "found"
    assert second.tokens == []


def test_workers_take_an_activity_s_tasks_in_order() -> None:
    callbacks, activities = Callbacks(), Activities()
    inner = {
        "StartAt": "Count",
        "States": {"Count": {"Type": "Task", "Resource": ACTIVITY, "End": True}},
    }
    each = {"Type": "Map", "ItemProcessor": inner, "End": True}
    taken: list[Json] = []

    def work() -> None:
        while (task := activities.take(ACTIVITY, wait_s=5)) is not None:
            taken.append(task.input)
            callbacks.succeed(task.token, task.input * 2)
            if len(taken) == 3:
                return

    worker = threading.Thread(target=work)
    worker.start()
    outcome = play(
        jsonpath({"Each": each}),
        [1, 2, 3],
        activities,
        callbacks=callbacks,
        clock=RealClock(),
    )
    worker.join()
    assert outcome.output == [2, 4, 6]
    assert sorted(taken) == [1, 2, 3]


def test_work_that_timed_out_is_not_given_to_a_worker() -> None:
    activities = Activities()
    states = {"A": {"Type": "Task", "Resource": ACTIVITY, "TimeoutSeconds": 1, "End": True}}
    outcome = play(jsonpath(states), {}, activities, callbacks=Callbacks())
    assert outcome.error == "States.Timeout"
    assert activities.take(ACTIVITY, wait_s=0) is None
    assert Activities.serves(ACTIVITY)
    assert not Activities.serves(WAITING)
    assert not Activities.serves("arn:aws:lambda:us-east-1:1:function:activity:live")
