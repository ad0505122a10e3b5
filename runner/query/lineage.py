"""Personal data through the SQL of one file: which output columns hold which tagged columns.

In: rendered SQL, its analysis, the tagged columns of the tables that it reads.  Out: `Carried`
columns, or what cannot be followed.  Scopes are sqlglot's; the walk is ours.  What stands between
a mask's comments or inside a keyed hash goes no further, nor does what is only counted, compared
with NULL, joined on, filtered, grouped or ordered by.  A doubt counts as carried.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from runner.query.analysis import is_cte
from runner.query.columns import is_closed
from runner.query.facts import Carried, Lineage
from runner.query.masking import spans
from runner.query.parse import output_name, parse, selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runner.model.project import Column
    from runner.query.facts import Analysis
    from runner.query.rendered import Rendered

_ROUNDS = 20
"""Most passes over a recursive query; each moves a column on by one position at least."""
_COUNTING = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Exists)
_HASHES = frozenset({"hmac_md5", "hmac_sha1", "hmac_sha256", "hmac_sha512"})


_Origin = tuple[str, str, int]
_Taint = frozenset[_Origin]
_NONE: _Taint = frozenset()


class _LostError(Exception):
    """Something cannot be followed."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class _Source:
    """Something in FROM: columns in order, with what they hold."""

    columns: tuple[tuple[str, _Taint], ...]
    complete: bool
    """Whether these are all its columns."""
    others: _Taint = _NONE
    """What a column that is not listed holds."""

    def get(self, name: str) -> _Taint | None:
        """Give what a column holds; None when there is no such column for sure."""
        found = [taint for column, taint in self.columns if column == name]
        if found:
            return _union(found)
        return None if self.complete else self.others

    @property
    def taint(self) -> _Taint:
        """Give all that it holds."""
        return _union([self.others, *(taint for _, taint in self.columns)])


def trace(
    rendered: Rendered,
    analysis: Analysis,
    *,
    tagged: Mapping[str, frozenset[str]],
    schemas: Mapping[str, tuple[Column, ...]],
) -> Lineage:
    """Follow the tagged columns (by `database.table`) to the output columns of a query."""
    tree = parse(rendered, analysis.kind)
    database, masked = analysis.name.database, spans(rendered.sample)
    return trace_tree(tree, database, tagged=tagged, schemas=schemas, masked=masked)


def trace_tree(
    tree: exp.Expr,
    database: str,
    *,
    tagged: Mapping[str, frozenset[str]],
    schemas: Mapping[str, tuple[Column, ...]],
    masked: tuple[tuple[int, int], ...],
) -> Lineage:
    """Do the same with a tree; `masked` are the spans of its text that stand in masks."""
    tracer = _Tracer(database, tagged, schemas, masked)
    try:
        output = tracer.run(tree)
    except _LostError as lost:
        return Lineage(lost=lost.reason, lost_at=lost.offset)
    except SqlglotError as error:
        return Lineage(lost=f"names that cannot be told apart ({error})")
    return Lineage(
        tuple(
            sorted(
                Carried(name, table, column, offset)
                for name, taint in output.columns
                for table, column, offset in taint
            )
        )
    )


