"""Firehose on the wire: PutRecord and PutRecordBatch, for functions that put records back.

In: requests of AWS's JSON 1.1 protocol.  Out: what the local streams answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.wire.json11 import Json11, Refusal
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.model.ports import Service

TARGET = "Firehose_20150804"


def firehose_service(firehose: Service) -> Json11:
    """Put the local streams on the wire."""
    actions = {"PutRecord": "putRecord", "PutRecordBatch": "putRecordBatch"}
    operations = {name: _operation(firehose, action) for name, action in actions.items()}
    return Json11(TARGET, operations)


def _operation(firehose: Service, action: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    def operation(members: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = firehose(action, dict(members))
        except ServiceError as error:
            raise Refusal(error.error.removeprefix("Firehose."), error.cause) from error
        return answer

    return operation
