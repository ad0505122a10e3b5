"""Artifacts in S3: what is there already stays, what is absent is uploaded.

In: artifacts, each named by its content.  Out: which of them were absent.  An object that is there
with another size than the artifact's is what somebody else put there; it is written again.
"""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from runner.aws.refusals import code_of, refusals
from runner.aws.s3 import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_s3 import S3Client

    from runner.model.artifacts import Artifact

_Answer = TypeVar("_Answer")
_AT_ONCE = 16
_ABSENT = frozenset({"403", "404", "AccessDenied", "NoSuchKey", "NotFound"})
"""Without s3:ListBucket S3 says "403" of what is not there; the upload then tells which it was."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What an upload did, as URIs in the order given."""

    uploaded: tuple[str, ...]
    kept: tuple[str, ...]
    """What was there already."""


def absent(client: S3Client, artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """Give the artifacts that are not stored yet; one of each URI."""
    distinct = tuple({one.uri: one for one in artifacts}.values())
    there = _at_once(lambda one: _is_there(client, one), distinct)
    return tuple(one for one, stored in zip(distinct, there, strict=True) if not stored)


def store(client: S3Client, artifacts: Sequence[Artifact], *, kms_key: str = "") -> Stored:
    """Upload what is not stored yet, encrypted with `kms_key` where one is named."""
    missing = absent(client, artifacts)
    _at_once(lambda one: _upload(client, one, kms_key), missing)
    uploaded = tuple(one.uri for one in missing)
    kept = tuple(dict.fromkeys(one.uri for one in artifacts if one.uri not in set(uploaded)))
    return Stored(uploaded, kept)


def read(client: S3Client, uri: str) -> bytes:
    """Give what is stored; CloudRefused when it is not there."""
    bucket, key = place_of(uri)
    with refusals(f"read {uri}"):
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()


def read_if_there(client: S3Client, uri: str) -> bytes | None:
    """Give what is stored; None when it is not there (any more)."""
    bucket, key = place_of(uri)
    with refusals(f"read {uri}"):
        try:
            return client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None


def _is_there(client: S3Client, artifact: Artifact) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - only what talks to AWS needs it

    bucket, key = place_of(artifact.uri)
    with refusals(f"look whether {artifact.uri} is stored"):
        try:
            found = client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return False
            raise
    return found["ContentLength"] == len(artifact.body)


def _upload(client: S3Client, artifact: Artifact, kms_key: str) -> None:
    bucket, key = place_of(artifact.uri)
    digest = base64.b64encode(hashlib.sha256(artifact.body).digest()).decode()
    with refusals(f"upload {artifact.uri}"):
        if kms_key:
            client.put_object(
                Bucket=bucket,
                Key=key,
                Body=artifact.body,
                ChecksumSHA256=digest,
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=kms_key,
            )
        else:
            client.put_object(Bucket=bucket, Key=key, Body=artifact.body, ChecksumSHA256=digest)


def _at_once(do: Callable[[Artifact], _Answer], artifacts: Sequence[Artifact]) -> list[_Answer]:
    """Do it for several at once; the first refusal leaves, and what has not begun is not begun."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="artifacts") as pool:
        try:
            return list(pool.map(do, artifacts))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
