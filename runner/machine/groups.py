"""Flows at work, and the groups that a Parallel or a Map makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.machine.fibers import FlowRun, Spawn, Visit
    from runner.model.ports import Json


class Fiber:
    """A running flow and what it waits for."""

    __slots__ = ("alive", "group", "index", "key", "owner", "run", "state", "visit")

    def __init__(self, run: FlowRun, owner: Group | None, index: int) -> None:
        self.run = run
        self.owner = owner
        self.index = index
        self.group: Group | None = None
        self.key = ""
        self.state = ""
        self.alive = True
        self.visit: Visit | None = None
        """The state that it is at, once it waits for something."""


class Group:
    """The children of a fiber."""

    __slots__ = ("failed", "fibers", "next", "parent", "parked", "results", "spawn")

    def __init__(self, parent: Fiber, spawn: Spawn) -> None:
        self.parent = parent
        self.spawn = spawn
        self.results: list[Json] = [None] * len(spawn.starts)
        self.fibers: dict[int, Fiber] = {}
        self.parked: dict[int, Fiber] = {}
        """Children that failed for good before a redrive that the journal tells of."""
        self.next = 0
        self.failed = 0


def thaw(fiber: Fiber, again: list[Fiber], groups: list[Group]) -> None:
    """Bring a fiber and all below it back to life, and collect which of them begin again."""
    from inspect import GEN_CLOSED, getgeneratorstate  # noqa: PLC0415  (redrives only)

    fiber.alive = True
    group = fiber.group
    if group is not None:
        group.fibers |= group.parked
        group.parked.clear()
        group.failed = 0
        groups.append(group)
        for index in sorted(group.fibers):
            thaw(group.fibers[index], again, groups)
        return
    if fiber.owner is not None and getgeneratorstate(fiber.run) == GEN_CLOSED:
        fiber.run, fiber.visit = fiber.owner.spawn.starts[fiber.index](), None
    again.append(fiber)
