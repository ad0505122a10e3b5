"""Athena's limits, projections that are wrong, and refusals: codes, numbers, words and places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena.errors import AthenaFailure
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

PROJECTED = (
    "CREATE EXTERNAL TABLE t (n int) PARTITIONED BY ({keys}) "
    "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://b/t/' "
    "TBLPROPERTIES ('projection.enabled' = 'true', {properties})"
)


def error_of(world: World, sql: str) -> dict[str, Any]:
    with pytest.raises(ServiceError) as failed:
        world.run(sql)
    found: dict[str, Any] = json.loads(failed.value.cause)["Status"]["AthenaError"]
    return found


@pytest.fixture
def table(world: World) -> World:
    world.run(
        "CREATE TABLE h WITH (external_location = 's3://b/h/', partitioned_by = ARRAY['p']) AS "
        "SELECT 1 AS a, 'x' AS b, 'k' AS p"
    )
    return world


# --- writers -----------------------------------------------------------------------------------


def _numbers(count: int) -> str:
    return f"(SELECT n FROM UNNEST(sequence(1, {count})) AS t(n))"


TOO_MANY = (
    "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets"
)


def test_ctas_writes_100_partitions_and_no_more(world: World) -> None:
    ctas = (
        "CREATE TABLE {} WITH (external_location = 's3://b/{}/', partitioned_by = ARRAY['p']) AS "
        "SELECT n, CAST(n AS varchar) AS p FROM {}"
    )
    world.run(ctas.format("t100", "t100", _numbers(100)))
    assert world.rows("SELECT count(DISTINCT p) FROM t100") == [(100,)]
    assert world.failure(ctas.format("t101", "t101", _numbers(101))) == TOO_MANY


def test_buckets_multiply_partitions(world: World) -> None:
    ctas = (
        "CREATE TABLE {} WITH (external_location = 's3://b/{}/', partitioned_by = ARRAY['p'], "
        "bucketed_by = ARRAY['n'], bucket_count = 5) AS "
        "SELECT n, CAST(n % {} AS varchar) AS p FROM {}"
    )
    world.run(ctas.format("few", "few", 20, _numbers(2000)))
    assert world.failure(ctas.format("many", "many", 21, _numbers(2100))) == TOO_MANY


def test_insert_and_unload_have_the_same_limit(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE i (n int) PARTITIONED BY (p string) STORED AS PARQUET "
        "LOCATION 's3://b/i/'"
    )
    rows = f"SELECT CAST(n AS integer) AS n, CAST(n AS varchar) AS p FROM {_numbers(101)}"
    assert world.failure(f"INSERT INTO i {rows}") == TOO_MANY
    assert (
        world.failure(
            f"UNLOAD ({rows}) TO 's3://b/u/' WITH (format = 'PARQUET', partitioned_by = ARRAY['p'])"
        )
        == TOO_MANY
    )
    assert world.failure(f"INSERT INTO i {rows}") == TOO_MANY


def test_ctas_and_unload_need_an_empty_place(world: World) -> None:
    world.put("full/x", "1")
    words = "HIVE_PATH_ALREADY_EXISTS: Target directory for table '{}' already exists: s3://b/full/"
    assert world.failure(
        "CREATE TABLE f WITH (external_location = 's3://b/full/') AS SELECT 1 AS a"
    ).startswith(words.format("db.f"))
    assert "HIVE_PATH_ALREADY_EXISTS" in world.failure(
        "UNLOAD (SELECT 1 AS a) TO 's3://b/full/' WITH (format = 'PARQUET')"
    )


@pytest.mark.parametrize(
    ("select", "reason"),
    [
        ("SELECT 1", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"),
        ("SELECT 1 AS a, count(*)", "Column name not specified at position 2"),
        ("SELECT 1 AS a, 2 AS A", "Column name 'a' specified more than once"),
        ("SELECT NULL AS a", "Column type is unknown: a"),
    ],
)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE c WITH (external_location = 's3://b/c/') AS {}",
        (
            "CREATE TABLE c WITH (table_type = 'ICEBERG', is_external = false, location = "
            "'s3://b/c/') AS {}"
        ),
        "UNLOAD ({}) TO 's3://b/c/' WITH (format = 'PARQUET')",
    ],
)
def test_columns_that_cannot_be_stored(
    world: World, statement: str, select: str, reason: str
) -> None:
    assert reason in world.failure(statement.format(select))


def test_a_view_needs_names_too(world: World) -> None:
    assert "Column name not specified at position 1" in world.failure("CREATE VIEW v AS SELECT 1")
    assert "'a' specified more than once" in world.failure("CREATE VIEW v AS SELECT 1 a, 2 a")


def test_queries_of_more_than_262144_bytes_are_not_accepted(world: World) -> None:
    with pytest.raises(ServiceError) as refused:
        world.run("SELECT '" + "é" * 131_072 + "'")
    assert refused.value.error == "Athena.InvalidRequestException"
    assert (
        "Value at 'queryString' failed to satisfy constraint: Member must have length less than "
        "or equal to 262144"
    ) in refused.value.cause


def test_a_failed_write_leaves_what_was_written(world: World) -> None:
    """Athena leaves orphans; which files were there before the failure is the test's choice."""
    world.fail_before = 2
    with pytest.raises(OSError, match="disk is full"):
        world.run(
            "CREATE TABLE o WITH (external_location = 's3://b/o/', partitioned_by = ARRAY['p']) AS "
            "SELECT n, CAST(n AS varchar) AS p FROM UNNEST(sequence(1, 4)) AS t(n)"
        )
    world.fail_before = None
    assert len(world.keys("o/")) == 2
    assert "TABLE_NOT_FOUND" in world.failure("SELECT * FROM o")


