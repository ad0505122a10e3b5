"""A project's life on AWS, as it is typed: everything over real HTTP, from empty account to empty.

moto's servers are the account: CloudFormation makes the machines, functions, schedules and rules,
moto's interpreter executes the definitions that are deployed, and the deployed keeper does what it
does.  Athena's statements are scripted, because moto runs none.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from runner.app import following
from runner.app.bundle import open_bundle
from tests.support.aws import ACCOUNT, REGION, Aws, fresh_account
from tests.support.deployed import Account
from tests.support.moto_resources import Stacks, missing_resources
from tests.support.moto_states import executing
from tests.support.shop import write_shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Cli, Said

ARTIFACTS = "_runner/artifacts/"
DATABASES = {"raw", "raw__stage", "staging", "staging__stage", "marts", "marts__stage"}
MACHINES = {f"shop-prod-{name}" for name in ("daily", "arrivals", "backfill", "load")}
PATIENCE_S = 60.0
DAY = "2013-01-05"
FIRED = "2013-01-05T19:00:00Z"
"""14:00 in New York, where the schedule is, and 4:00 of the next day in Tokyo, where the project
is: the day before is the 5th there, and the 4th anywhere else."""


@dataclass(frozen=True, slots=True)
class Life:
    """The account, the project's folder, and who types there."""

    aws: Aws
    root: Path
    world: Account
    stacks: Stacks
    cli: Cli

    def type(self, *words: str) -> Said:
        return self.cli(*words, "--env", "prod")

    def stored(self, prefix: str = "") -> dict[str, Any]:
        """Give the lake's objects below a prefix, and when each was written."""
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
        found = [one for page in pages for one in page.get("Contents", ())]
        return {one["Key"]: one["LastModified"] for one in found}

    def partitions(self) -> list[str]:
        """Give the folder of every file of a partition."""
        found = (key.rpartition("/")[0] for key in self.stored() if not key.startswith("_runner/"))
        return sorted(folder for folder in found if "/dt=" in folder)

    def machines(self) -> dict[str, str]:
        """Give each state machine's ARN by its name."""
        found = self.aws.client("stepfunctions").list_state_machines()["stateMachines"]
        return {one["name"]: one["stateMachineArn"] for one in found}

    def definition(self, name: str) -> str:
        client = self.aws.client("stepfunctions")
        text: str = client.describe_state_machine(stateMachineArn=self.machines()[name])[
            "definition"
        ]
        return text

    def schedule(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("scheduler").get_schedule(
            GroupName="shop-prod", Name="shop-prod-daily"
        )
        return found

    def execute(self, machine: str, given: str) -> dict[str, Any]:
        """Start an execution as a schedule or a rule does, and wait for its end."""
        client = self.aws.client("stepfunctions")
        name = str(uuid.uuid4())  # which AWS chooses, and moto does not
        started = client.start_execution(stateMachineArn=machine, name=name, input=given)
        arn = started["executionArn"]
        end = time.monotonic() + PATIENCE_S
        while True:
            found: dict[str, Any] = client.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                return found
            assert time.monotonic() < end
            time.sleep(0.05)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def life(
    moto_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cli: Cli
) -> Iterator[Life]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    monkeypatch.setattr(following, "_SOON_S", 0.05)
    monkeypatch.setattr(following, "_SHARE_S", 0.01)
    aws = fresh_account(moto_url, monkeypatch)
    place = {"LocationConstraint": REGION}
    for bucket in ("results", "inbox"):
        aws.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)  # type: ignore[arg-type]
    root = write_shop(tmp_path / "shop")
    cli.cd(root)
    world = Account(tmp_path / "world", monkeypatch)
    with missing_resources(monkeypatch, REGION) as stacks, executing(moto_url, world.do):
        yield Life(aws, root, world, stacks, cli)


def test_the_life_of_a_project(life: Life) -> None:
    """The steps in the order in which they happen; each goes on where the last one stopped."""
    it_is_planned(life)
    it_is_deployed(life)
    its_starts_are_deployed(life)
    it_is_deployed_again_and_nothing_changes(life)
    its_schedule_fires_twice(life)
    an_object_arrives(life)
    it_is_run_by_hand_and_watched(life)
    its_files_change(life)
    a_deploy_fails_and_is_rolled_back(life)
    a_workflow_goes(life)
    it_is_destroyed(life)
    it_is_deployed_once_more(life)


