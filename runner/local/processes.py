"""Scripts and commands of the user that stand for jobs and builds of AWS, each a process.

In: a command.  Out: how it ended, with the last lines that it wrote; everything is in its log.
Whatever it started ends with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    status: int
    timed_out: bool
    last_line: str
    """What it wrote last, which of a Python script that failed is the exception."""


class Processes:
    """The processes of one run; closed, they are gone."""

    def __init__(self) -> None:
        """Begin with none."""
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def run(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        log: Path,
        timeout_s: float,
    ) -> Ended:
        """Run a command to its end; OSError if it cannot be started."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with self._lock:
                self._running.add(process)
            try:
                timed_out = _wait(process, timeout_s)
            finally:
                _kill(process)
                with self._lock:
                    self._running.discard(process)
        return Ended(process.wait(), timed_out, _last_line(log))

    def close(self) -> None:
        """End every process that is still at work."""
        with self._lock:
            running = list(self._running)
        for process in running:
            _kill(process)


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait for the end; tell whether it took too long."""
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return True
    return False


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started; what has ended already is nothing to do."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
