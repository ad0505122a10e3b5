"""The app's platform: one command from made-up events to the mart, and again, no row twice."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from scripts import mariadb
from scripts.app_events import OUTAGE, make
from tests.example import expected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS = ("sql", "workflows", "lambdas", "jobs", "data", "scripts")
START, END = DAYS = dt.date(2013, 1, 1), dt.date(2013, 1, 2)
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the example and run its platform in SQLite."""
    root = tmp_path_factory.mktemp("startup") / "flights"
    root.mkdir()
    shutil.copy(expected.ROOT / "config.yaml", root)
    for folder in FOLDERS:
        shutil.copytree(expected.ROOT / folder, root / folder)
    start(root, "sqlite")
    return root


def start(root: Path, mart: str) -> str:
    words = ["--mart", mart, "--start", str(START), "--end", str(END)]
    done = subprocess.run(
        [sys.executable, "scripts/startup.py", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(expected.ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def mart(root: Path, sql: str) -> Rows:
    with closing(sqlite3.connect(root / ".runner/mart.sqlite")) as connection:
        return sorted(connection.execute(sql).fetchall())


def events(root: Path, kind: str) -> Iterator[tuple[str, Any]]:
    for day in DAYS:
        for line in (root / ".runner/app" / kind / f"{day}.jsonl").read_text("utf-8").splitlines():
            try:
                yield str(day), json.loads(line)
            except ValueError:
                yield str(day), None


def activity(root: Path) -> Rows:
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for day, event in events(root, "logs"):
        if event is not None:
            found[day, event["action"]].append(event)
    return sorted(
        (
            day,
            action,
            len(seen),
            len({one["user"]["id"] for one in seen if one["user"]}),
            sum(one["status"] >= 500 for one in seen),
        )
        for (day, action), seen in found.items()
    )


def watched(root: Path) -> Rows:
    """Follow each watch by hand, and look its flight up in the raw files."""
    flights = {}
    for date in DAYS:
        (file,) = (root / "data/flights" / f"dt={date}").iterdir()
        for line in gzip.decompress(file.read_bytes()).splitlines():
            one = json.loads(line)
            flights[str(date), one["carrier"], one["origin"], one["flight"]] = one
    watches: dict[str, dict[str, Any]] = {}
    gone: dict[str, str] = {}
    for day, event in events(root, "watches"):
        change = event["dynamodb"]
        name = change["Keys"]["watch_id"]["S"]
        if event["eventName"] == "REMOVE":
            if day <= watches[name]["flies_on"]["S"]:
                gone[name] = day
        elif day <= change["NewImage"]["flies_on"]["S"]:
            watches[name] = change["NewImage"]
    counted: dict[tuple[str, str], list[tuple[str, bool]]] = defaultdict(list)
    for name, item in watches.items():
        flies_on, carrier, origin = (item[key]["S"] for key in ("flies_on", "carrier", "origin"))
        flight = flights.get((flies_on, carrier, origin, int(item["flight"]["N"])))
        if name in gone or flight is None:
            continue
        late = flight["dep_delay"]
        due = flight["dep_time"] is None or late >= int(item["threshold"]["N"])
        counted[flies_on, carrier].append((item["flight"]["N"], due))
    return sorted(
        (day, carrier, len(seen), len({flight for flight, _ in seen}), sum(due for _, due in seen))
        for (day, carrier), seen in counted.items()
    )


def test_what_people_did(root: Path) -> None:
    found = mart(root, "SELECT dt, action, requests, users, failed FROM daily_activity")
    assert found == activity(root)
    assert sum(requests for _, _, requests, _, _ in found) == 3000


def test_which_watched_flights_were_late(root: Path) -> None:
    sql = "SELECT dt, carrier, watches, flights, alerts_due FROM watched_flights"
    assert mart(root, sql) == watched(root)


def test_clicks_and_who_registered(root: Path) -> None:
    users = people(root)
    registered = Counter((user["campaign"], user["registered_at"][:10]) for user in users)
    clicks: Counter[tuple[str, str]] = Counter()
    for day in DAYS:
        file = root / ".runner/app/clicks" / f"dt={day}" / "clicks.json"
        clicks.update(
            (json.loads(line)["campaign"], str(day)) for line in file.read_text().splitlines()
        )
    wanted = sorted((*key, count, registered[key]) for key, count in clicks.items())
    assert mart(root, "SELECT campaign, dt, clicks, registered FROM campaigns") == wanted


def test_users_leave_with_the_decade_of_their_age_and_no_name(root: Path) -> None:
    exports = root / ".runner/s3/lake/exports/bigquery/app.users"
    schema = {one["name"]: one["type"] for one in json.loads((exports / "schema.json").read_text())}
    assert (schema["user_id"], schema["email"], schema["born"]) == ("INT64", "STRING", "INT64")
    assert "name" not in schema
    files = [str(path) for path in exports.rglob("*.parquet")]
    found = duckdb.read_parquet(files).project("user_id, email, born").fetchall()
    assert sorted(found) == sorted(
        (int(user["id"]), user["email"].partition("@")[2], decade(user["born"]))
        for user in people(root)
    )


def people(root: Path) -> list[dict[str, str]]:
    text = (root / ".runner/app/users.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def decade(born: str) -> int:
    birthday = dt.date.fromisoformat(born)
    age = END.year - birthday.year - ((END.month, END.day) < (birthday.month, birthday.day))
    return min(age // 10 * 10, 90)


def test_what_the_function_could_not_read_is_kept(root: Path) -> None:
    kept = {
        json.loads(line)["rawData"]
        for path in (root / ".runner/s3/flights-app/errors").rglob("*app_logs*")
        for line in path.read_text().splitlines()
    }
    assert len(kept) == len(DAYS)  # however often the events came


def test_people_are_told_of_the_outage_and_of_the_end(root: Path) -> None:
    lines = (root / ".runner/sns.jsonl").read_text("utf-8").splitlines()
    subjects = [json.loads(line)["Subject"] for line in lines]
    assert len([one for one in subjects if "app_alarm" in one]) == 1
    assert "startup done (2013-01-01 to 2013-01-02)" in subjects
    log = (root / ".runner/app/api/2013-01-02.log").read_text().splitlines()
    wrong = [line for line in log if " ERROR " in line]
    times = [dt.datetime.fromisoformat(line.split()[0]).time() for line in wrong]
    assert len([time for time in times if OUTAGE[0] <= time < OUTAGE[1]]) >= 5


def test_everything_again_doubles_no_row(root: Path) -> None:
    """Every event arrives a second time, as streams may do it."""
    tables = ("daily_activity", "watched_flights", "campaigns", "users_by_age")
    before = {table: mart(root, f"SELECT * FROM {table}") for table in tables}
    start(root, "sqlite")
    assert {table: mart(root, f"SELECT * FROM {table}") for table in tables} == before


def test_the_week_repeats_waits_and_starts_what_is_not_ours(root: Path) -> None:
    words = ["run", "app_week", "--start", str(START), "--end", str(END), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(expected.ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (root / ".runner/site/index.html").read_text() == f"week to {END}\n"
    masked = [
        json.loads(line)
        for path in sorted((root / ".runner/s3/flights-app/partner/masked").rglob("*.json"))
        for line in path.read_text().splitlines()
    ]
    assert len(masked) == 60 * len(DAYS)
    assert {one["email"] for one in masked} == {"example.net"}
    (log,) = (root / ".runner/logs/tasks").glob("*.log")
    assert f"score {START} {END} --masked" in log.read_text()


def test_in_mariadb_the_same_rows(root: Path) -> None:
    server = mariadb.find_server()
    if server is None:
        pytest.skip("MariaDB's server is not installed; as root: scripts/install_mariadb.sh")
    said = start(root, "mysql")
    assert "The mart's daily_activity: 10 rows" in said
    with mariadb.serving(server, root / ".runner/app-database", password="") as database:
        sql = "SELECT carrier, watches, flights, alerts_due, CAST(dt AS char) FROM watched_flights"
        found = sorted(database.query(sql, "mart"))
        ages = database.query("SELECT age_decade, plan, users FROM users_by_age", "mart")
    here = mart(root, "SELECT carrier, watches, flights, alerts_due, dt FROM watched_flights")
    assert found == here
    assert sorted(ages) == mart(root, "SELECT age_decade, plan, users FROM users_by_age")


def test_the_events_are_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert make(START, START, tmp_path / name) == 5
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    texts = [[(tmp_path / name / file).read_bytes() for file in files] for name in ("one", "two")]
    assert len(files) == 5
    assert texts[0] == texts[1]
