"""What a SQL file says about tables: which it names and where, what it gives, what it filters.

In: rendered SQL, the table's name and kind.  Out: an `Analysis` of plain values that depends on the
file, the macros and the variables only; what it means among the other tables is `reads`' matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

from runner.errors import Fault, ProjectError
from runner.model.header import Kind
from runner.model.project import Column
from runner.query.facts import Analysis, ColumnMention, Mention, WindowFilter
from runner.query.parse import output_name, parse, selects, type_name
from runner.query.windowed import window_filters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.names import TableName
    from runner.query.rendered import Rendered


def analyse(rendered: Rendered, *, name: TableName, kind: Kind) -> Analysis:
    """Parse a rendered file and state its facts; ProjectError carries the faults."""
    faults = _marks_without_window(rendered, kind)
    tree = parse(rendered, kind)
    tables = [table for table in _tables(tree) if not is_cte(table)]
    target = tree.this.this if kind is Kind.DDL and hasattr(tree.this, "this") else None
    if kind is Kind.DDL and tree.this.key == "table":
        target = tree.this
    mentions = tuple(_mention(table, name, is_target=table is target) for table in tables)
    if kind is Kind.DDL:
        faults += _wrong_name(rendered, mentions, name)
        columns, partition_columns, location = _ddl_facts(tree)
    else:
        columns, partition_columns, location = _query_columns(tree), (), ""
        faults += [*_unusable_columns(rendered, tree), *_same_aliases(rendered, tree)]
    if faults:
        raise ProjectError(faults)
    indexes = {id(table): index for index, table in enumerate(tables)}
    filters = () if kind is Kind.DDL else _filters(rendered, tree, indexes)
    return Analysis(
        name=name,
        kind=kind,
        mentions=mentions,
        column_mentions=tuple(_column_mentions(tree, {m.table for m in mentions})),
        filters=filters,
        columns=columns,
        partition_columns=partition_columns,
        location=location,
    )


def _filters(
    rendered: Rendered, tree: exp.Expr, indexes: dict[int, int]
) -> tuple[WindowFilter, ...]:
    try:
        return window_filters(rendered, tree, indexes)
    except SqlglotError as error:
        fault = rendered.fault(
            0,
            "sql-scope",
            found=f"names that cannot be told apart: {error}",
            expected="a query in which every name has one meaning",
            advice="give tables and subqueries aliases of their own",
        )
        raise ProjectError([fault]) from error


# --- tables -------------------------------------------------------------------------------------


def _tables(tree: exp.Expr) -> list[exp.Table]:
    found = [t for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier)]
    return sorted(found, key=lambda table: span(table)[0])


def span(node: exp.Expr) -> tuple[int, int]:
    """Give the offsets of a name's first and last token (the end is exclusive)."""
    metas = [identifier.meta for identifier in node.find_all(exp.Identifier)]
    if isinstance(node, exp.Table):
        parts = [node.args.get(key) for key in ("catalog", "db", "this")]
        metas = [part.meta for part in parts if part is not None]
    metas = [meta for meta in metas if "start" in meta] or ([node.meta] if node.meta else [])
    if not metas:
        return 0, 0
    return min(meta["start"] for meta in metas), max(meta["end"] for meta in metas) + 1


def is_cte(table: exp.Table) -> bool:
    """Tell whether an unqualified name is that of a CTE in scope (SEMANTICS 26)."""
    if table.args.get("db") is not None:
        return False
    wanted = table.name.lower()
    child: exp.Expr = table
    node = table.parent
    while node is not None:
        clause = node if isinstance(node, exp.With) else node.args.get("with_")
        if isinstance(clause, exp.With) and wanted in _visible(clause, child):
            return True
        child, node = node, node.parent
    return False


def _visible(clause: exp.With, child: exp.Expr) -> Iterator[str]:
    """Give the CTEs that the child of a query (or of its WITH) can name."""
    for cte in clause.expressions:
        if cte is child:
            if clause.recursive:
                yield cte.alias.lower()
            return
        if child is clause:
            return
        yield cte.alias.lower()


def _mention(table: exp.Table, name: TableName, *, is_target: bool) -> Mention:
    start, end = span(table)
    database = table.args.get("db")
    catalog = table.args.get("catalog")
    written = table.name.lower().split("$")[0]
    full = f"{table.db.lower() if database is not None else name.database}.{written}"
    if catalog is not None and catalog.name.lower() != "awsdatacatalog":
        full = f"{catalog.name.lower()}.{full}"
    if database is None:
        return Mention(full, start, end, start, start, is_target)
    db_start, db_end = database.meta["start"], database.meta["end"] + 1
    return Mention(full, start, end, db_start, db_end, is_target)


