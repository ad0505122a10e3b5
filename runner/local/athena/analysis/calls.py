"""Calls: what a function takes, lambdas, windows and what aggregates are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from runner.local.athena.analysis.binding import bind
from runner.local.athena.analysis.coercion import is_comparable, is_orderable
from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.rules import mismatch, must_be_boolean
from runner.local.athena.analysis.scopes import Field, Relation, Scope
from runner.local.athena.analysis.signatures import find_function
from runner.local.athena.analysis.types import (
    BIGINT,
    DAYS,
    FUNCTION,
    MONTHS,
    UNSURE,
    VARCHAR,
    ZONED_TIME,
    ZONED_TIMESTAMP,
    Type,
)
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.local.athena.analysis.binding import Argument
    from runner.local.athena.analysis.rules import Analysis, Rule
    from runner.local.athena.analysis.signatures import Function

_GIVEN: dict[str, Type] = {"grouping": BIGINT, "typeof": VARCHAR, "format": VARCHAR}
_COUNTED = frozenset({"if", "nullif", "try"})
_DATES = frozenset({"date", "timestamp", ZONED_TIMESTAMP})
_TIMES = frozenset({"time", ZONED_TIME, "timestamp", ZONED_TIMESTAMP})
_ZONES = frozenset({ZONED_TIME, ZONED_TIMESTAMP})
_FIELDS: dict[str, tuple[frozenset[str], Type | None]] = {
    **dict.fromkeys(("YEAR", "MONTH"), (_DATES, MONTHS)),
    **dict.fromkeys(
        ("QUARTER", "WEEK", "DAY_OF_MONTH", "DAY_OF_WEEK", "DOW", "DAY_OF_YEAR", "DOY")
        + ("YEAR_OF_WEEK", "YOW"),
        (_DATES, None),
    ),
    "DAY": (_DATES, DAYS),
    **dict.fromkeys(("HOUR", "MINUTE", "SECOND"), (_TIMES, DAYS)),
    **dict.fromkeys(("TIMEZONE_HOUR", "TIMEZONE_MINUTE"), (_ZONES, None)),
}
"""What EXTRACT takes a field from: moments, and an interval."""


class Written(NamedTuple):
    """A call's arguments as they were written, without what wraps them."""

    arguments: list[exp.Expr]
    is_distinct: bool = False
    order: tuple[exp.Expr, ...] = ()


def name_of(analysis: Analysis, node: exp.Expr) -> str:
    """Give the name that a call was written with."""
    if isinstance(node, exp.Anonymous):
        return node.name.lower().removeprefix("__").replace("jzon", "json")
    meta = node._meta  # noqa: SLF001 - `meta` would make one for each
    if not meta or "start" not in meta:
        return ""
    return analysis.sql[meta["start"] : meta["end"] + 1].lower().replace("jzon", "json")


def written(analysis: Analysis, node: exp.Expr) -> Written | None:
    """Give what a call was given; None if the parser did not note it."""
    if isinstance(node, exp.Anonymous):
        found = node.expressions
    elif id(node) in analysis.arguments:
        found = analysis.arguments[id(node)].arguments
    else:
        return None
    arguments = [each for each in found if not isinstance(each, exp.Star)]
    if not arguments or not isinstance(
        arguments[-1], exp.Order | exp.Distinct | exp.IgnoreNulls | exp.RespectNulls
    ):
        return Written(arguments)
    order: tuple[exp.Expr, ...] = ()
    is_distinct = False
    unwrapped: list[exp.Expr] = []
    for each in arguments:
        inner: exp.Expr = each
        while isinstance(inner, exp.Order | exp.IgnoreNulls | exp.RespectNulls):
            order = tuple(inner.expressions) if isinstance(inner, exp.Order) else order
            inner = inner.this
        is_distinct = is_distinct or isinstance(inner, exp.Distinct)
        unwrapped += inner.expressions if isinstance(inner, exp.Distinct) else [inner]
    return Written(unwrapped, is_distinct, order)