def it_is_planned(life: Life) -> None:
    said = life.type("plan")
    assert said.status == 4, said.err
    for line in (
        "  + marts.daily\n      insert, sql/marts/daily.sql\n",
        "  + shop-prod-daily\n      cron(0 14 * * ? *) America/New_York\n",
        "  + database marts__stage\n",
        "stack shop-prod: 56 to add\n",
        "6 artifacts to upload\n",
    ):
        assert line in said.out
    (template,) = life.stored()
    assert template.startswith(f"{ARTIFACTS}templates/")
    assert life.aws.cloudformation.describe_stacks()["Stacks"] == []
    assert life.aws.glue.get_databases()["DatabaseList"] == []


def it_is_deployed(life: Life) -> None:
    said = life.type("deploy", "--yes")
    assert (said.status, said.out) == (0, "stack shop-prod: deployed for the first time\n")
    assert "uploaded 6, 1 there already\n" in said.err
    assert set(life.machines()) == MACHINES
    bundle = open_bundle(life.root, "prod")
    for one in bundle.workflows:
        assert life.definition(f"shop-prod-{one.name}") == one.definition
    functions = life.aws.client("lambda").list_functions()["Functions"]
    assert {one["FunctionName"] for one in functions} == {"shop-prod-keeper", "shop-prod-report"}
    zips = [key for key in life.stored(ARTIFACTS) if key.endswith(".zip")]
    uploaded = [life.aws.s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in zips]
    assert {one["CodeSha256"] for one in functions} == {
        base64.b64encode(hashlib.sha256(body).digest()).decode() for body in uploaded
    }
    assert databases(life) == DATABASES


def databases(life: Life) -> set[str]:
    return {one["Name"] for one in life.aws.glue.get_databases()["DatabaseList"]}


def its_starts_are_deployed(life: Life) -> None:
    """A schedule with its input, its zone and where what cannot be delivered goes; a rule."""
    schedule, machines = life.schedule(), life.machines()
    letters = f"arn:aws:sqs:{REGION}:{ACCOUNT}:shop-prod-dead-letters"
    assert schedule["ScheduleExpression"] == "cron(0 14 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "America/New_York"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["Target"] == {
        "Arn": machines["shop-prod-daily"],
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/shop-prod-scheduler",
        "Input": '{"scheduled_time": "<aws.scheduler.scheduled-time>"}',
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 24},
        "DeadLetterConfig": {"Arn": letters},
    }
    events = life.aws.client("events")
    rule = events.describe_rule(Name="shop-prod-arrivals-on-landed")
    assert (rule["State"], json.loads(rule["EventPattern"])) == (
        "ENABLED",
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": ["inbox"]},
                "object": {"key": [{"wildcard": "orders/dt=*.csv"}]},
            },
        },
    )
    target = rule_target(life)
    assert target["Arn"] == machines["shop-prod-arrivals"]
    assert target["InputTransformer"] == {
        "InputPathsMap": {"time": "$.time", "key": "$.detail.object.key"},
        "InputTemplate": '{"scheduled_time": <time>, "trigger": "landed", "key": <key>}',
    }
    assert target["DeadLetterConfig"] == {"Arn": letters}
    failed = json.loads(events.describe_rule(Name="shop-prod-daily-failed")["EventPattern"])
    assert failed["detail"]["stateMachineArn"] == [machines["shop-prod-daily"]]


def rule_target(life: Life) -> dict[str, Any]:
    client = life.aws.client("events")
    (target,) = client.list_targets_by_rule(Rule="shop-prod-arrivals-on-landed")["Targets"]
    found: dict[str, Any] = target
    return found


def it_is_deployed_again_and_nothing_changes(life: Life) -> None:
    before = life.stored()
    said = life.type("plan")
    assert (said.status, said.out) == (0, "no change: what is deployed is what the files say\n")
    said = life.type("deploy", "--yes")
    assert (said.status, said.err) == (0, "")
    assert said.out == "stack shop-prod: nothing has changed since the last deploy\n"
    assert life.stored() == before


def its_schedule_fires_twice(life: Life) -> None:
    """The Scheduler delivers at least once: the second delivery does the same again."""
    listener = listen(life, "shop-prod-done")
    target = life.schedule()["Target"]
    given = target["Input"].replace("<aws.scheduler.scheduled-time>", FIRED)
    first = life.execute(target["Arn"], given)
    assert first["status"] == "SUCCEEDED", first
    assert heard(life, listener) == ["All is written."]
    files = [f"marts/daily/g=1/dt={DAY}", f"staging/orders/g=1/dt={DAY}"]
    assert life.partitions() == files
    assert life.execute(target["Arn"], given)["status"] == "SUCCEEDED"
    assert life.partitions() == files
    assert rows(life, "marts.daily") == {DAY: 3}
    assert life.world.loaded == [("daily", 3)] * 2


