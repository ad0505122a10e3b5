"""Personal data through SQL of Redshift, which reads tables of the lake by an external schema.

In: a statement, and the tagged columns of what its external schemas show.  Out: the columns that
come out of the lake with it, or why they cannot be followed.  What only counts, filters or deletes
brings nothing out.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from runner.query.facts import Lineage
from runner.query.lineage import trace_tree
from runner.query.masking import spans
from runner.query.parse import without_comments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.model.project import Column

_UNLOAD = re.compile(
    r"\s*UNLOAD\s*\(\s*(?:'((?:[^']|'')*)'|\$\$(.*?)\$\$)", re.IGNORECASE | re.DOTALL
)
_MOVES = re.compile(
    r"\s*(?:CALL|EXECUTE|INSERT|MERGE|UNLOAD|UPDATE|WITH)\b|.*\bSELECT\b", re.IGNORECASE | re.DOTALL
)
"""Statements that may bring rows somewhere."""


def trace_statement(
    statement: str,
    *,
    tagged: Mapping[str, frozenset[str]],
    schemas: Mapping[str, tuple[Column, ...]],
) -> Lineage:
    """Follow tagged columns (by `schema.table` as Redshift calls it) out of a statement.

    The outputs are columns of what it writes, as `target.column` where the target has a name.
    """
    named = _named(statement, tagged)
    if not named:
        return Lineage()
    found = [_trace(tree, statement, tagged=tagged, schemas=schemas) for tree in _trees(statement)]
    lost = next((one for one in found if one is None or one.lost), Lineage())
    if lost is None:
        reason = "a statement of Redshift that cannot be read here"
        return Lineage(lost=reason, lost_at=min(named))
    if lost.lost:
        return lost
    return Lineage(tuple(sorted({one for each in found if each for one in each.carried})))


def external_schemas(statement: str) -> tuple[tuple[str, str], ...]:
    """Give the schemas over the catalogue that a statement makes, each with its database.

    >>> external_schemas("CREATE EXTERNAL SCHEMA s FROM DATA CATALOG DATABASE 'raw' IAM_ROLE 'x'")
    (('s', 'raw'),)
    """
    return tuple((name.lower(), database.lower()) for name, database in _SCHEMA.findall(statement))


_SCHEMA = re.compile(
    r"\bEXTERNAL\s+SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)\"?\s+FROM\s+DATA\s+CATALOG\s+"
    r"DATABASE\s+'(\w+)'",
    re.IGNORECASE,
)


def _named(statement: str, tagged: Iterable[str]) -> list[int]:
    """Give where a statement names tagged tables."""
    found: list[int] = []
    for table in tagged:
        schema, _, name = table.partition(".")
        pattern = rf'\b{re.escape(schema)}"?\s*\.\s*"?{re.escape(name)}\b'
        found += [match.start() for match in re.finditer(pattern, statement, re.IGNORECASE)]
    return found


def _trees(statement: str) -> list[exp.Expr | None]:
    """Parse; None stands for what cannot be read and may move rows."""
    unload = _UNLOAD.match(statement)
    if unload is not None:
        start, end = unload.span(1) if unload[1] is not None else unload.span(2)
        inner = " " * start + statement[start:end].replace("''", " '")  # offsets stay
        return _parsed(inner)
    return _parsed(statement)


def _parsed(statement: str) -> list[exp.Expr | None]:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        trees = sqlglot.parse(without_comments(statement), read="redshift")
    except SqlglotError:
        return [None]
    unread = [tree for tree in trees if isinstance(tree, exp.Command)]
    if unread and _MOVES.match(statement):
        return [None]
    return [tree for tree in trees if tree is not None and tree not in unread]


def _trace(
    tree: exp.Expr | None,
    statement: str,
    *,
    tagged: Mapping[str, frozenset[str]],
    schemas: Mapping[str, tuple[Column, ...]],
) -> Lineage | None:
    if tree is None:
        return None
    query = _query(tree)
    if query is None:
        return Lineage()
    return trace_tree(query, "", tagged=tagged, schemas=schemas, masked=spans(statement))


def _query(tree: exp.Expr) -> exp.Expr | None:
    """Give the query whose rows a statement writes; None for one that writes none."""
    if isinstance(tree, exp.Query):
        return tree
    if isinstance(tree, exp.Insert | exp.Create):
        written = tree.expression
        if isinstance(written, exp.Query):
            return written.unnest().copy()
        return _select([written], None)
    if isinstance(tree, exp.Merge):
        return _select(
            [when.args.get("then") for when in tree.find_all(exp.When)], tree.args["using"]
        )
    if isinstance(tree, exp.Update):
        source = tree.args.get("from_")
        values = [item.expression for item in tree.expressions]
        return _select(values, source.this if source is not None else None)
    return None


def _select(values: Iterable[object], source: exp.Expr | None) -> exp.Expr:
    """Write what a statement takes from a source as a query: each column and query in it."""
    taken = [
        part.copy()
        for value in values
        if isinstance(value, exp.Expr)
        for part in value.find_all(exp.Column, exp.Subquery)
    ]
    from_ = exp.From(this=source.copy()) if source is not None else None
    return exp.Select(expressions=taken, from_=from_)
