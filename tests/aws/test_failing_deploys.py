"""Deploys that fail, are cancelled or find a stack in trouble: CloudFormation's answers scripted.

moto neither rolls back nor detects drift; what is scripted here is what AWS documents.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.cloud import Cloud
from runner.app.deploy import Deployed, DeployRequest, deploy
from runner.app.destroy import destroy, plan_destroy
from runner.app.drift import find_drift
from runner.app.stack_changes import preview_changes
from runner.app.stack_following import Wish
from runner.errors import CloudRefused, UsageError
from runner.model.stacks import StackState
from tests.support.aws import stubbed
from tests.support.aws_projects import Scripted, Watching, cloud_of, wanted, write_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from botocore.stub import Stubber

    from tests.support.aws import Aws

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-dev/1"
NEW = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-dev/2"
SET = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/runner-1/2"
BEGIN = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def scripted(aws: Aws, tmp_path: Path) -> Iterator[tuple[Cloud, Stubber]]:
    """An environment whose CloudFormation is a script, and all else moto's."""
    del aws
    root = write_project(tmp_path / "shop")
    known = cloud_of(root)
    with stubbed("cloudformation") as (client, script):
        yield Cloud(root, known.bundle, Scripted(cloudformation=client)), script


def is_in(script: Stubber, status: str, *, stack: str = STACK, reason: str = "") -> None:
    one = {
        "StackId": stack,
        "StackName": "shop-dev",
        "StackStatus": status,
        "StackStatusReason": reason,
        "CreationTime": BEGIN,
    }
    script.add_response("describe_stacks", {"Stacks": [one]})


def is_absent(script: Stubber) -> None:
    words = "Stack with id shop-dev does not exist"
    script.add_client_error("describe_stacks", "ValidationError", words, 400)


def has_template(script: Stubber) -> None:
    script.add_response("get_template", {"TemplateBody": "{}"})


def computes(script: Stubber, *, stack: str = STACK) -> None:
    script.add_response("create_change_set", {"Id": SET, "StackId": stack})
    change = {
        "Type": "Resource",
        "ResourceChange": {
            "Action": "Modify",
            "LogicalResourceId": "Daily",
            "ResourceType": "AWS::StepFunctions::StateMachine",
        },
    }
    answer = {"ChangeSetId": SET, "StackId": stack, "Status": "CREATE_COMPLETE"}
    script.add_response("describe_change_set", {**answer, "Changes": [change]})


