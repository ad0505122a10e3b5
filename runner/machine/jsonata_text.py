"""Numbers and values as JavaScript writes them, which is how JSONata writes them."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, TypeAlias

from jsonata.utils import Utils

Value: TypeAlias = Any
"""A value of the library: JSON with NULL for null, None for undefined, or a function."""

_NULL = Utils.NULL_VALUE
_EXACT = 2**53
_LONG = 2**63
_MOST_DIGITS = 21
_LEAST_EXPONENT = -7
_SIGNIFICANT = 15


def whole(number: float) -> float | int:
    """Make an integer of a double that is one and that doubles hold exactly."""
    if -_EXACT <= number <= _EXACT and number == int(number):
        return int(number)
    return number


def number_text(number: float, *, exact: bool = False) -> str:
    """Write a number: whole ones in full up to 1e21, others with 15 digits unless `exact`.

    >>> number_text(1e20), number_text(1e21), number_text(0.1 + 0.2), number_text(1e-7)
    ('100000000000000000000', '1e+21', '0.3', '1e-7')
    """
    if isinstance(number, int):
        if -_LONG <= number < _LONG:
            return str(number)
        number = float(number)
    if not math.isfinite(number):
        return "null"
    if not exact and number != math.floor(number):
        number = float(f"{number:.{_SIGNIFICANT}g}")
    return _shortest(number)


def _shortest(number: float) -> str:
    sign, numerals, exponent = Decimal(repr(number)).normalize().as_tuple()
    digits = "".join(map(str, numerals))
    point = len(digits) + int(exponent)
    minus = "-" if sign and number else ""
    if len(digits) <= point <= _MOST_DIGITS:
        return f"{minus}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= _MOST_DIGITS:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if _LEAST_EXPONENT < point - 1 < 0:
        return f"{minus}0.{'0' * -point}{digits}"
    power = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"{minus}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}{power}"


def json_text(value: object, *, indent: str = "", margin: str = "\n", exact: bool = False) -> str:
    """Write a value as JSON; functions are empty strings, as `$string` writes them."""
    if value is None or value is _NULL or isinstance(value, bool):
        return "null" if not isinstance(value, bool) else "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return number_text(value, exact=exact)
    if isinstance(value, (dict, list)):
        return _structure(value, indent, margin, exact=exact)
    return '""'


def _structure(
    value: dict[str, Value] | list[Value], indent: str, margin: str, *, exact: bool
) -> str:
    inner = margin + indent
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        pairs = [
            json.dumps(key, ensure_ascii=False)
            + colon
            + json_text(item, indent=indent, margin=inner, exact=exact)
            for key, item in value.items()
        ]
        return _bracketed("{", pairs, "}", inner if indent else "", margin)
    items = [json_text(item, indent=indent, margin=inner, exact=exact) for item in value]
    return _bracketed("[", items, "]", inner if indent else "", margin)


def _bracketed(start: str, parts: list[str], end: str, inner: str, margin: str) -> str:
    if not parts or not inner:
        return f"{start}{','.join(parts)}{end}"
    return f"{start}{inner}{f',{inner}'.join(parts)}{margin}{end}"
