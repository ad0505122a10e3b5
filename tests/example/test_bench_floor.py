"""The floor that the product is measured against does the same work: its marts are right."""

from __future__ import annotations

import importlib.util
import sqlite3
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.example import compare, expected

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location(
        "floor_duckdb", expected.ROOT / "bench" / "floor_duckdb.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    out = tmp_path_factory.mktemp("floor")
    data = expected.ROOT / "data"
    january, fifth = (date(2013, 1, 1), date(2013, 1, 31)), (date(2013, 1, 5), date(2013, 1, 5))
    assert module.pipeline(data, out, *january) == 27_004
    assert module.pipeline(data, out, *fifth) == 720  # again: no row twice
    return out


def test_the_floors_mart_is_right(floor: Path) -> None:
    mart = sqlite3.connect(floor / "mart.sqlite")

    def read(table: str) -> pd.DataFrame:
        return pd.read_sql_query(f"SELECT * FROM {table}", mart)

    compare.assert_headlines(read)
    compare.assert_pipeline(read)
    mart.close()


def test_the_floors_tables_are_right(floor: Path) -> None:
    duckdb = pytest.importorskip("duckdb")

    def read(table: str) -> pd.DataFrame:
        files = "route_summary.parquet" if table == "route_summary" else f"{table}/*/*.parquet"
        query = "SELECT * FROM read_parquet(?, hive_types = {'dt': VARCHAR})"
        if table == "route_summary":
            query = "SELECT * FROM read_parquet(?)"
        rows = duckdb.execute(query, [str(floor / files)])
        names = [column[0] for column in rows.description]
        return pd.DataFrame(rows.fetchall(), columns=names)

    compare.assert_pipeline(read)
