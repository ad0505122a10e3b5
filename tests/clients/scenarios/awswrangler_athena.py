"""awswrangler: the three ways to read, statements of its own, and what it keeps of a query."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import awswrangler as wr
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.clients.scenarios.conftest import Place

WAYS = pytest.mark.parametrize(
    "way",
    [
        {"ctas_approach": True},
        {"ctas_approach": False},
        {"ctas_approach": False, "unload_approach": True},
    ],
    ids=["ctas", "result", "unload"],
)


@pytest.fixture(autouse=True)
def _quick() -> None:
    wr.config.athena_query_wait_polling_delay = 0.05


def read(place: Place, sql: str, way: dict[str, Any], **more: Any) -> Any:
    given = dict(way)
    if given.get("unload_approach"):
        more["s3_output"] = place.path(f"unload/{pd.Timestamp.now().value}")
    else:
        more["s3_output"] = place.staging
    return wr.athena.read_sql_query(sql, database=place.database, **given, **more)


@pytest.fixture(scope="module", autouse=True)
def table(place: Place) -> None:
    frame = pd.DataFrame(
        {
            "n": [1, 2, 3],
            "s": ["a", "", None],
            "d": [0.5, None, 2.5],
            "t": [True, False, True],
            "day": [date(2024, 1, 1), date(2024, 1, 2), None],
            "at": pd.to_datetime(["2024-01-01 01:02:03.004", None, "2024-01-03 00:00:00.000"]),
            "amount": [Decimal("1.10"), None, Decimal("-3.30")],
            "tags": [["x", "y"], [], None],
            "part": ["p", "p", "q"],
        }
    )
    told = wr.s3.to_parquet(
        frame,
        place.path("things"),
        dataset=True,
        database=place.database,
        table="things",
        partition_cols=["part"],
        dtype={"n": "int"},
    )
    assert sorted(told["partitions_values"].values()) == [["p"], ["q"]]


@WAYS
def test_every_way_reads_the_same(place: Place, way: dict[str, Any]) -> None:
    found = read(place, "SELECT * FROM things", way)
    told = found.query_metadata
    frame = found.sort_values("n", ignore_index=True)
    assert {name: str(kind) for name, kind in frame.dtypes.items()}["n"] == "Int32"
    assert list(frame["n"]) == [1, 2, 3]
    assert list(frame["t"]) == [True, False, True]
    assert frame["d"][0] == 0.5
    assert pd.isna(frame["d"][1])
    assert frame["day"][0] == date(2024, 1, 1)
    assert frame["at"][0] == pd.Timestamp("2024-01-01 01:02:03.004")
    assert frame["amount"][0] == Decimal("1.10")
    assert list(frame["part"]) == ["p", "p", "q"]
    assert pd.isna(frame["s"][2])
    if way != WAYS.args[1][1]:
        assert frame["s"][1] == ""
        assert list(frame["tags"][0]) == ["x", "y"]
    assert told["Status"]["State"] == "SUCCEEDED"
    assert told["Statistics"]["DataScannedInBytes"] > 0


@WAYS
def test_pieces(place: Place, way: dict[str, Any]) -> None:
    sql = "SELECT x FROM UNNEST(sequence(1, 2500)) AS t (x)"
    pieces = list(read(place, sql, way, chunksize=1000))
    assert [len(piece) for piece in pieces] == [1000, 1000, 500]
    assert sorted(x for piece in pieces for x in piece["x"]) == list(range(1, 2501))


@WAYS
def test_nothing_found(place: Place, way: dict[str, Any]) -> None:
    sql = "SELECT n, s FROM things WHERE n > 99"
    if way.get("unload_approach"):
        with pytest.raises(wr.exceptions.EmptyDataFrame):
            read(place, sql, way)
    else:
        assert read(place, sql, way).empty


@WAYS
def test_parameters(place: Place, way: dict[str, Any]) -> None:
    sql = "SELECT n FROM things WHERE s = :s"
    assert list(read(place, sql, way, params={"s": "a"})["n"]) == [1]
    if way == WAYS.args[1][1]:
        sql = "SELECT n FROM things WHERE n > ? AND part = ?"
        found = read(place, sql, way, params=["2", "'q'"], paramstyle="qmark")
        assert list(found["n"]) == [3]


def test_what_a_ctas_refuses(place: Place) -> None:
    way = {"ctas_approach": True}
    with pytest.raises(wr.exceptions.InvalidCtasApproachQuery, match="distinct names"):
        read(place, "SELECT 1 AS a, 2 AS a", way)
    with pytest.raises(wr.exceptions.InvalidArgumentValue, match="undefined columns types"):
        read(place, "SELECT NULL AS a", way)
    with pytest.raises(wr.exceptions.QueryFailed, match="TABLE_NOT_FOUND"):
        read(place, "SELECT * FROM nowhere", {"ctas_approach": False})


def test_executions(place: Place) -> None:
    more = {"database": place.database, "s3_output": place.staging}
    identity = wr.athena.start_query_execution("SELECT count(*) AS c FROM things", **more)
    assert wr.athena.wait_query(identity)["Status"]["State"] == "SUCCEEDED"
    assert wr.athena.get_query_execution(identity)["StatementType"] == "DML"
    assert wr.athena.get_query_columns_types(identity) == {"c": "bigint"}
    assert list(wr.athena.get_query_results(identity)["c"]) == [3]
    assert identity in wr.athena.list_query_executions()
    assert len(wr.athena.get_query_executions([identity])) == 1
    endless = (
        "SELECT count(*) FROM UNNEST(sequence(1, 9000)) a (x), UNNEST(sequence(1, 9000)) b (y), "
        "UNNEST(sequence(1, 9000)) c (z) WHERE (x * y + z) % 7 = 3"
    )
    identity = wr.athena.start_query_execution(endless, **more)
    wr.athena.stop_query_execution(identity)
    with pytest.raises(wr.exceptions.QueryCancelled):
        wr.athena.wait_query(identity)


def test_the_cache_finds_a_former_execution(place: Place) -> None:
    settings = {"max_cache_seconds": 300}
    way = {"ctas_approach": False}
    first = read(place, "SELECT 'kept' AS s", way, athena_cache_settings=settings)
    again = read(place, "SELECT 'kept' AS s", way, athena_cache_settings=settings)
    assert list(again["s"]) == ["kept"]
    assert first.query_metadata["QueryExecutionId"] == again.query_metadata["QueryExecutionId"]


def test_tables_of_queries(place: Place) -> None:
    told = wr.athena.create_ctas_table(
        "SELECT n, s FROM things",
        place.database,
        ctas_table="made",
        s3_output=place.path("made"),
        storage_format="parquet",
        write_compression="snappy",
        wait=True,
    )
    assert told["ctas_table"] == "made"
    assert len(read(place, "SELECT * FROM made", {"ctas_approach": False})) == 3
    told = wr.athena.unload(
        "SELECT n FROM things", place.path("thrown"), place.database, file_format="PARQUET"
    )
    assert told.raw_payload["Status"]["State"] == "SUCCEEDED"
    found = wr.s3.read_parquet(place.path("thrown"), path_ignore_suffix=[".csv", ".metadata"])
    assert sorted(found["n"]) == [1, 2, 3]


def test_prepared_statements(place: Place) -> None:
    wr.athena.create_prepared_statement(
        "SELECT n FROM things WHERE n > ?", statement_name=f"above_{place.database}"
    )
    wr.athena.create_prepared_statement(
        "SELECT n FROM things WHERE n >= ?", statement_name=f"above_{place.database}"
    )
    found = read(
        place,
        f'EXECUTE "above_{place.database}"',
        {"ctas_approach": False},
        params=["2"],
        paramstyle="qmark",
    )
    assert sorted(found["n"]) == [2, 3]
    names = [each["StatementName"] for each in wr.athena.list_prepared_statements()]
    assert f"above_{place.database}" in names
    wr.athena.delete_prepared_statement(f"above_{place.database}")


def test_describe_show_repair(place: Place) -> None:
    more = {"database": place.database, "s3_output": place.staging}
    found = wr.athena.describe_table("things", **more)
    assert dict(zip(found["Column Name"], found["Type"], strict=True)) == {
        "n": "int",
        "s": "string",
        "d": "double",
        "t": "boolean",
        "day": "date",
        "at": "timestamp",
        "amount": "decimal(3,2)",
        "tags": "array<string>",
        "part": "string",
    }
    assert list(found["Partition"]) == [False] * 8 + [True]
    assert "CREATE EXTERNAL TABLE" in wr.athena.show_create_table("things", **more)
    wr.s3.to_parquet(pd.DataFrame({"n": [9]}), f"{place.path('things')}part=r/x.parquet")
    assert wr.athena.repair_table("things", **more) == "SUCCEEDED"
    found = read(place, "SELECT n FROM things WHERE part = 'r'", {"ctas_approach": False})
    assert list(found["n"]) == [9]
