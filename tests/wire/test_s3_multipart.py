"""Multipart uploads over the wire: boto3's transfers both ways, and each operation."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from boto3.s3.transfer import TransferConfig

from tests.support.s3_wire import BUCKET, Wire, refusal, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PART = 5 << 20


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with serving(tmp_path / "s3") as wire:
        yield wire


def start(wire: Wire, key: str = "large", **options: Any) -> dict[str, Any]:  # noqa: ANN401
    made = wire.client.create_multipart_upload(Bucket=BUCKET, Key=key, **options)
    return {"Bucket": BUCKET, "Key": key, "UploadId": made["UploadId"]}


def send(wire: Wire, upload: dict[str, Any], number: int, body: bytes) -> dict[str, Any]:
    done = wire.client.upload_part(**upload, PartNumber=number, Body=body)
    return {"PartNumber": number, "ETag": done["ETag"]}


def complete(wire: Wire, upload: dict[str, Any], parts: list[Any], **options: Any) -> Any:  # noqa: ANN401
    return wire.client.complete_multipart_upload(
        **upload, MultipartUpload={"Parts": parts}, **options
    )


def inside(wire: Wire) -> list[Path]:
    """Give all files of the bucket but its lock."""
    top = wire.folder.bucket_folder(BUCKET)
    return [path for path in top.rglob("*") if path.is_file() and path.name != "lock"]


def test_transfers_of_large_files_in_parallel_parts(wire: Wire, tmp_path: Path) -> None:
    config = TransferConfig(
        multipart_threshold=8 << 20, multipart_chunksize=PART, max_concurrency=4
    )
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(17_000_001))
    extra = {"Metadata": {"a": "b"}, "ContentType": "text/csv", "Tagging": "t=1"}
    wire.client.upload_file(str(source), BUCKET, "dt=1/large", ExtraArgs=extra, Config=config)
    assert inside(wire)[0] == wire.folder.bucket_folder(BUCKET) / "dt=1" / "large"
    wire.client.download_file(BUCKET, "dt=1/large", str(target), Config=config)
    assert target.read_bytes() == source.read_bytes()
    head = wire.client.head_object(Bucket=BUCKET, Key="dt=1/large")
    assert (head["Metadata"], head["ContentType"]) == ({"a": "b"}, "text/csv")
    tags = wire.client.get_object_tagging(Bucket=BUCKET, Key="dt=1/large")["TagSet"]
    assert tags == [{"Key": "t", "Value": "1"}]
    copied: Any = {"Bucket": BUCKET, "Key": "dt=1/large"}
    wire.client.copy(copied, BUCKET, "copy", Config=config)
    assert wire.get("copy") == source.read_bytes()
    assert wire.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_an_object_appears_when_its_upload_is_completed(wire: Wire) -> None:
    upload = start(wire)
    parts = [send(wire, upload, 3, b"a" * PART), send(wire, upload, 7, b"end")]
    assert parts[1]["ETag"] == f'"{hashlib.md5(b"end", usedforsecurity=False).hexdigest()}"'
    assert wire.client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    done = complete(wire, upload, parts)
    assert wire.get("large") == b"a" * PART + b"end"
    assert done["ETag"] == wire.client.head_object(Bucket=BUCKET, Key="large")["ETag"]
    assert (done["Bucket"], done["Key"]) == (BUCKET, "large")
    assert [path for path in inside(wire) if "heads" not in path.parts] == [
        wire.folder.bucket_folder(BUCKET) / "large"
    ]


def test_completing_again_is_no_error_while_the_object_is_there(wire: Wire) -> None:
    upload = start(wire, Metadata={"a": "b"})
    parts = [send(wire, upload, 1, b"content")]
    first, second = complete(wire, upload, parts), complete(wire, upload, parts)
    assert first["ETag"] == second["ETag"]
    head = wire.client.head_object(Bucket=BUCKET, Key="large")
    assert (head["ETag"], head["Metadata"]) == (first["ETag"], {"a": "b"})
    assert not [name for name in head["ResponseMetadata"]["HTTPHeaders"] if "upload" in name]
    wire.put("large", b"other")
    over = {"MultipartUpload": {"Parts": parts}, **without_bucket(upload)}
    assert refusal(complete_of(wire), **over) == ("NoSuchUpload", 404)


def complete_of(wire: Wire) -> Callable[..., Any]:
    return wire.client.complete_multipart_upload


def without_bucket(upload: dict[str, Any]) -> dict[str, Any]:
    return {"Key": upload["Key"], "UploadId": upload["UploadId"]}


def test_uploads_survive_the_server(tmp_path: Path) -> None:
    with serving(tmp_path) as wire:
        upload = start(wire, Metadata={"a": "b"})
        parts = [send(wire, upload, 1, b"first")]
    with serving(tmp_path) as wire:
        assert complete(wire, upload, parts)["ETag"]
        assert wire.get("large") == b"first"
        assert wire.client.head_object(Bucket=BUCKET, Key="large")["Metadata"] == {"a": "b"}


def test_a_part_sent_again_takes_the_place_of_the_first(wire: Wire) -> None:
    upload = start(wire)
    first, second = send(wire, upload, 1, b"first"), send(wire, upload, 1, b"second")
    wanted = {"MultipartUpload": {"Parts": [first]}}
    assert refusal(complete_of(wire), **without_bucket(upload), **wanted) == ("InvalidPart", 400)
    complete(wire, upload, [second])
    assert wire.get("large") == b"second"


def test_wrong_lists_of_parts_are_refused_and_the_upload_goes_on(wire: Wire) -> None:
    upload = start(wire)
    small, last = send(wire, upload, 1, b"small"), send(wire, upload, 2, b"last")

    def refused(*parts: Any) -> tuple[str, int]:  # noqa: ANN401 - boto3's
        wanted = {"MultipartUpload": {"Parts": list(parts)}}
        return refusal(complete_of(wire), **without_bucket(upload), **wanted)

    assert refused(last, small) == ("InvalidPartOrder", 400)
    assert refused(small, small) == ("InvalidPartOrder", 400)
    assert refused(small, last) == ("EntityTooSmall", 400)
    assert refused(small, {"PartNumber": 9, "ETag": small["ETag"]}) == ("InvalidPart", 400)
    assert refused() == ("MalformedXML", 400)
    complete(wire, upload, [last])
    assert wire.get("large") == b"last"


def test_conditions_and_checksums_of_the_whole(wire: Wire) -> None:
    wire.put("large", b"before")
    upload = start(wire, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = [send(wire, upload, 1, b"content")]
    wanted = {"MultipartUpload": {"Parts": parts}, **without_bucket(upload)}
    assert refusal(complete_of(wire), **wanted, IfNoneMatch="*") == ("PreconditionFailed", 412)
    wrong = {"ChecksumCRC32": "AAAAAA==", "ChecksumType": "FULL_OBJECT"}
    assert refusal(complete_of(wire), **wanted, **wrong) == ("BadDigest", 400)
    assert wire.get("large") == b"before"
    right = base64.b64encode(zlib.crc32(b"content").to_bytes(4, "big")).decode()
    complete(wire, upload, parts, ChecksumCRC32=right, ChecksumType="FULL_OBJECT")
    assert wire.get("large") == b"content"


def test_giving_up_leaves_nothing(wire: Wire) -> None:
    upload = start(wire)
    send(wire, upload, 1, b"content")
    wire.client.abort_multipart_upload(**upload)
    assert inside(wire) == []
    assert refusal(wire.client.list_parts, **without_bucket(upload)) == ("NoSuchUpload", 404)
    assert refusal(wire.client.upload_part, **without_bucket(upload), PartNumber=1, Body=b"x") == (
        "NoSuchUpload",
        404,
    )
    for name in ("../../../etc", "a" * 64):
        wrong = {"Key": "large", "UploadId": name}
        assert refusal(wire.client.abort_multipart_upload, **wrong) == ("NoSuchUpload", 404)


def test_part_numbers_have_limits(wire: Wire) -> None:
    upload = without_bucket(start(wire))
    for number in (0, 10_001):
        assert refusal(wire.client.upload_part, **upload, PartNumber=number, Body=b"x") == (
            "InvalidArgument",
            400,
        )


def test_parts_are_listed_in_pages(wire: Wire) -> None:
    upload = start(wire)
    for number in (5, 1, 3):
        send(wire, upload, number, b"x" * number)
    page = wire.client.list_parts(**upload, MaxParts=2)
    assert [(part["PartNumber"], part["Size"]) for part in page["Parts"]] == [(1, 1), (3, 3)]
    assert (page["IsTruncated"], page["NextPartNumberMarker"]) == (True, 3)
    rest = wire.client.list_parts(**upload, PartNumberMarker=3)
    assert [part["PartNumber"] for part in rest["Parts"]] == [5]
    assert not rest["IsTruncated"]


def test_uploads_are_listed_in_pages(wire: Wire) -> None:
    uploads = [start(wire, key) for key in ("b", "a/2", "a/1", "a/1")]
    pages = wire.client.get_paginator("list_multipart_uploads")
    found = [
        (each["Key"], each["UploadId"])
        for page in pages.paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 1})
        for each in page["Uploads"]
    ]
    assert sorted(found) == sorted((each["Key"], each["UploadId"]) for each in uploads)
    assert [key for key, _ in found] == ["a/1", "a/1", "a/2", "b"]
    top = wire.client.list_multipart_uploads(Bucket=BUCKET, Delimiter="/")
    assert [each["Key"] for each in top["Uploads"]] == ["b"]
    assert top["CommonPrefixes"] == [{"Prefix": "a/"}]
    below = wire.client.list_multipart_uploads(Bucket=BUCKET, Prefix="a/2")
    assert [each["Key"] for each in below["Uploads"]] == ["a/2"]


def test_parts_are_copied_from_objects(wire: Wire) -> None:
    wire.put("source", b"0123456789")
    upload = start(wire)
    source: Any = {"Bucket": BUCKET, "Key": "source"}
    done = wire.client.upload_part_copy(
        **upload, PartNumber=1, CopySource=source, CopySourceRange="bytes=2-5"
    )
    etag = done["CopyPartResult"]["ETag"]
    assert etag == f'"{hashlib.md5(b"2345", usedforsecurity=False).hexdigest()}"'
    copy = wire.client.upload_part_copy
    for text, expected in [
        ("bytes=2-10", ("InvalidRange", 416)),
        ("bytes=12-20", ("InvalidRange", 416)),
        ("bytes=2-", ("InvalidArgument", 400)),
        ("2-5", ("InvalidArgument", 400)),
    ]:
        options: dict[str, Any] = {"CopySource": source, "CopySourceRange": text}
        assert refusal(copy, **without_bucket(upload), PartNumber=2, **options) == expected
    complete(wire, upload, [{"PartNumber": 1, "ETag": etag}])
    assert wire.get("large") == b"2345"
