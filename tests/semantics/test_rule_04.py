"""SEMANTICS 4: a run's window owns its partitions: exactly the query's rows, or nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.semantics.little import (
    DAY,
    ended,
    go,
    insert,
    project,
    read,
    records,
    rows_of,
    statements,
)

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
THREE_DAYS = [(1, "2024-01-01"), (2, "2024-01-02"), (3, "2024-01-02"), (4, "2024-01-03")]
ALL = "SELECT id, dt FROM staging.events WHERE dt BETWEEN '2024-01-01' AND '2024-01-31' ORDER BY id"


def events(*rows: tuple[object, ...], where: str = WINDOW, **more: str) -> dict[str, str]:
    return {"staging/events": insert(f"SELECT id, dt FROM {rows_of(*rows)} {where}", **more)}


def test_semantics_4_a_rerun_of_a_part_replaces_that_part_and_nothing_else(tmp_path: Path) -> None:
    root = project(tmp_path, events(*THREE_DAYS))
    assert go(root, "2024-01-01", "2024-01-03").status == "SUCCEEDED"
    assert read(root, ALL) == THREE_DAYS
    project(tmp_path, events((10, "2024-01-01"), (20, "2024-01-02"), (30, "2024-01-03")))
    assert go(root, "2024-01-02").status == "SUCCEEDED"
    assert read(root, ALL) == [(1, "2024-01-01"), (4, "2024-01-03"), (20, "2024-01-02")]


def test_semantics_4_a_partition_without_rows_becomes_empty_and_is_recorded_so(
    tmp_path: Path,
) -> None:
    root = project(tmp_path, events(*THREE_DAYS))
    go(root, "2024-01-01", "2024-01-03")
    project(tmp_path, events((1, "2024-01-01"), (4, "2024-01-03")))
    assert go(root, "2024-01-02", "2024-01-04").status == "SUCCEEDED"
    assert read(root, ALL) == [(1, "2024-01-01"), (4, "2024-01-03")]
    assert records(root, "staging.events") == {
        "2024-01-01": 1,
        "2024-01-02": 0,
        "2024-01-03": 1,
        "2024-01-04": 0,
    }


ENUM = "shop: {type: enum, values: [a, b]}"
OUTSIDE = "WHERE '{{ start }}' <= '{{ end }}'"
DAY_AND_SHOP = f"{DAY}\n  {ENUM}"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        pytest.param([(5, "2023-12-31")], "dt=2023-12-31 (1 rows)", id="before"),
        pytest.param([(5, "2024-01-04"), (6, "2024-01-04")], "dt=2024-01-04 (2 rows)", id="after"),
        pytest.param([(5, None)], "dt=NULL (1 rows)", id="NULL"),
        pytest.param([(5, "2024-1-2")], "dt=2024-1-2 (1 rows)", id="another format"),
        pytest.param([(5, "yesterday")], "dt=yesterday (1 rows)", id="no date"),
        pytest.param([(5, "")], "(1 rows)", id="no text"),
        pytest.param(
            [(5, "2024-01-04"), (6, None), (7, "2024-01-04")],
            "dt=2024-01-04 (2 rows)",
            id="several",
        ),
    ],
)
def test_semantics_4_a_row_that_the_window_does_not_own_fails_the_run_before_publishing(
    rows: list[tuple[object, ...]], told: str, tmp_path: Path
) -> None:
    root = project(tmp_path, events(*THREE_DAYS))
    go(root, "2024-01-01", "2024-01-03")
    project(tmp_path, events((9, "2024-01-02"), *rows, where=OUTSIDE))
    result = go(root, "2024-01-01", "2024-01-03")
    found = ended(result)["staging.events"]
    assert (result.status, found.status) == ("FAILED", "failed")
    assert found.message.startswith("RowsOutsideWindow: staging.events: the query gave rows that ")
    assert "2024-01-01..2024-01-03 does not own" in found.message
    assert told in found.message
    assert "Nothing was published" in found.message
    assert read(root, ALL) == THREE_DAYS


@pytest.mark.parametrize(
    ("shop", "status"), [("b", "SUCCEEDED"), ("c", "FAILED"), (None, "FAILED")]
)
def test_semantics_4_other_partition_columns_have_their_values_too(
    shop: str | None, status: str, tmp_path: Path
) -> None:
    source = rows_of((1, "2024-01-01", "a"), (2, "2024-01-01", shop), columns="id, dt, shop")
    files = {
        "staging/events": insert(
            f"SELECT id, dt, shop FROM {source} {WINDOW}", partition=DAY_AND_SHOP
        )
    }
    root = project(tmp_path, files)
    result = go(root, "2024-01-01")
    assert result.status == status
    assert records(root, "staging.events") == ({"2024-01-01": 2} if shop == "b" else {})


def test_semantics_4_the_query_is_never_filtered_in_silence(tmp_path: Path) -> None:
    """The analyst's text stands in the statement; nothing after it takes rows away."""
    root = project(tmp_path, events(*THREE_DAYS))
    go(root, "2024-01-01", "2024-01-03")
    (statement,) = statements(root, "INSERT INTO")
    head, _, rest = statement.partition(" FROM (\n")
    assert head.endswith('("id", "dt") SELECT "id", "dt"')
    assert rest == (
        f"SELECT id, dt FROM {rows_of(*THREE_DAYS)} "
        "WHERE dt BETWEEN '2024-01-01' AND '2024-01-03'\n)"
    )
