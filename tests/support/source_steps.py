"""Workflows of steps that bring data, played by two interpreters on scripted services."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.machine import ExecutionContext, VirtualClock, parse_definition, run
from runner.model.ports import Json, ServiceError
from tests.support.moto_machine import EXECUTION, MACHINE, Ended, run_with_moto
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from runner.machine import TaskRequest

WINDOW = {"start": "2013-01-01", "end": "2013-01-01"}
Answer = Json | ServiceError


@dataclass
class Sources(Scripted):
    """Scripted services that answer calls of some states as a test says, one answer after another.

    The last answer of a state stays.
    """

    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)

    def do(self, state: str, resource: str, arguments: Json) -> Json:
        if state not in self.answers:
            return super().do(state, resource, arguments)
        self.calls.append((state, resource, json.loads(json.dumps(arguments))))
        said = self.answers[state]
        count = sum(1 for name, _, _ in self.calls if name == state)
        answer = said[min(count, len(said)) - 1]
        if isinstance(answer, ServiceError):
            raise answer
        return json.loads(json.dumps(answer))

    def call(self, request: TaskRequest) -> Json:
        """Serve our interpreter."""
        return self.do(request.state, request.resource, request.arguments)

    def may_repeat(self, _request: TaskRequest) -> bool:
        return True


@dataclass(frozen=True)
class Played:
    """How an execution ended, the same in both interpreters, and what was called."""

    ended: Ended
    world: Sources

    @property
    def result(self) -> dict[str, Any]:
        """Give the one step's result."""
        if self.ended.output is None:
            return {}
        (found,) = self.ended.output["results"]
        return dict(found)

    def called(self, *states: str) -> list[str]:
        """Name the states that called, in order, without the keeper's of every run."""
        names = [state for state, _, _ in self.world.calls]
        return [name for name in names if not states or name in states]


def play_twice(
    folder: Path,
    definition: bytes,
    answers: Mapping[str, Sequence[Answer]],
    prepare: Callable[[Sources], None] = lambda _world: None,
) -> Played:
    """Run a definition by moto's interpreter and by ours; both must tell the same."""
    worlds = [Sources(folder / name, answers=answers) for name in ("moto", "ours")]
    for world in worlds:
        prepare(world)
    theirs = run_with_moto(definition, WINDOW, worlds[0].do)
    ours = run(
        parse_definition(definition),
        WINDOW,
        service=worlds[1],
        clock=VirtualClock(),
        context=ExecutionContext(EXECUTION, EXECUTION.rpartition(":")[2], MACHINE, "daily"),
        random=random.Random(1),  # noqa: S311 - the seed of jitter
    )
    told = (ours.status.value, ours.output, ours.error, ours.cause)
    assert told == (theirs.status, theirs.output, theirs.error, theirs.cause)
    assert [c[:2] for c in worlds[0].calls] == [c[:2] for c in worlds[1].calls]
    return Played(theirs, worlds[1])
