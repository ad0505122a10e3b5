"""The items of a Map: from its input, a path, an expression, or a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine import shaping
from runner.machine.definition import JsonataIo
from runner.machine.failures import QUERY, RUNTIME, StateError
from runner.machine.templates import Notation

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from runner.machine.definition import Map
    from runner.machine.fibers import Request, Visit
    from runner.machine.templates import Env
    from runner.model.ports import Json


def make_items(
    state: Map, visit: Visit, env: Env
) -> Generator[Request, Json, Sequence[Mapping[str, Json]]]:
    """Make the context objects (`Index`, `Value`) of the items."""
    distributed = state.distributed
    if distributed is None or distributed.reader is None:
        values = _given_items(state, env)
    else:
        from runner.machine.distributed import read_items  # noqa: PLC0415  (seldom used)

        values = yield from read_items(distributed.reader, visit, env)
    return [{"Index": index, "Value": value} for index, value in enumerate(values)]


def make_inputs(
    state: Map, visit: Visit, env: Env, items: Sequence[Mapping[str, Json]]
) -> Sequence[Mapping[str, Json]]:
    """Batch the items, with the selector applied to each; without a batcher: the items."""
    if state.distributed is None or state.distributed.batcher is None:
        return items
    from runner.machine.distributed import batch_items  # noqa: PLC0415  (seldom used)

    values = [select_item(state, visit, env.input, item) for item in items]
    batches = batch_items(state.distributed.batcher, values, env)
    return [{"Index": index, "Value": value} for index, value in enumerate(batches)]


def select_item(state: Map, visit: Visit, data: Json, item: Mapping[str, Json]) -> Json:
    """Apply the Map's selector to one item."""
    if state.selector is None:
        return item["Value"]
    env = visit.env(data)
    env.make_context = lambda: {**visit.context(), "Map": {"Item": item}}
    return state.selector.evaluate(env)


def _given_items(state: Map, env: Env) -> list[Json]:
    value = env.input if state.items is None else state.items.evaluate(env)
    if isinstance(value, list):
        return value
    is_jsonata = isinstance(state.io, JsonataIo)
    if is_jsonata and state.items is not None and state.items.notation is Notation.JSONATA:
        raise shaping.unexpected_type(state.items, value, "array")
    if state.items is not None and state.items.notation is Notation.PATH:
        told = f'Reference path "{state.items.source}" must point to array.'
        raise StateError(RUNTIME, told)
    told = f"Map state input must be an array but was: {shaping.compact(value)}"
    raise StateError(QUERY if is_jsonata else RUNTIME, told)
