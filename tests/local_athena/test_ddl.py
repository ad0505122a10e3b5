"""DDL and utility statements: what they leave in the catalogue, in files and in their output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena import InvalidRequest, LocalAthena
from runner.local.glue import GlueCatalog

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

GROK = r"""
CREATE EXTERNAL TABLE g (at string, level string, took int, nothing string)
ROW FORMAT SERDE 'com.amazonaws.glue.serde.GrokSerDe'
WITH SERDEPROPERTIES (
  'input.grokCustomPatterns' = 'TOOK [0-9]+',
  'input.format' = '%{TIMESTAMP_ISO8601:at} %{LOGLEVEL:level} \\(%{TOOK:took} ms\\)')
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://b/g/'
"""
WIDE = r"""
CREATE EXTERNAL TABLE IF NOT EXISTS `db.wide` (
  `a` INTEGER COMMENT 'it\'s',
  b decimal, c Decimal(5), d varchar (10) COMMENT "a \"b\"",
  e struct<`x`: int COMMENT 'in', y: array<map<string, BIGINT>>>
)
COMMENT 'all of it'
PARTITIONED BY (dt string COMMENT 'day', n int)
CLUSTERED BY (a, b) SORTED BY (a DESC) INTO 4 BUCKETS
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
  COLLECTION ITEMS TERMINATED BY '\002' MAP KEYS TERMINATED BY ':' LINES TERMINATED BY '\n'
  NULL DEFINED AS '-'
STORED AS TEXTFILE
LOCATION 's3://b/wide/'
TBLPROPERTIES ("skip.header.line.count" = "1", 'n' = 4)
"""


def lines(world: World, sql: str, **more: Any) -> list[str]:  # noqa: ANN401
    """Run a statement; gives its result's rows, the cells between tabs."""
    identity = world.run(sql, **more)["QueryExecutionId"]
    found = world.athena.get_query_results(QueryExecutionId=identity)["ResultSet"]["Rows"]
    return ["\t".join(cell.get("VarCharValue", "") for cell in row["Data"]) for row in found]


def table(world: World, name: str) -> dict[str, Any]:
    found: dict[str, Any] = world.catalog.get_table(DatabaseName="db", Name=name)["Table"]
    return found


def partitions(world: World, name: str) -> dict[tuple[str, ...], str]:
    found = world.catalog.get_partitions(DatabaseName="db", TableName=name)["Partitions"]
    return {tuple(p["Values"]): p["StorageDescriptor"].get("Location", "") for p in found}


def test_every_clause_of_create_external_table(world: World) -> None:
    world.run(WIDE)
    found = table(world, "wide")
    storage = found["StorageDescriptor"]
    assert storage["Columns"] == [
        {"Name": "a", "Type": "int", "Comment": "it's"},
        {"Name": "b", "Type": "decimal(10,0)"},
        {"Name": "c", "Type": "decimal(5,0)"},
        {"Name": "d", "Type": "varchar(10)", "Comment": 'a "b"'},
        {"Name": "e", "Type": "struct<x:int,y:array<map<string,bigint>>>"},
    ]
    assert found["PartitionKeys"] == [
        {"Name": "dt", "Type": "string", "Comment": "day"},
        {"Name": "n", "Type": "int"},
    ]
    assert storage["BucketColumns"] == ["a", "b"]
    assert storage["NumberOfBuckets"] == 4
    assert storage["SortColumns"] == [{"Column": "a", "SortOrder": 0}]
    assert storage["SerdeInfo"]["Parameters"] == {
        "field.delim": "\t",
        "escape.delim": "\\",
        "collection.delim": "\x02",
        "mapkey.delim": ":",
        "line.delim": "\n",
        "serialization.null.format": "-",
        "serialization.format": "\t",
    }
    assert found["Parameters"]["n"] == "4"
    assert found["Description"] == "all of it"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("b decimal", "b money", "line 4:5: mismatched input 'money'. Expecting: <type>"),
        ("b decimal", "a int", "Duplicate column name: a"),
        ("dt string", "a string", "Duplicate column name: a"),
        ("LOCATION 's3://b/wide/'", "", "LOCATION of an external table is missing"),
        ("'s3://b/wide/'", "'/tmp/x'", "not an S3 path"),
        ("STORED AS TEXTFILE", "STORED AS XML", "Unrecognized file format"),
        ("COMMENT 'all of it'", "LOCATION 's3://b/x/'", "mismatched input 'PARTITIONED'"),
        ("BY (dt", "BY ((dt", "Expecting: <identifier>"),
    ],
)
def test_what_create_external_table_refuses(world: World, old: str, new: str, reason: str) -> None:
    assert reason in world.failure(WIDE.replace(old, new))


