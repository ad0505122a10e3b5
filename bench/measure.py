"""Times whole processes beside their floors and prints the ratios, and which goals are met.

In: this checkout with its environment installed.  Out: a table on standard output.  Each pair is
run alternately (floor, product, floor, product, ...) and the median of each side is taken, so that
a slow moment of the machine meets both; beside it stands the least CPU time of each side, which
other work on the machine disturbs less.  Everything is made in a temporary folder: the raw data of
the whole year, a project with the five tables of the flights pipeline, projects of 10, 100
and 1,000 tables, and projects with years of records.

    python bench/measure.py                     # all of it, some minutes
    python bench/measure.py --only run --repeat 3
    python bench/measure.py --strict            # exit status 1 when a goal is missed
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lake import make_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
RUNNER = str(Path(PYTHON).parent / "runner")
PIPELINE = (
    "raw/flights",
    "raw/weather",
    "raw/planes",
    "raw/airports",
    "staging/flights",
    "staging/weather",
    "marts/daily_carrier_delay",
    "marts/hourly_delay_weather",
    "marts/route_summary",
)
BACKFILL = (RUNNER, "backfill", "daily", "--all", "--yes")
"""Writes every day of a window again, fresh or not."""
PLAN = (RUNNER, "backfill", "marts.*", "--dry-run")
YEARS = (1, 2, 4)
"""Years of records over which planning is compared."""
WORKFLOW = """\
steps:
  tables: {type: tables}
  loads: {type: loads, needs: [tables]}
"""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is promised: at most so many seconds, or so many times the floor."""

    seconds: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to time: a command of the product in a folder, and the floor's command."""

    name: str
    command: tuple[str, ...]
    folder: Path
    goal: Goal
    floor: tuple[str, ...] = (PYTHON, "-c", "pass")
    before: Callable[[], None] = lambda: None
    """Done before each run of the command, untimed."""
    warm: bool = True
    """Whether each side runs once untimed first."""
    years: int = 0
    """Years of records that are planned over, where that is what is compared."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of a case, in seconds, and the least CPU seconds of each side."""

    case: Case
    floor_s: float
    product_s: float
    floor_cpu_s: float
    product_cpu_s: float

    @property
    def ratio(self) -> float:
        """Give how many times the floor the product took."""
        return self.product_s / self.floor_s

    @property
    def met(self) -> bool:
        """Tell whether the goal is met."""
        goal = self.case.goal
        return (goal.seconds is None or self.product_s <= goal.seconds) and (
            goal.ratio is None or self.ratio <= goal.ratio
        )


class CommandFailed(Exception):
    """A timed command ended with another status than 0."""


