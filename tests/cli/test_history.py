"""`history`: the events of a run on this machine, as the API answers and as a table."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli


def parsed(text: str) -> list[dict[str, Any]]:
    """Read an answer of GetExecutionHistory as boto3 reads AWS's."""
    model = get_session().get_service_model("stepfunctions")
    shape = model.operation_model("GetExecutionHistory").output_shape
    assert shape is not None
    answer = {"body": text.encode(), "headers": {}, "status_code": 200}
    events: list[dict[str, Any]] = create_parser(model.protocol).parse(answer, shape)["events"]
    return events


@pytest.mark.usefixtures("shop")
def test_a_run_is_told_as_the_api_tells_an_execution(cli: Cli) -> None:
    said = cli("history", "--json")
    assert said.status == 0
    events = parsed(said.out)
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("ExecutionStarted", "ExecutionSucceeded")
    given = json.loads(events[0]["executionStartedEventDetails"]["input"])
    assert given == {"start": "2024-01-01", "end": "2024-01-03"}
    assert events[1]["stateEnteredEventDetails"]["name"] == "begin"
    queries = [
        event["taskScheduledEventDetails"]
        for event in events
        if event["type"] == "TaskScheduled"
        and event["taskScheduledEventDetails"]["resource"] == "startQueryExecution.sync"
    ]
    assert queries
    assert all("QueryString" in json.loads(one["parameters"]) for one in queries)
    assert {one["region"] for one in queries} == {"local"}


@pytest.mark.usefixtures("shop")
def test_a_run_is_told_in_lines(cli: Cli) -> None:
    said = cli("history", "last")
    arn, head, first, second, *_, last = said.out.splitlines()
    assert arn.startswith("arn:aws:states:local:000000000000:execution:daily:daily-")
    assert head.split() == ["id", "after", "seconds", "type", "about"]
    assert first.split() == ["1", "0", "0.000", "ExecutionStarted"]
    assert second.split()[3:] == ["TaskStateEntered", "begin"]
    assert last.split()[-1] == "ExecutionSucceeded"
    assert "athena:startQueryExecution.sync" in said.out
    assert cli("history", arn).out == said.out
    assert cli("history", arn.rpartition(":")[2]).out == said.out


def test_an_execution_that_a_run_started_is_found_by_its_arn(shop: Path, cli: Cli) -> None:
    """A child's journal lies below its run's, its definition beside the run's own."""
    (run,) = (shop / ".runner" / "runs").iterdir()
    child = run / "children" / "daily-part" / "abc"
    child.mkdir(parents=True)
    shutil.copy(run / "definition.asl.json", run / "machine.daily-part.asl.json")
    for file in run.glob("journal.sqlite*"):
        shutil.copy(file, child / file.name)
    about = json.loads((run / "run.json").read_text("utf-8")) | {"workflow": "daily-part"}
    (child / "run.json").write_text(json.dumps(about), "utf-8")
    arn = "arn:aws:states:local:000000000000:execution:daily-part:abc"
    said = cli("history", arn)
    assert said.out.splitlines()[0] == arn
    assert said.out.splitlines()[1:] == cli("history").out.splitlines()[1:]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("name", ["x", "arn:aws:states:local:000000000000:execution:daily:x"])
def test_an_execution_that_is_not_there_is_named(cli: Cli, name: str) -> None:
    said = cli("history", name)
    assert said.status == 2
    assert repr(name) in said.err
