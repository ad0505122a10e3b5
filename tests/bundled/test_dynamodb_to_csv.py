"""Records of a DynamoDB stream to CSV: types, columns, quoting, and that none is lost."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.functions.dynamodb_to_csv import handler as function
from runner.functions.dynamodb_to_csv.reingest import MOST_BYTES, Again
from runner.functions.dynamodb_to_csv.typed import NotARecordError
from tests.bundled.mutations import mutants

if TYPE_CHECKING:
    from runner.functions.dynamodb_to_csv.rows import Rows

ITEM = {
    "id": {"S": "o-1"},
    "price": {"N": "12345678901234567890.10"},
    "paid": {"BOOL": True},
    "note": {"S": 'say "hi",\nyou'},
    "empty": {"S": ""},
    "gone": {"NULL": True},
    "raw": {"B": "AAEC"},
    "address": {"M": {"city": {"S": "Kyoto"}, "geo": {"M": {"lat": {"N": "35.0"}}}}},
    "items": {"L": [{"M": {"sku": {"S": "a,b"}, "n": {"N": "2"}}}, {"S": "x"}]},
    "tags": {"SS": ["a", "é"]},
    "sizes": {"NS": ["1", "2.50"]},
    "bins": {"BS": ["AA=="]},
}


def record_of(item: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Make a record as Kinesis Data Streams for DynamoDB sends it."""
    change = {
        "ApproximateCreationDateTime": 1714980600123456,
        "ApproximateCreationDateTimePrecision": "MICROSECOND",
        "Keys": {"id": {"S": "o-1"}},
        "NewImage": ITEM if item is None else item,
        "SizeBytes": 100,
        **more.pop("change", {}),
    }
    return {
        "awsRegion": "eu-west-1",
        "eventID": "a1b2",
        "eventName": "INSERT",
        "userIdentity": None,
        "recordFormat": "application/json",
        "tableName": "orders",
        "dynamodb": {key: value for key, value in change.items() if value is not None},
        "eventSource": "aws:dynamodb",
        **more,
    }


def row(columns: str, record: dict[str, Any], **environ: str) -> str:
    text = json.dumps(record)
    found = function.rows_of({"COLUMNS": columns, **environ}).rows(text)
    compact = json.dumps(record, separators=(",", ":"))
    assert function.rows_of({"COLUMNS": columns, **environ}).rows(compact) == found
    return found


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("id", '"o-1"'),
        ("price", "12345678901234567890.10"),
        ("price:s", '"12345678901234567890.10"'),
        ("price:json", '"12345678901234567890.10"'),
        ("paid", "true"),
        ("paid:bool", "true"),
        ("paid:s", '"true"'),
        ("note", '"say ""hi"",\nyou"'),
        ("note:json", '"""say \\""hi\\"",\\nyou"""'),
        ("empty", '""'),
        ("gone", ""),
        ("nowhere", ""),
        ("raw", '"AAEC"'),
        ("address.city", '"Kyoto"'),
        ("address.geo.lat:n", "35.0"),
        ("address.city.more", ""),
        ("address", '"{""city"":""Kyoto"",""geo"":{""lat"":35.0}}"'),
        ("items", '"[{""sku"":""a,b"",""n"":2},""x""]"'),
        ("items.0.sku", '"a,b"'),
        ("items.0.n", "2"),
        ("items.1", '"x"'),
        ("items.7", ""),
        ("tags", '"[""a"",""é""]"'),
        ("sizes", '"[1,2.50]"'),
        ("bins", '"[""AA==""]"'),
        ("@event", '"INSERT"'),
        ("@id", '"a1b2"'),
        ("@table", '"orders"'),
        ("@time", '"2024-05-06 07:30:00.123"'),
        ("@sequence", ""),
    ],
)
def test_every_type_becomes_a_field(column: str, field: str) -> None:
    assert row(f"{column}, id:json", record_of()) == f'{field},"""o-1"""\n'


def test_ends_of_lines_can_become_spaces() -> None:
    assert row("note", record_of(), NEWLINES="space") == '"say ""hi"", you"\n'


def test_lists_too_deep_to_be_cut_out_are_read_all_the_same() -> None:
    deep: Any = {"S": "x"}
    for _ in range(5):
        deep = {"L": [{"M": {"in": deep}}]}
    path = "deep" + ".0.in" * 5
    assert row(f"{path},id", record_of({**ITEM, "deep": deep})) == '"x","o-1"\n'
    assert '""in"":""x""' in row("deep", record_of({"deep": deep}))


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (1714980600, "2024-05-06 07:30:00.000"),
        (1714980600.5, "2024-05-06 07:30:00.500"),
        (1714980600123, "2024-05-06 07:30:00.123"),
    ],
)
def test_the_time_of_a_change_is_in_seconds_or_finer(time: float, text: str) -> None:
    record = record_of(change={"ApproximateCreationDateTime": time})
    assert row("@time", record) == f'"{text}"\n'


