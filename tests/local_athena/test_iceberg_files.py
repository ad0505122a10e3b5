"""Iceberg's own files, as its specification has them: documents, manifests, partitions."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from runner.local.athena.avro import read_container
from runner.local.athena.functions_iceberg import murmur3_32

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

PROPERTIES = "TBLPROPERTIES ('table_type' = 'ICEBERG')"


def make(world: World, columns: str, partition: str = "") -> None:
    by = f"PARTITIONED BY ({partition}) " if partition else ""
    world.run(f"CREATE TABLE t ({columns}) {by}LOCATION 's3://b/t/' {PROPERTIES}")


def document(world: World, name: str = "t") -> dict[str, Any]:
    table = world.catalog.get_table(DatabaseName="db", Name=name)["Table"]
    found: dict[str, Any] = json.loads(body(world, table["Parameters"]["metadata_location"]))
    return found


def body(world: World, url: str) -> bytes:
    return world.s3.path_of(url).read_bytes()


def manifests(world: World) -> list[dict[str, Any]]:
    newest = document(world)["snapshots"][-1]["manifest-list"]
    return list(read_container(body(world, newest)).records)


def entries(world: World) -> list[dict[str, Any]]:
    return [
        each
        for manifest in manifests(world)
        for each in read_container(body(world, manifest["manifest_path"])).records
    ]


def test_a_new_table_has_a_document_without_snapshots(world: World) -> None:
    make(world, "id bigint COMMENT 'the key', s struct<a:int,b:array<string>>, m map<string,date>")
    found = document(world)
    assert found["format-version"] == 2
    assert (found["location"], found["last-column-id"]) == ("s3://b/t", 8)
    assert (found["current-snapshot-id"], found["snapshots"]) == (-1, [])
    assert found["schemas"][0]["fields"] == [
        {"id": 1, "name": "id", "required": False, "type": "long", "doc": "the key"},
        {
            "id": 2,
            "name": "s",
            "required": False,
            "type": {
                "type": "struct",
                "fields": [
                    {"id": 4, "name": "a", "required": False, "type": "int"},
                    {
                        "id": 5,
                        "name": "b",
                        "required": False,
                        "type": {
                            "type": "list",
                            "element-id": 6,
                            "element-required": False,
                            "element": "string",
                        },
                    },
                ],
            },
        },
        {
            "id": 3,
            "name": "m",
            "required": False,
            "type": {
                "type": "map",
                "key-id": 7,
                "key": "string",
                "value-id": 8,
                "value-required": False,
                "value": "date",
            },
        },
    ]


def test_the_catalogue_tells_each_column_s_number(world: World) -> None:
    make(world, "id bigint, name string")
    columns = world.catalog.get_table(DatabaseName="db", Name="t")["Table"]["StorageDescriptor"]
    assert [each["Parameters"] for each in columns["Columns"]] == [
        {
            "iceberg.field.current": "true",
            "iceberg.field.id": number,
            "iceberg.field.optional": "true",
        }
        for number in ("1", "2")
    ]


def test_data_files_hold_the_numbers_of_their_columns(world: World) -> None:
    make(world, "id bigint, l array<int>")
    world.run("INSERT INTO t VALUES (1, ARRAY[1, 2])")
    path = world.s3.path_of(entries(world)[0]["data_file"]["file_path"])
    query = f"SELECT name, field_id FROM parquet_schema('{path}')"
    found = duckdb.connect().execute(query).fetchall()
    assert [each for each in found if each[1] is not None] == [("id", 1), ("l", 2), ("element", 3)]


def test_a_manifest_tells_of_each_file(world: World) -> None:
    make(world, "id int, dt string", "dt")
    world.run("INSERT INTO t VALUES (7, 'x'), (9, 'x'), (NULL, 'y')")
    first, second = sorted(entries(world), key=lambda e: e["data_file"]["partition"]["dt"])
    snapshot = document(world)["current-snapshot-id"]
    assert (first["status"], first["snapshot_id"], first["sequence_number"]) == (1, snapshot, 1)
    file = first["data_file"]
    assert (file["content"], file["file_format"], file["record_count"]) == (0, "PARQUET", 2)
    assert file["file_path"].startswith("s3://b/t/data/dt=x/")
    assert file["file_size_in_bytes"] == len(body(world, file["file_path"]))
    assert file["partition"] == {"dt": "x"}
    assert file["value_counts"] == [{"key": 1, "value": 2}, {"key": 2, "value": 2}]
    assert file["lower_bounds"] == [
        {"key": 1, "value": (7).to_bytes(4, "little")},
        {"key": 2, "value": b"x"},
    ]
    assert second["data_file"]["null_value_counts"] == [
        {"key": 1, "value": 1},
        {"key": 2, "value": 0},
    ]
    (manifest,) = manifests(world)
    assert (manifest["added_files_count"], manifest["added_rows_count"]) == (2, 3)
    assert manifest["manifest_length"] == len(body(world, manifest["manifest_path"]))
    assert manifest["partitions"] == [
        {"contains_null": False, "contains_nan": None, "lower_bound": b"x", "upper_bound": b"y"}
    ]


def test_a_change_keeps_deletes_and_adds_entries(world: World) -> None:
    make(world, "id int, dt string", "dt")
    world.run("INSERT INTO t VALUES (1, 'x'), (2, 'x'), (3, 'y')")
    world.run("DELETE FROM t WHERE id = 1")
    found = {(e["status"], e["data_file"]["partition"]["dt"]) for e in entries(world)}
    assert found == {(1, "x"), (2, "x"), (0, "y")}
    summary = document(world)["snapshots"][-1]["summary"]
    assert summary["operation"] == "overwrite"
    assert (summary["added-records"], summary["deleted-records"]) == ("1", "2")
    assert summary["total-records"] == "2"
    world.run("DELETE FROM t WHERE dt = 'y'")
    assert document(world)["snapshots"][-1]["summary"]["operation"] == "delete"


# --- partitions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "hashed"),
    [
        ((34).to_bytes(8, "little"), 2017239379),
        ((17486).to_bytes(8, "little"), -653330422),  # 2017-11-16
        ((81_068_000_000).to_bytes(8, "little"), -662762989),  # 22:31:08
        ((1_510_871_468_000_000).to_bytes(8, "little"), -2047944441),  # 2017-11-16 22:31:08
        (b"iceberg", 1210000089),
        (bytes.fromhex("f79c3e09677c4bbda479 3f349cb785e7"), 1488055340),
        (bytes([0, 1, 2, 3]), -188683207),
    ],
)
def test_hashes_of_the_specification(data: bytes, hashed: int) -> None:
    """The specification's appendix B lists them as numbers with a sign."""
    assert murmur3_32(data) == hashed % 2**32