def event(number: int, name: str, status: str, reason: str = "", stack: str = STACK) -> Any:  # noqa: ANN401 - an answer of boto3's
    itself = name == "shop-dev"
    return {
        "StackId": stack,
        "EventId": f"e{number}",
        "StackName": "shop-dev",
        "LogicalResourceId": name,
        "PhysicalResourceId": stack if itself else f"shop-{name}",
        "ResourceType": "AWS::CloudFormation::Stack" if itself else "AWS::IAM::Role",
        "Timestamp": BEGIN + timedelta(seconds=number),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def events(script: Stubber, *found: Any) -> None:  # noqa: ANN401 - as above
    script.add_response("describe_stack_events", {"StackEvents": list(found[::-1])})


def go(cloud: Cloud, watcher: Watching | None = None) -> Deployed:
    return deploy(cloud, wanted(cloud), DeployRequest(), watcher=watcher or Watching())


OLD = event(0, "shop-dev", "UPDATE_COMPLETE")
DENIED = (
    'Resource handler returned message: "User: arn:aws:iam::123456789012:user/ann is not '
    'authorized to perform: iam:PutRolePolicy on resource: role shop-daily" (RequestToken: 1, '
    "HandlerErrorCode: GeneralServiceException)"
)


def test_a_failed_update_is_rolled_back_and_says_what_failed_first(
    scripted: tuple[Cloud, Stubber],
) -> None:
    cloud, script = scripted
    is_in(script, "UPDATE_COMPLETE")
    computes(script)
    events(script, OLD)
    script.add_response("execute_change_set", {})
    failed = (
        OLD,
        event(1, "shop-dev", "UPDATE_IN_PROGRESS", "User Initiated"),
        event(2, "role", "UPDATE_FAILED", DENIED),
        event(3, "keeper", "UPDATE_FAILED", "Resource update cancelled"),
        event(4, "shop-dev", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resources failed"),
    )
    events(script, *failed[:3])
    events(script, *failed)
    events(script, *failed, event(5, "shop-dev", "UPDATE_ROLLBACK_COMPLETE"))
    watcher = Watching()
    done = go(cloud, watcher)
    assert (done.status, done.succeeded) == ("UPDATE_ROLLBACK_COMPLETE", False)
    assert "what was deployed before is deployed still" in done.meaning
    [cause] = done.causes
    assert (cause.logical_id, cause.status) == ("role", "UPDATE_FAILED")
    assert cause.reason.startswith("User: arn:aws:iam::123456789012:user/ann is not authorized")
    assert cause.advice.startswith("allow it in the policies of this user or role")
    assert [one.id for one in watcher.events] == ["e1", "e2", "e3", "e4", "e5"]


def test_what_a_failed_first_deploy_left_is_removed_first(
    scripted: tuple[Cloud, Stubber],
) -> None:
    cloud, script = scripted
    is_in(script, "ROLLBACK_COMPLETE")
    left = event(0, "shop-dev", "ROLLBACK_COMPLETE")
    events(script, left)
    script.add_response("delete_stack", {}, {"StackName": STACK})
    gone = event(2, "shop-dev", "DELETE_COMPLETE")
    events(script, left, event(1, "shop-dev", "DELETE_IN_PROGRESS"), gone)
    computes(script, stack=NEW)
    review = event(0, "shop-dev", "REVIEW_IN_PROGRESS", stack=NEW)
    events(script, review)
    script.add_response("execute_change_set", {})
    made = event(4, "shop-dev", "CREATE_COMPLETE", stack=NEW)
    events(script, review, event(3, "shop-dev", "CREATE_IN_PROGRESS", stack=NEW), made)
    is_in(script, "CREATE_COMPLETE", stack=NEW)
    watcher = Watching()
    done = go(cloud, watcher)
    assert (done.status, done.stack_id) == ("CREATE_COMPLETE", NEW)
    [pending] = watcher.asked
    assert pending.removes_first
    assert {one.action for one in pending.changes} == {"Add"}
    assert watcher.notes == ["removing the stack that a failed deploy left (ROLLBACK_COMPLETE)"]
    assert watcher.began_with == [STACK, NEW]


def test_what_cannot_be_removed_ends_the_deploy(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    is_in(script, "DELETE_FAILED")
    events(script)
    script.add_response("delete_stack", {})
    failed = event(1, "repository", "DELETE_FAILED", "The repository is not empty")
    events(script, failed, event(2, "shop-dev", "DELETE_FAILED"))
    done = go(cloud)
    assert (done.status, done.succeeded) == ("DELETE_FAILED", False)
    assert [one.reason for one in done.causes] == ["The repository is not empty"]


def test_a_preview_of_a_failed_first_deploy_changes_nothing(
    scripted: tuple[Cloud, Stubber],
) -> None:
    cloud, script = scripted
    is_in(script, "ROLLBACK_COMPLETE")
    pending = preview_changes(cloud, wanted(cloud), pause=lambda: None)
    assert pending.removes_first
    assert not pending.nothing
    assert {one.logical_id for one in pending.changes} == {"Role", "Daily", "Kept"}


def test_a_stack_left_under_review_is_as_good_as_none(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    is_in(script, "REVIEW_IN_PROGRESS")
    computes(script)
    script.add_response("delete_change_set", {}, {"StackName": STACK, "ChangeSetName": SET})
    script.add_response("list_change_sets", {"Summaries": []})
    is_in(script, "REVIEW_IN_PROGRESS")
    script.add_response("delete_stack", {}, {"StackName": STACK})
    pending = preview_changes(cloud, wanted(cloud), pause=lambda: None)
    assert pending.state is None
    assert pending.change_set is not None
    assert pending.change_set.creates


def test_a_busy_stack_is_left_alone(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    is_in(script, "UPDATE_IN_PROGRESS")
    with pytest.raises(CloudRefused) as caught:
        preview_changes(cloud, wanted(cloud), pause=lambda: None)
    [fault] = caught.value.faults
    assert fault.code == "stack-busy"
    assert "https://eu-west-1.console.aws.amazon.com/cloudformation/" in fault.advice
    is_in(script, "DELETE_IN_PROGRESS")
    with pytest.raises(CloudRefused) as caught:
        plan_destroy(cloud)
    assert [fault.code for fault in caught.value.faults] == ["stack-busy"]


def test_a_stuck_stack_is_explained(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    is_in(script, "UPDATE_ROLLBACK_FAILED", reason="The following resource(s) failed: [role]")
    with pytest.raises(CloudRefused) as caught:
        preview_changes(cloud, wanted(cloud), pause=lambda: None)
    [fault] = caught.value.faults
    assert fault.code == "stack-stuck"
    assert "[role]" in fault.found
    assert "continue-update-rollback --stack-name shop-dev` --region eu-west-1" not in fault.advice
    assert (
        "`aws cloudformation continue-update-rollback --stack-name shop-dev --region eu-west-1`"
        in fault.advice
    )


def test_a_template_that_is_too_large_is_refused_before_anything_is_stored(
    scripted: tuple[Cloud, Stubber], aws: Aws
) -> None:
    cloud, script = scripted
    is_absent(script)
    large = {"Resources": {}, "Description": "x" * 1_000_000}
    with pytest.raises(CloudRefused) as caught:
        preview_changes(cloud, wanted(cloud, large), pause=lambda: None)
    assert [fault.code for fault in caught.value.faults] == ["template-size"]
    assert aws.stored() == []


def test_an_operation_without_events_ends_with_what_the_stack_says(
    scripted: tuple[Cloud, Stubber],
) -> None:
    cloud, script = scripted
    begins(script)
    for _ in range(30):
        events(script, OLD)
    is_in(script, "UPDATE_COMPLETE")  # asked because nothing happens
    is_in(script, "UPDATE_COMPLETE")
    is_in(script, "UPDATE_COMPLETE")
    assert go(cloud).status == "UPDATE_COMPLETE"


def test_nobody_knows_the_commit_of_a_template_without_a_manifest(
    scripted: tuple[Cloud, Stubber],
) -> None:
    from runner.app.stack_changes import deployed_commit

    cloud, script = scripted
    has_template(script)
    assert deployed_commit(cloud, StackState(STACK, "shop-dev", "UPDATE_COMPLETE")) == ""
    assert deployed_commit(cloud, StackState(STACK, "shop-dev", "ROLLBACK_COMPLETE")) == ""


# --- Ctrl-C ---------------------------------------------------------------------------------------


def begins(script: Stubber) -> None:
    is_in(script, "UPDATE_COMPLETE")
    computes(script)
    events(script, OLD)
    script.add_response("execute_change_set", {})


def test_to_cancel_an_update_rolls_it_back(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    begins(script)
    begun = event(1, "shop-dev", "UPDATE_IN_PROGRESS")
    events(script, OLD, begun)
    script.add_response("cancel_update_stack", {}, {"StackName": STACK})
    events(script, OLD, begun)
    events(script, OLD, begun, event(2, "shop-dev", "UPDATE_ROLLBACK_COMPLETE"))
    watcher = Watching(wishes=[Wish.CANCEL, Wish.CANCEL])
    assert go(cloud, watcher).status == "UPDATE_ROLLBACK_COMPLETE"
    assert watcher.notes == ["the update is cancelled and is being rolled back"]


def test_too_late_to_cancel(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    begins(script)
    events(script, OLD, event(1, "shop-dev", "UPDATE_IN_PROGRESS"))
    words = "CancelUpdateStack cannot be called from current stack status"
    script.add_client_error("cancel_update_stack", "ValidationError", words, 400)
    events(script, OLD, event(2, "shop-dev", "UPDATE_COMPLETE"))
    is_in(script, "UPDATE_COMPLETE")
    watcher = Watching(wishes=[Wish.CANCEL])
    assert go(cloud, watcher).succeeded
    [note] = watcher.notes
    assert note.startswith("it cannot be cancelled any more: ")
    assert words in note


def test_a_first_deploy_cannot_be_cancelled(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    is_absent(script)
    computes(script)
    events(script)
    script.add_response("execute_change_set", {})
    events(script, event(1, "shop-dev", "CREATE_IN_PROGRESS"))
    events(script, event(2, "shop-dev", "CREATE_COMPLETE"))
    is_in(script, "CREATE_COMPLETE")
    watcher = Watching(wishes=[Wish.CANCEL])
    assert go(cloud, watcher).succeeded
    assert watcher.notes == ["only an update can be cancelled: this goes on to its end"]


def test_to_leave_is_no_failure_and_no_success(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    begins(script)
    events(script, OLD, event(1, "shop-dev", "UPDATE_IN_PROGRESS"))
    done = go(cloud, Watching(wishes=[Wish.LEAVE]))
    assert (done.status, done.succeeded) == ("LEFT", False)
    assert done.meaning == "the deploy goes on at AWS"


# --- destroy and drift ----------------------------------------------------------------------------


def test_a_stack_with_termination_protection_is_not_destroyed(
    scripted: tuple[Cloud, Stubber],
) -> None:
    cloud, script = scripted
    one = {
        "StackId": STACK,
        "StackName": "shop-dev",
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": BEGIN,
        "EnableTerminationProtection": True,
    }
    script.add_response("describe_stacks", {"Stacks": [one]})
    with pytest.raises(CloudRefused) as caught:
        plan_destroy(cloud)
    [fault] = caught.value.faults
    assert fault.code == "stack-protected"
    assert "--no-enable-termination-protection --stack-name shop-dev" in fault.advice


def test_a_destroy_that_fails_says_what_stays(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    is_in(script, "UPDATE_COMPLETE")
    has_template(script)
    script.add_response("list_stack_resources", {"StackResourceSummaries": []})
    plan = plan_destroy(cloud)
    events(script, OLD)
    script.add_response("delete_stack", {}, {"StackName": STACK})
    failed = event(2, "role", "DELETE_FAILED", DENIED)
    events(script, OLD, failed, event(3, "shop-dev", "DELETE_FAILED"))
    ended = destroy(cloud, plan, watcher=Watching())
    assert ended.status == "DELETE_FAILED"
    assert [one.logical_id for one in ended.causes] == ["role"]


def test_drift_of_what_is_not_deployed(scripted: tuple[Cloud, Stubber]) -> None:
    cloud, script = scripted
    is_absent(script)
    with pytest.raises(UsageError) as caught:
        find_drift(cloud, pause=lambda: None)
    [fault] = caught.value.faults
    assert (fault.code, fault.advice) == (
        "not-deployed",
        "deploy it with `runner deploy --env dev`, or name another",
    )
