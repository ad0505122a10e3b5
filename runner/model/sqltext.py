"""SQL whose window is known only at run time: text and marks, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A run-time value that the SQL prints: `{{ start.add(days=-7).format('yyyyMM') }}`."""

    base: Literal["start", "end"]
    steps: tuple[tuple[str, int], ...] = ()
    """Operations in order: ("months", -1), ("days", 3), ("hours", 1), ("month_start", 0), ..."""
    format: str | None = None
    """Java date pattern; None means the format of the table's own time column."""


@dataclass(frozen=True, slots=True)
class SqlText:
    """Rendered SQL: literal pieces and marks in the order of the text."""

    parts: tuple[str | Mark, ...]

    def marks(self) -> tuple[Mark, ...]:
        """Give the distinct marks in order of first appearance."""
        return tuple(dict.fromkeys(part for part in self.parts if isinstance(part, Mark)))

    def fill(self, values: dict[Mark, str]) -> str:
        """Write the statement for one window."""
        return "".join(values[part] if isinstance(part, Mark) else part for part in self.parts)
