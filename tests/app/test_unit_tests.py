"""Unit tests of SQL: rows in, the table's own query, rows out; all faults of a file at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.app.unit_tests import run_unit_tests
from runner.errors import ProjectError
from tests.semantics.little import CONFIG, insert, project, sql

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.unit_tests import CaseResult

RAW = sql(
    "CREATE EXTERNAL TABLE raw.orders (id bigint, price decimal(10,2), at timestamp, day date, "
    "paid boolean, weight double, tags array<string>, place struct<city:string,zip:int>, "
    "notes map<string,int>) PARTITIONED BY (dt string) STORED AS PARQUET "
    "LOCATION 's3://raw/orders/'",
    "kind: ddl",
)
FILTER = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
COPY = insert(
    f"SELECT id, price, at, day, paid, weight, tags, place, notes, dt FROM raw.orders {FILTER}"
)
TOTALS = insert(
    "SELECT dt, count(*) AS orders, sum(price) AS total, max(name) AS name "
    "FROM staging.orders LEFT JOIN crm.customers ON customers.id = orders.id "
    f"{FILTER.replace('dt', 'orders.dt')} GROUP BY dt"
)
SOURCES = (
    CONFIG + "sources:\n  crm.customers: {columns: {id: bigint, name: string}}\n  crm.old: {}\n"
)


def written(tmp_path: Path, yaml: str, at: str = "staging.orders", **files: str) -> Path:
    texts = {"raw/orders": RAW, "staging/orders": COPY, "marts/totals": TOTALS}
    return project(tmp_path, {**texts, **files, f"tests/sql/{at}.yaml": yaml}, config=SOURCES)


def only(root: Path) -> CaseResult:
    (result,) = run_unit_tests(root).results
    return result


EVERY_TYPE = """\
types come through:
  given:
    raw.orders:
      - {id: 1, price: 12.50, at: 2024-01-01 08:30, day: 2024-01-01, paid: true, weight: 1.5,
         tags: [a, null], place: {city: Basel, zip: 4000}, notes: {x: 1}, dt: 2024-01-01}
      - {dt: 2024-01-01}
  expect:
    - {dt: 2024-01-01, id: null}
    - {id: 1, price: 12.5, at: "2024-01-01T08:30:00.000", day: 2024-01-01, paid: true, weight: 1.5,
       tags: [a, null], place: {city: Basel, zip: 4000}, notes: {x: 1}, dt: 2024-01-01}
"""


def test_values_of_every_type_come_through(tmp_path: Path) -> None:
    assert only(written(tmp_path, EVERY_TYPE)).difference is None


@pytest.mark.parametrize(
    ("before", "after", "column", "actual"),
    [
        ("price: 12.5,", "price: 12.51,", "price", "12.50"),
        ("T08:30:00.000", "T08:30:01.000", "at", "2024-01-01 08:30:00"),
        ("paid: true", "paid: false", "paid", "true"),
        ("weight: 1.5", "weight: 1.50001", "weight", "1.5"),
        ("tags: [a, null]", "tags: [a]", "tags", '["a", null]'),
        ("zip: 4000", "zip: 4001", "place", '{"city": "Basel", "zip": 4000}'),
        ("{x: 1}", "{y: 1}", "notes", '{"x": 1}'),
    ],
)
def test_each_cell_is_compared(
    before: str, after: str, column: str, actual: str, tmp_path: Path
) -> None:
    head, expect, tail = EVERY_TYPE.partition("  expect:")
    result = only(written(tmp_path, head + expect + tail.replace(before, after)))
    assert result.difference is not None
    (row,) = result.difference.different
    assert row.columns == (column,)
    assert row.actual[result.difference.columns.index(column)] == actual


def test_inputs_are_typed_by_the_sql_that_writes_them(tmp_path: Path) -> None:
    """`price` of staging.orders is decimal(10,2) because raw.orders says so."""
    yaml = """\
sums are exact:
  given:
    staging.orders:
      - {id: 1, price: 0.10, dt: 2024-01-01}
      - {id: 2, price: 0.20, dt: 2024-01-01}
    crm.customers: [{id: 2, name: Zoe}]
  expect: [{orders: 2, total: 0.30, name: Zoe, dt: 2024-01-01}]
