"""Artifacts are uploaded once, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest

from runner.aws.artifacts import Stored, absent, read, store
from runner.errors import CloudRefused
from runner.model.artifacts import Artifact
from tests.support.aws import BUCKET, stubbed

if TYPE_CHECKING:
    from tests.support.aws import Aws

ONE = Artifact(f"s3://{BUCKET}/_runner/artifacts/1.json", b"{}")
TWO = Artifact(f"s3://{BUCKET}/_runner/artifacts/2.zip", b"PK" * 1000)


def test_only_what_is_absent_is_uploaded(aws: Aws) -> None:
    assert store(aws.s3, [ONE]) == Stored((ONE.uri,), ())
    stamp = aws.s3.head_object(Bucket=BUCKET, Key="_runner/artifacts/1.json")["LastModified"]
    assert absent(aws.s3, [ONE, TWO]) == (TWO,)
    assert store(aws.s3, [ONE, TWO]) == Stored((TWO.uri,), (ONE.uri,))
    again = aws.s3.head_object(Bucket=BUCKET, Key="_runner/artifacts/1.json")["LastModified"]
    assert again == stamp
    assert read(aws.s3, TWO.uri) == TWO.body


def test_nothing_is_uploaded_twice(aws: Aws) -> None:
    assert store(aws.s3, [ONE, ONE]) == Stored((ONE.uri,), ())
    assert store(aws.s3, [ONE, ONE]) == Stored((), (ONE.uri,))


def test_an_object_of_another_size_is_not_the_artifact(aws: Aws) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="_runner/artifacts/1.json", Body=b"half a thing")
    assert store(aws.s3, [ONE]).uploaded == (ONE.uri,)
    assert read(aws.s3, ONE.uri) == b"{}"


def test_a_key_encrypts_and_the_checksum_is_sent() -> None:
    digest = base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
    with stubbed("s3") as (client, script):
        script.add_client_error("head_object", "404", http_status_code=404)
        script.add_response(
            "put_object",
            {},
            {
                "Bucket": BUCKET,
                "Key": "_runner/artifacts/1.json",
                "Body": b"{}",
                "ChecksumSHA256": digest,
                "ServerSideEncryption": "aws:kms",
                "SSEKMSKeyId": "arn:aws:kms:eu-west-1:123456789012:key/k",
            },
        )
        store(client, [ONE], kms_key="arn:aws:kms:eu-west-1:123456789012:key/k")


def test_forbidden_to_look_is_not_known_to_be_there() -> None:
    with stubbed("s3") as (client, script):
        script.add_client_error("head_object", "403", http_status_code=403)
        script.add_client_error("put_object", "AccessDenied", "Access Denied", 403)
        with pytest.raises(CloudRefused) as caught:
            store(client, [ONE])
    [fault] = caught.value.faults
    assert fault.code == "aws-denied"
    assert "s3:PutObject" in fault.found
    assert fault.expected == f"to upload {ONE.uri}"


def test_what_else_goes_wrong_with_a_look_is_told() -> None:
    with stubbed("s3") as (client, script):
        script.add_client_error("head_object", "400", "Bad Request", 400)
        with pytest.raises(CloudRefused) as caught:
            absent(client, [ONE])
    [fault] = caught.value.faults
    assert fault.expected == f"to look whether {ONE.uri} is stored"


def test_a_bucket_that_is_not_there_is_named(aws: Aws) -> None:
    with pytest.raises(CloudRefused) as caught:
        store(aws.s3, [Artifact("s3://nobody/x", b"x"), Artifact("s3://nobody/y", b"y")])
    [fault] = caught.value.faults
    assert fault.code == "aws-missing"
    assert "the bucket does not exist" in fault.found
    assert "make the bucket" in fault.advice


def test_reading_what_is_absent(aws: Aws) -> None:
    with pytest.raises(CloudRefused) as caught:
        read(aws.s3, ONE.uri)
    assert [fault.code for fault in caught.value.faults] == ["aws-missing"]