@dataclass(slots=True)
class _Tracer:
    database: str
    tagged: Mapping[str, frozenset[str]]
    schemas: Mapping[str, tuple[Column, ...]]
    masked: tuple[tuple[int, int], ...]
    outputs: dict[int, _Source] = field(default_factory=dict)
    """What each query gives, by id() of its expression."""
    seen: set[int] = field(default_factory=set)
    """The tables that were looked at, by id()."""

    def run(self, tree: exp.Expr) -> _Source:
        scopes = traverse_scope(tree)
        if not scopes:
            raise _LostError("a statement without a query", 0)
        recursive = any(clause.recursive for clause in tree.find_all(exp.With))
        for kind in (exp.MatchRecognize, exp.Pivot, exp.TableFromRows):
            strange = tree.find(kind)
            if strange is not None:
                raise _LostError(f"{kind.__name__} in FROM", start_of(strange))
        for _ in range(_ROUNDS if recursive else 1):
            before = dict(self.outputs)
            for scope in scopes:
                self.outputs[id(scope.expression)] = self._output(scope)
            if before == self.outputs:
                break
        self._require_all_seen(tree)
        return self.outputs[id(scopes[-1].expression)]

    def _require_all_seen(self, tree: exp.Expr) -> None:
        """Refuse a tagged table that stands where no table was looked for."""
        for table in tree.find_all(exp.Table):
            if not isinstance(table.this, exp.Identifier):  # a table function
                names = {column.sql().lower() for column in table.this.find_all(exp.Column)}
                if names & self.tagged.keys():
                    raise _LostError("a table function over it", start_of(table))
                continue
            if id(table) in self.seen:
                continue
            if not is_cte(table) and self._full_name(table).partition("$")[0] in self.tagged:
                raise _LostError(f"the place at which {table.name} stands", start_of(table))

    # --- what a query gives -------------------------------------------------------------------

    def _output(self, scope: Scope) -> _Source:
        query = scope.expression
        if isinstance(query, exp.SetOperation):
            found = self._set_operation(query)
        elif isinstance(query, exp.Select):
            found = self._select(scope)
        else:  # UNNEST and the like: looked at where they stand in FROM; brackets around a query
            inner = query.unnest() if isinstance(query, exp.Subquery) else query
            return self.outputs.get(id(inner), _Source((), complete=False))
        parent = query.parent
        return _renamed(found, parent if isinstance(parent, exp.CTE) else None, query)

    def _set_operation(self, query: exp.SetOperation) -> _Source:
        left = self._of_query(query.left)
        right = self._of_query(query.right)
        if isinstance(query, exp.Except) or (not right.taint and left.complete):
            return left
        if left.complete and right.complete and len(left.columns) == len(right.columns):
            pairs = zip(left.columns, right.columns, strict=True)
            return _Source(tuple((name, a | b) for (name, a), (_, b) in pairs), complete=True)
        if left.taint or right.taint:
            raise _LostError("a * in a UNION whose columns are not known", start_of(query))
        return left

    def _of_query(self, node: exp.Expr) -> _Source:
        found = self.outputs.get(id(node.unnest()))
        return found if found is not None else _Source((), complete=False)

    def _select(self, scope: Scope) -> _Source:
        sources = self._sources(scope)
        columns: list[tuple[str, _Taint]] = []
        complete = True
        for item in selects(scope.expression):
            name = output_name(item)
            if name != "*" and not name.endswith(".*"):
                columns.append((name, self._taint(item, scope, sources)))
                continue
            stars = sources.values() if name == "*" else [sources.get(name[:-2].lower())]
            for source in stars:
                if source is None:
                    self._fields(item, name[:-2].lower(), scope, sources)
                    complete = False
                    continue
                if source.others and not source.complete:
                    raise _LostError("a * over columns without names", start_of(item))
                columns += source.columns
                complete = complete and source.complete
        return _Source(tuple(columns), complete)

    def _fields(
        self, item: exp.Expr, name: str, scope: Scope, sources: Mapping[str, _Source]
    ) -> None:
        """Refuse `row.*` of a tagged column: its fields' names are not known."""
        if self._named(name, scope, sources):
            raise _LostError(f"{name}.*, the fields of a column", start_of(item))

    # --- what stands in FROM ------------------------------------------------------------------

    def _sources(self, scope: Scope) -> dict[str, _Source]:
        found: dict[str, _Source] = {}
        late: list[exp.Expr] = []
        for alias, (inside, source) in scope.selected_sources.items():
            around = inside.parent  # of a subquery sqlglot gives what stands in its brackets
            node: exp.Expr = around if isinstance(around, exp.Subquery) else inside
            if isinstance(node, exp.Unnest | exp.Lateral | exp.UDTF):
                late.append(node)
            elif isinstance(source, exp.Table):
                found[alias.lower()] = _renamed(self._table(source), node, node)
            elif isinstance(source, Scope):
                inner = self._inner(source.expression, inside)
                found[alias.lower()] = _renamed(inner, node, node)
        late += [node for node in _functions(scope.expression) if node not in late]
        for node in late:
            found[node.alias.lower()] = self._function(node, scope, found)
        return found

    def _inner(self, query: exp.Expr, node: exp.Expr) -> _Source:
        """Give what a subquery gives; of a recursive CTE, inside it, what is known so far."""
        whole = query
        while isinstance(node, exp.Table) and isinstance(whole.parent, exp.SetOperation):
            whole = whole.parent
        known = self.outputs.get(id(whole))
        if known is not None:
            return known
        first = self.outputs.get(id(query), _Source((), complete=False))
        return _renamed(first, whole.parent if isinstance(whole.parent, exp.CTE) else None, query)

    def _table(self, table: exp.Table) -> _Source:
        self.seen.add(id(table))
        if is_cte(table):
            return _Source((), complete=False)
        full, _, metadata = self._full_name(table).partition("$")
        tagged = self.tagged.get(full, frozenset())
        if metadata:  # such as "t$partitions" and "t$files", which show values of columns
            taint = frozenset((full, name, start_of(table)) for name in tagged)
            return _Source((), complete=False, others=taint)
        known = [column.name for column in self.schemas.get(full, ())]
        complete = bool(known)
        offset = start_of(table)
        names = [*known, *sorted(tagged - set(known))]
        return _Source(
            tuple((n, frozenset({(full, n, offset)}) if n in tagged else _NONE) for n in names),
            complete,
        )

    def _full_name(self, table: exp.Table) -> str:
        return f"{table.db.lower() or self.database}.{table.name.lower()}"

    def _function(self, node: exp.Expr, scope: Scope, sources: Mapping[str, _Source]) -> _Source:
        """Let every column of UNNEST, or of a LATERAL, hold what goes into it."""
        inner = node.this.unnest() if isinstance(node.this, exp.Expr) else None
        if inner is not None and id(inner) in self.outputs:
            return _renamed(self.outputs[id(inner)], node, node)
        taint = _union(
            self._taint(part, scope, sources)
            for part in [*node.expressions, *([node.this] if inner is not None else [])]
        )
        columns = [(name, taint) for name in _alias_columns(node)]
        number = node.args.get("offset")
        if columns and isinstance(number, exp.Identifier):
            columns.append((number.name.lower(), _NONE))
        return _Source(tuple(columns), complete=bool(columns), others=taint)

    # --- what an expression holds -------------------------------------------------------------

    def _taint(self, node: exp.Expr, scope: Scope, sources: Mapping[str, _Source]) -> _Taint:
        if isinstance(node, exp.Column):
            return self._column(node, scope, sources)
        if isinstance(node, exp.Query):
            inner = self.outputs.get(id(node.unnest()))
            return inner.taint if inner is not None else _NONE
        return _union(self._taint(part, scope, sources) for part in _values(node))

    def _column(self, column: exp.Column, scope: Scope, sources: Mapping[str, _Source]) -> _Taint:
        start = start_of(column)
        if any(begin <= start < end for begin, end in self.masked):
            return _NONE
        if isinstance(column.this, exp.Star):
            return self._star(column, sources)
        parts = [part.name.lower() for part in column.parts]
        if _is_lambda_argument(column, parts[0]):
            return _NONE
        taint = self._resolved(parts, scope, sources)
        return frozenset((table, name, start) for table, name, _ in taint)

    def _star(self, column: exp.Column, sources: Mapping[str, _Source]) -> _Taint:
        source = sources.get(column.table.lower())
        return source.taint if source is not None else _NONE

    def _resolved(self, parts: list[str], scope: Scope, sources: Mapping[str, _Source]) -> _Taint:
        """Read `a`, `t.a`, `db.t.a`, and fields of each: `a.field`, `t.a.field`."""
        for visible in self._outward(scope, sources):
            for index in range(
                min(3, len(parts) - 1)
            ):  # a table's name, or its database's and catalogue's
                source = visible.get(parts[index])
                if source is not None:
                    return source.get(parts[index + 1]) or _NONE
        return self._named(parts[0], scope, sources)

    def _named(self, name: str, scope: Scope, sources: Mapping[str, _Source]) -> _Taint:
        """Look for a column in FROM, then in the queries around."""
        for visible in self._outward(scope, sources):
            found = [taint for source in visible.values() if (taint := source.get(name))]
            if found:
                return _union(found)
            if any(source.complete and source.get(name) is not None for source in visible.values()):
                return _NONE
        return _NONE

    def _outward(
        self, scope: Scope, sources: Mapping[str, _Source]
    ) -> Iterator[Mapping[str, _Source]]:
        yield sources
        outer: Scope | None = scope
        while outer is not None and not is_closed(outer):
            outer = outer.parent
            if outer is not None and isinstance(outer.expression, exp.Select):
                yield self._sources(outer)


