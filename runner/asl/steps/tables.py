"""A `tables` step: waves of parallel lanes, in the order of dependencies (SEMANTICS 36).

In a workflow too large for one definition the lanes are in machines of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.asl.expressions import expression
from runner.asl.flow import Flow, State, state_name
from runner.asl.steps.nesting import nested_branches
from runner.asl.steps.scope import entry
from runner.asl.tables import table_states
from runner.asl.tables.common import Lane
from runner.model.header import Kind
from runner.model.names import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.asl.steps.scope import Scope
    from runner.model.project import Project
    from runner.model.workflow import TablesStep


def waves(project: Project, names: Sequence[TableName]) -> tuple[tuple[TableName, ...], ...]:
    """Group tables so that each wave reads only earlier waves (or tables outside the step).

    What a table's tests read counts as well: they look at what this run publishes.
    """
    level: dict[TableName, int] = {}
    chosen = set(names)
    for table in project.tables:
        if table.name in chosen:
            inputs = [read.table for read in table.reads]
            inputs += [TableName.parse(read.name) for read in table.tests_read if read.ours]
            above = [level[name] for name in inputs if name in level]
            level[table.name] = max(above, default=-1) + 1
    count = max(level.values(), default=-1) + 1
    return tuple(tuple(name for name in level if level[name] == n) for n in range(count))


def lanes(wave: Sequence[TableName], most: int) -> tuple[tuple[TableName, ...], ...]:
    """Deal a wave's tables to at most `most` lanes."""
    count = min(most, len(wave))
    return tuple(tuple(wave[first::count]) for first in range(count))


def states(scope: Scope, name: str, step: TablesStep) -> tuple[State, ...]:
    """Give a Parallel state for each wave, behind a gate if the step needs others."""
    grouped = waves(scope.project, scope.selected[name])
    starts = [state_name(name, f"wave {number}") for number in range(1, len(grouped) + 1)]
    result: list[State] = []
    needed = scope.needs(step, tables_too=False)
    if needed or scope.left_out(name):
        start = starts[0] if starts else scope.following
        skipped = scope.collect(entry(name, name, "tables", "skipped"))
        result.append(scope.gate(name, needed, start=start, skipped=skipped, whole=True))
    caught = scope.catching(name, step, scope.following)
    after = caught[0].name if caught else scope.following
    for number, wave in enumerate(grouped):
        following = starts[number + 1] if number + 1 < len(starts) else after
        result.append(_wave(scope, name, (starts[number], number + 1), wave, following))
    return (*result, *caught)


def _wave(
    scope: Scope,
    step: str,
    numbered: tuple[str, int],
    wave: tuple[TableName, ...],
    following: str,
) -> State:
    title, number = numbered
    dealt = _dealt(scope, wave)
    shares = _shares(scope, wave)
    if scope.machine_bytes:
        make = _Lanes(replace(scope, known=""), step, shares).flow
        branches = nested_branches(scope, step, title, number, dealt, make=make)
    else:
        make = _Lanes(scope, step, shares).flow
        branches = [
            make(f"{title} lane {position}", lane) for position, lane in enumerate(dealt, start=1)
        ]
    return State(
        title,
        {
            "Type": "Parallel",
            "Branches": branches,
            "Assign": {scope.sink: expression(f"$append(${scope.sink}, $states.result.results)")},
            "Output": {},
            "Next": following,
        },
        results_bytes=scope.results_bytes(wave, brief=scope.is_brief),
    )


def _dealt(scope: Scope, wave: Sequence[TableName]) -> tuple[tuple[TableName, ...], ...]:
    """Deal a wave to lanes of DML statements and lanes of DDL: Athena counts them apart."""
    dml = [name for name in wave if not _is_definition(scope, name)]
    ddl = [name for name in wave if _is_definition(scope, name)]
    budget = scope.concurrency
    return (*lanes(dml, budget.dml), *lanes(ddl, budget.ddl))


def _is_definition(scope: Scope, name: TableName) -> bool:
    return scope.project.table(name).kind in (Kind.VIEW, Kind.DDL)


def _shares(scope: Scope, wave: Sequence[TableName]) -> dict[TableName, int]:
    """Give how many chunks each table writes at once.

    A backfill spends its whole DML budget: what tables of one statement at a time leave is shared
    by the others, as evenly as it goes.
    """
    writers = [name for name in wave if not _is_definition(scope, name)]
    if scope.backfill is None:
        return dict.fromkeys(writers, scope.concurrency.chunks)
    shares = dict.fromkeys(writers, 1)
    chunked = [name for name in writers if _is_chunked(scope, name)]
    left = scope.concurrency.dml - len(writers)
    for position, name in enumerate(chunked):
        shares[name] += max(0, left + len(chunked) - position - 1) // len(chunked)
    return shares


def _is_chunked(scope: Scope, name: TableName) -> bool:
    """Tell whether chunks of the table can be written beside each other."""
    table = scope.project.table(name)
    reads_itself = any(read.table == name for read in table.reads)
    return table.kind is Kind.INSERT and table.header.format != "iceberg" and not reads_itself


class _Lanes:
    """Makes the lanes of a wave; a table whose lane is cut has its states made once."""

    def __init__(self, scope: Scope, step: str, shares: Mapping[TableName, int]) -> None:
        self._scope = scope
        self._step = step
        self._shares = shares
        self._written = frozenset(name for names in scope.selected.values() for name in names)
        self._made: dict[tuple[TableName, str, int], tuple[State, ...]] = {}

    def flow(self, title: str, names: Sequence[TableName]) -> Flow:
        """Give the tables' turns, one after the other."""
        lane = self._lane(names)
        end = f"{title} end"
        result = [
            State(
                f"{title} start",
                {
                    "Type": "Pass",
                    "Assign": {lane.sink: []},
                    "Next": state_name(str(names[0]), "choose"),
                },
            )
        ]
        for position, name in enumerate(names):
            last = position + 1 == len(names)
            following = end if last else state_name(str(names[position + 1]), "choose")
            result += self._turn(lane, name, following)
        output = {"results": expression(f"${lane.sink}")}
        result.append(State(end, {"Type": "Pass", "Output": output, "End": True}))
        return Flow(tuple(result))

    def _turn(self, lane: Lane, name: TableName, following: str) -> tuple[State, ...]:
        key = (name, following, lane.chunks)  # the rest of a lane is the same in all of the wave
        if key not in self._made:
            table = lane.project.table(name)
            self._made[key] = table_states(lane, table, following=following)
        return self._made[key]

    def _lane(self, names: Sequence[TableName]) -> Lane:
        scope, shares = self._scope, self._shares
        return Lane(
            project=scope.project,
            target=scope.target,
            step=self._step,
            grain=scope.workflow.grain,
            retry=scope.retry,
            chunks=min((shares[name] for name in names if name in shares), default=1),
            upstreams={str(name): self._upstreams(name) for name in names},
            known=scope.known,
            refreshed=scope.backfill.refreshed if scope.backfill else frozenset(),
            distributed=scope.distributed
            | (scope.backfill.distributed if scope.backfill else set()),
        )

    def _upstreams(self, name: TableName) -> tuple[str, ...]:
        """Name the tables of this workflow that a table reads."""
        return tuple(
            str(read.table)
            for read in self._scope.project.table(name).reads
            if read.table != name and read.table in self._written
        )
