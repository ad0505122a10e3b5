"""Which types Trino makes of which by itself, and what two types have in common.

In: two types that are known.  Out: the type that both become, or None; whether one becomes the
other.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from runner.local.athena.analysis.types import (
    INTEGERS,
    NUMBERS,
    TIME,
    TIMESTAMP,
    UNKNOWN,
    UNSURE,
    ZONED_TIME,
    ZONED_TIMESTAMP,
    Type,
    decimal,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 38
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_NO_COMPARISON = frozenset(
    {"hyperloglog", "p4hyperloglog", "setdigest", "tdigest", "qdigest", "color", "<function>"}
)
_NO_ORDER = _NO_COMPARISON | {"json", "map"}
_TEXT_LIKE = frozenset({"joniregexp", "jsonpath", "codepoints"})
_WIDER: dict[str, frozenset[str]] = {
    **{
        name: frozenset({*INTEGERS[number + 1 :], "decimal", "real", "double"})
        for number, name in enumerate(INTEGERS)
    },
    "decimal": frozenset({"real", "double"}),
    "real": frozenset({"double"}),
    "date": frozenset({TIMESTAMP, ZONED_TIMESTAMP}),
    TIMESTAMP: frozenset({ZONED_TIMESTAMP}),
    TIME: frozenset({ZONED_TIME}),
    "varchar": frozenset({"char", *_TEXT_LIKE}),
    "char": _TEXT_LIKE,
    "p4hyperloglog": frozenset({"hyperloglog"}),
}
"""Bases that a base becomes."""


def common(left: Type, right: Type) -> Type | None:
    """Give what two types become together; None if they have nothing in common."""
    if UNKNOWN in (left, right):
        return right if left == UNKNOWN else left
    if left == right or UNSURE in (left, right):
        return left if left == right else UNSURE
    if left.name == right.name:
        return _same_base(left, right)
    for one, other in ((left, right), (right, left)):
        if other.name in _WIDER.get(one.name, ()):
            return _same_base(_as_base(one, other.name), other)
    return None


def all_common(types: Iterable[Type]) -> Type | None:
    """Give what all types become together."""
    return reduce(lambda one, other: common(one, other) if one else None, types, UNKNOWN)  # type: ignore[arg-type, return-value]


def coerces(source: Type, target: Type) -> bool:
    """Tell whether Trino makes one type of another by itself."""
    if source in (target, UNKNOWN) or UNSURE in (source, target):
        return True
    found = common(source, target)
    return found is not None and (found == target or _is_vague(found) or _is_vague(target))


def is_comparable(kind: Type) -> bool:
    """Tell whether values are equal or not."""
    return kind.name not in _NO_COMPARISON and all(map(is_comparable, kind.parts))


def is_orderable(kind: Type) -> bool:
    """Tell whether values have an order."""
    return kind.name not in _NO_ORDER and all(map(is_orderable, kind.parts))


def _is_vague(kind: Type) -> bool:
    return None in kind.numbers or any(map(_is_vague, kind.parts))


def _as_base(kind: Type, base: str) -> Type:
    """Make the type of another base that a type becomes."""
    if base == "decimal":
        return decimal(_DIGITS[kind.name], 0)
    if base in {TIMESTAMP, ZONED_TIMESTAMP, ZONED_TIME}:
        return Type(base, kind.numbers if kind.name != "date" else (0,))
    if base == "char":
        return Type(base, kind.numbers or (65536,))
    return Type(base)


def _same_base(left: Type, right: Type) -> Type | None:
    if left.parts:
        return _same_parts(left, right)
    if left.name == "decimal":
        return _decimals(left, right)
    if not left.numbers or not right.numbers:
        return Type(left.name)
    if None in left.numbers or None in right.numbers:
        return Type(left.name, (None,))
    return max(left, right, key=lambda each: each.numbers[0] or 0)


def _same_parts(left: Type, right: Type) -> Type | None:
    if len(left.parts) != len(right.parts):
        return None
    parts = [common(one, other) for one, other in zip(left.parts, right.parts, strict=True)]
    fields = tuple(
        one if one.lower() == other.lower() else ""
        for one, other in zip(
            left.fields or ("",) * len(parts), right.fields or ("",) * len(parts), strict=True
        )
    )
    known = tuple(part for part in parts if part is not None)
    if len(known) < len(parts):
        return None
    return Type(left.name, (), known, fields if any(fields) else ())


def _decimals(left: Type, right: Type) -> Type:
    (p, s), (q, t) = left.numbers, right.numbers
    if p is None or s is None or q is None or t is None:
        return decimal(None, None)
    scale = max(s, t)
    return decimal(min(_MOST, max(p - s, q - t) + scale), scale)


def is_number(kind: Type) -> bool:
    """Tell whether a type is one of numbers."""
    return kind.name in NUMBERS
