"""The machines of an environment on AWS, and the executions of them that people name.

In: an opened environment.  Out: which machine is which workflow's, whether what is deployed is
what the checkout says, and an execution found by its name, its ARN or `last`.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from runner.app.bundle import every_table
from runner.aws.executions import Executions
from runner.errors import Fault, Place, UsageError
from runner.model.names import BACKFILL, LOAD, deployed_name
from runner.plan.links import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.app.bundle import WorkflowFacts
    from runner.app.cloud import Cloud
    from runner.aws.executions import Execution, Listed

LAST = "last"


@dataclass(frozen=True)
class Deployed:
    """What is deployed of a project, seen from its checkout."""

    cloud: Cloud

    @cached_property
    def console(self) -> Console:
        """Make links and ARNs."""
        found = self.cloud.environment
        return Console(found["region"], found["account"])

    @cached_property
    def executions(self) -> Executions:
        """Open Step Functions."""
        return Executions(self.cloud.session, self.console)

    @cached_property
    def machines(self) -> dict[str, str]:
        """Name the machines that people start, and the workflow of each."""
        names = [workflow.name for workflow in self.cloud.bundle.workflows]
        return {self.machine(name): name for name in (*names, BACKFILL, LOAD)}

    def machine(self, workflow: str) -> str:
        """Name a workflow's machine."""
        return deployed_name(self.cloud.bundle.prefix, workflow)

    def workflow(self, machine: str) -> WorkflowFacts:
        """Give the workflow of a machine; those of backfills and loads may be about every table."""
        name = self.machines.get(machine, machine)
        found = {workflow.name: workflow for workflow in self.cloud.bundle.workflows}.get(name)
        return found or every_table(self.cloud.bundle, name)

    def differs(self, workflow: WorkflowFacts) -> bool | None:
        """Tell whether what is deployed is not what the checkout says; None if nothing is."""
        wanted = {self.machine(workflow.name): workflow.definition}
        wanted |= {child.machine: child.definition for child in workflow.children}
        found = {name: self.executions.definition(name) for name in wanted}
        if found[self.machine(workflow.name)] is None:
            return None
        return any(not same_definition(text, found[name]) for name, text in wanted.items())

    def list(self, workflow: str | None = None, status: str | None = None) -> Iterator[Listed]:
        """Give the executions of one or all machines, the newest first, read as they are needed."""
        names = [self.machine(workflow)] if workflow else list(self.machines)
        found = [self.executions.list(name, status) for name in names]
        return heapq.merge(*found, key=lambda one: one.started, reverse=True)

    def find(self, name: str, *, workflow: str | None = None) -> Execution:
        """Find an execution by its name, its ARN or `last`; UsageError when there is none."""
        if name == LAST:
            newest = next(self.list(workflow), None)
            found = self.executions.describe(newest.arn) if newest else None
        elif name.startswith("arn:"):
            found = self.executions.describe(name)
        else:
            found = next(self._named(name), None)
        if found is None:
            raise _unknown(name, self.cloud.bundle.environment_name)
        return found

    def _named(self, name: str) -> Iterator[Execution]:
        """Look for a name, first where the name says that it belongs."""
        likely = sorted(self.machines, key=lambda one: not name.startswith(self.machines[one]))
        for machine in likely:
            found = self.executions.describe(self.console.execution_arn(machine, name))
            if found is not None:
                yield found


def same_definition(ours: str, theirs: str | None) -> bool:
    """Compare definitions as JSON: CloudFormation may write the same in another way."""
    try:
        return theirs is not None and (ours == theirs or json.loads(ours) == json.loads(theirs))
    except ValueError:
        return False


def _unknown(name: str, environment: str) -> UsageError:
    fault = Fault(
        Place("EXECUTION"),
        "unknown-execution",
        "no execution yet" if name == LAST else repr(name),
        f"an execution of {environment} of the last 90 days",
        f"see `runner executions --env {environment}`",
    )
    return UsageError([fault])
