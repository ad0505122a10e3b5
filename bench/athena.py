"""Times the local Athena beside DuckDB alone, in one run, and prints which goals are met.

In: this checkout with its environment installed.  Out: tables on standard output.  Both sides run
alternately (floor, product, floor, ...); the medians are compared, and beside them stands the
least CPU time of each side, which other work on the machine disturbs less.

- small statements: milliseconds over the DuckDB SQL that the product itself ran in the end, on a
  bare cursor: for a statement that was seen before, and for one that is new to the process
- scans: ratio to the query that a hand would write for DuckDB, over the same Parquet files
- CTAS into 100 partitions: ratio to DuckDB's fastest COPY, each in a process of its own that
  has 1 GiB of memory
- start: the first statement of a process; results: a million rows as CSV, and their pages

    python bench/athena.py                      # all of it, some minutes and 2 GB of disk
    python bench/athena.py --only scans --rows 1000000
    python bench/athena.py --strict             # exit status 1 when a goal is missed
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from athena_cases import (
    COLUMNS,
    COPIES,
    CTAS,
    EVENTS,
    KINDS,
    SCANS,
    SMALL,
    Scan,
    Small,
)

from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_OVERHEAD_MS = 10.0
MOST_SCAN = 1.05
MOST_CTAS = 1.2
MOST_BYTES = 1 << 30
MEMORY = "850MB"
"""DuckDB's limit for both sides: what a process of 1 GiB leaves it."""
THREADS = 2
FILES = 8
RESULT_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What one side of a case took: wall and CPU seconds of each run."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def median(self) -> float:
        """Give the median of the wall times."""
        return statistics.median(self.wall)

    @property
    def least(self) -> float:
        """Give the least CPU time."""
        return min(self.cpu)


class World:
    """A local Athena over a folder, and a DuckDB that knows nothing of it."""

    def __init__(self, folder: Path) -> None:
        """Open both."""
        self.folder = folder
        s3 = FolderS3(folder / "s3")
        self.catalog = GlueCatalog(folder / "catalog.sqlite")
        self.athena = LocalAthena(
            s3,
            self.catalog,
            folder / "athena.sqlite",
            results="s3://results/",
            cache=folder / "cache",
            threads=THREADS,
        )
        self.native = duckdb.connect(config={"threads": THREADS})

    def run(self, sql: str) -> dict[str, Any]:
        """Run a statement of Athena to its end."""
        found = self.athena.run_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": "db"}
        )
        if found["Status"]["State"] != "SUCCEEDED":
            raise SystemExit(f"{sql}: {found['Status']['StateChangeReason']}")
        return found

    def close(self) -> None:
        """Close both."""
        self.native.close()
        self.athena.close()
        self.catalog.close()


def main() -> int:
    """Measure the chosen parts and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the table that is scanned")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--only", default="", help="parts: small, scans, ctas, start, results")
    parser.add_argument("--case", default="", help="cases whose name contains this")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--folder", type=Path, help="keep the data here, use them again")
    parser.add_argument("--side", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        return run_side(options.folder, options.side)
    parts = [name for name in PARTS if name in (options.only or " ".join(PARTS)).split(",")] or [
        name for name in PARTS if not options.only
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        make_data(folder, options.rows)
        met = [
            each
            for name in parts
            for each in PARTS[name](folder, options.repeat, options.case)
        ]
    return 1 if options.strict and not all(met) else 0


# --- Data ----------------------------------------------------------------------------------------


def make_data(folder: Path, rows: int) -> None:
    """Write the tables, unless the folder has them."""
    bucket = folder / "s3" / "b"
    if bucket.exists():
        return
    for name in ("events", "kinds", "daily"):
        (bucket / name).mkdir(parents=True)
    database = duckdb.connect(config={"threads": THREADS})
    for number in range(FILES):
        first, last = (rows * place // FILES for place in (number, number + 1))
        sql = EVENTS
        for mark, value in (("$rows", rows), ("$first", first), ("$last", last)):
            sql = sql.replace(mark, str(value))
        database.execute(f"COPY ({sql}) TO '{bucket}/events/part-{number}.parquet'")
    labels = ", ".join(f"('{each}', '{each.title()}')" for each in KINDS)
    database.execute(
        f"COPY (SELECT * FROM (VALUES {labels}) AS v(kind, label)) TO '{bucket}/kinds/k.parquet'"
    )
    database.execute(
        f"COPY (SELECT * FROM '{bucket}/events/*.parquet') TO '{bucket}/daily' "
        "(FORMAT parquet, PARTITION_BY (day), OVERWRITE_OR_IGNORE)"
    )
    database.close()
    world = World(folder)
    world.catalog.create_database(DatabaseInput={"Name": "db"})
    plain, _, key = COLUMNS.rpartition(", ")
    for name, columns, keys in (
        ("events", COLUMNS, ""),
        ("kinds", "kind string, label string", ""),
        ("daily", plain, f"PARTITIONED BY ({key}) "),
    ):
        world.run(
            f"CREATE EXTERNAL TABLE {name} ({columns}) {keys}STORED AS PARQUET "
            f"LOCATION 's3://b/{name}/'"
        )
    world.run("MSCK REPAIR TABLE daily")
    world.run(
        "CREATE TABLE tiny WITH (external_location = 's3://b/tiny/', partitioned_by = "
        "ARRAY['day']) AS SELECT id, kind, path, referrer, amount, happened, "
        "'2013-01-0' || CAST(id % 5 + 1 AS varchar) AS day FROM events WHERE id < 1000"
    )
    world.run("CREATE TABLE added WITH (external_location = 's3://b/added/') AS "
              "SELECT 1 AS n, 'a' AS t, 1e0 AS d")
    world.close()


# --- Small statements ----------------------------------------------------------------------------


def small(folder: Path, repeat: int, wanted: str) -> Iterator[bool]:
    """Print what small statements cost over DuckDB's own part."""
    world = World(folder)
    print(f"\n{'ms a small statement':28} {'floor':>8} {'ours':>8} {'over':>8} {'cpu over':>9}")
    for case in SMALL:
        if wanted in case.name:
            yield from measure_small(world, case, max(repeat * 4, 12))
    world.close()


