"""Tells what a run did, in a text that a person can read.

A function of a workflow gets one event: workflow, start, end, results (an object for each table
and load: step, name, kind, status, result) and whatever the step's `payload` adds.  What it
returns is this step's result.  Nothing but the standard library is needed here; a
requirements.txt beside this file would bring more.
"""

from __future__ import annotations

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Give the report as `text`, and the number of rows published."""
    tables = [entry for entry in event["results"] if entry["kind"] == "table"]
    loads = [entry for entry in event["results"] if entry["kind"] == "load"]
    rows = sum(_rows(table) for table in tables)
    lines = [
        f"{event['workflow']} {event['start']}..{event['end']}",
        f"{len(tables)} tables, {rows:,} rows published; {len(loads)} loads",
        *(_line(entry) for entry in event["results"]),
    ]
    text = "\n".join(lines)
    print(text)  # noqa: T201 - goes to the function's log
    return {"text": text, "rows": rows}


def _line(entry: dict[str, Any]) -> str:
    warnings = (entry.get("result") or {}).get("warnings") or []
    return "  ".join(
        [f"{entry['kind']:5}  {entry['status']:9}  {_rows(entry):>9,}  {entry['name']}", *warnings]
    )


def _rows(entry: dict[str, Any]) -> int:
    # Views, external tables, and whatever failed or was skipped have no rows to tell.
    return int((entry.get("result") or {}).get("rows") or 0)
