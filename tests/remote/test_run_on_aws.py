"""`run` in an environment on AWS: which execution is started, and with which input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.app.compiled import compile_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.aws import Aws
    from tests.support.commands import Cli

NAME = "flights-prod-daily"
LANDED = """triggers:
  landed: {type: object, bucket: inbox, prefix: in/, period: "{year}/{month}{day}/"}
"""


def deploy(root: Path, aws: Aws) -> str:
    """Make the machine of the compiled workflow, which objects start too; gives its ARN."""
    path = root / "workflows" / "daily.yaml"
    path.write_text(LANDED + path.read_text("utf-8"), "utf-8")
    compile_project(root, environment="prod")
    definition = (root / ".runner" / "compiled" / "prod" / "daily.asl.json").read_text("utf-8")
    role = "arn:aws:iam::123456789012:role/states"
    made = aws.client("stepfunctions").create_state_machine(
        name=NAME, definition=definition, roleArn=role
    )
    return str(made["stateMachineArn"])


def test_an_object_starts_the_deployed_machine_for_its_period(
    flights: Path, aws: Aws, cli: Cli
) -> None:
    machine = deploy(flights, aws)
    words = ("run", "daily", "--object", "s3://inbox/in/2013/0104/x.csv", "--env", "prod")
    said = cli(*words, "--detach")
    assert said.status == 0, said.err
    client = aws.client("stepfunctions")
    (run,) = client.list_executions(stateMachineArn=machine)["executions"]
    given = client.describe_execution(executionArn=run["executionArn"])["input"]
    assert json.loads(given) == {"start": "2013-01-04", "end": "2013-01-04"}
    assert run["executionArn"] in said.out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("daily", "--object", "s3://inbox/out/x.csv"), "fits no trigger of daily"),
        (("daily", "--object", "s3://inbox/in/2013/0104/x", "--date", "2013-01-04"), "or a window"),
        (("--follow", "last", "--trigger", "landed"), "--object together with --follow"),
    ],
)
def test_an_event_that_starts_nothing_is_refused(
    flights: Path, aws: Aws, cli: Cli, words: tuple[str, ...], complaint: str
) -> None:
    machine = deploy(flights, aws)
    said = cli("run", *words, "--env", "prod")
    assert said.status == 2
    assert complaint in said.err
    listed = aws.client("stepfunctions").list_executions(stateMachineArn=machine)
    assert listed["executions"] == []
