"""S3's REST protocol over buckets that are folders.

In: requests, addressed by path or by the host's name.  Out: responses; refusals are S3's error
documents.  Signatures are not checked: whoever reaches the port may do everything, but a presigned
URL whose time has passed is refused.  What is not served says so by name (501).
"""

from __future__ import annotations

import errno
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from runner.local.s3 import S3Error
from runner.local.wire.s3_call import read_call, refuse_expired
from runner.local.wire.s3_copies import copy
from runner.local.wire.s3_deletes import delete_objects
from runner.local.wire.s3_errors import Refused, refuse_unknown, respond
from runner.local.wire.s3_heads import Heads
from runner.local.wire.s3_lists import Lists
from runner.local.wire.s3_multipart import Multipart
from runner.local.wire.s3_objects import Objects
from runner.local.wire.s3_places import (
    EMPTY,
    UNSET,
    Places,
    access_of_all,
    no_annotations,
    say_empty,
    say_unset,
    set_access,
)
from runner.local.wire.s3_tags import Tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.s3 import FolderS3
    from runner.local.wire.messages import Request, Response
    from runner.local.wire.s3_call import Call

    Operation = Callable[[Call], Response]
    Operations = Mapping[tuple[str, str], Operation]
_BUCKET_OPTIONS = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "session",
    "tagging",
    "uploads",
    "versioning",
    "versions",
    "website",
]
_OBJECT_OPTIONS = [
    "acl",
    "annotation",
    "attributes",
    "encryption",
    "legal-hold",
    "renameObject",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "uploads",
    "uploadId",
    "append",
]


_WRITING = frozenset({"POST", "PUT"})


class S3Service:
    """Answers S3's requests."""

    streams = True

    def __init__(
        self,
        client: FolderS3,
        *,
        region: str = "us-east-1",
        now: Callable[[], datetime] | None = None,
        makes_buckets: bool = False,
    ) -> None:
        """Take the buckets, the region that they say they are in, and a clock.

        With `makes_buckets` a bucket is there as soon as something is put into it.
        """
        self._client = client
        self._makes_buckets = makes_buckets
        self._now = now or partial(datetime.now, UTC)
        objects = Objects(client, Heads(client))
        multipart = Multipart(objects)
        places = Places(client, region)
        self._on_all: Operations = {("GET", ""): places.list}
        self._on_buckets: Operations = _on_buckets(objects, multipart, places)
        self._on_objects: Operations = _on_objects(objects, multipart)

    def answer(self, request: Request) -> Response:
        """Do what is asked; every refusal is an answer too."""
        bucket = key = ""
        try:
            call = read_call(request)
            bucket, key = call.bucket, call.key
            refuse_expired(call.query, self._now())
            return _finished(self._operation(call)(call))
        except Refused as refused:
            return respond(refused, bucket=bucket, key=key)
        except S3Error as error:
            return respond(_translated(error), bucket=bucket, key=key)
        except ConnectionError:  # the client went away
            raise
        except OSError as error:
            return respond(_of_file_system(error), bucket=bucket, key=key)

    def _operation(self, call: Call) -> Operation:
        if call.method == "OPTIONS":
            raise Refused("AccessForbidden")
        if not call.bucket:
            return _found(self._on_all, call, ())
        if call.key:
            operations, options = self._on_objects, _OBJECT_OPTIONS
        else:
            operations, options = self._on_buckets, _BUCKET_OPTIONS
        operation = _found(operations, call, options)
        if (call.method, call.key) != ("PUT", "") and not self._client.buckets.has(call.bucket):
            if not self._makes_buckets or not call.key or call.method not in _WRITING:
                raise Refused("NoSuchBucket")
            self._client.buckets.make(call.bucket)
        return operation


def _found(operations: Operations, call: Call, options: tuple[str, ...] | list[str]) -> Operation:
    """Choose by method and by the option that the query names."""
    option = next((each for each in options if each in call.query), "")
    operation = operations.get((call.method, option))
    if operation is not None:
        return operation
    if option:
        asked = f"{call.method} ?{option} of {'an object' if call.key else 'a bucket'}"
        raise Refused("NotImplemented", f"{asked} is not served here")
    raise Refused("MethodNotAllowed", Method=call.method, ResourceType="OBJECT")


def _on_buckets(objects: Objects, multipart: Multipart, places: Places) -> Operations:
    lists = Lists(objects.client)
    return {
        **{("GET", option): say_empty(option) for option in EMPTY},
        **{("GET", option): say_unset(option) for option in UNSET},
        ("GET", ""): lists.first,
        ("GET", "list-type"): lists.second,
        ("GET", "versions"): lists.versions,
        ("GET", "location"): places.location,
        ("GET", "acl"): access_of_all,
        ("PUT", "acl"): set_access,
        ("HEAD", ""): places.head,
        ("PUT", ""): places.create,
        ("DELETE", ""): places.delete,
        ("GET", "uploads"): multipart.list_uploads,
        ("POST", "delete"): partial(delete_objects, objects),
    }


def _on_objects(objects: Objects, multipart: Multipart) -> Operations:
    tags = Tags(objects.client, objects.heads)

    def put(call: Call) -> Response:
        return copy(objects, call) if "x-amz-copy-source" in call.headers else objects.put(call)

    def of_object(operation: Operation) -> Operation:
        def act(call: Call) -> Response:
            objects.client.open_object(Bucket=call.bucket, Key=call.key)[0].close()
            return operation(call)

        return act

    return {
        ("GET", ""): objects.get,
        ("HEAD", ""): objects.get,
        ("PUT", ""): put,
        ("DELETE", ""): objects.delete,
        ("GET", "attributes"): objects.attributes,
        ("GET", "acl"): of_object(access_of_all),
        ("PUT", "acl"): of_object(set_access),
        ("GET", "annotation"): of_object(no_annotations),
        ("POST", "uploads"): multipart.start,
        ("PUT", "uploadId"): multipart.put_part,
        ("POST", "uploadId"): multipart.complete,
        ("DELETE", "uploadId"): multipart.abort,
        ("GET", "uploadId"): multipart.list_parts,
        ("GET", "tagging"): tags.get,
        ("PUT", "tagging"): tags.put,
        ("DELETE", "tagging"): tags.delete,
    }


def _finished(response: Response) -> Response:
    headers = {"x-amz-request-id": _request_id(), **response.headers}
    if response.body and isinstance(response.body, bytes):
        headers.setdefault("Content-Type", "application/xml")
    return response._replace(headers=headers)


def _request_id() -> str:
    return secrets.token_hex(8).upper()


def _translated(error: S3Error) -> Refused:
    found = error.response["Error"]
    return refuse_unknown(
        found["Code"], found["Message"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    )


def _of_file_system(error: OSError) -> Refused:
    if error.errno == errno.ENAMETOOLONG:
        return Refused("KeyTooLongError")
    if isinstance(error, PermissionError):
        return Refused("AccessDenied")
    return Refused("InternalError", f"The file system says: {error.strerror or error}")
