"""`runner machine run` as people type it: output, trace, exit statuses, crashes, stepping."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from tests.support.commands import PATIENCE_S, Cli, child_environment, cli, process
from tests.support.machines import machine, mocked, task, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["cli"]

PASS = {"Type": "Pass", "End": True}
TWO = {"A": task(Next="W"), "W": {"Type": "Wait", "Seconds": 5, "Next": "B"}, "B": task()}


@pytest.fixture
def run(cli: Cli, tmp_path: Path) -> Callable[..., Any]:
    """Type `runner machine run` in a folder that is no project."""
    cli.cd(tmp_path)
    return lambda *words: cli("machine", "run", *words)


def test_the_output_is_all_that_standard_output_has(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    write(tmp_path / "m.json", machine({"P": {**PASS, "Output": "{% $states.input.n + 1 %}"}}))
    said = run("m.json", "--input", '{"n": 1}')
    assert (said.status, said.out) == (0, "2\n")
    assert "P (Pass)" in said.err
    assert "SUCCEEDED" in said.err


def test_quiet_says_nothing_of_a_success(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    write(tmp_path / "m.json", machine({"P": PASS}))
    said = run("m.json", "--quiet")
    assert (said.status, said.out, said.err) == (0, "{}\n", "")


def test_a_failure_is_status_1_and_says_why(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    write(tmp_path / "m.json", machine({"P": {**PASS, "Output": "{% $states.input.n + 'x' %}"}}))
    said = run("m.json", "--quiet", "--input", '{"n": 1}')
    assert (said.status, said.out) == (1, "")
    assert "P (Pass): field Output: States.QueryEvaluationError: $states.input.n + 'x' fails" in (
        said.err
    )


def test_the_trace_reads_step_by_step(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    context = '{"Execution": {"StartTime": "2013-01-05T06:00:00Z"}}'
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}]
    charge = task(
        Arguments={"amount": "{% $states.input.n %}"},
        Assign={"id": "{% $states.result.id %}"},
        Retry=retry,
        Next="Each",
    )
    inner = {"StartAt": "Pack", "States": {"Pack": task("arn:aws:states:::sqs:sendMessage")}}
    each = {"Type": "Map", "Items": [1], "ItemProcessor": inner, "Catch": catch, "End": True}
    states = {"Charge": charge, "Each": each, "Sorry": PASS}
    write(tmp_path / "m.json", machine(states))
    mocked(
        tmp_path,
        "states:\n  Charge: [{raise: {error: Busy, cause: again}}, {return: {id: 7}, after: 2}]\n"
        "  Pack: {raise: {error: Full, cause: none}}\n",
    )
    said = run("m.json", "--input", '{"n": 5}', "--mocks", "mocks.yaml", "--context", context)
    assert said.err.splitlines() == [
        '06:00:00.000  start {"n": 5}',
        '06:00:00.000  Charge (Task) {"n": 5}',
        '06:00:00.000    call glue:startJobRun.sync {"amount": 5}',
        "06:00:00.000    failed Busy: again",
        "06:00:00.000    retry 1 of Charge in 1 h 0 min",
        '07:00:00.000    call glue:startJobRun.sync {"amount": 5}',
        '07:00:02.000    result {"id": 7} (2 s)',
        "07:00:02.000    assign $id = 7",
        '07:00:02.000    out of Charge {"id": 7} (1 h 0 min)',
        '07:00:02.000  Each (Map) {"id": 7}',
        "07:00:02.000    Each[0] Pack (Task) 1",
        "07:00:02.000      call sqs:sendMessage 1",
        "07:00:02.000      failed Full: none",
        '07:00:02.000    out of Each {"Error": "Full", "Cause": "none"}',
        "07:00:02.000    caught in Each, goes to Sorry",
        '07:00:02.000  Sorry (Pass) {"Error": "Full", "Cause": "none"}',
        '07:00:02.000    out of Sorry {"Error": "Full", "Cause": "none"}',
        "SUCCEEDED after 1 h 0 min",
    ]


def test_values_are_shortened_unless_full(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    write(tmp_path / "m.json", machine({"P": PASS}))
    given = json.dumps({"text": "x" * 200})
    assert given not in run("m.json", "--input", given).err
    assert given in run("m.json", "--input", given, "--full").err


def test_json_has_the_shape_of_describe_execution(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    service = botocore.session.get_session().get_service_model("stepfunctions")
    shape = service.operation_model("DescribeExecution").output_shape
    assert shape is not None
    for state in (PASS, {"Type": "Fail", "Error": "E", "Cause": "c"}):
        write(tmp_path / "m.json", machine({"P": state}))
        told = json.loads(run("m.json", "--json", "--name", "mine").out)
        assert set(told) <= set(shape.members)
        assert set(shape.required_members) <= set(told)
        assert told["name"] == "mine"


def test_the_input_may_be_a_file_or_standard_input(
    run: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(tmp_path / "m.json", machine({"P": PASS}))
    write(tmp_path / "in.json", '{"n": 1}')
    write(tmp_path / "in.yaml", "n: 2")
    assert run("m.json", "--input", "@in.json").out == '{"n": 1}\n'
    assert run("m.json", "--input", "@in.yaml").out == '{"n": 2}\n'
    monkeypatch.setattr(sys, "stdin", io.StringIO("[3]"))
    assert run("m.json", "--input", "@-").out == "[3]\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--input", "{n: 1"], "json-syntax"),
        (["--input", "@gone.json"], "unreadable-file"),
        (["--mocks", "gone.yaml"], "unreadable-file"),
        (["--faults", "gone.yaml"], "unreadable-file"),
        (["--fault", "P"], "bad-fault"),
        (["--fault", "Q:crash"], "unknown-state"),
        (["--lambda", "f"], "bad-option"),
        (["--lambda", "f=gone.py"], "no-handler"),
        (["--machine", "=x"], "bad-option"),
        (["--machine", "m=gone.json"], "unreadable-file"),
        (["--machine", "../m=m.json"], "bad-name"),
        (["--context", "[]"], "bad-option"),
        (["--time", "soon"], "bad-time"),
        (["--resume"], "no-journal"),
    ],
)
def test_wrong_use_is_status_2(run: Any, tmp_path: Path, words: list[str], code: str) -> None:  # noqa: ANN401
    write(tmp_path / "m.json", machine({"P": PASS}))
    said = run("m.json", *words)
    assert (said.status, said.out) == (2, "")
    assert f": {code}\n" in said.err


def test_what_did_nothing_is_warned_of(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    states = {
        "C": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% false %}", "Next": "T"}],
            "Default": "P",
        },
        "P": PASS,
        "T": task(),
    }
    write(tmp_path / "m.json", machine(states))
    mocked(tmp_path, "states:\n  T: echo")
    said = run("m.json", "--quiet", "--mocks", "mocks.yaml", "--fault", "T:hang@1")
    assert said.status == 0
    assert said.err.splitlines() == [
        "warning: mocks.yaml:2:3: this mock answered nothing",
        "warning: --fault: T:hang@1: this fault never struck",
    ]


def test_a_history_goes_to_a_file_or_to_standard_output(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    pytest.importorskip("runner.machine.history")
    write(tmp_path / "m.json", machine({"P": PASS}))
    written = run("m.json", "--history", "-")
    assert len(json.loads(written.out)["events"]) == 4
    assert run("m.json", "--history", "h.json").out == "{}\n"
    assert len(json.loads((tmp_path / "h.json").read_text())["events"]) == 4


def test_help_names_what_there_is(cli: Cli) -> None:
    said = cli("machine", "--help")
    assert (said.status, "  run  " in said.out) == (0, True)
    assert cli("machine", "nothing").status == 2


# --- processes that die -----------------------------------------------------------------------

HANDLER = """
import os, time
def handler(event, context):
    with open({log!r}, "a") as log:
        log.write(event["state"] + "\\n")
    while event["state"] == "B" and os.path.exists({wait!r}):
        time.sleep(0.01)
    return event["state"]