def main() -> int:
    """Measure the chosen cases and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--folder", type=Path, help="keep projects and data here, use them again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        cases = [case for case in all_cases(folder) if options.only in case.name]
        prepare(folder, cases)
        print(
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}; "
            f"median of {options.repeat}\n"
        )
        print(
            f"{'what':28} {'floor s':>8} {'ours s':>8} {'ratio':>7} {'floor cpu':>10} "
            f"{'ours cpu':>9}   goal"
        )
        timings = [show(case, options.repeat) for case in cases]
        show_growth([timing for timing in timings if timing])
    return 1 if options.strict and not all(one and one.met for one in timings) else 0


def show_growth(timings: Sequence[Timing]) -> None:
    """Print what a year more of records costs in planning: the same each time if it is linear."""
    planned = [one for one in timings if one.case.years]
    for less, more in itertools.pairwise(planned):
        years = more.case.years - less.case.years
        print(
            f"planning, from {less.case.years} to {more.case.years} years: "
            f"{(more.product_s - less.product_s) / years:.3f} s "
            f"({(more.product_cpu_s - less.product_cpu_s) / years:.3f} s of CPU) a year more"
        )


def show(case: Case, repeat: int) -> Timing | None:
    """Measure a case and print its line; None if it failed."""
    try:
        timing = measure(case, repeat)
    except CommandFailed as failure:
        print(f"{case.name:28} failed: {failure}")
        return None
    print(
        f"{case.name:28} {timing.floor_s:8.3f} {timing.product_s:8.3f} {timing.ratio:7.2f} "
        f"{timing.floor_cpu_s:10.3f} {timing.product_cpu_s:9.3f}   {goal_text(case.goal)}  "
        f"{'met' if timing.met else 'MISSED'}",
        flush=True,
    )
    return timing


def goal_text(goal: Goal) -> str:
    """Write a goal in few characters."""
    if goal.ratio is not None:
        return f"<= {goal.ratio:g} x floor"
    if goal.seconds is None:
        return "none"
    return f"<= {goal.seconds:g} s"


# --- The cases -----------------------------------------------------------------------------------


def all_cases(folder: Path) -> tuple[Case, ...]:
    """List what is measured, in the order in which it runs."""
    flights, example = folder / "flights", folder / "example"
    return (
        Case("runner --help", (RUNNER, "--help"), folder, Goal(seconds=0.12)),
        Case("check, example", (RUNNER, "check"), example, Goal(seconds=0.5)),
        run_case("run, 31 days", flights, "2013-01-01", "2013-01-31", Goal(ratio=2.5)),
        run_case("run, next day", flights, "2013-02-01", "2013-02-01", Goal(ratio=3.0)),
        run_case("run, 365 days", flights, "2013-01-01", "2013-12-31", Goal(ratio=1.2)),
        run_case(
            "backfill, 365 days",
            flights,
            "2013-01-01",
            "2013-12-31",
            Goal(ratio=1.3),
            command=BACKFILL,
        ),
        plan_case("plan, 1,000 tables, 3 years", folder / "plan1000x3", 3, Goal(seconds=3.0)),
        *(
            replace(
                plan_case(f"plan, 200 tables, {n} years", folder / f"plan200x{n}", n, Goal()),
                years=n,
            )
            for n in YEARS
        ),
        *offline_cases(folder / "stack1000"),
        *compile_cases(folder / "tables10", "10 tables", cold_s=0.35),
        *compile_cases(folder / "tables100", "100 tables", cold_s=0.9),
    )


def plan_case(name: str, project: Path, years: int, goal: Goal) -> Case:
    """Time planning over years of records, of which the last day is missing."""
    window = ("--start", "2013-01-01", "--end", f"{2012 + years}-12-31")
    return Case(name, (*PLAN, *window), project, goal)


def offline_cases(project: Path) -> Iterator[Case]:
    """Time what `plan` does on its own: nothing changed, and one file of a thousand."""
    script = (PYTHON, str(ROOT / "bench" / "plan_offline.py"))

    def edit() -> None:
        path = project / "sql" / "marts" / "t500.sql"
        path.write_text(f"{synthetic_sql(500)}-- {time.time_ns()}\n")

    name = "plan offline, 1,000 tables"
    unchanged = (*script, "--unchanged")
    floor = (*script, "--floor")
    yield Case(name, unchanged, project, Goal(ratio=4.0), floor=floor)
    yield Case(f"{name}, one new", script, project, Goal(), floor=floor, before=edit, warm=False)


def run_case(
    name: str,
    project: Path,
    start: str,
    end: str,
    goal: Goal,
    *,
    command: tuple[str, ...] = (RUNNER, "run", "daily"),
) -> Case:
    """Time an unchanged project's run of a window beside the script's."""
    window = ("--start", start, "--end", end)
    script = (PYTHON, str(ROOT / "bench" / "floor_duckdb.py"))
    places = ("--data", str(project / "data"), "--out", str(project / "floor"))
    return Case(
        name,
        (*command, *window),
        project,
        goal,
        floor=(*script, *places, *window),
    )


def compile_cases(project: Path, size: str, *, cold_s: float) -> Iterator[Case]:
    """Time a compile with empty caches, and one where nothing changed."""

    def forget() -> None:
        shutil.rmtree(project / ".runner", ignore_errors=True)

    command = (RUNNER, "compile")
    yield Case(
        f"compile, cold, {size}", command, project, Goal(seconds=cold_s), before=forget, warm=False
    )
    yield Case(f"compile, unchanged, {size}", command, project, Goal(seconds=0.1))


# --- Measuring -----------------------------------------------------------------------------------


def measure(case: Case, repeat: int) -> Timing:
    """Run floor and product alternately; gives the medians."""
    if case.warm:
        timed(case.floor, case.folder)
        timed(case.command, case.folder)
    floors, products = [], []
    for _ in range(repeat):
        floors.append(timed(case.floor, case.folder))
        case.before()
        products.append(timed(case.command, case.folder))
    (floor_s, floor_cpu), (product_s, product_cpu) = (
        zip(*floors, strict=True),
        zip(*products, strict=True),
    )
    return Timing(
        case,
        statistics.median(floor_s),
        statistics.median(product_s),
        min(floor_cpu),
        min(product_cpu),
    )


def timed(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Give the wall time and the CPU time of a whole process, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - started
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CommandFailed(
            f"{Path(command[0]).name} {' '.join(command[1:3])}: status {done.returncode}: "
            f"{said[-1] if said else 'nothing said'}"
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# --- The projects --------------------------------------------------------------------------------


def prepare(folder: Path, cases: Sequence[Case]) -> None:
    """Make the projects that the cases run in."""
    made: dict[str, Callable[[Path], None]] = {
        "example": make_example,
        "flights": make_flights,
        "tables10": partial(make_synthetic, tables=10),
        "tables100": partial(make_synthetic, tables=100),
        "stack1000": make_deployed,
        "plan1000x3": partial(make_planned, tables=1000, years=3),
        **{f"plan200x{years}": partial(make_planned, tables=200, years=years) for years in YEARS},
    }
    wanted = {case.folder for case in cases}
    for name, make in made.items():
        project = folder / name
        if project in wanted and not project.exists():
            project.mkdir(parents=True)
            make(project)


def make_example(project: Path) -> None:
    """Copy the example project."""
    for name in ("sql", "workflows", "lambdas", "data"):
        shutil.copytree(ROOT / name, project / name)
    shutil.copy(ROOT / "config.yaml", project)


def make_flights(project: Path) -> None:
    """Take the pipeline's files from the example, with the data of the whole year."""
    shutil.copy(ROOT / "config.yaml", project)
    shutil.copytree(ROOT / "sql" / "macros", project / "sql" / "macros")
    for name in PIPELINE:
        target = project / "sql" / f"{name}.sql"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "sql" / f"{name}.sql", target)
    write(project / "workflows" / "daily.yaml", WORKFLOW)
    script = str(ROOT / "scripts" / "make_data.py")
    subprocess.run(
        (PYTHON, script, "--out", str(project / "data")), check=True, stdout=subprocess.DEVNULL
    )


