"""Lines of a log as CloudWatch Logs hands them to its subscribers.

In: lines.  Out: the events of a subscription's calls: JSON, gzipped, in base64.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from runner.model.ports import Json

MOST_EVENT = 1 << 20
"""Bytes of a log event, with what is counted for each."""
EVENT_EXTRA = 26
_MOST_EVENTS = 10_000
_MOST_BYTES = 1 << 20
_ACCOUNT = "000000000000"


class LogEvent(NamedTuple):
    """A line of a log."""

    id: str
    timestamp: int
    """Milliseconds since 1970."""
    message: str


def log_events(lines: Iterable[str], now: datetime) -> Iterator[LogEvent]:
    """Make log events of lines, all of this instant; each id is there once."""
    start, at = time.time_ns(), int(now.timestamp() * 1000)
    for number, line in enumerate(lines):
        yield LogEvent(f"3{start:035d}{number:020d}", at, line)


def batches(events: Iterable[LogEvent]) -> Iterator[list[LogEvent]]:
    """Cut events as they are put into a log stream: 10,000 or 1 MiB together."""
    batch: list[LogEvent] = []
    size = 0
    for event in events:
        own = len(event.message.encode()) + EVENT_EXTRA
        if batch and (len(batch) == _MOST_EVENTS or size + own > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += own
    if batch:
        yield batch


def payload(events: Iterable[LogEvent], *, group: str, stream: str, subscription: str) -> Json:
    """Make the event of a call."""
    said = {
        "messageType": "DATA_MESSAGE",
        "owner": _ACCOUNT,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [subscription],
        "logEvents": [event._asdict() for event in events],
    }
    packed = gzip.compress(json.dumps(said, ensure_ascii=False).encode(), mtime=0)
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}
