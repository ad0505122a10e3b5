"""The query whose result Embulk loads, and that the file written here holds the same values."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import struct
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from runner.keeper import extract
from runner.keeper.spec import Spec
from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.loader import open_source
from runner.local.loader.result_csv import write_result
from runner.local.s3 import FolderS3
from runner.model.loads import LoadManifest
from tests.support.lake import ctas_spec, insert_spec

if TYPE_CHECKING:
    from pathlib import Path


def manifest(
    columns: list[tuple[str, str]],
    *,
    partitions: tuple[str, ...] = (),
    window: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "columns": [{"name": name, "athena_type": kind} for name, kind in columns],
        "partition_columns": [{"name": name, "type": "string"} for name in partitions],
        "window": window,
    }


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("string", '"c"'),
        ("varchar(10)", '"c"'),
        ("char(3)", '"c"'),
        ("boolean", '"c"'),
        ("tinyint", '"c"'),
        ("bigint", '"c"'),
        ("decimal(38,9)", '"c"'),
        ("date", '"c"'),
        ("double", 'CASE WHEN is_finite("c") THEN "c" END AS "c"'),
        ("float", 'CASE WHEN is_finite("c") THEN "c" END AS "c"'),
        ("real", 'CASE WHEN is_finite("c") THEN "c" END AS "c"'),
        ("timestamp", 'CAST("c" AS VARCHAR) AS "c"'),
        ("timestamp(6)", 'CAST("c" AS VARCHAR) AS "c"'),
        ("binary", 'to_hex("c") AS "c"'),
        ("varbinary", 'to_hex("c") AS "c"'),
        ("array<int>", 'json_format(CAST("c" AS JSON)) AS "c"'),
        ("map<string,int>", 'json_format(CAST("c" AS JSON)) AS "c"'),
        ("struct<a:int,b:array<string>>", 'json_format(CAST("c" AS JSON)) AS "c"'),
        ("ROW(a integer)", 'json_format(CAST("c" AS JSON)) AS "c"'),
    ],
)
def test_each_type_is_written_in_a_form_that_embulk_reads(kind: str, text: str) -> None:
    found = extract.statement(Spec.read(ctas_spec()), manifest([("c", kind)]))
    assert found == f'SELECT\n    {text}\nFROM "marts"."routes"'


def test_files_columns_come_first_and_names_are_quoted() -> None:
    spec = Spec.read(insert_spec(partitions=["dt", "kind"]))
    window = {"columns": ["dt"], "values": [["2013-01-05"], ["2013-01-06"]]}
    columns = [("order", "bigint"), ('a"b', "double")]
    found = extract.statement(spec, manifest(columns, partitions=("dt", "kind"), window=window))
    assert found == (
        "SELECT\n"
        '    "order",\n'
        '    CASE WHEN is_finite("a""b") THEN "a""b" END AS "a""b",\n'
        '    "dt",\n'
        '    "kind"\n'
        'FROM "marts"."daily"\n'
        "WHERE \"dt\" IN ('2013-01-05', '2013-01-06')"
    )


def test_several_time_columns_are_compared_one_by_one() -> None:
    """Athena prunes partitions by such a condition; by a row in a list of rows it does not."""
    window = {"columns": ["dt", "hh"], "values": [["2013-01-05", "00"], ["it's", "01"]]}
    found = extract.statement(
        Spec.read(insert_spec(partitions=["dt", "hh"])),
        manifest([("n", "int")], partitions=("dt", "hh"), window=window),
    )
    assert found.partition("WHERE ")[2] == (
        "(\"dt\" = '2013-01-05' AND \"hh\" = '00') OR (\"dt\" = 'it''s' AND \"hh\" = '01')"
    )


COLUMNS = {
    "id": "int",
    "word": "string",
    "code": "varchar(10)",
    "yes": "boolean",
    "tiny": "tinyint",
    "big": "bigint",
    "price": "decimal(38,9)",
    "whole": "decimal(20,0)",
    "ratio": "double",
    "small": "float",
    "day": "date",
    "moment": "timestamp",
    "raw": "binary",
    "list": "array<int>",
    "words": "array<string>",
    "tree": "struct<a:int,b:string>",
    "pairs": "map<string,int>",
}
ROWS = """
    SELECT * FROM (VALUES
        (1::INTEGER, 'a"b,\\n\t''😀', 'NULL', true, 127::TINYINT, 9223372036854775807::BIGINT,
         0.000000001::DECIMAL(38,9), 18446744073709551615::DECIMAL(20,0), 0.1::DOUBLE, 1.5::REAL,
         DATE '2013-01-05', TIMESTAMP '2013-01-05 23:59:59.123', 'ab'::BLOB, [1, NULL, 3],
         ['x"y', '😀', ''], {'a': 1, 'b': 'it''s "q"'}, MAP {'k': 1, 'l': 2}),
        (2, '', '', false, -128, -9223372036854775808, -12345678901234567890123456789.123456789,
         0, 1e300, -1e-10, DATE '1000-01-01', TIMESTAMP '1969-12-31 23:59:59', ''::BLOB, [], [],
         {'a': NULL, 'b': ''}, MAP {}),
        (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
         NULL, NULL),
        (4, 'two' || chr(10) || 'lines' || chr(13) || chr(10) || '"', '  x  ', true, 0, 0, 1, 1,
         'nan', 'inf', DATE '9999-12-31', TIMESTAMP '9999-12-31 23:59:59.999', '\\x00\\xFF'::BLOB,
         [2147483647], ['NULL'], {'a': -1, 'b': NULL}, MAP {'': NULL}),
        (5, 'NULL', 'é', true, 1, 1, 12345678901234567890.5, 5, '-inf', 'nan',
         DATE '2000-02-29', TIMESTAMP '2013-03-31 02:30:00.5', 'x'::BLOB, [0], [NULL], NULL, NULL),
        (6, repeat('x', 100000), chr(9), false, 1, 1, 100.000000000, 1, -0.0, 0, DATE '1970-01-01',
         TIMESTAMP '1970-01-01 00:00:00.001', 'y'::BLOB, [], [], {'a': 5, 'b': '[1, 2]'},
         MAP {'a': 0})
    ) t({names})
