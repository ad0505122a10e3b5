"""Whether every transition of a flow leads somewhere, and every state can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.failures import definition_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Fault
    from runner.model.ports import Json


def check_targets(flow: Mapping[str, Json], at: str) -> Iterator[Fault]:
    """Find transitions to states that are not in the flow, and states that nothing leads to."""
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
                yield _missing(f"{at}/States/{name}{place}", target)
    if isinstance(start, str) and start in states:
        reached = _reach(start, leads)
        for name in states:
            if name not in reached:
                yield definition_fault(
                    f"{at}/States/{name}",
                    f'State "{name}" is not reachable.',
                    "a state that StartAt leads to",
                    "definition-target",
                )


def _missing(at: str, target: str) -> Fault:
    found = f"Missing 'Next' target: {target}"
    return definition_fault(at, found, "a state of the same flow", "definition-target")


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
    reached, front = {start}, [start]
    while front:
        for target in leads[front.pop()] - reached:
            reached.add(target)
            front.append(target)
    return reached
