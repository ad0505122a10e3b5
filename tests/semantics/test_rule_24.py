"""SEMANTICS 24: NOW is UTC, so a range that ends there reaches a day further where it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.project import check_project
from tests.semantics.little import CONFIG, insert, project

if TYPE_CHECKING:
    from pathlib import Path

FIRST = {"yyyy-MM-dd": "2024-01-01", "yyyy-MM-dd-HH": "2024-01-01-00", "yyyy-MM": "2024-01"}


@pytest.mark.parametrize(
    ("pattern", "zone", "last", "refused"),
    [
        ("yyyy-MM-dd", "UTC", "NOW", False),
        ("yyyy-MM-dd", "UTC", "NOW-1DAYS", False),
        ("yyyy-MM-dd", "Etc/UTC", "NOW", False),
        ("yyyy-MM-dd", "Asia/Tokyo", "NOW", True),
        ("yyyy-MM-dd", "Asia/Tokyo", "NOW+23HOURS", True),
        ("yyyy-MM-dd", "Asia/Tokyo", "NOW+24HOURS", False),
        ("yyyy-MM-dd", "Asia/Tokyo", "NOW+1DAYS", False),
        ("yyyy-MM-dd", "Asia/Tokyo", "NOW+1DAY", False),
        ("yyyy-MM-dd", "Asia/Tokyo", "NOW+1MONTHS", False),
        ("yyyy-MM-dd", "Asia/Tokyo", "2030-12-31", False),
        ("yyyy-MM-dd", "America/New_York", "NOW", True),
        ("yyyy-MM-dd", "Europe/London", "NOW", True),
        ("yyyy-MM", "Asia/Tokyo", "NOW", True),
        ("yyyy-MM", "UTC", "NOW", False),
        ("yyyy-MM-dd-HH", "UTC", "NOW", True),
        ("yyyy-MM-dd-HH", "UTC", "NOW+1HOURS", True),
        ("yyyy-MM-dd-HH", "UTC", "NOW+1DAYS", False),
        ("yyyy-MM-dd-HH", "Asia/Tokyo", "NOW+1DAYS", False),
    ],
)
def test_semantics_24_where_a_range_may_end(
    pattern: str, zone: str, last: str, tmp_path: Path, *, refused: bool
) -> None:
    partition = f'dt: {{type: date, format: {pattern}, range: "{FIRST[pattern]},{last}"}}'
    files = {"marts/x": insert("SELECT 1 AS n, '{{ start }}' AS dt", partition=partition)}
    faults = check_project(project(tmp_path, files, config=CONFIG.replace("UTC", zone)))
    assert [fault.code for fault in faults] == (["projection-now"] if refused else [])
    if refused:
        assert str(faults[0].place).startswith("sql/marts/x.sql:3:")
        assert "NOW is UTC" in faults[0].expected
        assert faults[0].advice == f'write range: "{FIRST[pattern]},NOW+1DAYS"'
