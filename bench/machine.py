"""Counts the interpreter's transitions per second of CPU beside those of moto's, in one run.

In: this checkout with its environment installed.  Out: a table on standard output.  A transition
is a state entered.  Both interpreters get the same definitions, alternately, and the median of
each is taken; CPU time is what other work on the machine disturbs least, and neither waits.  moto,
which is much slower, gets smaller inputs: what counts is the rate.  The last rows are ours alone:
the journal in a SQLite file, long runs beside short ones, and the peak memory of a large Map, in a
process of its own.

    python bench/machine.py               # about a minute
    python bench/machine.py --strict      # exit status 1 when a goal is missed
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from runner.local.journal import open_journal
from runner.machine import ExecutionContext, VirtualClock, parse_definition, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine import Journal, TaskRequest

Json = Any
CONTEXT = ExecutionContext("arn:execution", "execution", "arn:machine", "machine")
LOOPS = 2_000
ITEMS = 1_000
MANY = 100_000
MOST_BYTES = 1 << 30
GOAL = 20_000
SQLITE_GOAL = 5_000
FLATNESS = 0.7
"""A long run has at least so much of a short one's rate."""


def counting(most: int) -> dict[str, Json]:
    """Make a loop of Pass and Choice that counts."""
    counted = {"n.$": "States.MathAdd($.n, 1)"}
    again = {"Variable": "$.n", "NumericLessThan": most, "Next": "Add"}
    return {
        "StartAt": "Add",
        "States": {
            "Add": {"Type": "Pass", "Parameters": counted, "Next": "Again"},
            "Again": {"Type": "Choice", "Choices": [again], "Default": "Done"},
            "Done": {"Type": "Succeed"},
        },
    }


def mapping(mode: str = "INLINE") -> dict[str, Json]:
    """Make a Map with two Pass states for each item of the input."""
    processor: dict[str, Json] = {
        "StartAt": "One",
        "States": {"One": {"Type": "Pass", "Next": "Two"}, "Two": {"Type": "Pass", "End": True}},
    }
    if mode == "DISTRIBUTED":
        processor["ProcessorConfig"] = {"Mode": mode, "ExecutionType": "STANDARD"}
    state = {"Type": "Map", "ItemProcessor": processor, "ResultPath": None, "End": True}
    return {"StartAt": "Each", "States": {"Each": state}}


class Echo:
    """Gives a task's arguments back."""

    def call(self, request: TaskRequest) -> Json:
        """Answer."""
        return request.arguments


def ours(definition: dict[str, Json], data: Json, journal: Journal | None = None) -> None:
    """Run a definition to its end."""
    outcome = run(
        parse_definition(definition),
        data,
        service=Echo(),
        clock=VirtualClock(),
        context=CONTEXT,
        random=Random(0),  # noqa: S311 - a fixed seed
        journal=journal,
        history_limit=None,
    )
    if outcome.status != "SUCCEEDED":
        raise SystemExit(f"{outcome.error}: {outcome.cause}")


def ours_in_file(definition: dict[str, Json], data: Json) -> None:
    """Run a definition with its journal in a SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        journal = open_journal(Path(folder) / "journal.sqlite")
        ours(definition, data, journal)
        journal.close()


def motos(definition: dict[str, Json], data: Json) -> None:
    """Run a definition in moto's interpreter, as the tests drive it."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.support.moto_machine import run_with_moto  # noqa: PLC0415 - a second to import

    ended = run_with_moto(json.dumps(definition).encode(), data, lambda _s, _r, given: given)
    if ended.status != "SUCCEEDED":
        raise SystemExit(f"moto: {ended.status} {ended.error}: {ended.cause}")


@dataclass(frozen=True, slots=True)
class Side:
    """One interpreter's part of a case."""

    run: Callable[[dict[str, Json], Json], None]
    definition: dict[str, Json]
    data: Json
    transitions: int

    def rate(self) -> float:
        """Give transitions per second of CPU, all threads together, of one run."""
        gc.collect()
        start = time.process_time()
        self.run(self.definition, self.data)
        return self.transitions / (time.process_time() - start)


@dataclass(frozen=True, slots=True)
class Case:
    """A workload, what it is compared with, and the goal."""

    name: str
    side: Side
    floor: Side
    goal: float | None = None
    flatness: float | None = None


def loop(run_it: Callable[[dict[str, Json], Json], None], times: int) -> Side:
    """Count in a loop."""
    return Side(run_it, counting(times), {"n": 0}, 2 * times + 1)


def each(run_it: Callable[[dict[str, Json], Json], None], items: int, mode: str = "INLINE") -> Side:
    """Map over items."""
    return Side(run_it, mapping(mode), list(range(items)), 2 * items + 1)


CASES = (
    Case("loop, beside moto", loop(ours, LOOPS), loop(motos, 200), goal=GOAL),
    Case("Map, beside moto", each(ours, ITEMS), each(motos, 200), goal=GOAL),
    Case("loop, SQLite beside memory", loop(ours_in_file, LOOPS), loop(ours, LOOPS), SQLITE_GOAL),
    Case("Map, SQLite beside memory", each(ours_in_file, ITEMS), each(ours, ITEMS), SQLITE_GOAL),
    Case("loop, 100,000 beside 4,000", loop(ours, MANY // 2), loop(ours, LOOPS), flatness=FLATNESS),
    Case("Map, 50,000 beside 1,000", each(ours, MANY // 2), each(ours, ITEMS), flatness=FLATNESS),
)


def measure(case: Case, repeat: int) -> bool:
    """Print one row; tell whether its goals are met."""
    pairs = [(case.floor.rate(), case.side.rate()) for _ in range(repeat)]
    floor, rate = (statistics.median(side) for side in zip(*pairs, strict=True))
    met = case.goal is None or rate >= case.goal
    met = met and (case.flatness is None or rate >= case.flatness * floor)
    goal = f"{case.goal:,.0f}/s" if case.goal else f"{case.flatness}x"
    told = f"{rate:>11,.0f} {floor:>11,.0f} {rate / floor:>8.2f}x {goal:>10}"
    print(f"{case.name:<28} {told}  {'met' if met else 'MISSED'}")
    return met


def measure_memory(mode: str) -> bool:
    """Print the peak memory of a Map over 100,000 items, in a process of its own."""
    command = [sys.executable, __file__, "--map-only", mode]
    peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    met = peak <= MOST_BYTES
    told = f"{peak / 2**20:>7,.0f} MiB of {MOST_BYTES / 2**20:,.0f}"
    print(f"{f'Map of {MANY:,}, {mode.lower()}':<28} {told:>30}  {'met' if met else 'MISSED'}")
    return met


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--map-only", metavar="MODE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.map_only:
        ours(mapping(options.map_only), list(range(MANY)))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        return 0
    print(
        f"{'transitions per CPU second':<28} {'ours':>11} {'floor':>11} {'ratio':>9} {'goal':>10}"
    )
    met = [measure(case, options.repeat) for case in CASES]
    met += [measure_memory(mode) for mode in ("INLINE", "DISTRIBUTED")]
    return 1 if options.strict and not all(met) else 0


if __name__ == "__main__":
    sys.exit(main())