def _column_mentions(tree: exp.Expr, tables: set[str]) -> Iterator[ColumnMention]:
    for column in tree.find_all(exp.Column):
        database = column.args.get("db")
        if database is None:
            continue
        table = f"{database.name.lower()}.{column.table.lower()}"
        if table in tables:
            yield ColumnMention(table, database.meta["start"], database.meta["end"] + 1)


# --- output columns -----------------------------------------------------------------------------


def _query_columns(tree: exp.Expr) -> tuple[Column, ...]:
    return tuple(Column(output_name(item)) for item in selects(tree))


def _unusable_columns(rendered: Rendered, tree: exp.Expr) -> list[Fault]:
    if not isinstance(tree, exp.Query):
        return [_unnamed(rendered, 0, "the columns of VALUES, which have no names")]
    faults: list[Fault] = []
    seen: set[str] = set()
    for item in selects(tree):
        output = output_name(item)
        start = _first_offset(item)
        if not output:
            shown = " ".join(item.sql(dialect="athena").split())
            faults.append(
                _unnamed(rendered, start, f"an output column without a name: {shown[:60]}")
            )
        elif output in seen and not output.endswith("*"):
            faults.append(
                rendered.fault(
                    start,
                    "column-twice",
                    found=f"a second output column named {output}",
                    expected="every column of a table has a name of its own",
                    advice="rename one of them with AS",
                )
            )
        seen.add(output)
    return faults


def _unnamed(rendered: Rendered, start: int, found: str) -> Fault:
    return rendered.fault(
        start,
        "column-unnamed",
        found=found,
        expected="a name for every column of the table",
        advice="add AS and a name",
    )


def _same_aliases(rendered: Rendered, tree: exp.Expr) -> Iterator[Fault]:
    """Find two tables of one FROM that answer to the same name."""
    for query in tree.find_all(exp.Select):
        clause = query.args.get("from_")
        joined = [join.this for join in query.args.get("joins") or ()]
        seen: set[str] = set()
        for source in [clause.this, *joined] if clause is not None else []:
            alias = source.alias_or_name.lower()
            if alias in seen:
                yield rendered.fault(
                    _first_offset(source),
                    "alias-twice",
                    found=f"a second {alias} in one FROM",
                    expected="a name of its own for every table of a FROM",
                    advice="give one of them another alias",
                )
            if alias:
                seen.add(alias)


def _first_offset(item: exp.Expr) -> int:
    starts = [node.meta["start"] for node in item.walk() if "start" in node.meta]
    return min(starts, default=0)


# --- ddl ----------------------------------------------------------------------------------------


def _ddl_facts(tree: exp.Expr) -> tuple[tuple[Column, ...], tuple[str, ...], str]:
    schema = tree.this
    definitions = [d for d in schema.expressions if isinstance(d, exp.ColumnDef)]
    partitioned = tree.find(exp.PartitionedByProperty)
    inner = partitioned.this.expressions if partitioned is not None else []
    partitions = [d for d in inner if isinstance(d, exp.ColumnDef)]
    location = tree.find(exp.LocationProperty)
    columns = tuple(Column(d.name.lower(), type_name(d.args["kind"])) for d in definitions)
    keys = tuple(Column(d.name.lower(), type_name(d.args["kind"])) for d in partitions)
    return columns + keys, tuple(key.name for key in keys), location.name if location else ""


def _wrong_name(rendered: Rendered, mentions: tuple[Mention, ...], name: TableName) -> list[Fault]:
    target = next((mention for mention in mentions if mention.is_target), None)
    if target is None or target.table == str(name):
        return []
    return [
        rendered.fault(
            target.start,
            "ddl-name",
            found=f"CREATE EXTERNAL TABLE {target.table}",
            expected=f"{name}, the name of the file",
            advice="rename the table in the statement, or the file",
        )
    ]


def _marks_without_window(rendered: Rendered, kind: Kind) -> list[Fault]:
    if kind not in (Kind.VIEW, Kind.DDL):
        return []
    return [
        rendered.fault(
            printed.sample_start,
            "mark-without-window",
            found=f"`{printed.mark.base}` in a table of kind {kind.value}",
            expected="no window: it is made once, not for each run",
            advice="filter where the table is read, or choose kind: insert",
        )
        for printed in rendered.printed
    ]
