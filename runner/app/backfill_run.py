"""Carrying out a backfill: its plan into the lake, its machine executed until nothing is left.

In: a plan, as `runner.keeper.backfills` describes it.  Out: a `RunResult`.  The plan is written
once; whoever asks again by its name continues it, and two at a time cannot (the runs' names are
taken once, and every table has its lease).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.backfill_claims import busy, going_on, nothing_left
from runner.app.backfill_machine import Shape, distributed, open_machine
from runner.app.bundle import open_bundle
from runner.app.local_places import Local, open_places
from runner.app.places import open_environment
from runner.app.refused_options import raise_any, refused_here
from runner.app.run import RunRequest
from runner.keeper import backfills, records
from runner.model.names import BACKFILL
from runner.plan.document import document
from runner.project.keys import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.app.backfill_plan import BackfillPlan, BackfillRequest
    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.app.local_run import Hooks
    from runner.app.progress import Progress
    from runner.app.run import RunResult
    from runner.app.stopping import Stopper
    from runner.keeper.storage import Storage
    from runner.machine import FaultPlan


@dataclass(frozen=True, slots=True)
class Order:
    """A backfill to carry out."""

    root: Path
    plan: dict[str, Any]
    """As it is stored: see `runner.keeper.backfills`."""
    environment: str = "local"
    variables: tuple[tuple[str, str], ...] = ()
    chunks: Mapping[str, int] = field(default_factory=dict)
    """Chunks of each table (logical name); what is not named has few."""
    loads: tuple[str, ...] = ()
    """Marts' tables that are loaded, as mart:table."""
    dml: int | None = None
    """DML statements at once; the project's setting if None."""
    ddl: int | None = None
    faults: FaultPlan | None = None


def carry_out(
    request: BackfillRequest,
    plan: BackfillPlan,
    *,
    tell: Callable[[Progress], None] | None = None,
    started: Callable[[str, str, str], None] | None = None,
    now: Callable[[], datetime] | None = None,
    stopper: Stopper | None = None,
    say: Callable[[str], None] | None = None,
    detach: bool = False,
) -> RunResult:
    """Carry out what was planned; UsageError while another process is at it.

    On AWS the deployed machine is started, and followed unless `detach`.
    """
    order = Order(
        request.root,
        document(plan),
        environment=request.environment,
        variables=request.variables,
        chunks={table.name: table.chunks for table in plan.tables},
        loads=plan.loads,
        dml=request.dml,
        ddl=request.ddl,
    )
    clock = now or (lambda: datetime.now(UTC))
    places = open_environment(order.root, order.environment, dict(order.variables), now=clock)
    if isinstance(places, Local):
        raise_any(refused_here(order.environment, {"--detach": detach}))
        return _execute_here(order, places, _hooks(tell, started, stopper, say))
    from runner.app.cloud_run import CloudHooks  # noqa: PLC0415 - only on AWS
    from runner.app.remote_backfill import execute_on_aws  # noqa: PLC0415 - boto3 loads there
    from runner.app.remote_start import as_remote  # noqa: PLC0415

    hooks = CloudHooks(tell, started, say, stopper)
    return execute_on_aws(order, as_remote(places), hooks=hooks, detach=detach)


def execute_plan(
    order: Order,
    *,
    tell: Callable[[Progress], None] | None = None,
    started: Callable[[str, str, str], None] | None = None,
    now: Callable[[], datetime] | None = None,
    stopper: Stopper | None = None,
) -> RunResult:
    """Write the plan, or find the one of that name, and execute what is left of it.

    Raises UsageError while another process carries out the same one.  A backfill that has nothing
    left succeeds at once, without a run.
    """
    clock = now or (lambda: datetime.now(UTC))
    bundle = open_bundle(order.root, order.environment, dict(order.variables))
    places = open_places(order.root, bundle, now=clock)
    return _execute_here(order, places, _hooks(tell, started, stopper, None))


def _hooks(
    tell: Callable[[Progress], None] | None,
    started: Callable[[str, str, str], None] | None,
    stopper: Stopper | None,
    say: Callable[[str], None] | None,
) -> Hooks:
    from runner.app.local_run import Hooks  # noqa: PLC0415 - the interpreter

    return Hooks(tell, started, stopper, say=say)


