"""Where a column comes from, inside one query.

In: a column.  Out: the expressions of inner queries, VALUES and UNNEST that it names.
"""

from __future__ import annotations

from sqlglot import exp


def origins(column: exp.Column) -> tuple[tuple[exp.Expr, bool], ...]:
    """Give the expressions, each with whether its elements are meant (UNNEST)."""
    node: exp.Expr | None = column
    while node is not None:
        if isinstance(node, exp.Select) and (source := _source(node, column.table)) is not None:
            return _inside(source, column)
        node = node.parent
    return ()


def lambda_array(name: exp.Identifier) -> exp.Expr | None:
    """Give the array whose elements a lambda's only parameter stands for."""
    node: exp.Expr | None = name.parent
    while node is not None:
        if isinstance(node, exp.Lambda) and any(e.name == name.name for e in node.expressions):
            known = isinstance(node.parent, exp.Transform | exp.ArrayFilter)
            return node.parent.this if known and node.parent is not None else None
        node = node.parent
    return None


def _source(select: exp.Select, name: str) -> exp.Expr | None:
    from_ = select.args.get("from_") or select.args.get("from")
    places = [from_] if from_ is not None else []
    places += [*(select.args.get("joins") or ()), *(select.args.get("laterals") or ())]
    sources = [place.this for place in places]
    for place, source in list(zip(places, sources, strict=True)):
        if isinstance(place, exp.Lateral):
            sources.append(place)
        sources += [join.this for join in source.args.get("joins") or ()]
    if not name:
        return sources[0] if len(sources) == 1 else None
    return next((each for each in sources if each.alias_or_name == name), None)


def _inside(source: exp.Expr, column: exp.Column) -> tuple[tuple[exp.Expr, bool], ...]:
    names = [each.name for each in (source.args.get("alias") or exp.TableAlias()).columns]
    place = names.index(column.name) if column.name in names else -1
    match source:
        case exp.Subquery() | exp.Lateral(this=exp.Subquery()):
            return tuple((each, False) for each in _selected(_query(source), column.name, place))
        case exp.Table() if isinstance(source.this, exp.Identifier):
            return _from_cte(source, column)
        case exp.Values() if place >= 0:
            rows = [r.expressions if isinstance(r, exp.Tuple) else [r] for r in source.expressions]
            return tuple((row[place], False) for row in rows if place < len(row))
        case exp.Unnest() if 0 <= place < len(source.expressions):
            return ((source.expressions[place], True),)
    return ()


def _query(source: exp.Expr) -> exp.Expr:
    inner = source.this if isinstance(source, exp.Lateral) else source
    return inner.unnest()


def _from_cte(table: exp.Table, column: exp.Column) -> tuple[tuple[exp.Expr, bool], ...]:
    node: exp.Expr | None = table
    while node is not None:
        with_ = node.args.get("with_") or node.args.get("with")
        for cte in with_.expressions if with_ is not None else ():
            if cte.alias == table.name:
                names = [each.name for each in cte.args["alias"].columns]
                place = names.index(column.name) if column.name in names else -1
                return tuple((each, False) for each in _selected(cte.this, column.name, place))
        node = node.parent
    return ()


def _selected(query: exp.Expr, name: str, place: int) -> list[exp.Expr]:
    if isinstance(query, exp.SetOperation):
        if place < 0:
            names = [each.alias_or_name for each in query.selects]
            place = names.index(name) if name in names else -1
        left = _selected(query.left.unnest(), name, place)
        return left + _selected(query.right.unnest(), name, place)
    if isinstance(query, exp.Values) and place >= 0:
        return [row.expressions[place] for row in query.expressions if isinstance(row, exp.Tuple)]
    if not isinstance(query, exp.Select):
        return []
    if 0 <= place < len(query.selects):
        return [query.selects[place]]
    return [each for each in query.selects if each.alias_or_name == name]
