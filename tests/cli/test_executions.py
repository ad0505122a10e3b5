"""`executions` and `redrive` on this machine, and what belongs to AWS only."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from runner.app.run import RunRequest, run
from runner.app.stopping import Stopper
from runner.cli.interrupts import Interrupts
from runner.cli.root import run_command_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

DAYS = ("--start", "2024-01-01", "--end", "2024-01-03")
TABLE = "sql/staging/orders.sql"


def break_orders(shop: Path) -> str:
    """Let a table fail; gives what its file said before."""
    path = shop / TABLE
    text = path.read_text("utf-8")
    assert text.count("WHERE ") == 1
    path.write_text(text.replace("WHERE ", "WHERE 1 / 0 = 0 AND "), "utf-8")
    return text


@pytest.mark.usefixtures("shop")
def test_runs_of_this_machine_are_listed_and_shown(cli: Cli) -> None:
    (one,) = json.loads(cli("executions", "--json").out)
    assert (one["workflow"], one["status"], one["link"]) == ("daily", "SUCCEEDED", "")
    said = cli("executions", "--workflow", "daily", "--status", "SUCCEEDED")
    assert one["run"] in said.out
    none = cli("executions", "--status", "FAILED")
    assert (none.out, none.err) == ("", "no execution yet\n")
    shown = cli("executions", "last")
    assert shown.out.startswith(f"{one['run']}: SUCCEEDED, started {one['started_at']}")
    assert "staging.orders" in shown.out
    assert "console" not in shown.out
    assert cli("executions", one["run"]).out == shown.out


@pytest.mark.usefixtures("shop")
def test_mistakes_are_named(cli: Cli) -> None:
    said = cli("executions", "--status", "BROKEN", "--workflow", "dayly")
    assert said.status == 2
    assert "RUNNING, SUCCEEDED, FAILED" in said.err
    assert "daily" in said.err
    assert "'x'" in cli("executions", "x").err
    assert cli("redrive", "x").status == 2


@pytest.mark.usefixtures("shop")
def test_what_succeeded_is_not_redriven(cli: Cli) -> None:
    said = cli("redrive")
    assert (said.status, "which succeeded" in said.err) == (2, True)


def test_semantics_34_a_redrive_writes_what_failed_or_was_skipped(shop: Path, cli: Cli) -> None:
    before = break_orders(shop)
    failed = cli("run", "daily", *DAYS, "--json")
    assert failed.status == 1
    first = json.loads(failed.out.splitlines()[-1])
    assert {one["status"] for one in first["ended"]} >= {"failed", "skipped"}
    left = {
        one["name"]
        for one in first["ended"]
        if one["status"] in ("failed", "skipped") and one["kind"] != "step"
    }
    (shop / TABLE).write_text(before, "utf-8")
    again = cli("redrive", "--json")
    assert again.status == 0
    told = json.loads(again.out.splitlines()[-1])
    assert told["run"] != first["run"]
    assert (told["start"], told["end"]) == ("2024-01-01", "2024-01-03")
    assert {one["name"] for one in told["ended"] if one["kind"] != "step"} == left


def test_semantics_34_a_run_that_was_stopped_goes_on(new_shop: Path, cli: Cli) -> None:
    stopper = Stopper()
    stopper.stop()
    request = RunRequest(new_shop, "daily", start="2024-01-01", end="2024-01-03")
    stopped = run(request, stopper=stopper)
    assert stopped.status == "ABORTED"
    again = cli("redrive", stopped.run, "--json")
    told = json.loads(again.out.splitlines()[-1])
    assert (again.status, told["run"], told["status"]) == (0, stopped.run, "SUCCEEDED")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "words", [("run", "daily", "--detach"), ("run", "--follow", "last"), ("redrive", "--detach")]
)
def test_what_aws_alone_can_do_is_refused_here(cli: Cli, words: tuple[str, ...]) -> None:
    said = cli(*words)
    assert (said.status, said.out) == (2, "")
    assert "engine: aws" in said.err


@pytest.mark.usefixtures("shop")
def test_logs_are_of_environments_on_aws(cli: Cli) -> None:
    assert "Missing option '--env'" in cli("logs").err
    said = cli("logs", "--env", "local")
    assert (said.status, "not-aws" in said.err) == (2, True)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_second_ctrl_c_leaves_an_execution_to_aws() -> None:
    heard: list[str] = []
    stopper = Stopper()
    stopper.left = "left; AWS goes on without you: runner run --follow e-1 --env prod"
    with Interrupts(stopper, heard.append) as interrupts:
        interrupts.running()
        interrupt()
        assert stopper.is_set()
        assert heard == [
            "stopping the execution and its statements; Ctrl-C again does not wait for the end"
        ]
        with pytest.raises(KeyboardInterrupt, match="runner run --follow e-1"):
            interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_an_interrupt_says_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(**_: object) -> None:
        raise KeyboardInterrupt("left; AWS goes on")

    monkeypatch.setattr("runner.cli.root.root.main", left)
    assert run_command_line(["run"]) == 130
    assert capsys.readouterr().err == "left; AWS goes on\n"
