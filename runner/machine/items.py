"""The items of a Map: the elements of an array, the pairs of an object, or what a reader found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.machine import shaping
from runner.machine.definition import JsonataIo
from runner.machine.failures import QUERY, RUNTIME, StateError
from runner.machine.templates import Notation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.machine.definition import Map
    from runner.machine.fibers import Visit
    from runner.machine.templates import Env
    from runner.model.ports import Json

STATE_DATA = "STATE_DATA"
"""The source of items that come from the state's input."""


class Items(NamedTuple):
    """Values, and what the context object says about each."""

    values: Sequence[Json]
    keys: Sequence[str] | None = None
    """The names of the values, when they are the members of an object."""
    sources: Sequence[str] | str | None = None
    """Where the values come from: all from one place, or each from its own; None: not told."""

    def context(self, index: int) -> dict[str, Json]:
        """Make the context object's `Map.Item` of one item."""
        made: dict[str, Json] = {"Index": index, "Value": self.values[index]}
        if self.keys is not None:
            made["Key"] = self.keys[index]
        if self.sources is not None:
            one = isinstance(self.sources, str)
            made["Source"] = self.sources if one else self.sources[index]
        return made

    def pair_or_value(self, index: int) -> Json:
        """Give what an iteration gets when nothing selects: the value, or its key with it."""
        if self.keys is None:
            return self.values[index]
        return {"Key": self.keys[index], "Value": self.values[index]}


def given_items(state: Map, env: Env, *, pairs: bool = False) -> Items:
    """Take the items from the state's input, a path or an expression; `pairs` takes objects too."""
    value = env.input if state.items is None else state.items.evaluate(env)
    if isinstance(value, list):
        return Items(value)
    if pairs and isinstance(value, dict):
        return Items(tuple(value.values()), tuple(value))
    is_jsonata = isinstance(state.io, JsonataIo)
    if is_jsonata and state.items is not None and state.items.notation is Notation.JSONATA:
        raise shaping.unexpected_type(state.items, value, "array")
    if state.items is not None and state.items.notation is Notation.PATH:
        told = f'Reference path "{state.items.source}" must point to array.'
        raise StateError(RUNTIME, told)
    told = f"Map state input must be an array but was: {shaping.compact(value)}"
    raise StateError(QUERY if is_jsonata else RUNTIME, told)


def select_item(state: Map, visit: Visit, data: Json, items: Items, index: int) -> Json:
    """Give the input of one iteration: the Map's selector applied to its item."""
    if state.selector is None:
        return items.pair_or_value(index)
    env = visit.env(data)
    env.make_context = lambda: _around(visit.context(), items.context(index))
    return state.selector.evaluate(env)


def _around(context: Mapping[str, Json], item: dict[str, Json]) -> dict[str, Json]:
    return {**context, "Map": {"Item": item}}
