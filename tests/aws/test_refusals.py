"""Every error of botocore and of the services we call has words and a next action."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from runner.aws import refusal_kinds as kinds
from runner.aws.refusals import refusals
from runner.aws.session import Session
from runner.errors import CloudRefused, Fault, Place
from tests.support.aws import REGION, credentials_only

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLED = {
    "athena": "StartQueryExecution StopQueryExecution GetQueryExecution GetQueryResults",
    "cloudformation": "CancelUpdateStack CreateChangeSet DeleteChangeSet DeleteStack "
    "DescribeChangeSet DescribeEvents DescribeStackDriftDetectionStatus DescribeStackEvents "
    "DescribeStackResourceDrifts DescribeStacks DetectStackDrift ExecuteChangeSet GetTemplate "
    "ListChangeSets ListExports ListStackResources",
    "cloudwatch": "DescribeAlarms GetMetricData",
    "ecr": "DescribeImages DescribeRepositories GetAuthorizationToken",
    "ecs": "DescribeTasks ListTasks RunTask StopTask",
    "events": "DescribeRule ListRules ListTargetsByRule",
    "glue": "CreateDatabase CreateTable DeleteTable GetDatabase GetDatabases GetTable GetTables "
    "GetPartitions UpdateTable",
    "iam": "GetRole GetRolePolicy",
    "lambda": "GetFunction Invoke",
    "logs": "FilterLogEvents GetLogEvents DescribeLogStreams",
    "s3": "CopyObject DeleteObject GetObject HeadObject ListObjectsV2 PutObject",
    "scheduler": "GetSchedule ListSchedules",
    "sns": "ListSubscriptionsByTopic Publish",
    "sqs": "GetQueueAttributes ReceiveMessage",
    "ssm": "GetParameters",
    "stepfunctions": "DescribeExecution DescribeStateMachine GetExecutionHistory ListExecutions "
    "RedriveExecution StartExecution StopExecution",
    "sts": "GetCallerIdentity",
}
"""What a client of an environment asks, by service."""
ROLE = "arn:aws:sts::123456789012:assumed-role/dev/ann"
STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-prod/*"


def fault_of(error: Exception, *, place: Place | None = None) -> Fault:
    with pytest.raises(CloudRefused) as caught, refusals("read the stack x", place=place):
        raise error
    assert caught.value.__cause__ is error
    [fault] = caught.value.faults
    return fault


def answered(code: str, message: str = "", operation: str = "DescribeStacks") -> boto.ClientError:
    return boto.ClientError({"Error": {"Code": code, "Message": message}}, operation)


def exceptions() -> Iterator[type[boto.BotoCoreError]]:
    for one in vars(boto).values():
        if inspect.isclass(one) and issubclass(one, boto.BotoCoreError):
            yield one


def kind_of(one: type) -> kinds.Kind | None:
    return kinds.kind_of_exception(base.__name__ for base in one.__mro__)


# --- complete -------------------------------------------------------------------------------------


def test_every_exception_of_botocore_is_named_or_has_a_base_that_is() -> None:
    unnamed = {one.__name__ for one in exceptions() if kind_of(one) is kinds.REFUSED}
    assert unnamed == {"BotoCoreError"}


def test_every_name_of_the_tables_is_an_exception_of_botocore() -> None:
    named = {one.__name__ for one in exceptions()}
    translated = set(kinds.EXCEPTIONS)
    assert translated - named == set()
    assert kinds.DEFECTS - named == set()
    assert kinds.DEFECTS & translated == set()


def test_all_else_that_botocore_raises_is_about_its_own_models() -> None:
    others = {
        name
        for name, one in vars(boto).items()
        if inspect.isclass(one) and issubclass(one, Exception) and one.__module__ == boto.__name__
        if not issubclass(one, boto.BotoCoreError | boto.ClientError | Warning)
    }
    assert others == {"UndefinedModelAttributeError", "MissingServiceIdError"}


@pytest.mark.parametrize("service", CALLED)
def test_every_error_of_what_is_called_has_a_kind(service: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    codes = {
        getattr(shape, "error_code")  # noqa: B009 - botocore's stubs know shapes only
        for operation in CALLED[service].split()
        for shape in model.operation_model(operation).error_shapes
    }
    assert {code for code in codes if kinds.kind_of_code(code) is kinds.REFUSED} == set()


def test_every_kind_has_words_and_a_next_action() -> None:
    known = [kind for kind in vars(kinds).values() if isinstance(kind, kinds.Kind)]
    assert len(known) > 20
    for kind in known:
        assert kind.fault.startswith("aws-")
        assert kind.words
        assert kind.advice


# --- codes ----------------------------------------------------------------------------------------

CODES = [
    ("AccessDenied", "aws-denied"),
    ("AccessDeniedException", "aws-denied"),
    ("UnauthorizedTaggingOperation", "aws-denied"),
    ("403", "aws-denied"),
    ("ExpiredToken", "aws-expired"),
    ("ExpiredTokenException", "aws-expired"),
    ("RequestExpired", "aws-expired"),
    ("InvalidClientTokenId", "aws-credentials"),
    ("UnrecognizedClientException", "aws-credentials"),
    ("InvalidAccessKeyId", "aws-credentials"),
    ("SignatureDoesNotMatch", "aws-credentials"),
    ("RequestTimeTooSkewed", "aws-clock"),
    ("RegionDisabledException", "aws-settings"),
    ("Throttling", "aws-throttled"),
    ("ThrottlingException", "aws-throttled"),
    ("TooManyRequestsException", "aws-throttled"),
    ("RequestLimitExceeded", "aws-throttled"),
    ("SlowDown", "aws-throttled"),
    ("503", "aws-throttled"),
    ("LimitExceededException", "aws-limit"),
    ("StateMachineLimitExceeded", "aws-limit"),
    ("CodeStorageExceededException", "aws-limit"),
    ("ServiceQuotaExceededException", "aws-limit"),
    ("TooManyTagsException", "aws-limit"),
    ("KMSDisabledException", "aws-key"),
    ("KmsAccessDeniedException", "aws-key"),
    ("NoSuchBucket", "aws-missing"),
    ("NoSuchKey", "aws-missing"),
    ("404", "aws-missing"),
    ("EntityNotFoundException", "aws-missing"),
    ("StateMachineDoesNotExist", "aws-missing"),
    ("ChangeSetNotFound", "aws-missing"),
    ("PermanentRedirect", "aws-bucket-region"),
    ("301", "aws-bucket-region"),
    ("AlreadyExistsException", "aws-exists"),
    ("EntityAlreadyExists", "aws-exists"),
    ("ExecutionAlreadyExists", "aws-exists"),
    ("BucketAlreadyOwnedByYou", "aws-exists"),
    ("OperationInProgressException", "aws-busy"),
    ("ConcurrentModificationException", "aws-busy"),
    ("InvalidChangeSetStatus", "aws-busy"),
    ("ResourceInUseException", "aws-busy"),
    ("StateMachineDeleting", "aws-busy"),
    ("InternalServerException", "aws-unavailable"),
    ("InternalFailure", "aws-unavailable"),
    ("ServiceUnavailable", "aws-unavailable"),
    ("500", "aws-unavailable"),
    ("ValidationError", "aws-invalid"),
    ("InvalidDefinition", "aws-invalid"),
    ("MalformedPolicyDocument", "aws-invalid"),
    ("InsufficientCapabilitiesException", "aws-invalid"),
    ("SomethingNobodyKnows", "aws-refused"),
]


@pytest.mark.parametrize(("code", "fault"), CODES)
def test_codes(code: str, fault: str) -> None:
    found = fault_of(answered(code, "what it says"))
    assert found.code == fault
    assert found.expected == "to read the stack x"
    assert "what it says" in found.found


def test_a_refusal_stands_where_it_is_told_to() -> None:
    place = Place("config.yaml", 3)
    assert fault_of(answered("NoSuchBucket"), place=place).place == place
    assert fault_of(answered("NoSuchBucket")).place == Place("AWS")


def test_the_bucket_that_is_not_there_is_named() -> None:
    """As S3 answers, whatever was being done: a list names a table, not a place."""
    said: Any = {"Code": "NoSuchBucket", "Message": "It does not exist", "BucketName": "lkae"}
    error = boto.ClientError({"Error": said}, "ListObjectsV2")
    found = fault_of(error)
    assert found.found == "the bucket does not exist (NoSuchBucket: It does not exist: lkae)"


# --- denied ---------------------------------------------------------------------------------------

BECAUSE = [
    ("no identity-based policy allows the x action", "a policy of this user or role must allow it"),
    (
        "no permissions boundary allows the x action",
        "the permissions boundary of this user or role must allow it",
    ),
    (
        "no resource-based policy allows the x action",
        "the policy of the resource itself must allow it",
    ),
    (
        "no VPC endpoint policy allows the x action",
        "the policy of the VPC endpoint on the way there must allow it",
    ),
]


@pytest.mark.parametrize(("because", "advice"), BECAUSE)
def test_denied_names_who_what_where_and_which_policy(because: str, advice: str) -> None:
    message = (
        f"User: {ROLE} is not authorized to perform: cloudformation:CreateChangeSet "
        f"on resource: {STACK} because {because}"
    )
    fault = fault_of(answered("AccessDenied", message))
    assert fault.found == f"{ROLE} may not do cloudformation:CreateChangeSet on {STACK}"
    assert fault.advice == advice


def test_an_explicit_deny_is_said() -> None:
    message = (
        f"User: {ROLE} is not authorized to perform: glue:GetDatabases on resource: "
        "arn:aws:glue:eu-west-1:123456789012:catalog with an explicit deny in a service control "
        "policy"
    )
    fault = fault_of(answered("AccessDeniedException", message))
    assert fault.found.endswith("glue:GetDatabases on arn:aws:glue:eu-west-1:123456789012:catalog")
    assert fault.advice == (
        "who manages the organization must allow it there; a statement denies it expressly, "
        "which no other can allow"
    )


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("PutObject", "s3:PutObject"),
        ("HeadObject", "s3:GetObject (and s3:ListBucket, to be told what is absent)"),
        ("StartExecution", "StartExecution"),
    ],
)
def test_denied_without_a_name_says_the_action(operation: str, action: str) -> None:
    fault = fault_of(answered("AccessDenied", "Access Denied", operation))
    assert fault.found == f"these credentials may not do {action} (AWS says: Access Denied)"


# --- exceptions of botocore -----------------------------------------------------------------------

RAISED: list[tuple[type[Exception], dict[str, Any], str, str]] = [
    (boto.NoCredentialsError, {}, "aws-credentials", "aws sso login"),
    (
        boto.PartialCredentialsError,
        {"provider": "env", "cred_var": "AWS_SECRET_ACCESS_KEY"},
        "aws-credentials",
        "AWS_PROFILE",
    ),
    (boto.ProfileNotFound, {"profile": "prod"}, "aws-settings", "~/.aws/config"),
    (
        boto.TokenRetrievalError,
        {"provider": "sso", "error_msg": "Token has expired and refresh failed"},
        "aws-expired",
        "aws sso login",
    ),
    (boto.UnauthorizedSSOTokenError, {}, "aws-expired", "aws sso login"),
    (boto.SSOTokenLoadError, {"error_msg": "absent"}, "aws-expired", "aws sso login"),
    (boto.LoginRefreshRequired, {}, "aws-expired", "log in again"),
    (boto.EndpointConnectionError, {"endpoint_url": "https://x"}, "aws-unreachable", "proxy"),
    (boto.ConnectTimeoutError, {"endpoint_url": "https://x"}, "aws-unreachable", "network"),
    (boto.ReadTimeoutError, {"endpoint_url": "https://x"}, "aws-unreachable", "network"),
    (boto.ProxyConnectionError, {"proxy_url": "http://p"}, "aws-unreachable", "HTTPS_PROXY"),
    (
        boto.SSLError,
        {"endpoint_url": "https://x", "error": "unknown ca"},
        "aws-certificate",
        "AWS_CA_BUNDLE",
    ),
    (boto.NoRegionError, {}, "aws-settings", "region"),
    (
        boto.UnknownEndpointError,
        {"service_name": "athena", "region_name": "mars-1"},
        "aws-settings",
        "region",
    ),
    (boto.CapacityNotAvailableError, {}, "aws-throttled", "wait"),
]


@pytest.mark.parametrize(
    ("error", "fields", "code", "advice"), RAISED, ids=[row[0].__name__ for row in RAISED]
)
def test_exceptions(error: type[Exception], fields: dict[str, Any], code: str, advice: str) -> None:
    fault = fault_of(error(**fields))
    assert fault.code == code
    assert advice in fault.advice
    assert all(str(value) in fault.found for value in fields.values())


def test_an_answer_that_is_none_of_awss() -> None:
    fault = fault_of(ResponseParserError("Unable to parse response: <html>" + "x" * 1000))
    assert fault.code == "aws-unreachable"
    assert "<html>" in fault.found
    assert len(fault.found) < 500


def test_a_mistake_of_ours_stays_what_it_is() -> None:
    with pytest.raises(boto.ParamValidationError), refusals("do it"):
        raise boto.ParamValidationError(report="Missing required parameter")


def test_a_profile_that_is_not_there_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    credentials_only(monkeypatch)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CloudRefused) as caught:
        Session(REGION).client("sts")
    [fault] = caught.value.faults
    assert fault.code == "aws-settings"
    assert "nobody" in fault.found
    assert fault.expected == "to get ready to talk to sts"


def test_without_credentials_the_first_question_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials_only(monkeypatch)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    client = Session(REGION).client("sts")
    with pytest.raises(CloudRefused) as caught, refusals("ask whose credentials these are"):
        client.get_caller_identity()
    assert [fault.code for fault in caught.value.faults] == ["aws-credentials"]
