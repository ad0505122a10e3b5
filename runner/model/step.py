"""What every step of a workflow may say, whatever its type."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runner.model.fields import Duration
from runner.model.header import Strict

Topic = Annotated[
    str,
    Field(
        pattern=r"^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?|[A-Za-z0-9_-]{1,200})$"
    ),
]
"""A topic of SNS: the name of one that the stack makes, or the ARN of one that exists."""


class StepRetry(Strict):
    """A retrier of one step, as in Amazon States Language."""

    errors: tuple[str, ...] = Field(min_length=1, description="Error names.")
    interval: Duration = Field("2s", description="Wait before the first retry.")
    max_attempts: int = Field(3, ge=0, description="Retries; 0 means never.")
    backoff: float = Field(2.0, ge=1.0, description="Factor from one wait to the next.")
    max_delay: Duration | None = Field(None, description="Longest wait.")
    jitter: bool = Field(default=True, description="Spread the waits at random.")


class StepCatch(Strict):
    """A catcher of one step."""

    errors: tuple[str, ...] = Field(min_length=1, description="Error names.")
    next: str = Field(description="Step to go on with, or `continue` to go on as if it were done.")


class Step(Strict):
    """What every step may say."""

    needs: tuple[str, ...] = Field((), description="Steps that end before this one starts.")
    retry: tuple[StepRetry, ...] | None = Field(None, description="Retriers; defaults if absent.")
    catch: tuple[StepCatch, ...] = Field((), description="Catchers.")
    timeout: Duration | None = Field(None, description="Longest duration, e.g. 10m.")
