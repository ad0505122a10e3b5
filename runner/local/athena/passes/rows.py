"""Rows, and values that hold others: constructors, subscripts, casts by place, equality.

Trino's rows may have no names, and casts between rows go by place; `=` of values that hold NULLs
is NULL unless other parts differ.
"""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.nested import (
    ELEMENT_AT,
    FIELDS_AT,
    SUBSCRIPT,
    call_of,
    fields,
    is_kind,
    is_known,
    part,
)
from runner.local.athena.passes.lambdas import call, field_of, fresh, lambda_of

_NESTED = ("array", "map", "struct")
_ORDERS = (exp.LT, exp.LTE, exp.GT, exp.GTE)


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite, parts before what holds them."""
    for node in reversed(list(tree.walk())):
        match node:
            case exp.Struct() if not node.find(exp.PropertyEQ):
                _replace(node, call("row", *node.expressions))
            case exp.Anonymous() if node.name in {SUBSCRIPT, ELEMENT_AT}:
                _replace(node, _subscript(node))
            case exp.Anonymous() if node.name == FIELDS_AT:
                _fields_at(node)
            case exp.Cast() if _holds_row(node.to):
                _cast(node)
            case exp.EQ() | exp.NEQ():
                _equality(node)
            case exp.In() if _is_nested(node.this.type) and node.expressions:
                _in(node)
            case exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                _check_order(node)
            case exp.ArrayContains() | exp.ArrayPosition():
                _search(node)
            case _:
                pass
    return tree


def _replace(node: exp.Expr, new: exp.Expr) -> None:
    new.type = node.type
    node.replace(new)


def _is_nested(kind: exp.DataType | None) -> bool:
    return kind is not None and kind.is_type(*_NESTED)


def _subscript(node: exp.Expr) -> exp.Expr:
    base, key = node.expressions
    kind = base.type
    strict = node.name == SUBSCRIPT
    if is_kind(kind, "array"):
        return call("__array_get" if strict else "__array_at", base, key)
    if is_kind(kind, "map"):
        return call("__map_get" if strict else "map_extract_value", base, key)
    if is_kind(kind, "struct"):
        return _field(base, key)
    # DuckDB refuses to bind what the value turns out not to be.
    if key.is_string or not (key.type is None or key.is_type(*exp.DataType.INTEGER_TYPES)):
        return call("__map_get" if strict else "map_extract_value", base, key)
    return call("__array_get" if strict else "__array_at", base, key)


def _fields_at(node: exp.Expr) -> None:
    rows, place = node.expressions
    name = fresh(node)
    body = field_of(name, int(place.name))
    _replace(node, call("list_transform", rows, lambda_of(body, name)))


def _field(base: exp.Expr, key: exp.Expr) -> exp.Expr:
    known = len(fields(base.type))
    if not isinstance(key, exp.Literal) or key.is_string:
        raise AthenaFailure("SYNTAX_ERROR", "Subscript expression on ROW requires a constant")
    if not 1 <= int(key.name) <= known:
        raise AthenaFailure(
            "INVALID_FUNCTION_ARGUMENT", f"Invalid subscript index: {key.name}. ROW indices "
            + ("start at 1" if int(key.name) < 1 else f"end at {known}")
        )
    return call("struct_extract_at", base, key)


def _holds_row(kind: exp.DataType) -> bool:
    return any(each.is_type("struct") for each in kind.find_all(exp.DataType))


def _cast(node: exp.Cast) -> None:
    """Cast by place: the names of the source are dropped first."""
    source = node.this.type
    if source is not None and source.is_type("json", *exp.DataType.TEXT_TYPES):
        return
    inner = node.this
    if source is None or _holds_names(source) or not is_known(source):
        inner = type(node)(this=inner, to=_duck(node.to, named=False))
    node.set("this", inner)
    node.set("to", _duck(node.to, named=True))


def _holds_names(kind: exp.DataType) -> bool:
    return any(kind.find_all(exp.ColumnDef))


def _duck(kind: exp.DataType, *, named: bool) -> exp.DataType:
    """Write a type as DuckDB does, where a row without names is a TUPLE."""
    text = _duck_text(kind, named=named)
    made = exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=text)
    return made


def _duck_text(kind: exp.DataType, *, named: bool) -> str:
    if kind.is_type("array"):
        inner = part(kind)
        return f"{_duck_text(inner, named=named)}[]" if inner else "INTEGER[]"
    if kind.is_type("map"):
        inner_texts = [_duck_text(each, named=named) for each in kind.expressions]
        return f"MAP({', '.join(inner_texts)})"
    if kind.is_type("struct"):
        parts = fields(kind)
        texts = [_duck_text(each, named=named) if each else "INTEGER" for _, each in parts]
        if named and all(name for name, _ in parts):
            pairs = (
                f'"{name}" {text}' for (name, _), text in zip(parts, texts, strict=True)
            )
            return f"STRUCT({', '.join(pairs)})"
        return f"TUPLE({', '.join(texts)})"
    return kind.sql(dialect="duckdb")


def _equality(node: exp.Expr) -> None:
    left, right = node.args["this"], node.args["expression"]
    if not (_is_nested(left.type) and _is_nested(right.type)):
        return
    equal = _equal(left.type, left, right, fresh(node))
    _replace(node, exp.paren(exp.Not(this=equal) if isinstance(node, exp.NEQ) else equal))


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
    return exp.Case().when(same, call("__all_true", tests)).when(exp.Not(this=exp.paren(same.copy())), "false")


def _equal_maps(
    kind: exp.DataType | None, left: exp.Expr, right: exp.Expr, name: str
) -> exp.Expr:
    other = call("map_extract_value", right.copy(), field_of(name, 1))
    inner = _equal(part(kind, 1), field_of(name, 2), other, f"{name}e")
    there = call("map_contains", right.copy(), field_of(name, 1))
    test = exp.Case().when(there, inner).else_("false")
    tests = call("list_transform", call("__entries", left.copy()), lambda_of(test, name))
    sizes = [call("cardinality", each.copy()) for each in (left, right)]
    same = exp.EQ(this=sizes[0], expression=sizes[1])
    return exp.Case().when(same, call("__all_true", tests)).when(exp.Not(this=exp.paren(same.copy())), "false")


def _in(node: exp.In) -> None:
    name = fresh(node)
    tests = [
        _equal(node.this.type, node.this, each, f"{name}_{place}")
        for place, each in enumerate(node.expressions)
    ]
    _replace(node, exp.paren(exp.or_(*tests)))


def _check_order(node: exp.Expr) -> None:
    """Refuse what Trino cannot order: maps, and NULLs inside of arrays and rows."""
    left, right = node.args["this"], node.args["expression"]
    if not _is_nested(left.type):
        return
    if any(each.is_type("map") for each in left.type.find_all(exp.DataType)):
        sides = (left.type, right.type)
        if isinstance(node, exp.GT | exp.GTE):
            sides = (right.type, left.type)
        sign = "<=" if isinstance(node, exp.LTE | exp.GTE) else "<"
        words = [side.sql(dialect="trino").lower() if side else "unknown" for side in sides]
        raise AthenaFailure("TYPE_MISMATCH", f"Cannot apply operator: {words[0]} {sign} {words[1]}")
    tests = [_holds_null(side.type, side, f"{fresh(node)}{n}") for n, side in enumerate((left, right))]
    words_ = "ARRAY comparison not supported for arrays with null elements"
    if is_kind(left.type, "struct"):
        words_ = "ROW comparison not supported for fields with null elements"
    new = call("__not_ordered", exp.or_(*tests), exp.Literal.string(words_), node.copy())
    _replace(node, new)


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
    _replace(node, call(macro, codes))
