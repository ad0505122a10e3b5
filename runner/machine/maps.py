"""The work of a Map state: its processor, once per item, beside each other.

The iterations of an inline Map are flows of the same execution; those of a distributed Map are
executions of their own (distributed.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.failures import StateError
from runner.machine.fibers import Frame, Spawn
from runner.machine.flows import run_flow
from runner.machine.items import given_items, select_item
from runner.machine.ledger import ITERATION_STARTED, ITERATION_SUCCEEDED, Fork
from runner.machine.numbers import percentage_of, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from runner.machine.definition import Map
    from runner.machine.fibers import FlowRun, Request, Visit
    from runner.machine.items import Items
    from runner.machine.templates import Env
    from runner.model.ports import Json

MOST_INLINE = 40
"""Iterations of an inline Map at a time; MaxConcurrency only lowers it (Step Functions guide)."""


def iterate(state: Map, visit: Visit, env: Env) -> Generator[Request, Json, Json]:
    """Run a Map; `env.input` is the effective input."""
    limit = whole_number(state.max_concurrency, env, least=0) or 0
    if state.distributed is not None:
        from runner.machine.distributed import run_map  # noqa: PLC0415  (seldom used)

        return (yield from run_map(state, state.distributed, visit, env, limit=limit))
    items = given_items(state, env)
    fork = Fork(visit, state, (len(items.values),))
    whole_number(state.tolerated_count, env, least=0)
    percentage_of(state.tolerated_percentage, env)
    most = min(limit or MOST_INLINE, MOST_INLINE)
    starts = _Iterations(visit, state, fork, (env.input, items, most))
    return (yield from fork.spawn(Spawn(visit, fork.within, starts, most, fork=fork)))


class _Iterations:
    """The iterations of an inline Map, made when their turns come."""

    def __init__(
        self, visit: Visit, state: Map, fork: Fork, given: tuple[Json, Items, int]
    ) -> None:
        self._visit = visit
        self._state = state
        self._fork = fork
        self._data, self._items, self._at_once = given

    def __len__(self) -> int:
        return len(self._items.values)

    def __getitem__(self, index: int, /) -> Callable[[], FlowRun]:
        return lambda: self._run(index)

    def _run(self, index: int) -> FlowRun:
        """Run one iteration; a selector that fails fails the Map before the iteration begins."""
        state, fork, outer = self._state, self._fork, self._visit.frame
        ledger = outer.shared.ledger
        value = select_item(state, self._visit, self._data, self._items, index)
        began = ledger.add(ITERATION_STARTED, fork.before(index, self._at_once), (state, index))
        item = self._items.context(index)
        prefix = f"{fork.within}[{index}]/"
        frame = Frame(outer.shared, prefix, outer.variables, item, after=began)
        fork.began(index, frame)
        try:
            result = yield from run_flow(frame, state.processor, value)
        except StateError as error:
            fork.broke(index, error)
            raise
        fork.ended(index, ledger.add(ITERATION_SUCCEEDED, frame.last, (state, index)))
        return result
