"""What CloudWatch Logs sends to its subscribers, unpacked.

In: the event of a subscription (`awslogs`), or a batch of a Kinesis stream that one writes to.
Out: batches of log events; control messages are left out.  Whatever cannot be read comes out as
`Unreadable`, with the reason: nothing raises, whatever the bytes are.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GZIP = 31
"""What zlib takes for `gzip's header, largest window`."""
_MOST_BYTES = 1 << 27
"""Of one payload, unpacked: more is no payload of CloudWatch Logs."""


class LogEvent(NamedTuple):
    """A line of a log."""

    id: str
    """CloudWatch's own: the same each time that the event is sent."""
    time_ms: int
    message: str


class Batch(NamedTuple):
    """Lines of one log stream that came together."""

    record: str
    """Sequence number of the Kinesis record; empty if CloudWatch Logs called the function."""
    group: str
    stream: str
    events: tuple[LogEvent, ...]


class Unreadable(NamedTuple):
    """What came and is no payload of CloudWatch Logs."""

    record: str
    reason: str
    data: str
    """As it came: base64."""


def read_batches(event: Mapping[str, object]) -> Iterator[Batch | Unreadable]:
    """Unpack an invocation's event; ValueError if it is of another kind."""
    for record, data in _payloads(event):
        try:
            batch = _batch(record, data)
        except (ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
            yield Unreadable(record, f"{type(error).__name__}: {error}", data)
            continue
        if batch is not None:
            yield batch


def _payloads(event: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    match event:
        case {"awslogs": {"data": str(data)}}:
            yield "", data
        case {"Records": list(records)}:
            for record in records:
                match record:
                    case {"kinesis": {"sequenceNumber": str(number), "data": str(data)}}:
                        yield number, data
                    case _:
                        raise ValueError(f"a record that is not Kinesis': {str(record)[:200]}")
        case _:
            found = ", ".join(map(str, event)) or "nothing"
            raise ValueError(f"an event of CloudWatch Logs (awslogs) or Kinesis; found {found}")


def _batch(record: str, data: str) -> Batch | None:
    """Unpack one payload; None for a control message, which only tests the way."""
    unpacker = zlib.decompressobj(_GZIP)
    text = unpacker.decompress(base64.b64decode(data, validate=True), _MOST_BYTES)
    if not unpacker.eof:
        raise ValueError("the gzip data is cut off, or too large")
    said = json.loads(text)
    kind = said["messageType"]
    if kind == "CONTROL_MESSAGE":
        return None
    if kind != "DATA_MESSAGE":
        raise ValueError(f"messageType {kind!r}")
    events = [LogEvent(one["id"], one["timestamp"], one["message"]) for one in said["logEvents"]]
    for id_, time_ms, message in events:
        if not (type(id_) is str and type(time_ms) is int and type(message) is str):
            raise ValueError(f"a log event of other types: {(id_, time_ms, message)!s:.200}")
    return Batch(record, str(said["logGroup"]), str(said["logStream"]), tuple(events))
