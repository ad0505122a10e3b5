"""Conditions of DynamoDB: what decides about an item.

In: a ConditionExpression, FilterExpression or KeyConditionExpression.  Out: a function that tells
of an item whether it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.dynamodb.values import Item, Value, compare, size
from runner.local.dynamodb.words import Given, Words, find

if TYPE_CHECKING:
    from collections.abc import Callable

    Condition = Callable[[Item], bool]
    Operand = Callable[[Item], Value | None]

_COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
_FUNCTIONS = (
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
)


def read_condition(text: str, kind: str, given: Given) -> Condition:
    """Read a condition."""
    words = Words(text, kind, given)
    found = _either(words)
    if words.peek():
        raise words.wrong(f"Syntax error; token: {words.peek()!r}")
    return found


def _either(words: Words) -> Condition:
    parts = [_both(words)]
    while words.is_next("OR"):
        words.take()
        parts.append(_both(words))
    return parts[0] if len(parts) == 1 else lambda item: any(part(item) for part in parts)


def _both(words: Words) -> Condition:
    parts = [_one(words)]
    while words.is_next("AND"):
        words.take()
        parts.append(_one(words))
    return parts[0] if len(parts) == 1 else lambda item: all(part(item) for part in parts)


def _one(words: Words) -> Condition:
    if words.is_next("NOT"):
        words.take()
        inner = _one(words)
        return lambda item: not inner(item)
    if words.peek() == "(":
        words.take()
        inner = _either(words)
        words.take(")")
        return inner
    if words.peek(1) == "(" and words.peek() != "size":
        return _function(words)
    return _comparison(words)


def _function(words: Words) -> Condition:
    name = words.take()
    if name not in _FUNCTIONS:
        raise words.wrong(f"Invalid function name; function: {name}")
    words.take("(")
    path = words.path()
    if name in {"attribute_exists", "attribute_not_exists"}:
        words.take(")")
        wanted = name == "attribute_exists"
        return lambda item: (find(item, path) is not None) == wanted
    words.take(",")
    other = _operand(words)
    words.take(")")
    test = {"attribute_type": _is_type, "begins_with": _begins, "contains": _contains}[name]

    def holds(item: Item) -> bool:
        one, two = find(item, path), other(item)
        return one is not None and two is not None and test(one, two)

    return holds


def _comparison(words: Words) -> Condition:
    left = _operand(words)
    if words.is_next("BETWEEN"):
        words.take()
        low = _operand(words)
        words.take("AND")
        high = _operand(words)
        return lambda item: (
            _compared(">=", left(item), low(item)) and _compared("<=", left(item), high(item))
        )
    if words.is_next("IN"):
        words.take()
        words.take("(")
        listed = [_operand(words)]
        while words.peek() == ",":
            words.take()
            listed.append(_operand(words))
        words.take(")")
        return lambda item: any(_compared("=", left(item), one(item)) for one in listed)
    how = words.take(*_COMPARATORS)
    right = _operand(words)
    return lambda item: _compared(how, left(item), right(item))


def _operand(words: Words) -> Operand:
    if words.peek().startswith(":"):
        value = words.value()
        return lambda _: value
    if words.peek() == "size" and words.peek(1) == "(":
        words.take()
        words.take("(")
        path = words.path()
        words.take(")")

        def measured(item: Item) -> Value | None:
            found = find(item, path)
            return None if found is None else {"N": str(size(found))}

        return measured
    path = words.path()
    return lambda item: find(item, path)


def _compared(how: str, one: Value | None, other: Value | None) -> bool:
    """Compare; what is not there, or of another kind, differs and has no order."""
    if how == "<>":
        return one is None or other is None or one != other
    if one is None or other is None:
        return False
    if how == "=":
        return one == other
    order = compare(one, other)
    if order is None:
        return False
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[how]


def _is_type(one: Value, other: Value) -> bool:
    return next(iter(one)) == other.get("S")


def _begins(one: Value, other: Value) -> bool:
    return "S" in one and "S" in other and str(one["S"]).startswith(other["S"])


def _contains(one: Value, other: Value) -> bool:
    ((kind, content),), ((other_kind, wanted),) = one.items(), other.items()
    if kind == "L":
        return other in content
    if kind == other_kind == "S" or kind == f"{other_kind}S":
        return wanted in content
    return False
