"""Records as Lambda gets them, and what becomes of those that fail."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.stream_records import (
    GivenUp,
    Handed,
    NotAChangeError,
    change_records,
    hand_over,
    kinesis_records,
)
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
CLICKS = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
ORDERS = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024"
Event = dict[str, Any]


class Reader:
    """A function that remembers the lines of each call, and answers as the test says."""

    def __init__(self, answer: Callable[[list[str]], object]) -> None:
        self.calls: list[str] = []
        self._answer = answer

    def __call__(self, event: Event) -> object:
        records = event["Records"]
        lines = [base64.b64decode(one["kinesis"]["data"]).decode() for one in records]
        self.calls.append("".join(lines))
        found = self._answer(lines)
        if isinstance(found, set):
            bad = [
                {"itemIdentifier": one["kinesis"]["sequenceNumber"]}
                for one, line in zip(records, lines, strict=True)
                if line in found
            ]
            return {"batchItemFailures": bad}
        return found


def give(reader: Reader, letters: str, *, batch: int = 100, attempts: int = 2) -> Handed:
    datas = [letter.encode() for letter in letters]
    return hand_over(kinesis_records(datas, CLICKS, NOON), reader, batch=batch, attempts=attempts)


def raising(bad: str) -> Callable[[list[str]], object]:
    def answer(lines: list[str]) -> object:
        if set(bad) & set(lines):
            raise ServiceError("KeyError", '{"errorMessage": "no id"}')
        return None

    return answer


def test_a_record_of_kinesis_is_lambdas() -> None:
    first, second = kinesis_records([b"a\n", b"\xff"], CLICKS, NOON)
    told = first.body["kinesis"]
    assert base64.b64decode(told["data"]) == b"a\n"
    assert told["approximateArrivalTimestamp"] == 1714996800.0
    assert len(told["sequenceNumber"]) == 56
    assert told["sequenceNumber"] < second.body["kinesis"]["sequenceNumber"]
    del first.body["kinesis"]
    assert first.body == {
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{told['sequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::000000000000:role/local",
        "awsRegion": "eu-west-1",
        "eventSourceARN": CLICKS,
    }


def test_what_a_change_leaves_out_is_put_in() -> None:
    new, old = {"id": {"S": "1"}, "n": {"N": "2"}}, {"id": {"S": "1"}, "n": {"N": "1"}}
    lines = [{"NewImage": new}, {"NewImage": new, "OldImage": old}, {"OldImage": old}]
    changes = [(n, {"dynamodb": one}) for n, one in enumerate(lines, start=3)]
    found = list(change_records(changes, ORDERS, NOON))
    assert [one.body["eventName"] for one in found] == ["INSERT", "MODIFY", "REMOVE"]
    assert [one.line for one in found] == [3, 4, 5]
    change = found[0].body["dynamodb"]
    assert change["NewImage"] == new
    assert change["ApproximateCreationDateTime"] == 1714996800
    assert change["SequenceNumber"].isdecimal()
    assert 21 <= len(change["SequenceNumber"]) <= 40
    assert found[0].body["eventSourceARN"] == ORDERS
    assert found[0].body["awsRegion"] == "eu-west-1"


def test_what_a_change_says_stays() -> None:
    said = {
        "eventID": "e1",
        "eventName": "REMOVE",
        "userIdentity": {"type": "Service"},
        "dynamodb": {"Keys": {"id": {"S": "1"}}, "SequenceNumber": "111", "SizeBytes": 26},
    }
    (found,) = change_records([(1, said)], ORDERS, NOON)
    body = found.body
    assert (found.sequence, body["eventID"], body["eventName"]) == ("111", "e1", "REMOVE")
    assert body["userIdentity"] == {"type": "Service"}
    assert body["dynamodb"]["SizeBytes"] == 26


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"id": 1}, "no object `dynamodb`"),
        ({"dynamodb": {}}, "none of `NewImage`, `OldImage` and `Keys`"),
        ({"dynamodb": {"Keys": {}}}, "`eventName` is None"),
        ({"eventName": "insert", "dynamodb": {"Keys": {}}}, "`eventName` is 'insert'"),
    ],
)
def test_what_is_no_change_is_said(said: Event, told: str) -> None:
    with pytest.raises(NotAChangeError, match=told):
        list(change_records([(1, said)], ORDERS, NOON))


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, "", [], {"other": 1}])
def test_batches_are_of_the_mappings_size(answer: object) -> None:
    reader = Reader(lambda _: answer)
    assert give(reader, "abcde", batch=2) == Handed(5, 3, ())
    assert reader.calls == ["ab", "cd", "e"]


def test_a_batch_is_no_larger_than_a_call_may_be() -> None:
    reader = Reader(lambda _: None)
    datas = [letter * (1 << 20) for letter in (b"a", b"b", b"c", b"d", b"e")]
    found = hand_over(kinesis_records(datas, CLICKS, NOON), reader, batch=100, attempts=0)
    assert (found.records, found.calls) == (5, 2)
    assert [len(call) >> 20 for call in reader.calls] == [4, 1]


def test_a_batch_that_raises_is_halved_until_the_record_is_alone() -> None:
    reader = Reader(raising("c"))
    found = give(reader, "abcd")
    assert reader.calls == ["abcd", "ab", "cd", "c", "c", "c", "d"]
    (gone,) = found.given_up
    assert (gone.line, gone.problem) == (3, "KeyError: no id")
    assert (found.records, found.calls) == (4, 7)


def test_a_batch_goes_on_from_the_record_that_failed() -> None:
    reader = Reader(lambda _: {"c"})
    found = give(reader, "abcd", attempts=1)
    assert reader.calls == ["abcd", "cd", "c", "c", "d"]
    assert [one.line for one in found.given_up] == [3]
    assert "batchItemFailures" in found.given_up[0].problem


def test_a_record_that_passes_later_is_not_given_up() -> None:
    answers = iter([{"b"}, {"b"}, {"b"}, set(), set()])
    reader = Reader(lambda _: next(answers))
    assert give(reader, "abc").given_up == ()
    assert reader.calls == ["abc", "bc", "b", "b", "c"]


def test_without_attempts_what_is_left_of_a_batch_is_given_up() -> None:
    reader = Reader(raising("b"))
    found = give(reader, "abcd", batch=2, attempts=0)
    assert reader.calls == ["ab", "cd"]
    assert [one.line for one in found.given_up] == [1, 2]


@pytest.mark.parametrize("identifier", ["", None, "nobody"])
def test_an_answer_that_names_no_record_is_a_failure_of_all(identifier: str | None) -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": identifier}]}
    found = give(Reader(lambda _: answer), "a", attempts=0)
    told = f"its answer names no record of the batch: {json.dumps(answer)}"
    assert [one.problem for one in found.given_up] == [told]
    assert isinstance(found.given_up[0], GivenUp)
