"""What is one transaction: a window's DELETE, the rows, and the row that records the load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.embulk.conftest import Load

pytestmark = pytest.mark.mariadb

COLUMNS = {"id": "long", "v": "string"}
TWO = "id,v\n1,a\n2,b\n"
BEFORE = "DELETE FROM t WHERE id < 5"
OLD = [(1, "old"), (9, "old")]
NEW = [(1, "a"), (2, "b"), (9, "old")]


@pytest.fixture(autouse=True)
def _tables(load: Load) -> None:
    load.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))")
    load.sql("INSERT INTO t VALUES (1, 'old'), (9, 'old')")
    load.sql("CREATE TABLE ledger (k INT PRIMARY KEY, n INT)")


@pytest.mark.parametrize(
    ("mode", "rows"),
    [("insert", NEW), ("merge", NEW), ("truncate_insert", NEW[:2]), ("insert_direct", NEW)],
)
def test_the_statements_before_and_after_take_part(
    load: Load, mode: str, rows: list[tuple[int, str]]
) -> None:
    after = "INSERT INTO ledger VALUES (7, 1)"
    got = load.run(TWO, COLUMNS, mode=mode, before_load=BEFORE, after_load=after)
    assert got.status == "loaded"
    assert load.sql("SELECT * FROM t ORDER BY id") == rows
    assert load.sql("SELECT * FROM ledger") == [(7, 1)]


@pytest.mark.parametrize("mode", ["insert", "merge", "truncate_insert"])
def test_when_the_last_statement_fails_nothing_has_happened(load: Load, mode: str) -> None:
    load.sql("INSERT INTO ledger VALUES (7, 0)")
    after = "INSERT INTO ledger VALUES (7, 1)"
    got = load.run(TWO, COLUMNS, mode=mode, before_load=BEFORE, after_load=after)
    assert got.status == "failed"
    assert "Duplicate entry '7' for key 'PRIMARY'" in got.log
    assert load.sql("SELECT * FROM t ORDER BY id") == OLD
    assert load.sql("SELECT * FROM ledger") == [(7, 0)]
    assert load.leftovers() == []


@pytest.mark.parametrize("mode", ["insert_direct", "merge_direct", "replace"])
def test_the_other_modes_are_not_atomic(load: Load, mode: str) -> None:
    load.sql("INSERT INTO ledger VALUES (7, 0)")
    extra = {} if mode == "replace" else {"before_load": BEFORE}
    after = "INSERT INTO ledger VALUES (7, 1)"
    got = load.run(TWO, COLUMNS, mode=mode, after_load=after, **extra)
    assert got.status == "failed"
    assert load.sql("SELECT * FROM t WHERE id < 5 ORDER BY id") == NEW[:2]


def test_a_duplicate_in_the_rows_brings_the_deleted_ones_back(load: Load) -> None:
    got = load.run("id,v\n1,a\n1,b\n", COLUMNS, mode="insert", before_load=BEFORE)
    assert got.status == "failed"
    assert load.sql("SELECT * FROM t ORDER BY id") == OLD


def test_the_last_statement_can_record_how_many_rows_were_moved(load: Load) -> None:
    after = "INSERT INTO ledger SELECT 7, ROW_COUNT()"
    assert load.run(TWO, COLUMNS, mode="insert", before_load=BEFORE, after_load=after).rows == 2
    assert load.sql("SELECT * FROM ledger") == [(7, 2)]


def test_two_statements_need_an_option(load: Load) -> None:
    two = "DELETE FROM t; INSERT INTO ledger VALUES (7, 1)"
    assert load.run(TWO, COLUMNS, mode="insert", before_load=two).status == "failed"
    assert load.sql("SELECT * FROM t ORDER BY id") == OLD
    options = {"allowMultiQueries": True}
    got = load.run(TWO, COLUMNS, mode="insert", before_load=two, options=options)
    assert got.status == "loaded"
    assert load.sql("SELECT * FROM t ORDER BY id") == NEW[:2]
