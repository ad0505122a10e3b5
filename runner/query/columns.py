"""Columns: unknown and ambiguous names, and the names and types that a query gives.

In: rendered SQL, its analysis, the columns of the tables that it reads.  Out: the output columns
(types where they follow from the inputs) and faults.  Scopes, star expansion and types are
sqlglot's; the lookup is ours, so that every fault is found, with its place and nearest names.
A table without a schema is silent: nothing about it is called wrong.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from runner.model.header import Kind
from runner.model.project import Column
from runner.query.analysis import is_cte
from runner.query.parse import output_name, parse, selects
from runner.query.types import output_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Fault
    from runner.query.facts import Analysis
    from runner.query.rendered import Rendered

Schemas = "Mapping[str, tuple[Column, ...]]"
_Names = frozenset[str] | None
"""Columns of a source; None when they are not known."""


def check_columns(
    rendered: Rendered,
    analysis: Analysis,
    schemas: Mapping[str, tuple[Column, ...]],
) -> tuple[tuple[Column, ...], tuple[Fault, ...]]:
    """Check the columns that a query names, and give those that it makes.

    `schemas` holds columns by `database.table`, partition columns included; a table may be absent.
    The result is empty when the output cannot be known (a `*` over an unknown table).
    """
    if analysis.kind is Kind.DDL:
        return analysis.columns, ()
    tree = parse(rendered, analysis.kind)
    lookup = _Lookup(analysis.name.database, {k: v for k, v in schemas.items() if v})
    try:
        faults = list(_column_faults(rendered, tree, lookup))
    except SqlglotError:
        return (), ()  # a scope that sqlglot cannot build; the engine decides
    return _output(tree, lookup, typed=not faults), tuple(dict.fromkeys(faults))


@dataclass(frozen=True, slots=True)
class _Lookup:
    database: str
    schemas: Mapping[str, tuple[Column, ...]]

    def columns(self, table: exp.Table) -> tuple[Column, ...] | None:
        """Give a table's columns; None when no one declared them."""
        database = table.db.lower() or self.database
        return self.schemas.get(f"{database}.{table.name.lower()}")


# --- faults -------------------------------------------------------------------------------------


def _column_faults(rendered: Rendered, tree: exp.Expr, lookup: _Lookup) -> Iterator[Fault]:
    outputs: dict[int, _Names] = {}
    for scope in traverse_scope(tree):
        sources = _sources(scope, lookup, outputs)
        outputs[id(scope)] = _scope_output(scope, sources)
        if not isinstance(scope.expression, exp.Select):
            continue
        aliases = {item.alias.lower() for item in scope.expression.selects if item.alias}
        for column in scope.columns:
            foreign = column.find_ancestor(exp.Select) is not scope.expression
            if foreign or isinstance(column.this, exp.Star) or _is_lambda_argument(column):
                continue
            if not column.table and column.name.lower() in aliases and _sees_aliases(column):
                continue
            yield from _judge(rendered, column, scope, _Visible(lookup, outputs, sources))


@dataclass(frozen=True, slots=True)
class _Visible:
    """What a column of a scope can refer to."""

    lookup: _Lookup
    outputs: dict[int, _Names]
    sources: dict[str, _Names]

    def outward(self, scope: Scope) -> Iterator[dict[str, _Names]]:
        """Give the sources of the scope, then of the queries around it."""
        yield self.sources
        outer: Scope | None = scope
        while outer is not None and not is_closed(outer):
            outer = outer.parent
            if outer is not None:
                yield _sources(outer, self.lookup, self.outputs)


def is_closed(scope: Scope) -> bool:
    """Tell whether a query sees nothing of the one around it."""
    if scope.is_cte:
        return True
    return scope.is_derived_table and scope.expression.find_ancestor(exp.Lateral) is None


def _sources(scope: Scope, lookup: _Lookup, outputs: dict[int, _Names]) -> dict[str, _Names]:
    found: dict[str, _Names] = {}
    for alias, (node, source) in scope.selected_sources.items():
        named = _alias_columns(node)
        if named:
            found[alias.lower()] = frozenset(named)
        elif isinstance(source, exp.Table):
            columns = lookup.columns(source) if not is_cte(source) else None
            known = frozenset(column.name for column in columns) if columns is not None else None
            found[alias.lower()] = known
        elif isinstance(source, Scope):
            found[alias.lower()] = outputs.get(id(source))
        else:
            found[alias.lower()] = None
    for join in [*(scope.expression.args.get("joins") or ()), *_laterals(scope)]:
        inner = join.this if isinstance(join, exp.Join) else join
        if isinstance(inner, exp.Unnest | exp.Lateral):
            names = _alias_columns(inner)
            found[inner.alias.lower()] = frozenset(names) if names else None
    return found


def _laterals(scope: Scope) -> list[exp.Expr]:
    laterals: list[exp.Expr] = scope.expression.args.get("laterals") or []
    clause = scope.expression.args.get("from_")
    first = [clause.this] if clause is not None else []
    return [*laterals, *first]


