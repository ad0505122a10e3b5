"""Run the platform of a small app on this machine, from made-up events to marts and a report.

Everything is done by commands of `runner`, which are printed as they are run; what is not stands
for somebody else: the app (events, its database), the partner (files in S3).

    scripts/startup                        # the first week of 2013, marts in MariaDB
    scripts/startup --mart sqlite
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app_events
import mariadb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
EVENTS = ROOT / ".runner" / "app"
DATABASE = ROOT / ".runner" / "app-database"
PASSWORD = "of-this-machine-only"  # noqa: S105 - the server listens on the loopback, for minutes
USERS = (
    "id BIGINT PRIMARY KEY, email VARCHAR(100) NOT NULL, name VARCHAR(100), born DATE, "
    "city VARCHAR(50), plan VARCHAR(20), campaign VARCHAR(50), registered_at DATETIME"
)
MARTS = {
    "daily_activity": "dt, action",
    "watched_flights": "dt, carrier",
    "campaigns": "dt, campaign",
    "users_by_age": "age_decade, plan",
}
"""Tables of the mart, and the order in which they are shown."""
FIRST_ROWS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, do it all, show what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--start", type=date.fromisoformat, default=date(2013, 1, 1))
    parser.add_argument("--end", type=date.fromisoformat, default=date(2013, 1, 7))
    parser.add_argument(
        "--mart",
        choices=["mysql", "sqlite"],
        default="mysql" if mariadb.find_server() else "sqlite",
        help="where marts and the app's database are (mysql where MariaDB is installed)",
    )
    options = parser.parse_args(arguments)
    if options.end < options.start:
        parser.error("--end lies before --start")
    app_events.make(options.start, options.end, EVENTS)
    with _databases(options.mart) as databases:
        run = Commands(databases)
        for number in range((options.end - options.start).days + 1):
            _arrive(run, str(options.start + timedelta(days=number)))
        status = run("run", "startup", "--start", str(options.start), "--end", str(options.end))
        if status == 0:
            _show(run.folder, databases.mart)
    return status


@dataclass(frozen=True)
class Databases:
    """The app's own and the mart, filled and open."""

    environment: str
    settings: Mapping[str, str]
    """What the environment's references stand for."""
    mart: Callable[[str], list[tuple[Any, ...]]]
    """Answers a query of the mart."""


class Commands:
    """Runs `runner` in an environment, and prints what it runs."""

    def __init__(self, databases: Databases) -> None:
        """Take the environment's name and what its references stand for."""
        self.environment = databases.environment
        self.folder = ROOT / (".runner" if self.environment == "local" else ".runner/mysql")
        self._settings = {**os.environ, **databases.settings}

    def __call__(self, *words: str) -> int:
        """Run a command; returns its exit status."""
        named = [*words, "--env", self.environment]
        print(f"\n$ runner {shlex.join(named)}", flush=True)
        command = [sys.executable, "-m", "runner", *named]
        return subprocess.run(command, cwd=ROOT, env=self._settings, check=False).returncode


# --- What others do -------------------------------------------------------------------------------


@contextmanager
def _databases(mart: str) -> Iterator[Databases]:
    """Fill the app's database."""
    text = (EVENTS / "users.csv").read_text("utf-8")
    users = list(csv.DictReader(text.splitlines()))
    values = [tuple(user.values()) for user in users]
    with _in_sqlite(values) if mart == "sqlite" else _in_mariadb(values) as databases:
        yield databases


@contextmanager
def _in_sqlite(users: Sequence[tuple[str, ...]]) -> Iterator[Databases]:
    with closing(sqlite3.connect(ROOT / ".runner" / "app.sqlite")) as app, app:
        app.execute("DROP TABLE IF EXISTS users")
        app.execute(f"CREATE TABLE users ({USERS})")
        app.executemany(f"INSERT INTO users VALUES ({', '.join('?' * len(users[0]))})", users)

    def query(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(ROOT / ".runner" / "mart.sqlite")) as connection:
            return connection.execute(sql).fetchall()

    yield Databases("local", {}, query)


@contextmanager
def _in_mariadb(users: Sequence[tuple[str, ...]]) -> Iterator[Databases]:
    server = mariadb.find_server()
    if server is None:
        raise SystemExit("startup: no MariaDB; as root: scripts/install_mariadb.sh")
    with mariadb.serving(server, DATABASE, password=PASSWORD) as database:
        with closing(database.connect()) as app, app.cursor() as cursor:
            for name in ("app", "mart"):
                cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")
            cursor.execute("DROP TABLE IF EXISTS app.users")
            cursor.execute(f"CREATE TABLE app.users ({USERS})")
            marks = ", ".join(["%s"] * len(users[0]))
            cursor.executemany(f"INSERT INTO app.users VALUES ({marks})", users)
        settings = {
            "MART_HOST": "127.0.0.1",
            "MART_PORT": str(database.port),
            "MART_DATABASE": "mart",
            "MART_USER": "loader",
            "MART_PASSWORD": PASSWORD,
        }
        yield Databases("local_mysql", settings, lambda sql: database.query(sql, "mart"))


def _arrive(run: Commands, day: str) -> None:
    """Let a day's events arrive: requests, watched flights, the API's log, the partner's file."""
    logs, watches, api = (
        str((EVENTS / name).relative_to(ROOT))
        for name in (f"logs/{day}.jsonl", f"watches/{day}.jsonl", f"api/{day}.log")
    )
    for words in (
        ("stream", "put", "app_logs", logs, "--at", day),
        ("emit", "kinesis", "app-watches", watches, "--at", day),
        ("emit", "logs", "/app/api", api, "--at", day),
    ):
        if run(*words):
            raise SystemExit(f"startup: runner {words[0]} failed, see above")
    clicks = run.folder / "s3/flights-app/partner/clicks" / f"dt={day}"
    shutil.copytree(EVENTS / "clicks" / f"dt={day}", clicks, dirs_exist_ok=True)


# --- What came of it ------------------------------------------------------------------------------


def _show(folder: Path, mart: Callable[[str], list[tuple[Any, ...]]]) -> None:
    for table, order in MARTS.items():
        rows = mart(f"SELECT * FROM {table} ORDER BY {order} LIMIT {FIRST_ROWS}")
        ((count,),) = mart(f"SELECT count(*) FROM {table}")
        print(f"\nThe mart's {table}: {count} rows")
        for row in rows:
            print("  " + " | ".join(str(value) for value in row))
    print("\nMasked users for BigQuery:")
    for path in sorted((folder / "s3/lake/exports/bigquery/app.users").rglob("*.*")):
        if path.is_file():
            print(f"  {path.relative_to(ROOT)}")
    print("\nWhat people were told:")
    for line in (folder / "sns.jsonl").read_text("utf-8").splitlines():
        message: dict[str, Any] = json.loads(line)
        print(f"  {message.get('Subject')}")


if __name__ == "__main__":
    sys.exit(main())
