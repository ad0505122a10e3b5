"""Comparisons of values that hold others.

`=` of values that hold NULLs is NULL unless other parts differ, whatever the order of a map's
keys; `<` of such values fails, and maps have no order.
"""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.nested import call_of, fields, is_kind, part
from runner.local.athena.passes.lambdas import call, field_of, fresh, lambda_of, replace
from runner.local.athena.trees import walk

_NESTED = (exp.DType.ARRAY, exp.DType.MAP, exp.DType.STRUCT)


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite, parts before what holds them."""
    for node in reversed(walk(tree)):
        match node:
            case exp.EQ() | exp.NEQ():
                _equality(node)
            case exp.In() if _is_nested(node.this.type) and node.expressions:
                _in(node)
            case exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                _order(node)
            case exp.ArrayContains() | exp.ArrayPosition():
                _search(node)
            case _:
                pass
    return tree


def _is_nested(kind: exp.DataType | None) -> bool:
    return kind is not None and kind.is_type(*_NESTED)


def _equality(node: exp.Expr) -> None:
    left, right = node.args["this"], node.args["expression"]
    if not (_is_nested(left.type) and _is_nested(right.type)):
        return
    equal = _equal(left.type, left, right, fresh(node))
    replace(node, exp.paren(exp.Not(this=equal) if isinstance(node, exp.NEQ) else equal))


def _equal(kind: exp.DataType | None, left: exp.Expr, right: exp.Expr, name: str) -> exp.Expr:
    """Compare part by part, as far as the type is known."""
    if is_kind(kind, "array"):
        return _equal_arrays(kind, left, right, name)
    if is_kind(kind, "map"):
        return _equal_maps(kind, left, right, name)
    if is_kind(kind, "struct"):
        tests = [
            _equal(each, _at(left, place), _at(right, place), f"{name}_{place}")
            for place, (_, each) in enumerate(fields(kind), 1)
        ]
        return exp.paren(exp.and_(*tests)) if tests else exp.true()
    return exp.paren(exp.EQ(this=left.copy(), expression=right.copy()))


def _at(value: exp.Expr, place: int) -> exp.Expr:
    return call("struct_extract_at", value.copy(), exp.Literal.number(place))


def _equal_arrays(
    kind: exp.DataType | None, left: exp.Expr, right: exp.Expr, name: str
) -> exp.Expr:
    inner = _equal(part(kind), field_of(name, 1), field_of(name, 2), f"{name}e")
    tests = call(
        "list_transform", call("list_zip", left.copy(), right.copy()), lambda_of(inner, name)
    )
    same = exp.EQ(this=call("len", left.copy()), expression=call("len", right.copy()))
    return (
        exp.Case()
        .when(same, call("__all_true", tests))
        .when(exp.Not(this=exp.paren(same.copy())), "false")
    )


def _equal_maps(kind: exp.DataType | None, left: exp.Expr, right: exp.Expr, name: str) -> exp.Expr:
    other = call("map_extract_value", right.copy(), field_of(name, 1))
    inner = _equal(part(kind, 1), field_of(name, 2), other, f"{name}e")
    there = call("map_contains", right.copy(), field_of(name, 1))
    test = exp.Case().when(there, inner).else_("false")
    tests = call("list_transform", call("__entries", left.copy()), lambda_of(test, name))
    sizes = [call("cardinality", each.copy()) for each in (left, right)]
    same = exp.EQ(this=sizes[0], expression=sizes[1])
    return (
        exp.Case()
        .when(same, call("__all_true", tests))
        .when(exp.Not(this=exp.paren(same.copy())), "false")
    )


def _in(node: exp.In) -> None:
    name = fresh(node)
    tests = [
        _equal(node.this.type, node.this, each, f"{name}_{place}")
        for place, each in enumerate(node.expressions)
    ]
    replace(node, exp.paren(exp.or_(*tests)))


def _order(node: exp.Expr) -> None:
    """Refuse what Trino cannot order: maps, and NULLs of arrays and rows that would decide."""
    left, right = node.args["this"], node.args["expression"]
    if not _is_nested(left.type):
        return
    if any(each.is_type(exp.DType.MAP) for each in left.type.find_all(exp.DataType)):
        raise _unordered(node, left.type, right.type)
    name = fresh(node)
    decisive = _null_decides(left, right, name)
    tests = (
        [decisive]
        if decisive is not None
        else [_holds_null(each.type, each, f"{name}{n}") for n, each in enumerate((left, right))]
    )
    is_row = is_kind(left.type, "struct")
    words = "ROW" if is_row else "ARRAY"
    words += " comparison not supported for "
    words += "fields with null elements" if is_row else "arrays with null elements"
    new = call("__not_ordered", exp.or_(*tests), exp.Literal.string(words), node.copy())
    replace(node, new)


def _null_decides(left: exp.Expr, right: exp.Expr, name: str) -> exp.Expr | None:
    """Tell whether a NULL stands before any difference; None if parts hold others."""
    kinds = [left.type, right.type]
    if all(is_kind(kind, "array") for kind in kinds):
        if any(_is_nested(part(kind)) for kind in kinds):
            return None
        first, second = field_of(name, 1), field_of(name, 2)
        null = _either_null(first, second)
        differ = exp.NEQ(this=first.copy(), expression=second.copy())
        pairs = call("list_zip", left, right, exp.true())
        tests = call(
            "list_transform",
            pairs,
            lambda_of(exp.Case().when(null, "true").when(differ, "false"), name),
        )
        known = exp.Not(this=_either_null(left, right))
        return exp.and_(known, call("__first_known", tests))
    shapes = [fields(kind) for kind in kinds if is_kind(kind, "struct")]
    if len(shapes) < len(kinds) or any(_is_nested(kind) for each in shapes for _, kind in each):
        return None
    case = exp.Case().when(_either_null(left, right), "false")
    for place in range(1, len(shapes[0]) + 1):
        one, other = _at(left, place), _at(right, place)
        case = case.when(_either_null(one, other), "true")
        case = case.when(exp.NEQ(this=one, expression=other), "false")
    return case.else_("false")


def _either_null(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    tests = [exp.Is(this=each.copy(), expression=exp.null()) for each in (left, right)]
    return exp.paren(exp.or_(*tests))


def _unordered(node: exp.Expr, left: exp.DataType, right: exp.DataType | None) -> AthenaFailure:
    """Word it as Trino does, which turns `a > b` into `b < a` first."""
    sides = [side.sql("trino").lower() if side else "unknown" for side in (left, right)]
    if isinstance(node, exp.GT | exp.GTE):
        sides.reverse()
    sign = "<=" if isinstance(node, exp.LTE | exp.GTE) else "<"
    return AthenaFailure("TYPE_MISMATCH", f"Cannot apply operator: {sides[0]} {sign} {sides[1]}")


def _holds_null(kind: exp.DataType | None, value: exp.Expr, name: str) -> exp.Expr:
    """Tell whether a part of a value is NULL."""
    if is_kind(kind, "array"):
        found: exp.Expr = call("__holds_null", value.copy())
        if _is_nested(part(kind)):
            body = _holds_null(part(kind), exp.to_identifier(name), f"{name}e")
            inner = call("list_transform", value.copy(), lambda_of(body, name))
            found = exp.or_(found, call("__any_true", inner))
        return found
    tests: list[exp.Expr] = []
    for place, (_, each) in enumerate(fields(kind), 1):
        field = _at(value, place)
        tests.append(exp.Is(this=field, expression=exp.null()))
        if _is_nested(each):
            tests.append(_holds_null(each, field, f"{name}_{place}"))
    there = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
    return exp.paren(exp.and_(there, exp.or_(*tests))) if tests else exp.false()


def _search(node: exp.Expr) -> None:
    """Look for a value that holds others; a comparison that gives NULL fails."""
    found, (array, wanted) = call_of(node)
    if not _is_nested(wanted.type):
        return
    name = fresh(node)
    element = exp.to_identifier(name)
    equal = _equal(wanted.type, element, wanted, f"{name}e")
    code = (
        exp.Case()
        .when(exp.Is(this=element.copy(), expression=exp.null()), exp.null())
        .when(equal, "1")
        .when(exp.Not(this=exp.paren(equal.copy())), "0")
        .else_("-1")
    )
    codes = call("list_transform", array, lambda_of(code, name))
    macro = "__first_contains" if found == "contains" else "__first_position"
    replace(node, call(macro, codes))