def make_synthetic(project: Path, *, tables: int) -> None:
    """Write a project of one external table and so many daily ones, each reading two before it."""
    shutil.copytree(ROOT / "sql" / "macros", project / "sql" / "macros")
    shutil.copy(ROOT / "config.yaml", project)
    (project / "data").mkdir()
    shutil.copy(ROOT / "sql" / "raw" / "flights.sql", write(project / "sql/raw/flights.sql", ""))
    for number in range(tables):
        write(project / "sql" / "marts" / f"t{number:03}.sql", synthetic_sql(number))
    write(project / "workflows" / "daily.yaml", WORKFLOW)


def make_planned(project: Path, *, tables: int, years: int) -> None:
    """Write such a project with years of records, but for the last day."""
    make_synthetic(project, tables=tables)
    (project / "workflows" / "daily.yaml").unlink()
    for first in range(0, tables, 100):  # one definition holds about 200 tables
        steps = f"steps:\n  tables: {{type: tables, select: ['marts.t{first // 100}*']}}\n"
        write(project / "workflows" / f"daily{first // 100}.yaml", steps)
    make_records(project, date(2013, 1, 1), date(2012 + years, 12, 30))


def make_deployed(project: Path) -> None:
    """Write a project of 1,000 tables whose environment on AWS is as its files say."""
    make_synthetic(project, tables=1000)
    deploy = (PYTHON, str(ROOT / "bench" / "plan_offline.py"), "--deploy")
    subprocess.run(deploy, cwd=project, check=True, stdout=subprocess.DEVNULL)


def synthetic_sql(number: int) -> str:
    """Write the file of one synthetic table."""
    header = (
        f"/*---\ndescription: Table {number}.\npartition:\n"
        '  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}\n'
        "load: {mode: merge, keys: [dt, carrier]}\n"
        "tests:\n  - unique: [dt, carrier]\n  - not_null: [flights]\n---*/\n"
    )
    window = "dt BETWEEN '{{ start }}' AND '{{ end }}'"
    if number == 0:
        return (
            f"{header}SELECT carrier, count(*) AS flights, avg(dep_delay) AS delay, dt\n"
            f"FROM raw.flights\nWHERE {window}\nGROUP BY carrier, dt\n"
        )
    left, right = (number - 1) // 4, (number - 1) // 2
    return (
        f"{header}WITH base AS (\n    SELECT carrier, dt, flights, delay\n    FROM t{left:03}\n"
        f"    WHERE {window}\n)\n"
        "SELECT\n    base.carrier,\n    sum(base.flights) AS flights,\n"
        f"    {{{{ rate('sum(other.delay)', 'count(*)') }}}} AS delay,\n    base.dt\n"
        f"FROM base\nJOIN t{right:03} AS other\n"
        "    ON other.dt = base.dt AND other.carrier = base.carrier\n"
        f"WHERE other.{window}\nGROUP BY base.carrier, base.dt\n"
    )


def write(path: Path, text: str) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


if __name__ == "__main__":
    raise SystemExit(main())
