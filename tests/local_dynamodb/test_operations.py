"""DynamoDB on this machine: each step is asked of moto's DynamoDB too, and answered alike.

Where moto is known to differ from AWS, the expected answer stands here, by AWS's documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from runner.local.dynamodb import DynamoDb, TableShape
from runner.local.wire.json11 import Refusal
from tests.support.aws import REGION, credentials_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Members = dict[str, Any]
SHAPES = {"t": TableShape("id"), "s": TableShape("id", "S", "n", "N")}
_UNASKED = {"ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics"}
METHODS = {
    "BatchGetItem": "batch_get_item",
    "BatchWriteItem": "batch_write_item",
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "PutItem": "put_item",
    "Query": "query",
    "TransactWriteItems": "transact_write_items",
    "UpdateItem": "update_item",
}


class Both:
    """Asks both; the answers have to be the same."""

    def __init__(self, path: Path) -> None:
        self.moto = boto3.client("dynamodb", region_name=REGION)
        for name, shape in SHAPES.items():
            kinds = zip(shape.types, ("HASH", "RANGE"), strict=False)
            self.moto.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": one, "KeyType": kind} for one, kind in kinds],
                AttributeDefinitions=[
                    {"AttributeName": one, "AttributeType": kind}
                    for one, kind in shape.types.items()
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        self.ours = DynamoDb(path / "d.sqlite", SHAPES)

    def __call__(self, operation: str, **members: Any) -> Any:  # noqa: ANN401 - of any operation
        mine = self.ask(operation, members)
        theirs = self._ask_moto(operation, members)
        assert mine == theirs, (operation, members)
        return mine

    def ask(self, operation: str, members: Members) -> Any:  # noqa: ANN401 - as above
        try:
            return dict(self.ours.operations[operation](members))
        except Refusal as refusal:
            reasons = refusal.details.get("CancellationReasons", ())
            return refusal.code, [one["Code"] for one in reasons]

    def _ask_moto(self, operation: str, members: Members) -> Any:  # noqa: ANN401 - as above
        try:
            found = getattr(self.moto, METHODS[operation])(**members)
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", ())
            return error.response["Error"]["Code"], [one["Code"] for one in reasons]
        return {key: found[key] for key in found if key not in _UNASKED}

    def item(self, table: str, **key: Any) -> Any:  # noqa: ANN401 - an item
        return self("GetItem", TableName=table, Key=key).get("Item")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Tests share it: each begins by writing what it reads."""
    with pytest.MonkeyPatch.context() as patch:
        credentials_only(patch)
        with mock_aws():
            made = Both(tmp_path_factory.mktemp("dynamodb"))
            yield made
            made.ours.close()


ONE = {"S": "1"}
FULL: Members = {
    "id": ONE,
    "n": {"N": "7"},
    "s": {"S": "hello"},
    "b": {"BOOL": True},
    "z": {"NULL": True},
    "l": {"L": [{"S": "x"}, {"N": "2"}]},
    "m": {"M": {"a": {"M": {"b": {"N": "1"}}}, "c": {"S": "y"}}},
    "ss": {"SS": ["p", "q"]},
}
FAILED: tuple[str, list[str]] = ("ConditionalCheckFailedException", [])
INVALID: tuple[str, list[str]] = ("ValidationException", [])


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("attribute_exists(n)", True),
        ("attribute_not_exists(n)", False),
        ("attribute_not_exists(m.a.x)", True),
        ("attribute_exists(m.a.b)", True),
        ("n = :seven", True),
        ("n <> :seven", False),
        ("absent <> :seven", True),
        ("absent = :seven", False),
        ("absent < :seven", False),
        ("n < :eight AND n >= :seven", True),
        ("n > :eight OR (n <= :seven AND s = :hello)", True),
        ("NOT n = :seven", False),
        ("NOT (n = :eight)", True),
        ("n BETWEEN :seven AND :eight", True),
        ("s IN (:other, :hello)", True),
        ("s = :seven", False),
        ("begins_with(s, :he)", True),
        ("begins_with(s, :other)", False),
        ("contains(s, :ell)", True),
        ("contains(ss, :p)", True),
        ("contains(l, :x)", True),
        ("contains(ss, :hello)", False),
        ("size(s) = :five", True),
        ("size(l) > :five", False),
        ("attribute_type(n, :kind)", True),
        ("l[1] = :two", True),
        ("l[9] = :two", False),
        ("m.a.b < m.absent", False),
        ("n > l[1]", True),
        ("#s = :hello", True),
        ("attribute_exists(n) and not attribute_exists(absent)", True),
        ("n = :seven OR n = :eight AND s = :other", True),
        ("(n = :seven OR n = :eight) AND s = :other", False),
    ],
)
def test_conditions(both: Both, condition: str, holds: bool) -> None:  # noqa: FBT001 - a case
    both("PutItem", TableName="t", Item=FULL)
    values = {
        ":seven": {"N": "7.0"}, ":eight": {"N": "8"}, ":two": {"N": "2"}, ":five": {"N": "5"},
        ":hello": {"S": "hello"}, ":he": {"S": "he"}, ":ell": {"S": "ell"}, ":p": {"S": "p"},
        ":x": {"S": "x"}, ":other": {"S": "other"}, ":kind": {"S": "N"},
    }  # fmt: skip
    used = {key: one for key, one in values.items() if key in condition.replace(")", " ")}
    used = {key: one for key, one in used.items() if f"{key} " in condition.translate(SPACED) + " "}
    given: Members = {"ExpressionAttributeValues": used} if used else {}
    if "#s" in condition:
        given["ExpressionAttributeNames"] = {"#s": "s"}
    found = both(
        "DeleteItem", TableName="t", Key={"id": ONE}, ConditionExpression=condition, **given
    )
    assert found == ({} if holds else FAILED)


