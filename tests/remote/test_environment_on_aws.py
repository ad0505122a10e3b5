"""An environment on AWS as the data commands open it: references, the account, who is at work."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from runner.app.kept_tests import kept_tests
from runner.app.places import open_environment
from runner.app.run import RunRequest, run
from runner.keeper.lease import Leases, Owner
from tests.remote.test_backfill_on_aws import make
from tests.semantics.little import CONFIG, NOW, go, insert, project
from tests.support.remote_lake import PROD, copy_lake

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.aws import Aws
    from tests.support.commands import Cli

HOUR = timedelta(hours=1)
FILTER = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
ROWS = "(VALUES (1, '2024-01-01'), (10, '2024-01-02')) AS t (n, dt)"
TESTS = "tests: [{range: {n: [0, 9]}}, {min_rows: 1, severity: warn}]"
TABLE = {"marts/t": insert(f"SELECT n, dt FROM {ROWS} {FILTER}", TESTS)}


def second(root: Path) -> RunRequest:
    """The run of the second day."""
    return RunRequest(root, "daily", start="2024-01-02", end="2024-01-02")


@pytest.fixture
def little(tmp_path: Path, aws: Aws, cli: Cli) -> Path:
    """A table whose first day is published, and whose second its tests stopped."""
    root = project(tmp_path, TABLE, config=CONFIG + PROD.removeprefix("\n"))
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert run(second(root), now=lambda: NOW + HOUR).status == "FAILED"
    copy_lake(root, aws, raw=False)
    cli.cd(root)
    return root


def test_what_tests_stopped_is_told_as_on_this_machine(little: Path, cli: Cli) -> None:
    here, there = cli("test", "marts.t"), cli("test", "marts.t", "--env", "prod")
    assert "stopped by its tests in daily-" in here.out
    assert "range: n: 1 offending in 2024-01-02" in here.out
    assert (there.out, there.err) == (here.out, here.err)
    failed = cli("records", "--failed")
    assert failed.out == cli("records", "--failed", "--env", "prod").out != ""
    places = open_environment(little, "prod", now=lambda: NOW)
    assert kept_tests(places, places.bundle.tables[0]).stopped


def test_what_a_later_publish_made_good_is_not_told(little: Path, aws: Aws, cli: Cli) -> None:
    path = little / "sql" / "marts" / "t.sql"
    path.write_text(path.read_text("utf-8").replace("(10,", "(9,"), "utf-8")
    assert run(second(little), now=lambda: NOW + 2 * HOUR).status == "SUCCEEDED"
    for database in aws.glue.get_databases()["DatabaseList"]:
        for table in aws.glue.get_tables(DatabaseName=database["Name"])["TableList"]:
            aws.glue.delete_table(DatabaseName=database["Name"], Name=table["Name"])
        aws.glue.delete_database(Name=database["Name"])
    copy_lake(little, aws, raw=False)
    here, there = cli("test", "marts.t"), cli("test", "marts.t", "--env", "prod")
    assert "stopped" not in here.out
    assert there.out == here.out


def test_a_partition_that_an_execution_writes_is_running(little: Path, aws: Aws, cli: Cli) -> None:
    make(aws, "daily", json.dumps({"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}))
    client = aws.client("stepfunctions")
    machine = client.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine, name="r1")["executionArn"]
    places = open_environment(little, "prod", now=lambda: NOW)
    leases = Leases(places.storage(), places.is_running, places.now, 900.0)
    leases.take("marts.t", Owner(arn, 0, 1), stage="", window=("2024-01-02", "2024-01-02"))
    words = ("status", "marts.t", "--start", "2024-01-01", "--end", "2024-01-02", "--json")
    (shown,) = json.loads(cli(*words, "--env", "prod").out)["tables"]
    assert [(cell["state"], cell["why"]) for cell in shown["cells"]] == [
        ("published", ""),
        ("running", "r1"),
    ]
    client.stop_execution(executionArn=arn)
    (ended,) = json.loads(cli(*words, "--env", "prod").out)["tables"]
    assert [cell["state"] for cell in ended["cells"]] == ["published", "failed"]


def test_references_are_resolved_before_the_lake_is_read(
    little: Path, aws: Aws, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = little / "config.yaml"
    text = path.read_text("utf-8").replace("lake: s3://lake/", "lake: s3://${ssm:/bucket}/")
    path.write_text(text.replace("region: eu-west-1", "region: ${env:HOME_REGION}"), "utf-8")
    aws.client("ssm").put_parameter(Name="/bucket", Value="lake", Type="String")
    unset = cli("records", "--env", "prod")
    assert unset.status == 2
    assert "${env:HOME_REGION}, which is not set" in unset.err
    monkeypatch.setenv("HOME_REGION", "eu-west-1")
    there = cli("records", "--env", "prod")
    assert there.status == 0, there.err
    assert there.out == cli("records").out


def test_credentials_of_another_account_are_refused(little: Path, cli: Cli) -> None:
    path = little / "config.yaml"
    text = path.read_text("utf-8").replace('account: "123456789012"', 'account: "999999999999"')
    path.write_text(text, "utf-8")
    said = cli("records", "--env", "prod")
    assert said.status == 3
    assert "credentials of the account 123456789012" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("records",),
        ("status", "--tables"),
        ("test", "marts.t"),
        ("backfill", "daily", "--start", "2024-01-01", "--end", "2024-01-02", "--dry-run"),
        ("gc",),
        ("drop", "marts.t"),
    ],
    ids=" ".join,
)
def test_a_lake_that_is_not_there_is_a_refusal_in_plain_words(
    little: Path, cli: Cli, words: tuple[str, ...]
) -> None:
    path = little / "config.yaml"
    path.write_text(path.read_text("utf-8").replace("s3://lake/", "s3://gone/", 1), "utf-8")
    said = cli(*words, "--env", "prod")
    assert said.status == 3, said.err
    assert "NoSuchBucket" in said.err
