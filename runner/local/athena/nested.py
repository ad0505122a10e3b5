"""Types of arrays, maps, rows and lambdas, which sqlglot leaves unknown.

In: a parsed query.  Out: calls in one form (`call_of`), and annotators that give each its type,
the parameters of its lambdas included, so that the passes know what a value is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.helper import seq_get

from runner.local.athena.numbers import common
from runner.local.athena.trees import kind_of, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from sqlglot.optimizer.annotate_types import TypeAnnotator
    from sqlglot.typing import ExprMetadataType

    Kind: TypeAlias = exp.DataType | None
    Signature: TypeAlias = Callable[[Sequence[Kind], Sequence[Kind]], Kind]

SUBSCRIPT = "__subscript"
FIELDS_AT = "__fields_at"
"""The fields at one place of an array's rows."""
ELEMENT_AT = "__element_at"
_CLASSES: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.ArrayAgg: ("array_agg", ("this",)),
    exp.ArrayContains: ("contains", ("this", "expression")),
    exp.ArrayDistinct: ("array_distinct", ("this",)),
    exp.ArrayExcept: ("array_except", ("this", "expression")),
    exp.ArrayFilter: ("filter", ("this", "expression")),
    exp.ArrayMax: ("array_max", ("this",)),
    exp.ArrayMin: ("array_min", ("this",)),
    exp.ArrayPosition: ("array_position", ("this", "expression")),
    exp.ArrayRemove: ("array_remove", ("this", "expression")),
    exp.ArraySize: ("cardinality", ("this",)),
    exp.ArraySlice: ("slice", ("this", "start", "end")),
    exp.ArraySort: ("array_sort", ("this", "expression")),
    exp.ArrayToString: ("array_join", ("this", "expression", "null")),
    exp.DPipe: ("concat", ("this", "expression")),
    exp.Flatten: ("flatten", ("this",)),
    exp.GenerateSeries: ("sequence", ("start", "end", "step")),
    exp.Map: ("map", ("keys", "values")),
    exp.MapFromEntries: ("map_from_entries", ("this",)),
    exp.MapKeys: ("map_keys", ("this",)),
    exp.Reduce: ("reduce", ("this", "initial", "merge", "finish")),
    exp.Repeat: ("repeat", ("this", "times")),
    exp.Reverse: ("reverse", ("this",)),
    exp.Shuffle: ("shuffle", ("this",)),
    exp.Split: ("split", ("this", "expression", "limit")),
    exp.StrToMap: ("split_to_map", ("this", "pair_delim", "key_value_delim")),
    exp.Transform: ("transform", ("this", "expression")),
    exp.VarMap: ("map", ("keys", "values")),
}
_LISTED: dict[type[exp.Expr], str] = {
    exp.ArrayIntersect: "array_intersect",
    exp.Concat: "concat",
}


def call_of(node: exp.Expr) -> tuple[str, list[exp.Expr]]:
    """Give a call's name in Trino and its arguments in order; no name for anything else."""
    if isinstance(node, exp.Anonymous):
        return node.name.lower(), list(node.expressions)
    if type(node) in _LISTED:
        return _LISTED[type(node)], list(node.expressions)
    name, keys = _CLASSES.get(type(node), ("", ()))
    return name, [node.args[key] for key in keys if node.args.get(key) is not None]


def array_of(kind: Kind) -> Kind:
    """Make an array type."""
    parts = [kind.copy()] if is_known(kind) and kind is not None else []
    return exp.DataType(this=exp.DataType.Type.ARRAY, expressions=parts, nested=True)


def row_of(kinds: Sequence[Kind]) -> Kind:
    """Make an anonymous row type."""
    parts = [kind.copy() if kind else kind_of("unknown") for kind in kinds]
    return exp.DataType(this=exp.DataType.Type.STRUCT, expressions=parts, nested=True)