def test_a_table_without_location_lies_below_its_database(world: World) -> None:
    world.run("CREATE DATABASE placed LOCATION 's3://b/placed/'")
    world.run("CREATE EXTERNAL TABLE placed.t (a int) STORED AS PARQUET")
    found = world.catalog.get_table(DatabaseName="placed", Name="t")["Table"]
    assert found["StorageDescriptor"]["Location"] == "s3://b/placed/t"


def test_show_create_table(world: World) -> None:
    world.run(WIDE)
    found = lines(world, "SHOW CREATE TABLE wide")
    assert found[0] == "CREATE EXTERNAL TABLE `wide`("
    assert found[1] == r"  `a` int COMMENT 'it\'s', "
    assert found[6:9] == [
        "COMMENT 'all of it'",
        "PARTITIONED BY ( ",
        "  `dt` string COMMENT 'day', ",
    ]
    assert "LOCATION" in found
    assert "  'field.delim'='\\t', " in found
    assert found[-1].endswith(")")
    qualified = lines(world, "SHOW CREATE TABLE `db`.`wide`")
    assert qualified[0] == "CREATE EXTERNAL TABLE `db.wide`("


def test_describe_formatted_follows_the_guide(world: World) -> None:
    world.run(GROK)
    found = lines(world, "DESCRIBE FORMATTED g")
    assert found[0] == "at                  \tstring              \tfrom deserializer   "
    details = found.index("# Detailed Table Information\t \t ")
    assert found[details + 1] == "Database:           \tdb                  \t "
    storage = found.index("# Storage Information\t \t ")
    assert found[storage + 1] == "SerDe Library:      \tcom.amazonaws.glue.serde.GrokSerDe\t "
    assert found[storage + 5] == "Num Buckets:        \t-1                  \t "
    assert "Table(tableName:g, dbName:db, " in lines(world, "DESCRIBE EXTENDED g")[-1]


def test_describe_a_column_and_a_partition(world: World) -> None:
    world.run(WIDE)
    assert lines(world, "DESCRIBE wide a")[0].split() == ["a", "int", "it's"]
    assert lines(world, "DESCRIBE wide e.y.'$elem$'.'$value$'")[0].split()[:2] == [
        "$value$",
        "bigint",
    ]
    assert "Invalid column reference z" in world.failure("DESCRIBE wide e.z")
    world.run("ALTER TABLE wide ADD PARTITION (dt = 'x', n = 1) LOCATION 's3://b/elsewhere/'")
    found = lines(world, "DESCRIBE FORMATTED wide PARTITION (n = 1, dt = 'x')")
    assert "Partition Value:    \t[x, 1]              \t " in found
    assert "Location:           \ts3://b/elsewhere/   \t " in found


def test_show_properties(world: World) -> None:
    world.run(WIDE)
    assert "skip.header.line.count\t1" in lines(world, "SHOW TBLPROPERTIES wide")
    assert lines(world, "SHOW TBLPROPERTIES wide('n')") == ["4"]
    assert lines(world, "SHOW TBLPROPERTIES wide('m')") == [
        "Table db.wide does not have property: m"
    ]


def test_show_create_view(world: World) -> None:
    world.run("CREATE VIEW v COMMENT 'one' AS SELECT 1 AS n")
    assert table(world, "v")["Description"] == "one"
    assert lines(world, "SHOW CREATE VIEW v") == ["CREATE VIEW db.v AS", "SELECT 1 n"]
    world.run("CREATE EXTERNAL TABLE t (n int) LOCATION 's3://b/t/'")
    assert "is a table, not a view" in world.failure("SHOW CREATE VIEW t")


def test_patterns_of_names(world: World) -> None:
    for name in ("web_logs", "app_logs", "other"):
        world.run(f"CREATE EXTERNAL TABLE {name} (n int) LOCATION 's3://b/t/'")
    assert lines(world, "SHOW TABLES '*logs'") == ["app_logs", "web_logs"]
    assert lines(world, "SHOW TABLES 'web*|other'") == ["other", "web_logs"]
    assert lines(world, "SHOW DATABASES LIKE '.*b'") == ["db"]