"""


def calling(state: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    arguments = {"FunctionName": "note", "Payload": {"state": state}}
    return task("arn:aws:states:::lambda:invoke", Arguments=arguments, **fields)


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    """A machine whose tasks write down that they were called.

    A function may have done something before the process died, so the definition says that it may
    be called again.
    """
    lost = [{"ErrorEquals": ["Lambda.SdkClientException"]}]
    states = {"A": calling("A", Next="B"), "B": calling("B", Retry=lost)}
    write(tmp_path / "m.json", machine(states))
    log, wait = str(tmp_path / "log"), str(tmp_path / "wait")
    write(tmp_path / "note.py", HANDLER.format(log=log, wait=wait))
    return tmp_path


WORDS = ("machine", "run", "m.json", "--lambda", "note=note.py", "--journal", "j.sqlite")


@pytest.mark.parametrize(("fault", "calls"), [("B:crash", "AB"), ("B:crash-after", "ABB")])
def test_an_injected_crash_kills_and_the_same_command_goes_on(
    noted: Path, fault: str, calls: str
) -> None:
    words = (*WORDS, "--fault", fault)
    assert process(*words, cwd=noted).returncode == -signal.SIGKILL
    done = process(*words, "--resume", cwd=noted)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Payload"] == "B"
    assert (noted / "log").read_text().replace("\n", "") == calls
    assert "continued from the journal" in done.stderr


def test_a_killed_process_is_continued(noted: Path) -> None:
    write(noted / "wait", "")
    command = [sys.executable, "-m", "runner", *WORDS]
    with subprocess.Popen(command, cwd=noted, env=child_environment(), stderr=-3) as running:
        until = time.monotonic() + PATIENCE_S
        while "B" not in ((noted / "log").read_text() if (noted / "log").exists() else ""):
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        running.kill()
    (noted / "wait").unlink()
    assert process(*WORDS, cwd=noted).returncode == 2, "without --resume, nothing is written over"
    done = process(*WORDS, "--resume", cwd=noted)
    assert done.returncode == 0, done.stderr
    assert (noted / "log").read_text().split() == ["A", "B", "B"]


# --- stepping ---------------------------------------------------------------------------------


def stepped(folder: Path, keys: str, *words: str) -> tuple[int, str]:
    """Run at a terminal, with the keys typed ahead; gives the status and what was shown."""
    master, slave = pty.openpty()
    os.write(master, keys.encode())
    done = subprocess.run(
        [sys.executable, "-m", "runner", "machine", "run", "m.json", *words],
        cwd=folder,
        env=child_environment(),
        stdin=slave,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    os.close(slave)
    os.close(master)
    return done.returncode, done.stderr


def test_stepping_shows_input_output_and_variables(tmp_path: Path) -> None:
    first = {"Type": "Pass", "Output": {"b": 2}, "Assign": {"v": 3}, "Next": "Q"}
    write(tmp_path / "m.json", machine({"P": first, "Q": PASS}))
    status, shown = stepped(tmp_path, "i\n\ni\no\nv\n?\nc\n", "--step", "--input", '{"a": 1}')
    assert status == 0
    asked = shown.split("> ")
    assert '"a": 1' in asked[1]
    assert "at Q" in asked[2]
    assert '"b": 2' in asked[3]
    assert '"b": 2' in asked[4]
    assert '"v": 3' in asked[5]
    assert "Enter: next state" in asked[6]
    assert "SUCCEEDED" in asked[7]


def test_a_break_stands_still_at_its_states_only(tmp_path: Path) -> None:
    states = {name: {"Type": "Pass", "Next": following} for name, following in ("PQ", "QR")}
    write(tmp_path / "m.json", machine({**states, "R": PASS}))
    status, shown = stepped(tmp_path, "q\n", "--break", "Q*")
    assert status == 130
    assert "at Q> " in shown
    assert "at P> " not in shown


def test_nobody_is_asked_without_a_terminal(run: Any, tmp_path: Path) -> None:  # noqa: ANN401
    write(tmp_path / "m.json", machine({"P": PASS}))
    said = run("m.json", "--step")
    assert said.status == 0
    assert "standard input is no terminal" in said.err


def test_ctrl_c_stops_and_the_journal_is_continued(tmp_path: Path) -> None:
    states = {"W": {"Type": "Wait", "Seconds": 3600, "Next": "P"}, "P": PASS}
    write(tmp_path / "m.json", machine(states))
    command = [sys.executable, "-m", "runner", "machine", "run", "m.json", "--journal", "j.sqlite"]
    with subprocess.Popen(
        [*command, "--time", "real"],
        cwd=tmp_path,
        env=child_environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        while "wait" not in running.stderr.readline():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
    assert running.returncode == 130, said
    assert "ABORTED" in said
    done = process(*command[3:], "--resume", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "{}\n")
