"""The types of numbers in Athena: what arithmetic, functions and aggregates of them give.

In: a node whose operands are typed.  Out: its type, by Trino's rules.  sqlglot asks through
`METADATA` while it annotates a tree, so that columns of subqueries are typed by them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.trino import Trino

from runner.local.athena.dialect import MOST_DIGITS, decimal_type
from runner.local.athena.families import is_free
from runner.local.athena.functions_maths import PAIRS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_T = exp.DataType.Type
_INTEGERS = (_T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT)
_DIGITS = dict(zip(_INTEGERS, (3, 5, 10, 19), strict=True))
_LONG = 2**31


def is_integer(node: exp.Expr) -> bool:
    """Tell whether a node is known to be an integer."""
    return node.type is not None and node.type.this in _INTEGERS


def is_float(node: exp.Expr) -> bool:
    """Tell whether a node is known to be a double or a real."""
    return node.type is not None and node.type.this in {_T.DOUBLE, _T.FLOAT}


def is_decimal(node: exp.Expr) -> bool:
    """Tell whether a node is known to be a decimal."""
    return node.type is not None and node.type.this == _T.DECIMAL


def digits(kind: exp.DataType | None) -> tuple[int, int] | None:
    """Give precision and scale of a decimal, or of the decimal that an integer becomes."""
    if kind is None:
        return None
    if kind.this in _DIGITS:
        return _DIGITS[kind.this], 0
    if kind.this != _T.DECIMAL:
        return None
    numbers = [int(each.name) for each in kind.expressions if each.name.isdigit()]
    if not numbers:
        return MOST_DIGITS, 0
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def arithmetic(node: exp.Binary) -> exp.DataType | None:
    """Give the type of `a + b`, `a / b` and the like; None if it is not known."""
    left, right = node.left.type, node.right.type
    if left is None or right is None:
        return None
    sides = {left.this, right.this}
    if not sides <= {*_INTEGERS, _T.DECIMAL, _T.DOUBLE, _T.FLOAT}:
        return None
    if sides & {_T.DOUBLE, _T.FLOAT}:
        return exp.DataType(this=_T.DOUBLE if _T.DOUBLE in sides else _T.FLOAT, nested=False)
    if _T.DECIMAL not in sides:
        return exp.DataType(this=max(sides, key=_INTEGERS.index), nested=False)
    first, second = digits(left), digits(right)
    if first is None or second is None:  # pragma: no cover - both are numbers
        return None
    return decimal_type(*_decimal_result(node, first, second))


def _decimal_result(
    node: exp.Binary, left: tuple[int, int], right: tuple[int, int]
) -> tuple[int, int]:
    (p1, s1), (p2, s2) = left, right
    scale = max(s1, s2)
    match node:
        case exp.Mul():
            return min(MOST_DIGITS, p1 + p2), s1 + s2
        case exp.Div():
            return min(MOST_DIGITS, p1 + s2 + max(s2 - s1, 0)), scale
        case exp.Mod():
            return min(p1 - s1, p2 - s2) + scale, scale
        case _:
            return min(MOST_DIGITS, max(p1 - s1, p2 - s2) + scale + 1), scale


def common(kinds: Iterable[exp.DataType | None]) -> exp.DataType | None:
    """Give the type that numbers of these types have in common; None if one is no number."""
    found: exp.DataType | None = None
    for kind in kinds:
        if kind is None or kind.this not in {*_INTEGERS, _T.DECIMAL, _T.DOUBLE, _T.FLOAT, _T.NULL}:
            return None
        if found is None or found.this == _T.NULL:
            found = kind
        elif kind.this != _T.NULL:
            found = _both(found, kind)
    return found


def _both(left: exp.DataType, right: exp.DataType) -> exp.DataType:
    sides = {left.this, right.this}
    if sides & {_T.DOUBLE, _T.FLOAT}:
        return exp.DataType(this=_T.DOUBLE if _T.DOUBLE in sides else _T.FLOAT, nested=False)
    if _T.DECIMAL not in sides:
        return exp.DataType(this=max(sides, key=_INTEGERS.index), nested=False)
    (p1, s1), (p2, s2) = digits(left) or (0, 0), digits(right) or (0, 0)
    scale = max(s1, s2)
    return decimal_type(min(MOST_DIGITS, max(p1 - s1, p2 - s2) + scale), scale)


def rounded(node: exp.Expr) -> exp.DataType | None:
    """Give the type of round, ceil, floor and truncate, without or with digits."""
    kind: exp.DataType | None = node.this.type
    if kind is None or kind.this != _T.DECIMAL:
        return kind
    precision, scale = digits(kind) or (MOST_DIGITS, 0)
    if isinstance(node, exp.Round) and node.args.get("decimals"):
        return decimal_type(min(MOST_DIGITS, precision + 1), scale)
    return decimal_type(min(MOST_DIGITS, precision - scale + min(1, scale)), 0)


_CALLS = {
    **dict.fromkeys(
        (
            "beta_cdf",
            "cosine_similarity",
            "infinity",
            "inverse_beta_cdf",
            "inverse_normal_cdf",
            "nan",
            "normal_cdf",
            "wilson_interval_lower",
            "wilson_interval_upper",
            "geometric_mean",
            "e",
            "pi",
        ),
        _T.DOUBLE,
    ),
    **dict.fromkeys(
        (
            "bit_count",
            "bitwise_and",
            "bitwise_not",
            "bitwise_or",
            "bitwise_xor",
            "from_base",
            "width_bucket",
        ),
        _T.BIGINT,
    ),
    "to_base": _T.VARCHAR,
    "is_nan": _T.BOOLEAN,
    "is_finite": _T.BOOLEAN,
    "is_infinite": _T.BOOLEAN,
}
_SHIFTS = frozenset({"bitwise_left_shift", "bitwise_right_shift", "bitwise_right_shift_arithmetic"})


def call_type(node: exp.Anonymous) -> exp.DataType | None:
    """Give the type of a call that sqlglot has no class for."""
    name = node.name.lower()
    if name in _CALLS or name in PAIRS:
        kind = _CALLS[name] if name in _CALLS else _pair_type(node)
        return exp.DataType(this=kind, nested=False)
    first = node.expressions[0].type if node.expressions else None
    if name in {"parse_data_size", "parse_presto_data_size"}:
        return decimal_type(MOST_DIGITS, 0)
    if name == "histogram" and first is not None:
        whole = exp.DataType(this=_T.BIGINT, nested=False)
        return exp.DataType(this=_T.MAP, expressions=[first.copy(), whole], nested=True)
    if name in {"rand", "random"}:
        return first or exp.DataType(this=_T.DOUBLE, nested=False)
    if name in {"sign", "truncate"}:
        return _signed(name, node, first)
    return first if name in _SHIFTS else None


def _pair_type(node: exp.Anonymous) -> exp.DType:
    """Give a pair's REAL or DOUBLE: Athena takes the smaller that holds both, as for integers."""
    arguments = node.expressions
    if len(arguments) == 1 and isinstance(arguments[0], exp.Distinct):
        arguments = arguments[0].expressions
    kinds = [each.type.this if each.type else _T.UNKNOWN for each in arguments]
    small = all(kind in _DIGITS or kind in {_T.DECIMAL, _T.FLOAT} for kind in kinds)
    return _T.FLOAT if small else _T.DOUBLE


