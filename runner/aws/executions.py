"""Executions of Step Functions, and the statements of Athena that they started.

In: a session, a Region's console, names of machines.  Out: frozen values; whatever AWS refuses is
CloudRefused.  Reading a history is `history.py`'s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from runner.aws.history import Histories, History
from runner.aws.refusals import refusals
from runner.errors import CloudRefused, Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType

    from runner.aws.session import Session
    from runner.model.ports import Json
    from runner.plan.links import Console

GOING_ON = frozenset({"RUNNING", "PENDING_REDRIVE"})
STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE")
_PAGE = 100
_EVENTS = 1000
"""Events a page; more are not allowed."""
_MOST_CAUSE = 32_768


@dataclass(frozen=True, slots=True)
class Listed:
    """An execution as a list shows it."""

    arn: str
    machine: str
    name: str
    status: str
    started: datetime
    stopped: datetime | None
    redrives: int = 0


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution as it describes itself."""

    arn: str
    machine: str
    name: str
    status: str
    started: datetime
    stopped: datetime | None
    input: Mapping[str, Json]
    error: str = ""
    cause: str = ""
    redrives: int = 0
    not_redrivable: str = ""
    """Why AWS would not redrive it; empty when it would."""

    @property
    def going_on(self) -> bool:
        """Tell whether it has not ended yet."""
        return self.status in GOING_ON


class NameTaken(Exception):
    """An execution of that name was started before, with another input or to its end."""


class Executions:
    """Executions of one account and Region."""

    def __init__(self, session: Session, console: Console) -> None:
        """Take the session, and what makes ARNs of names."""
        self._session = session
        self._console = console

    @property
    def _client(self) -> SFNClient:
        client: SFNClient = self._session.client("stepfunctions")
        return client

    def start(self, machine: str, name: str, given: Mapping[str, Json]) -> str:
        """Start an execution and give its ARN; NameTaken, CloudRefused.

        While one of the same name and the same input runs, that one is given: two who ask for the
        same at once get the same execution.
        """
        client = self._client
        with refusals(f"start an execution of {machine}"):
            try:
                answer = client.start_execution(
                    stateMachineArn=self._console.machine_arn(machine),
                    name=name,
                    input=json.dumps(given, ensure_ascii=False),
                )
            except client.exceptions.StateMachineDoesNotExist as error:
                raise not_deployed(machine) from error
            except client.exceptions.ExecutionAlreadyExists as error:
                raise NameTaken(name) from error
        return answer["executionArn"]

    def status(self, arn: str) -> str:
        """Give the status of an execution; empty when it is not known (any more)."""
        found = self.describe(arn)
        return found.status if found else ""

    def describe(self, arn: str) -> Execution | None:
        """Describe an execution; None when there is none, or it is older than AWS remembers."""
        client = self._client
        with refusals(f"describe the execution {arn}"):
            try:
                found = client.describe_execution(executionArn=arn)
            except client.exceptions.ExecutionDoesNotExist:
                return None
        return Execution(
            arn=found["executionArn"],
            machine=found["stateMachineArn"].split(":")[6],
            name=found["name"],
            status=found["status"],
            started=found["startDate"].astimezone(UTC),
            stopped=_instant(found.get("stopDate")),
            input=_input(found.get("input", "")),
            error=found.get("error", ""),
            cause=found.get("cause", ""),
            redrives=found.get("redriveCount", 0),
            not_redrivable=_reason(found),
        )

    def stop(self, arn: str, cause: str) -> None:
        """Ask an execution to stop; one that has ended stays as it is."""
        client = self._client
        with refusals(f"stop the execution {arn}"):
            try:
                client.stop_execution(
                    executionArn=arn, error="Runner.Stopped", cause=cause[:_MOST_CAUSE]
                )
            except client.exceptions.ExecutionDoesNotExist:
                return

    def redrive(self, arn: str, token: str) -> None:
        """Let AWS go on where an execution ended; the same token does so once."""
        client = self._client
        with refusals(f"redrive the execution {arn}"):
            try:
                client.redrive_execution(executionArn=arn, clientToken=token)
            except client.exceptions.ExecutionNotRedrivable as error:
                said = error.response["Error"].get("Message", "")
                raise not_redrivable(arn.rpartition(":")[2], said) from error

    def list(self, machine: str, status: str | None = None) -> Iterator[Listed]:
        """Give a machine's executions, the newest first, a page when it is needed.

        Nothing for a machine that is not deployed.
        """
        client = self._client
        more: dict[str, Any] = {"statusFilter": _status(status)} if status else {}
        while True:
            with refusals(f"list the executions of {machine}"):
                try:
                    page = client.list_executions(
                        stateMachineArn=self._console.machine_arn(machine),
                        maxResults=_PAGE,
                        **more,
                    )
                except client.exceptions.StateMachineDoesNotExist:
                    return
            for found in page["executions"]:
                yield Listed(
                    arn=found["executionArn"],
                    machine=machine,
                    name=found["name"],
                    status=found["status"],
                    started=found["startDate"].astimezone(UTC),
                    stopped=_instant(found.get("stopDate")),
                    redrives=found.get("redriveCount", 0),
                )
            if not page.get("nextToken"):
                return
            more["nextToken"] = page["nextToken"]

    def definition(self, machine: str) -> str | None:
        """Give the definition that is deployed; None when the machine is not there."""
        client = self._client
        with refusals(f"read the definition of {machine}"):
            try:
                found = client.describe_state_machine(
                    stateMachineArn=self._console.machine_arn(machine)
                )
            except client.exceptions.StateMachineDoesNotExist:
                return None
        return found["definition"]

    def histories(self, arn: str, machines: frozenset[str]) -> Histories:
        """Open the history of an execution, and of those that it starts of the machines named."""
        return Histories(History(self._client, arn), machines)

    def events(self, arn: str) -> Iterator[Mapping[str, Any]]:
        """Give an execution's history as the API does, every page of it."""
        client = self._client
        more: dict[str, Any] = {}
        while True:
            with refusals(f"read the history of the execution {arn}"):
                page = client.get_execution_history(
                    executionArn=arn, maxResults=_EVENTS, includeExecutionData=True, **more
                )
            yield from page["events"]
            if not page.get("nextToken"):
                return
            more["nextToken"] = page["nextToken"]

    def stop_query(self, query_id: str) -> bool:
        """Stop a statement; False when it had ended already."""
        client: AthenaClient = self._session.client("athena")
        with refusals(f"stop the statement {query_id}"):
            try:
                client.stop_query_execution(QueryExecutionId=query_id)
            except client.exceptions.InvalidRequestException:
                return False
        return True


