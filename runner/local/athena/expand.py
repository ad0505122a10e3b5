"""UNNEST and `row.*` become columns, as many as the types of their arguments have.

In: a query, and a way to give a copy of it types.  Out: the query with UNNEST as subqueries that
DuckDB's own unnest() fills, and every field of a row with its name.  What stands inside of
another is expanded first, so each round knows more types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from runner.local.athena.errors import AthenaFailure, syntax_error, unsupported
from runner.local.athena.nested import FIELDS_AT, fields, is_kind, is_known, part
from runner.local.athena.trees import find_all, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MARK = "expands"
_UNNAMED = "zqunnamedzqu"
_MOST_ROUNDS = 30


class _Column(NamedTuple):
    """An array whose elements fill a column, and the column's name if it has one."""

    array: exp.Expr
    name: str


def expand(tree: exp.Query, typed: Callable[[exp.Query], exp.Query]) -> exp.Query:
    """Expand everything; raises AthenaFailure for what has no known number of columns."""
    for number in range(_MOST_ROUNDS):
        waiting = _waiting(tree)
        if not waiting:
            return tree
        known = _kinds(typed(tree.copy()))
        ready = {mark: node for mark, node in waiting.items() if _is_ready(node, known.get(mark))}
        for mark, node in (ready or waiting).items():
            _expand(node, known.get(mark, ()), f"{number}_{mark}")
    raise unsupported("UNNEST that deep")


def _waiting(tree: exp.Query) -> dict[int, exp.Expr]:
    """Mark and give what is to be expanded."""
    found = find_all(tree, exp.Unnest)
    for unnest in found:
        if not isinstance(unnest.parent, _PLACES):
            _refuse_value(unnest)
    stars = [
        node
        for node in find_all(tree, exp.Dot)
        if isinstance(node.expression, exp.Star) and isinstance(_projection(node), exp.Select)
    ]
    for mark, node in enumerate([*found, *stars]):
        node.meta[_MARK] = mark
    return dict(enumerate([*found, *stars]))


_PLACES = (exp.From, exp.Join, exp.Subquery)


def _refuse_value(node: exp.Unnest) -> None:
    """Refuse UNNEST where a value is wanted: it is a relation, and its name a reserved word."""
    meta = node.meta
    column = meta["col"] - (meta["end"] - meta["start"]) if "col" in meta else 1
    message = "mismatched input 'UNNEST'. Expecting: <expression>"
    raise syntax_error(meta.get("line", 1), column, message)


def _projection(star: exp.Dot) -> exp.Expr | None:
    return star.parent.parent if isinstance(star.parent, exp.Aliases) else star.parent


def _kinds(tree: exp.Query) -> dict[int, tuple[exp.DataType | None, ...]]:
    """Give the types of the marked nodes' arguments."""
    return {
        node.meta[_MARK]: tuple(each.type for each in _arguments(node))
        for node in walk(tree)
        if _MARK in node.meta and isinstance(node, exp.Unnest | exp.Dot)
    }


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    return list(node.expressions) if isinstance(node, exp.Unnest) else [node.this]


def _is_ready(node: exp.Expr, kinds: Sequence[exp.DataType | None] | None) -> bool:
    if kinds is None or not all(is_known(kind) for kind in kinds):
        return False
    if isinstance(node, exp.Dot):
        return is_kind(kinds[0], "struct")
    return all(not is_kind(kind, "array") or part(kind) is not None for kind in kinds)


def _expand(node: exp.Expr, kinds: Sequence[exp.DataType | None], mark: str) -> None:
    if isinstance(node, exp.Unnest):
        _expand_unnest(node, kinds, mark)
    else:
        _expand_star(node, kinds[0] if kinds else None)


