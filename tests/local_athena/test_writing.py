"""CTAS and INSERT: files, partitions, types, failures that leave what was written."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

CTAS = (
    "CREATE TABLE t WITH (format='PARQUET', write_compression='ZSTD', "
    "external_location='s3://b/t/', partitioned_by=ARRAY['dt']) AS "
)


def folders(world: World) -> list[str]:
    return [key.rpartition("/")[0] for key in world.keys("t/")]


def test_ctas_writes_one_file_a_partition_and_registers_them(world: World) -> None:
    execution = world.run(
        CTAS + "SELECT n, CAST(n % 3 AS varchar) dt FROM (VALUES 1, 2, 3, 4) v(n)"
    )
    assert execution["StatementType"] == "DDL"
    assert execution["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    assert folders(world) == ["t/dt=0", "t/dt=1", "t/dt=2"]
    assert world.rows("SELECT dt, sum(n) FROM t GROUP BY 1 ORDER BY 1") == [
        ("0", 3),
        ("1", 5),
        ("2", 2),
    ]
    manifest = execution["Statistics"]["DataManifestLocation"]
    lines = world.s3.path_of(manifest).read_text().splitlines()
    assert lines == [f"s3://b/{key}" for key in world.keys("t/")]


def test_with_no_data_makes_only_the_table(world: World) -> None:
    world.run(CTAS + "SELECT 1 AS n, DATE '2013-01-01' AS d, 'x' AS dt WITH NO DATA")
    table = world.catalog.get_table(DatabaseName="db", Name="t")["Table"]
    assert table["StorageDescriptor"]["Columns"] == [
        {"Name": "n", "Type": "int"},
        {"Name": "d", "Type": "date"},
    ]
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert world.keys() == []


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            CTAS + "SELECT 'x' AS dt, 1 AS n",
            (
                "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table "
                "and in the same order as the table properties: [dt]"
            ),
        ),
        (
            CTAS + "SELECT 1 AS n, 2 AS n, 'x' AS dt",
            "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'n' specified more than once",
        ),
        (
            "CREATE TABLE t WITH (formatt='PARQUET') AS SELECT 1 AS n",
            (
                "INVALID_TABLE_PROPERTY: line 1:1: Catalog 'awsdatacatalog' table property "
                "'formatt' does not exist"
            ),
        ),
        (
            "CREATE TABLE nope.t AS SELECT 1 AS n",
            "SCHEMA_NOT_FOUND: line 1:1: Schema 'nope' does not exist",
        ),
        (
            "CREATE TABLE t AS SELECT NULL AS n",
            "COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: n",
        ),
    ],
)
def test_ctas_refusals(world: World, sql: str, reason: str) -> None:
    assert world.failure(sql) == reason
    assert world.keys("t/") == []


def test_ctas_needs_an_empty_prefix_and_a_new_name(world: World) -> None:
    world.run(CTAS + "SELECT 1 AS n, 'x' AS dt")
    assert world.failure(CTAS + "SELECT 1 AS n, 'x' AS dt") == (
        "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.db.t' already exists"
    )
    world.run("DROP TABLE t")
    assert world.failure(CTAS + "SELECT 1 AS n, 'x' AS dt") == (
        "HIVE_PATH_ALREADY_EXISTS: Target directory for table 'db.t' already exists: s3://b/t/. "
    )


def test_insert_adds_files_and_keeps_the_old(world: World) -> None:
    world.run(CTAS + "SELECT 1 AS n, 'x' AS dt")
    before = world.keys("t/")
    world.run("""INSERT INTO "db"."t" ("dt", "n") SELECT "dt", "n" FROM (
SELECT 'x' AS dt, 2 AS n -- a comment at the end
)""")
    assert set(before) < set(world.keys("t/"))
    assert world.rows("SELECT n FROM t ORDER BY n") == [(1,), (2,)]


def test_columns_that_an_insert_does_not_name_are_null(world: World) -> None:
    world.run(CTAS + "SELECT 1 AS n, 'a' AS s, 'x' AS dt")
    world.run("INSERT INTO t (s, dt) VALUES ('b', 'y')")
    assert world.rows("SELECT * FROM t WHERE dt = 'y'") == [(None, "b", "y")]


@pytest.mark.parametrize("value", ["CAST(NULL AS varchar)", "''"])
def test_null_partitions_have_hives_name(world: World, value: str) -> None:
    world.run(CTAS + f"SELECT 1 AS n, {value} AS dt")
    assert folders(world) == ["t/dt=__HIVE_DEFAULT_PARTITION__"]
    assert world.rows("SELECT n, dt FROM t") == [(1, None)]


def test_odd_partition_values_are_escaped_and_read_back(world: World) -> None:
    world.run(CTAS + "SELECT 1 AS n, '10:30 a/b=c%' AS dt")
    assert folders(world) == ["t/dt=10%3A30 a%2Fb%3Dc%25"]
    assert world.rows("SELECT dt FROM t") == [("10:30 a/b=c%",)]


def test_no_rows_make_no_files(world: World) -> None:
    world.run(CTAS + "SELECT 1 AS n, 'x' AS dt WHERE 1 = 0")
    assert world.keys("t/") == []
    world.run("CREATE TABLE u WITH (external_location='s3://b/u/') AS SELECT 1 AS n WHERE 1 = 0")
    assert world.keys("u/") == []


def test_more_than_100_partitions_are_refused(world: World) -> None:
    rows = "SELECT 1 AS n, CAST(x AS varchar) AS dt FROM UNNEST(sequence(1, {})) AS s(x)"
    assert world.failure(CTAS + rows.format(101)) == (
        "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets"
    )
    world.run(
        "CREATE TABLE u WITH (external_location='s3://b/u/', partitioned_by=ARRAY['dt']) AS "
        + rows.format(100)
    )
    assert len(world.keys("u/")) == 100


@pytest.mark.parametrize(
    ("kind", "expression", "stored"),
    [
        ("bigint", "CAST(1 AS smallint)", 1),
        ("bigint", "count(*)", 1),
        ("bigint", "NULL", None),
        ("int", "DECIMAL '1.5'", 2),
        ("int", "-2.5e0", -3),
        ("tinyint", "BIGINT '7'", 7),
        ("decimal(4,1)", "12.345", Decimal("12.3")),
        ("float", "1.5e0", 1.5),
        ("array<int>", "ARRAY[BIGINT '1']", [1]),
        ("varchar(3)", "'abc  '", "abc"),
        ("varchar(3)", "NULL", None),
        ("char(5)", "'ab'", "ab   "),
        ("date", "TIMESTAMP '2020-01-01 10:00:00'", date(2020, 1, 1)),
        ("timestamp", "TIMESTAMP '2020-01-01 10:00:00 Asia/Tokyo'", datetime(2020, 1, 1, 10)),
    ],
)
def test_an_insert_casts_to_the_column_s_type(
    world: World, kind: str, expression: str, stored: object
) -> None:
    # Asked of Trino 435.
    world.run(f"CREATE EXTERNAL TABLE i (n {kind}) STORED AS PARQUET LOCATION 's3://b/i/'")
    world.run(f"INSERT INTO i SELECT {expression}")
    assert world.rows("SELECT n FROM i") == [(stored,)]


@pytest.mark.parametrize(
    ("kind", "expression", "reason"),
    [
        ("tinyint", "300", "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 300"),
        ("varchar(3)", "'abcd'", "INVALID_CAST_ARGUMENT: Cannot truncate non-space characters"),
        ("char(2)", "'abc'", "INVALID_CAST_ARGUMENT: Cannot truncate non-space characters"),
        ("bigint", "'1'", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: "),
        ("bigint", "true", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: "),
        ("string", "1", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: "),
        ("date", "'x'", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: "),
    ],
)
def test_an_insert_refuses_what_does_not_fit(
    world: World, kind: str, expression: str, reason: str
) -> None:
    world.run(f"CREATE EXTERNAL TABLE i (n {kind}) STORED AS PARQUET LOCATION 's3://b/i/'")
    assert world.failure(f"INSERT INTO i SELECT {expression}").startswith(reason)
    assert world.keys("i/") == []


def test_a_failed_statement_leaves_the_files_it_wrote(world: World) -> None:
    world.run(CTAS + "SELECT 0 AS n, 'z' AS dt WITH NO DATA")
    world.fail_before = 2
    with pytest.raises(OSError, match="the disk is full"):
        world.run("INSERT INTO t (n, dt) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    assert folders(world) == ["t/dt=a", "t/dt=b"]


def test_formats_that_are_not_parquet(world: World) -> None:
    for kind, key in (("JSON", "j"), ("TEXTFILE", "x")):
        world.run(
            f"CREATE TABLE {key} WITH (format='{kind}', external_location='s3://b/{key}/') AS "
            f"SELECT 1 AS a, 'b c' AS b, CAST(NULL AS double) AS d"
        )
        assert world.rows(f"SELECT * FROM {key}") == [(1, "b c", None)]


def test_declared_lengths_stay(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location='s3://b/t/') AS "
        "SELECT CAST('a' AS varchar(10)) AS v, CAST('b' AS char(4)) AS c, 'd' AS s"
    )
    world.run("CREATE VIEW w AS SELECT v, s FROM t")
    for name, kinds in (
        ("t", ["varchar(10)", "char(4)", "string"]),
        ("w", ["varchar(10)", "string"]),
    ):
        table = world.catalog.get_table(DatabaseName="db", Name=name)["Table"]
        assert [each["Type"] for each in table["StorageDescriptor"]["Columns"]] == kinds


def schema_of(world: World, key: str) -> list[tuple[str, str, str]]:
    """Give the columns of a Parquet file: name, physical type, repetition."""
    found = world.athena.connect().execute(
        "SELECT name, type, repetition_type FROM parquet_schema(?)",
        [str(world.s3.path_of(f"s3://b/{key}"))],
    )
    return found.fetchall()[1:]


def test_columns_of_constants_may_be_null_in_the_file(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location='s3://b/t/') AS SELECT 1 AS n, 'x' AS s")
    assert world.rows("SELECT * FROM t") == [(1, "x")]
    (key,) = world.keys("t/")
    assert schema_of(world, key) == [
        ("n", "INT32", "OPTIONAL"),
        ("s", "BYTE_ARRAY", "OPTIONAL"),
    ]


def test_timestamps_are_written_as_hive_writes_them(world: World) -> None:
    instants = ["0001-01-01 00:00:00.000", "1969-12-31 23:59:59.999", "9999-12-31 23:59:59.999"]
    values = ", ".join(f"TIMESTAMP '{each}'" for each in instants)
    world.run(
        "CREATE TABLE t WITH (external_location='s3://b/t/') AS "
        f"SELECT a, ARRAY[a] AS l FROM (VALUES {values}) v(a)"
    )
    (key,) = world.keys("t/")
    kinds = {kind for name, kind, _ in schema_of(world, key) if name in {"a", "element"}}
    assert kinds == {"INT96"}
    read = world.rows("SELECT CAST(a AS varchar), CAST(l[1] AS varchar) FROM t ORDER BY 1")
    assert read == [(each, each) for each in instants]
    assert world.rows("SELECT count(*) FROM t WHERE a < TIMESTAMP '1970-01-01'") == [(2,)]


def test_timestamps_of_iceberg_are_microseconds(world: World) -> None:
    world.run(
        "CREATE TABLE i WITH (table_type='ICEBERG', is_external=false, location='s3://b/i/') AS "
        "SELECT TIMESTAMP '2017-01-01 00:00:00.000' AS a"
    )
    (key,) = world.keys("i/data/")
    assert schema_of(world, key) == [("a", "INT64", "OPTIONAL")]