# --- what is refused, with its number ---------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "reason", "number"),
    [
        ("SELECT * FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.nope'", 1110),
        ("SELECT\n  nope FROM h", "COLUMN_NOT_FOUND: line 2:3: Column 'nope' cannot", 1006),
        ("SELECT * FROM x.y.z", "CATALOG_NOT_FOUND: line 1:15: Catalog 'x' does not exist", 1301),
        ("SELECT nothing(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nothing'", 1303),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero", 1001),
        ("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to INT", 1001),
        ("DELETE FROM h", "NOT_SUPPORTED: Modifying Hive table rows is not supported", 1200),
        ("TRUNCATE TABLE h", "NOT_SUPPORTED: Queries of this type are not supported", 1202),
        (
            "DROP TABLE nope",
            "FAILED: SemanticException [Error 10001]: Table not found db.nope",
            1003,
        ),
        ("SELEC 1", "SYNTAX_ERROR: line 1:1: mismatched input 'SELEC'", 1006),
        ("EXECUTE nope", "NOT_FOUND: PreparedStatement nope was not found", 1300),
        (
            "CREATE TABLE z WITH (nope = 1) AS SELECT 1 AS a",
            "INVALID_TABLE_PROPERTY: line 1:1: Catalog 'awsdatacatalog' table property 'nope'",
            1103,
        ),
    ],
)
def test_failures_have_athena_s_numbers(table: World, sql: str, reason: str, number: int) -> None:
    found = error_of(table, sql)
    assert found["ErrorMessage"].startswith(reason)
    assert (found["ErrorCategory"], found["ErrorType"], found["Retryable"]) == (2, number, False)


def test_our_own_defects_are_the_system_s() -> None:
    failure = AthenaFailure("GENERIC_INTERNAL_ERROR", "oh")
    assert (failure.category(), failure.error_type()) == (1, 9999)


