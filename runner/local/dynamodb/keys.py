"""KeyConditionExpression: one partition key, and what its sort key must be.

In: the expression.  Out: the partition key's value, and what decides about an item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.local.dynamodb.conditions import read_condition
from runner.local.dynamodb.values import Item, Value, invalid
from runner.local.dynamodb.words import Given, Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.dynamodb.tables import TableShape

_KIND = "KeyConditionExpression"


class KeyCondition(NamedTuple):
    """What a query asks for."""

    value: Value
    """Of the partition key."""
    holds: Callable[[Item], bool]


def read_key_condition(text: str, shape: TableShape, given: Given) -> KeyCondition:
    """Read it; the partition key stands in it as `key = :value`, at either end."""
    holds = read_condition(text, _KIND, given)
    words = Words(text, _KIND, given)
    value: Value | None = None
    named: set[str] = set()
    while words.peek():
        if words.is_next("OR", "NOT", "<>", "IN"):
            raise words.wrong(f"Invalid operator used in {_KIND}: {words.peek()}")
        if words.peek()[0] not in "#abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_" or (
            words.is_next("AND", "BETWEEN", "BEGINS_WITH")
        ):
            words.take()
            continue
        name = str(words.path()[0])
        named.add(name)
        if name == shape.key and words.peek() == "=":
            words.take()
            value = words.value()
    if value is None:
        raise invalid(f"Query condition missed key schema element: {shape.key}")
    if unknown := sorted(named - set(shape.types)):
        raise invalid(f"Query key condition not supported: {', '.join(unknown)} is no key")
    return KeyCondition(value, holds)
