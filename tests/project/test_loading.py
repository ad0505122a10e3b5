from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.errors import ProjectError
from runner.model.header import Kind
from runner.model.names import TableName
from runner.model.project import Column, Read
from runner.project import find_root, inspect_project, load_project
from tests.project.projects import INSERT, good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

DAILY = TableName("marts", "daily")


def test_a_table_carries_everything_that_later_stages_need(tmp_path: Path) -> None:
    project = load_project(good_project(tmp_path))
    table = project.table(DAILY)
    assert table.kind is Kind.INSERT
    assert table.file == "sql/marts/daily.sql"
    assert table.sql_line == 8
    assert table.reads == (Read(TableName("staging", "events"), windowed=True),)
    assert [column.name for column in table.columns] == ["shop", "total", "dt"]
    assert table.partitioning.grain == "day"
    assert table.partitioning.time == (("dt", "yyyy-MM-dd"),)
    assert table.database == "marts"
    assert len(table.fingerprint) == 64
    assert project.lambdas == ("report",)
    assert [named.name for named in project.workflows] == ["daily"]
    raw = project.table(TableName("raw", "events"))
    assert raw.columns[-1] == Column("dt", "string")


def test_the_suffix_reaches_every_database_of_the_project_and_no_source(tmp_path: Path) -> None:
    """SEMANTICS 28."""
    root = good_project(tmp_path)
    config = (root / "config.yaml").read_text()
    query = "SELECT name FROM crm.customers AS c JOIN marts.daily AS d ON d.shop = c.name"
    files = {
        "config.yaml": config.replace(
            "engine: local\n", "engine: local\n    database_suffix: _x\n"
        ),
        "sql/marts/x.sql": f"{query}\n",
    }
    project = load_project(write_files(root, files))
    table = project.table(TableName("marts", "x"))
    assert table.database == "marts_x"
    assert table.sources == ("crm.customers",)
    assert table.sql.fill({}) == query.replace("marts.", "marts_x.")


def test_stars_are_expanded_from_upstream_columns(tmp_path: Path) -> None:
    files = {"sql/marts/x.sql": "SELECT d.*, 1 AS one FROM daily AS d\n"}
    project = load_project(write_files(good_project(tmp_path), files))
    columns = project.table(TableName("marts", "x")).columns
    assert [column.name for column in columns] == ["shop", "total", "dt", "one"]


def test_a_default_format_of_the_project_reaches_tables_that_name_none(tmp_path: Path) -> None:
    root = good_project(tmp_path)
    config = (root / "config.yaml").read_text()
    files = {
        "config.yaml": f"{config}defaults: {{format: orc}}\n",
        "sql/marts/daily.sql": "SELECT shop FROM staging.events\n",
        "sql/marts/x.sql": "/*---\nformat: avro\n---*/\nSELECT shop FROM daily\n",
    }
    project = load_project(write_files(root, files))
    assert project.table(DAILY).header.format == "orc"
    assert project.table(TableName("marts", "x")).header.format == "avro"


def test_a_new_table_joins_without_another_edit(tmp_path: Path) -> None:
    files = {"sql/marts/x.sql": "SELECT shop FROM staging.events"}
    project = load_project(write_files(good_project(tmp_path), files))
    assert TableName("marts", "x") in [table.name for table in project.tables]


def test_files_that_are_none_of_ours_are_left_alone(tmp_path: Path) -> None:
    files = {
        "sql/README.md": "# SQL",
        "sql/marts/.draft.sql": "SELEC",
        "sql/marts/notes.txt": "x",
        "workflows/README.md": "x",
        "lambdas/_shared/x.py": "",
    }
    assert inspect_project(write_files(good_project(tmp_path), files)).faults == ()


def test_windows_line_ends_and_byte_order_marks_change_no_place(tmp_path: Path) -> None:
    root = good_project(tmp_path)
    text = INSERT.replace("SELECT shop,", "SELECT shap,").replace("\n", "\r\n")
    (root / "sql/marts/x.sql").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (fault,) = inspect_project(root).faults
    assert (fault.code, str(fault.place)) == ("unknown-column", "sql/marts/x.sql:5:8")


def test_bytes_that_are_no_text_are_a_fault(tmp_path: Path) -> None:
    root = good_project(tmp_path)
    (root / "sql/marts/x.sql").write_bytes(b"SELECT 1 AS a\n, '\xff'")
    (fault,) = inspect_project(root).faults
    assert (fault.code, str(fault.place)) == ("not-utf8", "sql/marts/x.sql:2:4")


