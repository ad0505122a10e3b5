"""Values: literals, columns, casts, constructors, subscripts and choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.castable import can_cast, has_other_keys
from runner.local.athena.analysis.coercion import coerces
from runner.local.athena.analysis.format import formatted
from runner.local.athena.analysis.operators import shared_type
from runner.local.athena.analysis.rules import mismatch
from runner.local.athena.analysis.scopes import field_type, resolve
from runner.local.athena.analysis.treetypes import type_of_tree
from runner.local.athena.analysis.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DAYS,
    DOUBLE,
    INTEGER,
    JSON,
    MONTHS,
    TIME,
    TIMESTAMP,
    UNKNOWN,
    UNSURE,
    VARBINARY,
    ZONED_TIME,
    ZONED_TIMESTAMP,
    Type,
    array,
    decimal,
    row,
    varchar,
)
from runner.local.athena.dialect import MOST_DIGITS, digits_of
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.families import is_free

if TYPE_CHECKING:
    from runner.local.athena.analysis.rules import Analysis, Rule
    from runner.local.athena.analysis.scopes import Scope

_INTEGER, _BIGINT = 2**31, 2**63
_ZONED = {TIMESTAMP: ZONED_TIMESTAMP, TIME: ZONED_TIME}
_MOST_NUMBERS = {TIMESTAMP: 12, TIME: 12, "varchar": 2147483646}
_MONTHS = frozenset({"YEAR", "MONTH"})
_SCHEMA = "current_schema"
"""A word of Trino's own, which the parser takes for a column."""


def _literal(analysis: Analysis, node: exp.Expr, _scope: Scope) -> Type:
    if is_free(node):
        return INTEGER
    text = node.name
    if node.is_string:
        return varchar(len(text))
    if "e" in text.lower():
        return DOUBLE
    if "." in text:
        return decimal(*digits_of(text)) if analysis.has_decimals else DOUBLE
    value = int(text) if text.isdigit() else _BIGINT
    if value >= _BIGINT:
        return UNSURE
    return INTEGER if value < _INTEGER else BIGINT


