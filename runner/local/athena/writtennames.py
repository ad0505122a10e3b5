"""Names of a result's columns as the query writes them: `SELECT ID AS Total` shows `Total`.

In: a parsed query.  Out: the names of its columns, "" where it gives none, `*` for the columns of
a star; and a result's columns under these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.sqltypes import SqlType

_STAR = "*"


def written_names(tree: exp.Expr) -> tuple[str, ...]:
    """Give the names of a query's columns; nothing if all are in lower case or none is known."""
    found = _names(tree)
    return found if any(name != name.lower() for name in found) else ()


def rename(
    columns: tuple[tuple[str, SqlType], ...], names: Sequence[str]
) -> tuple[tuple[str, SqlType], ...]:
    """Give columns the names that are written for them.

    >>> from runner.local.athena.sqltypes import SqlType
    >>> [name for name, _ in rename(tuple((n, SqlType("date")) for n in "abc"), ("A", "*", "C"))]
    ['A', 'b', 'C']
    """
    stars = [place for place, name in enumerate(names) if name == _STAR]
    if not stars:
        spread = list(names)
    else:
        behind = len(names) - stars[-1] - 1
        between = len(columns) - stars[0] - behind
        spread = [*names[: stars[0]], *[""] * between, *names[len(names) - behind :]]
    if len(spread) != len(columns):
        return columns
    return tuple(
        (name if name.lower() == column.lower() else column, kind)
        for (column, kind), name in zip(columns, spread, strict=True)
    )


def _names(tree: exp.Expr | None) -> tuple[str, ...]:
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    if not isinstance(tree, exp.Select):
        return ()
    found: list[str] = []
    for each in tree.expressions:
        if isinstance(each, exp.Star):
            found += _of_source(tree) or [_STAR]
        elif each.is_star:
            found.append(_STAR)
        else:
            found.append(each.alias or (each.name if isinstance(each, exp.Column) else ""))
    return tuple(found)


def _of_source(select: exp.Select) -> list[str]:
    """Give the names of a star over one source that says them; nothing for any other star."""
    begin = select.args.get("from_")
    source = begin.this if begin is not None else None
    if source is None or select.args.get("joins") or select.args.get("laterals"):
        return []
    alias = source.args.get("alias")
    if alias is not None and alias.columns:
        return [column.name for column in alias.columns]
    return list(_names(source.this)) if isinstance(source, exp.Subquery) else []
