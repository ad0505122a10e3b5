"""The history of an execution as text: one line for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.texts import columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.app.execution_history import ExecutionHistory
    from runner.model.ports import Json

_MOST = 100
"""Characters of an error's cause."""


def history_text(found: ExecutionHistory) -> str:
    """Write an execution's events, with the seconds since its start."""
    events = found.events
    began = events[0]["timestamp"] if events else 0.0
    rows = [
        (
            str(event["id"]),
            str(event.get("previousEventId", 0)),
            f"{event['timestamp'] - began:.3f}",
            str(event["type"]),
            " ".join(_about(event)),
        )
        for event in events
    ]
    return "\n".join(
        (found.arn, columns(("id", "after", "seconds", "type", "about"), rows, right=(0, 1, 2)))
    )


def _about(event: Mapping[str, Json]) -> Iterator[str]:
    """Say what an event is about: its state, its resource, what went wrong."""
    named = (value for name, value in event.items() if name.endswith("EventDetails"))
    details: Mapping[str, Json] = next(named, {})
    if "name" in details:
        yield str(details["name"])
    elif "state" in details:
        yield str(details["state"])
    if "index" in details:
        yield f"[{details['index']}]"
    if "length" in details:
        yield f"{details['length']} items"
    parts = (details.get("resourceType"), details.get("resource"), details.get("mapRunArn"))
    if any(parts):
        yield ":".join(str(part) for part in parts if part)
    if "redriveCount" in details:
        yield f"for the {details['redriveCount']}. time"
    if "error" in details or "cause" in details:
        told = ": ".join(str(details[name]) for name in ("error", "cause") if name in details)
        line = " ".join(told.split())
        yield line if len(line) <= _MOST else f"{line[:_MOST]}..."
