"""An insert table's turn: SEMANTICS 3, 4, 5, 7, 22 and what peers suffer when it goes wrong."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from runner.keeper import faults, records
from runner.keeper.faults import (
    LeaseHeld,
    LeaseLost,
    PromotionFailed,
    RowsOutsideWindow,
)
from tests.support.lake import ARN, BUCKET, LAKE, HookedS3, Lake, Turn, insert_spec, target

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "marts/daily/g=1/"
DAY = "marts/daily/g=1/dt=2013-01-05/"
SPEC = insert_spec()


def published(lake: Lake, name: str = "marts.daily", grain: str | None = "day") -> dict[str, bool]:
    found = records.newest(records.entries(lake.storage, name), grain)
    return {period: entry.published for period, entry in sorted(found.items())}


def test_a_window_is_written_and_recorded(any_lake: Lake) -> None:
    turn = Turn(any_lake, SPEC, end="2013-01-06")
    assert turn.write({"2013-01-05": "aa", "2013-01-06": "bbb"}) == {
        "rows": 5,
        "bytes": 5,
        "files": 2,
        "partitions": 2,
        "warnings": [],
    }
    assert any_lake.contents(TABLE) == {
        f"{TABLE}dt=2013-01-05/daily.r1.0.1_part-0": "aa",
        f"{TABLE}dt=2013-01-06/daily.r1.0.1_part-0": "bbb",
    }
    assert any_lake.keys("_runner/stage/") == []
    assert any_lake.keys("_runner/leases/") == []
    (key,) = any_lake.keys("_runner/records/")
    body = any_lake.body(key)
    listed = {s.key: s for s in any_lake.storage.list(f"prod/{TABLE}")}
    assert body["files"] == [
        {
            "key": f"prod/{TABLE}dt={day}/daily.r1.0.1_part-0",
            "size": size,
            "etag": listed[f"prod/{TABLE}dt={day}/daily.r1.0.1_part-0"].etag,
            "partition": {"dt": day},
        }
        for day, size in (("2013-01-05", 2), ("2013-01-06", 3))
    ]
    assert body["rows"] == {"2013-01-05": 2, "2013-01-06": 3}
    assert (body["execution"], body["scanned"]) == (ARN + "r1", 10)


def test_semantics_4_after_a_run_the_partition_holds_exactly_its_rows(any_lake: Lake) -> None:
    Turn(any_lake, SPEC).write({"2013-01-05": "first"})
    Turn(any_lake, SPEC, execution=ARN + "r2").write({"2013-01-05": "second"})
    assert any_lake.contents(TABLE) == {f"{DAY}daily.r2.0.1_part-0": "second"}


def test_pains_1_orphans_that_no_catalogue_lists_are_emptied_by_prefix(any_lake: Lake) -> None:
    """dbt-adapters#1895: files in the partition's folder that no partition list knows."""
    for name in ("orphan", "carrier=AA/orphan", "_hidden", ".hidden"):
        any_lake.put(DAY + name)
    any_lake.put("marts/daily/g=1/dt=2013-01-06/neighbour")
    any_lake.put("marts/daily/g=1/dt=2013-01-05x/neighbour")
    Turn(any_lake, SPEC).write({"2013-01-05": "new"})
    assert any_lake.keys(TABLE) == [
        f"{DAY}daily.r1.0.1_part-0",
        f"{TABLE}dt=2013-01-05x/neighbour",
        f"{TABLE}dt=2013-01-06/neighbour",
    ]


def test_pains_12_a_partition_of_more_than_a_page_of_objects_is_replaced(lake: Lake) -> None:
    for number in range(1100):
        lake.put(f"{DAY}old-{number}")
    turn = Turn(lake, SPEC)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    files = {f"dt=2013-01-05/part-{number:04d}": "x" for number in range(1050)}
    result = turn.stage(chunk["stage"], files, [["2013-01-05", 1050]])
    assert turn.publish(plan, chunk, result)["files"] == 1050
    assert lake.keys(TABLE) == [f"{DAY}daily.r1.0.1_part-{n:04d}" for n in range(1050)]
    assert lake.keys("_runner/stage/") == []


