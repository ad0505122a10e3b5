"""What a distributed Map reads: files of every kind, listings, manifests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.machine.machines import play
from tests.machine.maps import LIST, PASS, READ, Store, map_of, path_map_of, read

if TYPE_CHECKING:
    from runner.machine import Outcome, TaskRequest

Json = Any
FIRST = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
GIVEN = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}


@pytest.mark.parametrize(
    ("text", "config", "expected"),
    [
        ("[1, 2, 3]", {"InputType": "JSON"}, [1, 2, 3]),
        ("[1, 2, 3]", {}, [1, 2, 3]),
        ("[1, 2, 3]", {"InputType": "JSON", "MaxItems": 2}, [1, 2]),
        ("[1, 2]", {"InputType": "JSON", "MaxItems": 0}, [1, 2]),
        ("[1, 2, 3]", {"InputType": "JSON", "MaxItems": "{% 1 %}"}, [1]),
        ('{"a": {"b": [5]}}', {"InputType": "JSON", "ItemsPointer": "/a/b"}, [5]),
        ('[0, {"x/y": {"~": [5]}}]', {"InputType": "JSON", "ItemsPointer": "/1/x~1y/~0"}, [5]),
        ("\ufeff[1]", {"InputType": "JSON"}, [1]),
        ('{"a": 1}\n\n{"a": 2}\n', {"InputType": "JSONL"}, [{"a": 1}, {"a": 2}]),
        ('"\u2028"\r\n[2]', {"InputType": "JSONL"}, ["\u2028", [2]]),
        ("1\n2\n3", {"InputType": "JSONL", "MaxItems": 2}, [1, 2]),
        ("", {"InputType": "JSONL"}, []),
    ],
)
def test_json_files(text: str, config: Json, expected: Json) -> None:
    assert read(text, **config).output == expected


def test_an_object_in_a_json_file_is_read_pair_by_pair() -> None:
    outcome = read('{"f": {"a": 1, "b": [2]}}', InputType="JSON", ItemsPointer="/f")
    assert outcome.output == [{"Key": "a", "Value": 1}, {"Key": "b", "Value": [2]}]


@pytest.mark.parametrize(
    ("text", "config", "expected"),
    [
        (
            "a,b\n1,2\n3\n4,5,6\n",
            FIRST,
            [{"a": "1", "b": "2"}, {"a": "3", "b": ""}, {"a": "4", "b": "5"}],
        ),
        ("\ufeffa\n1\n", FIRST, [{"a": "1"}]),
        ("a\r\n1\r\n2\r\n", FIRST, [{"a": "1"}, {"a": "2"}]),
        ("a\r1\r2\r", FIRST, [{"a": "1"}, {"a": "2"}]),
        ('a\n"x\r\ny"\n', FIRST, [{"a": "x\r\ny"}]),
        ("a\n1", FIRST, [{"a": "1"}]),
        ("a\n\n1\n   \n\n", FIRST, [{"a": "1"}, {"a": "   "}]),
        ('a,b\n"x\ny",2\n', FIRST, [{"a": "x\ny", "b": "2"}]),
        ('a,b\n"say ""hi""","1,5"\n', FIRST, [{"a": 'say "hi"', "b": "1,5"}]),
        ("a,b\n1\\,5,C:\\\\x\n", FIRST, [{"a": "1,5", "b": "C:\\x"}]),
        ("a\nx\\yz\n", FIRST, [{"a": "xyz"}]),
        ("a\nx\u2028y\n", FIRST, [{"a": "x\u2028y"}]),
        ("a,\n1,2\n", FIRST, [{"a": "1", "": "2"}]),
        ("", FIRST, []),
        ("a,b\n", FIRST, []),
        ("a\n1\n2\n3\n", {**FIRST, "MaxItems": 2}, [{"a": "1"}, {"a": "2"}]),
        ("1,2\n", {**GIVEN, "CSVHeaders": ["x"]}, [{"x": "1"}]),
        (
            "1|2\n",
            {**GIVEN, "CSVHeaders": ["x", "y"], "CSVDelimiter": "PIPE"},
            [{"x": "1", "y": "2"}],
        ),
        ("a;b\n1;2\n", {**FIRST, "CSVDelimiter": "SEMICOLON"}, [{"a": "1", "b": "2"}]),
        ("a b\n1 2\n", {**FIRST, "CSVDelimiter": "SPACE"}, [{"a": "1", "b": "2"}]),
        ("a\tb\n1\t2\n", {**FIRST, "CSVDelimiter": "TAB"}, [{"a": "1", "b": "2"}]),
        ("a\tb\n1\t2\n", {**FIRST, "CSVDelimiter": "COMMA"}, [{"a\tb": "1\t2"}]),
    ],
)
def test_delimited_files(text: str, config: Json, expected: Json) -> None:
    assert read(text, **config).output == expected


