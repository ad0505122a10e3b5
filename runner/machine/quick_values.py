"""JSONata's operators on the values where they are simple; anything else is `Deferred`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.templates import UNDEFINED

if TYPE_CHECKING:
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


def append(left: Json, right: Json) -> Json:
    """Put two arrays together as `$append` does."""
    if not (isinstance(left, list) and isinstance(right, list)) or not left or not right:
        raise Deferred
    return [*left, *right]


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