def test_pains_11_a_refused_deletion_never_leaves_old_rows_beside_new_ones(lake: Lake) -> None:
    for number in range(5):
        lake.put(f"{DAY}old-{number}")
    turn = Turn(lake, SPEC)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage_days(chunk, {"2013-01-05": "new"})
    left = [2]

    def delete_objects(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        left[0] -= 1
        if left[0] < 0:
            return client.delete_objects(**arguments)
        first, *rest = arguments["Delete"]["Objects"]
        if rest:
            client.delete_objects(Bucket=BUCKET, Delete={"Objects": rest})
        return {"Errors": [{**first, "Code": "InternalError", "Message": "x"}]}

    client = HookedS3(lake.client, delete_objects=delete_objects)
    assert turn.publish(plan, chunk, result, client)["complete"]
    assert lake.keys(TABLE) == [f"{DAY}daily.r1.0.1_part-0"]


def test_pains_11_what_cannot_be_deleted_stops_the_publish(lake: Lake) -> None:
    lake.put(f"{DAY}old")
    turn = Turn(lake, SPEC)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage_days(chunk, {"2013-01-05": "new"})
    refused = {"Errors": [{"Key": "k", "Code": "AccessDenied", "Message": "Access Denied"}]}
    client = HookedS3(lake.client, delete_objects=lambda _client, _arguments: refused)
    with pytest.raises(PromotionFailed, match="1 to delete, 1 to copy .* AccessDenied"):
        turn.publish(plan, chunk, result, client)
    assert lake.keys(TABLE) == [f"{DAY}old"]
    assert published(lake) == {"2013-01-05": False}


def test_semantics_4_a_partition_without_rows_becomes_empty_and_is_recorded(lake: Lake) -> None:
    Turn(lake, SPEC).write({"2013-01-05": "old"})
    Turn(lake, SPEC, execution=ARN + "r2").write({})
    assert lake.keys(TABLE) == []
    assert published(lake) == {"2013-01-05": True}
    assert lake.body(lake.keys("_runner/records/")[-1])["rows"] == {"2013-01-05": 0}


CARRIERS = insert_spec(partitions=["dt", "carrier"], allowed={"carrier": ["AA", "UA"]})


@pytest.mark.parametrize(
    ("spec", "rows", "said"),
    [
        (SPEC, [["2013-01-04", 7]], r"dt=2013-01-04 \(7 rows\)"),
        (SPEC, [["2013-01-05", 1], [None, 2]], r"dt=NULL \(2 rows\)"),
        (SPEC, [["", 2]], r"dt=NULL \(2 rows\)"),
        (SPEC, [["2013-1-5", 2]], r"dt=2013-1-5 \(2 rows\)"),
        (CARRIERS, [["2013-01-05", "WN", 2]], r"dt=2013-01-05, carrier=WN \(2 rows\)"),
        (CARRIERS, [["2013-01-05", None, 2]], r"carrier=NULL \(2 rows\)"),
        (SPEC, [[f"2014-01-{day:02d}", 1] for day in range(1, 9)], r"2014-01-05 .* and 3 more"),
    ],
)
def test_semantics_4_rows_that_the_window_does_not_own_stop_the_publish(
    lake: Lake, spec: dict[str, Any], rows: list[list[str | int | None]], said: str
) -> None:
    Turn(lake, spec).write({}) if spec is SPEC else None
    turn = Turn(lake, spec, execution=ARN + "r2")
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    before = lake.contents("_runner/records/")
    result = turn.stage(chunk["stage"], {"dt=x/part": "x"}, rows)
    with pytest.raises(RowsOutsideWindow, match=said):
        turn.publish(plan, chunk, result)
    assert lake.contents("_runner/records/") == before


@pytest.mark.parametrize(
    "path",
    [
        "dt=2013-01-04/part",
        "dt=__HIVE_DEFAULT_PARTITION__/part",
        "part",
        "dt=2013-01-05/deep/part",
        "carrier=AA/dt=2013-01-05/part",
    ],
)
def test_a_staged_file_that_lies_in_no_partition_of_the_window_stops_the_publish(
    lake: Lake, path: str
) -> None:
    turn = Turn(lake, SPEC)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    files = {"dt=2013-01-05/part": "x", path: "y"}
    result = turn.stage(chunk["stage"], files, [["2013-01-05", 1]])
    with pytest.raises(RowsOutsideWindow, match=r"lies in no partition of 2013-01-05\.\."):
        turn.publish(plan, chunk, result)
    assert lake.keys("_runner/records/") == []


def test_a_period_with_rows_but_without_files_is_not_emptied(lake: Lake) -> None:
    """The stage was emptied by another call of the same attempt, or the result is another's."""
    Turn(lake, SPEC).write({"2013-01-05": "old"})
    turn = Turn(lake, SPEC, execution=ARN + "r2")
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage(chunk["stage"], {}, [["2013-01-05", 3]])
    with pytest.raises(PromotionFailed, match="no files of them"):
        turn.publish(plan, chunk, result)
    assert lake.contents(TABLE) == {f"{DAY}daily.r1.0.1_part-0": "old"}


def test_hidden_staged_objects_are_left_behind(lake: Lake) -> None:
    turn = Turn(lake, SPEC)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    files = {"dt=2013-01-05/part": "x", "dt=2013-01-05/_SUCCESS": "", "dt=2013-01-05/.crc": "x"}
    result = turn.stage(chunk["stage"], files, [["2013-01-05", 1]])
    turn.publish(plan, chunk, result)
    assert lake.keys(TABLE) == [f"{DAY}daily.r1.0.1_part"]


def test_escaped_partition_values_are_found_again(any_lake: Lake) -> None:
    """Athena names folders as Hive does; looking for the plain value would lose the rows."""
    spec = insert_spec(
        grain="hour",
        time=[["ts", "yyyy-MM-dd HH:'00'"]],
        partitions=["ts", "city"],
        allowed={"city": ["New York", "A/B=50%"]},
        combinations=2,
        max_window=24,
    )
    for execution in ("r1", "r2"):
        turn = Turn(any_lake, spec, execution=ARN + execution)
        plan = turn.prepare()
        (chunk,) = plan["chunks"]
        files = {
            "ts=2013-01-05 07%3A00/city=New York/p": execution,
            "ts=2013-01-05 07%3A00/city=A%2FB%3D50%25/p": execution,
        }
        rows: list[list[str | int | None]] = [
            ["2013-01-05 07:00", "New York", 1],
            ["2013-01-05 07:00", "A/B=50%", 1],
        ]
        result = turn.stage(chunk["stage"], files, rows)
        assert turn.publish(plan, chunk, result)["rows"] == 2
        turn.call("finish", written=[])
    assert any_lake.contents(TABLE) == {
        f"{TABLE}ts=2013-01-05 07%3A00/city=New York/daily.r2.0.1_p": "r2",
        f"{TABLE}ts=2013-01-05 07%3A00/city=A%2FB%3D50%25/daily.r2.0.1_p": "r2",
    }
    body = any_lake.body(any_lake.keys("_runner/records/")[-1])
    assert sorted(file["partition"]["city"] for file in body["files"]) == ["A/B=50%", "New York"]


def test_a_location_without_its_slash_spares_the_neighbours(lake: Lake) -> None:
    lake.put("marts/daily/g=10/dt=2013-01-05/other")
    turn = Turn(lake, SPEC)
    found = target(SPEC)
    found["StorageDescriptor"]["Location"] = f"{LAKE}marts/daily/g=1"
    plan = turn.prepare(found)
    (chunk,) = plan["chunks"]
    turn.publish(plan, chunk, turn.stage_days(chunk, {"2013-01-05": "new"}))
    assert lake.keys("marts/") == [
        f"{DAY}daily.r1.0.1_part-0",
        "marts/daily/g=10/dt=2013-01-05/other",
    ]


def test_a_table_without_time_partitions_is_replaced_whole_and_recorded_so(lake: Lake) -> None:
    spec = insert_spec(grain=None, time=[], partitions=["carrier"], allowed={"carrier": ["AA"]})
    lake.put(f"{TABLE}carrier=UA/old")
    turn = Turn(lake, spec)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage(chunk["stage"], {"carrier=AA/p": "x"}, [["AA", 1]])
    part = turn.publish(plan, chunk, result)
    assert (part["start"], part["end"], part["rows"]) == ("all", "all", 1)
    assert lake.keys(TABLE) == [f"{TABLE}carrier=AA/daily.r1.0.1_p"]
    assert published(lake, grain=None) == {"all": True}
    assert Turn(lake, spec, attempt=2).prepare()["chunks"] == []


def test_semantics_13_a_test_of_severity_error_stops_the_publish(lake: Lake) -> None:
    tests = [{"name": "unique: a", "severity": "error", "test": "count"}]
    turn = Turn(lake, insert_spec(tests=tests))
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage(chunk["stage"], {"dt=2013-01-05/p": "x"}, [["2013-01-05", 3, 2]])
    with pytest.raises(faults.TestsFailed, match="unique: a: 2 offending in 2013-01-05. Nothing"):
        turn.publish(plan, chunk, result)
    assert lake.keys("_runner/records/") == []
    assert lake.keys(TABLE) == []


def test_semantics_13_a_test_of_severity_warn_is_reported(lake: Lake) -> None:
    tests = [{"name": "not_null: a", "severity": "warn", "test": "count"}]
    turn = Turn(lake, insert_spec(tests=tests))
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage(chunk["stage"], {"dt=2013-01-05/p": "x"}, [["2013-01-05", 3, 2]])
    part = turn.publish(plan, chunk, result)
    assert part["warnings"] == ["not_null: a: 2 offending"]
    assert turn.call("finish", written=[part])["warnings"] == ["not_null: a: 2 offending"]


# Time runs out -----------------------------------------------------------------------------------


def ticking(*seconds: float) -> Iterator[float]:
    yield from seconds
    while True:
        yield seconds[-1]


def test_a_call_that_runs_out_of_time_asks_for_another_and_goes_on(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.keeper.promote._GROUP", 1)
    turn = Turn(lake, SPEC, end="2013-01-07")
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    days = {f"2013-01-0{day}": str(day) for day in (5, 6, 7)}
    result = turn.stage_days(chunk, days)
    clock = ticking(59)
    lake.remaining_s = lambda: next(clock)
    answers = [turn.publish(plan, chunk, result) for _ in range(3)]
    assert answers[:2] == [
        {"complete": False, "start": "2013-01-05", "end": "2013-01-07"},
        {"complete": False, "start": "2013-01-05", "end": "2013-01-07"},
    ]
    assert answers[2]["complete"]
    assert list(lake.contents(TABLE).values()) == ["5", "6", "7"]
    assert len(lake.keys("_runner/records/")) == 1


def test_a_large_partition_goes_on_in_the_middle(lake: Lake) -> None:
    """A partition that takes longer than one call lives would otherwise never be finished."""
    turn = Turn(lake, SPEC)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    files = {f"dt=2013-01-05/part-{number:03d}": "x" for number in range(150)}
    result = turn.stage(chunk["stage"], files, [["2013-01-05", 150]])
    lake.remaining_s = lambda: 10.0
    calls = 1
    while not turn.publish(plan, chunk, result)["complete"]:
        calls += 1
    assert calls == 3  # batches of 64
    assert len(lake.keys(TABLE)) == 150


# Others at work ----------------------------------------------------------------------------------


def test_semantics_7_a_lease_lost_in_the_middle_stops_the_next_batch(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.keeper.promote._GROUP", 1)
    turn = Turn(lake, SPEC, end="2013-01-06")
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage_days(chunk, {"2013-01-05": "a", "2013-01-06": "b"})
    other = Turn(lake, SPEC, execution=ARN + "r2", end="2013-01-06")

    def copy_object(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        answer = client.copy_object(**arguments)
        lake.now += dt.timedelta(hours=1)
        other.prepare()
        return answer

    with pytest.raises(LeaseLost, match="held by .*:r2"):
        turn.publish(plan, chunk, result, HookedS3(lake.client, copy_object=copy_object))
    assert list(lake.contents(TABLE).values()) == ["a"]
    assert published(lake) == {"2013-01-05": False, "2013-01-06": False}
    with pytest.raises(LeaseLost):
        turn.publish(plan, chunk, result)
    other.write({"2013-01-05": "other"})
    assert list(lake.contents(TABLE).values()) == ["other"]


def test_semantics_7_a_lease_lost_within_the_last_batch_leaves_no_published_record(
    lake: Lake,
) -> None:
    turn = Turn(lake, SPEC, end="2013-01-06")
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage_days(chunk, {"2013-01-05": "a", "2013-01-06": "b"})
    other = Turn(lake, SPEC, execution=ARN + "r2", end="2013-01-06")

    def copy_object(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        answer = client.copy_object(**arguments)
        lake.now += dt.timedelta(hours=1)
        other.prepare()
        return answer

    with pytest.raises(LeaseLost, match="held by .*:r2"):
        turn.publish(plan, chunk, result, HookedS3(lake.client, copy_object=copy_object))
    assert published(lake) == {"2013-01-05": False, "2013-01-06": False}


def test_many_neighbouring_partitions_are_listed_together(lake: Lake) -> None:
    turn = Turn(lake, SPEC, end="2013-01-20")
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    days = {f"2013-01-{day:02d}": str(day) for day in range(5, 21)}
    lake.put(f"{TABLE}dt=2013-01-07/old", "old")
    lake.put(f"{TABLE}dt=2013-01-04/before", "before")
    lake.put(f"{TABLE}dt=2013-01-05-x/odd", "odd")
    lake.put(f"{TABLE}dt=2013-01-21/after", "after")
    lists: list[str] = []

    def list_objects_v2(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        lists.append(arguments["Prefix"])
        return client.list_objects_v2(**arguments)

    result = turn.stage_days(chunk, days)
    hooked = HookedS3(lake.client, list_objects_v2=list_objects_v2)
    assert turn.publish(plan, chunk, result, hooked)["complete"]
    assert len([prefix for prefix in lists if prefix.endswith(TABLE)]) == 2
    assert sorted(lake.contents(TABLE).values()) == sorted(
        [*days.values(), "before", "odd", "after"]
    )


def test_a_call_of_an_earlier_attempt_that_is_still_at_work_is_stopped(lake: Lake) -> None:
    """A Map that failed starts the next attempt while calls of the first are in flight."""
    lake.running.add(ARN + "r1")
    first = Turn(lake, SPEC)
    plan = first.prepare()
    (chunk,) = plan["chunks"]
    result = first.stage_days(chunk, {"2013-01-05": "first"})
    second = Turn(lake, SPEC, attempt=2)
    second.prepare()
    with pytest.raises(LeaseLost, match="a later attempt"):
        first.publish(plan, chunk, result)
    second.write({"2013-01-05": "second"})
    assert list(lake.contents(TABLE).values()) == ["second"]


def test_two_calls_of_one_attempt_beside_each_other_do_no_harm(lake: Lake) -> None:
    """The answer of a call was lost: it is repeated while the first one is still copying."""
    turn = Turn(lake, SPEC)
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    files = {f"dt=2013-01-05/part-{number}": str(number) for number in range(5)}
    result = turn.stage(chunk["stage"], files, [["2013-01-05", 5]])
    nested: list[dict[str, Any]] = []

    def copy_object(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        answer = client.copy_object(**arguments)
        if arguments["Key"].endswith("part-4") and not nested:
            nested.append({})
            nested[0] = turn.publish(plan, chunk, result)
        return answer

    part = turn.publish(plan, chunk, result, HookedS3(lake.client, copy_object=copy_object))
    assert nested == [part]
    assert sorted(lake.contents(TABLE).values()) == ["0", "1", "2", "3", "4"]
    assert published(lake) == {"2013-01-05": True}


def test_the_running_owner_is_waited_for(lake: Lake) -> None:
    lake.running.add(ARN + "r1")
    Turn(lake, SPEC).prepare()
    with pytest.raises(LeaseHeld, match="written by .*:daily:r1"):
        Turn(lake, SPEC, execution=ARN + "r2").prepare()


def test_executions_of_two_workflows_with_one_name_stay_apart(lake: Lake) -> None:
    monthly = ARN.replace(":daily:", ":monthly:") + "r1"
    Turn(lake, SPEC).write({"2013-01-05": "daily"})
    Turn(lake, SPEC, execution=monthly).write({"2013-01-05": "monthly"})
    assert lake.contents(TABLE) == {f"{DAY}monthly.r1.0.1_part-0": "monthly"}


# Attempts and dead runs --------------------------------------------------------------------------


CHUNKED = insert_spec(combinations=100)


def test_a_second_attempt_writes_only_what_the_first_did_not_publish(lake: Lake) -> None:
    first = Turn(lake, CHUNKED, end="2013-01-06")
    plan = first.prepare()
    one, two = plan["chunks"]
    first.publish(plan, one, first.stage_days(one, {"2013-01-05": "a"}))
    first.stage_days(two, {"2013-01-06": "never published"})
    second = Turn(lake, CHUNKED, end="2013-01-06", attempt=2)
    plan = second.prepare()
    (chunk,) = plan["chunks"]
    assert (chunk["start"], chunk["end"]) == ("2013-01-06", "2013-01-06")
    assert chunk["stage"] != two["stage"]
    assert chunk["tag"] != two["tag"]
    part = second.publish(plan, chunk, second.stage_days(chunk, {"2013-01-06": "bb"}))
    assert second.call("finish", written=[part])["rows"] == 3  # both attempts' chunks
    assert list(lake.contents(TABLE).values()) == ["a", "bb"]


def test_what_somebody_began_over_an_earlier_attempts_chunk_is_written_again(lake: Lake) -> None:
    first = Turn(lake, CHUNKED)
    plan = first.prepare()
    (chunk,) = plan["chunks"]
    first.publish(plan, chunk, first.stage_days(chunk, {"2013-01-05": "a"}))
    lake.now += dt.timedelta(hours=1)
    found = records.entries(lake.storage, "marts.daily")
    other = Turn(lake, CHUNKED, execution=ARN + "r2").identity.record(
        "2013-01-05", "2013-01-05", location="s3://lake/elsewhere/", stage="prod/gone/", files=[]
    )
    records.begin(lake.storage, other, found=found, now=lake.now)
    assert len(Turn(lake, CHUNKED, attempt=2).prepare()["chunks"]) == 1


def test_another_execution_and_other_sql_write_everything_again(lake: Lake) -> None:
    Turn(lake, CHUNKED).write({"2013-01-05": "a"})
    assert len(Turn(lake, CHUNKED, execution=ARN + "r2").prepare()["chunks"]) == 1
    lake.now += dt.timedelta(hours=1)
    changed = {**CHUNKED, "fingerprint": "e" * 64}
    assert len(Turn(lake, changed, attempt=2).prepare()["chunks"]) == 1


def die_in(lake: Lake, days: dict[str, str], *, after: int) -> Turn:
    """Let a run die after it copied some of its objects; its lease stays."""
    turn = Turn(lake, SPEC, execution=ARN + "dead", start=min(days), end=max(days))
    plan = turn.prepare()
    (chunk,) = plan["chunks"]
    result = turn.stage_days(chunk, days)
    left = [after]

    def copy_object(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return client.copy_object(**arguments)

    with pytest.raises(KeyboardInterrupt):
        turn.publish(plan, chunk, result, HookedS3(lake.client, copy_object=copy_object))
    lake.now += dt.timedelta(hours=1)
    return turn


def test_semantics_3_what_a_dead_run_began_is_finished_before_the_next_write(lake: Lake) -> None:
    die_in(lake, {"2013-01-03": "3", "2013-01-04": "4", "2013-01-05": "5"}, after=1)
    assert published(lake) == dict.fromkeys(("2013-01-03", "2013-01-04", "2013-01-05"), False)
    Turn(lake, SPEC).write({"2013-01-05": "five"})
    assert lake.contents(TABLE) == {
        f"{TABLE}dt=2013-01-03/daily.dead.0.1_part-0": "3",
        f"{TABLE}dt=2013-01-04/daily.dead.0.1_part-0": "4",
        f"{TABLE}dt=2013-01-05/daily.r1.0.1_part-0": "five",
    }
    assert published(lake) == dict.fromkeys(("2013-01-03", "2013-01-04", "2013-01-05"), True)
    assert lake.keys("_runner/stage/") == []


def test_semantics_3_what_a_dead_run_began_in_the_window_is_redone(lake: Lake) -> None:
    die_in(lake, {"2013-01-05": "dead"}, after=0)
    turn = Turn(lake, SPEC)
    assert len(turn.prepare()["chunks"]) == 1
    assert lake.keys(TABLE) == []
    turn.write({"2013-01-05": "alive"})
    assert list(lake.contents(TABLE).values()) == ["alive"]


def test_finishing_spares_periods_that_were_published_since(lake: Lake) -> None:
    die_in(lake, {"2013-01-03": "3", "2013-01-04": "4"}, after=0)
    lake.storage.delete(["prod/_runner/leases/marts/daily.json"])
    since = Turn(lake, SPEC, execution=ARN + "since", start="2013-01-04", end="2013-01-04")

    def forget(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        """Let this run not see the dead one's stage, so that it finishes nothing."""
        page = client.list_objects_v2(**arguments)
        if "/stage/" in arguments["Prefix"] and "dead" in arguments["Prefix"]:
            return {}
        return page

    plan = since.prepare(client=HookedS3(lake.client, list_objects_v2=forget))
    (chunk,) = plan["chunks"]
    since.publish(plan, chunk, since.stage_days(chunk, {"2013-01-04": "four"}))
    since.call("finish", written=[])
    assert published(lake) == {"2013-01-03": False, "2013-01-04": True}
    Turn(lake, SPEC).prepare()
    assert list(lake.contents(TABLE).values()) == ["3", "four"]
    assert published(lake) == {"2013-01-03": True, "2013-01-04": True}


@pytest.mark.parametrize("change", ["stage", "location", "partitions"])
def test_what_cannot_be_finished_stays_missing(lake: Lake, change: str) -> None:
    die_in(lake, {"2013-01-04": "4"}, after=0)
    spec, found = SPEC, target(SPEC)
    if change == "stage":
        lake.storage.empty("prod/_runner/stage/")
    elif change == "location":
        found["StorageDescriptor"]["Location"] = f"{LAKE}marts/daily/g=2/"
    else:
        spec = CARRIERS
    Turn(lake, spec).prepare(found)
    assert published(lake) == {"2013-01-04": False}
    assert lake.keys(TABLE) == []


def test_finishing_what_a_dead_run_left_may_take_several_calls(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.keeper.promote._GROUP", 1)
    die_in(lake, {f"2013-01-0{day}": str(day) for day in range(1, 5)}, after=0)
    lake.remaining_s = lambda: 10.0
    waits = 0
    while True:
        try:
            Turn(lake, SPEC).prepare()
        except LeaseHeld as error:
            assert "what daily.dead.0.1 left is being finished" in str(error)  # noqa: PT017
            waits += 1
        else:
            break
    assert waits == 3
    assert list(lake.contents(TABLE).values()) == ["1", "2", "3", "4"]
