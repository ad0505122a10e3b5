"""Steps that decide, repeat and call: `sql`, `choice`, `map`, `workflow`, `ecs_task`, `http`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from runner.model.header import Strict
from runner.model.step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.workflow import AnyStep

GO_ON = "continue"
"""What a rule, or a catcher, says to go on as if nothing were to be decided."""
SKIP = "skip"
"""What a rule says to leave out everything that needs the choice."""

FORBIDDEN_HEADER = re.compile(
    r"(?i:authorization|cache-control|connection|content-encoding|date|expect|forwarded|from|host|"
    r"origin|pragma|proxy-authorization|referer|server|te|trailer|transfer-encoding|upgrade|via|"
    r"warning|x-amz.*|x-forwarded-.*)\Z"
)
"""Headers that AWS lets no request of a state set; a connection brings the first."""
Expression = Annotated[str, StringConstraints(pattern=r"^\{% .*%\}$")]
"""JSONata between {% and %}."""
Role = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
Scalar = str | int | float | bool
Items = tuple[Any, ...]
Method = Literal["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]


class SqlStep(Step):
    """Asks Athena one query; the first row is the step's value."""

    type: Literal["sql"] = Field(description="sql")
    sql: str = Field(
        min_length=1,
        description="One SELECT, with Jinja, {{ start }} and {{ end }} as in a table's file; its "
        "first row is the step's value: `$values.<step>.<column>` in conditions.",
    )
    parameters: tuple[Scalar, ...] = Field(
        (),
        description="Values of the question marks in its WHERE, in order: text, number, true or "
        "false, or JSONata between {% and %}.",
    )


class ChoiceRule(Strict):
    """One rule of a choice."""

    when: str = Field(
        alias="if",
        min_length=1,
        description="JSONata that is true or false, of `$values` (of the steps before, by their "
        "names), `$results` and `$window`: $values.count.n > 0",
    )
    then: str | tuple[str, ...] = Field(
        description="The step to go on with, or several; `continue` for none of those that rules "
        "name; `skip` to leave out all that need this step."
    )

    @property
    def targets(self) -> tuple[str, ...]:
        """Give what it goes on with."""
        return _listed(self.then)


class ChoiceStep(Step):
    """Decides which steps are carried out: the first rule that is true, else the default."""

    type: Literal["choice"] = Field(description="choice")
    rules: tuple[ChoiceRule, ...] = Field(min_length=1, description="Tried in this order.")
    default: str | tuple[str, ...] = Field(
        description="What to go on with where no rule is true: as in `then`."
    )

    @property
    def outcomes(self) -> tuple[tuple[str, ...], ...]:
        """Give what each rule goes on with, and last what the default does."""
        return (*(rule.targets for rule in self.rules), _listed(self.default))

    @property
    def named(self) -> tuple[str, ...]:
        """Name the steps that it decides about."""
        every = (name for targets in self.outcomes for name in targets)
        return tuple(dict.fromkeys(name for name in every if name not in (GO_ON, SKIP)))


