"""The history of an execution that ran here, as `aws stepfunctions get-execution-history` has it.

In: a result.  Out: JSON; instants are ISO 8601 text, as AWS's command line writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.machine.execution import HISTORY_LIMIT
from runner.machine.history import history

if TYPE_CHECKING:
    from runner.app.machine_request import MachineResult

Json = Any


def history_of(result: MachineResult) -> dict[str, Json]:
    """Give the history of an execution."""
    limit = None if result.express else HISTORY_LIMIT
    found = history(result.definition, result.events, history_limit=limit)
    return {
        "events": [
            event.to_boto() | {"timestamp": event.time.isoformat(timespec="milliseconds")}
            for event in found
        ]
    }
