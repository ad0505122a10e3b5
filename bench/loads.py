"""Times loads into a real MariaDB beside what can be written by hand, and prints the ratios.

In: this checkout with its environment installed, and MariaDB's server.  Out: a table on standard
output.  Every side is a process of its own that reads the same Parquet file; sides run alternately
and the medians count.  Client CPU is that of the process and its children, server CPU that of
mariadbd, memory the client's peak.

    python bench/loads.py                        # a million rows
    python bench/loads.py --rows 10000000 --only native
    python bench/loads.py --embulk FOLDER        # the real Embulk too (scripts/install_embulk.sh)
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.mariadb import PASSWORD, MariaDb, running_mariadb  # noqa: E402 - the server of the tests

if TYPE_CHECKING:
    from collections.abc import Sequence

DATABASE = "bench"
SERVER = ("--innodb-buffer-pool-size=1G", "--local-infile=1", "--max-allowed-packet=64M")
COLUMNS = {
    "id": ("bigint", "BIGINT NOT NULL"),
    "n": ("int", "INT"),
    "big": ("bigint", "BIGINT"),
    "x": ("double", "DOUBLE"),
    "y": ("double", "DOUBLE"),
    "note": ("varchar(64)", "VARCHAR(64)"),
    "carrier": ("varchar(32)", "VARCHAR(32)"),
    "at": ("timestamp", "DATETIME(6)"),
}
ROWS = """SELECT i::BIGINT AS id, (i % 1000)::INT AS n, (i * 7919 % 1000003)::BIGINT AS big,
    i / 3.0::DOUBLE AS x, sqrt(i)::DOUBLE AS y,
    CASE i % 10 WHEN 0 THEN '' WHEN 1 THEN 'NULL' WHEN 2 THEN 'a "quoted" \\ one'
        WHEN 3 THEN 'tab\t😀' WHEN 4 THEN NULL ELSE 'row ' || i || ' of the bench' END AS note,
    'carrier ' || (i % 97) AS carrier,
    TIMESTAMP '2013-01-01' + INTERVAL (i * 1000123) MICROSECONDS AS at
FROM range({rows}) AS r(i)"""
CSV = (
    "(FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR 'NULL', "
    "FORCE_QUOTE (note, carrier), USE_TMP_FILE false)"
)
CLAUSE = "CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY ''"


@dataclass(frozen=True, slots=True)
class Side:
    """One way to load, and what it is compared with."""

    name: str
    full: bool = False
    """Whether the table holds the rows already, as for a merge."""
    floor: str = ""
    goal: float = 0.0
    """The most times the floor that it may take; 0 for none."""


SIDES = (
    Side("raw file"),
    Side("raw pipe"),
    Side("native", floor="raw file", goal=1.15),
    Side("native, local_infile off"),
    Side("merge by hand", full=True),
    Side("native merge", full=True, floor="merge by hand", goal=1.2),
    Side("embulk insert"),
    Side("embulk merge", full=True),
    Side("pandas to_sql"),
    Side("native to sqlite"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run took."""

    wall_s: float
    client_s: float
    server_s: float
    peak_mb: float

    @property
    def cpu_s(self) -> float:
        """Give the CPU time of both ends."""
        return self.client_s + self.server_s


