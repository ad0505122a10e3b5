"""Listings of a bucket's objects, in the forms that S3 has had over the years.

In: calls.  Out: pages of at most 1,000 keys and common prefixes, in the order of the keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from runner.local.s3 import MOST_KEYS
from runner.local.wire.messages import Response
from runner.local.wire.s3_errors import Refused
from runner.local.wire.s3_xml import write_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.s3 import FolderS3
    from runner.local.wire.s3_call import Call
    from runner.local.wire.s3_xml import Value

OWNER = {"ID": "0" * 64, "DisplayName": "local"}


class _Page(NamedTuple):
    contents: list[dict[str, Any]]
    prefixes: list[str]
    more: bool
    token: str
    last: str
    """The last key or common prefix."""


class Lists:
    """The operations that list objects."""

    def __init__(self, client: FolderS3) -> None:
        """Take the buckets."""
        self._client = client

    def second(self, call: Call) -> Response:
        """ListObjectsV2."""
        query, write = call.query, writer_of(call)
        token = query.get("continuation-token", "")
        page = self._page(call, after=query.get("start-after", ""), token=token)
        owner = query.get("fetch-owner", "").lower() == "true"
        members: dict[str, Value] = {
            **_common(call, write),
            **({"StartAfter": write(query["start-after"])} if "start-after" in query else {}),
            **({"ContinuationToken": token} if "continuation-token" in query else {}),
            **({"NextContinuationToken": page.token} if page.more else {}),
            "KeyCount": len(page.contents) + len(page.prefixes),
            "IsTruncated": page.more,
            "Contents": [_described(each, write, owner=owner) for each in page.contents],
            "CommonPrefixes": [{"Prefix": write(each)} for each in page.prefixes],
        }
        return Response(200, {}, write_xml("ListBucketResult", members))

    def first(self, call: Call) -> Response:
        """ListObjects, as it was before."""
        query, write = call.query, writer_of(call)
        page = self._page(call, after=query.get("marker", ""))
        names_next = page.more and "delimiter" in query
        members: dict[str, Value] = {
            **_common(call, write),
            "Prefix": query.get("prefix", ""),  # boto3 decodes all but this one
            "Marker": write(query.get("marker", "")),
            **({"NextMarker": write(page.last)} if names_next else {}),
            "IsTruncated": page.more,
            "Contents": [_described(each, write, owner=True) for each in page.contents],
            "CommonPrefixes": [{"Prefix": write(each)} for each in page.prefixes],
        }
        return Response(200, {}, write_xml("ListBucketResult", members))

    def versions(self, call: Call) -> Response:
        """ListObjectVersions of a bucket without versioning: each object's only one is `null`."""
        query, write = call.query, writer_of(call)
        page = self._page(call, after=query.get("key-marker", ""))
        following = {"NextKeyMarker": write(page.last), "NextVersionIdMarker": "null"}
        version: dict[str, Value] = {"VersionId": "null", "IsLatest": True}
        members: dict[str, Value] = {
            **_common(call, write),
            "KeyMarker": write(query.get("key-marker", "")),
            "VersionIdMarker": query.get("version-id-marker", ""),
            **(following if page.more else {}),
            "IsTruncated": page.more,
            "Version": [_described(each, write, owner=True) | version for each in page.contents],
            "CommonPrefixes": [{"Prefix": write(each)} for each in page.prefixes],
        }
        return Response(200, {}, write_xml("ListVersionsResult", members))

    def _page(self, call: Call, *, after: str, token: str = "") -> _Page:
        most = min(call.number("max-keys", MOST_KEYS), MOST_KEYS)
        if not most:
            return _Page([], [], more=False, token="", last="")
        try:
            bytes.fromhex(token).decode()
        except ValueError:
            raise Refused(
                "InvalidArgument",
                "The continuation token provided is incorrect",
                ArgumentName="continuation-token",
            ) from None
        found = self._client.list_objects_v2(
            Bucket=call.bucket,
            Prefix=call.query.get("prefix", ""),
            Delimiter=call.query.get("delimiter", ""),
            MaxKeys=most,
            StartAfter=after,
            ContinuationToken=token,
        )
        following = found.get("NextContinuationToken", "")
        return _Page(
            contents=found.get("Contents", []),
            prefixes=[each["Prefix"] for each in found.get("CommonPrefixes", [])],
            more=found["IsTruncated"],
            token=following,
            last=bytes.fromhex(following).decode(),
        )


def _common(call: Call, write: Callable[[str], str]) -> dict[str, Value]:
    query = call.query
    return {
        "Name": call.bucket,
        "Prefix": write(query.get("prefix", "")),
        **({"Delimiter": write(query["delimiter"])} if query.get("delimiter") else {}),
        "MaxKeys": min(call.number("max-keys", MOST_KEYS), MOST_KEYS),
        **({"EncodingType": "url"} if query.get("encoding-type") else {}),
    }


def _described(
    found: Mapping[str, Any], write: Callable[[str], str], *, owner: bool
) -> dict[str, Value]:
    return {
        "Key": write(found["Key"]),
        "LastModified": found["LastModified"],
        "ETag": found["ETag"],
        "Size": found["Size"],
        **({"Owner": OWNER} if owner else {}),
        "StorageClass": found["StorageClass"],
    }


def writer_of(call: Call) -> Callable[[str], str]:
    """Give how keys are written: as they are, or percent-encoded."""
    encoding = call.query.get("encoding-type", "")
    if encoding not in {"", "url"}:
        raise Refused(
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            ArgumentName="encoding-type",
            ArgumentValue=encoding,
        )
    return (lambda key: quote(key, safe="/", errors="surrogateescape")) if encoding else str
