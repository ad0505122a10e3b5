"""Which conditions on partition columns hold for every row that a scan may contribute.

In: a query's tree whose scans are tables named `__scan_<n>`.  Out: conditions per scan.  A
condition is taken only where it surely holds: conjuncts of WHERE and of inner joins, through
derived tables, views and CTEs that are read once, over plain columns; when unsure, none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from runner.local.athena.families import carried
from runner.local.athena.template import Condition
from runner.local.athena.trees import find_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.local.athena.template import Operator

_COMPARE: dict[type[exp.Expr], tuple[Operator, Operator]] = {
    exp.EQ: ("in", "in"),
    exp.LT: ("<", ">"),
    exp.LTE: ("<=", ">="),
    exp.GT: (">", "<"),
    exp.GTE: (">=", "<="),
}
_UNSAFE = (
    exp.Subquery,
    exp.Select,
    exp.Rand,
    exp.Uuid,
    exp.CurrentTimestamp,
    exp.AggFunc,
    exp.Window,
    exp.Placeholder,
)


@dataclass(frozen=True)
class _Conjunct:
    """A boolean expression over the columns of one source (or output)."""

    tree: exp.Expr
    columns: frozenset[str]
    simple: bool
    """Whether a NULL never passes it (comparisons with constants)."""


@dataclass
class _Analysis:
    keys: Mapping[str, frozenset[str]]
    ctes: Mapping[str, exp.Expr]
    found: dict[str, list[_Conjunct]] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    def query(self, tree: exp.Expr, outer: Sequence[_Conjunct]) -> None:
        """Hand conditions on a query's output down to its sources."""
        while isinstance(tree, exp.Subquery) and not _limited(tree):
            tree = tree.this
        if isinstance(tree, exp.Select):
            self._select(tree, outer)
        elif isinstance(tree, exp.SetOperation):
            names = [each.alias_or_name for each in tree.selects]
            for side in (tree.this, tree.expression):
                moved = _by_position(outer, names, side) if not _limited(tree) else []
                self.query(side, moved)

    def _select(self, select: exp.Select, outer: Sequence[_Conjunct]) -> None:
        if id(select) in self.done:
            return
        self.done.add(id(select))
        sources = _sources(select)
        given = [*_own(select, sources), *_through(select, outer)]
        given += _transferred(select, given)
        for alias, source in sources.items():
            mine = [c for table, c in given if table == alias]
            if isinstance(source, exp.Table):
                self._table(source, mine)
            elif isinstance(source, exp.Subquery):
                self.query(source, mine)

    def _table(self, table: exp.Table, given: Sequence[_Conjunct]) -> None:
        if table.name in self.keys:
            self.found.setdefault(table.name, []).extend(
                c for c in given if c.columns <= self.keys[table.name]
            )
        elif table.name in self.ctes:
            self.query(self.ctes[table.name], given)


def find_conditions(
    tree: exp.Expr, keys: Mapping[str, frozenset[str]]
) -> dict[str, tuple[Condition, ...]]:
    """Give each scan's conditions; `keys` are the partition columns by scan name."""
    analysis = _Analysis(keys, _ctes_read_once(tree))
    analysis.query(tree, ())
    once = {id(cte) for cte in analysis.ctes.values()}
    for query in find_all(tree, exp.Select):
        if id(query) not in once:
            analysis.query(query, ())
    return {
        name: tuple(condition for each in conjuncts for condition in _conditions(each))
        for name, conjuncts in analysis.found.items()
    }


def _ctes_read_once(tree: exp.Expr) -> dict[str, exp.Expr]:
    defined: dict[str, list[exp.Expr]] = {}
    nodes = find_all(tree, exp.CTE, exp.Table)
    for cte in nodes:
        if isinstance(cte, exp.CTE):
            defined.setdefault(cte.alias, []).append(cte.this)
    names = [table.name for table in nodes if isinstance(table, exp.Table)] if defined else []
    return {
        name: bodies[0]
        for name, bodies in defined.items()
        if len(bodies) == 1 and names.count(name) == 1
    }


