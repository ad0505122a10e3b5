"""What `+`, `-`, `*`, `/` and `%` give."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.analysis.coercion import common, is_number
from runner.local.athena.analysis.types import (
    DAYS,
    INTEGERS,
    MONTHS,
    UNKNOWN,
    UNSURE,
    Type,
    decimal,
)

SIGNS: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}
_MOST = 38
_INTERVALS = (DAYS, MONTHS)
_MOMENTS = frozenset({"date", "timestamp", "timestamp with time zone"})
_TIMES = frozenset({"time", "time with time zone"})


def sum_of(sign: str, left: Type, right: Type) -> Type | None:
    """Give the type; UNSURE if it is not known, None if there is no such operator."""
    if not (left.is_sure() and right.is_sure()):
        return _half_known(left, right)
    if UNKNOWN in (left, right):
        return _with_null(sign, left, right)
    if is_number(left) and is_number(right):
        return _numbers(sign, left, right)
    if sign in "+-":
        return _shifted(sign, left, right)
    return _scaled(sign, left, right)


def _half_known(left: Type, right: Type) -> Type | None:
    """Refuse what has no operator with anything at all."""
    for each in (left, right):
        if each.is_sure() and not _has_operators(each):
            return None
    return UNSURE


def _has_operators(kind: Type) -> bool:
    return (
        is_number(kind)
        or kind in (*_INTERVALS, UNKNOWN)
        or kind.name in _MOMENTS | _TIMES | {"unknown"}
    )


def _with_null(sign: str, left: Type, right: Type) -> Type | None:
    other = right if left == UNKNOWN else left
    if not _has_operators(other) or (sign in "*/%" and other.name in _MOMENTS | _TIMES):
        return None
    return other if is_number(other) else UNSURE


def _numbers(sign: str, left: Type, right: Type) -> Type:
    found = common(left, right)
    if found is None or found.name != "decimal" or found.name == "?":
        return found or UNSURE
    return _decimals(sign, _as_decimal(left), _as_decimal(right))


def _as_decimal(kind: Type) -> tuple[int | None, int | None]:
    if kind.name in INTEGERS:
        digits = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
        return digits[kind.name], 0
    precision, scale = kind.numbers
    return precision, scale


def _decimals(
    sign: str, left: tuple[int | None, int | None], right: tuple[int | None, int | None]
) -> Type:
    (p, s), (q, t) = left, right
    if p is None or s is None or q is None or t is None:
        return decimal(None, None)
    scale = max(s, t)
    precision, scale = {
        "+": (max(p - s, q - t) + scale + 1, scale),
        "-": (max(p - s, q - t) + scale + 1, scale),
        "*": (p + q, s + t),
        "/": (p + t + max(t - s, 0), scale),
        "%": (min(p - s, q - t) + scale, scale),
    }[sign]
    return decimal(min(_MOST, precision), scale)


def _shifted(sign: str, left: Type, right: Type) -> Type | None:
    """Add intervals to moments, and take moments from another."""
    if left in _INTERVALS and right == left:
        return left
    if left.name in _MOMENTS and right in _INTERVALS:
        return left
    if left.name in _TIMES and right == DAYS:
        return left
    if sign == "+" and left in _INTERVALS:
        return _shifted(sign, right, left) if right not in _INTERVALS else None
    moments = left.name in _MOMENTS and right.name in _MOMENTS
    times = left.name in _TIMES and right.name in _TIMES
    return DAYS if sign == "-" and (moments or times) else None


def _scaled(sign: str, left: Type, right: Type) -> Type | None:
    """Multiply and divide intervals."""
    if left in _INTERVALS and is_number(right) and sign in "*/":
        return left
    if sign == "*" and right in _INTERVALS and is_number(left):
        return right
    return None
