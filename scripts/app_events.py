"""Make up what a small app says, loses and spends while it tells travellers of delayed flights.

In: a range of days, and the flights of data/, which people watch.  Out, below --out, the same bytes
every time:

    logs/2013-01-01.jsonl      requests to the app, nested JSON; one line a day is cut off
    api/2013-01-01.log         the API's own log; on the second day its database is gone for a while
    watches/2013-01-01.jsonl   records of the DynamoDB table's stream, as Kinesis carries them;
                               a few come twice
    clicks/dt=2013-01-01/clicks.json   the partner's clicks on advertisements
    users.csv                  the rows of the app's own database

    python scripts/app_events.py --start 2013-01-01 --end 2013-01-07 --out .runner/app

Each day is seeded with its date alone. Nobody of these people exists.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
USERS = 400
REQUESTS = 1500
WATCHES = 80
CLICKS = 60
FIRST_DAY = date(2013, 1, 1)
OUTAGE = (time(17, 10), time(17, 25))
"""UTC, on the second day."""
CAMPAIGNS = ("winter", "spring break", "frequent flyers")
CITIES = ("Newark", "New York", "Hoboken", "Yonkers", "Montréal", "São Paulo")
NAMES = ("Ann Lee", "Bo Chu", "Zoë O'Hara", 'Max "Mo" Roth', "山田 太郎", "Ida Sørensen, Jr.")
ACTIONS = ("login", "search", "search", "search", "watch", "unwatch", "read_alert", "read_alert")

User = dict[str, str | int]
Flight = dict[str, str | int | None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--start", type=date.fromisoformat, default=FIRST_DAY, help="first day")
    parser.add_argument("--end", type=date.fromisoformat, default=FIRST_DAY, help="last day")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    options = parser.parse_args(arguments)
    print(f"{make(options.start, options.end, options.out)} files in {options.out}")


def make(start: date, end: date, out: Path, flights: Path = ROOT / "data" / "flights") -> int:
    """Write the days' files; returns how many there are."""
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    files = {f"logs/{day}.jsonl": lines_of_logs(day) for day in days}
    files |= {f"api/{day}.log": lines_of_api(day) for day in days}
    files |= {f"clicks/dt={day}/clicks.json": clicks_of(day) for day in days}
    for day in days:
        watched = [one for ahead in range(3) for one in flights_of(day, ahead, flights)]
        files[f"watches/{day}.jsonl"] = changes_of(day, watched)
    for name, lines in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    with (out / "users.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(users()[0]))
        writer.writeheader()
        writer.writerows(users())
    return len(files) + 1


# --- People ---------------------------------------------------------------------------------------


def users() -> list[User]:
    """Give the rows of the app's table of users."""
    chance = _chance("users")
    return [_user(number, chance) for number in range(1, USERS + 1)]


def _user(number: int, chance: Random) -> User:
    name, host = chance.choice(NAMES), chance.choice(("example.com", "example.org"))
    registered = datetime.combine(FIRST_DAY, time(), UTC) + timedelta(
        days=number * 28 // USERS, seconds=chance.randrange(86_400)
    )
    return {
        "id": number,
        "email": f"{name.split()[0].lower()}.{number}@{host}",
        "name": name,
        "born": str(date(1940, 1, 1) + timedelta(days=chance.randrange(20_000))),
        "city": chance.choice(CITIES),
        "plan": "paid" if chance.random() < 0.2 else "free",  # noqa: PLR2004 - a share
        "campaign": chance.choice(["", *CAMPAIGNS]),
        "registered_at": f"{registered:%Y-%m-%d %H:%M:%S}",
    }


# --- Requests -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the app."""

    at: datetime
    id: str
    user: int | None
    session: str
    action: str
    status: int
    duration_ms: int
    carrier: str
    device: str


def requests_of(day: date) -> list[Request]:
    """Give a day's requests in their order."""
    chance = _chance(f"requests {day}")
    return sorted(
        (_request(day, chance) for _ in range(REQUESTS)), key=lambda one: (one.at, one.id)
    )


def _request(day: date, chance: Random) -> Request:
    at = _moment(day, chance)
    action = chance.choice(ACTIONS)
    lost = day == FIRST_DAY + timedelta(days=1) and OUTAGE[0] <= at.time() < OUTAGE[1]
    failed = chance.random() < (0.8 if lost else 0.001)
    return Request(
        at=at,
        id=f"{chance.getrandbits(64):016x}",
        user=None if action == "login" and failed else chance.randint(1, USERS),
        session=f"s{chance.getrandbits(32):08x}",
        action=action,
        status=503 if failed else chance.choice([200, 200, 200, 200, 404]),
        duration_ms=5000 if failed else round(chance.lognormvariate(4, 0.6)),
        carrier=chance.choice(["UA", "B6", "DL", "AA", "EV"]),
        device=chance.choice(["iOS", "Android", "web"]),
    )


def lines_of_logs(day: date) -> Iterator[str]:
    """Write a day's requests as the app does: nested, and one line cut off by a restart."""
    requests = requests_of(day)
    for number, one in enumerate(requests):
        event: dict[str, object] = {
            "time": _iso(one.at),
            "request_id": one.id,
            "user": {} if one.user is None else {"id": one.user},
            "session": {"id": one.session},
            "action": one.action,
            "status": one.status,
            "duration_ms": one.duration_ms,
            "device": {"os": one.device},
        }
        if one.action in {"search", "watch"}:
            event["params"] = {"carrier": one.carrier, "origin": "EWR"}
        line = json.dumps(event, ensure_ascii=False)
        yield line
        if number == len(requests) // 2:
            yield line[: len(line) // 2]


def lines_of_api(day: date) -> Iterator[str]:
    """Write what the API itself logs of the same requests."""
    for one in requests_of(day):
        failed = one.status == 503  # noqa: PLR2004 - HTTP's
        level = "ERROR" if failed else "INFO"
        why = " no answer from the database" if failed else ""
        yield f"{_iso(one.at)} {level} {one.action} request={one.id} status={one.status}{why}"


# --- Watched flights ------------------------------------------------------------------------------


def flights_of(day: date, ahead: int, folder: Path) -> list[Flight]:
    """Read the flights of a day that lies so many days ahead; none where there is no file."""
    files = sorted((folder / f"dt={day + timedelta(days=ahead)}").glob("*.json.gz"))
    return [json.loads(line) for file in files for line in gzip.open(file, "rt", encoding="utf-8")]


def changes_of(day: date, flights: Sequence[Flight]) -> Iterator[str]:
    """Give the day's records of the stream: new watches, other thresholds, watches taken back."""
    chance = _chance(f"watches {day}")
    records: list[dict[str, object]] = []
    moments = sorted(_moment(day, chance) for _ in range(WATCHES * 2))
    made: list[dict[str, dict[str, str]]] = []
    for number, at in enumerate(moments if flights else ()):
        sequence = f"{day:%Y%m%d}{number:014d}"
        pick = chance.random()
        if not made or pick < 0.6:  # noqa: PLR2004 - shares
            item = _watch(f"w-{day:%m%d}-{number}", chance.choice(flights), chance)
            made.append(item)
            records.append(_change("INSERT", sequence, at, item))
        elif pick < 0.85:  # noqa: PLR2004
            place = chance.randrange(len(made))
            made[place] = {**made[place], "threshold": {"N": str(chance.choice([30, 60]))}}
            records.append(_change("MODIFY", sequence, at, made[place]))
        else:
            item = made.pop(chance.randrange(len(made)))
            records.append(_change("REMOVE", sequence, at, item))
        if chance.random() < 0.03:  # noqa: PLR2004
            records.append(records[-1])  # delivered twice
    return (json.dumps(record) for record in records)


def _watch(name: str, flight: Flight, chance: Random) -> dict[str, dict[str, str]]:
    flies_on = date(*(int(flight[part] or 0) for part in ("year", "month", "day")))
    return {
        "watch_id": {"S": name},
        "user_id": {"N": str(chance.randint(1, USERS))},
        "carrier": {"S": str(flight["carrier"])},
        "origin": {"S": str(flight["origin"])},
        "flight": {"N": str(flight["flight"])},
        "flies_on": {"S": str(flies_on)},
        "threshold": {"N": "15"},
    }


def _change(
    event: str, sequence: str, at: datetime, item: dict[str, dict[str, str]]
) -> dict[str, object]:
    change: dict[str, object] = {
        "ApproximateCreationDateTime": round(at.timestamp() * 1000),
        "Keys": {"watch_id": item["watch_id"]},
        "SequenceNumber": sequence,
    }
    if event != "REMOVE":
        change["NewImage"] = item
    return {
        "eventID": sequence,
        "eventName": event,
        "tableName": "watches",
        "eventSource": "aws:dynamodb",
        "dynamodb": change,
    }


# --- The partner ----------------------------------------------------------------------------------


def clicks_of(day: date) -> Iterator[str]:
    """Give the partner's file of a day."""
    chance = _chance(f"clicks {day}")
    for number in range(CLICKS):
        yield json.dumps(
            {
                "click_id": f"c-{day:%m%d}-{number}",
                "campaign": chance.choice(CAMPAIGNS),
                "email": f"somebody.{chance.randrange(10_000)}@example.net",
                "cost_cents": chance.randrange(5, 90),
            }
        )


def _chance(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - the same people every time, nothing secret


def _moment(day: date, chance: Random) -> datetime:
    milliseconds = chance.randrange(86_400_000)
    return datetime.combine(day, time(), UTC) + timedelta(milliseconds=milliseconds)


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


if __name__ == "__main__":
    main()
