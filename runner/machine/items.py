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
    if state.distributed is not None and state.distributed.reader is not None:
        from runner.machine.distributed import read_items  # noqa: PLC0415  (seldom used)

        values = yield from read_items(state, visit, env)
    else:
        values = _given_items(state, env)
    if state.distributed is not None and state.distributed.batcher is not None:
        from runner.machine.distributed import batch_items  # noqa: PLC0415  (seldom used)

        values = batch_items(state.distributed.batcher, values, env)
    return [{"Index": index, "Value": value} for index, value in enumerate(values)]


def _given_items(state: Map, env: Env) -> list[Json]:
    value = env.input if state.items is None else state.items.evaluate(env)
    if isinstance(value, list):
        return value
    if state.items is not None and isinstance(state.io, JsonataIo):
        if state.items.notation is Notation.JSONATA and isinstance(state.items.source, str):
            raise shaping.unexpected_type(state.items, value, "array")
    error = QUERY if isinstance(state.io, JsonataIo) else RUNTIME
    told = f"Map state input must be an array but was: {shaping.compact(value)}"
    raise StateError(error, told)