def call(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    """Type a call; raises AthenaFailure if no form of the function takes its arguments."""
    name = name_of(analysis, node)
    given = written(analysis, node)
    if given is None or not name:
        return UNSURE
    if name == "format":
        _check_format(analysis, given, node, scope)
    function = find_function(name)
    if function is None or isinstance(node, exp.GroupConcat):
        if name in _COUNTED and id(node) in analysis.arguments:
            _check_count(analysis, name, node)
        _plain_arguments(analysis, given, scope)
        return _GIVEN.get(name, UNSURE)
    since = analysis.found()
    kinds = [_argument(analysis, each, scope) for each in given.arguments]
    if function.kind != "scalar":
        _place_aggregate(analysis, node, function, since)
    _check_aggregate(analysis, node, given, function, [k for k in kinds if isinstance(k, Type)])
    _ordered(analysis, given.order, node, scope)
    found = bind(function, kinds)
    if found is None:
        raise _refused(function, kinds, node)
    return found


def _check_count(analysis: Analysis, name: str, node: exp.Expr) -> None:
    if analysis.arguments[id(node)].error is not None:
        message = "Invalid number of arguments for '{}' function"
        if name == "try":
            message = "The '{}' function must have exactly one argument"
        raise AthenaFailure("SYNTAX_ERROR", message.format(name), at=node)


def _check_format(analysis: Analysis, given: Written, node: exp.Expr, scope: Scope) -> None:
    if len(given.arguments) < 2:  # noqa: PLR2004 - a pattern and a value
        raise AthenaFailure(
            "SYNTAX_ERROR", "The 'format' function must have at least two arguments", at=node
        )
    kind = analysis.type_of(given.arguments[0], scope)
    if kind.is_sure() and kind.name not in {"varchar", "unknown"}:
        raise mismatch(
            f"Type of first argument to format() must be VARCHAR (actual: {kind})",
            given.arguments[0],
        )


def _refused(function: Function, kinds: Sequence[Argument], node: exp.Expr) -> AthenaFailure:
    names = ", ".join((each if isinstance(each, Type) else FUNCTION).signature() for each in kinds)
    return AthenaFailure(
        "FUNCTION_NOT_FOUND",
        f"Unexpected parameters ({names}) for function {function.name}. "
        f"Expected: {function.expected()}",
        at=node,
    )


def _pipe(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    """Type `a || b`, which is a call of concat."""
    kinds = analysis.types_of([node.args["this"], node.args["expression"]], scope)
    function = find_function("concat")
    if function is None:  # pragma: no cover - the table has it
        return UNSURE
    found = bind(function, kinds)
    if found is None:
        raise _refused(function, kinds, node)
    return found


def _plain_arguments(analysis: Analysis, given: Written, scope: Scope) -> None:
    """Look at the arguments of a function whose forms we do not know."""
    for each in given.arguments:
        if not isinstance(each, exp.Lambda):
            analysis.type_of(each, scope)


def _argument(analysis: Analysis, node: exp.Expr, scope: Scope) -> Argument:
    return (
        _body(analysis, node, scope)
        if isinstance(node, exp.Lambda)
        else analysis.type_of(node, scope)
    )


def _body(analysis: Analysis, node: exp.Lambda, scope: Scope) -> Callable[[Sequence[Type]], Type]:
    names = [each.name.lower() for each in node.expressions]

    def body(kinds: Sequence[Type]) -> Type:
        if len(kinds) != len(names):
            raise AthenaFailure(
                "INVALID_PARAMETER_USAGE",
                f"Expected a lambda that takes {len(kinds)} argument(s) but got {len(names)}",
                at=node,
            )
        fields = tuple(Field(name, kind) for name, kind in zip(names, kinds, strict=True))
        inner = Scope(Relation(fields), scope, is_lambda=True)
        return analysis.type_of(node.this, inner)

    return body


def _check_aggregate(
    analysis: Analysis,
    node: exp.Expr,
    given: Written,
    function: Function,
    kinds: Sequence[Type],
) -> None:
    if given.is_distinct and function.kind == "scalar":
        raise AthenaFailure(
            "FUNCTION_NOT_AGGREGATE",
            "DISTINCT is not supported for non-aggregation functions",
            at=node,
        )
    for kind in kinds if given.is_distinct else ():
        if kind.is_sure() and not is_comparable(kind):
            raise mismatch(
                f"DISTINCT can only be applied to comparable types (actual: {kind})", node
            )


def _ordered(analysis: Analysis, order: Sequence[exp.Expr], node: exp.Expr, scope: Scope) -> None:
    for each in order:
        kind = analysis.type_of(each.this, scope)
        if kind.is_sure() and not is_orderable(kind):
            raise mismatch(
                f"ORDER BY can only be applied to orderable types (actual: {kind})", node
            )


def _place_aggregate(
    analysis: Analysis, node: exp.Expr, function: Function, since: tuple[int, int]
) -> None:
    """Note an aggregate; one in another is refused, unless that one is a window."""
    if id(node) in analysis.overs:
        return
    if function.kind == "window":
        raise AthenaFailure(
            "MISSING_OVER",
            f"Window function system.builtin.{function.name} requires an OVER clause",
            at=node,
        )
    for code, found, what in (
        ("NESTED_AGGREGATION", analysis.aggregates[since[0] :], "aggregations"),
        (
            "NESTED_WINDOW",
            analysis.windows[since[1] :],
            "window functions or row pattern measures",
        ),
    ):
        if found:
            shown = ", ".join(map(formatted, found))
            raise AthenaFailure(
                code,
                f"Cannot nest {what} inside aggregation '{function.name}': [{shown}]",
                at=node,
            )
    analysis.aggregates.append(node)


def _filter(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    found = analysis.found()
    kind = analysis.type_of(node.this, scope)
    if analysis.found() == found and find_function(name_of(analysis, node.this)) is not None:
        raise AthenaFailure(
            "FUNCTION_NOT_AGGREGATE", "Filter is only valid for aggregation functions", at=node.this
        )
    condition = node.args["expression"]
    if isinstance(condition, exp.Where):
        must_be_boolean(
            analysis.type_of(condition.this, scope),
            "Filter expression must evaluate to a boolean (actual: {})",
            condition.this,
        )
    return kind


def _window(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    inner = node.this
    while isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
        inner = inner.this
    if isinstance(inner, exp.Filter):
        raise AthenaFailure(
            "NOT_SUPPORTED", "FILTER is not yet supported for window functions", at=analysis.select
        )
    _check_over(analysis, node, inner)
    since = len(analysis.windows)
    partition: list[exp.Expr] = node.args.get("partition_by") or []
    analysis.types_of(partition, scope)
    order = node.args.get("order")
    for each in order.expressions if order is not None else ():
        kind = analysis.type_of(each.this, scope)
        if kind.is_sure() and not is_orderable(kind):
            raise mismatch(
                f"{kind} is not orderable, and therefore cannot be used in window function "
                "ORDER BY",
                each.this,
            )
    if len(analysis.windows) > since:
        raise AthenaFailure(
            "NESTED_WINDOW",
            "Cannot nest window functions or row pattern measures inside window specification",
            at=analysis.windows[since],
        )
    found = analysis.type_of(inner, scope)
    analysis.windows.append(node)
    return found


def _check_over(analysis: Analysis, node: exp.Expr, inner: exp.Expr) -> None:
    """Note the call before OVER, which must be one of a window."""
    analysis.overs.add(id(inner))
    function = find_function(name_of(analysis, inner))
    if function is not None and function.kind == "scalar":
        raise AthenaFailure(
            "FUNCTION_NOT_WINDOW", f"Not a window function: {function.name}", at=analysis.select
        )
    given = written(analysis, inner)
    if function is not None and given is not None and given.is_distinct:
        raise AthenaFailure(
            "NOT_SUPPORTED",
            "DISTINCT in window function parameters not yet supported: " + formatted(node),
            at=analysis.select,
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


def _texts(*names: str) -> Rule:
    """Look at what a form with words of its own, TRIM(x FROM y), is given."""

    def rule(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
        if id(node) in analysis.arguments:
            return call(analysis, node, scope)
        name = _TRIMS.get(str(node.args.get("position")).upper(), node.key)
        function = find_function({"strposition": "strpos"}.get(name, name))
        given = [node.args[each] for each in names if node.args.get(each) is not None]
        kinds = analysis.types_of(given, scope)
        found = bind(function, kinds) if function is not None else UNSURE
        if function is not None and found is None:
            failure = _refused(function, kinds, node)
            failure.at = None if isinstance(node, exp.Trim) else node
            raise failure
        return found or UNSURE

    return rule


_TRIMS = {"LEADING": "ltrim", "TRAILING": "rtrim"}


RULES: dict[type[exp.Expr], Rule] = {
    exp.Anonymous: call,
    exp.DPipe: _pipe,
    exp.Filter: _filter,
    exp.Window: _window,
    exp.Extract: _extract,
    exp.Trim: _texts("this", "expression"),
    exp.Substring: _texts("this", "start", "length"),
    exp.StrPosition: _texts("this", "substr"),
    exp.IgnoreNulls: lambda analysis, node, scope: analysis.type_of(node.this, scope),
    exp.RespectNulls: lambda analysis, node, scope: analysis.type_of(node.this, scope),
}
