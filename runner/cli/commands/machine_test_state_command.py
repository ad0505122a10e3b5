"""`runner machine test-state`: one state with a mock instead of its work, stage by stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.cli.json_words import JsonWords
from runner.cli.options import json_option

if TYPE_CHECKING:
    from runner.app.machine_test_state import StateVerdict
    from runner.machine.state_mocks import Mock
    from runner.machine.state_test import StateResult

_WIDTH = 100
_TITLES = {
    "input": "input",
    "afterInputPath": "after InputPath",
    "afterParameters": "after Parameters",
    "afterArguments": "after Arguments",
    "afterItemsPath": "after ItemsPath",
    "afterItemsPointer": "after ItemsPointer",
    "afterItemSelector": "after ItemSelector",
    "afterItemBatcher": "after ItemBatcher",
    "maxConcurrency": "MaxConcurrency",
    "toleratedFailureCount": "ToleratedFailureCount",
    "toleratedFailurePercentage": "ToleratedFailurePercentage",
    "result": "result",
    "afterResultSelector": "after ResultSelector",
    "afterResultPath": "after ResultPath",
    "variables": "variables",
}
"""The stages in the order in which data passes them."""
_COLOURS = {
    "SUCCEEDED": "green",
    "CAUGHT_ERROR": "yellow",
    "RETRIABLE": "yellow",
    "FAILED": "red",
}


@click.command(name="test-state", short_help="Test one state with a mocked result.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--state", metavar="NAME", help="The state, at any depth, if there are several.")
@click.option("--input", "data", metavar="JSON|@FILE", help="The state's input; {} if absent.")
@click.option("--mock", metavar="JSON|@FILE", help="The result of the state's work.")
@click.option("--mock-error", metavar="NAME", help="The error with which the work fails instead.")
@click.option("--mock-cause", metavar="TEXT", help="The cause of that error.")
@click.option("--variables", metavar="JSON|@FILE", help="Variables that the state sees.")
@click.option("--context", metavar="JSON|@FILE", help="The context object, if not a made-up one.")
@click.option(
    "--inspection-level",
    "level",
    type=click.Choice(["INFO", "DEBUG", "TRACE"], case_sensitive=False),
    default="DEBUG",
    show_default=True,
    help="INFO: the output only. DEBUG, TRACE: the data after each field too.",
)
@click.option(
    "--validation",
    type=click.Choice(["strict", "present", "none"], case_sensitive=False),
    default="strict",
    show_default=True,
    help="How a mocked result is compared with the response of its service: required fields too,"
    " fields that are there, or not at all.",
)
@click.option("--retry-count", type=click.IntRange(min=0), help="Retries so far.")
@click.option(
    "--error-caused-by", metavar="NAME", help="The state inside a Map or Parallel that failed."
)
@click.option(
    "--map-failures", type=click.IntRange(min=0), default=0, help="Iterations of a Map that failed."
)
@click.option(
    "--reader-data", metavar="TEXT|@FILE", help="What the ItemReader of a Map reads, as it is."
)
@json_option
def command(file: Path, *, as_json: bool, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Run one state of FILE with a mock instead of its work, as AWS's TestState does.

    FILE holds a state machine or one state, in JSON or YAML. Nothing is called and no time passes.
    The exit status is 1 when the state fails and neither a retrier nor a catcher takes the error.

    Example: runner machine test-state pay.asl.json --state Charge --mock '{"ok": true}'
    """
    from runner.app.machine_test_state import try_state  # noqa: PLC0415 - heavy when needed

    verdict = try_state(_request(file, given))
    if as_json:
        click.echo(json.dumps(_json(verdict.result), indent=1, ensure_ascii=False))
    else:
        click.echo(_text(verdict))
    return 1 if verdict.result.status == "FAILED" else 0


def _request(file: Path, given: dict[str, Any]) -> Any:  # noqa: ANN401 - imported when it runs
    from runner.app.machine_test_state import StateTestRequest  # noqa: PLC0415 - heavy
    from runner.machine.state_test import InspectionLevel, StateConfiguration  # noqa: PLC0415

    words = JsonWords()
    request = StateTestRequest(
        file,
        state=given["state"],
        data=words.json("--input", given["data"], {}),
        mock=_mock(words, given),
        variables=words.object("--variables", given["variables"]) or {},
        context=words.object("--context", given["context"]),
        level=InspectionLevel(given["level"].upper()),
        configuration=StateConfiguration(
            retries=given["retry_count"],
            error_caused_by=given["error_caused_by"],
            failed_iterations=given["map_failures"],
            reader_data=words.text("--reader-data", given["reader_data"]),
        ),
    )
    words.check()
    return request


