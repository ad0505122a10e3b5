"""SEMANTICS 30: deleting or renaming a file removes nothing."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.semantics.little import go, insert, project, read, rows_of, sql, statuses

if TYPE_CHECKING:
    from pathlib import Path

ROWS = rows_of((1, "2024-01-01"), (2, "2024-01-02"))
KEPT = {"marts/kept": sql("SELECT 1 AS n")}
TABLES = {
    "insert": (
        insert(f"SELECT id, dt FROM {ROWS} WHERE dt BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}'"),
        "SELECT id FROM marts.old WHERE dt > '' ORDER BY 1",
    ),
    "ctas": (sql(f"SELECT id FROM {ROWS}", "load: {}"), "SELECT id FROM marts.old ORDER BY 1"),
    "view": (sql(f"SELECT id FROM {ROWS}", "kind: view"), "SELECT id FROM marts.old ORDER BY 1"),
}


def everything(root: Path) -> set[str]:
    lake = root / ".runner" / "s3" / "lake"
    files = (path for path in lake.rglob("*") if path.is_file() and "old" in path.as_posix())
    return {path.relative_to(lake).as_posix() for path in files if "/loads/" not in str(path)}


@pytest.mark.parametrize("renamed", [False, True], ids=["deleted", "renamed"])
@pytest.mark.parametrize("kind", TABLES)
def test_semantics_30_table_records_and_files_stay(
    kind: str, tmp_path: Path, *, renamed: bool
) -> None:
    text, query = TABLES[kind]
    root = project(tmp_path, {**KEPT, "marts/old": text})
    assert go(root, "2024-01-01", "2024-01-02").status == "SUCCEEDED"
    before = everything(root)
    (root / "sql/marts/old.sql").unlink()
    project(tmp_path, {"marts/new": text} if renamed else {})
    result = go(root, "2024-01-01", "2024-01-02")
    assert result.status == "SUCCEEDED"
    assert "marts.old" not in statuses(result)
    assert read(root, query) == [(1,), (2,)]
    assert before
    assert everything(root) == before
    if renamed:
        assert read(root, query.replace("old", "new")) == [(1,), (2,)]
    if kind == "ctas":
        connection = sqlite3.connect(root / "mart.sqlite")
        assert connection.execute("SELECT count(*) FROM old").fetchone() == (2,)
        connection.close()


def test_semantics_30_a_file_that_comes_back_finds_its_table(tmp_path: Path) -> None:
    text, query = TABLES["insert"]
    root = project(tmp_path, {**KEPT, "marts/old": text})
    go(root, "2024-01-01", "2024-01-02")
    (root / "sql/marts/old.sql").unlink()
    go(root, "2024-01-01")
    project(tmp_path, {"marts/old": text})
    assert statuses(go(root, "2024-01-02"))["marts.old"] == "published"
    assert read(root, query) == [(1,), (2,)]