def _values(node: exp.Expr) -> Iterable[exp.Expr]:
    """Give the parts of an expression whose values go into its own."""
    if isinstance(node, _COUNTING) or _is_hash(node):
        return ()
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return ()
    if isinstance(node, exp.Window | exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        return (node.this,)
    if isinstance(node, exp.Order) and not isinstance(node.parent, exp.WithinGroup):
        return (node.this,) if isinstance(node.this, exp.Expr) else ()
    return node.iter_expressions()


def _is_hash(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() in _HASHES


def _is_lambda_argument(column: exp.Column, name: str) -> bool:
    node = column.parent
    while node is not None and not isinstance(node, exp.Query):
        if isinstance(node, exp.Lambda) and any(
            argument.name.lower() == name for argument in node.expressions
        ):
            return True
        node = node.parent
    return False


def _functions(query: exp.Expr) -> Iterator[exp.Expr]:
    """Give the UNNESTs and LATERALs of a FROM."""
    clause = query.args.get("from_")
    joined = [join.this for join in query.args.get("joins") or ()]
    for node in [*([clause.this] if clause is not None else []), *joined]:
        if isinstance(node, exp.Unnest | exp.Lateral):
            yield node
    yield from query.args.get("laterals") or ()


def _alias_columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return []
    return [column.name.lower() for column in alias.args.get("columns") or ()]


def _renamed(source: _Source, node: exp.Expr | None, at: exp.Expr) -> _Source:
    """Apply `AS t(a, b)`."""
    names = _alias_columns(node) if node is not None else []
    if not names:
        return source
    if source.complete and len(names) == len(source.columns):
        pairs = zip(names, source.columns, strict=True)
        return _Source(tuple((name, taint) for name, (_, taint) in pairs), complete=True)
    if source.taint:
        raise _LostError(f"columns named ({', '.join(names)}) that are not known", start_of(at))
    return _Source(tuple((name, _NONE) for name in names), complete=True)


def _union(taints: Iterable[_Taint]) -> _Taint:
    return frozenset().union(*taints)


def start_of(node: exp.Expr) -> int:
    """Give the offset at which an expression begins, as far as its names tell."""
    starts = [part.meta["start"] for part in node.find_all(exp.Identifier) if part.meta]
    return min(starts, default=0)


def literal_keys(rendered: Rendered, analysis: Analysis) -> tuple[int, ...]:
    """Give the places of keyed hashes whose key stands in the SQL."""
    if "hmac_" not in rendered.sample.lower():
        return ()
    tree = parse(rendered, analysis.kind)
    return tuple(
        start_of(node)
        for node in tree.find_all(exp.Anonymous)
        if _is_hash(node)
        and len(node.expressions) > 1
        and node.expressions[1].find(exp.Column, exp.Query) is None
    )
