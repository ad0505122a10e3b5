"""Small real pieces for tests of distributed Maps: an S3 of texts, runs of one Map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.machine.s3_objects import S3Objects
from tests.machine.machines import Script, jsonata, jsonpath, play

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.machine import Outcome, TaskRequest

Json = Any

READ = {
    "Resource": "arn:aws:states:::s3:getObject",
    "Arguments": {"Bucket": "b", "Key": "{% $states.input.key %}"},
}
LIST = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Arguments": {"Bucket": "b"}}
WRITE = {
    "Resource": "arn:aws:states:::s3:putObject",
    "Arguments": {"Bucket": "b", "Prefix": "out"},
}
TASK = {"I": {"Type": "Task", "Resource": "r", "End": True}}
PASS = {"I": {"Type": "Pass", "End": True}}


class Store(Script):
    """S3 with one bucket `b`, and a script for everything else."""

    def __init__(self, objects: Mapping[str, str] | None = None, **answers: Json) -> None:
        super().__init__(**answers)
        texts = {f"b/{key}": text for key, text in (objects or {}).items()}
        self.s3 = S3Objects(texts, ("b",))
        self.asked: list[TaskRequest] = []

    def call(self, request: TaskRequest) -> Json:
        if request.resource not in S3Objects.RESOURCES:
            return super().call(request)
        self.asked.append(request)
        return self.s3.call(request.resource, request.arguments)

    def text(self, key: str) -> str:
        return self.s3.objects[f"b/{key}"]


def processor(states: Json = None, **config: Json) -> Json:
    """Make a processor whose iterations are executions."""
    states = TASK if states is None else states
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD", **config}
    return {"ProcessorConfig": config, "StartAt": next(iter(states)), "States": states}


def map_of(states: Json = None, *, express: bool = False, **fields: Json) -> Json:
    """Make a JSONata definition of one distributed Map."""
    config = {"ExecutionType": "EXPRESS"} if express else {}
    state = {"Type": "Map", "ItemProcessor": processor(states, **config), "End": True, **fields}
    return jsonata({"M": state})


def path_map_of(states: Json = None, **fields: Json) -> Json:
    """Make a JSONPath definition of one distributed Map."""
    return jsonpath(
        {"M": {"Type": "Map", "ItemProcessor": processor(states), "End": True, **fields}}
    )


def read(text: str, **config: Json) -> Outcome:
    """Read one object with that text, and give the items back."""
    reader = {**READ, "ReaderConfig": config}
    return play(map_of(PASS, ItemReader=reader), {"key": "k"}, Store({"k": text}))
