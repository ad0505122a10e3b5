"""Step Functions' `aws-sdk:s3` integration on the folder, for the few actions that states use.

In: action and arguments of a Task, named as in the Java SDK.  Out: the raw result, instants as
ISO 8601 text and bodies as text; refusals are ServiceErrors named `S3.<Code>Exception`.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner.local.s3 import S3Error
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.s3 import FolderS3
    from runner.model.ports import Json


def call_s3(client: FolderS3, action: str, arguments: Mapping[str, Json]) -> Json:
    """Do one action; raises ServiceError, also for an action that is not known here."""
    actions: dict[str, Callable[..., dict[str, Any]]] = {
        "listObjectsV2": client.list_objects_v2,
        "getObject": client.get_object,
        "headObject": client.head_object,
        "putObject": client.put_object,
        "copyObject": client.copy_object,
        "deleteObject": client.delete_object,
        "deleteObjects": client.delete_objects,
    }
    if action not in actions:
        raise ServiceError(
            "States.Runtime", f"aws-sdk:s3:{action} is not known locally; {', '.join(actions)} are"
        )
    if action == "putObject" and not isinstance(arguments.get("Body", ""), str):
        arguments = {**arguments, "Body": json.dumps(arguments["Body"], separators=(",", ":"))}
    try:
        return _plain(actions[action](**arguments))
    except S3Error as error:
        raise ServiceError(*_named(error)) from error
    except TypeError as error:
        raise ServiceError(
            "States.Runtime", f"Arguments of s3:{action} do not fit: {error}"
        ) from error


def _named(error: S3Error) -> tuple[str, str]:
    """Name the error as the SDK integration does: S3.NoSuchKeyException."""
    refusal = error.response["Error"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    request = error.response["ResponseMetadata"]["RequestId"]
    code = "NoSuchKey" if refusal["Code"] == "404" else refusal["Code"]
    name = code if code.endswith("Exception") else f"{code}Exception"
    cause = f"{refusal['Message']} (Service: S3, Status Code: {status}, Request ID: {request})"
    return f"S3.{name}", cause


def _plain(value: Any) -> Json:  # noqa: ANN401 - any JSON value with instants and a body
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "read"):
        return value.read().decode(errors="replace")
    return value
