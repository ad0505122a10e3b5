"""JSONata's functions over arrays, objects and functions, where the library's stray from them.

Why they are mended: functions given as arguments are called with their signatures checked and with
as many arguments as they take; null is not undefined; `$distinct`, `$zip`, `$spread` and `$merge`
take a time in proportion to their input; `$sort` is JSONata's own merge sort (a comparator that
is not an order gives its result); nothing changes its argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonata.utils import Utils

from runner.machine.jsonata_errors import NULL, Complaint
from runner.machine.jsonata_evaluator import is_callable, is_number, truth
from runner.machine.jsonata_natives import apply, arity_of, charge, sequence
from runner.machine.jsonata_text import json_text, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.machine.jsonata_text import Value


def _with_position(function: Value, item: Value, position: Value, everything: Value) -> Value:
    arguments = [item, position, everything]
    return apply(function, arguments[: max(1, min(3, arity_of(function)))])


def count(items: Value) -> int:
    """Count items."""
    return 0 if items is None else len(items)


def total(items: Value) -> Value:
    """Sum up, as doubles and in order."""
    if items is None:
        return None
    charge(len(items))
    result = 0.0
    for item in items:
        result += item
    return whole(result)


def average(items: Value) -> Value:
    """Give the mean."""
    if not items:
        return None
    result = 0.0
    for item in items:
        result += item
    return whole(result / len(items))


def greatest(items: Value) -> Value:
    """Give the greatest number."""
    return max(items) if items else None


def least(items: Value) -> Value:
    """Give the least number."""
    return min(items) if items else None


def mapped(items: Value, function: Value) -> Value:
    """Call a function with every item."""
    if items is None:
        return None
    found = (_with_position(function, item, index, items) for index, item in enumerate(items))
    return sequence(value for value in found if value is not None)


def filtered(items: Value, function: Value) -> Value:
    """Keep the items for which a function holds."""
    if items is None:
        return None
    return sequence(
        item
        for index, item in enumerate(items)
        if truth(_with_position(function, item, index, items))
    )


def single(items: Value, function: Value) -> Value:
    """Give the only item for which a function holds."""
    if items is None:
        return None
    found = [
        item
        for index, item in enumerate(items)
        if function is None or truth(_with_position(function, item, index, items))
    ]
    if len(found) != 1:
        raise Complaint("D3138" if found else "D3139")
    return found[0]


def zipped(*arrays: Value) -> Value:
    """Put the items of the same position together."""
    if not arrays or any(array is None for array in arrays):
        return []
    shortest = min(len(array) for array in arrays)
    charge(shortest * len(arrays))
    return [[array[index] for array in arrays] for index in range(shortest)]


def reduced(items: Value, function: Value, first: Value) -> Value:
    """Fold from the left."""
    if items is None:
        return None
    arity = arity_of(function)
    if arity < 2:  # noqa: PLR2004
        raise Complaint("D3050", index=1)
    start = 0
    if first is None and items:
        first, start = items[0], 1
    for index in range(start, len(items)):
        arguments = [first, items[index], index, items]
        first = apply(function, arguments[: min(4, arity)])
    return first


def sifted(found: Value, function: Value) -> Value:
    """Keep the pairs for which a function holds."""
    if found is None:
        return None
    kept = {
        key: value
        for key, value in found.items()
        if truth(_with_position(function, _there(value), key, found))
    }
    return kept or None


def each(found: Value, function: Value) -> Value:
    """Call a function with every pair."""
    if found is None:
        return None
    made = (_with_position(function, _there(value), key, found) for key, value in found.items())
    return sequence(value for value in made if value is not None)


def _there(value: Value) -> Value:
    return NULL if value is None else value


def keys(value: Value) -> Value:
    """Give the keys of an object, or of all objects in an array."""
    return sequence(dict.fromkeys(_keys(value)))


def _keys(value: Value) -> Iterator[str]:
    if isinstance(value, list):
        charge(len(value))
        for item in value:
            yield from _keys(item)
    elif isinstance(value, dict):
        yield from value


def looked_up(value: Value, key: Value) -> Value:
    """Give the value of a key, in an object or in each object of an array."""
    if isinstance(value, list):
        charge(len(value))
        found = sequence(())
        for item in value:
            inner = looked_up(item, key)
            if isinstance(inner, list):
                found.extend(inner)
            elif inner is not None:
                found.append(inner)
        return found
    if isinstance(value, dict) and key in value:
        return _there(value[key])
    return None


def appended(left: Value, right: Value) -> Value:
    """Put two values together."""
    if left is None:
        return right
    if right is None:
        return left
    made = Utils.JList(left if isinstance(left, list) else [left])
    made.extend(right if isinstance(right, list) else [right])
    charge(len(made))
    return made


def spread(value: Value) -> Value:
    """Make one object of every pair."""
    if isinstance(value, list):
        found = sequence(())
        for item in value:
            inner = spread(item)
            if isinstance(inner, list):
                found.extend(inner)
            elif inner is not None:
                found.append(inner)
        charge(len(found))
        return list(found) or found
    if isinstance(value, dict):
        return sequence({key: item} for key, item in value.items())
    return "" if is_callable(value) else value


def merged(objects: Value) -> Value:
    """Make one object of several; the last one wins."""
    if objects is None:
        return None
    result: dict[str, Value] = {}
    for one in objects:
        charge(len(one))
        result.update(one)
    return result


def reversed_(items: Value) -> Value:
    """Turn round."""
    if items is None or len(items) <= 1:
        return items
    charge(len(items))
    return items[::-1]


def distinct(items: Value) -> Value:
    """Drop what is there before."""
    if not isinstance(items, list) or len(items) <= 1:
        return items
    charge(len(items))
    kept: dict[str, Value] = {}
    for item in items:
        kept.setdefault(_identity(item), item)
    values = list(kept.values())
    return sequence(values) if Utils.is_sequence(items) else values


def _identity(value: Value) -> str:
    """Write a value so that equal ones look alike, whatever the order of their keys."""
    if is_callable(value):
        return f"function {id(value)}"
    return json_text(_ordered_keys(value), exact=True)


def _ordered_keys(value: Value) -> Value:
    if isinstance(value, dict):
        charge(len(value))
        return {key: _ordered_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        charge(len(value))
        return [_ordered_keys(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def sorted_(items: Value, comparator: Value) -> Value:
    """Sort by merging halves; a comparator says whether its arguments must change places."""
    if items is None or len(items) <= 1:
        return items
    if comparator is None:
        numbers = all(is_number(item) for item in items)
        if not numbers and not all(isinstance(item, str) for item in items):
            raise Complaint("D3070", index=1)
        charge(len(items) * 8)
        return sorted(items, key=None if numbers else _utf16)
    return _merge_sorted(list(items), comparator)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _merge_sorted(items: list[Value], comparator: Value) -> list[Value]:
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    left = _merge_sorted(items[:middle], comparator)
    right = _merge_sorted(items[middle:], comparator)
    result: list[Value] = []
    first = second = 0
    while first < len(left) and second < len(right):
        if truth(apply(comparator, [left[first], right[second]])):
            result.append(right[second])
            second += 1
        else:
            result.append(left[first])
            first += 1
    return [*result, *left[first:], *right[second:]]


def exists(value: Value) -> bool:
    """Tell whether a value is defined."""
    return value is not None


def boolean(value: Value) -> Value:
    """Cast to a boolean."""
    return truth(value)


def negated(value: Value) -> Value:
    """Cast to a boolean and negate."""
    found = truth(value)
    return None if found is None else not found


def type_of(value: Value) -> Value:
    """Name the type of a value."""
    if value is None:
        return None
    if value is NULL:
        return "null"
    if is_callable(value):
        return "function"
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return "object"


_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "number"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
)


def failed(message: Value) -> Value:
    """Fail with a message."""
    raise Complaint("D3137", message=message or "$error() function evaluated")


def asserted(condition: Value, message: Value) -> None:
    """Fail when a condition does not hold."""
    if not condition:
        raise Complaint("D3141", message=message or "$assert() statement failed")


def cloned(value: Value) -> Value:
    """Copy a value; functions inside become empty strings."""
    if isinstance(value, dict):
        charge(len(value))
        return {key: cloned(item) for key, item in value.items()}
    if isinstance(value, list):
        charge(len(value))
        return [cloned(item) for item in value]
    if is_callable(value):
        return ""
    return value
