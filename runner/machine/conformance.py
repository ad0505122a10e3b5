"""Answers conformance cases: one JSON case per line in, one JSON answer per line out.

    python -m runner.machine.conformance < cases.jsonl

A case holds a definition, an input, and scripted tasks (behaviour by state name); the answer has
the status, output, error, cause and the states entered; with `--trace` also the calls that tasks
got and the input and output of each state.  Time is
simulated and the seed is fixed, so the same cases give the same answers.  Cases of the kind
`test_state` are calls of TestState: state_conformance.py.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from collections import Counter
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from runner.machine.events import Event, EventKind
from runner.machine.execution import HISTORY_LIMIT, run
from runner.machine.failures import InvalidDefinition
from runner.machine.parse import parse_definition
from runner.machine.ports import ExecutionContext, NoAnswerYet, TaskRequest, VirtualClock
from runner.machine.refusals import create_message
from runner.machine.s3_objects import S3Objects
from runner.machine.state_conformance import answer_state
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.machine.state_mocks import ResultModels

Json = Any

_EVENTS = {
    EventKind.STATE_ENTERED: ("StateEntered", "input"),
    EventKind.STATE_EXITED: ("StateExited", "output"),
}


class ScriptedService:
    """Gives each task what the case's script says for its state."""

    def __init__(self, script: Mapping[str, Json], objects: S3Objects) -> None:
        """Take the behaviours by state name, and what S3 holds."""
        self._script = script
        self._objects = objects
        self._calls: Counter[str] = Counter()
        self._inputs: Counter[str] = Counter()
        self.seen: list[dict[str, Json]] = []

    def call(self, request: TaskRequest) -> Json:
        """Answer one call."""
        if request.resource in S3Objects.RESOURCES and request.state not in self._script:
            return self._objects.call(request.resource, request.arguments)
        self.seen.append({"state": request.state, "parameters": request.arguments})
        number = self._calls[request.state]
        self._calls[request.state] += 1
        behaviour = self._script.get(request.state, {"kind": "echo"})
        return self._act(behaviour, request, number)

    def _act(self, behaviour: Mapping[str, Json], request: TaskRequest, number: int) -> Json:
        kind = behaviour["kind"]
        if kind == "echo":
            return request.arguments
        if kind == "return":
            return behaviour["value"]
        if kind == "raise":
            raise ServiceError(behaviour["error"], behaviour.get("cause"))  # type: ignore[arg-type]  # AWS may give neither
        if kind == "hang":
            raise NoAnswerYet
        if kind == "sequence":
            return self._act(_nth(behaviour["calls"], number), request, number)
        if kind == "by_input":
            return self._by_input(behaviour["table"], request)
        message = f"no behaviour is called {kind!r}"
        raise ValueError(message)

    def _by_input(self, table: Sequence[Mapping[str, Json]], request: TaskRequest) -> Json:
        for row in table:
            if row["input"] == request.arguments:
                key = json.dumps([request.state, row["input"]], sort_keys=True)
                number = self._inputs[key]
                self._inputs[key] += 1
                then = row["then"]
                calls = then if isinstance(then, list) else [then]
                return self._act(_nth(calls, number), request, number)
        message = f"no behaviour for the input {request.arguments!r}"
        raise ValueError(message)


def _nth(calls: Sequence[Mapping[str, Json]], number: int) -> Mapping[str, Json]:
    return calls[min(number, len(calls) - 1)]


def answer(case: Mapping[str, Json], *, traced: bool = False) -> dict[str, Json]:
    """Run one case; `traced` adds what tasks got and each state's input and output."""
    if case.get("kind") == "test_state":
        return answer_state(case, _models())
    source = case["definition"]
    if source is None:
        source = case.get("definition_text") or ""
    try:
        definition = parse_definition(
            source, express=case.get("type") == "EXPRESS", any_resource=False
        )
    except InvalidDefinition as refused:
        return {"id": case["id"], "status": "INVALID", "cause": _refusal(refused, case)}
    service = ScriptedService(
        case.get("tasks") or {},
        S3Objects(case.get("s3") or {}, tuple(case.get("s3_buckets") or ())),
    )
    events: list[Event] = []
    outcome = run(
        definition,
        case.get("input"),
        service=service,
        clock=VirtualClock(),
        context=_context(case.get("context") or {}),
        random=Random(0),  # noqa: S311  (a fixed seed)
        observer=events.append,
        history_limit=HISTORY_LIMIT if case.get("type") != "EXPRESS" else None,
    )
    answered = {
        "id": case["id"],
        "status": outcome.status.value,
        "output": outcome.output,
        "error": outcome.error,
        "cause": outcome.cause,
        "states_entered": [e.state for e in events if e.kind is EventKind.STATE_ENTERED],
    }
    if traced:
        answered["task_calls"] = service.seen
        answered["trace"] = [_traced(e, source) for e in events if e.kind in _EVENTS]
    return answered


@cache
def _models() -> ResultModels:
    """Load what knows the services' responses.

    It stands on a higher floor (it reads botocore's models); this program joins both, so it names
    the module at run time, and only cases of TestState need it.
    """
    models: ResultModels = importlib.import_module("runner.aws.result_models").ServiceModels()
    return models


def _refusal(refused: InvalidDefinition, case: Mapping[str, Json]) -> str:
    """Give AWS's text: the first diagnostic of a validation, or CreateStateMachine's message."""
    if "#validation" in case["id"]:
        return refused.refusals[0].message
    return create_message(refused.refusals)


def _context(given: Mapping[str, Json]) -> ExecutionContext:
    execution, machine = given.get("Execution") or {}, given.get("StateMachine") or {}
    return ExecutionContext(
        execution_id=execution.get("Id", "execution"),
        execution_name=execution.get("Name", "execution"),
        state_machine_id=machine.get("Id", "stateMachine"),
        state_machine_name=machine.get("Name", "stateMachine"),
        role_arn=execution.get("RoleArn", ""),
    )


def _traced(event: Event, source: Json) -> dict[str, Json]:
    suffix, field = _EVENTS[event.kind]
    told = {
        "event": f"{_types(source).get(event.state, '')}{suffix}",
        "name": event.state,
        field: event.data[field],
    }
    if event.data.get("assigned"):
        told["assigned"] = event.data["assigned"]
    return told


def _types(source: Json) -> dict[str, str]:
    """Map the names of states, at any depth, to their types."""
    found: dict[str, str] = {}
    if isinstance(source, dict):
        for name, state in (source.get("States") or {}).items():
            found[name] = state.get("Type", "")
        parts = [part for name, part in source.items() if name != "States"]
        parts += list((source.get("States") or {}).values())
    else:
        parts = source if isinstance(source, list) else []
    for part in parts:
        if isinstance(part, (dict, list)):
            found.update(_types(part))
    return found


def main() -> None:
    """Answer the cases on standard input."""
    for line in sys.stdin:
        if line.strip():
            case = json.loads(line)
            told = _answer_or_trouble(case, traced="--trace" in sys.argv[1:])
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


def _answer_or_trouble(case: Mapping[str, Json], *, traced: bool) -> dict[str, Json]:
    """Answer a case; a defect of ours or of the script costs this case only."""
    try:
        return answer(case, traced=traced)
    except Exception as trouble:  # noqa: BLE001  (told on both streams, never as a success)
        traceback.print_exc()
        return {"id": case.get("id"), "status": "BROKEN", "cause": repr(trouble)}


if __name__ == "__main__":
    main()
