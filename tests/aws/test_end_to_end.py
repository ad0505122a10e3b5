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

import boto3
import pytest

from runner.app import execution_watch
from runner.app.bundle import open_bundle
from runner.aws.session import Session
from tests.support.aws import ACCOUNT, REGION, Aws, fresh_account
from tests.support.deployed import Account
from tests.support.moto_resources import Stacks, missing_resources
from tests.support.moto_states import executing
from tests.support.shop import write_shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.commands import Cli, Said

pytestmark = pytest.mark.no_cover  # measuring doubles its time, and others reach the same lines

ARTIFACTS = "_runner/artifacts/"
DATABASES = {"raw", "raw__stage", "staging", "staging__stage", "marts", "marts__stage"}
MACHINES = {f"shop-prod-{name}" for name in ("daily", "arrivals", "backfill", "load")}
ORDERS, DAILY = "sql/staging/orders.sql", "workflows/daily.yaml"
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
    monkeypatch.setattr(execution_watch, "_SOON_S", 0.05)
    monkeypatch.setattr(execution_watch, "_SHARE_S", 0.01)
    aws = fresh_account(moto_url, monkeypatch)
    # One session reads the models of AWS's services once, not at each command.
    session = boto3.Session(region_name=REGION)
    monkeypatch.setattr(Session, "_opened", lambda _: session)
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
    assert template.startswith(f"{ARTIFACTS}plans/")
    assert life.aws.cloudformation.describe_stacks()["Stacks"] == []
    assert life.aws.glue.get_databases()["DatabaseList"] == []


def it_is_deployed(life: Life) -> None:
    said = life.type("deploy", "--yes")
    assert (said.status, said.out) == (0, "stack shop-prod: deployed for the first time\n")
    assert "uploaded 6, 1 there already\n" in said.err
    assert said.err.endswith(
        "next: loads need their image in the new repository: runner image native --env prod\n"
    )
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
    before = life.partitions()
    said = life.type("run", "daily", "--start", DAY, "--end", DAY)
    assert said.status == 0, said.err
    assert f"daily {DAY}..{DAY} succeeded in " in said.out
    assert "[8/8] tell  done" in said.err
    assert "warning" not in said.err
    assert life.partitions() == before
    listed = json.loads(life.type("executions", "--json").out)
    assert [(one["workflow"], one["status"], one["start"]) for one in listed] == [
        ("daily", "SUCCEEDED", DAY),
        ("arrivals", "SUCCEEDED", "2013-02-09T05:00:00Z"),
        ("daily", "SUCCEEDED", FIRED),
        ("daily", "SUCCEEDED", FIRED),
    ]
    run = listed[0]["run"]
    (line,) = [one.split() for one in life.type("status").out.splitlines() if f"{run} " in one]
    assert line[:4] == [run, "daily", "SUCCEEDED", f"{DAY}..{DAY}"]
    detail = json.loads(life.type("executions", run, "--json").out)
    done = {f"{one['kind']} {one['name']}": one["status"] for one in detail["result"]["ended"]}
    assert done == {
        "table raw.orders": "unchanged",
        "table staging.orders": "published",
        "table marts.customers": "published",
        "table marts.daily": "published",
        "table marts.newest": "unchanged",
        "load marts.daily": "loaded",
        "step report": "succeeded",
        "step tell": "succeeded",
    }
    logs = life.type("logs", run)
    assert (logs.status, logs.out) == (0, "")
    assert "nothing was logged" in logs.err


def its_files_change(life: Life) -> None:
    """The plan says what it means; only what changed is uploaded; the next run does it."""
    life.change(ORDERS, "SELECT n, dt", "SELECT n + 1 AS n, dt")
    life.change(DAILY, "0 14 * * ? *", "30 15 * * ? *")
    said = life.type("plan")
    assert said.status == 4
    where = "FROM raw.orders WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'\n"
    assert f"      -SELECT n, dt {where}      +SELECT n + 1 AS n, dt {where}" in said.out
    assert (
        "schedules\n  ~ shop-prod-daily\n"
        "      ScheduleExpression: cron(0 14 * * ? *) -> cron(30 15 * * ? *)\n"
    ) in said.out
    before = life.stored(ARTIFACTS)
    said = life.type("deploy", "--yes")
    assert (said.status, said.out) == (0, "stack shop-prod: deployed\n")
    after = life.stored(ARTIFACTS)
    assert {key: after[key] for key in before} == before
    new = [key.removeprefix(ARTIFACTS).partition("/")[0] for key in after.keys() - before.keys()]
    assert sorted(new) == ["definitions"] * 3 + ["manifests", "templates"]
    assert life.schedule()["ScheduleExpression"] == "cron(30 15 * * ? *)"
    life.world.calls.clear()
    said = life.type("run", "arrivals", "--start", DAY, "--end", DAY)
    assert said.status == 0, said.err
    (insert,) = life.world.statements("staging.orders insert")
    assert "SELECT n + 1 AS n, dt FROM" in insert["QueryString"]


