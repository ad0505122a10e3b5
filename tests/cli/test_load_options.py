"""`runner load`: windows that are none, engines that a mart has not, marts that do not answer."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from runner.app.load import LoadRequest, load_by_hand

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

DAILY = "marts.daily_orders"
DAY = "2024-01-02"
SQLITE = "{engine: sqlite, path: .runner/mart.sqlite}"


def mart(root: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(root / ".runner/mart.sqlite", isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


def head(root: Path, name: str, old: str, new: str) -> None:
    file = root / "sql/marts" / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("more", [("--start", "2024-01-01"), ("--end", "2024-01-03")])
def test_a_date_and_a_range_are_not_mixed(cli: Cli, more: tuple[str, ...]) -> None:
    said = cli("load", DAILY, "--date", DAY, *more)
    assert (said.status, said.out) == (2, "")
    assert "bad-window" in said.err
    assert "one or the other" in said.err


@pytest.mark.usefixtures("shop")
def test_one_end_of_a_window_is_the_other_too(cli: Cli) -> None:
    for option in ("--start", "--end"):
        said = cli("load", DAILY, option, DAY)
        assert said.status == 0
        assert f"{DAILY} {DAY} -> main:daily_orders" in said.err


@pytest.mark.usefixtures("shop")
def test_a_window_that_ends_before_it_starts(cli: Cli) -> None:
    said = cli("load", DAILY, "--start", "2024-01-03", "--end", "2024-01-01")
    assert (said.status, said.out) == (2, "")
    assert "found:    2024-01-03..2024-01-01" in said.err


@pytest.mark.usefixtures("shop")
def test_a_range_with_a_day_that_is_not_published(cli: Cli) -> None:
    said = cli("load", DAILY, "--start", "2024-01-01", "--end", "2024-01-05")
    assert (said.status, said.out) == (1, "")
    assert "2024-01-04, 2024-01-05 is not published" in said.err


def test_last_tuesday_again_doubles_nothing(shop: Path, cli: Cli) -> None:
    """Run and load of one day again and again, after the newer days: rows stay single."""
    before = mart(shop, "SELECT * FROM daily_orders ORDER BY dt, product")
    for _ in range(2):
        assert cli("run", "daily", "--date", DAY).status == 0
        for words in ((), ("--again",)):
            said = cli("load", DAILY, "--date", DAY, *words, "--json")
            assert json.loads(said.out)["skipped"] == (words == ())
            assert mart(shop, "SELECT * FROM daily_orders ORDER BY dt, product") == before


def test_a_day_that_lost_rows_in_the_mart_is_replaced(shop: Path, cli: Cli) -> None:
    head(shop, "daily_orders.sql", "  mode: merge\n", "")
    before = mart(shop, "SELECT * FROM daily_orders ORDER BY dt, product")
    mart(shop, f"UPDATE daily_orders SET orders = 0 WHERE dt = '{DAY}'")
    mart(shop, f"INSERT INTO daily_orders (dt, product) VALUES ('{DAY}', 'gone')")
    there = mart(shop, f"SELECT count(*) FROM daily_orders WHERE dt = '{DAY}'")[0][0]
    said = cli("load", DAILY, "--date", DAY, "--again")
    assert f"; {there} rows replaced; the window holds " in said.out
    assert "(replace_window, native" in said.err
    assert mart(shop, "SELECT * FROM daily_orders ORDER BY dt, product") == before


def test_embulk_does_not_load_into_sqlite(shop: Path, cli: Cli) -> None:
    for words in ((), ("--check",)):
        said = cli("load", DAILY, "--engine", "embulk", *words)
        assert (said.status, said.out) == (2, "")
        assert "load-refused" in said.err
    head(shop, "daily_orders.sql", "  mode: merge\n", "  mode: merge\n  engine: embulk\n")
    said = cli("load", DAILY, "--again")
    assert said.status == 0, said.err
    assert "(merge, native; " in said.err


def test_a_mart_that_does_not_answer(shop: Path, cli: Cli) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        place = f"{{engine: mysql, port: {port}, database: x, user: x}}"
        file = shop / "config.yaml"
        file.write_text(file.read_text().replace(SQLITE, place))
        loaded = cli("load", DAILY)
        checked = cli("load", DAILY, "--check")
    for said in (loaded, checked):
        assert (said.status, said.out) == (1, "")
        assert "Load.MartUnreachable" in said.err
    assert f"runner load {DAILY} --check" in loaded.err
    assert f"runner load {DAILY} --check" not in checked.err


def test_a_file_that_is_gone_from_the_lake(shop: Path, cli: Cli) -> None:
    before = mart(shop, "SELECT * FROM daily_orders ORDER BY dt, product")
    (path,) = (shop / ".runner").rglob(f"daily_orders/**/dt={DAY}/*")
    path.unlink()
    for words in ((), ("--check",)):
        said = cli("load", DAILY, "--date", DAY, "--again", *words)
        assert (said.status, said.out) == (1, "")
        assert "Load.FileMissing" in said.err
    assert mart(shop, "SELECT * FROM daily_orders ORDER BY dt, product") == before


@pytest.mark.usefixtures("shop")
def test_progress_is_lines_where_there_is_no_terminal(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.app.load._EVERY_S", 0.0)
    monkeypatch.setattr("runner.cli.commands.load_command._PLAIN_S", 0.0)
    said = cli("load", DAILY, "--date", DAY, "--again")
    _, line = said.err.splitlines()
    assert re.fullmatch(r"  [0-9]+ rows, [0-9,]+ rows/s", line)
    assert "\r" not in said.err


@pytest.mark.usefixtures("shop")
def test_a_terminals_line_is_ended_when_the_load_fails(
    cli: Cli, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.app.load._EVERY_S", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    mart(shop, "CREATE TRIGGER no BEFORE INSERT ON daily_orders BEGIN SELECT RAISE(IGNORE); END")
    mart(shop, "DELETE FROM daily_orders")
    said = cli("load", DAILY, "--date", DAY, "--again")
    assert said.status == 1
    assert re.search(r"\r  [0-9]+ rows, [0-9,]+ rows/s +\n", said.err)
    assert "Load.NotReconciled" in said.err


def test_a_load_by_hand_tells_rows_and_seconds(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.app.load._EVERY_S", 0.0)
    told: list[tuple[int, float]] = []
    places: list[str] = []
    report = load_by_hand(
        LoadRequest(shop, DAILY, date=DAY, again=True),
        begin=lambda place: places.append(place.mart_table),
        tell=lambda rows, seconds: told.append((rows, seconds)),
    )
    assert places == ["daily_orders"]
    assert [rows for rows, _ in told] == [report.rows]
    assert 0 < told[0][1] <= report.seconds
