"""A small Step Functions and Athena in memory: executions whose histories grow as they are read.

It answers what `runner.aws` asks, with botocore's own exception classes, and remembers the calls.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.histories import Written

REGION = "us-east-1"
ACCOUNT = "123456789012"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"


@dataclass
class Known:
    """One execution: what it will have done, and how much of that can be seen."""

    machine: str
    name: str
    given: dict[str, Any]
    written: Written
    status: str = "SUCCEEDED"
    """Once all is seen."""
    error: str = ""
    cause: str = ""
    shown: int = 10_000
    """Events that can be seen."""
    step: int = 0
    """Events that can be seen in addition after each read."""
    redrives: int = 0
    not_redrivable: str = ""

    @property
    def arn(self) -> str:
        return f"{STATES}:execution:{self.machine}:{self.name}"

    @property
    def over(self) -> bool:
        return self.shown >= len(self.written.events)


@dataclass
class FakeStates:
    """Step Functions, as a client; also Athena's `stop_query_execution`."""

    executions: dict[str, Known] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    on_start: Callable[[str, str, dict[str, Any]], Known] | None = None
    ended_queries: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self._real: Any = boto3.client("stepfunctions", region_name=REGION, **keys)
        self._athena: Any = boto3.client("athena", region_name=REGION, **keys)

    def close(self) -> None:
        self._real.close()
        self._athena.close()

    def client(self, service: str) -> Any:  # noqa: ANN401 - as Session's
        return {"stepfunctions": self, "athena": _Athena(self)}[service]

    @property
    def exceptions(self) -> Any:  # noqa: ANN401 - botocore makes its classes at run time
        return self._real.exceptions

    def add(self, known: Known) -> Known:
        self.executions[known.arn] = known
        return known

    def refuse(self, name: str, message: str = "") -> Exception:
        kind = getattr(self.exceptions, name)
        error: Exception = kind({"Error": {"Code": name, "Message": message}}, "it")
        return error

    def _find(self, arn: str) -> Known:
        if arn not in self.executions:
            raise self.refuse("ExecutionDoesNotExist")
        return self.executions[arn]

    def describe_state_machine(self, *, stateMachineArn: str) -> dict[str, Any]:  # noqa: N803
        name = stateMachineArn.rpartition(":")[2]
        if name not in self.definitions:
            raise self.refuse("StateMachineDoesNotExist")
        return {"definition": self.definitions[name]}

    def start_execution(
        self,
        *,
        stateMachineArn: str,  # noqa: N803
        name: str,
        input: str,  # noqa: A002
    ) -> dict[str, Any]:
        machine = stateMachineArn.rpartition(":")[2]
        self.calls.append(("start", machine))
        if machine not in self.definitions or self.on_start is None:
            raise self.refuse("StateMachineDoesNotExist")
        return {"executionArn": self.add(self.on_start(machine, name, json.loads(input))).arn}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        known = self._find(executionArn)
        events = known.written.events
        status = known.status if known.over else "RUNNING"
        answer = {
            "executionArn": known.arn,
            "stateMachineArn": f"{STATES}:stateMachine:{known.machine}",
            "name": known.name,
            "status": status,
            "startDate": known.written.began,
            "input": json.dumps(known.given),
            "redriveCount": known.redrives,
            "redriveStatus": "NOT_REDRIVABLE" if known.not_redrivable else "REDRIVABLE",
            "redriveStatusReason": known.not_redrivable,
        }
        if known.over:
            answer |= {"stopDate": events[-1]["timestamp"] if events else known.written.began}
        if known.over and known.error:
            answer |= {"error": known.error, "cause": known.cause}
        return answer

    def get_execution_history(
        self,
        *,
        executionArn: str,  # noqa: N803
        maxResults: int,  # noqa: N803
        includeExecutionData: bool,  # noqa: N803
        nextToken: str = "0",  # noqa: N803 - a page's
    ) -> dict[str, Any]:
        assert includeExecutionData
        known = self._find(executionArn)
        first = int(nextToken)
        events = known.written.events[: known.shown][first : first + maxResults]
        known.shown += known.step
        full = len(events) == maxResults
        return {"events": events, **({"nextToken": str(first + maxResults)} if full else {})}

    def list_executions(
        self,
        *,
        stateMachineArn: str,  # noqa: N803
        maxResults: int,  # noqa: N803
        statusFilter: str = "",  # noqa: N803
        nextToken: str = "0",  # noqa: N803
    ) -> dict[str, Any]:
        machine = stateMachineArn.rpartition(":")[2]
        self.calls.append(("list", machine))
        if machine not in self.definitions:
            raise self.refuse("StateMachineDoesNotExist")
        found = [known for known in self.executions.values() if known.machine == machine]
        told = [self.describe_execution(executionArn=known.arn) for known in found]
        told.sort(key=lambda one: one["startDate"], reverse=True)
        told = [one for one in told if statusFilter in ("", one["status"])]
        first = int(nextToken)
        more = len(told) > first + maxResults
        page = told[first : first + maxResults]
        return {"executions": page, **({"nextToken": str(first + maxResults)} if more else {})}

    def stop_execution(self, *, executionArn: str, error: str, cause: str) -> dict[str, Any]:  # noqa: N803
        self.calls.append(("stop", executionArn.rpartition(":")[2]))
        known = self._find(executionArn)
        if not known.over:
            del known.written.events[known.shown :]
            known.written.end("Aborted", error=error, cause=cause)
            known.status, known.error, known.cause = "ABORTED", error, cause
            known.shown = len(known.written.events)
        return {"stopDate": dt.datetime.now(dt.UTC)}

    def redrive_execution(self, *, executionArn: str, clientToken: str) -> dict[str, Any]:  # noqa: N803
        self.calls.append(("redrive", clientToken))
        known = self._find(executionArn)
        if known.not_redrivable:
            raise self.refuse("ExecutionNotRedrivable", known.not_redrivable)
        known.redrives += 1
        known.written.add("ExecutionRedriven", redriveCount=known.redrives)
        known.written.end("Succeeded", output="{}")
        known.status, known.error = "SUCCEEDED", ""
        return {"redriveDate": dt.datetime.now(dt.UTC)}


@dataclass
class _Athena:
    """The one call of Athena that is made."""

    states: FakeStates

    @property
    def exceptions(self) -> Any:  # noqa: ANN401 - likewise
        return self.states._athena.exceptions  # noqa: SLF001 - of this module alone

    def stop_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        self.states.calls.append(("stop query", QueryExecutionId))
        if QueryExecutionId in self.states.ended_queries:
            error = {"Error": {"Code": "InvalidRequestException", "Message": "ended"}}
            raise self.exceptions.InvalidRequestException(error, "it")
        return {}
