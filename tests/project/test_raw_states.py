"""What AWS refuses of raw states, told at its place before anything is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.project import check_project
from tests.project.projects import write_files

if TYPE_CHECKING:
    from pathlib import Path

TASK = "Type: Task, Resource: 'arn:aws:states:::aws-sdk:s3:listObjectsV2', Arguments: {Bucket: b}"
CATCH = "Catch: [{ErrorEquals: [States.ALL], Next: elsewhere}]"


def faults(root: Path, state: str) -> list[str]:
    files = {
        "config.yaml": "project: little\nenvironments: {local: {engine: local}}\n",
        "workflows/daily.yaml": f"steps:\n  raw: {{type: asl, state: {{{state}}}}}\n",
    }
    write_files(root, files)
    return [f"{one.place}: {one.code}: {one.found}" for one in check_project(root)]


TYPES = "Pass, Task, Choice, Wait, Succeed, Fail, Parallel, Map"
CALL = "Resource: 'arn:aws:states:::lambda:invoke', Arguments: {FunctionName: f}"
SCHEMA = "(SCHEMA_VALIDATION_FAILED)"


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (
            "Type: Tsk",
            [f"2:34: raw-state: Value should be one of the following: [{TYPES}] {SCHEMA}"],
        ),
        (
            "Type: Pass, Output: '{% $sum( %}'",
            ['2:48: raw-state: Expected ")" before end of expression (INVALID_JSONATA_EXPRESSION)'],
        ),
        (
            f"Type: Task, Resorce: x, {CALL}, Retry: [{{}}]",
            [
                f"2:49: raw-state: Field 'Resorce' is not supported {SCHEMA}",
                f"2:134: raw-state: These fields are required: [ErrorEquals] {SCHEMA}",
            ],
        ),
    ],
)
def test_what_aws_refuses_is_told_at_its_place(
    tmp_path: Path, state: str, found: list[str]
) -> None:
    assert faults(tmp_path, state) == [f"workflows/daily.yaml:{one}" for one in found]


@pytest.mark.parametrize("state", [TASK, f"{TASK}, {CATCH}", f"{TASK}, End: true", "Type: Pass"])
def test_what_aws_takes_is_taken(tmp_path: Path, state: str) -> None:
    assert faults(tmp_path, state) == []


def test_a_state_inside_a_map_is_looked_at(tmp_path: Path) -> None:
    step = "type: map, over: [a], step: {type: asl, state: {Type: Pas}}"
    files = {
        "config.yaml": "project: little\nenvironments: {local: {engine: local}}\n",
        "workflows/daily.yaml": f"steps:\n  raw: {{{step}}}\n",
    }
    write_files(tmp_path, files)
    (fault,) = check_project(tmp_path)
    assert (str(fault.place), fault.code) == ("workflows/daily.yaml:2:63", "raw-state")