SPACED = str.maketrans("(),", "   ")


@pytest.mark.parametrize(
    ("expression", "values", "changed"),
    [
        ("SET n = n + :v", {":v": {"N": "1.5"}}, {"n": {"N": "8.5"}}),
        ("SET n = n - :v, s = :w", {":v": {"N": "9"}, ":w": {"S": "x"}},
         {"n": {"N": "-2"}, "s": {"S": "x"}}),
        ("SET n = :v - :w", {":v": {"N": "1"}, ":w": {"N": "123456789012345678901234567890123456"}},
         {"n": {"N": "-123456789012345678901234567890123455"}}),
        ("SET x = if_not_exists(x, :v) + :v", {":v": {"N": "2"}}, {"x": {"N": "4"}}),
        ("SET n = if_not_exists(n, :v)", {":v": {"N": "2"}}, {}),
        ("SET l = list_append(l, :v)", {":v": {"L": [{"S": "z"}]}},
         {"l": {"L": [{"S": "x"}, {"N": "2"}, {"S": "z"}]}}),
        ("SET l[0] = :v", {":v": {"S": "y"}}, {"l": {"L": [{"S": "y"}, {"N": "2"}]}}),
        ("SET m.c = :v", {":v": {"N": "3"}},
         {"m": {"M": {"a": {"M": {"b": {"N": "1"}}}, "c": {"N": "3"}}}}),
        ("REMOVE m.a, s", {}, {"m": {"M": {"c": {"S": "y"}}}, "s": None}),
        ("REMOVE absent", {}, {}),
        ("REMOVE l[0]", {}, {"l": {"L": [{"N": "2"}]}}),
        ("ADD n :v", {":v": {"N": "1"}}, {"n": {"N": "8"}}),
        ("ADD x :v", {":v": {"N": "1"}}, {"x": {"N": "1"}}),
        ("ADD ss :v", {":v": {"SS": ["r", "p"]}}, {"ss": {"SS": ["p", "q", "r"]}}),
        ("DELETE ss :v", {":v": {"SS": ["p"]}}, {"ss": {"SS": ["q"]}}),
        ("DELETE ss :v", {":v": {"SS": ["p", "q"]}}, {"ss": None}),
        ("ADD n :v SET s = :w REMOVE z", {":v": {"N": "1"}, ":w": {"S": "x"}},
         {"n": {"N": "8"}, "s": {"S": "x"}, "z": None}),
        ("SET x = n, n = :v", {":v": {"N": "1"}}, {"x": {"N": "7"}, "n": {"N": "1"}}),
    ],
)  # fmt: skip
def test_updates(both: Both, expression: str, values: Members, changed: Members) -> None:
    both("PutItem", TableName="t", Item=FULL)
    given: Members = {"ExpressionAttributeValues": values} if values else {}
    found = both.ask(
        "UpdateItem",
        {"TableName": "t", "Key": {"id": ONE}, "UpdateExpression": expression, **given}
        | {"ReturnValues": "ALL_NEW"},
    )
    theirs = both.moto.update_item(
        TableName="t", Key={"id": ONE}, UpdateExpression=expression, ReturnValues="ALL_NEW", **given
    )
    expected = {key: one for key, one in {**FULL, **changed}.items() if one is not None}
    assert found["Attributes"] == expected
    assert {key: _sorted(one) for key, one in theirs["Attributes"].items()} == expected


