"""Firehose transformation: nested JSON to one level, a line for each object.

In: Firehose's event.  Out: an answer for each record: `Ok` with lines of flat JSON, `Dropped` for
an empty record, `ProcessingFailed` with its own data for what is no JSON object in UTF-8.

    SEPARATOR       between the keys of a path (default _)
    MAX_DEPTH       keys of a path; objects below stay JSON text (default 0: no limit)
    ARRAYS          json: an array is JSON text in one column (default); index: tags_0, tags_1
    LOWER_CASE      true: names in small letters (default false)
    PARTITION_BY    a flat name whose ISO time or epoch gives the partition keys dt and hour (UTC)
"""

from __future__ import annotations

import functools
import os
import time
from binascii import b2a_base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .flatten import Flattener, Rules
    from .records import failed, texts_of
    from .reingest import Again, fitted
else:
    from flatten import Flattener, Rules
    from records import failed, texts_of
    from reingest import Again, fitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .reingest import Clock, Record

_MILLISECONDS = 1e11
_MICROSECONDS = 1e14
_MOST_HOURS = 10_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    flattener: Flattener
    partition_by: str


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Read the environment; ValueError names the variable that is wrong."""
    partition_by = environ.get("PARTITION_BY", "")
    rules = Rules(
        separator=environ.get("SEPARATOR", "_"),
        max_depth=_depth(environ.get("MAX_DEPTH", "0")),
        index_arrays=_choice(environ, "ARRAYS", ("json", "index")) == "index",
        lower_case=_choice(environ, "LOWER_CASE", ("false", "true")) == "true",
        time=partition_by,
    )
    if not rules.separator:
        raise ValueError("SEPARATOR is empty; expected one or more letters, such as _")
    return Settings(Flattener(rules), partition_by)


def _depth(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"MAX_DEPTH is {text!r}; expected a number, 0 for no limit")
    return int(text)


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    found = environ.get(name, choices[0])
    if found not in choices:
        raise ValueError(f"{name} is {found!r}; expected {' or '.join(choices)}")
    return found


@functools.cache
def _settings() -> Settings:
    return settings_of(os.environ)


def handler(event: Record, context: Clock) -> Record:
    """Flatten the records of an event."""
    again = Again(_client, lambda: context.get_remaining_time_in_millis() / 1000, time.sleep)
    return answer(event, _settings(), again)


def _client(service: str) -> Any:  # noqa: ANN401 - boto3's client
    import boto3  # noqa: PLC0415 - needed only for what does not fit

    return boto3.client(service)


def answer(event: Record, settings: Settings, again: Again) -> Record:
    """Give the answer to an event."""
    records = event["records"]
    texts = texts_of(records)
    times: list[list[str]] | None = [[] for _ in texts] if settings.partition_by else None
    flats = settings.flattener.flatten_all(texts, times)
    found = [
        _rest(record, text)
        if flat is None
        else {
            "recordId": record["recordId"],
            "result": "Ok",
            "data": b2a_base64(flat, newline=False).decode("ascii"),
        }
        for record, text, flat in zip(records, texts, flats, strict=True)
    ]
    if times is not None:
        found = [_placed(*each) for each in zip(records, found, times, strict=True)]
    return {"records": fitted(event, found, again)}


def _rest(record: Record, text: bytes) -> Record:
    """Answer for what is not flat: nothing, or nothing that can be."""
    if not text:
        return {"recordId": record["recordId"], "result": "Dropped"}
    return failed(record)


def _placed(record: Record, flat: Record, times: list[str]) -> Record:
    """Say where a record lies: all of its objects are of one hour."""
    if flat["result"] != "Ok":
        return flat
    hours = {hour_of(each) for each in times}
    place = hours.pop() if len(hours) == 1 else None
    if place is None:
        return failed(record)
    return {**flat, "metadata": {"partitionKeys": {"dt": place[0], "hour": place[1]}}}


def hour_of(value: str) -> tuple[str, str] | None:
    """Give the day and the hour (UTC) of a value of JSON; None if it is no time.

    >>> hour_of('"2024-05-06T09:30:00+02:00"'), hour_of("1714980600000")
    (('2024-05-06', '07'), ('2024-05-06', '07'))
    """
    text = value.strip('"')
    try:
        if text[:1] and text.lstrip("-").replace(".", "", 1).isdigit():
            number = float(text)
            scale = (
                1 if abs(number) < _MILLISECONDS else 1e3 if abs(number) < _MICROSECONDS else 1e6
            )
            found = datetime.fromtimestamp(number / scale, UTC)
        else:
            found = datetime.fromisoformat(text)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found.date().isoformat(), f"{found:%H}"
