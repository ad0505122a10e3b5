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

    def renew(self) -> None:
        """Make the flow anew if it has ended: it failed before it came to a state."""
        from inspect import GEN_CLOSED, getgeneratorstate  # noqa: PLC0415  (redrives only)

        if self.owner is not None and getgeneratorstate(self.run) == GEN_CLOSED:
            self.run, self.visit = self.owner.spawn.starts[self.index](), None


class Group:
    """The children of a fiber; each is made when its turn comes."""

    __slots__ = (
        "alive",
        "failed",
        "fibers",
        "left",
        "next",
        "opening",
        "parent",
        "parked",
        "promised",
        "results",
        "spawn",
    )

    def __init__(self, parent: Fiber, spawn: Spawn) -> None:
        self.parent = parent
        self.spawn = spawn
        self.left = len(spawn.starts)
        self.results: list[Json] = [None] * self.left
        self.fibers: dict[int, Fiber] = {}
        self.parked: dict[int, Fiber] = {}
        """Children that failed for good before a redrive that the journal tells of."""
        self.opening = min(spawn.limit or self.left, self.left)
        """How many children stand in the line from the beginning, one behind the other."""
        self.promised = self.opening
        """How many children have, or had, a place in the line."""
        self.next = 0
        self.failed = 0
        self.alive = True

    def thaw(self) -> None:
        """Be as before the failure that a redrive undid."""
        self.alive = True
        self.failed = 0
        self.fibers |= self.parked
        self.parked.clear()
