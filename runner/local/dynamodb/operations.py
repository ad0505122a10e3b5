"""What functions ask of DynamoDB, on the tables that the environment names.

In: an operation's members, as on the wire.  Out: its answer, or DynamoDB's refusal.  A parameter
or an operation that is not known here is refused by its name: nothing passes unheard.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from runner.local.dynamodb.conditions import read_condition
from runner.local.dynamodb.keys import read_key_condition
from runner.local.dynamodb.tables import Items, TableShape
from runner.local.dynamodb.updates import Update
from runner.local.dynamodb.values import Item, checked_item, invalid, order_of
from runner.local.dynamodb.words import Given, Words, find, read_given
from runner.local.wire.json11 import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Members = Mapping[str, Any]
    Operation = Callable[[Members], Mapping[str, Any]]

TARGET = "DynamoDB_20120810"
_MOST_TOGETHER = 100
_MOST_WRITES = 25
_NAMED = {"ExpressionAttributeNames", "ExpressionAttributeValues"}
_SHOW_FAILED = "ReturnValuesOnConditionCheckFailure"
_CONDITIONAL = {"TableName", "ConditionExpression", _SHOW_FAILED, *_NAMED}
_UNHEEDED = {"ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}
_FAILED = "The conditional request failed"


class DynamoDb:
    """The tables of one environment."""

    def __init__(self, path: Path, tables: Mapping[str, TableShape]) -> None:
        """Take the SQLite file, which is made when it is first needed, and the tables."""
        self._path, self._tables = path, tables
        self._opened: Items | None = None
        self._opening = threading.Lock()
        self.operations: dict[str, Operation] = {
            "BatchGetItem": self.batch_get,
            "BatchWriteItem": self.batch_write,
            "DeleteItem": self.delete,
            "GetItem": self.get,
            "PutItem": self.put,
            "Query": self.query,
            "TransactWriteItems": self.transact,
            "UpdateItem": self.update,
        }

    def close(self) -> None:
        """Close the file."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def get(self, members: Members) -> Mapping[str, Any]:
        """GetItem."""
        _only(members, {"TableName", "Key", "ConsistentRead", *_PROJECTED})
        name, shape = self._table(members)
        key = shape.check_key(_key(members))
        given = _given(members)
        shown = _projection(members, given)
        given.check_used()
        items = self._items()
        with items.lock:
            found = items.get(name, shape, key)
        return {} if found is None else {"Item": shown(found)}

    def put(self, members: Members) -> Mapping[str, Any]:
        """PutItem."""
        _only(members, {"Item", "ReturnValues", *_CONDITIONAL})
        return self._alone("Put", members)

    def update(self, members: Members) -> Mapping[str, Any]:
        """UpdateItem."""
        _only(members, {"Key", "UpdateExpression", "ReturnValues", *_CONDITIONAL})
        return self._alone("Update", members)

    def delete(self, members: Members) -> Mapping[str, Any]:
        """DeleteItem."""
        _only(members, {"Key", "ReturnValues", *_CONDITIONAL})
        return self._alone("Delete", members)

    def batch_get(self, members: Members) -> Mapping[str, Any]:
        """BatchGetItem: all of it at once, nothing is left unprocessed."""
        _only(members, {"RequestItems"})
        asked = members.get("RequestItems") or {}
        if not 0 < sum(len(one.get("Keys", ())) for one in asked.values()) <= _MOST_TOGETHER:
            raise invalid(f"1 to {_MOST_TOGETHER} keys are read together")
        found: dict[str, list[Item]] = {}
        for table, one in asked.items():
            _only(one, {"Keys", "ConsistentRead"})
            keys = [{"TableName": table, "Key": key} for key in one["Keys"]]
            _each_once([self._place("ConditionCheck", key) for key in keys])
            answers = [self.get(key) for key in keys]
            found[table] = [answer["Item"] for answer in answers if answer]
        return {"Responses": found, "UnprocessedKeys": {}}

    def batch_write(self, members: Members) -> Mapping[str, Any]:
        """BatchWriteItem: all of it at once, nothing is left unprocessed."""
        _only(members, {"RequestItems"})
        asked = members.get("RequestItems") or {}
        if not 0 < sum(map(len, asked.values())) <= _MOST_WRITES:
            raise invalid(f"1 to {_MOST_WRITES} items are written together")
        writes: list[tuple[str, Members]] = []
        for table, requests in asked.items():
            for request in requests:
                match request:
                    case {"PutRequest": {"Item": item}}:
                        writes.append(("Put", {"TableName": table, "Item": item}))
                    case {"DeleteRequest": {"Key": key}}:
                        writes.append(("Delete", {"TableName": table, "Key": key}))
                    case _:
                        raise invalid("A request is a PutRequest or a DeleteRequest")
        _each_once([self._place(kind, said) for kind, said in writes])
        items = self._items()
        with items.lock, items.writing():
            for kind, said in writes:
                self._write(items, kind, said)
        return {"UnprocessedItems": {}}

    def transact(self, members: Members) -> Mapping[str, Any]:
        """TransactWriteItems: all of it, or nothing and the reasons."""
        _only(members, {"TransactItems", "ClientRequestToken"})
        asked = members.get("TransactItems") or []
        if not 0 < len(asked) <= _MOST_TOGETHER:
            raise invalid(f"1 to {_MOST_TOGETHER} items are written together")
        if any(len(one) != 1 for one in asked):
            raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        writes = [next(iter(one.items())) for one in asked]
        places = [self._place(kind, said) for kind, said in writes]
        if any(place in places[:at] for at, place in enumerate(places)):
            raise invalid("Transaction request cannot include multiple operations on one item")
        items = self._items()
        reasons: list[dict[str, Any]] = []
        with items.lock, items.writing():
            for kind, said in writes:
                try:
                    self._write(items, kind, said)
                    reasons.append({"Code": "None"})
                except Refusal as refusal:
                    if refusal.code != "ConditionalCheckFailedException":
                        raise
                    told = {"Code": "ConditionalCheckFailed", "Message": _FAILED}
                    reasons.append({**told, **refusal.details})
            if any(one["Code"] != "None" for one in reasons):
                codes = ", ".join(one["Code"] for one in reasons)
                raise Refusal(
                    "TransactionCanceledException",
                    "Transaction cancelled, please refer cancellation reasons for specific reasons "
                    f"[{codes}]",
                    details={"CancellationReasons": reasons},
                )
        return {}

    def query(self, members: Members) -> Mapping[str, Any]:
        """Query by the table's own key."""
        named = {"KeyConditionExpression", "FilterExpression", "ConsistentRead", "Limit"}
        paged = {"ScanIndexForward", "ExclusiveStartKey"}
        _only(members, {"TableName", *named, *paged, *_PROJECTED, *_NAMED})
        name, shape = self._table(members)
        given = _given(members)
        asked = read_key_condition(members.get("KeyConditionExpression") or "", shape, given)
        wanted = _condition(members, "FilterExpression", given)
        shown = _projection(members, given)
        given.check_used()
        items = self._items()
        with items.lock:
            found = items.of_partition(name, shape, {shape.key: asked.value})
        found = [one for one in found if asked.holds(one)]
        forward = members.get("ScanIndexForward", True)
        if not forward:
            found.reverse()
        start = members.get("ExclusiveStartKey")
        if start is not None:
            key = shape.check_key(checked_item(start))
            if key[shape.key] != asked.value:
                raise invalid("The provided starting key is outside query boundaries")
            found = [one for one in found if _is_behind(one, key, shape, forward=forward)]
        page = found[: members.get("Limit") or len(found)]
        more = {"LastEvaluatedKey": shape.key_of(page[-1])} if len(page) < len(found) else {}
        passing = [shown(one) for one in page if wanted(one)]
        return {"Items": passing, "Count": len(passing), "ScannedCount": len(page), **more}

    def _alone(self, kind: str, members: Members) -> Mapping[str, Any]:
        items = self._items()
        with items.lock, items.writing():
            before, after, paths = self._write(items, kind, members)
        return _returned(members.get("ReturnValues") or "NONE", kind, (before, after, paths))

    def _write(
        self, items: Items, kind: str, members: Members
    ) -> tuple[Item | None, Item | None, set[str]]:
        """Write one item; gives it before and after, and which attributes were to change."""
        name, shape = self._table(members)
        given = _given(members)
        holds = _condition(members, "ConditionExpression", given)
        update = _update(members, given) if kind == "Update" else None
        given.check_used()
        item = checked_item(members.get("Item")) if kind == "Put" else {}
        key = shape.key_of(item) if kind == "Put" else shape.check_key(_key(members))
        before = items.get(name, shape, key)
        if not holds(before or {}):
            seen = {"Item": before} if before and members.get(_SHOW_FAILED) == "ALL_OLD" else {}
            raise Refusal("ConditionalCheckFailedException", _FAILED, details=seen)
        paths: set[str] = set()
        match kind:
            case "Put":
                items.put(name, shape, item)
                return before, item, paths
            case "Delete":
                items.delete(name, shape, key)
                return before, None, paths
            case "ConditionCheck":
                return before, before, paths
        if update is not None:
            paths = {str(path[0]) for path in update.paths}
            for part in sorted(paths & set(key)):
                raise invalid(
                    "One or more parameter values were invalid: Cannot update attribute "
                    f"{part}. This attribute is part of the key"
                )
        after = update.apply({**key, **(before or {})}) if update else {**key, **(before or {})}
        items.put(name, shape, after)
        return before, after, paths

    def _place(self, kind: str, members: Members) -> tuple[str, Item]:
        """Give table and key of a write in a transaction."""
        more = {
            "Put": {"Item"},
            "Update": {"Key", "UpdateExpression"},
            "Delete": {"Key"},
            "ConditionCheck": {"Key"},
        }
        if kind not in more:
            raise invalid(f"{kind} is not known in TransactItems")
        _only(members, _CONDITIONAL | more[kind])
        name, shape = self._table(members)
        return name, shape.key_of(checked_item(members.get("Item" if kind == "Put" else "Key")))

    def _table(self, members: Members) -> tuple[str, TableShape]:
        name = str(members.get("TableName", "")).rpartition("/")[2]
        if name not in self._tables:
            raise Refusal(
                "ResourceNotFoundException",
                f"Requested resource not found: Table: {name} not found; here are "
                f"{', '.join(sorted(self._tables)) or 'none'}: name it and its key under "
                "`dynamodb` of the local environment in config.yaml",
            )
        return name, self._tables[name]

    def _items(self) -> Items:
        with self._opening:
            if self._opened is None:
                self._opened = Items(self._path)
            return self._opened


