"""Listings and buckets over the wire, by boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.s3_wire import BUCKET, Wire, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = [
    "a",
    "a b+c&<d>/x",
    "a%2Fb",
    "a/b",
    "a/b/c",
    "a/d",
    "dir/",
    "dir/x",
    "e//f",
    "z\U0001f600",
    "é",
]
ORDERED = sorted(KEYS, key=str.encode)


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with serving(tmp_path_factory.mktemp("s3")) as wire:
        for key in KEYS:
            wire.put(key, key.encode())
        yield wire


def listed(page: Any) -> tuple[list[str], list[str]]:  # noqa: ANN401 - boto3's
    keys = [each["Key"] for each in page.get("Contents", [])]
    return keys, [each["Prefix"] for each in page.get("CommonPrefixes", [])]


def test_keys_come_in_the_order_of_their_bytes(wire: Wire) -> None:
    page = wire.client.list_objects_v2(Bucket=BUCKET)
    assert listed(page) == (ORDERED, [])
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (len(KEYS), False, 1000)
    first = page["Contents"][0]
    assert (first["Size"], first["StorageClass"]) == (1, "STANDARD")
    assert first["ETag"] == wire.client.head_object(Bucket=BUCKET, Key="a")["ETag"]
    assert "Owner" not in first
    page = wire.client.list_objects_v2(Bucket=BUCKET, FetchOwner=True)
    assert page["Contents"][0]["Owner"]["ID"]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_hold_everything_once(wire: Wire, size: int) -> None:
    for delimiter in ("", "/"):
        whole = wire.client.list_objects_v2(Bucket=BUCKET, Delimiter=delimiter)
        for name in ("list_objects_v2", "list_objects"):
            keys, prefixes = [], []
            paginator = wire.client.get_paginator(name)
            for page in paginator.paginate(
                Bucket=BUCKET, Delimiter=delimiter, PaginationConfig={"PageSize": size}
            ):
                found = listed(page)
                assert 0 < len(found[0]) + len(found[1]) <= size
                keys += found[0]
                prefixes += found[1]
            assert (keys, prefixes) == listed(whole)


def test_prefixes_and_delimiters(wire: Wire) -> None:
    def find(**options: Any) -> tuple[list[str], list[str]]:  # noqa: ANN401 - boto3's
        return listed(wire.client.list_objects_v2(Bucket=BUCKET, **options))

    top = find(Delimiter="/")
    assert top == (["a", "a%2Fb", "z\U0001f600", "é"], ["a b+c&<d>/", "a/", "dir/", "e/"])
    assert find(Delimiter="/", Prefix="a/") == (["a/b", "a/d"], ["a/b/"])
    assert find(Delimiter="/", Prefix="dir/") == (["dir/", "dir/x"], [])
    assert find(Delimiter="/", Prefix="dir") == ([], ["dir/"])
    assert find(Delimiter="b", Prefix="a/") == (["a/d"], ["a/b"])
    assert find(Prefix="a/b") == (["a/b", "a/b/c"], [])
    assert find(Prefix="nothing") == ([], [])
    assert find(StartAfter="dir/") == (["dir/x", "e//f", "z\U0001f600", "é"], [])
    assert find(Delimiter="/", Prefix="e/") == ([], ["e//"])


def test_what_was_asked_is_said_again(wire: Wire) -> None:
    page = wire.client.list_objects_v2(
        Bucket=BUCKET, Prefix="é\n", StartAfter="a b", ContinuationToken=""
    )
    assert (page["Prefix"], page["StartAfter"], page["ContinuationToken"]) == ("é\n", "a b", "")
    old = wire.client.list_objects(Bucket=BUCKET, Prefix="é\n", Marker="a b", Delimiter="&")
    assert (old["Prefix"], old["Marker"], old["Delimiter"]) == ("é\n", "a b", "&")


def test_a_page_of_no_keys_is_whole(wire: Wire) -> None:
    page = wire.client.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (0, False, 0)


def test_the_old_listing_names_the_next_page_only_with_a_delimiter(wire: Wire) -> None:
    page = wire.client.list_objects(Bucket=BUCKET, MaxKeys=2)
    assert page["IsTruncated"]
    assert "NextMarker" not in page
    page = wire.client.list_objects(Bucket=BUCKET, MaxKeys=2, Delimiter="/", Marker="a")
    assert (listed(page), page["NextMarker"]) == ((["a%2Fb"], ["a b+c&<d>/"]), "a%2Fb")


def test_versions_of_a_bucket_without_versioning(wire: Wire) -> None:
    page = wire.client.list_object_versions(Bucket=BUCKET, MaxKeys=3)
    assert [(each["Key"], each["VersionId"], each["IsLatest"]) for each in page["Versions"]] == [
        (key, "null", True) for key in ORDERED[:3]
    ]
    assert page["NextKeyMarker"] == ORDERED[2]
    rest = wire.client.list_object_versions(Bucket=BUCKET, KeyMarker=ORDERED[2])
    assert [each["Key"] for each in rest["Versions"]] == ORDERED[3:]


def test_keys_are_percent_encoded_only_if_asked_for(wire: Wire) -> None:
    plain = wire.send("GET", f"/{BUCKET}?list-type=2&prefix=a%20b")
    assert plain.text("Contents/Key") == "a b+c&<d>/x"
    coded = wire.send("GET", f"/{BUCKET}?list-type=2&prefix=a%20b&encoding-type=url")
    assert coded.text("Contents/Key") == "a%20b%2Bc%26%3Cd%3E/x"
    assert coded.text("EncodingType") == "url"


@pytest.mark.parametrize(
    "query", ["max-keys=-1", "max-keys=x", "continuation-token=zz", "encoding-type=base64"]
)
def test_wrong_options_are_refused(wire: Wire, query: str) -> None:
    answer = wire.send("GET", f"/{BUCKET}?list-type=2&{query}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_buckets_are_made_named_and_removed(tmp_path: Path) -> None:
    with serving(tmp_path / "root", {"mapped": tmp_path / "elsewhere"}) as wire:
        client = wire.client
        client.create_bucket(
            Bucket="fresh", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        assert (tmp_path / "root" / "fresh").is_dir()
        names = [each["Name"] for each in client.list_buckets()["Buckets"]]
        assert names == ["fresh", BUCKET, "mapped"]
        pages = client.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 2})
        assert [[each["Name"] for each in page["Buckets"]] for page in pages] == [
            ["fresh", BUCKET],
            ["mapped"],
        ]
        assert client.list_buckets(Prefix="m")["Buckets"][0]["Name"] == "mapped"
        assert client.head_bucket(Bucket="fresh")["BucketRegion"] == "us-east-1"
        assert client.get_bucket_location(Bucket="fresh").get("LocationConstraint") is None
        client.put_object(Bucket="mapped", Key="k", Body=b"x")
        assert (tmp_path / "elsewhere" / "k").read_bytes() == b"x"
        client.put_object(Bucket="fresh", Key="a/b", Body=b"x", Metadata={"a": "b"})
        with pytest.raises(ClientError, match="BucketNotEmpty"):
            client.delete_bucket(Bucket="fresh")
        client.delete_object(Bucket="fresh", Key="a/b")
        client.delete_bucket(Bucket="fresh")
        assert not (tmp_path / "root" / "fresh").exists()
        client.delete_object(Bucket="mapped", Key="k")
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_bucket(Bucket="mapped")
        for act in (client.delete_bucket, client.list_objects_v2, client.get_bucket_location):
            with pytest.raises(ClientError, match="NoSuchBucket"):
                act(Bucket="fresh")


def test_what_no_bucket_has_set(wire: Wire) -> None:
    client = wire.client
    assert "Status" not in client.get_bucket_versioning(Bucket=BUCKET)
    assert client.get_bucket_request_payment(Bucket=BUCKET)["Payer"] == "BucketOwner"
    for act, code in [
        (client.get_bucket_policy, "NoSuchBucketPolicy"),
        (client.get_bucket_tagging, "NoSuchTagSet"),
        (client.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
        (client.get_public_access_block, "NoSuchPublicAccessBlockConfiguration"),
    ]:
        with pytest.raises(ClientError, match=code):
            act(Bucket=BUCKET)
    with pytest.raises(ClientError, match="NotImplemented"):
        client.put_bucket_policy(Bucket=BUCKET, Policy="{}")