UNSUPPORTED = (
    "ALTER TABLE h ARCHIVE PARTITION (p = 'k')",
    "ALTER TABLE h CLUSTERED BY (a) INTO 2 BUCKETS",
    "ALTER TABLE h EXCHANGE PARTITION (p = 'k') WITH TABLE g",
    "ALTER TABLE h NOT CLUSTERED",
    "ALTER TABLE h NOT SKEWED",
    "ALTER TABLE h NOT SORTED",
    "ALTER TABLE h NOT STORED AS DIRECTORIES",
    "ALTER TABLE h PARTITION (p = 'k') CHANGE COLUMN a a bigint",
    "ALTER TABLE h PARTITION (p = 'k') COMPACT 'major'",
    "ALTER TABLE h PARTITION (p = 'k') CONCATENATE",
    "ALTER TABLE h PARTITION (p = 'k') SET FILEFORMAT ORC",
    "ALTER TABLE h RENAME TO g",
    "ALTER TABLE h SET SERDEPROPERTIES ('a' = 'b')",
    "ALTER TABLE h SET SKEWED LOCATION (1 = 's3://b/x/')",
    "ALTER TABLE h SKEWED BY (a) ON (1)",
    "ALTER TABLE h TOUCH",
    "ALTER TABLE h UNARCHIVE PARTITION (p = 'k')",
    "COMMIT",
    "CREATE INDEX i ON TABLE h (a) AS 'x'",
    "CREATE ROLE r",
    "CREATE TABLE g LIKE h",
    "CREATE EXTERNAL TABLE g LIKE h LOCATION 's3://b/g/'",
    "CREATE TEMPORARY MACRO m(x int) x + 1",
    "DESCRIBE DATABASE db",
    "DFS -ls /",
    "DROP INDEX i ON h",
    "DROP ROLE r",
    "DROP TEMPORARY MACRO m",
    "EXPORT TABLE h TO 's3://b/x/'",
    "GRANT ROLE r TO USER u",
    "IMPORT TABLE g FROM 's3://b/x/'",
    "LOCK DATABASE db SHARED",
    "LOCK TABLE h SHARED",
    "REVOKE ROLE r FROM USER u",
    "ROLLBACK",
    "SHOW COMPACTIONS",
    "SHOW CURRENT ROLES",
    "SHOW GRANT ON h",
    "SHOW INDEXES ON h",
    "SHOW LOCKS",
    "SHOW PRINCIPALS r",
    "SHOW ROLE GRANT USER u",
    "SHOW ROLES",
    "SHOW STATS FOR h",
    "SHOW TRANSACTIONS",
    "START TRANSACTION",
    "UNLOCK DATABASE db",
    "UNLOCK TABLE h",
)
"""The user guide's list of unsupported DDL, a statement each (DELETE FROM has words of its own)."""


@pytest.mark.parametrize("sql", UNSUPPORTED)
def test_unsupported_ddl(table: World, sql: str) -> None:
    assert table.failure(sql) == "NOT_SUPPORTED: Queries of this type are not supported"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "INSERT OVERWRITE h SELECT 1, 'x', 'k'",
            "SYNTAX_ERROR: line 1:8: mismatched input 'OVERWRITE'. Expecting: 'INTO'",
        ),
        (
            "INSERT INTO TABLE h SELECT 1, 'x', 'k'",
            "SYNTAX_ERROR: line 1:13: mismatched input 'TABLE'. Expecting: <identifier>",
        ),
        (
            "INSERT INTO h SELECT 1, 2, 'k'",
            (
                "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: "
                "[integer, varchar, varchar], Query: [integer, integer, varchar"
            ),
        ),
        ("INSERT INTO h (a, nope) SELECT 1, 2", "does not exist in target table: nope"),
        ("INSERT INTO h (a, a) SELECT 1, 2", "Insert column name is specified more than once"),
    ],
)
def test_inserts_that_are_refused(table: World, sql: str, reason: str) -> None:
    assert table.failure(sql).startswith(reason) or reason in table.failure(sql)


# --- names ---


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE EXTERNAL TABLE e (date string) LOCATION 's3://b/e/'",
        "CREATE EXTERNAL TABLE e (a string) PARTITIONED BY (date string) LOCATION 's3://b/e/'",
        "CREATE EXTERNAL TABLE table (a string) LOCATION 's3://b/e/'",
        "ALTER TABLE h ADD COLUMNS (order int)",
        "CREATE DATABASE user",
    ],
)
def test_reserved_words_of_ddl_need_backticks(table: World, sql: str) -> None:
    assert table.failure(sql).startswith("FAILED: ParseException line 1:")


