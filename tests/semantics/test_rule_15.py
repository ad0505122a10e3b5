"""SEMANTICS 15: a table's own window is the run's, widened outward to its partition grain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.semantics.little import go, insert, project, read, records, sql

if TYPE_CHECKING:
    from pathlib import Path

PRINTED = "'{{ start }} to {{ end }}' AS printed"
PARTS = """year: {type: integer, range: "2023,2030", digits: 4}
  month: {type: integer, range: "1,12", digits: 2}"""


def dated(pattern: str, first: str) -> str:
    return f'p: {{type: date, format: "{pattern}", range: "{first},NOW+1DAYS"}}'


def at_start(pattern: str, first: str) -> str:
    return insert(f"SELECT {PRINTED}, '{{{{ start }}}}' AS p", partition=dated(pattern, first))


FILES = {
    "t/hourly": at_start("yyyy-MM-dd-HH", "2023-01-01-00"),
    "t/daily": at_start("yyyyMMdd", "20230101"),
    "t/monthly": at_start("yyyyMM", "202301"),
    "t/yearly": at_start("yyyy", "2023"),
    "t/by_parts": insert(
        f"SELECT {PRINTED}, '{{{{ start.format('yyyy') }}}}' AS year, "
        "'{{ start.format('MM') }}' AS month",
        partition=PARTS,
    ),
    "t/moved": insert(
        "SELECT '{{ start.add(days=-1) }} to {{ end.month_end.format('dd/MM') }}' AS printed, "
        "'{{ start }}' AS p",
        partition=dated("yyyy-MM-dd", "2023-01-01"),
    ),
    "t/whole": sql(f"SELECT {PRINTED}"),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of every grain after a run over two days in two months."""
    root = project(tmp_path_factory.mktemp("rule_15"), FILES)
    assert go(root, "2024-01-31", "2024-02-01").status == "SUCCEEDED"
    return root


@pytest.mark.parametrize(
    ("table", "printed", "periods", "last"),
    [
        ("hourly", "2024-01-31-00 to 2024-02-01-23", 48, "2024-02-01T23"),
        ("daily", "20240131 to 20240201", 2, "2024-02-01"),
        ("monthly", "202401 to 202402", 2, "2024-02"),
        ("yearly", "2024 to 2024", 1, "2024"),
        ("by_parts", "2024-01 to 2024-02", 2, "2024-02"),
        ("moved", "2024-01-30 to 29/02", 2, "2024-02-01"),
        ("whole", "2024-01-31 to 2024-02-01", 1, "all"),
    ],
)
def test_semantics_15_windows_of_tables_in_a_run_over_two_days(
    ran: Path, table: str, printed: str, periods: int, last: str
) -> None:
    where = {"whole": "", "by_parts": "WHERE year = '2024'"}.get(table, "WHERE p >= '2024'")
    assert read(ran, f"SELECT printed FROM t.{table} {where}") == [(printed,)]
    written = records(ran, f"t.{table}")
    assert (len(written), max(written)) == (periods, last)
