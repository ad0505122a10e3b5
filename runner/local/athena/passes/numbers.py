"""Arithmetic of numbers: types, rounding and comparisons as Athena has them.

Decimals keep Trino's precision and scale, integers stay in their type, and NaN is neither equal
to anything nor greater than it (in DuckDB it equals itself and is the greatest).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from runner.local.athena.dialect import MOST_DIGITS, decimal_type
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.families import is_free
from runner.local.athena.numbers import digits, is_decimal, is_float, is_integer
from runner.local.athena.trees import ByClass, kind_of, walk

if TYPE_CHECKING:
    from collections.abc import Callable

_T = exp.DataType.Type
_LONG = 18
"""Digits of the decimals that DuckDB counts in eight bytes."""
_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite arithmetic, rounding, sums and comparisons, innermost first."""
    for node in reversed(walk(tree)):
        _widen(node)
        rewrite = _RULES.of(node)
        if rewrite is not None:
            rewrite(node)
    return tree


_SMALL = (_T.TINYINT, _T.SMALLINT)
_BRINGING = (
    exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.Div, exp.Coalesce, exp.Greatest, exp.Least, exp.Array,
    exp.If, exp.Case,
)  # fmt: skip


def _widen(node: exp.Expr) -> None:
    """Let whole literals be integers beside smaller ones: DuckDB gives them the smaller type."""
    if not isinstance(node, _BRINGING):
        return
    operands = _operands(node)
    if not any(each.type is not None and each.type.this in _SMALL for each in operands):
        return
    for each in operands:
        inner = each.this if isinstance(each, exp.Neg) else each
        if isinstance(inner, exp.Literal) and inner.is_int and is_integer(inner) and inner.type:
            wrap(inner, cast_to(inner.type))


def _operands(node: exp.Expr) -> list[exp.Expr]:
    """Give what a node brings to one type."""
    match node:
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Mod() | exp.Div():
            return [node.left.unnest(), node.right.unnest()]
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            return [node.this, *node.expressions]
        case exp.Array():
            return list(node.expressions)
        case exp.If() if not isinstance(node.parent, exp.Case):
            return [each for each in (node.args["true"], node.args.get("false")) if each]
        case exp.Case():
            branches = [each.args["true"] for each in node.args["ifs"]]
            return [*branches, *([node.args["default"]] if node.args.get("default") else [])]
        case _:
            return []


def wrap(node: exp.Expr, make: Callable[[exp.Expr], exp.Expr]) -> None:
    """Put a node into what `make` makes of it, where it stands."""
    holder = exp.Placeholder()
    kind = node.type
    node.replace(holder)
    made = make(node)
    made.type = made.type or kind
    holder.replace(made)


def cast_to(kind: exp.DataType) -> Callable[[exp.Expr], exp.Expr]:
    """Give what casts a node to a type."""

    def make(node: exp.Expr) -> exp.Expr:
        made = exp.Cast(this=node, to=kind.copy())
        made.type = kind
        return made

    return make


def outermost(node: exp.Expr) -> exp.Expr:
    """Give the aggregate with its FILTER, WITHIN GROUP and OVER."""
    while isinstance(node.parent, exp.Filter | exp.Window | exp.WithinGroup) and (
        node.parent.this is node
    ):
        node = node.parent
    return node


def _check_literal(node: exp.Literal) -> None:
    """Refuse an integer that no type holds; that of -9223372036854775808 is one."""
    if node.is_string or is_free(node):
        return
    most = 2**63 - (0 if isinstance(node.parent, exp.Neg) else 1)
    if node.is_int and int(node.name) > most:
        raise AthenaFailure("INVALID_LITERAL", f"Invalid numeric literal: {node.name}")


def _arithmetic(node: exp.Binary) -> None:
    if not is_decimal(node) or node.type is None:
        return
    precision, scale = digits(node.type) or (MOST_DIGITS, 0)
    if scale > precision:
        raise AthenaFailure(
            "TYPE_MISMATCH",
            f"DECIMAL scale must be in range [0, precision ({precision})]: {scale}",
        )
    first, second = digits(node.left.type), digits(node.right.type)
    if first and second and max(first[0], second[0]) <= _LONG < precision:
        # DuckDB would keep the result in 18 digits.
        wrap(node.left, cast_to(decimal_type(_LONG + 1, first[1])))
    wrap(node, cast_to(node.type))