@pytest.mark.parametrize(
    ("text", "config", "cause"),
    [
        ("{}", {"InputType": "JSON"}, "Attempting to map over non-iterable node."),
        ("5", {"InputType": "JSON"}, "Attempting to map over non-iterable node."),
        ('{"a": 5}', {"ItemsPointer": "/a"}, "Attempting to map over non-iterable node."),
        ("{", {"InputType": "JSON"}, "The content of the file is not valid JSON: "),
        ("[NaN]", {"InputType": "JSON"}, "The content of the file is not valid JSON: "),
        ("1\nx", {"InputType": "JSONL"}, "The content of the file is not valid JSONL: "),
        ("[]", {"InputType": "JSON", "ItemsPointer": "/x"}, "ItemsPointer /x leads nowhere"),
        ("{}", {"InputType": "JSON", "ItemsPointer": "/x"}, "ItemsPointer /x leads nowhere"),
        ("5", {"InputType": "JSON", "ItemsPointer": "/x"}, "ItemsPointer /x leads nowhere"),
        ("a,a\n1,2", FIRST, "CSV headers cannot contain duplicates."),
        ("1,2", {**GIVEN, "CSVHeaders": ["a", "a"]}, "CSV headers cannot contain duplicates."),
        ("x" * 10_241, FIRST, "The CSV header is longer than 10240 bytes."),
        ("a\n" + "x" * 131_073, FIRST, "The content of the file is not valid CSV: "),
        ("a", {**FIRST, "CSVDelimiter": "{% 'COLON' %}"}, "CSVDelimiter COLON is not supported"),
        ("", {"InputType": "PARQUET"}, "PARQUET is no text"),
        ("[]", {"MaxItems": "{% -1 %}"}, "field MaxItems must be positive"),
        ("[]", {"MaxItems": "{% 'x' %}"}, "The MaxItems field has the value 'x' which is not"),
        ("[]", {"MaxItems": "{% 1.5 %}"}, "The MaxItems field has the value '1.5' which is not"),
        ("[]", {"InputType": "MANIFEST"}, "The manifest file is not one of an S3 inventory"),
        ("x", {"InputType": "MANIFEST"}, "The manifest file is not one of an S3 inventory"),
        ("x", {"ManifestType": "ATHENA_DATA"}, "The manifest file lists no S3 object: x"),
    ],
)
def test_what_is_not_a_dataset_fails_the_reader(text: str, config: Json, cause: str) -> None:
    outcome = read(text, **config)
    assert outcome.error == "States.ItemReaderFailed"
    assert (outcome.cause or "").startswith(cause)


@pytest.mark.parametrize(
    ("most", "expected"), [(2, [1, 2]), ("2", [1, 2]), (0, [1, 2, 3]), (100_000_001, [1, 2, 3])]
)
def test_the_limit_may_come_from_a_path(most: Json, expected: Json) -> None:
    assert _limited(most).output == expected


def test_a_whole_number_may_be_written_with_a_point() -> None:
    reader = {**READ, "ReaderConfig": {"MaxItems": "{% $states.input.most %}"}}
    data = {"key": "k", "most": 2.0}
    assert play(map_of(PASS, ItemReader=reader), data, Store({"k": "[1, 2, 3]"})).output == [1, 2]


@pytest.mark.parametrize(
    ("most", "cause"),
    [
        (-1, "field MaxItems must be positive"),
        ("x", "The MaxItemsPath field refers to value 'x' which is not a valid integer: $.most"),
        (1.5, "The MaxItemsPath field refers to value '1.5' which is not a valid integer: $.most"),
    ],
)
def test_a_path_to_no_limit(most: Json, cause: str) -> None:
    outcome = _limited(most)
    assert (outcome.error, outcome.cause) == ("States.ItemReaderFailed", cause)


def _limited(most: Json) -> Outcome:
    reader = {
        "Resource": READ["Resource"],
        "Parameters": {"Bucket": "b", "Key": "k"},
        "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$.most"},
    }
    return play(path_map_of(PASS, ItemReader=reader), {"most": most}, Store({"k": "[1, 2, 3]"}))


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ({"Bucket": "b", "Key": "none"}, "The specified key does not exist."),
        ({"Bucket": "none", "Key": "k"}, "The specified bucket does not exist"),
    ],
)
def test_what_is_not_there_fails_the_reader(arguments: Json, cause: str) -> None:
    reader = {"Resource": READ["Resource"], "Arguments": arguments}
    outcome = play(map_of(PASS, ItemReader=reader), {}, Store())
    assert outcome.error == "States.ItemReaderFailed"
    assert outcome.cause == f"{cause} (Service: S3, Status Code: 404)"


