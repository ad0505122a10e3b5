"""Multipart uploads: beginning, parts, completing, giving up, listing.

In: calls.  Out: responses.  The object appears when its upload is completed, at once.
"""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

from runner.local.wire.messages import Response
from runner.local.wire.s3_body import compare_sum, receive, receive_document, refuse_unlimited
from runner.local.wire.s3_checksums import ALGORITHMS
from runner.local.wire.s3_conditions import find_range
from runner.local.wire.s3_copies import open_source
from runner.local.wire.s3_errors import Refused
from runner.local.wire.s3_lists import OWNER, writer_of
from runner.local.wire.s3_objects import UPLOAD, check_write_conditions, kept_headers
from runner.local.wire.s3_tags import parse_header_tags
from runner.local.wire.s3_uploads import Part, Upload, Uploads, keep_part, parts_of
from runner.local.wire.s3_xml import BadXml, read_xml, write_xml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from runner.local.wire.s3_call import Call
    from runner.local.wire.s3_objects import Objects
    from runner.local.wire.s3_xml import Value

_LEAST_BYTES = 5 << 20
_MOST_PARTS = 10_000
_PAGE = 1000
_PIECE = 1 << 20
_RANGE = re.compile(r"bytes=\d+-\d+", re.ASCII)


class Multipart:
    """The operations on multipart uploads."""

    def __init__(self, objects: Objects) -> None:
        """Take what reads and writes objects."""
        self._objects = objects
        self._uploads = Uploads(objects.client)

    def start(self, call: Call) -> Response:
        """CreateMultipartUpload."""
        name = self._uploads.start(
            call.bucket,
            call.key,
            kept=kept_headers(call.headers),
            tags=parse_header_tags(call.headers.get("x-amz-tagging", "")),
        )
        names = ("x-amz-checksum-algorithm", "x-amz-checksum-type")
        headers = {each: call.headers[each] for each in names if each in call.headers}
        members = {"Bucket": call.bucket, "Key": call.key, "UploadId": name}
        return Response(200, headers, write_xml("InitiateMultipartUploadResult", members))

    def put_part(self, call: Call) -> Response:
        """UploadPart and UploadPartCopy."""
        upload = self._upload(call)
        number = call.number("partNumber", 0)
        if not 1 <= number <= _MOST_PARTS:
            raise Refused(
                "InvalidArgument",
                f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive",
                ArgumentName="partNumber",
                ArgumentValue=call.query.get("partNumber", ""),
            )
        if "x-amz-copy-source" in call.headers:
            return self._copy_part(call, upload, number)
        refuse_unlimited(call.headers)
        with self._objects.unfinished(call.bucket) as path:
            with path.open("wb") as file:
                received = receive(call.request, file, md5=True)
            part = self._keep(upload, number, md5=received.md5, path=path)
        name, value = received.checksum
        return Response(200, {"ETag": f'"{part.md5}"', **({name: value} if name else {})})

    def _copy_part(self, call: Call, upload: Upload, number: int) -> Response:
        source = open_source(self._objects, call.headers)
        with source.opened.file, self._objects.unfinished(call.bucket) as path:
            start, length = _source_range(call, source.opened.size)
            source.opened.file.seek(start)
            with path.open("wb") as file:
                md5 = _copy_bytes(source.opened.file, file, length)
            part = self._keep(upload, number, md5=md5, path=path)
        members: Value = {"LastModified": part.modified, "ETag": f'"{part.md5}"'}
        return Response(200, {}, write_xml("CopyPartResult", members))

    @staticmethod
    def _keep(upload: Upload, number: int, *, md5: str, path: Path) -> Part:
        try:
            return keep_part(upload, number, md5=md5, path=path)
        except FileNotFoundError:  # it was given up while the part came
            raise Refused("NoSuchUpload", UploadId=upload.id) from None

    def complete(self, call: Call) -> Response:
        """CompleteMultipartUpload; saying it again is no error while the object is there."""
        check_write_conditions(call.headers)
        content = receive_document(call.request, whole=False)
        etag = self._completed(call) or self._complete(call, _wanted(content))
        host = call.headers.get("host", "")
        members = {
            "Location": f"http://{host}/{call.bucket}/{call.key}",
            "Bucket": call.bucket,
            "Key": call.key,
            "ETag": etag,
        }
        return Response(200, {}, write_xml("CompleteMultipartUploadResult", members))

    def _completed(self, call: Call) -> str:
        """Give the ETag of the object that an upload has already become."""
        name = call.query["uploadId"]
        etag = self._objects.client.etag(Bucket=call.bucket, Key=call.key)
        kept = self._objects.heads.read(call.bucket, etag) if etag else {}
        over = self._uploads.find(call.bucket, name) is None
        return etag if over and kept.get(UPLOAD) == name else ""

    def _complete(self, call: Call, wanted: Sequence[tuple[int, str]]) -> str:
        upload = self._upload(call)
        parts = _chosen(wanted, upload)
        size = sum(part.size for part in parts)
        if call.headers.get("x-amz-mp-object-size", str(size)) != str(size):
            raise Refused("InvalidRequest", "The object's size is not x-amz-mp-object-size")
        with self._objects.unfinished(call.bucket) as path:
            try:
                _join(parts, path, call.headers)
            except FileNotFoundError:
                raise Refused("NoSuchUpload", UploadId=upload.id) from None
            kept = {**upload.kept, UPLOAD: upload.id}
            etag = self._objects.place(path, call, kept=kept, tags=upload.tags)
        self._uploads.end(upload)
        return etag

    def abort(self, call: Call) -> Response:
        """AbortMultipartUpload."""
        self._uploads.end(self._upload(call))
        return Response(204)

    def list_parts(self, call: Call) -> Response:
        """ListParts."""
        upload = self._upload(call)
        after, most = call.number("part-number-marker", 0), call.number("max-parts", _PAGE)
        found = [part for part in parts_of(upload) if part.number > after]
        page = found[: min(most, _PAGE)]
        more = len(page) < len(found)
        members: Value = {
            "Bucket": call.bucket,
            "Key": writer_of(call)(call.key),
            "UploadId": upload.id,
            "Initiator": OWNER,
            "Owner": OWNER,
            "StorageClass": upload.kept.get("x-amz-storage-class", "STANDARD"),
            "PartNumberMarker": after,
            "NextPartNumberMarker": page[-1].number if page else 0,
            "MaxParts": min(most, _PAGE),
            "IsTruncated": more,
            "Part": [
                {
                    "PartNumber": part.number,
                    "LastModified": part.modified,
                    "ETag": f'"{part.md5}"',
                    "Size": part.size,
                }
                for part in page
            ],
        }
        return Response(200, {}, write_xml("ListPartsResult", members))

    def list_uploads(self, call: Call) -> Response:
        """ListMultipartUploads."""
        query, write = call.query, writer_of(call)
        most = min(call.number("max-uploads", _PAGE), _PAGE)
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        rows = list(_rows(self._after(call), prefix, delimiter))
        page = rows[:most]
        last = page[-1] if page else ("", None)
        following = {
            "NextKeyMarker": write(last[0]),
            "NextUploadIdMarker": last[1].id if last[1] else "",
        }
        members: dict[str, Value] = {
            "Bucket": call.bucket,
            "KeyMarker": write(query.get("key-marker", "")),
            "UploadIdMarker": query.get("upload-id-marker", ""),
            **(following if len(page) < len(rows) else {}),
            **({"Prefix": write(prefix)} if prefix else {}),
            **({"Delimiter": write(delimiter)} if delimiter else {}),
            **({"EncodingType": "url"} if query.get("encoding-type") else {}),
            "MaxUploads": most,
            "IsTruncated": len(page) < len(rows),
            "Upload": [_described(upload, write(upload.key)) for _, upload in page if upload],
            "CommonPrefixes": [{"Prefix": write(name)} for name, upload in page if not upload],
        }
        return Response(200, {}, write_xml("ListMultipartUploadsResult", members))

    def _after(self, call: Call) -> list[Upload]:
        """Give the uploads behind the page's markers."""
        found = self._uploads.all(call.bucket)
        key, name = call.query.get("key-marker", ""), call.query.get("upload-id-marker", "")
        if not key:
            return found
        place = next((n for n, each in enumerate(found) if (each.key, each.id) == (key, name)), -1)
        return [
            each for n, each in enumerate(found) if (n > place if place >= 0 else each.key > key)
        ]

    def _upload(self, call: Call) -> Upload:
        name = call.query.get("uploadId", "")
        upload = self._uploads.find(call.bucket, name)
        if upload is None or upload.key != call.key:
            raise Refused("NoSuchUpload", UploadId=name)
        return upload


