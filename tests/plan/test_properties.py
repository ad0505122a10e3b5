"""Laws of the planner: windows cover what is needed, exactly, without a gap and an overlap."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.keeper import windows
from runner.plan.backfill import planned, ranges
from runner.plan.calendar import label, ordinal, widen
from runner.plan.staleness import MISSING, sliding_maximum
from tests.plan.scenes import back, node, plan

GRAINS = st.sampled_from(windows.GRAINS)
FIRST = dt.datetime(1, 1, 1)
HOURS = 24 * dt.date(9998, 12, 31).toordinal() - 1
MOMENTS = st.integers(0, HOURS).map(lambda hours: FIRST + dt.timedelta(hours=hours))
LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""
DAYS = st.sets(st.integers(1, 31))


@LAW
@given(MOMENTS, GRAINS)
def test_ordinals_are_a_round_trip_and_count_as_windows_do(moment: dt.datetime, grain: str) -> None:
    text = windows.write_civil(moment, grain)
    assert label(ordinal(text, grain), grain) == text
    early = windows.write_civil(dt.datetime(1, 1, 1), grain)
    distance = ordinal(text, grain) - ordinal(early, grain)
    assert distance + 1 == windows.count_periods(early, text, grain)


@LAW
@given(MOMENTS, MOMENTS, GRAINS, GRAINS)
def test_widening_is_that_of_windows(
    one: dt.datetime, other: dt.datetime, grain: str, to: str
) -> None:
    start, end = sorted(windows.write_civil(moment, grain) for moment in (one, other))
    expected = windows.regrain(start, end, grain, to)
    found = widen(ordinal(start, grain), ordinal(end, grain), grain, to)
    assert tuple(label(number, to) for number in found) == expected


@LAW
@given(st.sets(st.integers(-50, 50)))
def test_ranges_cover_exactly(numbers: set[int]) -> None:
    found = ranges(sorted(numbers))
    covered = [n for first, last in found for n in range(first, last + 1)]
    assert covered == sorted(numbers)
    assert all(last + 1 < first for (_, last), (first, _) in itertools.pairwise(found))


@LAW
@given(st.lists(st.text("abc", max_size=1), max_size=20), st.integers(1, 20))
def test_the_sliding_maximum_is_one(values: list[str], width: int) -> None:
    expected = [max(values[n : n + width]) for n in range(len(values) - width + 1)]
    assert sliding_maximum(values, width) == expected


@LAW
@given(DAYS)
def test_planned_windows_cover_exactly_what_is_missing(published: set[int]) -> None:
    answer = plan([node("s.a")], {"s.a": {f"{day:02d}": "1" for day in published}}, ("01", "31"))
    covered = [
        period
        for table in answer.tables
        for start, end in table.windows
        for period in windows.periods(start, end, "day")
    ]
    missing = sorted(set(range(1, 32)) - published)
    assert covered == [f"2024-01-{day:02d}" for day in missing]


@LAW
@given(DAYS, DAYS, st.integers(0, 5))
def test_what_is_written_reaches_exactly_its_readers(
    changed: set[int], published: set[int], lookback: int
) -> None:
    nodes = [node("s.a"), node("m.b", back("s.a", lookback))]
    records = {
        "s.a": {f"{day:02d}": "1" for day in range(1, 32)},
        "m.b": {f"{day:02d}": "2" for day in published},
    }
    old = {"s.a": {f"{day:02d}" for day in changed}}
    answer = plan(nodes, records, ("01", "31"), old=old)
    found = {
        table.name: {
            int(period[8:])
            for start, end in table.windows
            for period in windows.periods(start, end, "day")
        }
        for table in answer.tables
    }
    reached = {day + n for day in changed for n in range(lookback + 1)}
    expected = (set(range(1, 32)) - published) | (reached & set(range(1, 32)))
    assert found.get("s.a", set()) == changed
    assert found.get("m.b", set()) == expected


@LAW
@given(st.sets(st.integers(740_000, 740_400), min_size=1), st.integers(1, 40))
def test_chunks_are_those_that_the_keeper_cuts(numbers: set[int], combinations: int) -> None:
    table = replace(node("s.a"), combinations=combinations)
    found = planned(table, dict.fromkeys(sorted(numbers), MISSING))
    size = 100 // combinations
    cut = [range(0, windows.count_periods(*window, "day"), size) for window in found.windows]
    assert found.chunks == sum(map(len, cut))