"""
JSON_COLUMNS = {"list", "words", "tree", "pairs"}
MICROSECONDS = "%Y-%m-%d %H:%M:%S.%f"


def cells(text: str) -> list[dict[str, str | None]]:
    """Read a result: NULL is nothing between two commas, "" is a text without characters."""
    rows: list[list[str | None]] = [[]]
    field, position = "", 0
    while position < len(text):
        if text[position] == '"':
            end = position + 1
            while text[end] != '"' or text[end + 1] == '"':
                end += 1 if text[end] != '"' else 2
            field = text[position + 1 : end].replace('""', '"')
            rows[-1].append(field)
            position = end + 1
        else:
            rows[-1].append(None)
        assert text[position] in ",\n", text[position : position + 20]
        if text[position] == "\n":
            rows.append([])
        position += 1
    assert rows.pop() == []
    header = next(csv.reader(io.StringIO(text)))
    assert all(len(row) == len(header) for row in rows)
    return [dict(zip(header, row, strict=True)) for row in rows[1:]]


def meaning(name: str, cell: str | None) -> object:
    """Read a cell as what loads it does: two texts may write one number or one instant."""
    if cell is None:
        return None
    if name == "ratio":
        return float(cell)
    if name == "small":
        return struct.pack("f", float(cell))
    if name == "moment":
        assert "." in cell  # Embulk's format asks for a fraction
        return dt.datetime.strptime(cell, MICROSECONDS).replace(tzinfo=dt.UTC)
    return json.loads(cell) if name in JSON_COLUMNS else cell


@pytest.fixture
def both(tmp_path: Path) -> tuple[list[dict[str, str | None]], list[dict[str, str | None]]]:
    """Give the cells of the query's result on the local Athena, and of the file written here."""
    s3 = FolderS3(tmp_path / "s3")
    path = tmp_path / "s3" / "lake" / "marts" / "routes" / "part.parquet"
    path.parent.mkdir(parents=True)
    with duckdb.connect() as connection:
        rows = ROWS.replace("{names}", ", ".join(COLUMNS))
        connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    catalog = GlueCatalog(tmp_path / "catalog.sqlite")
    catalog.create_database(DatabaseInput={"Name": "marts"})
    athena = LocalAthena(
        s3,
        catalog,
        tmp_path / "athena.sqlite",
        results="s3://results/",
        cache=tmp_path / "cache",
        now=lambda: dt.datetime(2013, 2, 1, tzinfo=dt.UTC),
    )
    described = ", ".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
    made = manifest(list(COLUMNS.items()))
    try:
        ddl = (
            f"CREATE EXTERNAL TABLE marts.routes ({described}) STORED AS PARQUET "
            "LOCATION 's3://lake/marts/routes/'"
        )
        athena.service("startQueryExecution.sync", {"QueryString": ddl})
        arguments = {"QueryString": extract.statement(Spec.read(ctas_spec()), made)}
        done = athena.service("startQueryExecution.sync", arguments)
        url = done["QueryExecution"]["ResultConfiguration"]["OutputLocation"]
        result = s3.path_of(url).read_bytes().decode()
    finally:
        athena.close()
        catalog.close()
    written = tmp_path / "rows.csv"
    with open_source(loaded(made, path), path_of=lambda uri: uri) as source:
        assert write_result(source, written) == 6
    return cells(result), cells(written.read_bytes().decode())