def measure_small(world: World, case: Small, repeat: int) -> Iterator[bool]:
    """Time one statement as seen before, and as new."""
    def text(number: int) -> str:
        return case.sql.format(n=number)
    first = 10
    ours_once(world, text(first))
    ours_once(world, text(first + 1))
    if "{n}" not in case.sql or case.name.split()[0] not in {"CREATE", "INSERT"}:
        yield show_small(f"{case.name}", *alternate_small(world, [text(first)] * repeat))
    if "{n}" in case.sql:
        news = [text(first + 2 + n) for n in range(repeat)]
        yield show_small(f"{case.name}, new", *alternate_small(world, news))


def ours_once(world: World, sql: str) -> None:
    """Run a statement, for the process to know its family."""
    world.run(sql)


def alternate_small(world: World, texts: Sequence[str]) -> tuple[Taken, Taken]:
    """Run each statement, and then its DuckDB SQL on a bare cursor."""
    ours, floors = [], []
    cursor = world.athena.connect()
    engine = world.athena._engine  # noqa: SLF001 - what it ran in the end is the floor
    ran: list[str] = []
    run = engine.run

    def noted(handle: Any, sql: str, **more: Any) -> Any:  # noqa: ANN401 - as it is
        ran.append(sql)
        return run(handle, sql, **more)

    for sql in texts:
        ours.append(timed(lambda sql=sql: world.run(sql)))
    for sql in texts[:1]:
        engine.run = noted  # type: ignore[method-assign]  # to hear of it
        world.run(sql if "made" not in sql and "added" not in sql else "SHOW TABLES")
        engine.run = run  # type: ignore[method-assign]  # as above
    final = ran[-1] if ran and not ran[-1].startswith("COPY") else ""
    floors = [timed(lambda: cursor.execute(final).fetchall() if final else None) for _ in texts]
    cursor.close()
    return taken(floors), taken(ours)


def show_small(name: str, floor: Taken, ours: Taken) -> bool:
    """Print a line; tell whether the goal is met."""
    over = (ours.median - floor.median) * 1000
    met = over < MOST_OVERHEAD_MS
    print(
        f"{name:28} {floor.median * 1000:8.1f} {ours.median * 1000:8.1f} {over:8.1f} "
        f"{(ours.least - floor.least) * 1000:9.1f}   < {MOST_OVERHEAD_MS:g} ms  "
        f"{'met' if met else 'MISSED'}",
        flush=True,
    )
    return met


# --- Scans ---------------------------------------------------------------------------------------


def scans(folder: Path, repeat: int, wanted: str) -> Iterator[bool]:
    """Print what queries over all rows take beside DuckDB's own."""
    world = World(folder)
    print(f"\n{'seconds a scan':28} {'floor':>8} {'ours':>8} {'ratio':>8} {'cpu ratio':>9}")
    for case in SCANS:
        if wanted in case.name:
            yield measure_scan(world, case, repeat)
    world.close()


