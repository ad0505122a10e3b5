"""Where the state under test stands: in a machine, or alone.

In: a test.  Out: its state with the Map and Parallel states around it, or the refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.machine.definition import Map, Parallel
from runner.machine.parse import parse_definition, parse_state
from runner.machine.state_mocks import StateTestRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.machine.definition import Flow, State
    from runner.machine.state_test import StateTest

NAMELESS = "StateName"
"""What AWS calls a state that is tested without a machine."""
_MISSING = "State not found in definition"


class StatePlace(NamedTuple):
    """The state under test, and the Map and Parallel states around it, the nearest first."""

    name: str
    state: State
    around: tuple[Map | Parallel, ...] = ()

    def is_item(self) -> bool:
        """Tell whether the state handles an item of a Map."""
        return bool(self.around) and isinstance(self.around[0], Map)


def find_place(test: StateTest) -> StatePlace:
    """Find the state under test; raises InvalidDefinition and StateTestRefused."""
    place = _find(test)
    inner = test.configuration.error_caused_by
    if inner is not None and isinstance(place.state, Map | Parallel):
        names = {one.name for one in _inside(place.state, ())}
        if inner not in names:
            raise StateTestRefused(_MISSING)
    return place


def _find(test: StateTest) -> StatePlace:
    if test.state_name is None:
        return StatePlace(NAMELESS, parse_state(test.definition, NAMELESS))
    for place in _states(parse_definition(test.definition).flow, ()):
        if place.name == test.state_name:
            return place
    raise StateTestRefused(_MISSING)


def _states(flow: Flow, around: tuple[Map | Parallel, ...]) -> Iterator[StatePlace]:
    for name, state in flow.states.items():
        yield StatePlace(name, state, around)
        yield from _inside(state, around)


def _inside(state: State, around: tuple[Map | Parallel, ...]) -> Iterator[StatePlace]:
    if isinstance(state, Map):
        yield from _states(state.processor, (state, *around))
    elif isinstance(state, Parallel):
        for branch in state.branches:
            yield from _states(branch, (state, *around))
