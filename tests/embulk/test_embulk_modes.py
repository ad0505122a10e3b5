"""What each of Embulk's six modes does to a table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.embulk.conftest import Load

pytestmark = pytest.mark.mariadb

MODES = ["insert", "insert_direct", "truncate_insert", "replace", "merge", "merge_direct"]
TARGET = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))"
COLUMNS = {"id": "long", "v": "string"}
TWO = "id,v\n1,a\n2,b\n"
OLD = "INSERT INTO t VALUES (1, 'old'), (9, 'old')"


@pytest.mark.parametrize("mode", MODES)
def test_nulls_empty_strings_quotes_new_lines_and_emoji_arrive(load: Load, mode: str) -> None:
    load.sql("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(100), at DATETIME(6))")
    csv = (
        "id,name,at\n"
        '1,"a ""quoted"" word, a \\ and a\nnew line",2013-01-01 05:15:00.123456\n'
        '2,"",\n'
        "3,,1969-12-31 23:59:59.999999\n"
        '4,"\U0001f600 東京",2013-01-01 00:00:00.000000\n'
    )
    options = {
        "id": {"type": "BIGINT", "value_type": "string"},
        "name": {"type": "VARCHAR(100)", "value_type": "string"},
        "at": {"type": "DATETIME(6)", "value_type": "string"},
    }
    got = load.run(csv, dict.fromkeys(options, "string"), mode=mode, column_options=options)
    assert (got.status, got.rows, got.skipped) == ("loaded", 4, 0), got.log
    assert load.sql("SELECT * FROM t ORDER BY id") == [
        (1, 'a "quoted" word, a \\ and a\nnew line', datetime(2013, 1, 1, 5, 15, 0, 123456)),
        (2, "", None),
        (3, None, datetime(1969, 12, 31, 23, 59, 59, 999999)),
        (4, "\U0001f600 東京", datetime(2013, 1, 1)),
    ]
    assert load.leftovers() == []


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("truncate_insert", [(1, "a"), (2, "b")]),
        ("replace", [(1, "a"), (2, "b")]),
        ("merge", [(1, "a"), (2, "b"), (9, "old")]),
        ("merge_direct", [(1, "a"), (2, "b"), (9, "old")]),
    ],
)
def test_which_old_rows_stay(load: Load, mode: str, left: list[tuple[int, str]]) -> None:
    load.sql(TARGET)
    load.sql(OLD)
    assert load.run(TWO, COLUMNS, mode=mode).status == "loaded"
    assert load.sql("SELECT * FROM t ORDER BY id") == left


def test_merge_into_a_table_without_a_key_appends(load: Load) -> None:
    load.sql("CREATE TABLE t (id INT, v VARCHAR(20))")
    load.sql(OLD)
    assert load.run(TWO, COLUMNS, mode="merge").status == "loaded"
    assert load.sql("SELECT * FROM t ORDER BY id, v") == [
        (1, "a"),
        (1, "old"),
        (2, "b"),
        (9, "old"),
    ]


def test_merge_with_two_unique_keys_changes_the_primary_key(load: Load) -> None:
    load.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) UNIQUE)")
    load.sql("INSERT INTO t VALUES (1, 'x')")
    assert load.run("id,v\n7,x\n", COLUMNS, mode="merge").status == "loaded"
    assert load.sql("SELECT * FROM t") == [(7, "x")]


def test_merge_of_a_null_key_appends_and_of_another_case_overwrites(load: Load) -> None:
    load.sql("CREATE TABLE t (id INT, v VARCHAR(20) UNIQUE)")
    load.sql("INSERT INTO t VALUES (1, NULL), (2, 'abc')")
    assert load.run("id,v\n7,\n8,ABC\n", COLUMNS, mode="merge").status == "loaded"
    assert load.sql("SELECT * FROM t ORDER BY id") == [(1, None), (7, None), (8, "ABC")]


def test_merge_takes_the_last_of_equal_keys_in_silence(load: Load) -> None:
    load.sql(TARGET)
    assert load.run("id,v\n1,a\n1,b\n", COLUMNS, mode="merge").status == "loaded"
    assert load.sql("SELECT * FROM t") == [(1, "b")]


def test_merge_keys_are_refused_and_leave_a_table_behind(load: Load) -> None:
    load.sql(TARGET)
    got = load.run(TWO, COLUMNS, mode="merge", merge_keys=["id"])
    assert got.status == "refused"
    assert "does not accept 'merge_key' option" in got.log
    assert len(load.leftovers()) == 1


def test_replace_loses_keys_and_types(load: Load) -> None:
    load.sql(TARGET)
    assert load.run(TWO, COLUMNS, mode="replace").status == "loaded"
    assert [row[:4] for row in load.sql("DESCRIBE t")] == [
        ("id", "bigint(20)", "YES", ""),
        ("v", "text", "YES", ""),
    ]


def test_replace_keeps_what_the_options_spell_out(load: Load) -> None:
    load.sql(TARGET)
    options = {"id": {"type": "INT NOT NULL"}, "v": {"type": "VARCHAR(20)"}}
    table = {"create_table_constraint": "PRIMARY KEY (id)"}
    got = load.run(TWO, COLUMNS, mode="replace", column_options=options, **table)
    assert got.status == "loaded"
    assert [row[:4] for row in load.sql("DESCRIBE t")] == [
        ("id", "int(11)", "NO", "PRI"),
        ("v", "varchar(20)", "YES", ""),
    ]


def test_replace_needs_the_table_and_the_others_make_it_without_a_key(load: Load) -> None:
    missing = load.run(TWO, COLUMNS, mode="replace")
    assert (missing.status, load.tables()) == ("failed", [])
    assert load.run(TWO, COLUMNS, mode="merge").status == "loaded"
    assert load.run(TWO, COLUMNS, mode="merge").status == "loaded"
    assert load.sql("SELECT COUNT(*) FROM t") == [(4,)]


def test_a_column_that_the_table_lacks_is_left_out_in_silence(load: Load) -> None:
    load.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    got = load.run(TWO, COLUMNS, mode="insert")
    assert (got.status, got.skipped) == ("loaded", 0)
    assert load.sql("SELECT * FROM t ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("v VARCHAR(20), w INT NOT NULL", "Field 'w' doesn't have a default value"),
        ("v VARCHAR(20) NOT NULL", "Column 'v' cannot be null"),
    ],
)
def test_a_missing_value_fails_when_the_rows_are_moved(load: Load, rest: str, message: str) -> None:
    load.sql(f"CREATE TABLE t (id INT PRIMARY KEY, {rest})")
    got = load.run("id,v\n1,\n", COLUMNS, mode="insert")
    assert (got.status, got.rows) == ("failed", 1)
    assert message in got.log
    assert (load.sql("SELECT * FROM t"), load.leftovers()) == ([], [])


@pytest.mark.parametrize("csv", [b"", b"id,v\n"], ids=["no byte", "a header"])
@pytest.mark.parametrize(
    ("mode", "left"), [("truncate_insert", 0), ("replace", 0), ("merge", 2), ("insert", 2)]
)
def test_an_empty_input_is_a_success(load: Load, mode: str, left: int, csv: bytes) -> None:
    load.sql(TARGET)
    load.sql(OLD)
    got = load.run(csv, COLUMNS, mode=mode)
    assert (got.status, got.rows) == ("loaded", 0)
    assert load.sql("SELECT COUNT(*) FROM t") == [(left,)]


@pytest.mark.parametrize(
    ("mode", "left", "ledger"),
    [("truncate_insert", 2, 0), ("insert", 2, 0), ("merge", 2, 0), ("replace", 0, 1)],
)
def test_no_file_at_all_is_a_success_that_runs_no_statement_but_replaces(
    load: Load, mode: str, left: int, ledger: int
) -> None:
    load.sql(TARGET)
    load.sql(OLD)
    load.sql("CREATE TABLE ledger (k INT)")
    extra = {} if mode == "replace" else {"before_load": "DELETE FROM t"}
    config = load.config(
        TWO, COLUMNS, mode=mode, after_load="INSERT INTO ledger VALUES (1)", **extra
    )
    got = load.embulk.run(config.replace("input.csv", "nothing.csv"))
    assert (got.status, got.rows) == ("loaded", 0)
    assert load.sql("SELECT COUNT(*) FROM t") == [(left,)]
    assert load.sql("SELECT COUNT(*) FROM ledger") == [(ledger,)]


def test_every_task_has_a_table_of_its_own_and_one_task_has_one(load: Load) -> None:
    load.sql(TARGET)
    got = load.run(TWO, COLUMNS, mode="insert", exec={"max_threads": 2, "min_output_tasks": 3})
    assert got.log.count("CREATE TABLE `t_") == 3
    one = load.run("id,v\n3,c\n", COLUMNS, mode="insert")
    assert one.log.count("CREATE TABLE `t_") == 1
    assert load.sql("SELECT COUNT(*) FROM t") == [(3,)]
