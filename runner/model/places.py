"""Where the keys and values of a YAML text stand in the file that holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.errors import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

Position = tuple[int, int]
"""Line and column, counted from 1."""
Path = tuple[str | int, ...]
"""Keys and list indexes from the top: ("tests", 0, "unique")."""


@dataclass(frozen=True, slots=True)
class Places:
    """Positions by path."""

    file: str
    start: Position = (1, 1)
    """Where the text begins; the position of what has no key or value of its own."""
    keys: Mapping[Path, Position] = field(default_factory=dict)
    values: Mapping[Path, Position] = field(default_factory=dict)

    def key(self, *path: str | int) -> Place:
        """Give the place of a key; of a list's item, or of the nearest parent, where none is."""
        for length in range(len(path), 0, -1):
            head = path[:length]
            found = self.keys.get(head) or self.values.get(head)
            if found is not None:
                return Place(self.file, *found)
        return Place(self.file, *self.start)

    def value(self, *path: str | int) -> Place:
        """Give the place of a value; of the nearest parent's key where there is none."""
        found = self.values.get(path)
        return Place(self.file, *found) if found is not None else self.key(*path)
