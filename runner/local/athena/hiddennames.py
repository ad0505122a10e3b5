"""Which hidden columns (`$path`, ...) a query names, and of which of its tables.

In: a qualified tree.  Out: names by scan.  A name without a table belongs to every table that has
the column: DuckDB then says that it is ambiguous, as Athena does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.hidden import HIDDEN, has
from runner.local.athena.template import scan_name
from runner.local.athena.trees import find_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.athena.tables import TableInfo


_NAMED = "named"


def hidden_columns(tree: exp.Expr, tables: Sequence[TableInfo]) -> list[tuple[str, ...]]:
    """Give the hidden columns that each scan must give."""
    named = {each.name.lower() for each in find_all(tree, exp.Column)} & set(HIDDEN)
    aliases = (
        {each.name: each.alias_or_name for each in find_all(tree, exp.Table) if each.name}
        if named
        else {}
    )
    found: list[tuple[str, ...]] = []
    for number, table in enumerate(tables):
        alias = aliases.get(scan_name(number), "")
        mine = (
            each.name.lower()
            for each in find_all(tree, exp.Column)
            if each.name.lower() in named and each.table in {"", alias}
        )
        wanted = dict.fromkeys(mine) if named else {}
        found.append(tuple(each for each in wanted if has(table, each)))
    return found


def mark_hidden(tree: exp.Expr) -> bool:
    """Mark the hidden columns that the query names; tells whether there are any."""
    found = [each for each in find_all(tree, exp.Column) if each.name.lower() in HIDDEN]
    for each in found:
        each.meta[_NAMED] = True
    return bool(found)


def drop_unnamed(tree: exp.Expr) -> None:
    """Take the hidden columns out that only stand for a star, the innermost queries first."""
    ctes = {each.alias: each.this for each in find_all(tree, exp.CTE)}
    for select in reversed(find_all(tree, exp.Select)):
        given = {
            source.alias_or_name: _names(source, ctes)
            for source in _sources(select)
            if source is not None
        }
        kept = [each for each in select.expressions if not _is_unnamed(each, given)]
        if len(kept) != len(select.expressions):
            select.set("expressions", kept)


def _sources(select: exp.Select) -> list[exp.Expr | None]:
    from_ = select.args.get("from_") or select.args.get("from")
    joins = select.args.get("joins") or []
    return [each.this for each in (from_, *joins) if each is not None]


def _names(source: exp.Expr, ctes: Mapping[str, exp.Expr]) -> frozenset[str] | None:
    """Give the columns that a source has by name; of a table no hidden one, None if unknown."""
    if isinstance(source, exp.Table) and source.name.startswith(scan_name(0)[:-1]):
        return frozenset()
    query = ctes.get(source.name) if isinstance(source, exp.Table) else source
    query = query.unnest() if query is not None else None
    return frozenset(query.named_selects) if isinstance(query, exp.Query) else None


def _is_unnamed(projection: exp.Expr, given: Mapping[str, frozenset[str] | None]) -> bool:
    column = projection.unalias()
    if not isinstance(column, exp.Column) or column.name.lower() not in HIDDEN:
        return False
    names = given.get(column.table)
    return _NAMED not in column.meta and names is not None and column.name not in names
