"""Carrying out a planned backfill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from runner.app.backfill_plan import BackfillPlan, BackfillRequest
    from runner.app.progress import Progress
    from runner.app.run import RunResult
    from runner.app.stopping import Stopper


def carry_out(
    request: BackfillRequest,
    plan: BackfillPlan,
    *,
    tell: Callable[[Progress], None] | None = None,
    started: Callable[[str, str, str], None] | None = None,
    now: Callable[[], datetime] | None = None,
    stopper: Stopper | None = None,
) -> RunResult:
    """Write what the plan says; not built yet."""
    del request, tell, started, now, stopper
    advice = "look at it with --dry-run"
    fault = Fault(Place("backfill"), "not-built", plan.name, "a version that can run it", advice)
    raise UsageError([fault])
