"""Order over what reads what, and the cycles that forbid one.

In: names and what each needs.  Out: an order in which each stands after its needs; cycles.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...  # noqa: ANN401 - whatever it compares with
    def __hash__(self) -> int: ...


Name = TypeVar("Name", bound=_Ordered)


def in_order(needs: Mapping[Name, Sequence[Name]]) -> tuple[Name, ...]:
    """Order the names, alphabetically where the needs leave a choice; those of cycles come last.

    >>> in_order({"b": [], "a": ["b"], "c": []})
    ('b', 'a', 'c')
    """
    order = _free(needs)
    return (*order, *sorted(set(needs) - set(order)))


def _stuck(needs: Mapping[Name, Sequence[Name]]) -> set[Name]:
    selfish = {name for name, found in needs.items() if name in found}
    return (set(needs) - set(_free(needs))) | selfish


def _free(needs: Mapping[Name, Sequence[Name]]) -> list[Name]:
    """Order the names that no cycle holds up."""
    waiting = {
        name: {n for n in found if n in needs and n != name} for name, found in needs.items()
    }
    readers: dict[Name, list[Name]] = {}
    for name, found in waiting.items():
        for need in found:
            readers.setdefault(need, []).append(name)
    ready = [name for name, found in waiting.items() if not found]
    heapq.heapify(ready)
    order: list[Name] = []
    while ready:
        name = heapq.heappop(ready)
        order.append(name)
        for reader in readers.get(name, []):
            waiting[reader].discard(name)
            if not waiting[reader]:
                heapq.heappush(ready, reader)
    return order


def cycles(needs: Mapping[Name, Sequence[Name]]) -> tuple[tuple[Name, ...], ...]:
    """Give one cycle for each knot of names that need each other, its least name first.

    >>> cycles({"a": ["b"], "b": ["a"], "c": ["a"]})
    (('a', 'b'),)
    """
    stuck = set(_stuck(needs))
    reach = {name: _reachable(needs, name) for name in stuck}
    found: list[tuple[Name, ...]] = []
    done: set[Name] = set()
    for name in sorted(stuck):
        if name in reach[name] and name not in done:
            done |= {other for other in reach[name] if name in reach.get(other, set())}
            found.append(_shortest(needs, name))
    return tuple(found)


def _reachable(needs: Mapping[Name, Sequence[Name]], name: Name) -> set[Name]:
    seen: set[Name] = set()
    waiting = [name]
    while waiting:
        for need in needs.get(waiting.pop(), ()):
            if need not in seen:
                seen.add(need)
                waiting.append(need)
    return seen


def _shortest(needs: Mapping[Name, Sequence[Name]], name: Name) -> tuple[Name, ...]:
    """Walk breadth first from a name back to itself."""
    paths: list[tuple[Name, ...]] = [(name,)]
    seen: set[Name] = set()
    for path in paths:
        for need in sorted(needs.get(path[-1], ())):
            if need == name:
                return path
            if need not in seen:
                seen.add(need)
                paths.append((*path, need))
    raise AssertionError(f"no cycle through {name}")