def test_grok_tables_are_read(world: World) -> None:
    world.run(GROK)
    world.put("g/x.log", "2020-01-02T03:04:05Z INFO (17 ms)\nnonsense\n")
    assert world.rows("SELECT * FROM g") == [
        ("2020-01-02T03:04:05Z", "INFO", 17, None),
        (None, None, None, None),
    ]


def test_partitions_are_dropped_by_comparison(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE p (a int) PARTITIONED BY (y int, m string) LOCATION 's3://b/p/'"
    )
    world.run(
        "ALTER TABLE p ADD PARTITION (y = 9, m = 'a') PARTITION (y = 10, m = 'a') "
        "PARTITION (y = 10, m = 'b') LOCATION 's3://b/far/'"
    )
    assert partitions(world, "p")["10", "b"] == "s3://b/far/"
    world.run("ALTER TABLE p PARTITION (y = 10, m = 'b') RENAME TO PARTITION (y = 11, m = 'c')")
    assert partitions(world, "p")["11", "c"] == "s3://b/far/"
    world.run("ALTER TABLE p DROP PARTITION (y < 11, m = 'a')")
    assert set(partitions(world, "p")) == {("11", "c")}
    assert "Partition not found (y = 1)" in world.failure("ALTER TABLE p DROP PARTITION (y = 1)")
    world.run("ALTER TABLE p DROP IF EXISTS PARTITION (y = 1)")
    assert "AlreadyExists" in world.failure("ALTER TABLE p ADD PARTITION (y = 11, m = 'c')")
    assert "Non-Partition column" in world.failure("ALTER TABLE p ADD PARTITION (a = 1, m = 'c')")


def test_a_moved_partition_is_read_where_it_is_now(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE p (a int) PARTITIONED BY (y int) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://b/p/'"
    )
    world.put("p/y=1/x.csv", "1\n")
    world.put("moved/x.csv", "2\n")
    assert lines(world, "MSCK REPAIR TABLE p") == [
        "Partitions not in metastore:\tp:y=1",
        "Repair: Added partition to metastore p:y=1",
    ]
    assert world.rows("SELECT * FROM p") == [(1, 1)]
    world.run("ALTER TABLE p PARTITION (y = 1) SET LOCATION 's3://b/moved/'")
    assert world.rows("SELECT * FROM p") == [(2, 1)]


def test_many_partitions_are_added_and_dropped_in_batches(world: World) -> None:
    world.run("CREATE EXTERNAL TABLE p (a int) PARTITIONED BY (y int) LOCATION 's3://b/p/'")
    for number in range(230):
        world.put(f"p/y={number}/x.csv", "1\n")
    assert len(lines(world, "MSCK REPAIR TABLE p")) == 231
    more = " ".join(f"PARTITION (y = {number})" for number in range(229, 340))
    assert "AlreadyExists" in world.failure(f"ALTER TABLE p ADD {more}")
    world.run(f"ALTER TABLE p ADD IF NOT EXISTS {more}")
    found = [values for values, _ in world.catalog.partition_places("db", "p")]
    assert sorted(int(value) for (value,) in found) == list(range(340))
    world.run("ALTER TABLE p DROP PARTITION (y >= 30)")
    assert len(list(world.catalog.partition_places("db", "p"))) == 30


