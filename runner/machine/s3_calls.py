"""Calls of S3 by a distributed Map itself: journalled like those of a task.

In: an action, its arguments.  Out: the service's answer.  What a service may answer is more than
S3 says, so that binary files and large ones can pass:

- `s3:getObject` takes the definition's arguments and gives `{"Body": text}`, decompressed.  Asked
  with `InputType: PARQUET` it gives `{"Items": [...]}`, a part of the rows.  Either may add
  `Next`, any text: the same call with that text as `Part` gives what follows.  Texts in parts may
  be cut anywhere.
- `s3:listObjectsV2` gives `{"Contents": [...]}` and `NextContinuationToken`, as S3 does.
- `s3:putObject` takes `Bucket`, `Key` and the text `Body`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.events import EventKind
from runner.machine.fibers import CallTask
from runner.machine.ports import TaskRequest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from runner.machine.fibers import Request, Visit
    from runner.model.ports import Json

GET = "s3:getObject"
LIST = "s3:listObjectsV2"
PUT = "s3:putObject"
RESOURCES = tuple(f"arn:aws:states:::{action}" for action in (GET, LIST, PUT))


class S3Calls:
    """The calls of one attempt of a Map: each has a key of its own."""

    def __init__(self, visit: Visit, verb: str) -> None:
        """Take the visit of the Map, and what the calls are for (`read`, `write`)."""
        self._visit = visit
        self._verb = verb
        self._number = 0

    def call(
        self, resource: str, arguments: Mapping[str, Json]
    ) -> Generator[Request, Json, Mapping[str, Json]]:
        """Make one call; raises the service's StateError."""
        visit = self._visit
        shared = visit.frame.shared
        key = f"{visit.attempt_key}~{self._verb}{self._number or ''}"
        request = TaskRequest(
            key=key,
            state=visit.state,
            resource=resource,
            arguments=arguments,
            attempt=visit.attempt,
            timeout_s=None,
            heartbeat_s=None,
            context=visit.context(),
            repeated=shared.recorder.was_made(key),
        )
        self._number += 1
        told = {"resource": resource, "arguments": _without_body(arguments)}
        shared.recorder.emit(EventKind.TASK_SCHEDULED, request.key, visit.state, told)
        answer: Json = yield CallTask(visit, request)
        return answer if isinstance(answer, dict) else {}


def _without_body(arguments: Mapping[str, Json]) -> dict[str, Json]:
    """Leave out what is written: it follows from the events before, and may be large."""
    return {name: value for name, value in arguments.items() if name != "Body"}
