"""Records of Kinesis and of DynamoDB streams, and how Lambda hands them to a function.

In: what was put or changed.  Out: records as Lambda's event source mappings form them, and calls
of a function with batches of them.  A batch that fails is tried again from the first record that
failed; if that is its own first one, it is halved; a single record is tried again as often as the
mapping says, and then given up, so that those behind it go on.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.lambdas import problem_of
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from runner.model.ports import Json

MOST_KINESIS = 1 << 20
"""Bytes of a record of Kinesis."""
_MOST_EVENT = 6 << 20
"""Bytes of a call's event."""
_SHARD = "shardId-000000000000"
_VIEWS = {
    (True, True): "NEW_AND_OLD_IMAGES",
    (True, False): "NEW_IMAGE",
    (False, True): "OLD_IMAGE",
}
_CHANGES = {(True, True): "MODIFY", (True, False): "INSERT", (False, True): "REMOVE"}


class Record(NamedTuple):
    """A record, and where it came from."""

    line: int
    sequence: str
    body: Json


class GivenUp(NamedTuple):
    """A record that no attempt got through."""

    line: int
    sequence: str
    problem: str


class Handed(NamedTuple):
    """What a function was handed over."""

    records: int
    calls: int
    given_up: tuple[GivenUp, ...]


class NotAChangeError(ValueError):
    """A line that is no change of a table; the text says what is missing."""


def kinesis_records(datas: Iterable[bytes], arn: str, now: datetime) -> Iterator[Record]:
    """Make records of what was put into a stream."""
    start = time.time_ns()
    for number, data in enumerate(datas, start=1):
        sequence = f"49{start:035d}{number:019d}"
        body = {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": str(number),
                "sequenceNumber": sequence,
                "data": base64.b64encode(data).decode(),
                "approximateArrivalTimestamp": now.timestamp(),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{_SHARD}:{sequence}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::000000000000:role/local",
            "awsRegion": _region(arn),
            "eventSourceARN": arn,
        }
        yield Record(number, sequence, body)


def change_records(
    changes: Iterable[tuple[int, Mapping[str, Any]]], arn: str, now: datetime
) -> Iterator[Record]:
    """Make records of changes of a table, by their lines; what a line leaves out is put in.

    NotAChangeError for one without images.
    """
    start = time.time_ns()
    for line, said in changes:
        given = said.get("dynamodb")
        if not isinstance(given, dict):
            raise NotAChangeError("no object `dynamodb`")
        images = (_is_item(given, "NewImage"), _is_item(given, "OldImage"))
        if not any(images) and not _is_item(given, "Keys"):
            raise NotAChangeError("none of `NewImage`, `OldImage` and `Keys` in `dynamodb`")
        name = said.get("eventName", _CHANGES.get(images))
        if name not in _CHANGES.values():
            raise NotAChangeError(f"`eventName` is {name!r}, not INSERT, MODIFY or REMOVE")
        change = {
            "ApproximateCreationDateTime": int(now.timestamp()),
            "SequenceNumber": f"{start}{line:010d}",
            "SizeBytes": len(json.dumps(given)),
            "StreamViewType": _VIEWS.get(images, "KEYS_ONLY"),
            **given,
        }
        body = {
            "eventID": uuid.uuid4().hex,
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": _region(arn),
            **{key: value for key, value in said.items() if key not in {"dynamodb", "eventName"}},
            "dynamodb": change,
            "eventSourceARN": arn,
        }
        yield Record(line, str(change["SequenceNumber"]), body)


def hand_over(
    records: Iterable[Record], call: Callable[[Json], Json], *, batch: int, attempts: int
) -> Handed:
    """Call a function with batches until each record is through or given up."""
    count = calls = 0
    given_up: list[GivenUp] = []
    for first in _batches(records, batch):
        count += len(first)
        left: list[tuple[Sequence[Record], int]] = [(first, 0)]
        while left:
            some, tries = left.pop()
            calls += 1
            at, problem = _first_failure(some, call)
            rest = some[at:]
            if not rest:
                continue
            middle = len(rest) // 2
            if attempts and at:
                left.append((rest, 0))
            elif attempts and middle:
                left += [(rest[middle:], 0), (rest[:middle], 0)]
            elif tries < attempts:
                left.append((rest, tries + 1))
            else:
                given_up += [GivenUp(one.line, one.sequence, problem) for one in rest]
    return Handed(count, calls, tuple(given_up))


def _first_failure(some: Sequence[Record], call: Callable[[Json], Json]) -> tuple[int, str]:
    """Call the function; gives the place of the first record that failed, and why."""
    try:
        answer = call({"Records": [one.body for one in some]})
    except ServiceError as error:
        return 0, problem_of(error)
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return len(some), ""
    places = {one.sequence: place for place, one in enumerate(some)}
    try:
        failed = [places[one["itemIdentifier"]] for one in failures]
    except (KeyError, TypeError):
        return 0, f"its answer names no record of the batch: {json.dumps(answer)[:200]}"
    return min(failed), "in batchItemFailures of its answer; see its log"


def _batches(records: Iterable[Record], most: int) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        own = len(json.dumps(record.body)) + 2
        if batch and (len(batch) == most or size + own > _MOST_EVENT - 20):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += own
    if batch:
        yield batch


def _is_item(given: Mapping[str, Any], name: str) -> bool:
    return isinstance(given.get(name), dict)


def _region(arn: str) -> str:
    return arn.split(":")[3]
