"""When an alarm is raised: so many matching log events, or such a part of all, within a window.

In: log events and counts.  Out: the fullest window that reaches the threshold.  Counts are kept
for tenths of the window, by the time of the events: late events count where they belong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping

    from .payload import LogEvent

PARTS = 10
"""Of a window."""


class Rule(NamedTuple):
    """What an alarm is about; see function.yaml."""

    name: str
    pattern: re.Pattern[str]
    ignore: re.Pattern[str] | None
    threshold: int
    window_s: int
    cooldown_s: int
    rate: float
    """Percent of all events; 0: however many there are."""
    least: int
    """Events below which no rate is looked at."""

    @property
    def part_ms(self) -> int:
        """Give the length of a tenth."""
        return max(1, self.window_s * 1000 // PARTS)

    def matches(self, message: str) -> bool:
        """Tell whether an event is one of those that are counted."""
        if self.pattern.search(message) is None:
            return False
        return self.ignore is None or self.ignore.search(message) is None


class Count(NamedTuple):
    """Events of a tenth of a window."""

    matches: int = 0
    total: int = 0

    def __add__(self, other: tuple[int, ...]) -> Count:  # type: ignore[override]  # counts add up
        """Put two together."""
        return Count(self.matches + other[0], self.total + other[1])


class Reached(NamedTuple):
    """A window in which the threshold is reached."""

    found: Count
    since_ms: int
    """Where its first tenth with a matching event begins."""
    until_ms: int


def count(events: Iterable[LogEvent], rule: Rule) -> tuple[dict[int, Count], list[LogEvent]]:
    """Count events by tenth; gives those that match as well."""
    part_ms, matches = rule.part_ms, rule.matches
    totals: dict[int, int] = {}
    hits: dict[int, int] = {}
    matching: list[LogEvent] = []
    for event in events:
        part = event.time_ms // part_ms
        totals[part] = totals.get(part, 0) + 1
        if matches(event.message):
            matching.append(event)
            hits[part] = hits.get(part, 0) + 1
    return {part: Count(hits.get(part, 0), total) for part, total in totals.items()}, matching


def surroundings(parts: Iterable[int]) -> list[int]:
    """Give the tenths that decide about windows in which these lie."""
    return sorted({at for one in parts for at in range(one - PARTS + 1, one + PARTS)})


def judge(counts: Mapping[int, Count], rule: Rule) -> Reached | None:
    """Find the window with the most matching events, if it reaches the threshold."""
    best: Reached | None = None
    for end in surroundings(part for part, one in counts.items() if one.matches):
        within = [(at, counts.get(at, Count())) for at in range(end - PARTS + 1, end + 1)]
        total = sum((one for _, one in within), Count())
        if not _reaches(total, rule) or (best is not None and total.matches <= best.found.matches):
            continue
        first = next(at for at, one in within if one.matches)
        best = Reached(total, first * rule.part_ms, (end + 1) * rule.part_ms)
    return best


def _reaches(found: Count, rule: Rule) -> bool:
    if found.matches < rule.threshold:
        return False
    if not rule.rate:
        return True
    return found.total >= rule.least and found.matches * 100 >= rule.rate * found.total
