"""Functions of arrays: what DuckDB lacks, and what it answers otherwise for NULLs and bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.calls import kind_name, mismatch
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.nested import call_of, is_kind, is_known, part
from runner.local.athena.passes.lambdas import (
    body_of,
    call,
    field_of,
    fresh,
    lambda_of,
    struct_of,
    unless_null,
)
from runner.local.athena.trees import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Handler = Callable[[exp.Expr, Sequence[exp.Expr]], exp.Expr | None]

_MACROS = {
    "array_except": "__array_except",
    "array_intersect": "__array_intersect",
    "array_min": "__array_min",
    "array_position": "__array_position",
    "array_remove": "__array_remove",
    "arrays_overlap": "__arrays_overlap",
    "combinations": "__combinations",
    "contains": "__contains",
    "contains_sequence": "__contains_sequence",
    "ngrams": "__ngrams",
    "repeat": "__repeat",
    "shuffle": "__shuffle",
    "slice": "__slice",
    "trim_array": "__trim_array",
}


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite every call, arguments first."""
    for node in reversed(walk(tree)):
        name, arguments = call_of(node)
        new: exp.Expr | None = None
        if name == "array_position" and node.args.get("zero_based") is not None:
            raise mismatch(name, [*arguments, node.args["zero_based"]])
        if name in _HANDLERS:
            new = _HANDLERS[name](node, arguments)
        elif name in _MACROS and not _is_network(name, arguments):
            new = call(_MACROS[name] + _float(name, arguments), *arguments)
        if new is not None:
            new.type = node.type
            node.replace(new)
    return tree


def _float(name: str, arguments: Sequence[exp.Expr]) -> str:
    """Choose the form for doubles, among which NaN equals nothing."""
    if name not in {"array_position", "contains"}:
        return ""
    kinds = [part(arguments[0].type), arguments[1].type]
    return "_float" if any(k is not None and k.is_type("double", "float") for k in kinds) else ""


def _is_network(name: str, arguments: Sequence[exp.Expr]) -> bool:
    """Tell contains('10.0.0.0/8', address), which is no function of arrays."""
    kind = arguments[0].type
    is_text = kind is not None and kind.is_type(*exp.DataType.TEXT_TYPES)
    return name == "contains" and is_text


def _lambda(node: exp.Expr, argument: exp.Expr) -> exp.Lambda:
    if not isinstance(argument, exp.Lambda):
        raise unsupported(f"{call_of(node)[0]} without a lambda")
    return argument


