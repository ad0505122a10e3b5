"""The main job, whole: January 2013 through the product, compared with pandas over the package."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pytest

from runner.app.run import RunRequest, run
from tests.example import compare, expected
from tests.support.forks import left_behind

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PARTS = ("config.yaml", "data", "sql", "workflows", "lambdas")


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("example")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / part)
    result = run(RunRequest(root=root, workflow="daily", start="2013-01-01", end="2013-01-31"))
    assert result.status == "SUCCEEDED", result
    return root


def from_mart(root: Path) -> Callable[[str], pd.DataFrame]:
    def read(table: str) -> pd.DataFrame:
        with closing(sqlite3.connect(root / ".runner" / "mart.sqlite")) as mart:
            return pd.read_sql_query(f"SELECT * FROM {table}", mart)

    return read


def from_lake(root: Path) -> Callable[[str], pd.DataFrame]:
    def read(table: str) -> pd.DataFrame:
        left = left_behind(root, root / "no mart")
        files = left.files[f"marts.{table}"]
        with duckdb.connect() as connection:
            return (
                connection.sql(
                    "SELECT * FROM read_parquet($files, hive_partitioning=true, "
                    "hive_types_autocast=false)",
                    params={"files": list(files)},
                )
                .df()
                .drop(columns="g", errors="ignore")
            )

    return read


def test_the_mart_holds_the_months_numbers(month: Path) -> None:
    compare.assert_headlines(from_mart(month))
    compare.assert_mart(from_mart(month))


def test_the_tables_hold_the_months_numbers(month: Path) -> None:
    read = from_lake(month)
    compare.assert_pipeline(read)
    places = read("route_summary_by_origin")
    found = {
        (origin, int(place)): dest
        for origin, place, dest in zip(places.origin, places.place, places.dest, strict=True)
    }
    assert found == expected.route_places()


def test_the_same_window_again_changes_nothing(month: Path) -> None:
    before = left_behind(month, month / ".runner" / "mart.sqlite")
    result = run(RunRequest(root=month, workflow="daily", start="2013-01-01", end="2013-01-31"))
    assert result.status == "SUCCEEDED"
    after = left_behind(month, month / ".runner" / "mart.sqlite")
    assert after.tables == before.tables
    assert after.marts == before.marts
    assert after.records == before.records
    assert after.orphans == after.writing == after.leases == ()


def test_a_new_sql_file_joins_the_run(month: Path) -> None:
    path = month / "sql" / "marts" / "x.sql"
    path.write_text("SELECT origin, count(*) AS flights FROM staging.flights GROUP BY origin\n")
    result = run(RunRequest(root=month, workflow="daily", start="2013-01-31", end="2013-01-31"))
    assert result.status == "SUCCEEDED"
    found = from_lake(month)("x")
    assert dict(zip(found.origin, found.flights, strict=True)) == {
        "EWR": 9893,
        "JFK": 9161,
        "LGA": 7950,
    }
    path.unlink()


def test_the_chain_of_athena_lambda_and_load_runs(month: Path) -> None:
    result = run(
        RunRequest(root=month, workflow="carrier_load", start="2013-01-05", end="2013-01-06")
    )
    assert result.status == "SUCCEEDED"
    assert {(one.name, one.kind, one.status) for one in result.ended} == {
        ("raw.flights", "table", "unchanged"),
        ("staging.flights", "table", "published"),
        ("marts.daily_carrier_delay", "table", "published"),
        ("marts.daily_carrier_delay", "load", "loaded"),
        ("validate", "step", "succeeded"),
    }