def main() -> int:
    """Measure the chosen sides and print them, or be one of them (`--side`)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each side (default 3)")
    parser.add_argument("--only", default="", help="sides whose name contains this")
    parser.add_argument("--embulk", type=Path, help="folder of an assembled Embulk")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run_side(options.side, json.load(sys.stdin))
        return 0
    sides = [side for side in SIDES if options.only in side.name or options.only in side.floor]
    if options.embulk is None:
        sides = [side for side in sides if not side.name.startswith("embulk")]
    with tempfile.TemporaryDirectory() as temporary, running_mariadb(*SERVER) as server:
        server.query(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        about = {
            "parquet": make_rows(Path(temporary), options.rows),
            "folder": temporary,
            "socket": server.socket,
            "rows": options.rows,
            "embulk": str(options.embulk or ""),
            "port": server.port,
        }
        print(f"{os.cpu_count()} cores, {options.rows:,} rows, median of {options.repeat}\n")
        missed = show_all(server, sides, about, options.repeat)
    return 1 if options.strict and missed else 0


def make_rows(folder: Path, rows: int) -> str:
    """Write the Parquet file that every side reads."""
    import duckdb  # noqa: PLC0415 - the parent process needs it here only

    path = folder / "rows.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY ({ROWS.format(rows=rows)}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        )
    return str(path)


def show_all(server: MariaDb, sides: Sequence[Side], about: dict[str, Any], repeat: int) -> int:
    """Run every side in turn, several times; print medians; give how many goals were missed."""
    found: dict[str, list[Figures]] = {side.name: [] for side in sides}
    for _ in range(repeat):
        for side in sides:
            found[side.name].append(measure(server, side, about))
    print(
        f"{'what':26} {'wall s':>7} {'rows/s':>9} {'client s':>9} {'server s':>9} {'MB':>6}"
        f"   {'wall':>5} {'cpu':>5}"
    )
    missed = 0
    for side in sides:
        runs = found[side.name]
        wall = statistics.median(one.wall_s for one in runs)
        client = statistics.median(one.client_s for one in runs)
        served = statistics.median(one.server_s for one in runs)
        line = (
            f"{side.name:26} {wall:7.2f} {about['rows'] / wall:9,.0f} {client:9.2f} "
            f"{served:9.2f} {max(one.peak_mb for one in runs):6.0f}"
        )
        if side.floor in found:
            floors = found[side.floor]
            walls = wall / statistics.median(one.wall_s for one in floors)
            cpus = (client + served) / statistics.median(one.cpu_s for one in floors)
            met = max(walls, cpus) <= side.goal
            missed += not met
            line += f"   {walls:5.2f} {cpus:5.2f}  x {side.floor}; goal {side.goal:g}: "
            line += "met" if met else "MISSED"
        print(line, flush=True)
    return missed


def measure(server: MariaDb, side: Side, about: dict[str, Any]) -> Figures:
    """Prepare the target, run one side, and check that the rows are there."""
    definitions = ", ".join(f"`{name}` {kind}" for name, (_, kind) in COLUMNS.items())
    server.query("DROP TABLE IF EXISTS t, _runner_loads", DATABASE)
    server.query(
        f"CREATE TABLE t ({definitions}, PRIMARY KEY (id)) ENGINE=InnoDB CHARSET=utf8mb4", DATABASE
    )
    off = side.name.endswith("off")
    server.query(f"SET GLOBAL local_infile = {'OFF' if off else 'ON'}")
    if side.full:
        subprocess.run(command("raw file"), input=json.dumps(about), text=True, check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    served, started = cpu_of(server.pid), time.perf_counter()
    done = subprocess.run(
        command(side.name),
        input=json.dumps(about),
        text=True,
        check=True,
        stdout=subprocess.PIPE,
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = Figures(
        wall,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        cpu_of(server.pid) - served,
        float(done.stdout.split()[-1]),
    )
    if not side.name.endswith("sqlite"):
        ((count, total),) = server.query("SELECT count(*), sum(n) FROM t", DATABASE)
        assert count == about["rows"], (side.name, count, total)
    return figures


def command(side: str) -> list[str]:
    """Give the command line of one side."""
    return [sys.executable, __file__, "--side", side]


def cpu_of(pid: int) -> float:
    """Give the CPU seconds of a process so far (proc(5): utime and stime, in ticks)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- The sides -----------------------------------------------------------------------------------


def run_side(name: str, about: dict[str, Any]) -> None:
    """Load once, and print the peak of memory in megabytes."""
    if name.startswith("raw"):
        raw(about, piped=name.endswith("pipe"))
    elif name == "merge by hand":
        merge_by_hand(about)
    elif name.startswith("native"):
        native(name, about)
    elif name.startswith("embulk"):
        embulk(name.removeprefix("embulk "), about)
    else:
        to_sql(about)
    peak_kb = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(peak_kb / 1024)


def connect(about: dict[str, Any]) -> Any:  # noqa: ANN401 - PyMySQL's connection
    """Connect as a script would."""
    import pymysql  # noqa: PLC0415 - every side imports what it needs

    connection = pymysql.connect(
        unix_socket=about["socket"], user="root", database=DATABASE, local_infile=True
    )
    connection.cursor().execute("SET sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'")
    return connection


def raw(about: dict[str, Any], *, piped: bool) -> None:
    """Turn Parquet into CSV and send it, checking nothing."""
    connection = connect(about)
    send_csv(about, connection, "t", piped=piped)
    connection.commit()