def measure_scan(world: World, case: Scan, repeat: int) -> bool:
    """Time one query on both engines alternately, after their rows were compared."""
    ours, native = scan_texts(world.folder, case)
    check_same(case.name, world, ours, native)
    floors, products = [], []
    for _ in range(repeat):
        floors.append(timed(lambda: world.native.execute(native).fetchall()))
        products.append(timed(lambda: world.run(ours)))
    floor, product = taken(floors), taken(products)
    ratio = product.median / floor.median
    met = ratio <= MOST_SCAN or product.median - floor.median <= MOST_OVERHEAD_MS / 1000
    print(
        f"{case.name:28} {floor.median:8.3f} {product.median:8.3f} {ratio:8.2f} "
        f"{product.least / floor.least:9.2f}   <= {MOST_SCAN:g} x or < {MOST_OVERHEAD_MS:g} ms  "
        f"{'met' if met else 'MISSED'}",
        flush=True,
    )
    return met


def scan_texts(folder: Path, case: Scan) -> tuple[str, str]:
    """Give Athena's SQL and DuckDB's."""
    bucket = folder / "s3" / "b"
    files = {
        "events": f"read_parquet('{bucket}/events/*.parquet')",
        "kinds": f"read_parquet('{bucket}/kinds/*.parquet')",
        "daily": f"read_parquet('{bucket}/daily/*/*.parquet', hive_types = {{'day': VARCHAR}})",
    }
    tables = {name: name for name in files}
    return case.sql.format(**tables), (case.native or case.sql).format(**files)


def check_same(name: str, world: World, ours: str, native: str) -> None:
    """Stop unless both engines give the same rows."""
    found = [[plain(v) for v in row] for row in world.athena.query(ours, "db").rows]
    wanted = [[plain(v) for v in row] for row in world.native.execute(native).fetchall()]
    if found != wanted:
        raise SystemExit(f"{name}: {found[:3]} is not {wanted[:3]}")


def plain(value: Any) -> str:  # noqa: ANN401 - any value
    """Write a value, a double with as many digits as sums in any order share."""
    return f"{value:.9g}" if isinstance(value, float) else str(value)


# --- CTAS, in processes of their own -------------------------------------------------------------


def ctas(folder: Path, repeat: int, wanted: str) -> Iterator[bool]:
    """Print what a partitioned CTAS takes beside DuckDB's fastest COPY."""
    print(f"\n{'CTAS, 100 partitions':28} {'floor':>8} {'ours':>8} {'ratio':>8} {'cpu ratio':>9}")
    for codec in ("SNAPPY", "ZSTD"):
        if wanted not in codec:
            continue
        sides: dict[str, list[tuple[float, float]]] = {}
        peaks: dict[str, int] = {}
        for _ in range(max(1, repeat // 2)):
            for side in (*COPIES, "ours"):
                wall, cpu, peak = in_process(folder, "ctas", side, codec)
                sides.setdefault(side, []).append((wall, cpu))
                peaks[side] = max(peaks.get(side, 0), peak)
        done = {side: taken(each) for side, each in sides.items()}
        best = min(COPIES, key=lambda side: done[side].median)
        yield show_ctas(codec, done[best], done["ours"], peak=peaks["ours"])
        print(f"    fastest COPY: {best}; " + ", ".join(
            f"{side} {each.median:.2f} s, {peaks[side] >> 20} MiB" for side, each in done.items()))


def show_ctas(codec: str, floor: Taken, ours: Taken, *, peak: int) -> bool:
    """Print a line; tell whether the goals are met."""
    ratio = ours.median / floor.median
    met = ratio <= MOST_CTAS and peak <= MOST_BYTES
    print(
        f"{codec:28} {floor.median:8.2f} {ours.median:8.2f} {ratio:8.2f} "
        f"{ours.least / floor.least:9.2f}   <= {MOST_CTAS:g} x, 1 GiB  {'met' if met else 'MISSED'}",
        flush=True,
    )
    return met


def in_process(folder: Path, *side: str) -> tuple[float, float, int]:
    """Run one side in a process of its own; gives wall and CPU seconds and its peak memory."""
    command = [sys.executable, __file__, "--folder", str(folder), "--side", *side]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return found["wall"], found["cpu"], found["peak"]


def run_side(folder: Path, side: Sequence[str]) -> int:
    """Be such a process."""
    case, name, *rest = side
    run = SIDES[case](folder, name, *rest)
    wall, cpu = timed(run)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))
    return 0


