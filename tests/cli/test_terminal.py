"""What a person at a terminal sees, what a pipe gets, and Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import PATIENCE_S, child_environment, process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.support.commands import Cli

DAYS = ("--start", "2024-01-01", "--end", "2024-01-03")
SLOW = """
import pathlib, time

def handler(event, context):
    pathlib.Path({path!r}).touch()
    time.sleep({seconds})
    return {{"rows": "as many as you like"}}
"""


class Terminal:
    """A process whose terminal we hold; its standard output may go elsewhere."""

    def __init__(self, words: Sequence[str], *, cwd: Path, stdout: int | None = None) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runner", *words],
            cwd=cwd,
            env=child_environment({"TERM": "xterm-256color", "COLUMNS": "120"}),
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            start_new_session=True,
        )

    def until(self, arrived: Callable[[], bool]) -> None:
        """Read what is shown until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not arrived():
            assert time.monotonic() < end, self.shown.decode()
            ready, _, _ = select.select([self._ours], [], [], 0.02)
            if ready:
                self.shown += os.read(self._ours, 1 << 16)

    def end(self) -> tuple[int, str]:
        """Wait for the end; gives status and everything shown."""
        self.until(lambda: self.process.poll() is not None)
        while select.select([self._ours], [], [], 0.05)[0]:
            self.shown += os.read(self._ours, 1 << 16)
        self.after = termios.tcgetattr(self._theirs)
        os.close(self._theirs)
        os.close(self._ours)
        return self.process.returncode, self.shown.decode()

    def type(self, text: str) -> None:
        """Type an answer."""
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C: the terminal sends it to every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)


def slow_report(shop: Path, seconds: float) -> Path:
    """Make the workflow's function slow; gives the file that tells that it has begun."""
    sign = shop / "begun"
    text = SLOW.format(path=str(sign), seconds=seconds)
    (shop / "lambdas" / "report" / "handler.py").write_text(text)
    return sign


def test_a_terminal_shows_steps_and_a_bar_and_is_left_clean(new_shop: Path) -> None:
    slow_report(new_shop, 0.6)
    terminal = Terminal(("run", "daily", *DAYS), cwd=new_shop)
    status, shown = terminal.end()
    assert status == 0, shown
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert re.search(r"daily [━╺╸]+ 6/7 ", text), text  # the bar, while the last step runs
    assert "unstage" not in text.split("6/7")[-1]  # nothing is shown at work after its end
    assert re.search(r"  report +call +0\.[3-9] s", text)  # what runs now
    assert "\x1b[" in shown
    assert "[2/7] staging.orders  done  12 rows" in shown
    assert "look at the mart:" in shown
    # Clean: the cursor is shown again, the mode is as before, the summary is the last thing.
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert terminal.after == terminal.before
    after_bar = shown[shown.rindex("\x1b[?25h") :]
    assert "daily 2024-01-01..2024-01-03 succeeded" in after_bar
    assert "━" not in after_bar


def test_a_backfill_asks_and_no_answer_means_no(shop: Path) -> None:
    words = ("backfill", "daily", "--start", "2024-01-03", "--end", "2024-01-05")
    terminal = Terminal(words, cwd=shop)
    terminal.until(lambda: b"Run it? [y/N]" in terminal.shown)
    terminal.type("\n")
    status, shown = terminal.end()
    assert status == 1
    assert "staging.orders: 2024-01-04..2024-01-05 missing" in shown
    assert not (shop / ".runner/s3/lake/_runner/backfills").exists()


def test_results_can_be_piped_while_the_terminal_shows_progress(new_shop: Path) -> None:
    target = new_shop / "out.txt"
    with target.open("wb") as file:
        terminal = Terminal(("run", "daily", *DAYS), cwd=new_shop, stdout=file.fileno())
        status, shown = terminal.end()
    assert status == 0
    assert "succeeded" not in shown
    assert "[7/7] report  done" in shown
    text = target.read_text()
    assert "daily 2024-01-01..2024-01-03 succeeded" in text
    assert "\x1b" not in text


def test_a_pipe_gets_plain_lines(new_shop: Path) -> None:
    done = process("run", "daily", *DAYS, cwd=new_shop)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 8
    assert lines[-1].startswith("[7/7] report  done")
    assert "look at the mart" in done.stdout


