"""SEMANTICS 12: whole tables and whole loads refuse zero rows; empty partitions are ordinary."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.semantics.little import ended, go, insert, project, read, records, rows_of, sql

if TYPE_CHECKING:
    from pathlib import Path

SOME = f"SELECT id, dt FROM {rows_of((1, '2024-01-01'))}"
NONE = f"{SOME} WHERE id > 1"
WINDOW = "dt BETWEEN '{{ start }}' AND '{{ end }}'"


def in_mart(root: Path, table: str) -> int:
    connection = sqlite3.connect(root / "mart.sqlite")
    try:
        (count,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    finally:
        connection.close()
    return int(count)


@pytest.mark.parametrize(("allow", "left"), [(False, 1), (True, 0)])
def test_semantics_12_a_ctas_without_rows_stays_as_it_was_unless_that_is_allowed(
    left: int, tmp_path: Path, *, allow: bool
) -> None:
    header = f"allow_empty: {str(allow).lower()}"
    root = project(tmp_path, {"marts/x": sql(SOME, header)})
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    project(tmp_path, {"marts/x": sql(NONE, header)})
    result = go(root, "2024-01-01")
    found = ended(result)["marts.x"]
    assert found.status == ("published" if allow else "failed")
    assert ("EmptyTable" in found.message, "allow_empty: true" in found.advice) == (
        not allow,
        not allow,
    )
    assert read(root, "SELECT count(*) FROM marts.x") == [(left,)]


@pytest.mark.parametrize(
    ("mode", "allow", "status"),
    [
        ("replace", False, "failed"),
        ("replace", True, "loaded"),
        ("truncate_insert", False, "failed"),
        ("truncate_insert", True, "loaded"),
        ("replace_window", False, "loaded"),
    ],
)
def test_semantics_12_a_whole_load_of_an_empty_table_is_refused(
    mode: str, status: str, tmp_path: Path, *, allow: bool
) -> None:
    header = f"load: {{mode: {mode}}}\nallow_empty: {str(allow).lower()}"
    root = project(tmp_path, {"marts/x": insert(f"{SOME} WHERE {WINDOW}", header)})
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert in_mart(root, "x") == 1
    project(tmp_path, {"marts/x": insert(f"{NONE} AND {WINDOW}", header)})
    result = go(root, "2024-01-01")
    assert ended(result)["marts.x"].status == "published"
    assert ended(result)["marts.x load"].status == status
    assert in_mart(root, "x") == (1 if status == "failed" else 0)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", "published"),
        ("allow_empty: false", "published"),
        ("tests: [{min_rows: 0}]", "published"),
        ("tests: [{min_rows: 1, severity: warn}]", "published"),
        ("tests: [{min_rows: 1}]", "failed"),
    ],
)
def test_semantics_12_insert_partitions_may_be_empty_unless_min_rows_is_tested(
    header: str, status: str, tmp_path: Path
) -> None:
    root = project(tmp_path, {"marts/x": insert(f"{SOME} WHERE {WINDOW}", header)})
    result = go(root, "2024-01-01", "2024-01-02")  # no row on the second day
    found = ended(result)["marts.x"]
    assert found.status == status
    empty = {"2024-01-01": 1, "2024-01-02": 0}
    assert records(root, "marts.x") == (empty if status == "published" else {})
    if status == "failed":
        assert "min_rows: 1: 1 offending in 2024-01-02" in found.message
    assert bool(found.warnings) == ("warn" in header)
