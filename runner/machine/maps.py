"""The work of a Map state: its processor, once per item, beside each other.

The iterations of an inline Map are flows of the same execution; those of a distributed Map are
executions of their own (distributed.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.failures import ReportedError, StateError
from runner.machine.fibers import Frame, Spawn
from runner.machine.flows import run_flow
from runner.machine.items import given_items, select_item
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
    shared = visit.frame.shared
    items = given_items(state, env)
    shared.history += 1
    whole_number(state.tolerated_count, env, least=0)
    percentage_of(state.tolerated_percentage, env)
    starts = _Iterations(state, visit, env.input, items)
    result = yield Spawn(starts, min(limit or MOST_INLINE, MOST_INLINE))
    shared.history += 1
    return result


class _Iterations:
    """The iterations of an inline Map, made when their turns come."""

    def __init__(self, state: Map, visit: Visit, data: Json, items: Items) -> None:
        self._state = state
        self._visit = visit
        self._data = data
        self._items = items

    def __len__(self) -> int:
        return len(self._items.values)

    def __getitem__(self, index: int, /) -> Callable[[], FlowRun]:
        return lambda: self._run(index)

    def _run(self, index: int) -> FlowRun:
        state, visit, outer = self._state, self._visit, self._visit.frame
        outer.shared.history += 1
        prefix = f"{visit.key}.{visit.attempt}[{index}]/"
        inner = Frame(outer.shared, prefix, outer.variables, self._items.context(index))
        try:
            value = select_item(state, visit, self._data, self._items, index)
        except StateError as error:
            raise ReportedError(error.error, visit.told(error.cause)) from error
        result = yield from run_flow(inner, state.processor, value)
        outer.shared.history += 1
        return result