BUCKETS = (
    ("int", "34", 379),
    ("bigint", "34", 379),
    ("decimal(9,2)", "DECIMAL '14.20'", 59),
    ("date", "DATE '2017-11-16'", 226),
    ("timestamp", "TIMESTAMP '2017-11-16 22:31:08'", 207),
    ("string", "'iceberg'", 89),
    ("binary", "X'00010203'", 441),
)
"""Values of the specification, and (hash & 0x7fffffff) % 1000 of the hash that it gives."""


@pytest.mark.parametrize(("kind", "value", "bucket"), BUCKETS, ids=[case[0] for case in BUCKETS])
def test_buckets_are_iceberg_s(world: World, kind: str, value: str, bucket: int) -> None:
    make(world, f"v {kind}", "bucket(1000, v)")
    world.run(f"INSERT INTO t VALUES ({value}), (NULL)")
    assert {e["data_file"]["partition"]["v_bucket"] for e in entries(world)} == {bucket, None}
    assert len(world.rows("SELECT * FROM t")) == 2


TERMS = (
    ("timestamp", "TIMESTAMP '1969-12-31 23:30:00'", "year(v)", "v_year", -1),
    ("timestamp", "TIMESTAMP '1969-12-31 23:30:00'", "month(v)", "v_month", -1),
    ("timestamp", "TIMESTAMP '1969-12-31 23:30:00'", "day(v)", "v_day", -1),
    ("timestamp", "TIMESTAMP '1969-12-31 23:30:00'", "hour(v)", "v_hour", -1),
    ("date", "DATE '2017-12-01'", "month(v)", "v_month", 575),
    ("date", "DATE '2017-12-01'", "day(v)", "v_day", 17501),
    ("timestamp", "TIMESTAMP '2017-12-01 10:30:00'", "hour(v)", "v_hour", 420034),
    ("int", "-1", "truncate(10, v)", "v_trunc", -10),
    ("bigint", "19", "truncate(10, v)", "v_trunc", 10),
    ("string", "'iceberg'", "truncate(3, v)", "v_trunc", "ice"),
    ("decimal(9,2)", "DECIMAL '10.65'", "truncate(50, v)", "v_trunc", (1050).to_bytes(4, "big")),
    ("decimal(9,2)", "DECIMAL '-0.05'", "truncate(10, v)", "v_trunc", b"\xff\xff\xff\xf6"),
    ("date", "DATE '1970-01-11'", "v", "v", 10),
    ("timestamp", "TIMESTAMP '1970-01-01 00:00:01.5'", "v", "v", 1_500_000),
    ("boolean", "true", "v", "v", True),
    ("string", "''", "v", "v", ""),
    ("string", "'a/b c%'", "v", "v", "a/b c%"),
    ("binary", "X'00ff'", "v", "v", b"\x00\xff"),
    ("double", "1.5e0", "v", "v", 1.5),
)


