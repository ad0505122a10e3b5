"""Previews stand in for upstreams that were never published, and publish nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runner.app.preview import preview
from runner.app.run import RunRequest, run
from runner.errors import RunFailed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for part in ("config.yaml", "sql", "workflows", "lambdas", "data"):
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part)
        else:
            shutil.copy(source, tmp_path / part)
    return tmp_path


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("marts.daily_carrier_delay", "flights", 720),
        ("staging.flights", None, 720),
        ("marts.carrier_delay_7d", "days", 5),
        ("raw.airlines", None, 16),
    ],
)
def test_a_table_is_previewed_before_anything_ran(
    project: Path, table: str, column: str | None, expected: int
) -> None:
    found = preview(project, table, start="2013-01-05", end="2013-01-05", limit=10_000)
    names = [name for name, _ in found.columns]
    if column is None:
        assert len(found.rows) == expected
    elif column == "days":
        # six days back: every carrier flew on each of the first five days of the year
        assert {row[names.index("days")] for row in found.rows} == {5}
    else:
        assert sum(row[names.index(column)] for row in found.rows) == expected
    state = project / ".runner"
    assert not (state / "s3").exists() or not list((state / "s3").rglob("*.parquet"))


def test_a_preview_is_the_same_before_and_after_the_run(project: Path) -> None:
    def rows() -> list[tuple[object, ...]]:
        found = preview(
            project, "marts.hourly_delay_weather", start="2013-01-03", end="2013-01-04", limit=9999
        )
        return sorted(found.rows, key=repr)

    before = rows()
    result = run(RunRequest(root=project, workflow="daily", start="2013-01-01", end="2013-01-05"))
    assert result.status == "SUCCEEDED"
    assert rows() == before
    assert len(before) > 80


def test_the_fault_of_an_unpublished_upstream_stands_in_its_own_file(project: Path) -> None:
    path = project / "sql" / "staging" / "flights.sql"
    path.write_text(path.read_text().replace("    dep_delay AS", "    dep_dely AS"))
    with pytest.raises(RunFailed) as caught:
        preview(project, "marts.daily_carrier_delay", start="2013-01-05", end="2013-01-05")
    (fault,) = caught.value.faults
    assert fault.place.file == "sql/staging/flights.sql"
    assert "dep_dely" in fault.found