def _described(upload: Upload, key: str) -> dict[str, Value]:
    return {
        "Key": key,
        "UploadId": upload.id,
        "Initiator": OWNER,
        "Owner": OWNER,
        "StorageClass": upload.kept.get("x-amz-storage-class", "STANDARD"),
        "Initiated": upload.started,
    }


def _rows(
    uploads: Sequence[Upload], prefix: str, delimiter: str
) -> Iterator[tuple[str, Upload | None]]:
    """Give uploads by key, and in their order common prefixes without an upload."""
    last = ""
    for upload in uploads:
        if not upload.key.startswith(prefix):
            continue
        head, found, _ = (
            upload.key[len(prefix) :].partition(delimiter) if delimiter else (upload.key, "", "")
        )
        if not found:
            yield upload.key, upload
        elif (name := prefix + head + delimiter) != last:
            last = name
            yield name, None


def _wanted(content: bytes) -> list[tuple[int, str]]:
    try:
        document = read_xml(content, "CompleteMultipartUpload")
        found = [_named_part(each) for each in document.findall("Part")]
    except (BadXml, ValueError):
        raise Refused("MalformedXML") from None
    if not 0 < len(found) <= _MOST_PARTS:
        raise Refused("MalformedXML")
    return found


def _named_part(element: Element) -> tuple[int, str]:
    return int(element.findtext("PartNumber", "")), element.findtext("ETag", "").strip().strip('"')