def _execute_here(order: Order, local: Local, hooks: Hooks) -> RunResult:
    from runner.app.local_run import execute  # noqa: PLC0415 - the interpreter

    bundle, storage = local.bundle, local.storage()
    plan = stored(storage, order.plan)
    runs = local.backfill_runs(plan["name"])
    if at_work := going_on(runs):
        raise busy(plan["name"], at_work)
    if any(status == "SUCCEEDED" for _, status in runs):
        return nothing_left(plan, environment=order.environment, marts=local.marts())
    name = f"{BACKFILL}-{plan['name']}-{len(runs) + 1}"
    only = left(order, storage, bundle, plan)
    request = RunRequest(
        root=order.root,
        workflow=BACKFILL,
        environment=order.environment,
        variables=order.variables,
        faults=order.faults,
    )
    given = {"start": plan["start"], "end": plan["end"], "only": only, "backfill": plan["name"]}
    try:
        return execute(
            request,
            bundle,
            _machine(order, bundle, plan),
            given,
            clock=local.now,
            hooks=replace(hooks, planned=partitions_of(bundle, plan, only)),
            name=name,
        )
    except FileExistsError:  # another process took the name since we looked
        raise busy(plan["name"], name) from None


def stored(storage: Storage, plan: dict[str, Any]) -> dict[str, Any]:
    """Store a plan unless one of its name is there; give the one that is."""
    if backfills.create(storage, plan):
        return plan
    return backfills.read(storage, plan["name"])


def left(order: Order, storage: Storage, bundle: Bundle, plan: dict[str, Any]) -> list[str]:
    """Name the plan's tables that have something left to write or to load, in the bundle's order.

    A table counts as done when all of its windows were published since the plan was made.
    """
    planned = {told["name"]: physical for physical, told in plan["tables"].items()}
    loaded = set(_loaded(order, bundle))
    grains = {table.name: table.grain or None for table in bundle.tables if table.name in planned}

    def is_left(name: str) -> bool:
        return name in loaded or not is_done(storage, planned[name], plan, grain=grains[name])

    names = list(grains)
    found = zip(names, storage.each(is_left, names), strict=True)
    return [name for name, wanted in found if wanted]


def _loaded(order: Order, bundle: Bundle) -> list[str]:
    """Name the tables whose marts are loaded."""
    return [t.name for t in bundle.tables if f"{t.load_mart}:{t.load_table}" in order.loads]


def is_done(storage: Storage, physical: str, plan: dict[str, Any], *, grain: str | None) -> bool:
    """Tell whether every window of a planned table was published since the plan was made."""
    told = plan["tables"][physical]
    latest = records.newest(records.entries(storage, physical), grain)
    wanted = _periods(told["windows"], grain)
    fingerprint = told["fingerprint"][:12]
    return all(
        (entry := latest.get(period)) is not None
        and entry.published
        and entry.at > plan["created"]
        and entry.fingerprint == fingerprint
        for period in wanted
    )


def _periods(spans: list[list[str]], grain: str | None) -> list[str]:
    from runner.keeper import windows  # noqa: PLC0415 - small, and only here

    if grain is None:
        return [records.WHOLE]
    return [period for first, last in spans for period in windows.periods(first, last, grain)]


def partitions_of(bundle: Bundle, plan: dict[str, Any], only: list[str]) -> int:
    """Count the partitions of a plan that are to be published, of the tables that are left."""
    grains = {table.name: table.grain or None for table in bundle.tables if table.name in only}
    return sum(
        len(_periods(told["windows"], grains[told["name"]]))
        for told in plan["tables"].values()
        if told["name"] in grains and grains[told["name"]]
    )


def _machine(order: Order, bundle: Bundle, plan: dict[str, Any]) -> WorkflowFacts:
    planned = {told["name"]: told for told in plan["tables"].values()}
    tables = [table for table in bundle.tables if table.name in planned]
    shape = Shape(
        tables=tuple(table.name for table in tables),
        loads=tuple(name for name in _loaded(order, bundle) if name in planned),
        grain=plan["grain"],
        refreshed=tuple(name for name, told in planned.items() if told.get("refresh")),
        distributed=distributed({name: order.chunks.get(name, 1) for name in planned}),
        dml=order.dml,
        ddl=order.ddl,
    )
    return open_machine(order.root, Choice(order.environment, dict(order.variables)), shape)
