"""Attribute values of DynamoDB: what is valid, what is equal, what comes first.

In: values as they are on the wire, `{"S": "a"}`.  Out: the same, checked, and their order.
"""

from __future__ import annotations

import base64
import binascii
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from runner.local.wire.json11 import Refusal

Value = dict[str, Any]
Item = dict[str, Value]
MOST_ITEM = 400 * 1024
"""Bytes of an item; counted by its JSON, which is a little more than DynamoDB counts."""
_DIGITS = Context(prec=38)
_SCALARS = ("S", "N", "B")
_SETS = {"SS": "S", "NS": "N", "BS": "B"}


def invalid(message: str) -> Refusal:
    """Make the refusal of a request that is wrong."""
    return Refusal("ValidationException", message)


def checked_item(given: object) -> Item:
    """Check an item or a key; gives it with its numbers in one form."""
    if not isinstance(given, dict):
        raise invalid("An item is an object of attribute values")
    return {str(name): checked(value) for name, value in given.items()}


def checked(given: object) -> Value:
    """Check one value."""
    match given:
        case {**parts} if len(parts) == 1:
            ((kind, content),) = parts.items()
        case _:
            raise invalid("Supplied AttributeValue has more or less than one datatype set")
    match kind:
        case "S" | "N" | "B":
            return {kind: _scalar(kind, content)}
        case "SS" | "NS" | "BS":
            return {kind: _set(kind, content)}
        case "BOOL" if isinstance(content, bool):
            return {kind: content}
        case "NULL" if content is True:
            return {kind: True}
        case "L" if isinstance(content, list):
            return {kind: [checked(one) for one in content]}
        case "M" if isinstance(content, dict):
            return {kind: checked_item(content)}
    raise invalid(f"Supplied AttributeValue is not valid: {kind}")


def _scalar(kind: str, content: object) -> str:
    if not isinstance(content, str):
        raise invalid(f"Supplied AttributeValue is not valid: {kind} is text on the wire")
    if kind == "N":
        return shown(number(content))
    if kind == "S" and not _is_unicode(content):
        raise invalid("Supplied AttributeValue is not valid: S is text that UTF-8 can write")
    if kind == "B":
        try:
            base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise invalid("Supplied AttributeValue is not valid: B is base64") from error
    return content


def _is_unicode(text: str) -> bool:
    """Tell whether a text has no half of a pair of surrogates, which JSON can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _set(kind: str, content: object) -> list[str]:
    if not isinstance(content, list) or not content:
        raise invalid("One or more parameter values were invalid: An set may not be empty")
    members = [_scalar(_SETS[kind], one) for one in content]
    if len(set(members)) != len(members):
        raise invalid(
            "One or more parameter values were invalid: Input collection contains duplicates."
        )
    return sorted(members)


def number(text: str) -> Decimal:
    """Read a number; DynamoDB keeps 38 digits."""
    try:
        found = _DIGITS.create_decimal(text.strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        message = f"The parameter cannot be converted to a numeric value: {text}"
        raise invalid(message)
    return found


def shown(found: Decimal) -> str:
    """Write a number as DynamoDB gives it back: plain, without needless zeros.

    >>> shown(Decimal("1.50")), shown(Decimal("1E2")), shown(Decimal("-0"))
    ('1.5', '100', '0')
    """
    text = f"{found:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def add(one: Value, other: Value) -> Value:
    """Add numbers, or join sets of one kind."""
    ((kind, left),), ((other_kind, right),) = one.items(), other.items()
    if kind == other_kind == "N":
        return {"N": shown(_DIGITS.add(number(left), number(right)))}
    if kind == other_kind and kind in _SETS:
        return {kind: sorted({*left, *right})}
    raise invalid(
        "An operand in the update expression has an incorrect data type: ADD takes a number or a "
        f"set to one of its kind; here: {other_kind} to {kind}"
    )


def negative(one: Value) -> Value:
    """Turn a number's sign."""
    if "N" not in one:
        raise invalid("Incorrect operand type for operator or function; operator or function: -")
    return {"N": shown(_DIGITS.minus(number(one["N"])))}


def compare(one: Value, other: Value) -> int | None:
    """Order two values of one kind: below 0, 0 or above; None for those that have no order."""
    kind, other_kind = next(iter(one)), next(iter(other))
    if kind != other_kind or kind not in _SCALARS:
        return None
    first, second = order_of(one), order_of(other)
    return int(first > second) - int(first < second)


def order_of(value: Value) -> Any:  # noqa: ANN401 - a number or bytes
    """Give what a scalar is sorted by."""
    ((kind, content),) = value.items()
    if kind == "N":
        return number(content)
    return content.encode() if kind == "S" else base64.b64decode(content)


def size(value: Value) -> int:
    """Give what the function `size` gives."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(base64.b64decode(content))
    if kind in {"L", "M"} or kind in _SETS:
        return len(content)
    raise invalid(f"Incorrect operand type for operator or function; function: size, type: {kind}")
