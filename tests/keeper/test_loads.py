"""The manifest of a load: exactly the files of the published records (SEMANTICS 12, 37, 38)."""

from __future__ import annotations

from typing import Any

import pytest

from runner.keeper import faults, records
from runner.model.loads import LoadManifest
from tests.support.lake import ARN, LAKE, Lake, Turn, ctas_spec, insert_spec, target

SPEC = insert_spec()
WINDOW = {"start": "2013-01-05", "end": "2013-01-06", "grain": "day"}
LOAD: dict[str, Any] = {
    "table": "mart_t",
    "mode": "replace_window",
    "keys": [],
    "columns": [],
    "types": {},
    "format": "parquet",
    "min_rows": None,
    "engine": "native",
    "create": True,
    "before": None,
    "after": None,
}


def load(
    lake: Lake,
    spec: dict[str, Any] = SPEC,
    *,
    mode: str = "replace_window",
    window: dict[str, str] = WINDOW,
    **more: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Plan a load; give its manifest, which the loader must be able to read."""
    turn = Turn(lake, spec, execution=ARN + "loading")
    answer = turn.call(
        "load", name="marts.daily", window=window, load={**LOAD, "mode": mode, **more}
    )
    manifest = lake.body(answer["manifest"].removeprefix(LAKE))
    LoadManifest.from_json(manifest)
    assert (answer["rows"], answer["files"]) == (manifest["rows"], len(manifest["files"]))
    return manifest


def write(lake: Lake, run: str, **days: str) -> None:
    """Write days given as d05="rows"."""
    texts = {f"2013-01-{day[1:]}": text for day, text in days.items()}
    turn = Turn(lake, SPEC, execution=ARN + run, start=min(texts), end=max(texts))
    turn.write(texts)


def uris(manifest: dict[str, Any]) -> list[str]:
    return [file["uri"].removeprefix(f"{LAKE}marts/daily/g=1/") for file in manifest["files"]]


def test_a_manifest_says_all_that_a_loader_needs(any_lake: Lake) -> None:
    write(any_lake, "r1", d05="aa", d06="bbb")
    entry = records.entries(any_lake.storage, "marts.daily")[0]
    manifest = load(any_lake, types={"flights": "INT", "dt": "DATE"}, keys=["dt", "carrier"])
    publish = manifest["load_key"].pop("publish_id")
    assert len(publish) == 32
    assert entry.publish_id == "2013-01-05_2013-01-06_20130201T030000.000000Z_daily.r1.0.1"
    assert manifest == {
        "load_key": {
            "mart_table": "mart_t",
            "table": "marts.daily",
            "window_start": "2013-01-05",
            "window_end": "2013-01-06",
        },
        "mode": "replace_window",
        "keys": ["dt", "carrier"],
        "columns": [
            {"name": "carrier", "athena_type": "string", "mart_type": None},
            {"name": "flights", "athena_type": "bigint", "mart_type": "INT"},
        ],
        "partition_columns": [{"name": "dt", "type": "string", "mart_type": "DATE"}],
        "window": {"columns": ["dt"], "values": [["2013-01-05"], ["2013-01-06"]]},
        "whole_table": False,
        "format": "parquet",
        "files": [
            {
                "uri": f"{LAKE}marts/daily/g=1/dt={day}/daily.r1.0.1_part-0",
                "size": size,
                "partition": {"dt": day},
            }
            for day, size in (("2013-01-05", 2), ("2013-01-06", 3))
        ],
        "rows": 5,
        "engine": "native",
        "create": True,
        "before": None,
        "after": None,
    }


def test_semantics_37_periods_of_several_records_give_each_its_own_files(lake: Lake) -> None:
    write(lake, "r1", d04="a", d05="b", d06="c", d07="d")
    write(lake, "r2", d05="BB")
    manifest = load(lake)
    assert uris(manifest) == [
        "dt=2013-01-05/daily.r2.0.1_part-0",
        "dt=2013-01-06/daily.r1.0.1_part-0",
    ]
    assert manifest["rows"] == 3


def test_columns_are_those_of_the_newest_record(lake: Lake) -> None:
    """The last period may have been written before a column was added."""
    write(lake, "r1", d05="b", d06="c")
    turn = Turn(lake, SPEC, execution=ARN + "r2")
    found = target(SPEC, {"carrier": "string", "flights": "bigint", "delay": "double"})
    plan = turn.prepare(found)
    (chunk,) = plan["chunks"]
    turn.publish(plan, chunk, turn.stage_days(chunk, {"2013-01-05": "x"}))
    assert [column["name"] for column in load(lake)["columns"]] == ["carrier", "flights", "delay"]


@pytest.mark.parametrize("mode", ["replace", "truncate_insert"])
def test_semantics_37_whole_modes_load_every_published_period(lake: Lake, mode: str) -> None:
    write(lake, "r1", d04="a", d05="b")
    write(lake, "r2", d05="BB")
    write(lake, "r3", d09="z")
    manifest = load(lake, mode=mode, window={**WINDOW, "end": "2013-01-05"})
    assert uris(manifest) == [
        "dt=2013-01-04/daily.r1.0.1_part-0",
        "dt=2013-01-05/daily.r2.0.1_part-0",
        "dt=2013-01-09/daily.r3.0.1_part-0",
    ]
    assert (manifest["whole_table"], manifest["window"], manifest["rows"]) == (True, None, 4)
    assert manifest["load_key"]["window_start"] == "all"


def begin_only(lake: Lake, day: str) -> None:
    body = Turn(lake, SPEC, execution=ARN + "dying").identity.record(day, day, files=[])
    found = records.entries(lake.storage, "marts.daily")
    records.begin(lake.storage, body, found=found, now=lake.now)


@pytest.mark.parametrize("mode", ["replace_window", "replace"])
def test_semantics_5_and_37_a_period_that_is_being_written_is_not_loaded(
    lake: Lake, mode: str
) -> None:
    write(lake, "r1", d05="b", d06="c")
    begin_only(lake, "2013-01-06")
    with pytest.raises(faults.NothingPublished, match="2013-01-06 is not published; run the"):
        load(lake, mode=mode)


def test_missing_periods_are_named_five_and_counted(lake: Lake) -> None:
    window = {**WINDOW, "end": "2013-01-12"}
    with pytest.raises(faults.NothingPublished, match="2013-01-09 and 3 more is not published"):
        load(lake, window=window)
    with pytest.raises(faults.NothingPublished, match="any partition is not published"):
        load(lake, mode="replace")


def test_an_empty_window_loads_nothing_and_deletes(lake: Lake) -> None:
    write(lake, "r1", d05="", d06="")
    manifest = load(lake)
    assert (manifest["files"], manifest["rows"]) == ([], 0)
    assert manifest["window"] == {"columns": ["dt"], "values": [["2013-01-05"], ["2013-01-06"]]}


def test_semantics_12_a_whole_load_of_no_rows_is_refused(lake: Lake) -> None:
    write(lake, "r1", d05="")
    with pytest.raises(faults.EmptyTable, match="the mart's table stays"):
        load(lake, mode="replace")
    assert load(lake, {**SPEC, "allow_empty": True}, mode="replace")["files"] == []


def test_a_ctas_is_loaded_whole(lake: Lake) -> None:
    spec = ctas_spec()
    turn = Turn(lake, spec)
    plan = turn.prepare(target(spec))
    result = turn.stage(plan["stage"], {"data/p": "abc"}, [[3]])
    staged = {"StorageDescriptor": {"Columns": [{"Name": "a", "Type": "bigint"}]}}
    change = turn.call("accept", plan=plan, target=None, staged=staged, result=result)
    with pytest.raises(faults.NothingPublished, match="all is not published"):
        load(lake, spec, mode="replace")
    turn.call("finish", change=change)
    manifest = load(lake, spec, mode="replace")
    assert [file["uri"] for file in manifest["files"]] == [f"{plan['stage']}data/p"]
    assert (manifest["window"], manifest["partition_columns"]) == (None, [])


def test_several_time_columns_give_tuples(lake: Lake) -> None:
    spec = insert_spec(
        grain="hour", time=[["dt", "yyyy-MM-dd"], ["hh", "HH"]], partitions=["dt", "hh"]
    )
    turn = Turn(lake, spec)
    plan = turn.prepare(target(spec))
    (chunk,) = plan["chunks"]
    rows: list[list[str | int | None]] = [["2013-01-05", "07", 1]]
    result = turn.stage(chunk["stage"], {"dt=2013-01-05/hh=07/p": "x"}, rows)
    turn.publish(plan, chunk, result)
    manifest = load(lake, spec, window={**WINDOW, "end": "2013-01-05"})
    assert manifest["window"]["columns"] == ["dt", "hh"]
    assert manifest["window"]["values"][:2] == [["2013-01-05", "00"], ["2013-01-05", "01"]]
    assert len(manifest["window"]["values"]) == 24
    assert [file["partition"] for file in manifest["files"]] == [{"dt": "2013-01-05", "hh": "07"}]


def test_semantics_38_the_load_key_follows_the_publish(lake: Lake) -> None:
    write(lake, "r1", d05="b", d06="c")
    first, again = load(lake), load(lake)
    assert first == again
    write(lake, "r2", d05="b")
    assert load(lake)["load_key"] != first["load_key"]


@pytest.mark.parametrize("kind", ["view", "ddl"])
def test_a_view_has_no_files_to_load(lake: Lake, kind: str) -> None:
    spec = ctas_spec(kind=kind)
    turn = Turn(lake, spec)
    turn.call("prepare", window=turn.window, target=None)
    turn.call("finish")
    with pytest.raises(faults.NothingPublished, match=f"is a {kind}: no files of ours"):
        load(lake, spec, mode="replace")


def test_the_header_chooses_columns_and_their_order(lake: Lake) -> None:
    """Partition columns stand behind the others, as in Athena; both follow the header."""
    spec = insert_spec(partitions=["dt", "kind"], allowed={"kind": ["a", "b"]}, combinations=2)
    turn = Turn(lake, spec)
    plan = turn.prepare(target(spec, {"carrier": "string", "flights": "bigint", "x": "int"}))
    (chunk,) = plan["chunks"]
    rows: list[list[str | int | None]] = [["2013-01-05", "a", 1]]
    result = turn.stage(chunk["stage"], {"dt=2013-01-05/kind=a/p": "x"}, rows)
    turn.publish(plan, chunk, result)
    window = {**WINDOW, "end": "2013-01-05"}
    chosen = ["kind", "flights", "dt", "carrier"]
    types = {"kind": "CHAR(1)", "flights": "INT UNSIGNED"}
    manifest = load(lake, spec, window=window, columns=chosen, types=types)
    assert manifest["columns"] == [
        {"name": "flights", "athena_type": "bigint", "mart_type": "INT UNSIGNED"},
        {"name": "carrier", "athena_type": "string", "mart_type": None},
    ]
    assert manifest["partition_columns"] == [
        {"name": "kind", "type": "string", "mart_type": "CHAR(1)"},
        {"name": "dt", "type": "string", "mart_type": None},
    ]
    every = load(lake, spec, window=window)
    assert [column["name"] for column in every["columns"]] == ["carrier", "flights", "x"]
    assert [column["name"] for column in every["partition_columns"]] == ["dt", "kind"]


@pytest.mark.parametrize(("least", "fine"), [(0, True), (2, True), (3, False)])
def test_a_load_of_too_few_rows_is_refused_before_anything_moves(
    least: int, lake: Lake, *, fine: bool
) -> None:
    write(lake, "r1", d05="a", d06="b")
    if fine:
        assert load(lake, min_rows=least)["rows"] == 2
        return
    told = r"^marts.daily: 2 rows for the load, at least 3 are expected \(`min_rows`\); the mart"
    with pytest.raises(faults.TooFewRows, match=told):
        load(lake, min_rows=least)
    assert not lake.keys("_runner/loads/")


@pytest.mark.parametrize(
    ("mode", "least", "allow", "refused"),
    [
        ("replace_window", None, False, None),
        ("replace_window", 0, False, None),
        ("replace_window", 1, False, faults.TooFewRows),
        ("replace", None, False, faults.EmptyTable),
        ("replace", 0, False, faults.EmptyTable),
        ("replace", 1, False, faults.EmptyTable),
        ("replace", None, True, None),
        ("replace", 0, True, None),
        ("replace", 1, True, faults.TooFewRows),
        ("truncate_insert", 0, False, faults.EmptyTable),
    ],
)
def test_semantics_12_a_floor_does_not_allow_an_empty_table(
    mode: str, least: int | None, refused: type[Exception] | None, lake: Lake, *, allow: bool
) -> None:
    """Only `allow_empty` does; and advice to write it is given only where it is not written."""
    write(lake, "r1", d05="", d06="")
    spec = {**SPEC, "allow_empty": allow}
    if refused is None:
        assert load(lake, spec, mode=mode, min_rows=least)["rows"] == 0
        return
    with pytest.raises(refused, match="the mart's table stays as it is"):
        load(lake, spec, mode=mode, min_rows=least)


def test_only_embulk_is_told_what_to_select(lake: Lake) -> None:
    write(lake, "r1", d05="a")
    turn = Turn(lake, SPEC, execution=ARN + "loading")
    day = {**WINDOW, "end": "2013-01-05"}
    native, embulk = (
        turn.call("load", name="marts.daily", window=day, load={**LOAD, "engine": engine})
        for engine in ("native", "embulk")
    )
    assert native.keys() == {"manifest", "rows", "files"}
    assert embulk["select"] == (
        'SELECT\n    "carrier",\n    "flights",\n    "dt"\n'
        'FROM "marts"."daily"\nWHERE "dt" IN (\'2013-01-05\')'
    )


def test_what_an_earlier_try_left_is_gone_when_a_load_is_planned_anew(any_lake: Lake) -> None:
    write(any_lake, "r1", d05="a", d06="b")
    load(any_lake)
    key = "_runner/loads/daily.loading/marts.daily.json"
    assert any_lake.keys("_runner/loads/") == [key]
    any_lake.put(key.replace(".json", ".outcome.json"), '{"status": "failed"}')
    load(any_lake)
    assert any_lake.keys("_runner/loads/") == [key]
