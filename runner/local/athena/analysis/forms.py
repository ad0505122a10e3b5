"""Functions that Trino checks in their own words: EXTRACT, format, listagg, if, nullif and try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.rules import mismatch
from runner.local.athena.analysis.types import (
    BIGINT,
    DAYS,
    MONTHS,
    TIME,
    TIMESTAMP,
    ZONED_TIME,
    ZONED_TIMESTAMP,
    Type,
)
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.analysis.rules import Analysis, Rule
    from runner.local.athena.analysis.scopes import Scope

_DATES = frozenset({"date", TIMESTAMP, ZONED_TIMESTAMP})
_TIMES = frozenset({TIME, ZONED_TIME, TIMESTAMP, ZONED_TIMESTAMP})
_ZONES = frozenset({ZONED_TIME, ZONED_TIMESTAMP})
_CALENDAR = "QUARTER WEEK DAY_OF_MONTH DAY_OF_WEEK DOW DAY_OF_YEAR DOY YEAR_OF_WEEK YOW"
_FIELDS: dict[str, tuple[frozenset[str], Type | None]] = {
    **dict.fromkeys(("YEAR", "MONTH"), (_DATES, MONTHS)),
    **dict.fromkeys(_CALENDAR.split(), (_DATES, None)),
    "DAY": (_DATES, DAYS),
    **dict.fromkeys(("HOUR", "MINUTE", "SECOND"), (_TIMES, DAYS)),
    **dict.fromkeys(("TIMEZONE_HOUR", "TIMEZONE_MINUTE"), (_ZONES, None)),
}
"""What EXTRACT takes a field from: moments, and an interval."""
_COUNTED = {
    "if": "Invalid number of arguments for 'if' function",
    "nullif": "Invalid number of arguments for 'nullif' function",
    "try": "The 'try' function must have exactly one argument",
}
_TWO = 2


def check_form(
    analysis: Analysis, name: str, node: exp.Expr, arguments: Sequence[exp.Expr], scope: Scope
) -> None:
    """Check a call of a function with rules of its own; others pass."""
    given = analysis.arguments.get(id(node))
    if name in _COUNTED and given is not None and given.error is not None:
        raise AthenaFailure("SYNTAX_ERROR", _COUNTED[name], at=node)
    if name == "format":
        _check_format(analysis, node, arguments, scope)
    elif isinstance(node, exp.GroupConcat) and arguments:
        kind = analysis.type_of(arguments[0], scope)
        if kind.is_sure() and kind.name not in {"varchar", "unknown"}:
            shown = formatted(arguments[0], analysis)
            raise mismatch(f"Expected expression of varchar, but '{shown}' has {kind} type", node)


def _check_format(
    analysis: Analysis, node: exp.Expr, arguments: Sequence[exp.Expr], scope: Scope
) -> None:
    if len(arguments) < _TWO:
        raise AthenaFailure(
            "SYNTAX_ERROR", "The 'format' function must have at least two arguments", at=node
        )
    kind = analysis.type_of(arguments[0], scope)
    if kind.is_sure() and kind.name not in {"varchar", "unknown"}:
        raise mismatch(
            f"Type of first argument to format() must be VARCHAR (actual: {kind})", arguments[0]
        )


def _extract(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    value = node.args["expression"]
    kind = analysis.type_of(value, scope)
    name = node.this.name.upper()
    if name not in _FIELDS:
        raise AthenaFailure(
            "SYNTAX_ERROR", f"Invalid EXTRACT field: {node.this.name.lower()}", at=node
        )
    if kind.is_sure() and kind.name != "unknown":
        moments, interval = _FIELDS[name]
        if kind.name not in moments and kind != interval:
            raise mismatch(f"Cannot extract {name} from {kind}", value)
    return BIGINT


def _grouping(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    analysis.types_of(node.expressions, scope)
    analysis.groupings.append(node)
    return BIGINT


RULES: dict[type[exp.Expr], Rule] = {exp.Extract: _extract, exp.Grouping: _grouping}
