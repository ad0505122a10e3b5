"""What a run on this machine did so far, read from its journal.

In: a run's name.  Out: a `RunResult` like the one that the run itself gave at its end.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.results import Gatherer, located
from runner.app.run import RunResult
from runner.errors import Fault, Place, UsageError
from runner.keeper.diagnose import explain
from runner.model.names import BACKFILL

if TYPE_CHECKING:
    from runner.app.bundle import WorkflowFacts
    from runner.app.local_places import Local
    from runner.local.runs import Run

LAST = "last"


def find_run(local: Local, name: str) -> Run:
    """Find a run by its name or `last`; UsageError when there is none."""
    found = {run.name: run for run in local.runs.runs()}
    name = next(iter(found), name) if name == LAST else name
    if name in found:
        return found[name]
    text = "no run yet" if name == LAST else repr(name)
    fault = Fault(
        Place("EXECUTION"),
        "unknown-execution",
        text,
        "a run of this machine",
        "see `runner status`",
    )
    raise UsageError([fault])


def result_of(local: Local, run: Run) -> RunResult:
    """Read how a run ended, or how far it is."""
    from runner import machine  # noqa: PLC0415 - the interpreter's events only
    from runner.local.executions import child_events  # noqa: PLC0415
    from runner.local.journal import SqliteJournal  # noqa: PLC0415

    gatherer = Gatherer(_workflow(local, run), local.bundle)
    journal = SqliteJournal(run.journal, machine.Event.from_json)
    try:
        events = sorted((*journal.events(), *child_events(run)), key=lambda event: event.time)
    finally:
        journal.close()
    for event in events:
        gatherer.observe(event)
    end = local.runs.end(run.name)
    error, cause = (end.error, end.cause) if end else ("", "")
    found = explain(error, cause)
    given = run.input if isinstance(run.input, dict) else {}
    until = end.at if end else datetime.now(UTC)
    return RunResult(
        run=run.name,
        workflow=run.workflow,
        status=local.runs.status(run.name).value,
        start=str(given.get("start", "")),
        end=str(given.get("end", "")),
        ended=located(local.root, local.bundle, gatherer.ended(), variables={}),
        error=error,
        cause=cause,
        message=found.message,
        advice=found.advice or found.later,
        environment=local.bundle.environment_name,
        seconds=(until - run.started_at).total_seconds(),
        marts=(),
        backfill=str(given.get("backfill", "")),
    )


def _workflow(local: Local, run: Run) -> WorkflowFacts:
    from runner.app.bundle import every_table  # noqa: PLC0415 - a module of ours, late

    known = {workflow.name: workflow for workflow in local.bundle.workflows}
    return known.get(run.workflow) or every_table(local.bundle, BACKFILL)
