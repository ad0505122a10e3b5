"""`status`: the runs of this machine, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run."""

    run: str
    workflow: str
    status: str
    """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED (killed: it can be resumed)."""
    start: str
    end: str
    started_at: str
    error: str
    cause: str
    backfill: str = ""
    """Name of the backfill that it carries out."""


def recent_runs(
    root: Path,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    limit: int = 20,
) -> tuple[RunStatus, ...]:
    """List the newest runs of an environment."""
    bundle = open_bundle(root, environment, variables)
    local = open_places(root, bundle, now=lambda: datetime.now(UTC))
    result = []
    for run in local.runs.runs()[:limit]:
        end = local.runs.end(run.name)
        given = run.input if isinstance(run.input, dict) else {}
        result.append(
            RunStatus(
                run=run.name,
                workflow=run.workflow,
                status=local.runs.status(run.name).value,
                start=str(given.get("start", "")),
                end=str(given.get("end", "")),
                started_at=run.started_at.isoformat(timespec="seconds"),
                error=end.error if end else "",
                cause=end.cause if end else "",
                backfill=str(given.get("backfill", "")),
            )
        )
    return tuple(result)
