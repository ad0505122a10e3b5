"""SEMANTICS 22: time first, the others finite; a statement writes at most 100 partitions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.semantics.little import DAY, codes, go, insert, project, read, records, statements

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 'p: {type: date, format: yyyy-MM-dd-HH, range: "2024-01-01-00,NOW+1DAYS"}'
YEAR = 'year: {type: integer, range: "2024,2030", digits: 4}'
MONTH = 'month: {type: integer, range: "1,12", digits: 2}'
DAY_OF_MONTH = 'day: {type: integer, range: "1,31", digits: 2}'
QUERY = (
    "SELECT 1 AS n, '{{ start }}' AS dt, '{{ start }}' AS p, 'a' AS shop, 'a' AS tenant, "
    "'2024' AS year, '01' AS month, '01' AS day, '1' AS number"
)


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        pytest.param([DAY], [], id="one date"),
        pytest.param([YEAR, MONTH, DAY_OF_MONTH], [], id="padded parts"),
        pytest.param([YEAR.replace(", digits: 4", "")], ["projection-digits"], id="unpadded"),
        pytest.param([MONTH, YEAR], ["projection-order"], id="month before year"),
        pytest.param(
            ["shop: {type: enum, values: [a, b]}", DAY], ["projection-order"], id="time last"
        ),
        pytest.param([DAY, "shop: {type: enum, values: [a, b]}"], [], id="enum beside"),
        pytest.param([DAY, "shop: {type: enum}"], ["projection-values"], id="enum of nothing"),
        pytest.param([DAY, 'number: {type: integer, range: "1,9"}'], [], id="integer beside"),
        pytest.param(
            [DAY, "number: {type: integer}"], ["projection-range"], id="integer without end"
        ),
        pytest.param([DAY, 'number: {type: integer, range: "1,100"}'], [], id="100 a day"),
        pytest.param(
            [DAY, 'number: {type: integer, range: "1,101"}'], ["insert-partitions"], id="101 a day"
        ),
        pytest.param([DAY, "tenant: {type: injected, values: [a, b]}"], [], id="injected"),
        pytest.param(
            [
                DAY,
                f"tenant: {{type: injected, values: [{', '.join(f't{n}' for n in range(101))}]}}",
            ],
            [],
            id="101 injected values, one a statement",
        ),
        pytest.param(
            [DAY, "tenant: {type: injected}"], ["projection-values"], id="injected of nothing"
        ),
    ],
)
def test_semantics_22_what_partitions_an_insert_may_have(
    partition: list[str], expected: list[str], tmp_path: Path
) -> None:
    files = {"marts/x": insert(QUERY, partition="\n  ".join(partition))}
    assert codes(project(tmp_path, files)) == expected


DAYS = (
    "SELECT 1 AS n, {other}date_format(d, '%Y-%m-%d') AS dt FROM "
    "UNNEST(sequence(DATE '{{{{ start }}}}', DATE '{{{{ end }}}}', INTERVAL '1' DAY)) AS t (d)"
)
HOURS = (
    "SELECT 1 AS n, '{{ start }}' AS p UNION ALL SELECT 2, '{{ end }}' "
    "WHERE '{{ end }}' <> '{{ start }}'"
)


def windows(root: Path, pattern: str = r"DATE '([^']+)'") -> list[tuple[str, ...]]:
    """Give the values that the INSERT statements of the newest run were written for."""
    found = [re.findall(pattern, text) for text in statements(root, "INSERT INTO")]
    return sorted((values[0], values[1]) for values in found)


def test_semantics_22_250_days_are_written_by_100_at_a_time(tmp_path: Path) -> None:
    partition = DAY.replace("NOW+1DAYS", "2030-12-31")
    root = project(tmp_path, {"marts/x": insert(DAYS.format(other=""), partition=partition)})
    assert go(root, "2024-01-01", "2024-09-06").status == "SUCCEEDED"
    assert windows(root) == [
        ("2024-01-01", "2024-04-09"),
        ("2024-04-10", "2024-07-18"),
        ("2024-07-19", "2024-09-06"),
    ]
    written = records(root, "marts.x")
    assert (len(written), set(written.values())) == (250, {1})
    query = "SELECT count(*), count(DISTINCT dt), min(dt), max(dt) FROM marts.x WHERE dt > ''"
    assert read(root, query) == [(250, 250, "2024-01-01", "2024-09-06")]


@pytest.mark.parametrize(
    ("values", "days", "chunks"),
    [
        (4, 60, ["2024-01-01", "2024-01-26", "2024-02-20"]),
        (3, 40, ["2024-01-01", "2024-02-03"]),
        (51, 2, ["2024-01-01", "2024-01-02"]),
        (100, 3, ["2024-01-01", "2024-01-02", "2024-01-03"]),
    ],
)
def test_semantics_22_times_and_other_columns_together_are_at_most_100(
    values: int, days: int, chunks: list[str], tmp_path: Path
) -> None:
    """25 days of 4 values, 33 of 3, one of 51 or 100."""
    partition = f'{DAY}\n  number: {{type: integer, range: "1,{values}"}}'
    query = DAYS.format(other="").replace(" AS dt FROM", " AS dt, '1' AS number FROM")
    root = project(tmp_path, {"marts/x": insert(query, partition=partition)})
    last = f"2024-01-{days:02}" if days <= 31 else f"2024-02-{days - 31:02}"
    assert go(root, "2024-01-01", last).status == "SUCCEEDED"
    assert [first for first, _ in windows(root)] == chunks
    assert len(records(root, "marts.x")) == days
    query = "SELECT count(DISTINCT dt) FROM marts.x WHERE dt > '' AND number = '1'"
    assert read(root, query) == [(days,)]


def test_semantics_22_each_injected_value_has_an_insert_of_its_own(tmp_path: Path) -> None:
    """Athena reads an injected column under an equality only; here the input has one too."""
    tenants = "tenant: {type: injected, values: [a, b]}"
    raw = insert(
        "SELECT n, dt, tenant FROM (VALUES (1, '2024-01-01', 'a'), (2, '2024-01-01', 'b'), "
        "(3, '2024-01-02', 'a')) AS t (n, dt, tenant) "
        "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'",
        partition=f"{DAY}\n  {tenants}",
    )
    mart = insert(
        "SELECT n * 10 AS n, dt, tenant FROM staging.x "
        "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'",
        partition=f"{DAY}\n  {tenants}",
    )
    root = project(tmp_path, {"staging/x": raw, "marts/x": mart})
    for _ in range(2):
        assert go(root, "2024-01-01", "2024-01-02").status == "SUCCEEDED"
        written = statements(root, "INSERT INTO")
        assert len(written) == 4
        assert [text.rpartition(" WHERE ")[2] for text in written] == [
            "\"tenant\" = 'a'",
            "\"tenant\" = 'b'",
        ] * 2
        assert records(root, "marts.x") == {"2024-01-01": 2, "2024-01-02": 1}
    query = "SELECT n, dt FROM marts.x WHERE tenant = '{}' AND dt > '' ORDER BY 1"
    assert read(root, query.format("a")) == [(10, "2024-01-01"), (30, "2024-01-02")]
    assert read(root, query.format("b")) == [(20, "2024-01-01")]


def test_semantics_22_emptying_covers_everything_below_the_time_prefix(tmp_path: Path) -> None:
    def lay(*shops: str) -> Path:
        rows = " UNION ALL ".join(
            f"SELECT 1 AS n, '{{{{ start }}}}' AS dt, '{s}' AS shop" for s in shops
        )
        partition = f"{DAY}\n  shop: {{type: enum, values: [a, b, c]}}"
        return project(tmp_path, {"marts/x": insert(rows, partition=partition)})

    def shops(root: Path) -> list[str]:
        query = "SELECT dt || shop FROM marts.x WHERE dt > '' ORDER BY 1"
        return [text for (text,) in read(root, query)]

    root = lay("a", "b")
    go(root, "2024-01-01")
    go(root, "2024-01-02")
    assert shops(root) == ["2024-01-01a", "2024-01-01b", "2024-01-02a", "2024-01-02b"]
    lay("c")
    assert go(root, "2024-01-02").status == "SUCCEEDED"
    assert shops(root) == ["2024-01-01a", "2024-01-01b", "2024-01-02c"]


def test_semantics_22_a_chunk_is_whole_time_values_of_the_tables_grain(tmp_path: Path) -> None:
    """Five days are 120 hours: one hundred, then twenty."""
    root = project(tmp_path, {"marts/x": insert(HOURS, partition=HOUR)})
    assert go(root, "2024-01-01", "2024-01-05").status == "SUCCEEDED"
    assert windows(root, "'([-0-9]{13})'") == [
        ("2024-01-01-00", "2024-01-05-03"),
        ("2024-01-05-04", "2024-01-05-23"),
    ]
    assert len(records(root, "marts.x")) == 120