"""
    assert only(written(tmp_path, yaml, "marts.totals")).passed


def test_a_file_may_stand_in_a_folder_of_the_database(tmp_path: Path) -> None:
    yaml = "nothing in, nothing out: {window: 2024-01-01, expect: []}\n"
    root = written(tmp_path, yaml, "marts/totals")
    assert [(r.table, r.passed) for r in run_unit_tests(root).results] == [("marts.totals", True)]


def test_what_the_tests_need_is_not_written_to_the_project(tmp_path: Path) -> None:
    root = written(tmp_path, EVERY_TYPE)
    assert only(root).passed
    assert {path.name for path in (root / ".runner").iterdir()} == {"cache"}
    assert not (root / "mart.sqlite").exists()


def test_the_project_s_own_tables_are_not_read(tmp_path: Path) -> None:
    """raw.orders has a file; a test that gives no rows for it sees none."""
    root = written(tmp_path, "empty: {window: 2024-01-01, expect: []}\n")
    data = root / "data" / "orders" / "dt=2024-01-01"
    data.mkdir(parents=True)
    (data / "x.parquet").write_text("not even a table")
    assert only(root).passed


def test_rows_of_one_case_do_not_reach_the_next(tmp_path: Path) -> None:
    yaml = """\
first:
  given: {raw.orders: [{id: 1, dt: 2024-01-01}]}
  expect: [{id: 1, dt: 2024-01-01}]
second: {window: 2024-01-01, expect: []}
third:
  given: {raw.orders: [{id: 3, dt: 2024-01-01}]}
  expect: [{id: 3, dt: 2024-01-01}]
"""
    results = run_unit_tests(written(tmp_path, yaml)).results
    assert [result.passed for result in results] == [True, True, True]


def test_a_table_that_reads_itself_is_given_its_earlier_rows(tmp_path: Path) -> None:
    running = insert(
        "SELECT o.dt, o.n + coalesce(r.n, 0) AS n FROM (SELECT dt, count(*) AS n FROM raw.orders "
        f"{FILTER} GROUP BY dt) AS o LEFT JOIN marts.running AS r "
        "ON r.dt = '{{ start.add(days=-1) }}' AND r.dt >= '{{ start.add(days=-1) }}' "
        "AND r.dt < '{{ start }}'"
    )
    yaml = """\
adds to the day before:
  given:
    raw.orders: [{id: 1, dt: 2024-01-02}]
    marts.running: [{dt: 2024-01-01, n: 41}, {dt: 2023-12-31, n: 7}]
  expect: [{dt: 2024-01-02, n: 42}]
"""
    root = written(tmp_path, yaml, "marts.running", **{"marts/running": running})
    assert only(root).passed


def test_views_are_computed_or_given(tmp_path: Path) -> None:
    view = sql("SELECT id, upper(name) AS name FROM crm.customers", "kind: view")
    names = sql("SELECT name FROM marts.loud")
    yaml = """\
computed:
  given: {crm.customers: [{id: 1, name: zoe}]}
  expect: [{name: ZOE}]
given:
  given: {marts.loud: [{id: 1, name: zoe}]}
  expect: [{name: zoe}]
"""
    files = {"marts/loud": view, "marts/names": names}
    results = run_unit_tests(written(tmp_path, yaml, "marts.names", **files)).results
    assert [result.passed for result in results] == [True, True]


def test_a_source_without_columns_has_those_of_its_rows(tmp_path: Path) -> None:
    files = {"marts/old": sql("SELECT a, b + 1 AS b, c FROM crm.old")}
    yaml = """\
x:
  given: {crm.old: [{a: x, b: 1, c: 1.5}, {a: y, b: null, c: 2}]}
  expect: [{a: y, b: null, c: 2.0}, {a: x, b: 2, c: 1.5}]
"""
    assert only(written(tmp_path, yaml, "marts.old", **files)).passed


def test_the_order_counts_where_it_is_asked_for(tmp_path: Path) -> None:
    files = {"marts/sorted": sql("SELECT id FROM crm.customers ORDER BY id DESC")}
    yaml = """\