def _chosen(wanted: Sequence[tuple[int, str]], upload: Upload) -> list[Part]:
    """Find the parts that a client wants joined; raises Refused if they cannot be."""
    if any(one >= other for (one, _), (other, _) in pairwise(wanted)):
        raise Refused("InvalidPartOrder", UploadId=upload.id)
    there = {(part.number, part.md5): part for part in parts_of(upload)}
    parts: list[Part] = []
    for number, etag in wanted:
        part = there.get((number, etag))
        if part is None:
            raise Refused("InvalidPart", UploadId=upload.id, PartNumber=str(number), ETag=etag)
        parts.append(part)
    for part in parts[:-1]:
        if part.size < _LEAST_BYTES:
            raise Refused(
                "EntityTooSmall",
                ProposedSize=str(part.size),
                MinSizeAllowed=str(_LEAST_BYTES),
                PartNumber=str(part.number),
                ETag=part.md5,
            )
    return parts


def _join(parts: Sequence[Part], path: Path, headers: Mapping[str, str]) -> None:
    """Write the parts into one file, checked against a checksum of the whole if one is given."""
    digests = {
        header: ALGORITHMS[name][0]()
        for name in ALGORITHMS
        if "-" not in headers.get(header := f"x-amz-checksum-{name}", "-")
    }
    if len(parts) == 1 and not digests:
        path.hardlink_to(parts[0].path)
        return
    with path.open("wb") as target:
        for part in parts:
            with part.path.open("rb") as file:
                if not digests:
                    shutil.copyfileobj(file, target, _PIECE)
                    continue
                while piece := file.read(_PIECE):
                    target.write(piece)
                    for digest in digests.values():
                        digest.update(piece)
    for header, digest in digests.items():
        compare_sum(header, headers[header], digest)


def _source_range(call: Call, size: int) -> tuple[int, int]:
    text = call.headers.get("x-amz-copy-source-range", "")
    if not text:
        return 0, size
    found = find_range(text, size) if _RANGE.fullmatch(text) else None
    if found is not None and sum(found) <= int(text.rpartition("-")[2]):
        raise Refused("InvalidRange", ActualObjectSize=str(size), RangeRequested=text)
    if found is None:
        raise Refused(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first "
            "and last are the zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    return found


def _copy_bytes(source: BinaryIO, target: BinaryIO, length: int) -> str:
    """Copy so many bytes; gives their MD5."""
    md5 = ALGORITHMS["md5"][0]()
    left = length
    while left and (piece := source.read(min(left, _PIECE))):
        target.write(piece)
        md5.update(piece)
        left -= len(piece)
    return md5.digest().hex()
