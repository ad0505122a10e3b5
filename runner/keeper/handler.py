"""The function's entry: one event with an `op`, one answer.

    begin      the execution's input -> window, selected tables
    prepare    a table's turn begins: ownership, lease, chunks, values of the marks
    reconcile  inferred columns -> how to make or change the target
    publish    promote one chunk (insert)
    accept     judge the stage and plan the flip (ctas)
    merge      judge a staged chunk of an Iceberg table, write its MERGE; merged: record it
    finish     record, release the lease, count
    diagnose   why a table failed, and whether to try again
    values     values of marks for a window
    explain    why any other step failed, in plain words
    load       the manifest of a load
    loaded     what a load did, by its outcome
    load_failed  why a load failed, and whether to try again
    export     what to unload of a table, and where to
    exported   keep exactly the files that an export wrote
    gc         delete what dead runs and old publishes left behind
    stop_statements  stop what an execution that was stopped left running in Athena

Exceptions leave the function as they are: their class names are the error names that the state
machine catches.
"""

from __future__ import annotations

import datetime as dt
import math
import os
from typing import TYPE_CHECKING, Any

from . import begin as begins
from . import diagnose as diagnoses
from . import (
    exports,
    failures,
    iceberg,
    loads,
    outcomes,
    prepare,
    publish,
    stopping,
    sweep,
    whole,
    windows,
)
from .core import Attempt, Keeper
from .storage import WORKERS, Storage
from .work import SPLIT

if TYPE_CHECKING:
    from collections.abc import Callable


_TRIES = 8
"""Tries of one request to S3 or Step Functions."""
_REDRIVE = "When the cause is gone, continue with `runner redrive`."


def dispatch(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Do what the event asks for; KeyError for an operation that does not exist."""
    op = event["op"]
    plain: dict[str, Callable[[Keeper, dict[str, Any]], dict[str, Any]]] = {
        "begin": lambda keeper, event: begins.begin(event, keeper.storage),
        "gc": sweep.sweep,
        "diagnose": _diagnose,
        "values": _values,
        "explain": _explain,
        "loaded": lambda keeper, event: outcomes.confirm(keeper.storage, event["manifest"]),
        "load_failed": _load_failed,
        "exported": exports.settle_export,
        "stop_statements": _stop_statements,
    }
    if op in plain:
        return plain[op](keeper, event)
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
        "export": exports.plan_export,
    }
    return operations[op](keeper, Attempt.read(event), event)


def _explain(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Say in plain words why a step failed."""
    del keeper
    found = diagnoses.explain(event.get("error") or "", event.get("cause") or "")
    return {"message": found.message, "advice": found.advice or _REDRIVE}


def _values(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Compute what marks print for a window."""
    del keeper
    window = event["window"]
    return {
        name: windows.evaluate_mark(
            window["start"],
            window["end"],
            window["grain"],
            base=mark["base"],
            steps=[(step, int(count)) for step, count in mark["steps"]],
            pattern=mark["format"],
        )
        for name, mark in event["marks"].items()
    }


def _stop_statements(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Stop the statements that nobody waits for any more (`athena_wait: poll`)."""
    return stopping.stop_statements(keeper.states, keeper.athena, event["execution"])


def _load_failed(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Say why a load failed, and whether it is tried again."""
    found = outcomes.explain(keeper.storage, event)
    retry = found.retry and event["repeatable"] and event["tries"] < event["max_tries"]
    return {
        "retry": retry,
        "wait": 0 if found.at_once else 5 * 2 ** (event["tries"] - 1),
        "message": found.message,
        "advice": found.advice or found.later or _REDRIVE,
    }


def _diagnose(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Decide what comes after a failed attempt: the same again, smaller chunks, or the end."""
    attempt = Attempt.read(event)
    found = diagnoses.explain(event.get("error") or "", event.get("cause") or "")
    split = int(event.get("split") or 1)
    smaller = found.smaller and int(event.get("largest") or 1) > 1
    tries = attempt.number - round(math.log(split, SPLIT))
    retry = smaller or (found.retry and tries < event["max_attempts"])
    if not retry:
        keeper.leases.release(attempt.spec.name, attempt.owner)
        failures.note(keeper, attempt, event, found)
    delay = event["interval"] * event["backoff"] ** (tries - 1)
    again = "It is tried again from a new stage." if retry else found.later or _REDRIVE
    return {
        "retry": retry,
        "split": split * SPLIT if smaller else split,
        "wait": 0 if found.at_once or smaller else int(min(delay, event["max_delay"])),
        "kind": found.kind,
        "message": found.message,
        "advice": "It is tried again in smaller chunks." if smaller else found.advice or again,
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

    stops = event["op"] == "stop_statements"
    keeper = Keeper(
        storage=Storage(boto3.client("s3", config=config), os.environ["RUNNER_LAKE"]),
        is_running=is_running,
        now=lambda: dt.datetime.now(dt.UTC),
        remaining_s=lambda: context.get_remaining_time_in_millis() / 1000,
        catalog=boto3.client("glue", config=config) if event["op"] == "gc" else None,
        states=boto3.client("stepfunctions", config=config) if stops else None,
        athena=boto3.client("athena", config=config) if stops else None,
    )
    return dispatch(keeper, event)
