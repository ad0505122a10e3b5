"""What a state machine may do: what its definition calls, and nothing that it does not call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.iam.athena import Scene, athena_statements, glue_statements
from runner.plan.stack.iam.services import service_statements
from runner.plan.stack.iam.statements import Statement, allow
from runner.plan.stack.names import Arns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.plan.stack.facts import Grant, MachineFacts, StackFacts
    from runner.plan.stack.iam.uses import Uses

_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""These know no resources: log groups of executions are set up through them."""


def machine_statements(
    facts: StackFacts, machine: MachineFacts, uses: Uses
) -> tuple[Statement, ...]:
    """Derive a machine's permissions from what its definition uses."""
    scene = Scene(facts, machine, Arns.of(facts), uses.calls, dict(uses.tables), uses.exports)
    return (
        *athena_statements(scene),
        *glue_statements(scene),
        *service_statements(scene),
        *(_distributed(scene) if uses.distributed else ()),
        *_logging(facts),
        *grant_statements(machine.grants),
    )


def grant_statements(grants: Iterable[Grant]) -> Iterator[Statement]:
    """Write what a user's file asks for, as it asks."""
    for number, grant in enumerate(dict.fromkeys(grants), start=1):
        yield allow(f"Granted{number}", grant.actions, grant.resources)


def _distributed(scene: Scene) -> Iterator[Statement]:
    """Allow a Map to run and redrive executions of its own machine."""
    arns, name = scene.arns, scene.machine.name
    inside = arns.arn("states", f"execution:{name}/*")
    yield allow("MapStarts", ["states:StartExecution"], [arns.machine(name)])
    ends = ["states:DescribeExecution", "states:StopExecution"]
    yield allow("MapEnds", ends, [arns.executions(name), inside])
    yield allow("MapRedrives", ["states:RedriveExecution"], [inside])


def _logging(facts: StackFacts) -> Iterator[Statement]:
    if facts.log_level != "OFF":
        yield allow("LogDelivery", _LOG_DELIVERY, ["*"])
