"""Partitions that a run is writing at present, by the lease of their table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.app.partitions import table_grids
from tests.semantics.little import insert, project, sql

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2024, 2, 1, tzinfo=UTC)
FILES = {
    "staging/a": insert("SELECT 1 AS id, '{{ start }}' AS dt"),
    "marts/w": sql("SELECT count(*) AS n FROM staging.a WHERE dt > ''"),
}


def states(root: Path, table: str) -> list[str]:
    found = table_grids(root, (table,), start="2024-01-01", end="2024-01-04", now=NOW)
    return [cell.state for cell in found.tables[0].cells]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (
            {"start": "2024-01-02", "end": "2024-01-03"},
            ["missing", "running", "running", "missing"],
        ),
        (
            {"start": "2023-12-01", "end": "2024-01-01"},
            ["running", "missing", "missing", "missing"],
        ),
        ({}, ["running"] * 4),
        ({"start": "2024-01", "end": "2024-01"}, ["missing"] * 4),  # it was monthly then
    ],
)
def test_the_window_of_a_living_lease_is_running(
    window: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    root = project(tmp_path, FILES)
    local = open_places(root, open_bundle(root), now=lambda: NOW)
    storage = local.storage()
    handle = local.runs.create("daily-1", workflow="daily", execution_input={}, definition=b"{}")
    lease = {"execution": handle.run.arn, "redrive": 0, "attempt": 1, **window}
    for table in ("staging/a", "marts/w"):
        storage.write_json(f"{storage.prefix}_runner/leases/{table}.json", lease)
    with handle:
        assert states(root, "staging.a") == expected
        assert states(root, "marts.w") == ["running"]
    assert states(root, "staging.a") == ["missing"] * 4  # the run is dead
    assert states(root, "marts.w") == ["missing"]