def map_of(key: Kind, value: Kind) -> Kind:
    """Make a map type."""
    parts = [kind.copy() if kind else kind_of("unknown") for kind in (key, value)]
    return exp.DataType(this=exp.DataType.Type.MAP, expressions=parts, nested=True)


def is_known(kind: Kind) -> bool:
    """Tell whether a type was found."""
    return kind is not None and not kind.is_type(exp.DType.UNKNOWN, exp.DType.NULL)


def is_kind(kind: Kind, name: str) -> bool:
    """Tell whether a type is an array, a map or a row (`struct`)."""
    return kind is not None and kind.this == exp.DType[name.upper()]


def part(kind: Kind, place: int = 0) -> Kind:
    """Give an element's, key's, value's or field's type; None if it is not known."""
    found = seq_get(kind.expressions, place) if kind is not None else None
    found = found.args.get("kind") if isinstance(found, exp.ColumnDef) else found
    return found if isinstance(found, exp.DataType) and is_known(found) else None


def fields(kind: Kind) -> tuple[tuple[str, Kind], ...]:
    """Give a row's fields: names (empty if it has none) and types."""
    if kind is None:
        return ()
    names = [each.name if isinstance(each, exp.ColumnDef) else "" for each in kind.expressions]
    return tuple((name, part(kind, place)) for place, name in enumerate(names))


def _concat(kinds: Sequence[Kind], _: Sequence[Kind]) -> Kind:
    arrays = [kind for kind in kinds if is_kind(kind, "array")]
    if arrays:
        return next((kind for kind in arrays if part(kind)), arrays[0])
    return kind_of("varchar") if all(map(is_known, kinds)) else None


def _subscript(kinds: Sequence[Kind], _: Sequence[Kind]) -> Kind:
    return part(kinds[0], 1) if is_kind(kinds[0], "map") else part(kinds[0])


def _sequence(kinds: Sequence[Kind], _: Sequence[Kind]) -> Kind:
    integers = exp.DataType.INTEGER_TYPES
    if kinds[0] is not None and kinds[0].is_type(*integers):
        return array_of(kind_of("bigint"))
    return array_of(kinds[0])


def _fixed(text: str) -> Signature:
    return lambda _, __: kind_of(text, "trino")


def _map_from(kinds: Sequence[Kind], _: Sequence[Kind]) -> Kind:
    row = part(kinds[0])
    return map_of(part(row), part(row, 1))


def _multimap_from(kinds: Sequence[Kind], _: Sequence[Kind]) -> Kind:
    row = part(kinds[0])
    return map_of(part(row), array_of(part(row, 1)))


def _same(kinds: Sequence[Kind], _: Sequence[Kind]) -> Kind:
    return kinds[0]


_SAME = """array_distinct array_except array_intersect array_remove array_sort array_union
    filter map_concat map_filter map_union reverse shuffle slice trim_array""".split()  # noqa: SIM905 - names
_BOOLEAN = """all_match any_match none_match arrays_overlap contains
    contains_sequence""".split()  # noqa: SIM905 - names
