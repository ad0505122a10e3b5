"""Calls: what a function takes and gives, lambdas included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.binding import bind
from runner.local.athena.analysis.forms import check_form
from runner.local.athena.analysis.scopes import Field, Relation, Scope
from runner.local.athena.analysis.signatures import find_function
from runner.local.athena.analysis.types import BIGINT, FUNCTION, UNSURE, VARCHAR, Type
from runner.local.athena.analysis.windows import check_distinct, check_order, place_aggregate
from runner.local.athena.analysis.written import name_of, written
from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.local.athena.analysis.binding import Argument
    from runner.local.athena.analysis.rules import Analysis, Rule
    from runner.local.athena.analysis.signatures import Function

_GIVEN: dict[str, Type] = {"grouping": BIGINT, "format": VARCHAR, "listagg": VARCHAR}
"""What functions give that take what no table tells."""


def call(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    """Type a call; raises AthenaFailure if no form of the function takes its arguments."""
    name = name_of(analysis, node)
    given = written(analysis, node)
    if given is None or not name:
        return UNSURE
    check_form(analysis, name, node, given.arguments, scope)
    function = find_function(name)
    if function is None:
        for each in given.arguments:
            if not isinstance(each, exp.Lambda):
                analysis.type_of(each, scope)
        check_order(analysis, given.order, node, scope)
        if isinstance(node, exp.GroupConcat):
            analysis.aggregates.append(node)
        return _GIVEN.get(name, UNSURE)
    since = analysis.found()
    kinds = [_argument(analysis, each, scope) for each in given.arguments]
    place_aggregate(analysis, node, function, since)
    check_distinct(node, given, function, [kind for kind in kinds if isinstance(kind, Type)])
    check_order(analysis, given.order, node, scope)
    return _bound(function, kinds, None if isinstance(node, exp.Trim) else node)


def _bound(function: Function, kinds: Sequence[Argument], node: exp.Expr | None) -> Type:
    """Give what a call gives; raises AthenaFailure."""
    found = bind(function, kinds)
    if found is None:
        types = [kind if isinstance(kind, Type) else FUNCTION for kind in kinds]
        names = ", ".join(kind.signature() for kind in types)
        raise AthenaFailure(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({names}) for function {function.name}. "
            f"Expected: {function.expected()}",
            at=node,
        )
    return found


def _pipe(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    """Type `a || b`, which is a call of concat."""
    kinds = analysis.types_of([node.args["this"], node.args["expression"]], scope)
    function = find_function("concat")
    return UNSURE if function is None else _bound(function, kinds, node)


def _argument(analysis: Analysis, node: exp.Expr, scope: Scope) -> Argument:
    if isinstance(node, exp.Lambda):
        return _body(analysis, node, scope)
    return analysis.type_of(node, scope)


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
        return analysis.type_of(node.this, Scope(Relation(fields), scope))

    return body


RULES: dict[type[exp.Expr], Rule] = {
    exp.DPipe: _pipe,
    **dict.fromkeys((exp.Anonymous, exp.Trim, exp.Substring, exp.StrPosition), call),
    **dict.fromkeys((exp.ArgMax, exp.ArgMin, exp.GroupConcat), call),
}