def test_nobody_reads_the_output(shop: Path) -> None:
    listed = subprocess.Popen(
        [sys.executable, "-m", "runner", "compile", "--json"],
        cwd=shop,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert listed.stdout is not None
    assert listed.stderr is not None
    listed.stdout.close()
    talk = listed.stderr.read().decode()
    listed.stderr.close()
    assert listed.wait() == 1
    assert "Traceback" not in talk
    assert "defect" not in talk


@pytest.mark.parametrize("live", [True, False], ids=["terminal", "pipe"])
def test_ctrl_c_stops_a_run_that_can_be_resumed(new_shop: Path, cli: Cli, *, live: bool) -> None:
    sign = slow_report(new_shop, 30)
    began = time.monotonic()
    terminal = Terminal(("run", "daily", *DAYS, *(() if live else ("--json",))), cwd=new_shop)
    terminal.until(sign.exists)
    terminal.interrupt()
    status, shown = terminal.end()
    assert status == 130, shown
    assert time.monotonic() - began < 25
    (name,) = [path.name for path in (new_shop / ".runner" / "runs").iterdir()]
    assert ("stopping; Ctrl-C again ends it at once" in shown) or live
    if live:
        assert f"continue it:  runner run --resume {name}" in shown
        assert "stopped: 1 unfinished" in shown
        assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    else:
        assert '"status": "ABORTED"' in shown
    assert "Traceback" not in shown

    slow_report(new_shop, 0)
    listed = cli("status")
    assert "ABORTED" in listed.out
    assert f"runner run --resume {name}" in listed.err
    said = cli("run", "--resume", name)
    assert said.status == 0, said
    assert "report                                   step   succeeded" in said.out
    assert "staging.orders                           table  published    12" in said.out
    assert cli("run", "--resume", "last").status == 2


def test_ctrl_c_twice_ends_it_at_once(new_shop: Path, cli: Cli) -> None:
    """The second strikes while a function of this process will not let go."""
    sign = slow_report(new_shop, 30)
    terminal = Terminal(("run", "daily", *DAYS, "--json"), cwd=new_shop)
    terminal.until(sign.exists)
    terminal.interrupt()
    terminal.interrupt()
    status, _ = terminal.end()
    assert status in {130, -signal.SIGINT}
    slow_report(new_shop, 0)
    assert cli("run", "--resume", "last").status == 0


def test_ctrl_c_before_a_run_begins(new_shop: Path) -> None:
    """Whoever stops while the project is read leaves no run behind."""
    terminal = Terminal(("check",), cwd=new_shop)
    terminal.interrupt()
    status, shown = terminal.end()
    assert status in {0, 130, -signal.SIGINT, 1}
    assert "defect" not in shown
    assert not (new_shop / ".runner" / "runs").exists()


def test_ctrl_c_while_statements_are_at_work(new_shop: Path, cli: Cli) -> None:
    """DuckDB refuses to be closed under a statement: the run stops all the same."""
    rows = " CROSS JOIN ".join(f"staging.orders AS o{number}" for number in range(8))
    for name in ("slow", "slower"):
        path = new_shop / "sql" / "marts" / f"{name}.sql"
        path.write_text(f"SELECT sum(sqrt(o0.amount * o7.amount + o3.amount)) AS n FROM {rows}\n")
    terminal = Terminal(("run", "daily", *DAYS, "--json"), cwd=new_shop)
    at_work = [
        f'"subject": "marts.{name}", "phase": "running", "verb": "write"'.encode()
        for name in ("slow", "slower")
    ]
    terminal.until(lambda: all(sign in terminal.shown for sign in at_work))
    time.sleep(0.1)
    terminal.interrupt()
    status, shown = terminal.end()
    assert status == 130, shown
    assert '"status": "ABORTED"' in shown
    assert "defect" not in shown
    said = cli("run", "--resume", "last")
    assert said.status == 0, said
    assert "marts.slower                             table  published     1" in said.out


def test_ctrl_c_stops_a_backfill_that_goes_on_by_its_name(new_shop: Path, cli: Cli) -> None:
    rows = " CROSS JOIN ".join(f"staging.orders AS o{number}" for number in range(8))
    path = new_shop / "sql" / "marts" / "slow.sql"
    path.write_text(f"SELECT sum(sqrt(o0.amount * o7.amount + o3.amount)) AS n FROM {rows}\n")
    asked = ("backfill", "daily", *DAYS, "--name", "slow", "--yes")
    terminal = Terminal((*asked, "--json"), cwd=new_shop)
    sign = b'"subject": "marts.slow", "phase": "running", "verb": "write"'
    terminal.until(lambda: sign in terminal.shown)
    terminal.interrupt()
    status, shown = terminal.end()
    assert status == 130, shown
    assert '"status": "ABORTED"' in shown
    listed = cli("status")
    assert "runner backfill --name slow" in listed.err
    refused = cli("run", "--resume", "backfill-slow-1")
    assert refused.status == 2
    assert "continued by its name" in refused.err
    path.write_text("SELECT count(*) AS n FROM staging.orders\n")
    changed = cli(*asked)
    assert changed.status == 2
    assert "planned before marts.slow changed" in changed.err
    path.write_text(f"SELECT sum(sqrt(o0.amount * o7.amount + o3.amount)) AS n FROM {rows}\n")
    said = cli("backfill", "--name", "slow", "--yes")
    assert said.status == 0, said
    assert "staging.orders" not in said.out.rpartition("kind")[2].partition("marts.")[0]
    assert "marts.slow                               table  published     1" in said.out
    assert cli("status").err == ""