_RETURNS: dict[str, Signature] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_BOOLEAN, _fixed("boolean")),
    SUBSCRIPT: _subscript,
    ELEMENT_AT: _subscript,
    "unnest": lambda kinds, _: part(kinds[0]),
    "infinity": _fixed("double"),
    "nan": _fixed("double"),
    "array_agg": lambda kinds, _: array_of(kinds[0]),
    "array_join": _fixed("varchar"),
    "array_max": lambda kinds, _: part(kinds[0]),
    "array_min": lambda kinds, _: part(kinds[0]),
    "array_position": _fixed("bigint"),
    "cardinality": _fixed("bigint"),
    "combinations": lambda kinds, _: array_of(kinds[0]),
    "concat": _concat,
    "flatten": lambda kinds, _: part(kinds[0]),
    "histogram": lambda kinds, _: map_of(kinds[0], kind_of("bigint")),
    "map": lambda kinds, _: (
        map_of(part(kinds[0]), part(kinds[1])) if len(kinds) > 1 else map_of(None, None)
    ),
    "map_agg": lambda kinds, _: map_of(kinds[0], kinds[1]),
    "map_entries": lambda kinds, _: array_of(row_of([part(kinds[0]), part(kinds[0], 1)])),
    "map_from_entries": _map_from,
    "map_keys": lambda kinds, _: array_of(part(kinds[0])),
    "map_values": lambda kinds, _: array_of(part(kinds[0], 1)),
    "map_zip_with": lambda kinds, bodies: map_of(part(kinds[0]), bodies[0]),
    "multimap_agg": lambda kinds, _: map_of(kinds[0], array_of(kinds[1])),
    "multimap_from_entries": _multimap_from,
    "ngrams": lambda kinds, _: array_of(kinds[0]),
    "reduce": lambda kinds, bodies: bodies[1] if len(bodies) > 1 else kinds[1],
    "reduce_agg": lambda kinds, _: kinds[1],
    "repeat": lambda kinds, _: array_of(kinds[0]),
    "sequence": _sequence,
    "split": _fixed("array(varchar)"),
    "split_to_map": _fixed("map(varchar, varchar)"),
    "split_to_multimap": _fixed("map(varchar, array(varchar))"),
    "transform": lambda _, bodies: array_of(bodies[0]),
    "transform_keys": lambda kinds, bodies: map_of(bodies[0], part(kinds[0], 1)),
    "transform_values": lambda kinds, bodies: map_of(part(kinds[0]), bodies[0]),
    "zip": lambda kinds, _: array_of(row_of([part(kind) for kind in kinds])),
    "zip_with": lambda _, bodies: array_of(bodies[0]),
}


def _elements(kinds: Sequence[Kind]) -> list[list[Kind]]:
    return [[part(kinds[0])]]


def _pairs(kinds: Sequence[Kind]) -> list[list[Kind]]:
    return [[part(kinds[0]), part(kinds[0], 1)]]


_PARAMETERS: dict[str, Callable[[Sequence[Kind]], list[list[Kind]]]] = {
    **dict.fromkeys(("all_match", "any_match", "none_match", "filter", "transform"), _elements),
    **dict.fromkeys(("map_filter", "transform_keys", "transform_values"), _pairs),
    "array_sort": lambda kinds: [[part(kinds[0]), part(kinds[0])]],
    "map_zip_with": lambda kinds: [[part(kinds[0]), part(kinds[0], 1), part(kinds[1], 1)]],
    "reduce": lambda kinds: [[kinds[1], part(kinds[0])], [kinds[1]]],
    "reduce_agg": lambda kinds: [[kinds[1], kinds[0]], [kinds[1], kinds[1]]],
    "zip_with": lambda kinds: [[part(kinds[0]), part(kinds[1])]],
}