@pytest.mark.parametrize(("kind", "value", "term", "name", "wanted"), TERMS)
def test_partitions_are_iceberg_s(
    world: World, *, kind: str, value: str, term: str, name: str, wanted: object
) -> None:
    make(world, f"v {kind}", term)
    world.run(f"INSERT INTO t VALUES ({value})")
    world.run("INSERT INTO t VALUES (NULL)")
    assert [e["data_file"]["partition"][name] for e in entries(world)] in (
        [wanted, None],
        [None, wanted],
    )
    assert document(world)["partition-specs"][0]["fields"][0]["source-id"] == 1


@pytest.mark.parametrize(
    ("columns", "term", "reason"),
    [
        ("v string", "month(v)", "Invalid source type string for transform: month"),
        ("v double", "bucket(4, v)", "Invalid source type double for transform: bucket[]"),
        ("v date", "hour(v)", "Invalid source type date for transform: hour"),
        ("v array<int>", "v", "Invalid source type array<int> for transform: identity"),
    ],
)
def test_transforms_take_some_types_only(
    world: World, columns: str, term: str, reason: str
) -> None:
    assert reason in world.failure(
        f"CREATE TABLE t ({columns}) PARTITIONED BY ({term}) LOCATION 's3://b/t/' {PROPERTIES}"
    )


