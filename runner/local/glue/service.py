"""Step Functions' `aws-sdk:glue` integration: camelCase actions, PascalCase arguments.

In: action and arguments of a Task.  Out: the raw result, instants as ISO 8601 text; refusals are
ServiceErrors named `Glue.<Exception>`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner.local.glue.errors import GlueError
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.catalog import GlueCatalog
    from runner.model.ports import Json

_ACTIONS = (
    "createDatabase",
    "getDatabase",
    "getDatabases",
    "updateDatabase",
    "deleteDatabase",
    "createTable",
    "getTable",
    "getTables",
    "updateTable",
    "deleteTable",
    "getTableVersions",
    "createPartition",
    "batchCreatePartition",
    "getPartition",
    "getPartitions",
    "updatePartition",
    "deletePartition",
    "batchDeletePartition",
)


def call(catalog: GlueCatalog, action: str, arguments: Mapping[str, Json]) -> Json:
    """Do one action; raises ServiceError, also for an action that is not known here."""
    if action not in _ACTIONS:
        raise ServiceError(
            "Glue.InvalidInputException",
            f"The local Glue knows no action {action!r}; it knows {', '.join(_ACTIONS)}",
        )
    method = getattr(catalog, re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(), action))
    try:
        return _plain(method(**arguments))
    except GlueError as error:
        raise ServiceError(f"Glue.{error.code}", error.cause()) from error
    except TypeError as error:
        raise ServiceError(
            "States.Runtime", f"Arguments of glue:{action} do not fit: {error}"
        ) from error


def _plain(value: Any) -> Json:  # noqa: ANN401 - any JSON value with instants
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case _:
            return value
