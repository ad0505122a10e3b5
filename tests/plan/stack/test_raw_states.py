"""Permissions of raw states: derived from the call's name and arguments, or as the user says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.plan.stack.facts import Grant
from runner.plan.stack.iam.machine import machine_statements
from runner.plan.stack.iam.uses import uses_of
from tests.support.stacks import KEEPER_CALL, call, definition, machine, stack

HERE = "us-east-1:123456789012"


def allowed(*tasks: dict[str, Any], **more: Any) -> list[tuple[list[str], list[str]]]:  # noqa: ANN401
    """Give actions and resources beyond the keeper's call and the log."""
    one = machine("raw", *tasks, **more)
    statements = machine_statements(stack(one, log_level="OFF"), one, uses_of(one.definition))
    return [
        (list(made.actions), [spot.exact for spot in made.on])
        for made in statements
        if made.sid != "Functions"
    ]


CASES = [
    (
        call("dynamodb:putItem", TableName="runs", Item={}),
        [(["dynamodb:PutItem"], [f"arn:aws:dynamodb:{HERE}:table/runs"])],
    ),
    (
        call("aws-sdk:glue:startCrawler", Name="raw"),
        [(["glue:StartCrawler"], [f"arn:aws:glue:{HERE}:crawler/raw"])],
    ),
    (
        call("glue:startJobRun.sync", JobName="convert"),
        [
            (
                ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"],
                [f"arn:aws:glue:{HERE}:job/convert"],
            )
        ],
    ),
    (
        call("codebuild:startBuild.sync", ProjectName="site"),
        [
            (
                ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
                [f"arn:aws:codebuild:{HERE}:project/site"],
            ),
            (
                ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                [f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventForCodeBuildStartBuildRule"],
            ),
        ],
    ),
    (
        call("sqs:sendMessage", QueueUrl="https://sqs.us-east-1.amazonaws.com/123456789012/q"),
        [(["sqs:SendMessage"], [f"arn:aws:sqs:{HERE}:q"])],
    ),
    (
        call("aws-sdk:s3:listObjectsV2", Bucket="b", Prefix="p/"),
        [(["s3:ListBucket"], ["arn:aws:s3:::b"])],
    ),
    (
        call("aws-sdk:s3:putObject", Bucket="b", Key="k/a"),
        [(["s3:PutObject"], ["arn:aws:s3:::b/k/a"])],
    ),
    (
        call("aws-sdk:s3:deleteObjects", Bucket="b", Delete="{% $keys %}"),
        [(["s3:DeleteObject"], ["arn:aws:s3:::b/*"])],
    ),
    (
        call("aws-sdk:s3:copyObject", Bucket="b", Key="k", CopySource="/from/a"),
        [
            (["s3:GetObject"], ["arn:aws:s3:::from/a"]),
            (["s3:PutObject"], ["arn:aws:s3:::b/k"]),
        ],
    ),
    (
        call("aws-sdk:ssm:getParameter", Name="/flights/x"),
        [(["ssm:GetParameter"], [f"arn:aws:ssm:{HERE}:parameter/flights/x"])],
    ),
    (
        call("aws-sdk:secretsmanager:describeSecret", SecretId="arn:aws:secretsmanager:x-AbCdEf"),
        [(["secretsmanager:DescribeSecret"], ["arn:aws:secretsmanager:x-AbCdEf"])],
    ),
    (
        call("aws-sdk:redshiftdata:executeStatement", Sql="SELECT 1"),
        [(["redshift-data:ExecuteStatement"], ["*"])],
    ),
    (
        call("aws-sdk:rds:startExportTask", ExportTaskIdentifier="x"),
        [(["rds:StartExportTask"], ["*"])],
    ),
    (
        call(
            "aws-sdk:rds:startExportTask",
            SourceArn="arn:aws:rds:us-east-1:123456789012:cluster:shop",
            IamRoleArn="arn:aws:iam::123456789012:role/export",
            KmsKeyId="arn:aws:kms:us-east-1:123456789012:key/0a",
        ),
        [
            (["rds:StartExportTask"], ["arn:aws:rds:us-east-1:123456789012:cluster:shop"]),
            (["iam:PassRole"], ["arn:aws:iam::123456789012:role/export"]),
            (
                ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"],
                ["arn:aws:kms:us-east-1:123456789012:key/0a"],
            ),
        ],
    ),
    (call("events:putEvents", Entries=[]), [(["events:PutEvents"], ["*"])]),
    (
        call("aws-sdk:sfn:describeExecution", ExecutionArn="{% $arn %}"),
        [(["states:DescribeExecution"], ["*"])],
    ),
    (
        call("lambda:invoke", FunctionName="{% $name %}"),
        [(["lambda:InvokeFunction"], ["*"])],
    ),
    (call("sns:publish", PhoneNumber="{% $to %}"), [(["sns:Publish"], ["*"])]),
    (
        call("states:startExecution", StateMachineArn="{% $arn %}"),
        [(["states:StartExecution"], ["*"])],
    ),
    (
        call("aws-sdk:glue:getTable", DatabaseName="{% $db %}", Name="t"),
        [(["glue:GetTable"], ["*"])],
    ),
    (
        call("aws-sdk:glue:getPartitions", DatabaseName="raw", TableName="t"),
        [
            (
                ["glue:GetPartitions"],
                [
                    f"arn:aws:glue:{HERE}:catalog",
                    f"arn:aws:glue:{HERE}:database/raw",
                    f"arn:aws:glue:{HERE}:table/raw/t",
                ],
            )
        ],
    ),
    (
        call("aws-sdk:glue:startWorkflowRun", Name="w"),
        [(["glue:StartWorkflowRun"], ["*"])],
    ),
    (
        call(
            "aws-sdk:secretsmanager:getSecretValue",
            SecretId=f"arn:aws:secretsmanager:{HERE}:secret:api",
        ),
        [
            (
                ["secretsmanager:GetSecretValue"],
                [f"arn:aws:secretsmanager:{HERE}:secret:api-??????"],
            )
        ],
    ),
    (call("aws-sdk:s3:listBuckets"), [(["s3:ListAllMyBuckets"], ["*"])]),
    (
        call("athena:getQueryResults", QueryExecutionId="{% $id %}"),
        [
            (
                ["athena:GetQueryResults"],
                [
                    f"arn:aws:athena:{HERE}:datacatalog/AwsDataCatalog",
                    f"arn:aws:athena:{HERE}:workgroup/flights",
                ],
            )
        ],
    ),
    (
        call("ecs:runTask", TaskDefinition="mine:3"),
        [(["ecs:RunTask"], [f"arn:aws:ecs:{HERE}:task-definition/mine:3"])],
    ),
    (
        call("ecs:runTask", TaskDefinition=f"arn:aws:ecs:{HERE}:task-definition/mine:4"),
        [(["ecs:RunTask"], [f"arn:aws:ecs:{HERE}:task-definition/mine:4"])],
    ),
    (
        call("ecs:runTask", TaskDefinition=f"arn:aws:ecs:{HERE}:task-definition/mine"),
        [(["ecs:RunTask"], [f"arn:aws:ecs:{HERE}:task-definition/mine:*"])],
    ),
    (
        call("states:startExecution", StateMachineArn=f"arn:aws:states:{HERE}:stateMachine:x"),
        [(["states:StartExecution"], [f"arn:aws:states:{HERE}:stateMachine:x"])],
    ),
    (
        call(
            "states:startExecution.sync:2",
            StateMachineArn=f"arn:aws:states:{HERE}:stateMachine:x:live",
        ),
        [
            (["states:StartExecution"], [f"arn:aws:states:{HERE}:stateMachine:x:live"]),
            (
                ["states:DescribeExecution", "states:StopExecution"],
                [f"arn:aws:states:{HERE}:execution:x:*"],
            ),
            (
                ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                [f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"],
            ),
        ],
    ),
    ({"Resource": f"arn:aws:states:{HERE}:activity:people"}, []),
]


@pytest.mark.parametrize(("task", "expected"), CASES)
def test_a_call_is_allowed_on_what_its_arguments_name(
    task: dict[str, Any], expected: list[tuple[list[str], list[str]]]
) -> None:
    assert allowed(task) == expected


def test_calls_of_one_action_share_a_statement() -> None:
    put = [call("dynamodb:putItem", TableName=name) for name in ("b", "a")]
    tables = [f"arn:aws:dynamodb:{HERE}:table/{name}" for name in ("a", "b")]
    assert allowed(*put) == [(["dynamodb:PutItem"], tables)]


def test_an_export_of_the_newest_snapshot_is_allowed_on_the_instances_own() -> None:
    """RDS calls its automatic snapshots rds:<instance>-<time>."""
    rights = {"IamRoleArn": "arn:aws:iam::1:role/export", "KmsKeyId": "arn:aws:kms:x:1:key/0a"}
    made = allowed(
        call("aws-sdk:rds:describeDBSnapshots", DbInstanceIdentifier="shop"),
        call("aws-sdk:rds:startExportTask", SourceArn="{% $states.input.source %}", **rights),
    )
    assert made[0] == (["rds:StartExportTask"], [f"arn:aws:rds:{HERE}:snapshot:rds:shop-*"])
    assert (["rds:DescribeDBSnapshots"], ["*"]) in made


def test_an_export_of_a_clusters_newest_snapshot_is_allowed_on_the_clusters_own() -> None:
    rights = {"IamRoleArn": "arn:aws:iam::1:role/export", "KmsKeyId": "arn:aws:kms:x:1:key/0a"}
    made = allowed(
        call("aws-sdk:rds:describeDBClusterSnapshots", DbClusterIdentifier="shop"),
        call("aws-sdk:rds:startExportTask", SourceArn="{% $states.input.source %}", **rights),
    )
    snapshots = f"arn:aws:rds:{HERE}:cluster-snapshot:rds:shop-*"
    assert made[0] == (["rds:StartExportTask"], [snapshots])
    assert (["rds:DescribeDBClusterSnapshots"], ["*"]) in made


def test_where_nobody_knows_the_resource_the_users_word_counts() -> None:
    run = call("aws-sdk:redshiftdata:executeStatement", Sql="SELECT 1")
    where = f"arn:aws:redshift:{HERE}:cluster:c"
    grants = (Grant(("redshift-data:*",), (where,)),)
    assert allowed(run, grants=grants) == [(["redshift-data:*"], [where])]
    other = (Grant(("s3:GetObject",), ("arn:aws:s3:::b/*",)),)
    assert (["redshift-data:ExecuteStatement"], ["*"]) in allowed(run, grants=other)


def test_parameters_of_jsonpath_are_understood() -> None:
    state = {
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Parameters": {"TableName": "runs", "Item.$": "$.item"},
    }
    assert allowed(state) == [(["dynamodb:PutItem"], [f"arn:aws:dynamodb:{HERE}:table/runs"])]


def test_readers_and_writers_of_a_map_are_calls() -> None:
    flow = {
        "StartAt": "each",
        "States": {
            "each": {
                "Type": "Map",
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "Arguments": {"Bucket": "b", "Key": "list.json"},
                },
                "ResultWriter": {
                    "Resource": "arn:aws:states:::s3:putObject",
                    "Arguments": {"Bucket": "b", "Prefix": "out/"},
                },
                "Iterator": {"StartAt": "x", "States": {"x": {"Type": "Task", **KEEPER_CALL}}},
                "End": True,
            }
        },
    }
    found = [
        (one.service, one.action, one.known("Bucket")) for one in uses_of(json.dumps(flow)).calls
    ]
    assert found == [("s3", "getObject", "b"), ("s3", "putObject", "b"), ("lambda", "invoke", "")]


def test_what_stands_in_arguments_is_not_a_call() -> None:
    put = call("events:putEvents", Entries=[{"Resource": "arn:aws:states:::sns:publish"}])
    text = definition(put)
    assert '"arn:aws:states:::sns:publish"' in text
    assert allowed(put) == [(["events:PutEvents"], ["*"])]


@pytest.mark.parametrize(
    ("key", "resources"),
    [
        ("sql/a.json", ["lake/sql/a.json"]),
        (
            '{% $inferred = null ? "sql/a.json" : "sql/b.json" %}',
            ["lake/sql/a.json", "lake/sql/b.json"],
        ),
        ('{% $a ? $b : "sql/b.json" %}', ["lake/*"]),
        ('{% $a ? "sql/a.json" : "b" & $c %}', ["lake/*"]),
        ('{% $a ? $b ? "c" : "d" : "e" %}', ["lake/*"]),
        ("{% $states.input.key %}", ["lake/*"]),
    ],
)
def test_a_key_that_is_one_of_two_is_one_of_these(key: str, resources: list[str]) -> None:
    """Definitions choose between two files of SQL: they need not read the whole bucket."""
    found = allowed(call("aws-sdk:s3:getObject", Bucket="lake", Key=key))
    assert found == [(["s3:GetObject"], [f"arn:aws:s3:::{one}" for one in resources])]
