"""Firehose transformation: records of a DynamoDB stream to rows of CSV.

In: Firehose's event; its records are what DynamoDB sends to Kinesis, or what a pipe sends of its
stream.  Out: an answer for each record: `Ok` with its row, `Dropped` for an event that is not
chosen and for an empty record, `ProcessingFailed` with its own data for what is no such record.

    COLUMNS     id, price:n, address.city, items.0.sku, @event, @time: what a row has (needed).
                :s text, :n number, :bool, :json, else by DynamoDB's own type
    EVENTS      INSERT,MODIFY,REMOVE: which become rows (default all)
    IMAGE       new (default) or old; a record without it has its keys only
    NEWLINES    keep (default) or space: ends of lines in texts
"""

from __future__ import annotations

import functools
import os
import time
from binascii import b2a_base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .columns import columns_of
    from .records import failed, texts_of
    from .reingest import Again, fitted
    from .rows import IMAGES, Choice, Rows
else:
    from columns import columns_of
    from records import failed, texts_of
    from reingest import Again, fitted
    from rows import IMAGES, Choice, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .reingest import Clock, Record

_EVENTS = ("INSERT", "MODIFY", "REMOVE")


def rows_of(environ: Mapping[str, str]) -> Rows:
    """Read the environment; ValueError names the variable that is wrong."""
    if not environ.get("COLUMNS", "").strip():
        raise ValueError("COLUMNS is missing; expected columns such as id, price:n, address.city")
    events = [each.strip() for each in environ.get("EVENTS", ",".join(_EVENTS)).split(",")]
    strange = [each for each in events if each not in _EVENTS]
    if strange:
        raise ValueError(f"EVENTS has {strange[0]!r}; expected some of {', '.join(_EVENTS)}")
    image = environ.get("IMAGE", "new")
    if image not in IMAGES:
        raise ValueError(f"IMAGE is {image!r}; expected {' or '.join(IMAGES)}")
    newlines = environ.get("NEWLINES", "keep")
    if newlines not in {"keep", "space"}:
        raise ValueError(f"NEWLINES is {newlines!r}; expected keep or space")
    columns = columns_of(environ["COLUMNS"])
    return Rows(Choice(columns, frozenset(events), IMAGES[image], spaced=newlines == "space"))


@functools.cache
def _rows() -> Rows:
    return rows_of(os.environ)


def handler(event: Record, context: Clock) -> Record:
    """Write the records of an event as CSV."""
    again = Again(_client, lambda: context.get_remaining_time_in_millis() / 1000, time.sleep)
    return answer(event, _rows(), again)


def _client(service: str) -> Any:  # noqa: ANN401 - boto3's client
    import boto3  # noqa: PLC0415 - needed only for what does not fit

    return boto3.client(service)


def answer(event: Record, rows: Rows, again: Again) -> Record:
    """Give the answer to an event."""
    records = event["records"]
    texts = texts_of(records)
    written = rows.rows_of_all(texts)
    found = [
        {
            "recordId": record["recordId"],
            "result": "Ok",
            "data": b2a_base64(row, newline=False).decode("ascii"),
        }
        if row
        else _rest(record, row, text)
        for record, row, text in zip(records, written, texts, strict=True)
    ]
    return {"records": fitted(event, found, again)}


def _rest(record: Record, row: bytes | None, text: bytes) -> Record:
    """Answer for what is not chosen, for nothing, and for what is no record."""
    if row is None and text:
        return failed(record)
    return {"recordId": record["recordId"], "result": "Dropped"}
