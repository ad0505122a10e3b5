"""An execution's input: SEMANTICS 17 (exact keys, valid dates), 16 (schedules), 23 (size)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from runner.keeper.begin import begin
from runner.keeper.faults import InvalidInput, WindowTooLarge

if TYPE_CHECKING:
    from tests.support.lake import Lake

SETTINGS: dict[str, Any] = {
    "grain": "day",
    "timezone": "Asia/Tokyo",
    "schedule": {"last": 3, "unit": "day", "lag": 1},
    "tables": ["staging.flights", "marts.daily"],
    "max_window": 400,
}


def test_a_window_is_taken_as_given() -> None:
    found = begin({**SETTINGS, "input": {"start": "2013-01-01", "end": "2013-01-31"}})
    assert found == {
        "window": {"start": "2013-01-01", "end": "2013-01-31", "grain": "day"},
        "selected": ["staging.flights", "marts.daily"],
    }


def test_a_scheduled_time_becomes_the_schedules_window() -> None:
    found = begin({**SETTINGS, "input": {"scheduled_time": "2013-01-05T16:00:00Z"}})
    assert found["window"] == {"start": "2013-01-03", "end": "2013-01-05", "grain": "day"}


def test_only_selects_in_the_order_of_the_workflow() -> None:
    given = {"start": "2013-01-01", "end": "2013-01-01", "only": ["marts.daily"]}
    assert begin({**SETTINGS, "input": given})["selected"] == ["marts.daily"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], "not an object"),
        ({}, "start and end are both needed"),
        ({"start": "2013-01-01"}, "start and end are both needed"),
        ({"start": "2013-01-01", "end": "2013-01-01", "force": True}, "unknown keys force"),
        ({"start": "2013-1-1", "end": "2013-01-01"}, "'2013-1-1' is not a day"),
        ({"start": "2013-01-02", "end": "2013-01-01"}, "is after end"),
        ({"start": "2013-01-01", "end": "x'); DROP TABLE t"}, "is not a day"),
        ({"scheduled_time": "2013-01-05T16:00:00Z", "start": "2013-01-01"}, "give either"),
        ({"scheduled_time": "yesterday"}, "Invalid isoformat"),
        ({"scheduled_time": 7}, "scheduled_time is not text"),
        ({"start": "9999-12-31", "end": "9999-12-31"}, "out of range"),
        ({"start": "2013-01-01", "end": "2013-01-01", "backfill": 7}, "backfill is not a name"),
        ({"start": "2013-01-01", "end": "2013-01-01", "backfill": ""}, "backfill is not a name"),
        ({"start": "2013-01-01", "end": "2013-01-01", "only": []}, "not a list of table names"),
        ({"start": "2013-01-01", "end": "2013-01-01", "only": "marts.daily"}, "not a list"),
        ({"start": "2013-01-01", "end": "2013-01-01", "only": ["marts.x"]}, "marts.x"),
    ],
)
def test_semantics_17_any_other_input_is_refused(given: object, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        begin({**SETTINGS, "input": given})


def test_a_scheduled_start_needs_a_schedule() -> None:
    given = {"scheduled_time": "2013-01-05T16:00:00Z"}
    with pytest.raises(InvalidInput, match="no schedule"):
        begin({**SETTINGS, "schedule": None, "input": given})


TRIGGERED: dict[str, Any] = {
    **SETTINGS,
    "triggers": {
        "landed": {"period": "dt={year}-{month}-{day}/", "prefix": "in/"},
        "monthly": {"period": "{year}/{year}{month}_", "prefix": "m/"},
        "told": {"last": 2, "unit": "day", "lag": 0},
    },
}
AT = "2013-01-05T16:00:00Z"


@pytest.mark.parametrize(
    ("trigger", "key", "start", "end"),
    [
        ("landed", "in/dt=2013-01-04/part-0.csv", "2013-01-04", "2013-01-04"),
        ("landed", "in/dt%3D2013-01-04/part+0.csv", "2013-01-04", "2013-01-04"),
        ("monthly", "m/2013/201302_x%", "2013-02-01", "2013-02-28"),
        ("told", None, "2013-01-05", "2013-01-06"),  # 16:00 UTC is the next day in Tokyo
    ],
)
def test_an_event_tells_the_window(trigger: str, key: str | None, start: str, end: str) -> None:
    given = {"scheduled_time": AT, "trigger": trigger, **({"key": key} if key else {})}
    found = begin({**TRIGGERED, "input": given})
    assert found["window"] == {"start": start, "end": end, "grain": "day"}


def test_an_event_needs_no_schedule() -> None:
    given = {"scheduled_time": AT, "trigger": "told"}
    assert begin({**TRIGGERED, "schedule": None, "input": given})["selected"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"trigger": "landed", "key": "in/dt=2013-1-4/x"}, "'in/dt=2013-1-4/x' does not fit 'in/d"),
        ({"trigger": "landed", "key": "out/dt=2013-01-04/x"}, "does not fit 'in/dt={year}-{mon"),
        ({"trigger": "landed", "key": "in/dt=2013-02-30/x"}, "'2013-02-30', which is no day"),
        ({"trigger": "landed", "key": "in/dt=0000-02-30/x"}, "which is no day"),
        ({"trigger": "monthly", "key": "m/2013/201402_x"}, "does not fit"),
        ({"trigger": "landed", "key": 7}, "give key"),
        ({"trigger": "landed"}, "give key"),
        ({"trigger": "told", "key": "in/x"}, "takes no key"),
        ({"trigger": "other"}, "'other' is not one of this workflow; its triggers are landed, mo"),
        ({"trigger": ["told"]}, "is not one of this workflow"),
        ({"key": "in/dt=2013-01-04/x"}, "key comes with trigger"),
        ({"trigger": "told", "scheduled_time": None}, "is not text"),
        ({"trigger": "told", "start": "2013-01-01"}, "give either"),
    ],
)
def test_semantics_17_any_other_event_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(complaint)):
        begin({**TRIGGERED, "input": {"scheduled_time": AT, **given}})


def test_an_event_without_its_time_or_without_triggers_is_refused() -> None:
    with pytest.raises(InvalidInput, match="come with scheduled_time"):
        begin({**TRIGGERED, "input": {"trigger": "told"}})
    with pytest.raises(InvalidInput, match="it has none"):
        begin({**SETTINGS, "input": {"scheduled_time": AT, "trigger": "told"}})


def test_a_late_file_is_not_caught_up(lake: Lake) -> None:
    """Catching up is for schedules: an event is about its own period only."""
    schedule = {"last": 1, "unit": "day", "lag": 1, "catch_up": "all"}
    event = {**TRIGGERED, "schedule": schedule, "windowed": {"marts.daily": "day"}}
    given = {"scheduled_time": AT, "trigger": "told"}
    assert begin({**event, "input": given}, lake.storage)["window"]["start"] == "2013-01-05"


def test_semantics_23_a_large_window_is_refused_and_backfill_named() -> None:
    given = {"start": "2012-01-01", "end": "2013-12-31"}
    with pytest.raises(WindowTooLarge, match="runner backfill"):
        begin({**SETTINGS, "input": given})


def test_semantics_23_a_named_backfill_may_be_longer() -> None:
    given = {"start": "2012-01-01", "end": "2013-12-31", "backfill": "history"}
    assert begin({**SETTINGS, "input": given})["window"]["end"] == "2013-12-31"


@pytest.mark.parametrize(
    ("schedule", "grain", "window"),
    [
        ({"last": 1, "unit": "month", "lag": 1}, "day", ("2012-12-01", "2012-12-31")),
        ({"last": 2, "unit": "hour", "lag": 1}, "day", ("2013-01-05", "2013-01-06")),
        ({"last": 1, "unit": "day", "lag": 1}, "month", ("2013-01", "2013-01")),
    ],
)
def test_semantics_16_a_schedules_window_is_widened_to_the_workflows_grain(
    schedule: dict[str, Any], grain: str, window: tuple[str, str]
) -> None:
    given = {"scheduled_time": "2013-01-05T16:30:00Z"}  # 01:30 on the 6th in Tokyo
    event = {**SETTINGS, "schedule": schedule, "grain": grain, "input": given}
    found = begin(event)["window"]
    assert (found["start"], found["end"], found["grain"]) == (*window, grain)
