"""`streams:` of a project: put into on this machine, deployed as Firehose streams."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import open_bundle
from runner.app.desired import desired
from runner.errors import ProjectError
from tests.project.projects import write_files

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """project: shop
streams:
  events: {transform: loud, prefix: "events/dt=!{timestamp:yyyy-MM-dd}/"}
environments:
  local: {engine: local}
  prod:
    engine: aws
    region: us-east-1
    account: "123456789012"
    lake: s3://shop-lake/
    results: s3://shop-results/
    streams_to: s3://shop-raw/in/
"""
LOUD = """import base64
import boto3

def handler(event, context):
    boto3.client("sns").publish(TopicArn="arn:aws:sns:us-east-1:0:told", Message="seen")
    boto3.client("s3").put_object(Bucket="seen", Key="n", Body=b"1")
    text = boto3.client("s3").list_buckets()["Buckets"]
    records = []
    for record in event["records"]:
        data = base64.b64decode(record["data"]).upper()
        records.append({**record, "result": "Ok", "data": base64.b64encode(data).decode()})
    return {"records": records, "buckets": len(text)}
"""
SETTINGS = """permissions:
  - {actions: [s3:ListAllMyBuckets, s3:PutObject, sns:Publish], resources: ["*"]}
events:
  changes: {type: dynamodb, stream: "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2024"}
  clicks: {type: kinesis, stream: "arn:aws:kinesis:us-east-1:123456789012:stream/c", window: 10s}
  written: {type: object, bucket: shop-raw, prefix: in/, suffix: .json}
  logs: {type: logs, group: /app/web, filter: ERROR}
"""
FILES = {
    "config.yaml": CONFIG,
    "lambdas/loud/handler.py": LOUD,
    "lambdas/loud/function.yaml": SETTINGS,
}


def runner(root: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runner", *words, "--project", str(root)],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )


def test_lines_are_put_and_changed_by_a_function_that_reaches_this_machines_services(
    tmp_path: Path,
) -> None:
    root = write_files(tmp_path, FILES)
    put = runner(root, "stream", "put", "events", "--at", "2024-05-06", "--json", given="a\nb\n")
    assert put.returncode == 0, put.stderr
    told = json.loads(put.stdout)
    assert (told["records"], told["dropped"], told["failed"]) == (2, 0, 0)
    (uri,) = told["objects"]
    assert uri.startswith("s3://streams/events/dt=2024-05-06/shop-local-events-1-2024-05-06-")
    path = root / ".runner/s3" / uri.removeprefix("s3://")
    assert gzip.decompress(path.read_bytes()) == b"A\nB\n"
    message = json.loads((root / ".runner/sns.jsonl").read_text())
    assert message["Message"] == "seen"
    assert (root / ".runner/s3/seen/n").read_bytes() == b"1"


def template(root: Path) -> dict[str, Any]:
    found = desired(root, open_bundle(root, "prod")).template
    resources: dict[str, Any] = found["Resources"]
    return resources


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources.values() if one["Type"] == f"AWS::{kind}"]


def test_a_stream_is_deployed_with_its_function(tmp_path: Path) -> None:
    resources = template(write_files(tmp_path, FILES))
    (stream,) = of_type(resources, "KinesisFirehose::DeliveryStream")
    place = stream["ExtendedS3DestinationConfiguration"]
    assert stream["DeliveryStreamName"] == "shop-prod-events"
    assert place["BucketARN"] == "arn:aws:s3:::shop-raw"
    assert place["Prefix"] == "in/events/dt=!{timestamp:yyyy-MM-dd}/"
    (processor,) = place["ProcessingConfiguration"]["Processors"]
    assert processor["Parameters"][0]["ParameterName"] == "LambdaArn"
    (role,) = [
        one
        for one in of_type(resources, "IAM::Role")
        if "firehose" in json.dumps(one["AssumeRolePolicyDocument"])
    ]
    allowed = json.dumps(role["Policies"])
    assert "arn:aws:s3:::shop-raw/in/*" in allowed
    assert "function:shop-prod-loud" in allowed
    assert "kinesis:GetRecords" not in allowed


def test_what_calls_a_function_is_deployed(tmp_path: Path) -> None:
    resources = template(write_files(tmp_path, FILES))
    mappings = {
        one["EventSourceArn"].split(":")[2]: one
        for one in of_type(resources, "Lambda::EventSourceMapping")
    }
    assert mappings["kinesis"]["MaximumBatchingWindowInSeconds"] == 10
    assert mappings["dynamodb"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    (rule,) = [one for one in of_type(resources, "Events::Rule") if "aws.s3" in json.dumps(one)]
    assert rule["EventPattern"]["detail"]["object"] == {"key": [{"wildcard": "in/*.json"}]}
    (subscription,) = of_type(resources, "Logs::SubscriptionFilter")
    assert (subscription["LogGroupName"], subscription["FilterPattern"]) == ("/app/web", "ERROR")
    principals = {one["Principal"] for one in of_type(resources, "Lambda::Permission")}
    assert {"events.amazonaws.com", "logs.amazonaws.com"} <= principals


@pytest.mark.parametrize(("many", "said"), [(1, "exact"), (40, "prefix")])
def test_the_end_of_executions_calls_a_function(tmp_path: Path, many: int, said: str) -> None:
    tell = """uses: builtin:notify
