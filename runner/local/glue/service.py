"""Step Functions' `aws-sdk:glue` integration: camelCase actions, PascalCase arguments.

In: action and arguments of a Task.  Out: the raw result, instants as ISO 8601 text; refusals are
ServiceErrors named `Glue.<Exception>`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner.local.glue.errors import GlueError
from runner.local.glue.requests import REQUESTS, missing
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.catalog import GlueCatalog
    from runner.model.ports import Json

_ACTIONS = {name[0].lower() + name[1:]: name for name in REQUESTS}
_UNMODELED = frozenset({"ValidationException", "SerializationException"})
"""Codes that the service model does not list: the SDK raises its general GlueException."""


def call(catalog: GlueCatalog, action: str, arguments: Mapping[str, Json]) -> Json:
    """Do one action; raises ServiceError, also for an action that is not known here."""
    if action not in _ACTIONS:
        raise ServiceError(
            "Glue.InvalidInputException",
            f"The local Glue knows no action {action!r}; it knows {', '.join(_ACTIONS)}",
        )
    absent = missing(_ACTIONS[action], arguments)
    if absent:
        raise ServiceError(
            "States.Runtime",
            f"Arguments of glue:{action} do not fit: {', '.join(absent)} must be given",
        )
    method = getattr(catalog, re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(), action))
    try:
        return _plain(method(**arguments))
    except GlueError as error:
        code = "GlueException" if error.code in _UNMODELED else error.code
        raise ServiceError(f"Glue.{code}", error.cause()) from error


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