def not_deployed(machine: str, environment: str = "ENVIRONMENT") -> CloudRefused:
    """Say that nothing is there to be started."""
    return CloudRefused(
        [
            Fault(
                Place("AWS"),
                "not-deployed",
                f"no state machine {machine}",
                "a workflow that is deployed",
                f"deploy first: runner deploy --env {environment}",
            )
        ]
    )


def not_redrivable(name: str, reason: str) -> CloudRefused:
    """Say why AWS does not go on with an execution, and what does the same."""
    return CloudRefused(
        [
            Fault(
                Place("AWS"),
                "not-redrivable",
                f"{name}: {reason}",
                "an execution that did not succeed, ended less than 14 days ago, and has fewer "
                "than 24,999 events",
                "run the same window again, which harms nothing: "
                "runner run WORKFLOW --start ... --end ...",
            )
        ]
    )


def _status(text: str) -> ExecutionStatusType:
    if text in STATUSES:
        return text  # type: ignore[return-value] # it is one of them
    expected = f"one of {', '.join(STATUSES)}"
    raise UsageError(
        [Fault(Place("--status"), "unknown-status", text, expected, "name one of them")]
    )


def _instant(when: datetime | None) -> datetime | None:
    return when.astimezone(UTC) if when else None


def _input(text: str) -> Mapping[str, Json]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _reason(found: Mapping[str, Any]) -> str:
    if found.get("redriveStatus", "REDRIVABLE") != "NOT_REDRIVABLE":
        return ""
    return str(found.get("redriveStatusReason") or "AWS does not say why")
