"""CopyObject, and the sources of copies.

In: calls whose headers name a source.  Out: responses.  A copy that changes nothing of the object
is a second name of the same file where that is possible.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from runner.local.wire.messages import Response
from runner.local.wire.s3_body import MOST_BYTES
from runner.local.wire.s3_conditions import check_conditions
from runner.local.wire.s3_errors import Refused
from runner.local.wire.s3_objects import ENCRYPTION, encryption, kept_headers
from runner.local.wire.s3_tags import parse_header_tags
from runner.local.wire.s3_xml import write_xml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from runner.local.wire.s3_call import Call
    from runner.local.wire.s3_objects import Objects, Opened

_PREFIX = "x-amz-copy-source-"


class Source(NamedTuple):
    """An object that is to be copied, open, with the headers that are kept of it."""

    bucket: str
    key: str
    opened: Opened
    kept: Mapping[str, str]


def copy(objects: Objects, call: Call) -> Response:
    """CopyObject."""
    replaces = _replaces(call.headers, "metadata")
    replaces_tags = _replaces(call.headers, "tagging")
    own = kept_headers(call.headers)
    source = open_source(objects, call.headers)
    with source.opened.file:
        if source.opened.size > MOST_BYTES:
            raise Refused(
                "InvalidRequest",
                "The specified copy source is larger than the maximum allowable size for a copy "
                f"source: {MOST_BYTES}",
            )
        asked = ENCRYPTION in call.headers
        if not (replaces or asked) and (source.bucket, source.key) == (call.bucket, call.key):
            raise Refused(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself "
                "without changing the object's metadata, storage class, website redirect location "
                "or encryption attributes.",
            )
        tags = (
            parse_header_tags(call.headers.get("x-amz-tagging", ""))
            if replaces_tags
            else objects.heads.read_tags(source.bucket, source.key, source.opened.etag)
        )
        kept = own if replaces else _encrypted_anew(source.kept, own)
        if kept != source.kept or call.headers.keys() & {"if-match", "if-none-match"} or asked:
            etag, modified = _write(objects, call, source, kept, tags)
        else:
            etag, modified = _link(objects, call, source, tags)
    found = {"LastModified": modified, "ETag": etag}
    return Response(200, encryption(kept), write_xml("CopyObjectResult", found))


def _encrypted_anew(kept: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Give the headers of a copied object, whose encryption is what the request says."""
    others = {name: value for name, value in kept.items() if not name.startswith(ENCRYPTION)}
    return others | {name: value for name, value in own.items() if name.startswith(ENCRYPTION)}


def open_source(objects: Objects, headers: Mapping[str, str]) -> Source:
    """Find and open what `x-amz-copy-source` names, under its conditions."""
    text, _, version = headers["x-amz-copy-source"].partition("?versionId=")
    try:
        bucket, _, key = unquote_to_bytes(text).decode().removeprefix("/").partition("/")
    except UnicodeDecodeError:
        bucket = key = ""
    if not bucket or not key:
        raise Refused(
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=text,
        )
    if version not in {"", "null"}:
        raise Refused("NoSuchVersion", VersionId=version)
    if not objects.client.buckets.has(bucket):
        raise Refused("NoSuchBucket", SourceBucket=bucket)
    opened, kept = objects.open(bucket, key)
    try:
        check_conditions(headers, etag=opened.etag, modified=opened.modified, prefix=_PREFIX)
    except Refused:
        opened.file.close()
        raise
    return Source(bucket, key, opened, kept)


def _replaces(headers: Mapping[str, str], what: str) -> bool:
    directive = headers.get(f"x-amz-{what}-directive", "COPY")
    if directive not in {"COPY", "REPLACE"}:
        raise Refused("InvalidArgument", f"Unknown {what} directive.", ArgumentValue=directive)
    return directive == "REPLACE"


def _write(
    objects: Objects, call: Call, source: Source, kept: Mapping[str, str], tags: Mapping[str, str]
) -> tuple[str, datetime]:
    with objects.unfinished(call.bucket) as path:
        with path.open("wb") as file:
            shutil.copyfileobj(source.opened.file, file, 1 << 20)
        objects.place(path, call, kept=kept, tags=tags)
    head = objects.client.head_object(Bucket=call.bucket, Key=call.key)
    return head["ETag"], head["LastModified"]


def _link(
    objects: Objects, call: Call, source: Source, tags: Mapping[str, str]
) -> tuple[str, datetime]:
    before = objects.client.sole_etag(Bucket=call.bucket, Key=call.key)
    if source.bucket != call.bucket:
        objects.heads.write(call.bucket, source.opened.etag, source.kept)
    done = objects.client.copy_object(
        Bucket=call.bucket,
        Key=call.key,
        CopySource={"Bucket": source.bucket, "Key": source.key},
    )["CopyObjectResult"]
    if before != done["ETag"]:
        objects.heads.forget(call.bucket, before)
    objects.heads.write_tags(call.bucket, call.key, done["ETag"], tags)
    return done["ETag"], done["LastModified"]
