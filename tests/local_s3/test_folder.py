"""S3 on a folder: round trips, conditional writes, pages, and folders that come and go."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.local.s3 import FolderS3, S3Error
from runner.local.s3_folder import Bucket
from runner.local.s3_keys import decode_key, encode_key

if TYPE_CHECKING:
    from pathlib import Path


def code(error: pytest.ExceptionInfo[S3Error]) -> str:
    return str(error.value.response["Error"]["Code"])


def keys(s3: FolderS3, prefix: str = "") -> list[str]:
    page = s3.list_objects_v2(Bucket="b", Prefix=prefix)
    return [each["Key"] for each in page.get("Contents", [])]


@pytest.mark.parametrize(
    "key",
    [
        "a",
        "a/b c/ü%3A=+&.txt",
        "a//b",
        "a/../b",
        "folder/",
        "%_tmp/x",
        "x" * 600 + "/y",
        "/a",
        "%_raw_%00",
    ],
)
def test_odd_keys_round_trip(tmp_path: Path, key: str) -> None:
    s3 = FolderS3(tmp_path)
    s3.put_object(Bucket="b", Key=key, Body=b"body")
    assert s3.get_object(Bucket="b", Key=key)["Body"].read() == b"body"
    assert keys(s3) == [key]
    s3.delete_object(Bucket="b", Key=key)
    assert keys(s3) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab./%_\0é", min_size=1, max_size=12))
def test_every_key_is_read_back_from_its_path(key: str) -> None:
    assert decode_key(tuple(encode_key(key).split("/"))) == key


def test_a_key_may_be_a_prefix_of_another(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    s3.put_object(Bucket="b", Key="a", Body=b"1")
    s3.put_object(Bucket="b", Key="a/b", Body=b"2")
    s3.put_object(Bucket="b", Key="a", Body=b"3")
    assert keys(s3) == ["a", "a/b"]
    assert s3.get_object(Bucket="b", Key="a")["Body"].read() == b"3"
    s3.delete_object(Bucket="b", Key="a/b")
    s3.delete_object(Bucket="b", Key="a")
    assert keys(s3) == []


def test_if_none_match_lets_exactly_one_of_many_in(tmp_path: Path) -> None:
    outcomes: list[str] = []

    def put() -> None:
        try:
            FolderS3(tmp_path).put_object(Bucket="b", Key="lease", Body=b"x", IfNoneMatch="*")
            outcomes.append("in")
        except S3Error as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=put) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PreconditionFailed"] * 11 + ["in"]


def test_if_match_takes_only_the_present_etag(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    first = s3.put_object(Bucket="b", Key="k", Body=b"1")["ETag"]
    assert first == s3.head_object(Bucket="b", Key="k")["ETag"]
    second = s3.put_object(Bucket="b", Key="k", Body=b"2", IfMatch=first)["ETag"]
    assert second != first
    with pytest.raises(S3Error) as refused:
        s3.put_object(Bucket="b", Key="k", Body=b"3", IfMatch=first)
    assert code(refused) == "PreconditionFailed"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    with pytest.raises(S3Error) as refused:
        s3.delete_object(Bucket="b", Key="k", IfMatch=first)
    assert code(refused) == "PreconditionFailed"
    with pytest.raises(S3Error) as missing:
        s3.put_object(Bucket="b", Key="other", Body=b"3", IfMatch=first)
    assert code(missing) == "NoSuchKey"


def test_conditional_writes_lose_no_update(tmp_path: Path) -> None:
    FolderS3(tmp_path).put_object(Bucket="b", Key="n", Body="0")

    def count(s3: FolderS3) -> None:
        done = 0
        while done < 15:
            now = s3.get_object(Bucket="b", Key="n")
            number = int(now["Body"].read()) + 1
            try:
                s3.put_object(Bucket="b", Key="n", Body=str(number), IfMatch=now["ETag"])
            except S3Error:
                continue
            done += 1

    shared = FolderS3(tmp_path)
    clients = [shared, shared, FolderS3(tmp_path)]
    threads = [threading.Thread(target=count, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.get_object(Bucket="b", Key="n")["Body"].read() == b"45"


def test_a_bucket_may_vanish_under_its_client(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    etag = s3.put_object(Bucket="b", Key="k", Body=b"1")["ETag"]
    shutil.rmtree(tmp_path / "b")
    assert keys(s3) == []
    s3.put_object(Bucket="b", Key="k", Body=b"2")
    with pytest.raises(S3Error) as refused:
        s3.put_object(Bucket="b", Key="k", Body=b"3", IfMatch=etag)
    assert code(refused) == "PreconditionFailed"


def test_copies_take_any_place_and_source(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    for key in ("a", "a/b", "c", "d"):
        s3.put_object(Bucket="b", Key=key, Body=key)
    for source, target in (("a", "x/y/z"), ("c", "d"), ("d", "d"), ("a/b", "x"), ("c", "c/e")):
        s3.copy_object(Bucket="b", Key=target, CopySource=f"b/{source}")
    bodies = {key: s3.get_object(Bucket="b", Key=key)["Body"].read() for key in keys(s3)}
    assert bodies == {
        "a": b"a", "a/b": b"a/b", "c": b"c", "c/e": b"c", "d": b"c", "x": b"a/b", "x/y/z": b"a",
    }  # fmt: skip
    with pytest.raises(S3Error) as missing:
        s3.copy_object(Bucket="b", Key="y", CopySource="b/none")
    assert code(missing) == "NoSuchKey"


def test_a_copy_keeps_the_etag_and_outlives_its_source(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    etag = s3.put_object(Bucket="b", Key="from/x", Body=b"1")["ETag"]
    copied = s3.copy_object(Bucket="b", Key="to/x", CopySource={"Bucket": "b", "Key": "from/x"})
    s3.put_object(Bucket="b", Key="from/x", Body=b"2")
    assert copied["CopyObjectResult"]["ETag"] == etag
    assert s3.get_object(Bucket="b", Key="to/x")["Body"].read() == b"1"


def test_listing_is_paged_ordered_and_grouped(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    for key in ("a/1", "a/2", "a-b", "b/1", "c"):
        s3.put_object(Bucket="b", Key=key, Body=b"")
    assert keys(s3) == ["a-b", "a/1", "a/2", "b/1", "c"]
    assert keys(s3, "a/") == ["a/1", "a/2"]
    assert keys(s3, "none/") == []
    first = s3.list_objects_v2(Bucket="b", MaxKeys=2)
    second = s3.list_objects_v2(
        Bucket="b", MaxKeys=10, ContinuationToken=first["NextContinuationToken"]
    )
    assert [each["Key"] for each in second["Contents"]] == ["a/2", "b/1", "c"]
    grouped = s3.list_objects_v2(Bucket="b", Delimiter="/")
    assert [each["Prefix"] for each in grouped["CommonPrefixes"]] == ["a/", "b/"]
    assert [each["Key"] for each in grouped["Contents"]] == ["a-b", "c"]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(
    st.sets(st.text(alphabet="ab!/%_.é", min_size=1, max_size=6), max_size=12),
    st.text(alphabet="ab!/%_", max_size=3),
    st.text(alphabet="ab!/%_", max_size=3),
    st.integers(min_value=1, max_value=4),
)
def test_pages_give_every_key_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], prefix: str, after: str, size: int
) -> None:
    s3 = FolderS3(tmp_path_factory.mktemp("s3"))
    for key in names:
        s3.put_object(Bucket="b", Key=key, Body=key)
    found: list[str] = []
    page = s3.list_objects_v2(Bucket="b", Prefix=prefix, StartAfter=after, MaxKeys=size)
    while True:
        found += [each["Key"] for each in page.get("Contents", [])]
        if not page["IsTruncated"]:
            break
        token = page["NextContinuationToken"]
        page = s3.list_objects_v2(Bucket="b", Prefix=prefix, ContinuationToken=token, MaxKeys=size)
    expected = sorted((key for key in names if key.startswith(prefix)), key=str.encode)
    assert found == [key for key in expected if key.encode() > after.encode()]


def test_missing_objects_are_named_as_s3_names_them(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    with pytest.raises(S3Error) as missing:
        s3.get_object(Bucket="b", Key="x")
    assert code(missing) == "NoSuchKey"
    with pytest.raises(S3Error) as missing:
        s3.head_object(Bucket="b", Key="x")
    assert code(missing) == "404"
    assert s3.delete_object(Bucket="b", Key="x")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_folders_vanish_with_their_last_file_while_others_write(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)

    def churn(name: str) -> None:
        for _ in range(60):
            s3.put_object(Bucket="b", Key=f"p/q/{name}", Body=b"x")
            s3.delete_objects(Bucket="b", Delete={"Objects": [{"Key": f"p/q/{name}"}]})

    threads = [threading.Thread(target=churn, args=(f"{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keys(s3) == []
    assert not (tmp_path / "b" / "p").exists()


def test_mapped_buckets_lie_where_they_are_mapped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "flights").mkdir(parents=True)
    (data / "flights" / "x.json").write_text("{}")
    s3 = FolderS3(tmp_path / "s3", {"raw": data})
    assert s3.path_of("s3://raw/flights/x.json") == data / "flights" / "x.json"
    assert s3.get_object(Bucket="raw", Key="flights/x.json")["Body"].read() == b"{}"


def test_a_walk_opens_folders_as_it_reaches_them(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    for day in ("dt=1", "dt=2", "dt=3"):
        s3.put_object(Bucket="b", Key=f"t/{day}/file", Body=day)
    walk = Bucket(str(tmp_path / "b")).walk("t/", "")
    assert next(walk)[0] == "t/dt=1/file"
    shutil.rmtree(tmp_path / "b" / "t" / "dt=2")
    assert [key for key, _ in walk] == ["t/dt=3/file"]


def test_a_folder_beside_names_that_go_before_its_slash_is_in_order(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    keys = ["t/a", "t/a-b", "t/a-b/c", "t/a.d/e", "t/a/f", "t/a0"]
    for key in keys:
        s3.put_object(Bucket="b", Key=key, Body=key)
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="b")["Contents"]] == keys


@pytest.mark.parametrize("bucket", ["..", ".", "", "%_tmp", "a\0b"])
def test_no_bucket_lies_outside_the_root(tmp_path: Path, bucket: str) -> None:
    s3 = FolderS3(tmp_path / "root")
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert s3.path_of(f"s3://{bucket}/k").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    assert s3.bucket_folder(bucket).parent == tmp_path / "root"
    assert s3.buckets.names() == []