def test_a_reader_that_fails_can_be_caught_and_retried() -> None:
    retry = [{"ErrorEquals": ["States.ItemReaderFailed"], "MaxAttempts": 1}]
    catch = [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Caught"}]
    definition = map_of(PASS, ItemReader=READ, Retry=retry, Catch=catch)
    definition["States"]["Caught"] = {"Type": "Succeed", "Output": "caught"}
    store = Store()
    assert play(definition, {"key": "none"}, store).output == "caught"
    assert [request.key for request in store.asked] == ["M#1.0~read", "M#1.1~read"]


def test_arguments_reach_the_service_as_they_are() -> None:
    arguments = {"Bucket": "b", "Key": "k", "VersionId": "v1"}
    reader = {"Resource": READ["Resource"], "Arguments": arguments}
    store = Store({"k": "[]"})
    assert play(map_of(PASS, ItemReader=reader), {}, store).output == []
    assert store.asked[0].arguments == arguments


# -- listings ------------------------------------------------------------------------------------

KEYS = {"x/1": "[1]", "x/2": "[2, 3]", "x/3": "[4]", "y": "[5]"}
LISTED = "{% $states.context.Map.Item.Value.Key %}"


def listed(**arguments: Json) -> Json:
    reader = {**LIST, "Arguments": {"Bucket": "b", **arguments}}
    return play(map_of(PASS, ItemReader=reader, ItemSelector=LISTED), {}, Store(KEYS)).output


def test_objects_are_listed_with_what_s3_tells_of_them() -> None:
    class Dated(Store):
        def call(self, request: TaskRequest) -> Json:
            page = super().call(request)
            page["Contents"][0] |= {"LastModified": "2013-01-05T06:00:00+00:00", "Owner": "me"}
            return page

    outcome = play(map_of(PASS, ItemReader=LIST), {}, Dated({"k": "abc"}))
    described = {"Etag": "", "Key": "k", "LastModified": 1_357_365_600, "Size": 3}
    assert outcome.output == [{**described, "StorageClass": "STANDARD"}]


def test_listings_take_the_arguments_of_s3() -> None:
    assert listed() == ["x/1", "x/2", "x/3", "y"]
    assert listed(Prefix="x/") == ["x/1", "x/2", "x/3"]
    assert listed(Prefix="x/", StartAfter="x/1") == ["x/2", "x/3"]
    assert listed(Prefix="z") == []


def test_listings_are_read_page_by_page_up_to_the_limit() -> None:
    store = Store(KEYS)
    reader = {**LIST, "Arguments": {"Bucket": "b", "MaxKeys": 1}, "ReaderConfig": {"MaxItems": 2}}
    outcome = play(map_of(PASS, ItemReader=reader, ItemSelector=LISTED), {}, store)
    assert outcome.output == ["x/1", "x/2"]
    asked = [request.arguments.get("ContinuationToken") for request in store.asked]
    assert asked == [None, "x/1"]


def test_the_objects_of_a_listing_are_read_and_flattened() -> None:
    config = {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"}
    reader = {**LIST, "Arguments": {"Bucket": "b", "Prefix": "x/"}, "ReaderConfig": config}
    selector = "{% $states.context.Map.Item.{'v': Value, 's': Source} %}"
    outcome = play(
        map_of(PASS, ItemReader=reader, ItemSelector=selector), {}, Store({"x/": "", **KEYS})
    )
    assert outcome.output == [
        {"v": 1, "s": "S3://b/x/1"},
        {"v": 2, "s": "S3://b/x/2"},
        {"v": 3, "s": "S3://b/x/2"},
        {"v": 4, "s": "S3://b/x/3"},
    ]


def test_flattening_stops_at_the_limit() -> None:
    config = {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON", "MaxItems": 2}
    store = Store(KEYS)
    outcome = play(map_of(PASS, ItemReader={**LIST, "ReaderConfig": config}), {}, store)
    assert outcome.output == [1, 2]
    assert [request.arguments.get("Key") for request in store.asked] == [None, "x/1", "x/2"]


# -- manifests -----------------------------------------------------------------------------------

INVENTORY = {
    "sourceBucket": "source",
    "destinationBucket": "arn:aws:s3:::b",
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, Size",
    "files": [{"key": "data/1.csv.gz", "size": 9}, {"key": "data/2.csv.gz", "size": 9}],
}
ROWS = {"data/1.csv.gz": '"source","a%20b","5"\n"source","c","6"\n', "data/2.csv.gz": "s,d,7\n"}


@pytest.mark.parametrize(
    ("config", "most"),
    [
        ({"InputType": "MANIFEST"}, 3),
        ({"InputType": "MANIFEST", "ManifestType": "S3_INVENTORY"}, 3),
        ({"ManifestType": "S3_INVENTORY"}, 3),
        ({"InputType": "MANIFEST", "MaxItems": 2}, 2),
        ({"InputType": "MANIFEST", "MaxItems": 1}, 1),
    ],
)
def test_an_inventory_is_read_with_its_columns(config: Json, most: int) -> None:
    store = Store({"k": json.dumps(INVENTORY), **ROWS})
    reader = {**READ, "ReaderConfig": config}
    outcome = play(map_of(PASS, ItemReader=reader), {"key": "k"}, store)
    rows = [("source", "a%20b", "5"), ("source", "c", "6"), ("s", "d", "7")]
    expected = [{"Bucket": b, "Key": k, "Size": s} for b, k, s in rows]
    assert outcome.output == expected[:most]


def test_inventories_in_other_formats_are_refused() -> None:
    outcome = read(json.dumps({**INVENTORY, "fileFormat": "ORC"}), InputType="MANIFEST")
    cause = "The format ORC of the S3 inventory is not supported: only CSV"
    assert (outcome.error, outcome.cause) == ("States.ItemReaderFailed", cause)


def test_a_file_that_an_inventory_misses_fails_the_reader() -> None:
    outcome = read(json.dumps(INVENTORY), InputType="MANIFEST")
    assert outcome.error == "States.ItemReaderFailed"
    assert "does not exist" in (outcome.cause or "")


def test_the_files_of_an_athena_manifest_are_read() -> None:
    config = {"InputType": "JSONL", "ManifestType": "ATHENA_DATA"}
    objects = {"k": "s3://b/q/1.gz\ns3://b/q/2.gz\n", "q/1.gz": "1\n2\n", "q/2.gz": "3\n"}
    outcome = play(
        map_of(PASS, ItemReader={**READ, "ReaderConfig": config}), {"key": "k"}, Store(objects)
    )
    assert outcome.output == [1, 2, 3]


def test_the_files_of_an_athena_manifest_may_be_delimited() -> None:
    config = {**GIVEN, "CSVHeaders": ["n"], "ManifestType": "ATHENA_DATA", "MaxItems": 2}
    objects = {"k": '"s3://b/q/1"\n"s3://b/q/2"\n', "q/1": "1\n", "q/2": "2\n3\n"}
    outcome = play(
        map_of(PASS, ItemReader={**READ, "ReaderConfig": config}), {"key": "k"}, Store(objects)
    )
    assert outcome.output == [{"n": "1"}, {"n": "2"}]


# -- parts ---------------------------------------------------------------------------------------


class Parts(Store):
    """An S3 that gives texts and rows in parts."""

    def __init__(self, body: Json, size: int) -> None:
        super().__init__()
        self.body = body
        self.size = size

    def call(self, request: TaskRequest) -> Json:
        if "getObject" not in request.resource:
            return super().call(request)
        self.asked.append(request)
        begin = int(request.arguments.get("Part", 0))
        end = begin + self.size
        name = "Body" if isinstance(self.body, str) else "Items"
        more = {"Next": str(end)} if end < len(self.body) else {}
        return {name: self.body[begin:end], **more}


def test_texts_may_come_in_parts() -> None:
    store = Parts('[1, "two"]', 3)
    reader = {**READ, "ReaderConfig": {"InputType": "JSON"}}
    assert play(map_of(PASS, ItemReader=reader), {"key": "k"}, store).output == [1, "two"]
    assert [request.key for request in store.asked] == [
        "M#1.0~read",
        "M#1.0~read1",
        "M#1.0~read2",
        "M#1.0~read3",
    ]


def test_rows_come_in_parts_and_only_as_many_as_are_needed() -> None:
    store = Parts([{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}, {"n": 5}], 2)
    reader = {**READ, "ReaderConfig": {"InputType": "PARQUET", "MaxItems": 3}}
    outcome = play(map_of(PASS, ItemReader=reader), {"key": "k"}, store)
    assert outcome.output == [{"n": 1}, {"n": 2}, {"n": 3}]
    asked = {"Bucket": "b", "Key": "k", "InputType": "PARQUET"}
    assert [r.arguments for r in store.asked] == [asked, {**asked, "Part": "2"}]


@pytest.mark.parametrize(
    ("answer", "config", "cause"),
    [
        ({"Body": "x"}, {"InputType": "PARQUET"}, "The service does not read PARQUET"),
        ({}, {"InputType": "JSON"}, "The service gave no text for the object"),
        (None, {"InputType": "JSON"}, "The service gave no text for the object"),
    ],
)
def test_a_service_that_cannot_read(answer: Json, config: Json, cause: str) -> None:
    class Dumb(Store):
        def call(self, request: TaskRequest) -> Json:
            del request
            return answer

    reader = {**READ, "ReaderConfig": config}
    outcome = play(map_of(PASS, ItemReader=reader), {"key": "k"}, Dumb())
    assert (outcome.error, outcome.cause) == ("States.ItemReaderFailed", cause)