def _listed(said: str | tuple[str, ...]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else said


class RowsOf(Strict):
    """The rows of a query."""

    rows: str = Field(description="A `sql` step; an item is a row: an object of texts by column.")


class ObjectsBelow(Strict):
    """The objects below a prefix."""

    objects: str = Field(
        pattern=r"^s3://[a-z0-9][a-z0-9.-]+[a-z0-9]/",
        description="s3://bucket/prefix/; an item is an object with Key, Size and so on.",
    )


class Tolerated(Strict):
    """How many items may fail; with both, what is reached first counts."""

    count: int | None = Field(None, ge=0, description="So many.")
    percentage: float | None = Field(None, ge=0, le=100, description="So many of a hundred.")


class MapFields(Step):
    """What a map says beside the step that it repeats."""

    type: Literal["map"] = Field(description="map")
    over: Items | Expression | RowsOf | ObjectsBelow = Field(
        description="The items: a list, JSONata that gives one (`{% $values.shops %}`), "
        "{rows: <sql step>}, or {objects: s3://bucket/prefix/}."
    )
    concurrency: int = Field(4, ge=1, le=1000, description="Items at once.")
    tolerated: Tolerated = Field(
        default_factory=lambda: Tolerated(count=0, percentage=None),
        description="Failed items that do not fail the step; none if absent.",
    )

    @property
    def is_distributed(self) -> bool:
        """Tell whether each item is an execution of its own."""
        return isinstance(self.over, RowsOf | ObjectsBelow)


class ComputedWindow(Strict):
    """A window that is computed at run time."""

    start: str = Field(description="First period: text, or JSONata between {% and %}.")
    end: str = Field(description="Last period: likewise.")


class WorkflowStep(Step):
    """Runs another workflow of the project and waits for its end."""

    type: Literal["workflow"] = Field(description="workflow")
    workflow: str = Field(description="The other workflow's name.")
    window: Literal["same"] | ComputedWindow = Field(
        "same", description="Its window: that of this run, or {start, end}."
    )


class EcsTaskStep(Step):
    """Runs a task definition of your own on ECS and waits for its end."""

    type: Literal["ecs_task"] = Field(description="ecs_task")
    task_definition: str = Field(
        pattern=r"^(arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:task-definition/)?[A-Za-z0-9_-]{1,255}(:\d+)?$",
        description="Family, family:revision, or ARN of the task definition.",
    )
    cluster: str | None = Field(
        None, description="Name or ARN of the cluster; the environment's if absent."
    )
    launch_type: Literal["FARGATE", "EC2", "EXTERNAL"] = Field(
        "FARGATE", description="Where it runs."
    )
    container: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,255}$",
        description="The container of it that `command` and `environment` are for.",
    )
    command: tuple[str, ...] = Field(
        (), description="Words that replace the container's command; JSONata between {% and %}."
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        description="Variables for the container; it also gets START, END, WORKFLOW and STEP.",
    )
    roles: tuple[Role, ...] = Field(
        (),
        description="ARNs of the task's own role and of its execution role: a deployed workflow "
        "may hand these, and no others, to ECS.",
    )


class HttpStep(Step):
    """Makes one HTTPS request."""

    type: Literal["http"] = Field(description="http")
    endpoint: str = Field(
        pattern=r"^(https://[^\s?#{}]+|\{% .*%\})$",
        description="https:// address without a query; or JSONata between {% and %}.",
    )
    connection: str = Field(
        pattern=r"^(arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:connection/[A-Za-z0-9._-]+/[A-Za-z0-9-]+"
        r"|[a-z][a-z0-9_-]*)$",
        description="A name under the environment's `connections`, or the ARN of a connection of "
        "EventBridge: it holds the credentials.",
    )
    method: Method = Field("GET", description="The method.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers.")
    query: dict[str, Any] = Field(default_factory=dict, description="Parameters of the address.")
    body: Any = Field(None, description="What is sent: JSON, or text.")
    form: bool = Field(default=False, description="Send the body as a form, not as JSON.")


class LocalConnection(Strict):
    """What stands on this machine for a connection of EventBridge."""

    url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+$",
        description="Scheme and host that take the place of the endpoint's, such as "
        "http://127.0.0.1:8080; without it the endpoint itself is asked.",
    )
    user: str | None = Field(None, description="User name (basic authentication).")
    password: str | None = Field(
        None, pattern=r"^\$\{env:[A-Za-z_]\w*\}$", description="${env:NAME} only."
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Headers to add; ${env:NAME} in them is replaced when a request is made.",
    )


class LocalTask(Strict):
    """What stands on this machine for a task definition of ECS."""

    command: tuple[str, ...] = Field(
        (),
        description="The program and its words, run in the project's folder; a step's `command` "
        "is added to it.",
    )


def needs_of(steps: Mapping[str, AnyStep]) -> dict[str, tuple[str, ...]]:
    """Give what each step needs: what it says, and the choices that decide about it."""
    deciding: dict[str, list[str]] = {}
    for name, step in steps.items():
        if isinstance(step, ChoiceStep):
            for target in set(step.named) - {name}:
                deciding.setdefault(target, []).append(name)
    return {
        name: tuple(dict.fromkeys((*step.needs, *deciding.get(name, ()))))
        for name, step in steps.items()
    }
