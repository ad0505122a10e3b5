"""Times the local Athena beside DuckDB alone, in one run, and prints which goals are met.

In: this checkout with its environment installed.  Out: tables on standard output.  Both sides run
alternately (floor, product, floor, ...).  Medians are shown; goals are judged by the least time of
each side, for other work on the machine only ever adds; and the least CPU time stands beside them.

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
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from athena_cases import COPIES, CTAS, SCANS, SMALL, Scan, Small
from athena_world import THREADS, World, make_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_OVERHEAD_MS = 10.0
MOST_SCAN = 1.05
MOST_CTAS = 1.2
MOST_BYTES = 1 << 30
MEMORY = "850MB"
"""DuckDB's limit for both sides: what a process of 1 GiB leaves it."""
_FIRST = 10
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
    def best(self) -> float:
        """Give the least wall time."""
        return min(self.wall)

    @property
    def least(self) -> float:
        """Give the least CPU time."""
        return min(self.cpu)


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
        met = [each for name in parts for each in PARTS[name](folder, options.repeat, options.case)]
    return 1 if options.strict and not all(met) else 0


# --- Small statements ----------------------------------------------------------------------------


def small(folder: Path, repeat: int, wanted: str) -> Iterator[bool]:
    """Print what small statements cost over DuckDB's own part."""
    world = World(folder)
    heading("ms a small statement", "floor", "ours", "over", "least", "cpu")
    for case in SMALL:
        if wanted in case.name:
            yield from measure_small(world, case, max(repeat * 4, 12))
    world.close()


def measure_small(world: World, case: Small, repeat: int) -> Iterator[bool]:
    """Time one statement as seen before, and as new."""
    known = case.sql.format(n=_FIRST)
    news = [case.sql.format(n=_FIRST + n) for n in range(2, repeat + 2)]
    if case.name.startswith("CREATE"):
        for number in range(_FIRST, _FIRST + repeat + 2):  # a folder that is used again has them
            world.run(f"DROP TABLE IF EXISTS made{number}")
    for number in (_FIRST, _FIRST + 1):  # the process has then seen its family
        world.run(case.sql.format(n=number))
    once = case.name.startswith(("CREATE", "INSERT"))
    if not once:
        yield show_small(case.name, *alternate_small(world, [known] * repeat))
    if "{n}" in case.sql:
        yield show_small(f"{case.name}, new", *alternate_small(world, news))


def alternate_small(world: World, texts: Sequence[str]) -> tuple[Taken, Taken]:
    """Run each statement, and then the DuckDB SQL that it ran in the end on a bare cursor."""
    ours, floors = [], []
    cursor = world.athena.connect()
    for sql in texts:
        with noting(world) as ran:
            ours.append(timed(partial(world.run, sql)))
        final = ran[-1] if ran and sql.startswith(("SELECT", "WITH")) else ""
        floors.append(timed(partial(fetch, cursor, final)))
    cursor.close()
    return taken(floors), taken(ours)


@contextmanager
def noting(world: World) -> Iterator[list[str]]:
    """Note the SQL that the engine runs."""
    engine = world.athena._engine  # noqa: SLF001 - nothing public tells it
    ran: list[str] = []
    methods = {name: getattr(engine, name) for name in ("run", "stream") if hasattr(engine, name)}

    def noted(method: Callable[..., Any], handle: object, sql: str, **more: object) -> Any:  # noqa: ANN401 - as it is
        ran.append(sql)
        return method(handle, sql, **more)

    for name, method in methods.items():
        setattr(engine, name, partial(noted, method))
    try:
        yield ran
    finally:
        for name, method in methods.items():
            setattr(engine, name, method)


def fetch(cursor: duckdb.DuckDBPyConnection, sql: str) -> object:
    """Run a query of DuckDB, if there is one."""
    return cursor.execute(sql).fetchall() if sql else None


def show_small(name: str, floor: Taken, ours: Taken) -> bool:
    """Print a line; tell whether the goal is met."""
    best = (ours.best - floor.best) * 1000
    met = best < MOST_OVERHEAD_MS
    print(
        f"{name:28} {floor.median * 1000:8.1f} {ours.median * 1000:8.1f} "
        f"{(ours.median - floor.median) * 1000:8.1f} {best:8.1f} "
        f"{(ours.least - floor.least) * 1000:8.1f}   < {MOST_OVERHEAD_MS:g} ms  {told(met=met)}",
        flush=True,
    )
    return met


def heading(title: str, *columns: str) -> None:
    """Print the head of a table."""
    print(f"\n{title:28} {' '.join(f'{each:>8}' for each in columns)}")


