"""Civil windows: SEMANTICS 14 (inclusive civil values), 15 (widening), 16 (schedules), 17."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.keeper import windows


@pytest.mark.parametrize(
    ("text", "grain"),
    [
        ("2013-01-05", "day"),
        ("2012-02-29", "day"),
        ("2013-01", "month"),
        ("2013-01-05T23", "hour"),
        ("2013", "year"),
    ],
)
def test_semantics_17_a_valid_civil_value_is_read_and_written_alike(text: str, grain: str) -> None:
    assert windows.write_civil(windows.parse_civil(text, grain), grain) == text


@pytest.mark.parametrize(
    ("text", "grain"),
    [
        ("2013-1-5", "day"),
        ("2013-02-29", "day"),
        ("2013-01-05 ", "day"),
        (" 2013-01-05", "day"),
        ("2013-01-05' OR 1=1 --", "day"),
        ("2013-01-05", "month"),
        ("2013-01", "day"),
        ("2013-01-05T24", "hour"),
        ("٢٠١٣-٠١-٠٥", "day"),
        ("", "day"),
        (None, "day"),
        (20130105, "day"),
    ],
)
def test_semantics_17_anything_else_is_refused(text: str, grain: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        windows.parse_civil(text, grain)


@pytest.mark.parametrize(
    ("start", "end", "grain", "count"),
    [
        ("2013-01-01", "2013-01-31", "day", 31),
        ("2013-01-01", "2013-01-01", "day", 1),
        ("2012-01-01", "2012-12-31", "day", 366),
        ("2013-01-01T00", "2013-01-02T00", "hour", 25),
        ("2012-11", "2013-02", "month", 4),
        ("2013-01-02", "2013-01-01", "day", 0),
        ("2011", "2013", "year", 3),
    ],
)
def test_semantics_14_both_ends_belong_to_the_window(
    start: str, end: str, grain: str, count: int
) -> None:
    assert windows.count_periods(start, end, grain) == count
    assert len(list(windows.periods(start, end, grain))) == count


@pytest.mark.parametrize(
    ("window", "grain", "to", "expected"),
    [
        (("2013-01-05", "2013-01-05"), "day", "month", ("2013-01", "2013-01")),
        (("2012-12-31", "2013-02-01"), "day", "month", ("2012-12", "2013-02")),
        (("2013-01-05", "2013-01-06"), "day", "hour", ("2013-01-05T00", "2013-01-06T23")),
        (("2013-02", "2013-02"), "month", "day", ("2013-02-01", "2013-02-28")),
        (("2013-01-05T07", "2013-01-05T09"), "hour", "day", ("2013-01-05", "2013-01-05")),
        (("2013-01-05", "2013-01-06"), "day", "day", ("2013-01-05", "2013-01-06")),
        (("2013-01-05", "2013-01-06"), "day", "year", ("2013", "2013")),
    ],
)
def test_semantics_15_a_window_is_widened_outward(
    window: tuple[str, str], grain: str, to: str, expected: tuple[str, str]
) -> None:
    assert windows.regrain(*window, grain, to) == expected


@pytest.mark.parametrize(
    ("scheduled", "zone", "last", "unit", "lag", "expected"),
    [
        ("2013-01-06T08:00:00Z", "UTC", 1, "day", 1, ("2013-01-05", "2013-01-05")),
        # 01:00 in Tokyo on the 6th fires at 16:00Z the day before
        ("2013-01-05T16:00:00Z", "Asia/Tokyo", 1, "day", 1, ("2013-01-05", "2013-01-05")),
        ("2013-01-06T04:59:59Z", "America/New_York", 1, "day", 1, ("2013-01-04", "2013-01-04")),
        ("2013-01-06T08:00:00Z", "UTC", 3, "day", 1, ("2013-01-03", "2013-01-05")),
        ("2013-01-06T08:00:00Z", "UTC", 1, "day", 0, ("2013-01-06", "2013-01-06")),
        ("2013-03-01T03:00:00Z", "UTC", 2, "month", 1, ("2013-01", "2013-02")),
        ("2013-01-01T00:10:00Z", "UTC", 1, "hour", 1, ("2012-12-31T23", "2012-12-31T23")),
    ],
)
def test_semantics_16_a_scheduled_window_counts_back_from_the_scheduled_period(
    scheduled: str, zone: str, last: int, unit: str, lag: int, expected: tuple[str, str]
) -> None:
    found = windows.scheduled_window(scheduled, zone, last=last, unit=unit, lag=lag)
    assert found == expected


def test_a_scheduled_time_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        windows.scheduled_window("2013-01-06T08:00:00", "UTC", last=1, unit="day", lag=1)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy-MM-dd", "2013-01-05"),
        ("yyyyMMdd", "20130105"),
        ("yyyy/MM/dd/HH", "2013/01/05/07"),
        ("yyyy-MM-dd'T'HH", "2013-01-05T07"),
        ("d MMM yyyy", "5 Jan 2013"),
        ("yy''M", "13'1"),
        ("yyyyDDD", "2013005"),
        ("EEE", "Sat"),
    ],
)
def test_values_are_written_by_java_patterns(pattern: str, expected: str) -> None:
    assert windows.format_value(dt.datetime(2013, 1, 5, 7), pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "grain"),
    [
        ("yyyy", "year"),
        ("MMM yy", "month"),
        ("uuuuDDD", "day"),
        ("yyyy-MM-dd'T'HH", "hour"),
        ("H", "hour"),
    ],
)
def test_a_pattern_tells_periods_apart(pattern: str, grain: str) -> None:
    assert windows.pattern_grain(pattern) == grain


@pytest.mark.parametrize("pattern", ["yyyy-MM-dd HH:mm", "'dt'", "EEE", "yyyy'"])
def test_a_pattern_without_a_period_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="finer than an hour|has no date field|unclosed quote"):
        windows.pattern_grain(pattern)


@pytest.mark.parametrize("pattern", ["YYYY-MM-dd", "yyyy-mm-DD'", "yyyy-MM-dd hh a", "QQ"])
def test_patterns_that_would_surprise_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="field|quote|finer"):
        windows.pattern_grain(pattern)


@pytest.mark.parametrize(
    ("base", "steps", "pattern", "grain", "expected"),
    [
        ("start", [], "yyyy-MM-dd", "day", "2013-01-30"),
        ("end", [], "yyyy-MM-dd", "day", "2013-02-02"),
        ("start", [["days", -6]], "yyyy-MM-dd", "day", "2013-01-24"),
        ("end", [["days", 1]], "yyyy-MM-dd", "day", "2013-02-03"),
        ("start", [["month_start", 0]], "yyyy-MM-dd", "day", "2013-01-01"),
        ("end", [["month_end", 0]], "yyyyMMdd", "day", "20130228"),
        ("start", [["months", 1]], "yyyy-MM-dd", "day", "2013-02-28"),
        ("start", [["week_start", 0]], "yyyy-MM-dd", "day", "2013-01-28"),
        ("end", [], "yyyy-MM-dd HH:mm:ss", "day", "2013-02-02 23:59:59"),
    ],
)
def test_marks_are_computed_for_a_window(
    base: str, steps: list[list[object]], pattern: str, grain: str, expected: str
) -> None:
    found = windows.evaluate_mark(
        "2013-01-30", "2013-02-02", grain, base=base, steps=steps, pattern=pattern
    )
    assert found == expected


def test_the_end_of_a_month_printed_by_day_is_its_last_day() -> None:
    found = windows.evaluate_mark(
        "2013-01", "2013-02", "month", base="end", steps=[], pattern="yyyy-MM-dd"
    )
    assert found == "2013-02-28"


_days = st.datetimes(dt.datetime(1999, 1, 1), dt.datetime(2040, 1, 1))


@given(_days, st.integers(0, 500), st.sampled_from(windows.GRAINS))
def test_periods_have_no_gap_and_no_overlap(first: dt.datetime, count: int, grain: str) -> None:
    start = windows.write_civil(first, grain)
    end = windows.write_civil(windows.add(windows.floor(first, grain), grain + "s", count), grain)
    found = list(windows.periods(start, end, grain))
    assert len(found) == count + 1 == windows.count_periods(start, end, grain)
    assert sorted(set(found)) == found
    assert (found[0], found[-1]) == (start, end)


@given(_days, st.integers(0, 60), st.sampled_from(windows.GRAINS), st.sampled_from(windows.GRAINS))
def test_widening_covers_the_window(first: dt.datetime, count: int, grain: str, to: str) -> None:
    start = windows.write_civil(first, grain)
    end = windows.write_civil(windows.add(windows.floor(first, grain), grain + "s", count), grain)
    wide_start, wide_end = windows.regrain(start, end, grain, to)
    assert windows.parse_civil(wide_start, to) <= windows.parse_civil(start, grain)
    last = windows.last_second(windows.parse_civil(end, grain), grain)
    assert windows.last_second(windows.parse_civil(wide_end, to), to) >= last


@pytest.mark.parametrize(
    ("label", "end"),
    [
        ("2013-01-05T23", "2013-01-06T00:00:00"),
        ("2013-01-31", "2013-02-01T00:00:00"),
        ("2013-12", "2014-01-01T00:00:00"),
        ("2013", "2014-01-01T00:00:00"),
    ],
)
def test_a_period_ends_where_the_next_one_begins(label: str, end: str) -> None:
    assert windows.end_of(label).isoformat() == end


def test_what_is_no_period_has_no_end() -> None:
    with pytest.raises(ValueError, match="'yesterday' names no period"):
        windows.end_of("yesterday")
