"""`backfill`: find out what is missing, stale or failed, and plan how to write it.

In: a request.  Out: a `BackfillPlan`, computed from the records of the lake alone.  A plan that is
carried out is stored under its name, so that the same command goes on with it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runner.app.backfill_choice import bad_periods, choose, choose_range, nodes_of, spans_of
from runner.app.backfill_ledgers import looked_at, read_ledgers
from runner.app.backfill_store import is_done, left_of, named_plan, own_name, refuse_changed
from runner.app.compiled import find_workflow
from runner.app.places import is_local, open_environment
from runner.app.refused_options import raise_any, refused_there
from runner.errors import Fault, Place, UsageError
from runner.keeper import records
from runner.plan.backfill import Question, in_waves, plan_tables
from runner.plan.calendar import ordinal
from runner.plan.document import BackfillPlan
from runner.plan.facts import NOTHING
from runner.plan.sizes import estimate
from runner.plan.staleness import Span, Wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.app.backfill_choice import Choice, Range
    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.app.places import Places
    from runner.plan.backfill import PlannedTable
    from runner.plan.facts import Ledger, Node

__all__ = ["BackfillPlan", "BackfillRequest", "plan_backfill"]


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What to look at, and how to write it."""

    root: Path
    environment: str = "local"
    variables: tuple[tuple[str, str], ...] = ()
    name: str | None = None
    """The plan's name; if absent it is made from what was asked for."""
    targets: tuple[str, ...] = ()
    """Workflows, or patterns of tables; every workflow of the project if absent."""
    start: str | None = None
    end: str | None = None
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    everything: bool = False
    """Every period of the range, whatever the records say."""
    gaps: bool = False
    """Only what is missing or failed, not what is stale."""
    full_refresh: tuple[str, ...] = ()
    """Tables whose whole history is written into a new generation."""
    dml: int | None = None
    """Statements that write at once; the project's if absent."""
    ddl: int | None = None
    """Statements that define at once; the project's if absent."""
    loads: bool = True


def plan_backfill(request: BackfillRequest, *, now: datetime) -> BackfillPlan:
    """Plan a backfill, or find what is left of one that was begun; UsageError, ProjectError."""
    given = dict(request.variables)
    places = open_environment(request.root, request.environment, given, now=lambda: now)
    if not is_local(places):
        _refuse_local_options(request)
    nodes = nodes_of(places.bundle, now)
    with places.refusals("read the lake's records"):
        stored = named_plan(places.storage(), request.name)
        if stored is not None:
            plan = _continued(request, stored, places, nodes)
        else:
            plan = _fresh(request, places, nodes, now=now)
    with places.refusals("list what the tables read"):
        return replace(_measured(plan, places, nodes), price_per_tb=places.bundle.price_per_tb)


def _refuse_local_options(request: BackfillRequest) -> None:
    """Refuse what a deployed machine cannot be told: its input is a window, tables and a name."""
    given = {
        "--no-loads": not request.loads,
        "--dml": request.dml is not None,
        "--ddl": request.ddl is not None,
    }
    expected = "what the deployed machine decides: it loads what it writes"
    advice = "leave it away; `concurrency` in config.yaml is deployed with the machine"
    raise_any(refused_there(request.environment, given, expected=expected, advice=advice))


def _fresh(
    request: BackfillRequest, places: Places, nodes: Mapping[str, Node], *, now: datetime
) -> BackfillPlan:
    """Plan from what was asked for; go on with the plan that the same words made before."""
    _check_refresh(request, nodes)
    choice = _choice(request, places.bundle)
    asked = choose_range(places.bundle, choice, start=request.start, end=request.end, now=now)
    spans, whole = spans_of(nodes, choice.tables, asked)
    ledgers = read_ledgers(places.storage(), nodes, looked_at(nodes, spans))
    name = request.name
    if name is None:
        name, stored = own_name(_name_of(request, choice, whole, nodes), places, nodes, ledgers)
        if stored is not None:
            return _continued(request, stored, places, nodes)
    for table in request.full_refresh:
        spans[table] = _history(nodes[table], ledgers.get(table, NOTHING), spans[table])
    wish = Wish(everything=request.everything, gaps=request.gaps)
    answer = plan_tables(Question(nodes, ledgers, spans, wish, request.full_refresh))
    return BackfillPlan(
        name=name,
        created=records.stamp(now),
        workflow=choice.workflow.name if choice.workflow else "",
        grain=whole.grain,
        start=whole.start,
        end=whole.end,
        tables=answer.tables,
        gaps=answer.gaps,
        loads=_loads(request, choice.workflow if is_local(places) else None, answer.tables),
    )


