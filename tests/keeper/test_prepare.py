"""Before a table is written: SEMANTICS 8, 9, 15, 21, 22, 29."""

from __future__ import annotations

from typing import Any

import pytest

from runner.keeper.faults import LeaseHeld, NotOurs, OutOfOrder, SchemaChanged, WindowTooLarge
from tests.support.lake import (
    ARN,
    FINGERPRINT,
    LAKE,
    PARQUET,
    Lake,
    Turn,
    ctas_spec,
    insert_spec,
    target,
)

SPEC = insert_spec()
COLUMNS = [
    {"Name": "carrier", "Type": "string"},
    {"Name": "flights", "Type": "bigint"},
    {"Name": "dt", "Type": "string"},
]
LEASE = "_runner/leases/marts/daily.json"


def test_the_plan_of_a_known_table(lake: Lake) -> None:
    spec = insert_spec(combinations=100)
    plan = Turn(lake, spec, end="2013-01-06").prepare(target(spec))
    tag, stage = plan["tag"], f"{LAKE}_runner/stage/marts/daily/daily.r1/0/1/"
    assert plan == {
        "start": "2013-01-05",
        "end": "2013-01-06",
        "tag": tag,
        "stage": stage,
        "types": False,
        "refresh": None,
        "begun": False,
        "values": {"m0": "2013-01-05"},
        "largest": 1,
        "more": False,
        "columns": '"carrier", "flights", "dt"',
        "stage_columns": COLUMNS[:2],
        "location": f"{LAKE}marts/daily/g=1/",
        "chunks": [
            {
                "start": f"2013-01-0{day}",
                "end": f"2013-01-0{day}",
                "tag": f"{tag}_2013010{day}",
                "stage": f"{stage}2013010{day}/",
                "values": {"m0": f"2013-01-0{day}"},
                "inputs": "",
            }
            for day in (5, 6)
        ],
    }
    assert lake.body(LEASE)["execution"] == ARN + "r1"


def test_semantics_8_the_first_write_learns_the_types(lake: Lake) -> None:
    turn = Turn(lake, SPEC)
    plan = turn.call("prepare", window=turn.window, target=None)
    assert (plan["types"], plan["columns"], plan["location"]) == (True, "", "")
    made = turn.call("reconcile", plan=plan, target=None, inferred=COLUMNS)
    assert (made["action"], made["version"]) == ("create", "")
    assert made["columns"] == '"carrier", "flights", "dt"'
    assert made["chunks"] == plan["chunks"]
    assert made["table_input"] == {
        "Name": "daily",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "projection.enabled": "true",
            "projection.dt.format": "yyyy-MM-dd",
            "runner.project": "flights",
            "runner.fingerprint": FINGERPRINT,
        },
        "PartitionKeys": [{"Name": "dt", "Type": "string"}],
        "StorageDescriptor": {
            "Columns": COLUMNS[:2],
            "Location": f"{LAKE}marts/daily/g=1/",
            "Compressed": False,
            **PARQUET,
        },
    }


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "was not made by this project; use `runner adopt marts.daily`"),
        ({"runner.project": "other"}, "belongs to project other"),
    ],
)
@pytest.mark.parametrize("spec", [SPEC, ctas_spec("marts.daily")], ids=["insert", "ctas"])
def test_semantics_8_a_strangers_table_is_refused(
    lake: Lake, parameters: dict[str, str], said: str, spec: dict[str, Any]
) -> None:
    with pytest.raises(NotOurs, match=said):
        Turn(lake, spec).prepare({**target(spec), "Parameters": parameters})
    assert lake.keys() == []


