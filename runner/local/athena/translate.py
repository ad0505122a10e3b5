"""A query of Athena's SQL becomes a template of DuckDB SQL.

In: the query's text, its database, and a way to look tables up.  Out: a `Template`; failures are
worded as Athena's.  Only this module's callers on a cache miss pay for sqlglot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import (
    ErrorLevel,
    OptimizeError,
    ParseError,
    SchemaError,
    TokenError,
    UnsupportedError,
)
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from runner.local.athena import names, tablefunctions
from runner.local.athena.analysis import analyse
from runner.local.athena.analysis.places import exact_place
from runner.local.athena.annotators import METADATA
from runner.local.athena.digests import spell_digests
from runner.local.athena.errors import AthenaFailure, syntax_error, unsupported
from runner.local.athena.expand import expand
from runner.local.athena.families import is_free, let_write
from runner.local.athena.functions import check_functions
from runner.local.athena.functions_maths import refuse_patterns
from runner.local.athena.hidden import HIDDEN, has
from runner.local.athena.hiddennames import drop_unnamed, hidden_columns, mark_hidden
from runner.local.athena.lexer import tokenize
from runner.local.athena.literals import check_literals
from runner.local.athena.passes import PASSES
from runner.local.athena.passes.json import mark_json
from runner.local.athena.positions import forget_places, place_of
from runner.local.athena.prepare import unify_rows
from runner.local.athena.pruning import find_conditions
from runner.local.athena.recursion import unroll
from runner.local.athena.reserved import check_query
from runner.local.athena.sqljson import spell_json
from runner.local.athena.sqltypes import parse_type
from runner.local.athena.template import Scan, Template, scan_name
from runner.local.athena.travel import refuse_old_periods, travel_name
from runner.local.athena.trees import copied, find_all, kind_of
from runner.local.athena.values import settle_unions, settle_values
from runner.local.athena.writtennames import written_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.athena.dialect import Given
    from runner.local.athena.tables import TableInfo
    from runner.local.athena.template import DecimalLiterals

    Lookup = Callable[[str, str], TableInfo | None]

_CATALOGS = frozenset({"", "awsdatacatalog"})
_UNNAMED = "zqunnamedzq"
_DEEPEST = 30
_NAMED = 2
"""Parts of a column's name that only a database and a catalogue exceed."""


@dataclass
class _Tables:
    lookup: Lookup
    has_decimals: bool
    scans: list[tuple[TableInfo, str, str]] = field(default_factory=list)
    """Tables with database and name as the text has them (with a shape's placeholders)."""
    reads: dict[tuple[str, str], str] = field(default_factory=dict)
    views: list[tuple[TableInfo, int, int]] = field(default_factory=list)
    """The views that the query names itself, with line and column."""
    found: dict[tuple[str, str], TableInfo | None] = field(default_factory=dict)

    def find(self, database: str, name: str) -> TableInfo | None:
        """Look a table up, each only once."""
        if (database, name) not in self.found:
            self.found[database, name] = self.lookup(database, name)
        return self.found[database, name]


