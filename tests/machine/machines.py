"""Small real pieces for running definitions in tests: a scripted service, a runner."""

from __future__ import annotations

import threading
from random import Random
from typing import TYPE_CHECKING, Any

from runner.machine import (
    ExecutionContext,
    MemoryJournal,
    Outcome,
    TaskRequest,
    TaskService,
    VirtualClock,
    parse_definition,
    run,
)
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = Any
CONTEXT = ExecutionContext("arn:execution", "execution", "arn:machine", "machine", "arn:role")


class Fails:
    """A scripted answer: the call fails."""

    def __init__(self, error: str, cause: str = "because") -> None:
        self.error = error
        self.cause = cause


class Script:
    """Answers by state name: a value, `Fails`, a function of the request, or a list of these."""

    def __init__(self, **answers: Any) -> None:  # noqa: ANN401
        self._answers = answers
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self.requests: list[TaskRequest] = []

    def call(self, request: TaskRequest) -> Json:
        with self._lock:
            self.requests.append(request)
            number = self._counts.get(request.state, 0)
            self._counts[request.state] = number + 1
        answer = self._answers.get(request.state, request.arguments)
        if isinstance(answer, list):
            answer = answer[min(number, len(answer) - 1)]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Fails):
            raise ServiceError(answer.error, answer.cause)
        return answer

    def may_repeat(self, _request: TaskRequest) -> bool:
        return True

    @property
    def keys(self) -> list[str]:
        return [request.key for request in self.requests]


def jsonata(states: Mapping[str, Json], **rest: Json) -> dict[str, Json]:
    """Make a JSONata definition that starts at the first state."""
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **rest}


def jsonpath(states: Mapping[str, Json], **rest: Json) -> dict[str, Json]:
    """Make a JSONPath definition that starts at the first state."""
    return {"StartAt": next(iter(states)), "States": states, **rest}


def play(
    definition: Mapping[str, Json],
    data: Json = None,
    service: TaskService | None = None,
    **options: Any,  # noqa: ANN401
) -> Outcome:
    """Run a definition on simulated time."""
    options.setdefault("clock", VirtualClock())
    options.setdefault("journal", MemoryJournal())
    options.setdefault("context", CONTEXT)
    return run(
        parse_definition(definition),
        {} if data is None else data,
        service=service or Script(),
        random=Random(7),  # noqa: S311
        **options,
    )


def output_of(definition: Mapping[str, Json], data: Json = None, **answers: Json) -> Json:
    """Run a definition that must succeed, and give its output."""
    outcome = play(definition, data, Script(**answers))
    assert outcome.status == "SUCCEEDED", (outcome.error, outcome.cause)
    return outcome.output


def error_of(definition: Mapping[str, Json], data: Json = None, **answers: Json) -> str | None:
    """Run a definition that must fail, and give its error."""
    outcome = play(definition, data, Script(**answers))
    assert outcome.status == "FAILED", outcome.output
    return outcome.error


def answer_slowly(seconds: float, value: Json) -> Callable[[TaskRequest], Json]:
    """Make an answer that takes real time, unless nobody waits for it any more."""

    def answer(request: TaskRequest) -> Json:
        request.stop.wait(seconds)
        return value

    return answer
