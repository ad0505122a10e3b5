"""Answers to Firehose that keep under Lambda's 6 MB: what does not fit is put again.

In: the event's records and their answers.  Out: answers whose JSON fits.  A record whose answer
does not fit goes back to where it came from and is `Dropped`, for it will come again; what cannot
be put is `ProcessingFailed`, so that Firehose keeps it with its errors.  Nothing is lost: a record
may come twice if AWS took it and its answer did not arrive.

PutRecordBatch takes 500 records and 4 MiB, and says with status 200 which of them it refused:
https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
"""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Record = dict[str, Any]
"""A record of the event, or its answer."""

MOST_BYTES = 6_291_556
"""Of an answer, as JSON: Lambda's limit."""
_SPARE = 64 << 10
_MOST_RECORDS = 500
_MOST_BATCH = 4 << 20
_LONGEST_PAUSE_S = 8.0
_RESERVED_S = 10.0
"""Of the function's time, to answer in."""
_FRAME = len(', {"recordId": , "result": "ProcessingFailed", "data": ""}')
_METADATA = len(', "metadata": ')
_MOST_ESCAPED = 6
"""Letters of one in JSON."""
_MOST_METADATA = 100
"""Of the day and the hour of a record."""
_HOPELESS = (
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidArgumentException",
    "InvalidKMSResourceException",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
)


class Clock(Protocol):
    """Lambda's context, as far as it is needed."""

    def get_remaining_time_in_millis(self) -> int:
        """Give the time left."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an event's records came from."""

    stream: str
    """Name of the delivery stream, or ARN of the Kinesis stream that it reads."""
    kinesis: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """How records are put again."""

    client: Callable[[str], Any]
    """Makes a client of a service by its name: firehose, kinesis."""
    left_s: Callable[[], float]
    """Seconds that the function has left."""
    sleep: Callable[[float], None]


def source_of(event: Record) -> Source | None:
    """Tell where an event's records came from; None if it does not say."""
    kinesis = event.get("sourceKinesisStreamArn")
    if kinesis:
        return Source(str(kinesis), kinesis=True)
    name = str(event.get("deliveryStreamArn") or "").partition(":deliverystream/")[2]
    return Source(name) if name else None


def fitted(event: Record, answers: list[Record], again: Again) -> list[Record]:
    """Give the answers as they are if they fit; else put again what does not."""
    room = MOST_BYTES - _SPARE
    data = sum([len(answer["data"]) for answer in answers if "data" in answer])
    ids = len("".join([answer["recordId"] for answer in answers]))
    if data + _MOST_ESCAPED * ids + len(answers) * (_FRAME + _MOST_METADATA) <= room:
        return answers
    sizes = [_size(answer) for answer in answers]
    if sum(sizes) <= room:
        return answers
    kept = [_failed(answer) for answer in answers]
    least = [_size(answer) for answer in kept]
    used, delivered, excess = sum(least), False, list[int]()
    for at, answer in enumerate(answers):
        if used - least[at] + sizes[at] <= room:
            used += sizes[at] - least[at]
            kept[at] = answer
            delivered = delivered or answer["result"] == "Ok"
        elif answer["result"] == "Ok" and delivered and sizes[at] <= room:
            excess.append(at)  # else it would come again and again
    for at in _put(event, excess, again):
        kept[at] = {"recordId": answers[at]["recordId"], "result": "Dropped"}
    return kept


def _size(answer: Record) -> int:
    """Give the letters that an answer takes at most."""
    size = _FRAME + len(json.dumps(answer["recordId"])) + len(answer.get("data", ""))
    if "metadata" in answer:
        size += _METADATA + len(json.dumps(answer["metadata"]))
    return size


def _failed(answer: Record) -> Record:
    """Answer without data: Firehose keeps the record that it sent."""
    return {"recordId": answer["recordId"], "result": "ProcessingFailed"}


def _put(event: Record, places: Sequence[int], again: Again) -> list[int]:
    """Put records of an event again; gives the places of those that were taken."""
    source = source_of(event)
    if source is None or not places:
        return []
    client = again.client("kinesis" if source.kinesis else "firehose")
    taken: list[int] = []
    for batch in _batches(event["records"], places):
        taken += _put_batch(client, source, batch, again)
    return taken


_Batch = dict[int, dict[str, Any]]
"""Records as the service takes them, by their places in the event."""


def _batches(records: Sequence[Record], places: Sequence[int]) -> Iterator[_Batch]:
    batch: _Batch = {}
    size = 0
    for at in places:
        data = base64.b64decode(records[at]["data"])
        key = (records[at].get("kinesisRecordMetadata") or {}).get("partitionKey")
        length = len(data) + len(str(key or ""))
        if batch and (len(batch) == _MOST_RECORDS or size + length > _MOST_BATCH):
            yield batch
            batch, size = {}, 0
        batch[at] = {"Data": data, "PartitionKey": str(key or records[at]["recordId"])}
        size += length
    if batch:
        yield batch


def _put_batch(client: Any, source: Source, batch: _Batch, again: Again) -> list[int]:  # noqa: ANN401 - boto3's client
    """Put a batch, and again what was refused of it, until all is taken or time is short."""
    pending, taken, pause = dict(batch), list[int](), 0.1
    while pending and again.left_s() > _RESERVED_S:
        refused = _refused(client, source, list(pending.values()))
        if refused is None:
            break
        places = list(pending)
        again_at = {places[number] for number in refused}
        taken += [at for at in places if at not in again_at]
        pending = {at: pending[at] for at in places if at in again_at}
        if pending:
            again.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - a pause
            pause = min(2 * pause, _LONGEST_PAUSE_S)
    return taken


def _refused(client: Any, source: Source, records: list[dict[str, Any]]) -> list[int] | None:  # noqa: ANN401 - boto3's client
    """Put records; gives the numbers of those that were refused, None if to ask again is idle."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - seldom needed

    try:
        if source.kinesis:
            told = client.put_records(StreamARN=source.stream, Records=records)["Records"]
        else:
            plain = [{"Data": record["Data"]} for record in records]
            answer = client.put_record_batch(DeliveryStreamName=source.stream, Records=plain)
            told = answer["RequestResponses"]
    except ClientError as error:
        hopeless = error.response.get("Error", {}).get("Code") in _HOPELESS
        print(f"put again: {error}")
        return None if hopeless else list(range(len(records)))
    except BotoCoreError as error:
        print(f"put again: {error}")
        return list(range(len(records)))
    return [number for number, each in enumerate(told) if each.get("ErrorCode")]
