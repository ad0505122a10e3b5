"""`columns`, `types`, `fractions`: every value arrives, and arrives whole.

Embulk leaves a column out that the mart lacks, makes NULL of a number that does not fit, and cuts
digits of a second; a strict server refuses most of that, but only after the rows travelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.loads import fitting
from runner.loads.checks.case import BOTH, REFUSED, UNFIT, Check, Said
from runner.loads.checks.shape import coarse, kept, misfits, missing, pairs
from runner.loads.types import Family, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.loads.checks.case import LoadCase
    from runner.loads.shapes import ColumnFacts, MartColumn, SourceFacts
    from runner.model.loads import LoadColumn

_FIRST_TIMESTAMP, _LAST_TIMESTAMP = "1970-01-01 00:00:01", "2038-01-19 03:14:07"
_FLOAT_BITS = 32


def _find_columns(case: LoadCase) -> Iterator[Said]:
    if case.table is None and not case.manifest.create:
        yield Said(
            "Load.NoTable",
            f"the mart has no table {case.name}, and the header says create: false",
            f"create {case.name} in the mart, or remove create: false",
        )
    table = kept(case)
    if table is not None:
        yield from missing(case, table)
    if case.facts is not None:
        yield from _nulls(case, case.facts)


def _nulls(case: LoadCase, facts: SourceFacts) -> Iterator[Said]:
    for column, found in pairs(case):
        seen = facts.columns.get(column.name)
        nulls = 0 if seen is None else seen.nulls + seen.not_finite
        if nulls and not found.nullable and column.name not in case.manifest.keys:
            yield Said(
                UNFIT,
                f"column {found.name} of {case.name} is NOT NULL, and {nulls} rows have NULL there "
                "(NaN and infinities count as NULL)",
                f"mend {column.name} in the SQL, or let the mart's column be NULL",
            )


def _find_types(case: LoadCase) -> Iterator[Said]:
    table = kept(case)
    if table is not None:
        yield from misfits(case, table)
    for column, found in pairs(case):
        yield from _refused_by_embulk(case, column)
        if not case.lite:
            yield from _rounded(column, found)
        seen = case.facts.columns.get(column.name) if case.facts is not None else None
        if seen is not None:
            yield from _beyond(case, column, found, seen)


def _refused_by_embulk(case: LoadCase, column: LoadColumn) -> Iterator[Said]:
    if case.engine == "embulk" and parse_type(column.athena_type).family is Family.BINARY:
        yield Said(
            REFUSED,
            f"column {column.name} is {column.athena_type}, and Embulk has no binary values",
            f"select to_hex({column.name}) as text, or write engine: native",
        )


def _rounded(column: LoadColumn, found: MartColumn) -> Iterator[Said]:
    """Find numbers that lose digits because the header asks for it."""
    kind = parse_type(column.athena_type)
    if column.mart_type is None:
        return
    loses = (kind.family is Family.DECIMAL and _scale(found) < kind.scale) or (
        kind.family in (Family.FLOAT, Family.DECIMAL)
        and kind.size != _FLOAT_BITS
        and found.type == "float"
    )
    if loses:
        yield Said(
            "Load.Rounded",
            f"column {column.name} is {column.athena_type}, and {found.full_type} rounds it",
            f"leave {column.name} out of `load: types:` to keep every digit",
            "warning",
        )


def _scale(found: MartColumn) -> int:
    """Give the decimals that a column keeps: many, if it is neither decimal nor integer."""
    whole = found.type in fitting.INTEGER_BITS
    return found.scale if found.type == "decimal" or whole else 99


def _beyond(
    case: LoadCase, column: LoadColumn, found: MartColumn, seen: ColumnFacts
) -> Iterator[Said]:
    """Find values that the column does not take."""
    family = parse_type(column.athena_type).family
    if seen.not_finite:
        yield Said(
            "Load.NotFinite",
            f"column {column.name} holds {seen.not_finite} NaN or infinite values; the mart has "
            "none, so they become NULL",
            f"decide in the SQL what {column.name} should be there",
            "warning",
        )
    if case.lite:
        return
    takes = ""
    if family in (Family.INTEGER, Family.DECIMAL, Family.FLOAT):
        takes = fitting.outside(found, seen.least, seen.greatest)
    elif family is Family.TIMESTAMP and found.type == "timestamp":
        takes = _outside_timestamp(seen)
    if takes:
        yield Said(
            UNFIT,
            f"column {found.name} is {found.full_type} and takes {takes}; the rows hold "
            f"{seen.least} to {seen.greatest}",
            f"widen the mart's column, or keep such values out of {column.name} in the SQL",
        )


def _outside_timestamp(seen: ColumnFacts) -> str:
    least = _FIRST_TIMESTAMP if seen.least is None else str(seen.least)
    greatest = _FIRST_TIMESTAMP if seen.greatest is None else str(seen.greatest)
    inside = least >= _FIRST_TIMESTAMP and greatest[: len(_LAST_TIMESTAMP)] <= _LAST_TIMESTAMP
    return "" if inside else f"{_FIRST_TIMESTAMP} to {_LAST_TIMESTAMP} UTC"


def _find_fractions(case: LoadCase) -> Iterator[Said]:
    table = kept(case)
    if table is not None:
        yield from coarse(case, table)
    for column, found in pairs(case):
        if case.lite or column.mart_type is None or fitting.fine_enough(found, column):
            continue
        seen = case.facts.columns.get(column.name) if case.facts is not None else None
        if case.facts is None or (seen is not None and seen.below_second > found.fraction):
            used = "may have" if seen is None else f"use {seen.below_second} of"
            yield Said(
                "Load.Rounded",
                f"column {column.name} is {column.athena_type}, whose values {used} the digits of "
                f"a second, and {found.full_type} keeps {found.fraction}",
                f"write types: {{{column.name}: DATETIME(6)}} to keep every digit",
                "warning",
            )


COLUMNS = Check(
    "columns",
    "Embulk leaves out, without a word, a column that the mart's table lacks.",
    BOTH,
    ("shapes",),
    _find_columns,
)
TYPES = Check(
    "types",
    "A value that the mart's type does not hold becomes NULL, is rounded, or fails the load late.",
    BOTH,
    ("shapes",),
    _find_types,
)
FRACTIONS = Check(
    "fractions",
    "A column without enough digits of a second cuts or rounds times without a word.",
    BOTH,
    ("shapes",),
    _find_fractions,
)
