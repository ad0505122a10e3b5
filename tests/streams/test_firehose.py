"""Delivery streams on this machine: what lies where, what becomes of what a function refuses."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.firehose import MOST_RECORD, Firehose, StreamPlace, expanded
from runner.local.s3 import FolderS3
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOON = datetime(2024, 5, 6, 12, 30, 15, tzinfo=UTC)
ERRORS = "bad/!{firehose:error-output-type}/"


class World:
    """A stream, its S3 and a function of the test's."""

    def __init__(self, folder: Path, answer: Callable[[Json], Json] | None, **said: Any) -> None:  # noqa: ANN401 - of any field
        self.s3 = FolderS3(folder)
        self.calls: list[Json] = []
        self.answer = answer
        stream = StreamPlace(
            "demo-events",
            "s3://raw/in/",
            said.get("prefix", "e/dt=!{timestamp:yyyy-MM-dd}/"),
            ERRORS,
            said.get("compression", "gzip"),
            said.get("size_bytes", 1 << 20),
            "demo-flat" if answer else "",
        )
        self.firehose = Firehose({"demo-events": stream}, self.s3, self._invoke, lambda: NOON)

    def _invoke(self, name: str, event: Json) -> Json:
        assert name == "demo-flat"
        assert self.answer is not None
        self.calls.append(event)
        return self.answer(event)

    def body(self, uri: str) -> bytes:
        body = self.s3.path_of(uri).read_bytes()
        return gzip.decompress(body) if uri.endswith(".gz") else body


def each(change: Callable[[bytes], tuple[str, bytes]]) -> Callable[[Json], Json]:
    """Answer every record by itself."""

    def answer(event: Json) -> Json:
        records = []
        for record in event["records"]:
            result, data = change(base64.b64decode(record["data"]))
            encoded = base64.b64encode(data).decode()
            records.append({"recordId": record["recordId"], "result": result, "data": encoded})
        return {"records": records}

    return answer


def test_records_are_joined_without_anything_between(tmp_path: Path) -> None:
    world = World(tmp_path, None)
    found = world.firehose.put("demo-events", [b"a\n", b"b"])
    (uri,) = found.objects
    assert uri.startswith("s3://raw/in/e/dt=2024-05-06/demo-events-1-2024-05-06-12-30-15-")
    assert world.body(uri) == b"a\nb"
    assert (found.records, found.dropped, found.failed) == (2, 0, 0)


def test_each_record_is_changed_dropped_or_kept_aside(tmp_path: Path) -> None:
    kinds = {b"a": ("Ok", b"A"), b"b": ("Dropped", b""), b"c": ("ProcessingFailed", b"")}
    world = World(tmp_path, each(kinds.__getitem__))
    found = world.firehose.put("demo-events", [b"a", b"b", b"c"])
    bad, good = sorted(found.objects)
    assert world.body(good) == b"A"
    assert bad.startswith("s3://raw/in/bad/processing-failed/demo-events-1-")
    told = json.loads(world.body(bad))
    assert base64.b64decode(told["rawData"]) == b"c"
    assert told["errorCode"] == "Lambda.ProcessingFailedStatus"
    assert (found.dropped, found.failed) == (1, 1)


def test_many_small_records_go_through_in_calls_that_lambda_takes(tmp_path: Path) -> None:
    world = World(tmp_path, _ok(data="YQ=="))
    found = world.firehose.put("demo-events", [b"a"] * 65_000)
    assert (found.failed, len(found.objects)) == (0, 1)
    sizes = [len(json.dumps(event)) for event in world.calls]
    assert len(sizes) == 2
    assert max(sizes) <= 6 << 20


def test_a_function_that_fails_is_asked_four_times_and_loses_nothing(tmp_path: Path) -> None:
    def fail(event: Json) -> Json:
        raise ServiceError("KeyError", json.dumps({"errorMessage": "'id'", "event": len(event)}))

    world = World(tmp_path, fail)
    found = world.firehose.put("demo-events", [b"a", b"b"])
    (bad,) = found.objects
    lines = [json.loads(line) for line in world.body(bad).splitlines()]
    assert [base64.b64decode(line["rawData"]) for line in lines] == [b"a", b"b"]
    assert {(line["errorMessage"], line["attemptsMade"]) for line in lines} == {
        ("KeyError: 'id'", 4)
    }
    assert len(world.calls) == 4


def _short(event: Json) -> Json:
    return {"records": [{"recordId": event["records"][0]["recordId"], "result": "Ok", "data": ""}]}


def _twice(event: Json) -> Json:
    one = {"recordId": event["records"][0]["recordId"], "result": "Ok", "data": ""}
    return {"records": [one, one]}


def _unknown(event: Json) -> Json:
    return {
        "records": [{"recordId": each["recordId"], "result": "OK"} for each in event["records"]]
    }


def _ok(**said: Json) -> Callable[[Json], Json]:
    def answer(event: Json) -> Json:
        ids = [each["recordId"] for each in event["records"]]
        return {"records": [{"recordId": one, "result": "Ok", **said} for one in ids]}

    return answer


