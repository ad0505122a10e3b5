"""Objects that call functions: which, with what, and where it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from runner.local.arrivals import MOST_DEEP, Arrivals, Called, ObjectReader, object_created
from runner.local.s3 import FolderS3, Written
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOON = datetime(2024, 5, 6, 12, 30, 15, tzinfo=UTC)
ORDERS = ObjectReader("demo-orders", "orders", "new", "raw", "orders/", ".json")
FLAT = ObjectReader("demo-flat", "flat", "new", "mid")


class World:
    """An S3 that tells of what is written, and functions of the test's."""

    def __init__(self, folder: Path, *readers: ObjectReader) -> None:
        names = {one.function for one in readers} | {"demo-other"}
        self.arrivals = Arrivals(readers, self._invoke, lambda: NOON, names)
        self.s3 = FolderS3(folder, observer=self.arrivals.wrote)
        self.functions: dict[str, Callable[[Json], object]] = {}
        self.calls: list[tuple[str, str]] = []

    def _invoke(self, name: str, event: Json) -> Json:
        self.arrivals.works_for("")
        key = event["detail"]["object"]["key"]
        self.calls.append((name, key))
        self.functions.get(name, str)(key)

    def put(self, bucket: str, key: str, *, by: str = "") -> None:
        self.arrivals.works_for(by)
        self.s3.put_object(Bucket=bucket, Key=key, Body=b"x")


@pytest.mark.parametrize(
    ("bucket", "key", "called"),
    [
        ("raw", "orders/1.json", True),
        ("raw", "orders/deep/1.json", True),
        ("raw", "orders/.json", True),
        ("raw", "orders/1.csv", False),
        ("raw", "other/1.json", False),
        ("mid", "orders/1.json", False),
    ],
)
def test_place_and_ending_decide(tmp_path: Path, bucket: str, key: str, called: bool) -> None:  # noqa: FBT001 - a case
    world = World(tmp_path, ORDERS)
    world.put(bucket, key)
    found = world.arrivals.settle()
    assert found == ((Called("orders", "new", f"s3://{bucket}/{key}"),) if called else ())


def test_prefix_and_suffix_do_not_overlap() -> None:
    """As in the wildcard of the deployed rule: `ab*ba` does not match `aba`."""
    reader = ObjectReader("f", "f", "e", "raw", "ab", "ba")
    assert (reader.reads("raw", "aba"), reader.reads("raw", "abba")) == (False, True)


def test_the_event_is_eventbridges() -> None:
    event = object_created(Written("raw", "a b/ü.json", 5, '"0a1b-1"', "PutObject"), NOON)
    detail = event.pop("detail")
    assert len(event.pop("id")) == 36
    assert event == {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "000000000000",
        "time": "2024-05-06T12:30:15Z",
        "region": "local",
        "resources": ["arn:aws:s3:::raw"],
    }
    assert detail["bucket"] == {"name": "raw"}
    assert detail["object"].pop("sequencer").isalnum()
    assert detail["object"] == {"key": "a b/ü.json", "size": 5, "etag": "0a1b-1"}
    assert detail["reason"] == "PutObject"


def test_copies_arrive_as_well(tmp_path: Path) -> None:
    world = World(tmp_path, FLAT)
    world.put("raw", "a")
    world.s3.copy_object(Bucket="mid", Key="b", CopySource={"Bucket": "raw", "Key": "a"})
    assert [one.what for one in world.arrivals.settle()] == ["s3://mid/b"]


def test_what_a_function_writes_calls_the_next_one(tmp_path: Path) -> None:
    world = World(tmp_path, ORDERS, FLAT)
    world.functions["demo-orders"] = lambda key: world.put("mid", key, by="demo-orders")
    world.put("raw", "orders/1.json")
    assert [str(one) for one in world.arrivals.settle()] == [
        "called orders (new: s3://raw/orders/1.json)",
        "called flat (new: s3://mid/orders/1.json)",
    ]
    assert world.arrivals.settle() == ()


def test_a_call_that_fails_is_told_and_the_next_is_made(tmp_path: Path) -> None:
    def fail(key: str) -> None:
        if key == "a":
            raise ServiceError("KeyError", json.dumps({"errorMessage": "'id'"}))

    world = World(tmp_path, FLAT)
    world.functions["demo-flat"] = fail
    world.put("mid", "a")
    world.put("mid", "b")
    assert [str(one) for one in world.arrivals.settle()] == [
        "flat failed (new: s3://mid/a): KeyError: 'id'",
        "called flat (new: s3://mid/b)",
    ]


def test_a_call_that_cannot_be_made_at_all_is_told_and_nobody_waits_for_it(tmp_path: Path) -> None:
    """Such as of a process that the system does not start."""

    def fail(key: str) -> None:
        raise OSError(12, f"Cannot allocate memory for {key}")

    world = World(tmp_path, FLAT)
    world.functions["demo-flat"] = fail
    world.put("mid", "a")
    patience = iter(range(50))  # so that a defect fails, and does not hang
    (told,) = world.arrivals.settle(lambda: next(patience, None) is None)
    assert told.problem == "OSError: [Errno 12] Cannot allocate memory for a"


def test_functions_that_call_each_other_are_named(tmp_path: Path) -> None:
    world = World(tmp_path, ORDERS, FLAT)
    world.functions = {
        "demo-orders": lambda key: world.put("mid", key, by="demo-orders"),
        "demo-flat": lambda key: world.put("raw", f"orders/x{key[7:]}", by="demo-flat"),
    }
    world.put("raw", "orders/1.json")
    *went, last = world.arrivals.settle()
    assert len(went) == len(world.calls) == MOST_DEEP
    assert not any(one.problem for one in went)
    assert last.problem.startswith("a loop, cut after 16 calls: orders -> flat -> orders; ")


def test_a_loop_through_a_function_that_is_called_on_the_way_is_seen(tmp_path: Path) -> None:
    """A function puts a record; the stream's own function writes the object that calls it."""
    world = World(tmp_path, FLAT)

    def put_record(key: str) -> None:
        world.arrivals.works_for("demo-flat")
        with world.arrivals.calling("demo-other"):
            world.put("mid", key, by="demo-other")

    world.functions["demo-flat"] = put_record
    world.put("mid", "a")
    *went, last = world.arrivals.settle()
    assert len(went) == MOST_DEEP // 2
    assert "flat -> demo-other -> flat;" in last.problem


def test_many_objects_of_others_are_no_loop(tmp_path: Path) -> None:
    """While a function runs, a step that has nothing to do with it goes on writing."""
    world = World(tmp_path, FLAT)
    world.functions["demo-flat"] = lambda key: (
        world.put("mid", f"{int(key) - 1}", by="demo-other") if int(key) else None
    )
    world.put("mid", "40")
    found = world.arrivals.settle()
    assert len(found) == 41
    assert not any(one.problem for one in found)


def test_nobody_waits_after_a_stop(tmp_path: Path) -> None:
    world = World(tmp_path, FLAT)
    world.functions["demo-flat"] = lambda _: world.arrivals.close()
    for key in "abc":
        world.put("mid", key)
    assert world.arrivals.settle(lambda: True) in {(), (Called("flat", "new", "s3://mid/a"),)}
    world.arrivals.settle()
    assert world.calls[:1] == [("demo-flat", "a")]