def test_ctas_takes_trino_s_order_of_a_transform_s_arguments(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (table_type = 'ICEBERG', is_external = false, location = 's3://b/t/',"
        " partitioning = ARRAY['bucket(id, 16)', 'truncate(name, 2)']) AS "
        "SELECT 34 AS id, 'abc' AS name"
    )
    assert entries(world)[0]["data_file"]["partition"] == {"id_bucket": 3, "name_trunc": "ab"}


# --- columns change, files do not -----------------------------------------------------------------


def test_columns_are_known_by_their_numbers(world: World) -> None:
    make(world, "id int, name string, f float, d decimal(4,2)")
    world.run("INSERT INTO t VALUES (1, 'a', REAL '0.5', DECIMAL '1.25')")
    before = world.keys("t/data/")
    world.run("ALTER TABLE t CHANGE COLUMN name label string COMMENT 'was name' FIRST")
    world.run("ALTER TABLE t CHANGE id id bigint")
    world.run("ALTER TABLE t CHANGE f f double")
    world.run("ALTER TABLE t CHANGE d d decimal(10,2)")
    world.run("ALTER TABLE t ADD COLUMNS (name string)")
    assert world.rows("SELECT * FROM t") == [("a", 1, 0.5, Decimal("1.25"), None)]
    world.run("ALTER TABLE t DROP COLUMN label")
    world.run("ALTER TABLE t ADD COLUMNS (label string)")
    assert world.rows("SELECT label FROM t") == [(None,)]
    assert world.keys("t/data/") == before
    assert [each["name"] for each in document(world)["schemas"][-1]["fields"]] == [
        "id",
        "f",
        "d",
        "name",
        "label",
    ]
    assert len(document(world)["snapshots"]) == 1


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("ALTER TABLE t CHANGE id id string", "Cannot change column type: id: bigint -> string"),
        ("ALTER TABLE t CHANGE id id int", "Cannot change column type: id: bigint -> int"),
        ("ALTER TABLE t DROP COLUMN nope", "Cannot delete missing column: nope"),
        ("ALTER TABLE t DROP COLUMN dt", "Cannot drop the partition column dt"),
        ("ALTER TABLE t ADD COLUMNS (id int)", "Cannot add column, name already exists: id"),
        ("ALTER TABLE t CHANGE id dt bigint", "Duplicate column name: dt"),
    ],
)
def test_what_columns_cannot_do(world: World, sql: str, reason: str) -> None:
    make(world, "id bigint, dt string", "dt")
    assert reason in world.failure(sql)


def test_a_partition_s_column_may_be_renamed(world: World) -> None:
    make(world, "id bigint, dt string", "dt")
    world.run("INSERT INTO t VALUES (1, 'x')")
    world.run("ALTER TABLE t CHANGE dt day string")
    world.run("INSERT INTO t VALUES (2, 'y')")
    assert world.rows("SELECT id, day FROM t ORDER BY id") == [(1, "x"), (2, "y")]
    assert {e["data_file"]["partition"]["dt"] for e in entries(world)} == {"x", "y"}


def test_properties_are_in_the_document_by_iceberg_s_names(world: World) -> None:
    make(world, "id int")
    world.run(
        "ALTER TABLE t SET TBLPROPERTIES ('write_compression' = 'snappy', "
        "'vacuum_min_snapshots_to_keep' = '3')"
    )
    assert document(world)["properties"] == {
        "write.parquet.compression-codec": "snappy",
        "vacuum_min_snapshots_to_keep": "3",
    }
    world.run("ALTER TABLE t UNSET TBLPROPERTIES ('vacuum_min_snapshots_to_keep')")
    assert "vacuum_min_snapshots_to_keep" not in document(world)["properties"]


# --- upkeep ---------------------------------------------------------------------------------------


def test_optimize_writes_small_files_of_a_partition_together(world: World) -> None:
    make(world, "id int, dt string", "dt")
    for number in range(5):
        world.run(f"INSERT INTO t VALUES ({number}, 'x')")
    world.run("INSERT INTO t VALUES (9, 'y')")
    world.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    living = [e["data_file"] for e in entries(world) if e["status"] != 2]
    assert sorted((f["partition"]["dt"], f["record_count"]) for f in living) == [("x", 5), ("y", 1)]
    assert document(world)["snapshots"][-1]["summary"]["operation"] == "replace"
    assert "may name partition columns only" in world.failure(
        "OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE id = 1"
    )


def test_vacuum_keeps_as_many_snapshots_as_it_must(world: World) -> None:
    make(world, "id int")
    for number in range(4):
        world.run(f"INSERT INTO t VALUES ({number})")
    world.run(
        "ALTER TABLE t SET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds' = '0', "
        "'vacuum_min_snapshots_to_keep' = '2')"
    )
    world.put("t/data/orphan.parquet", b"from a statement that failed")
    world.run("VACUUM t")
    assert len(document(world)["snapshots"]) == 2
    assert "t/data/orphan.parquet" not in world.keys("t/data/")
    assert len(world.rows("SELECT * FROM t")) == 4
    lists = [key for key in world.keys("t/metadata/") if "/snap-" in key]
    assert len(lists) == 2