@pytest.mark.parametrize(
    ("change", "types"),
    [
        ({}, False),
        ({"fingerprint": "e" * 64}, True),
        ({"parameters": {**SPEC["parameters"], "projection.dt.range": "2013,NOW"}}, True),
    ],
)
def test_changed_sql_or_properties_ask_for_the_types_again(
    lake: Lake,
    change: dict[str, Any],
    types: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert Turn(lake, {**SPEC, **change}).prepare(target(SPEC))["types"] is types


def reconcile(
    lake: Lake,
    inferred: dict[str, str],
    found: dict[str, Any] | None = None,
    **more: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    turn = Turn(lake, insert_spec(**more))
    columns = [{"Name": name, "Type": kind} for name, kind in inferred.items()]
    return turn.call("reconcile", plan={}, target=found or target(SPEC), inferred=columns)


def test_semantics_9_new_columns_are_appended_by_name(lake: Lake) -> None:
    inferred = {"delay": "double", "flights": "bigint", "dt": "varchar(10)", "carrier": "string"}
    made = reconcile(lake, inferred, target(SPEC, comment="kept"))
    assert (made["action"], made["version"]) == ("update", "7")
    assert made["stage_columns"] == [*COLUMNS[:2], {"Name": "delay", "Type": "double"}]
    assert made["columns"] == '"carrier", "flights", "delay", "dt"'
    assert made["table_input"]["Parameters"]["comment"] == "kept"


def test_properties_of_an_older_projection_do_not_stay(lake: Lake) -> None:
    old = {"projection.dt.interval.unit": "HOURS", "storage.location.template": "s3://x/${dt}"}
    inferred = {"carrier": "string", "flights": "bigint", "dt": "string"}
    parameters = reconcile(lake, inferred, target(SPEC, None, **old))["table_input"]["Parameters"]
    assert sorted(parameters) == [
        "EXTERNAL",
        "projection.dt.format",
        "projection.enabled",
        "runner.fingerprint",
        "runner.project",
    ]


@pytest.mark.parametrize(
    ("inferred", "more", "said"),
    [
        ({"carrier": "string"}, {}, "column flights bigint is gone"),
        (
            {"carrier": "string", "flights": "double"},
            {},
            "column flights is bigint in the table and double in the query",
        ),
        (
            {"carrier": "string", "flights": "bigint", "new": "int"},
            {"by_position": True},
            r"new columns \(new\) in a format that is read by position",
        ),
        (
            {"carrier": "string", "flights": "bigint", "hh": "string"},
            {"partitions": ["dt", "hh"]},
            "partition columns are .'dt',. in the table",
        ),
        (
            {"carrier": "string", "flights": "bigint"},
            {"parameters": {"projection.dt.format": "yyyyMMdd"}},
            "projection.dt.format is yyyy-MM-dd in the table and yyyyMMdd in the file",
        ),
    ],
)
def test_semantics_9_what_would_lose_or_hide_data_fails_before_anything_is_written(
    lake: Lake, inferred: dict[str, str], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(SchemaChanged, match=said) as failure:
        reconcile(lake, {**inferred, "dt": "string"}, **more)
    assert "runner backfill --full-refresh marts.daily" in str(failure.value)


@pytest.mark.parametrize(
    ("inferred", "said"),
    [
        ({"flights": "bigint"}, "no partition column 'dt'"),
        ({"flights": "bigint", "dt": "date"}, "'dt' is date, .* CAST it AS varchar"),
    ],
)
def test_partition_columns_are_text(lake: Lake, inferred: dict[str, str], said: str) -> None:
    with pytest.raises(SchemaChanged, match=said):
        reconcile(lake, inferred)


def test_semantics_15_and_23_an_hourly_tables_window_is_widened_and_bounded(lake: Lake) -> None:
    spec = insert_spec(
        grain="hour",
        time=[["dt", "yyyy-MM-dd"], ["hh", "HH"]],
        partitions=["dt", "hh"],
        max_window=24,
        marks={"m0": {"base": "end", "steps": [["hours", -1]], "format": "dd HH:mm"}},
    )
    plan = Turn(lake, spec).prepare(target(spec))
    assert (plan["start"], plan["end"]) == ("2013-01-05T00", "2013-01-05T23")
    assert plan["values"] == {"m0": "05 22:59"}
    with pytest.raises(WindowTooLarge, match="48 partitions"):
        Turn(lake, spec, end="2013-01-06").prepare(target(spec))


ORDERED = insert_spec(ordered=True)


@pytest.mark.parametrize(
    ("start", "written", "refused"),
    [
        ("2013-01-05", (), False),  # the first window ever
        ("2013-01-05", ("2013-01-04",), False),
        ("2013-01-05", ("2013-01-05",), False),
        ("2013-01-05", ("2013-01-06",), False),  # before its history
        ("2013-01-05", ("2013-01-03",), True),
        ("2013-01-05", ("2013-01-03", "2013-01-05"), True),
    ],
)
def test_semantics_21_a_table_that_reads_itself_needs_the_period_before(
    lake: Lake,
    start: str,
    written: tuple[str, ...],
    refused: bool,  # noqa: FBT001 - a column
) -> None:
    for day in written:
        plain = insert_spec()
        Turn(lake, plain, execution=f"{ARN}of-{day}", start=day, end=day).write({day: "x"})
    turn = Turn(lake, ORDERED, start=start, end="2013-01-07")
    if refused:
        with pytest.raises(OutOfOrder, match="2013-01-04 is not published"):
            turn.prepare()
    else:
        chunks = turn.prepare()["chunks"]
        assert [chunk["start"] for chunk in chunks] == ["2013-01-05", "2013-01-06", "2013-01-07"]


def test_semantics_21_a_table_without_time_has_no_order(lake: Lake) -> None:
    spec = insert_spec(ordered=True, grain=None, time=[], partitions=[])
    assert len(Turn(lake, spec).prepare(target(spec))["chunks"]) == 1


@pytest.mark.parametrize(("kind", "action"), [("view", "create"), ("ddl", "replace")])
def test_semantics_29_views_and_ddl_are_made_when_absent_or_changed(
    lake: Lake, kind: str, action: str
) -> None:
    def prepare(run: str, found: dict[str, Any] | None, fingerprint: str) -> str:
        turn = Turn(lake, ctas_spec(kind=kind, fingerprint=fingerprint), execution=ARN + run)
        said = str(turn.call("prepare", window=turn.window, target=found)["action"])
        if said != "none":
            assert turn.call("finish")["rows"] == 0
        return said

    made = {"Name": "routes", "Parameters": {}}
    assert prepare("r1", None, "a" * 64) == "create"
    assert prepare("r2", made, "a" * 64) == "none"
    assert prepare("r3", made, "b" * 64) == action
    assert prepare("r4", made, "b" * 64) == "none"
    assert prepare("r5", None, "b" * 64) == "create"


def test_a_view_that_is_not_ours_is_refused(lake: Lake) -> None:
    turn = Turn(lake, ctas_spec(kind="view"))
    with pytest.raises(NotOurs, match="was not made by this project"):
        turn.call("prepare", window=turn.window, target={"Name": "routes"})


def test_semantics_7_prepare_waits_for_the_lease(lake: Lake) -> None:
    lake.running.add(ARN + "r1")
    Turn(lake, SPEC).prepare()
    with pytest.raises(LeaseHeld):
        Turn(lake, SPEC, execution=ARN + "r2").prepare()