def _limited(tree: exp.Expr) -> bool:
    return bool(tree.args.get("limit") or tree.args.get("offset") or tree.args.get("fetch"))


def _sources(select: exp.Select) -> dict[str, exp.Expr]:
    from_ = select.args.get("from_") or select.args.get("from")
    first = [from_.this] if from_ else []
    trees = [*first, *(join.this for join in select.args.get("joins") or ())]
    return {each.alias_or_name: each for each in trees}


def _split(tree: exp.Expr | None) -> Iterator[exp.Expr]:
    if tree is None:
        return
    if isinstance(tree, exp.Paren):
        yield from _split(tree.this)
    elif isinstance(tree, exp.And):
        yield from _split(tree.left)
        yield from _split(tree.right)
    else:
        yield tree


def _own(select: exp.Select, sources: Mapping[str, exp.Expr]) -> list[tuple[str, _Conjunct]]:
    where = select.args.get("where")
    joins = select.args.get("joins") or ()
    outer = any(join.side for join in joins)
    found = [
        each
        for each in _placed(_split(where.this if where else None), sources)
        if each[1].simple or not outer
    ]
    for join in joins:
        side, name = join.side.upper(), join.this.alias_or_name
        for table, conjunct in _placed(_split(join.args.get("on")), sources):
            reaches = (
                not side
                or (side == "LEFT" and table == name)
                or (side == "RIGHT" and table != name)
            )
            if reaches and (conjunct.simple or not outer):
                found.append((table, conjunct))
    return found


def _placed(
    trees: Iterable[exp.Expr], sources: Mapping[str, exp.Expr]
) -> Iterator[tuple[str, _Conjunct]]:
    """Give the conjuncts whose columns all belong to one source, with its name."""
    for tree in trees:
        columns = find_all(tree, exp.Column)
        tables = {
            column.table or (next(iter(sources)) if len(sources) == 1 else "") for column in columns
        }
        if len(tables) == 1 and "" not in tables and not tree.find(*_UNSAFE):
            names = frozenset(column.name for column in columns)
            yield tables.pop(), _Conjunct(tree, names, simple=_is_simple(tree))


def _through(select: exp.Select, outer: Sequence[_Conjunct]) -> Iterator[tuple[str, _Conjunct]]:
    """Give conditions on the output as conditions on the sources."""
    if not outer or _limited(select) or select.find(exp.Window) or select.args.get("qualify"):
        return
    group = select.args.get("group")
    grouped = {each.sql() for each in group.expressions} if group else set()
    rollup = group is not None and any(
        group.args.get(each) for each in ("rollup", "cube", "grouping_sets")
    )
    plain: dict[str, exp.Column] = {}
    for position, each in enumerate(select.selects, start=1):
        inner = each.unalias()
        by_group = not group or inner.sql() in grouped or str(position) in grouped
        if isinstance(inner, exp.Column) and (by_group or rollup):
            plain[each.alias_or_name] = inner
    outer_join = any(join.side for join in select.args.get("joins") or ())
    for conjunct in outer:
        if conjunct.columns <= set(plain) and (conjunct.simple or not (rollup or outer_join)):
            moved = _renamed(conjunct, {n: plain[n] for n in conjunct.columns})
            yield from _placed([moved], _sources(select))


def _renamed(conjunct: _Conjunct, columns: Mapping[str, exp.Column]) -> exp.Expr:
    holder = exp.Paren(this=conjunct.tree.copy())
    for column in find_all(holder, exp.Column):
        column.replace(columns[column.name].copy())
    renamed: exp.Expr = holder.this
    return renamed