def test_words_between_backticks_are_names(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE `order` (`date` string, `_id` int, `1st` int, `Select` int) "
        "STORED AS PARQUET LOCATION 's3://b/e/'"
    )
    found = world.athena.query('SELECT "date", _id, "1st", "select" FROM "order"', "db").columns
    assert [name for name, _ in found] == ["date", "_id", "1st", "select"]


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("SELECT order FROM h", "1:8"),
        ("SELECT a FROM h GROUP a", "1:17"),
        ("SELECT a AS end FROM h", "1:13"),
        ("WITH t AS (SELECT 1 AS from) SELECT * FROM t", "1:24"),
    ],
)
def test_reserved_words_of_queries_need_double_quotes(table: World, sql: str, place: str) -> None:
    assert table.failure(sql).startswith(f"SYNTAX_ERROR: line {place}: mismatched input")


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT "order" FROM (SELECT 1 AS "order") GROUP BY 1 ORDER BY 1',
        "SELECT listagg(b, ',') WITHIN GROUP (ORDER BY a) FROM h",
        "SELECT CAST(a AS varchar), date FROM (SELECT 1 AS a, 2 AS date)",
        "SELECT sum(a) OVER (PARTITION BY b ORDER BY a) FROM h",
    ],
)
def test_words_that_are_no_names_or_are_not_reserved(table: World, sql: str) -> None:
    assert len(table.rows(sql)) == 1


# --- views ---


@pytest.fixture
def views(table: World) -> World:
    table.run("CREATE VIEW v AS SELECT * FROM h")
    table.run("CREATE VIEW w AS SELECT a, b FROM v")
    return table


def test_views_of_views(views: World) -> None:
    assert views.rows("SELECT * FROM w") == [(1, "x")]


def test_a_view_whose_star_gives_more_is_stale(views: World) -> None:
    assert views.rows("SELECT * FROM w") == [(1, "x")]
    views.run("ALTER TABLE h ADD COLUMNS (extra int)")
    reason = (
        "View 'awsdatacatalog.db.v' is stale or in invalid state: stored view column count (3) "
        "does not match column count derived from the view query analysis (4)"
    )
    assert views.failure("SELECT * FROM v") == f"VIEW_IS_STALE: line 1:15: {reason}"
    assert reason in views.failure("SELECT * FROM w")
    views.run("CREATE OR REPLACE VIEW v AS SELECT * FROM h")
    assert views.rows("SELECT * FROM w") == [(1, "x")]


def test_a_view_of_other_types_is_stale(views: World) -> None:
    views.run("DROP TABLE h")
    views.run("CREATE TABLE h WITH (external_location='s3://b/g/') AS SELECT 1 a, 2 b, 'k' p")
    assert (
        "column [b] of type integer projected from query view at position 1 cannot be coerced to "
        "column [b] of type varchar stored in view definition"
    ) in views.failure("SELECT * FROM v")


def test_a_view_without_its_table_is_invalid(views: World) -> None:
    views.run("DROP TABLE h")
    assert views.failure("SELECT * FROM v") == (
        "INVALID_VIEW: line 1:15: Failed analyzing stored view 'awsdatacatalog.db.v': line 1:15: "
        "Table 'awsdatacatalog.db.h' does not exist"
    )
    assert error_of(views, "SELECT * FROM w")["ErrorType"] == 1107


def test_a_view_may_not_read_itself(views: World) -> None:
    assert views.failure("CREATE OR REPLACE VIEW v AS SELECT a, b, b AS p FROM w") == (
        "VIEW_IS_RECURSIVE: line 1:1: Statement would create a recursive view"
    )


# --- projection ---


