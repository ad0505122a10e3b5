"""Delivery streams (Amazon Data Firehose): each with a role and a log group of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.functions import function_id
from runner.plan.stack.iam.statements import Statement, allow
from runner.plan.stack.iam.trust import stream_trust
from runner.plan.stack.names import (
    Arns,
    bucket_and_key,
    bucket_arn,
    fitting,
    logical_id,
    objects_arn,
)
from runner.plan.stack.parts import (
    Resources,
    arn_of,
    log_group,
    ref,
    resource,
    role,
    role_id,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts, StreamFacts

_LOG_STREAM = "delivery"
_CALL_MIB = "1"
"""Of a call of the function: its answer must keep within Lambda's 6 MB, base64 included."""
_CALL_S = "60"
_OBJECTS = (
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
_BUCKET = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
_KINESIS = (
    "kinesis:DescribeStream",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)


def stream_id(name: str) -> str:
    """Give a stream's logical id."""
    return logical_id("Stream", name)


def stream_resources(facts: StackFacts) -> Resources:
    """Make the delivery streams of an environment."""
    made: Resources = {}
    for stream in facts.streams:
        group, name = f"/aws/kinesisfirehose/{stream.name}", f"{stream.name}-stream"
        made |= log_group(facts, group)
        made[logical_id("LogStream", group)] = resource(
            "Logs::LogStream",
            {"LogGroupName": ref(logical_id("Log", group)), "LogStreamName": _LOG_STREAM},
        )
        made |= role(
            facts,
            name,
            why=f"What the stream {stream.name} reads, calls and writes.",
            trust=stream_trust(facts, stream.name),
            statements=tuple(_statements(facts, stream, group)),
        )
        made[stream_id(stream.name)] = _stream(facts, stream, group, role_id(name))
    return made


def _statements(facts: StackFacts, stream: StreamFacts, group: str) -> Iterator[Statement]:
    yield allow("Objects", _OBJECTS, [objects_arn(stream.to)])
    yield allow("Bucket", _BUCKET, [bucket_arn(stream.to)])
    yield allow("Log", ["logs:PutLogEvents"], [Arns.of(facts).log_group(group)])
    if stream.function:
        arn = Arns.of(facts).function(stream.function)
        calls = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"]
        yield allow("Function", calls, [arn, f"{arn}:*"])
    if stream.source:
        yield allow("Source", _KINESIS, [stream.source])
    if facts.keys.data:
        yield allow("DataKey", ["kms:Decrypt", "kms:GenerateDataKey"], [facts.keys.data])


def _stream(facts: StackFacts, stream: StreamFacts, group: str, role_of: str) -> Json:
    _, key = bucket_and_key(stream.to)
    destination: dict[str, Json] = {
        "BucketARN": bucket_arn(stream.to),
        "RoleARN": arn_of(role_of),
        "Prefix": f"{key}{stream.prefix}",
        "ErrorOutputPrefix": f"{key}{stream.errors}",
        "BufferingHints": {"IntervalInSeconds": stream.interval_s, "SizeInMBs": stream.size_mib},
        "CompressionFormat": {"none": "UNCOMPRESSED", "gzip": "GZIP"}[stream.compression],
        "CloudWatchLoggingOptions": {
            "Enabled": True,
            "LogGroupName": ref(logical_id("Log", group)),
            "LogStreamName": ref(logical_id("LogStream", group)),
        },
    }
    if stream.function:
        destination["ProcessingConfiguration"] = {
            "Enabled": True,
            "Processors": [{"Type": "Lambda", "Parameters": _parameters(stream)}],
        }
    if stream.partitioned:
        destination["DynamicPartitioningConfiguration"] = {"Enabled": True}
    if facts.keys.data:
        key_arn = {"AWSKMSKeyARN": facts.keys.data}
        destination["EncryptionConfiguration"] = {"KMSEncryptionConfig": key_arn}
    properties: dict[str, Json] = {
        "DeliveryStreamName": fitting(stream.name),
        "DeliveryStreamType": "KinesisStreamAsSource" if stream.source else "DirectPut",
        "ExtendedS3DestinationConfiguration": destination,
        "Tags": tags(facts),
    }
    if stream.source:
        properties["KinesisStreamSourceConfiguration"] = {
            "KinesisStreamARN": stream.source,
            "RoleARN": arn_of(role_of),
        }
    return resource("KinesisFirehose::DeliveryStream", properties)


def _parameters(stream: StreamFacts) -> Json:
    return [
        {"ParameterName": "LambdaArn", "ParameterValue": arn_of(function_id(stream.function))},
        {"ParameterName": "BufferSizeInMBs", "ParameterValue": _CALL_MIB},
        {"ParameterName": "BufferIntervalInSeconds", "ParameterValue": _CALL_S},
    ]
