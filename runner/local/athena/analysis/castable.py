"""Which types a CAST makes of which (asked of a real Trino 435)."""

from __future__ import annotations

from runner.local.athena.analysis.coercion import coerces
from runner.local.athena.analysis.types import NUMBERS, UNKNOWN, UNSURE, Type

_TIMES = frozenset({"time", "time with time zone", "timestamp", "timestamp with time zone"})
_PLAIN = NUMBERS | {"boolean", "varchar", "json"}
_TARGETS: dict[str, frozenset[str]] = {
    **dict.fromkeys((*NUMBERS, "boolean", "json"), _PLAIN),
    "varchar": _PLAIN | _TIMES | {"char", "varbinary", "date", "uuid", "ipaddress"},
    "char": frozenset({"varchar", "char"}),
    "varbinary": frozenset(
        {"varbinary", "uuid", "ipaddress", "hyperloglog", "setdigest", "tdigest", "qdigest"}
    ),
    "date": frozenset({"varchar", "date", "json", "timestamp", "timestamp with time zone"}),
    "time": _TIMES | {"varchar"},
    "time with time zone": _TIMES | {"varchar"},
    "timestamp": _TIMES | {"varchar", "date", "json"},
    "timestamp with time zone": _TIMES | {"varchar", "date"},
    "interval day to second": frozenset({"varchar", "interval day to second"}),
    "interval year to month": frozenset({"varchar", "interval year to month"}),
    "uuid": frozenset({"varbinary", "uuid"}),
    "ipaddress": frozenset({"varbinary", "ipaddress"}),
}
_WHOLE_TEXT = frozenset({"uuid", "ipaddress"})
"""What becomes text only without a length."""
_KEYS = NUMBERS | {"boolean", "varchar"}


def can_cast(source: Type, target: Type) -> bool:
    """Tell whether a CAST is there; True for types that we do not know."""
    if UNSURE in (source, target) or source in (target, UNKNOWN) or coerces(source, target):
        return True
    if target.name == "json" and source.parts:
        return _goes_to_json(source)
    if source.parts and target.parts:
        return _same_shape(source, target)
    if source.name == "json" and target.parts:
        return _comes_from_json(target)
    if source.name in _WHOLE_TEXT and target.name == "varchar":
        return not target.numbers
    return not source.parts and (
        source.name not in _TARGETS or target.name in _TARGETS[source.name]
    )


def _same_shape(source: Type, target: Type) -> bool:
    return (
        source.name == target.name
        and len(source.parts) == len(target.parts)
        and all(can_cast(*pair) for pair in zip(source.parts, target.parts, strict=True))
    )


def has_other_keys(source: Type) -> bool:
    """Tell whether a map is part of a type whose keys cannot be those of JSON."""
    wrong = source.name == "map" and source.parts[0].name not in {*_KEYS, "unknown"}
    return wrong or any(map(has_other_keys, source.parts))


def _goes_to_json(source: Type) -> bool:
    return source.name in {"array", "map", "row"} and all(
        can_cast(part, Type("json")) for part in source.parts
    )


def _comes_from_json(target: Type) -> bool:
    if target.name == "map" and target.parts[0].name not in _KEYS:
        return False
    return all(can_cast(Type("json"), part) for part in target.parts)