@pytest.mark.parametrize(
    ("keys", "properties", "reason"),
    [
        ("k string", "'projection.k.type'='enum'", "projection.k.values is required"),
        ("k string", "'projection.k.type'='list'", "Unknown projection type list of column k"),
        ("k int", "'projection.k.type'='integer'", "projection.k.range is required"),
        (
            "k int",
            "'projection.k.type'='integer', 'projection.k.range'='1,NOW'",
            "Invalid projection.k.range: '1,NOW' is not two whole numbers",
        ),
        (
            "k int",
            "'projection.k.type'='integer', 'projection.k.range'='1-5'",
            "Invalid projection.k.range: '1-5'",
        ),
        (
            "k int",
            "'projection.k.type'='integer', 'projection.k.range'='0,9223372036854775808'",
            "Invalid projection.k.range",
        ),
        (
            "k int",
            "'projection.k.type'='integer','projection.k.range'='1,5','projection.k.interval'='0'",
            "Invalid projection.k.interval: '0' is not a positive whole number",
        ),
        (
            "k int",
            "'projection.k.type'='integer','projection.k.range'='1,5','projection.k.digits'='two'",
            "Invalid projection.k.digits: 'two' is not a positive whole number",
        ),
        ("k string", "'projection.k.type'='date'", "projection.k.format is required"),
        (
            "k string",
            "'projection.k.type'='date','projection.k.format'='yyyy-MM-dd'",
            "projection.k.range is required",
        ),
        (
            "k string",
            (
                "'projection.k.type'='date','projection.k.format'='yyyy-MM-dd',"
                "'projection.k.range'='2013-01-01'"
            ),
            "is not two dates with a comma between them",
        ),
        (
            "k string",
            (
                "'projection.k.type'='date','projection.k.format'='yyyy-MM-dd-HH',"
                "'projection.k.range'='2013-01-01-00,NOW'"
            ),
            "interval and interval.unit are required for this format",
        ),
        (
            "k string",
            (
                "'projection.k.type'='date','projection.k.format'='yyyy-MM-dd',"
                "'projection.k.range'='2013-01-01,NOW','projection.k.interval'='1',"
                "'projection.k.interval.unit'='FORTNIGHTS'"
            ),
            "interval unit FORTNIGHTS",
        ),
        ("k int", "'projection.k.type'='injected'", "Injected projection is for text columns only"),
        (
            "k string, l string",
            (
                "'projection.k.type'='enum','projection.k.values'='a',"
                "'projection.l.type'='enum','projection.l.values'='b',"
                "'storage.location.template'='s3://b/t/${k}/'"
            ),
            "is missing partition column: 'l' placeholder",
        ),
    ],
)
def test_projections_that_are_wrong(world: World, keys: str, properties: str, reason: str) -> None:
    world.run(PROJECTED.format(keys=keys, properties=properties))
    found = error_of(world, "SELECT * FROM t")
    assert found["ErrorMessage"].startswith("HIVE_METASTORE_ERROR: ")
    assert reason in found["ErrorMessage"]
    assert found["ErrorType"] == 204


@pytest.mark.parametrize(
    ("keys", "properties", "wanted"),
    [
        (
            "k string",
            "'projection.k.type'=' Enum ','projection.k.values'='a, b'",
            [("a",), (" b",)],
        ),
        (
            "k string",
            "'projection.k.type'='integer','projection.k.range'='1,3','projection.k.digits'='2'",
            [("01",), ("02",), ("03",)],
        ),
        (
            "k string",
            "'projection.k.type'='integer','projection.k.range'='1,3','projection.k.interval'='2'",
            [("1",), ("3",)],
        ),
        (
            "k string",
            "'projection.k.type'='integer','projection.k.range'='-1, 0001'",
            [("-1",), ("0",), ("1",)],
        ),
        (
            "k string",
            (
                "'projection.k.type'='date','projection.k.format'='yyyyMM',"
                "'projection.k.range'='201211,NOW+1MONTH'"
            ),
            [("201211",), ("201212",), ("201301",), ("201302",)],
        ),
        (
            "k string",
            (
                "'projection.k.type'='date','projection.k.format'='yyyy-MM',"
                "'projection.k.range'='2012-10,2013-01','projection.k.interval'='2',"
                "'projection.k.interval.unit'='months'"
            ),
            [("2012-10",), ("2012-12",)],
        ),
        (
            "k string",
            (
                "'projection.k.type'='date','projection.k.format'='yyyy-MM-dd',"
                "'projection.k.range'=' NOW - 1 DAY ,NOW'"
            ),
            [("2013-01-09",), ("2013-01-10",)],
        ),
        (
            "k string",
            (
                "'projection.k.type'='date','projection.k.format'='dd-MM-yyyy-HH',"
                "'projection.k.range'='NOW-6HOURS,NOW','projection.k.interval'='3',"
                "'projection.k.interval.unit'='HOURS'"
            ),
            [("10-01-2013-06",), ("10-01-2013-09",), ("10-01-2013-12",)],
        ),
        (
            "k string",
            (
                "'projection.k.type'='date','projection.k.format'='yyyy-MM-dd',"
                "'projection.k.range'='2012-12-30,2013-01-10','projection.k.interval'='1',"
                "'projection.k.interval.unit'='WEEKS'"
            ),
            [("2012-12-30",), ("2013-01-06",)],
        ),
    ],
)
def test_values_of_projections(
    world: World, keys: str, properties: str, wanted: list[tuple[str]]
) -> None:
    """The world's clock stands at 2013-01-10 12:00 UTC."""
    world.run(PROJECTED.format(keys=keys, properties=properties))
    assert sorted(world.rows('SELECT * FROM "t$partitions"')) == sorted(wanted)


