"""Tags of objects: as a header, as a document, and the operations on them.

In: calls.  Out: responses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from runner.local.wire.messages import Response
from runner.local.wire.s3_body import receive_document
from runner.local.wire.s3_errors import Refused
from runner.local.wire.s3_xml import BadXml, read_xml, write_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.s3 import FolderS3
    from runner.local.wire.s3_call import Call
    from runner.local.wire.s3_heads import Heads

_MOST = 10
_LONGEST_NAME = 128
_LONGEST_VALUE = 256


class Tags:
    """The operations on an object's tags."""

    def __init__(self, client: FolderS3, heads: Heads) -> None:
        """Take the buckets, and where tags are kept."""
        self._client = client
        self._heads = heads

    def get(self, call: Call) -> Response:
        """GetObjectTagging."""
        tags = self._heads.read_tags(call.bucket, call.key, self._etag(call))
        found = [{"Key": name, "Value": value} for name, value in tags.items()]
        return Response(200, {}, write_xml("Tagging", {"TagSet": {"Tag": found}}))

    def put(self, call: Call) -> Response:
        """PutObjectTagging."""
        etag = self._etag(call)
        tags = _checked(_read_tags(receive_document(call.request)))
        self._heads.write_tags(call.bucket, call.key, etag, tags)
        return Response(200)

    def delete(self, call: Call) -> Response:
        """DeleteObjectTagging."""
        self._etag(call)
        self._heads.forget_tags(call.bucket, call.key)
        return Response(204)

    def _etag(self, call: Call) -> str:
        etag = self._client.etag(Bucket=call.bucket, Key=call.key)
        if not etag:
            raise Refused("NoSuchKey")
        return etag


def parse_header_tags(text: str) -> dict[str, str]:
    """Read the tags of an `x-amz-tagging` header."""
    return _checked(parse_qsl(text, keep_blank_values=True))


def _read_tags(content: bytes) -> list[tuple[str, str]]:
    try:
        found = read_xml(content, "Tagging").findall("TagSet/Tag")
    except BadXml:
        raise Refused("MalformedXML") from None
    return [(each.findtext("Key", ""), each.findtext("Value", "")) for each in found]


def _checked(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    tags = dict(pairs)
    if len(tags) != len(pairs):
        raise Refused("InvalidTag", "Cannot provide multiple Tags with the same key")
    if len(tags) > _MOST:
        raise Refused("InvalidTag", f"Object tags cannot be greater than {_MOST}")
    for name, value in tags.items():
        if not 0 < len(name) <= _LONGEST_NAME:
            raise Refused("InvalidTag", "The TagKey you have provided is invalid", TagKey=name)
        if len(value) > _LONGEST_VALUE:
            raise Refused("InvalidTag", "The TagValue you have provided is invalid", TagKey=name)
    return tags
