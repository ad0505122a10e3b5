"""A distributed Map's ItemBatcher: items in groups, each group the input of one child."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.machine import shaping
from runner.machine.numbers import whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.machine.definition import Batcher
    from runner.machine.templates import Env
    from runner.model.ports import Json


class Batches(NamedTuple):
    """The inputs of the children, and how many items each holds."""

    inputs: list[Json]
    sizes: list[int]


def batch_items(batcher: Batcher, values: Iterable[Json], env: Env) -> Batches:
    """Group items; an item that is larger than a batch may be has a batch of its own."""
    most = whole_number(batcher.max_items, env, least=0)
    most_bytes = whole_number(batcher.max_bytes, env, least=0) or shaping.MAX_PAYLOAD_BYTES
    most_bytes = min(most_bytes, shaping.MAX_PAYLOAD_BYTES)
    around: dict[str, Json] = {}
    if batcher.batch_input is not None:
        around["BatchInput"] = batcher.batch_input.evaluate(env)
    empty = _bytes_of({**around, "Items": []})
    batches: list[list[Json]] = []
    size = empty
    for value in values:
        needed = _bytes_of(value) + 1  # and a comma
        full = bool(most) and bool(batches) and len(batches[-1]) >= (most or 0)
        if not batches or full or size + needed - 1 > most_bytes:
            batches.append([])
            size = empty
        batches[-1].append(value)
        size += needed
    inputs = [{**around, "Items": batch} for batch in batches]
    return Batches(inputs, [len(batch) for batch in batches])


def _bytes_of(value: Json) -> int:
    return shaping.size_of(shaping.compact(value))
