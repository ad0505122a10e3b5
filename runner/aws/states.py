"""Executions of state machines by their names: whether one runs, and the start of one.

In: ARNs and names.  Out: statuses as Step Functions says them; the ARN of what was started.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.aws.refusals import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_stepfunctions import SFNClient

    from runner.aws.session import Session
    from runner.model.ports import Json


class NameTaken(Exception):
    """An execution of that name was started before, with another input or to its end."""


@dataclass(frozen=True, slots=True)
class Executions:
    """Step Functions, as far as names and statuses go."""

    session: Session

    @property
    def _client(self) -> SFNClient:
        client: SFNClient = self.session.client("stepfunctions")
        return client

    def status(self, execution: str) -> str:
        """Give the status of an execution by its ARN; empty when it is not known (any more)."""
        client = self._client
        try:
            return str(client.describe_execution(executionArn=execution)["status"])
        except client.exceptions.ExecutionDoesNotExist:
            return ""

    def start(self, machine: str, name: str, given: Mapping[str, Json]) -> str:
        """Start an execution and give its ARN; NameTaken, CloudRefused.

        While one of the same name and the same input runs, that one is given: two who ask for the
        same at once get the same execution.
        """
        client = self._client
        with refusals(f"start {machine.rpartition(':')[2]}"):
            try:
                answer = client.start_execution(
                    stateMachineArn=machine, name=name, input=json.dumps(given)
                )
            except client.exceptions.ExecutionAlreadyExists as error:
                raise NameTaken(name) from error
        return answer["executionArn"]

    def definition(self, machine: str) -> str:
        """Give the text of a deployed machine; empty when there is none."""
        client = self._client
        with refusals(f"read the definition of {machine.rpartition(':')[2]}"):
            try:
                return client.describe_state_machine(stateMachineArn=machine)["definition"]
            except client.exceptions.StateMachineDoesNotExist:
                return ""