def _any_match(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return call("__any_true", _transform(node, arguments))


def _all_match(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return call("__all_true", _transform(node, arguments))


def _none_match(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return exp.paren(exp.Not(this=_any_match(node, arguments)), copy=False)


def _transform(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return call("list_transform", arguments[0], _lambda(node, arguments[1]))


def _filter(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return call("list_filter", arguments[0], _lambda(node, arguments[1]))


def _zip(_: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    zipped = call("list_zip", *(each.copy() for each in arguments))
    return unless_null(zipped, arguments)


def _zip_with(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    name = fresh(node)
    body = body_of(_lambda(node, arguments[2]), field_of(name, 1), field_of(name, 2))
    zipped = call("list_zip", arguments[0].copy(), arguments[1].copy())
    return unless_null(call("list_transform", zipped, lambda_of(body, name)), arguments[:2])


def _array_sort(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """Sort by a comparator: an element's place is the number of those that come before it."""
    if len(arguments) == 1:
        return call("list_sort", arguments[0])
    array, comparator = arguments[0], _lambda(node, arguments[1])
    x, i = fresh(node, "x"), fresh(node, "i")
    y, j = fresh(node, "y"), fresh(node, "j")
    compared = body_of(comparator, exp.to_identifier(x), exp.to_identifier(y))
    earlier = exp.LT(this=exp.to_identifier(j), expression=exp.to_identifier(i))
    differ = exp.NullSafeNEQ(this=exp.to_identifier(x), expression=exp.to_identifier(y))
    # Comparators may tell two equal elements apart; no one sees which of them comes first.
    before = (
        exp.Case(this=compared)
        .when("1", exp.or_(differ, earlier))
        .when("0", earlier.copy())
        .when("-1", exp.and_(exp.Not(this=exp.paren(differ.copy())), earlier.copy()))
        .else_(call("__raise", exp.Literal.string(_COMPARATOR)))
    )
    other = exp.NEQ(this=exp.to_identifier(i), expression=exp.to_identifier(j))
    counted = call(
        "len",
        call(
            "list_filter",
            array.copy(),
            lambda_of(exp.Case().when(other, before, copy=False).else_("false"), y, j),
        ),
    )
    placed = struct_of({"r": counted, "v": exp.to_identifier(x)})
    return call("__placed", call("list_transform", array, lambda_of(placed, x, i)))


_COMPARATOR = "Lambda comparator must return either -1, 0, or 1"


def _reduce(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    array, initial, merge = arguments[:3]
    reduced = call("list_reduce", array, _lambda(node, merge), initial)
    finish = _lambda(node, arguments[3])
    if isinstance(finish.this, exp.Identifier) and finish.this.name == finish.expressions[0].name:
        return reduced
    held = call("list_transform", exp.Array(expressions=[reduced]), finish)
    # A NULL array has no state, a NULL state is finished like any other.
    return exp.Case().when(
        exp.Not(this=exp.Is(this=array.copy(), expression=exp.null())),
        call("list_extract", held, exp.Literal.number(1)),
        copy=False,
    )


def _array_max(_: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    element = part(arguments[0].type)
    is_float = element is not None and element.is_type(exp.DType.DOUBLE, exp.DType.FLOAT)
    return call("__array_max_float" if is_float else "__array_max", arguments[0])


def _array_join(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr | None:
    """Write elements as casts to varchar do."""
    element, name = part(arguments[0].type), fresh(node)
    if element is not None and element.is_type(*exp.DataType.NESTED_TYPES):
        raise AthenaFailure("TYPE_MISMATCH", f"Cannot cast {kind_name(element)} to varchar")
    text: exp.Expr = exp.cast(exp.to_identifier(name), "varchar")
    if element is not None and element.is_type(exp.DType.DOUBLE, exp.DType.FLOAT):
        is_real = element.is_type(exp.DType.FLOAT)
        text = call("__real_text" if is_real else "__double_text", exp.to_identifier(name))
    elif element is not None and element.is_type(exp.DType.DECIMAL):
        text = call("__decimal_shown", exp.to_identifier(name))
    elif element is not None and element.is_type(exp.DType.TIMESTAMP):
        text = call("__timestamp_text", exp.to_identifier(name))
    if len(arguments) > 2:  # noqa: PLR2004 - array, delimiter, replacement
        text = exp.Coalesce(this=text, expressions=[arguments[2]])
    texts = call("list_transform", arguments[0], lambda_of(text, name))
    joined: exp.Expr = call("array_to_string", texts, arguments[1])
    given = [each for each in arguments[1:] if not each.is_string]
    if given:
        joined = unless_null(joined, given)
    if element is not None or len(arguments) > 2:  # noqa: PLR2004 - as above
        return joined
    # Of NULLs alone DuckDB knows no type, and gives NULL.
    values = call("list_aggregate", arguments[0].copy(), exp.Literal.string("count"))
    none = exp.EQ(this=values, expression=exp.Literal.number(0))
    return exp.Case().when(none, exp.Literal.string("")).else_(joined)


def _cardinality(_: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    return exp.cast(call("cardinality", arguments[0]), "bigint", copy=False)


def _depth(kind: exp.DataType | None) -> int:
    return 1 + _depth(part(kind)) if is_kind(kind, "array") else 0


def _concat(_: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr | None:
    """Concatenate arrays, and elements that stand beside them."""
    kinds = [each.type for each in arguments]
    if not any(is_kind(kind, "array") for kind in kinds):
        return None
    if not all(
        is_known(kind) or isinstance(a, exp.Null) for kind, a in zip(kinds, arguments, strict=True)
    ):
        return None
    if any(_is_null_element(each) for each in arguments):
        return exp.Case().when("1 = 0", next(a for a in arguments if is_kind(a.type, "array")))
    # The depth of `ARRAY[]` is not known: it is an array of whatever the other holds.
    depth = max(_depth(kind) for kind in kinds)
    first = _element(arguments[0], depth)
    for each in arguments[1:]:
        first = exp.DPipe(this=first, expression=_element(each, depth), safe=True)
    return exp.paren(first, copy=False)


def _is_null_element(argument: exp.Expr) -> bool:
    """Tell a NULL that stands beside an array, of which nothing comes but NULL."""
    node = argument.unnest()
    is_null = isinstance(node, exp.Cast) and isinstance(node.this, exp.Null)
    return is_null and not is_kind(argument.type, "array")


def _element(argument: exp.Expr, depth: int) -> exp.Expr:
    if isinstance(argument, exp.Null):
        return argument
    kind = argument.type
    is_empty = is_kind(kind, "array") and part(kind) is None
    if is_empty or _depth(kind) >= depth:
        return argument
    return exp.Array(expressions=[argument])


def _reverse(_: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr | None:
    return call("list_reverse", arguments[0]) if is_kind(arguments[0].type, "array") else None


_HANDLERS: dict[str, Handler] = {
    "all_match": _all_match,
    "any_match": _any_match,
    "array_join": _array_join,
    "array_max": _array_max,
    "array_sort": _array_sort,
    "cardinality": _cardinality,
    "concat": _concat,
    "filter": _filter,
    "none_match": _none_match,
    "reduce": _reduce,
    "reverse": _reverse,
    "transform": _transform,
    "zip": _zip,
    "zip_with": _zip_with,
}