def test_the_image_that_is_chosen_or_the_keys() -> None:
    old = {"id": {"S": "o-1"}, "paid": {"BOOL": False}}
    changed = record_of(change={"OldImage": old}, eventName="MODIFY")
    assert row("id,paid,price", changed, IMAGE="old") == '"o-1",false,\n'
    removed = record_of(change={"OldImage": old, "NewImage": None}, eventName="REMOVE")
    assert row("@event,id,paid", removed) == '"REMOVE","o-1",\n'
    assert row("id", removed, EVENTS="INSERT, MODIFY") == ""


@pytest.mark.parametrize(
    "record",
    [
        {},
        [],
        {"eventName": "INSERT"},
        {"eventName": "INSERT", "dynamodb": 1},
        record_of(eventName="DELETE"),
        record_of(eventName=None),
        record_of({"id": "plain"}),
        record_of({"id": {"S": 5}}),
        record_of({"id": {"S": ["a", ","]}}),
        record_of({"id": {"X": "5"}}),
        record_of({"id": {"N": "1,2"}}),
        record_of({"id": {"BOOL": "yes"}}),
        record_of({"id": {"L": "x"}}),
        record_of({"id": {"SS": [1]}}),
        record_of({"id": {"S": "a", "N": "1"}}),
        record_of(change={"NewImage": []}),
        record_of(change={"ApproximateCreationDateTime": "now"}),
    ],
)
def test_what_is_no_record(record: Any) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(NotARecordError):
        function.rows_of({"COLUMNS": "id,@time"}).rows(json.dumps(record))


@pytest.mark.parametrize("column", ["id:n", "id:bool", "paid:n", "price:bool", "tags:n"])
def test_a_value_of_another_type_is_not_quietly_null(column: str) -> None:
    with pytest.raises(NotARecordError, match="is not of the type"):
        row(column, record_of())


def test_a_text_that_is_a_number_is_one_where_it_is_asked_for() -> None:
    assert row("id:n", record_of({"id": {"S": "7.50"}})) == "7.50\n"


def plain(attribute: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    ((kind, value),) = attribute.items()
    if kind == "M":
        return {key: plain(each) for key, each in value.items()}
    if kind == "L":
        return [plain(each) for each in value]
    if kind == "NS":
        return [json.loads(each) for each in value]
    if kind == "N":
        return json.loads(value)
    return None if kind == "NULL" else value


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.just('a"\n,\\')
NUMBERS = st.integers().map(str) | st.decimals(-9, 9, places=3).map(str)
ATTRIBUTES = st.recursive(
    TEXTS.map(lambda text: {"S": text})
    | NUMBERS.map(lambda number: {"N": number})
    | st.binary(max_size=4).map(lambda data: {"B": base64.b64encode(data).decode()})
    | st.booleans().map(lambda value: {"BOOL": value})
    | st.just({"NULL": True})
    | st.lists(NUMBERS, min_size=1, max_size=3).map(lambda all_: {"NS": all_}),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda all_: {"L": all_})
        | st.dictionaries(TEXTS, inner, max_size=3).map(lambda map_: {"M": map_})
    ),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(ATTRIBUTES, TEXTS)
def test_a_csv_reader_gets_every_value_back(attribute: dict[str, Any], text: str) -> None:
    record = record_of({"id": {"S": text}, "a": attribute})
    line = row("id,a:json,a:s,id:s", record)
    ((first, as_json, as_text, last),) = csv.reader(io.StringIO(line, newline=""))
    assert (first, last) == (text, text)
    if "NULL" in attribute:
        assert (as_json, as_text) == ("", "")
    else:
        assert json.loads(as_json) == plain(attribute)
        assert as_text == attribute.get("S", as_text)


ENVIRON = {"COLUMNS": "id,price,note,address,items.0.n,@event,@time,paid,gone"}