def ctas_side(folder: Path, name: str, codec: str) -> Callable[[], object]:
    """Prepare a CTAS, or one of DuckDB's COPYs."""
    bucket = folder / "s3" / "b"
    shutil.rmtree(bucket / "made", ignore_errors=True)
    if name == "ours":
        world = World(folder)
        world.athena.connect().execute(f"SET GLOBAL memory_limit = '{MEMORY}'")
        world.run("DROP TABLE IF EXISTS made")
        return lambda: world.run(CTAS.format(codec=codec))
    select = COPIES[name].format(events=f"{bucket}/events/*.parquet")
    config = {"threads": THREADS, "memory_limit": MEMORY, "temp_directory": str(folder / "spill")}
    database = duckdb.connect(config=config)
    sql = f"COPY ({select}) TO '{bucket}/made' (FORMAT parquet, COMPRESSION {codec}, PARTITION_BY (day))"
    return lambda: database.execute(sql)


# --- Start, and large results --------------------------------------------------------------------


def start(folder: Path, repeat: int, wanted: str) -> Iterator[bool]:
    """Print what the first statements of a process take beside DuckDB's."""
    print(f"\n{'seconds, first statement':28} {'floor':>8} {'ours':>8} {'over':>8} {'cpu over':>9}")
    for name in ("known", "new"):
        if wanted in name:
            floors, ours = [], []
            for _ in range(repeat):
                floors.append(in_process(folder, "start", "floor")[:2])
                ours.append(in_process(folder, "start", name)[:2])
            one, other = taken(floors), taken(ours)
            print(
                f"{name:28} {one.median:8.3f} {other.median:8.3f} "
                f"{other.median - one.median:8.3f} {other.least - one.least:9.3f}   none",
                flush=True,
            )
    yield True


def start_side(folder: Path, name: str) -> Callable[[], object]:
    """Prepare the first statement of a process."""
    sql = "SELECT count(*) FROM events WHERE kind = 'cart'"
    if name == "floor":
        files = folder / "s3" / "b" / "events" / "*.parquet"
        return lambda: duckdb.connect().execute(sql.replace("events", f"'{files}'")).fetchall()
    if name == "new":
        sql = sql.replace("'cart'", f"'cart{time.time_ns()}'")
    return lambda: World(folder).run(sql)


def results(folder: Path, repeat: int, wanted: str) -> Iterator[bool]:
    """Print what a million rows as result file take, and to page through them."""
    print(f"\n{'a large result':28} {'floor s':>8} {'ours s':>8} {'ratio':>8} {'cpu ratio':>9}")
    times: dict[str, list[tuple[float, float]]] = {}
    peaks: dict[str, int] = {}
    for _ in range(max(1, repeat // 2)):
        for side in ("fetch", "ours", "pages"):
            wall, cpu, peak = in_process(folder, "results", side)
            times.setdefault(side, []).append((wall, cpu))
            peaks[side] = max(peaks.get(side, 0), peak)
    done = {side: taken(each) for side, each in times.items()}
    for side in ("ours", "pages"):
        if wanted in side:
            one, other = done["fetch"], done[side]
            print(
                f"{side:28} {one.median:8.3f} {other.median:8.3f} {other.median / one.median:8.2f} "
                f"{other.least / one.least:9.2f}   none; {peaks[side] >> 20} MiB "
                f"beside {peaks['fetch'] >> 20}",
                flush=True,
            )
    yield True


def results_side(folder: Path, name: str) -> Callable[[], object]:
    """Prepare a query of a million rows: on DuckDB to a CSV file and as rows, and with us."""
    sql = f"SELECT * FROM events LIMIT {RESULT_ROWS}"
    if name == "fetch":
        files = folder / "s3" / "b" / "events" / "*.parquet"
        database = duckdb.connect(config={"threads": THREADS})
        return lambda: database.execute(sql.replace("events", f"'{files}'")).fetchall()
    world = World(folder)
    if name == "ours":
        return lambda: world.run(sql)
    identity = world.run(sql)["QueryExecutionId"]
    return lambda: page_through(world, identity)


def page_through(world: World, identity: str) -> int:
    """Read all pages of a result; gives the number of rows."""
    rows, token = 0, "0"
    while token:
        page = world.athena.get_query_results(QueryExecutionId=identity, NextToken=token)
        rows += len(page["ResultSet"]["Rows"])
        token = page.get("NextToken", "")
    return rows


# --- Measuring -----------------------------------------------------------------------------------


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Give the wall time and the CPU time of a call, in seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def taken(pairs: Sequence[tuple[float, float]]) -> Taken:
    """Make the value of many runs."""
    wall, cpu = zip(*pairs, strict=True)
    return Taken(wall, cpu)


PARTS = {"small": small, "scans": scans, "ctas": ctas, "start": start, "results": results}
SIDES: dict[str, Callable[..., Callable[[], object]]] = {
    "ctas": ctas_side,
    "start": start_side,
    "results": results_side,
}

if __name__ == "__main__":
    sys.exit(main())
