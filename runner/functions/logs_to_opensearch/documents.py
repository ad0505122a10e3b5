"""Log events become documents: an index for each day, the id that of the log event.

In: a log event.  Out: two lines of `_bulk`.  A message that is a JSON object is there as `fields`
too, so that dashboards can count by them.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, NamedTuple, NoReturn

if TYPE_CHECKING:
    from .payload import Batch, LogEvent

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_MS = 86_400_000
_DAYS = range(-719_162, 2_932_897)
"""Of the years 1 to 9999."""
UNDATED = "undated"
"""In place of the day, for an event whose time is none."""


class Document(NamedTuple):
    """A document that is ready to be sent."""

    event: LogEvent
    record: str
    """The Kinesis record that it came in."""
    text: str
    """Two lines of JSON, ASCII."""


def make_documents(batch: Batch, prefix: str, *, parse: bool) -> list[Document]:
    """Make the documents of a batch; `parse` puts what JSON messages say under `fields`."""
    shared = f'"log_group":{quoted(batch.group)},"log_stream":{quoted(batch.stream)}'
    made: list[Document] = []
    day, index, date = None, "", ""
    for event in batch.events:
        at, rest = divmod(event.time_ms, _DAY_MS)
        if at != day:
            day = at
            date = _date(at)
            index = f'{{"create":{{"_index":{quoted(prefix + (date.replace("-", ".") or UNDATED))}'
        fields = _fields(event.message) if parse else ""
        text = (
            f'{index},"_id":{quoted(event.id)}}}}}\n{{"@timestamp":{_time(event, date, rest)},'
            f'"message":{quoted(event.message)},{shared}{fields}}}\n'
        )
        made.append(Document(event, batch.record, text))
    return made


def _date(day: int) -> str:
    if day not in _DAYS:
        return ""
    return (_EPOCH + dt.timedelta(days=day)).date().isoformat()


def _time(event: LogEvent, date: str, rest: int) -> str:
    """Write a time as ISO 8601; one that no calendar has stays a number."""
    if not date:
        return str(event.time_ms)
    seconds, milliseconds = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f'"{date}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"'


def _fields(message: str) -> str:
    if not message.lstrip().startswith("{"):
        return ""
    try:
        said = _decode(message)
        return f',"fields":{_compact(said)}' if isinstance(said, dict) else ""
    except (ValueError, RecursionError):
        return ""


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _number(text: str) -> float:
    """Read a number; one beyond all floats would be written as no JSON."""
    found = float(text)
    return _refuse(text) if math.isinf(found) else found


_decode = json.JSONDecoder(parse_constant=_refuse, parse_float=_number).decode
_compact = json.JSONEncoder(separators=(",", ":")).encode