class Racing(GlueCatalog):
    """A catalogue in which somebody else changes a table just before we do."""

    others: tuple[str, ...] = ()

    def update_table(self, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        if self.others:
            name, self.others = self.others[0], self.others[1:]
            found = self.get_table(DatabaseName="db", Name="t")["Table"]
            storage = dict(found["StorageDescriptor"])
            storage["Columns"] = [*storage["Columns"], {"Name": name, "Type": "string"}]
            super().update_table(
                DatabaseName="db",
                TableInput={**given["TableInput"], "StorageDescriptor": storage},
            )
        return super().update_table(**given)


def test_columns_added_at_the_same_time_are_all_kept(world: World) -> None:
    world.run("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/t/'")
    catalog = Racing(world.root / "catalog.sqlite")
    raced = replace(world, catalog=catalog)
    raced.athena = LocalAthena(
        world.s3, catalog, world.root / "athena.sqlite", results="s3://r/", cache=world.root / "c"
    )
    catalog.others = ("x", "y")
    raced.run("ALTER TABLE t ADD COLUMNS (b int)")
    catalog.others = ("z",)
    raced.run("ALTER TABLE t CHANGE a a bigint")
    raced.athena.close()
    catalog.close()
    found = table(world, "t")["StorageDescriptor"]["Columns"]
    assert [(each["Name"], each["Type"]) for each in found] == [
        ("a", "bigint"),
        ("x", "string"),
        ("y", "string"),
        ("b", "int"),
        ("z", "string"),
    ]


def test_columns_are_added_changed_and_replaced(world: World) -> None:
    world.run("CREATE TABLE t WITH (external_location = 's3://b/t/') AS SELECT 1 AS a, 2 AS b")
    world.run("ALTER TABLE t ADD COLUMNS (c string COMMENT 'new')")
    assert world.rows("SELECT * FROM t") == [(1, 2, None)]
    world.run("ALTER TABLE t CHANGE COLUMN a a bigint AFTER b")
    assert [(c["Name"], c["Type"]) for c in table(world, "t")["StorageDescriptor"]["Columns"]] == [
        ("b", "int"),
        ("a", "bigint"),
        ("c", "string"),
    ]
    world.run("ALTER TABLE t REPLACE COLUMNS (b int)")
    assert world.rows("SELECT * FROM t") == [(2,)]
    assert "Duplicate column name: b" in world.failure("ALTER TABLE t ADD COLUMNS (b int)")
    world.run("ALTER TABLE t SET LOCATION 's3://b/nowhere/'")
    assert world.rows("SELECT * FROM t") == []


def test_insert_writes_the_tables_own_delimiter(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE t (a int, b string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
        "LOCATION 's3://b/t/' TBLPROPERTIES ('write.compression' = 'NONE')"
    )
    world.run("INSERT INTO t VALUES (1, 'x'), (2, NULL)")
    (key,) = world.keys("t/")
    body = world.s3.get_object(Bucket="b", Key=key)["Body"].read()
    assert body == b"1,x\n2,\\N\n"
    assert world.rows("SELECT * FROM t ORDER BY a") == [(1, "x"), (2, None)]


def test_ctas_in_buckets(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location = 's3://b/t/', bucketed_by = ARRAY['a'], "
        "bucket_count = 3, partitioned_by = ARRAY['p']) AS "
        "SELECT a, IF(a > 4, 'y', 'x') AS p FROM UNNEST(sequence(1, 8)) AS s (a)"
    )
    storage = table(world, "t")["StorageDescriptor"]
    assert (storage["BucketColumns"], storage["NumberOfBuckets"]) == (["a"], 3)
    assert world.rows("SELECT count(*), sum(a) FROM t WHERE p = 'y'") == [(4, 26)]
    assert all("_bucket-0000" in key for key in world.keys("t/"))
    assert world.failure(
        "CREATE TABLE u WITH (bucketed_by = ARRAY['a'], bucket_count = 101) AS "
        "SELECT a FROM UNNEST(sequence(1, 9999)) AS s (a)"
    ) == (
        "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets"
    )
    assert "bucket_count" in world.failure(
        "CREATE TABLE u WITH (bucketed_by = ARRAY['a']) AS SELECT 1 AS a"
    )


def test_ctas_with_a_delimiter(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location = 's3://b/t/', format = 'TEXTFILE', "
        "field_delimiter = '|', write_compression = 'NONE') AS SELECT 1 AS a, 'x' AS b"
    )
    (key,) = world.keys("t/")
    assert world.s3.get_object(Bucket="b", Key=key)["Body"].read() == b"1|x\n"
    assert world.rows("SELECT * FROM t") == [(1, "x")]


def test_unload_writes_files_and_a_manifest(world: World) -> None:
    sql = (
        "UNLOAD (SELECT 1 AS a, 'k' AS p) TO 's3://b/out/' "
        "WITH (format = 'JSON', partitioned_by = ARRAY['p'])"
    )
    execution = world.run(sql)
    assert execution["SubstatementType"] == "UNLOAD"
    (key,) = world.keys("out/")
    assert key.startswith("out/p=k/")
    manifest = world.s3.path_of(execution["Statistics"]["DataManifestLocation"]).read_text()
    assert manifest == f"s3://b/{key}\n"
    assert world.failure(sql).startswith("HIVE_PATH_ALREADY_EXISTS: ")
    assert "needs the property format" in world.failure(
        "UNLOAD (SELECT 1 AS a) TO 's3://b/o/' WITH (compression = 'GZIP')"
    )
    assert "table property 'format' to ['XML']" in world.failure(
        "UNLOAD (SELECT 1 AS a) TO 's3://b/o/' WITH (format = 'XML')"
    )


def test_prepared_statements(world: World) -> None:
    world.run("PREPARE Q FROM SELECT ? || '?' AS a, -? AS b")
    assert lines(world, "EXECUTE Q USING 'it''s', 1 + 2") == ["a\tb", "it's?\t-3"]
    assert lines(world, "EXECUTE Q", ExecutionParameters=["'x'", "2"])[1] == "x?\t-2"
    assert lines(world, "SELECT ? AS n", ExecutionParameters=["5"]) == ["n", "5"]
    assert world.failure("EXECUTE Q USING 1") == (
        "INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 2 but found 1"
    )
    missing = "NOT_FOUND: PreparedStatement q was not found in workGroup primary"
    assert world.failure("EXECUTE q") == missing
    world.run("DEALLOCATE PREPARE Q")
    assert world.failure("DEALLOCATE PREPARE q") == missing


def test_the_store_of_prepared_statements(world: World) -> None:
    store = world.athena.prepared
    for name in ("b", "a"):
        store.create_prepared_statement(
            StatementName=name, WorkGroup="w", QueryStatement="SELECT 1", Description="d"
        )
    page = store.list_prepared_statements(WorkGroup="w", MaxResults=1)
    assert [each["StatementName"] for each in page["PreparedStatements"]] == ["a"]
    rest = store.list_prepared_statements(WorkGroup="w", NextToken=page["NextToken"])
    assert [each["StatementName"] for each in rest["PreparedStatements"]] == ["b"]
    store.update_prepared_statement(StatementName="a", WorkGroup="w", QueryStatement="SELECT 2")
    found = store.get_prepared_statement(StatementName="a", WorkGroup="w")["PreparedStatement"]
    assert found["QueryStatement"] == "SELECT 2"
    with pytest.raises(InvalidRequest) as refused:
        store.get_prepared_statement(StatementName="a", WorkGroup="primary")
    assert refused.value.code == "ResourceNotFoundException"
    with pytest.raises(InvalidRequest):
        store.create_prepared_statement(StatementName="a", WorkGroup="w", QueryStatement="SELECT 1")


def test_explain_tells_the_partitions_that_are_read(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (external_location = 's3://b/t/', partitioned_by = ARRAY['p']) AS "
        "SELECT * FROM (VALUES (1, 'x'), (2, 'y')) AS v (a, p)"
    )
    text = "\n".join(lines(world, "EXPLAIN SELECT a FROM t WHERE p = 'x'"))
    assert text.startswith("Query Plan\n- Output[a] => [[a]]\n")
    assert "        p := p:string:-1:PARTITION_KEY\n            :: [[x]]" in text
    assert "        a := a:int:0:REGULAR" in text
    assert lines(world, "EXPLAIN (TYPE VALIDATE) SELECT a FROM t") == ["Valid", "true"]
    execution = world.run("EXPLAIN ANALYZE SELECT a FROM t")
    assert execution["Statistics"]["DataScannedInBytes"] > 0
    assert "COLUMN_NOT_FOUND" in world.failure("EXPLAIN SELECT nope FROM t")
    assert lines(world, "EXPLAIN INSERT INTO t SELECT a, p FROM t")[1] == "TableCommit[t]"
    assert lines(world, "EXPLAIN CREATE TABLE u AS SELECT a FROM t")[1:3] == [
        "TableCommit[u]",
        "- Output[a] => [[a]]",
    ]
    assert "FORMAT GRAPHVIZ" in world.failure("EXPLAIN (FORMAT GRAPHVIZ) SELECT 1")


def test_databases_are_altered(world: World) -> None:
    world.run("CREATE DATABASE d COMMENT 'c' WITH DBPROPERTIES ('a' = '1')")
    world.run("ALTER SCHEMA d SET DBPROPERTIES ('b' = '2', 'a' = '3')")
    found = world.catalog.get_database(Name="d")["Database"]
    assert (found["Parameters"], found["Description"]) == ({"a": "3", "b": "2"}, "c")
    assert "Database does not exist: e" in world.failure(
        "ALTER DATABASE e SET DBPROPERTIES ('b' = '2')"
    )


@pytest.fixture
def ice(world: World) -> World:
    world.run(
        "CREATE TABLE ice WITH (table_type = 'ICEBERG', location = 's3://b/ice/', "
        "is_external = false, partitioning = ARRAY['month(d)', 'bucket(2, a)']) AS "
        "SELECT 1 AS a, 'x' AS b, DATE '2020-02-03' AS d"
    )
    return world


def test_ctas_makes_iceberg_tables(ice: World) -> None:
    assert ice.rows("SELECT * FROM ice")[0][:2] == (1, "x")
    assert [key for key in ice.keys("ice/data/") if "d_month=2020-02/a_bucket=" in key]
    found = lines(ice, "SHOW CREATE TABLE ice")
    assert found[0] == "CREATE TABLE ice ("
    assert "PARTITIONED BY (month(`d`), bucket(2, `a`))" in found
    ice.run("DROP TABLE ice")
    ice.run("\n".join(found))
    assert ice.rows("SELECT * FROM ice") == []


def test_a_dropped_column_does_not_come_back(ice: World) -> None:
    ice.run("ALTER TABLE ice DROP COLUMN b")
    ice.run("ALTER TABLE ice ADD COLUMNS (b string)")
    assert ice.rows("SELECT a, b FROM ice") == [(1, None)]


def test_a_renamed_column_keeps_its_values(ice: World) -> None:
    ice.run("ALTER TABLE ice CHANGE b letter string FIRST")
    assert ice.rows("SELECT letter, a FROM ice") == [("x", 1)]
    ice.run("ALTER TABLE ice CHANGE letter c string COMMENT 'more'")
    assert ice.rows("SELECT c FROM ice") == [("x",)]
    assert "Cannot change column type" in ice.failure("ALTER TABLE ice CHANGE c c int")
    assert "partition column" in ice.failure("ALTER TABLE ice DROP COLUMN a")
    ice.run("ALTER TABLE ice RENAME TO db.renamed")
    assert ice.rows("SELECT c FROM renamed") == [("x",)]
    assert ice.failure("SELECT 1 FROM ice").startswith("TABLE_NOT_FOUND")


def test_optimize_and_vacuum_leave_the_rows(ice: World) -> None:
    ice.run("INSERT INTO ice VALUES (1, 'y', DATE '2020-02-04')")
    ice.run("OPTIMIZE ice REWRITE DATA USING BIN_PACK")
    assert len(ice.keys("ice/data/")) == 2  # five small files would be enough
    ice.run("ALTER TABLE ice SET TBLPROPERTIES ('optimize_rewrite_data_file_threshold' = '2')")
    ice.run("OPTIMIZE ice REWRITE DATA USING BIN_PACK WHERE d > DATE '2020-01-01'")
    assert len(ice.keys("ice/data/")) == 3
    ice.run("VACUUM ice")
    assert len(ice.keys("ice/data/")) == 3  # the older snapshots are younger than five days
    ice.run("ALTER TABLE ice SET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds' = '0')")
    ice.run("VACUUM ice")
    assert len(ice.keys("ice/data/")) == 1
    assert ice.rows("SELECT b FROM ice ORDER BY b") == [("x",), ("y",)]
    ice.run("ALTER TABLE ice SET TBLPROPERTIES ('write_compression' = 'snappy')")
    assert table(ice, "ice")["Parameters"]["write.compression"] == "SNAPPY"
    ice.run("ALTER TABLE ice UNSET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds')")
    assert "Unsupported table property" in ice.failure(
        "ALTER TABLE ice SET TBLPROPERTIES ('x'='1')"
    )


@pytest.mark.parametrize(
    "sql", ["SHOW LOCKS", "GRANT ROLE a", "START TRANSACTION", "DESCRIBE DATABASE db"]
)
def test_what_the_guide_lists_as_unsupported(world: World, sql: str) -> None:
    assert world.failure(sql) == "NOT_SUPPORTED: Queries of this type are not supported"


def test_glue_knows_partitions_whole(world: World) -> None:
    """Clients copy a partition's storage and parameters to another table."""
    world.run(
        "CREATE TABLE made WITH (external_location='s3://b/made/', partitioned_by=ARRAY['n']) "
        "AS SELECT 'a' AS x, 1 AS n"
    )
    world.run("INSERT INTO made SELECT 'b', 2")
    world.run("ALTER TABLE made ADD PARTITION (n=3) LOCATION 's3://b/elsewhere/'")
    key = {"DatabaseName": "db", "TableName": "made"}
    table = world.catalog.get_table(DatabaseName="db", Name="made")["Table"]
    found = world.catalog.get_partitions(**key)["Partitions"]
    assert [each["StorageDescriptor"] for each in found] == [
        {**table["StorageDescriptor"], "Location": f"s3://b/{place}"}
        for place in ("made/n=1", "made/n=2", "elsewhere/")
    ]
    assert [each["Parameters"] for each in found] == [{}, {}, {}]
