"""The floor: the flights pipeline as one hand-written DuckDB script, without any product code.

In: a raw folder as scripts/make_data.py writes it, and a window of days.  Out: five tables as
Parquet (a folder a day, but for the whole-table summary) and a SQLite mart.  It does what the
example's SQL does for staging.flights, staging.weather, marts.daily_carrier_delay,
marts.hourly_delay_weather and marts.route_summary, and nothing that makes a pipeline safe: no
stage, no tests, no records, no leases, no retries.

    python bench/floor_duckdb.py --data data --out /tmp/floor --start 2013-01-01 --end 2013-01-31
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
from datetime import date, timedelta
from pathlib import Path

import duckdb

FLIGHTS = """
CREATE TABLE flights AS
SELECT carrier, flight, tailnum, origin, dest,
    CAST(dt AS timestamp) + to_minutes(sched_dep_time // 100 * 60 + sched_dep_time % 100)
        AS scheduled_at,
    CAST(time_hour AS timestamp) AS scheduled_hour_utc,
    dep_time IS NULL AS cancelled,
    dep_delay AS dep_delay_minutes, arr_delay AS arr_delay_minutes,
    air_time AS air_minutes, distance AS distance_miles, dt
FROM read_json($files, format = 'newline_delimited', hive_partitioning = true,
    hive_types = {'dt': VARCHAR},
    columns = {dep_time: 'INT', sched_dep_time: 'INT', dep_delay: 'INT', arr_delay: 'INT',
        carrier: 'VARCHAR', flight: 'INT', tailnum: 'VARCHAR', origin: 'VARCHAR', dest: 'VARCHAR',
        air_time: 'INT', distance: 'INT', time_hour: 'VARCHAR'})
"""
WEATHER = """
CREATE TABLE weather AS
SELECT origin, CAST(time_hour AS timestamp) AS hour_utc, temp AS temperature_f,
    humid AS humidity_percent, wind_dir AS wind_degrees, wind_speed AS wind_mph,
    wind_gust AS gust_mph, precip AS rain_inches, pressure AS pressure_mbar,
    visib AS visibility_miles, dt
FROM read_json($files, format = 'newline_delimited', hive_partitioning = true,
    hive_types = {'dt': VARCHAR},
    columns = {origin: 'VARCHAR', temp: 'DOUBLE', humid: 'DOUBLE', wind_dir: 'INT',
        wind_speed: 'DOUBLE', wind_gust: 'DOUBLE', precip: 'DOUBLE', pressure: 'DOUBLE',
        visib: 'DOUBLE', time_hour: 'VARCHAR'})
"""
DAILY_CARRIER_DELAY = """
CREATE TABLE daily_carrier_delay AS
SELECT carrier, count(*) AS flights, count(*) FILTER (cancelled) AS cancelled,
    count(*) FILTER (dep_delay_minutes >= 15) AS late,
    CAST(sum(dep_delay_minutes) AS bigint) AS dep_delay_minutes,
    avg(dep_delay_minutes) AS mean_dep_delay, avg(arr_delay_minutes) AS mean_arr_delay, dt
FROM flights GROUP BY carrier, dt
"""
HOURLY_DELAY_WEATHER = """
CREATE TABLE hourly_delay_weather AS
WITH delays AS (
    SELECT dt, origin, scheduled_hour_utc AS hour_utc, hour(min(scheduled_at)) AS local_hour,
        count(*) AS flights, avg(dep_delay_minutes) AS mean_dep_delay
    FROM flights GROUP BY dt, origin, scheduled_hour_utc
)
SELECT d.origin, d.hour_utc, d.local_hour, d.flights, d.mean_dep_delay, w.temperature_f,
    w.wind_mph, w.rain_inches, w.visibility_miles, d.dt
FROM delays d LEFT JOIN weather w USING (dt, origin, hour_utc)
"""
ROUTE_SUMMARY = """
CREATE TABLE route_summary AS
SELECT f.origin, f.dest, coalesce(a.name, f.dest) AS dest_name, count(*) AS flights,
    count(*) FILTER (f.cancelled) / count(*) AS cancelled_share,
    avg(f.dep_delay_minutes) AS mean_dep_delay, avg(f.air_minutes) AS mean_air_minutes,
    min(f.distance_miles) AS distance_miles, CAST(sum(p.seats) AS bigint) AS known_seats,
    min(f.dt) AS first_dt, max(f.dt) AS last_dt
FROM read_parquet($staged, hive_types = {'dt': VARCHAR}) f
LEFT JOIN read_csv($planes, columns = {tailnum: 'VARCHAR', year: 'INT', type: 'VARCHAR',
    manufacturer: 'VARCHAR', model: 'VARCHAR', engines: 'INT', seats: 'INT', speed: 'INT',
    engine: 'VARCHAR'}, header = true, auto_detect = false) p ON p.tailnum = f.tailnum
LEFT JOIN read_csv($airports, columns = {faa: 'VARCHAR', name: 'VARCHAR', lat: 'DOUBLE',
    lon: 'DOUBLE', alt: 'INT', tz: 'INT', dst: 'VARCHAR', tzone: 'VARCHAR'},
    header = true, auto_detect = false) a ON a.faa = f.dest
GROUP BY f.origin, f.dest, a.name
"""
MART = {
    # table: (key columns, or () where the table is replaced whole)
    "daily_carrier_delay": ("dt", "carrier"),
    "hourly_delay_weather": ("dt", "origin", "hour_utc"),
    "route_summary": (),
}


def main() -> None:
    """Read the command line and run the pipeline."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="raw folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for tables and mart")
    parser.add_argument("--start", type=date.fromisoformat, required=True)
    parser.add_argument("--end", type=date.fromisoformat, required=True)
    options = parser.parse_args()
    rows = pipeline(options.data, options.out, options.start, options.end)
    print(f"{rows} flights")


def pipeline(data: Path, out: Path, start: date, end: date) -> int:
    """Write the window's partitions and the mart; gives the number of flights in the window."""
    days = [f"dt={start + timedelta(days=i)}" for i in range((end - start).days + 1)]
    database = duckdb.connect()
    for table, statement in (("flights", FLIGHTS), ("weather", WEATHER)):
        files = [str(data / table / day / "part-0.json.gz") for day in days]
        database.execute(statement, {"files": files})
    database.execute(DAILY_CARRIER_DELAY)
    database.execute(HOURLY_DELAY_WEATHER)
    for table in ("flights", "weather", "daily_carrier_delay", "hourly_delay_weather"):
        write_days(database, table, out / table, days)
    raw = {name: str(data / name / f"{name}.csv") for name in ("planes", "airports")}
    database.execute(ROUTE_SUMMARY, {"staged": str(out / "flights" / "*" / "*.parquet"), **raw})
    target = out / "route_summary.parquet"
    database.execute(f"COPY route_summary TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    load(database, out / "mart.sqlite", days)
    found = database.execute("SELECT count(*) FROM flights").fetchone()
    return int(found[0]) if found else 0


def write_days(
    database: duckdb.DuckDBPyConnection, table: str, folder: Path, days: list[str]
) -> None:
    """Replace the days' folders of a table."""
    for day in days:
        shutil.rmtree(folder / day, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    database.execute(
        f"COPY {table} TO '{folder}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (dt), "
        "OVERWRITE_OR_IGNORE)"
    )


def load(database: duckdb.DuckDBPyConnection, path: Path, days: list[str]) -> None:
    """Replace the window's rows of the mart's tables in one transaction."""
    first, last = days[0].removeprefix("dt="), days[-1].removeprefix("dt=")
    mart = sqlite3.connect(path)
    with mart:
        for table, keys in MART.items():
            described = database.execute(f"DESCRIBE {table}").fetchall()
            names = [row[0] for row in described]
            texts = [f"CAST({n} AS varchar)" if "TIME" in t else n for n, t, *_ in described]
            primary = f", PRIMARY KEY ({', '.join(keys)})" if keys else ""
            mart.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(names)}{primary})")
            where = f"WHERE dt BETWEEN '{first}' AND '{last}'" if keys else ""
            mart.execute(f"DELETE FROM {table} {where}")
            rows = database.execute(f"SELECT {', '.join(texts)} FROM {table}").fetchall()
            mart.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows)
    mart.close()


if __name__ == "__main__":
    main()
