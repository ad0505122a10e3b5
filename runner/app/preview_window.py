"""The window of a preview, and a table's own text for it.

In: the words of the command.  Out: a `Window`; SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, UsageError
from runner.keeper import windows

if TYPE_CHECKING:
    from datetime import datetime

    from runner.app.bundle import Bundle, TableFacts

_PATTERNS = {"hour": "yyyy-MM-dd'T'HH", "day": "yyyy-MM-dd", "month": "yyyy-MM", "year": "yyyy"}


@dataclass(frozen=True, slots=True)
class Window:
    """Civil values from start to end in a grain."""

    start: str
    end: str
    grain: str

    def before(self, periods: int) -> Window:
        """Begin that many periods earlier."""
        moment = windows.parse_civil(self.start, self.grain)
        earlier = windows.add(moment, f"{self.grain}s", -periods)
        return Window(windows.write_civil(earlier, self.grain), self.end, self.grain)

    def to(self, grain: str) -> Window:
        """Widen to another grain."""
        return Window(*windows.regrain(self.start, self.end, self.grain, grain), grain)

    def joined(self, other: Window | None) -> Window:
        """Cover both (of one grain)."""
        if other is None:
            return self
        return Window(min(self.start, other.start), max(self.end, other.end), self.grain)


def choose_window(
    bundle: Bundle, table: TableFacts, start: str | None, end: str | None, now: datetime
) -> Window:
    """Read the window as days or in the table's own grain; widen it to the table's."""
    start, end = start or end, end or start
    if start is None or end is None:
        start, end = windows.scheduled_window(
            now.isoformat(), bundle.timezone, last=1, unit="day", lag=1
        )
    for grain in dict.fromkeys(("day", table.grain or "day", "hour", "month")):
        try:
            windows.parse_civil(start, grain)
            windows.parse_civil(end, grain)
        except ValueError:
            continue
        return Window(start, end, grain).to(table.grain or grain)
    expected = "days such as 2013-01-05, or hours or months alike"
    fault = Fault(Place("--date"), "bad-window", f"{start}..{end}", expected, "correct the window")
    raise UsageError([fault])


def query_of(table: TableFacts, window: Window) -> str:
    """Write what a preview asks for: of an external table, its rows."""
    if table.kind == "ddl":
        return f'SELECT * FROM "{table.database}"."{table.name.partition(".")[2]}"'
    return window_statement(table, window)


def window_statement(table: TableFacts, window: Window) -> str:
    """Write a table's own text for a window."""
    return "".join(
        part
        if isinstance(part, str)
        else windows.evaluate_mark(
            window.start,
            window.end,
            window.grain,
            base=part["base"],
            steps=part["steps"],
            pattern=part["format"] or _PATTERNS[window.grain],
        )
        for part in table.parts
    )
