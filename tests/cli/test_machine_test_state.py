"""`test-state`: what a person sees of a state, what a program reads, which mistakes are named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from runner.cli.commands.machine_test_state_command import command
from runner.errors import RunnerError

if TYPE_CHECKING:
    from pathlib import Path

ORDER = {"order": {"id": 7, "items": ["a", "b"]}}
MACHINE: dict[str, Any] = {
    "StartAt": "Charge",
    "States": {
        "Charge": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "InputPath": "$.order",
            "Parameters": {"FunctionName": "charge", "Payload.$": "$.id"},
            "ResultSelector": {"receipt.$": "$.Payload.receipt"},
            "ResultPath": "$.charge",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.problem", "Next": "Refund"}],
            "Next": "Ship",
        },
        "Ship": {
            "Type": "Map",
            "ItemsPath": "$.order.items",
            "ItemProcessor": {
                "StartAt": "One",
                "States": {"One": {"Type": "Pass", "End": True}},
            },
            "End": True,
        },
        "Refund": {"Type": "Fail", "Error": "Refunded"},
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pay.asl.json"
    path.write_text(json.dumps(MACHINE, indent=2), "utf-8")
    return path


def typed(*words: object) -> tuple[int, str]:
    """Type the command; gives its exit status and what it printed, or the faults it raised."""
    result = CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)
    if isinstance(result.exception, RunnerError):
        return result.exception.exit_status, str(result.exception)
    if result.exception is not None:
        raise result.exception
    assert isinstance(result.return_value, int)
    return result.return_value, result.output


def test_every_stage_is_shown(file: Path) -> None:
    mock = '{"Payload": {"receipt": "r"}}'
    data = json.dumps(ORDER)
    assert typed(file, "--state", "Charge", "--input", data, "--mock", mock) == (
        0,
        (
            "Charge (Task): SUCCEEDED -> Ship\n"
            '  input                 {"order": {"id": 7, "items": ["a", "b"]}}\n'
            '  after InputPath       {"id": 7, "items": ["a", "b"]}\n'
            '  after Parameters      {"FunctionName": "charge", "Payload": 7}\n'
            '  result                {"Payload": {"receipt": "r"}}\n'
            '  after ResultSelector  {"receipt": "r"}\n'
            "  after ResultPath      "
            '{"order": {"id": 7, "items": ["a", "b"]}, "charge": {"receipt": "r"}}\n'
            "  output                "
            '{"order": {"id": 7, "items": ["a", "b"]}, "charge": {"receipt": "r"}}\n'
        ),
    )


def test_long_values_take_a_line_per_member(file: Path) -> None:
    data = {"order": {"id": 7, "items": ["x" * 60, "y" * 60], "note": {}}}
    _, told = typed(file, "--state", "Ship", "--input", json.dumps(data), "--mock", "[1, 2]")
    start = "  input                 "
    inner = " " * len(start)
    assert told.startswith(
        "Ship (Map): SUCCEEDED, the end\n"
        f"{start}{{\n"
        f'{inner}  "order": {{\n'
        f'{inner}    "id": 7,\n'
        f'{inner}    "items": [\n'
        f'{inner}      "{"x" * 60}",\n'
        f'{inner}      "{"y" * 60}"\n'
        f"{inner}    ],\n"
        f'{inner}    "note": {{}}\n'
        f"{inner}  }}\n"
        f"{inner}}}\n"
    )
    assert "  MaxConcurrency        0\n" in told


@pytest.mark.parametrize(
    ("words", "first", "said"),
    [
        (
            ("--mock-error", "Busy", "--retry-count", "1"),
            "Charge (Task): RETRIABLE",
            "to be tried again by Retry[0] after 4 s",
        ),
        (
            ("--mock-error", "Busy", "--retry-count", "2"),
            "Charge (Task): CAUGHT_ERROR -> Refund",
            "taken by Catch[0]",
        ),
        (
            ("--mock-error", "Boom", "--mock-cause", "too hot"),
            "Charge (Task): CAUGHT_ERROR -> Refund",
            "cause             too hot",
        ),
    ],
)
def test_who_takes_an_error_is_said(
    file: Path, words: tuple[str, ...], first: str, said: str
) -> None:
    status, told = typed(file, "--state", "Charge", "--input", json.dumps(ORDER), *words)
    assert status == 0
    assert told.splitlines()[0] == first
    assert f"  {said}\n" in told


def test_a_state_that_fails_ends_in_1(file: Path, tmp_path: Path) -> None:
    assert typed(file, "--state", "Refund") == (
        1,
        (
            "Refund (Fail): FAILED\n"
            "  input            {}\n"
            "  after InputPath  {}\n"
            "  error            Refunded\n"
        ),
    )
    state = tmp_path / "state.json"
    retrier = {"ErrorEquals": ["E"], "MaxAttempts": 0}
    state.write_text(json.dumps({**MACHINE["States"]["Charge"], "Catch": [], "Retry": [retrier]}))
    status, told = typed(state, "--input", json.dumps(ORDER), "--mock-error", "E")
    assert status == 1
    assert told.startswith("state.json (Task): FAILED\n")
    assert "  Retry[0] has no attempts left\n" in told


def test_programs_read_json(file: Path, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(ORDER), "utf-8")
    words = ("--state", "Charge", "--input", f"@{tmp_path}/order.json", "--mock-error", "Boom")
    status, told = typed(file, *words, "--json")
    assert status == 0
    assert json.loads(told) == {
        "status": "CAUGHT_ERROR",
        "output": {**ORDER, "problem": {"Error": "Boom", "Cause": None}},
        "error": "Boom",
        "nextState": "Refund",
        "inspectionData": {
            "input": ORDER,
            "afterInputPath": ORDER["order"],
            "afterParameters": {"FunctionName": "charge", "Payload": 7},
            "errorDetails": {"catchIndex": 0},
        },
    }
    _, short = typed(file, *words, "--json", "--inspection-level", "info")
    assert "inspectionData" not in json.loads(short)


def test_variables_context_and_reader_data_are_given(tmp_path: Path) -> None:
    state = {
        "Type": "Map",
        "QueryLanguage": "JSONata",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Arguments": {"Bucket": "b", "Key": "k"},
        },
        "ItemSelector": {"x": "{% $v & $states.context.Execution.Name %}"},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One",
            "States": {"One": {"Type": "Pass", "End": True}},
        },
        "ToleratedFailureCount": 1,
        "End": True,
    }
    path = tmp_path / "each.yaml"
    path.write_text(json.dumps(state), "utf-8")
    given = ("--variables", '{"v": "a-"}', "--context", '{"Execution": {"Name": "n"}}')
    words = (*given, "--reader-data", "[1, 2]", "--mock", "[1, 2]")
    status, told = typed(path, *words)
    assert status == 0
    assert '  after ItemSelector     [{"x": "a-n"}, {"x": "a-n"}]\n' in told
    assert '  variables              {"v": "a-"}\n' in told
    failed, told = typed(path, *words, "--map-failures", "2")
    assert failed == 1
    assert "States.ExceedToleratedFailureThreshold" in told
    wrong, told = typed(path, *words, "--error-caused-by", "Two")
    assert (wrong, "State not found" in told) == (2, True)


def test_mocks_are_checked_as_strictly_as_asked(file: Path) -> None:
    words = ("--state", "Charge", "--input", json.dumps(ORDER))
    wrong = '{"StatusCode": "200", "Payload": {"receipt": "r"}}'
    status, told = typed(file, *words, "--mock", wrong)
    assert status == 2
    assert "Field 'StatusCode' must be a number" in told
    assert typed(file, *words, "--mock", wrong, "--validation", "none")[0] == 0


def test_mistakes_of_the_command_line_are_told_together(file: Path, tmp_path: Path) -> None:
    status, told = typed(
        file,
        *("--state", "Charge", "--input", "{", "--mock", "1", "--mock-error", "E"),
        *("--variables", "[1]", "--context", f"@{tmp_path}/none.json"),
    )
    assert status == 2
    assert "4 faults found" in told
    assert "--input: bad-option" in told
    assert "none.json" in told
    status, told = typed(file, "--state", "Charge", "--mock-cause", "c")
    assert (status, "--mock-error NAME" in told) == (2, True)


def test_a_state_is_named_where_there_are_several(file: Path, tmp_path: Path) -> None:
    status, told = typed(file)
    assert (status, "one of 4 states" in told) == (2, True)
    assert "name one, such as Ship" in typed(file, "--state", "Shop")[1]
    alone = tmp_path / "alone.json"
    alone.write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}', "utf-8")
    assert typed(alone)[1].startswith("A (Pass): SUCCEEDED, the end\n")
    state = tmp_path / "state.json"
    state.write_text('{"Type": "Succeed"}', "utf-8")
    assert typed(state)[0] == 0
    assert "leave --state out" in typed(state, "--state", "A")[1]


def test_faults_of_a_definition_stand_at_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{\n "Type": "Pass",\n "Nxt": "A",\n "End": true\n}\n', "utf-8")
    status, told = typed(path)
    assert status == 2
    assert f"{path}:3:2: definition-schema" in told
    assert "Field 'Nxt' is not supported at /Nxt" in told
    states = {"A": {"Type": "Pass", "Nxt": 1, "End": True}}
    path.write_text(json.dumps({"StartAt": "A", "States": states}, indent=1), "utf-8")
    told = typed(path)[1]
    assert f"{path}:6:4: definition-schema" in told
    assert "at /States/A/Nxt" in told


def test_parts_that_are_no_states_are_passed_over(tmp_path: Path) -> None:
    branches = [1, {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}, "C": 1}}]
    states = {"P": {"Type": "Parallel", "Branches": branches, "End": True}, "Q": {"Branches": 1}}
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"StartAt": "P", "States": states}), "utf-8")
    assert "one of 3 states" in typed(path)[1]
    assert "definition-schema" in typed(path, "--state", "B")[1]


@pytest.mark.parametrize(
    ("text", "code"), [(None, "no-definition"), ("[1]", "definition-json"), ("a: b: c", "yaml")]
)
def test_a_file_that_is_no_definition(tmp_path: Path, text: str | None, code: str) -> None:
    path = tmp_path / "x.json"
    if text is not None:
        path.write_text(text, "utf-8")
    status, told = typed(path)
    assert status == 2
    assert code in told
