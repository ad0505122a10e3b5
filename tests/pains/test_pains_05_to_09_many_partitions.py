"""Pains of those who write more than a hundred partitions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from runner.machine import FaultPlan, InjectedFault, When
from tests.pains.scene import failed_query
from tests.semantics.little import DAY, codes, go, insert, project, read, records, sql, statements

if TYPE_CHECKING:
    from pathlib import Path

LONG = ("2024-01-01", "2024-09-06")
CHUNKS = [("2024-01-01", "2024-04-09"), ("2024-04-10", "2024-07-18"), ("2024-07-19", "2024-09-06")]
QUERY = (
    "SELECT 1 AS n, date_format(d, '%Y-%m-%d') AS dt FROM "
    "UNNEST(sequence(DATE '{{ start }}', DATE '{{ end }}', INTERVAL '1' DAY)) AS t (d)"
)
COUNTS = "SELECT count(*), count(DISTINCT dt) FROM marts.x WHERE dt > ''"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    partition = DAY.replace("NOW+1DAYS", "2030-12-31")
    return project(tmp_path, {"marts/x": insert(QUERY, partition=partition)})


def written(root: Path) -> list[tuple[str, str]]:
    """Give the windows of the INSERT statements of the newest run, as they were sent."""
    return [
        (found[0], found[1])
        for text in statements(root, "INSERT INTO")
        if (found := re.findall("DATE '([^']+)'", text))
    ]


def test_pain_05_a_long_refresh_goes_on_at_the_chunk_that_failed(root: Path) -> None:
    """dbt-core#12467: 35,000 partitions failed late, on a temporary table of a fixed name."""
    lost = failed_query("GENERIC_INTERNAL_ERROR: a worker node went away")
    third = InjectedFault("*write#1.0[[]2[]]/marts.x insert#1", lost, When.AFTER)
    assert go(root, *LONG, faults=FaultPlan((third,))).status == "SUCCEEDED"
    assert written(root) == [*CHUNKS, CHUNKS[2]]
    stages = [text.partition(" (")[0] for text in statements(root, "INSERT INTO")]
    assert len(set(stages)) == len(stages), "a stage table was used twice"
    assert read(root, COUNTS) == [(250, 250)]


def test_pain_05_a_failed_chunk_leaves_the_others_published_and_nothing_doubled(root: Path) -> None:
    """The same when it fails for good: the next run finds no table in its way."""
    hopeless = failed_query("HIVE_BAD_DATA: a file is broken")
    third = InjectedFault("*write#1.0[[]2[]]/marts.x insert#1", hopeless, When.AFTER)
    assert go(root, *LONG, faults=FaultPlan((third,))).status == "FAILED"
    assert len(records(root, "marts.x")) == 200
    assert read(root, COUNTS) == [(200, 200)]
    assert go(root, *LONG).status == "SUCCEEDED"
    assert read(root, COUNTS) == [(250, 250)]


@pytest.mark.parametrize(("buckets", "fine"), [(2, True), (3, False)])
def test_pain_06_buckets_and_partitions_are_counted_together(
    buckets: int, tmp_path: Path, *, fine: bool
) -> None:
    """dbt-adapters#1783: 100 partitions were allowed, and 100 buckets in each of them."""
    header = (
        'kind: ctas\npartition:\n  n: {type: integer, range: "1,50"}\n'
        f"bucket: {{columns: [id], count: {buckets}}}"
    )
    root = project(tmp_path, {"marts/x": sql("SELECT 1 AS id, '1' AS n", header)})
    assert codes(root) == ([] if fine else ["ctas-partitions"])


def test_pain_07_08_the_first_load_of_250_days_is_one_run(root: Path) -> None:
    """dbt-athena#87, Tomme#149, aws-sdk-pandas#3172, #3222: HIVE_TOO_MANY_OPEN_PARTITIONS."""
    assert go(root, *LONG).status == "SUCCEEDED"
    assert written(root) == CHUNKS
    assert len(records(root, "marts.x")) == 250
    assert read(root, COUNTS) == [(250, 250)]


def test_pain_07_the_local_athena_has_the_limit_that_the_chunks_are_for(tmp_path: Path) -> None:
    """Without it the test above could not fail."""
    years = QUERY.replace("'{{ start }}'", "'2024-01-01'").replace("'{{ end }}'", "'2024-04-10'")
    header = "kind: ctas\npartition:\n  dt: {type: enum, values: [x]}"
    root = project(tmp_path, {"marts/x": sql(years, header)})
    (ended,) = go(root, "2024-01-01").ended
    assert "HIVE_TOO_MANY_OPEN_PARTITIONS" in ended.message
