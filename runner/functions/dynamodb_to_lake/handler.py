"""Changes of a DynamoDB table to S3, as lines of plain JSON by the time of the change.

In: a batch of a DynamoDB stream, or of the Kinesis stream that a table sends its changes to.  Out:
`batchItemFailures`: the records that are none.  All others are in S3 then, each once, also if
Lambda calls again with a batch or a part of it.

    TO          s3://bucket/prefix/ (needed)
    PARTITION   day: dt=2024-05-06/ (default); hour: dt=2024-05-06/hour=07/ (UTC)

A record that is none is told to Lambda, which tries it again and gives it up in the end, and to the
log; the records behind it wait for nothing.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .columnar import ODD, read
    from .direct import change_of
    from .lines import Change, Lines
    from .often import checked
    from .store import Places, Store
    from .typed import NotARecordError
else:
    from columnar import ODD, read
    from direct import change_of
    from lines import Change, Lines
    from often import checked
    from store import Places, Store
    from typed import NotARecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = dict[str, Any]
_PLACE = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.*)\Z")
_PARTITIONS = {"day": "dt={:%Y-%m-%d}/", "hour": "dt={:%Y-%m-%d}/hour={:%H}/"}
_TABLE = re.compile(r":table/([^/]+)/stream/")
_SEQUENCE = re.compile(r"[0-9]{1,56}\Z")
_SEQUENCES = re.compile(r"[0-9]{1,56}(?:\n[0-9]{1,56})*+\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS, _MICROSECONDS = 10**11, 10**14
_READER = "changes"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    bucket: str
    prefix: str
    partition: str
    lines: Lines


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Read the environment; ValueError names the variable that is wrong."""
    place = _PLACE.match(environ.get("TO", ""))
    if place is None:
        raise ValueError(f"TO is {environ.get('TO', '')!r}; expected s3://bucket/prefix/")
    partition = environ.get("PARTITION", "day")
    if partition not in _PARTITIONS:
        raise ValueError(f"PARTITION is {partition!r}; expected {' or '.join(_PARTITIONS)}")
    prefix = f"{place[2].rstrip('/')}/".lstrip("/")
    return Settings(place[1], prefix, _PARTITIONS[partition], Lines())


@functools.cache
def _settings() -> Settings:
    return settings_of(os.environ)


@functools.cache
def _s3() -> Any:  # noqa: ANN401 - boto3's client
    import boto3  # noqa: PLC0415 - where it is used

    return boto3.client("s3")


def handler(event: Event, context: object) -> Event:  # noqa: ARG001 - Lambda's signature
    """Store a batch."""
    return answer(event, _settings(), _s3())


def answer(event: Event, settings: Settings, s3: Any) -> Event:  # noqa: ANN401 - boto3's client
    """Store a batch; gives the records that cannot be."""
    records = event["Records"]
    failures: list[dict[str, str]] = []
    try:
        places = _together(records, settings)
    except ODD:
        places = _one_by_one(records, settings, failures)
    Store(settings.bucket, settings.prefix, s3).add(places)
    return {"batchItemFailures": failures}


def _together(records: list[Event], settings: Settings) -> Places:
    """Read records of a DynamoDB stream; one of ODD if they are of another, or one is none."""
    heads, times, rests = read(records)
    sequences = [record["dynamodb"]["SequenceNumber"] for record in records]
    if _SEQUENCES.match("\n".join(sequences)) is None or len({*sequences}) < len(sequences):
        raise NotARecordError("a sequence number is none, or there twice")
    tables = [record.get("eventSourceARN", "") for record in records]
    written = {table: _table(str(table)) or "null" for table in {*tables}}
    shown = {time: _shown(time, settings.partition) for time in {*times}}
    lines = [
        f'{head}{sequence}","time":"{shown[time][0]}","table":{written[table]},{rest}'
        for head, sequence, time, table, rest in zip(
            heads, sequences, times, tables, rests, strict=True
        )
    ]
    partitions = [shown[time][1] for time in times]
    if len({*partitions}) == 1:
        return {(partitions[0], _READER): dict(zip(sequences, lines, strict=True))}
    places: Places = {}
    for partition, sequence, line in zip(partitions, sequences, lines, strict=True):
        places.setdefault((partition, _READER), {})[sequence] = line
    return places


def _one_by_one(records: list[Event], settings: Settings, failures: list[dict[str, str]]) -> Places:
    places: Places = {}
    known = _of_kinesis(records, settings.lines)
    for record, change in zip(records, known, strict=True):
        sequence = str((record.get("kinesis") or {}).get("sequenceNumber") or "")
        sequence = sequence or str((record.get("dynamodb") or {}).get("SequenceNumber") or "")
        try:
            partition, reader, line = _line(record, change, sequence, settings)
        except (NotARecordError, UnicodeError, RecursionError, binascii.Error) as error:
            print(f"{sequence or 'a record without sequence number'}: {error}")
            failures.append({"itemIdentifier": sequence})
        else:
            places.setdefault((partition, reader), {})[sequence] = line
    return places


def _of_kinesis(records: list[Event], lines: Lines) -> list[Change | None]:
    """Read the changes in records of Kinesis together; None for what is none."""
    texts = [_data(record) for record in records]
    return lines.read_all(checked(texts)) if any(texts) else [None] * len(texts)


def _data(record: Event) -> bytes:
    try:
        return base64.b64decode((record.get("kinesis") or {}).get("data") or "")
    except binascii.Error:
        return b""


def _line(
    record: Event, change: Change | None, sequence: str, settings: Settings
) -> tuple[str, str, str]:
    """Give the partition, reader and line of a record; `change` is what it says, if known."""
    if _SEQUENCE.match(sequence) is None:
        raise NotARecordError("no sequence number")
    kinesis = record.get("kinesis")
    if kinesis:
        change = change or settings.lines.read(base64.b64decode(kinesis["data"]).decode())
        reader = str(record.get("eventID", "")).rpartition(":")[0] or _READER
    else:
        change, reader = change_of(record), _READER
    table = _table(str(record.get("eventSourceARN", ""))) or change.table
    shown, partition = _shown(change.time, settings.partition)
    head = f'{{"event":{change.event},"sequence":"{sequence}","time":"{shown}","table":{table},'
    return partition, reader, head + change.rest


@functools.lru_cache(16)
def _table(arn: str) -> str:
    """Give the table of a stream as JSON; empty if it is no table's."""
    named = _TABLE.search(arn)
    return json.dumps(named[1]) if named else ""


@functools.lru_cache(4096)
def _shown(token: str, partition: str) -> tuple[str, str]:
    """Give a time as it is written, and the partition that it lies in."""
    time = _instant(token)
    shown = time.replace(tzinfo=None).isoformat(" ", "milliseconds")
    return shown, partition.format(time, time)


def _instant(token: str) -> datetime:
    """Read an epoch of seconds, milliseconds or microseconds."""
    try:
        if token.isdecimal():
            number = int(token)
            scale = 10**6 if number < _MILLISECONDS else 1000 if number < _MICROSECONDS else 1
            return _EPOCH + timedelta(microseconds=number * scale)
        return _EPOCH + timedelta(seconds=float(token))
    except (ValueError, OverflowError) as error:
        raise NotARecordError(f"{token} is no time") from error