def test_the_root_is_the_nearest_folder_with_a_config(tmp_path: Path) -> None:
    root = good_project(tmp_path)
    assert find_root(root / "sql" / "marts") == root
    with pytest.raises(ProjectError, match="no config.yaml in this folder or above it"):
        find_root(tmp_path)


# --- what is remembered -------------------------------------------------------------------------


def changed(root: Path, cache: Path) -> None:
    """Load with the cache, and see that it makes what loading without makes."""
    assert load_project(root, cache_dir=cache) == load_project(root)
    assert inspect_project(root, cache_dir=cache) == inspect_project(root)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("sql/marts/daily.sql", "AS total", "AS sum_"),
        ("sql/macros/common.sql", ", 0)", ", 1)"),
        ("config.yaml", "timezone: UTC", "timezone: Asia/Tokyo"),
        ("workflows/daily.yaml", "0 3", "0 4"),
        ("sql/staging/events.sql", "price, dt", "price, price AS net, dt"),
    ],
)
def test_a_changed_byte_is_seen(path: str, old: str, new: str, tmp_path: Path) -> None:
    root, cache = good_project(tmp_path), tmp_path / "cache"
    changed(root, cache)
    before = load_project(root, cache_dir=cache)
    stat = (root / path).stat()
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))
    os.utime(root / path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    changed(root, cache)
    assert load_project(root, cache_dir=cache) != before


def test_faults_keep_their_places_when_only_another_file_changed(tmp_path: Path) -> None:
    root, cache = good_project(tmp_path), tmp_path / "cache"
    write_files(root, {"sql/marts/x.sql": "SELECT\n    shop,\n    total\nFROM daily\n"})
    changed(root, cache)
    text = (root / "sql/marts/daily.sql").read_text()
    (root / "sql/marts/daily.sql").write_text(text.replace("AS total", "AS sum_"))
    (fault,) = inspect_project(root, cache_dir=cache).faults
    assert (fault.code, str(fault.place)) == ("unknown-column", "sql/marts/x.sql:3:5")
    (root / "sql/marts/daily.sql").unlink()
    faults = inspect_project(root, cache_dir=cache).faults
    assert ("unknown-table", "sql/marts/x.sql:4:6") in [(f.code, str(f.place)) for f in faults]


def test_environments_and_variables_have_their_own_entries(tmp_path: Path) -> None:
    """SEMANTICS 31."""
    root, cache = good_project(tmp_path), tmp_path / "cache"
    text = "SELECT shop FROM staging.events WHERE price > {{ vars.least }}"
    write_files(root, {"sql/marts/x.sql": text})
    name = TableName("marts", "x")
    for least in ("10", "20", "10"):
        project = load_project(root, variables={"least": least}, cache_dir=cache)
        assert project.table(name).sql.fill({}).endswith(f"price > {least}")


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("exploded",))


@pytest.mark.parametrize(
    "content", [b"", b"garbage", pickle.dumps({"x": 1}), pickle.dumps(Bomb()), pickle.dumps([1])]
)
def test_a_damaged_or_foreign_cache_is_a_miss_and_runs_nothing(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root, cache = good_project(tmp_path), tmp_path / "cache"
    expected = load_project(root, cache_dir=cache)
    inspect_project(root, cache_dir=cache)
    for path in cache.iterdir():
        stored = pickle.loads(path.read_bytes()) if content else {}  # noqa: S301 - our own file
        path.write_bytes(pickle.dumps(dict.fromkeys(stored, content)) if stored else content)
    assert load_project(root, cache_dir=cache) == expected
    assert inspect_project(root, cache_dir=cache).faults == ()
    for path in cache.iterdir():
        path.write_bytes(content)
    assert load_project(root, cache_dir=cache) == expected
    assert not (tmp_path / "exploded").exists()


def test_a_cache_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    root = good_project(tmp_path)
    (tmp_path / "file").write_text("")
    assert load_project(root, cache_dir=tmp_path / "file" / "cache").tables


@pytest.mark.parametrize(
    ("call", "absent"),
    [
        ("load_project", {"jinja2", "sqlglot", "yaml", "duckdb"}),
        ("check_project", {"jinja2", "sqlglot", "yaml", "duckdb", "pydantic"}),
    ],
)
def test_an_unchanged_project_needs_no_heavy_library(
    call: str, absent: set[str], tmp_path: Path
) -> None:
    root = good_project(tmp_path)
    code = (
        f"import sys; from pathlib import Path; from runner.project import {call}\n"
        f"{call}(Path({str(root)!r}), cache_dir=Path({str(tmp_path / 'cache')!r}))\n"
        "print(' '.join(sys.modules))"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
    assert absent & set(done.stdout.split()) == set()
