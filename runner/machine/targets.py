"""Whether every transition of a flow leads somewhere, and every state can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.refusals import NO_END, TARGET, Refusal, escape, nowhere, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json


def check_targets(flow: Mapping[str, Json], at: str) -> Iterator[Refusal]:
    """Find transitions to states that are not in the flow, and states that nothing leads to.

    Only a whole machine must have an end; without one AWS does not look for unreachable states.
    """
    states: Mapping[str, Json] = flow["States"]
    start = flow.get("StartAt")
    if isinstance(start, str) and start not in states:
        yield _missing(f"{at}/StartAt", start)
    leads: dict[str, set[str]] = {}
    for name, state in states.items():
        leads[name] = set()
        for place, target in _transitions(state):
            if target in states:
                leads[name].add(target)
            else:
                yield _missing(f"{at}/States/{escape(name)}{place}", target)
    if not at and states and not any(map(_is_end, states.values())):
        yield nowhere(NO_END, "Workflow has no terminal state", "a state that ends the machine")
    elif isinstance(start, str):
        reached = _reach(start, leads)
        for name in states:
            if name not in reached:
                told = f'State "{name}" is not reachable.'
                expected = "a state that StartAt leads to"
                yield refuse(TARGET, f"{at}/States/{escape(name)}", told, expected)


def _is_end(state: Json) -> bool:
    """Tell whether a flow ends here; a state that leads nowhere by mistake was told already."""
    if not isinstance(state, dict) or state.get("End") is True:
        return True
    return all(place.startswith("/Catch") for place, _ in _transitions(state))


def _missing(at: str, target: str) -> Refusal:
    return refuse(TARGET, at, f"Missing 'Next' target: {target}", "a state of the same flow")


def _transitions(state: Json) -> Iterator[tuple[str, str]]:
    if not isinstance(state, dict):
        return
    for name in ("Next", "Default"):
        if isinstance(state.get(name), str):
            yield f"/{name}", state[name]
    for name in ("Choices", "Catch"):
        parts = state.get(name)
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict) and isinstance(part.get("Next"), str):
                yield f"/{name}[{index}]/Next", part["Next"]


def _reach(start: str, leads: Mapping[str, set[str]]) -> set[str]:
    reached = {start} & leads.keys()
    front = list(reached)
    while front:
        for target in leads[front.pop()] - reached:
            reached.add(target)
            front.append(target)
    return reached
