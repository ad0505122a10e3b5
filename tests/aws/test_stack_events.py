"""Events: only those of the operation, in order, until it is over; and what failed first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.aws.stack_events import Cause, causes_of, follow, newest_event
from runner.errors import CloudRefused
from runner.model.stacks import StackEvent
from tests.support.aws import stubbed

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-dev/1"
BEGIN = datetime(2026, 11, 25, tzinfo=UTC)


def said(number: int, name: str, status: str, reason: str = "") -> dict[str, Any]:
    """Write an event as AWS does; `shop-dev` is the stack itself."""
    itself = name == "shop-dev"
    event = {
        "StackId": STACK,
        "EventId": f"e{number}",
        "StackName": "shop-dev",
        "LogicalResourceId": name,
        "PhysicalResourceId": STACK if itself else f"shop-{name}",
        "ResourceType": "AWS::CloudFormation::Stack" if itself else "AWS::IAM::Role",
        "Timestamp": BEGIN + timedelta(seconds=number),
        "ResourceStatus": status,
    }
    return {**event, "ResourceStatusReason": reason} if reason else event


def page(*events: dict[str, Any], token: str = "") -> dict[str, Any]:
    """Write an answer: the newest first, as AWS gives them."""
    answer: dict[str, Any] = {"StackEvents": list(events[::-1])}
    return {**answer, "NextToken": token} if token else answer


OLD = said(0, "shop-dev", "UPDATE_COMPLETE")
BEGUN = said(1, "shop-dev", "UPDATE_IN_PROGRESS", "User Initiated")
ROLE = said(2, "role", "UPDATE_IN_PROGRESS")
DONE = said(3, "role", "UPDATE_COMPLETE")
CLEANUP = said(4, "shop-dev", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
END = said(5, "shop-dev", "UPDATE_COMPLETE")


def test_the_newest_event_before_an_operation() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response("describe_stack_events", page(OLD, BEGUN), {"StackName": STACK})
        assert newest_event(client, STACK) == "e1"
        script.add_response("describe_stack_events", page())
        assert newest_event(client, STACK) == ""


def test_events_come_once_in_order_until_the_stack_is_done() -> None:
    waited: list[int] = []
    with stubbed("cloudformation") as (client, script):
        for answer in (
            page(OLD),
            page(OLD, BEGUN, ROLE),
            page(OLD, BEGUN, ROLE),
            page(OLD, BEGUN, ROLE, DONE, CLEANUP),
            page(OLD, BEGUN, ROLE, DONE, CLEANUP, END),
        ):
            script.add_response("describe_stack_events", answer, {"StackName": STACK})
        found = list(follow(client, STACK, after="e0", pause=lambda: waited.append(1)))
    assert [event.id for event in found] == ["e1", "e2", "e3", "e4", "e5"]
    assert waited == [1, 1, 1, 1]
    assert found[1] == StackEvent(
        "e2",
        BEGIN + timedelta(seconds=2),
        "role",
        "AWS::IAM::Role",
        "UPDATE_IN_PROGRESS",
        physical_id="shop-role",
    )
    assert [event.of_stack for event in found] == [True, False, False, True, True]


def test_many_events_at_once_are_read_page_by_page_as_far_as_the_last_known() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_response("describe_stack_events", page(CLEANUP, END, token="t"))
        script.add_response(
            "describe_stack_events",
            page(OLD, BEGUN, ROLE, DONE, token="older"),
            {"StackName": STACK, "NextToken": "t"},
        )
        found = list(follow(client, STACK, after="e0", pause=lambda: None))
    assert [event.id for event in found] == ["e1", "e2", "e3", "e4", "e5"]


def test_without_events_for_long_the_stack_itself_is_asked() -> None:
    waited: list[int] = []
    with stubbed("cloudformation") as (client, script):
        for _ in range(30):
            script.add_response("describe_stack_events", page(OLD))
        stack = {
            "StackId": STACK,
            "StackName": "shop-dev",
            "StackStatus": "UPDATE_COMPLETE",
            "CreationTime": BEGIN,
        }
        script.add_response("describe_stacks", {"Stacks": [stack]})
        assert list(follow(client, STACK, after="e0", pause=lambda: waited.append(1))) == []
    assert len(waited) == 29


def test_a_refusal_while_following_is_translated() -> None:
    with stubbed("cloudformation") as (client, script):
        script.add_client_error("describe_stack_events", "Throttling", "Rate exceeded", 400)
        with pytest.raises(CloudRefused) as caught:
            list(follow(client, STACK, after="", pause=lambda: None))
    assert [fault.code for fault in caught.value.faults] == ["aws-throttled"]


# --- causes ---------------------------------------------------------------------------------------


def event(name: str, status: str, reason: str, *, of_stack: bool = False) -> StackEvent:
    return StackEvent(
        f"{name}{status}", BEGIN, name, "AWS::IAM::Role", status, reason, "", of_stack
    )


def test_the_first_cause_is_first_and_consequences_are_none() -> None:
    found = causes_of(
        [
            event("shop-dev", "CREATE_IN_PROGRESS", "User Initiated", of_stack=True),
            event("role", "CREATE_FAILED", "shop-role already exists"),
            event("keeper", "CREATE_FAILED", "Resource creation cancelled"),
            event("topic", "CREATE_FAILED", "Rate exceeded (HandlerErrorCode: Throttling)"),
            event("shop-dev", "ROLLBACK_FAILED", "The following resources failed", of_stack=True),
            event("role", "DELETE_FAILED", "later"),
        ]
    )
    assert [(one.logical_id, one.status) for one in found] == [
        ("role", "CREATE_FAILED"),
        ("topic", "CREATE_FAILED"),
    ]


def wrapped(words: str, code: str) -> str:
    """Write a reason as handlers of resources do."""
    told = f"(RequestToken: 1-2, HandlerErrorCode: {code})"
    return f'Resource handler returned message: "{words}" {told}'


EXISTS = "shop-role already exists."
FORBIDDEN = "User: arn:x is not authorized to perform: iam:CreateRole on resource: role shop-role"
OLD_LIMIT = "The maximum was reached (Service: Iam; Status Code: 409; Error Code: LimitExceeded)"
REASONS = [
    (wrapped(EXISTS, "AlreadyExists"), EXISTS, "remove or rename what has the name"),
    (wrapped(FORBIDDEN, "GeneralServiceException"), FORBIDDEN, "allow it in the policies"),
    (f"API: iam:CreateRole {FORBIDDEN}", f"API: iam:CreateRole {FORBIDDEN}", "allow it in the"),
    (wrapped("Invalid Definition", "InvalidRequest"), "Invalid Definition", "correct what the"),
    (OLD_LIMIT, OLD_LIMIT, "see Service Quotas"),
    ("daily already exists in stack arn:x", "daily already exists in stack arn:x", "remove or"),
    ("Something new", "Something new", "see what AWS says"),
]


@pytest.mark.parametrize(("reason", "words", "advice"), REASONS)
def test_reasons_in_plain_words(reason: str, words: str, advice: str) -> None:
    [cause] = causes_of([event("role", "CREATE_FAILED", reason)])
    assert cause == Cause("role", "AWS::IAM::Role", "CREATE_FAILED", words, cause.advice)
    assert cause.advice.startswith(advice)


HANDLER_CODES = {
    "AccessDenied": "aws-denied",
    "AlreadyExists": "aws-exists",
    "InternalFailure": "aws-unavailable",
    "InvalidCredentials": "aws-denied",
    "InvalidRequest": "aws-invalid",
    "InvalidTypeConfiguration": "aws-invalid",
    "NetworkFailure": "aws-unavailable",
    "NonCompliant": "aws-invalid",
    "NotFound": "aws-missing",
    "NotStabilized": "aws-busy",
    "NotUpdatable": "aws-invalid",
    "ResourceConflict": "aws-busy",
    "ServiceInternalError": "aws-unavailable",
    "ServiceLimitExceeded": "aws-limit",
    "ServiceTimeout": "aws-unavailable",
    "Throttling": "aws-throttled",
    "UnauthorizedTaggingOperation": "aws-denied",
    "UnsupportedTarget": "aws-invalid",
}
"""The codes with which handlers fail; two more stand for whatever the service said:
GeneralServiceException and HandlerInternalFailure."""


@pytest.mark.parametrize(("code", "fault"), HANDLER_CODES.items())
def test_every_code_of_a_handler_has_a_kind(code: str, fault: str) -> None:
    from runner.aws.refusal_kinds import kind_of_code

    assert kind_of_code(code).fault == fault
