"""Types of output columns, where they follow from the inputs for certain; else they stay unknown.

In: a query whose columns name their tables, and the tables' column types.  Out: a type for each
output, in Hive's words, empty when it is not certain.  Rules are Trino's ("Functions and operators"
of its documentation); sqlglot's own inference follows other engines (year() as tinyint).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from runner.query.parse import output_name, selects, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.model.project import Column

    Rule = Callable[[exp.Expr, Mapping[str, "Types"]], str]

Types = dict[str, str]
_WIDTHS = ("tinyint", "smallint", "int", "bigint")
_BIGINTS = (
    exp.Count, exp.CountIf, exp.ApproxDistinct, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile,
    exp.Year, exp.Month, exp.Day, exp.Hour, exp.Minute, exp.Second, exp.Extract, exp.DateDiff,
    exp.Length, exp.Quarter, exp.WeekOfYear, exp.DayOfYear, exp.DayOfWeekIso, exp.StrPosition,
    exp.ArraySize,
)  # fmt: skip
_STRINGS = (exp.TimeToStr, exp.JSONExtractScalar)
_TEXTS = (exp.RegexpExtract, exp.RegexpReplace, exp.Replace, exp.SplitPart)
"""A string when their first argument is one."""
_SAME = (
    exp.Alias, exp.Paren, exp.Neg, exp.Abs, exp.Min, exp.Max, exp.ArgMax, exp.ArgMin, exp.AnyValue,
    exp.Window, exp.Filter, exp.IgnoreNulls, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue,
    exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.TimestampTrunc, exp.DateAdd,
)  # fmt: skip
_BOOLEANS = (exp.Boolean, exp.Predicate, exp.Connector, exp.Not)
_SUMS = {**dict.fromkeys(_WIDTHS, "bigint"), "double": "double", "float": "float"}
_MEANS = {**dict.fromkeys(_WIDTHS, "double"), "double": "double"}
_ROUNDED = {**{width: width for width in _WIDTHS}, "double": "double"}
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)


def output_types(tree: exp.Expr, tables: Mapping[str, tuple[Column, ...]]) -> list[str]:
    """Give the type of each output of a qualified query; `tables` is by `database.table`."""
    known: dict[int, Types] = {}
    root: list[str] = []
    for scope in traverse_scope(tree):
        types = _scope_types(scope, tables, known)
        root = types
        names = [output_name(item) for item in selects(scope.expression)]
        known[id(scope)] = dict(zip(names, types, strict=False))
    return root


def _scope_types(
    scope: Scope, tables: Mapping[str, tuple[Column, ...]], known: dict[int, Types]
) -> list[str]:
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        branches = [
            list(known.get(id(branch), {}).values()) for branch in scope.set_operation_scopes
        ]
        columns = zip(*branches, strict=False)
        return [_unified(list(column)) for column in columns]
    sources: dict[str, Types] = {}
    for alias, (_, source) in scope.selected_sources.items():
        if isinstance(source, Scope):
            sources[alias.lower()] = known.get(id(source), {})
        else:
            columns_of = tables.get(f"{source.db.lower()}.{source.name.lower()}", ())
            sources[alias.lower()] = {column.name: column.type for column in columns_of}
    return [infer(item, sources) for item in selects(query)]


def infer(node: exp.Expr | None, sources: Mapping[str, Types]) -> str:
    """Give the type of an expression; empty when it is not certain."""
    for classes, rule in _rules():
        if isinstance(node, classes):
            return rule(node, sources)
    return _unified([infer(branch, sources) for branch in _alternatives(node)])


def _rules() -> tuple[tuple[tuple[type[exp.Expr], ...], Rule], ...]:
    """Give the rules; the first that fits decides."""
    return (
        (_SAME, _first),
        ((exp.Column,), _column),
        ((exp.Cast,), _cast),
        ((exp.Literal,), lambda node, _: _literal(node)),
        ((exp.Date,), lambda *_: "date"),
        (_BIGINTS, lambda *_: "bigint"),
        ((exp.StrToTime,), lambda *_: "timestamp"),
        (_STRINGS, lambda *_: "string"),
        (_TEXTS, lambda node, sources: {"string": "string"}.get(infer(node.this, sources), "")),
        ((exp.Concat, exp.DPipe), _joined),
        (_BOOLEANS, lambda *_: "boolean"),
        ((exp.Sum,), lambda node, sources: _SUMS.get(infer(node.this, sources), "")),
        ((exp.Avg,), lambda node, sources: _MEANS.get(infer(node.this, sources), "")),
        ((exp.Round,), lambda node, sources: _ROUNDED.get(infer(node.this, sources), "")),
        (_ARITHMETIC, _arithmetic),
    )


def _first(node: exp.Expr, sources: Mapping[str, Types]) -> str:
    many = isinstance(node, exp.AggFunc) and (node.expressions or node.args.get("count"))
    return "" if many else infer(node.this, sources)  # max(x, 3) is an array


def _joined(node: exp.Expr, sources: Mapping[str, Types]) -> str:
    operands = node.expressions or [node.args["this"], node.args["expression"]]
    kinds = [infer(operand, sources) for operand in operands]
    return "string" if all(_is_text(kind) for kind in kinds) else ""  # else perhaps arrays


def _is_text(kind: str) -> bool:
    return kind == "string" or kind.startswith("varchar(")


def _unified(kinds: list[str]) -> str:
    """Give the one type of several alternatives; texts become the longest text."""
    if kinds and all(_is_text(kind) for kind in kinds):
        return "string" if "string" in kinds else max(kinds, key=lambda kind: int(kind[8:-1]))
    return kinds[0] if len(set(kinds)) == 1 else ""


def _column(node: exp.Expr, sources: Mapping[str, Types]) -> str:
    types = sources.get(node.text("table").lower(), {})
    return types.get(node.name.lower(), "")


def _cast(node: exp.Expr, _: Mapping[str, Types]) -> str:
    name = type_name(node.args["to"])
    return {"timestamptz": "", "time": "", "json": ""}.get(name, name)


def _literal(node: exp.Expr) -> str:
    if node.is_string:
        return f"varchar({len(node.name)})"  # so Athena types a literal
    if not node.name.isdigit():
        return "double" if "e" in node.name.lower() else ""
    return "int" if int(node.name) < 2**31 else "bigint"


def _alternatives(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """Give the expressions of which a CASE, IF, COALESCE or NULLIF gives one."""
    match node:
        case exp.Case():
            branches = [branch.args.get("true") for branch in node.args.get("ifs") or ()]
            branches.append(node.args.get("default"))
        case exp.If():
            branches = [node.args.get("true"), node.args.get("false")]
        case exp.Coalesce():
            branches = [node.this, *node.expressions]
        case exp.Nullif():
            branches = [node.this]
        case _:
            return
    for branch in branches:
        if branch is not None and not isinstance(branch, exp.Null):
            yield branch


def _arithmetic(node: exp.Expr, sources: Mapping[str, Types]) -> str:
    left = infer(node.args["this"], sources)
    right = infer(node.args["expression"], sources)
    if left in _WIDTHS and right in _WIDTHS:
        return max(left, right, key=_WIDTHS.index)
    if "double" in (left, right) and {left, right} <= {*_WIDTHS, "double", "float"}:
        return "double"
    return ""
