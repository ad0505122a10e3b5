"""What stands in FROM and WITH: tables, queries, VALUES and UNNEST, with their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.analysis.coercion import common
from runner.local.athena.analysis.rules import mismatch
from runner.local.athena.analysis.scopes import OPEN, Field, Relation, Scope
from runner.local.athena.analysis.types import BIGINT, UNKNOWN, UNSURE, Type, read_type, row
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.hidden import HIDDEN, has
from runner.local.athena.trees import find_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.analysis.rules import Analysis
    from runner.local.athena.tables import TableInfo

_CATALOGS = frozenset({"", "awsdatacatalog"})


def with_queries(analysis: Analysis, node: exp.Expr, outer: Scope | None) -> None:
    """Analyse the named queries of a WITH, each of which sees those before it."""
    with_ = node.args.get("with_")
    names: set[str] = set()
    for each in with_.expressions if with_ is not None else ():
        name = each.alias.lower()
        if name in names:
            raise AthenaFailure(
                "DUPLICATE_NAMED_QUERY",
                f"WITH query name '{each.alias}' specified more than once",
                at=each.args["alias"].this,
            )
        names.add(name)
        if with_ is not None and with_.args.get("recursive"):
            analysis.queries = {**analysis.queries, name: _base(analysis, each, outer)}
            continue
        relation = analysis.query(analysis, each.this, outer)
        columns = each.args["alias"].args.get("columns") or ()
        if columns and not relation.is_open and len(columns) != len(relation.stars()):
            raise AthenaFailure(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(columns)} entries but relation has "
                f"{len(relation.stars())} columns",
                at=columns[0],
            )
        analysis.queries = {**analysis.queries, name: _renamed(relation, columns)}


def _base(analysis: Analysis, cte: exp.Expr, outer: Scope | None) -> Relation:
    """Give the columns of a query that may read itself: those of where it begins."""
    columns = cte.args["alias"].args.get("columns") or ()
    name = cte.alias.lower()
    if not columns and any(each.name.lower() == name for each in find_all(cte.this, exp.Table)):
        raise AthenaFailure(
            "MISSING_COLUMN_ALIASES",
            "missing column aliases in recursive WITH query",
            at=cte.args["alias"].this,
        )
    if not isinstance(cte.this, exp.Union) or not columns:
        return OPEN
    relation = analysis.query(analysis, cte.this.left, outer)
    known = not relation.is_open and len(relation.stars()) == len(columns)
    return _renamed(relation, columns) if known else OPEN


def relation_of(analysis: Analysis, node: exp.Expr, scope: Scope) -> Relation:
    """Give the columns of what stands in FROM; the scope is what stands before it."""
    found = _unnamed(analysis, node, scope)
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return found
    columns = alias.args.get("columns") or ()
    if isinstance(node, exp.Unnest) and isinstance(node.args.get("offset"), exp.Identifier):
        columns = [*columns, node.args["offset"]]
    name = alias.name.lower()
    if isinstance(node, exp.Unnest) and columns and len(columns) != len(found.stars()):
        found = _whole_rows(node, found, len(columns))
    if columns and not found.is_open and len(columns) != len(found.stars()):
        raise AthenaFailure(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(columns)} entries but '{alias.name}' has "
            f"{len(found.stars())} columns available",
            at=alias,
        )
    return _renamed(found, columns).named(name) if name else found


def _whole_rows(node: exp.Unnest, found: Relation, count: int) -> Relation:
    """Let UNNEST of rows give whole rows, as the user guide writes it, if so many are named."""
    ordinality = int(bool(node.args.get("offset")))
    return OPEN if count == len(node.expressions) + ordinality < len(found.stars()) else found


def _renamed(relation: Relation, columns: Sequence[exp.Expr]) -> Relation:
    if not columns or relation.is_open:
        return relation
    pairs = zip(columns, relation.stars(), strict=True)
    return Relation(
        tuple(each._replace(name=column.name.lower(), shown=column.name) for column, each in pairs)
    )


def _unnamed(  # noqa: PLR0911 - one return a form
    analysis: Analysis, node: exp.Expr, scope: Scope
) -> Relation:
    match node:
        case _ if any(node.args.get(name) for name in ("joins", "laterals", "pivots")):
            return OPEN
        case exp.Table():
            return _table(analysis, node)
        case exp.Subquery() if isinstance(node.this, exp.Query):
            return analysis.query(analysis, node.this, scope.parent).named("")
        case exp.Lateral() if isinstance(node.this, exp.Subquery):
            return analysis.query(analysis, node.this, scope).named("")
        case exp.Values():
            return _values(analysis, node, scope)
        case exp.Unnest():
            return _unnest(analysis, node, scope)
        case _:
            return OPEN


def _table(analysis: Analysis, node: exp.Table) -> Relation:
    name, database = node.name.lower(), node.db.lower()
    if not isinstance(node.this, exp.Identifier) or node.catalog.lower() not in _CATALOGS:
        return OPEN
    if not database and name in analysis.queries:
        return analysis.queries[name].named(name)
    found = analysis.lookup(database or analysis.database, name)
    if found is None or node.args.get("version"):
        return OPEN
    fields = tuple(
        Field(each.name.lower(), read_type(each.type), name, found.database)
        for each in found.fields()
    )
    if not fields:
        return OPEN
    return Relation(fields + (_hidden(found, name) if found.view is None else ()))


def _hidden(table: TableInfo, name: str) -> tuple[Field, ...]:
    """Give the columns that a star does not give."""
    return tuple(
        Field(each, read_type(kind), name, table.database, is_hidden=True)
        for each, kind in HIDDEN.items()
        if has(table, each)
    )


def _values(analysis: Analysis, node: exp.Values, scope: Scope) -> Relation:
    kinds = [_row(analysis, each, scope) for each in node.expressions]
    found: Type | None = None
    for kind in kinds:
        if found is None:
            found = kind
        if len(kind.parts) != len(found.parts):
            raise mismatch(
                f"Values rows have mismatched sizes: {len(found.parts)} vs {len(kind.parts)}", node
            )
        if (both := _common_row(found, kind)) is None:
            raise mismatch(f"Values rows have mismatched types: {kinds[0]} vs {kind}", node)
        found = both
    if found is None:
        return OPEN
    return Relation(tuple(Field("", kind) for kind in found.parts))


def _common_row(one: Type, other: Type) -> Type | None:
    """Give what two rows have in common, part by part: one that is not known stays so."""
    parts = [common(*pair) for pair in zip(one.parts, other.parts, strict=True)]
    known = [part for part in parts if part is not None]
    return row(*known) if len(known) == len(parts) else None


def _row(analysis: Analysis, node: exp.Expr, scope: Scope) -> Type:
    items = node.expressions if isinstance(node, exp.Tuple) else [node]
    kinds = analysis.types_of(items, scope)
    if len(kinds) == 1 and kinds[0].name == "row":
        return row(*kinds[0].parts)
    return row(*kinds)


def _unnest(analysis: Analysis, node: exp.Unnest, scope: Scope) -> Relation:
    fields: list[Field] = []
    is_open = False
    for kind in analysis.types_of(node.expressions, scope):
        if kind.name == "array" and kind.parts[0].name == "row":
            element = kind.parts[0]
            names = element.fields or ("",) * len(element.parts)
            pairs = zip(names, element.parts, strict=True)
            fields += [Field(name.lower(), part, shown=name) for name, part in pairs]
        elif kind.name == "array" and kind.parts[0] != UNSURE:
            fields.append(Field("", kind.parts[0]))
        elif kind.name == "map":
            fields += [Field("", part) for part in kind.parts]
        elif kind in (UNSURE, UNKNOWN) or not kind.is_sure():
            is_open = True
        else:
            raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", f"Cannot unnest type: {kind}")
    if node.args.get("offset"):
        fields.append(Field("ordinality", BIGINT))
    return OPEN if is_open else Relation(tuple(fields))