def _sorted(value: Any) -> Any:  # noqa: ANN401 - a value: moto's sets have no order
    return {"SS": sorted(value["SS"])} if "SS" in value else value


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("SET id = :v", {":v": {"S": "2"}}),
        ("SET s = absent", {}),
        ("SET x.y = :v", {":v": {"S": "2"}}),
        ("SET s = :v, s = :v", {":v": {"S": "2"}}),
        ("SET s = :w", {":v": {"S": "2"}}),
        ("ADD s :v", {":v": {"N": "1"}}),
        ("PUT s = :v", {":v": {"N": "1"}}),
        ("SET s = s + :v", {":v": {"N": "1"}}),
        ("SET s", {}),
        ("SET n = #n", {}),
    ],
)
def test_updates_that_are_refused(both: Both, expression: str, values: Members) -> None:
    both("PutItem", TableName="t", Item=FULL)
    given: Members = {"ExpressionAttributeValues": values} if values else {}
    found = both("UpdateItem", TableName="t", Key={"id": ONE}, UpdateExpression=expression, **given)
    assert found == INVALID
    assert both.item("t", id=ONE)["s"] == {"S": "hello"}


def test_what_operations_return(both: Both) -> None:
    put: Members = {"TableName": "t", "ReturnValues": "ALL_OLD"}
    assert both("PutItem", Item={"id": {"S": "r"}, "n": {"N": "1"}}, **put) == {}
    before = {"id": {"S": "r"}, "n": {"N": "1"}}
    assert both("PutItem", Item={"id": {"S": "r"}, "n": {"N": "2"}}, **put) == {
        "Attributes": before
    }
    update: Members = {
        "TableName": "t",
        "Key": {"id": {"S": "r"}},
        "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": "1"}},
    }
    found = {
        how: both("UpdateItem", ReturnValues=how, **update)
        for how in ("UPDATED_OLD", "UPDATED_NEW", "ALL_OLD", "NONE")
    }
    assert found["UPDATED_OLD"] == {"Attributes": {"n": {"N": "2"}}}
    assert found["UPDATED_NEW"] == {"Attributes": {"n": {"N": "4"}}}
    assert found["NONE"] == {}
    gone = both("DeleteItem", TableName="t", Key={"id": {"S": "r"}}, ReturnValues="ALL_OLD")
    assert gone == {"Attributes": {"id": {"S": "r"}, "n": {"N": "6"}}}
    assert both("GetItem", TableName="t", Key={"id": {"S": "r"}}) == {}
    assert both("DeleteItem", TableName="t", Key={"id": {"S": "r"}}, ReturnValues="ALL_OLD") == {}


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("PutItem", {"Item": {"n": {"N": "1"}}}),
        ("PutItem", {"Item": {"id": {"N": "1"}}}),
        ("PutItem", {"Item": {"id": {"S": ""}}}),
        ("PutItem", {"Item": {"id": ONE, "n": {"N": "many"}}}),
        ("GetItem", {"Key": {"other": ONE}}),
        ("UpdateItem", {"Key": {"id": ONE, "n": {"N": "1"}}}),
    ],
)
def test_keys_and_items_that_are_refused(both: Both, operation: str, members: Members) -> None:
    assert both(operation, TableName="t", **members) == INVALID


def test_a_table_that_is_not_named_is_not_there(both: Both) -> None:
    key = {"id": ONE}
    assert both("GetItem", TableName="other", Key=key) == ("ResourceNotFoundException", [])
    with pytest.raises(Refusal, match="here are s, t: name it and its key under `dynamodb`"):
        both.ours.get({"TableName": "other", "Key": key})


