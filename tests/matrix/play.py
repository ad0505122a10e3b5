"""One combination played: struck, looked at, continued, compared with a clean run.

The run is a child process that may be killed.  For an overlap it stands still at the struck state
while the parent, which never ran anything itself, forks a second run and waits for its end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.run import RunRequest
from runner.local.s3 import FolderS3
from runner.machine import Crash, Fail, FaultPlan, InjectedFault, Meanwhile, When
from tests.matrix.combinations import LATE, RESUME, SAME, SHIFTED, Combination
from tests.matrix.scenes import BOTH, LATER, WINDOW, change_input, child, entered, request
from tests.matrix.shown import leased, newest, shown
from tests.support.forks import in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.matrix.scenes import Clean, Scenes
    from tests.matrix.shown import Row, Shown

_KILLED = -9
_WRITES = ("put_object", "copy_object", "move_objects", "delete_object", "delete_objects")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a combination."""

    combination: Combination
    struck: bool
    statuses: tuple[int, ...]
    """How the runs ended, one after the other: 0 succeeded, 1 failed, -9 killed."""
    wrong: tuple[str, ...]
    """Empty when everything is as after the clean run."""
    seconds: float


def play_one(
    scenes: Scenes,
    one: Combination,
    *,
    broken: Callable[[Path], None] | None = None,
) -> Result:
    """Play a combination in a copy of its scene; `broken` breaks the product in every child."""
    started = time.monotonic()
    group = scenes.group(one.state.table)
    window = BOTH if one.fault.second == SHIFTED else WINDOW
    late = one.fault.second == LATE
    clean = scenes.clean(one.flavour, group, window, new_input=late)
    root = scenes.folder / f"struck{os.getpid()}"
    for failure in _failures(one):
        shutil.copytree(scenes.base(one.flavour), root)
        try:
            struck, statuses, wrong = _Game(root, one, group, clean, broken, failure).play()
        finally:
            shutil.rmtree(root)
        if struck:
            break
    return Result(one, struck, statuses, wrong, time.monotonic() - started)


def _failures(one: Combination) -> tuple[str, ...]:
    """Give errors that may lead to the struck state: one that passes, one that is hopeless."""
    if one.approach is None or one.approach[1]:
        return ("" if one.approach is None else one.approach[1],)
    passing, hopeless = "States.TaskFailed", "TestsFailed"
    if one.state.kind == "load" or one.state.verb.endswith("fail"):
        return hopeless, passing
    return passing, hopeless


