"""DynamoDB's changes in the lake: each line once, whatever Lambda calls again."""

from __future__ import annotations

import base64
import gzip
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from runner.functions.dynamodb_to_lake import columnar
from runner.functions.dynamodb_to_lake import handler as function
from runner.functions.dynamodb_to_lake.direct import change_of, map_of
from runner.functions.dynamodb_to_lake.lines import Change, Lines
from runner.functions.dynamodb_to_lake.typed import NotARecordError
from runner.local.s3 import FolderS3
from tests.bundled.mutations import mutants

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024-05-06T00:00:00.000"
TIME = 1714980600
NEW = {
    "id": {"S": "o-1"},
    "price": {"N": "12345678901234567890.10"},
    "paid": {"BOOL": True},
    "note": {"S": 'say "hi"\n'},
    "gone": {"NULL": True},
    "raw": {"B": "AAEC"},
    "address": {"M": {"geo": {"M": {"lat": {"N": "35.0"}}}, "none": {"M": {}}}},
    "items": {"L": [{"M": {"sku": {"S": "a"}, "n": {"N": "2"}}}, {"S": "x"}, {"L": []}]},
    "tags": {"SS": ["a"]},
    "sizes": {"NS": ["1", "2.50"]},
    "bins": {"BS": ["AA=="]},
}


def record_of(number: int, **change: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "eventID": f"e{number}",
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": ARN,
        "dynamodb": {
            "ApproximateCreationDateTime": float(TIME),
            "Keys": {"id": {"S": "o-1"}},
            "NewImage": {"id": {"S": f"o-{number}"}},
            "SequenceNumber": str(100_000_000_000_000_000_000 + number),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **change,
        },
    }


def kinesis_of(number: int, data: bytes | None = None, shard: int = 0) -> dict[str, Any]:
    change = {"ApproximateCreationDateTime": TIME * 1000 + number, "Keys": {"id": {"N": "1"}}}
    record = {"eventName": "REMOVE", "tableName": "orders", "dynamodb": change}
    sequence = str(10**55 + number)
    return {
        "kinesis": {
            "sequenceNumber": sequence,
            "data": base64.b64encode(data or json.dumps(record).encode()).decode(),
        },
        "eventID": f"shardId-00000000000{shard}:{sequence}",
        "eventSource": "aws:kinesis",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/changes",
    }


