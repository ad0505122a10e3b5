"""Step Functions' `athena` integration, with and without `.sync`.

In: action and arguments of a Task.  Out: the raw result.  A refused submission is
`Athena.<Exception>`; with `.sync`, a failed query is `States.TaskFailed` whose cause is the
QueryExecution as JSON.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from runner.local.athena.errors import InvalidRequest
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.athena.athena import LocalAthena
    from runner.model.ports import Json


def call(athena: LocalAthena, action: str, arguments: Mapping[str, Json]) -> Json:
    """Do one action; raises ServiceError."""
    try:
        match action:
            case "startQueryExecution.sync":
                return _sync(athena, arguments)
            case "startQueryExecution":
                return athena.start_query_execution(**arguments)
            case "getQueryExecution":
                return athena.get_query_execution(**arguments)
            case "getQueryResults":
                return athena.get_query_results(**arguments)
            case "stopQueryExecution":
                return athena.stop_query_execution(**arguments)
    except InvalidRequest as error:
        cause = (
            f"{error.message} (Service: AmazonAthena; Status Code: 400; Error Code: "
            f"{error.code}; Request ID: {uuid.uuid4()}; Proxy: null)"
        )
        raise ServiceError(f"Athena.{error.code}", cause) from error
    raise ServiceError("States.Runtime", f"The local Athena knows no action {action!r}")


def _sync(athena: LocalAthena, arguments: Mapping[str, Json]) -> Json:
    execution = athena.run_query_execution(**arguments)
    if execution["Status"]["State"] != "SUCCEEDED":
        raise ServiceError("States.TaskFailed", json.dumps(execution))
    return {"QueryExecution": execution}
