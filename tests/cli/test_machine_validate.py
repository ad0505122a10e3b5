"""`runner machine validate`: files in, faults with lines or AWS's answer out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from runner.cli.commands.machine_validate_command import command
from runner.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

GOOD = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
BAD = """{
  "StartAt": "A",
  "States": {
    "A": {"Type": "Pass", "Next": "B",
          "Foo": 1},
    "Z": {"Type": "Succeed"}
  }
}
"""
YAML = """StartAt: A
States:
  A:
    Type: Wait
    Seconds: soon
    End: true
"""


def validate(*words: str, given: str | None = None) -> tuple[int, str]:
    result: Result = CliRunner().invoke(command, words, given, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    status: Any = result.return_value
    return status, result.stdout


def test_faults_have_file_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "bad.asl.json"
    file.write_text(BAD)
    status, said = validate(str(file))
    assert status == 1
    assert f"{file}:4:27: definition-target" in said
    assert "Missing 'Next' target: B at /States/A/Next" in said
    assert f"{file}:5:11: definition-schema" in said
    assert f"{file}:6:5: definition-target" in said
    assert "3 faults found" in said


def test_several_files_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(GOOD)
    (tmp_path / "b.json").write_text(GOOD)
    (tmp_path / "c.yaml").write_text(YAML)
    status, said = validate(f"{tmp_path}/*.json", f"{tmp_path}/c.yaml")
    assert status == 1
    lines = said.splitlines()
    assert lines[:2] == [f"{tmp_path}/a.json: no faults", f"{tmp_path}/b.json: no faults"]
    assert lines[2] == f"{tmp_path}/c.yaml:5:5: definition-schema"
    assert "Expected value of type Integer at /States/A/Seconds" in lines[3]


def test_standard_input(tmp_path: Path) -> None:
    assert validate("-", given=GOOD) == (0, "<stdin>: no faults\n")
    status, said = validate("-", given='{"StartAt": "A",\n "States" {}}')
    assert status == 1
    assert "<stdin>:2:11: definition-json" in said
    assert "found:    ':' was expected" in said
    del tmp_path


def test_the_answer_of_aws(tmp_path: Path) -> None:
    task: dict[str, Any] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    }
    task |= {"Parameters": {"QueueUrl": "q", "MessageBody": "m"}, "End": True}
    text = json.dumps({"StartAt": "T", "States": {"T": task}})
    assert json.loads(validate("--json", "-", given=text)[1]) == {
        "result": "OK",
        "diagnostics": [],
        "truncated": False,
    }
    status, said = validate("--express", "--json", "-", given=text)
    assert status == 1
    assert json.loads(said) == {
        "result": "FAIL",
        "diagnostics": [
            {
                "severity": "ERROR",
                "code": "SCHEMA_VALIDATION_FAILED",
                "message": "Express state machine does not support '.waitForTaskToken' service"
                " integration ",
                "location": "/States/T/Resource",
            }
        ],
        "truncated": False,
    }
    file = tmp_path / "good.json"
    file.write_text(GOOD)
    both = json.loads(validate("--json", str(file), "-", given=GOOD)[1])
    assert [(one["file"], one["result"]) for one in both] == [(str(file), "OK"), ("<stdin>", "OK")]


def test_keys_that_stand_twice_are_faults() -> None:
    second = '"A": {"Type": "Succeed", "Type": "Fail"}'
    text = f'{{"StartAt": "A", "States": {{"A": {{"Type": "Pass"}},\n {second}}}}}'
    status, said = validate("-", given=text)
    assert status == 1
    assert "<stdin>:2:2: definition-name" in said
    assert "Duplicate State name: A" in said
    assert "Duplicate field 'Type'" in said


def test_what_is_wrong_with_the_whole() -> None:
    text = '\n {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}'
    status, said = validate("-", given=text)
    assert status == 1
    assert said.startswith("<stdin>:2:2: definition-target\n  found:    Workflow has no terminal")


def test_broken_yaml(tmp_path: Path) -> None:
    file = tmp_path / "broken.yml"
    file.write_text("StartAt: [\n")
    status, said = validate(str(file))
    assert status == 1
    assert f"{file}:" in said


@pytest.mark.parametrize("name", ["nothing.json", "no*.json"])
def test_files_that_are_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        validate(str(tmp_path / name))


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="file-not-found"):
        validate(str(tmp_path / "x.json"))
