"""Lines of a file as events: messages of a log, data of records, changes of a table.

In: lines.  Out: what is handed over; UsageError with the lines that cannot be.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.errors import Fault, Place, UsageError
from runner.local.log_payloads import EVENT_EXTRA, MOST_EVENT
from runner.local.stream_records import MOST_KINESIS, NotAChangeError, change_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def read_messages(lines: Iterable[bytes], file: str) -> list[tuple[int, str]]:
    """Give log messages by their lines, without the ends; an empty one is none."""
    texts = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, start=1):
        text = line.decode(errors="replace").rstrip("\r\n")
        size = len(text.encode()) + EVENT_EXTRA
        faults += large_record(file, number, size, MOST_EVENT, "CloudWatch Logs")
        if text.strip():
            texts.append((number, text))
    if faults:
        raise UsageError(faults)
    return texts


def read_datas(lines: Iterable[bytes], file: str) -> list[bytes]:
    """Give the data of records: lines as they are."""
    datas = list(lines)
    faults: list[Fault] = []
    for number, data in enumerate(datas, start=1):
        faults += large_record(file, number, len(data), MOST_KINESIS, "Kinesis")
    if faults:
        raise UsageError(faults)
    return datas


def large_record(file: str, number: int, size: int, most: int, service: str) -> list[Fault]:
    """Say that a line is larger than a service takes, if it is."""
    if size <= most:
        return []
    found, expected = f"{size:,} bytes", f"at most {most:,} bytes"
    advice = f"cut it; {service} takes no larger one"
    return [Fault(Place(file, number, 1), "large-record", found, expected, advice)]


def read_changes(lines: Iterable[bytes], file: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Read changes by their lines; UsageError for a line that is none."""
    faults = []
    now = datetime.now(UTC)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            if not isinstance(said, dict):
                raise NotAChangeError("no JSON object")
            list(change_records([(number, said)], "arn:aws:dynamodb:local:0:table/t/stream/s", now))
        except (ValueError, RecursionError) as error:
            expected = (
                'such as {"eventName": "INSERT", "dynamodb": {"NewImage": {"id": {"S": "1"}}}}'
            )
            place = Place(file, number, 1)
            advice = "write each change as DynamoDB Streams tells it"
            faults.append(Fault(place, "not-a-change", str(error), expected, advice))
            continue
        yield number, said
    if faults:
        raise UsageError(faults)