def _mock(words: JsonWords, given: dict[str, Any]) -> Mock | None:
    from runner.machine.state_mocks import (  # noqa: PLC0415 - heavy when needed
        FieldValidation,
        MockedError,
        MockedResult,
    )

    error, cause = given["mock_error"], given["mock_cause"]
    if error is not None and given["mock"] is not None:
        words.wrong("--mock-error", "also --mock", "a result or an error", "leave one of them out")
    if cause is not None and error is None:
        words.wrong("--mock-cause", "no --mock-error", "an error with it", "add --mock-error NAME")
    if error is not None:
        return MockedError(error, cause)
    if given["mock"] is None:
        return None
    validation = FieldValidation(given["validation"].upper())
    return MockedResult(words.json("--mock", given["mock"], None), validation)


def _json(result: StateResult) -> dict[str, Any]:
    """Write a result with the names of AWS's API, and values instead of JSON texts."""
    from runner.machine.templates import UNDEFINED  # noqa: PLC0415 - heavy when needed

    told: dict[str, Any] = {"status": result.status.value}
    if result.output is not UNDEFINED:
        told["output"] = result.output
    texts = {"error": result.error, "cause": result.cause, "nextState": result.next_state}
    told.update({name: text for name, text in texts.items() if text is not None})
    if result.inspection:
        told["inspectionData"] = dict(result.inspection)
    return told


def _text(verdict: StateVerdict) -> str:
    result = _json(verdict.result)
    stages = result.get("inspectionData", {})
    status = result["status"]
    lines = [
        f"{verdict.state} ({verdict.kind}): "
        + click.style(status, fg=_COLOURS[status], bold=True)
        + _leads(result)
    ]
    shown = [(title, stages[name]) for name, title in _TITLES.items() if name in stages]
    if "output" in result:
        shown.append(("output", result["output"]))
    width = max((len(title) for title, _ in shown), default=0)
    lines += [_stage(title.ljust(width), value) for title, value in shown]
    details = stages.get("errorDetails", {})
    lines += [_care(details)] if details else []
    for name in ("error", "cause"):
        if name in result:
            lines.append(f"  {name.ljust(width)}  {result[name]}")
    return "\n".join(lines)


def _leads(result: dict[str, Any]) -> str:
    if "nextState" in result:
        return f" -> {result['nextState']}"
    return ", the end" if result["status"] == "SUCCEEDED" else ""


def _stage(title: str, value: Any) -> str:  # noqa: ANN401 - JSON
    return f"  {click.style(title, dim=True)}  {_pretty(value, len(title) + 4)}"


def _pretty(value: Any, column: int, used: int = 0) -> str:  # noqa: ANN401 - JSON
    """Write JSON on one line where it fits, else a line per member, set in at a column.

    `used` counts what stands before it on its line.
    """
    line = json.dumps(value, ensure_ascii=False)
    if column + used + len(line) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner = column + 2
    if isinstance(value, dict):
        keys = [json.dumps(key, ensure_ascii=False) + ": " for key in value]
        pairs = zip(keys, value.values(), strict=True)
        items = [key + _pretty(item, inner, len(key)) for key, item in pairs]
        opened, closed = "{}"
    else:
        items = [_pretty(item, inner) for item in value]
        opened, closed = "[]"
    between = ",\n" + " " * inner
    return f"{opened}\n{' ' * inner}{between.join(items)}\n{' ' * column}{closed}"


def _care(details: dict[str, int]) -> str:
    if "catchIndex" in details:
        return f"  taken by Catch[{details['catchIndex']}]"
    retrier = f"Retry[{details['retryIndex']}]"
    seconds = details.get("retryBackoffIntervalSeconds")
    if seconds is None:
        return f"  {retrier} has no attempts left"
    return f"  to be tried again by {retrier} after {seconds} s"