def _round(node: exp.Expr) -> None:
    if node.type is not None and (is_decimal(node) or is_integer(node)):
        wrap(node, cast_to(node.type))


def _sum(node: exp.Sum) -> None:
    if node.type is not None and node.type.this in {_T.BIGINT, _T.FLOAT}:
        wrap(outermost(node), cast_to(node.type))


def _average(node: exp.Avg) -> None:
    if node.type is None:
        return
    if node.type.this == _T.FLOAT:
        wrap(outermost(node), cast_to(node.type))
    elif is_decimal(node):
        kind = node.type
        top = outermost(node)
        count = replaced(top, node, exp.Count(this=node.this.copy()))
        below: exp.Expr = exp.Nullif(this=count, expression=exp.Literal.number(0))
        above = replaced(top, node, exp.Sum(this=node.this.copy()))
        precision, scale = digits(kind) or (MOST_DIGITS, 0)
        top.replace(quotient((above, _summed(precision, scale)), (below, (19, 0)), kind))


def _summed(precision: int, scale: int) -> tuple[int, int]:
    """Give the digits of a sum: 12 more than its terms have, if that can be divided quickly."""
    return min(precision + 12, MOST_DIGITS), scale


def replaced(top: exp.Expr, node: exp.Expr, new: exp.Expr) -> exp.Expr:
    """Give a copy of an aggregate's outermost node with another aggregate inside."""
    if top is node:
        return new
    marker = exp.Placeholder()
    node.replace(marker)
    copy = top.copy()
    found = copy.find(exp.Placeholder)
    if found is not None:
        found.replace(new)
    marker.replace(node)
    return copy


Side = tuple[exp.Expr, tuple[int, int]]


def quotient(left: Side, right: Side, kind: exp.DataType) -> exp.Expr:
    """Write the exact quotient of two decimals, each with its precision and scale."""
    _, scale = digits(kind) or (MOST_DIGITS, 0)
    (a, (p1, s1)), (b, (p2, s2)) = left, right
    shift = scale - s1 + s2
    fits = max(p1 + s1, p2 + s2, p1 + shift, p2) < MOST_DIGITS - 1 and shift >= 0
    if fits:
        sides = [_unscaled(a, p1, s1), _unscaled(b, p2, s2), exp.Literal.number(shift)]
        new: exp.Expr = _call("__decimal_quotient", *sides)
        if scale:
            step = exp.cast(
                exp.Literal.string("0." + "1".rjust(scale, "0")), _decimal(scale, scale)
            )
            new = exp.Mul(this=new, expression=step)
    else:
        texts = [exp.cast(each, kind_of("varchar")) for each in (a, b)]
        new = _call("__u_quotient", *texts, exp.Literal.number(scale))
    return cast_to(kind)(new)


def _unscaled(node: exp.Expr, precision: int, scale: int) -> exp.Expr:
    # Wide enough for the product: DuckDB keeps that of two small decimals in 18 digits.
    wide = min(precision + scale + 1, MOST_DIGITS)
    number: exp.Expr = cast_to(_decimal(max(precision, wide), scale))(node.copy())
    if scale:
        number = exp.Mul(this=number, expression=exp.Literal.number(10**scale))
        number = exp.Paren(this=number)
    return exp.cast(number, kind_of("HUGEINT", "duckdb"))


def _decimal(precision: int, scale: int) -> exp.DataType:
    return kind_of(f"DECIMAL({precision}, {scale})")


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _refuse_text(node: exp.Binary) -> None:
    """Refuse `1 = '1'`: Athena compares no number with text, nor a date."""
    for number, text in ((node.left, node.right), (node.right, node.left)):
        literal = text.unnest()
        if not (isinstance(literal, exp.Literal) and literal.is_string):
            continue
        kind = number.type
        if is_integer(number) or is_float(number) or is_decimal(number) or _is_day(number):
            name = kind.sql("trino").lower() if kind is not None else ""
            words = [name, f"varchar({len(literal.name)})"]
            if number is node.right:
                words.reverse()
            sign = _SIGNS[type(node)]
            raise AthenaFailure(
                "TYPE_MISMATCH", f"Cannot apply operator: {words[0]} {sign} {words[1]}"
            )


