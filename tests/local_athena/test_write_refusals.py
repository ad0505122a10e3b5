"""What INSERT INTO and CREATE TABLE AS refuse, and the text that OpenCSVSerde writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local_athena.conftest import World


@pytest.mark.parametrize(
    ("clauses", "reason"),
    [
        (
            "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
            (
                "HIVE_UNSUPPORTED_FORMAT: Output format org.apache.hadoop.hive.ql.io."
                "IgnoreKeyTextOutputFormat with SerDe org.openx.data.jsonserde.JsonSerDe is "
                "not supported."
            ),
        ),
        (
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'",
            (
                "Hive CSV storage format only supports VARCHAR (unbounded). Unsupported columns: "
                "a integer"
            ),
        ),
        (
            (
                "ROW FORMAT SERDE 'com.amazonaws.glue.serde.GrokSerDe' WITH SERDEPROPERTIES "
                "('input.format' = '%{WORD:a}')"
            ),
            "with SerDe com.amazonaws.glue.serde.GrokSerDe is not supported.",
        ),
        ("CLUSTERED BY (a) INTO 2 BUCKETS STORED AS PARQUET", "bucketed tables"),
        ("STORED AS RCFILE", "LazyBinaryColumnarSerDe is not supported."),
        (
            "STORED AS PARQUET {} TBLPROPERTIES ('parquet.compression' = 'BZIP2')",
            "Compression codec BZIP2 not supported for PARQUET",
        ),
    ],
)
def test_what_insert_refuses(world: World, clauses: str, reason: str) -> None:
    before, _, after = clauses.partition("{}")
    world.run(f"CREATE EXTERNAL TABLE t (a int) {before} LOCATION 's3://b/t/' {after}")
    assert reason in world.failure("INSERT INTO t VALUES (1)")
    assert world.keys("t/") == []


CTAS_REFUSALS = [
    ("format = 'XML'", "table property 'format' to ['XML']"),
    ("FORMAT = 'ORC'", "table property 'FORMAT' does not exist"),
    ("nothing = 1", "table property 'nothing' does not exist"),
    ("format = 'PARQUET', write_compression = 'BZIP2'", "BZIP2 not supported for PARQUET"),
    ("format = 'PARQUET', write_compression = 'LZ4'", "LZ4 not supported for PARQUET"),
    ("format = 'ORC', orc_compression = 'GZIP'", "GZIP not supported for ORC"),
    ("format = 'AVRO', write_compression = 'LZ4'", "LZ4 not supported for AVRO"),
    ("format = 'JSON', write_compression = 'ZLIB'", "ZLIB not supported for JSON"),
    ("write_compression = 'FAST'", "table property 'write_compression' to ['FAST']"),
    (
        "parquet_compression = 'GZIP', write_compression = 'GZIP'",
        "Only one of the properties write_compression and parquet_compression may be set",
    ),
    ("write_compression = 'ZSTD', compression_level = 23", "must be between 1 and 22, and not 23"),
    ("format = 'ION', ion_encoding = 'XML'", "table property 'ion_encoding' to ['XML']"),
    ("format = 'TEXTFILE', field_delimiter = '||'", "must be a single character"),
    ("table_type = 'DELTA'", "table property 'table_type' to ['DELTA']"),
    ("partitioning = ARRAY['n']", "'partitioning' is not supported for table type HIVE"),
    ("location = 's3://b/x/'", "'location' is not supported for table type HIVE"),
    ("vacuum_min_snapshots_to_keep = 1", "is not supported for table type HIVE"),
    (
        (
            "table_type = 'ICEBERG', is_external = false, location = 's3://b/t/', "
            "partitioned_by = ARRAY['n']"
        ),
        "'partitioned_by' is not supported for table type ICEBERG",
    ),
    ("partitioned_by = ARRAY['n']", "HIVE_COLUMN_ORDER_MISMATCH"),
    ("partitioned_by = ARRAY['k', 's']", "HIVE_COLUMN_ORDER_MISMATCH"),
    ("partitioned_by = ARRAY['n', 's', 'k']", "Table contains only partition columns"),
    ("bucketed_by = ARRAY['n']", "must be specified together"),
    ("bucketed_by = ARRAY['x'], bucket_count = 2", "Bucketing columns [x] not present in schema"),
]


@pytest.mark.parametrize(("properties", "reason"), CTAS_REFUSALS)
def test_what_ctas_refuses(world: World, properties: str, reason: str) -> None:
    sql = f"CREATE TABLE t WITH ({properties}) AS SELECT 1 AS n, 'a' AS s, 'b' AS k"
    assert reason in world.failure(sql)
    assert world.catalog.get_tables(DatabaseName="db")["TableList"] == []


def test_insert_into_opencsv_quotes_text(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE t (a string, b string) ROW FORMAT SERDE "
        "'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://b/t/' "
        "TBLPROPERTIES ('write.compression' = 'NONE')"
    )
    world.run("INSERT INTO t VALUES ('x,y', 'say \"hi\"'), (NULL, '')")
    (key,) = world.keys("t/")
    body = world.s3.get_object(Bucket="b", Key=key)["Body"].read()
    assert sorted(body.splitlines()) == [b'"x,y","say ""hi"""', b',""']
    assert world.rows("SELECT * FROM t ORDER BY a") == [("", ""), ("x,y", 'say "hi"')]


def test_bytes_have_no_certain_form_in_json(world: World) -> None:
    select = "SELECT from_hex('00ff') AS raw"
    reason = "Column raw of type binary in JSON is not supported"
    assert reason in world.failure(f"CREATE TABLE t WITH (format = 'JSON') AS {select}")
    world.run(
        "CREATE EXTERNAL TABLE t (raw binary) ROW FORMAT SERDE "
        "'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://b/t/'"
    )
    world.put("t/x.json", '{"raw": "AP8="}')
    assert reason in world.failure("SELECT raw FROM t")