def _choice(request: BackfillRequest, bundle: Bundle) -> Choice:
    workflows = tuple(workflow.name for workflow in bundle.workflows)
    targets = request.targets or workflows or (find_workflow(bundle, None).name,)
    faults = bad_periods(request.start, request.end)
    try:
        choice = choose(bundle, (*targets, *request.full_refresh), request.only, request.exclude)
    except UsageError as error:
        raise UsageError([*error.faults, *faults]) from error
    if faults:
        raise UsageError(faults)
    return choice


def _history(node: Node, ledger: Ledger, span: Span) -> Span:
    """Give the whole history of a table: from its first period to the newest published one."""
    known = (
        [ordinal(period, node.grain) for period in (min(ledger.at), max(ledger.at))]
        if (ledger.at)
        else []
    )
    first = ordinal(node.first, node.grain) if node.first else min([span.first, *known])
    return Span(first, max([span.last, *known]))


def _measured(plan: BackfillPlan, places: Places, nodes: Mapping[str, Node]) -> BackfillPlan:
    """Add what the statements scan."""
    if not plan.tables:
        return plan
    from runner.app.backfill_sizes import Measure  # noqa: PLC0415 - only when there is work

    sizes = Measure(places, nodes).inputs(plan.tables)
    return replace(plan, tables=estimate(plan.tables, nodes, sizes))


def _loads(
    request: BackfillRequest, workflow: WorkflowFacts | None, tables: Iterable[Node | PlannedTable]
) -> tuple[str, ...]:
    """Name the marts' tables that are loaded: those of the workflow, if one was named.

    The machine on AWS is one for all workflows, and loads all that it writes.
    """
    if not request.loads:
        return ()
    return tuple(
        table.load
        for table in tables
        if table.load and (workflow is None or table.name in workflow.loads)
    )


# --- names ----------------------------------------------------------------------------------------


def _name_of(
    request: BackfillRequest, choice: Choice, whole: Range, nodes: Mapping[str, Node]
) -> str:
    target = choice.workflow.name if choice.workflow else "-".join(request.targets)
    word = re.sub(r"[^a-z0-9_]+", "-", target.lower()).strip("-")[:20].strip("-")
    options = [request.everything, request.gaps, sorted(request.full_refresh)]
    prints = [nodes[name].fingerprint for name in choice.tables]
    text = json.dumps([choice.tables, prints, options])
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return f"{word or 'tables'}-{whole.start}-{whole.end}-{digest}"


def _continued(
    request: BackfillRequest, stored: dict[str, Any], places: Places, nodes: Mapping[str, Node]
) -> BackfillPlan:
    """Give what is left of a stored plan; UsageError if the project has changed since."""
    refuse_changed(stored, nodes)
    names = [table["name"] for table in stored["tables"].values()]
    ledgers = read_ledgers(places.storage(), nodes, names)
    left = {table.name: table for table in left_of(stored, nodes, ledgers)}
    loads: tuple[str, ...] = ()
    if not is_done(stored, places, nodes, ledgers):
        named = [one for one in places.bundle.workflows if one.name == stored["workflow"]]
        workflow = named[0] if named and is_local(places) else None
        loads = _loads(request, workflow, [nodes[name] for name in names])
    return BackfillPlan(
        name=stored["name"],
        created=stored["created"],
        workflow=stored["workflow"],
        grain=stored["grain"],
        start=stored["start"],
        end=stored["end"],
        tables=in_waves(nodes, left),
        gaps=(),
        loads=loads,
        continued=True,
    )


# --- full refresh ---------------------------------------------------------------------------------


def _check_refresh(request: BackfillRequest, nodes: Mapping[str, Node]) -> None:
    faults = []
    for name in request.full_refresh:
        node = nodes.get(name)
        if node is None:
            continue  # the selection names it
        if node.kind != "insert" or not node.grain:
            found, advice = (
                f"{name}, of kind {node.kind}",
                "leave it away: it is always written whole",
            )
        elif node.ordered:
            found = f"{name}, which reads its own earlier partitions"
            advice = f"write it in order: runner backfill {name} --all"
        elif node.iceberg:
            found = f"{name}, an Iceberg table, whose commits replace rows where they lie"
            advice = f"write it again in place: runner backfill {name} --all"
        else:
            continue
        expected = "a Hive table partitioned by time that does not read itself"
        faults.append(Fault(Place("--full-refresh"), "full-refresh", found, expected, advice))
    if faults:
        raise UsageError(faults)
