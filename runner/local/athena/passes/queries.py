"""Queries' own clauses: WITH TIES, GROUP BY DISTINCT, and subqueries that give a row."""

from __future__ import annotations

from itertools import combinations, product

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.numbers import is_decimal, is_float, is_integer
from runner.local.athena.trees import find_all

Sets = list[tuple[exp.Expr, ...]]


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite the clauses of every query in the tree."""
    for query in find_all(tree, exp.Query):
        _ties(query)
        if isinstance(query, exp.SetOperation):
            _check_sides(query)
    for select in find_all(tree, exp.Select):
        group = select.args.get("group")
        if group is not None and group.args.get("all") is not None:
            _group(group)
    for node in find_all(tree, exp.EQ, exp.NEQ):
        _quantified(node)
    for subquery in find_all(tree, exp.Subquery):
        if _is_value(subquery) and isinstance(subquery.this, exp.Select):
            _row(subquery.this)
    return tree


def _check_sides(query: exp.SetOperation) -> None:
    """Refuse sides whose columns differ in number, or are numbers here and text there."""
    name = query.key.upper()
    left, right = query.left.selects, query.right.selects
    if any(each.is_star for each in (*left, *right)):
        return
    if len(left) != len(right):
        raise AthenaFailure(
            "TYPE_MISMATCH",
            f"{name} query has different number of fields: {len(left)}, {len(right)}",
        )
    for number, pair in enumerate(zip(left, right, strict=True), 1):
        sides = [each.unalias() for each in pair]
        texts = [isinstance(each, exp.Literal) and each.is_string for each in sides]
        numbers = [is_integer(each) or is_float(each) or is_decimal(each) for each in sides]
        if any(texts) and any(numbers):
            kinds = ", ".join(_kind(each) for each in sides)
            raise AthenaFailure(
                "TYPE_MISMATCH",
                f"column {number} in {name} query has incompatible types: {kinds}",
            )


def _kind(node: exp.Expr) -> str:
    if isinstance(node, exp.Literal) and node.is_string:
        return f"varchar({len(node.name)})"
    return node.type.sql("trino").lower() if node.type is not None else "unknown"


def _ties(query: exp.Query) -> None:
    """Keep the rows whose rank is within the limit: the last one's peers too."""
    fetch = query.args.get("limit")
    options = fetch.args.get("limit_options") if isinstance(fetch, exp.Fetch) else None
    if options is None or not options.args.get("with_ties") or not isinstance(fetch, exp.Fetch):
        return
    order = query.args.get("order")
    if order is None:
        raise AthenaFailure("MISSING_ORDER_BY", "FETCH FIRST WITH TIES clause requires ORDER BY")
    if not isinstance(query, exp.Select) or query.args.get("distinct"):
        raise unsupported("FETCH FIRST WITH TIES of a set operation or of DISTINCT rows")
    keys = [_key(each, query) for each in order.expressions]
    most: exp.Expr = fetch.args.get("count") or exp.Literal.number(1)
    if query.args.get("offset") is not None:
        most = exp.Add(this=most.copy(), expression=query.args["offset"].expression.copy())
    rank = exp.Window(
        this=exp.Anonymous(this="rank", expressions=[]), order=exp.Order(expressions=keys)
    )
    query.set("qualify", exp.Qualify(this=exp.LTE(this=rank, expression=most.copy())))
    query.set("limit", None)


def _key(ordered: exp.Expr, select: exp.Select) -> exp.Expr:
    """Write a sort key without ordinals and aliases."""
    key, new = ordered.this, ordered.copy()
    found: exp.Expr | None = None
    if isinstance(key, exp.Literal) and key.is_int:
        found = select.expressions[int(key.name) - 1]
    elif isinstance(key, exp.Column) and not key.table:
        found = next((each for each in select.expressions if each.alias == key.name), None)
    if found is not None:
        new.set("this", found.unalias().copy())
    return new


def _group(group: exp.Group) -> None:
    """Write ALL and DISTINCT grouping sets as plain ones."""
    is_all = bool(group.args.get("all"))
    group.set("all", None)
    if is_all:
        return
    parts = [*(_sets(each) for each in group.expressions)]
    for name in ("grouping_sets", "rollup", "cube"):
        parts += [_sets(each) for each in group.args.get(name) or []]
        group.set(name, None)
    found: dict[tuple[str, ...], tuple[exp.Expr, ...]] = {}
    for chosen in product(*parts):
        columns = {each.sql(): each for one in chosen for each in one}
        found.setdefault(tuple(sorted(columns)), tuple(columns.values()))
    sets = [exp.Tuple(expressions=[each.copy() for each in one]) for one in found.values()]
    group.set("expressions", [exp.GroupingSets(expressions=sets)])


def _sets(part: exp.Expr) -> Sets:
    match part:
        case exp.GroupingSets():
            return [one for each in part.expressions for one in _sets(each)]
        case exp.Rollup():
            keys = [_columns(each) for each in part.expressions]
            return [_joined(keys[:count]) for count in range(len(keys), -1, -1)]
        case exp.Cube():
            keys = [_columns(each) for each in part.expressions]
            counts = range(len(keys), -1, -1)
            return [_joined(list(one)) for n in counts for one in combinations(keys, n)]
        case _:
            return [_columns(part)]


def _columns(part: exp.Expr) -> tuple[exp.Expr, ...]:
    if isinstance(part, exp.Tuple):
        return tuple(part.expressions)
    return (part.unnest(),)


def _joined(keys: list[tuple[exp.Expr, ...]]) -> tuple[exp.Expr, ...]:
    return tuple(each for key in keys for each in key)


def _quantified(node: exp.Binary) -> None:
    """Compare with all values by the least and the greatest: if they differ, NULL is as good."""
    values = node.expression
    is_all = isinstance(values, exp.All) or values.name.lower() == "all"  # of VALUES, a call
    if not (is_all if isinstance(node, exp.EQ) else isinstance(values, exp.Any)):
        return
    inner = values.expressions[0] if isinstance(values, exp.Anonymous) else values.this
    query = inner.unnest().copy()
    if not isinstance(query, exp.Query | exp.Values):
        return
    if isinstance(query, exp.Values):
        query = exp.select("*").from_(exp.alias_(query, "zqv", table=True))
    ends = [
        exp.Anonymous(this=name, expressions=[exp.column("v", "zqq")]) for name in ("min", "max")
    ]
    table = exp.TableAlias(this=exp.to_identifier("zqq"), columns=[exp.to_identifier("v")])
    differ = exp.NullSafeNEQ(this=ends[0], expression=ends[1])
    test: exp.Expr = exp.Subquery(
        this=exp.select(differ).from_(exp.Subquery(this=query, alias=table))
    )
    plain = exp.paren(node.copy())
    if isinstance(node, exp.EQ):
        node.replace(exp.paren(exp.and_(exp.Not(this=test), plain)))
    else:
        node.replace(exp.paren(exp.or_(test, plain)))


def _is_value(subquery: exp.Subquery) -> bool:
    """Tell a subquery that stands for a value."""
    parent = subquery.parent
    if isinstance(parent, exp.Alias | exp.Paren | exp.Coalesce | exp.Is):
        return True
    return isinstance(parent, exp.Select) and subquery.arg_key == "expressions"


def _row(select: exp.Select) -> None:
    """Make several columns one row."""
    if len(select.expressions) > 1 and not any(each.is_star for each in select.expressions):
        values = [each.unalias().copy() for each in select.expressions]
        select.set("expressions", [exp.Anonymous(this="row", expressions=values)])