DAYS = (
    "'projection.dt.type'='date','projection.dt.format'='yyyy-MM-dd',"
    "'projection.dt.range'='2013-01-01,NOW'"
)


def test_registered_partitions_do_not_count_beside_a_projection(world: World) -> None:
    world.run(PROJECTED.format(keys="dt string", properties=DAYS))
    world.put("t/dt=2013-01-01/x.json", '{"n": 1}')
    world.put("elsewhere/x.json", '{"n": 9}')
    world.run("ALTER TABLE t ADD PARTITION (dt = '2013-01-02') LOCATION 's3://b/elsewhere/'")
    world.run("ALTER TABLE t ADD PARTITION (dt = '2099-01-01') LOCATION 's3://b/elsewhere/'")
    assert world.rows("SELECT * FROM t") == [(1, "2013-01-01")]
    identity = world.run("SHOW PARTITIONS t")["QueryExecutionId"]
    rows = world.athena.get_query_results(QueryExecutionId=identity)["ResultSet"]["Rows"]
    assert [row["Data"][0]["VarCharValue"] for row in rows] == ["dt=2013-01-02", "dt=2099-01-01"]


def test_an_insert_writes_where_hive_would_whatever_the_template_says(world: World) -> None:
    world.run(
        PROJECTED.replace("org.openx.data.jsonserde", "org.apache.hive.hcatalog.data").format(
            keys="dt string",
            properties=f"{DAYS},'storage.location.template'='s3://b/t/${{dt}}/'",
        )
    )
    world.run("INSERT INTO t SELECT 1, '2013-01-02'")
    assert world.keys("t/dt=2013-01-02/")
    assert world.rows("SELECT * FROM t") == []
    assert world.catalog.get_partitions(DatabaseName="db", TableName="t")["Partitions"] == []


def test_values_outside_of_a_range_are_written_and_not_read(world: World) -> None:
    world.run(
        PROJECTED.replace("org.openx.data.jsonserde", "org.apache.hive.hcatalog.data").format(
            keys="dt string", properties=DAYS
        )
    )
    world.run("INSERT INTO t SELECT 1, '2099-01-01' UNION ALL SELECT 2, '2013-01-02'")
    assert world.keys("t/dt=2099-01-01/")
    assert world.rows("SELECT n FROM t") == [(2,)]
    assert world.rows("SELECT n FROM t WHERE dt = '2099-01-01'") == []


def test_a_scan_reads_a_million_partitions_at_most(world: World) -> None:
    world.run(
        PROJECTED.format(
            keys="k int, l int",
            properties="'projection.k.type'='integer','projection.k.range'='1,1001',"
            "'projection.l.type'='integer','projection.l.range'='1,1000'",
        )
    )
    assert world.failure("SELECT * FROM t") == (
        "HIVE_EXCEEDED_PARTITION_LIMIT: Query over table 'db.t' can potentially read more than "
        "1000000 partitions"
    )


def test_msck_finds_hive_s_folders_only(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE m (n int) PARTITIONED BY (dt string, h string) STORED AS PARQUET "
        "LOCATION 's3://b/m/'"
    )
    for key in ("dt=1/h=2/x", "1/2/x", "dt=1/x", "h=2/dt=3/x", "dt=4/h=5/more/x"):
        world.put(f"m/{key}", "")
    world.run("MSCK REPAIR TABLE m")
    found = world.catalog.get_partitions(DatabaseName="db", TableName="m")["Partitions"]
    assert [each["Values"] for each in found] == [["1", "2"], ["4", "5"]]
