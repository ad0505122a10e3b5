"""Which data files a query need not open: bounds or partition exclude what it asks for.

In: a data file as its manifest tells of it, and conditions that hold for all rows of the scan.
Out: whether rows may be there.  Whole numbers, dates and text are looked at; all else may be there.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from runner.local.athena.icebergs.bounds import from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.local.athena.icebergs.manifests import DataFile
    from runner.local.athena.icebergs.partitioning import Term
    from runner.local.athena.icebergs.types import IcebergField
    from runner.local.athena.template import Condition

_EPOCH = date(1970, 1, 1)
_READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "long": int,
    "date": lambda text: (date.fromisoformat(text) - _EPOCH).days,
    "string": str.encode,
}
"""How a condition's constant is read for a column of a type."""


def may_hold(
    file: DataFile,
    terms: Sequence[Term],
    fields: Mapping[str, IcebergField],
    conditions: Sequence[Condition],
) -> bool:
    """Tell whether a file may have rows for which all conditions hold; `fields` are by name."""
    return all(
        _may_hold(file, terms, fields[each.column], each)
        for each in conditions
        if each.operator != "sql" and each.column in fields
    )


def _may_hold(
    file: DataFile, terms: Sequence[Term], field: IcebergField, condition: Condition
) -> bool:
    kind = field["type"]
    if not isinstance(kind, str) or kind not in _READ:
        return True
    try:
        wanted = [_READ[kind](text) for text in condition.values]
    except ValueError:
        return True
    for term, value in zip(terms, file.partition, strict=True):
        if term.source == field["id"] and term.transform == "identity":
            plain = value.encode() if isinstance(value, str) else value
            return value is not None and _overlaps((plain, plain), condition.operator, wanted)
    low = file.counts.lowest.get(field["id"])
    high = file.counts.highest.get(field["id"])
    if low is None or high is None:
        return True
    ends = (low, high) if kind == "string" else (from_bytes(low, kind), from_bytes(high, kind))
    return _overlaps(ends, condition.operator, wanted)


def _overlaps(ends: tuple[Any, Any], operator: str, wanted: Sequence[Any]) -> bool:
    low, high = ends
    match operator:
        case "in":
            return any(low <= each <= high for each in wanted)
        case "<":
            return bool(low < wanted[0])
        case "<=":
            return bool(low <= wanted[0])
        case ">":
            return bool(high > wanted[0])
        case _:
            return bool(high >= wanted[0])