def test_vacuum_needs_a_folder(world: World) -> None:
    world.run(f"CREATE TABLE r (id int) LOCATION 's3://root/' {PROPERTIES}")
    assert world.failure("VACUUM r") == (
        "GENERIC_INTERNAL_ERROR: Path missing in file system location: s3://root"
    )


# --- files that are not opened --------------------------------------------------------------------


@pytest.fixture
def numbers(world: World) -> World:
    """Make a table with a file for each of 1 to 4, and one with NULLs; ids are negative, too."""
    make(world, "id int, name string, d date, long string", "name")
    for number in (-300, 2, 3):
        world.run(
            f"INSERT INTO t VALUES ({number}, 'n{number}', "
            f"DATE '2013-01-01' + INTERVAL '{abs(number)}' DAY, '{'x' * 20}{number}')"
        )
    world.run("INSERT INTO t (long) VALUES ('y')")
    return world


@pytest.mark.parametrize(
    ("where", "files", "rows"),
    [
        ("id = 2", 2, 1),
        ("id < 0", 2, 1),
        ("id IN (-300, 3)", 3, 2),
        ("id >= 2", 3, 2),
        ("2 < id", 2, 1),
        ("id BETWEEN 3 AND 9", 2, 1),
        ("id = 99", 1, 0),
        ("id > 2 OR id < -1", 4, 2),
        ("name = 'n3'", 1, 1),
        ("name > 'n2'", 1, 1),
        ("name IS NULL", 4, 1),
        ("d = DATE '2013-01-03'", 2, 1),
        ("d <= DATE '2013-01-03'", 2, 1),
        ("long LIKE 'x%'", 4, 3),
        ("long = 'y'", 4, 1),
        ("id + 0 = 2", 4, 1),
        ("true", 4, 4),
    ],
)
def test_files_that_cannot_have_rows_are_not_opened(
    numbers: World, where: str, files: int, rows: int
) -> None:
    """Without bounds (NULLs, long texts) a file is opened unless its partition excludes it."""
    sql = f"SELECT * FROM t WHERE {where}"
    planner, engine = numbers.athena._planner, numbers.athena._engine  # noqa: SLF001 - a look inside
    with engine.cursor() as cursor:
        ((_, parts),) = planner.scans(cursor, sql, database="db")
    assert sum(len(part.files) for part in parts) == files
    assert len(numbers.rows(sql)) == rows


def test_bounds_of_a_narrower_type_still_tell(numbers: World) -> None:
    numbers.run("ALTER TABLE t CHANGE id id bigint")
    numbers.run("INSERT INTO t (id) VALUES (5000000000)")
    assert numbers.rows("SELECT id FROM t WHERE id < -1") == [(-300,)]
    assert numbers.rows("SELECT id FROM t WHERE id > 3") == [(5_000_000_000,)]


def test_a_renamed_column_is_told_by_its_number(numbers: World) -> None:
    numbers.run("ALTER TABLE t CHANGE id key int")
    numbers.run("ALTER TABLE t ADD COLUMNS (id int)")
    assert numbers.rows("SELECT key FROM t WHERE key = 2") == [(2,)]
    assert numbers.rows("SELECT key FROM t WHERE id = 2") == []


def test_joins_and_views_leave_the_files_they_need(numbers: World) -> None:
    numbers.run("CREATE VIEW v AS SELECT id, name FROM t")
    assert numbers.rows("SELECT name FROM v WHERE id = 3") == [("n3",)]
    assert sorted(
        numbers.rows("SELECT a.id, b.id FROM t a LEFT JOIN t b ON a.id = b.id AND b.id = 2"),
        key=repr,
    ) == [(-300, None), (2, 2), (3, None), (None, None)]
