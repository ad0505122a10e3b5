"""Results that a service could give, and those that it could not, in the words of TestState.

The shapes are those of the services' API references; the messages AWS's, as its TestState gave
them in December 2025 where a comment says so.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session

from runner.aws import integrations
from runner.aws.result_models import ServiceModels, sdk_name

Json = Any
OPTIMIZED = "arn:aws:states:::"
MODELS = ServiceModels()

CONVERSED = {
    "Output": {"Message": {"Role": "assistant", "Content": [{"Text": "x"}]}},
    "StopReason": "end_turn",
    "Usage": {"InputTokens": 1, "OutputTokens": 1, "TotalTokens": 2},
    "Metrics": {"LatencyMs": 1},
}

WRONG = [
    ("aws-sdk:s3:getObject", {"ContentLength": "9"}, "Field 'ContentLength' must be a number"),
    ("aws-sdk:s3:getObject", {"ContentLength": True}, "Field 'ContentLength' must be a number"),
    ("aws-sdk:s3:getObject", {"DeleteMarker": "no"}, "Field 'DeleteMarker' must be a boolean"),
    ("aws-sdk:s3:getObject", {"Metadata": []}, "Field 'Metadata' must be an object"),
    ("aws-sdk:s3:getObject", {"Metadata": {"a": 1}}, "Field 'Metadata' must be a string"),
    ("aws-sdk:s3:getObject", {"LastModified": 1}, "Field 'LastModified' must be a string"),
    ("aws-sdk:s3:getObject", {"Body": {}}, "Field 'Body' must be a string"),
    (
        "aws-sdk:s3:getObject",
        {"StorageClass": "Papyrus"},
        "Field 'StorageClass' is not an expected value",
    ),
    ("events:putEvents", {"Entries": {}}, "Field 'Entries' must be an array"),
    (
        "events:putEvents",
        {"Entries": [{"EventId": "a"}, {"EventId": ["b"]}]},
        "Field 'EventId' must be a string",
    ),
    ("events:putEvents", {"Entries": ["a"]}, "Field 'Entries' must be an object"),
    (
        "aws-sdk:kms:encrypt",
        {"CiphertextBlob": ""},
        "Field 'CiphertextBlob' is smaller than the minimum length",
    ),
    (
        "aws-sdk:kms:encrypt",
        {"KeyId": "k" * 2049},
        "Field 'KeyId' exceeds the maximum length",
    ),
    (
        "aws-sdk:lambda:getFunction",
        {"Configuration": {"MemorySize": 127}},
        "Field 'MemorySize' is less than the minimum value",
    ),
    (
        "aws-sdk:lambda:getFunction",
        {"Configuration": {"MemorySize": 10_241}},
        "Field 'MemorySize' exceeds the maximum value",
    ),
    ("lambda:invoke", {"StatusCode": "200"}, "Field 'StatusCode' must be a number"),
    ("aws-sdk:lambda:invoke", {"Payload": {}}, "Field 'Payload' must be a string"),
    ("aws-sdk:rds:describeDBInstances", {"DbInstances": 1}, "Field 'DbInstances' must be an array"),
    ("ecs:runTask.sync", {"Tasks": 1}, "Field 'Tasks' must be an array"),
    ("athena:startQueryExecution.sync", [1], "Mocked result must be a JSON object"),
    ("bedrock:invokeModel", {"ContentType": 1}, "Field 'ContentType' must be a string"),
    ("elasticmapreduce:addStep.sync", {"Step": 1}, "Field 'Step' must be an object"),
]


@pytest.mark.parametrize(("resource", "result", "told"), WRONG)
def test_a_result_that_the_service_cannot_give(resource: str, result: Json, told: str) -> None:
    assert MODELS.problem(OPTIMIZED + resource, result, strict=False) == told


@pytest.mark.parametrize(
    ("resource", "result"),
    [
        ("lambda:invoke", {"Payload": {"statusCode": 200}}),  # parsed, as the guide's examples are
        ("lambda:invoke", {"pokemon": "pikachu"}),  # fields that nobody knows are ignored
        ("lambda:invoke.waitForTaskToken", 5),  # whoever holds the token decides
        ("aws-sdk:s3:getObject", {"ETag": "e", "ContentLength": 0, "SsekmsKeyId": "k"}),
        ("aws-sdk:s3:getObject", {"contentLength": "other case"}),
        ("aws-sdk:lambda:getFunction", {"Configuration": {"MemorySize": 10_240}}),
        ("sqs:sendMessage", {"MD5OfMessageBody": "b6", "MessageId": "m"}),
        ("aws-sdk:s3:deleteBucket", {"x": 1}),  # an operation without a response
        ("athena:startQueryExecution.sync", {"QueryExecution": {"QueryExecutionId": "q"}}),
        ("bedrock:invokeModel", {"Body": {"completion": "x"}, "ContentType": "a/b"}),
        ("aws-sdk:bedrockruntime:converse", {**CONVERSED, "AdditionalModelResponseFields": 5}),
        ("http:invoke", {"StatusCode": "any"}),
        ("apigateway:invoke", {"StatusCode": "any"}),
        ("eks:call", {"StatusCode": "any"}),
        ("nobody:knows", {"x": 1}),
        ("sqs:knowsNoSuchCall", {"x": 1}),
        ("aws-sdk:dynamodb:getItem", {"Item": {"id": {"S": "a", "Bool": True, "BOOL": True}}}),
    ],
)
def test_a_result_that_may_be(resource: str, result: Json) -> None:
    assert MODELS.problem(OPTIMIZED + resource, result, strict=True) is None


def test_functions_and_activities_answer_what_they_like() -> None:
    for resource in (
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        "arn:aws:states:us-east-1:123456789012:activity:a",
    ):
        assert MODELS.problem(resource, 5, strict=True) is None


STARTED = {"ExecutionArn": "a", "StartDate": "d"}
DESCRIBED = {
    "ExecutionArn": "a",
    "StateMachineArn": "m",
    "Status": "SUCCEEDED",
    "StartDate": "d",
    "Output": {"parsed": True},
}


def test_required_fields_are_asked_for_in_strict_mode_only() -> None:
    start = OPTIMIZED + "states:startExecution"
    assert MODELS.problem(start, STARTED, strict=True) is None
    missing = "Required field 'ExecutionArn' is missing"
    assert MODELS.problem(start, {"executionArn": "a", "startDate": "d"}, strict=True) == missing
    assert MODELS.problem(start, {}, strict=False) is None


def test_a_job_is_compared_with_what_step_functions_polls() -> None:
    nested = OPTIMIZED + "states:startExecution.sync:2"
    assert MODELS.problem(nested, DESCRIBED, strict=True) is None
    missing = "Required field 'StateMachineArn' is missing"
    assert MODELS.problem(nested, STARTED, strict=True) == missing


def test_names_of_the_sdk_are_asked_for() -> None:
    sdk = OPTIMIZED + "aws-sdk:sfn:startExecution"
    assert MODELS.problem(sdk, STARTED, strict=True) is None
    wrong = {"ExecutionArn": 1}
    assert MODELS.problem(sdk, wrong, strict=False) == "Field 'ExecutionArn' must be a string"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("DBInstances", "DbInstances"),
        ("ETag", "ETag"),
        ("SSEKMSKeyId", "SsekmsKeyId"),
        ("MD5OfMessageBody", "Md5OfMessageBody"),
        ("ChecksumCRC32", "ChecksumCRC32"),
        ("executionArn", "ExecutionArn"),
        ("BOOL", "Bool"),
    ],
)
def test_fields_have_the_names_of_the_java_sdk(name: str, told: str) -> None:
    assert sdk_name(name) == told


def test_polled_operations_exist() -> None:
    session = Session()
    known: dict[str, set[str]] = {}
    for (folder, action), polled in integrations.POLLED.items():
        if folder not in known:
            known[folder] = set(session.get_service_model(folder).operation_names)
        assert polled in known[folder], (folder, polled)
        if folder != "emr":  # Step Functions has names of its own for three of its calls
            assert action in {name.lower() for name in known[folder]}, (folder, action)


def test_sdk_services_are_found_by_the_names_of_their_java_packages() -> None:
    session = Session()
    for name, folder in integrations.SDK_FOLDERS.items():
        spoken = session.get_service_model(folder).metadata["serviceId"].lower()
        plain = "".join(letter for letter in spoken if letter.isalnum())
        plain = plain.removeprefix("aws").removesuffix("service")
        assert plain == name, folder
