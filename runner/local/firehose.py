"""Delivery streams on this machine: records, the function that changes them, objects in S3.

In: a stream's settings and records, as PutRecordBatch takes them.  Out: objects below the stream's
prefix, and those that could not be changed below `errors`, named and laid out as Firehose does
("Amazon S3 object name format", "Data transformation failure handling").  Nothing is buffered
beyond a call: what was put is delivered when the call ends, in objects of the stream's size.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import string
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.javatime import strftime_pattern
from runner.model.ports import Json, ServiceError
from runner.model.raised import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from runner.local.arrivals import Called
    from runner.local.s3 import FolderS3

MOST_RECORDS = 500
MOST_BYTES = 4 << 20
MOST_RECORD = 1_024_000
"""PutRecordBatch: records of a call, bytes of a call, bytes of a record (AWS's API reference)."""
_CALL_BYTES = 1 << 20
"""Records of so many bytes go into one call of the function, as our deployed streams say."""
_MOST_CALL = 6 << 20
"""Bytes of a call's event, and of its answer: Lambda takes no larger ones."""
_RECORD_EXTRA = 160
"""What a record has in an event beside its data in base64, at most."""
_EXPRESSION = re.compile(r"!\{([^}]*)\}")
_PARTITION_KEY = re.compile(r"!\{partitionKeyFromLambda:([^}]*)\}")
_DEFAULT_TIME = "!{timestamp:yyyy/MM/dd/HH}/"
_RESULTS = ("Ok", "Dropped", "ProcessingFailed")
REFUSED = "Lambda.ProcessingFailedStatus"
"""Code of a record that the function itself said to keep aside."""
_UNANSWERED = ("Lambda.MissingRecordId", "The record has no answer")
_ARN = "arn:aws:firehose:local:000000000000:deliverystream/"
_ATTEMPTS = 4
"""Of a call that fails: the first and three retries."""


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """A stream, as config.yaml says it."""

    name: str
    to: str
    """Where it delivers, `s3://bucket/prefix/`."""
    prefix: str
    errors: str
    compression: str
    size_bytes: int
    function: str = ""
    """Deployed name of the function that changes records; empty for none."""


class Cause(NamedTuple):
    """Why records failed."""

    code: str
    message: str
    records: int
    first: int
    """Which the first of them is, counted from 1."""


@dataclass(slots=True)
class Delivered:
    """What became of records."""

    records: int = 0
    dropped: int = 0
    failed: int = 0
    objects: list[str] = field(default_factory=list)
    """URIs of what was written."""
    called: list[Called] = field(default_factory=list)
    """What was called by these objects."""
    causes: list[Cause] = field(default_factory=list)
    """Why records failed: each reason once."""

    @property
    def broken(self) -> bool:
        """Tell whether the function failed, and not only refused records."""
        return any(cause.code != REFUSED for cause in self.causes)

    def fail(self, record: int, error: tuple[str, str], count: int = 1) -> None:
        """Count records that failed for a reason."""
        self.failed += count
        for place, cause in enumerate(self.causes):
            if cause[:2] == error:
                self.causes[place] = cause._replace(records=cause.records + count)
                return
        self.causes.append(Cause(*error, count, record))

    def add(self, more: Delivered) -> None:
        """Count what became of more records."""
        for cause in more.causes:
            self.fail(self.records + cause.first, (cause.code, cause.message), cause.records)
        self.records += more.records
        self.dropped += more.dropped
        self.objects += more.objects


@dataclass(frozen=True, slots=True)
class _Record:
    id: str
    data: bytes
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Firehose:
    """The delivery streams of one environment."""

    streams: Mapping[str, StreamPlace]
    """By deployed name."""
    s3: FolderS3
    invoke: Callable[[str, Json], Json]
    """Calls a function by its deployed name; raises ServiceError as `lambda:invoke` does."""
    now: Callable[[], datetime]

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve PutRecord and PutRecordBatch, as `aws-sdk:firehose` names them."""
        if action == "putRecord":
            self.put(arguments.get("DeliveryStreamName"), [_data(arguments.get("Record"))])
            return {"RecordId": uuid.uuid4().hex, "Encrypted": False}
        if action != "putRecordBatch":
            known = "putRecord and putRecordBatch are"
            raise ServiceError("States.Runtime", f"firehose:{action} is not known locally; {known}")
        records = [_data(each) for each in arguments.get("Records") or ()]
        _check(records)
        self.put(arguments.get("DeliveryStreamName"), records)
        answers = [{"RecordId": uuid.uuid4().hex} for _ in records]
        return {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": answers}

    def put(self, name: object, records: Sequence[bytes]) -> Delivered:
        """Bring records to S3; raises ServiceError for a stream that is not there."""
        stream = self.streams.get(str(name))
        if stream is None:
            message = f"Firehose {name} under account 000000000000 not found."
            raise ServiceError("Firehose.ResourceNotFoundException", message)
        found = Delivered(records=len(records))
        kept: dict[tuple[tuple[str, str], ...], list[bytes]] = {}
        for batch in _batches(records):
            for one in self._changed(stream, batch, found):
                kept.setdefault(one.keys, []).append(one.data)
        for keys, datas in kept.items():
            for body in _bodies(datas, stream.size_bytes):
                found.objects.append(self._write(stream, stream.prefix, body, dict(keys)))
        return found

    def _changed(
        self, stream: StreamPlace, batch: Sequence[_Record], found: Delivered
    ) -> Iterator[_Record]:
        """Give what the function makes of records; those that fail go to the errors."""
        if not stream.function:
            yield from batch
            return
        failed: list[dict[str, Json]] = []
        answers, problem = self._ask(stream, batch)
        wanted = set(_PARTITION_KEY.findall(stream.prefix))
        for record in batch:
            answer = answers.get(record.id)
            if answer is not None and answer["result"] == "Dropped":
                found.dropped += 1
                continue
            error, keys = problem, {}
            if answer is not None:
                keys = _keys(answer)
                error = _trouble(answer, wanted - keys.keys())
            if answer is None or error is not None:
                found.fail(int(record.id) + 1, error or _UNANSWERED)
                failed.append(self._failure(stream, record, error or _UNANSWERED))
                continue
            data = base64.b64decode(answer["data"])
            yield _Record(record.id, data, tuple(sorted(keys.items())))
        if failed:
            body = b"".join(json.dumps(each).encode() + b"\n" for each in failed)
            found.objects.append(self._write(stream, stream.errors, body, {}, failed=True))

    def _ask(
        self, stream: StreamPlace, batch: Sequence[_Record]
    ) -> tuple[dict[str, Any], tuple[str, str] | None]:
        """Call the function; gives its answers by record, and why there are none."""
        arrived = int(self.now().timestamp() * 1000)
        event = {
            "invocationId": str(uuid.uuid4()),
            "deliveryStreamArn": f"{_ARN}{stream.name}",
            "region": "local",
            "records": [
                {
                    "recordId": record.id,
                    "approximateArrivalTimestamp": arrived,
                    "data": base64.b64encode(record.data).decode(),
                }
                for record in batch
            ],
        }
        problem = ("Lambda.InvokeLimitExceeded", "")
        for _ in range(_ATTEMPTS):
            try:
                answer = self.invoke(stream.function, event)
            except ServiceError as error:
                problem = ("Lambda.FunctionError", f"{error.error}: {message_of(error.cause)}")
                continue
            return _answers(answer, batch)
        return {}, problem

    def _failure(
        self, stream: StreamPlace, record: _Record, error: tuple[str, str]
    ) -> dict[str, Json]:
        arrived = int(self.now().timestamp() * 1000)
        return {
            "attemptsMade": _ATTEMPTS if error[0] == "Lambda.FunctionError" else 1,
            "arrivalTimestamp": arrived,
            "errorCode": error[0],
            "errorMessage": error[1],
            "attemptEndingTimestamp": arrived,
            "rawData": base64.b64encode(record.data).decode(),
            "lambdaArn": f"arn:aws:lambda:local:000000000000:function:{stream.function}:$LATEST",
        }

    def _write(
        self,
        stream: StreamPlace,
        prefix: str,
        body: bytes,
        keys: Mapping[str, str],
        *,
        failed: bool = False,
    ) -> str:
        now = self.now()
        bucket, _, head = stream.to.removeprefix("s3://").partition("/")
        name = f"{stream.name}-1-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"
        zipped = stream.compression == "gzip" and not failed
        key = f"{head}{expanded(prefix, now, keys)}{name}{'.gz' if zipped else ''}"
        self.s3.put_object(Bucket=bucket, Key=key, Body=_gzip(body) if zipped else body)
        return f"s3://{bucket}/{key}"


def expanded(prefix: str, now: datetime, keys: Mapping[str, str]) -> str:
    """Put values into a prefix; one that no expression divides is followed by the hour (UTC).

    "If you specify a prefix that doesn't contain a timestamp namespace expression, Firehose appends
    the expression !{timestamp:yyyy/MM/dd/HH/}": not behind partition keys, nor behind errors' type.

    >>> from datetime import UTC, datetime
    >>> expanded("a/dt=!{timestamp:yyyy-MM-dd}/", datetime(2024, 5, 6, 7, tzinfo=UTC), {})
    'a/dt=2024-05-06/'
    >>> expanded("a/", datetime(2024, 5, 6, 7, tzinfo=UTC), {})
    'a/2024/05/06/07/'
    """

    def value(match: re.Match[str]) -> str:
        space, _, name = match[1].partition(":")
        if space == "timestamp":
            return now.strftime(strftime_pattern(name))
        if space == "partitionKeyFromLambda":
            return keys.get(name, "")
        if name == "random-string":
            return "".join(random.choices(string.ascii_letters, k=11))  # noqa: S311 - a name
        return "processing-failed"

    divided = set(_EXPRESSION.findall(prefix)) - {"firehose:random-string"}
    text = prefix if divided else prefix + _DEFAULT_TIME
    return _EXPRESSION.sub(value, text)


def _answers(
    answer: Json, batch: Sequence[_Record]
) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """Read a function's answer; every record must be there once, with a known result."""
    records = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(records, list):
        return {}, ("Lambda.JsonProcessingException", "The answer holds no list `records`")
    if len(json.dumps(answer)) > _MOST_CALL:
        return {}, ("Lambda.FunctionError", "Response payload size exceeded maximum: 6291556 bytes")
    ids = [each.get("recordId") if isinstance(each, dict) else None for each in records]
    if sorted(map(str, ids)) != sorted(record.id for record in batch):
        return {}, ("Lambda.MissingRecordId", "Each record must be answered once, by its recordId")
    if any(each.get("result") not in _RESULTS for each in records):
        return {}, ("Lambda.JsonProcessingException", f"`result` is one of {', '.join(_RESULTS)}")
    if not all(_is_whole(each) for each in records if each["result"] == "Ok"):
        message = "An Ok record has `data` in base64, and partition keys in an object if any"
        return {}, ("Lambda.JsonProcessingException", message)
    return {each["recordId"]: each for each in records}, None


def _keys(answer: Mapping[str, Any]) -> dict[str, str]:
    said = answer.get("metadata", {}).get("partitionKeys", {})
    return {str(key): str(value) for key, value in said.items() if value not in {"", None}}


def _trouble(answer: Mapping[str, Any], absent: AbstractSet[str]) -> tuple[str, str] | None:
    """Say why a record is not delivered; None if it is."""
    if answer["result"] == "ProcessingFailed":
        return REFUSED, "ProcessingFailed status set"
    if absent:
        names = ", ".join(sorted(absent))
        return (
            "DynamicPartitioning.MetadataExtractionFailed",
            f"partitionKeys values must not be null or empty: {names} of the prefix",
        )
    return None


def _is_whole(answer: Mapping[str, Any]) -> bool:
    """Tell whether a record that is Ok can be delivered."""
    keys = answer.get("metadata", {})
    if not isinstance(keys, dict) or not isinstance(keys.get("partitionKeys", {}), dict):
        return False
    try:
        base64.b64decode(answer.get("data"), validate=True)  # type: ignore[arg-type]  # None too
    except (TypeError, ValueError):
        return False
    return True


def _batches(records: Sequence[bytes]) -> Iterator[list[_Record]]:
    """Cut records into calls of the function."""
    batch: list[_Record] = []
    size = 0
    for number, data in enumerate(records):
        sent = (size + len(data)) * 4 // 3 + (len(batch) + 1) * _RECORD_EXTRA
        if batch and (size + len(data) > _CALL_BYTES or sent > _MOST_CALL):
            yield batch
            batch, size = [], 0
        batch.append(_Record(f"{number:056d}", data))
        size += len(data)
    if batch:
        yield batch


def _bodies(datas: Sequence[bytes], most: int) -> Iterator[bytes]:
    """Join records to objects; Firehose puts nothing between them."""
    found: list[bytes] = []
    size = 0
    for data in datas:
        if found and size + len(data) > most:
            yield b"".join(found)
            found, size = [], 0
        found.append(data)
        size += len(data)
    if found:
        yield b"".join(found)


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)


def _data(record: Json) -> bytes:
    """Give a record's bytes: base64 on the wire, or bytes already."""
    data = record.get("Data") if isinstance(record, dict) else None
    if isinstance(data, bytes):
        return data
    if not isinstance(data, str):
        raise _invalid("Record.Data is missing")
    return base64.b64decode(data)


def _check(records: Sequence[bytes]) -> None:
    """Refuse what PutRecordBatch refuses."""
    if not 1 <= len(records) <= MOST_RECORDS:
        raise _invalid(f"1 to {MOST_RECORDS} records; here are {len(records)}")
    if any(len(data) > MOST_RECORD for data in records):
        raise _invalid(f"a record has at most {MOST_RECORD:,} bytes")
    if sum(map(len, records)) > MOST_BYTES:
        raise _invalid(f"records of a call have at most {MOST_BYTES:,} bytes")


def _invalid(message: str) -> ServiceError:
    return ServiceError("Firehose.InvalidArgumentException", message)