@dataclass(frozen=True, slots=True)
class _Game:
    root: Path
    one: Combination
    group: tuple[str, ...]
    clean: Clean
    broken: Callable[[Path], None] | None
    failure: str
    """The error with which the state that leads to the struck one has to fail."""

    def play(self) -> tuple[bool, tuple[int, ...], tuple[str, ...]]:
        one = self.one
        wrong: list[str] = []
        if one.fault.second:
            statuses = self._overlapping(wrong)
            struck = len(statuses) > 1
        else:
            action = Meanwhile(lambda: die_at_write(one.fault.write))
            plan = self._plan(action if one.fault.write else one.fault.action)
            statuses = [in_child(child(self._request(plan), self.broken))]
            killed = bool(one.fault.write) or isinstance(one.fault.action, Crash)
            struck = statuses == [_KILLED] if killed else one.state.name in entered(self.root)
        if statuses[0] != 0 and one.approach is None and one.state.kind in one.fault.survived:
            wrong.append(f"the run ended with status {statuses[0]}: it did not get over the fault")
        wrong += self._contradictions(shown(self.root))
        if any(statuses) or one.fault.second == SHIFTED:
            statuses.append(in_child(child(self._continued(statuses), self.broken)))
        if statuses[-1] == 1:  # a resumed run may end as failed as it was about to
            statuses.append(in_child(child(self._request(None), self.broken)))
        if statuses[-1] != 0:
            wrong.append(f"the last run ended with status {statuses[-1]}")
        wrong += _differences(shown(self.root), self.clean.after)
        return struck, tuple(statuses), tuple(wrong)

    def _continued(self, statuses: list[int]) -> RunRequest:
        if self.one.then == RESUME and statuses[-1] == _KILLED:
            return RunRequest(root=self.root, resume="last")
        return self._request(None)

    def _request(self, faults: FaultPlan | None) -> RunRequest:
        window = WINDOW
        if faults is None and self.one.fault.second == SHIFTED:
            window = BOTH
        return request(self.root, window, self.group, faults)

    def _plan(self, action: object) -> FaultPlan:
        one = self.one
        faults = [InjectedFault(one.state.name, action, one.fault.when, first=True)]  # type: ignore[arg-type]  # one of the actions
        if one.approach is not None:
            leading = one.approach[0]
            faults.append(InjectedFault(leading, Fail(self.failure), When.AFTER, first=True))
        return FaultPlan(tuple(faults))

    def _overlapping(self, wrong: list[str]) -> list[int]:
        """Run; where the run is struck, run again in another process; then go on."""
        told, tell = os.pipe()
        hear, answer = os.pipe()
        once: list[bool] = []

        def meanwhile() -> None:
            if not once:
                once.append(True)
                os.write(tell, b"?")
                os.read(hear, 1)

        asked = self._request(self._plan(Meanwhile(meanwhile)))
        process = os.fork()
        if process == 0:
            os.close(told)
            os._exit(_guarded(child(asked, self.broken)))
        os.close(tell)
        statuses = []
        while os.read(told, 1):
            statuses.append(self._second(wrong))
            os.write(answer, b"!")
        _, ended = os.waitpid(process, 0)
        for end in (told, hear, answer):
            os.close(end)
        return [*statuses, os.waitstatus_to_exitcode(ended)]

    def _second(self, wrong: list[str]) -> int:
        """Run while the first run stands still; it must not write what that one has leased."""
        kind = self.one.fault.second
        if kind == LATE:
            change_input(self.root)
        table = self.one.state.table
        held = {table: newest(self.root, table)} if table in leased(self.root) else {}
        window = LATER if kind == SHIFTED else WINDOW
        asked = request(self.root, window, self.group)
        status = in_child(child(asked, self.broken, alone=kind == LATE))
        wrong += [
            f"{name}: written while another run held its lease"
            for name, before in held.items()
            if kind != LATE and newest(self.root, name) != before
        ]
        return status

    def _contradictions(self, found: Shown) -> list[str]:
        """Say what no reader may see after a run that failed, died or was disturbed."""
        wrong = [line for line in found.broken if not _is_excused(line, found)]
        pure = self.one.fault.second in {"", SAME}
        before, after = self.clean.before, self.clean.after
        for table, periods in found.rows.items():
            for period, rows in periods.items():
                if (table, period) in found.writing and period != "all":
                    continue
                known = [s.rows.get(table, {}).get(period, []) for s in (before, after)]
                if pure and rows not in known:
                    wrong.append(f"{table} {period}: rows of neither before nor after")
                elif Counter(rows) != Counter(set(rows)):
                    wrong.append(f"{table} {period}: rows doubled")
        for mart, rows in found.marts.items():
            known = [s.marts.get(mart, []) for s in (before, after)]
            if pure and rows not in known:
                wrong.append(f"mart {mart}: rows of neither before nor after")
            elif Counter(rows) != Counter(set(rows)):
                wrong.append(f"mart {mart}: rows doubled")
        return wrong


def die_at_write(number: int) -> None:
    """Let this process, a child, die where it would write to S3 for so many times from now on."""
    left = [number]

    def counted(name: str) -> Callable[..., object]:
        method = getattr(FolderS3, name)

        def write(*arguments: object, **more: object) -> object:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*arguments, **more)

        return write

    for name in _WRITES:
        if hasattr(FolderS3, name):
            setattr(FolderS3, name, counted(name))


def _guarded(work: Callable[[], int]) -> int:
    with contextlib.suppress(BaseException):
        return work()
    return 70


def _is_excused(line: str, found: Shown) -> bool:
    """Tell whether a contradiction is about a period that its record calls unfinished."""
    table, period = line.partition(":")[0].split(" ", 1)
    return (table, period) in found.writing


def _differences(found: Shown, wanted: Shown) -> list[str]:
    """Compare what is left with what the clean run left, row by row."""
    wrong = list(found.broken)
    for table in sorted({*found.rows, *wanted.rows}):
        got, want = found.rows.get(table, {}), wanted.rows.get(table, {})
        wrong += _rows_differ(table, got, want)
    wrong += [
        f"records of {table} differ"
        for table in sorted({*found.records, *wanted.records})
        if found.records.get(table) != wanted.records.get(table)
    ]
    wrong += _rows_differ("mart", found.marts, wanted.marts)
    wrong += [
        f"the catalogue's entry of {table} differs"
        for table in sorted({*found.catalogue, *wanted.catalogue})
        if found.catalogue.get(table) != wanted.catalogue.get(table)
    ]
    wrong += [f"unfinished: {table} {period}" for table, period in sorted(found.writing)]
    wrong += [f"lease left: {lease}" for lease in found.leases]
    return wrong


def _rows_differ(
    where: str, found: dict[str, list[Row]], wanted: dict[str, list[Row]]
) -> Iterator[str]:
    for part in sorted({*found, *wanted}):
        got, want = Counter(found.get(part, ())), Counter(wanted.get(part, ()))
        if got != want:
            more, less = (got - want).total(), (want - got).total()
            yield f"{where} {part}: {less} rows lost, {more} too many"
