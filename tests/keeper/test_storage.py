"""The lake's objects: pages, refused deletions, conditional writes, odd keys, large copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.keeper import storage as storages
from runner.keeper.storage import Conflict, Storage, StorageError, Stored, code_of
from tests.support.lake import BUCKET, LAKE, HookedS3, Lake

if TYPE_CHECKING:
    from collections.abc import Callable

ODD = ["a b", "dt=2013-01-05 07%3A00/x", "é+&='.txt", "p/#?", "deep/" + "n" * 300]


def test_pains_12_listing_and_emptying_go_past_a_page_of_1000_keys(any_lake: Lake) -> None:
    names = [f"t/dt=2013-01-05/{number:04d}" for number in range(1001)]
    for name in [*names, "t2/stays"]:
        any_lake.put(name)
    assert any_lake.keys("t/") == names
    assert any_lake.storage.empty("prod/t/") == 1001
    assert any_lake.keys() == ["t2/stays"]


def test_odd_keys_are_listed_copied_and_deleted(any_lake: Lake) -> None:
    for name in ODD:
        any_lake.put(f"a/{name}", name)
    found = list(any_lake.storage.list("prod/a/"))
    any_lake.storage.copy_all([(s, s.key.replace("prod/a/", "prod/b/", 1)) for s in found])
    assert any_lake.contents("b/") == {f"b/{name}": name for name in ODD}
    any_lake.storage.empty("prod/a/")
    assert any_lake.keys("a/") == []


def test_copying_nothing_does_nothing(any_lake: Lake) -> None:
    any_lake.storage.copy_all([])
    assert any_lake.keys() == []


def refusing(times: int) -> Callable[[Any, dict[str, Any]], Any]:
    """Refuse to delete keys that end in 3, as often as said."""
    left = [times]

    def delete_objects(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        objects = arguments["Delete"]["Objects"]
        kept = [o for o in objects if o["Key"].endswith("3")] if left[0] else []
        left[0] -= 1
        rest = [o for o in objects if o not in kept]
        if rest:
            client.delete_objects(Bucket=BUCKET, Delete={"Objects": rest})
        return {"Errors": [{**o, "Code": "InternalError", "Message": "Try again"} for o in kept]}

    return delete_objects


@pytest.mark.parametrize("times", [1, 4])
def test_pains_11_refused_deletions_are_listed_and_tried_again(lake: Lake, times: int) -> None:
    for number in range(20):
        lake.put(f"t/{number}")
    client = HookedS3(lake.client, delete_objects=refusing(times))
    assert Storage(client, LAKE).empty("prod/t/") == 20
    assert lake.keys() == []


def test_pains_11_deletions_that_stay_refused_are_an_error_with_the_reason(lake: Lake) -> None:
    for number in range(5):
        lake.put(f"t/{number}")
    client = HookedS3(lake.client, delete_objects=refusing(100))
    with pytest.raises(StorageError, match=r"prod/t/ cannot be deleted: prod/t/3: InternalError"):
        Storage(client, LAKE).empty("prod/t/")


def test_a_prefix_that_fills_faster_than_it_empties_is_an_error(lake: Lake) -> None:
    def refill(client: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3
        answer = client.delete_objects(**arguments)
        client.put_object(Bucket=BUCKET, Key="prod/t/again", Body=b"")
        return answer

    lake.put("t/first")
    with pytest.raises(StorageError, match="new ones appear"):
        Storage(HookedS3(lake.client, delete_objects=refill), LAKE).empty("prod/t/")


def test_conditional_writes_conflict(any_lake: Lake) -> None:
    storage = any_lake.storage
    storage.create_json("prod/k", {"n": 1})
    with pytest.raises(Conflict):
        storage.create_json("prod/k", {"n": 2})
    found = storage.read_json("prod/k")
    assert found is not None
    assert found[0] == {"n": 1}
    storage.replace_json("prod/k", {"n": 3}, etag=found[1])
    with pytest.raises(Conflict):
        storage.replace_json("prod/k", {"n": 4}, etag=found[1])
    with pytest.raises(Conflict):
        storage.replace_json("prod/none", {"n": 5}, etag=found[1])
    assert any_lake.body("k") == {"n": 3}


def test_delete_if_spares_another_object(any_lake: Lake) -> None:
    storage = any_lake.storage
    storage.write_json("prod/k", {"n": 1})
    old = storage.read_json("prod/k")
    storage.write_json("prod/k", {"n": 2})
    assert old is not None
    storage.delete_if("prod/k", etag=old[1])
    assert any_lake.body("k") == {"n": 2}
    new = storage.read_json("prod/k")
    assert new is not None
    storage.delete_if("prod/k", etag=new[1])
    storage.delete_if("prod/k", etag=new[1])
    assert storage.read_json("prod/k") is None


def test_other_errors_of_the_client_pass_through(any_lake: Lake) -> None:
    if hasattr(any_lake.client, "bucket_folder"):
        pytest.skip("a folder has every bucket")
    missing = Storage(any_lake.client, "s3://no-such-bucket/")
    with pytest.raises(Exception, match="NoSuchBucket") as read:
        missing.read_json("k")
    assert code_of(read.value) == "NoSuchBucket"
    with pytest.raises(Exception, match="NoSuchBucket"):
        missing.write_json("k", {})
    assert code_of(ValueError("x")) == ""


@pytest.mark.parametrize(
    ("lake_uri", "prefix"),
    [("s3://b", ""), ("s3://b/", ""), ("s3://b/p", "p/"), ("s3://b/p/", "p/")],
)
def test_a_lake_is_a_bucket_and_a_prefix(lake_uri: str, prefix: str) -> None:
    storage = Storage(None, lake_uri)
    assert (storage.bucket, storage.prefix) == ("b", prefix)
    assert storage.key(storage.uri("p/k")) == "p/k"


@pytest.mark.parametrize(
    ("location", "folder"), [("s3://b/p/t", "p/t/"), ("s3://b/p/t/", "p/t/"), ("s3://b/p//", "p/")]
)
def test_a_tables_location_is_a_folder_even_without_its_slash(location: str, folder: str) -> None:
    assert Storage(None, "s3://b/p/").folder(location) == folder


@pytest.mark.parametrize(
    ("location", "complaint"),
    [
        ("s3://b/", "whole bucket"),
        ("s3://b", "whole bucket"),
        ("s3://other/p/t/", "not in the lake"),
    ],
)
def test_a_bucket_or_a_strangers_folder_is_never_emptied(location: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Storage(None, "s3://b/p/").folder(location)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    size = 5 * 1024**2  # the least size of a part, but the last
    monkeypatch.setattr(storages, "_COPY_LIMIT", size)
    monkeypatch.setattr(storages, "_PART", size)
    return size


@pytest.mark.parametrize("any_lake", ["boto3"], indirect=True)
def test_objects_over_the_limit_of_a_copy_are_copied_in_parts(
    any_lake: Lake, small_parts: int
) -> None:
    text = "0123456789" * (small_parts // 10) * 2 + "end"
    any_lake.put("large", text)
    (stored,) = any_lake.storage.list("prod/large")
    any_lake.storage.copy_all([(stored, "prod/copy")])
    assert any_lake.text("copy") == text


@pytest.mark.parametrize("any_lake", ["boto3"], indirect=True)
def test_a_copy_in_parts_that_fails_leaves_no_upload_behind(
    any_lake: Lake, small_parts: int
) -> None:
    any_lake.put("other")
    with pytest.raises(Exception, match="UploadPartCopy"):
        any_lake.storage.copy_all([(Stored("prod/gone", small_parts + 1, ""), "prod/copy")])
    uploads = any_lake.client.list_multipart_uploads(Bucket=BUCKET)
    assert uploads.get("Uploads", []) == []
    assert any_lake.keys() == ["other"]