def _signed(name: str, node: exp.Anonymous, kind: exp.DataType | None) -> exp.DataType | None:
    if name == "truncate" and kind is not None and kind.this in _DIGITS:
        return decimal_type(_DIGITS[kind.this], 0)  # there is no form for integers
    if kind is None or kind.this != _T.DECIMAL:
        return kind
    if name == "sign":
        return decimal_type(1, 0)
    if len(node.expressions) > 1:
        return kind
    precision, scale = digits(kind) or (MOST_DIGITS, 0)
    return decimal_type(max(1, precision - scale), 0)


# The annotator is sqlglot's own object, whose type its stubs do not give.
def _annotate_arithmetic(annotator: Any, node: exp.Binary) -> exp.Expr:  # noqa: ANN401
    found = arithmetic(node)
    if found is None:
        default = annotator._annotate_div if isinstance(node, exp.Div) else None  # noqa: SLF001
        return _expr((default or annotator._annotate_binary)(node))  # noqa: SLF001
    return _expr(annotator._set_type(node, found))  # noqa: SLF001


def _expr(found: object) -> exp.Expr:
    if not isinstance(found, exp.Expression):  # pragma: no cover - sqlglot gives its nodes back
        raise TypeError(found)
    return found


def _annotate_literal(annotator: Any, node: exp.Literal) -> exp.Expr:  # noqa: ANN401
    if is_free(node):
        annotator._set_type(node, _T.INT)  # noqa: SLF001
        return node
    annotator._annotate_literal(node)  # noqa: SLF001
    if not node.is_string and node.is_int and int(node.name) >= _LONG:
        annotator._set_type(node, _T.BIGINT)  # noqa: SLF001
    return node


