"""WITH RECURSIVE as Athena runs it: the step is applied ten times, and must be done by then.

In: a tree as it was parsed.  Out: the tree with each recursive query written as the union of its
steps, each a common table expression of its own.
"""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.trees import find_all

_DEEPEST = 10
_EXCEEDED = (
    f"NOT_SUPPORTED: Recursion depth limit exceeded ({_DEEPEST}). Use 'max_recursion_depth' "
    "session property to modify the limit."
)


def unroll(tree: exp.Query) -> exp.Query:
    """Write every recursive query of the tree as its steps."""
    for with_ in reversed(find_all(tree, exp.With)):
        if not with_.args.get("recursive"):
            continue
        found: list[exp.Expr] = []
        for cte in with_.expressions:
            found += _steps(cte) if _references(cte.this, cte.alias) else [cte]
        with_.set("expressions", found)
        with_.set("recursive", False)
    return tree


def _references(query: exp.Expr, name: str) -> list[exp.Table]:
    return [
        table
        for table in query.find_all(exp.Table)
        if not table.db and table.name.lower() == name.lower()
    ]


def _steps(cte: exp.CTE) -> list[exp.Expr]:
    query, name = cte.this, cte.alias
    while isinstance(query, exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Union) or _references(query.this, name):
        raise AthenaFailure(
            "INVALID_RECURSIVE_REFERENCE",
            "recursive reference outside of the step of a UNION in WITH RECURSIVE",
        )
    columns = cte.args["alias"].columns
    if not columns:
        raise AthenaFailure(
            "MISSING_COLUMN_ALIASES", "missing column aliases in recursive WITH query"
        )
    names = [f"{name}__{number}" for number in range(_DEEPEST + 2)]
    steps = [_named(_query(query.this), names[0], columns)]
    for number in range(1, _DEEPEST + 2):
        step = _query(query.expression)
        for table in _references(step, name):
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
            table.set("this", exp.to_identifier(names[number - 1]))
        steps.append(_named(step, names[number], columns))
    return [*steps, _named(_union(names, query), name, columns)]


def _query(part: exp.Expr) -> exp.Query:
    copy = part.copy()
    if isinstance(copy, exp.Subquery):
        copy = copy.this
    if isinstance(copy, exp.Values):
        copy = exp.select("*").from_(copy)
    if not isinstance(copy, exp.Query):
        raise AthenaFailure("NOT_SUPPORTED", "This recursive query is not supported")
    return copy


def _named(query: exp.Query, name: str, columns: list[exp.Identifier]) -> exp.CTE:
    alias = exp.TableAlias(this=exp.to_identifier(name), columns=[each.copy() for each in columns])
    return exp.CTE(this=query, alias=alias)


def _union(names: list[str], query: exp.Union) -> exp.Query:
    """Unite the steps; rows of the last one are an error."""
    found: exp.Query = exp.select("*").from_(names[0])
    for name in names[1:-1]:
        found = exp.union(found, exp.select("*").from_(name), distinct=False)
    last = exp.select("*").from_(names[-1])
    failure = exp.Anonymous(this="error", expressions=[exp.Literal.string(_EXCEEDED)])
    check = exp.Is(this=failure, expression=exp.Null())
    found = exp.union(found, last.where(check), distinct=False)
    if query.args.get("distinct"):
        found = exp.select("*").distinct().from_(found.subquery("z"))
    return found