def listen(life: Life, topic: str) -> str:
    """Let a queue hear a topic; gives the queue."""
    queue: str = life.aws.client("sqs").create_queue(QueueName="listener")["QueueUrl"]
    life.aws.client("sns").subscribe(
        TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}",
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:listener",
    )
    return queue


def heard(life: Life, queue: str) -> list[str]:
    answer = life.aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(one["Body"])["Message"] for one in answer.get("Messages", ())]


def rows(life: Life, table: str) -> dict[str, int]:
    """Give the rows of each published period, as the records say."""
    said = life.type("records", table, "--json")
    assert said.status == 0, said.err
    return {one["start"]: one["rows"] for one in json.loads(said.out)}


def an_object_arrives(life: Life) -> None:
    """The rule tells the execution the key; the window is the period in it."""
    target = rule_target(life)
    key = "orders/dt=2013-02-03/part-0.csv"
    event = {"$.time": "2013-02-09T05:00:00Z", "$.detail.object.key": key}
    given = target["InputTransformer"]["InputTemplate"]
    for name, path in target["InputTransformer"]["InputPathsMap"].items():
        given = given.replace(f"<{name}>", json.dumps(event[path]))
    ended = life.execute(target["Arn"], given)
    assert ended["status"] == "SUCCEEDED", ended
    assert rows(life, "staging.orders") == {DAY: 3, "2013-02-03": 3}
    assert rows(life, "marts.daily") == {DAY: 3}


def it_is_run_by_hand_and_watched(life: Life) -> None:
    said = life.type("run", "daily", "--start", DAY, "--end", DAY)
    assert said.status == 0, said.err
    print(said.out, said.err)
    listed = json.loads(life.type("executions", "--json").out)
    print(listed)
    print(life.type("status"))
    print(life.type("logs", "last"))


def its_files_change(life: Life) -> None:
    life.change("sql/staging/orders.sql", "SELECT n, dt", "SELECT n + 1 AS n, dt")
    life.change("workflows/daily.yaml", "0 14 * * ? *", "30 15 * * ? *")
    said = life.type("plan")
    print(said.out)
    assert said.status == 4
    before = set(life.stored(ARTIFACTS))
    said = life.type("deploy", "--yes")
    print(said.err, said.out)
    print(set(life.stored(ARTIFACTS)) - before)
    life.world.calls.clear()
    said = life.type("run", "arrivals", "--start", DAY, "--end", DAY)
    print(said)


def a_deploy_fails_and_is_rolled_back(life: Life) -> None:
    life.stacks.refuse["AWS::Scheduler::Schedule"] = "Invalid Schedule Expression cron(0 16 * * * *)."
    life.change("sql/staging/orders.sql", "SELECT n + 1 AS n, dt", "SELECT n + 2 AS n, dt")
    life.change("workflows/daily.yaml", "30 15 * * ? *", "0 16 * * ? *")
    said = life.type("deploy", "--yes")
    print(said.out, said.err, said.status)
    print(life.schedule())
    said = life.type("plan")
    print(said.out, said.err, said.status)
    life.stacks.refuse.clear()
    life.change("sql/staging/orders.sql", "SELECT n + 2 AS n, dt", "SELECT n + 1 AS n, dt")
    life.change("workflows/daily.yaml", "0 16 * * ? *", "30 15 * * ? *")
    said = life.type("plan")
    print(said.out, said.err, said.status)


def a_workflow_goes(life: Life) -> None:
    (life.root / "workflows" / "arrivals.yaml").unlink()
    said = life.type("plan")
    print(said.out, said.err, said.status)
    said = life.type("deploy", "--yes")
    print(said.out, said.err, said.status)


def it_is_destroyed(life: Life) -> None:
    said = life.type("destroy", "--yes")
    print(said.out, said.err, said.status)


def it_is_deployed_once_more(life: Life) -> None:
    said = life.type("deploy", "--yes")
    print(said.out, said.err, said.status)
    said = life.type("plan")
    print(said.out, said.err, said.status)
    assert 0
