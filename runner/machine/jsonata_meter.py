"""How much an expression may do: steps, nesting and sizes, counted and never timed.

In: every value that evaluation makes.  Out: nothing, or LimitExceeded.  A count gives the same
answer on a slow machine and in a replay; signals and clocks cannot stop a thread anyway.
The nesting and the sizes are those that AWS was seen to accept (a sequence of 873,782 numbers
but no more, a string of 2**22 characters but not of 2**23, an evaluation about 100 deep).
"""

from __future__ import annotations

from runner.machine.jsonata_errors import ENDLESS, MEMORY, LimitExceeded

MOST_DEPTH = 100
MOST_ITEMS = 873_782
MOST_CHARACTERS = 6_990_256
BUDGET = 64_000_000
"""What one evaluation may spend: about two million steps, some seconds of work."""

_STEP = 32


class Meter:
    """What one evaluation has left."""

    __slots__ = ("depth", "left")

    def __init__(self) -> None:
        """Start full."""
        self.depth = 0
        self.left = BUDGET

    def spend(self, value: object) -> None:
        """Pay for a step and the value that it made."""
        if isinstance(value, str):
            size = len(value)
            if size > MOST_CHARACTERS:
                raise LimitExceeded(MEMORY)
            self.left -= _STEP + (size >> 4)
        elif isinstance(value, list):
            size = len(value)
            if size > MOST_ITEMS:
                raise LimitExceeded(MEMORY)
            self.left -= _STEP + size
        else:
            self.left -= _STEP
        if self.left < 0:
            raise LimitExceeded(ENDLESS)

    def charge(self, amount: int) -> None:
        """Pay for work inside a step."""
        self.left -= amount
        if self.left < 0:
            raise LimitExceeded(ENDLESS)

    def afford(self, characters: int) -> None:
        """Refuse a string before it is made."""
        if characters > MOST_CHARACTERS:
            raise LimitExceeded(MEMORY)
        self.charge(characters >> 4)
