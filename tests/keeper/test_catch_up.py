"""A scheduler that was off: what the next scheduled run adds to its window (pain 23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.keeper.begin import begin
from runner.keeper.catch_up import widen

if TYPE_CHECKING:
    from tests.support.lake import Lake

OWN = ("2013-01-20", "2013-01-20", "day")
TABLES = {"staging.flights": "day", "marts.daily": "day"}


def touch(lake: Lake, table: str, start: str, end: str = "", ending: str = "json") -> None:
    """Leave a record of a window."""
    folder = table.replace(".", "/")
    name = f"{start}_{end or start}/20130101T000000.000000Z_abcdef012345_daily.r.0.1.{ending}"
    lake.storage.write_json(f"{lake.storage.prefix}_runner/records/{folder}/{name}", {})


def start_of(lake: Lake, policy: Any, **more: Any) -> str:  # noqa: ANN401 - JSON
    given: dict[str, Any] = {"unit": "day", "max_window": 400, "window": OWN, "tables": TABLES}
    given |= more
    window, tables = given.pop("window"), given.pop("tables")
    return widen(lake.storage, tables, window, policy=policy, **given)


@pytest.mark.parametrize(
    ("policy", "start"),
    [
        ("none", "2013-01-20"),
        ("latest", "2013-01-19"),
        ("all", "2013-01-16"),
        ({"last": 2}, "2013-01-18"),
        ({"last": 99}, "2013-01-16"),
    ],
)
def test_pain_23_missed_windows_are_made_up_for_as_the_policy_says(
    policy: Any,  # noqa: ANN401 - JSON
    start: str,
    lake: Lake,
) -> None:
    touch(lake, "marts.daily", "2013-01-10")
    touch(lake, "staging.flights", "2013-01-15")  # any table of the workflow shows that it ran
    touch(lake, "staging.flights", "2013-01-21")  # what lies after the window says nothing
    assert start_of(lake, policy) == start


@pytest.mark.parametrize("policy", ["none", "latest", "all", {"last": 5}])
def test_nothing_was_missed(policy: Any, lake: Lake) -> None:  # noqa: ANN401 - JSON
    assert start_of(lake, policy) == "2013-01-20"  # no history at all
    touch(lake, "marts.daily", "2013-01-19")
    assert start_of(lake, policy) == "2013-01-20"


@pytest.mark.parametrize("ending", ["failed", "writing"])
def test_a_failed_attempt_is_a_touch(ending: str, lake: Lake) -> None:
    touch(lake, "marts.daily", "2013-01-10")
    touch(lake, "marts.daily", "2013-01-17", "2013-01-18", ending)
    assert start_of(lake, "all") == "2013-01-19"


def test_the_window_stays_below_max_window(lake: Lake) -> None:
    touch(lake, "marts.daily", "2012-01-01")
    assert start_of(lake, "all", max_window=5) == "2013-01-16"


def test_a_record_that_overlaps_the_window_leaves_nothing_missed(lake: Lake) -> None:
    touch(lake, "marts.daily", "2013-01-10", "2013-01-25")
    assert start_of(lake, "all") == "2013-01-20"


def test_coarser_tables_say_nothing_of_days_unless_all_are_so(lake: Lake) -> None:
    touch(lake, "marts.monthly", "2013-01")
    touch(lake, "marts.daily", "2013-01-17")
    mixed = {"marts.monthly": "month", "marts.daily": "day"}
    assert start_of(lake, "all", tables=mixed) == "2013-01-18"
    assert start_of(lake, "all", tables={"marts.monthly": "month"}) == "2013-01-20"


def test_windows_are_counted_in_the_schedules_unit(lake: Lake) -> None:
    touch(lake, "marts.daily", "2012-09-30")
    month = ("2013-01-01", "2013-01-31", "day")
    assert start_of(lake, "latest", window=month, unit="month") == "2012-12-01"
    assert start_of(lake, "all", window=month, unit="month") == "2012-10-01"


EVENT: dict[str, Any] = {
    "grain": "day",
    "timezone": "UTC",
    "schedule": {"last": 1, "unit": "day", "lag": 1, "catch_up": "all"},
    "tables": ["marts.daily"],
    "windowed": {"marts.daily": "day"},
    "max_window": 400,
}


@pytest.mark.parametrize(
    ("given", "start"),
    [
        ({"scheduled_time": "2013-01-21T03:00:00Z"}, "2013-01-16"),
        ({"start": "2013-01-20", "end": "2013-01-20"}, "2013-01-20"),
    ],
)
def test_only_a_scheduled_execution_catches_up(
    given: dict[str, str], start: str, any_lake: Lake
) -> None:
    touch(any_lake, "marts.daily", "2013-01-15")
    window = begin({**EVENT, "input": given}, any_lake.storage)["window"]
    assert window == {"start": start, "end": "2013-01-20", "grain": "day"}
