"""Reading, writing and deleting one object.

In: calls.  Out: responses; what is refused is raised.  A body goes into a file beside the bucket's
objects, which becomes the object by being renamed: readers see all of it or nothing.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from email.utils import format_datetime
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from runner.local.wire.messages import FilePart, Response
from runner.local.wire.s3_body import receive, refuse_unlimited
from runner.local.wire.s3_conditions import check_conditions, find_range
from runner.local.wire.s3_errors import Refused
from runner.local.wire.s3_tags import parse_header_tags
from runner.local.wire.s3_xml import write_xml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.local.s3 import FolderS3
    from runner.local.wire.s3_call import Call
    from runner.local.wire.s3_heads import Heads

_KEPT = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
)
ENCRYPTION = "x-amz-server-side-encryption"
_USUAL_ENCRYPTION = "AES256"
"""S3 encrypts every object with keys of its own unless it is told to do it otherwise."""
_DEFAULTS = {
    ("content-type", "binary/octet-stream"),
    ("x-amz-storage-class", "STANDARD"),
    (ENCRYPTION, _USUAL_ENCRYPTION),
}
_REFUSED = (
    "x-amz-object-lock-",
    "x-amz-server-side-encryption-customer-",
    "x-amz-write-offset-bytes",
)
PRIVATE_ACLS = {"private", "bucket-owner-full-control", "bucket-owner-read"}
"""Canned access control lists that give nothing to others: how it is anyway."""
UPLOAD = ":upload"
"""What is kept of an object under this name is no header, but the upload that made it."""
_MOST_METADATA = 2048
_OVERRIDES = {
    f"response-{name}": name
    for name in ("cache-control", "content-disposition", "content-encoding", "content-language")
} | {"response-content-type": "content-type", "response-expires": "expires"}


class Opened(NamedTuple):
    """An object that is being read."""

    file: BinaryIO
    size: int
    etag: str
    modified: datetime


class Objects:
    """The operations on one object."""

    def __init__(self, client: FolderS3, heads: Heads) -> None:
        """Take the buckets, and what is kept beside their objects."""
        self.client = client
        self.heads = heads

    def get(self, call: Call) -> Response:
        """GetObject and HeadObject."""
        _refuse_version(call)
        if "partNumber" in call.query:
            raise Refused("NotImplemented", "Objects are not kept in parts: partNumber")
        opened, kept = self.open(call.bucket, call.key)
        try:
            check_conditions(call.headers, etag=opened.etag, modified=opened.modified)
            part = find_range(call.headers.get("range", ""), opened.size)
            headers = self._described(call, opened, kept)
        except BaseException:
            opened.file.close()
            raise
        start, length = part or (0, opened.size)
        if part:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{opened.size}"
        return Response(206 if part else 200, headers, FilePart(opened.file, start, length))

    def open(self, bucket: str, key: str) -> tuple[Opened, dict[str, str]]:
        """Open an object and read its headers, which a writer may just be replacing."""
        while True:
            file, head = self.client.open_object(Bucket=bucket, Key=key)
            try:
                etag = head["ETag"]
                kept = self.heads.read(bucket, etag)
                if kept or self._is_current(bucket, key, etag):
                    return Opened(file, head["ContentLength"], etag, head["LastModified"]), kept
            except BaseException:
                file.close()
                raise
            file.close()

    def _is_current(self, bucket: str, key: str, etag: str) -> bool:
        return self.client.etag(Bucket=bucket, Key=key) in {etag, ""}

    def _described(self, call: Call, opened: Opened, kept: Mapping[str, str]) -> dict[str, str]:
        headers = {
            "ETag": opened.etag,
            "Last-Modified": format_datetime(opened.modified, usegmt=True),
            "Accept-Ranges": "bytes",
            "content-type": "binary/octet-stream",
            **encryption(kept),
            **{name: value for name, value in kept.items() if name != UPLOAD},
        }
        tags = self.heads.read_tags(call.bucket, call.key, opened.etag)
        if tags:
            headers["x-amz-tagging-count"] = str(len(tags))
        for option, name in _OVERRIDES.items():
            if option in call.query:
                headers[name] = _one_line(call.query[option], option)
        return headers

    def put(self, call: Call) -> Response:
        """PutObject."""
        refuse_unlimited(call.headers)
        check_write_conditions(call.headers)
        kept = kept_headers(call.headers)
        tags = parse_header_tags(call.headers.get("x-amz-tagging", ""))
        with self.unfinished(call.bucket) as path:
            with path.open("wb") as file:
                received = receive(call.request, file)
            etag = self.place(path, call, kept=kept, tags=tags)
        headers = {"ETag": etag, **encryption(kept)}
        if received.checksum[0]:
            headers |= {received.checksum[0]: received.checksum[1]}
            headers["x-amz-checksum-type"] = "FULL_OBJECT"
        return Response(200, headers)

    @contextmanager
    def unfinished(self, bucket: str) -> Iterator[Path]:
        """Give the path of a file that is removed unless it became an object."""
        path = self.client.temporary_folder(bucket) / f"wire-{secrets.token_hex(12)}"
        try:
            yield path
        finally:
            with suppress(FileNotFoundError):
                path.unlink()

    def place(
        self, path: Path, call: Call, *, kept: Mapping[str, str], tags: Mapping[str, str]
    ) -> str:
        """Make a file the object of a call, under its conditions; gives the ETag."""
        bucket, key = call.bucket, call.key
        before = self.client.sole_etag(Bucket=bucket, Key=key)
        prepared: list[str] = []

        def prepare(etag: str) -> None:
            prepared.append(etag)
            self.heads.write(bucket, etag, kept)

        try:
            done = self.client.adopt(
                path,
                Bucket=bucket,
                Key=key,
                IfNoneMatch=call.headers.get("if-none-match", ""),
                IfMatch=call.headers.get("if-match", ""),
                prepare=prepare,
                reason=_reason(call),
            )
        except BaseException:
            for etag in prepared:
                self.heads.forget(bucket, etag)
            raise
        self.heads.forget(bucket, before)
        self.heads.write_tags(bucket, key, done["ETag"], tags)
        return str(done["ETag"])

    def delete(self, call: Call) -> Response:
        """DeleteObject."""
        _refuse_version(call)
        self.drop(call.bucket, call.key, if_match=call.headers.get("if-match", ""))
        return Response(204)

    def drop(self, bucket: str, key: str, *, if_match: str = "") -> None:
        """Delete an object and what is kept beside it."""
        before = self.client.sole_etag(Bucket=bucket, Key=key)
        self.client.delete_object(Bucket=bucket, Key=key, IfMatch=if_match)
        self.heads.forget(bucket, before)
        self.heads.forget_tags(bucket, key)

    def attributes(self, call: Call) -> Response:
        """GetObjectAttributes: the attributes that a folder knows."""
        wanted = {
            each.strip() for each in call.headers.get("x-amz-object-attributes", "").split(",")
        }
        opened, kept = self.open(call.bucket, call.key)
        opened.file.close()
        known = {
            "ETag": opened.etag.strip('"'),
            "StorageClass": kept.get("x-amz-storage-class", "STANDARD"),
            "ObjectSize": opened.size,
        }
        if not wanted - {""} or wanted - {*known, "Checksum", "ObjectParts"}:
            raise Refused("InvalidArgument", "Invalid attribute name specified.")
        found = {name: value for name, value in known.items() if name in wanted}
        headers = {"Last-Modified": format_datetime(opened.modified, usegmt=True)}
        return Response(200, headers, write_xml("GetObjectAttributesResponse", found))


def encryption(kept: Mapping[str, str]) -> dict[str, str]:
    """Give the headers that tell how an object is encrypted."""
    return {ENCRYPTION: _USUAL_ENCRYPTION} | {
        name: value for name, value in kept.items() if name.startswith(ENCRYPTION)
    }


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Choose the headers of a writing request that are given back with the object."""
    for name in headers:
        if name.startswith(_REFUSED):
            raise Refused("NotImplemented", Header=name)
    if headers.get("x-amz-acl", "private") not in PRIVATE_ACLS or any(
        name.startswith("x-amz-grant-") for name in headers
    ):
        raise Refused("AccessControlListNotSupported")
    kept = {name: headers[name] for name in _KEPT if name in headers}
    metadata = {name: value for name, value in headers.items() if name.startswith("x-amz-meta-")}
    size = sum(len(name) - len("x-amz-meta-") + len(value) for name, value in metadata.items())
    if size > _MOST_METADATA:
        raise Refused("MetadataTooLarge", Size=str(size), MaxSizeAllowed=str(_MOST_METADATA))
    if "content-encoding" in kept:
        codes = (each.strip() for each in kept.pop("content-encoding").split(","))
        if rest := ",".join(each for each in codes if each.lower() != "aws-chunked"):
            kept["content-encoding"] = rest
    found = {**kept, **metadata}
    return {
        name: _one_line(value, name)
        for name, value in found.items()
        if (name, value) not in _DEFAULTS
    }


def check_write_conditions(headers: Mapping[str, str]) -> None:
    """Refuse conditions of a write that S3 does not know."""
    if headers.get("if-none-match", "*") != "*":
        raise Refused("NotImplemented", Header="If-None-Match", additionalMessage="Only * is known")
    if "if-match" in headers and "if-none-match" in headers:
        raise Refused("NotImplemented", Header="If-Match", additionalMessage="One condition only")


def _reason(call: Call) -> str:
    """Name the operation that makes an object, as S3's events do."""
    if "uploadId" in call.query:
        return "CompleteMultipartUpload"
    return "CopyObject" if "x-amz-copy-source" in call.headers else "PutObject"


def _refuse_version(call: Call) -> None:
    version = call.query.get("versionId", "null")
    if version not in {"null", ""}:
        raise Refused("NoSuchVersion", VersionId=version)


def _one_line(value: str, name: str) -> str:
    if any(ord(letter) < ord(" ") and letter != "\t" for letter in value):
        raise Refused("InvalidArgument", f"{name} has control characters", ArgumentName=name)
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise Refused("InvalidArgument", f"{name} cannot be a header", ArgumentName=name) from None
    return value
