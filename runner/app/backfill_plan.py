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

from runner.app.backfill_choice import choose, choose_range, nodes_of, spans_of
from runner.app.bundle import open_bundle
from runner.app.compiled import find_workflow
from runner.app.local_places import open_places
from runner.errors import Fault, Place, UsageError
from runner.keeper import history, records
from runner.keeper.storage import Conflict
from runner.plan.backfill import Question, in_waves, plan_tables, planned
from runner.plan.calendar import label, ordinal
from runner.plan.document import BackfillPlan, document
from runner.plan.facts import NOTHING, inputs_of
from runner.plan.ledgers import make_ledger
from runner.plan.sizes import estimate
from runner.plan.staleness import KEY_DIGITS, Reason, Span, Wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.app.backfill_choice import Choice, Range
    from runner.app.bundle import Bundle, WorkflowFacts
    from runner.app.local_places import Local
    from runner.keeper.storage import Storage
    from runner.plan.backfill import PlannedTable
    from runner.plan.facts import Ledger, Node

__all__ = ["BackfillPlan", "BackfillRequest", "keep_plan", "plan_backfill"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}\Z")
_LEFT = Reason("missing", "not written yet")


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What to look at, and how to write it."""

    root: Path
    environment: str = "local"
    variables: tuple[tuple[str, str], ...] = ()
    name: str | None = None
    """The plan's name; if absent it is made from what was asked for."""
    targets: tuple[str, ...] = ()
    """A workflow, or patterns of tables."""
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
    bundle = open_bundle(request.root, request.environment, dict(request.variables))
    local = open_places(request.root, bundle, now=lambda: now)
    nodes = nodes_of(bundle, now)
    store = _Store(local.storage())
    stored = _named_plan(store, request.name)
    if stored is not None:
        plan = _continued(request, stored, local, nodes)
    else:
        plan = _fresh(request, local, nodes, now=now)
    return replace(_measured(plan, local, nodes), price_per_tb=bundle.price_per_tb)


def _fresh(
    request: BackfillRequest, local: Local, nodes: Mapping[str, Node], *, now: datetime
) -> BackfillPlan:
    """Plan from what was asked for; go on with the plan that the same words made before."""
    _check_refresh(request, nodes)
    choice = _choice(request, local.bundle)
    asked = choose_range(local.bundle, choice, start=request.start, end=request.end, now=now)
    spans, whole = spans_of(nodes, choice.tables, asked)
    ledgers = read_ledgers(local.storage(), nodes, looked_at(nodes, spans))
    name = request.name
    if name is None:
        name, stored = _own_name(_name_of(request, choice, whole, nodes), local, nodes, ledgers)
        if stored is not None:
            return _continued(request, stored, local, nodes)
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
        loads=_loads(request, choice.workflow, answer.tables),
    )


def _choice(request: BackfillRequest, bundle: Bundle) -> Choice:
    targets = request.targets or (find_workflow(bundle, None).name,)
    return choose(bundle, (*targets, *request.full_refresh), request.only, request.exclude)


def _history(node: Node, ledger: Ledger, span: Span) -> Span:
    """Give the whole history of a table: from its first period to the newest published one."""
    known = (
        [ordinal(period, node.grain) for period in (min(ledger.at), max(ledger.at))]
        if (ledger.at)
        else []
    )
    first = ordinal(node.first, node.grain) if node.first else min([span.first, *known])
    return Span(first, max([span.last, *known]))


def _measured(plan: BackfillPlan, local: Local, nodes: Mapping[str, Node]) -> BackfillPlan:
    """Add what the statements scan."""
    if not plan.tables:
        return plan
    from runner.app.backfill_sizes import Measure  # noqa: PLC0415 - only when there is work

    sizes = Measure(local, nodes).inputs(plan.tables)
    return replace(plan, tables=estimate(plan.tables, nodes, sizes))


def _loads(
    request: BackfillRequest, workflow: WorkflowFacts | None, tables: Iterable[Node | PlannedTable]
) -> tuple[str, ...]:
    """Name the marts' tables that are loaded: those of the workflow, if one was named."""
    if not request.loads:
        return ()
    return tuple(
        table.load
        for table in tables
        if table.load and (workflow is None or table.name in workflow.loads)
    )


# --- records --------------------------------------------------------------------------------------


def looked_at(nodes: Mapping[str, Node], chosen: Iterable[str]) -> set[str]:
    """Name the tables whose records matter: the chosen ones and all that they read."""
    found = set(chosen)
    for name in tuple(found):
        found |= {one.table for one in inputs_of(nodes[name], nodes)}
    return found


def read_ledgers(
    storage: Storage, nodes: Mapping[str, Node], wanted: Iterable[str]
) -> dict[str, Ledger]:
    """Read what counts for each table, by one LIST."""
    physical = {nodes[name].physical: name for name in wanted}
    return {
        physical[table]: make_ledger(
            nodes[physical[table]].grain, rows.published, rows.begun, rows.failed
        )
        for table, rows in history.rows(storage, physical)
    }


