"""The states of a definition by their names, those inside Parallel and Map included."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json

_FLOWS = frozenset({"Branches", "ItemProcessor", "Iterator"})
MACHINE = "(machine)"
"""What the fields beside the states are listed under."""


def states_of(definition: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """Give every state's own fields, without the flows inside it; names are unique (AWS).

    The definition's own fields are there too, as `MACHINE`.
    """
    own = {key: value for key, value in definition.items() if key not in {"States", "Comment"}}
    return {MACHINE: own, **dict(_walk(definition))}


def _walk(flow: Mapping[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    for name, state in flow.get("States", {}).items():
        yield name, {key: value for key, value in state.items() if key not in _FLOWS}
        inner = [*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")]
        for one in inner:
            if isinstance(one, dict):
                yield from _walk(one)
