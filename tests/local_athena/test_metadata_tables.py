"""Tables that tell of others, time travel, and the hidden columns of files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

CREATE = (
    "CREATE TABLE t (id int, name string, ts timestamp) PARTITIONED BY (name, month(ts)) "
    "LOCATION 's3://b/t/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
)


@pytest.fixture
def ice(world: World) -> World:
    world.run(CREATE)
    world.run("INSERT INTO t VALUES (1, 'a', TIMESTAMP '2020-01-05 00:00:00'), (2, 'b', NULL)")
    world.run("INSERT INTO t VALUES (3, 'a', TIMESTAMP '2020-01-06 00:00:00')")
    return world


@pytest.fixture
def hive(world: World) -> World:
    world.run(
        "CREATE TABLE h WITH (external_location = 's3://b/h/', partitioned_by = ARRAY['p']) AS "
        "SELECT 1 AS a, 'x' AS p UNION ALL SELECT 2, 'y'"
    )
    return world


def snapshots(world: World) -> list[int]:
    rows = world.rows('SELECT snapshot_id FROM "t$snapshots" ORDER BY committed_at')
    return [row[0] for row in rows]


def columns(world: World, sql: str) -> list[tuple[str, str]]:
    return list(world.athena.query(sql, "db").columns)


def test_snapshots_and_history(ice: World) -> None:
    first, second = snapshots(ice)
    assert ice.rows(
        "SELECT parent_id, operation, element_at(summary, 'added-records') "
        'FROM "t$snapshots" ORDER BY committed_at'
    ) == [(None, "append", "2"), (first, "append", "1")]
    assert ice.rows(
        'SELECT snapshot_id, parent_id, is_current_ancestor FROM db."t$history" '
        "ORDER BY made_current_at"
    ) == [(first, None, True), (second, first, True)]
    assert ice.rows('SELECT name, type, snapshot_id FROM "t$refs"') == [("main", "BRANCH", second)]
    ((made,),) = ice.rows(f'SELECT made_current_at FROM "t$history" WHERE snapshot_id = {second}')
    assert abs((made - datetime.now(UTC)).total_seconds()) < 600


def test_files_and_manifests(ice: World) -> None:
    assert ice.rows(
        "SELECT content, file_format, record_count, element_at(lower_bounds, 1), "
        'element_at(null_value_counts, 3) FROM "t$files" ORDER BY 4'
    ) == [(0, "PARQUET", 1, "1", 0), (0, "PARQUET", 1, "2", 1), (0, "PARQUET", 1, "3", 0)]
    assert ice.rows(
        "SELECT added_data_files_count, added_rows_count, deleted_data_files_count, "
        'partitions[2].lower_bound FROM "t$manifests" ORDER BY 1'
    ) == [(1, 1, 0, "2020-01"), (2, 2, 0, "2020-01")]


def test_partitions_of_iceberg_tables(ice: World) -> None:
    assert ice.rows(
        "SELECT partition.name, partition.ts_month, record_count, file_count, data.id.min, "
        'data.id.max, data.id.null_count FROM "t$partitions" ORDER BY 1'
    ) == [("a", 600, 2, 2, 1, 3, 0), ("b", None, 1, 1, 2, 2, 0)]


METATABLES = {
    "history": ("made_current_at", "snapshot_id", "parent_id", "is_current_ancestor"),
    "snapshots": (
        *("committed_at", "snapshot_id", "parent_id", "operation", "manifest_list", "summary"),
    ),
    "partitions": ("partition", "record_count", "file_count", "total_size", "data"),
    "refs": (
        *("name", "type", "snapshot_id", "max_reference_age_in_ms"),
        *("min_snapshots_to_keep", "max_snapshot_age_in_ms"),
    ),
}


@pytest.mark.parametrize("name", METATABLES)
def test_columns_of_metadata_tables(ice: World, name: str) -> None:
    found = columns(ice, f'SELECT * FROM "t${name}"')
    assert tuple(column for column, _ in found) == METATABLES[name]
    assert dict(found).get("snapshot_id", "bigint") == "bigint"


def test_a_table_without_snapshots_has_empty_metadata_tables(world: World) -> None:
    world.run(CREATE)
    for name in (*METATABLES, "files", "manifests"):
        assert world.rows(f'SELECT * FROM "t${name}"') == []


def test_partitions_of_hive_tables(hive: World) -> None:
    assert sorted(hive.rows('SELECT * FROM "h$partitions"')) == [("x",), ("y",)]
    assert hive.rows('SELECT max(p) FROM "db"."h$partitions"') == [("y",)]
    reason = "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.{}' does not exist"
    assert hive.failure('SELECT * FROM "h$snapshots"') == reason.format("h$snapshots")
    hive.run("CREATE TABLE plain WITH (external_location = 's3://b/q/') AS SELECT 1 AS a")
    assert hive.failure('SELECT * FROM "plain$partitions"') == reason.format("plain$partitions")


# --- time travel ----------------------------------------------------------------------------------


def test_version_travel(ice: World) -> None:
    first, second = snapshots(ice)
    assert ice.rows(f"SELECT count(*) FROM t FOR VERSION AS OF {first}") == [(2,)]
    assert ice.rows(f"SELECT count(*) FROM t FOR VERSION AS OF {second} AS x") == [(3,)]
    assert ice.rows(
        f"SELECT n.id FROM t n LEFT JOIN t FOR VERSION AS OF {first} o ON n.id = o.id "
        "WHERE o.id IS NULL"
    ) == [(3,)]


def test_time_travel(ice: World) -> None:
    made = ice.rows('SELECT committed_at FROM "t$snapshots" ORDER BY committed_at')[0][0]
    text = made.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{made.microsecond // 1000:03d}"
    for period in (f"TIMESTAMP '{text} UTC'", f"TIMESTAMP '{text}'"):
        assert ice.rows(f"SELECT count(*) FROM t FOR TIMESTAMP AS OF {period}") == [(2,)]
    assert ice.rows("SELECT count(*) FROM t FOR TIMESTAMP AS OF current_timestamp") == [(3,)]
    assert ice.rows(
        "SELECT count(*) FROM t FOR TIMESTAMP AS OF (current_timestamp + interval '1' day)"
    ) == [(3,)]


def test_a_snapshot_has_the_columns_of_its_time(ice: World) -> None:
    first = snapshots(ice)[0]
    ice.run("ALTER TABLE t ADD COLUMNS (extra int)")
    ice.run("ALTER TABLE t CHANGE id key bigint")
    old = columns(ice, f"SELECT * FROM t FOR VERSION AS OF {first}")
    assert [name for name, _ in old] == ["id", "name", "ts"]
    assert old[0][1] == "integer"


def test_a_view_may_travel(ice: World) -> None:
    ice.run(f"CREATE VIEW v AS SELECT id FROM t FOR VERSION AS OF {snapshots(ice)[0]}")
    assert sorted(ice.rows("SELECT * FROM v")) == [(1,), (2,)]


def test_a_travel_is_made_anew_when_its_statement_is_known(ice: World) -> None:
    sql = "SELECT count(*) FROM t FOR TIMESTAMP AS OF current_timestamp"
    assert ice.rows(sql) == [(3,)]
    ice.run("INSERT INTO t VALUES (4, 'c', NULL)")
    assert ice.rows(sql) == [(4,)]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT * FROM t FOR VERSION AS OF 12",
            "INVALID_ARGUMENTS: Iceberg snapshot ID does not exists: 12",
        ),
        (
            "SELECT * FROM t FOR TIMESTAMP AS OF TIMESTAMP '2020-01-01 00:00:00 UTC'",
            "No version history table db.t at or before 2020-01-01T00:00:00.000Z",
        ),
        ("SELECT * FROM t FOR TIMESTAMP AS OF 12", "Unsupported type for temporal table version"),
        ("SELECT * FROM t FOR VERSION AS OF 'x'", "Unsupported type for table version: varchar"),
        (
            "SELECT * FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2020-01-01 00:00:00'",
            "SYNTAX_ERROR: line 1:21: mismatched input 'SYSTEM_TIME'",
        ),
        ("SELECT * FROM nothing FOR VERSION AS OF 1", "'awsdatacatalog.db.nothing' does not exist"),
    ],
)
def test_periods_that_are_refused(ice: World, sql: str, reason: str) -> None:
    assert reason in ice.failure(sql)


def test_hive_tables_do_not_travel(hive: World) -> None:
    assert "does not support versioned tables" in hive.failure(
        "SELECT * FROM h FOR VERSION AS OF 1"
    )


# --- hidden columns -------------------------------------------------------------------------------


def test_hidden_columns_tell_of_the_row_s_file(hive: World) -> None:
    found = hive.rows('SELECT a, "$path", "$partition", "$file_size" FROM h ORDER BY a')
    for (a, path, partition, size), value in zip(found, "xy", strict=True):
        assert path.startswith(f"s3://b/h/p={value}/")
        assert (a, partition) == ("xy".index(value) + 1, f"p={value}")
        assert size == hive.s3.path_of(path).stat().st_size
    assert columns(hive, 'SELECT "$path", "$file_modified_time" FROM h') == [
        ("$path", "varchar"),
        ("$file_modified_time", "timestamp(3) with time zone"),
    ]


def test_a_star_does_not_give_hidden_columns(hive: World) -> None:
    assert columns(hive, 'SELECT *, "$path" FROM h')[2:] == [("$path", "varchar")]
    assert columns(hive, "SELECT * FROM h WHERE \"$path\" LIKE '%x%'") == [
        ("a", "integer"),
        ("p", "varchar"),
    ]
    inner = columns(hive, 'SELECT * FROM (SELECT "$path", a FROM h)')
    assert [name for name, _ in inner] == ["$path", "a"]
    for sql in (
        'WITH w AS (SELECT *, "$path" AS f FROM h) SELECT * FROM w',
        'SELECT * FROM (SELECT * FROM (SELECT *, "$path" AS f FROM h))',
        'SELECT x.*, "$path" AS f FROM (SELECT a, p, "$path" FROM h) AS x',
    ):
        assert [name for name, _ in columns(hive, sql)][-3:] in (
            ["a", "p", "f"],
            ["p", "$path", "f"],
        )


def test_hidden_columns_of_joined_tables(ice: World) -> None:
    found: list[tuple[Any, ...]] = ice.rows(
        'SELECT t.id, f.record_count FROM "t$files" f JOIN t ON f.file_path = t."$path" '
        "WHERE t.id = 1"
    )
    assert found == [(1, 1)]


def test_what_no_table_has_is_no_hidden_column(ice: World) -> None:
    assert ice.failure('SELECT "$nothing" FROM t').startswith("COLUMN_NOT_FOUND: line 1:8:")
    assert "COLUMN_NOT_FOUND" in ice.failure('SELECT "$partition" FROM t')


# --- information_schema ---------------------------------------------------------------------------


def test_information_schema(hive: World) -> None:
    hive.run("CREATE VIEW v AS SELECT a FROM h")
    assert hive.rows("SELECT * FROM information_schema.schemata") == [
        ("awsdatacatalog", "db"),
        ("awsdatacatalog", "information_schema"),
    ]
    assert hive.rows(
        "SELECT * FROM information_schema.tables WHERE table_schema = 'db' ORDER BY table_name"
    ) == [
        ("awsdatacatalog", "db", "h", "BASE TABLE"),
        ("awsdatacatalog", "db", "v", "VIEW"),
    ]
    assert hive.rows(
        "SELECT column_name, ordinal_position, is_nullable, data_type, extra_info "
        "FROM information_schema.columns WHERE table_schema = 'db' AND table_name = 'h' "
        "ORDER BY ordinal_position"
    ) == [("a", 1, "YES", "integer", None), ("p", 2, "YES", "varchar", "partition key")]
    assert hive.rows("SELECT view_definition FROM awsdatacatalog.information_schema.views") == [
        ("SELECT a FROM h",)
    ]
    assert "does not exist" in hive.failure("SELECT * FROM information_schema.nothing")


def test_names_of_three_parts(hive: World) -> None:
    assert hive.rows('SELECT awsdatacatalog.db.h.a FROM "awsdatacatalog"."db"."h" ORDER BY 1') == [
        (1,),
        (2,),
    ]
    assert hive.failure("SELECT * FROM nocatalog.db.h") == (
        "CATALOG_NOT_FOUND: line 1:15: Catalog 'nocatalog' does not exist"
    )
