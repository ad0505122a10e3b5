"""Trino's analysis of a query before it runs: types, names and forms that it refuses.

In: the tree of a query as it was parsed, and a way to look tables up.  Out: nothing, or a failure
with Trino's code and words at the node that is wrong.  What is not known to us is never judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis import calls, choices, forms, operators, values, windows
from runner.local.athena.analysis.queries import query, scalar_query
from runner.local.athena.analysis.rules import Analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.local.athena.analysis.rules import Rule
    from runner.local.athena.dialect import Given
    from runner.local.athena.tables import TableInfo

_RULES: dict[type[exp.Expr], Rule] = {
    **operators.RULES,
    **values.RULES,
    **choices.RULES,
    **calls.RULES,
    **forms.RULES,
    **windows.RULES,
    **dict.fromkeys((exp.Subquery, exp.Select, exp.Union), scalar_query),
}


def analyse(
    tree: exp.Query,
    *,
    sql: str,
    arguments: Mapping[int, Given],
    database: str,
    lookup: Callable[[str, str], TableInfo | None],
    has_decimals: bool,
) -> None:
    """Raise AthenaFailure if Trino refuses the query before it runs."""
    analysis = Analysis(
        sql=sql,
        database=database,
        lookup=lookup,
        arguments=arguments,
        has_decimals=has_decimals,
        rules=_RULES,
        call=calls.call,
        query=query,
    )
    query(analysis, tree, None)
