"""Every call to CloudFormation, with answers as AWS gives them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import ANY

from runner.aws import stacks
from runner.aws.stack_drift import detect_drift
from runner.aws.stacks import Wanted, create_change_set
from runner.errors import CloudRefused
from runner.model.stacks import (
    ChangeSet,
    Difference,
    Drift,
    Drifted,
    Output,
    ResourceChange,
    StackResource,
    StackState,
)
from tests.support.aws import credentials_only, stubbed

if TYPE_CHECKING:
    from botocore.stub import Stubber

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-dev/1"
SET = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/runner-1/2"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
WANTED = Wanted("shop-dev", "s3://lake/dev/_runner/artifacts/templates/1.json", (("team", "a"),))


def nobody_waits() -> None:
    pytest.fail("nothing is to be waited for")


def described(status: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - an answer of boto3's
    one = {"StackId": STACK, "StackName": "shop-dev", "StackStatus": status, "CreationTime": NOW}
    return {"Stacks": [{**one, **more}]}


# --- describe -------------------------------------------------------------------------------------


def test_describe() -> None:
    outputs = [
        {"OutputKey": "Keeper", "OutputValue": "arn:k"},
        {"OutputKey": "Topic", "OutputValue": "arn:t", "ExportName": "shop-dev-topic"},
    ]
    with stubbed("cloudformation") as (client, script):
        answer = described("UPDATE_COMPLETE", Outputs=outputs, EnableTerminationProtection=True)
        script.add_response("describe_stacks", answer, {"StackName": "shop-dev"})
        assert stacks.describe(client, "shop-dev") == StackState(
            STACK,
            "shop-dev",
            "UPDATE_COMPLETE",
            outputs=(Output("Keeper", "arn:k"), Output("Topic", "arn:t", "shop-dev-topic")),
            termination_protection=True,
        )


def test_there_is_no_stack() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_client_error(
            "describe_stacks", "ValidationError", "Stack with id shop-dev does not exist", 400
        )
        assert stacks.describe(client, "shop-dev") is None
        script.add_response("describe_stacks", described("DELETE_COMPLETE"))
        assert stacks.describe(client, STACK) is None


def test_any_other_refusal_is_one() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_client_error("describe_stacks", "ValidationError", "1 validation error", 400)
        with pytest.raises(CloudRefused):
            stacks.describe(client, "shop-dev")


STATES = [
    ("CREATE_COMPLETE", False, False),
    ("UPDATE_IN_PROGRESS", True, False),
    ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True, False),
    ("REVIEW_IN_PROGRESS", False, False),
    ("ROLLBACK_COMPLETE", False, True),
    ("ROLLBACK_FAILED", False, True),
    ("CREATE_FAILED", False, True),
    ("DELETE_FAILED", False, True),
    ("UPDATE_ROLLBACK_COMPLETE", False, False),
]


@pytest.mark.parametrize(("status", "busy", "goes_first"), STATES)
def test_what_a_status_allows(status: str, *, busy: bool, goes_first: bool) -> None:
    state = StackState(STACK, "shop-dev", status)
    assert (state.busy, state.to_be_removed) == (busy, goes_first)


def test_resources_of_all_pages() -> None:
    def row(name: str, status: str) -> dict[str, Any]:
        return {
            "LogicalResourceId": name,
            "PhysicalResourceId": f"shop-{name}",
            "ResourceType": "AWS::Glue::Database",
            "LastUpdatedTimestamp": NOW,
            "ResourceStatus": status,
        }

    with stubbed("cloudformation") as (client, script):
        first = {"StackResourceSummaries": [row("a", "CREATE_COMPLETE")], "NextToken": "t"}
        second = {"StackResourceSummaries": [row("b", "DELETE_SKIPPED")]}
        script.add_response("list_stack_resources", first, {"StackName": STACK})
        script.add_response("list_stack_resources", second, {"StackName": STACK, "NextToken": "t"})
        found = stacks.resources(client, STACK)
    assert found == (
        StackResource("a", "AWS::Glue::Database", "shop-a", "CREATE_COMPLETE"),
        StackResource("b", "AWS::Glue::Database", "shop-b", "DELETE_SKIPPED"),
    )
    assert [one.there for one in found] == [True, False]


def test_the_deployed_template_as_it_was_submitted() -> None:
    with stubbed("cloudformation") as (client, script):
        expected = {"StackName": STACK, "TemplateStage": "Original"}
        script.add_response("get_template", {"TemplateBody": '{"Resources": {}}'}, expected)
        assert stacks.deployed_template(client, STACK) == {"Resources": {}}


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-west-1", "https://s3.eu-west-1.amazonaws.com/my.bucket/t/1.json"),
        ("us-east-1", "https://s3.us-east-1.amazonaws.com/my.bucket/t/1.json"),
        ("cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn/my.bucket/t/1.json"),
    ],
)
def test_the_url_of_a_template(region: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials_only(monkeypatch)
    client = boto3.client("cloudformation", region_name=region)
    assert stacks.template_url(client, "s3://my.bucket/t/1.json") == url


# --- change sets ----------------------------------------------------------------------------------


def expect_creation(script: Stubber, kind: str) -> None:
    script.add_response(
        "create_change_set",
        {"Id": SET, "StackId": STACK},
        {
            "StackName": "shop-dev",
            "ChangeSetName": ANY,
            "ChangeSetType": kind,
            "ClientToken": ANY,
            "TemplateURL": "https://s3.eu-west-1.amazonaws.com/lake/dev/_runner/artifacts/"
            "templates/1.json",
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": "team", "Value": "a"}],
        },
    )


def computed(status: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return {"ChangeSetId": SET, "StackId": STACK, "Status": status, **more}


MODIFIED = {
    "Type": "Resource",
    "ResourceChange": {
        "Action": "Modify",
        "LogicalResourceId": "Daily",
        "PhysicalResourceId": "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-dev-daily",
        "ResourceType": "AWS::StepFunctions::StateMachine",
        "Replacement": "False",
        "Scope": ["Properties", "Tags"],
        "Details": [
            {"Target": {"Attribute": "Properties", "Name": "DefinitionString"}},
            {"Target": {"Attribute": "Properties", "Name": "DefinitionString"}},
            {"Target": {"Attribute": "Tags"}},
        ],
    },
}
REMOVED = {
    "Type": "Resource",
    "ResourceChange": {
        "PolicyAction": "Retain",
        "Action": "Remove",
        "LogicalResourceId": "Marts",
        "PhysicalResourceId": "marts_dev",
        "ResourceType": "AWS::Glue::Database",
        "Scope": [],
        "Details": [],
    },
}


def test_a_change_set_is_waited_for_and_read_page_by_page() -> None:
    waited: list[int] = []
    with stubbed("cloudformation") as (client, script):
        expect_creation(script, "UPDATE")
        asked = {"StackName": STACK, "ChangeSetName": SET}
        script.add_response("describe_change_set", computed("CREATE_PENDING"), asked)
        script.add_response("describe_change_set", computed("CREATE_IN_PROGRESS"), asked)
        first = computed("CREATE_COMPLETE", Changes=[MODIFIED], NextToken="t")
        script.add_response("describe_change_set", first, asked)
        second = computed("CREATE_COMPLETE", Changes=[REMOVED])
        script.add_response("describe_change_set", second, {**asked, "NextToken": "t"})
        found = create_change_set(client, WANTED, creates=False, pause=lambda: waited.append(1))
    assert waited == [1, 1]
    assert found == ChangeSet(
        SET,
        STACK,
        creates=False,
        changes=(
            ResourceChange(
                "Modify",
                "Daily",
                "AWS::StepFunctions::StateMachine",
                "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-dev-daily",
                "False",
                ("DefinitionString", "Tags"),
            ),
            ResourceChange("Remove", "Marts", "AWS::Glue::Database", "marts_dev", policy="Retain"),
        ),
    )


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to ...",
        "No updates are to be performed.",
    ],
)
def test_no_changes_are_no_failure(reason: str) -> None:
    with stubbed("cloudformation") as (client, script):
        expect_creation(script, "UPDATE")
        script.add_response("describe_change_set", computed("FAILED", StatusReason=reason))
        script.add_response("delete_change_set", {}, {"StackName": STACK, "ChangeSetName": SET})
        found = create_change_set(client, WANTED, creates=False, pause=nobody_waits)
    assert found == ChangeSet(SET, STACK, creates=False, changes=(), empty=True)


def test_a_change_set_that_fails_says_why_and_leaves_no_empty_stack() -> None:
    with stubbed("cloudformation") as (client, script):
        expect_creation(script, "CREATE")
        reason = "Template error: instance of Fn::GetAtt references undefined resource Role"
        script.add_response("describe_change_set", computed("FAILED", StatusReason=reason))
        script.add_client_error("describe_events", "AccessDenied", "no", 403)
        script.add_response("delete_change_set", {})
        script.add_response("list_change_sets", {"Summaries": []}, {"StackName": STACK})
        script.add_response("describe_stacks", described("REVIEW_IN_PROGRESS"))
        script.add_response("delete_stack", {}, {"StackName": STACK})
        with pytest.raises(CloudRefused) as caught:
            create_change_set(client, WANTED, creates=True, pause=nobody_waits)
    [fault] = caught.value.faults
    assert fault.code == "change-set-failed"
    assert fault.found == f"FAILED: {reason}"
    assert str(fault.place) == "stack shop-dev"


def test_what_cloudformation_validates_is_told_one_by_one() -> None:
    def failed(name: str, path: str, reason: str) -> dict[str, str]:
        return {
            "EventType": "VALIDATION_ERROR",
            "LogicalResourceId": name,
            "ValidationName": "PROPERTY_VALIDATION",
            "ValidationStatus": "FAILED",
            "ValidationStatusReason": reason,
            "ValidationPath": path,
        }

    told = [
        failed("Keeper", "/Timeout", "901 is greater than 900"),
        failed("Daily", "/Name", "too long"),
        {"EventType": "STACK_EVENT", "LogicalResourceId": "shop-dev"},
    ]
    with stubbed("cloudformation") as (client, script):
        expect_creation(script, "UPDATE")
        answer = computed("FAILED", StatusReason="The validations failed")
        script.add_response("describe_change_set", answer)
        script.add_response(
            "describe_events",
            {"OperationEvents": told},
            {"StackName": STACK, "ChangeSetName": SET, "Filters": {"FailedEvents": True}},
        )
        script.add_response("delete_change_set", {})
        with pytest.raises(CloudRefused) as caught:
            create_change_set(client, WANTED, creates=False, pause=nobody_waits)
    assert [fault.found for fault in caught.value.faults] == [
        "Daily/Name: too long",
        "Keeper/Timeout: 901 is greater than 900",
    ]


def test_a_stack_under_review_stays_while_others_have_change_sets_in_it() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response("delete_change_set", {})
        another = {"StackId": STACK, "ChangeSetName": "runner-2"}
        script.add_response("list_change_sets", {"Summaries": [another]})
        stacks.discard(client, ChangeSet(SET, STACK, creates=True, changes=()))


def test_a_stack_that_was_deployed_meanwhile_stays() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response("delete_change_set", {})
        script.add_response("list_change_sets", {"Summaries": []})
        script.add_response("describe_stacks", described("CREATE_COMPLETE"))
        stacks.discard(client, ChangeSet(SET, STACK, creates=True, changes=()))


@pytest.mark.parametrize("refused", ["list_change_sets", "delete_stack"])
def test_who_may_only_plan_leaves_the_empty_stack(refused: str) -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response("delete_change_set", {})
        if refused == "delete_stack":
            script.add_response("list_change_sets", {"Summaries": []})
            script.add_response("describe_stacks", described("REVIEW_IN_PROGRESS"))
        script.add_client_error(refused, "AccessDenied", "no", 403)
        stacks.discard(client, ChangeSet(SET, STACK, creates=True, changes=()))


def test_what_else_keeps_an_empty_stack_is_told() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response("delete_change_set", {})
        script.add_client_error("list_change_sets", "Throttling", "Rate exceeded", 400)
        with pytest.raises(CloudRefused):
            stacks.discard(client, ChangeSet(SET, STACK, creates=True, changes=()))


def test_to_discard_an_update_deletes_the_change_set_only() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response("delete_change_set", {}, {"StackName": STACK, "ChangeSetName": SET})
        stacks.discard(client, ChangeSet(SET, STACK, creates=False, changes=()))


def test_limits_are_told() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_client_error("create_change_set", "LimitExceededException", "too many", 400)
        with pytest.raises(CloudRefused) as caught:
            create_change_set(client, WANTED, creates=True, pause=nobody_waits)
    [fault] = caught.value.faults
    assert (fault.code, fault.expected) == (
        "aws-limit",
        "to compute the changes of the stack shop-dev",
    )


@pytest.mark.parametrize(
    ("change", "destroys"),
    [
        (ResourceChange("Add", "a", "T"), False),
        (ResourceChange("Modify", "a", "T", replacement="False"), False),
        (ResourceChange("Modify", "a", "T", replacement="True"), True),
        (ResourceChange("Modify", "a", "T", replacement="Conditional"), True),
        (ResourceChange("Modify", "a", "T", replacement="True", policy="ReplaceAndRetain"), False),
        (ResourceChange("Modify", "a", "T", replacement="True", policy="ReplaceAndDelete"), True),
        (ResourceChange("Remove", "a", "T"), True),
        (ResourceChange("Remove", "a", "T", policy="Delete"), True),
        (ResourceChange("Remove", "a", "T", policy="Retain"), False),
    ],
)
def test_which_changes_destroy(change: ResourceChange, *, destroys: bool) -> None:
    assert change.destroys is destroys


# --- operations -----------------------------------------------------------------------------------


def test_execute_cancel_and_delete() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response(
            "execute_change_set",
            {},
            {"StackName": STACK, "ChangeSetName": SET, "ClientRequestToken": ANY},
        )
        stacks.execute(client, ChangeSet(SET, STACK, creates=False, changes=()))
        script.add_response("cancel_update_stack", {}, {"StackName": STACK})
        stacks.cancel_update(client, STACK)
        script.add_response("delete_stack", {}, {"StackName": STACK})
        stacks.delete(client, STACK)


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda client: stacks.delete(client, STACK), "delete_stack"),
        (lambda client: stacks.cancel_update(client, STACK), "cancel_update_stack"),
        (lambda client: stacks.resources(client, STACK), "list_stack_resources"),
        (lambda client: stacks.deployed_template(client, STACK), "get_template"),
        (
            lambda client: stacks.execute(client, ChangeSet(SET, STACK, creates=True, changes=())),
            "execute_change_set",
        ),
        (
            lambda client: stacks.discard(client, ChangeSet(SET, STACK, creates=True, changes=())),
            "delete_change_set",
        ),
        (lambda client: detect_drift(client, STACK, pause=nobody_waits), "detect_stack_drift"),
    ],
)
def test_every_call_is_translated(call: Any, operation: str) -> None:  # noqa: ANN401 - a lambda
    with stubbed("cloudformation") as (client, script):
        script.add_client_error(operation, "AccessDenied", "no", 403)
        with pytest.raises(CloudRefused) as caught:
            call(client)
    assert [fault.code for fault in caught.value.faults] == ["aws-denied"]


# --- drift ----------------------------------------------------------------------------------------


def checked(name: str, status: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return {
        "StackId": STACK,
        "LogicalResourceId": name,
        "PhysicalResourceId": f"shop-{name}",
        "ResourceType": "AWS::IAM::Role",
        "StackResourceDriftStatus": status,
        "Timestamp": NOW,
        **more,
    }


def detection(status: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return {
        "StackId": STACK,
        "StackDriftDetectionId": "d",
        "DetectionStatus": status,
        "Timestamp": NOW,
        **more,
    }


def listed(*names: str) -> dict[str, Any]:
    return {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": f"shop-{name}",
                "ResourceType": "AWS::IAM::Role",
                "LastUpdatedTimestamp": NOW,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for name in names
        ]
    }


def test_drift_is_waited_for_and_read() -> None:
    waited: list[int] = []
    asked = {"StackDriftDetectionId": "d"}
    difference = {
        "PropertyPath": "/Policies/0",
        "ExpectedValue": "{}",
        "ActualValue": "null",
        "DifferenceType": "REMOVE",
    }
    with stubbed("cloudformation") as (client, script):
        script.add_response(
            "detect_stack_drift", {"StackDriftDetectionId": "d"}, {"StackName": "shop-dev"}
        )
        status = "describe_stack_drift_detection_status"
        script.add_response(status, detection("DETECTION_IN_PROGRESS"), asked)
        script.add_response(status, detection("DETECTION_COMPLETE"), asked)
        first = [
            checked("role", "MODIFIED", PropertyDifferences=[difference]),
            checked("a", "IN_SYNC"),
        ]
        script.add_response(
            "describe_stack_resource_drifts",
            {"StackResourceDrifts": first, "NextToken": "t"},
            {"StackName": "shop-dev"},
        )
        second = [checked("gone", "DELETED"), checked("b", "NOT_CHECKED")]
        script.add_response(
            "describe_stack_resource_drifts",
            {"StackResourceDrifts": second},
            {"StackName": "shop-dev", "NextToken": "t"},
        )
        script.add_response("list_stack_resources", listed("role", "a", "gone", "b", "c"))
        found = detect_drift(client, "shop-dev", pause=lambda: waited.append(1))
    assert waited == [1]
    assert found == Drift(
        "shop-dev",
        drifted=(
            Drifted(
                "role",
                "AWS::IAM::Role",
                "shop-role",
                "MODIFIED",
                (Difference("/Policies/0", "{}", "null", "REMOVE"),),
            ),
            Drifted("gone", "AWS::IAM::Role", "shop-gone", "DELETED"),
        ),
        in_sync=1,
        unchecked=2,
    )


def test_a_detection_that_fails_half_way_says_so() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response("detect_stack_drift", {"StackDriftDetectionId": "d"})
        answer = detection("DETECTION_FAILED", DetectionStatusReason="Failed to detect on [x]")
        script.add_response("describe_stack_drift_detection_status", answer)
        script.add_response("describe_stack_resource_drifts", {"StackResourceDrifts": []})
        script.add_response("list_stack_resources", listed("x"))
        found = detect_drift(client, "shop-dev", pause=nobody_waits)
    assert found == Drift("shop-dev", (), 0, 1, incomplete="Failed to detect on [x]")
