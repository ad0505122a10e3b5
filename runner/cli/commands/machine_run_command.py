"""`runner machine run`: execute any state machine here, with mocks, faults and time in hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.cli.options import json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.app.machine_request import MachineRequest, MachineResult
    from runner.app.machine_trace import Step, Trace

_FILE = click.Path(path_type=Path)


@click.command(name="run", short_help="Run a state machine, step by step.")
@click.argument("definition", type=_FILE)
@click.option(
    "--input", "given", metavar="JSON|@FILE", help="The input; {} if absent, @- reads it."
)
@click.option("--name", default="", help="Name of the execution.")
@click.option("--express", is_flag=True, help="It is an EXPRESS machine.")
@click.option("--mocks", type=_FILE, metavar="FILE", help="Answers in place of services.")
@click.option("--test-case", metavar="CASE", help="Of a mocks file of Step Functions Local.")
@click.option(
    "--lambda",
    "lambdas",
    multiple=True,
    metavar="NAME=FILE",
    help="The handler of a function: pay=pay/handler.py, pay=app.py:main (repeatable).",
)
@click.option(
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME=FILE",
    help="A definition that the execution may start (repeatable).",
)
@click.option("--s3", type=_FILE, metavar="FOLDER", help="A folder of buckets that stands for S3.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="STATE:ACTION",
    help="Make a state fail on purpose: fail=ERROR, delay=SECONDS, timeout, throttle, unknown, "
    "hang or crash, before or -after its effect, @ATTEMPT: 'Load:throttle@0' (repeatable).",
)
@click.option("--faults", "faults_file", type=_FILE, metavar="FILE", help="Faults from a file.")
@click.option(
    "--time",
    default="skip",
    show_default=True,
    metavar="real|skip|xN",
    help="How time passes in waits and retries; x60: a minute in a second.",
)
@click.option("--journal", type=_FILE, metavar="FILE", help="Keep what happens, to continue it.")
@click.option("--resume", is_flag=True, help="Continue the execution that the journal holds.")
@click.option("--redrive", is_flag=True, help="Do again what failed in the journal's execution.")
@click.option(
    "--context", metavar="JSON|@FILE", help="Execution and StateMachine of the context object."
)
@click.option("--trace/--quiet", default=True, help="Tell each step on standard error, or not.")
@click.option("--full", is_flag=True, help="Do not shorten values in the trace.")
@click.option("--break", "breaks", multiple=True, metavar="STATE", help="Stand still there.")
@click.option("--step", "every", is_flag=True, help="Stand still at every state.")
@click.option("--history", metavar="FILE|-", help="Write the history as GetExecutionHistory does.")
@json_option
@click.option("--seed", type=int, help="Make random numbers the same each time.")
@click.option(
    "--max-concurrent-calls",
    "calls",
    type=click.IntRange(1, 1000),
    help="Most calls of tasks at once; 8, or 1 when all are mocked.",
)
def command(  # noqa: PLR0917 - click hands over every option
    definition: Path,
    given: str | None,
    name: str,
    express: bool,  # noqa: FBT001 - click's signature
    mocks: Path | None,
    test_case: str | None,
    lambdas: tuple[str, ...],
    machines: tuple[str, ...],
    s3: Path | None,
    faults: tuple[str, ...],
    faults_file: Path | None,
    time: str,
    journal: Path | None,
    resume: bool,  # noqa: FBT001
    redrive: bool,  # noqa: FBT001
    context: str | None,
    trace: bool,  # noqa: FBT001
    full: bool,  # noqa: FBT001
    breaks: tuple[str, ...],
    every: bool,  # noqa: FBT001
    history: str | None,
    as_json: bool,  # noqa: FBT001
    seed: int | None,
    calls: int | None,
) -> int:
    """Run the state machine of DEFINITION to its end; its output goes to standard output.

    What it calls is answered by mocks, by handlers of --lambda, by definitions of --machine and
    the folder of --s3; anything else ends the run and says what to write into the mocks file.
    Waits take no time unless --time says so. Exit status: 0 it succeeded, 1 it failed, 2 a file
    or an option is wrong.

    Example: runner machine run pay.asl.json --input '{"id": 7}' --mocks pay.mocks.yaml
    """
    import gc  # noqa: PLC0415

    from runner.app.faults import collect_faults  # noqa: PLC0415 - heavy when needed
    from runner.app.machine_run import UNSET, MachineRequest  # noqa: PLC0415
    from runner.cli.machine_words import paths, read_json, read_mapping  # noqa: PLC0415

    gc.enable()
    if history not in {None, "-"}:
        _check_target(Path(str(history)))
    request = MachineRequest(
        definition=definition,
        input=UNSET if given is None else read_json(given, "--input"),
        name=name,
        express=express,
        mocks=mocks,
        test_case=test_case,
        lambdas=read_mapping(lambdas, "--lambda"),
        machines=paths(read_mapping(machines, "--machine")),
        s3=s3,
        faults=collect_faults(faults, faults_file) if faults or faults_file else None,
        time=time,
        journal=journal,
        resume=resume,
        redrive=redrive,
        context={} if context is None else _mapping(read_json(context, "--context")),
        seed=seed,
        stops=breaks,
        calls=calls,
    )
    result = _watched(request, trace=trace, full=full, breaks=breaks, every=every)
    return _told(result, history=history, as_json=as_json, quiet=not trace)


def _check_target(path: Path) -> None:
    """Find out before the execution whether its history can be written."""
    if path.is_dir() or not path.parent.is_dir():
        from runner.errors import Fault, Place, UsageError  # noqa: PLC0415 - only for a mistake

        expected, advice = "a file in a folder that is there, or -", "name another file"
        raise UsageError([Fault(Place("--history"), "bad-option", str(path), expected, advice)])


def _mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return value
    from runner.errors import Fault, Place, UsageError  # noqa: PLC0415 - only for a mistake

    expected, advice = "a JSON object", 'for example {"Execution": {"Name": "test"}}'
    raise UsageError([Fault(Place("--context"), "bad-option", repr(value), expected, advice)])


def _watched(
    request: MachineRequest, *, trace: bool, full: bool, breaks: tuple[str, ...], every: bool
) -> MachineResult:
    """Run it; Ctrl-C asks it to stop."""
    from runner.app.machine_run import Hooks, run_machine  # noqa: PLC0415 - heavy when needed
    from runner.app.stopping import Stopper  # noqa: PLC0415
    from runner.cli.displays.machine_trace import TraceText  # noqa: PLC0415
    from runner.cli.interrupts import Interrupts  # noqa: PLC0415

    stopper = Stopper()
    step: Callable[[Step, Trace], None] | None = TraceText(full=full).step if trace else None
    if (breaks or every) and _is_terminal():
        from runner.cli.displays.machine_steps import Stepper  # noqa: PLC0415 - only when asked

        shown = step or (lambda _step, _trace: None)
        step = Stepper(shown, breaks=breaks, every=every).step
    with Interrupts(stopper, lambda text: click.echo(text, err=True)) as interrupts:
        interrupts.running()
        return run_machine(request, Hooks(step, stopper, _die))


def _is_terminal() -> bool:
    if sys.stdin.isatty():
        return True
    click.echo("standard input is no terminal: --step and --break stand still nowhere", err=True)
    return False


def _die() -> None:
    """Crash as a machine does: no clean-up, no exit handlers."""
    import os  # noqa: PLC0415 - only for an injected crash
    import signal  # noqa: PLC0415

    os.kill(os.getpid(), signal.SIGKILL)


def _told(result: MachineResult, *, history: str | None, as_json: bool, quiet: bool) -> int:
    """Say how it ended; gives the exit status."""
    from runner.cli.displays.machine_trace import ending_text  # noqa: PLC0415 - heavy when needed
    from runner.cli.texts import INTERRUPTED  # noqa: PLC0415

    succeeded = result.status == "SUCCEEDED"
    if not (quiet and succeeded):
        click.echo(ending_text(result), err=True)
    for place in result.unused_mocks:
        click.echo(f"warning: {place}: this mock answered nothing", err=True)
    for fault in result.unstruck_faults:
        click.echo(f"warning: {fault}: this fault never struck", err=True)
    if history is not None:
        _write_history(result, history)
    if as_json:
        click.echo(json.dumps(result.described(), indent=2, ensure_ascii=False))
    elif succeeded and history != "-":
        click.echo(json.dumps(result.output, ensure_ascii=False))
    if result.status == "ABORTED":
        return INTERRUPTED
    return 0 if succeeded else 1


def _write_history(result: MachineResult, target: str) -> None:
    from runner.app.machine_history import history_of  # noqa: PLC0415 - only when asked

    text = json.dumps(history_of(result), indent=2, ensure_ascii=False)
    if target == "-":
        click.echo(text)
    else:
        Path(target).write_text(text + "\n", "utf-8")
