"""Looks at what a run published, and stops the load of numbers that cannot be right.

The step's payload names the table and the least rows of an average day:

    payload: {table: marts.daily_carrier_delay, min_rows_per_day: 10}

An exception ends the step with the exception's name as the error; the step's `catch` goes by it.
"""

from __future__ import annotations

from typing import Any


class SuspiciousRows(Exception):
    """The table has fewer rows than it can have."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Give the rows of an average day; raises SuspiciousRows if they are too few."""
    table, least = event["table"], event["min_rows_per_day"]
    published = [
        entry["result"]
        for entry in event["results"]
        if entry["name"] == table and entry["kind"] == "table" and entry["status"] == "published"
    ]
    if not published:
        raise SuspiciousRows(f"{table} was not published by this run")
    rows, days = published[0]["rows"], published[0]["partitions"]
    if rows < least * days:
        window = f"{event['start']}..{event['end']}"
        raise SuspiciousRows(f"{table} has {rows} rows for {window}, fewer than {least} a day")
    return {"table": table, "rows_per_day": rows / days}