def told(*, met: bool) -> str:
    """Say whether a goal is met."""
    return "met" if met else "MISSED"


# --- Scans ---------------------------------------------------------------------------------------


def scans(folder: Path, repeat: int, wanted: str) -> Iterator[bool]:
    """Print what queries over all rows take beside DuckDB's own."""
    world = World(folder)
    heading("seconds a scan", "floor", "ours", "ratio", "least", "cpu")
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
    ratio = product.best / floor.best
    met = ratio <= MOST_SCAN or product.best - floor.best <= MOST_OVERHEAD_MS / 1000
    print(
        f"{case.name:28} {floor.median:8.3f} {product.median:8.3f} "
        f"{product.median / floor.median:8.2f} {ratio:8.2f} {product.least / floor.least:8.2f}   "
        f"<= {MOST_SCAN:g} x or < {MOST_OVERHEAD_MS:g} ms  {told(met=met)}",
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
    heading("CTAS, 100 partitions", "floor", "ours", "ratio", "least", "cpu")
    for codec in ("SNAPPY", "ZSTD"):
        if wanted in codec:
            yield measure_ctas(folder, codec, max(1, repeat // 2))


def measure_ctas(folder: Path, codec: str, repeat: int) -> bool:
    """Time all ways to write the partitions, each in a process of its own, alternately."""
    runs: dict[str, list[tuple[float, float]]] = {}
    peaks: dict[str, int] = {}
    for _ in range(repeat):
        for side in (*COPIES, "ours"):
            wall, cpu, peak = in_process(folder, "ctas", side, codec)
            runs.setdefault(side, []).append((wall, cpu))
            peaks[side] = max(peaks.get(side, 0), peak)
    done = {side: taken(each) for side, each in runs.items()}
    fastest = min(COPIES, key=lambda side: done[side].best)
    floor, ours = done[fastest], done["ours"]
    ratio = ours.best / floor.best
    met = ratio <= MOST_CTAS and peaks["ours"] <= MOST_BYTES
    print(
        f"{codec:28} {floor.median:8.2f} {ours.median:8.2f} {ours.median / floor.median:8.2f} "
        f"{ratio:8.2f} {ours.least / floor.least:8.2f}   "
        f"<= {MOST_CTAS:g} x in 1 GiB  {told(met=met)}"
    )
    for side, each in done.items():
        print(f"    {side:24} {each.best:8.2f} s, {peaks[side] >> 20} MiB", flush=True)
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
    peak = peak_bytes()
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))
    return 0


def peak_bytes() -> int:
    """Give the most memory that this process had; getrusage counts its parent's, too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def ctas_side(folder: Path, name: str, codec: str) -> Callable[[], object]:
    """Prepare a CTAS, or one of DuckDB's COPYs."""
    bucket = folder / "s3" / "b"
    shutil.rmtree(bucket / "made", ignore_errors=True)
    if name == "ours":
        world = World(folder, memory=MEMORY)
        world.run("DROP TABLE IF EXISTS made")
        return partial(world.run, CTAS.format(codec=codec))
    select = f"SELECT * FROM read_parquet('{bucket}/events/*.parquet')"
    config = {"threads": THREADS, "memory_limit": MEMORY, "temp_directory": str(folder / "spill")}
    database = duckdb.connect(config=config)
    if COPIES[name]:
        database.execute(COPIES[name])
    order = " ORDER BY day" if name == "sorted" else ""
    options = f"FORMAT parquet, COMPRESSION {codec}, PARTITION_BY (day)"
    return partial(database.execute, f"COPY ({select}{order}) TO '{bucket}/made' ({options})")


# --- Start, and large results --------------------------------------------------------------------


def start(folder: Path, repeat: int, wanted: str) -> Iterator[bool]:
    """Print what the first statements of a process take beside DuckDB's."""
    heading("seconds, first statement", "floor", "ours", "over", "cpu over")
    for name in ("known", "new"):
        if wanted in name:
            floors, ours = [], []
            for _ in range(repeat):
                floors.append(in_process(folder, "start", "floor")[:2])
                ours.append(in_process(folder, "start", name)[:2])
            one, other = taken(floors), taken(ours)
            print(
                f"{name:28} {one.median:8.3f} {other.median:8.3f} "
                f"{other.median - one.median:8.3f} {other.least - one.least:8.3f}   none",
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
    heading("a large result", "floor s", "ours s", "ratio", "cpu ratio")
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
                f"{other.least / one.least:8.2f}   none; {peaks[side] >> 20} MiB "
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
