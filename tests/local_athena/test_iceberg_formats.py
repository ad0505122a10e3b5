"""Iceberg tables whose data files are ORC or Avro."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena.avro import read_container
from tests.local_athena.test_iceberg_files import body, document, entries

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytest.importorskip("pyarrow")
fastavro = pytest.importorskip("fastavro")
FORMATS = ("orc", "avro")
COLUMNS = (
    "id int, b bigint, d double, f float, p decimal(20,3), s string, raw binary, ok boolean, "
    "day date, at timestamp, tags array<string>, m map<int,string>, "
    "t map<string,bigint>, place struct<city:string,zip:int>"
)
ROW = (
    "1, BIGINT '5', DOUBLE '1.5', REAL '2.5', DECIMAL '-12.345', 'x', X'00FF', true, "
    "DATE '2013-01-02', TIMESTAMP '2013-01-02 03:04:05.123456', ARRAY['a', NULL], "
    "MAP(ARRAY[7], ARRAY['seven']), MAP(ARRAY['k'], ARRAY[BIGINT '8']), "
    "CAST(ROW('Bern', 3000) AS ROW(city varchar, zip integer))"
)


def make(world: World, columns: str, kind: str, partition: str = "") -> None:
    by = f"PARTITIONED BY ({partition}) " if partition else ""
    world.run(
        f"CREATE TABLE t ({columns}) {by}LOCATION 's3://b/t/' "
        f"TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = '{kind}')"
    )


def data(world: World) -> list[dict[str, Any]]:
    return [each["data_file"] for each in entries(world) if each["status"] != 2]


@pytest.mark.parametrize("kind", FORMATS)
def test_values_of_all_types_come_back(world: World, kind: str) -> None:
    make(world, COLUMNS, kind)
    world.run(f"INSERT INTO t VALUES ({ROW})")
    nulls = ", ".join("NULL" for _ in range(13))
    world.run(f"INSERT INTO t VALUES (2, {nulls})")
    assert world.rows("SELECT * FROM t ORDER BY id") == [
        (
            *(1, 5, 1.5, 2.5, Decimal("-12.345"), "x", b"\x00\xff", True),
            *(date(2013, 1, 2), datetime(2013, 1, 2, 3, 4, 5, 123456), ["a", None]),
            *({7: "seven"}, {"k": 8}, {"city": "Bern", "zip": 3000}),
        ),
        (2, *[None] * 13),
    ]
    assert {(each["file_format"], each["record_count"]) for each in data(world)} == {
        (kind.upper(), 1)
    }
    assert document(world)["properties"]["write.format.default"] == kind
    assert world.rows('SELECT DISTINCT file_format FROM "t$files"') == [(kind.upper(),)]


@pytest.mark.parametrize("kind", FORMATS)
def test_columns_are_found_by_their_numbers(world: World, kind: str) -> None:
    make(world, "id int, name string, gone string", kind)
    world.run("INSERT INTO t VALUES (1, 'a', 'x')")
    world.run("ALTER TABLE t CHANGE COLUMN name label string")
    world.run("ALTER TABLE t CHANGE COLUMN id id bigint")
    world.run("ALTER TABLE t DROP COLUMN gone")
    world.run("ALTER TABLE t ADD COLUMNS (gone int, name string)")
    world.run("INSERT INTO t VALUES (2, 'b', 5, 'new')")
    assert world.rows("SELECT id, label, gone, name FROM t ORDER BY id") == [
        (1, "a", None, None),
        (2, "b", 5, "new"),
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_rows_are_changed_and_files_pruned(world: World, kind: str) -> None:
    make(world, "id int, day date", kind, "month(day)")
    world.run("INSERT INTO t VALUES (1, DATE '2013-01-02'), (2, DATE '2013-02-02')")
    world.run("UPDATE t SET id = 10 WHERE id = 1")
    world.run("DELETE FROM t WHERE day >= DATE '2013-02-01'")
    assert world.rows("SELECT id, day FROM t") == [(10, date(2013, 1, 2))]
    assert [each["record_count"] for each in data(world)] == [1]
    assert world.rows('SELECT "$path" LIKE \'%.' + kind + "' FROM t") == [(True,)]


def test_ctas_takes_the_format_and_other_engines_find_the_numbers(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (table_type = 'ICEBERG', is_external = false, format = 'AVRO', "
        "location = 's3://b/t/') AS SELECT 1 AS id, ARRAY[1.5] AS n"
    )
    assert world.rows("SELECT * FROM t") == [(1, [Decimal("1.5")])]
    (file,) = data(world)
    with world.s3.path_of(file["file_path"]).open("rb") as opened:
        reader = fastavro.reader(opened)
        schema: Any = reader.writer_schema
        assert [(each["name"], each["field-id"]) for each in schema["fields"]] == [
            ("id", 1),
            ("n", 2),
        ]
        assert schema["fields"][1]["type"][1]["element-id"] == 3
        assert list(reader) == [{"id": 1, "n": [Decimal("1.5")]}]
    assert read_container(body(world, file["file_path"])).records


def test_the_format_stays_what_it_was(world: World) -> None:
    make(world, "id int", "orc")
    assert "Another format" in world.failure("ALTER TABLE t SET TBLPROPERTIES ('format' = 'avro')")
    assert "timestamp with time zone" in world.failure(
        "CREATE TABLE z WITH (table_type = 'ICEBERG', is_external = false, format = 'ORC', "
        "location = 's3://b/z/') AS SELECT TIMESTAMP '2013-01-02 00:00:00 UTC' AS at"
    )