any:
  given: &rows {crm.customers: [{id: 1}, {id: 2}]}
  expect: [{id: 1}, {id: 2}]
right: {given: *rows, ordered: true, expect: [{id: 2}, {id: 1}]}
wrong: {given: *rows, ordered: true, expect: [{id: 1}, {id: 2}]}
"""
    results = run_unit_tests(written(tmp_path, yaml, "marts.sorted", **files)).results
    assert [result.passed for result in results] == [True, True, False]


def test_the_window_is_widened_to_the_table_s_grain(tmp_path: Path) -> None:
    month = 'month: {type: date, format: yyyy-MM, range: "2024-01,NOW+1MONTHS"}'
    query = (
        "SELECT count(*) AS n, substr(dt, 1, 7) AS month FROM raw.orders WHERE dt BETWEEN "
        "'{{ start.format('yyyy-MM-dd') }}' AND '{{ end.format('yyyy-MM-dd') }}' GROUP BY 2"
    )
    files = {"marts/monthly": insert(query, partition=month)}
    yaml = """\
a day stands for its month:
  window: 2024-02-10
  given: {raw.orders: [{dt: 2024-01-31}, {dt: 2024-02-01}, {dt: 2024-02-29}, {dt: 2024-03-01}]}
  expect: [{month: 2024-02, n: 2}]
the expected rows name it:
  given: {raw.orders: [{dt: 2024-02-29}, {dt: 2024-03-01}]}
  expect: [{month: 2024-02, n: 1}]
"""
    results = run_unit_tests(written(tmp_path, yaml, "marts.monthly", **files)).results
    assert [result.passed for result in results] == [True, True]


def test_a_query_that_does_not_run_says_why_and_where(tmp_path: Path) -> None:
    files = {"marts/bad": sql("SELECT id,\n  nosuch(name) AS x\nFROM crm.customers")}
    yaml = "x: {expect: [{x: 1}]}\n"
    result = only(written(tmp_path, yaml, "marts.bad", **files))
    assert not result.passed
    assert result.message.startswith("sql/marts/bad.sql")
    assert "nosuch" in result.message


FAULTS = """\
unknown:
  given: {raw.order: [], raw.orders: [{idd: 1}]}
  window: 2024-01-01
  expect: [{prise: 1}]
values:
  given: {raw.orders: [{id: "1", paid: yes, day: today}]}
  expect: [{id: 1.5, dt: 2024-01-01}]
window:
  expect: [{dt: 2024-01-01}, {dt: 2024-01-02}]
variable:
  vars: {x: 1}
  expect: []
keys:
  expct: []
"""


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    root = written(tmp_path, FAULTS)
    (root / "tests" / "sql" / "marts.total.yaml").write_text("a: {expect: []}\n")
    with pytest.raises(ProjectError) as refused:
        run_unit_tests(root)
    file = "tests/sql/staging.orders.yaml"
    assert [(str(f.place), f.code) for f in refused.value.faults] == [
        ("tests/sql/marts.total.yaml", "unknown-table"),
        (f"{file}:2:11", "unknown-table"),
        (f"{file}:2:40", "unknown-column"),
        (f"{file}:4:13", "unknown-column"),
        (f"{file}:6:29", "wrong-type"),
        (f"{file}:6:40", "wrong-type"),
        (f"{file}:6:50", "wrong-type"),
        (f"{file}:7:17", "wrong-type"),
        (f"{file}:8:1", "missing-key"),
        (f"{file}:11:10", "unknown-variable"),
        (f"{file}:13:1", "missing-key"),
        (f"{file}:14:3", "unknown-key"),
    ]


def test_only_the_files_of_named_tables_are_looked_at(tmp_path: Path) -> None:
    root = written(tmp_path, FAULTS)
    (root / "tests" / "sql" / "marts.totals.yaml").write_text(
        "a: {window: 2024-01-01, expect: []}\n"
    )
    report = run_unit_tests(root, ["marts.totals", "raw.orders"])
    assert [result.table for result in report.results] == ["marts.totals"]