def _alias_columns(node: exp.Expr) -> list[str]:
    """Give the names in `AS t(a, b)`."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return []
    names = [column.name.lower() for column in alias.args.get("columns") or ()]
    ordinality = node.args.get("offset")
    if names and isinstance(ordinality, exp.Identifier):
        names.append(ordinality.name.lower())
    return names


def _scope_output(scope: Scope, sources: dict[str, _Names]) -> _Names:
    query = scope.expression
    parent = query.parent
    if isinstance(parent, exp.CTE) and _alias_columns(parent):
        return frozenset(_alias_columns(parent))
    names: set[str] = set()
    if isinstance(query, exp.SetOperation):
        query = _first_branch(query)
        if any(item.is_star for item in selects(query)):
            return None
    for item in selects(query):
        output = output_name(item)
        if output == "*":
            if None in sources.values():
                return None
            names.update(*(columns for columns in sources.values() if columns is not None))
        elif output.endswith(".*"):
            columns = sources.get(output[:-2].lower())
            if columns is None:
                return None
            names.update(columns)
        else:
            names.add(output)
    return frozenset(names)


def _first_branch(query: exp.Expr) -> exp.Expr:
    while isinstance(query, exp.SetOperation):
        query = query.left.unnest()
    return query


def _is_lambda_argument(column: exp.Column) -> bool:
    name = (column.table or column.name).lower()
    node = column.parent
    while node is not None and not isinstance(node, exp.Query):
        if isinstance(node, exp.Lambda) and name in {
            argument.name.lower() for argument in node.expressions
        }:
            return True
        node = node.parent
    return False


def _sees_aliases(column: exp.Column) -> bool:
    """Tell whether the column stands in ORDER BY, where the output's names count."""
    node = column.parent
    while node is not None and not isinstance(node, exp.Query):
        if isinstance(node, exp.Order) and isinstance(node.parent, exp.Query):
            return True
        node = node.parent
    return False


def _judge(
    rendered: Rendered, column: exp.Column, scope: Scope, visible: _Visible
) -> Iterator[Fault]:
    if column.table:
        fault = _judge_qualified(rendered, column, scope, visible)
    else:
        fault = _judge_bare(rendered, column, scope, visible)
    if fault is not None:
        yield fault


def _judge_qualified(
    rendered: Rendered, column: exp.Column, scope: Scope, visible: _Visible
) -> Fault | None:
    qualifier, name = column.table.lower(), column.name.lower()
    if column.db:
        return None  # database.table.column, or a field of a field: the engine tells
    known: set[str] = set()
    for sources in visible.outward(scope):
        if qualifier in sources:
            columns = sources[qualifier]
            if columns is None or name in columns:
                return None
            return _unknown(rendered, column, f"{qualifier}.{name}", columns)
        if any(columns is None or qualifier in columns for columns in sources.values()):
            return None  # a field of a row column
        known.update(sources)
    close = difflib.get_close_matches(qualifier, sorted(known), n=3, cutoff=0.6)
    choices = close or sorted(known)
    return rendered.fault(
        _start(column),
        "unknown-column",
        found=f"{column.table}.{column.name}, but nothing in FROM is called {column.table}",
        expected="a table, alias or CTE of this query's FROM",
        advice=f"did you mean {' or '.join(choices)}?" if choices else "add it to FROM",
    )


def _judge_bare(
    rendered: Rendered, column: exp.Column, scope: Scope, visible: _Visible
) -> Fault | None:
    name = column.name.lower()
    every: set[str] = set()
    for sources in visible.outward(scope):
        holders = [alias for alias, columns in sources.items() if columns and name in columns]
        if len(holders) > 1 and not _joined_using(scope, name):
            return rendered.fault(
                _start(column),
                "ambiguous-column",
                found=f"{name}, which {' and '.join(sorted(holders))} both have",
                expected="a column that one table of FROM has, or its table's name before it",
                advice=f"write {' or '.join(f'{holder}.{name}' for holder in sorted(holders))}",
            )
        if holders or any(columns is None for columns in sources.values()):
            return None
        every.update(*(columns for columns in sources.values() if columns is not None))
    return _unknown(rendered, column, name, frozenset(every))


def _joined_using(scope: Scope, name: str) -> bool:
    joins = scope.expression.args.get("joins") or ()
    shared = [identifier for join in joins for identifier in join.args.get("using") or ()]
    return name in {identifier.name.lower() for identifier in shared}


def _unknown(rendered: Rendered, column: exp.Column, shown: str, known: frozenset[str]) -> Fault:
    close = difflib.get_close_matches(column.name.lower(), sorted(known), n=3, cutoff=0.6)
    listed = ", ".join(sorted(known)[:12]) + (", ..." if len(known) > 12 else "")  # noqa: PLR2004
    return rendered.fault(
        _start(column.this),
        "unknown-column",
        found=f"the unknown column {shown}",
        expected=f"one of {listed}" if known else "a table in FROM that has it",
        advice=f"did you mean {' or '.join(close)}?" if close else "correct the name",
    )


def _start(node: exp.Expr) -> int:
    starts = [part.meta["start"] for part in node.find_all(exp.Identifier) if part.meta]
    return min(starts, default=0)


# --- output -------------------------------------------------------------------------------------


def _output(tree: exp.Expr, lookup: _Lookup, *, typed: bool) -> tuple[Column, ...]:
    plain = tuple(Column(output_name(item)) for item in selects(tree))
    unknown = any(column.name.endswith("*") for column in plain)
    if not typed:
        return () if unknown else plain
    nested: dict[str, object] = {}
    for table, columns in lookup.schemas.items():
        database, _, name = table.rpartition(".")
        level: dict[str, object] = nested.setdefault(database, {})  # type: ignore[assignment] # two levels
        level[name] = {column.name: column.type or "unknown" for column in columns}
    try:
        schema = MappingSchema(nested, dialect="hive")
        qualified = qualify(
            tree.copy(),
            dialect="athena",
            schema=schema,
            db=lookup.database,
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
    except SqlglotError:
        return () if unknown else plain
    items = selects(qualified)
    types = output_types(qualified, lookup.schemas)
    columns = tuple(
        Column(output_name(item), kind) for item, kind in zip(items, types, strict=False)
    )
    if any(column.name.endswith("*") for column in columns) or len(columns) != len(items):
        return () if unknown else plain
    return columns
