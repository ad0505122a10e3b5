"""Says in one line what a run did; a step of workflows/daily.yaml.

The event holds workflow, start, end, and results: an object for each table and load with step,
name, kind, status and result.  What is returned is this step's result.
"""

from __future__ import annotations

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Count what was published and loaded."""
    done = [entry["name"] for entry in event["results"] if entry["status"] == "published"]
    text = f"{event['workflow']} {event['start']}..{event['end']}: published {', '.join(done)}"
    print(text)
    return {"text": text}
