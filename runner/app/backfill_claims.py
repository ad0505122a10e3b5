"""Who carries out a backfill: one at a time, on this machine and on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.app.run import RunResult
from runner.errors import Fault, Place, UsageError
from runner.model.names import BACKFILL

if TYPE_CHECKING:
    from collections.abc import Sequence

_AT_WORK = ("RUNNING", "PENDING_REDRIVE")


def going_on(runs: Sequence[tuple[str, str]]) -> str:
    """Give the run that has not ended, of names and statuses; empty when all have."""
    return next((name for name, status in runs if status in _AT_WORK), "")


def busy(name: str, run: str) -> UsageError:
    """Say that another process is at a backfill."""
    fault = Fault(
        Place("--name"),
        "backfill-running",
        f"backfill {name}, which run {run} carries out",
        "a backfill that nobody carries out at present",
        "wait for it, or stop it; see `runner status`",
    )
    return UsageError([fault])


def nothing_left(
    plan: dict[str, Any], *, environment: str, marts: tuple[tuple[str, str], ...]
) -> RunResult:
    """Say that a backfill succeeded before."""
    return RunResult(
        run="",
        workflow=BACKFILL,
        status="SUCCEEDED",
        start=plan["start"],
        end=plan["end"],
        ended=(),
        error="",
        cause="",
        message="",
        advice="",
        environment=environment,
        seconds=0.0,
        marts=marts,
        backfill=plan["name"],
    )
