"""The Firehose function: every record answered once, within 6 MB, none lost."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.functions.firehose_flatten import handler as function
from runner.functions.firehose_flatten.reingest import MOST_BYTES, Again

STREAM = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/shop-events"
KINESIS = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"


class FakeStreams:
    """Firehose and Kinesis, which refuse now and then."""

    def __init__(self, refusals: list[set[int] | Exception] | None = None) -> None:
        self.refusals = refusals or []
        self.taken: list[bytes] = []
        self.calls: list[tuple[str, int, int]] = []
        self.keys: list[str] = []

    def client(self, service: str) -> FakeStreams:
        self.service = service
        return self

    def put_record_batch(
        self,
        *,
        DeliveryStreamName: str,  # noqa: N803 - AWS's names
        Records: list[dict[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        assert self.service == "firehose"
        return {"RequestResponses": self._take(DeliveryStreamName, Records)}

    def put_records(self, *, StreamARN: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert self.service == "kinesis"
        self.keys += [record["PartitionKey"] for record in Records]
        return {"Records": self._take(StreamARN, Records)}

    def _take(self, stream: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        size = sum(len(record["Data"]) for record in records)
        assert len(records) <= 500
        assert size <= 4 << 20
        self.calls.append((stream, len(records), size))
        refused = self.refusals.pop(0) if self.refusals else set[int]()
        if isinstance(refused, Exception):
            raise refused
        told: list[dict[str, Any]] = []
        for number, record in enumerate(records):
            if number in refused:
                told.append({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow"})
            else:
                self.taken.append(record["Data"])
                told.append({"RecordId": "x"})
        return told


def event_of(datas: list[bytes], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    records = [
        {"recordId": f"{number:056d}", "data": base64.b64encode(data).decode()}
        for number, data in enumerate(datas)
    ]
    return {"deliveryStreamArn": STREAM, "records": records, **more}


def ask(
    event: dict[str, Any],
    streams: FakeStreams | None = None,
    left: list[float] | None = None,
    **environ: str,
) -> dict[str, Any]:
    times = left or []
    again = Again(
        (streams or FakeStreams()).client, lambda: times.pop(0) if times else 300, lambda _: None
    )
    return function.answer(event, function.settings_of(environ), again)


def data_of(answer: dict[str, Any]) -> bytes:
    return base64.b64decode(answer["data"])


def test_each_record_gets_its_answer() -> None:
    bad = [b"no json", b"[1]", b"\xff{}", b'{"a":1}\nx']
    datas = [b'{"a":{"b":1}}\n{"c":2}', b"", b" \n", *bad]
    found = ask(event_of(datas))["records"]
    assert [each["recordId"] for each in found] == [f"{number:056d}" for number in range(7)]
    assert [each["result"] for each in found] == ["Ok", *["Dropped"] * 2, *["ProcessingFailed"] * 4]
    assert data_of(found[0]) == b'{"a_b":1}\n{"c":2}\n'
    assert [data_of(each) for each in found[3:]] == bad


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b'{"a":1}', b'{"a":{"b":[]}}']), max_size=6)
)
def test_any_bytes_are_answered_once(datas: list[bytes]) -> None:
    found = ask(event_of(datas))["records"]
    assert [each["recordId"] for each in found] == [
        f"{number:056d}" for number in range(len(datas))
    ]
    for data, each in zip(datas, found, strict=True):
        if each["result"] == "ProcessingFailed":
            assert data_of(each) == data
        elif each["result"] == "Ok":
            assert all(isinstance(json.loads(line), dict) for line in data_of(each).splitlines())
        else:
            assert not data.strip()


WIDE = json.dumps({"k" * 4000: {str(number): number for number in range(100)}}).encode()
"""5 KB that become 400 KB."""


def test_what_does_not_fit_is_put_again() -> None:
    streams = FakeStreams([{0, 2}, ClientError({"Error": {"Code": "Throttling"}}, "Put"), {1}])
    event = event_of([WIDE] * 30)
    answer = ask(event, streams)
    assert len(json.dumps(answer)) <= MOST_BYTES
    results = [each["result"] for each in answer["records"]]
    assert results == ["Ok"] * results.count("Ok") + ["Dropped"] * results.count("Dropped")
    assert 5 < results.count("Ok") < 15
    assert streams.taken == [WIDE] * results.count("Dropped")
    assert {name for name, _, _ in streams.calls} == {"shop-events"}
    assert [count for _, count, _ in streams.calls[1:]] == [2, 2, 1]


def test_batches_keep_to_500_records_and_4_mib() -> None:
    small = json.dumps({"k" * 60: {str(number): number for number in range(60)}}).encode()
    streams = FakeStreams()
    answer = ask(event_of([small] * 3000), streams)
    dropped = [each for each in answer["records"] if each["result"] == "Dropped"]
    assert len(streams.taken) == len(dropped) > 1000
    assert [count for _, count, _ in streams.calls[:-1]] == [500] * (len(streams.calls) - 1)
    large = b'{"a":"' + b"x" * 990_000 + b'"}'
    streams = FakeStreams()
    answer = ask(event_of([large] * 10), streams)
    assert [each["result"] for each in answer["records"]].count("Ok") == 4
    assert [count for _, count, _ in streams.calls] == [4, 2]


@pytest.mark.parametrize(
    ("refusals", "left"),
    [
        ([ClientError({"Error": {"Code": "AccessDeniedException"}}, "Put")], []),
        ([EndpointConnectionError(endpoint_url="x")] * 3, [60.0, 50.0, 20.0, 9.0]),
        ([set(range(50))] * 2, [60.0, 20.0, 9.0]),
        ([], [5.0]),
    ],
)
def test_what_cannot_be_put_again_fails(
    refusals: list[set[int] | Exception], left: list[float]
) -> None:
    streams = FakeStreams(refusals)
    answer = ask(event_of([WIDE] * 20), streams, left)
    assert len(json.dumps(answer)) <= MOST_BYTES
    results = {each["result"] for each in answer["records"]}
    assert results == {"Ok", "ProcessingFailed"}
    assert streams.taken == []


def test_without_a_stream_what_does_not_fit_fails() -> None:
    streams = FakeStreams()
    answer = ask(event_of([WIDE] * 20, deliveryStreamArn=None), streams)
    assert {each["result"] for each in answer["records"]} == {"Ok", "ProcessingFailed"}
    assert streams.calls == []


def test_records_of_a_kinesis_stream_go_back_to_it_with_their_keys() -> None:
    event = event_of([WIDE] * 20, sourceKinesisStreamArn=KINESIS)
    for number, record in enumerate(event["records"]):
        record["kinesisRecordMetadata"] = {"partitionKey": f"key{number}"}
    streams = FakeStreams()
    answer = ask(event, streams)
    dropped = [at for at, each in enumerate(answer["records"]) if each["result"] == "Dropped"]
    assert streams.keys == [f"key{at}" for at in dropped]
    assert {name for name, _, _ in streams.calls} == {KINESIS}


def test_a_record_that_never_fits_fails_and_does_not_come_again() -> None:
    huge = json.dumps({"k" * 90_000: {str(number): 1 for number in range(100)}}).encode()
    streams = FakeStreams()
    answer = ask(event_of([b'{"a":1}', huge, huge]), streams)
    assert [each["result"] for each in answer["records"]] == ["Ok", *["ProcessingFailed"] * 2]
    assert streams.calls == []


def test_failed_records_count_too() -> None:
    answer = ask(event_of([b"x" * 900_000] * 6), FakeStreams())
    assert len(json.dumps(answer)) <= MOST_BYTES
    assert {each["result"] for each in answer["records"]} == {"ProcessingFailed"}
    assert sum("data" in each for each in answer["records"]) == 5


@pytest.mark.parametrize(
    ("time", "keys"),
    [
        ('"2024-05-06T07:59:59Z"', ("2024-05-06", "07")),
        ('"2024-05-06T00:30:00+09:00"', ("2024-05-05", "15")),
        ('"2024-05-06 07:00"', ("2024-05-06", "07")),
        ("1714980600", ("2024-05-06", "07")),
        ("1714980600.25", ("2024-05-06", "07")),
        ("1714980600123", ("2024-05-06", "07")),
        ("1714980600123456", ("2024-05-06", "07")),
        ('"soon"', None),
        ("null", None),
        ("1e400", None),
        ('"0001-01-01T00:00:00+09:00"', None),
    ],
)
@pytest.mark.parametrize("key", ["at", "a\\u0074"])
def test_a_time_says_where_a_record_lies(time: str, key: str, keys: tuple[str, str] | None) -> None:
    event = event_of([f'{{"e":{{"{key}":{time}}}}}'.encode()])
    (found,) = ask(event, PARTITION_BY="e_at")["records"]
    if keys is None:
        assert found["result"] == "ProcessingFailed"
    else:
        assert found["metadata"] == {"partitionKeys": {"dt": keys[0], "hour": keys[1]}}


def test_a_record_lies_in_one_hour() -> None:
    datas = [b'{"t":0}{"t":3599}', b'{"t":0}{"t":3600}', b'{"t":0}{"u":1}', b'{"u":1}']
    found = ask(event_of(datas), PARTITION_BY="t")["records"]
    assert [each["result"] for each in found] == ["Ok", *["ProcessingFailed"] * 3]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"MAX_DEPTH": "-1"}, "MAX_DEPTH is '-1'; expected a number"),
        ({"ARRAYS": "index_"}, "ARRAYS is 'index_'; expected json or index"),
        ({"LOWER_CASE": "yes"}, "LOWER_CASE is 'yes'; expected false or true"),
        ({"SEPARATOR": ""}, "SEPARATOR is empty"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        function.settings_of(environ)
