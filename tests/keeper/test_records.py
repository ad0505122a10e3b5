"""Records: names that a LIST can answer from, the newest wins, begun is missing (SEMANTICS 5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from runner.keeper import records
from tests.support.lake import FINGERPRINT, NOW, Lake

FOLDER = "prod/_runner/records/marts/daily/"


def body(start: str, end: str, run: str = "daily.r1.0.1") -> dict[str, Any]:
    return {
        "table": "marts.daily",
        "start": start,
        "end": end,
        "fingerprint": FINGERPRINT,
        "run": run,
    }


def begin(lake: Lake, start: str, end: str, run: str = "daily.r1.0.1") -> records.Entry:
    found = records.entries(lake.storage, "marts.daily")
    return records.begin(lake.storage, body(start, end, run), found=found, now=lake.now)


def publish(lake: Lake, start: str, end: str, run: str = "daily.r1.0.1") -> records.Entry:
    entry = begin(lake, start, end, run)
    records.complete(lake.storage, entry, {"run": run})
    return entry


def newest(lake: Lake, grain: str | None = "day") -> dict[str, tuple[str, bool]]:
    found = records.newest(records.entries(lake.storage, "marts.daily"), grain)
    return {period: (entry.run, entry.published) for period, entry in found.items()}


def test_semantics_5_a_records_name_says_all_that_planning_needs(any_lake: Lake) -> None:
    entry = publish(any_lake, "2013-01-05", "2013-01-06")
    window, name = "2013-01-05_2013-01-06", "20130201T030000.000000Z_ffffffffffff_daily.r1.0.1"
    assert any_lake.keys() == [f"_runner/records/marts/daily/{window}/{name}.json"]
    (found,) = records.entries(any_lake.storage, "marts.daily")
    assert found.published
    assert not entry.published
    assert found.publish_id == entry.publish_id
    assert records.read(any_lake.storage, found) == {"run": "daily.r1.0.1"}


def test_semantics_5_the_newest_record_wins_for_each_period(lake: Lake) -> None:
    publish(lake, "2013-01-05", "2013-01-07", "old")
    lake.now += dt.timedelta(hours=1)
    publish(lake, "2013-01-06", "2013-01-06", "new")
    assert newest(lake) == {
        "2013-01-05": ("old", True),
        "2013-01-06": ("new", True),
        "2013-01-07": ("old", True),
    }


def test_semantics_5_a_begun_record_makes_its_periods_missing(lake: Lake) -> None:
    publish(lake, "2013-01-05", "2013-01-06", "old")
    begin(lake, "2013-01-06", "2013-01-06", "new")
    assert newest(lake) == {"2013-01-05": ("old", True), "2013-01-06": ("new", False)}


def test_a_begun_record_beside_its_published_twin_counts_as_published(lake: Lake) -> None:
    entry = begin(lake, "2013-01-05", "2013-01-05")
    lake.storage.write_json(entry.key.removesuffix("writing") + "json", {})
    lake.storage.write_json(f"{FOLDER}readme.txt", {})
    assert newest(lake) == {"2013-01-05": ("daily.r1.0.1", True)}


@pytest.mark.parametrize("hours", [0, -1])
def test_a_later_record_is_newer_even_if_this_clock_is_behind(lake: Lake, hours: int) -> None:
    publish(lake, "2013-01-05", "2013-01-05", "first")
    lake.now += dt.timedelta(hours=hours)
    publish(lake, "2013-01-05", "2013-01-05", "second")
    publish(lake, "2013-01-05", "2013-01-05", "third")
    assert newest(lake) == {"2013-01-05": ("third", True)}
    assert [e.at for e in records.entries(lake.storage, "marts.daily")] == [
        "20130201T030000.000000Z",
        "20130201T030000.000001Z",
        "20130201T030000.000002Z",
    ]


def test_records_of_another_partitioning_do_not_count(lake: Lake) -> None:
    publish(lake, "2013-01-05", "2013-01-05", "daily")
    publish(lake, "2013-01", "2013-02", "monthly")
    publish(lake, records.WHOLE, records.WHOLE, "whole")
    assert newest(lake, "day") == {"2013-01-05": ("daily", True)}
    assert newest(lake, "month") == {"2013-01": ("monthly", True), "2013-02": ("monthly", True)}
    assert newest(lake, None) == {"all": ("whole", True)}


@pytest.mark.parametrize(
    "name",
    [
        "readme.txt",
        "2013-01-05_2013-01-05/20130201T030000.000000Z_ffff_run.tmp",
        "2013-01-05_2013-01-05/2013_ffff_run.json",
        "2013-01-05/20130201T030000.000000Z_ffff_run.json",
        "2013-01-05_2013-01-05/20130201T030000.000000Z_run.json",
        "compacted/all.json",
    ],
)
def test_other_objects_beside_the_records_are_left_alone(name: str) -> None:
    assert records.parse_key(FOLDER + name) is None


def test_runs_may_have_underscores_and_dots_in_their_names() -> None:
    key = (
        f"{FOLDER}2013-01-05T00_2013-01-05T23/20130201T030000.000000Z_ffff_my_wf.my_run.v2.0.1.json"
    )
    entry = records.parse_key(key)
    assert entry is not None
    assert (entry.start, entry.end) == ("2013-01-05T00", "2013-01-05T23")
    assert (entry.fingerprint, entry.run) == ("ffff", "my_wf.my_run.v2.0.1")


def test_a_vanished_record_is_named(lake: Lake) -> None:
    entry = publish(lake, "2013-01-05", "2013-01-05")
    lake.storage.delete([entry.key.removesuffix("writing") + "json"])
    with pytest.raises(KeyError, match=r"ffffffffffff_daily.r1.0.1.writing"):
        records.read(lake.storage, entry)


def test_stamps_sort_like_time() -> None:
    early = records.stamp(NOW)
    late = records.stamp(NOW + dt.timedelta(microseconds=1))
    assert early < late
    assert (early, late) == ("20130201T030000.000000Z", "20130201T030000.000001Z")
