"""Executions whose histories were written down by hand, one line for each event of AWS's."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.machine import (
    ExecutionContext,
    MemoryJournal,
    NoAnswerYet,
    TaskRequest,
    VirtualClock,
    parse_definition,
    run,
)
from runner.machine.history import HistoryEvent, history
from runner.model.ports import ServiceError
from tests.machine.machines import jsonata, jsonpath

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.machine import Event

Json = Any

ARN = "arn:aws:states:us-east-1:123456789012"
CONTEXT = ExecutionContext(
    f"{ARN}:execution:m:e", "e", f"{ARN}:stateMachine:m", "m", "arn:aws:iam::123456789012:role/r"
)
PASS: Json = {"Type": "Pass", "End": True}
ALL = ["States.ALL"]
QUEUE = "arn:aws:states:::sqs:sendMessage"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
ACTIVITY = f"{ARN}:activity:a"


class Answers:
    """Answers by the state's name; an error, a silence, a first answer, or the arguments."""

    def __init__(self, answers: Mapping[str, Json]) -> None:
        self._answers = answers

    def call(self, request: TaskRequest) -> Json:
        answer = self._answers.get(request.state, {})
        if "submitted" in answer:
            request.submitted(answer["submitted"])
        if answer.get("silent"):
            raise NoAnswerYet
        if "error" in answer:
            raise ServiceError(answer["error"], answer["cause"])
        return answer.get("result", request.arguments)


class Case(NamedTuple):
    """An execution and the lines of its history."""

    definition: Mapping[str, Json]
    data: Json
    answers: Mapping[str, Json]
    lines: str
    """`id<previousEventId type`, a line each."""


def played(case: Case, begun: tuple[Event, ...] = (), **options: Json) -> tuple[Event, ...]:
    """Run a case, from where its journal ends if it has begun; gives the journal's events.

    One call is made at a time, so that answers come in the order of the calls.
    """
    journal = MemoryJournal(begun)
    run(
        parse_definition(case.definition),
        case.data,
        service=Answers(case.answers),
        clock=VirtualClock(),
        context=CONTEXT,
        random=Random(7),  # noqa: S311 - a fixed seed
        journal=journal,
        max_workers=1,
        **options,
    )
    return journal.events()


def history_of(case: Case, **options: Json) -> tuple[HistoryEvent, ...]:
    """Run a case; gives its history."""
    limit = {name: options[name] for name in options if name == "history_limit"}
    return history(parse_definition(case.definition), played(case, **options), **limit)


def flow(**states: Json) -> Json:
    """Make the states of a branch or an iteration."""
    return {"StartAt": next(iter(states)), "States": states}


