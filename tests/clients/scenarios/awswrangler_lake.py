"""awswrangler: datasets, their catalogue, CSV, Iceberg."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awswrangler as wr
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.clients.scenarios.conftest import Place


@pytest.fixture(autouse=True)
def _quick() -> None:
    wr.config.athena_query_wait_polling_delay = 0.05


def rows(place: Place, sql: str) -> list[tuple[Any, ...]]:
    frame = wr.athena.read_sql_query(
        sql, place.database, ctas_approach=False, s3_output=place.staging
    )
    return [tuple(row) for row in frame.itertuples(index=False)]


def put(place: Place, frame: pd.DataFrame, mode: str, **more: Any) -> None:
    wr.s3.to_parquet(
        frame,
        place.path("kept"),
        dataset=True,
        database=place.database,
        table="kept",
        mode=mode,
        partition_cols=["day"],
        **more,
    )


def test_modes_of_a_dataset(place: Place) -> None:
    first = pd.DataFrame({"n": [1, 2], "day": ["2024-01-01", "2024-01-02"]})
    told = {"description": "what is kept", "columns_comments": {"n": "number"}}
    put(place, first, "overwrite", glue_table_settings=told)
    assert wr.catalog.get_table_description(place.database, "kept") == "what is kept"
    assert wr.catalog.get_columns_comments(place.database, "kept")["n"] == "number"
    put(place, pd.DataFrame({"n": [3], "day": ["2024-01-02"]}), "append")
    asked = "SELECT n, day FROM kept ORDER BY n"
    assert rows(place, asked) == [(1, "2024-01-01"), (2, "2024-01-02"), (3, "2024-01-02")]
    put(place, pd.DataFrame({"n": [4], "day": ["2024-01-02"]}), "overwrite_partitions")
    assert rows(place, asked) == [(1, "2024-01-01"), (4, "2024-01-02")]
    put(place, pd.DataFrame({"n": [5], "more": ["x"], "day": ["2024-01-03"]}), "append")
    assert rows(place, "SELECT n, more FROM kept WHERE day = '2024-01-03'") == [(5, "x")]
    put(place, first, "overwrite")
    assert rows(place, asked) == [(1, "2024-01-01"), (2, "2024-01-02")]


def test_the_catalogue(place: Place) -> None:
    base = place.database
    assert base in [each["Name"] for each in wr.catalog.get_databases()]
    assert wr.catalog.does_table_exist(base, "kept")
    assert not wr.catalog.does_table_exist(base, "missing")
    assert wr.catalog.get_table_types(base, "kept") == {"n": "bigint", "day": "string"}
    assert wr.catalog.get_table_location(base, "kept") == place.path("kept")
    assert sorted(map(tuple, wr.catalog.get_partitions(base, "kept").values())) == [
        ("2024-01-01",),
        ("2024-01-02",),
    ]
    found = wr.catalog.get_partitions(base, "kept", expression="day > '2024-01-01'")
    assert list(found.values()) == [["2024-01-02"]]
    assert [each["Name"] for each in wr.catalog.get_tables(database=base)] == ["kept"]
    assert [each["Name"] for each in wr.catalog.search_tables("kept")][:1] == ["kept"]
    wr.catalog.add_column(base, "kept", "later", "string", "a word")
    assert wr.catalog.get_table_types(base, "kept")["later"] == "string"
    wr.catalog.delete_column(base, "kept", "later")
    wr.catalog.upsert_table_parameters({"owner": "us"}, base, "kept")
    assert wr.catalog.get_table_parameters(base, "kept")["owner"] == "us"
    assert wr.catalog.get_table_number_of_versions(base, "kept") > 1
    first = f"{place.path('kept')}day=2024-01-01/"
    wr.catalog.delete_partitions("kept", base, [["2024-01-01"]])
    assert rows(place, "SELECT n FROM kept") == [(2,)]
    wr.catalog.add_parquet_partitions(base, "kept", {first: ["2024-01-01"]})
    assert len(rows(place, "SELECT n FROM kept")) == 2
    wr.catalog.create_database(f"{base}_more", exist_ok=True)
    wr.catalog.create_database(f"{base}_more", exist_ok=True)
    wr.catalog.delete_database(f"{base}_more")
    assert wr.catalog.delete_table_if_exists(base, "kept")
    assert not wr.catalog.delete_table_if_exists(base, "kept")


def test_csv_and_json(place: Place) -> None:
    frame = pd.DataFrame({"n": [1, 2], "s": ["a", "b"], "d": [0.5, 1.5]})
    for name, write in (("csv", wr.s3.to_csv), ("json", wr.s3.to_json)):
        more: dict[str, Any] = (
            {"index": False}
            if name == "csv"
            else {"index": False, "orient": "records", "lines": True}
        )
        write(
            frame,
            place.path(name),
            dataset=True,
            database=place.database,
            table=f"of_{name}",
            **more,
        )
        found = rows(place, f"SELECT n, s, d FROM of_{name} ORDER BY n")
        assert found == [(1, "a", 0.5), (2, "b", 1.5)]


def test_a_projected_table(place: Place) -> None:
    wr.s3.to_parquet(
        pd.DataFrame({"n": [1, 2], "y": [2023, 2024]}),
        place.path("projected"),
        dataset=True,
        database=place.database,
        table="projected",
        partition_cols=["y"],
        athena_partition_projection_settings={
            "projection_types": {"y": "integer"},
            "projection_ranges": {"y": "2020,2030"},
        },
    )
    assert rows(place, "SELECT n, y FROM projected WHERE y >= 2024") == [(2, 2024)]


def test_iceberg(place: Place) -> None:
    more: dict[str, Any] = {
        "database": place.database,
        "table": "ice",
        "table_location": place.path("ice"),
        "temp_path": place.path("temp"),
        "s3_output": place.staging,
        "keep_files": False,
    }
    frame = pd.DataFrame({"id": [1, 2], "s": ["a", "b"]})
    wr.athena.to_iceberg(frame, **more)
    wr.athena.to_iceberg(pd.DataFrame({"id": [3], "s": ["c"]}), **more)
    asked = "SELECT id, s FROM ice ORDER BY id"
    assert rows(place, asked) == [(1, "a"), (2, "b"), (3, "c")]
    wr.athena.to_iceberg(
        pd.DataFrame({"id": [3, 4], "s": ["changed", "d"]}), merge_cols=["id"], **more
    )
    assert rows(place, asked) == [(1, "a"), (2, "b"), (3, "changed"), (4, "d")]
    wr.athena.to_iceberg(
        pd.DataFrame({"id": [5], "s": ["e"], "more": [1.5]}), schema_evolution=True, **more
    )
    assert rows(place, "SELECT id, more FROM ice WHERE id = 5") == [(5, 1.5)]
    wr.athena.delete_from_iceberg_table(
        pd.DataFrame({"id": [1, 2]}),
        database=place.database,
        table="ice",
        temp_path=place.path("temp"),
        merge_cols=["id"],
        s3_output=place.staging,
        keep_files=False,
    )
    assert [row[0] for row in rows(place, asked)] == [3, 4, 5]
    wr.athena.to_iceberg(frame, mode="overwrite", **more, schema_evolution=True)
    assert rows(place, asked) == [(1, "a"), (2, "b")]