def _more(event: Json) -> Json:
    return {"records": [*_ok(data="")(event)["records"], None]}


WRONG: tuple[Callable[[Json], Json], ...] = (
    *(_short, _twice, _unknown, _more, lambda _: [], lambda _: {}),
    *(_ok(), _ok(data="no base64"), _ok(data="YQ"), _ok(data=None), _ok(data={})),
    *(_ok(data="", metadata=None), _ok(data="", metadata={"partitionKeys": ["a"]})),
)


@pytest.mark.parametrize("answer", WRONG)
def test_an_answer_that_is_no_answer_loses_nothing(
    tmp_path: Path, answer: Callable[[Json], Json]
) -> None:
    world = World(tmp_path, answer)
    found = world.firehose.put("demo-events", [b"a", b"b"])
    assert found.failed == 2
    assert all("/bad/" in uri for uri in found.objects)


@pytest.mark.parametrize("keys", [{}, {"day": ""}, {"day": None}, {"hour": "07"}])
def test_a_record_without_the_partition_key_of_the_prefix_is_no_good(
    tmp_path: Path, keys: Json
) -> None:
    answer = _ok(data="YQ==", metadata={"partitionKeys": keys})
    world = World(tmp_path, answer, prefix="e/dt=!{partitionKeyFromLambda:day}/")
    found = world.firehose.put("demo-events", [b"raw"])
    (bad,) = found.objects
    told = json.loads(world.body(bad))
    assert (found.failed, "/bad/processing-failed/" in bad) == (1, True)
    assert base64.b64decode(told["rawData"]) == b"raw"
    assert told["errorCode"] == "DynamicPartitioning.MetadataExtractionFailed"
    assert told["errorMessage"].startswith("partitionKeys values must not be null or empty")


def test_a_function_says_where_records_lie(tmp_path: Path) -> None:
    def answer(event: Json) -> Json:
        return {
            "records": [
                {
                    "recordId": record["recordId"],
                    "result": "Ok",
                    "data": record["data"],
                    "metadata": {
                        "partitionKeys": {"day": base64.b64decode(record["data"]).decode()}
                    },
                }
                for record in event["records"]
            ]
        }

    world = World(
        tmp_path, answer, prefix="e/dt=!{partitionKeyFromLambda:day}/", compression="none"
    )
    found = world.firehose.put("demo-events", [b"1", b"2", b"1"])
    assert {uri.split("/")[5]: world.body(uri) for uri in found.objects} == {
        "dt=1": b"11",
        "dt=2": b"2",
    }


def test_objects_keep_to_the_streams_size(tmp_path: Path) -> None:
    world = World(tmp_path, None, size_bytes=10, compression="none")
    found = world.firehose.put("demo-events", [b"x" * 6] * 3)
    assert [len(world.body(uri)) for uri in found.objects] == [6, 6, 6]


def test_a_call_of_the_function_holds_a_mebibyte(tmp_path: Path) -> None:
    world = World(tmp_path, each(lambda data: ("Dropped", data[:0])))
    world.firehose.put("demo-events", [b"x" * 400_000] * 5)
    assert [len(call["records"]) for call in world.calls] == [2, 2, 1]


def test_a_prefix_without_a_time_is_followed_by_the_hour() -> None:
    """Firehose's guide, "Custom prefixes for Amazon S3 objects": semantic rules and examples."""
    assert expanded("a/", NOON, {}) == "a/2024/05/06/12/"
    assert expanded("failed/!{firehose:error-output-type}/", NOON, {}) == (
        "failed/processing-failed/"
    )
    assert expanded("!{partitionKeyFromLambda:k}/", NOON, {"k": "v"}) == "v/"
    random = expanded("!{firehose:random-string}/", NOON, {})
    assert (len(random), random[11:]) == (11 + len("/2024/05/06/12/"), "/2024/05/06/12/")


def test_it_is_asked_as_step_functions_ask_it(tmp_path: Path) -> None:
    world = World(tmp_path, None, compression="none")
    data = base64.b64encode(b"a\n").decode()
    told = world.firehose(
        "putRecordBatch", {"DeliveryStreamName": "demo-events", "Records": [{"Data": data}] * 2}
    )
    assert told["FailedPutCount"] == 0
    assert len(told["RequestResponses"]) == 2


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "1 to 500 records"),
        ([{"Data": ""}] * 501, "1 to 500 records"),
        ([{"Data": b"x" * (MOST_RECORD + 1)}], "a record has at most"),
        ([{"Data": b"x" * 900_000}] * 5, "records of a call"),
        ([{}], "Record.Data is missing"),
    ],
)
def test_what_put_record_batch_refuses(tmp_path: Path, records: list[Json], words: str) -> None:
    world = World(tmp_path, None)
    with pytest.raises(ServiceError, match=words) as caught:
        world.firehose("putRecordBatch", {"DeliveryStreamName": "demo-events", "Records": records})
    assert caught.value.error == "Firehose.InvalidArgumentException"


def test_a_stream_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as caught:
        World(tmp_path, None).firehose.put("other", [b"a"])
    assert caught.value.error == "Firehose.ResourceNotFoundException"
