"""Objects over the wire, by boto3: what is put is given back, and what S3 refuses is refused."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.s3_wire import BUCKET, Wire, refusal, s3_client, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with serving(tmp_path_factory.mktemp("s3")) as wire:
        yield wire


def test_an_object_is_given_back_with_what_was_said_of_it(wire: Wire) -> None:
    etag = wire.put(
        "told",
        b"hello",
        Metadata={"colour": "blue"},
        ContentType="text/plain",
        CacheControl="no-store",
        ContentEncoding="identity",
        ContentDisposition="inline",
        ContentLanguage="en",
        Tagging="a=1&b=%26",
    )
    found = wire.client.get_object(Bucket=BUCKET, Key="told")
    assert found["Body"].read() == b"hello"
    assert found["Metadata"] == {"colour": "blue"}
    assert [
        found["ContentType"],
        found["CacheControl"],
        found["ContentEncoding"],
        found["ContentDisposition"],
        found["ContentLanguage"],
    ] == ["text/plain", "no-store", "identity", "inline", "en"]
    head = wire.client.head_object(Bucket=BUCKET, Key="told")
    assert (head["ETag"], head["ContentLength"], head["Metadata"]) == (
        etag,
        5,
        {"colour": "blue"},
    )
    tags = wire.client.get_object_tagging(Bucket=BUCKET, Key="told")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "&"}]
    assert found["TagCount"] == 2


def test_another_object_in_its_place_has_nothing_of_the_first(wire: Wire) -> None:
    wire.put("again", b"1", Metadata={"a": "b"}, Tagging="t=1")
    wire.put("again", b"2")
    found = wire.client.head_object(Bucket=BUCKET, Key="again")
    assert found["Metadata"] == {}
    assert found["ContentType"] == "binary/octet-stream"
    assert wire.client.get_object_tagging(Bucket=BUCKET, Key="again")["TagSet"] == []


def test_files_put_by_other_means_are_objects_with_the_same_etag(wire: Wire) -> None:
    wire.folder.put_object(Bucket=BUCKET, Key="dt=1/part", Body=b"plain")
    mine = wire.folder.head_object(Bucket=BUCKET, Key="dt=1/part")
    theirs = wire.client.head_object(Bucket=BUCKET, Key="dt=1/part")
    assert theirs["ETag"] == mine["ETag"]
    assert theirs["LastModified"] == mine["LastModified"]
    wire.put("dt=1/part", b"new", IfMatch=mine["ETag"])
    assert (wire.folder.bucket_folder(BUCKET) / "dt=1" / "part").read_bytes() == b"new"


def test_nothing_but_objects_lies_in_the_bucket(tmp_path: Path) -> None:
    with serving(tmp_path) as wire:
        wire.put("a", b"1", Metadata={"a": "b"}, Tagging="t=1")
        wire.put("a", b"2", Metadata={"a": "b"}, Tagging="t=1")
        wire.client.copy_object(Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/a")
        wire.client.delete_object(Bucket=BUCKET, Key="a")
        wire.client.delete_object(Bucket=BUCKET, Key="b")
        left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "lock"]
        assert left == []


def test_an_object_is_never_older_than_its_writing(wire: Wire) -> None:
    before = datetime.now(UTC)
    wire.put("time")
    assert wire.client.head_object(Bucket=BUCKET, Key="time")["LastModified"] >= before


@pytest.mark.parametrize(
    ("text", "part", "said"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-4", b"6789", "bytes 6-9/10"),
        ("bytes=-40", b"0123456789", "bytes 0-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
    ],
)
def test_ranges_are_parts(wire: Wire, text: str, part: bytes, said: str) -> None:
    wire.put("digits", b"0123456789")
    found = wire.client.get_object(Bucket=BUCKET, Key="digits", Range=text)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (found["Body"].read(), found["ContentRange"]) == (part, said)
    head = wire.client.head_object(Bucket=BUCKET, Key="digits", Range=text)
    assert head["ContentLength"] == len(part)


@pytest.mark.parametrize("text", ["bytes=5-2", "bytes=a-b", "rows=1-2", "bytes=0-1,4-5", "bytes=-"])
def test_ranges_that_make_no_sense_are_the_whole(wire: Wire, text: str) -> None:
    wire.put("digits", b"0123456789")
    found = wire.client.get_object(Bucket=BUCKET, Key="digits", Range=text)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert found["Body"].read() == b"0123456789"


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_ranges_behind_the_end_are_refused(wire: Wire, text: str) -> None:
    wire.put("digits", b"0123456789")
    assert refusal(wire.client.get_object, Key="digits", Range=text) == ("InvalidRange", 416)
    assert refusal(wire.client.head_object, Key="digits", Range=text) == ("416", 416)


def test_conditions_of_reading(wire: Wire) -> None:
    etag = wire.put("conditions")
    when = wire.client.head_object(Bucket=BUCKET, Key="conditions")["LastModified"]
    earlier = when - timedelta(hours=1)
    holding: list[dict[str, Any]] = [
        {"IfMatch": etag},
        {"IfMatch": "*"},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": earlier},
        {"IfUnmodifiedSince": when},
        {"IfMatch": etag, "IfUnmodifiedSince": earlier},
        {"IfNoneMatch": '"other"', "IfModifiedSince": when},
    ]
    for conditions in holding:
        assert wire.get("conditions", **conditions) == b"x"
    get = wire.client.get_object
    for conditions in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": earlier}):
        assert refusal(get, Key="conditions", **conditions) == ("PreconditionFailed", 412)
    for conditions in ({"IfNoneMatch": etag}, {"IfModifiedSince": when}):
        assert refusal(get, Key="conditions", **conditions) == ("304", 304)


def test_conditions_of_writing(wire: Wire) -> None:
    etag = wire.put("once", IfNoneMatch="*")
    put, delete = wire.client.put_object, wire.client.delete_object
    assert refusal(put, Key="once", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert refusal(put, Key="once", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert refusal(put, Key="once", IfNoneMatch=etag) == ("NotImplemented", 501)
    assert refusal(put, Key="never", IfMatch=etag) == ("NoSuchKey", 404)
    second = wire.put("once", b"2", IfMatch=etag)
    assert refusal(delete, Key="once", IfMatch=etag) == ("PreconditionFailed", 412)
    wire.client.delete_object(Bucket=BUCKET, Key="once", IfMatch=second)
    assert refusal(wire.client.get_object, Key="once") == ("NoSuchKey", 404)


def test_a_refused_write_leaves_metadata_and_tags_alone(wire: Wire) -> None:
    wire.put("kept", Metadata={"a": "b"}, Tagging="t=1")
    refused = {"Key": "kept", "IfNoneMatch": "*", "Tagging": "t=2", "Metadata": {"a": "c"}}
    assert refusal(wire.client.put_object, **refused) == ("PreconditionFailed", 412)
    assert wire.client.head_object(Bucket=BUCKET, Key="kept")["Metadata"] == {"a": "b"}
    tags = wire.client.get_object_tagging(Bucket=BUCKET, Key="kept")["TagSet"]
    assert tags == [{"Key": "t", "Value": "1"}]


def test_headers_of_the_answer_may_be_asked_for(wire: Wire) -> None:
    wire.put("named", ContentType="text/plain")
    found = wire.client.get_object(
        Bucket=BUCKET, Key="named", ResponseContentType="text/csv", ResponseCacheControl="private"
    )
    assert (found["ContentType"], found["CacheControl"]) == ("text/csv", "private")


def test_copies_keep_or_replace_what_was_said(wire: Wire) -> None:
    wire.put("from/é +&", b"body", Metadata={"a": "b"}, ContentType="text/plain", Tagging="t=1")
    source: Any = {"Bucket": BUCKET, "Key": "from/é +&"}
    done = wire.client.copy_object(Bucket=BUCKET, Key="to", CopySource=source)
    head = wire.client.head_object(Bucket=BUCKET, Key="to")
    assert (head["ETag"], head["Metadata"]) == (done["CopyObjectResult"]["ETag"], {"a": "b"})
    tags = wire.client.get_object_tagging(Bucket=BUCKET, Key="to")["TagSet"]
    assert tags == [{"Key": "t", "Value": "1"}]
    wire.client.copy_object(
        Bucket=BUCKET,
        Key="to",
        CopySource={"Bucket": BUCKET, "Key": "to"},
        MetadataDirective="REPLACE",
        TaggingDirective="REPLACE",
        Metadata={"c": "d"},
    )
    head = wire.client.head_object(Bucket=BUCKET, Key="to")
    assert (head["Metadata"], head["ContentType"]) == ({"c": "d"}, "binary/octet-stream")
    assert wire.client.get_object_tagging(Bucket=BUCKET, Key="to")["TagSet"] == []
    assert wire.client.head_object(Bucket=BUCKET, Key="from/é +&")["Metadata"] == {"a": "b"}
    assert wire.get("to") == b"body"


def test_every_object_says_how_it_is_encrypted(wire: Wire) -> None:
    def said(key: str) -> tuple[str, str | None]:
        head = wire.client.head_object(Bucket=BUCKET, Key=key)
        return head["ServerSideEncryption"], head.get("SSEKMSKeyId")

    put = wire.client.put_object(Bucket=BUCKET, Key="plain", Body=b"x")
    assert (put["ServerSideEncryption"], *said("plain")) == ("AES256", "AES256", None)
    put = wire.client.put_object(
        Bucket=BUCKET, Key="keyed", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="k"
    )
    assert put["ServerSideEncryption"] == "aws:kms"
    assert said("keyed") == ("aws:kms", "k")
    # A copy is encrypted as its request says, whatever its source is.
    source: Any = {"Bucket": BUCKET, "Key": "keyed"}
    wire.client.copy_object(Bucket=BUCKET, Key="usual", CopySource=source)
    assert said("usual") == ("AES256", None)
    source = {"Bucket": BUCKET, "Key": "plain"}
    wire.client.copy_object(
        Bucket=BUCKET,
        Key="plain",
        CopySource=source,
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="k",
    )
    assert said("plain") == ("aws:kms", "k")


def test_copies_are_refused_as_s3_does(wire: Wire) -> None:
    etag = wire.put("source")
    copy = wire.client.copy_object
    here = f"{BUCKET}/source"
    assert refusal(copy, Key="source", CopySource=here) == ("InvalidRequest", 400)
    assert refusal(copy, Key="x", CopySource=f"{BUCKET}/none") == ("NoSuchKey", 404)
    assert refusal(copy, Key="x", CopySource="no-such/none") == ("NoSuchBucket", 404)
    for conditions in ({"CopySourceIfMatch": '"o"'}, {"CopySourceIfNoneMatch": etag}):
        assert refusal(copy, Key="x", CopySource=here, **conditions) == ("PreconditionFailed", 412)


def test_a_copy_into_another_bucket_keeps_metadata(wire: Wire) -> None:
    wire.client.create_bucket(Bucket="second")
    wire.put("far", b"1", Metadata={"a": "b"})
    wire.client.copy_object(Bucket="second", Key="far", CopySource=f"{BUCKET}/far")
    wire.client.delete_object(Bucket=BUCKET, Key="far")
    assert wire.client.head_object(Bucket="second", Key="far")["Metadata"] == {"a": "b"}


def test_the_copy_of_a_deleted_object_keeps_its_metadata(wire: Wire) -> None:
    wire.put("first", b"1", Metadata={"a": "b"})
    wire.folder.copy_object(Bucket=BUCKET, Key="by-link", CopySource=f"{BUCKET}/first")
    wire.client.delete_object(Bucket=BUCKET, Key="first")
    assert wire.client.head_object(Bucket=BUCKET, Key="by-link")["Metadata"] == {"a": "b"}


def test_deleting_many(wire: Wire) -> None:
    for key in ("many/<&>'\"", "many/2"):
        wire.put(key)
    keys = ["many/<&>'\"", "many/2", "many/missing"]
    wanted: Any = {"Objects": [{"Key": key} for key in keys]}
    done = wire.client.delete_objects(Bucket=BUCKET, Delete=wanted)
    assert [each.get("Key") for each in done["Deleted"]] == keys
    again = wire.client.delete_objects(Bucket=BUCKET, Delete=wanted | {"Quiet": True})
    assert "Deleted" not in again
    assert "Errors" not in again
    too_many: Any = {"Objects": [{"Key": str(number)} for number in range(1001)]}
    assert refusal(wire.client.delete_objects, Delete=too_many) == ("MalformedXML", 400)


def test_deleting_a_missing_object_succeeds(wire: Wire) -> None:
    done = wire.client.delete_object(Bucket=BUCKET, Key="was/never/there")
    assert done["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_tags_are_put_and_taken_away(wire: Wire) -> None:
    wire.put("tagged", Metadata={"a": "b"})
    tags: Any = {"TagSet": [{"Key": "a", "Value": "<"}]}
    wire.client.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging=tags)
    assert wire.client.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == tags["TagSet"]
    wire.client.delete_object_tagging(Bucket=BUCKET, Key="tagged")
    assert wire.client.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == []
    twice: Any = {"TagSet": tags["TagSet"] * 2}
    put = wire.client.put_object_tagging
    assert refusal(put, Key="tagged", Tagging=twice) == ("InvalidTag", 400)
    assert refusal(put, Key="never", Tagging=tags) == ("NoSuchKey", 404)
    eleven = "&".join(f"k{number}=v" for number in range(11))
    assert refusal(wire.client.put_object, Key="t", Tagging=eleven) == ("InvalidTag", 400)


def test_access_and_attributes(wire: Wire) -> None:
    etag = wire.put("open", b"12345", ACL="bucket-owner-full-control")
    acl = wire.client.get_object_acl(Bucket=BUCKET, Key="open")
    assert [grant["Permission"] for grant in acl["Grants"]] == ["FULL_CONTROL"]
    assert acl["Grants"][0]["Grantee"]["Type"] == "CanonicalUser"
    assert wire.client.get_bucket_acl(Bucket=BUCKET)["Owner"] == acl["Owner"]
    wire.client.put_object_acl(Bucket=BUCKET, Key="open", ACL="private")
    wire.client.put_bucket_acl(Bucket=BUCKET, ACL="private")
    unsupported = ("AccessControlListNotSupported", 400)
    assert refusal(wire.client.put_object_acl, Key="open", ACL="public-read") == unsupported
    assert refusal(wire.client.put_object, Key="open", ACL="public-read") == unsupported
    assert refusal(wire.client.put_bucket_acl, ACL="public-read") == unsupported
    assert refusal(wire.client.get_object_acl, Key="none") == ("NoSuchKey", 404)
    found = wire.client.get_object_attributes(
        Bucket=BUCKET, Key="open", ObjectAttributes=["ETag", "ObjectSize"]
    )
    assert (found["ETag"], found["ObjectSize"]) == (etag.strip('"'), 5)
    assert "StorageClass" not in found
    annotations = wire.client.list_object_annotations(Bucket=BUCKET, Key="open")
    assert annotations["AnnotationCount"] == 0


def test_what_a_folder_cannot_do_is_refused_by_name(wire: Wire) -> None:
    wire.put("plain")
    get, put = wire.client.get_object, wire.client.put_object
    assert refusal(get, Key="plain", PartNumber=1) == ("NotImplemented", 501)
    assert refusal(get, Key="plain", VersionId="abc") == ("NoSuchVersion", 404)
    assert refusal(put, Key="plain", ObjectLockLegalHoldStatus="ON") == ("NotImplemented", 501)
    assert refusal(wire.client.get_object_torrent, Key="plain") == ("NotImplemented", 501)
    assert wire.get("plain", VersionId="null") == b"x"
    too_much = {"a": "x" * 2048}
    assert refusal(put, Key="plain", Metadata=too_much) == ("MetadataTooLarge", 400)


def test_a_missing_bucket_is_refused(wire: Wire) -> None:
    for act in (wire.client.get_object, wire.client.put_object, wire.client.delete_object):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            act(Bucket="no-such-bucket", Key="k")
    with pytest.raises(ClientError, match="404"):
        wire.client.head_object(Bucket="no-such-bucket", Key="k")
    assert not wire.folder.buckets.has("no-such-bucket")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls_work_until_they_expire(wire: Wire, version: str) -> None:
    wire.put("signed", b"hello")
    client = s3_client(wire.url, signature_version=version)
    options = {"Bucket": BUCKET, "Key": "signed"}
    url = client.generate_presigned_url("get_object", Params=options, ExpiresIn=60)
    assert wire.send("GET", url.removeprefix(wire.url)).body == b"hello"
    put = client.generate_presigned_url("put_object", Params=options, ExpiresIn=60)
    assert wire.send("PUT", put.removeprefix(wire.url), b"new").status == 200
    assert wire.get("signed") == b"new"
    before = re.sub("X-Amz-Date=20..", "X-Amz-Date=2001", url)
    old = re.sub("Expires=[0-9]{10}", "Expires=1000000000", before)
    refused = wire.send("GET", old.removeprefix(wire.url))
    assert (refused.status, refused.code) == (403, "AccessDenied")
    assert refused.text("Message") == "Request has expired"


@pytest.mark.parametrize("seconds", [-1, 604_801])
def test_presigned_urls_live_for_a_week_at_most(wire: Wire, seconds: int) -> None:
    options = {"Bucket": BUCKET, "Key": "signed"}
    url = wire.client.generate_presigned_url("get_object", Params=options, ExpiresIn=seconds)
    refused = wire.send("GET", url.removeprefix(wire.url))
    assert (refused.status, refused.code) == (400, "AuthorizationQueryParametersError")


def test_an_encoding_without_chunks_is_a_plain_body(wire: Wire) -> None:
    wire.put("encoded", b"body", ContentEncoding="gzip, aws-chunked")
    found = wire.client.get_object(Bucket=BUCKET, Key="encoded")
    assert (found["Body"].read(), found["ContentEncoding"]) == (b"body", "gzip")


def test_the_resource_works(wire: Wire) -> None:
    resource = boto3.resource(
        "s3",
        endpoint_url=wire.url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    bucket = resource.Bucket(BUCKET)
    for number in range(3):
        bucket.put_object(Key=f"resource/{number}", Body=b"x")
    assert [each.key for each in bucket.objects.filter(Prefix="resource/")] == [
        "resource/0",
        "resource/1",
        "resource/2",
    ]
    bucket.objects.filter(Prefix="resource/").delete()
    assert list(bucket.objects.filter(Prefix="resource/")) == []


def test_readers_see_whole_objects_while_others_write(wire: Wire) -> None:
    sizes = [1, 70_000, 2_000_000]
    wire.put("whole", b"0" * sizes[0], Metadata={"size": str(sizes[0])})
    wrong: list[str] = []

    def write(number: int) -> None:
        client = s3_client(wire.url)
        for turn in range(15):
            size = sizes[(number + turn) % 3]
            client.put_object(
                Bucket=BUCKET,
                Key="whole",
                Body=str(number).encode() * size,
                Metadata={"size": str(size)},
            )
        client.close()

    def read() -> None:
        client = s3_client(wire.url)
        for _ in range(25):
            found = client.get_object(Bucket=BUCKET, Key="whole")
            body = found["Body"].read()
            if len(set(body)) != 1 or found["Metadata"] != {"size": str(len(body))}:
                wrong.append(f"{len(body)} {found['Metadata']}")
        client.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    threads += [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


KEYS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n"), min_size=1, max_size=12
) | st.text("ab/.%_+ ~é\x01", min_size=1, max_size=12)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with serving(tmp_path_factory.mktemp("keys")) as wire:
        yield wire


@settings(max_examples=30)
@given(key=KEYS)
def test_every_key_comes_back(empty: Wire, key: str) -> None:
    empty.put(key, key.encode())
    assert empty.get(key) == key.encode()
    page = empty.client.list_objects_v2(Bucket=BUCKET)
    assert [each["Key"] for each in page["Contents"]] == [key]
    wanted: Any = {"Objects": [{"Key": key}]}
    if key.isprintable():
        empty.client.delete_objects(Bucket=BUCKET, Delete=wanted)
    else:  # XML cannot say it
        empty.client.delete_object(Bucket=BUCKET, Key=key)
    assert empty.client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
