"""Small pieces for executions whose histories are written down by hand."""

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

    def may_repeat(self, _request: TaskRequest) -> bool:
        return True

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


def both(*branches: Json, **fields: Json) -> Json:
    return {"Type": "Parallel", "Branches": list(branches), "End": True, **fields}


def task(resource: str = QUEUE, **fields: Json) -> Json:
    return {"Type": "Task", "Resource": resource, "End": True, **fields}


def going_on(state: Json) -> Json:
    """Take the end from a state that goes on."""
    return {name: value for name, value in state.items() if name != "End"}


CATCH: Json = {"Catch": [{"ErrorEquals": ALL, "Next": "Z"}]}
FAIL = {"Type": "Fail", "Error": "E", "Cause": "c"}
LONG = {"Type": "Wait", "Seconds": 60, "End": True}
REFUSED = {"error": "SQS.QueueDoesNotExistException", "cause": "no queue"}


def lines(found: tuple[HistoryEvent, ...]) -> list[str]:
    """Write events as the cases do."""
    return [f"{event.number}<{event.previous} {event.kind}" for event in found]


def expected(case: Case) -> list[str]:
    """Give the lines of a case."""
    return [line.strip() for line in case.lines.strip().splitlines()]
