"""deploy, destroy and drift as they are typed; everything over real HTTP."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.cloud import Cloud
from runner.app.destroy import Destroying
from runner.app.stack_changes import Pending
from runner.app.stack_following import Wish
from runner.aws.session import Session
from runner.aws.stack_events import Cause
from runner.cli.displays.stack_watcher import StackWatcher
from runner.cli.displays.stacks import (
    causes_text,
    destroying_text,
    drift_text,
    event_line,
    pending_text,
)
from runner.model.stacks import (
    ChangeSet,
    Difference,
    Drift,
    Drifted,
    ResourceChange,
    StackEvent,
    StackResource,
    StackState,
)
from tests.cli.test_terminal import Terminal
from tests.support.aws_projects import cloud_of, template, wanted, write_project
from tests.support.http_cloudformation import Script, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.desired import Desired
    from tests.support.aws import Aws
    from tests.support.commands import Cli

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-dev/1"
BEGIN = datetime(2026, 11, 25, tzinfo=UTC)


class Files:
    """What the files of the project say; a stack by hand."""

    def __init__(self) -> None:
        self.stack = template()

    def __call__(
        self,
        root: Path,
        bundle: Bundle,
        *,
        values: Mapping[str, str],
        existing: frozenset[str],
        commit: str,
        tell: Callable[[str], None],
    ) -> Desired:
        del existing, tell
        cloud = Cloud(root, bundle, Session(bundle.environment["region"]), values)
        return wanted(cloud, self.stack, commit=commit)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    said = Files()
    monkeypatch.setattr("runner.app.desired.desired", said)
    return said


@pytest.fixture
def shop(aws: Aws, tmp_path: Path, cli: Cli) -> Path:
    del aws
    root = write_project(tmp_path / "shop")
    cli.cd(root)
    return root


@pytest.fixture
def script(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """CloudFormation scripted, and all else moto's."""
    del shop
    said = Script()
    with serve(said) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield said


# --- deploy and destroy ---------------------------------------------------------------------------


@pytest.mark.usefixtures("shop", "files")
def test_deploy_shows_does_and_says(cli: Cli) -> None:
    said = cli("deploy", "--env", "dev", "--yes")
    assert said.status == 0, said.err
    assert said.out == "stack shop-dev: deployed for the first time\n"
    assert "stack shop-dev: 3 to add\n" in said.err
    assert "  +  Role      AWS::IAM::Role\n" in said.err
    assert "uploaded 3, 1 there already\n" in said.err
    assert "  0:00  CREATE_COMPLETE       shop-dev\n" in said.err
    assert "see https://eu-west-1.console.aws.amazon.com/cloudformation/" in said.err
    again = cli("deploy", "--env", "dev", "--yes")
    assert (again.status, again.err) == (0, "")
    assert again.out == "stack shop-dev: nothing has changed since the last deploy\n"


@pytest.mark.usefixtures("shop")
def test_deploy_for_programs(cli: Cli, files: Files) -> None:
    cli("deploy", "--env", "dev", "--yes")
    files.stack = template(9)
    said = cli("deploy", "--env", "dev", "--yes", "--json")
    assert said.status == 0, said.err
    value = json.loads(said.out)
    assert {key: value[key] for key in ("stack", "status", "succeeded", "meaning", "causes")} == {
        "stack": "shop-dev",
        "status": "UPDATE_COMPLETE",
        "succeeded": True,
        "meaning": "deployed",
        "causes": [],
    }
    assert [one["logical_id"] for one in value["changes"]] == ["Daily"]


@pytest.mark.usefixtures("shop", "files")
def test_without_a_terminal_and_without_yes_nothing_is_changed(cli: Cli, aws: Aws) -> None:
    said = cli("deploy", "--env", "dev")
    assert said.status == 1
    assert said.out == "stack shop-dev: nothing was changed\n"
    assert "3 to add" in said.err
    assert "nothing was changed; --yes does it without asking\n" in said.err
    assert aws.cloudformation.describe_stacks()["Stacks"] == []
    cli("deploy", "--env", "dev", "--yes")
    said = cli("destroy", "--env", "dev")
    assert said.status == 1
    assert "nothing was changed; --yes does it without asking\n" in said.err
    assert len(aws.cloudformation.describe_stacks()["Stacks"]) == 1


