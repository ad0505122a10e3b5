"""Operations on buckets: making, removing and naming them, and what no bucket here has set.

In: calls.  Out: responses.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.local.s3_buckets import is_bucket_name
from runner.local.wire.messages import Response
from runner.local.wire.s3_body import receive_document
from runner.local.wire.s3_errors import Refused, refuse_unknown
from runner.local.wire.s3_lists import OWNER
from runner.local.wire.s3_objects import PRIVATE_ACLS
from runner.local.wire.s3_xml import BadXml, read_xml, write_xml

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.s3 import FolderS3
    from runner.local.wire.s3_call import Call
    from runner.local.wire.s3_xml import Value

_MOST_BUCKETS = 10_000
_DEFAULT_REGION = "us-east-1"
_GRANTEE = 'Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'
EMPTY = {
    "accelerate": ("AccelerateConfiguration", {}),
    "logging": ("BucketLoggingStatus", {}),
    "notification": ("NotificationConfiguration", {}),
    "requestPayment": ("RequestPaymentConfiguration", {"Payer": "BucketOwner"}),
    "versioning": ("VersioningConfiguration", {}),
}
"""What a bucket says where nothing was ever set."""
UNSET = {
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "encryption": (
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    "lifecycle": (
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    "object-lock": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    "ownershipControls": (
        "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
    ),
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "policyStatus": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "publicAccessBlock": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    "replication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "tagging": ("NoSuchTagSet", "The TagSet does not exist"),
    "website": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
}
"""What a bucket refuses to tell where nothing was ever set: all 404."""


class Places:
    """The operations on buckets."""

    def __init__(self, client: FolderS3, region: str) -> None:
        """Take the buckets, and the region that they say they are in."""
        self._client = client
        self._region = region

    def list(self, call: Call) -> Response:
        """ListBuckets."""
        prefix, after = call.query.get("prefix", ""), call.query.get("continuation-token", "")
        most = call.number("max-buckets", _MOST_BUCKETS)
        names = self._client.buckets.names()
        names = [name for name in names if name.startswith(prefix) and name > after]
        found = [
            {"Name": name, "CreationDate": self._made(name), "BucketRegion": self._region}
            for name in names[:most]
        ]
        more = len(found) < len(names) and found
        members: dict[str, Value] = {
            "Owner": OWNER,
            "Buckets": {"Bucket": found},
            **({"ContinuationToken": names[most - 1]} if more else {}),
            **({"Prefix": prefix} if prefix else {}),
        }
        return Response(200, {}, write_xml("ListAllMyBucketsResult", members))

    def head(self, _: Call) -> Response:
        """HeadBucket."""
        return Response(200, {"x-amz-bucket-region": self._region})

    def create(self, call: Call) -> Response:
        """CreateBucket; a region may be named, but all buckets are here."""
        if not is_bucket_name(call.bucket):
            raise Refused("InvalidBucketName")
        content = receive_document(call.request)
        try:
            if content.strip():
                read_xml(content, "CreateBucketConfiguration")
        except BadXml:
            raise Refused("MalformedXML") from None
        mine = self._client.buckets.has(call.bucket)
        try:
            if not mine:
                self._client.buckets.make(call.bucket)
        except FileExistsError:
            mine = True
        if mine and self._region != _DEFAULT_REGION:  # there, S3 says yes again
            raise Refused("BucketAlreadyOwnedByYou")
        return Response(200, {"Location": f"/{call.bucket}"})

    def delete(self, call: Call) -> Response:
        """DeleteBucket."""
        if self._client.list_objects_v2(Bucket=call.bucket, MaxKeys=1)["KeyCount"]:
            raise Refused("BucketNotEmpty")
        if not self._client.buckets.remove(call.bucket):
            if self._client.buckets.is_elsewhere(call.bucket):
                raise Refused("AccessDenied", "This bucket belongs to the server's configuration")
            raise Refused("BucketNotEmpty")
        return Response(204)

    def location(self, _: Call) -> Response:
        """GetBucketLocation; the oldest region has no name."""
        region = "" if self._region == _DEFAULT_REGION else self._region
        return Response(200, {}, write_xml("LocationConstraint", region))

    def _made(self, name: str) -> datetime:
        try:
            seconds = self._client.bucket_folder(name).stat().st_mtime
        except FileNotFoundError:
            seconds = 0
        return datetime.fromtimestamp(seconds, tz=UTC)


def say_empty(option: str) -> Callable[[Call], Response]:
    """Give the operation that tells a setting which nobody made."""
    root, members = EMPTY[option]
    return lambda _: Response(200, {}, write_xml(root, members))


def say_unset(option: str) -> Callable[[Call], Response]:
    """Give the operation that refuses to tell a setting which nobody made."""
    code, message = UNSET[option]

    def refuse(_: Call) -> Response:
        raise refuse_unknown(code, message, 404)

    return refuse


def access_of_all(_: Call) -> Response:
    """GetBucketAcl, GetObjectAcl: the owner may do everything."""
    grant = {_GRANTEE: OWNER, "Permission": "FULL_CONTROL"}
    members: Value = {"Owner": OWNER, "AccessControlList": {"Grant": grant}}
    return Response(200, {}, write_xml("AccessControlPolicy", members))


def no_annotations(call: Call) -> Response:
    """ListObjectAnnotations: nothing can be annotated here, so nothing is."""
    if "annotationName" in call.query:
        raise Refused("NotImplemented", "Annotations of objects are not served here")
    members: Value = {"Bucket": call.bucket, "Key": call.key, "AnnotationCount": 0}
    return Response(200, {}, write_xml("ListObjectAnnotationsResult", members))


def set_access(call: Call) -> Response:
    """PutBucketAcl, PutObjectAcl: what is so already may be asked for."""
    if call.headers.get("x-amz-acl", "") not in PRIVATE_ACLS:
        raise Refused("AccessControlListNotSupported")
    return Response(200)