def _is_day(node: exp.Expr) -> bool:
    return node.type is not None and node.type.this == _T.DATE


def _compare(node: exp.Binary) -> None:
    _refuse_text(node)
    if not (is_float(node.left) or is_float(node.right)):
        return
    left, right = node.left, node.right
    match node:
        case exp.EQ() if _may_be_nan(left) and _may_be_nan(right):
            _guard(node, left, exp.And)
        case exp.NEQ() if _may_be_nan(left) and _may_be_nan(right):
            _guard(node, left, exp.Or)
        case exp.GT() | exp.GTE() if _may_be_nan(left):
            _guard(node, left, exp.And)
        case exp.LT() | exp.LTE() if _may_be_nan(right):
            _guard(node, right, exp.And)


def _among(node: exp.In) -> None:
    """Let NaN be equal to no value of a list."""
    value = node.this
    doubtful = [each for each in node.expressions if is_float(each) and _may_be_nan(each)]
    if doubtful and is_float(value) and _may_be_nan(value):
        _guard(node, value, exp.And)


def _between(node: exp.Between) -> None:
    high = node.args["high"]
    if is_float(high) and _may_be_nan(high):
        _guard(node, high, exp.And)


def _greatest(node: exp.Greatest) -> None:
    """Take NaN for the greatest only where there is nothing else."""
    operands = [node.this, *node.expressions] if is_float(node) else []
    doubtful = [each for each in operands if is_float(each) and _may_be_nan(each)]
    if not doubtful:
        return
    tests = [_call("isnan", each.copy()) for each in doubtful]
    least = exp.Literal.string("-Infinity")
    only = exp.and_(*(each.copy() for each in tests)) if len(doubtful) == len(operands) else None
    for each, test in zip(doubtful, tests, strict=True):
        lone = test.copy() if only is None else exp.and_(test.copy(), exp.Not(this=exp.paren(only)))
        kind = each.type or exp.DataType.build("double")
        each.replace(exp.Case().when(lone, cast_to(kind)(least.copy())).else_(each.copy()))


def _may_be_nan(node: exp.Expr) -> bool:
    """Tell whether an operand may be NaN; subqueries and chance are not asked twice."""
    node = node.unnest()
    while isinstance(node, exp.Neg):
        node = node.this
    if not is_float(node) or node.find(exp.Query, exp.Rand) is not None:
        return False
    if any(each.name.lower() in {"rand", "random"} for each in node.find_all(exp.Anonymous)):
        return False
    if isinstance(node, exp.Cast):
        inner = node.this.unnest()
        if is_integer(inner) or is_decimal(inner):
            return False
        return not (isinstance(inner, exp.Literal) and inner.name.lower().lstrip("+-") != "nan")
    return not isinstance(node, exp.Literal)


def _guard(node: exp.Expr, operand: exp.Expr, join: type[exp.And | exp.Or]) -> None:
    guard: exp.Expr = _call("isnan", operand.copy())
    if join is exp.And:
        # DuckDB hands such a comparison to the scan, which mostly knows it from statistics.
        guard = exp.LTE(this=operand.copy(), expression=_call("__infinity"))

    def make(inner: exp.Expr) -> exp.Expr:
        return exp.Paren(this=join(this=inner, expression=guard))

    wrap(node, make)


def _negated(node: exp.Expr) -> None:
    if is_integer(node) and not isinstance(node.this, exp.Literal):
        wrap(node, cast_to(node.type or node.this.type))


_RULES: ByClass[Callable[[Any], None]] = ByClass(
    (
        ((exp.Add, exp.Sub, exp.Mul, exp.Mod), _arithmetic),
        ((exp.Round, exp.Ceil, exp.Floor), _round),
        ((exp.Sum,), _sum),
        ((exp.Avg,), _average),
        ((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), _compare),
        ((exp.Between,), _between),
        ((exp.In,), _among),
        ((exp.Greatest,), _greatest),
        ((exp.Neg,), _negated),
        ((exp.Literal,), _check_literal),
    )
)