@pytest.mark.parametrize(
    ("condition", "more", "found"),
    [
        ("id = :id", {}, [1, 2, 10, 20]),
        ("id = :id", {"ScanIndexForward": False, "Limit": 3}, [20, 10, 2]),
        ("id = :id AND n > :n", {}, [10, 20]),
        ("n <= :n and id = :id", {}, [1, 2]),
        ("id = :id AND n BETWEEN :n AND :m", {}, [2, 10]),
    ],
)
def test_queries(both: Both, condition: str, more: Members, found: list[int]) -> None:
    for name, number in (("a", 10), ("a", 2), ("b", 5), ("a", 1), ("a", 20)):
        both("PutItem", TableName="s", Item={"id": {"S": name}, "n": {"N": str(number)}})
    values = {":id": {"S": "a"}, ":n": {"N": "2"}, ":m": {"N": "10"}}
    used = {key: one for key, one in values.items() if key in condition.split()}
    answer = both(
        "Query",
        TableName="s",
        KeyConditionExpression=condition,
        ExpressionAttributeValues=used,
        **more,
    )
    assert [int(item["n"]["N"]) for item in answer["Items"]] == found


def test_a_query_is_read_page_by_page(both: Both) -> None:
    for number in range(5):
        item = {"id": {"S": "p"}, "n": {"N": str(number)}, "even": {"BOOL": number % 2 == 0}}
        both("PutItem", TableName="s", Item=item)
    asked: Members = {
        "TableName": "s",
        "KeyConditionExpression": "id = :id",
        "FilterExpression": "even = :even",
        "ProjectionExpression": "#n",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":id": {"S": "p"}, ":even": {"BOOL": True}},
        "Limit": 2,
    }
    counts = []
    page: Members = {}
    while not page or "LastEvaluatedKey" in page:
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
        page = both.ask("Query", {**asked, **start})
        counts.append([int(one["n"]["N"]) for one in page["Items"]])
    assert counts == [[0], [2], [4]]


@pytest.mark.parametrize(("forward", "found"), [(True, [3, 4]), (False, [1, 0])])
def test_a_page_follows_a_key_that_is_no_more(both: Both, forward: bool, found: list[int]) -> None:  # noqa: FBT001 - a case
    for number in (0, 1, 3, 4):
        both("PutItem", TableName="s", Item={"id": {"S": "gone"}, "n": {"N": str(number)}})
    answer = both(
        "Query",
        TableName="s",
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "gone"}},
        ScanIndexForward=forward,
        ExclusiveStartKey={"id": {"S": "gone"}, "n": {"N": "2"}},
    )
    assert [int(one["n"]["N"]) for one in answer["Items"]] == found


@pytest.mark.parametrize("start", [{"id": ONE}, {"id": {"S": "other"}, "n": {"N": "1"}}])
def test_a_page_begins_at_a_key_of_the_query(both: Both, start: Members) -> None:
    asked: Members = {
        "TableName": "s",
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": ONE},
        "ExclusiveStartKey": start,
    }
    assert both.ask("Query", asked) == INVALID


def test_a_transaction_writes_all_or_nothing(both: Both) -> None:
    both("PutItem", TableName="t", Item={"id": {"S": "x1"}, "n": {"N": "1"}})
    fresh: Members = {
        "Put": {
            "TableName": "t",
            "Item": {"id": {"S": "x2"}},
            "ConditionExpression": "attribute_not_exists(id)",
        }
    }
    more: Members = {
        "Update": {
            "TableName": "t",
            "Key": {"id": {"S": "x1"}},
            "UpdateExpression": "ADD n :n",
            "ExpressionAttributeValues": {":n": {"N": "1"}},
        }
    }
    assert both("TransactWriteItems", TransactItems=[fresh, more]) == {}
    again = both("TransactWriteItems", TransactItems=[more, fresh])
    assert again == ("TransactionCanceledException", ["None", "ConditionalCheckFailed"])
    assert both.item("t", id={"S": "x1"})["n"] == {"N": "2"}
    assert both("TransactWriteItems", TransactItems=[more, more]) == INVALID
    check = {
        "TableName": "t",
        "Key": {"id": {"S": "x1"}},
        "ConditionExpression": "attribute_exists(x)",
    }
    found = both("TransactWriteItems", TransactItems=[{"ConditionCheck": check}])
    assert found == ("TransactionCanceledException", ["ConditionalCheckFailed"])
    delete = {"TableName": "t", "Key": {"id": {"S": "x1"}}}
    assert both("TransactWriteItems", TransactItems=[{"Delete": delete}]) == {}


