"""Iceberg tables end to end: SEMANTICS 3, 4, 8, 9, 11, 13, 37 over one MERGE a chunk."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.semantics.little import (
    codes,
    ended,
    every_statement,
    go,
    insert,
    project,
    read,
    records,
    rows_of,
    sql,
    statements,
    statuses,
)

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = "id, note, dt"
FIRST = [(1, "a", "2024-01-01"), (2, "b", "2024-01-01"), (3, "c", "2024-01-02")]
SECOND = [(2, "B", "2024-01-01"), (4, "d", "2024-01-01")]
BETWEEN = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
PARTITIONED = "format: iceberg"
KEYED = "format: iceberg\nkeys: [id]"
LOADED = "load: {table: x}"


def daily(rows: list[tuple[Any, ...]], header: str = PARTITIONED, where: str = BETWEEN) -> str:
    query = f"SELECT {COLUMNS} FROM {rows_of(*rows, columns=COLUMNS)} {where}"
    return insert(query, header)


def whole(rows: list[tuple[Any, ...]], header: str = KEYED) -> str:
    return sql(f"SELECT {COLUMNS} FROM {rows_of(*rows, columns=COLUMNS)}", header)


def there(root: Path) -> list[tuple[Any, ...]]:
    return sorted(read(root, f"SELECT {COLUMNS} FROM marts.x"))


def rewrite(root: Path, text: str) -> None:
    (root / "sql/marts/x.sql").write_text(text)


@pytest.mark.parametrize("header", [PARTITIONED, KEYED], ids=["partition", "keys"])
def test_semantics_11_a_window_holds_exactly_its_rows_after_each_run(
    header: str, tmp_path: Path
) -> None:
    root = project(tmp_path, {"marts/x": daily(FIRST, header)})
    for _ in range(2):
        result = go(root, "2024-01-01", "2024-01-02")
        assert result.status == "SUCCEEDED"
        assert there(root) == FIRST
        assert records(root, "marts.x") == {"2024-01-01": 2, "2024-01-02": 1}
    rewrite(root, daily(SECOND, header))
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert there(root) == sorted([*SECOND, FIRST[2]])
    rewrite(root, daily([], header).replace("(VALUES )", "(VALUES (1, 'a', '2023-01-01'))"))
    assert go(root, "2024-01-01", "2024-01-02").status == "SUCCEEDED"
    assert there(root) == []
    assert records(root, "marts.x") == {"2024-01-01": 0, "2024-01-02": 0}


def test_semantics_11_a_table_with_keys_alone_is_written_whole(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": whole(FIRST)})
    for rows in (FIRST, FIRST, SECOND):
        rewrite(root, whole(rows))
        assert go(root, "2024-01-01").status == "SUCCEEDED"
        assert there(root) == rows
        assert records(root, "marts.x") == {"all": len(rows)}


def test_semantics_11_each_chunk_is_one_merge_and_never_a_delete(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": daily(FIRST, KEYED)})
    go(root, "2024-01-01", "2024-01-02")
    (merge,) = statements(root, "MERGE")
    assert merge.startswith('MERGE INTO "marts"."x" AS t USING (')
    assert statements(root, "DELETE") == []
    (create,) = statements(root, "CREATE TABLE IF")
    assert "PARTITIONED BY (`dt`) LOCATION 's3://lake/marts/x/g=1/' TBLPROPERTIES (" in create
    assert all('"marts__stage"' in text for text in statements(root, "INSERT INTO"))


def test_unchanged_rows_of_a_keyed_table_are_not_written_again(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": daily(FIRST, KEYED)})
    data = root / ".runner/s3/lake/marts/x/g=1/data"
    go(root, "2024-01-01", "2024-01-02")
    before = {path.name for path in data.rglob("*.parquet")}
    go(root, "2024-01-01", "2024-01-02")
    assert {path.name for path in data.rglob("*.parquet")} == before


def test_other_keys_replace_the_window_instead(tmp_path: Path) -> None:
    """Rows of before need not be told apart by the new keys."""
    root = project(tmp_path, {"marts/x": daily([(1, "a", "2024-01-01"), (1, "b", "2024-01-01")])})
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    rewrite(root, daily(SECOND, KEYED))
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert there(root) == SECOND
    whole_root = project(tmp_path / "whole", {"marts/x": whole(FIRST, KEYED)})
    go(whole_root, "2024-01-01")
    rewrite(whole_root, whole(SECOND, "format: iceberg\nkeys: [id, note]"))
    assert go(whole_root, "2024-01-01").status == "SUCCEEDED"
    assert there(whole_root) == SECOND


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(1, "a", "2024-01-01"), (1, "b", "2024-01-01")], "unique: id, dt: 1 offending"),
        ([(None, "a", "2024-01-01"), ("1", "b", "2024-01-01")], "not_null: id: 1 offending"),
    ],
)
def test_semantics_13_keys_are_tested_on_the_stage(
    rows: list[tuple[Any, ...]], said: str, tmp_path: Path
) -> None:
    root = project(tmp_path, {"marts/x": daily(rows, KEYED)})
    result = go(root, "2024-01-01")
    assert result.status == "FAILED"
    assert said in ended(result)["marts.x"].message
    assert there(root) == []


def test_semantics_4_rows_outside_the_window_fail_the_run_before_the_merge(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": daily(FIRST)})
    go(root, "2024-01-01", "2024-01-02")
    rewrite(
        root,
        daily([*SECOND, (9, "z", "2024-02-01")], where=f"{BETWEEN} OR dt > '{{{{ end }}}}'"),
    )
    result = go(root, "2024-01-01")
    assert "does not own: dt=2024-02-01 (1 rows)" in ended(result)["marts.x"].message
    assert there(root) == FIRST


def test_semantics_12_a_whole_table_refuses_zero_rows(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": whole(FIRST)})
    go(root, "2024-01-01")
    rewrite(root, whole(FIRST).replace("AS t (id, note, dt)", "AS t (id, note, dt) WHERE id > 9"))
    assert "the query gave no rows" in ended(go(root, "2024-01-01"))["marts.x"].message
    assert there(root) == FIRST


def test_semantics_9_new_columns_are_added_and_removed_ones_refused(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": daily(FIRST, KEYED)})
    go(root, "2024-01-01", "2024-01-02")
    rewrite(root, daily(FIRST, KEYED).replace("SELECT id,", "SELECT CAST(7 AS bigint) AS n, id,"))
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    (alter,) = every_statement(root, "ALTER TABLE")
    assert alter == "ALTER TABLE `marts`.`x` ADD COLUMNS (`n` bigint)"
    found = read(root, "SELECT id, n FROM marts.x ORDER BY id")
    assert found == [(1, 7), (2, 7), (3, None)]
    rewrite(
        root, daily(FIRST, KEYED).replace("SELECT id,", "SELECT CAST('7' AS varchar) AS n, id,")
    )
    result = go(root, "2024-01-01")
    assert "column n is bigint in the table and string" in ended(result)["marts.x"].message
    assert read(root, "SELECT id, n FROM marts.x ORDER BY id") == found


def test_semantics_37_loads_read_the_files_of_the_published_record(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": daily(FIRST, f"{KEYED}\n{LOADED}")})
    for rows, end in ((FIRST, "2024-01-02"), (SECOND, "2024-01-01")):
        rewrite(root, daily(rows, f"{KEYED}\n{LOADED}"))
        result = go(root, "2024-01-01", end)
        assert statuses(result) == {"marts.x": "published", "marts.x load": "loaded"}
        with sqlite3.connect(root / "mart.sqlite") as mart:
            loaded = sorted(mart.execute(f"SELECT {COLUMNS} FROM x"))
        mart.close()
        assert loaded == there(root)


@pytest.mark.parametrize(
    ("partition", "select", "expected"),
    [
        pytest.param(
            'year: {type: integer, range: "2024,2030", digits: 4}\n'
            '  month: {type: integer, range: "1,12", digits: 2}\n'
            '  day: {type: integer, range: "1,31", digits: 2}',
            "substr(dt, 1, 4) AS year, substr(dt, 6, 2) AS month, substr(dt, 9, 2) AS day",
            [("2024", "01", "01"), ("2024", "01", "02")],
            id="year month day",
        ),
        pytest.param(
            'dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}\n'
            "  note: {type: enum, values: [a, b, c, d, B]}",
            "dt, note",
            [("2024-01-01", "B"), ("2024-01-01", "d"), ("2024-01-02", "c")],
            id="day and enum",
        ),
    ],
)
def test_several_partition_columns(
    partition: str, select: str, expected: list[tuple[str, ...]], tmp_path: Path
) -> None:
    def text(rows: list[tuple[Any, ...]]) -> str:
        query = f"SELECT id, {select} FROM {rows_of(*rows, columns=COLUMNS)} {BETWEEN}"
        query = query.replace("'{{ start }}'", "'{{ start.format('yyyy-MM-dd') }}'")
        query = query.replace("'{{ end }}'", "'{{ end.format('yyyy-MM-dd') }}'")
        return insert(query, PARTITIONED, partition=partition)

    root = project(tmp_path, {"marts/x": text(FIRST)})
    assert codes(root) == []
    assert go(root, "2024-01-01", "2024-01-02").status == "SUCCEEDED"
    rewrite(root, text(SECOND))
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    names = "year, month, day" if "year" in select else select
    assert sorted(set(read(root, f"SELECT {names} FROM marts.x"))) == expected


def test_a_partition_without_time_is_written_whole(tmp_path: Path) -> None:
    def text(rows: list[tuple[Any, ...]]) -> str:
        query = f"SELECT id, dt, note FROM {rows_of(*rows, columns=COLUMNS)}"
        return insert(query, PARTITIONED, partition="note: {type: enum, values: [a, b, c, d, B]}")

    root = project(tmp_path, {"marts/x": text(FIRST)})
    for rows in (FIRST, SECOND):
        rewrite(root, text(rows))
        assert go(root, "2024-01-01").status == "SUCCEEDED"
        assert there(root) == rows


def test_more_than_100_days_are_chunks_one_after_the_other(tmp_path: Path) -> None:
    query = (
        "SELECT day(d) AS id, 'n' AS note, date_format(d, '%Y-%m-%d') AS dt FROM "
        "UNNEST(sequence(DATE '2024-01-01', DATE '2024-04-30', INTERVAL '1' DAY)) AS t (d)"
    )
    root = project(tmp_path, {"marts/x": insert(f"SELECT * FROM ({query}) {BETWEEN}", KEYED)})
    for _ in range(2):
        assert go(root, "2024-01-01", "2024-04-30").status == "SUCCEEDED"
        assert read(root, "SELECT count(*), count(DISTINCT dt) FROM marts.x") == [(121, 121)]
    assert len(every_statement(root, "MERGE")) == 4


def test_semantics_8_a_table_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    root = project(tmp_path, {"marts/x": daily(FIRST)})
    go(root, "2024-01-01")
    claim = root / ".runner/s3/lake/_runner/iceberg/marts/x.json"
    body = json.loads(claim.read_text())
    claim.write_text(json.dumps({**body, "project": "another"}))
    result = go(root, "2024-01-01")
    assert "NotOurs: marts.x exists" in ended(result)["marts.x"].message
    claim.unlink()
    assert "was not made by this project" in ended(go(root, "2024-01-01"))["marts.x"].message


def test_semantics_7_a_table_that_another_run_writes_is_left_alone(tmp_path: Path) -> None:
    config = (
        "project: little\ntimezone: UTC\ndefaults: {lease_wait: 1s, retry: {max_attempts: 1}}\n"
        "environments:\n  local:\n    engine: local\n    buckets: {raw: data}\n"
    )
    root = project(tmp_path, {"marts/x": daily(FIRST)}, config=config)
    go(root, "2024-01-01", "2024-01-02")
    lease = root / ".runner/s3/lake/_runner/leases/marts/x.json"
    lease.parent.mkdir(parents=True, exist_ok=True)
    held = {"execution": "other:daily:x", "redrive": 0, "attempt": 1, "stage": "s"}
    lease.write_text(json.dumps({**held, "at": "2999-01-01T00:00:00+00:00"}))
    rewrite(root, daily(SECOND))
    result = go(root, "2024-01-01")
    assert "LeaseHeld" in ended(result)["marts.x"].message
    assert there(root) == FIRST


@pytest.mark.parametrize("header", [PARTITIONED, KEYED], ids=["partition", "keys"])
def test_values_of_every_type_are_merged(header: str, tmp_path: Path) -> None:
    query = """SELECT 1 AS id, CAST({n} AS smallint) AS small, CAST({n} AS bigint) AS big,
        CAST({n} AS double) AS d, CAST({n} AS decimal(10, 2)) AS price, {n} > 1 AS more,
        DATE '2024-01-0{n}' AS day, TIMESTAMP '2024-01-0{n} 01:02:03.456' AS at,
        ARRAY[{n}, NULL] AS items, MAP(ARRAY['k'], ARRAY[{n}]) AS pairs,
        CAST(ROW({n}, 'x') AS ROW(a integer, b varchar)) AS both, CAST(NULL AS varchar) AS none,
        dt FROM (VALUES ('2024-01-01')) AS t (dt) WHERE dt BETWEEN '{{{{ start }}}}' AND
        '{{{{ end }}}}'"""
    root = project(tmp_path, {"marts/x": insert(query.format(n=1), header)})
    for number in (1, 2, 2):
        rewrite(root, insert(query.format(n=number), header))
        result = go(root, "2024-01-01")
        assert result.status == "SUCCEEDED", ended(result)["marts.x"].message
        found = read(
            root,
            "SELECT small, big, d, CAST(price AS varchar), more, CAST(day AS varchar), "
            "CAST(at AS varchar), items[1], pairs['k'], both.a, none FROM marts.x",
        )
        assert found == [
            (
                *(number, number, float(number), f"{number}.00", number > 1),
                *(f"2024-01-0{number}", f"2024-01-0{number} 01:02:03.456"),
                *(number, number, number, None),
            )
        ]
