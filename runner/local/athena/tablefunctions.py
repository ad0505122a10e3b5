"""Functions that give tables: `FROM TABLE(sequence(start => 0, stop => 10))`.

In: a parsed query.  Out: the same, its table functions written as queries.  Trino's others are
refused by name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.trees import find_all, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_CALL = re.compile(r"\btable\s*\(", re.IGNORECASE)
_NAMES = ("start", "stop", "step")
_DEFAULTS = {"start": "0", "step": "1"}
_COLUMN = "sequential_number"
_OTHERS = frozenset({"exclude_columns", "query"})


def expand(tree: exp.Query, sql: str) -> exp.Query:
    """Write the table functions of a query as queries; raises AthenaFailure."""
    if _CALL.search(sql):
        for table in find_all(tree, exp.Table):
            call = table.this
            if isinstance(call, exp.Anonymous) and call.name.upper() == "TABLE":
                table.replace(_subquery(table, call.expressions))
        for call in find_all(tree, exp.Anonymous):
            if call.name.upper() == "TABLE":
                raise AthenaFailure("FUNCTION_NOT_FOUND", "Function 'table' not registered")
    return tree


def _subquery(table: exp.Table, functions: Sequence[exp.Expr]) -> exp.Subquery:
    if len(functions) != 1 or not isinstance(functions[0], exp.GenerateSeries):
        raise _unknown(functions)
    given = _arguments(functions[0])
    values = [given.get(name) or exp.Literal.number(_DEFAULTS[name]) for name in _NAMES]
    rows = exp.Unnest(
        expressions=[exp.Anonymous(this="__table_sequence", expressions=values)],
        alias=exp.TableAlias(
            this=exp.to_identifier("__sequence"), columns=[exp.to_identifier("__number")]
        ),
    )
    number = exp.cast(exp.column("__number"), kind_of("BIGINT"))
    select = exp.select(exp.alias_(number, _COLUMN)).from_(rows)
    return exp.Subquery(this=select, alias=table.args.get("alias"))


def _unknown(functions: Sequence[exp.Expr]) -> AthenaFailure:
    name = functions[0].name.lower() if len(functions) == 1 else ""
    if name in _OTHERS or not name:
        return unsupported(f"Table function '{name}'")
    return AthenaFailure("FUNCTION_NOT_FOUND", f"Table function '{name}' not registered")


def _arguments(call: exp.GenerateSeries) -> dict[str, exp.Expr]:
    """Give the arguments by name, those without one in their order."""
    found: dict[str, exp.Expr] = {}
    parts = [call.args.get(part) for part in ("start", "end", "step")]
    for place, value in zip(_NAMES, parts, strict=True):
        if value is None:
            continue
        name = value.this.name.lower() if isinstance(value, exp.Kwarg) else place
        if name not in _NAMES:
            raise AthenaFailure(
                "INVALID_FUNCTION_ARGUMENT", f"Unexpected argument name: {name.upper()}"
            )
        found[name] = _whole(value.expression if isinstance(value, exp.Kwarg) else value)
    if "stop" not in found:
        raise AthenaFailure("MISSING_ARGUMENT", "Missing argument: STOP")
    return found


def _whole(value: exp.Expr) -> exp.Expr:
    if isinstance(value, exp.Literal) and not value.is_int:
        raise AthenaFailure("TYPE_MISMATCH", f"Cannot cast {value.sql()} to bigint")
    return value
