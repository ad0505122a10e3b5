"""JSONata's operators on the values where they are simple; anything else is `Deferred`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.templates import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model.ports import Json

_EXACT = 2**53
"""Integers below are exact in the doubles that JSONata calculates with."""


class Deferred(Exception):
    """The full implementation must evaluate this."""


def truth(value: Json) -> bool:
    """Cast to a boolean as `and`, `or`, `? :` and `$not` do; undefined is false."""
    if value is True or value is False:
        return bool(value)
    if isinstance(value, list):
        raise Deferred
    return value is not UNDEFINED and bool(value)


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if value is UNDEFINED:
        return ""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int) and -_EXACT < value < _EXACT:
        return str(value)
    raise Deferred


def concatenate(values: list[Json]) -> str:
    """Join values as `&` does."""
    return "".join([_text(value) for value in values])


def equal(left: Json, right: Json, *, negated: bool) -> bool:
    """Compare as `=` and `!=` do: with undefined, both are false."""
    if left is UNDEFINED or right is UNDEFINED:
        return False
    if isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
        raise Deferred
    same = left == right and isinstance(left, bool) is isinstance(right, bool)
    return same is not negated


def includes(left: Json, right: Json) -> bool:
    """Tell whether `left in right`; a right side that is no array counts as one of itself."""
    if left is UNDEFINED or right is UNDEFINED:
        return False
    if not isinstance(left, str):
        raise Deferred
    return left in right if isinstance(right, list) else bool(left == right)


def compare(left: Json, right: Json, symbol: str) -> Json:
    """Order two strings or two integers."""
    both_text = isinstance(left, str) and isinstance(right, str)
    if not both_text and not (_is_integer(left) and _is_integer(right)):
        raise Deferred
    if both_text and not (left.isascii() and right.isascii()):
        raise Deferred
    if symbol == "<":
        return left < right
    if symbol == "<=":
        return left <= right
    if symbol == ">":
        return left > right
    return left >= right


def add(left: Json, right: Json, sign: int) -> Json:
    """Add (sign 1) or subtract (sign -1) two integers."""
    if not (_is_integer(left) and _is_integer(right)):
        raise Deferred
    return left + sign * right


def multiply(left: Json, right: Json) -> Json:
    """Multiply two integers whose product a double holds exactly."""
    if not (_is_integer(left) and _is_integer(right)) or abs(left * right) >= _EXACT:
        raise Deferred
    return left * right


def count(value: Json) -> Json:
    """Count the items of an array; anything else is one."""
    if value is UNDEFINED:
        return 0
    return len(value) if isinstance(value, list) else 1


def length(value: Json) -> Json:
    """Count the characters of a text."""
    if not isinstance(value, str):
        raise Deferred
    return len(value)


def cased(value: Json, change: Callable[[str], str]) -> Json:
    """Change the case of plain letters."""
    if not (isinstance(value, str) and value.isascii()):
        raise Deferred
    return change(value)


def string(value: Json) -> Json:
    """Cast a simple value to a text."""
    return UNDEFINED if value is UNDEFINED else _text(value)


def total(value: Json) -> Json:
    """Sum up integers, while the sum is exact."""
    items = value if isinstance(value, list) else [value]
    if not all(map(_is_integer, items)):
        raise Deferred
    result = sum(items)
    if sum(map(abs, items)) >= _EXACT:
        raise Deferred
    return result


def step_down(value: Json, fields: tuple[str, ...]) -> Json:
    """Follow a path through objects only."""
    for field in fields:
        if isinstance(value, list):
            raise Deferred
        value = value.get(field, UNDEFINED) if isinstance(value, dict) else UNDEFINED
    return value


def item_at(value: Json, index: int, fields: tuple[str, ...]) -> Json:
    """Take one item of an array, and follow a path from it."""
    if not isinstance(value, list):
        found = value if index == 0 else UNDEFINED
    else:
        found = value[index] if index < len(value) else UNDEFINED
    if fields and isinstance(found, list):
        raise Deferred
    return descend(found, fields)


def append(left: Json, right: Json) -> Json:
    """Put two values together as `$append` does: undefined adds nothing, no array counts as one."""
    if left is UNDEFINED:
        return right
    if right is UNDEFINED:
        return left
    first = left if isinstance(left, list) else [left]
    second = right if isinstance(right, list) else [right]
    return [*first, *second]


def merge(objects: Json) -> Json:
    """Make one object of several as `$merge` does; the last one wins."""
    if not isinstance(objects, list):
        raise Deferred
    merged: dict[str, Json] = {}
    for one in objects:
        if not isinstance(one, dict):
            raise Deferred
        merged.update(one)
    return merged


def descend(value: Json, fields: tuple[str, ...]) -> Json:
    """Follow a path from an object down; an array on the way means each of its items."""
    for index, field in enumerate(fields):
        if isinstance(value, dict):
            value = value.get(field, UNDEFINED)
        elif isinstance(value, list):
            return _descend_each(value, fields[index:])
        else:
            return UNDEFINED
    return value


def _descend_each(items: list[Json], fields: tuple[str, ...]) -> Json:
    """Follow a path from every item; what is found is flattened, and one value is just itself."""
    for field in fields:
        found = [value for value in map(_reader(field), items) if value is not UNDEFINED]
        items = _flat(found)
    if len(found) == 1 and isinstance(found[0], list):
        return found[0]
    return _unwrapped(items)


def _reader(field: str) -> Callable[[Json], Json]:
    def read(item: Json) -> Json:
        if isinstance(item, list):
            raise Deferred
        return item.get(field, UNDEFINED) if isinstance(item, dict) else UNDEFINED

    return read


def _flat(values: list[Json]) -> list[Json]:
    flat: list[Json] = []
    for value in values:
        if isinstance(value, list):
            flat.extend(value)
        else:
            flat.append(value)
    return flat


def _unwrapped(items: list[Json]) -> Json:
    """Give a JSONata sequence: nothing is undefined, one item is the item."""
    if not items:
        return UNDEFINED
    return items[0] if len(items) == 1 else items


def chosen(value: Json, holds: Callable[[Json], bool]) -> Json:
    """Keep the items for which a predicate holds, as `value[predicate]` does."""
    if value is UNDEFINED:
        holds(value)  # which may fail, as JSONata asks it of what is missing, too
        return UNDEFINED
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, list) for item in items):
        raise Deferred
    return _unwrapped([item for item in items if holds(item)])


def digest(text: Json, algorithm: Json) -> Json:
    """Hash text as AWS's `$hash` does, in hexadecimal digits."""
    if not isinstance(text, str):
        raise Deferred
    from runner.machine.hashes import hexadecimal  # noqa: PLC0415  (hashlib is not free)

    found = hexadecimal(text, algorithm)
    if found is None:
        raise Deferred
    return found


def _is_integer(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_EXACT < value < _EXACT
