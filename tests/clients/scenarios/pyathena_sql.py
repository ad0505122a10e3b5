"""PyAthena's own cursors: statements, every type, parameters, refusals, cancelling, paging."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.error import DatabaseError, OperationalError

if TYPE_CHECKING:
    from tests.clients.scenarios.conftest import Place

ONE_OF_EACH = """
SELECT true AS c_boolean, CAST(127 AS tinyint) AS c_tinyint, CAST(-32768 AS smallint) AS c_smallint,
  2147483647 AS c_int, 9223372036854775807 AS c_bigint, REAL '1.2345' AS c_float,
  DOUBLE '0.25' AS c_double, CAST('12345.67' AS decimal(10, 2)) AS c_decimal,
  'a "string", with
lines' AS c_string, CAST('abc' AS varchar(10)) AS c_varchar, CAST('xy' AS char(4)) AS c_char,
  DATE '2017-01-02' AS c_date, TIMESTAMP '2017-01-02 03:04:05.678' AS c_timestamp,
  X'313233' AS c_binary, ARRAY[1, 2] AS c_array, MAP(ARRAY['k'], ARRAY[3]) AS c_map,
  CAST(ROW(1, 'b') AS ROW(a integer, b varchar)) AS c_row
"""
EXPECTED = (
    *(True, 127, -32768, 2147483647, 9223372036854775807, 1.2345, 0.25, Decimal("12345.67")),
    *('a "string", with\nlines', "abc", "xy  ", date(2017, 1, 2)),
    *(datetime(2017, 1, 2, 3, 4, 5, 678000), b"123", [1, 2], {"k": "3"}, {"a": "1", "b": "b"}),
)
DESCRIBED = (
    ("boolean", 0, 0),
    ("tinyint", 3, 0),
    ("smallint", 5, 0),
    ("integer", 10, 0),
    ("bigint", 19, 0),
    ("float", 17, 0),
    ("double", 17, 0),
    ("decimal", 10, 2),
    ("varchar", 2147483647, 0),
    ("varchar", 10, 0),
    ("char", 4, 0),
    ("date", 0, 0),
    ("timestamp", 3, 0),
    ("varbinary", 1073741824, 0),
    ("array", 0, 0),
    ("map", 0, 0),
    ("row", 0, 0),
)


def test_a_database_and_a_table_over_files(cursor: Any, place: Place) -> None:
    cursor.execute(f"CREATE DATABASE {place.database}_two COMMENT 'second'")
    cursor.execute("SHOW DATABASES")
    assert (f"{place.database}_two",) in cursor.fetchall()
    body = "1\tone\n2\t\\N\n3\t\n"
    boto3.client("s3").put_object(
        Bucket=place.bucket, Key=f"{place.database}/words/a.tsv", Body=body
    )
    cursor.execute(
        f"""CREATE EXTERNAL TABLE {place.database}_two.words (n int, word string)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' STORED AS TEXTFILE
        LOCATION '{place.path("words")}'"""
    )
    cursor.execute(f"SELECT n, word FROM {place.database}_two.words ORDER BY n")
    assert cursor.fetchall() == [(1, "one"), (2, None), (3, "")]
    assert cursor.rowcount == -1
    assert cursor.data_scanned_in_bytes > 0
    assert cursor.output_location == f"{place.staging}{cursor.query_id}.csv"
    assert cursor.data_manifest_location is None
    assert cursor.state_change_reason is None
    cursor.execute(f"DROP TABLE {place.database}_two.words")
    cursor.execute(f"DROP DATABASE {place.database}_two")


def test_every_type_goes_through_a_ctas(cursor: Any, place: Place) -> None:
    cursor.execute(
        "CREATE TABLE every WITH (format = 'PARQUET', "
        f"external_location = '{place.path('every')}') AS {ONE_OF_EACH}"
    )
    assert cursor.rowcount == 1
    assert cursor.fetchone() is None
    assert [column[0] for column in cursor.description] == ["rows"]
    cursor.execute("SELECT * FROM every")
    assert tuple((kind, p, s) for _, kind, _, _, p, s, _ in cursor.description) == DESCRIBED
    (row,) = cursor.fetchall()
    assert row == EXPECTED
    assert [type(value) for value in row] == [type(value) for value in EXPECTED]


def test_types_that_only_queries_have(cursor: Any) -> None:
    cursor.execute(
        """SELECT TIMESTAMP '2017-01-01 00:00:00 UTC' AS tz, TIME '01:02:03.000' AS t,
        CAST(MAP(ARRAY['a'], ARRAY[1]) AS json) AS j, NULL AS n,
        TIMESTAMP '2017-01-01 00:00:00.123 +09:00' AS offset"""
    )
    assert [column[1] for column in cursor.description] == [
        *("timestamp with time zone", "time", "json", "unknown", "timestamp with time zone")
    ]
    row = cursor.fetchone()
    assert row[:4] == (datetime(2017, 1, 1, tzinfo=UTC), time(1, 2, 3), {"a": 1}, None)


def test_nothing_is_not_an_empty_text(cursor: Any, place: Place) -> None:
    name = f"gaps_{cursor.connection.schema_name}"
    cursor.execute(
        f"CREATE TABLE {name} WITH (external_location = '{place.path(name)}') AS "
        "SELECT * FROM (VALUES (1, ''), (2, NULL), (3, 'null')) AS t (n, s)"
    )
    cursor.execute(f"SELECT s FROM {name} ORDER BY n")
    assert cursor.fetchall() == [("",), (None,), ("null",)]
    cursor.execute(f"SELECT n FROM {name} WHERE s IS NULL")
    assert cursor.fetchall() == [(2,)]


def test_inserts_add_rows_and_tell_how_many(cursor: Any, place: Place) -> None:
    cursor.execute(
        f"""CREATE EXTERNAL TABLE added (n int, s string) PARTITIONED BY (dt string)
        STORED AS PARQUET LOCATION '{place.path("added")}'"""
    )
    cursor.execute("INSERT INTO added VALUES (1, 'a', '2024-01-01'), (2, 'b', '2024-01-02')")
    assert cursor.rowcount == 2
    assert cursor.data_manifest_location.endswith("-manifest.csv")
    cursor.execute("INSERT INTO added (n, s, dt) SELECT 3, NULL, '2024-01-02'")
    cursor.execute("SELECT * FROM added ORDER BY n")
    assert cursor.fetchall() == [
        (1, "a", "2024-01-01"),
        (2, "b", "2024-01-02"),
        (3, None, "2024-01-02"),
    ]
    cursor.execute("SHOW PARTITIONS added")
    assert sorted(cursor.fetchall()) == [("dt=2024-01-01",), ("dt=2024-01-02",)]
    cursor.execute("DESCRIBE added")
    assert " ".join(cursor.fetchall()[0]).split() == ["n", "int"]


def test_many_rows_of_parameters(cursor: Any, place: Place) -> None:
    cursor.execute(
        f"CREATE TABLE many WITH (external_location = '{place.path('many')}') AS "
        "SELECT 0 AS n, 'zero' AS s"
    )
    cursor.executemany(
        "INSERT INTO many (n, s) VALUES (%(n)d, %(s)s)",
        [{"n": 1, "s": "it's"}, {"n": 2, "s": "100 %"}],
    )
    cursor.execute("SELECT s FROM many WHERE n > %(n)d ORDER BY n", {"n": 0})
    assert cursor.fetchall() == [("it's",), ("100 %",)]


def test_question_marks(cursor: Any) -> None:
    cursor.execute(
        "SELECT n, s FROM (VALUES (1, 'a'), (2, 'b')) AS t (n, s) WHERE n > ? AND s = ?",
        ["1", "'b'"],
        paramstyle="qmark",
    )
    assert cursor.fetchall() == [(2, "b")]
    cursor.execute("SELECT ?, ?", ["Washington", "NULL"], paramstyle="qmark")
    assert cursor.fetchall() == [("Washington", None)]


def test_prepared_statements(cursor: Any) -> None:
    cursor.execute("PREPARE pair FROM SELECT ?, ?")
    cursor.execute("EXECUTE pair USING 7, 'seven'")
    assert cursor.fetchall() == [(7, "seven")]
    cursor.execute("EXECUTE pair", ["8", "'eight'"], paramstyle="qmark")
    assert cursor.fetchall() == [(8, "eight")]
    cursor.execute("DEALLOCATE PREPARE pair")
    with pytest.raises(DatabaseError):
        cursor.execute("EXECUTE pair USING 7, 'seven'")


def test_a_failure_has_athenas_words(cursor: Any) -> None:
    with pytest.raises(OperationalError) as failed:
        cursor.execute("SELECT *\nFROM no_such_table")
    assert str(failed.value).startswith("TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.")
    status = boto3.client("athena").get_query_execution(QueryExecutionId=cursor.query_id)
    told = status["QueryExecution"]["Status"]
    assert (told["State"], told["AthenaError"]["ErrorCategory"]) == ("FAILED", 2)
    assert told["AthenaError"]["ErrorMessage"] == str(failed.value)
    assert cursor.description is None
    with pytest.raises(OperationalError, match="COLUMN_NOT_FOUND: line 1:8: Column 'b' cannot be"):
        cursor.execute("SELECT b FROM (VALUES 1) AS t (a)")
    with pytest.raises(DatabaseError):
        cursor.execute("SELEC 1")


def test_a_cross_join_without_end_can_be_stopped(cursor: Any) -> None:
    timer = threading.Timer(1.5, cursor.cancel)
    timer.start()
    with pytest.raises(DatabaseError):
        cursor.execute(
            """SELECT a.x * rand(), b.y * rand() FROM UNNEST(sequence(1, 9999)) AS a (x)
            CROSS JOIN UNNEST(sequence(1, 9999)) AS b (y)
            CROSS JOIN UNNEST(sequence(1, 9999)) AS c (z)"""
        )
    timer.join()
    status = boto3.client("athena").get_query_execution(QueryExecutionId=cursor.query_id)
    assert status["QueryExecution"]["Status"]["State"] == "CANCELLED"


def test_results_come_page_by_page(cursor: Any) -> None:
    cursor.execute("SELECT x FROM UNNEST(sequence(1, 3500)) AS t (x) ORDER BY x")
    assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
    assert [row[0] for row in cursor.fetchall()] == list(range(4, 3501))
    cursor.arraysize = 7
    cursor.execute("SELECT x FROM UNNEST(sequence(1, 21)) AS t (x) ORDER BY x")
    assert [row[0] for row in cursor] == list(range(1, 22))


def test_a_dict_cursor(connection: Any) -> None:
    with connection.cursor(DictCursor) as cursor:
        cursor.execute("SELECT 1 AS one, 'zwei' AS two")
        assert cursor.fetchall() == [{"one": 1, "two": "zwei"}]


def test_queries_side_by_side(connection: Any) -> None:
    with connection.cursor(AsyncCursor, max_workers=4) as cursor:
        started = [cursor.execute(f"SELECT {n}, 'x'") for n in range(6)]
        found = [future.result().fetchall() for _, future in started]
        assert found == [[(n, "x")] for n in range(6)]
        identity, future = cursor.execute("SELECT no_such_column")
        result = future.result()
        assert (result.query_id, result.state) == (identity, "FAILED")
        assert "COLUMN_NOT_FOUND" in result.state_change_reason


def test_the_same_question_again_is_not_asked_again(cursor: Any) -> None:
    more = {"result_reuse_enable": True, "result_reuse_minutes": 5}
    cursor.execute("SELECT 'asked twice'", **more)
    assert not cursor.reused_previous_result
    first = cursor.query_id
    cursor.execute("SELECT 'asked twice'", **more)
    assert cursor.reused_previous_result
    assert cursor.query_id != first
    assert cursor.fetchall() == [("asked twice",)]
    cursor.execute("SELECT 'asked twice'", cache_size=50)
    assert cursor.fetchall() == [("asked twice",)]


def test_an_iceberg_table_lives(cursor: Any, place: Place) -> None:
    cursor.execute(
        f"""CREATE TABLE ice (id int, s string, day date) PARTITIONED BY (day)
        LOCATION '{place.path("ice")}' TBLPROPERTIES ('table_type' = 'ICEBERG')"""
    )
    cursor.execute("INSERT INTO ice VALUES (1, 'a', DATE '2024-01-01'), (2, 'b', NULL)")
    assert cursor.rowcount == 2
    cursor.execute("UPDATE ice SET s = 'changed' WHERE id = 1")
    assert cursor.rowcount == 1
    cursor.execute(
        """MERGE INTO ice USING (VALUES (2, 'two'), (3, 'three')) AS n (id, s) ON ice.id = n.id
        WHEN MATCHED THEN UPDATE SET s = n.s
        WHEN NOT MATCHED THEN INSERT (id, s) VALUES (n.id, n.s)"""
    )
    assert cursor.rowcount == 2
    cursor.execute("DELETE FROM ice WHERE id = 1")
    assert cursor.rowcount == 1
    cursor.execute("SELECT * FROM ice ORDER BY id")
    assert cursor.fetchall() == [(2, "two", None), (3, "three", None)]
    cursor.execute("DROP TABLE ice")
    left = boto3.client("s3").list_objects_v2(Bucket=place.bucket, Prefix=f"{place.database}/ice/")
    assert left["KeyCount"] == 0


def test_unload_writes_files_and_tells_them(cursor: Any, place: Place) -> None:
    target = place.path("unloaded")
    cursor.execute(f"UNLOAD (SELECT 1 AS n) TO '{target}' WITH (format = 'PARQUET')")
    manifest = cursor.data_manifest_location.removeprefix(f"s3://{place.bucket}/")
    body = boto3.client("s3").get_object(Bucket=place.bucket, Key=manifest)["Body"].read()
    (url,) = body.decode().splitlines()
    assert url.startswith(target)
    with pytest.raises(OperationalError, match="HIVE_PATH_ALREADY_EXISTS"):
        cursor.execute(f"UNLOAD (SELECT 1 AS n) TO '{target}' WITH (format = 'PARQUET')")


def test_metadata_of_tables(cursor: Any, place: Place) -> None:
    cursor.execute(
        f"""CREATE EXTERNAL TABLE told (n int COMMENT 'a number') COMMENT 'a table'
        STORED AS PARQUET LOCATION '{place.path("told")}'"""
    )
    found = cursor.get_table_metadata("told")
    assert (found.name, found.table_type, found.comment) == ("told", "EXTERNAL_TABLE", "a table")
    assert [(each.name, each.type, each.comment) for each in found.columns] == [
        ("n", "int", "a number")
    ]
    assert found.location == place.path("told").rstrip("/")
    assert "told" in [each.name for each in cursor.list_table_metadata()]
    with pytest.raises(OperationalError):
        cursor.get_table_metadata("not_told")
