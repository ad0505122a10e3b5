"""Tests one state of a definition with a mock instead of its work, as AWS's TestState does.

In: a file of JSON or YAML (a state machine, or one state), the state's name, its input, what
stands for the world.  Out: a `StateResult`; faults of the definition stand at their lines.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from random import Random
from typing import TYPE_CHECKING, Any

from runner.app.machine_definition import located
from runner.errors import Fault, Place, ProjectError, UsageError
from runner.machine.failures import InvalidDefinition
from runner.machine.ports import VirtualClock
from runner.machine.state_test import InspectionLevel, StateConfiguration, StateTest
from runner.machine.state_testing import run_state_test

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.machine.state_mocks import Mock
    from runner.machine.state_test import StateResult
    from runner.model.places import Places
    from runner.model.ports import Json

_ALONE = re.compile(r"/States/StateName(?=/|\Z)")
_ROLE = "arn:aws:iam::123456789012:role/StateTest"
"""Nothing is called here, so any role will do."""


@dataclass(frozen=True, slots=True)
class StateTestRequest:
    """What is to be tested, and with what."""

    file: Path
    state: str | None = None
    """A state of the machine, at any depth; None: the only one, or the file is the state."""
    data: Json = field(default_factory=dict)
    mock: Mock | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    context: Mapping[str, Json] | None = None
    level: InspectionLevel = InspectionLevel.DEBUG
    configuration: StateConfiguration = field(default_factory=StateConfiguration)


@dataclass(frozen=True, slots=True)
class StateVerdict:
    """How the state that was tested behaved."""

    state: str
    kind: str
    """The type of the state, such as Task."""
    result: StateResult


def try_state(request: StateTestRequest) -> StateVerdict:
    """Test one state; a mocked result is compared with the response of its service."""
    from runner.aws.result_models import ServiceModels  # noqa: PLC0415 - a few tests need it

    source, places = _read(request.file)
    name, state = _choose(source, request)
    test = StateTest(
        definition=source,
        data=request.data,
        state_name=name,
        mock=request.mock,
        variables=request.variables,
        context=request.context,
        level=request.level,
        configuration=request.configuration,
        role_arn=_ROLE,
    )
    try:
        result = run_state_test(
            test,
            clock=VirtualClock(datetime.now(UTC)),
            random=Random(),  # noqa: S311 - for $random, $uuid and jitter, as on AWS
            models=ServiceModels(),
        )
    except InvalidDefinition as refused:
        raise ProjectError(_located(one, places) for one in refused.faults) from refused
    return StateVerdict(name or request.file.name, str(state.get("Type", "")), result)


def _read(file: Path) -> tuple[dict[str, Any], Places]:
    """Read a definition and where its parts stand."""
    from runner.project.yamltext import read_yaml  # noqa: PLC0415 - not free

    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        advice = "name a file that holds a state machine or a state"
        fault = Fault(Place(str(file)), "no-definition", str(error), "a readable file", advice)
        raise UsageError([fault]) from error
    written = read_yaml(text, file=str(file))
    try:
        data = json.loads(text)
    except ValueError as error:
        if written.faults:
            raise ProjectError(written.faults) from error
        data = written.data
    if not isinstance(data, dict):
        advice = "write a state machine, or one state"
        fault = Fault(Place(str(file)), "definition-json", "no object", "a definition", advice)
        raise ProjectError([fault])
    return data, written.places


def _choose(source: Mapping[str, Any], request: StateTestRequest) -> tuple[str | None, Json]:
    """Find the state: by its name, or the only one; None as the name: the file is the state."""
    if "States" not in source:
        if request.state is None:
            return None, source
        raise _no_state(
            request.state, "a file of one state, which has no name", "leave --state out"
        )
    states = dict(_states(source))
    if request.state is None and len(states) == 1:
        return next(iter(states.items()))
    if request.state in states:
        return request.state, states[request.state]
    near = get_close_matches(request.state or "", states, n=3) or list(states)[:10]
    found = "no --state" if request.state is None else repr(request.state)
    raise _no_state(found, f"one of {len(states)} states", f"name one, such as {', '.join(near)}")


def _no_state(found: str, expected: str, advice: str) -> UsageError:
    fault = Fault(Place("--state"), "no-state", found, expected, advice)
    return UsageError([fault])


def _states(source: Json) -> Iterator[tuple[str, Json]]:
    """Give the states of a definition at every depth."""
    states = source.get("States") if isinstance(source, dict) else None
    for name, state in (states if isinstance(states, dict) else {}).items():
        if not isinstance(state, dict):
            continue
        yield name, state
        branches = state.get("Branches")
        for inner in branches if isinstance(branches, list) else ():
            yield from _states(inner)
        yield from _states(state.get("ItemProcessor", state.get("Iterator")))


def _located(fault: Fault, places: Places) -> Fault:
    """Put a fault at its line of the file, which may be one state and no machine."""
    if ("States",) not in places.keys:
        fault = replace(fault, place=Place(_ALONE.sub("", fault.place.file)))
    return located(fault, places)