def _annotate_call(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    """Give a call its type, after its lambdas' parameters have theirs."""
    name, arguments = call_of(node)
    kinds = [_kind(each) for each in arguments if not isinstance(each, exp.Lambda)]
    lambdas = [each for each in arguments if isinstance(each, exp.Lambda)]
    if lambdas and name in _PARAMETERS:
        for each, parameters in zip(lambdas, _PARAMETERS[name](kinds), strict=False):
            _annotate_lambda(annotator, each, parameters)
    signature = _RETURNS.get(name)
    found = signature(kinds, [each.this.type for each in lambdas]) if signature else None
    if name in _PLACED:
        found = _at_place(name, kinds[0], arguments[1])
    return annotator._set_type(node, found)  # noqa: SLF001 - annotators have no other way


def _at_place(name: str, kind: Kind, key: exp.Expr) -> Kind:
    """Give the type of a row's field, or of what a subscript takes."""
    if name == FIELDS_AT:
        return array_of(part(part(kind), int(key.name) - 1))
    if is_kind(kind, "struct"):
        is_place = isinstance(key, exp.Literal) and key.name.isdigit()
        return part(kind, int(key.name) - 1) if is_place and int(key.name) else None
    return _subscript([kind], ())


def _kind(argument: exp.Expr) -> Kind:
    """Give an argument's type; that of an aggregate stands under DISTINCT and ORDER BY."""
    while isinstance(argument, exp.Order | exp.Distinct):
        argument = argument.this or argument.expressions[0]
    return argument.type


def _annotate_lambda(annotator: TypeAnnotator, node: exp.Lambda, kinds: Sequence[Kind]) -> None:
    """Give parameters their types wherever they stand, then the body again."""
    known = dict(zip([each.name for each in node.expressions], kinds, strict=False))
    body = node.this
    for each in walk(body):
        if isinstance(each, exp.Identifier):
            if each.name in known and not _is_field(each):
                annotator._set_type(each, known[each.name])  # noqa: SLF001 - as above
        elif not isinstance(each, exp.Column):
            annotator._visited.pop(id(each), None)  # noqa: SLF001 - as above
    annotator.annotate_expression(body)


def _is_field(node: exp.Identifier) -> bool:
    """Tell the name of a field, or a part of a column's name, from a parameter."""
    parent = node.parent
    return isinstance(parent, exp.Column) or (
        isinstance(parent, exp.Dot) and parent.expression is node
    )


def _annotate_identifier(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    return annotator._set_type(node, node.type)  # noqa: SLF001 - as above


def _annotate_inner(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    return annotator._set_type(node, node.this.type)  # noqa: SLF001 - as above


def _annotate_tuple(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    kinds = [each.type for each in node.expressions]
    return annotator._set_type(node, row_of(kinds))  # noqa: SLF001 - as above


def _annotate_dot(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    wanted = node.expression.name.lower()
    named = {name.lower(): kind for name, kind in fields(node.this.type)}
    return annotator._set_type(node, named.get(wanted))  # noqa: SLF001 - as above


_PLACED = frozenset({FIELDS_AT, SUBSCRIPT, "struct_extract_at"})


def _annotate_array(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    """Keep an array an array though its elements' type is not known."""
    Trino.EXPRESSION_METADATA[exp.Array]["annotator"](annotator, node)
    element = common(each.type for each in node.expressions)
    if element is not None and not element.is_type("null"):
        annotator._set_type(node, array_of(element))  # noqa: SLF001 - as above
    if not is_kind(node.type, "array"):
        annotator._set_type(node, array_of(None))  # noqa: SLF001 - as above
    return node


def _annotate_quantile(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    """Give approx_percentile the type of its values, in an array if it is asked for several."""
    quantile = node.args.get("quantile")
    several = quantile is not None and is_kind(quantile.type, "array")
    kind = node.this.type
    if kind is not None and kind.is_type(*exp.DataType.INTEGER_TYPES):
        kind = exp.DataType.build("bigint")
    elif kind is not None and kind.is_type("decimal"):
        kind = exp.DataType.build("float")
    found = array_of(kind) if several else kind
    return annotator._set_type(node, found)  # noqa: SLF001 - as above


_CALLS: tuple[type[exp.Expr], ...] = (exp.Anonymous, *_CLASSES, *_LISTED)
METADATA: ExprMetadataType = {
    **Trino.EXPRESSION_METADATA,
    **{kind: {"annotator": _annotate_call} for kind in _CALLS},
    exp.ApproxQuantile: {"annotator": _annotate_quantile},
    exp.Array: {"annotator": _annotate_array},
    exp.Dot: {"annotator": _annotate_dot},
    exp.Filter: {"annotator": _annotate_inner},
    exp.Identifier: {"annotator": _annotate_identifier},
    exp.Struct: {"annotator": _annotate_tuple},
    exp.Tuple: {"annotator": _annotate_tuple},
    exp.Window: {"annotator": _annotate_inner},
}
