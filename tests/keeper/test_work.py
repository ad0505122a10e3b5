"""What is left to write: plans of backfills, smaller chunks, notes (SEMANTICS 6, 10, 33)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from runner.keeper import backfills
from runner.keeper.faults import InvalidInput
from runner.keeper.handler import dispatch
from runner.keeper.records import stamp
from tests.support.lake import ARN, FINGERPRINT, NOW, Lake, Turn, insert_spec, target

SPEC = insert_spec()
EXHAUSTED = json.dumps(
    {"Status": {"State": "FAILED", "StateChangeReason": "Query exhausted resources at this scale"}}
)


def plan(lake: Lake, *windows: tuple[str, str], refresh: bool = False) -> dict[str, str]:
    """Store a plan; gives the window of its execution."""
    told = {"name": "marts.daily", "fingerprint": FINGERPRINT, "refresh": refresh}
    value = {
        "format": 1,
        "name": "b1",
        "created": stamp(NOW - dt.timedelta(hours=1)),
        "start": windows[0][0],
        "end": windows[-1][1],
        "tables": {"marts.daily": {**told, "windows": [list(span) for span in windows]}},
    }
    assert backfills.create(lake.storage, value)
    return {"start": windows[0][0], "end": windows[-1][1], "grain": "day", "backfill": "b1"}


def prepare(lake: Lake, window: dict[str, str], run: str = "r1", **event: Any) -> dict[str, Any]:  # noqa: ANN401
    turn = Turn(lake, SPEC, execution=ARN + run)
    return turn.call("prepare", window=window, target=target(SPEC), **event)


def spans(made: dict[str, Any]) -> list[tuple[str, str]]:
    return [(chunk["start"], chunk["end"]) for chunk in made["chunks"]]


def test_a_backfill_writes_the_windows_of_its_plan(lake: Lake) -> None:
    window = plan(lake, ("2013-01-01", "2013-01-02"), ("2013-03-01", "2013-06-30"))
    made = prepare(lake, window)
    assert spans(made) == [
        ("2013-01-01", "2013-01-02"),
        ("2013-03-01", "2013-06-08"),
        ("2013-06-09", "2013-06-30"),
    ]
    assert (made["largest"], made["more"], made["refresh"]) == (100, False, None)


def test_a_backfill_may_be_larger_than_what_a_run_writes(lake: Lake) -> None:
    window = plan(lake, ("2010-01-01", "2013-12-31"))
    assert len(spans(prepare(lake, window))) == 15


def test_what_any_run_published_since_the_plan_was_made_is_done(lake: Lake) -> None:
    Turn(lake, SPEC, start="2013-01-01", end="2013-01-01").write({"2013-01-01": "before"})
    lake.now += dt.timedelta(hours=2)
    value = {
        "format": 1,
        "name": "b1",
        "created": stamp(lake.now),
        "start": "2013-01-01",
        "end": "2013-01-06",
        "tables": {"marts.daily": {"windows": [["2013-01-01", "2013-01-06"]]}},
    }
    assert backfills.create(lake.storage, value)
    lake.now += dt.timedelta(hours=1)
    other = Turn(lake, SPEC, execution=ARN + "other", start="2013-01-03", end="2013-01-04")
    other.write({"2013-01-03": "x", "2013-01-04": "y"})
    window = {"start": "2013-01-01", "end": "2013-01-06", "grain": "day", "backfill": "b1"}
    expected = [("2013-01-01", "2013-01-02"), ("2013-01-05", "2013-01-06")]
    assert spans(prepare(lake, window, "r2")) == expected


def test_a_plan_that_nobody_made_is_refused_by_name(lake: Lake) -> None:
    window = {"start": "2013-01-01", "end": "2013-01-01", "grain": "day", "backfill": "none"}
    with pytest.raises(InvalidInput, match="no backfill named 'none' was planned"):
        prepare(lake, window)


def begin(lake: Lake, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    event = {
        "op": "begin",
        "input": {"start": "2013-01-01", "end": "2013-06-30", **given},
        "grain": "day",
        "timezone": "UTC",
        "schedule": None,
        "tables": ["marts.daily", "marts.other"],
        "max_window": 100,
    }
    return dispatch(lake.keeper(), event)


def test_an_execution_of_a_backfill_writes_the_tables_of_its_plan_alone(lake: Lake) -> None:
    window = plan(lake, ("2013-01-01", "2013-06-30"))
    assert begin(lake, backfill="b1") == {"window": window, "selected": ["marts.daily"]}
    assert begin(lake, backfill="b1", only=["marts.other"])["selected"] == []
    with pytest.raises(InvalidInput, match="no backfill named 'b2' was planned"):
        begin(lake, backfill="b2")


def test_a_plan_is_written_once(lake: Lake) -> None:
    plan(lake, ("2013-01-01", "2013-01-02"))
    assert not backfills.create(lake.storage, {"name": "b1", "tables": {}})
    assert backfills.read(lake.storage, "b1")["tables"]


@pytest.mark.parametrize(
    ("split", "sizes"),
    [(1, [31]), (4, [8, 8, 8, 7]), (16, [2] * 15 + [1]), (64, [1] * 31)],
)
def test_a_window_too_large_for_the_engine_is_written_in_smaller_chunks(
    lake: Lake, split: int, sizes: list[int]
) -> None:
    window = {"start": "2013-01-01", "end": "2013-01-31", "grain": "day"}
    made = prepare(lake, window, split=split)
    days = [
        (dt.date.fromisoformat(end) - dt.date.fromisoformat(start)).days + 1
        for start, end in spans(made)
    ]
    assert days == sizes
    assert made["largest"] == sizes[0]


def diagnose(lake: Lake, attempt: int, error: str = "States.TaskFailed", **event: Any) -> Any:  # noqa: ANN401
    turn = Turn(lake, SPEC, attempt=attempt)
    policy = {"max_attempts": 3, "interval": 10, "backoff": 2, "max_delay": 300}
    given = {"cause": EXHAUSTED, "split": 1, "largest": 31, "window": turn.window, **event}
    return turn.call("diagnose", error=error, **policy, **given)


def test_exhausted_resources_are_answered_by_smaller_chunks_until_they_are_single(
    lake: Lake,
) -> None:
    found = diagnose(lake, 1)
    assert (found["retry"], found["split"], found["wait"]) == (True, 4, 0)
    assert "smaller chunks" in found["advice"]
    assert diagnose(lake, 3, split=16, largest=2)["split"] == 64
    last = diagnose(lake, 4, split=64, largest=1)
    assert (last["retry"], last["kind"]) == (False, "exhausted")
    assert "Narrow the window" in last["advice"]


def test_splitting_takes_no_attempts_from_other_failures(lake: Lake) -> None:
    passing = "GENERIC_INTERNAL_ERROR"
    assert diagnose(lake, 4, cause=passing, split=16)["retry"]
    assert not diagnose(lake, 5, cause=passing, split=16)["retry"]


def test_a_hopeless_query_never_runs_again(lake: Lake) -> None:
    cause = EXHAUSTED.replace("Query exhausted resources at this scale", "SYNTAX_ERROR: line 1:1")
    assert not diagnose(lake, 1, cause=cause)["retry"]


def test_a_failed_table_leaves_a_note_for_what_it_did_not_publish(lake: Lake) -> None:
    turn = Turn(lake, SPEC, start="2013-01-05", end="2013-01-05")
    turn.write({"2013-01-05": "rows"})
    window = {"start": "2013-01-04", "end": "2013-01-06", "grain": "day"}
    diagnose(lake, 1, "TestsFailed", cause='{"errorMessage": "unique: 2"}', window=window)
    notes = [key for key in lake.keys("_runner/records/") if key.endswith(".failed")]
    assert [key.split("/")[4] for key in notes] == [
        "2013-01-04_2013-01-04",
        "2013-01-06_2013-01-06",
    ]
    body = lake.body(notes[0])
    assert (body["error"], body["message"]) == ("TestsFailed", "TestsFailed: unique: 2")
    assert turn.call("prepare", window=window, target=target(SPEC))["chunks"]


@pytest.mark.parametrize("error", ["LeaseHeld"])
def test_a_table_that_another_run_writes_gets_no_note(lake: Lake, error: str) -> None:
    diagnose(lake, 1, error, cause="")
    assert lake.keys("_runner/records/") == []


def test_semantics_10_a_refresh_goes_to_a_new_generation_and_becomes_records_at_the_end(
    lake: Lake,
) -> None:
    Turn(lake, SPEC, start="2013-01-01", end="2013-01-02").write(
        {"2013-01-01": "old", "2013-01-02": "old"}
    )
    before = lake.contents("_runner/records/")
    window = plan(lake, ("2013-01-01", "2013-01-02"), refresh=True)
    lake.now += dt.timedelta(hours=2)
    turn = Turn(lake, {**SPEC, "fingerprint": "e" * 64}, execution=ARN + "r2")
    made = turn.call("prepare", window=window, target=target(SPEC))
    assert made["refresh"]["generation"] == 2
    inferred = [{"Name": "n", "Type": "double"}, {"Name": "dt", "Type": "varchar"}]
    made = turn.call("reconcile", plan=made, target=target(SPEC), inferred=inferred)
    assert made["table_input"]["StorageDescriptor"]["Location"].endswith("marts/daily/g=2/")
    assert [c["Name"] for c in made["table_input"]["StorageDescriptor"]["Columns"]] == ["n"]
    (chunk,) = made["chunks"]
    result = turn.stage_days(chunk, {"2013-01-01": "new"})
    written = [turn.publish(made, chunk, result)]
    assert lake.contents("_runner/records/") == before
    assert sorted(lake.contents("marts/daily/g=1/").values()) == ["old", "old"]
    again = Turn(lake, turn.spec, execution=ARN + "r2", attempt=2)
    assert again.call("prepare", window=window, target=target(SPEC))["chunks"] == []
    found = turn.call("finish", written=written, refresh=made["refresh"])
    assert (found["partitions"], found["rows"]) == (2, 3)
    assert lake.keys("_runner/refresh/") == []
    newest = max(lake.keys("_runner/records/marts/daily/2013-01-01_2013-01-02/"))
    assert lake.body(newest)["location"].endswith("g=2/")


def test_semantics_10_a_refresh_that_died_after_its_flip_is_settled_by_the_next_run(
    lake: Lake,
) -> None:
    window = plan(lake, ("2013-01-05", "2013-01-05"), refresh=True)
    lake.now += dt.timedelta(hours=2)
    turn = Turn(lake, SPEC, execution=ARN + "r2")
    made = turn.call("prepare", window=window, target=target(SPEC))
    result = turn.stage_days(made["chunks"][0], {"2013-01-05": "new"})
    turn.publish(made, made["chunks"][0], result)
    lake.now += dt.timedelta(hours=2)
    flipped = target(SPEC)
    flipped["StorageDescriptor"]["Location"] = made["refresh"]["location"]
    other = Turn(lake, SPEC, execution=ARN + "r3", start="2013-01-09", end="2013-01-09")
    other.prepare(flipped)
    (key,) = lake.keys("_runner/records/marts/daily/")
    assert lake.body(key)["location"].endswith("g=2/")
    assert lake.keys("_runner/refresh/") == []