def _expand_unnest(node: exp.Unnest, kinds: Sequence[exp.DataType | None], mark: str) -> None:
    alias = node.args.get("alias")
    names = list(alias.columns) if alias is not None else []
    offset = node.args.get("offset")
    if isinstance(offset, exp.Identifier):
        names.append(offset)
    pairs = list(zip(node.expressions, kinds, strict=False))
    columns = [each for pair in pairs for each in _columns(*pair)]
    whole = [each for pair in pairs for each in _columns(*pair, rows=False)]
    if len(names) == len(whole) + bool(offset) != len(columns) + bool(offset):
        # Athena's guide names an array's rows themselves: `UNNEST(users) AS t(user)`.
        columns = whole
    projections = [
        exp.alias_(_call("unnest", each.array), f"zqc{n}") for n, each in enumerate(columns)
    ]
    if offset:
        ordinals = _call(
            "__ordinals", exp.Array(expressions=[_length(each.array) for each in columns])
        )
        projections.append(exp.alias_(_call("unnest", ordinals), f"zqc{len(columns)}"))
    given = [each.name for each in columns] + [""] * bool(offset)
    if names and len(names) != len(given):
        table = alias.name if alias is not None else ""
        raise AthenaFailure(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(names)} entries but '{table}' has {len(given)} "
            "columns available",
        )
    if not names:
        names = [exp.to_identifier(name or f"{_UNNAMED}{mark}_{n}") for n, name in enumerate(given)]
    table = alias.this if alias is not None and alias.this else exp.to_identifier(f"zqt{mark}")
    _put(node, exp.select(*projections), exp.TableAlias(this=table, columns=names))


def _put(node: exp.Unnest, select: exp.Select, alias: exp.TableAlias) -> None:
    """Put the subquery; the columns of the tables before it are seen by LATERAL."""
    join = node.parent
    has_columns = select.find(exp.Column) is not None
    if not isinstance(join, exp.Join) or not has_columns:
        node.replace(exp.Subquery(this=select, alias=alias))
        return
    if join.side.upper() in {"RIGHT", "FULL"}:
        raise AthenaFailure(
            "NOT_SUPPORTED", f"{join.side} JOIN involving UNNEST of columns is not supported"
        )
    node.replace(exp.Lateral(this=exp.Subquery(this=select), alias=alias))


def _columns(argument: exp.Expr, kind: exp.DataType | None, *, rows: bool = True) -> list[_Column]:
    """Give the arrays that an argument's columns come from; `rows` gives one for each field."""
    if is_kind(kind, "map"):
        return [_Column(_call(name, argument), "") for name in ("map_keys", "map_values")]
    element = part(kind)
    if rows and is_kind(element, "struct"):
        return [
            _Column(_call(FIELDS_AT, argument, exp.Literal.number(place)), name)
            for place, (name, _) in enumerate(fields(element), 1)
        ]
    return [_Column(argument.copy(), "")]


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])


def _length(array: exp.Expr) -> exp.Expr:
    return _call("len", array)


def _expand_star(node: exp.Expr, kind: exp.DataType | None) -> None:
    if not is_kind(kind, "struct"):
        raise unsupported("`.*` of a value whose type is not known")
    names = [name for name, _ in fields(kind)]
    whole = node
    if isinstance(node.parent, exp.Aliases):
        whole = node.parent
        names = [each.name for each in whole.expressions]
        if len(names) != len(fields(kind)):
            raise AthenaFailure(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but relation has "
                f"{len(fields(kind))} columns",
            )
    select = whole.parent
    if not isinstance(select, exp.Select):
        raise unsupported("`.*` outside of a select list")
    new = [
        exp.alias_(
            _call("struct_extract_at", node.this, exp.Literal.number(place)), name, quoted=True
        )
        if name
        else exp.alias_(
            _call("struct_extract_at", node.this, exp.Literal.number(place)),
            f"{_UNNAMED}s{node.meta[_MARK]}_{place}",
        )
        for place, name in enumerate(names, 1)
    ]
    place = select.expressions.index(whole)
    select.set("expressions", [*select.expressions[:place], *new, *select.expressions[place + 1 :]])
