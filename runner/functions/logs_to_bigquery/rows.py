"""Log events become rows: timestamp, session_id, action, params.

In: a log event and the names of the fields.  Out: the row as insertAll takes it, its insertId that
of the log event.  A message that is no JSON object becomes a row too: its text is in params.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, NamedTuple, NoReturn

if TYPE_CHECKING:
    from .payload import LogEvent

_MILLISECONDS_FROM = 100_000_000_000
"""A number from here on is milliseconds: as seconds it would be the year 5138."""
_LEAST_MS, _MOST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The first and last instant that BigQuery has: years 1 to 9999."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Fields(NamedTuple):
    """Where a message has what becomes a column; dots lead into objects."""

    session: str = "session_id"
    action: str = "action"
    params: str = "params"
    time: str = ""
    """Empty: the log event's own time."""


class Row(NamedTuple):
    """A row that is ready to be sent."""

    event: LogEvent
    record: str
    """The Kinesis record that it came in."""
    text: str
    """JSON, ASCII."""


def make_row(event: LogEvent, record: str, fields: Fields) -> Row:
    """Make the row of a log event."""
    said = _object(event.message)
    time_ms = event.time_ms
    if said is None:
        session, action = "null", "null"
        params = _compact({"message": event.message})
    else:
        session, action = _text(said, fields.session), _text(said, fields.action)
        params = _params(said, fields)
        if fields.time:
            time_ms = _instant(_found(said, fields.time), otherwise=time_ms)
    text = (
        f'{{"insertId":{quoted(event.id)},"json":{{"timestamp":"{_written(time_ms)}",'
        f'"session_id":{session},"action":{action},"params":{quoted(params)}}}}}'
    )
    return Row(event, record, text)


def _object(message: str) -> dict[str, object] | None:
    """Read a message that is a JSON object."""
    try:
        said = _decode(message)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _number(text: str) -> float:
    """Read a number; one beyond all floats would be written as no JSON."""
    found = float(text)
    return _refuse(text) if math.isinf(found) else found


_decode = json.JSONDecoder(parse_constant=_refuse, parse_float=_number).decode
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _found(said: dict[str, object], path: str) -> object:
    """Follow a path; a key that has the dots itself goes first."""
    if path in said or "." not in path:
        return said.get(path)
    value: object = said
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(said: dict[str, object], path: str) -> str:
    """Give what is there as the JSON of a text, or null."""
    value = _found(said, path)
    if isinstance(value, str):
        return quoted(value)
    return "null" if value is None else quoted(_compact(value))


def _params(said: dict[str, object], fields: Fields) -> str:
    """Give the parameters; where a message has none, everything that no other column takes."""
    value = _found(said, fields.params)
    if value is None:
        taken = (fields.session, fields.action, fields.time)
        value = {name: one for name, one in said.items() if name not in taken}
    return _compact(value)


def _instant(value: object, *, otherwise: int) -> int:
    """Read a time in milliseconds: ISO 8601 (UTC unless it says more), seconds, milliseconds."""
    if isinstance(value, str):
        try:
            read = dt.datetime.fromisoformat(value)
            aware = read if read.tzinfo else read.replace(tzinfo=dt.UTC)
            return (aware - _EPOCH) // dt.timedelta(milliseconds=1)
        except (ValueError, OverflowError):
            return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    if abs(value) > _MOST_MS:
        return otherwise
    return int(value if abs(value) >= _MILLISECONDS_FROM else value * 1000)


def _written(time_ms: int) -> str:
    """Write a time as BigQuery reads it, or as a number that BigQuery refuses by itself."""
    if not _LEAST_MS <= time_ms <= _MOST_MS:
        return str(time_ms)
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"{_date(day)}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    return (_EPOCH + dt.timedelta(days=day)).date().isoformat()
