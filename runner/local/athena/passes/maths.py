"""Functions of numbers: bits, bases, buckets, distributions, chance, truncation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.dialect import MOST_DIGITS
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.functions_maths import SCALARS
from runner.local.athena.numbers import digits, is_decimal, is_float, is_integer
from runner.local.athena.passes.numbers import cast_to
from runner.local.athena.trees import find_all, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

_MACROS = {
    "bitwise_and": ("__bitwise_and", 2),
    "bitwise_or": ("__bitwise_or", 2),
    "bitwise_xor": ("__bitwise_xor", 2),
    "bitwise_not": ("__bitwise_not", 1),
    "e": ("__e", 0),
    "bit_count": ("__u_bit_count", 2),
    "from_base": ("__u_from_base", 2),
    "to_base": ("__u_to_base", 2),
    "beta_cdf": ("__u_beta_cdf", 3),
    "inverse_beta_cdf": ("__u_inverse_beta_cdf", 3),
    "normal_cdf": ("__normal_cdf", 3),
    "inverse_normal_cdf": ("__inverse_normal_cdf", 3),
    "wilson_interval_lower": ("__u_wilson_interval_lower", 3),
    "wilson_interval_upper": ("__u_wilson_interval_upper", 3),
    "cosine_similarity": ("__cosine_similarity", 2),
    "parse_data_size": ("__u_parse_data_size", 1),
    "parse_presto_data_size": ("__u_parse_data_size", 1),
}
_SHIFTS = {
    "bitwise_left_shift": "__shift_left",
    "bitwise_right_shift": "__shift_right",
    "bitwise_right_shift_arithmetic": "__shift_arithmetic",
}
_BITS = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64}
_ONE, _TWO, _FOUR = 1, 2, 4


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite the calls, innermost first."""
    for node in reversed(find_all(tree, exp.Anonymous)):
        name = node.name.lower()
        if name not in SCALARS:
            continue
        new = _simple(node, name) if name in _MACROS else _OTHERS[name](node)
        new.type = node.type
        node.replace(new)
    return tree


def _simple(node: exp.Anonymous, name: str) -> exp.Expr:
    target, count = _MACROS[name]
    _expect(node, count)
    return _call(target, *node.expressions)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _expect(node: exp.Anonymous, *counts: int) -> None:
    if len(node.expressions) not in counts:
        kinds = ", ".join(_kind_name(each) for each in node.expressions)
        raise AthenaFailure(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({kinds}) for function {node.name.lower()}",
        )


def _kind_name(node: exp.Expr) -> str:
    return node.type.sql("trino").lower() if node.type is not None else "unknown"


def _shift(node: exp.Anonymous) -> exp.Expr:
    _expect(node, _TWO)
    value, shift = node.expressions
    kind = value.type
    if kind is not None and is_integer(value):
        bits: exp.Expr = exp.Literal.number(_BITS[kind.this.name])
    else:
        bits = _call("__bits_of", value.copy())
    new = _call(_SHIFTS[node.name.lower()], value, shift, bits)
    whole = kind if kind is not None and is_integer(value) else kind_of("bigint")
    return cast_to(whole)(new)


def _random(node: exp.Anonymous) -> exp.Expr:
    _expect(node, 0, _ONE, _TWO)
    if not node.expressions:
        return _call("random")
    name = "__random_below" if len(node.expressions) == _ONE else "__random_between"
    kind = node.expressions[0].type
    whole = kind if kind is not None and kind.this.name in _BITS else kind_of("bigint")
    return cast_to(whole)(_call(name, *node.expressions))


def _sign(node: exp.Anonymous) -> exp.Expr:
    _expect(node, _ONE)
    value = node.expressions[0]
    new = _call("sign", value)
    if is_float(value):
        new = _call("__float_sign", value)
    if node.type is not None and (is_float(value) or is_integer(value) or is_decimal(value)):
        return cast_to(node.type)(new)
    return new


def _truncate(node: exp.Anonymous) -> exp.Expr:
    _expect(node, _ONE, _TWO)
    value = node.expressions[0]
    if len(node.expressions) == _TWO:
        return _truncate_digits(node, value)
    if not (is_integer(value) or is_float(value) or is_decimal(value)):
        return _call("trunc", value)
    return cast_to(node.type)(_call("trunc", value)) if node.type else _call("trunc", value)


def _truncate_digits(node: exp.Anonymous, value: exp.Expr) -> exp.Expr:
    count = _constant(node.expressions[1])
    if is_integer(value) or not is_decimal(value) or count is None or value.type is None:
        raise unsupported("This use of truncate with digits")
    precision, scale = digits(value.type) or (MOST_DIGITS, 0)
    if count >= scale:
        return value
    if precision - scale + count <= 0:
        return cast_to(value.type)(exp.Mul(this=value, expression=exp.Literal.number(0)))
    text = "0." + "1".rjust(count, "0") if count > 0 else "1" + "0" * -count
    step = exp.cast(exp.Literal.string(text), value.type.copy())
    rest = exp.Paren(this=exp.Mod(this=value.copy(), expression=step))
    return cast_to(value.type)(exp.Sub(this=value, expression=rest))


def _constant(node: exp.Expr) -> int | None:
    sign = 1
    if isinstance(node, exp.Neg):
        node, sign = node.this, -1
    if isinstance(node, exp.Literal) and node.is_int:
        return sign * int(node.name)
    return None


def _width_bucket(node: exp.Anonymous) -> exp.Expr:
    _expect(node, _TWO, _FOUR)
    name = "__u_width_bins" if len(node.expressions) == _TWO else "__u_width_bucket"
    return _call(name, *node.expressions)


_OTHERS: dict[str, Callable[[exp.Anonymous], exp.Expr]] = {
    **dict.fromkeys(_SHIFTS, _shift),
    "rand": _random,
    "random": _random,
    "sign": _sign,
    "truncate": _truncate,
    "width_bucket": _width_bucket,
}
