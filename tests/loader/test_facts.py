"""What one scan of the files finds out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.loads.shapes import ColumnFacts, SourceFacts
from runner.local.loader import open_source
from runner.local.loader.facts import look
from runner.local.loader.result_csv import write_result
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loader.conftest import Lake

DAY = "2013-01-01"


def facts_of(lake: Lake, **changes: Any) -> SourceFacts:  # noqa: ANN401 - JSON
    with open_source(lake.manifest(**changes), path_of=lake.path_of) as source:
        return look(source)


def one_column(lake: Lake, athena: str, *values: str) -> ColumnFacts:
    """Write one file with one column, and look at it."""
    lake.columns, lake.partition, lake.files = {"x": athena}, None, {}
    rows = ", ".join(f"({value})" for value in values)
    lake.write("x", f"SELECT * FROM (VALUES {rows}) t(x)")
    return facts_of(lake).columns["x"]


@pytest.mark.parametrize(
    ("athena", "values", "expected"),
    [
        ("boolean", ["true", "NULL"], ColumnFacts(nulls=1)),
        ("bigint", ["-5::BIGINT", "7", "NULL"], ColumnFacts(1, -5, 7)),
        (
            "double",
            ["1.5::DOUBLE", "'nan'::DOUBLE", "'-inf'::DOUBLE", "NULL"],
            ColumnFacts(1, 1.5, 1.5, not_finite=2),
        ),
        (
            "decimal(38,2)",
            ["123456789012345678901234567890123456.78::DECIMAL(38,2)", "-0.01"],
            ColumnFacts(0, "-0.01", "123456789012345678901234567890123456.78"),
        ),
        (
            "string",
            ["'ab'", "'é'", "'\U0001f600'", "''", "NULL"],
            ColumnFacts(1, characters=2, bytes=4, beyond_ascii=2, beyond_plane=1),
        ),
        ("string", ["'a' || chr(13)"], ColumnFacts(0, characters=2, bytes=2, carriage_returns=1)),
        ("string", ["'a' || chr(0)"], ColumnFacts(0, characters=2, bytes=2, zero_characters=1)),
        ("varbinary", ["'abc'::BLOB"], ColumnFacts(0, bytes=3)),
        ("date", ["DATE '2013-01-01'", "NULL"], ColumnFacts(1, "2013-01-01", "2013-01-01")),
        (
            "timestamp",
            ["TIMESTAMP '2013-01-01 00:00:00.120'", "TIMESTAMP '1969-12-31 23:59:59'"],
            ColumnFacts(0, "1969-12-31 23:59:59", "2013-01-01 00:00:00.12", below_second=3),
        ),
        (
            "timestamp",
            ["TIMESTAMP '2013-01-01 00:00:00.120001'"],
            ColumnFacts(
                0, "2013-01-01 00:00:00.120001", "2013-01-01 00:00:00.120001", below_second=6
            ),
        ),
        (
            "array(int)",
            ["'[1]'"],
            ColumnFacts(0, characters=3, bytes=3),
        ),
    ],
)
def test_what_columns_hold(
    lake: Lake, athena: str, values: list[str], expected: ColumnFacts
) -> None:
    assert one_column(lake, athena, *values) == expected


def test_a_column_without_values(lake: Lake) -> None:
    lake.columns = {"x": "string", "y": "timestamp", "z": "bigint"}
    lake.partition, lake.files = None, {}
    lake.write("x", "SELECT NULL::VARCHAR AS x, NULL::TIMESTAMP AS y, NULL::BIGINT AS z")
    assert facts_of(lake).columns == {
        "x": ColumnFacts(nulls=1),
        "y": ColumnFacts(nulls=1),
        "z": ColumnFacts(nulls=1),
    }


def test_partitions_and_files_count_together(lake: Lake) -> None:
    found = facts_of(lake, days=[DAY, "2013-01-02"])
    assert (found.rows, found.null_keys, found.repeated_keys) == (4, 0, 0)
    assert (found.columns["flights"].least, found.columns["flights"].greatest) == (94, 170)
    assert found.columns["dt"].characters == 10


def test_no_files_hold_nothing(lake: Lake) -> None:
    lake.files = {}
    assert facts_of(lake) == SourceFacts(rows=0)


KEYS: dict[str, Any] = {"days": [DAY], "mode": "merge", "keys": ["dt", "carrier"]}


@pytest.mark.parametrize(
    ("carriers", "nulls", "repeated", "cases", "blanks"),
    [
        (["'AA'", "'UA'"], 0, 0, 0, 0),
        (["'AA'", "'AA'", "'AA'", "NULL", "NULL"], 2, 2, 0, 0),
        (["'AA'", "'aa'", "'aA '"], 0, 0, 2, 0),
        (["'AA'", "'AA '", "'BB'"], 0, 0, 1, 1),
        (["'e'", "'é'"], 0, 0, 1, 0),
    ],
)
def test_keys(
    lake: Lake, carriers: list[str], nulls: int, repeated: int, cases: int, blanks: int
) -> None:
    lake.files = {}
    rows = ", ".join(f"({carrier}, 1::BIGINT)" for carrier in carriers)
    lake.write("dt=2013-01-01/a", f"SELECT * FROM (VALUES {rows}) t(carrier, flights)", dt=DAY)
    found = facts_of(lake, **KEYS)
    assert (found.null_keys, found.repeated_keys) == (nulls, repeated)
    assert (found.case_variants, found.blank_variants) == (cases, blanks)


def test_keys_that_are_no_texts_have_no_variants(lake: Lake) -> None:
    lake.columns, lake.partition, lake.files = {"x": "bigint"}, None, {}
    lake.write("x", "SELECT 1::BIGINT AS x UNION ALL SELECT 1")
    found = facts_of(lake, mode="merge", keys=["x"])
    assert (found.repeated_keys, found.case_variants) == (1, 0)


def test_a_broken_file_is_named(lake: Lake) -> None:
    manifest = lake.manifest()
    with open_source(manifest, path_of=lake.path_of) as source:
        broken = source._replace(relation="FROM nothing")
        with pytest.raises(ServiceError, match="published files cannot be read"):
            look(broken)
        with pytest.raises(ServiceError, match="published files cannot be read"):
            write_result(broken, lake.folder / "x.csv")


def test_rows_as_athena_writes_its_result(lake: Lake, tmp_path: Path) -> None:
    lake.columns = {
        "s": "string", "n": "bigint", "d": "double", "p": "decimal(9,2)", "b": "boolean",
        "at": "timestamp", "day": "date", "raw": "varbinary",
    }  # fmt: skip
    lake.partition, lake.files = None, {}
    lake.write(
        "x",
        "SELECT 'a\"b\n' AS s, 1::BIGINT AS n, 'nan'::DOUBLE AS d, 1.5::DECIMAL(9,2) AS p, "
        "true AS b, TIMESTAMP '2013-01-01 00:00:00.5' AS at, DATE '2013-01-02' AS day, "
        "'\\xAB'::BLOB AS raw UNION ALL SELECT '', NULL, 2.5, NULL, NULL, NULL, NULL, NULL",
    )
    path = tmp_path / "rows.csv"
    with open_source(lake.manifest(), path_of=lake.path_of) as source:
        assert write_result(source, path) == 2
    assert path.read_text("utf-8") == (
        '"s","n","d","p","b","at","day","raw"\n'
        '"a""b\n","1",,"1.50","true","2013-01-01 00:00:00.500000","2013-01-02","AB"\n'
        '"",,"2.5",,,,,\n'
    )
    lake.files = {}
    with open_source(lake.manifest(), path_of=lake.path_of) as source:
        assert write_result(source, path) == 0
    assert path.read_text("utf-8") == '"s","n","d","p","b","at","day","raw"\n'