@pytest.mark.usefixtures("shop", "files")
def test_a_protected_environment_needs_its_name_in_ci(cli: Cli, aws: Aws) -> None:
    said = cli("deploy", "--env", "prod", "--yes", "--any-checkout")
    assert said.status == 2
    assert "not-confirmed" in said.err
    said = cli("deploy", "--env", "prod", "--yes", "--confirm", "prod")
    assert said.status == 2
    assert "checkout-missing" in said.err
    assert aws.cloudformation.describe_stacks()["Stacks"] == []
    words = ("--env", "prod", "--yes", "--confirm", "prod")
    said = cli("deploy", *words, "--any-checkout")
    assert said.status == 0, said.err
    assert cli("destroy", "--env", "prod", "--yes").status == 2
    assert cli("destroy", *words).status == 0


@pytest.mark.usefixtures("shop", "files")
def test_the_wrong_account_and_the_wrong_engine(cli: Cli) -> None:
    said = cli("deploy", "--env", "other", "--yes")
    assert said.status == 3
    assert "other-account" in said.err
    said = cli("deploy", "--yes")
    assert said.status == 2
    assert "not-aws" in said.err


@pytest.mark.usefixtures("shop", "files")
def test_destroy_says_what_stays(cli: Cli, aws: Aws) -> None:
    cli("deploy", "--env", "dev", "--yes")
    said = cli("destroy", "--env", "dev", "--yes")
    assert said.status == 0, said.err
    assert said.out == "stack shop-dev: the stack is gone\n"
    goes, stays = said.err.split("stays:\n")
    assert "shop-daily" in goes
    assert "with the history of its executions" in goes
    assert "Logs::LogGroup  kept" in stays
    assert "  s3://lake/dev/  tables and records\n" in stays
    assert aws.client("logs").describe_log_groups()["logGroups"] != []
    said = cli("destroy", "--env", "dev", "--yes")
    assert said.status == 2
    assert "not-deployed" in said.err


@pytest.mark.usefixtures("shop", "files")
def test_destroy_for_programs(cli: Cli) -> None:
    cli("deploy", "--env", "dev", "--yes")
    said = cli("destroy", "--env", "dev", "--json")
    assert (said.status, json.loads(said.out)["status"]) == (1, "DECLINED")
    said = cli("destroy", "--env", "dev", "--yes", "--json")
    value = json.loads(said.out)
    assert (said.status, value["status"]) == (0, "DELETE_COMPLETE")
    assert [one["logical_id"] for one in value["plan"]["stays"]] == ["Kept"]


