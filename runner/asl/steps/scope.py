"""Where a step stands: the project, the target, and the variable that collects results.

Results are objects {step, name, kind, status, ...}; status is published, unchanged, loaded,
succeeded, caught, failed or skipped.  An inner scope may read outer variables but not assign them
(Amazon States Language), so a branch collects in a variable of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import expression, names_in, quote
from runner.asl.flow import State, catcher, retrier, state_name
from runner.asl.tables.common import keeper_task
from runner.errors import Fault, Place, ProjectError
from runner.model.durations import seconds
from runner.model.workflow import LoadsStep, TablesStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.asl.target import Target
    from runner.model.config import Concurrency, Retry
    from runner.model.names import TableName
    from runner.model.project import Project
    from runner.model.workflow import AnyStep, StepRetry, Workflow


@dataclass(frozen=True, slots=True)
class Scope:
    """What the states of a step are made from."""

    project: Project
    target: Target
    workflow_name: str
    workflow: Workflow
    selected: dict[str, tuple[TableName, ...]]
    """Tables of each tables and loads step, in dependency order."""
    following: str
    entries: dict[str, str]
    """First state of every later step at the same level of the machine."""
    sink: str = "results"
    known: str = "$results"
    """JSONata for every result so far."""

    @property
    def concurrency(self) -> Concurrency:
        """Give the workflow's concurrency, or the project's."""
        return self.workflow.concurrency or self.project.config.defaults.concurrency

    @property
    def retry(self) -> Retry:
        """Give the workflow's retries of tables, or the project's."""
        return self.workflow.retry or self.project.config.defaults.retry

    def needs(self, step: AnyStep, *, tables_too: bool) -> list[str]:
        """Name the needed steps whose failure skips this one.

        Tables and loads look at their own upstreams instead of whole steps of tables.
        """
        steps = self.workflow.steps
        return [
            name
            for name in step.needs
            if tables_too or not isinstance(steps[name], TablesStep | LoadsStep)
        ]

    def jump(self, step: str, to: str) -> str:
        """Give the state where a catcher's `next` begins; ProjectError when it cannot go there."""
        if to in self.entries:
            return self.entries[to]
        fault = Fault(
            Place(f"workflows/{self.workflow_name}.yaml"),
            "catch-unreachable",
            f"step {step!r} catches to {to!r}",
            "a later step, or a step without needs; not from one of several parallel steps",
            "let one step need the other, so that they run one after the other",
        )
        raise ProjectError([fault])

    def catching(self, name: str, step: AnyStep, following: str) -> tuple[State, ...]:
        """Send failures of a step of many parts where its catchers say, else go on."""
        choices = []
        for one in step.catch:
            if one.next == "continue":
                continue
            fits = f'step = {quote(name)} and status = "failed"'
            if "States.ALL" not in one.errors:
                fits += f" and error in {names_in(list(one.errors))}"
            condition = expression(f"$exists({self.known}[{fits}])")
            choices.append({"Condition": condition, "Next": self.jump(name, one.next)})
        if not choices:
            return ()
        fields = {"Type": "Choice", "Choices": choices, "Default": following}
        return (State(state_name(name, "caught?"), fields),)

    def collect(self, fields: str, *, sink: str | None = None) -> dict[str, str]:
        """Assign the results plus one more; `fields` is JSONata inside braces."""
        variable = sink or self.sink
        return {variable: expression(f"$append(${variable}, [{{{fields}}}])")}

    def gate(
        self, name: str, needed: Sequence[str], *, start: str, skipped: dict[str, str]
    ) -> State:
        """Skip a step whose needed steps failed or were skipped."""
        down = f'{self.known}[status in ["failed", "skipped"] and step in '
        return State(
            state_name(name, "choose"),
            {
                "Type": "Choice",
                "Choices": [
                    {
                        "Condition": expression(f"$exists({down}{names_in(list(needed))}])"),
                        "Assign": skipped,
                        "Next": self.following,
                    }
                ],
                "Default": start,
            },
        )


def entry(step: str, name: str, kind: str, status: str, more: str = "") -> str:
    """Write a result's fields as JSONata."""
    return (
        f'"step": {quote(step)}, "name": {quote(name)}, "kind": {quote(kind)}, '
        f'"status": {quote(status)}{more}'
    )


def step_retriers(retry: tuple[StepRetry, ...] | None, default: list[dict[str, Any]]) -> list[Any]:
    """Translate a step's own retriers; the default ones where it names none."""
    if retry is None:
        return default
    result = []
    for one in retry:
        interval = seconds(one.interval)
        fields = retrier(
            one.errors,
            interval_s=interval,
            attempts=one.max_attempts,
            backoff=one.backoff,
            max_delay_s=seconds(one.max_delay) if one.max_delay else None,
        )
        if not one.jitter:
            del fields["JitterStrategy"]
        result.append(fields)
    return result


def explaining(
    scope: Scope, subject: str, failed: dict[str, str], *, following: str
) -> tuple[State, ...]:
    """Put a failure into plain words, note it, and go on; `problem` holds the error."""
    return (
        State(
            state_name(subject, "explain"),
            keeper_task(
                scope.target,
                "explain",
                {
                    "error": expression("$problem.Error"),
                    "cause": expression('$exists($problem.Cause) ? $problem.Cause : ""'),
                },
                Assign={"diagnosis": expression("$states.result.Payload")},
                Output={},
                Retry=retries.keeper(),
                Catch=[
                    catcher(
                        ["States.ALL"],
                        state_name(subject, "fail"),
                        Assign={"diagnosis": {"message": "", "advice": ""}},
                    )
                ],
                Next=state_name(subject, "fail"),
            ),
        ),
        State(
            state_name(subject, "fail"),
            {"Type": "Pass", "Assign": failed, "Next": following},
        ),
    )


FAILURE = ', "error": $problem.Error, "message": $diagnosis.message, "advice": $diagnosis.advice'
"""Further fields of a failed result."""


def catch_to_explain(subject: str) -> dict[str, Any]:
    """Send any error to the explanation."""
    return catcher(
        ["States.ALL"],
        state_name(subject, "explain"),
        Assign={"problem": expression("$states.errorOutput")},
    )
