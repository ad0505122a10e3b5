"""`load` in an environment on AWS: what the records say is checked here, the rest there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl.target import target_of
from runner.project import load_project
from tests.remote.conftest import DAY
from tests.remote.test_backfill_on_aws import make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.aws import Aws
    from tests.support.commands import Cli

DAILY = "marts.daily_carrier_delay"
WORDS = ("load", DAILY, "--env", "prod", "--detach")


def deploy(root: Path, aws: Aws) -> None:
    """Make a machine that names the fingerprints of today's SQL, as its payloads do."""
    from runner.app.bundle import open_bundle

    bundle = open_bundle(root, "prod")
    make(aws, "load", json.dumps([table.fingerprint for table in bundle.tables]))


def executions(aws: Aws) -> list[dict[str, Any]]:
    client = aws.client("stepfunctions")
    (machine,) = client.list_state_machines()["stateMachines"]
    found = client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    return [client.describe_execution(executionArn=one["executionArn"]) for one in found]


def test_the_deployed_machine_loads_the_table(flights: Path, aws: Aws, cli: Cli) -> None:
    deploy(flights, aws)
    said = cli(*WORDS, "--date", DAY)
    assert said.status == 0, said.err
    (run,) = executions(aws)
    assert json.loads(run["input"]) == {"start": DAY, "end": DAY, "only": [DAILY]}
    assert run["name"].startswith("load-")
    assert f"{DAILY} {DAY} -> main:daily_carrier_delay (merge, embulk; " in said.err
    assert run["executionArn"] in said.out


def test_the_newest_published_period_if_none_is_given(flights: Path, aws: Aws, cli: Cli) -> None:
    deploy(flights, aws)
    assert cli(*WORDS).status == 0
    assert json.loads(executions(aws)[0]["input"])["start"] == DAY


def test_what_is_not_published_is_not_started(flights: Path, aws: Aws, cli: Cli) -> None:
    deploy(flights, aws)
    said = cli(*WORDS, "--date", "2013-01-06")
    assert said.status == 1
    assert "not-published" in said.err
    assert executions(aws) == []


@pytest.mark.usefixtures("flights", "aws")
def test_a_check_says_what_it_did_not_look_at(cli: Cli) -> None:
    said = cli(*WORDS, "--date", DAY, "--check")
    assert said.status == 0, said.err
    assert "can be loaded as far as its records tell" in said.err
    assert "made when it is loaded: merge-key, unique-rows, columns, types" in said.err
    told = json.loads(cli(*WORDS, "--date", DAY, "--check", "--json").out)
    assert told["findings"] == []
    assert "privileges" in told["not_made"]
    assert "names" not in told["not_made"]


def test_a_name_that_the_mart_cannot_take_is_found_without_the_mart(
    flights: Path, aws: Aws, cli: Cli
) -> None:
    path = flights / "sql" / "marts" / "daily_carrier_delay.sql"
    text = path.read_text("utf-8")
    assert text.count("load:\n") == 1
    named = text.replace("load:\n", f"load:\n  table: _runner_{'x' * 8}\n")
    path.write_text(named.replace("  table: daily_carrier_delay\n", ""), "utf-8")
    deploy(flights, aws)
    checked = cli(*WORDS, "--date", DAY, "--check")
    assert checked.status == 1, checked.err
    assert "names that begin with _runner_ are the loader's own" in checked.out
    assert cli(*WORDS, "--date", DAY).status == 1
    assert executions(aws) == []


@pytest.mark.usefixtures("flights", "aws")
def test_without_a_deploy_it_says_so(cli: Cli) -> None:
    said = cli(*WORDS, "--date", DAY)
    assert said.status == 2
    assert "no state machine flights-prod-load" in said.err


@pytest.mark.usefixtures("flights", "aws")
@pytest.mark.parametrize("option", [("--again",), ("--engine", "native")])
def test_what_a_deployed_machine_cannot_be_told_is_refused(
    cli: Cli, option: tuple[str, ...]
) -> None:
    said = cli(*WORDS, *option)
    assert said.status == 2
    assert f"{option[0]}: not-on-aws" in said.err


def test_the_machine_is_named_as_the_environments_parts_are(flights: Path) -> None:
    project = load_project(flights, environment="prod", variables={}, cache_dir=flights / "c")
    assert target_of(project).prefix == "flights-prod"


@pytest.mark.usefixtures("flights")
def test_nobody_is_detached_from_this_machine(cli: Cli) -> None:
    said = cli("load", DAILY, "--detach")
    assert said.status == 2
    assert "--detach: not-local" in said.err