def test_a_failed_condition_shows_the_item_if_it_is_asked_to(both: Both) -> None:
    both("PutItem", TableName="t", Item={"id": {"S": "f"}, "n": {"N": "1"}})
    put: Members = {
        "TableName": "t",
        "Item": {"id": {"S": "f"}},
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    there = {"id": {"S": "f"}, "n": {"N": "1"}}
    with pytest.raises(Refusal) as refused:
        both.ours.put(put)
    assert refused.value.details == {"Item": there}
    with pytest.raises(Refusal) as refused:
        both.ours.transact({"TransactItems": [{"Put": put}]})
    (reason,) = refused.value.details["CancellationReasons"]
    assert reason["Item"] == there


def test_batches(both: Both) -> None:
    items = [{"id": {"S": str(n)}} for n in range(3)]
    writes: list[Members] = [{"PutRequest": {"Item": item}} for item in items]
    both("BatchWriteItem", RequestItems={"t": writes})
    both("BatchWriteItem", RequestItems={"t": [{"DeleteRequest": {"Key": items[1]}}]})
    found = both("BatchGetItem", RequestItems={"t": {"Keys": items, "ConsistentRead": True}})
    assert sorted(one["id"]["S"] for one in found["Responses"]["t"]) == ["0", "2"]


def test_a_batch_that_is_wrong_writes_nothing(both: Both) -> None:
    """DynamoDB rejects the entire batch for a wrong key, and for one item twice (moto does not)."""
    good: Members = {"PutRequest": {"Item": {"id": {"S": "batch"}}}}
    for bad in ({"PutRequest": {"Item": {"n": {"N": "1"}}}}, good):
        assert both("BatchWriteItem", RequestItems={"t": [good, bad]}) == INVALID
        assert both.ask("GetItem", {"TableName": "t", "Key": {"id": {"S": "batch"}}}) == {}
    twice = {"t": {"Keys": [{"id": ONE}, {"id": ONE}]}}
    assert both("BatchGetItem", RequestItems=twice) == INVALID


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("GetItem", {"TableName": "t", "Key": {"id": ONE}, "ProjectionExpression": "a[x]"}),
        ("PutItem", {"TableName": "t", "Item": {"id": {"S": "\ud800"}}}),
        ("TransactWriteItems", {"TransactItems": [{}]}),
    ],
)
def test_what_no_request_can_say_is_refused(both: Both, operation: str, members: Members) -> None:
    assert both.ask(operation, members) == INVALID


def test_what_is_not_known_is_refused_by_name(both: Both) -> None:
    for operation, name in (
        ("PutItem", "Expected"),
        ("UpdateItem", "AttributeUpdates"),
        ("Query", "IndexName"),
        ("GetItem", "AttributesToGet"),
    ):
        with pytest.raises(Refusal, match=f"{name} is not known on this machine"):
            both.ours.operations[operation]({"TableName": "t", name: "x"})


def test_where_moto_is_milder_than_aws(both: Both) -> None:
    """Kinds that have no order, a key of another kind, numbers with zeros, values for nothing."""
    put: Members = {"TableName": "t", "Item": {"id": ONE, "n": {"N": "007.50"}}}
    assert both.ask("PutItem", put) == {}
    get: Members = {"TableName": "t", "Key": {"id": ONE}}
    assert both.ask("GetItem", get) == {"Item": {"id": ONE, "n": {"N": "7.5"}}}
    assert both.ask("GetItem", {"TableName": "t", "Key": {"id": {"N": "1"}}}) == INVALID
    values = {":a": {"S": "8"}}
    less: Members = {"ConditionExpression": "n < :a", "ExpressionAttributeValues": values}
    assert both.ask("PutItem", {**put, **less}) == FAILED
    unused: Members = {"ConditionExpression": "n <> :a", "ExpressionAttributeValues": values}
    unused["ExpressionAttributeValues"] = {**values, ":b": ONE}
    assert both.ask("PutItem", {**put, **unused}) == INVALID
    with pytest.raises(
        Refusal, match="ExpressionAttributeValues unused in expressions: keys: {:b}"
    ):
        both.ours.put({**put, **unused})


def test_items_are_there_after_the_file_was_closed(tmp_path: Path) -> None:
    first = DynamoDb(tmp_path / "d.sqlite", SHAPES)
    first.put({"TableName": "t", "Item": {"id": ONE, "n": {"N": "1.0"}}})
    first.close()
    again = DynamoDb(tmp_path / "d.sqlite", SHAPES)
    found = again.get({"TableName": "arn:aws:dynamodb:x:1:table/t", "Key": {"id": ONE}})
    assert found == {"Item": {"id": ONE, "n": {"N": "1"}}}
    again.close()
