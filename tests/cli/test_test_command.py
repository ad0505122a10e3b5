"""`runner test` and what `runner show` says of tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

PASSED = """\
marts.daily_orders
  passed  counts and adds up a product's orders

1 unit test of 1 table: 1 passed, 0 failed
"""
FAILED = """\
marts.daily_orders
  passed  counts and adds up a product's orders
  FAILED  wrong  (tests/sql/marts.daily_orders.yaml:12:1)
    row 1 differs (product tea):
      column  expected  actual
      orders  2         1
      pieces  5         2
    1 row missing:
      product  orders  pieces
      mug      1       1

2 unit tests of 1 table: 1 passed, 1 failed
"""
WRONG = """
wrong:
  window: 2024-01-01
  given:
    staging.orders: [{product: tea, quantity: 2, amount: 9.0, dt: 2024-01-01}]
  expect:
    - {product: tea, orders: 2, pieces: 5}
    - {product: mug, orders: 1, pieces: 1}
"""
FILE = "tests/sql/marts.daily_orders.yaml"


def add(root: Path, text: str) -> None:
    with (root / FILE).open("a") as file:
        file.write(text)


def strict(root: Path, path: str, test: str) -> None:
    """Add a test to a header."""
    file = root / path
    file.write_text(file.read_text().replace("---*/", f"  - {test}\n---*/", 1))


@pytest.mark.usefixtures("new_shop")
def test_all_unit_tests_run_without_a_table_s_name(cli: Cli) -> None:
    said = cli("test")
    assert (said.status, said.out, said.err) == (0, PASSED, "")


def test_a_failure_shows_the_cells_that_differ_and_ends_in_1(cli: Cli, new_shop: Path) -> None:
    add(new_shop, WRONG)
    said = cli("test")
    assert (said.status, said.out, said.err) == (1, FAILED, "")


def test_json(cli: Cli, new_shop: Path) -> None:
    add(new_shop, WRONG)
    said = cli("test", "--json")
    value = json.loads(said.out)
    assert said.status == 1
    assert (value["passed"], value["failed"]) == (1, 1)
    wrong = value["unit_tests"][1]
    assert (wrong["case"], wrong["passed"], wrong["place"]) == ("wrong", False, f"{FILE}:12:1")
    assert wrong["difference"] == {
        "columns": ["product", "orders", "pieces"],
        "different": [
            {
                "row": 1,
                "expected": ["tea", "2", "5"],
                "actual": ["tea", "1", "2"],
                "columns": ["orders", "pieces"],
            }
        ],
        "missing": [["mug", "1", "1"]],
        "unexpected": [],
    }


def test_faults_of_the_file_end_in_2(cli: Cli, new_shop: Path) -> None:
    add(new_shop, "typo: {given: {staging.order: []}, window: 2024-01-01, expect: []}\n")
    said = cli("test")
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        f"{FILE}:11:16: unknown-table\n"
        "  found:    rows of staging.order, which marts.daily_orders does not read\n"
        "  expected: what it reads: staging.orders\n"
        "  do:       did you mean staging.orders?\n"
        "1 fault found\n"
    )


@pytest.mark.usefixtures("new_shop")
def test_a_table_without_unit_tests_says_so(cli: Cli) -> None:
    said = cli("test", "staging.orders")
    assert said.status == 0
    assert said.out == (
        "staging.orders: no unit tests; write them in tests/sql/staging.orders.yaml\n\n"
        "staging.orders\n  tests of the header: no results, nothing is published\n"
    )


@pytest.mark.usefixtures("new_shop")
def test_a_ddl_has_nothing_to_test(cli: Cli) -> None:
    said = cli("test", "raw.orders")
    assert (said.status, said.out) == (0, "raw.orders: nothing to test, a ddl has no query\n")


def test_a_project_without_unit_tests_says_so(cli: Cli, new_shop: Path) -> None:
    (new_shop / FILE).unlink()
    said = cli("test")
    assert said.out == "no unit tests: write them in tests/sql/<database>.<table>.yaml\n"
    assert said.status == 0


@pytest.mark.usefixtures("new_shop")
def test_an_unknown_table_is_refused(cli: Cli) -> None:
    said = cli("test", "marts.daily_order")
    assert (said.status, said.out) == (2, "")
    assert "did you mean marts.daily_orders?" in said.err


@pytest.mark.usefixtures("shop")
def test_kept_results_of_a_named_table(cli: Cli) -> None:
    """Three days, ten orders of products; each test was made in all three partitions."""
    lines = cli("test", "marts.daily_orders").out.splitlines()
    assert lines[:4] == [*PASSED.splitlines()[:2], "", "marts.daily_orders"]
    assert lines[4].startswith("  tests: last published by daily-")
    assert lines[5:9] == [
        "  result  test                 partitions  rows  offending  where",
        "  passed  unique: dt, product           3     9          0",
        "  passed  range: orders                 3     9          0",
        "",
    ]


def test_a_warning_and_a_stopped_run_are_told(cli: Cli, shop: Path) -> None:
    strict(shop, "sql/marts/daily_orders.sql", "{sql: orders > 1, severity: warn, name: singles}")
    assert cli("run", "daily", "--date", "2024-01-02").status == 0
    strict(shop, "sql/marts/daily_orders.sql", "{accepted_values: {product: [tea]}}")
    assert cli("run", "daily", "--date", "2024-01-03").status == 1
    for words in (("test", "marts.daily_orders"), ("show", "marts.daily_orders")):
        said = cli(*words)
        assert said.status == 0
        lines = [line.strip() for line in said.out.splitlines()]
        assert any(line.startswith("passed  unique: dt, product") for line in lines)
        stopped = next(line for line in lines if line.startswith("stopped by its tests in daily-"))
        assert "accepted_values: product: " in stopped
        assert "offending in 2024-01-03" in stopped
    value = json.loads(cli("test", "marts.daily_orders", "--json").out)
    (kept,) = value["published"]
    found = {test["test"]: test for test in kept["tests"]}
    assert set(found) == {"unique: dt, product", "range: orders", "singles"}
    assert found["singles"]["partitions"] == 1
    assert found["unique: dt, product"]["partitions"] == 3
    shown = json.loads(cli("show", "marts.daily_orders", "--json").out)
    assert shown["tests"] == kept


@pytest.mark.usefixtures("new_shop")
def test_what_a_run_has_to_do_with_is_not_touched(cli: Cli, new_shop: Path) -> None:
    assert cli("test").status == 0
    assert {path.name for path in (new_shop / ".runner").iterdir()} <= {"cache", "compiled"}