def a_deploy_fails_and_is_rolled_back(life: Life) -> None:
    machines = {name: life.definition(name) for name in MACHINES}
    life.change(ORDERS, "SELECT n + 1 AS n, dt", "SELECT n + 2 AS n, dt")
    life.change(DAILY, "30 15 * * ? *", "0 16 * * ? *")
    life.stacks.refuse["AWS::Scheduler::Schedule"] = "Invalid Schedule Expression"
    said = life.type("deploy", "--yes")
    assert said.status == 1, said.err
    assert said.out == (
        "stack shop-prod: the deploy failed and was rolled back: what was deployed before is "
        "deployed still\n"
    )
    assert "first cause: ScheduleShopProdDailya6a57afa (AWS::Scheduler::Schedule)" in said.err
    assert "  found:    Invalid Schedule Expression\n" in said.err
    assert life.schedule()["ScheduleExpression"] == "cron(30 15 * * ? *)"
    assert {name: life.definition(name) for name in MACHINES} == machines
    assert life.type("plan").status == 4
    life.change(ORDERS, "SELECT n + 2 AS n, dt", "SELECT n + 1 AS n, dt")
    life.change(DAILY, "0 16 * * ? *", "30 15 * * ? *")
    assert life.type("plan").status == 0


def a_workflow_goes(life: Life) -> None:
    """Its machine goes, and what it wrote stays."""
    before = life.partitions()
    (life.root / "workflows" / "arrivals.yaml").unlink()
    said = life.type("plan")
    assert said.status == 5
    assert "would destroy\n  ! shop-prod-arrivals: its executions and their histories" in said.out
    said = life.type("deploy", "--yes")
    assert said.status == 0, said.err
    assert set(life.machines()) == MACHINES - {"shop-prod-arrivals"}
    rules = {one["Name"] for one in life.aws.client("events").list_rules()["Rules"]}
    assert rules == {"shop-prod-daily-failed"}
    assert life.partitions() == before
    assert life.type("plan").status == 0


def it_is_destroyed(life: Life) -> None:
    """Everything that was deployed is gone; everything that is data stays, and is named."""
    before = life.stored()
    said = life.type("destroy", "--yes")
    assert (said.status, said.out) == (0, "stack shop-prod: the stack is gone\n"), said.err
    goes, stays = said.err.split("stays:\n")
    assert "StepFunctions::StateMachine  shop-prod-daily" in goes
    for line in (*(f"  Glue::Database  {name}\n" for name in DATABASES), "  s3://lake/  tables"):
        assert line in stays
    assert life.machines() == {}
    assert life.aws.client("lambda").list_functions()["Functions"] == []
    assert life.aws.client("scheduler").list_schedules()["Schedules"] == []
    assert life.aws.client("events").list_rules()["Rules"] == []
    assert databases(life) == DATABASES
    assert {key for key in life.world.tables if not key[0].endswith("__stage")} == {
        ("raw", "orders"),
        ("staging", "orders"),
        ("marts", "customers"),
        ("marts", "newest"),
        ("marts", "daily"),
    }
    assert life.stored() == before
    gone = life.type("destroy", "--yes")
    assert (gone.status, "not-deployed" in gone.err) == (2, True)


def it_is_deployed_once_more(life: Life) -> None:
    """The databases are there, and the tables go on where they were."""
    said = life.type("deploy", "--yes")
    assert (said.status, said.out) == (0, "stack shop-prod: deployed for the first time\n")
    assert "uploaded 0, 6 there already\n" in said.err
    assert "Glue::Database" not in said.err
    assert life.type("plan").status == 0
    assert rows(life, "marts.daily") == {DAY: 3}
    day = ("--start", "2013-01-06", "--end", "2013-01-06", "--only", "staging.orders")
    said = life.type("run", "daily", *day)
    assert said.status == 0, said.err
    assert rows(life, "staging.orders") == {DAY: 3, "2013-01-06": 3, "2013-02-03": 3}