def loaded(made: dict[str, Any], path: Path) -> LoadManifest:
    """Complete a manifest of one file."""
    key = dict.fromkeys(("mart_table", "table", "window_start", "window_end", "publish_id"), "x")
    return LoadManifest.from_json(
        {
            **made,
            "load_key": key,
            "mode": "replace",
            "keys": [],
            "whole_table": True,
            "format": "parquet",
            "files": [{"uri": str(path), "size": path.stat().st_size, "partition": {}}],
            "rows": 6,
        }
    )


def test_the_result_and_the_file_written_here_agree_cell_by_cell(
    both: tuple[list[dict[str, str | None]], list[dict[str, str | None]]],
) -> None:
    athena, here = both
    assert len(athena) == len(here) == 6
    for one, other in zip(athena, here, strict=True):
        assert one.keys() == other.keys() == COLUMNS.keys()
        for name in COLUMNS:
            told = f"{name} of row {one['id']}"
            assert meaning(name, one[name]) == meaning(name, other[name]), told


@pytest.mark.parametrize("which", [0, 1], ids=["Athena", "here"])
def test_the_cells_are_what_they_should_be(
    both: tuple[list[dict[str, str | None]], list[dict[str, str | None]]], which: int
) -> None:
    """Values written by hand, so that both cannot be wrong alike."""
    one, two, three, four, five, six = both[which]
    assert set(three.values()) == {"3", None}
    assert (two["word"], two["code"], two["raw"]) == ("", "", "")
    assert (one["word"], one["code"]) == ("a\"b,\\n\t'😀", "NULL")
    assert four["word"] == 'two\nlines\r\n"'
    assert (four["code"], six["code"], five["word"]) == ("  x  ", "\t", "NULL")
    assert (one["yes"], two["yes"]) == ("true", "false")
    assert (one["price"], two["price"]) == (
        "0.000000001",
        "-12345678901234567890123456789.123456789",
    )
    assert (one["whole"], one["big"]) == ("18446744073709551615", "9223372036854775807")
    assert (four["ratio"], four["small"], five["ratio"], five["small"]) == (None,) * 4
    assert float(two["ratio"] or "") == 1e300
    assert (one["day"], two["day"], four["day"]) == ("2013-01-05", "1000-01-01", "9999-12-31")
    assert (one["moment"] or "").rstrip("0") == "2013-01-05 23:59:59.123"
    assert (two["moment"] or "").rstrip("0") == "1969-12-31 23:59:59."
    assert (one["raw"], four["raw"]) == ("6162", "00FF")
    assert one["list"] == "[1,null,3]"
    assert json.loads(one["words"] or "") == ['x"y', "😀", ""]
    assert json.loads(one["tree"] or "") == {"a": 1, "b": 'it\'s "q"'}
    assert json.loads(two["tree"] or "") == {"a": None, "b": ""}
    assert json.loads(one["pairs"] or "") == {"k": 1, "l": 2}
    assert (two["list"], two["pairs"]) == ("[]", "{}")
