"""A distributed Map reads and writes the folder: texts in parts, compressed ones, Parquet."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from runner.local.map_objects import MapObjects
from runner.local.s3 import FolderS3
from runner.local.services import LocalServices
from runner.local.zstd import is_whole
from runner.model.ports import ServiceError
from tests.machine.machines import play
from tests.machine.maps import LIST, PASS, READ, WRITE, map_of

if TYPE_CHECKING:
    from pathlib import Path

    from runner.machine import Outcome

Json = Any


@pytest.fixture
def s3(tmp_path: Path) -> FolderS3:
    (tmp_path / "b").mkdir()
    return FolderS3(tmp_path)


def run_map(s3: FolderS3, **fields: Json) -> Outcome:
    services: Any = LocalServices({"s3": MapObjects(s3)})
    return play(map_of(PASS, **fields), {"key": "k"}, services)


def read(s3: FolderS3, **config: Json) -> Json:
    return run_map(s3, ItemReader={**READ, "ReaderConfig": config}).output


def copy(query: str, path: Path, options: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' ({options})")  # test data


def refused(s3: FolderS3, arguments: Json, action: str = "getObject") -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        MapObjects(s3)(action, {"Bucket": "b", **arguments})
    return caught.value


@pytest.mark.parametrize("body", [b"1\n2\n", gzip.compress(b"1\n2\n")], ids=["plain", "gzip"])
def test_texts_are_read(s3: FolderS3, body: bytes) -> None:
    s3.put_object(Bucket="b", Key="k", Body=body)
    assert read(s3, InputType="JSONL") == [1, 2]


@pytest.mark.parametrize("arguments", [{}, {"Key": 5}, {"Key": "k", "Bucket": None}])
def test_an_object_needs_a_bucket_and_a_key(s3: FolderS3, arguments: Json) -> None:
    assert refused(s3, arguments).error == "S3.InvalidRequestException"


def test_texts_of_zstd_are_read(s3: FolderS3) -> None:
    query = """SELECT '{"a": "' || i || '", "t": "x' || chr(92) || 't"}' FROM range(3) t(i)"""
    options = "FORMAT csv, COMPRESSION zstd, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01'"
    copy(query, s3.path_of("s3://b/k"), options)
    assert read(s3, InputType="JSONL") == [{"a": str(n), "t": "x\t"} for n in range(3)]


def test_a_file_of_zstd_that_ends_too_early_is_refused(s3: FolderS3) -> None:
    path = s3.path_of("s3://b/k")
    query = "SELECT md5(i::VARCHAR) FROM range(20_000) t(i)"
    copy(query, path, "FORMAT csv, COMPRESSION zstd, HEADER false")
    body = path.read_bytes()
    assert is_whole(body)
    assert is_whole(body + body)
    assert is_whole(b"\x50\x2a\x4d\x18\x02\x00\x00\x00ab" + body)
    for cut in (*range(1, 40), *range(40, len(body), 997), len(body) - 1):
        assert not is_whole(body[:cut]), cut
    assert not is_whole(body + b"more")
    s3.put_object(Bucket="b", Key="short", Body=body[: len(body) // 2])
    assert "ends too early" in str(refused(s3, {"Key": "short"}))


def test_headers_of_zstd_are_understood() -> None:
    # A frame of one block that repeats a byte, its size told in one byte, and a checksum.
    block = b"\x13\x00\x00a"
    assert is_whole(b"\x28\xb5\x2f\xfd" + b"\x24" + b"\x02" + block + b"\x00" * 4)
    # With a window, a dictionary of two bytes, a size of two bytes, and no checksum.
    assert is_whole(b"\x28\xb5\x2f\xfd" + b"\x42" + b"\x00" + b"\x01\x02" + b"\x00\x01" + block)
    assert not is_whole(b"\x28\xb5\x2f\xfd" + b"\x24" + b"\x02" + block)


def test_large_texts_come_in_parts(s3: FolderS3) -> None:
    items = ["é" * 150_000 for _ in range(15)]
    s3.put_object(Bucket="b", Key="k", Body=json.dumps(items, ensure_ascii=False))
    objects = MapObjects(s3)
    asked = {"Bucket": "b", "Key": "k"}
    parts: list[str] = []
    answer = objects("getObject", asked)
    while True:
        parts.append(answer["Body"])
        if "Next" not in answer:
            break
        answer = objects("getObject", {**asked, "Part": answer["Next"]})
    assert [len(part) for part in parts[:2]] == [1_000_000, 1_000_000]
    assert json.loads("".join(parts)) == items
    fields = {"ItemReader": READ, "ItemSelector": "{% $length($states.context.Map.Item.Value) %}"}
    assert run_map(s3, **fields).output == [150_000] * 15


def test_parquet_files_are_read_row_by_row(s3: FolderS3) -> None:
    query = (
        "SELECT i AS n, DATE '2013-01-05' AS day, 1.5::DECIMAL(4, 2) AS price, NULL AS nothing,"
        " {'x': [i]} AS nested, true AS yes, 'a\"b' AS text FROM range(2) t(i)"
    )
    copy(query, s3.path_of("s3://b/k"), "FORMAT parquet")
    assert read(s3, InputType="PARQUET") == [
        {
            "n": n,
            "day": "2013-01-05",
            "price": 1.5,
            "nothing": None,
            "nested": {"x": [n]},
            "yes": True,
            "text": 'a"b',
        }
        for n in range(2)
    ]


def test_rows_come_in_parts_in_their_order(s3: FolderS3) -> None:
    copy("SELECT i AS n FROM range(12_000) t(i)", s3.path_of("s3://b/k"), "FORMAT parquet")
    config = {"InputType": "PARQUET"}
    fields = {"ItemSelector": "{% $states.context.Map.Item.Value.n %}"}
    outcome = run_map(s3, ItemReader={**READ, "ReaderConfig": config}, **fields)
    assert outcome.output == list(range(12_000))


def test_an_object_that_changes_meanwhile_is_refused(s3: FolderS3) -> None:
    s3.put_object(Bucket="b", Key="k", Body="x" * 1_500_000)
    objects = MapObjects(s3)
    first = objects("getObject", {"Bucket": "b", "Key": "k"})
    s3.put_object(Bucket="b", Key="k", Body="y" * 1_500_000)
    with pytest.raises(ServiceError) as caught:
        objects("getObject", {"Bucket": "b", "Key": "k", "Part": first["Next"]})
    assert caught.value.error == "S3.PreconditionFailedException"


def test_what_cannot_be_read_is_refused(s3: FolderS3) -> None:
    s3.put_object(Bucket="b", Key="k", Body=b"\xff")
    s3.put_object(Bucket="b", Key="broken.gz", Body=b"\x1f\x8bno")
    s3.put_object(Bucket="b", Key="broken.zst", Body=b"\x28\xb5\x2f\xfd" + b"\xff" * 50)
    nonsense = b"\x28\xb5\x2f\xfd\x20\x05\x2d\x00\x00" + b"\xff" * 5  # whole, but no content
    s3.put_object(Bucket="b", Key="nonsense.zst", Body=nonsense)
    s3.put_object(Bucket="b", Key="broken.parquet", Body=b"PAR1no")
    assert refused(s3, {"Key": "none"}).error == "S3.NoSuchKeyException"
    for key in ("k", "broken.gz", "broken.zst", "nonsense.zst"):
        assert refused(s3, {"Key": key}).error == "S3.InvalidObject"
    for key, kind in (("k", "PARQUET"), ("broken.parquet", "PARQUET"), ("k", "ORC")):
        assert refused(s3, {"Key": key, "InputType": kind}).error == "S3.InvalidObject"
    assert "deleteObject is not known" in str(refused(s3, {}, "deleteObject"))


def test_a_missing_object_fails_the_reader(s3: FolderS3) -> None:
    outcome = run_map(s3, ItemReader=READ)
    assert outcome.error == "States.ItemReaderFailed"
    assert outcome.cause == "The specified key does not exist. (Service: S3, Status Code: 404)"


def test_listings_are_read_through_all_pages(s3: FolderS3) -> None:
    for number in range(3):
        s3.put_object(Bucket="b", Key=f"x/{number}", Body="ab")
    reader = {**LIST, "Arguments": {"Bucket": "b", "Prefix": "x/", "MaxKeys": 2}}
    found = run_map(s3, ItemReader=reader).output
    assert [(one["Key"], one["Size"], one["StorageClass"]) for one in found] == [
        (f"x/{number}", 2, "STANDARD") for number in range(3)
    ]
    modified = s3.head_object(Bucket="b", Key="x/0")["LastModified"]
    assert found[0]["LastModified"] == int(modified.timestamp())
    assert set(found[0]) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}


def test_results_are_written_to_the_folder(s3: FolderS3) -> None:
    writer = {**WRITE, "WriterConfig": {"Transformation": "COMPACT"}}
    output = run_map(s3, Items=[1, "é"], ResultWriter=writer).output
    where = output["ResultWriterDetails"]
    manifest = json.loads(s3.get_object(**where)["Body"].read())
    [file] = manifest["ResultFiles"]["SUCCEEDED"]
    body = s3.get_object(Bucket="b", Key=file["Key"])["Body"].read()
    assert (body.decode(), len(body)) == ('[1,"é"]', file["Size"])