def _annotate_rounded(annotator: Any, node: exp.Expr) -> exp.Expr:  # noqa: ANN401
    return _expr(annotator._set_type(node, rounded(node)))  # noqa: SLF001


def _annotate_same(annotator: Any, node: exp.Expr) -> exp.Expr:  # noqa: ANN401
    if isinstance(node, exp.Neg) and node.this.is_int and node.this.name == str(_LONG):
        # The sign belongs to the literal: this is the least integer.
        return _expr(annotator._set_type(node, _T.INT))  # noqa: SLF001
    return _expr(annotator._set_type(node, node.this.type))  # noqa: SLF001


def _annotate_sum(annotator: Any, node: exp.Expr) -> exp.Expr:  # noqa: ANN401
    kind = _argument(node).type
    if kind is not None and kind.this in _INTEGERS:
        kind = exp.DataType(this=_T.BIGINT, nested=False)
    elif kind is not None and kind.this == _T.DECIMAL:
        kind = decimal_type(MOST_DIGITS, (digits(kind) or (0, 0))[1])
    return _expr(annotator._set_type(node, kind))  # noqa: SLF001


def _annotate_avg(annotator: Any, node: exp.Expr) -> exp.Expr:  # noqa: ANN401
    kind = _argument(node).type
    if kind is None or kind.this not in {_T.DECIMAL, _T.FLOAT, _T.INTERVAL, _T.UNKNOWN}:
        kind = exp.DataType(this=_T.DOUBLE, nested=False)
    return _expr(annotator._set_type(node, kind))  # noqa: SLF001


def _argument(node: exp.Expr) -> exp.Expr:
    found = node.this
    while isinstance(found, exp.Distinct | exp.Order):
        found = found.expressions[0] if isinstance(found, exp.Distinct) else found.this
    return _expr(found)


def _annotate_call(annotator: Any, node: exp.Anonymous) -> exp.Expr:  # noqa: ANN401
    return _expr(annotator._set_type(node, call_type(node)))  # noqa: SLF001


def _annotate_choice(annotator: Any, node: exp.Expr) -> exp.Expr:  # noqa: ANN401
    match node:
        case exp.Case():
            branches = [each.args["true"] for each in node.args["ifs"]]
            branches += [node.args["default"]] if node.args.get("default") else []
        case exp.If():
            branches = [each for each in (node.args["true"], node.args.get("false")) if each]
        case _:
            branches = [node.this, *node.expressions]
    found = common(each.type for each in branches)
    if found is not None:
        return _expr(annotator._set_type(node, found))  # noqa: SLF001
    default = _STANDARD.get(type(node), {}).get("annotator")
    return _expr(default(annotator, node)) if default else node


_STANDARD: dict[Any, Any] = dict(Trino.EXPRESSION_METADATA)
_OURS: tuple[tuple[tuple[type[exp.Expr], ...], Any], ...] = (
    ((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _annotate_arithmetic),
    ((exp.Round, exp.Ceil, exp.Floor), _annotate_rounded),
    ((exp.Neg, exp.Abs), _annotate_same),
    ((exp.Coalesce, exp.Greatest, exp.Least, exp.Case, exp.If), _annotate_choice),
    ((exp.Literal,), _annotate_literal),
    ((exp.Sum,), _annotate_sum),
    ((exp.Avg,), _annotate_avg),
    ((exp.Anonymous,), _annotate_call),
)
METADATA: dict[Any, Any] = {
    **_STANDARD,
    **{kind: {"annotator": annotate} for kinds, annotate in _OURS for kind in kinds},
}
