"""JSONata's functions over numbers and times, where the library's stray from them.

Why they are mended: Python's `float` reads more texts than JSONata does and its errors have no
code; roots and powers may be complex or too large; times without a picture are ISO 8601 alone.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from jsonata.datetimeutils import DateTimeUtils
from jsonata.functions import Functions

from runner.machine.jsonata_errors import Complaint
from runner.machine.jsonata_pictures import check_picture
from runner.machine.jsonata_text import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine.jsonata_text import Value

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_BASES = {"x": 16, "o": 8, "b": 2}
_BASED = re.compile(r"0([xX])([0-9A-Fa-f]+)|0([oO])([0-7]+)|0([bB])([01]+)")
_ISO = re.compile(
    r"(?P<date>\d{4}(-[01]\d)*(-[0-3]\d)*)(T[0-2]\d:[0-5]\d:[0-5]\d)*(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?"
)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MOST_RADIX = 36
_MOST_PLACES = 400


def number(value: Value) -> Value:
    """Cast to a number."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        read = float(value)
        if math.isfinite(read):
            return whole(read)
    based = _BASED.fullmatch(value) if isinstance(value, str) else None
    if based is None:
        raise Complaint("D3030", value=value, index=1)
    letter, digits = (part for part in based.groups() if part)
    return whole(float(int(digits, _BASES[letter.lower()])))


def absolute(value: Value) -> Value:
    """Drop the sign."""
    return None if value is None else abs(value)


def floor(value: Value) -> Value:
    """Round down."""
    return value if value is None or math.isinf(value) else whole(math.floor(value))


def ceiling(value: Value) -> Value:
    """Round up."""
    return value if value is None or math.isinf(value) else whole(math.ceil(value))


def rounded(value: Value, places: Value) -> Value:
    """Round to places, a half to the even neighbour."""
    if value is None:
        return None
    digits = int(places or 0)
    if abs(digits) > _MOST_PLACES:
        return value if digits > 0 else 0
    try:
        unit = Decimal(1).scaleb(-digits)
        result = float(Decimal(repr(float(value))).quantize(unit, rounding=ROUND_HALF_EVEN))
    except InvalidOperation:
        return value
    return whole(result)


def root(value: Value) -> Value:
    """Give the square root."""
    if value is None:
        return None
    if value < 0:
        raise Complaint("D3060", value=value, index=1)
    return whole(math.sqrt(value))


def power(base: Value, exponent: Value) -> Value:
    """Give a power that is a number."""
    if base is None:
        return None
    if exponent is None:
        raise Complaint("D3061", value=base, index=1)
    try:
        result = float(base) ** float(exponent)
    except ArithmeticError:
        result = math.inf
    if isinstance(result, complex) or not math.isfinite(result):
        raise Complaint("D3061", value=base, exp=exponent, index=1)
    return whole(result)


def in_base(value: Value, radix: Value) -> Value:
    """Write a whole number in another base."""
    if value is None:
        return None
    base = int(rounded(10 if radix is None else radix, 0))
    if not 2 <= base <= _MOST_RADIX:  # noqa: PLR2004
        raise Complaint("D3100", value=base)
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    left = int(rounded(value, 0))
    sign, left = ("-" if left < 0 else ""), abs(left)
    digits = ""
    while left or not digits:
        left, digit = divmod(left, base)
        digits = _DIGITS[digit] + digits
    return sign + digits


def formatted(value: Value, picture: Value, options: Value) -> Value:
    """Write a number by a picture."""
    if value is None:
        return None
    check_picture(str(picture), options)
    return _guarded(lambda: Functions.format_number(value, picture, options), value)


def format_integer(value: Value, picture: Value) -> Value:
    """Write a whole number by a picture."""
    if value is None:
        return None
    floored = math.floor(value)
    return _guarded(lambda: DateTimeUtils.format_integer(floored, picture), picture)


def parse_integer(text: Value, picture: Value) -> Value:
    """Read a whole number by a picture."""
    if text is None:
        return None
    try:
        return _guarded(lambda: DateTimeUtils.parse_integer(text, picture), picture)
    except (ValueError, TypeError):
        return math.nan


def to_millis(text: Value, picture: Value) -> Value:
    """Read a time."""
    if text is None:
        return None
    if picture is not None:
        return _guarded(lambda: DateTimeUtils.parse_datetime(text, picture), picture)
    found = _ISO.fullmatch(text)
    if found is None:
        raise Complaint("D3110", value=text)
    try:
        moment = _moment(found)
    except ValueError:
        return math.nan
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLISECOND


def _moment(found: re.Match[str]) -> datetime:
    date, time, fraction, zone = found["date"], found[4], found[5], found[6]
    padded = date + "-01-01"[len(date) - 4 :] if len(date) < 10 else date  # noqa: PLR2004
    clock = f"{time or 'T00:00:00'}{(fraction or '.0')[:4]}"
    return datetime.fromisoformat(f"{padded}{clock}{zone or 'Z'}")


_MILLISECOND = datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)


def from_millis(value: Value, picture: Value, zone: Value) -> Value:
    """Write a time."""
    if value is None:
        return None
    millis = math.floor(value)
    return _guarded(lambda: DateTimeUtils.format_datetime(millis, picture, zone), picture)


def _guarded(make: Callable[[], object], shown: object) -> Value:
    """Give a code to what the library raises as one of Python's errors."""
    try:
        return make()
    except RecursionError:
        raise
    except RuntimeError as error:
        if isinstance(error, Complaint):
            raise
        raise _recognised(error, shown) from error
    except LookupError as error:
        name = error.args[0] if error.args else None
        raise Complaint("D3132", value=name) from error


def _recognised(error: RuntimeError, shown: object) -> RuntimeError:
    from runner.machine.jsonata_errors import code_of  # noqa: PLC0415

    code = code_of(str(error))
    if code is None:
        return error
    return Complaint(code, value=_component(shown) if code == "D3133" else shown)


def _component(picture: object) -> object:
    named = re.search(r"\[([A-Za-z])[Nn]", str(picture))
    return named[1] if named else picture