@pytest.mark.parametrize(
    "environ",
    [ENVIRON, {"COLUMNS": "id,id:json,price:s,@time"}, {"COLUMNS": "tags", "IMAGE": "old"}],
)
def test_shapes_that_come_often_are_written_as_those_that_come_once(
    environ: dict[str, str],
) -> None:
    often, texts = function.rows_of(environ), list[bytes]()
    for number in range(600):
        item: dict[str, Any] = {**ITEM, "id": {"S": f"o-{number}"}, "price": {"N": str(number)}}
        if number % 3 == 0:
            del item["note"]
        if number % 41 == 40:
            item["price"] = {"S": 'x"'}
        if number % 43 == 42:
            item["id"] = {"S": "tab\t\u3000\0"}
        if number % 47 == 46:
            item["price"] = {"N": "no"}
        text = json.dumps(record_of(item, eventName=("INSERT", "REMOVE", "X")[number % 61 // 59]))
        texts.append(text.encode())
    assert often.rows_of_all(texts)[0] is not None
    for data, found in zip(texts, often.rows_of_all(texts), strict=True):
        assert written(function.rows_of(environ), data) == found, data


@pytest.mark.parametrize("columns", ["a,n,b,@event,@time", "a,a:json,@time", "a:json"])
def test_what_is_broken_is_found_among_many_that_are_not(columns: str) -> None:
    often = function.rows_of({"COLUMNS": columns})
    shape = (
        '{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":17149806001%02d,'
        '"NewImage":{"a":{"S":"x%d"},"n":{"N":"%d"},"b":{"BOOL":true},"l":{"L":[{"S":"y"}]}}}}'
    )
    good = [(shape % (at, at, at)).encode() for at in range(10, 99)]
    often.rows_of_all(good)
    texts = [*good, *mutants(good[70])]
    for data, found in zip(texts, often.rows_of_all(texts), strict=True):
        assert written(function.rows_of({"COLUMNS": columns}), data) == found, data


def written(rows: Rows, text: bytes) -> bytes | None:
    try:
        return rows.rows(text.decode()).encode()
    except NotARecordError:
        return None


# --- The function ---------------------------------------------------------------------------------


class FakeFirehose:
    """Refuses every second record at first."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.calls = 0

    def put_record_batch(
        self,
        *,
        DeliveryStreamName: str,  # noqa: N803 - AWS's names
        Records: list[dict[str, bytes]],  # noqa: N803
    ) -> dict[str, Any]:
        assert DeliveryStreamName == "shop-changes"
        assert len(Records) <= 500
        assert sum(len(record["Data"]) for record in Records) <= 4 << 20
        self.calls += 1
        told: list[dict[str, str]] = []
        for number, record in enumerate(Records):
            if self.calls < 3 and number % 2:
                told.append({"ErrorCode": "ServiceUnavailableException"})
            else:
                self.taken.append(record["Data"])
                told.append({"RecordId": "x"})
        return {
            "FailedPutCount": sum("ErrorCode" in each for each in told),
            "RequestResponses": told,
        }


def ask(datas: list[bytes], client: object = None, **environ: str) -> list[dict[str, Any]]:
    records = [
        {"recordId": str(number), "data": base64.b64encode(data).decode()}
        for number, data in enumerate(datas)
    ]
    stream = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/shop-changes"
    event = {"deliveryStreamArn": stream, "records": records}
    rows = function.rows_of({"COLUMNS": "id,note", **environ})
    answer = function.answer(event, rows, Again(lambda _: client, lambda: 300, lambda _: None))
    assert len(json.dumps(answer)) <= MOST_BYTES
    found: list[dict[str, Any]] = answer["records"]
    assert [each["recordId"] for each in found] == [each["recordId"] for each in records]
    return found


def test_each_record_gets_its_answer() -> None:
    good = json.dumps(record_of()).encode()
    removed = json.dumps(record_of(eventName="REMOVE")).encode()
    pretty = json.dumps(record_of(), indent=1).encode()
    deep = b'{"eventName":"INSERT","dynamodb":{"Keys":{"id":' + b'{"L":[' * 300 + b"1"
    datas = [good, good + b"\n" + removed, removed, b"", b"{}", b"\xff", pretty, deep]
    found = ask(datas, EVENTS="INSERT")
    assert [each["result"] for each in found] == [
        *("Ok", "Ok", "Dropped", "Dropped"),
        *("ProcessingFailed", "ProcessingFailed", "Ok", "ProcessingFailed"),
    ]
    line = b'"o-1","say ""hi"",\nyou"\n'
    assert [base64.b64decode(found[at]["data"]) for at in (0, 1, 6)] == [line] * 3
    assert [base64.b64decode(found[at]["data"]) for at in (4, 5)] == datas[4:6]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=5))
def test_any_bytes_are_answered_once(datas: list[bytes]) -> None:
    for data, each in zip(datas, ask(datas), strict=True):
        failed = each["result"] == "ProcessingFailed"
        assert base64.b64decode(each["data"]) == data if failed else not data.strip()


def test_what_does_not_fit_is_put_again_until_it_is_taken() -> None:
    big = {**ITEM, "note": {"S": "x" * 500_000}}
    data = json.dumps(record_of(big)).encode()
    client = FakeFirehose()
    results = [each["result"] for each in ask([data] * 16, client)]
    assert results == ["Ok"] * results.count("Ok") + ["Dropped"] * (16 - results.count("Ok"))
    assert client.taken == [data] * results.count("Dropped")
    assert client.calls == 3


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"COLUMNS": ""}, "COLUMNS is missing"),
        ({"COLUMNS": "id,,b"}, "COLUMNS has ''; expected an attribute"),
        ({"COLUMNS": "id:number"}, "COLUMNS has 'id:number'"),
        ({"COLUMNS": "@when"}, "COLUMNS has '@when'; of a record there are @event"),
        ({"COLUMNS": "id,id"}, "a column stands there twice"),
        ({"COLUMNS": "id", "EVENTS": "INSERT,DELETE"}, "EVENTS has 'DELETE'"),
        ({"COLUMNS": "id", "IMAGE": "both"}, "IMAGE is 'both'; expected new or old"),
        ({"COLUMNS": "id", "NEWLINES": "no"}, "NEWLINES is 'no'"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        function.rows_of(environ)