def send_csv(about: dict[str, Any], connection: Any, table: str, *, piped: bool) -> None:  # noqa: ANN401 - PyMySQL's
    """Load the rows into a table, over a file or over a named pipe."""
    import threading  # noqa: PLC0415 - every side imports what it needs

    import duckdb  # noqa: PLC0415

    path = Path(about["folder"]) / "rows.csv"
    path.unlink(missing_ok=True)

    def write() -> None:
        with duckdb.connect() as reader:
            reader.execute(f"COPY (FROM '{about['parquet']}') TO '{path}' {CSV}")

    writer = threading.Thread(target=write)
    if piped:
        os.mkfifo(path)
    writer.start()
    if not piped:
        writer.join()
    connection.cursor().execute(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {table} {CLAUSE}")
    writer.join()


def merge_by_hand(about: dict[str, Any]) -> None:
    """Stage in a temporary table and upsert: the best SQL that we know of."""
    connection = connect(about)
    cursor = connection.cursor()
    cursor.execute(
        "CREATE TEMPORARY TABLE s (id BIGINT, n BIGINT, big BIGINT, x DOUBLE, y DOUBLE, "
        "note LONGTEXT, carrier LONGTEXT, at DATETIME(6)) ENGINE=InnoDB CHARSET=utf8mb4"
    )
    send_csv(about, connection, "s", piped=True)
    sets = ", ".join(f"`{name}` = VALUES(`{name}`)" for name in list(COLUMNS)[1:])
    cursor.execute(f"INSERT INTO t SELECT * FROM s ON DUPLICATE KEY UPDATE {sets}")
    connection.commit()


def manifest_of(about: dict[str, Any], mode: str, **more: object) -> Any:  # noqa: ANN401 - imported late
    """Give the manifest of a load of the file."""
    from runner.model.loads import LoadManifest  # noqa: PLC0415 - every side imports what it needs

    key = {"mart_table": "t", "table": "bench.t", "window_start": "whole", "window_end": "whole"}
    file = {"uri": about["parquet"], "size": Path(about["parquet"]).stat().st_size}
    return LoadManifest.from_json(
        {
            "load_key": {**key, "publish_id": f"{time.time_ns()}"},
            "mode": mode,
            "keys": ["id"] if mode == "merge" else [],
            "columns": [
                {"name": name, "athena_type": kind, "mart_type": None}
                for name, (kind, _) in COLUMNS.items()
            ],
            "partition_columns": [],
            "window": None,
            "whole_table": True,
            "format": "parquet",
            "files": [{**file, "partition": {}}],
            "rows": about["rows"],
            **more,
        }
    )


def native(name: str, about: dict[str, Any]) -> None:
    """Load with the built-in loader."""
    from runner.local.loader import MysqlTarget, SqliteTarget, load  # noqa: PLC0415

    mart: MysqlTarget | SqliteTarget = MysqlTarget(DATABASE, {}, socket=about["socket"])
    if name.endswith("sqlite"):
        path = Path(about["folder"]) / "mart.sqlite"
        path.unlink(missing_ok=True)
        mart = SqliteTarget(path)
    mode = "merge" if "merge" in name else "insert"
    result = load(manifest_of(about, mode), mart, path_of=lambda uri: uri)
    assert result.rows == about["rows"], result


def embulk(mode: str, about: dict[str, Any]) -> None:
    """Load with the real Embulk, from a CSV like Athena's, checks and counts included."""
    from runner.local.loader import MysqlTarget  # noqa: PLC0415 - every side imports what it needs
    from runner.local.loader.embulk_here import load_embulk_here  # noqa: PLC0415

    mart = MysqlTarget(
        DATABASE,
        {"PASSWORD": PASSWORD},
        port=str(about["port"]),
        user="loader",
        password="${env:PASSWORD}",  # noqa: S106 - a reference
    )
    manifest = manifest_of(about, mode, engine="embulk")
    result = load_embulk_here(manifest, mart, home=Path(about["embulk"]), path_of=lambda uri: uri)
    assert result.rows == about["rows"], result


def to_sql(about: dict[str, Any]) -> None:
    """Load with pandas, in its fastest way."""
    import duckdb  # noqa: PLC0415 - every side imports what it needs
    import sqlalchemy  # noqa: PLC0415

    engine = sqlalchemy.create_engine(
        f"mysql+pymysql://root@/{DATABASE}?unix_socket={about['socket']}&charset=utf8mb4"
    )
    frame = duckdb.read_parquet(about["parquet"]).df()
    frame.to_sql("t", engine, if_exists="append", index=False, chunksize=10_000)


if __name__ == "__main__":
    raise SystemExit(main())