@pytest.mark.usefixtures("shop", "files")
def test_expired_credentials_in_plain_words(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    said = cli("deploy", "--env", "dev", "--yes")
    assert said.status == 3
    assert "aws-settings" in said.err
    assert "nobody" in said.err


def described(status: str) -> dict[str, Any]:
    one = {
        "StackId": STACK,
        "StackName": "shop-dev",
        "StackStatus": status,
        "CreationTime": BEGIN,
    }
    return {"Stacks": [one]}


def happened(number: int, name: str, status: str, reason: str = "") -> dict[str, Any]:
    itself = name == "shop-dev"
    return {
        "StackId": STACK,
        "EventId": f"e{number}",
        "StackName": "shop-dev",
        "LogicalResourceId": name,
        "PhysicalResourceId": STACK if itself else f"shop-{name}",
        "ResourceType": "AWS::CloudFormation::Stack" if itself else "AWS::IAM::Role",
        "Timestamp": BEGIN + timedelta(seconds=number),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


@pytest.mark.usefixtures("files")
def test_a_failed_deploy_says_what_failed_first_and_what_to_do(cli: Cli, script: Script) -> None:
    change = {
        "Type": "Resource",
        "ResourceChange": {
            "Action": "Modify",
            "LogicalResourceId": "role",
            "ResourceType": "AWS::IAM::Role",
            "Replacement": "True",
        },
    }
    script.say("DescribeStacks", described("UPDATE_COMPLETE"))
    script.say("GetTemplate", {"TemplateBody": "{}"})
    script.say("CreateChangeSet", {"Id": "arn:set", "StackId": STACK})
    computed = {"ChangeSetId": "arn:set", "StackId": STACK, "Status": "CREATE_COMPLETE"}
    script.say("DescribeChangeSet", {**computed, "Changes": [change]})
    script.say("ListStackResources", {"StackResourceSummaries": []})
    script.say("ExecuteChangeSet", {})
    before = happened(0, "shop-dev", "UPDATE_COMPLETE")
    failed = [
        happened(4, "shop-dev", "UPDATE_ROLLBACK_COMPLETE"),
        happened(3, "keeper", "UPDATE_FAILED", "Resource update cancelled"),
        happened(2, "role", "UPDATE_FAILED", "shop-role already exists"),
        happened(1, "shop-dev", "UPDATE_IN_PROGRESS", "User Initiated"),
        before,
    ]
    script.say("DescribeStackEvents", {"StackEvents": [before]}, {"StackEvents": failed})
    said = cli("deploy", "--env", "dev", "--yes")
    assert said.status == 1, said.err
    assert said.out == (
        "stack shop-dev: the deploy failed and was rolled back: what was deployed before is "
        "deployed still\n"
    )
    assert "  ~  role      AWS::IAM::Role  REPLACED\n" in said.err
    assert "UPDATE_FAILED         role  IAM::Role  shop-role already exists\n" in said.err
    assert (
        "first cause: role (AWS::IAM::Role) UPDATE_FAILED\n"
        "  found:    shop-role already exists\n"
        "  do:       remove or rename what has the name"
    ) in said.err
    assert "also:" not in said.err


def test_drift_is_a_failure_and_no_drift_is_none(cli: Cli, script: Script) -> None:
    script.say("DescribeStacks", described("UPDATE_COMPLETE"))
    script.say("DetectStackDrift", {"StackDriftDetectionId": "d"})
    detection = {
        "StackId": STACK,
        "StackDriftDetectionId": "d",
        "DetectionStatus": "DETECTION_COMPLETE",
        "Timestamp": BEGIN,
    }
    script.say("DescribeStackDriftDetectionStatus", detection)
    script.say("ListStackResources", {"StackResourceSummaries": []})
    gone = {
        "StackId": STACK,
        "LogicalResourceId": "role",
        "PhysicalResourceId": "shop-role",
        "ResourceType": "AWS::IAM::Role",
        "StackResourceDriftStatus": "DELETED",
        "Timestamp": BEGIN,
    }
    in_sync = {**gone, "StackResourceDriftStatus": "IN_SYNC"}
    script.say("DescribeStackResourceDrifts", {"StackResourceDrifts": [gone]})
    said = cli("drift", "--env", "dev")
    assert said.status == 1, said.err
    assert said.out == (
        "DELETED  role  AWS::IAM::Role  shop-role\n"
        "stack shop-dev: 1 drifted, 0 as deployed, 0 that CloudFormation cannot compare\n"
    )
    said = cli("drift", "--env", "dev", "--json")
    assert json.loads(said.out)["drifted"][0]["physical_id"] == "shop-role"
    script.answers["DescribeStackResourceDrifts"] = [{"StackResourceDrifts": [in_sync]}]
    said = cli("drift", "--env", "dev")
    assert (said.status, said.err) == (0, "")
    failed = {"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": "no right to look"}
    script.answers["DescribeStackDriftDetectionStatus"] = [{**detection, **failed}]
    said = cli("drift", "--env", "dev")
    assert (said.status, said.err) == (
        1,
        "note: not everything could be compared: no right to look\n",
    )


def test_a_destroy_that_fails_says_why(cli: Cli, script: Script) -> None:
    script.say("DescribeStacks", described("UPDATE_COMPLETE"))
    script.say("GetTemplate", {"TemplateBody": "{}"})
    script.say("ListStackResources", {"StackResourceSummaries": []})
    script.say("DeleteStack", {})
    before = happened(0, "shop-dev", "UPDATE_COMPLETE")
    failed = [
        happened(2, "shop-dev", "DELETE_FAILED"),
        happened(1, "role", "DELETE_FAILED", "Cannot delete entity, must detach all policies"),
        before,
    ]
    script.say("DescribeStackEvents", {"StackEvents": [before]}, {"StackEvents": failed})
    said = cli("destroy", "--env", "dev", "--yes")
    assert said.status == 1, said.err
    assert said.out.startswith("stack shop-dev: not everything could be deleted")
    assert "found:    Cannot delete entity, must detach all policies\n" in said.err


# --- a terminal -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("files")
def test_the_name_of_a_protected_environment_is_typed(cli: Cli, aws: Aws, shop: Path) -> None:
    words = ("--env", "prod", "--yes", "--confirm", "prod", "--any-checkout")
    assert cli("deploy", *words).status == 0
    terminal = Terminal(("destroy", "--env", "prod"), cwd=shop)
    terminal.until(lambda: b"Type the environment's name" in terminal.shown)
    terminal.type("yes\n")
    status, shown = terminal.end()
    assert status == 1
    assert "that is not prod" in shown
    assert len(aws.cloudformation.describe_stacks()["Stacks"]) == 1
    terminal = Terminal(("destroy", "--env", "prod"), cwd=shop)
    terminal.until(lambda: b"Type the environment's name" in terminal.shown)
    terminal.type("prod\n")
    status, shown = terminal.end()
    assert status == 0, shown
    assert aws.cloudformation.describe_stacks()["Stacks"] == []


@pytest.mark.usefixtures("files")
def test_an_answer_at_a_terminal_is_needed(cli: Cli, aws: Aws, shop: Path) -> None:
    assert cli("deploy", "--env", "dev", "--yes").status == 0
    terminal = Terminal(("destroy", "--env", "dev"), cwd=shop)
    terminal.until(lambda: b"Destroy shop-dev? [y/N]" in terminal.shown)
    terminal.type("\n")
    assert terminal.end()[0] == 1
    assert len(aws.cloudformation.describe_stacks()["Stacks"]) == 1


# --- texts ----------------------------------------------------------------------------------------


def test_pending_changes_for_people() -> None:
    changes = (
        ResourceChange("Add", "Keeper", "AWS::Lambda::Function"),
        ResourceChange(
            "Modify", "Daily", "AWS::StepFunctions::StateMachine", properties=("Tags", "RoleArn")
        ),
        ResourceChange("Modify", "Task", "AWS::ECS::TaskDefinition", replacement="Conditional"),
        ResourceChange("Remove", "Marts", "AWS::Glue::Database", policy="Retain"),
    )
    state = StackState(STACK, "shop-dev", "UPDATE_COMPLETE")
    change_set = ChangeSet("arn:set", STACK, creates=False, changes=changes)
    text = pending_text(
        Pending("shop-dev", state, changes, ("s3://lake/a", "s3://lake/b"), change_set)
    )
    assert text == (
        "stack shop-dev: 1 to add, 2 to change, 1 to remove\n"
        "     resource  type                              what changes\n"
        "  +  Keeper    AWS::Lambda::Function\n"
        "  ~  Daily     AWS::StepFunctions::StateMachine  Tags, RoleArn\n"
        "  ~  Task      AWS::ECS::TaskDefinition          perhaps REPLACED\n"
        "  -  Marts     AWS::Glue::Database               leaves the stack and stays\n"
        "2 artifacts to upload"
    )


def test_what_a_failed_first_deploy_left_is_told() -> None:
    state = StackState(STACK, "shop-dev", "ROLLBACK_COMPLETE")
    text = pending_text(Pending("shop-dev", state, (), (), None))
    assert "the first deploy failed (ROLLBACK_COMPLETE)" in text
    assert "tables and objects are none of it" in text


def test_a_change_of_outputs_only_is_told() -> None:
    change_set = ChangeSet("arn:set", STACK, creates=False, changes=())
    state = StackState(STACK, "shop-dev", "UPDATE_COMPLETE")
    text = pending_text(Pending("shop-dev", state, (), (), change_set))
    assert text == (
        "stack shop-dev: no resource to change\n"
        "  no resource changes, only what the stack says of itself"
    )


def test_events_causes_destroys_and_drifts_for_people() -> None:
    event = StackEvent("e", BEGIN, "Role", "AWS::IAM::Role", "CREATE_FAILED", "it exists")
    assert event_line(event, 75.4) == "  1:15  CREATE_FAILED         Role  IAM::Role  it exists"
    causes = [
        Cause("Role", "AWS::IAM::Role", "CREATE_FAILED", "it exists", "rename it"),
        Cause("Topic", "AWS::SNS::Topic", "CREATE_FAILED", "", "see what AWS says"),
    ]
    assert causes_text(causes) == (
        "first cause: Role (AWS::IAM::Role) CREATE_FAILED\n"
        "  found:    it exists\n"
        "  do:       rename it\n"
        "also: Topic (AWS::SNS::Topic) CREATE_FAILED\n"
        "  found:    AWS gives no reason\n"
        "  do:       see what AWS says"
    )
    plan = Destroying(
        stack=StackState(STACK, "shop-dev", "UPDATE_COMPLETE"),
        goes=(
            StackResource("Images", "AWS::ECR::Repository", "shop-dev", "CREATE_COMPLETE"),
            StackResource("Role", "AWS::IAM::Role", "shop-dev-daily", "CREATE_COMPLETE"),
            StackResource("Dead", "AWS::SQS::Queue", "https://sqs/1/shop-dev-dead", "OK"),
        ),
        stays=(StackResource("Marts", "AWS::Glue::Database", "marts_dev", "CREATE_COMPLETE"),),
        places=(("tables and records", "s3://lake/dev/"),),
        running=("r1", "r2", "r3", "r4", "r5", "r6"),
    )
    assert destroying_text(plan) == (
        "stack shop-dev: 3 resources to delete\n"
        "  ECR::Repository  shop-dev        with its images\n"
        "  IAM::Role        shop-dev-daily\n"
        "  SQS::Queue       shop-dev-dead\n"
        "stays:\n"
        "  Glue::Database  marts_dev\n"
        "  s3://lake/dev/  tables and records\n"
        "at work, and ended by this: r1, r2, r3, r4, r5, ..."
    )
    difference = Difference("/Timeout", "900", "60", "NOT_EQUAL")
    drifted = Drifted("Keeper", "AWS::Lambda::Function", "shop-keeper", "MODIFIED", (difference,))
    assert drift_text(Drift("shop-dev", (drifted,), 8, 1)) == (
        "MODIFIED  Keeper  AWS::Lambda::Function  shop-keeper\n"
        "  /Timeout: 900 -> 60\n"
        "stack shop-dev: 1 drifted, 8 as deployed, 1 that CloudFormation cannot compare"
    )


# --- Ctrl-C ---------------------------------------------------------------------------------------


def test_ctrl_c_says_cancels_and_leaves(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = cloud_of(shop)
    with StackWatcher(cloud, yes=True, confirm=None, look_s=0.0) as watcher:
        with pytest.raises(KeyboardInterrupt):  # nothing goes on yet
            signal.raise_signal(signal.SIGINT)
        watcher.began(STACK)
        assert watcher.wait() is Wish.GO_ON
        signal.raise_signal(signal.SIGINT)
        assert watcher.wait() is Wish.GO_ON
        said = capsys.readouterr().err
        assert "this goes on at AWS; Ctrl-C again cancels" in said
        assert "follow it: https://eu-west-1.console.aws.amazon.com/" in said
        signal.raise_signal(signal.SIGINT)
        assert watcher.wait() is Wish.CANCEL
        signal.raise_signal(signal.SIGINT)
        assert watcher.wait() is Wish.LEAVE
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
