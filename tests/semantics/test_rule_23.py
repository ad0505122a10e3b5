"""SEMANTICS 23: chunks are computed when a run starts; `run` refuses what a backfill is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from tests.semantics.little import CONFIG, WORKFLOW, ended, go, insert, project, read, records

if TYPE_CHECKING:
    from pathlib import Path

QUERY = "SELECT 1 AS n, '{{ start }}' AS dt"
HOURLY = 'dt: {type: date, format: yyyy-MM-dd-HH, range: "2020-01-01-00,NOW+1DAYS"}'
YEARLY = 'dt: {type: date, format: yyyy, range: "2020,NOW+1YEARS"}'


def test_semantics_23_the_definition_knows_no_window_and_a_map_runs_the_chunks(
    tmp_path: Path,
) -> None:
    bundle = open_bundle(project(tmp_path, {"marts/x": insert(QUERY)}))
    definition = bundle.workflow("daily").definition
    assert "2024-" not in definition.replace("2024-01-01,NOW+1DAYS", "the projection's range")
    wave = json.loads(definition)["States"]["tables wave 1"]["Branches"][0]["States"]
    write = wave["marts.x write"]
    assert (write["Type"], write["Items"]) == ("Map", "{% $plan.chunks %}")


@pytest.mark.parametrize(
    ("limit", "end", "status"),
    [
        ("", "2021-02-03", "SUCCEEDED"),  # 400 days
        ("", "2021-02-04", "FAILED"),
        ("defaults: {max_window: 3}\n", "2020-01-03", "SUCCEEDED"),
        ("defaults: {max_window: 3}\n", "2020-01-04", "FAILED"),
    ],
)
def test_semantics_23_a_window_over_the_limit_is_refused_and_backfill_named(
    limit: str, end: str, status: str, tmp_path: Path
) -> None:
    files = {"marts/x": insert(QUERY, partition=YEARLY)}
    root = project(tmp_path, files, config=CONFIG + limit)
    result = go(root, "2020-01-01", end)
    assert result.status == status
    if status == "FAILED":
        assert result.error == "WindowTooLarge"
        assert "use `runner backfill`" in result.cause
        assert records(root, "marts.x") == {}


def test_semantics_23_the_limit_holds_for_the_partitions_of_each_table(tmp_path: Path) -> None:
    """17 days are few for the run and 408 partitions for an hourly table."""
    files = {
        "marts/hourly": insert(QUERY, partition=HOURLY),
        "marts/yearly": insert(QUERY, partition=YEARLY),
    }
    root = project(tmp_path, files)
    result = go(root, "2024-01-01", "2024-01-17")
    found = ended(result)
    assert found["marts.yearly"].status == "published"
    assert found["marts.hourly"].status == "failed"
    assert "is 408 partitions, more than the 400" in found["marts.hourly"].message
    assert "runner backfill" in found["marts.hourly"].message
    assert read(root, "SELECT dt FROM marts.yearly WHERE dt > ''") == [("2024",)]


@pytest.mark.parametrize(("chunks", "at_once"), [(None, 1), (4, 4)])
def test_semantics_23_how_many_chunks_run_at_once_is_configured(
    chunks: int | None, at_once: int, tmp_path: Path
) -> None:
    more = f"defaults: {{concurrency: {{chunks: {chunks}}}}}\n" if chunks else ""
    files = {"marts/x": insert(QUERY), "workflows/daily.yaml": WORKFLOW}
    definition = open_bundle(project(tmp_path, files, config=CONFIG + more))
    assert f'"MaxConcurrency":{at_once}' in definition.workflow("daily").definition.replace(" ", "")