def _go_on() -> None:
    """Let nothing stop the translation."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """How a query is translated; see `translate_query`."""

    database: str
    lookup: Lookup
    decimals: DecimalLiterals
    free: bool
    check: Callable[[], object]


def translate_query(
    sql: str,
    *,
    database: str,
    lookup: Lookup,
    decimals: DecimalLiterals = "double",
    free: bool = False,
    check: Callable[[], object] = _go_on,
) -> Template:
    """Translate one query; raises AthenaFailure, with the place of what is wrong if it is known.

    `free`: see families.py; raises Looked then.  What `check` raises between the steps ends it.
    """
    try:
        return _translated(sql, _Choice(database, lookup, decimals, free, check))
    except AthenaFailure as failure:
        if isinstance(failure.at, exp.Expr) and spell_json(sql) == sql:
            failure.put(*place_of(failure.at, names.tokens_of(sql)))
        raise


def _translated(sql: str, choice: _Choice) -> Template:
    refuse_patterns(sql)
    check_functions(sql)
    check_literals(sql)
    refuse_old_periods(sql)
    check_query(sql, tokenize(sql))
    tables = _Tables(choice.lookup, has_decimals=choice.decimals == "decimal")
    choice.check()
    parsed, given = _parse_noted(sql, free=choice.free)
    choice.check()
    _analyse(parsed, given, sql, choice.database, tables)
    tree = unify_rows(unroll(spell_digests(tablefunctions.expand(parsed, sql))))
    _check_forms(tree)
    written = written_names(tree)
    _mark_unnamed(tree)
    tree = _resolve(tree, choice.database, tables, depth=0)
    _name_session(tree, choice.database)
    _type_decimals(tree, choice.decimals)
    settle_values(tree)
    tree = mark_json(tree)
    choice.check()
    tree = _qualified(tree, tables)
    declared = _declared(tree)
    _name_unnamed(tree)
    for apply in PASSES:
        choice.check()
        tree = apply(tree)
    choice.check()
    keys = {
        scan_name(number): frozenset(
            field.name for field in (table.fields() if table.is_iceberg else table.keys)
        )
        for number, (table, _, _) in enumerate(tables.scans)
    }
    conditions = find_conditions(tree, keys)
    hidden = hidden_columns(tree, [table for table, _, _ in tables.scans])
    if choice.free:
        let_write(tree)
    return Template(
        shown=_shown(tree),
        sql=_generate(tree),
        scans=tuple(
            Scan(database_, name, conditions.get(scan_name(number), ()), hidden[number])
            for number, (_, database_, name) in enumerate(tables.scans)
        ),
        reads=tuple((*key, fingerprint) for key, fingerprint in tables.reads.items()),
        shows=tree.meta.get("shows", ()),
        declared=declared,
        names=written,
        views=tuple(tables.views),
    )


def _analyse(
    tree: exp.Query, given: dict[int, Given], sql: str, database: str, tables: _Tables
) -> None:
    """Refuse what Trino refuses before it runs; raises AthenaFailure with its exact place."""
    sql = spell_json(sql)
    try:
        analyse(
            tree,
            sql=sql,
            arguments=given,
            database=database,
            lookup=tables.find,
            has_decimals=tables.has_decimals,
        )
    except AthenaFailure as failure:
        if isinstance(failure.at, exp.Expr):
            failure.put(*exact_place(sql, tree, failure.at))
            failure.at = None
        raise
    except RecursionError:
        pass  # nested too deep to be judged; what runs it says what is wrong
    _refuse_counts(given)


def parse_query(sql: str) -> None:
    """Read a query as far as its words go; raises AthenaFailure."""
    refuse_patterns(sql)
    _parse_noted(sql)


def _declared(tree: exp.Query) -> tuple[str, ...]:
    """Give the types with a length of columns that are shown as they are declared."""
    if not isinstance(tree, exp.Select):
        return ()
    found = tuple(_length(each.unalias()) for each in tree.expressions)
    return found if any(found) else ()


def _length(node: exp.Expr) -> str:
    kind = node.type
    if not isinstance(node, exp.Column | exp.Cast) or not isinstance(kind, exp.DataType):
        return ""
    if kind.this not in {exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR}:
        return ""
    return kind.sql(dialect="trino").lower() if kind.expressions else ""


def _shown(tree: exp.Query) -> str:
    """Write the query so that zones that differ from row to row come along; empty if none do."""
    zones = tree.meta.get("zones")
    if not zones or not isinstance(tree, exp.Select) or tree.args.get("distinct"):
        return ""
    found = tree.copy()
    for number, zone in zones.items():
        each = found.expressions[number]
        pair = {"t": each.unalias(), "z": zone}
        fields = [exp.PropertyEQ(this=exp.to_identifier(n), expression=v) for n, v in pair.items()]
        each.replace(exp.alias_(exp.Struct(expressions=fields), each.alias_or_name, quoted=True))
    return _generate(found)


def _generate(tree: exp.Query) -> str:
    """Write DuckDB's SQL; what sqlglot would only warn of is refused.  The tree is used up."""
    try:
        return tree.sql(dialect="duckdb", copy=False, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise unsupported(f"Something in this query ({error})") from error


def _parse(sql: str) -> exp.Query:
    tree, given = _parse_noted(sql)
    _refuse_counts(given)
    return tree


def _refuse_counts(given: dict[int, Given]) -> None:
    """Refuse calls of more or fewer arguments than the parser knows of."""
    for each in given.values():
        if each.error is not None:
            raise _syntax(each.error) from each.error


def _parse_noted(sql: str, *, free: bool = False) -> tuple[exp.Query, dict[int, Given]]:
    """Parse a query; also tells what calls were given, by the identity of their nodes."""
    try:
        trees, given = names.parse_noted(spell_json(sql), free=free)
    except ParseError as error:
        raise _syntax(error) from error
    except TokenError as error:
        raise syntax_error(1, 1, f"mismatched input: {error}") from error
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        raise syntax_error(1, 1, "Only one sql statement is allowed.")
    tree = found[0]
    if isinstance(tree, exp.Values):
        tree = exp.select("*").from_(tree)
    if not isinstance(tree, exp.Query):
        raise unsupported(f"{tree.key.upper()} statement", line=1, column=1)
    return tree, given


def _syntax(error: ParseError) -> AthenaFailure:
    found = error.errors[0] if error.errors else {}
    word = str(found.get("highlight") or "")
    line, column = int(found.get("line") or 1), int(found.get("col") or 1)
    wanted = str(found.get("description") or "").split(" but got ")[0].split(" missing for ")[0]
    wanted = wanted.removeprefix("Expecting ")
    return syntax_error(
        line,
        max(1, column - len(word) + 1),
        f"mismatched input '{word or '<EOF>'}'. Expecting: {wanted or 'a valid statement'}",
    )


def _resolve(tree: exp.Query, database: str, tables: _Tables, *, depth: int) -> exp.Query:
    """Replace tables by scans and views by their queries."""
    if depth > _DEEPEST:
        raise AthenaFailure("VIEW_IS_RECURSIVE", "Statement stack is too deep")
    nodes = find_all(tree, exp.Column, exp.Table)
    for column in nodes:
        if isinstance(column, exp.Column) and len(column.args) > _NAMED:
            column.set("db", None)
            column.set("catalog", None)
    for table in nodes:
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            continue
        if not table.db and _is_cte(table):
            continue
        info = _look_up(table, database, tables)
        if info.view is None:
            _put_scan(table, info, tables, table.db.lower() or database)
        else:
            if table.args.get("version"):
                raise unsupported("Time travel of a view")
            if depth == 0:
                tables.views.append((info, *_place(table)))
            _put_view(table, _view(table, info, tables, depth=depth))
    return tree


def _view(table: exp.Table, info: TableInfo, tables: _Tables, *, depth: int) -> exp.Query:
    """Resolve a view's own query; what is wrong in it is told with the view's name."""
    if info.view is None:  # pragma: no cover - the caller knows; for the type checker
        raise unsupported("This view")
    try:
        parsed, given = _parse_noted(info.view.sql)
        _analyse(parsed, given, info.view.sql, info.view.database, tables)
        inner = unify_rows(unroll(spell_digests(tablefunctions.expand(parsed, info.view.sql))))
        _mark_unnamed(inner)
        resolved = _resolve(inner, info.view.database, tables, depth=depth + 1)
    except AthenaFailure as failure:
        if failure.code in {"VIEW_IS_RECURSIVE", "INVALID_VIEW"}:
            raise
        line, column = _place(table)
        why = failure.reason.removeprefix(f"{failure.code}: ")
        raise AthenaFailure(
            "INVALID_VIEW",
            f"Failed analyzing stored view 'awsdatacatalog.{info}': {why}",
            line=line,
            column=column,
        ) from failure
    forget_places(resolved)  # they are places in the view's text
    return resolved


def _is_cte(table: exp.Table) -> bool:
    """Tell whether a bare name is a common table expression in scope."""
    name = table.name.lower()
    node: exp.Expr | None = table
    while node is not None:
        with_ = node.args.get("with_") or node.args.get("with")
        if with_ is not None:
            for cte in with_.expressions:
                inside = table.find_ancestor(exp.CTE) is cte and not with_.args.get("recursive")
                if cte.alias.lower() == name and not inside:
                    return True
        node = node.parent
    return False


def _look_up(table: exp.Table, database: str, tables: _Tables) -> TableInfo:
    line, column = _place(table)
    schema, name = (table.db or database).lower(), table.name.lower()
    travelled = travel_name(name, table.args.get("version"))
    if table.catalog.lower() not in _CATALOGS:
        raise AthenaFailure(
            "CATALOG_NOT_FOUND",
            f"Catalog '{table.catalog}' does not exist",
            line=line,
            column=column,
        )
    info = tables.find(schema, travelled)
    if info is None:
        raise AthenaFailure(
            "TABLE_NOT_FOUND",
            f"Table 'awsdatacatalog.{schema}.{name}' does not exist",
            line=line,
            column=column,
        )
    tables.reads[schema, travelled] = info.fingerprint()
    return info


def _put_scan(table: exp.Table, info: TableInfo, tables: _Tables, database: str) -> None:
    name = table.name.lower()
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    table.set("this", exp.to_identifier(scan_name(len(tables.scans)), quoted=True))
    table.set("db", None)
    table.set("catalog", None)
    tables.scans.append((info, database, travel_name(name, table.args.get("version"))))
    table.set("version", None)


def _put_view(table: exp.Table, inner: exp.Query) -> None:
    alias = table.args.get("alias") or exp.TableAlias(
        this=exp.to_identifier(table.name.lower(), quoted=True)
    )
    query = exp.Subquery(this=inner, alias=alias)
    for name in ("joins", "laterals", "pivots"):
        if table.args.get(name):
            query.set(name, table.args[name])
    table.replace(query)


def _place(tree: exp.Expr) -> tuple[int, int]:
    """Give line and column where a node begins in the text; (0, 0) when it is not known."""
    places = [
        (node.meta["line"], node.meta["col"] - (node.meta["end"] - node.meta["start"]))
        for node in find_all(tree, exp.Identifier)
        if "line" in node.meta
    ]
    return min(places) if places else (0, 0)


def _check_forms(tree: exp.Query) -> None:
    """Refuse what DuckDB knows and Athena does not; rewrite lists of rows."""
    nodes = find_all(tree, exp.Join, exp.Array, exp.In)
    for join in nodes:
        if isinstance(join, exp.Join) and join.method.upper() == "NATURAL":
            raise AthenaFailure("NOT_SUPPORTED", "Natural join not supported")
    for node in nodes:
        if isinstance(node, exp.In):
            _list_rows(node)
        elif isinstance(node, exp.Array) and any(
            isinstance(each, exp.Query) for each in node.expressions
        ):
            raise syntax_error(1, 1, "mismatched input 'SELECT'. Expecting: <expression>")


def _list_rows(node: exp.In) -> None:
    """Write `IN (VALUES (1, 2), (3, 4))` as `IN ((1, 2), (3, 4))`."""
    values = node.expressions[0] if len(node.expressions) == 1 else None
    if isinstance(values, exp.Values) and all(
        isinstance(each, exp.Tuple) and len(each.expressions) > 1 for each in values.expressions
    ):
        node.set("expressions", values.expressions)


def _mark_unnamed(tree: exp.Expr) -> None:
    """Give Trino's unnamed columns a name that is recognised after stars are expanded."""
    count = 0
    for select in find_all(tree, exp.Select):
        for each in tuple(select.expressions):
            named = isinstance(each, exp.Column | exp.Alias | exp.Aliases | exp.Dot | exp.Explode)
            if not named and not each.is_star:
                count += 1
                holder = exp.Placeholder()
                each.replace(holder)
                holder.replace(exp.alias_(each, f"{_UNNAMED}{count}", copy=False))


def _name_unnamed(tree: exp.Expr) -> None:
    """Turn the markers into `_col<position>`, wherever they are referred to."""
    nodes = find_all(tree, exp.Select, exp.Identifier)
    names = {
        each.alias: f"_col{number}"
        for select in reversed(nodes)  # the outermost decides
        if isinstance(select, exp.Select)
        for number, each in enumerate(select.expressions)
        if isinstance(each, exp.Alias | exp.Subquery) and each.alias.startswith(_UNNAMED)
    }
    for identifier in nodes if names else ():
        if isinstance(identifier, exp.Identifier) and identifier.name in names:
            identifier.set("this", names[identifier.name])


def _name_session(tree: exp.Expr, database: str) -> None:
    """Give the names of catalogue and database; refuse the user's, which only AWS knows."""
    for node in find_all(tree, exp.CurrentCatalog, exp.CurrentUser, exp.Column):
        if isinstance(node, exp.CurrentUser):
            raise unsupported("current_user")
        if isinstance(node, exp.CurrentCatalog):
            node.replace(exp.Literal.string("awsdatacatalog"))
        elif isinstance(node, exp.Column) and _is_schema(node):
            node.replace(exp.Literal.string(database))


def _is_schema(node: exp.Column) -> bool:
    return node.name.lower() == "current_schema" and not node.table and not node.this.quoted


def _type_decimals(tree: exp.Expr, decimals: DecimalLiterals) -> None:
    """Give literals such as 1.50 their type: DOUBLE, or DECIMAL(3, 2)."""
    for literal in find_all(tree, exp.Literal):
        if is_free(literal):
            continue
        whole, point, fraction = literal.name.partition(".")
        if literal.is_string or not point or "e" in literal.name.lower():
            continue
        digits = len(whole.lstrip("0")) + len(fraction)
        kind = kind_of(
            "DOUBLE" if decimals == "double" else f"DECIMAL({max(digits, 1)}, {len(fraction)})"
        )
        literal.replace(exp.cast(literal.copy(), kind))


def _qualified(tree: exp.Query, tables: _Tables) -> exp.Query:
    """Name every column's source and annotate types, as far as the tree lets us."""
    hidden = HIDDEN if mark_hidden(tree) else {}
    schema = MappingSchema(
        {
            scan_name(number): {
                **{f.name.lower(): copied(_column_type(f.type)) for f in table.fields()},
                **{name: kind for name, kind in hidden.items() if has(table, name)},
            }
            for number, (table, _, _) in enumerate(tables.scans)
        },
        dialect="trino",
        normalize=False,
    )
    expanded = expand(tree, lambda each: _typed(each, schema))
    typed = _typed(expanded, schema)
    if hidden:
        drop_unnamed(typed)
    return _typed(typed, schema) if settle_unions(typed) else typed


@lru_cache(maxsize=1024)
def _column_type(text: str) -> exp.DataType:
    """Read a column's type once a process, as sqlglot reads those of a schema."""
    kind = parse_type(text).trino().replace("timestamp(3)", "timestamp")
    dialect = Dialect.get_or_raise("trino")
    found = exp.DataType.from_str(kind, dialect=dialect, udt=dialect.SUPPORTS_USER_DEFINED_TYPES)
    found.transform(dialect.normalize_identifier, copy=False)
    return found


def _typed(tree: exp.Query, schema: MappingSchema) -> exp.Query:
    try:
        found = qualify(
            copied(tree),
            dialect="trino",
            schema=schema,
            expand_alias_refs=False,
            validate_qualify_columns=False,
            quote_identifiers=False,
            canonicalize_table_aliases=False,
        )
    except (OptimizeError, SchemaError, ParseError):
        found = tree
    checked = annotate_types(found, schema, METADATA, dialect="trino")
    if not isinstance(checked, exp.Query):
        raise unsupported("This query")
    return checked
