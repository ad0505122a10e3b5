"""Workflow files: `workflows/<name>.yaml`, each compiled to one state machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from runner.model.config import Concurrency, Retry
from runner.model.fields import Cron, Duration
from runner.model.header import Strict
from runner.model.permission import Permission
from runner.model.step import Step, Topic
from runner.model.steps_flow import (
    ChoiceStep,
    EcsTaskStep,
    HttpStep,
    MapFields,
    SqlStep,
    WorkflowStep,
)
from runner.model.steps_sinks import BigqueryTransferStep, RedshiftStep
from runner.model.steps_sources import CodeBuildStep, CrawlerStep, GlueJobStep, RdsExportStep

if TYPE_CHECKING:
    from collections.abc import Iterator


class LastWindow(Strict):
    """A window counted back from the scheduled time."""

    last: int = Field(ge=1, description="How many periods.")
    unit: Literal["hour", "day", "month"] = Field("day", description="The period.")
    lag: int = Field(1, ge=0, description="Periods between the scheduled one and the last.")


class CatchUp(Strict):
    """How many missed windows a scheduled run adds to its own."""

    last: int = Field(ge=1, description="The newest so many.")


class Schedule(Strict):
    """When the workflow starts, and which window it then writes."""

    cron: Cron = Field(description="Six fields as EventBridge reads them: 0 3 * * ? *")
    timezone: str | None = Field(None, description="Zone of the cron; the project's if absent.")
    window: Literal["previous_day", "previous_hour", "previous_month"] | LastWindow = Field(
        "previous_day", description="The window of a scheduled run."
    )
    catch_up: Literal["none", "latest", "all"] | CatchUp = Field(
        "none",
        description="What a run adds of the windows directly before its own that no run has "
        "touched, because the scheduler was off: nothing, the newest, all, or {last: n}.",
    )


class ObjectTrigger(Strict):
    """Starts the workflow when an object arrives in S3.

    The bucket must send its events to EventBridge.
    """

    type: Literal["object"] = Field(description="object")
    bucket: str = Field(min_length=3, max_length=63, description="The bucket.")
    prefix: str = Field("", description="What the keys begin with.")
    suffix: str = Field("", description="What the keys end with, such as _SUCCESS or .csv.")
    period: str | None = Field(
        None,
        description="Where the key holds the period that has arrived, after the prefix: "
        "{year}, {month}, {day} and {hour} among plain text, e.g. dt={year}-{month}-{day}/. The "
        "window is that period.",
    )
    window: Literal["previous_day", "previous_hour", "previous_month"] | LastWindow | None = Field(
        None, description="The window, counted from the time of arrival, if `period` is absent."
    )


class EventTrigger(Strict):
    """Starts the workflow on an event of EventBridge."""

    type: Literal["event"] = Field(description="event")
    pattern: dict[str, Any] = Field(
        min_length=1, description="Pattern of the events, as EventBridge matches them."
    )
    bus: str = Field("default", description="Event bus, by name or ARN.")
    window: Literal["previous_day", "previous_hour", "previous_month"] | LastWindow = Field(
        "previous_day", description="The window, counted from the event's time."
    )


Trigger = Annotated[ObjectTrigger | EventTrigger, Field(discriminator="type")]


class TablesStep(Step):
    """Writes the selected tables, in the order of their dependencies."""

    type: Literal["tables"] = Field(description="tables")
    select: tuple[str, ...] = Field(
        ("*.*",), description="Patterns: staging.*, marts.daily_*, tag:word, +marts.x, staging.y+."
    )
    exclude: tuple[str, ...] = Field((), description="Patterns left out.")


class LoadsStep(Step):
    """Loads every selected table that has a `load:` header into its mart."""

    type: Literal["loads"] = Field(description="loads")
    select: tuple[str, ...] | None = Field(
        None,
        description="Patterns; see tables. If absent, what the workflow's `tables` steps write; "
        "every table in a workflow without such a step.",
    )
    exclude: tuple[str, ...] = Field((), description="Patterns left out.")


class LambdaStep(Step):
    """Calls a function of `lambdas/`, or one that comes with us (`builtin:name`)."""

    type: Literal["lambda"] = Field(description="lambda")
    function: str = Field(description="Folder under lambdas/, or builtin:name.")
    payload: dict[str, Any] = Field(
        default_factory=dict,
        description="Handed to the function beside workflow, start, end and results.",
    )


class WaitStep(Step):
    """Waits."""

    type: Literal["wait"] = Field(description="wait")
    duration: Duration = Field(description="How long, e.g. 5m.")


class SnsStep(Step):
    """Publishes a message."""

    type: Literal["sns"] = Field(description="sns")
    topic: Topic = Field(description="Topic name or ARN.")
    subject: str = Field("", max_length=99, description="Subject line; JSONata between {% and %}.")
    message: str = Field(description="Text; JSONata between {% and %}.")
    attributes: dict[str, str] = Field(
        default_factory=dict,
        description="Attributes of the message, by which subscriptions filter; texts.",
    )
    group: str | None = Field(
        None,
        pattern=r"^[!-~]{1,128}$",
        description="Message group of a FIFO topic: messages of one group keep their order.",
    )
    deduplication: str | None = Field(
        None,
        pattern=r"^[!-~]{1,128}$",
        description="Deduplication id of a FIFO topic; the execution and the step if absent, so "
        "that a repeated call is one message.",
    )


class AslStep(Step):
    """A raw state of Amazon States Language (JSONata)."""

    type: Literal["asl"] = Field(description="asl")
    state: dict[str, Any] = Field(description="The state, without Next and End.")
    permissions: tuple[Permission, ...] = Field(
        (), description="What the deployed workflow's role may do for it."
    )


Repeated = Annotated[
    LambdaStep
    | WaitStep
    | SnsStep
    | AslStep
    | WorkflowStep
    | EcsTaskStep
    | HttpStep
    | SqlStep
    | CrawlerStep
    | GlueJobStep
    | CodeBuildStep
    | RedshiftStep,
    Field(discriminator="type"),
]
"""Types of steps that a map may repeat."""


class MapStep(MapFields):
    """Does one step for every item of a list."""

    step: Repeated = Field(
        description="The step to repeat, of another type; `$item` in its JSONata is the item."
    )


AnyStep = Annotated[
    TablesStep
    | LoadsStep
    | LambdaStep
    | WaitStep
    | SnsStep
    | AslStep
    | SqlStep
    | ChoiceStep
    | MapStep
    | WorkflowStep
    | EcsTaskStep
    | HttpStep
    | CrawlerStep
    | RdsExportStep
    | GlueJobStep
    | CodeBuildStep
    | BigqueryTransferStep
    | RedshiftStep,
    Field(discriminator="type"),
]


class OnFailure(Strict):
    """Who is told when an execution fails."""

    type: Literal["sns"] = Field(description="sns")
    topic: Topic = Field(description="Topic name or ARN.")


class Workflow(Strict):
    """The whole of a workflow file."""

    description: str = Field("", description="What it does.")
    schedule: Schedule | None = Field(None, description="When it starts by itself.")
    triggers: dict[str, Trigger] = Field(
        default_factory=dict, description="Events that start it too, by name."
    )
    grain: Literal["hour", "day", "month"] = Field("day", description="Grain of its windows.")
    steps: dict[str, AnyStep] = Field(min_length=1, description="Steps by name.")
    on_failure: OnFailure | None = Field(None, description="Notification of failed executions.")
    timeout: Duration = Field("12h", description="Longest execution.")
    retry: Retry | None = Field(None, description="Retries of tables; the project's if absent.")
    concurrency: Concurrency | None = Field(None, description="The project's if absent.")


def every_step(workflow: Workflow) -> Iterator[AnyStep]:
    """Give every step, those that maps repeat too."""
    for step in workflow.steps.values():
        yield step
        if isinstance(step, MapStep):
            yield step.step


def granted(step: AnyStep) -> tuple[Permission, ...]:
    """Give what a step asks for itself beside what its calls need."""
    if isinstance(step, AslStep):
        return step.permissions
    if isinstance(step, EcsTaskStep) and step.roles:
        return (Permission(actions=("iam:PassRole",), resources=step.roles),)
    return ()
