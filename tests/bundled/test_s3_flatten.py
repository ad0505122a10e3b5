"""Objects that arrive in S3 are flattened beside, under the same name."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from runner.functions.s3_flatten import handler as function
from runner.local.s3 import FolderS3

if TYPE_CHECKING:
    from pathlib import Path


def s3_event(*keys: str, name: str = "ObjectCreated:Put", bucket: str = "raw") -> dict[str, Any]:
    place = [{"bucket": {"name": bucket}, "object": {"key": key}} for key in keys]
    return {"Records": [{"eventSource": "aws:s3", "eventName": name, "s3": each} for each in place]}


def bus_event(key: str, kind: str = "Object Created") -> dict[str, Any]:
    detail = {"bucket": {"name": "raw"}, "object": {"key": key, "size": 1}}
    return {"source": "aws.s3", "detail-type": kind, "detail": detail}


def ask(s3: FolderS3, event: dict[str, Any], **environ: str) -> dict[str, Any]:
    settings = function.settings_of({"TO": "s3://raw/flat/", "FROM": "in/", **environ})
    return function.answer(event, settings, s3)


def body(s3: FolderS3, key: str) -> bytes:
    found: bytes = s3.get_object(Bucket="raw", Key=key)["Body"].read()
    return found


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "event", [s3_event("in/dt%3D1/a+b%2Bc.json"), bus_event("in/dt=1/a b+c.json")]
)
def test_an_object_is_flattened_under_the_same_name(
    tmp_path: Path, event: dict[str, Any], *, zipped: bool
) -> None:
    s3 = FolderS3(tmp_path)
    data = b'{"a":{"b":1}}\n\n{"a":2}{"c":3}\nno json\n\xff'
    whole = gzip.compress(data[:10]) + gzip.compress(data[10:]) if zipped else data
    s3.put_object(Bucket="raw", Key="in/dt=1/a b+c.json", Body=whole)
    told = ask(s3, event)
    assert told == {
        "written": ["s3://raw/flat/dt=1/a b+c.json", "s3://raw/flat/_errors/dt=1/a b+c.json"],
        "skipped": [],
        "lines": 2,
        "refused": 2,
    }
    flat, refused = body(s3, "flat/dt=1/a b+c.json"), body(s3, "flat/_errors/dt=1/a b+c.json")
    if zipped:
        flat, refused = gzip.decompress(flat), gzip.decompress(refused)
    assert flat == b'{"a_b":1}\n{"a":2}\n{"c":3}\n'
    assert refused == b"no json\n\xff\n"


def test_the_same_object_gives_the_same_bytes(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    s3.put_object(Bucket="raw", Key="in/a.gz", Body=gzip.compress(b'{"a":{"b":1}}'))
    found: list[bytes] = []
    for _ in range(2):
        assert ask(s3, s3_event("in/a.gz"))["written"] == ["s3://raw/flat/a.gz"]
        found.append(body(s3, "flat/a.gz"))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "event",
    [
        s3_event("flat/a.json"),
        bus_event("flat/_errors/a.json"),
        s3_event("other/a.json"),
        s3_event("in/folder/"),
    ],
)
def test_what_is_ours_or_elsewhere_is_passed_over(tmp_path: Path, event: dict[str, Any]) -> None:
    told = ask(FolderS3(tmp_path), event)
    assert (told["written"], len(told["skipped"])) == ([], 1)


def test_its_own_place_is_passed_over_also_within_what_it_reads(tmp_path: Path) -> None:
    told = ask(FolderS3(tmp_path), s3_event("in/flat/a.json"), TO="s3://raw/in/flat", FROM="in/")
    assert told["skipped"] == ["s3://raw/in/flat/a.json"]


@pytest.mark.parametrize(
    "event",
    [
        s3_event("in/a", name="ObjectRemoved:Delete"),
        bus_event("in/a", "Object Deleted"),
        {"Service": "Amazon S3", "Event": "s3:TestEvent"},
    ],
)
def test_other_events_tell_of_nothing(tmp_path: Path, event: dict[str, Any]) -> None:
    told = ask(FolderS3(tmp_path), event)
    assert told == {"written": [], "skipped": [], "lines": 0, "refused": 0}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TO": ""}, "TO is ''; expected s3://bucket/prefix/"),
        ({"MAX_DEPTH": "x"}, "MAX_DEPTH is 'x'"),
        ({"ARRAYS": "x"}, "ARRAYS is 'x'"),
        ({"SEPARATOR": ""}, "SEPARATOR is empty"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        function.settings_of({"TO": "s3://raw/flat/", **environ})
