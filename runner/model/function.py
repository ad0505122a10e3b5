"""`lambdas/<name>/function.yaml`: how a function runs, and what it may do."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from runner.model.durations import seconds
from runner.model.fields import Duration
from runner.model.header import Strict
from runner.model.permission import Permission
from runner.model.refusal import RefusedValueError

MOST_SECONDS = 900
"""Lambda's own limit of an invocation."""
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


class FunctionSettings(Strict):
    """The whole of a function's file."""

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
