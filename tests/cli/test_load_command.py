"""`runner load`: one load by hand, its checks, and what it says."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.mariadb import PASSWORD, mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Cli
    from tests.support.mariadb import MariaDb

__all__ = ["mariadb"]

DAILY = "marts.daily_orders"
DAY = "2024-01-02"


def mart(root: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(root / ".runner/mart.sqlite")) as connection:
        rows = connection.execute(sql).fetchall()
        connection.commit()
        return rows


def days(root: Path) -> list[Any]:
    return mart(root, "SELECT dt, count(*) FROM daily_orders GROUP BY 1 ORDER BY 1")


def head(root: Path, name: str, old: str, new: str) -> None:
    file = root / "sql/marts" / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_a_load_by_hand_brings_a_day_back_and_a_second_one_doubles_nothing(
    shop: Path, cli: Cli
) -> None:
    before = days(shop)
    mart(shop, f"DELETE FROM daily_orders WHERE dt = '{DAY}'")
    said = cli("load", DAILY, "--date", DAY)
    assert said.status == 0, said.err
    assert days(shop) == before
    count = dict(before)[DAY]
    assert re.match(
        rf"main:daily_orders: {count} rows loaded in [0-9.]+ s, [0-9,]+ rows/s; "
        rf"the window holds {count} rows now\n",
        said.out,
    )
    assert said.err == (
        f"{DAILY} {DAY} -> main:daily_orders (merge, native; 1 files, {count} rows)\n"
    )
    again = cli("load", DAILY, "--date", DAY)
    assert (again.status, days(shop)) == (0, before)
    assert again.out == (
        f"main:daily_orders has this load already ({count} rows); --again loads it once more\n"
    )
    once_more = cli("load", DAILY, "--date", DAY, "--again", "--json")
    report = json.loads(once_more.out)
    assert (report["skipped"], report["rows"], report["counted"]) == (False, count, count)
    assert days(shop) == before


@pytest.mark.usefixtures("shop")
def test_the_newest_period_without_a_window_and_the_whole_table(cli: Cli) -> None:
    said = cli("load", DAILY)
    assert f"{DAILY} 2024-01-03 -> main:daily_orders" in said.err
    whole = cli("load", "marts.customers", "--again")
    assert "marts.customers (whole table) -> main:customers (replace, native" in whole.err
    assert "rows replaced; the table holds" in whole.out
    ranged = cli("load", DAILY, "--start", "2024-01-01", "--end", "2024-01-03")
    assert "has this load already" in ranged.out


def test_checks_show_every_finding_at_once_and_change_nothing(shop: Path, cli: Cli) -> None:
    fine = cli("load", DAILY, "--date", DAY, "--check")
    assert (fine.status, fine.out) == (0, "")
    assert fine.err == f"{DAILY} {DAY} -> main:daily_orders can be loaded\n"
    mart(shop, "DROP TABLE daily_orders")
    mart(shop, "CREATE TABLE daily_orders (dt TEXT, product TEXT, orders TEXT, x INT NOT NULL)")
    said = cli("load", DAILY, "--date", DAY, "--check")
    assert said.status == 1
    for words in (
        "has no primary or unique key on (dt, product)",
        "it has no column pieces (bigint)",
        'ALTER TABLE "daily_orders" ADD COLUMN "turnover" REAL',
        "its column x is NOT NULL without a default",
    ):
        assert words in said.out
    assert said.err.endswith("would be refused\n")
    found = json.loads(cli("load", DAILY, "--date", DAY, "--check", "--json").out)
    assert found["refused"]
    assert {one["check"] for one in found["findings"]} >= {"merge-key", "columns"}
    assert mart(shop, "SELECT count(*) FROM daily_orders") == [(0,)]
    failed = cli("load", DAILY, "--date", DAY)
    assert failed.status == 1
    assert "sql/marts/daily_orders.sql: load-failed" in failed.err
    assert f"runner load {DAILY} --check" in failed.err


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("load", "staging.orders"), 2, "no-load"),
        (("load", DAILY, "--date", "2024-02-30"), 2, "bad-window"),
        (("load", DAILY, "--date", "2025-01-01"), 1, "not-published"),
        (("load", DAILY, "--env", "nowhere"), 2, "nowhere"),
        (("load", "marts.nothing"), 2, "marts.nothing"),
        (("load", DAILY, "--engine", "other"), 2, "other"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_loaded_is_said(
    words: tuple[str, ...], status: int, code: str, cli: Cli
) -> None:
    said = cli(*words)
    assert said.status == status, said.err
    assert code in said.err
    assert said.out == ""


def test_a_table_that_was_never_published_says_what_to_run(new_shop: Path, cli: Cli) -> None:
    said = cli("load", DAILY)
    assert said.status == 1
    assert f"runner run daily --only {DAILY}" in said.err
    assert not (new_shop / ".runner/mart.sqlite").exists()


def test_a_load_that_adds_rows_is_not_repeated(shop: Path, cli: Cli) -> None:
    head(shop, "customers.sql", "load: {}", "load: {mode: insert}")
    said = cli("load", "marts.customers", "--again")
    assert said.status == 2
    assert "load-again" in said.err


def test_a_floor_of_rows_keeps_the_mart(shop: Path, cli: Cli) -> None:
    before = mart(shop, "SELECT * FROM customers ORDER BY 1")
    head(shop, "customers.sql", "load: {}", "load: {min_rows: 1000}")
    said = cli("load", "marts.customers", "--again")
    assert said.status == 1
    assert "at least 1000 are expected (`min_rows`)" in said.err
    assert mart(shop, "SELECT * FROM customers ORDER BY 1") == before


@pytest.fixture
def mysql(shop: Path, mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Put the shop's mart into MariaDB."""
    name = "load_command"
    mariadb.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    monkeypatch.setenv("MART_PASSWORD", PASSWORD)
    file = shop / "config.yaml"
    place = (
        f"main: {{engine: mysql, port: {mariadb.port}, database: {name}, user: loader, "
        'password: "${env:MART_PASSWORD}"}'
    )
    file.write_text(
        file.read_text().replace("main: {engine: sqlite, path: .runner/mart.sqlite}", place)
    )
    yield name
    mariadb.query(f"DROP DATABASE {name}")


@pytest.mark.mariadb
def test_a_load_into_mysql_and_no_password_anywhere(
    shop: Path, mysql: str, mariadb: MariaDb, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = cli("load", DAILY, "--start", "2024-01-01", "--end", "2024-01-03")
    assert whole.status == 0, whole.err
    count = "SELECT count(*) FROM daily_orders"
    assert mariadb.query(count, mysql)[0][0] == sum(n for _, n in days(shop))
    checked = cli("load", DAILY, "--check")
    assert checked.status == 0, checked.out
    embulk = cli("load", DAILY, "--again", "--engine", "embulk")
    assert embulk.status == 1
    assert "names no `embulk_home`" in embulk.err
    monkeypatch.setenv("MART_PASSWORD", f"{PASSWORD}-wrong")
    denied = cli("load", DAILY, "--again")
    assert denied.status == 1
    assert "Load.MartDenied" in denied.err
    monkeypatch.delenv("MART_PASSWORD")
    missing = cli("load", DAILY, "--again")
    assert "MART_PASSWORD is not set" in missing.err
    for said in (whole, checked, embulk, denied, missing):
        assert PASSWORD not in said.out + said.err