environment: {TOPIC_ARN: "arn:aws:sns:us-east-1:123456789012:alerts"}
permissions:
  - {actions: [sns:Publish], resources: ["arn:aws:sns:us-east-1:123456789012:alerts"]}
events:
  failed: {type: executions}
  done: {type: executions, status: [SUCCEEDED]}
"""
    flows = {
        f"workflows/flow{n}.yaml": "steps:\n  pause: {type: wait, duration: 1s}\n"
        for n in range(many)
    }
    files = {"config.yaml": CONFIG, **FILES, **flows, "lambdas/tell/function.yaml": tell}
    resources = template(write_files(tmp_path, files))
    rules = {
        one["Name"]: one for one in of_type(resources, "Events::Rule") if "tell" in one["Name"]
    }
    assert set(rules) == {"shop-prod-tell-on-failed", "shop-prod-tell-on-done"}
    pattern = rules["shop-prod-tell-on-failed"]["EventPattern"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert rules["shop-prod-tell-on-done"]["EventPattern"]["detail"]["status"] == ["SUCCEEDED"]
    machines = "arn:aws:states:us-east-1:123456789012:stateMachine:shop-prod-"
    expected = f"{machines}flow0" if said == "exact" else {"prefix": machines}
    assert expected in pattern["detail"]["stateMachineArn"]
    callers = [
        one["SourceArn"]["Fn::GetAtt"][0]
        for one in of_type(resources, "Lambda::Permission")
        if "Executions" in json.dumps(one["SourceArn"])
    ]
    assert {resources[one]["Properties"]["Name"] for one in callers} == set(rules)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("transform: loud", "transform: quiet", "unknown-function"),
        ("transform: loud, ", "", None),
        ('"events/dt=!{timestamp:yyyy-MM-dd}/"', '"e/!{partitionKeyFromLambda:k}/"', "wrong-value"),
        (
            'transform: loud, prefix: "events/dt=!{timestamp:yyyy-MM-dd}/"',
            'size: 64, prefix: "e/!{partitionKeyFromLambda:k}/"',
            "missing-key",
        ),
        ("events/dt=!{timestamp:yyyy-MM-dd}/", "e/!{partitionKeyFromQuery:k}/", "wrong-value"),
        ("  events: {", "  Events: {", "bad-name"),
        ("  events: {", "  events: {interval: 20m, ", "wrong-value"),
    ],
)
def test_what_a_stream_may_say(tmp_path: Path, old: str, new: str, code: str | None) -> None:
    assert old in CONFIG
    root = write_files(tmp_path, {**FILES, "config.yaml": CONFIG.replace(old, new)})
    if code is None:
        assert open_bundle(root).streams["events"]["transform"] is None
        return
    with pytest.raises(ProjectError) as caught:
        open_bundle(root)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_an_environment_must_say_where_streams_deliver(tmp_path: Path) -> None:
    config = CONFIG.replace("    streams_to: s3://shop-raw/in/\n", "")
    root = write_files(tmp_path, {**FILES, "config.yaml": config})
    with pytest.raises(ProjectError) as caught:
        desired(root, open_bundle(root, "prod"))
    assert [fault.code for fault in caught.value.faults] == ["missing-key"]
