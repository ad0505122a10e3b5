"""Iceberg tables of the local Athena: snapshots, one commit a statement, MERGE as Trino has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.athena.iceberg import read_snapshot
from runner.local.athena.icebergs.document import Document
from runner.local.athena.icebergs.manifests import DELETED
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

CREATE = (
    "CREATE TABLE `db`.`t` (`id` int, `name` string, `dt` string) PARTITIONED BY (`dt`) "
    "LOCATION 's3://b/t/' TBLPROPERTIES ('table_type'='ICEBERG', 'format'='parquet', "
    "'write_compression'='zstd')"
)
ROWS = [(1, "a", "x"), (2, "b", "x"), (3, "c", "y")]


@pytest.fixture
def table(world: World) -> World:
    world.run(CREATE)
    world.run("INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'x'), (3, 'c', 'y')")
    return world


def all_rows(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT id, name, dt FROM t ORDER BY id, name")


def test_rows_that_are_inserted_are_read(table: World) -> None:
    assert all_rows(table) == ROWS
    assert table.rows("SELECT count(*) FROM t WHERE dt = 'x'") == [(2,)]


def test_the_catalogue_says_what_clients_look_for(table: World) -> None:
    found = table.catalog.get_table(DatabaseName="db", Name="t")["Table"]
    assert found["Parameters"]["table_type"] == "ICEBERG"
    assert found["Parameters"]["metadata_location"].startswith("s3://b/t/metadata/00001-")
    assert found["PartitionKeys"] == []
    assert [(c["Name"], c["Type"]) for c in found["StorageDescriptor"]["Columns"]] == [
        ("id", "int"),
        ("name", "string"),
        ("dt", "string"),
    ]


def test_merge_updates_deletes_and_inserts_in_one_commit(table: World) -> None:
    before = table.catalog.get_table(DatabaseName="db", Name="t")["Table"]["VersionId"]
    table.run(
        "MERGE INTO db.t AS t USING (SELECT * FROM (VALUES (1, 'A', 'x', false), "
        "(2, NULL, 'x', true), (9, 'z', 'z', false)) AS v (id, name, dt, gone)) AS s "
        'ON t."id" = s."id" '
        "WHEN MATCHED AND s.gone THEN DELETE "
        "WHEN MATCHED AND t.name IS DISTINCT FROM s.name THEN UPDATE SET name = s.name "
        "WHEN NOT MATCHED AND NOT s.gone THEN INSERT (id, dt, name) VALUES (s.id, s.dt, s.name)"
    )
    assert all_rows(table) == [(1, "A", "x"), (3, "c", "y"), (9, "z", "z")]
    after = table.catalog.get_table(DatabaseName="db", Name="t")["Table"]["VersionId"]
    assert int(after) == int(before) + 1


def test_the_first_clause_that_fits_decides(table: World) -> None:
    table.run(
        "MERGE INTO t USING (SELECT 1 AS id UNION ALL SELECT 2) s ON t.id = s.id "
        "WHEN MATCHED AND CASE WHEN s.id = 1 THEN true ELSE false END THEN UPDATE SET name = 'one' "
        "WHEN MATCHED THEN UPDATE SET name = upper(t.name), id = t.id + 10"
    )
    assert all_rows(table) == [(1, "one", "x"), (3, "c", "y"), (12, "B", "x")]


def test_a_source_may_be_a_table_and_insert_may_name_no_columns(table: World) -> None:
    table.run(
        "CREATE TABLE other WITH (format = 'PARQUET', external_location = 's3://b/o/') AS "
        "SELECT 7 AS id, 'g' AS name, 'x' AS dt"
    )
    table.run(
        "MERGE INTO t USING other ON t.id = other.id "
        "WHEN NOT MATCHED THEN INSERT VALUES (other.id, other.name, other.dt)"
    )
    assert all_rows(table) == [*ROWS, (7, "g", "x")]


def test_a_target_row_that_two_source_rows_match_fails_the_statement(table: World) -> None:
    keys = table.keys("t/metadata")
    assert table.failure(
        "MERGE INTO t USING (SELECT 1 AS id UNION ALL SELECT 1) AS s ON t.id = s.id "
        "WHEN MATCHED THEN DELETE"
    ) == (
        "MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row matched more than one "
        "source row"
    )
    assert all_rows(table) == ROWS
    assert table.keys("t/metadata") == keys


def test_files_of_partitions_without_changes_stay(table: World) -> None:
    before = set(table.keys("t/data/dt=y"))
    table.run("DELETE FROM t WHERE dt = 'x' AND id = 1")
    assert all_rows(table) == ROWS[1:]
    assert {url for url in data_files(table) if "dt=y" in url} == {f"s3://b/{k}" for k in before}


def current(world: World) -> dict[str, Any]:
    found = world.catalog.get_table(DatabaseName="db", Name="t")["Table"]
    key = found["Parameters"]["metadata_location"].removeprefix("s3://b/")
    body = world.s3.get_object(Bucket="b", Key=key)["Body"].read()
    value: dict[str, Any] = json.loads(body)
    return value


def data_files(world: World) -> list[str]:
    """Give the data files of the current snapshot."""
    document = Document(current(world))
    _, entries = read_snapshot(world.s3, document, document.current())
    return [each.file.url for one in entries for each in one if each.status != DELETED]


def test_update_and_delete_of_rows(table: World) -> None:
    table.run("UPDATE t SET name = name || '!' WHERE id >= 2")
    assert all_rows(table) == [(1, "a", "x"), (2, "b!", "x"), (3, "c!", "y")]
    table.run("DELETE FROM t")
    assert all_rows(table) == []


def test_values_of_changes_are_cast_to_their_columns(table: World) -> None:
    table.run("UPDATE t SET id = 2.5e0, name = 'half' WHERE id = 1")
    assert all_rows(table)[1:] == [(3, "c", "y"), (3, "half", "x")]
    table.run(
        "MERGE INTO t USING (VALUES (BIGINT '2', DECIMAL '8.5'), (7, DECIMAL '7.4')) AS s (id, n) "
        "ON t.id = s.id WHEN MATCHED THEN UPDATE SET id = s.n "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.n, 'new', 'x')"
    )
    assert all_rows(table)[2:] == [(7, "new", "x"), (9, "b", "x")]


def test_a_change_that_finds_nothing_commits_nothing(table: World) -> None:
    before = current(table)
    table.run("DELETE FROM t WHERE id = 99")
    assert current(table) == before


@pytest.mark.parametrize("number", [0, 1])
def test_a_statement_that_fails_while_writing_changes_no_row(table: World, number: int) -> None:
    before = current(table)
    table.fail_before = number
    with pytest.raises(OSError, match="disk is full"):
        table.run(
            "MERGE INTO t USING (SELECT 1 AS id, 'q' AS dt UNION ALL SELECT 2, 'r') AS s "
            "ON t.dt = s.dt WHEN NOT MATCHED THEN INSERT (id, dt) VALUES (s.id, s.dt)"
        )
    table.fail_before = None
    assert current(table) == before
    assert all_rows(table) == ROWS


def test_a_commit_over_another_one_is_refused(table: World) -> None:
    """Somebody commits between the reading of the table and the commit of the MERGE."""
    done: list[int] = []

    def commit_first(number: int) -> None:
        if not done:
            done.append(number)
            table.run("INSERT INTO t VALUES (5, 'e', 'y')")

    table.before_file = commit_first  # type: ignore[method-assign] # another hook of the world
    table.athena._before_file = commit_first  # noqa: SLF001 - the seam of the world's fixture
    with pytest.raises(ServiceError) as failed:
        table.run("DELETE FROM t WHERE id = 1")
    status = json.loads(failed.value.cause)["Status"]
    assert status["StateChangeReason"].startswith("ICEBERG_COMMIT_ERROR: Failed to commit")
    assert status["AthenaError"]["ErrorType"] == 233
    assert all_rows(table) == [*ROWS, (5, "e", "y")]


def test_an_append_commits_over_another_one(table: World) -> None:
    done: list[int] = []

    def commit_first(number: int) -> None:
        if not done:
            done.append(number)
            table.run("INSERT INTO t VALUES (5, 'e', 'y')")

    table.athena._before_file = commit_first  # noqa: SLF001 - as above
    table.run("INSERT INTO t VALUES (6, 'f', 'y')")
    assert all_rows(table) == [*ROWS, (5, "e", "y"), (6, "f", "y")]


def test_added_columns_are_null_in_older_files(table: World) -> None:
    table.run("ALTER TABLE `db`.`t` ADD COLUMNS (`more` bigint, `list` array<string>)")
    table.run("INSERT INTO t (id, more, dt) VALUES (4, 40, 'x')")
    found = table.rows("SELECT id, name, more, list FROM t ORDER BY id")
    assert found == [
        (1, "a", None, None),
        (2, "b", None, None),
        (3, "c", None, None),
        (4, None, 40, None),
    ]
    assert "already exists" in table.failure("ALTER TABLE t ADD COLUMNS (name string)")


def test_words_that_are_reserved_in_hive_s_ddl_only_are_names(world: World) -> None:
    world.run(
        "CREATE TABLE p (partition int, `order` int) PARTITIONED BY (partition) "
        "LOCATION 's3://b/p/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    world.run("ALTER TABLE p ADD COLUMNS (date date)")
    world.run("INSERT INTO p VALUES (1, 2, DATE '2020-01-01')")
    assert world.rows('SELECT partition, "order", year(date) FROM p') == [(1, 2, 2020)]
    assert "'select'. Failed rule: 'identifier'" in world.failure(
        "CREATE TABLE q (select int) LOCATION 's3://b/q/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )


def test_drop_deletes_the_data(table: World) -> None:
    table.run("DROP TABLE t")
    assert table.keys("t/") == []
    assert table.failure("SELECT * FROM t").startswith("TABLE_NOT_FOUND")


def test_more_than_100_partitions_are_refused(table: World) -> None:
    values = ", ".join(f"({n}, 'p{n:03}')" for n in range(101))
    reason = table.failure(f"INSERT INTO t (id, dt) VALUES {values}")
    assert reason == (
        "ICEBERG_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions"
    )
    assert all_rows(table) == ROWS


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (CREATE, "already exists"),
        (CREATE.replace("`t`", "u").replace("`id` int", "id smallint"), "does not support"),
        (CREATE.replace("`t`", "u").replace("BY (`dt`)", "BY (void(dt))"), "Cannot find source"),
        (CREATE.replace("`t`", "u").replace("'ICEBERG'", "'HIVE'"), "needs EXTERNAL"),
        (CREATE.replace("`t`", "u").replace("'format'", "'runner.project'"), "Unsupported table"),
        (CREATE.replace("`t`", "u").replace("'zstd'", "'lzo'"), "Unsupported compression"),
        ("UPDATE t SET nope = 1", "COLUMN_NOT_FOUND"),
        ("UPDATE t SET id = 'x'", "TYPE_MISMATCH"),
        (CREATE.replace("`t`", "u").replace("`name`", "`id`"), "Duplicate column name: id"),
        (CREATE.replace("`t`", "u").replace("(`dt`)", "(bucket(0, id))"), "arguments of bucket"),
        (CREATE.replace("`t`", "u").replace("s3://b/t/", "/b/t/"), "is not an S3 path"),
        (
            CREATE.replace("TABLE `db`.`t`", "EXTERNAL TABLE u").replace(
                " PARTITIONED BY (`dt`)", ""
            ),
            "External keyword is not supported for table type ICEBERG",
        ),
        ("ALTER TABLE t SET TBLPROPERTIES ('table_type' = 'HIVE')", "Unsupported table_type: HIVE"),
        (
            "ALTER TABLE t SET TBLPROPERTIES ('vacuum_min_snapshots_to_keep' = 'two')",
            "Invalid value of the table property vacuum_min_snapshots_to_keep: two",
        ),
        ("UPDATE t SET id = 1, id = 2", "DUPLICATE_COLUMN_NAME"),
        ("UPDATE t SET nope = 1", "The UPDATE SET target column nope doesn't exist"),
        (
            "UPDATE t SET id = name",
            (
                "UPDATE table column types don't match SET expressions: Table: [integer], "
                "Expressions: [varchar]"
            ),
        ),
        ("UPDATE t SET id = 1 WHERE id", "WHERE clause must evaluate to a boolean: actual type"),
        ("DELETE FROM t WHERE id", "WHERE clause must evaluate to a boolean: actual type integer"),
        ("DELETE FROM t WHERE nope = 1", "COLUMN_NOT_FOUND: line 1:21: Column 'nope'"),
        ("DELETE FROM t WHERE id IN (SELECT 1 FROM no)", "TABLE_NOT_FOUND: line 1:42: Table"),
        ("INSERT INTO t SELECT nope, 'x', 'y' FROM t", "COLUMN_NOT_FOUND: line 1:22: Column"),
        ("INSERT OVERWRITE t SELECT 1, 'x', 'y'", "mismatched input 'OVERWRITE'"),
        ("MERGE INTO t USING t AS s ON t.id = s.id WHEN NOT MATCHED THEN DELETE", "SYNTAX_ERROR"),
        (
            "MERGE INTO t USING t s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
            "SYNTAX_ERROR: line 1:56: mismatched input 'BY'",
        ),
        (
            "MERGE INTO t USING none ON t.id = none.id WHEN MATCHED THEN DELETE",
            "TABLE_NOT_FOUND: line 1:20: Table 'awsdatacatalog.db.none' does not exist",
        ),
        (
            "MERGE INTO t USING t s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id)",
            (
                "MERGE table column types don't match for MERGE case 0, SET expressions: Table: "
                "[integer, varchar, varchar], Expressions: [integer]"
            ),
        ),
        (
            (
                "MERGE INTO t USING t s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, id) "
                "VALUES (s.id, 1)"
            ),
            "DUPLICATE_COLUMN_NAME",
        ),
        (
            (
                "MERGE INTO t USING t s ON t.id = s.id WHEN MATCHED THEN DELETE "
                "WHEN NOT MATCHED THEN INSERT (id) VALUES (s.name)"
            ),
            "MERGE case 1, SET expressions: Table: [integer], Expressions: [varchar]",
        ),
        (
            "MERGE INTO t USING t s ON t.id = s.id AND s.id WHEN MATCHED THEN DELETE",
            "Logical expression term must evaluate to a boolean (actual: integer)",
        ),
        ("MERGE INTO t USING t AS s ON t.id = s.id", "SYNTAX_ERROR"),
        ("ALTER TABLE t SET LOCATION 's3://b/x/'", "NOT_SUPPORTED"),
        ("DELETE FROM nothing", "TABLE_NOT_FOUND"),
        (
            "CREATE TABLE c WITH (table_type = 'ICEBERG', is_external = false) AS SELECT 1 AS a",
            "INVALID_TABLE_PROPERTY: Iceberg tables need the property location",
        ),
    ],
)
def test_what_is_refused(table: World, sql: str, reason: str) -> None:
    assert reason in table.failure(sql)


def test_rows_of_hive_tables_do_not_change(world: World) -> None:
    world.run("CREATE TABLE h WITH (external_location = 's3://b/h/') AS SELECT 1 AS a")
    assert world.failure("DELETE FROM h").startswith("NOT_SUPPORTED: Modifying Hive table rows")


def counted(world: World, sql: str) -> int:
    """Give the number of rows that a statement says it changed."""
    identity = world.run(sql)["QueryExecutionId"]
    return int(world.athena.get_query_results(QueryExecutionId=identity)["UpdateCount"])


def test_statements_count_the_rows_that_they_change(table: World) -> None:
    assert counted(table, "UPDATE t SET name = 'z' WHERE dt = 'x' AND id = 1") == 1
    assert counted(table, "DELETE FROM t WHERE id = 99") == 0
    assert counted(table, "INSERT INTO t VALUES (4, 'd', 'x'), (5, 'e', 'x')") == 2
    assert (
        counted(
            table,
            "MERGE INTO t USING (VALUES (1, false), (2, true), (7, false)) AS s (id, gone) "
            "ON t.id = s.id WHEN MATCHED AND s.gone THEN DELETE "
            "WHEN MATCHED THEN UPDATE SET name = 'm' "
            "WHEN NOT MATCHED THEN INSERT (id, dt) VALUES (s.id, 'n')",
        )
        == 3
    )
    assert all_rows(table) == [
        (1, "m", "x"),
        (3, "c", "y"),
        (4, "d", "x"),
        (5, "e", "x"),
        (7, None, "n"),
    ]
    assert counted(table, "DELETE FROM t") == 5


def test_conditions_may_ask_other_tables(table: World) -> None:
    table.run("CREATE TABLE o WITH (external_location='s3://b/o/') AS SELECT 1 AS id, 'q' AS name")
    table.run("UPDATE t SET name = (SELECT max(name) FROM o) WHERE id IN (SELECT id FROM o)")
    assert all_rows(table)[0] == (1, "q", "x")
    table.run("DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM o WHERE o.id = t.id)")
    assert all_rows(table) == [(1, "q", "x")]


def test_a_merge_may_read_the_target_s_past(table: World) -> None:
    first = table.rows('SELECT snapshot_id FROM "t$snapshots"')[0][0]
    table.run("DELETE FROM t WHERE id > 1")
    table.run(
        f"MERGE INTO t USING (SELECT * FROM t FOR VERSION AS OF {first}) s ON t.id = s.id "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name, s.dt)"
    )
    assert all_rows(table) == ROWS


def test_places_are_those_of_the_whole_statement(table: World) -> None:
    for sql, place in (
        ("CREATE TABLE c WITH (external_location = 's3://b/c/') AS\nSELECT nope FROM t", "2:8"),
        ("CREATE VIEW v AS SELECT nope FROM t", "1:25"),
        ("UNLOAD (SELECT nope FROM t) TO 's3://b/u/' WITH (format = 'JSON')", "1:16"),
        ("EXPLAIN SELECT nope FROM t", "1:16"),
        ("EXPLAIN INSERT INTO t SELECT nope FROM t", "1:30"),
    ):
        assert table.failure(sql).startswith(f"COLUMN_NOT_FOUND: line {place}: Column 'nope'"), sql


def test_a_merge_names_its_sources_columns(table: World) -> None:
    done = table.run(
        "MERGE INTO t USING (VALUES (1, 'A'), (4, 'd')) AS n (id, name) ON t.id = n.id "
        "WHEN MATCHED THEN UPDATE SET name = n.name "
        "WHEN NOT MATCHED THEN INSERT VALUES (n.id, n.name, 'z')"
    )
    assert done["SubstatementType"] == "MERGE"
    assert all_rows(table) == [(1, "A", "x"), *ROWS[1:], (4, "d", "z")]
