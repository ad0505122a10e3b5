"""SEMANTICS 14: a window is two civil values, both included, in the workflow's grain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.errors import UsageError
from tests.semantics.little import CONFIG, go, insert, project, read, records, sql

if TYPE_CHECKING:
    from pathlib import Path

GRAINS = {"hour": "yyyy-MM-dd'T'HH", "day": "yyyy-MM-dd", "month": "yyyy-MM"}
FIRST = {"hour": "2024-01-01T00", "day": "2024-01-01", "month": "2024-01"}


def of_grain(folder: Path, grain: str, *, config: str = CONFIG) -> Path:
    """Write a project whose one table has a row for each end of the window."""
    partition = f'p: {{type: date, format: "{GRAINS[grain]}", range: "{FIRST[grain]},NOW+1DAYS"}}'
    query = "SELECT 1 AS n, '{{ start }}' AS p UNION ALL SELECT 2, '{{ end }}'"
    workflow = f"grain: {grain}\nsteps: {{tables: {{type: tables}}}}\n"
    files = {"marts/x": insert(query, partition=partition), "workflows/daily.yaml": workflow}
    return project(folder, files, config=config)


@pytest.mark.parametrize(
    ("grain", "start", "end", "periods"),
    [
        ("day", "2024-02-28", "2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("day", "2024-01-01", "2024-01-01", ["2024-01-01"]),
        ("hour", "2024-01-01T23", "2024-01-02T00", ["2024-01-01T23", "2024-01-02T00"]),
        ("month", "2024-12", "2025-01", ["2024-12", "2025-01"]),
    ],
)
def test_semantics_14_both_ends_are_written(
    grain: str, start: str, end: str, periods: list[str], tmp_path: Path
) -> None:
    root = of_grain(tmp_path, grain)
    assert go(root, start, end).status == "SUCCEEDED"
    written = records(root, "marts.x")
    assert list(written) == periods
    assert written[start] + (written[end] if end != start else 0) == 2


@pytest.mark.parametrize(
    ("grain", "start", "end", "found"),
    [
        ("day", "2024-01-01T00", "2024-01-02", "'2024-01-01T00' is not a day"),
        ("day", "2024-01", "2024-02", "'2024-01' is not a day"),
        ("month", "2024-01-01", "2024-02", "'2024-01-01' is not a month"),
        ("hour", "2024-01-01T00", "2024-01-01", "'2024-01-01' is not a hour"),
        ("day", "2024-02-30", "2024-03-01", "'2024-02-30' is not a day"),
        ("day", "2024-01-02", "2024-01-01", "2024-01-02, after --end 2024-01-01"),
    ],
)
def test_semantics_14_other_grains_and_days_that_do_not_exist_are_refused(
    grain: str, start: str, end: str, found: str, tmp_path: Path
) -> None:
    root = of_grain(tmp_path, grain)
    with pytest.raises(UsageError) as refused:
        go(root, start, end)
    assert [fault.found.startswith(found) for fault in refused.value.faults] == [True]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_semantics_14_values_are_labels_that_no_zone_shifts(zone: str, tmp_path: Path) -> None:
    root = of_grain(tmp_path, "day", config=CONFIG.replace("UTC", zone))
    go(root, "2024-01-05")
    assert read(root, "SELECT DISTINCT p FROM marts.x WHERE p > ''") == [("2024-01-05",)]


@pytest.mark.parametrize("schedule_zone", [None, "Europe/Berlin"])
def test_semantics_14_the_zone_of_a_schedule_says_only_when_it_fires(
    schedule_zone: str | None, tmp_path: Path
) -> None:
    zone = f", timezone: {schedule_zone}" if schedule_zone else ""
    workflow = f'schedule: {{cron: "0 3 * * ? *"{zone}}}\nsteps: {{tables: {{type: tables}}}}\n'
    files = {"marts/x": sql("SELECT 1 AS a"), "workflows/daily.yaml": workflow}
    root = project(tmp_path, files, config=CONFIG.replace("UTC", "Asia/Tokyo"))
    bundle = open_bundle(root)
    begin = json.loads(bundle.workflow("daily").definition)["States"]["begin"]
    assert begin["Arguments"]["Payload"]["timezone"] == "Asia/Tokyo"
    assert bundle.timezone == "Asia/Tokyo"