class World:
    """A bucket, and the function with its settings."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.s3 = FolderS3(folder)
        self.settings = function.settings_of({"TO": "s3://lake/raw/orders", **environ})

    def call(self, records: list[dict[str, Any]]) -> list[str]:
        answer = function.answer({"Records": records}, self.settings, self.s3)
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def names(self) -> list[str]:
        bucket = self.folder / "lake"
        return sorted(str(path.relative_to(bucket)) for path in bucket.rglob("*.gz"))

    def lines(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for key in self.names()
            for line in gzip.decompress((self.folder / "lake" / key).read_bytes()).splitlines()
        ]


def test_a_change_is_a_line_of_plain_json(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.call([record_of(1, NewImage=NEW)]) == []
    (key,) = world.names()
    number = "100000000000000000001".zfill(56)
    assert key == f"raw/orders/dt=2024-05-06/changes-{number}-{number}.json.gz"
    text = gzip.decompress((tmp_path / "lake" / key).read_bytes()).decode()
    assert '"price":12345678901234567890.10,' in text
    assert json.loads(text) == {
        "event": "MODIFY",
        "sequence": "100000000000000000001",
        "time": "2024-05-06 07:30:00.000",
        "table": "orders",
        "keys": {"id": "o-1"},
        "new": {
            "id": "o-1",
            "price": 12345678901234567890.10,
            "paid": True,
            "note": 'say "hi"\n',
            "gone": None,
            "raw": "AAEC",
            "address": {"geo": {"lat": 35.0}, "none": {}},
            "items": [{"sku": "a", "n": 2}, "x", []],
            "tags": ["a"],
            "sizes": [1, 2.50],
            "bins": ["AA=="],
        },
        "old": None,
    }


def test_lists_too_deep_to_be_cut_out_are_read_all_the_same(tmp_path: Path) -> None:
    attribute, plain = {"S": "x"}, "x"
    for _ in range(5):
        attribute, plain = {"L": [{"M": {"in": attribute}}]}, [{"in": plain}]  # type: ignore[dict-item,assignment]
    world = World(tmp_path)
    world.call([record_of(1, NewImage={"deep": attribute})])
    assert world.lines()[0]["new"] == {"deep": plain}


def test_lines_lie_by_the_time_of_the_change(tmp_path: Path) -> None:
    world = World(tmp_path, PARTITION="hour")
    later = {"ApproximateCreationDateTime": TIME + 17 * 3600}
    world.call([record_of(1), record_of(2, **later), record_of(3)])
    assert [key.split("/")[2:4] for key in world.names()] == [
        ["dt=2024-05-06", "hour=07"],
        ["dt=2024-05-07", "hour=00"],
    ]
    assert [line["new"]["id"] for line in world.lines()] == ["o-1", "o-3", "o-2"]


def test_kinesis_brings_changes_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.call([kinesis_of(1), kinesis_of(2), kinesis_of(1, shard=1)]) == []
    assert [key.split("/")[3][:20] for key in world.names()] == [
        "shardId-000000000000",
        "shardId-000000000001",
    ]
    first = world.lines()[0]
    assert (first["event"], first["table"], first["new"]) == ("REMOVE", "orders", None)
    assert first["time"] == "2024-05-06 07:30:00.001"


@pytest.mark.parametrize("make", [record_of, kinesis_of])
@pytest.mark.parametrize("seed", range(4))
def test_batches_called_again_in_any_pieces_double_nothing(
    tmp_path: Path,
    make: Callable[[int], dict[str, Any]],
    seed: int,
) -> None:
    random_ = random.Random(seed)  # noqa: S311 - a test's
    records = [make(number) for number in range(40)]
    world = World(tmp_path)
    at = 0
    while at < len(records):
        size = random_.randrange(1, 12)
        world.call(records[at : at + size])
        for _ in range(random_.randrange(3)):
            start = max(0, at - random_.randrange(12))
            world.call(records[start : start + random_.randrange(1, 15)])
        at += size
    found = [line["sequence"] for line in world.lines()]
    assert len(found) == len(set(found)) == 40


def test_the_same_batch_again_writes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.call([record_of(1), record_of(2)])
    before = {key: (tmp_path / "lake" / key).stat().st_mtime_ns for key in world.names()}
    world.call([record_of(1), record_of(2)])
    assert {key: (tmp_path / "lake" / key).stat().st_mtime_ns for key in world.names()} == before


@pytest.mark.parametrize(
    "poison",
    [
        record_of(2, NewImage={"id": {"Q": "x"}}),
        record_of(2, NewImage={"id": {"N": "1,2"}}),
        record_of(2, NewImage=[]),
        record_of(2, ApproximateCreationDateTime="soon"),
        record_of(2, ApproximateCreationDateTime=1e30),
        {**record_of(2), "eventName": "DROP"},
        kinesis_of(2, b"no json"),
        kinesis_of(2, b"\xff"),
        kinesis_of(2, b"[]"),
        kinesis_of(2, b'{"eventName":"INSERT"}'),
    ],
)
def test_a_record_that_is_none_is_told_and_holds_up_no_other(
    tmp_path: Path, poison: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    make = kinesis_of if "kinesis" in poison else record_of
    world = World(tmp_path)
    batch = [make(1), poison, make(3)]
    sequence = (poison.get("kinesis") or {}).get("sequenceNumber")
    sequence = sequence or poison["dynamodb"]["SequenceNumber"]
    assert world.call(batch) == [sequence]
    assert world.call(batch[1:]) == [sequence]
    assert len(world.lines()) == 2
    assert sequence in capsys.readouterr().out


def test_any_bytes_come_back_as_a_line_or_a_failure(tmp_path: Path) -> None:
    random_ = random.Random(5)  # noqa: S311 - a test's
    good = base64.b64decode(kinesis_of(0)["kinesis"]["data"])
    for number in range(60):
        data = bytearray(good)
        data[random_.randrange(len(data))] = random_.randrange(256)
        world = World(tmp_path / str(number))
        failed = world.call([kinesis_of(number, bytes(data))])
        assert len(failed) + (len(world.lines()) if not failed else 0) == 1


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TO": "lake"}, "TO is 'lake'; expected s3://bucket/prefix/"),
        ({"PARTITION": "week"}, "PARTITION is 'week'; expected day or hour"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        World(tmp_path, **environ)


def item_of(number: int) -> dict[str, Any]:
    """Make an item of one of several shapes, now and then with something wrong in it."""
    item: dict[str, Any] = {**NEW, "id": {"S": f"o-{number}"}, "price": {"N": str(number)}}
    if number % 3 == 0:
        item = {"id": {"N": str(number)}}
    if number % 41 == 40:
        item["id"] = {"S": 'x"'}
    if number % 43 == 42:
        item["price"] = {"N": "1,2"}
    if number % 47 == 46:
        item["paid"] = {"BOOL": number % 2 == 0}
    if number % 53 == 52:
        item["id"] = {"S": 5}
    return item


def test_shapes_that_come_often_are_written_as_those_that_come_once() -> None:
    records = [record_of(number, NewImage=item_of(number)) for number in range(600)]
    texts = [json.dumps(each).replace(f"{TIME}.0", str(TIME)).encode() for each in records]
    often = Lines()
    often.read_all(texts)
    assert often.read_all(texts) == [direct(record) for record in records]


def test_what_is_broken_is_found_among_many_that_are_not() -> None:
    often = Lines()
    shape = (
        '{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":17149806001%02d,'
        '"NewImage":{"a":{"S":"x%d"},"n":{"N":"%d"},"b":{"BOOL":true},"l":{"L":[{"S":"y"}]}}}}'
    )
    good = [(shape % (at, at, at)).encode() for at in range(10, 99)]
    often.read_all(good)
    texts = [*good, *mutants(good[70])]
    for text, found in zip(texts, often.read_all(texts), strict=True):
        assert once(text) == found, text


ODD_VALUES: tuple[Any, ...] = (
    *({"S": "a\0b"}, {"S": "\\u0000"}, {"S": "\\"}, {"S": "é\ud83d"}, {"S": ["S"]}, {"B": "AA=="}),
    *(
        {"N": "1\0"},
        {"N": "1\x002"},
        {"N": "01"},
        {"N": 1},
        {"N": ""},
        {"BOOL": 1},
        {"BOOL": "true"},
        {"NULL": 5},
    ),
    *(
        {"M": {}},
        {"M": []},
        {"M": {"%s": {"S": "%d"}}},
        {"L": {}},
        {"L": "S"},
        {"L": [{"N": "1"}, {}]},
    ),
    *({"SS": []}, {"SS": ["a\0", "b"]}, {"SS": "ab"}, {"NS": ["1", "x"]}, {"NS": ["1", "2"]}),
    *({"X": "1"}, {}, "S", ["S"], None, 7, {"S": "a", "N": "1"}, {"L": [{"S": "x"}, {"N": "2"}]}),
)


@pytest.mark.parametrize("odd", ODD_VALUES)
def test_many_records_are_written_as_each_alone(odd: Any) -> None:  # noqa: ANN401 - any JSON
    for other in ODD_VALUES:
        items = [{"id": {"S": "a"}, "x": value} for value in (*[odd] * 6, other)]
        items += [{"x": odd, "id": {"S": "b"}}, {"id": {"S": "c"}}] * 6
        alone = [image_or_none(item) for item in items]
        try:
            together: list[str | None] = [*columnar.maps_of(items)]
        except columnar.ODD:
            assert None in alone
        else:
            assert together == alone


def test_a_batch_with_a_record_that_is_none_is_written_as_one_without(tmp_path: Path) -> None:
    records = [record_of(number, NewImage=item_of(number)) for number in range(1, 38)]
    for number in (3, 9):
        del records[number]["dynamodb"]["NewImage"]
    records[5]["dynamodb"]["OldImage"] = NEW
    fine, spoilt = World(tmp_path / "fine"), World(tmp_path / "spoilt")
    assert fine.call(records) == []
    assert spoilt.call([*records, record_of(99, NewImage={"id": {"Q": "x"}})]) != []
    assert fine.lines() == spoilt.lines()
    assert [key.rpartition("/")[2] for key in fine.names()] == [
        key.rpartition("/")[2] for key in spoilt.names()
    ]


def image_or_none(item: dict[str, Any]) -> str | None:
    try:
        return map_of(item)
    except NotARecordError:
        return None


def direct(record: dict[str, Any]) -> Change | None:
    try:
        return change_of(record)
    except NotARecordError:
        return None


def once(text: bytes) -> Change | None:
    try:
        return Lines().read(text.decode())
    except NotARecordError:
        return None
