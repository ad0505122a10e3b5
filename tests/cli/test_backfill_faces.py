"""`runner backfill`, `runner status TABLE` and `runner records`: what they say."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from runner.app.partitions import Cell, TableGrid
from runner.cli.displays.grids import grid_text
from tests.support.commands import process

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

DAYS = ("--start", "2024-01-01", "--end", "2024-01-03")
AFTER = ("--start", "2024-01-03", "--end", "2024-01-05")
LEGEND = "# published  ~ stale  . missing  x failed  > running"


@pytest.mark.usefixtures("shop")
def test_nothing_to_do_is_said(cli: Cli) -> None:
    said = cli("backfill", "daily", *DAYS)
    assert (said.status, said.err) == (0, "")
    assert said.out == (
        "2024-01-01..2024-01-03: nothing is missing, stale or failed; nothing to do\n"
    )


@pytest.mark.usefixtures("shop")
def test_a_plan_shows_tables_windows_bytes_and_money(cli: Cli) -> None:
    said = cli("backfill", "daily", *AFTER, "--dry-run")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert re.fullmatch(
        r"backfill daily-2024-01-03-2024-01-05-\w{6}: 2024-01-03..2024-01-05", lines[0]
    )
    assert lines[2:] == [
        "   table               to write  missing  stale  failed  statements     scans     USD",
        "1  staging.orders             2        2      -       -           1   20.0 MB   <0.01",
        "2  marts.customers         ctas        -      1       -           1  ~20.0 MB  ~<0.01",
        "2  marts.daily_orders         2        2      -       -           1  ~20.0 MB  ~<0.01",
        "   3 tables                   5        4      1       -           3  ~60.0 MB  ~<0.01",
        "",
        "staging.orders: 2024-01-04..2024-01-05 missing",
        "marts.customers: staging.orders is written by this backfill",
        "marts.daily_orders: 2024-01-04..2024-01-05 missing",
        "loads afterwards: main:customers, main:daily_orders",
        "~ is a guess: what it reads is not written yet",
    ]


def test_many_windows_are_counted_and_gaps_upstream_are_told(shop: Path, cli: Cli) -> None:
    said = cli("backfill", "marts.daily_orders", *AFTER, "--dry-run", "--no-loads")
    assert (
        "note: marts.daily_orders reads 2 periods of staging.orders that are not published "
        "(2024-01-04..2024-01-05); add +marts.daily_orders to write them too"
    ) in said.out
    assert "loads" not in said.out
    path = shop / "sql/staging/orders.sql"
    path.write_text(path.read_text().replace("WHERE", "WHERE 1 = 1 AND"))
    said = cli("backfill", "staging.orders", *DAYS, "--dry-run", "--exclude", "marts.*")
    assert "staging.orders: 2024-01-01..2024-01-03 SQL changed" in said.out


@pytest.mark.usefixtures("shop")
def test_the_price_is_a_setting(shop: Path, cli: Cli) -> None:
    config = shop / "config.yaml"
    config.write_text(f"{config.read_text()}\ndefaults: {{price_per_tb: 1000000}}\n")
    said = cli("backfill", "staging.orders", *AFTER, "--dry-run")
    assert "20.00" in said.out  # 20 MB at a dollar a megabyte


@pytest.mark.usefixtures("shop")
def test_a_plan_as_json(cli: Cli) -> None:
    said = cli("backfill", "staging.orders", *AFTER, "--dry-run", "--json")
    found = json.loads(said.out)
    assert found["bytes"] == 20_000_000
    assert found["usd"] == 0.0001
    (table,) = found["tables"]
    assert table["name"] == "staging.orders"
    assert table["windows"] == [["2024-01-04", "2024-01-05"]]
    assert [one["why"] for one in table["stretches"]] == ["missing"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("backfill", "dayly", *AFTER), "did you mean daily?"),
        (("backfill", "daily", *AFTER, "--all", "--gaps"), "--all together with --gaps"),
        (("backfill", "daily", "--start", "2024-13-01"), "--start: bad-window"),
        (("status", "marts.order"), "did you mean"),
        (("records", "marts.order"), "did you mean"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_wrong_words(cli: Cli, words: tuple[str, ...], message: str) -> None:
    said = cli(*words)
    assert (said.status, said.out) == (2, "")
    assert message in said.err


def test_nobody_can_be_asked_without_a_terminal(shop: Path) -> None:
    done = process("backfill", "daily", *AFTER, cwd=shop)
    assert done.returncode == 2
    assert "staging.orders: 2024-01-04..2024-01-05 missing" in done.stdout
    assert "add --yes to run it, or --dry-run to look only" in done.stderr
    assert not (shop / ".runner/s3/lake/_runner/backfills").exists()


# --- status ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_partitions_of_a_table(cli: Cli) -> None:
    said = cli("status", "staging.orders", "--start", "2023-12-30", "--end", "2024-01-05")
    assert said.status == 0
    assert said.out.splitlines() == [
        "staging.orders (insert): 3 published, 2 missing",
        "2024-01  ###..",  # its projection begins on the first
        LEGEND,
    ]


def test_stale_and_failed_partitions_and_their_reasons(shop: Path, cli: Cli) -> None:
    path = shop / "sql/staging/orders.sql"
    path.write_text(path.read_text().replace("WHERE", "WHERE 1 = 1 AND"))
    lake = shop / ".runner/s3/lake/_runner/records/staging/orders"
    (lake / "2024-01-02_2024-01-02").mkdir()
    name = "20991231T000000.000000Z_abcdef012345_daily.daily-1.0.1.failed"
    (lake / "2024-01-02_2024-01-02" / name).write_text(
        '{"start": "2024-01-02", "end": "2024-01-02", "message": "out of luck"}'
    )
    assert cli("status", "staging.orders").out.splitlines() == [
        "staging.orders (insert): 2 stale, 1 failed",
        "2024-01  ~x~",
        LEGEND,
        "2024-01-01 stale: SQL changed",
        "2024-01-03 stale: SQL changed",
    ]
    said = cli("records", "staging.orders", "--failed")
    assert said.out.splitlines()[1].split() == [
        *("staging.orders", "2024-01-02", "2099-12-31T00:00:00+00:00", "daily-1"),
        *("out", "of", "luck"),
    ]


def test_all_tables_and_those_that_are_gone(shop: Path, cli: Cli) -> None:
    (shop / "sql/marts/customers.sql").unlink()
    said = cli("status", "--tables")
    assert said.out.splitlines() == [
        "table               published  stale  missing  failed  running  partitions",
        "raw.orders                  1      -        -       -        -  ddl",
        "staging.orders              3      -        -       -        -  2024-01-01..2024-01-03",
        "marts.daily_orders          3      -        -       -        -  2024-01-01..2024-01-03",
        "marts.customers is no longer in the project: see `runner drop`",
    ]
    found = json.loads(cli("status", "--tables", "--json").out)
    assert found["gone"] == ["marts.customers"]
    assert [cell["state"] for cell in found["tables"][1]["cells"]] == ["published"] * 3


def test_a_table_that_nothing_wrote(new_shop: Path, cli: Cli) -> None:
    assert new_shop.is_dir()
    assert cli("status", "staging.orders").out == "staging.orders (insert): no record yet\n"
    said = cli("records")
    assert (said.out, said.err) == ("", "nothing is published\n")


@pytest.mark.parametrize(
    ("grain", "periods", "lines"),
    [
        ("day", ["2024-02-28", "2024-02-29", "2024-03-01"],
         ["2024-02  " + " " * 27 + "##", "2024-03  #"]),
        ("hour", ["2024-02-29T22", "2024-02-29T23", "2024-03-01T00"],
         ["2024-02-29  " + " " * 22 + "##", "2024-03-01  #"]),
        ("month", ["2024-11", "2024-12", "2025-01"], ["2024  " + " " * 10 + "##", "2025  #"]),
        ("year", ["2019", "2020", "2021"], ["201x  " + " " * 9 + "#", "202x  ##"]),
    ],
)  # fmt: skip
def test_a_line_is_a_month_a_day_a_year_or_a_decade(
    grain: str, periods: list[str], lines: list[str]
) -> None:
    grid = TableGrid("s.t", "insert", grain, tuple(Cell(one, "published") for one in periods))
    found = grid_text(grid, colours=False).splitlines()
    assert found == ["s.t (insert): 3 published", *lines, LEGEND]


def test_colours_are_for_terminals() -> None:
    grid = TableGrid("s.t", "insert", "day", (Cell("2024-01-01", "failed"),))
    assert "\x1b[31mx\x1b[0m" in grid_text(grid, colours=True)
    assert "\x1b" not in grid_text(grid, colours=False)


# --- records --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_records_tell_run_rows_and_tests(cli: Cli) -> None:
    said = cli("records", "staging.orders", "--json")
    (record,) = json.loads(said.out)
    assert (record["start"], record["end"], record["state"]) == (
        *("2024-01-01", "2024-01-03"), "published",
    )  # fmt: skip
    assert record["current"] is True
    assert record["rows"] == 12
    assert [test["offending"] for test in record["tests"]] == [0, 0]
    lines = cli("records", "marts.*", "--start", "2024-01-02", "--end", "2024-01-02").out
    assert [line.split()[0] for line in lines.splitlines()[1:]] == [
        "marts.customers",
        "marts.daily_orders",
    ]
    assert (
        cli("records", "staging.orders", "--start", "2024-02-01", "--end", "2024-02-02").out == ""
    )