def each(processor: Json, **fields: Json) -> Json:
    """Make a Map, one iteration after the other."""
    return {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": processor, "End": True, **fields}


def _both(*branches: Json, **fields: Json) -> Json:
    return {"Type": "Parallel", "Branches": list(branches), "End": True, **fields}


def _task(resource: str = QUEUE, **fields: Json) -> Json:
    return {"Type": "Task", "Resource": resource, "End": True, **fields}


def _open(state: Json) -> Json:
    """Take the end from a state that goes on."""
    return {name: value for name, value in state.items() if name != "End"}


_CATCH: Json = {"Catch": [{"ErrorEquals": ALL, "Next": "Z"}]}
_FAIL = {"Type": "Fail", "Error": "E", "Cause": "c"}
_LONG = {"Type": "Wait", "Seconds": 60, "End": True}
_REFUSED = {"error": "SQS.QueueDoesNotExistException", "cause": "no queue"}

CASES = {
    "states one after the other": Case(
        jsonpath(
            {
                "A": {"Type": "Pass", "Next": "C"},
                "C": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "W"}],
                    "Default": "S",
                },
                "W": {"Type": "Wait", "Seconds": 5, "Next": "S"},
                "S": {"Type": "Succeed"},
            }
        ),
        {"n": 1},
        {},
        """
        1<0 ExecutionStarted
        2<0 PassStateEntered
        3<2 PassStateExited
        4<3 ChoiceStateEntered
        5<4 ChoiceStateExited
        6<5 WaitStateEntered
        7<6 WaitStateExited
        8<7 SucceedStateEntered
        9<8 SucceedStateExited
        10<9 ExecutionSucceeded
        """,
    ),
    "a Fail state": Case(
        jsonpath({"F": _FAIL}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 FailStateEntered
        3<2 ExecutionFailed
        """,
    ),
    "a call": Case(
        jsonpath({"T": _task(TimeoutSeconds=9, HeartbeatSeconds=5)}),
        {"MessageBody": "b"},
        {},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSucceeded
        6<5 TaskStateExited
        7<6 ExecutionSucceeded
        """,
    ),
    "a call that fails, is tried again, and caught": Case(
        jsonpath({"T": _task(Retry=[{"ErrorEquals": ALL, "MaxAttempts": 1}], **_CATCH), "Z": PASS}),
        {},
        {"T": _REFUSED},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskFailed
        6<5 TaskScheduled
        7<6 TaskStarted
        8<7 TaskFailed
        9<8 TaskStateExited
        10<9 PassStateEntered
        11<10 PassStateExited
        12<11 ExecutionSucceeded
        """,
    ),
    "a call that is waited for": Case(
        jsonpath({"T": _task("arn:aws:states:::states:startExecution.sync:2")}),
        {"a": 1},
        {"T": {"submitted": {"ExecutionArn": "arn:x"}, "result": {"Output": 2}}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitted
        6<5 TaskSucceeded
        7<6 TaskStateExited
        8<7 ExecutionSucceeded
        """,
    ),
    "a call that is waited for and says nothing of its beginning": Case(
        jsonpath({"T": _task("arn:aws:states:::ecs:runTask.sync")}),
        {},
        {"T": {"error": "States.TaskFailed", "cause": "{}"}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitted
        6<5 TaskFailed
        7<6 ExecutionFailed
        """,
    ),
    "a call that is to be waited for and is refused": Case(
        jsonpath({"T": _task("arn:aws:states:::batch:submitJob.sync")}),
        {},
        {"T": {"error": "Batch.ServerException", "cause": "busy"}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitFailed
        6<5 ExecutionFailed
        """,
    ),
    "a token that nobody sends back": Case(
        jsonpath(
            {
                "T": _task(
                    f"{QUEUE}.waitForTaskToken",
                    Parameters={"MessageBody.$": "$$.Task.Token"},
                    TimeoutSeconds=3,
                )
            }
        ),
        {},
        {"T": {"submitted": {"MessageId": "1"}, "silent": True}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 TaskScheduled
        4<3 TaskStarted
        5<4 TaskSubmitted
        6<5 TaskTimedOut
        7<6 ExecutionFailed
        """,
    ),
    "a function": Case(
        jsonpath(
            {
                "A": {"Type": "Task", "Resource": FUNCTION, "Next": "B"},
                "B": {
                    **_task(FUNCTION, Retry=[{"ErrorEquals": ["States.Timeout"]}]),
                    "TimeoutSeconds": 5,
                },
            }
        ),
        {"a": 1},
        {"B": {"error": "ValueError", "cause": "{}"}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 LambdaFunctionScheduled
        4<3 LambdaFunctionStarted
        5<4 LambdaFunctionSucceeded
        6<5 TaskStateExited
        7<6 TaskStateEntered
        8<7 LambdaFunctionScheduled
        9<8 LambdaFunctionStarted
        10<9 LambdaFunctionFailed
        11<10 ExecutionFailed
        """,
    ),
    "a function that takes too long": Case(
        jsonpath({"A": _task(FUNCTION, TimeoutSeconds=5)}),
        {},
        {"A": {"silent": True}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 LambdaFunctionScheduled
        4<3 LambdaFunctionStarted
        5<4 LambdaFunctionTimedOut
        6<5 ExecutionFailed
        """,
    ),
    "activities": Case(
        jsonpath(
            {
                "A": {"Type": "Task", "Resource": ACTIVITY, "Next": "B"},
                "B": _task(ACTIVITY, **_CATCH),
                "Z": _task(ACTIVITY, TimeoutSeconds=5),
            }
        ),
        {},
        {"B": {"error": "Own", "cause": "c"}, "Z": {"silent": True}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 ActivityScheduled
        4<3 ActivityStarted
        5<4 ActivitySucceeded
        6<5 TaskStateExited
        7<6 TaskStateEntered
        8<7 ActivityScheduled
        9<8 ActivityStarted
        10<9 ActivityFailed
        11<10 TaskStateExited
        12<11 TaskStateEntered
        13<12 ActivityScheduled
        14<13 ActivityTimedOut
        15<14 ExecutionFailed
        """,
    ),
    "an activity whose worker falls silent": Case(
        jsonpath({"A": _task(ACTIVITY, TimeoutSeconds=50, HeartbeatSeconds=5)}),
        {},
        {"A": {"silent": True}},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 ActivityScheduled
        4<3 ActivityStarted
        5<4 ActivityTimedOut
        6<5 ExecutionFailed
        """,
    ),
    "branches": Case(
        jsonpath({"P": _both(flow(A=PASS), flow(B=_task()))}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 PassStateEntered
        5<4 PassStateExited
        6<3 TaskStateEntered
        7<6 TaskScheduled
        8<7 TaskStarted
        9<8 TaskSucceeded
        10<9 TaskStateExited
        11<10 ParallelStateSucceeded
        12<10 ParallelStateExited
        13<12 ExecutionSucceeded
        """,
    ),
    "tasks of two branches are both scheduled before they start": Case(
        jsonpath({"P": _both(flow(A=_task()), flow(B=_task()))}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 TaskStateEntered
        5<4 TaskScheduled
        6<3 TaskStateEntered
        7<6 TaskScheduled
        8<5 TaskStarted
        9<7 TaskStarted
        10<8 TaskSucceeded
        11<10 TaskStateExited
        12<9 TaskSucceeded
        13<12 TaskStateExited
        14<13 ParallelStateSucceeded
        15<13 ParallelStateExited
        16<15 ExecutionSucceeded
        """,
    ),
    "a branch that fails and the three that it cuts": Case(
        jsonpath(
            {
                "P": _both(
                    flow(W=_LONG),
                    flow(M=each(flow(V=_LONG))),
                    flow(Q=_both(flow(U=_LONG))),
                    flow(T=_task()),
                    **_CATCH,
                ),
                "Z": PASS,
            }
        ),
        [1],
        {"T": _REFUSED},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 WaitStateEntered
        5<3 MapStateEntered
        6<5 MapStateStarted
        7<3 ParallelStateEntered
        8<7 ParallelStateStarted
        9<3 TaskStateEntered
        10<9 TaskScheduled
        11<6 MapIterationStarted
        12<11 WaitStateEntered
        13<8 WaitStateEntered
        14<10 TaskStarted
        15<14 TaskFailed
        16<15 TaskStateAborted
        17<15 WaitStateAborted
        18<15 MapStateAborted
        19<15 ParallelStateAborted
        20<15 ParallelStateFailed
        21<20 ParallelStateExited
        22<21 PassStateEntered
        23<22 PassStateExited
        24<23 ExecutionSucceeded
        """,
    ),
    "a call that is cut before it starts": Case(
        jsonpath({"P": _both(flow(T=_task()), flow(F=_FAIL), **_CATCH), "Z": _LONG}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 TaskStateEntered
        5<4 TaskScheduled
        6<3 FailStateEntered
        7<6 TaskStateAborted
        8<6 ParallelStateFailed
        9<8 ParallelStateExited
        10<9 WaitStateEntered
        11<10 WaitStateExited
        12<11 ExecutionSucceeded
        """,
    ),
    "iterations": Case(
        jsonpath({"M": {**_open(each(flow(A=PASS))), "Next": "Z"}, "Z": PASS}),
        [1, 2],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapIterationStarted
        5<4 PassStateEntered
        6<5 PassStateExited
        7<6 MapIterationSucceeded
        8<6 MapIterationStarted
        9<8 PassStateEntered
        10<9 PassStateExited
        11<10 MapIterationSucceeded
        12<11 MapStateSucceeded
        13<11 MapStateExited
        14<13 PassStateEntered
        15<14 PassStateExited
        16<15 ExecutionSucceeded
        """,
    ),
    "iterations at the same time": Case(
        jsonpath({"M": each(flow(A=PASS), MaxConcurrency=0)}),
        [1, 2],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapIterationStarted
        5<4 PassStateEntered
        6<5 PassStateExited
        7<6 MapIterationSucceeded
        8<3 MapIterationStarted
        9<8 PassStateEntered
        10<9 PassStateExited
        11<10 MapIterationSucceeded
        12<11 MapStateSucceeded
        13<11 MapStateExited
        14<13 ExecutionSucceeded
        """,
    ),
    "an iteration that fails and the one that it cuts": Case(
        jsonata(
            {
                "M": each(
                    flow(
                        C={
                            "Type": "Choice",
                            "Choices": [{"Condition": "{% $states.input = 1 %}", "Next": "W"}],
                            "Default": "F",
                        },
                        W=_LONG,
                        F=_FAIL,
                    ),
                    MaxConcurrency=2,
                )
            }
        ),
        [1, 2],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapIterationStarted
        5<4 ChoiceStateEntered
        6<5 ChoiceStateExited
        7<6 WaitStateEntered
        8<3 MapIterationStarted
        9<8 ChoiceStateEntered
        10<9 ChoiceStateExited
        11<10 FailStateEntered
        12<11 MapIterationFailed
        13<11 WaitStateAborted
        14<11 MapIterationAborted
        15<11 MapStateFailed
        16<15 ExecutionFailed
        """,
    ),
    "a Map that is tried again says that it failed only at last": Case(
        jsonpath({"M": each(flow(F=_FAIL), Retry=[{"ErrorEquals": ALL, "MaxAttempts": 1}])}),
        [1],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapIterationStarted
        5<4 FailStateEntered
        6<5 MapIterationFailed
        7<5 MapStateStarted
        8<7 MapIterationStarted
        9<8 FailStateEntered
        10<9 MapIterationFailed
        11<9 MapStateFailed
        12<11 ExecutionFailed
        """,
    ),
    "a selector that fails": Case(
        jsonata({"M": each(flow(A=PASS), ItemSelector="{% $no %}", **_CATCH), "Z": PASS}),
        [1],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 EvaluationFailed
        5<4 MapStateFailed
        6<5 MapStateExited
        7<6 PassStateEntered
        8<7 PassStateExited
        9<8 ExecutionSucceeded
        """,
    ),
    "items that are none": Case(
        jsonata({"M": each(flow(A=PASS), Items="{% 1 %}")}),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 EvaluationFailed
        4<3 MapStateFailed
        5<4 ExecutionFailed
        """,
    ),
    "an expression that fails at each attempt, and in the catcher": Case(
        jsonata(
            {
                "T": _task(
                    Arguments="{% $no %}",
                    Retry=[{"ErrorEquals": ALL, "MaxAttempts": 1}],
                    Catch=[{"ErrorEquals": ALL, "Output": "{% $neither %}", "Next": "Z"}],
                ),
                "Z": PASS,
            }
        ),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 TaskStateEntered
        3<2 EvaluationFailed
        4<3 EvaluationFailed
        5<4 EvaluationFailed
        6<5 ExecutionFailed
        """,
    ),
    "States.Runtime ends all in silence": Case(
        jsonpath(
            {
                "P": _both(
                    flow(M=each(flow(A={**PASS, "Parameters": {"m.$": "$.no"}}))), flow(W=_LONG)
                )
            }
        ),
        [1],
        {},
        """
        1<0 ExecutionStarted
        2<0 ParallelStateEntered
        3<2 ParallelStateStarted
        4<3 MapStateEntered
        5<4 MapStateStarted
        6<3 WaitStateEntered
        7<5 MapIterationStarted
        8<7 PassStateEntered
        9<8 ExecutionFailed
        """,
    ),
    "a Map Run": Case(
        jsonpath(
            {"M": each({**flow(A=PASS), "ProcessorConfig": {"Mode": "DISTRIBUTED"}}, Label="label")}
        ),
        [1, 2, 3],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunSucceeded
        6<5 MapStateSucceeded
        7<5 MapStateExited
        8<7 ExecutionSucceeded
        """,
    ),
    "a Map Run whose selector fails": Case(
        jsonata(
            {
                "M": each(
                    {**flow(A=PASS), "ProcessorConfig": {"Mode": "DISTRIBUTED"}},
                    ItemSelector="{% $no %}",
                )
            }
        ),
        [1],
        {},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunFailed
        6<5 MapStateFailed
        7<6 ExecutionFailed
        """,
    ),
    "a Map Run that cannot read its items": Case(
        jsonpath(
            {
                "M": each(
                    {**flow(A=PASS), "ProcessorConfig": {"Mode": "DISTRIBUTED"}},
                    ItemReader={
                        "Resource": "arn:aws:states:::s3:getObject",
                        "ReaderConfig": {"InputType": "JSON"},
                        "Parameters": {"Bucket": "b", "Key": "k"},
                    },
                )
            }
        ),
        {},
        {"M": {"error": "S3.NoSuchKeyException", "cause": "no such key"}},
        """
        1<0 ExecutionStarted
        2<0 MapStateEntered
        3<2 MapStateStarted
        4<3 MapRunStarted
        5<4 MapRunFailed
        6<5 MapStateFailed
        7<6 ExecutionFailed
        """,
    ),
    "an execution that takes too long": Case(
        jsonpath({"W": _LONG}, TimeoutSeconds=3),
        {},
        {},
        """
        1<0 ExecutionStarted
        2<0 WaitStateEntered
        3<0 ExecutionTimedOut
        """,
    ),
}


def lines(found: tuple[HistoryEvent, ...]) -> list[str]:
    """Write events as the cases do."""
    return [f"{event.number}<{event.previous} {event.kind}" for event in found]


def expected(case: Case) -> list[str]:
    """Give the lines of a case."""
    return [line.strip() for line in case.lines.strip().splitlines()]
