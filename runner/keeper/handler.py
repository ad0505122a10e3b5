"""The function's entry: one event with an `op`, one answer.

    begin      the execution's input -> window, selected tables
    prepare    a table's turn begins: ownership, lease, chunks, values of the marks
    reconcile  inferred columns -> how to make or change the target
    publish    promote one chunk (insert)
    accept     judge the stage and plan the flip (ctas)
    merge      judge a staged chunk of an Iceberg table, write its MERGE; merged: record it
    finish     record, release the lease, count
    diagnose   why a table failed, and whether to try again
    explain    why any other step failed, in plain words
    load       the manifest of a load

Exceptions leave the function as they are: their class names are the error names that the state
machine catches.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

from . import begin as begins
from . import diagnose as diagnoses
from . import iceberg, loads, prepare, publish, whole
from .core import Attempt, Keeper
from .storage import WORKERS, Storage

if TYPE_CHECKING:
    from collections.abc import Callable


_TRIES = 8
"""Tries of one request to S3 or Step Functions."""
_REDRIVE = "When the cause is gone, continue with `runner redrive`."


def dispatch(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Do what the event asks for; KeyError for an operation that does not exist."""
    op = event["op"]
    if op == "begin":
        return begins.begin(event)
    if op == "diagnose":
        return _diagnose(keeper, event)
    if op == "explain":
        found = diagnoses.explain(event.get("error") or "", event.get("cause") or "")
        return {"message": found.message, "advice": found.advice or _REDRIVE}
    operations: dict[str, Callable[[Keeper, Attempt, dict[str, Any]], dict[str, Any]]] = {
        "prepare": prepare.prepare,
        "reconcile": prepare.reconcile,
        "publish": publish.publish,
        "accept": whole.accept,
        "iceberg_prepare": iceberg.prepare,
        "iceberg_reconcile": iceberg.reconcile,
        "iceberg_settle": iceberg.settle,
        "merge": iceberg.merge,
        "merged": iceberg.merged,
        "finish": whole.finish,
        "load": loads.plan_load,
    }
    return operations[op](keeper, Attempt.read(event), event)


def _diagnose(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    attempt = Attempt.read(event)
    found = diagnoses.explain(event.get("error") or "", event.get("cause") or "")
    retry = found.retry and attempt.number < event["max_attempts"]
    if not retry:
        keeper.leases.release(attempt.spec.name, attempt.owner)
    again = "It is tried again from a new stage." if retry else _REDRIVE
    delay = event["interval"] * event["backoff"] ** (attempt.number - 1)
    return {
        "retry": retry,
        "wait": 0 if found.at_once else int(min(delay, event["max_delay"])),
        "message": found.message,
        "advice": found.advice or again,
    }


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's object
    """Serve one invocation in AWS Lambda."""
    import boto3  # noqa: PLC0415 - the folder on this machine needs no boto3
    from botocore.config import Config  # noqa: PLC0415 - likewise

    config = Config(
        max_pool_connections=WORKERS, retries={"mode": "standard", "max_attempts": _TRIES}
    )

    def is_running(execution: str) -> bool:
        states = boto3.client("stepfunctions", config=config)
        try:
            answer = states.describe_execution(executionArn=execution)
        except states.exceptions.ExecutionDoesNotExist:  # ended more than 90 days ago
            return False
        return bool(answer["status"] == "RUNNING")

    keeper = Keeper(
        storage=Storage(boto3.client("s3", config=config), os.environ["RUNNER_LAKE"]),
        is_running=is_running,
        now=lambda: dt.datetime.now(dt.UTC),
        remaining_s=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    return dispatch(keeper, event)
