"""`history`: what an execution did, event by event, as GetExecutionHistory tells it.

In: a run's name, `last`, or an execution's ARN.  Out: events as the API sends them, so that what
reads AWS's history reads ours: on this machine they are made from the run's journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.deployed import Deployed
    from runner.app.local_places import Local
    from runner.local.runs import Run
    from runner.model.ports import Json

_ARN = "arn:"


@dataclass(frozen=True, slots=True)
class ExecutionHistory:
    """The events of one execution so far."""

    arn: str
    events: tuple[Mapping[str, Json], ...]
    """As the API sends them: timestamps are seconds since 1970, values are JSON texts."""

    def to_json(self) -> Json:
        """Give what GetExecutionHistory answers."""
        return {"events": [dict(event) for event in self.events]}


def execution_history(
    root: Path,
    name: str,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
) -> ExecutionHistory:
    """Read an execution's history; UsageError when there is none of that name."""
    bundle = open_bundle(root, environment, variables)
    if bundle.environment["engine"] == "aws":
        from runner.app.cloud import open_cloud  # noqa: PLC0415 - boto3 is for AWS only
        from runner.app.deployed import Deployed  # noqa: PLC0415

        return deployed_history(Deployed(open_cloud(root, environment)), name)
    from runner.app.local_places import open_places  # noqa: PLC0415 - for this machine only

    return local_history(open_places(root, bundle, now=lambda: datetime.now(UTC)), name)


def local_history(local: Local, name: str) -> ExecutionHistory:
    """Make the history of a run of this machine, or of an execution that one started."""
    from runner.local.journal import open_journal  # noqa: PLC0415 - for this machine only
    from runner.machine import parse_definition  # noqa: PLC0415 - the interpreter loads only here
    from runner.machine.history import history  # noqa: PLC0415

    run = _find(local, name)
    journal = open_journal(run.journal)
    try:
        events = tuple(journal.events())
    finally:
        journal.close()
    told = history(parse_definition(run.definition), events)
    return ExecutionHistory(run.arn, tuple(event.to_wire() for event in told))


def _find(local: Local, name: str) -> Run:
    from runner.app.run_journal import find_run  # noqa: PLC0415 - for this machine only

    if name.startswith(_ARN):
        try:
            return local.runs.by_arn(name)
        except KeyError:
            pass
    return find_run(local, name)


def deployed_history(deployed: Deployed, name: str) -> ExecutionHistory:
    """Read the history of an execution on AWS."""
    execution = deployed.find(name)
    events = (_wire(event) for event in deployed.executions.events(execution.arn))
    return ExecutionHistory(execution.arn, tuple(events))


def _wire(event: Mapping[str, Json]) -> dict[str, Json]:
    return {**event, "timestamp": round(event["timestamp"].timestamp(), 3)}