# --- names and stored plans -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Store:
    """The stored plans of a lake."""

    storage: Storage

    def key(self, name: str) -> str:
        return f"{self.storage.prefix}_runner/backfills/{name}.json"

    def read(self, name: str) -> dict[str, Any] | None:
        found = self.storage.read_json(self.key(name))
        if found is None:
            return None
        value: dict[str, Any] = found[0]
        return value


def keep_plan(request: BackfillRequest, plan: BackfillPlan, *, now: datetime) -> None:
    """Store a new plan under its name; UsageError when another process was faster."""
    if plan.continued:
        return
    bundle = open_bundle(request.root, request.environment, dict(request.variables))
    store = _Store(open_places(request.root, bundle, now=lambda: now).storage())
    try:
        store.storage.create_json(store.key(plan.name), document(plan))
    except Conflict:
        advice = "repeat the command: it then shows what is left and goes on with it"
        found = f"{plan.name}, which another process has just begun"
        fault = Fault(Place("--name"), "backfill-exists", found, "a backfill of one's own", advice)
        raise UsageError([fault]) from None


def _named_plan(store: _Store, name: str | None) -> dict[str, Any] | None:
    """Give the stored plan that --name means, if there is one."""
    if name is None:
        return None
    if _NAME.match(name) is None:
        expected = "letters, digits, dashes and underscores, 60 at most"
        advice = "for example --name carriers-2013"
        raise UsageError([Fault(Place("--name"), "bad-name", repr(name), expected, advice)])
    return store.read(name)


def _own_name(
    base: str, local: Local, nodes: Mapping[str, Node], ledgers: Mapping[str, Ledger]
) -> tuple[str, dict[str, Any] | None]:
    """Give the first name that is free, or whose plan is not done; and that plan."""
    store = _Store(local.storage())
    name, number = base, 1
    while True:
        stored = store.read(name)
        if stored is None or not _is_done(stored, local, nodes, ledgers):
            return name, stored
        number += 1
        name = f"{base}-{number}"


def _is_done(
    stored: dict[str, Any],
    local: Local,
    nodes: Mapping[str, Node],
    ledgers: Mapping[str, Ledger],
) -> bool:
    """Tell whether everything of a stored plan was written and loaded."""
    if _left(stored, nodes, ledgers):
        return False
    names = [table["name"] for table in stored["tables"].values()]
    loads = any(nodes[name].load for name in names if name in nodes)
    return not loads or _succeeded(local, stored["name"])


def _succeeded(local: Local, name: str) -> bool:
    """Tell whether a run of a backfill ended well, its loads too."""
    from runner.local.runs import RunStatus  # noqa: PLC0415 - fcntl is not everywhere

    return any(
        isinstance(run.input, dict)
        and run.input.get("backfill") == name
        and local.runs.status(run.name) is RunStatus.SUCCEEDED
        for run in local.runs.runs()
    )


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
    request: BackfillRequest, stored: dict[str, Any], local: Local, nodes: Mapping[str, Node]
) -> BackfillPlan:
    """Give what is left of a stored plan; UsageError if the project has changed since."""
    _refuse_changed(stored, nodes)
    names = [table["name"] for table in stored["tables"].values()]
    ledgers = read_ledgers(local.storage(), nodes, names)
    left = {table.name: table for table in _left(stored, nodes, ledgers)}
    loads: tuple[str, ...] = ()
    if not _is_done(stored, local, nodes, ledgers):
        named = [one for one in local.bundle.workflows if one.name == stored["workflow"]]
        loads = _loads(request, named[0] if named else None, [nodes[name] for name in names])
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


def _refuse_changed(stored: dict[str, Any], nodes: Mapping[str, Node]) -> None:
    changed = [
        table["name"]
        for table in stored["tables"].values()
        if table["name"] not in nodes or nodes[table["name"]].fingerprint != table["fingerprint"]
    ]
    if changed:
        found = f"{stored['name']}, planned before {', '.join(changed)} changed"
        advice = "plan anew: leave --name away, or give another one"
        expected = "a plan of today's SQL"
        raise UsageError([Fault(Place("--name"), "backfill-changed", found, expected, advice)])


def _left(
    stored: dict[str, Any],
    nodes: Mapping[str, Node],
    ledgers: Mapping[str, Ledger],
) -> list[PlannedTable]:
    """Give the tables of a stored plan with what was not published since it was made."""
    found = []
    for table in stored["tables"].values():
        node = nodes.get(table["name"])
        if node is None:
            continue
        ledger = ledgers.get(node.name, NOTHING)
        print_ = table["fingerprint"][:KEY_DIGITS]
        reasons = {
            number: _LEFT
            for start, end in table["windows"]
            for number in range(ordinal(start, node.grain), ordinal(end, node.grain) + 1)
            for period in [label(number, node.grain)]
            if ledger.at.get(period, "") < stored["created"]
            or ledger.fingerprint.get(period) != print_
        }
        if reasons:
            found.append(planned(node, reasons, refresh=table["refresh"]))
    return found


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
        else:
            continue
        expected = "a table partitioned by time that does not read itself"
        faults.append(Fault(Place("--full-refresh"), "full-refresh", found, expected, advice))
    if faults:
        raise UsageError(faults)
