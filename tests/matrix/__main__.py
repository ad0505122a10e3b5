"""`scripts/fault_matrix`: plays combinations in several processes and reports."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from tests.matrix.combinations import (
    FAULTS,
    Combination,
    combinations,
    find,
    sample,
    unreached,
)
from tests.matrix.play import Result, play_one
from tests.matrix.report import report
from tests.matrix.scenes import FLAVOURS, Scenes
from tests.support.forks import preload, swift_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SAMPLE = 100
_TOLD = 3000
"""Characters of a result: a line that a pipe takes whole."""


def main(words: Sequence[str] | None = None) -> int:
    """Play what is asked for; 0 when all of it was played and struck, and nothing is wrong."""
    asked = _read(words)
    started = time.monotonic()
    preload()
    with swift_folder() as folder:
        scenes = Scenes(folder)
        every = list(_asked_for(asked, scenes))
        if not every:
            sys.stderr.write("no combination fits; --list names them\n")
            return 2
        chosen = _choose(asked, every)
        if asked.list:
            sys.stdout.writelines(f"{one.name}\n" for one in chosen)
            return 0
        results: list[Result] = []
        with contextlib.suppress(KeyboardInterrupt):  # then the report is of what was played
            for result in _results(scenes, chosen, asked.jobs):
                results.append(result)
                _progress(len(results), len(chosen), sum(bool(one.wrong) for one in results))
        text = report(
            results,
            listed=len(every),
            unreached=() if asked.table or asked.kind or asked.name else unreached(scenes),
            seconds=time.monotonic() - started,
            jobs=asked.jobs,
        )
    sys.stderr.write("\n")
    if asked.report:
        asked.report.write_text(text)
    sys.stdout.write(text)
    fine = all(one.struck and not one.wrong for one in results)
    return 0 if fine and len(results) == len(chosen) else 1


def _read(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/fault_matrix",
        description="Strike runs at every state of a compiled definition in every way; continue "
        "them; compare tables, marts, records and the catalogue with a clean run's, row by row.",
        epilog="Example: scripts/fault_matrix --all --jobs 2 --report matrix.md",
    )
    parser.add_argument("--all", action="store_true", help="every combination, not a sample")
    parser.add_argument(
        "--sample", type=int, default=_SAMPLE, help="combinations to play otherwise (%(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes (%(default)s)")
    parser.add_argument("--kind", help="only states of this kind: insert, ctas, load, run, ...")
    parser.add_argument("--table", help="only states of this table")
    parser.add_argument("--flavour", choices=FLAVOURS, help="only runs that begin so")
    parser.add_argument("--fault", help=f"part of a name: {', '.join(f.name for f in FAULTS)}")
    parser.add_argument("--name", help="one combination by its name, or a pattern of some")
    parser.add_argument("--list", action="store_true", help="name the combinations, play none")
    parser.add_argument("--report", type=Path, help="write the report to a file as well")
    return parser.parse_args(words)


def _asked_for(asked: argparse.Namespace, scenes: Scenes) -> Iterator[Combination]:
    """List what the words fit; the scenes of one combination by its name are soon made."""
    if asked.name and "*" not in asked.name:
        with contextlib.suppress(LookupError):
            yield from find(scenes, [asked.name])
        return
    for one in combinations(scenes, table=asked.table, kind=asked.kind):
        if (
            asked.flavour in {None, one.flavour}
            and (asked.fault or "") in one.fault.name
            and (asked.name is None or fnmatchcase(one.name, asked.name))
        ):
            yield one


def _choose(asked: argparse.Namespace, every: list[Combination]) -> list[Combination]:
    if asked.all or asked.name or asked.list:
        return sorted(every, key=lambda one: one.digest)
    return list(sample(every, asked.sample))


def _results(scenes: Scenes, chosen: list[Combination], jobs: int) -> Iterator[Result]:
    """Play in as many processes; a worker tells each result by a line."""
    if jobs == 1:
        for one in chosen:
            yield play_one(scenes, one)
        return
    told, tell = os.pipe()
    workers = []
    for number in range(jobs):
        worker = os.fork()
        if worker == 0:
            os.close(told)
            _work(scenes, list(enumerate(chosen))[number::jobs], tell)
        workers.append(worker)
    os.close(tell)
    with os.fdopen(told) as lines:
        for line in lines:
            number, struck, statuses, wrong, seconds = json.loads(line)
            yield Result(chosen[number], struck, tuple(statuses), tuple(wrong), seconds)
    for worker in workers:
        _, status = os.waitpid(worker, 0)
        if status:
            raise ChildProcessError(f"a worker ended with {os.waitstatus_to_exitcode(status)}")


def _work(scenes: Scenes, share: list[tuple[int, Combination]], tell: int) -> None:
    status = 70
    with contextlib.suppress(KeyboardInterrupt):
        try:
            for number, one in share:
                found = play_one(scenes, one)
                wrong = [line[:200] for line in found.wrong[:11]]
                line = json.dumps([number, found.struck, found.statuses, wrong, found.seconds])
                os.write(tell, line[:_TOLD].encode() + b"\n")
            status = 0
        finally:
            os._exit(status)


def _progress(done: int, of: int, wrong: int) -> None:
    if sys.stderr.isatty() or done % 50 == 0 or done == of:
        end = "\r" if sys.stderr.isatty() else "\n"
        sys.stderr.write(f"{done} of {of}, {wrong} wrong{end}")
        sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