def _column(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return UNSURE
    parts = [each for each in node.parts if isinstance(each, exp.Identifier)]
    if len(parts) == 1 and not parts[0].quoted and parts[0].name.lower() == _SCHEMA:
        return UNSURE
    found = resolve(scope, parts, node)
    if found.field is not None:
        rest = tuple(each.name.lower() for each in parts[found.used :])
        analysis.fields[id(node)] = (id(found.scope), found.field.table, found.field.name, rest)
    return found.type


def _parameter(_analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    """Type a lambda's parameter."""
    return resolve(scope, [node], node).type if isinstance(node, exp.Identifier) else UNSURE


def _dot(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    kind = analysis.type_of(node.this, scope)
    if not kind.is_sure() or not isinstance(node.expression, exp.Identifier):
        return UNSURE
    is_name = isinstance(node.this, exp.Column | exp.Identifier)
    shown = [formatted(node.this, analysis), node.expression.name]
    return field_type(kind, shown, node, missing="" if is_name else "null")


def _cast(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    to = node.args["to"]
    target = type_of_tree(to) if isinstance(to, exp.DataType) else UNSURE
    source = analysis.type_of(node.this, scope)
    _check_digits(target, node)
    if source.is_sure() and target == JSON and has_other_keys(source):
        raise AthenaFailure("INVALID_CAST_ARGUMENT", f"Cannot cast {source} to JSON")
    if source.is_sure() and target.is_sure() and not can_cast(source, target):
        raise mismatch(f"Cannot cast {source} to {target}", node)
    return target


def _check_digits(kind: Type, node: exp.Expr) -> None:
    for part in (kind, *kind.parts):
        most = _MOST_NUMBERS.get(part.name.partition(" ")[0])
        if most is not None and any((number or 0) > most for number in part.numbers):
            raise mismatch(f"Unknown type: {part}", node)
        precision, scale = part.numbers if part.name == "decimal" else (1, 0)
        if precision is not None and not 1 <= precision <= MOST_DIGITS:
            raise AthenaFailure(
                "INVALID_FUNCTION_ARGUMENT",
                f"DECIMAL precision must be in range [1, {MOST_DIGITS}]: {precision}",
            )
        if precision is not None and scale is not None and scale > precision:
            raise AthenaFailure(
                "INVALID_FUNCTION_ARGUMENT",
                f"DECIMAL scale must be in range [0, precision ({precision})]: {scale}",
            )


def _inner(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    return analysis.type_of(node.this, scope)


def _array(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    if any(isinstance(each, exp.Query) for each in node.expressions):
        return UNSURE
    kinds = analysis.types_of(node.expressions, scope)
    return array(shared_type("All ARRAY elements", node.expressions, kinds, at=None))


def _row(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    if any(isinstance(each, exp.PropertyEQ | exp.Alias) for each in node.expressions):
        return UNSURE
    return row(*analysis.types_of(node.expressions, scope))


def _subscript(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    if id(node) in analysis.arguments:  # element_at(x, y)
        return analysis.call(analysis, node, scope)
    base, key = analysis.types_of([node.this, node.expressions[0]], scope)
    if not base.is_sure() or not key.is_sure():
        return UNSURE
    if base.name == "row":
        return _row_item(base, node)
    wanted = {"array": BIGINT, "map": base.parts[0] if base.parts else UNSURE}.get(base.name)
    if wanted is None or not coerces(key, wanted):
        raise mismatch(f"Cannot use {key} for subscript of {base}", node)
    return base.parts[-1]


def _row_item(base: Type, node: exp.Expr) -> Type:
    key = node.expressions[0]
    if isinstance(key, exp.Neg):
        return UNSURE
    if not isinstance(key, exp.Literal) or key.is_string or not key.name.isdigit():
        raise AthenaFailure(
            "EXPRESSION_NOT_CONSTANT",
            "Subscript expression on ROW requires a constant index",
            at=key,
        )
    kind = node.this.type
    is_shifted = kind is None or kind.is_type(exp.DType.UNKNOWN, exp.DType.ARRAY)
    number = int(key.name) + is_shifted  # sqlglot counts from 0 unless it sees what it is
    if 0 < number <= len(base.parts):
        return base.parts[number - 1]
    message = f"Subscript index out of bounds: {number}, max value is {len(base.parts)}"
    if number < 1:
        message = f"Invalid subscript index: {number}. ROW indices start at 1"
    raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", message, at=key)


def _interval(_analysis: Analysis, node: exp.Expr, _scope: Scope) -> Type:
    unit = node.args.get("unit")
    if unit is None and node.this.name.isdigit():
        return INTEGER  # the number behind `INTERVAL '1' DAY +`, as the parser reads it
    if not isinstance(unit, exp.Var):
        return UNSURE
    return MONTHS if unit.name.upper() in _MONTHS else DAYS


def _at_zone(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    kind = analysis.type_of(node.this, scope)
    if not kind.is_sure():
        return UNSURE
    if kind.name not in {*_ZONED, *_ZONED.values()}:
        raise mismatch(
            f"Type of value must be a time or timestamp with or without time zone (actual {kind})",
            node.this,
        )
    return Type(_ZONED.get(kind.name, kind.name), kind.numbers)


def _always(kind: Type) -> Rule:
    def rule(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
        return analysis.call(analysis, node, scope) if id(node) in analysis.arguments else kind

    return rule


RULES: dict[type[exp.Expr], Rule] = {
    exp.Literal: _literal,
    exp.Column: _column,
    exp.Identifier: _parameter,
    exp.Dot: _dot,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Paren: _inner,
    exp.Alias: _inner,
    exp.Try: _inner,
    exp.Array: _array,
    exp.Struct: _row,
    exp.Tuple: _row,
    exp.Bracket: _subscript,
    exp.Interval: _interval,
    exp.AtTimeZone: _at_zone,
    exp.ParseJSON: _always(JSON),
    exp.Null: _always(UNKNOWN),
    exp.Boolean: _always(BOOLEAN),
    exp.HexString: _always(VARBINARY),
    exp.CurrentDate: _always(DATE),
    exp.CurrentTimestamp: _always(Type(ZONED_TIMESTAMP, (3,))),
}