def _by_position(
    outer: Sequence[_Conjunct], names: Sequence[str], side: exp.Expr
) -> list[_Conjunct]:
    if not isinstance(side, exp.Query):
        return []
    others = [each.alias_or_name for each in side.selects]
    if len(others) != len(names):
        return []
    place = {name: exp.column(other) for name, other in zip(names, others, strict=True)}
    return [
        _Conjunct(
            _renamed(each, {name: place[name] for name in each.columns}),
            frozenset(place[name].name for name in each.columns),
            each.simple,
        )
        for each in outer
        if each.columns <= set(place)
    ]


def _transferred(
    select: exp.Select, given: Sequence[tuple[str, _Conjunct]]
) -> list[tuple[str, _Conjunct]]:
    """Carry conditions over `a.x = b.x`, into the joined side of inner and left joins."""
    found: list[tuple[str, _Conjunct]] = []
    for join in select.args.get("joins") or ():
        if join.side.upper() not in {"", "LEFT"} or join.kind.upper() not in {"", "INNER"}:
            continue
        name = join.this.alias_or_name
        for tree in _split(join.args.get("on")):
            pair = _column_pair(tree, name)
            if pair is not None:
                there, here = pair
                found += [
                    (name, _Conjunct(_renamed(c, {there.name: here}), frozenset({here.name}), True))
                    for table, c in [*given, *found]
                    if table == there.table and c.simple and c.columns == {there.name}
                ]
    return found


def _column_pair(tree: exp.Expr, name: str) -> tuple[exp.Column, exp.Column] | None:
    if not isinstance(tree, exp.EQ):
        return None
    left, right = tree.left, tree.right
    if not (isinstance(left, exp.Column) and isinstance(right, exp.Column)):
        return None
    if left.table == name:
        left, right = right, left
    return (left, right) if right.table == name and left.table != name else None


def _constant(tree: exp.Expr) -> str | None:
    if isinstance(tree, exp.Literal):
        return carried(tree)
    if isinstance(tree, exp.Neg) and isinstance(tree.this, exp.Literal):
        return f"-{carried(tree.this)}"
    if isinstance(tree, exp.Cast) and tree.to.is_type(
        exp.DType.DATE, exp.DType.VARCHAR, exp.DType.TEXT
    ):
        return _constant(tree.this) if isinstance(tree.this, exp.Literal) else None
    return None


def _is_simple(tree: exp.Expr) -> bool:
    return any(True for _ in _simple(tree))


def _simple(tree: exp.Expr) -> Iterator[Condition]:
    if type(tree) in _COMPARE and isinstance(tree, exp.Binary):
        forward, backward = _COMPARE[type(tree)]
        for column, value, operator in (
            (tree.left, tree.right, forward),
            (tree.right, tree.left, backward),
        ):
            constant = _constant(value)
            if isinstance(column, exp.Column) and constant is not None:
                yield Condition(column.name, operator, (constant,))
    elif isinstance(tree, exp.Between) and isinstance(tree.this, exp.Column):
        low, high = _constant(tree.args["low"]), _constant(tree.args["high"])
        if low is not None and high is not None and not tree.args.get("symmetric"):
            yield Condition(tree.this.name, ">=", (low,))
            yield Condition(tree.this.name, "<=", (high,))
    elif isinstance(tree, exp.In) and isinstance(tree.this, exp.Column):
        values = [_constant(each) for each in tree.expressions]
        if values and not tree.args.get("query") and None not in values:
            yield Condition(tree.this.name, "in", tuple(str(value) for value in values))


def _conditions(conjunct: _Conjunct) -> Iterator[Condition]:
    simple = tuple(_simple(conjunct.tree))
    if simple:
        yield from simple
        return
    bare = exp.Paren(this=conjunct.tree.copy())
    for column in find_all(bare, exp.Column):
        column.replace(exp.column(exp.to_identifier(column.name, quoted=True)))
    yield Condition("", "sql", (bare.sql(dialect="duckdb"),))
