"""`backfill` in an environment on AWS: planned here, started there, claimed by names."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.app import cloud_run
from runner.app.backfill_plan import BackfillRequest, plan_backfill
from runner.app.backfill_run import carry_out
from runner.app.backfill_store import keep_plan
from runner.app.compiled import compile_project
from runner.aws.executions import Executions, NameTaken
from runner.aws.session import Session
from runner.cli.texts import INTERRUPTED
from runner.errors import UsageError
from runner.plan.links import Console
from tests.support.aws import ACCOUNT

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.bundle import WorkflowFacts
    from runner.app.deployed import Deployed
    from runner.app.execution_watch import Watch
    from runner.app.run import RunResult
    from runner.aws.executions import Execution
    from tests.support.aws import Aws
    from tests.support.commands import Cli

WORDS = ("backfill", "staging.*", "--start", "2013-01-04", "--end", "2013-01-06", "--env", "prod")
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:flights-prod-backfill"
ROLE = "arn:aws:iam::123456789012:role/states"
NOW = datetime(2013, 1, 8, 3, tzinfo=UTC)


def deploy(root: Path, aws: Aws, name: str = "backfill") -> str:
    """Make the machine of a compiled definition, as a deploy does."""
    compile_project(root, environment="prod")
    text = (root / ".runner" / "compiled" / "prod" / "backfill.asl.json").read_text()
    make(aws, name, text)
    return text


def make(aws: Aws, name: str, definition: str) -> None:
    aws.client("stepfunctions").create_state_machine(
        name=f"flights-prod-{name}", definition=definition, roleArn=ROLE
    )


def executions(aws: Aws) -> list[dict[str, Any]]:
    client = aws.client("stepfunctions")
    found = client.list_executions(stateMachineArn=MACHINE)["executions"]
    return [client.describe_execution(executionArn=one["executionArn"]) for one in found]


def plan_in_lake(aws: Aws, name: str) -> dict[str, Any]:
    body = aws.s3.get_object(Bucket="lake", Key=f"_runner/backfills/{name}.json")["Body"].read()
    found: dict[str, Any] = json.loads(body)
    return found


def test_the_deployed_machine_is_started_with_what_is_left(
    flights: Path, aws: Aws, cli: Cli
) -> None:
    deploy(flights, aws)
    said = cli(*WORDS, "--yes", "--detach")
    assert said.status == 0, said.err
    (run,) = executions(aws)
    given = json.loads(run["input"])
    plan = plan_in_lake(aws, given["backfill"])
    assert given == {
        "start": "2013-01-04",
        "end": "2013-01-06",
        "only": ["staging.flights", "staging.weather"],
        "backfill": plan["name"],
    }
    assert plan["tables"]["staging.flights"]["windows"] == [
        ["2013-01-04", "2013-01-04"],
        ["2013-01-06", "2013-01-06"],
    ]
    assert run["name"] == f"backfill-{plan['name']}-1"
    assert f"runner run --follow {run['name']} --env prod" in said.out
    assert run["executionArn"] in said.out


def test_it_is_claimed_by_its_name_and_continued_when_it_has_ended(
    flights: Path, aws: Aws, cli: Cli
) -> None:
    deploy(flights, aws)
    assert cli(*WORDS, "--yes", "--detach").status == 0
    (first,) = executions(aws)
    again = cli(*WORDS, "--yes", "--detach")
    assert again.status == 2
    assert f"which run {first['name']} carries out" in again.err
    aws.client("stepfunctions").stop_execution(executionArn=first["executionArn"])
    name = json.loads(first["input"])["backfill"]
    continued = cli("backfill", "--name", name, "--env", "prod", "--yes", "--detach")
    assert continued.status == 0, continued.err
    assert "what is left of it" in continued.out
    assert sorted(run["name"] for run in executions(aws)) == [
        f"backfill-{name}-1",
        f"backfill-{name}-2",
    ]


def test_it_is_followed_until_it_ends(flights: Path, aws: Aws, cli: Cli) -> None:
    """moto leaves it running, so somebody stops it, as a person would in the console."""
    deploy(flights, aws)

    def stop() -> None:
        while not (found := executions(aws)):
            time.sleep(0.05)
        aws.client("stepfunctions").stop_execution(executionArn=found[0]["executionArn"])

    somebody = threading.Thread(target=stop)
    somebody.start()
    said = cli(*WORDS, "--yes")
    somebody.join()
    assert said.status == INTERRUPTED, said.err
    assert "console: https://eu-west-1.console.aws.amazon.com/states/" in said.err
    assert executions(aws)[0]["status"] == "ABORTED"


@pytest.mark.usefixtures("flights")
def test_nobody_is_detached_from_this_machine(cli: Cli) -> None:
    said = cli("backfill", "staging.weather", "--start", "2013-01-04", "--yes", "--detach")
    assert said.status == 2
    assert "--detach: not-local" in said.err


@pytest.mark.usefixtures("flights")
def test_nothing_is_stored_or_started_by_a_look(aws: Aws, cli: Cli) -> None:
    before = aws.stored()
    assert cli(*WORDS, "--dry-run").status == 0
    assert aws.stored() == before


@pytest.mark.usefixtures("flights")
def test_an_environment_that_was_never_deployed_says_so(aws: Aws, cli: Cli) -> None:
    said = cli(*WORDS, "--yes", "--detach")
    assert said.status == 2
    assert "no state machine flights-prod-backfill" in said.err
    assert "runner deploy --env prod" in said.err
    assert aws.client("stepfunctions").list_state_machines()["stateMachines"] == []


def test_other_sql_than_what_is_deployed_says_so(flights: Path, aws: Aws, cli: Cli) -> None:
    """The records would carry other fingerprints than the plan: it would never be done."""
    deploy(flights, aws)
    path = flights / "sql" / "staging" / "weather.sql"
    path.write_text(path.read_text("utf-8").replace("SELECT", "SELECT DISTINCT", 1), "utf-8")
    said = cli(*WORDS, "--yes", "--detach")
    assert said.status == 2
    assert "other SQL of staging.weather is deployed" in said.err
    assert executions(aws) == []


def test_what_is_deployed_may_lie_in_machines_that_are_started(
    flights: Path, aws: Aws, cli: Cli
) -> None:
    deploy(flights, aws, "backfill-tables-1-1")
    make(aws, "backfill", json.dumps({"StateMachineArn": f"{MACHINE}-tables-1-1"}))
    assert cli(*WORDS, "--yes", "--detach").status == 0
    assert len(executions(aws)) == 1


def test_a_range_of_months_is_told_in_days(flights: Path, aws: Aws, cli: Cli) -> None:
    deploy(flights, aws)
    words = ("backfill", "staging.weather", "--start", "2013-02", "--end", "2013-02")
    assert cli(*words, "--env", "prod", "--yes", "--detach").status == 0
    (run,) = executions(aws)
    given = json.loads(run["input"])
    assert (given["start"], given["end"]) == ("2013-02-01", "2013-02-28")
    assert plan_in_lake(aws, given["backfill"])["start"] == "2013-02"


@pytest.mark.parametrize("option", [("--no-loads",), ("--dml", "3"), ("--ddl", "3")])
@pytest.mark.usefixtures("flights")
def test_what_a_deployed_machine_cannot_be_told_is_refused(
    cli: Cli, option: tuple[str, ...]
) -> None:
    said = cli(*WORDS, *option, "--dry-run")
    assert said.status == 2
    assert f"{option[0]}: not-on-aws" in said.err


def test_who_follows_knows_how_many_partitions_are_to_be_published(
    flights: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(flights, aws)
    request = BackfillRequest(
        flights, "prod", targets=("staging.weather",), start="2013-01-04", end="2013-01-06"
    )
    plan = plan_backfill(request, now=NOW)
    keep_plan(request, plan, now=NOW)
    seen: list[tuple[str, int]] = []

    def follow(
        deployed: Deployed, workflow: WorkflowFacts, execution: Execution, *, watch: Watch
    ) -> RunResult:
        seen.append((execution.name, watch.planned))
        return cloud_run.detached(deployed, workflow, execution)

    monkeypatch.setattr(cloud_run, "follow", follow)
    carry_out(request, plan, now=lambda: NOW)
    assert seen == [(f"backfill-{plan.name}-1", 2)]


def test_two_who_start_at_the_same_time(flights: Path, aws: Aws) -> None:
    """The same name and input are one execution; with another input the name is taken."""
    deploy(flights, aws)
    states = Executions(Session("eu-west-1"), Console("eu-west-1", ACCOUNT))
    first = states.start("flights-prod-backfill", "backfill-x-1", {"only": ["a"]})
    assert states.start("flights-prod-backfill", "backfill-x-1", {"only": ["a"]}) == first
    with pytest.raises(NameTaken):
        states.start("flights-prod-backfill", "backfill-x-1", {"only": ["b"]})
    assert states.status(first) == "RUNNING"
    assert states.status(f"{first}0") == ""


def test_a_plan_that_another_process_stored_is_not_overwritten(flights: Path, aws: Aws) -> None:
    deploy(flights, aws)
    request = BackfillRequest(
        flights, "prod", targets=("staging.weather",), start="2013-01-04", end="2013-01-06"
    )
    plan = plan_backfill(request, now=NOW)
    keep_plan(request, plan, now=NOW)
    with pytest.raises(UsageError, match="backfill-exists"):
        keep_plan(request, plan, now=NOW)
