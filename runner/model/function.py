"""`lambdas/<name>/function.yaml`: how a function runs, and what it may do."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from runner.model.durations import seconds
from runner.model.fields import Duration
from runner.model.header import Strict
from runner.model.permission import Permission
from runner.model.refusal import RefusedValueError

MOST_SECONDS = 900
"""Lambda's own limit of an invocation."""
_MOST_WINDOW_S = 300
_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^\s$]+\Z")


def _within_lambda(text: str) -> str:
    if not 1 <= seconds(text) <= MOST_SECONDS:
        raise RefusedValueError(
            "at most 15m, which is as long as a Lambda function may run",
            "write 15m or less, and cut longer work into several calls",
        )
    return text


def _secret(text: str) -> str:
    if _SECRET.match(text) is None:
        raise RefusedValueError(
            "the ARN of a secret in Secrets Manager",
            "write it like arn:aws:secretsmanager:<region>:<account>:secret:<name>",
        )
    return text


def _batching_window(text: str) -> str:
    if seconds(text) > _MOST_WINDOW_S:
        raise RefusedValueError(
            "at most 5m, Lambda's longest wait for a full batch", "write 5m or less"
        )
    return text


_STREAM_ARNS = {
    "kinesis": (
        re.compile(r"arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/\S+\Z"),
        "arn:aws:kinesis:<region>:<account>:stream/<name>",
    ),
    "dynamodb": (
        re.compile(r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/[^/\s]+/stream/\S+\Z"),
        "arn:aws:dynamodb:<region>:<account>:table/<table>/stream/<label>",
    ),
}


class StreamRecords(Strict):
    """Calls the function with batches of a stream's records."""

    type: Literal["kinesis", "dynamodb"] = Field(
        description="A stream of Kinesis, or of the changes of a DynamoDB table."
    )
    stream: str = Field(description="ARN of it.")
    batch: int = Field(100, ge=1, le=10_000, description="Most records of a call.")
    window: Annotated[Duration, AfterValidator(_batching_window)] = Field(
        "1s", description="Longest wait for a full batch; 5m at most."
    )
    start: Literal["latest", "trim_horizon"] = Field(
        "trim_horizon", description="Where reading begins: at the oldest record, or behind all."
    )
    attempts: int = Field(
        5,
        ge=0,
        le=10_000,
        description="Retries of a batch; a batch that fails is halved first, "
        "and what is given up is told to the stack's dead-letter queue.",
    )

    @field_validator("stream")
    @classmethod
    def _of_its_type(cls, text: str, info: ValidationInfo) -> str:
        kind = info.data.get("type", "kinesis")
        pattern, form = _STREAM_ARNS[kind]
        if pattern.match(text) is None:
            expected = f"the ARN of a stream of `type: {kind}`"
            raise RefusedValueError(expected, f"write it like {form}")
        return text


class ObjectArrives(Strict):
    """Calls the function when an object arrives in S3.

    The bucket must send its events to EventBridge.
    """

    type: Literal["object"] = Field(description="object")
    bucket: str = Field(min_length=3, description="The bucket.")
    prefix: str = Field("", description="What the keys begin with.")
    suffix: str = Field("", description="What the keys end with.")


class LogEvents(Strict):
    """Calls the function with what is written to a log group."""

    type: Literal["logs"] = Field(description="logs")
    group: str = Field(min_length=1, max_length=512, description="The log group.")
    filter: str = Field("", max_length=1024, description="Filter pattern of CloudWatch Logs.")


class ExecutionsEnd(Strict):
    """Calls the function when an execution of any workflow of the project ends."""

    type: Literal["executions"] = Field(description="executions")
    status: tuple[Literal["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"], ...] = Field(
        ("FAILED", "TIMED_OUT", "ABORTED"), min_length=1, description="How it ended."
    )
    workflows: tuple[str, ...] = Field((), description="Of which workflows; all if absent.")


FunctionEvent = Annotated[
    StreamRecords | ObjectArrives | LogEvents | ExecutionsEnd, Field(discriminator="type")
]


class FunctionSettings(Strict):
    """The whole of a function's file."""

    uses: str | None = Field(
        None,
        pattern=r"^builtin:[a-z][a-z0-9_]*$",
        description="A function that comes with us, as builtin:<name>, instead of a handler.py of "
        "one's own: what this file says is added to its settings.",
    )
    description: str = Field("", max_length=256, description="What it does.")
    memory: int = Field(
        512, ge=128, le=10_240, description="Memory in MiB; the share of a CPU grows with it."
    )
    timeout: Annotated[Duration, AfterValidator(_within_lambda)] = Field(
        "15m", description="Longest invocation, e.g. 90s; 15m at most."
    )
    disk: int = Field(512, ge=512, le=10_240, description="Size of /tmp in MiB.")
    runtime: Literal["python3.11", "python3.12", "python3.13", "python3.14"] = Field(
        "python3.12", description="Runtime of Lambda; dependencies are chosen for it."
    )
    architecture: Literal["x86_64", "arm64"] = Field(
        "x86_64", description="Processor; dependencies are chosen for it."
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        description="Environment variables as plain text; never a secret's value.",
    )
    secrets: dict[str, Annotated[str, AfterValidator(_secret)]] = Field(
        default_factory=dict,
        description="Environment variables that hold the ARN of a secret; the function may read "
        "the secret's value from Secrets Manager.",
    )
    permissions: tuple[Permission, ...] = Field(
        (), description="What the deployed function's role may do beside writing its log."
    )
    network: bool = Field(
        default=False,
        description="Run it inside the environment's network, to reach a database there.",
    )
    events: dict[str, FunctionEvent] = Field(
        default_factory=dict,
        description="What calls the function, by name: where it is deployed, and on this machine. "
        "Workflows and streams that name the function need nothing here.",
    )