_PROJECTED = {"ProjectionExpression", "ExpressionAttributeNames"}


def _only(members: Members, known: set[str]) -> None:
    """Refuse parameters that are not known here."""
    unknown = sorted(set(members) - known - _UNHEEDED)
    if unknown:
        raise invalid(f"{', '.join(unknown)} is not known on this machine")


def _each_once(places: list[tuple[str, Item]]) -> None:
    if any(place in places[:at] for at, place in enumerate(places)):
        raise invalid("Provided list of item keys contains duplicates")


def _is_behind(item: Item, key: Item, shape: TableShape, *, forward: bool) -> bool:
    """Tell whether an item comes after a key, which need not be there any more."""
    if shape.sort is None:
        return False
    here, there = order_of(item[shape.sort]), order_of(key[shape.sort])
    return bool(here > there if forward else here < there)


def _key(members: Members) -> Item:
    return checked_item(members.get("Key"))


def _given(members: Members) -> Given:
    return read_given(
        members.get("ExpressionAttributeNames"), members.get("ExpressionAttributeValues")
    )


def _condition(members: Members, name: str, given: Given) -> Callable[[Item], bool]:
    text = members.get(name)
    return (lambda _: True) if text is None else read_condition(text, name, given)


def _update(members: Members, given: Given) -> Update | None:
    text = members.get("UpdateExpression")
    return None if text is None else Update(text, given)


def _projection(members: Members, given: Given) -> Callable[[Item], Item]:
    """Give what leaves attributes out; only whole ones can be named here."""
    text = members.get("ProjectionExpression")
    if text is None:
        return lambda item: item
    words = Words(text, "ProjectionExpression", given)
    paths = [words.path()]
    while words.peek():
        words.take(",")
        paths.append(words.path())
    if any(len(path) > 1 for path in paths):
        raise invalid("ProjectionExpression with paths into attributes is not known here")
    return lambda item: {str(path[0]): item[str(path[0])] for path in paths if find(item, path)}


def _returned(
    wanted: str, kind: str, found: tuple[Item | None, Item | None, set[str]]
) -> Mapping[str, Any]:
    before, after, paths = found
    allowed = {"NONE", "ALL_OLD"}
    if kind == "Update":
        allowed |= {"ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"}
    if wanted not in allowed:
        raise invalid(f"ReturnValues can only be {' or '.join(sorted(allowed))}")
    if wanted == "NONE":
        return {}
    item = before if wanted.endswith("OLD") else after
    if wanted.startswith("UPDATED") and item is not None:
        item = {name: value for name, value in item.items() if name in paths}
    return {"Attributes": item} if item else {}
