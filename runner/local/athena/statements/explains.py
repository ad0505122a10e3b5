"""EXPLAIN [ANALYZE]: the plan as text, in the layout of Athena's, or as JSON.

The output, the tables, their columns and the partitions that are read are Athena's facts; the
operators between them are those that DuckDB chose.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.errors import syntax_error, unsupported
from runner.local.athena.session import Cursor, Outcome, read_statement
from runner.local.athena.sqltypes import SqlType
from runner.local.athena.statements.prepares import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.local.athena.partitions import Part
    from runner.local.athena.session import Session, Statement
    from runner.local.athena.tables import TableInfo

_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "(", "TABLE"})
_NAMES = {
    "PROJECTION": "Project",
    "FILTER": "Filter",
    "HASH_JOIN": "Join",
    "NESTED_LOOP_JOIN": "Join",
    "PIECEWISE_MERGE_JOIN": "Join",
    "CROSS_PRODUCT": "CrossJoin",
    "HASH_GROUP_BY": "Aggregate",
    "PERFECT_HASH_GROUP_BY": "Aggregate",
    "UNGROUPED_AGGREGATE": "Aggregate",
    "ORDER_BY": "Sort",
    "TOP_N": "TopN",
    "LIMIT": "Limit",
    "STREAMING_LIMIT": "Limit",
    "WINDOW": "Window",
    "STREAMING_WINDOW": "Window",
    "UNNEST": "Unnest",
    "UNION": "Union",
    "DUMMY_SCAN": "Values",
    "COLUMN_DATA_SCAN": "Values",
    "EMPTY_RESULT": "Values",
}
_SHOWN = ("Expression", "Conditions", "Join Type", "Groups", "Aggregates", "Order By", "Top")
_MOST_PARTITIONS = 100


class _Options(NamedTuple):
    analyze: bool
    format: str
    type: str


def explain(session: Session, statement: Statement) -> Outcome:
    """Give the plan of a query, or of the query of an INSERT, CTAS or UNLOAD."""
    cursor = Cursor(statement)
    cursor.expect("EXPLAIN")
    options = _options(cursor)
    sql, start = cursor.rest_in_place(), cursor.rest()[1]
    if read_statement(sql).words()[:1] == ("EXECUTE",):
        statement = resolve(session, read_statement(sql))
        sql, start = statement.sql, 0
    query, written = _query(sql, start, statement)
    plan = session.planner.plan(session.cursor, query, database=session.database)
    if options.type == "VALIDATE":
        return _outcome("Valid", (True,), SqlType("boolean"))
    names = [name for name, _ in plan.columns]
    scans = session.planner.scans(session.cursor, query, database=session.database)
    tree = _tree(session, plan.sql)
    facts, scanned = [], 0
    if options.analyze:
        found = session.engine.run(session.cursor, plan.sql)
        scanned = plan.scanned(found.bytes_read)
        facts = [f"Output: {len(found.rows)} rows", f"Data scanned: {scanned} bytes"]
    if options.format == "JSON":
        content = _as_json(tree, names, scans, facts)
        return _outcome("Query Plan", (content,), bytes_scanned=scanned)
    lines = _text(tree, names, scans, written=written, facts=facts)
    return _outcome("Query Plan", ("\n".join(lines),), bytes_scanned=scanned)


def _outcome(
    name: str, row: tuple[Any, ...], kind: SqlType | None = None, *, bytes_scanned: int = 0
) -> Outcome:
    columns = ((name, kind or SqlType("varchar")),)
    return Outcome("UTILITY", "EXPLAIN", columns, (row,), bytes_scanned=bytes_scanned)


def _options(cursor: Cursor) -> _Options:
    analyze = cursor.accept("ANALYZE")
    found = {"FORMAT": "TEXT", "TYPE": "LOGICAL"}
    mark = cursor.mark()
    if cursor.accept("("):
        token = cursor.peek()
        if token is None or token.word() not in found:
            cursor.reset(mark)
            return _Options(analyze, **{key.lower(): value for key, value in found.items()})
        while True:
            name = cursor.take().word()
            if name not in found or (analyze and name == "TYPE"):
                raise cursor.fault("Expecting: FORMAT or TYPE")
            found[name] = cursor.take().word()
            if cursor.accept(")"):
                break
            cursor.expect(",")
    if found["FORMAT"] not in {"TEXT", "JSON"} or found["TYPE"] == "IO":
        raise unsupported(f"EXPLAIN (TYPE {found['TYPE']}, FORMAT {found['FORMAT']})")
    if found["TYPE"] not in {"LOGICAL", "DISTRIBUTED", "VALIDATE"}:
        raise cursor.fault("Expecting: LOGICAL, DISTRIBUTED, VALIDATE or IO")
    return _Options(analyze, found["FORMAT"], found["TYPE"])


def _query(sql: str, start: int, statement: Statement) -> tuple[str, str]:
    """Give the query of a statement, and the table or place that it writes, if it does."""
    inner = read_statement(sql)
    words = inner.words()
    first = words[0] if words else "<EOF>"
    if first in _QUERIES:
        return sql, ""
    cursor = Cursor(inner)
    if first == "UNLOAD":
        from runner.local.athena.statements.unload import take_query  # noqa: PLC0415 - rare

        return take_query(inner)[0], "UNLOAD"
    if words[:2] in {("INSERT", "INTO"), ("CREATE", "TABLE")}:
        cursor.expect(*words[:2])
        _, name = cursor.qualified("")
        while not cursor.ended():
            token = cursor.peek()
            if token is not None and token.word() in _QUERIES:
                return cursor.rest_in_place(), name
            if cursor.take().word() == "AS":
                return cursor.rest_in_place(), name
    from runner.local.athena.lexer import position  # noqa: PLC0415 - only failures

    raise syntax_error(
        *position(statement.sql, start), f"mismatched input '{first}'. Expecting: a query"
    )


def _tree(session: Session, sql: str) -> dict[str, Any]:
    found = session.engine.run(session.cursor, f"EXPLAIN (FORMAT json) {sql}")
    tree: dict[str, Any] = json.loads(found.rows[0][1])[0]
    return tree


def _text(
    tree: dict[str, Any],
    names: Sequence[str],
    scans: Sequence[tuple[TableInfo, Sequence[Part]]],
    *,
    written: str,
    facts: Sequence[str],
) -> Iterator[str]:
    columns = ", ".join(names)
    if written:
        yield f"TableCommit[{written}]"
    yield f"- Output[{columns}] => [[{columns}]]"
    yield from (f"        {fact}" for fact in facts)
    yield from _nodes(tree, 1)
    for table, parts in scans:
        yield from _scan(table, parts)


def _nodes(node: dict[str, Any], depth: int) -> Iterator[str]:
    name = _NAMES.get(node["name"].strip(), node["name"].strip())
    extra = node.get("extra_info") or {}
    shown = "; ".join(f"{key} = {_one_line(extra[key])}" for key in _SHOWN if key in extra)
    yield f"{'    ' * depth}- {name}[{shown}]"
    for child in node.get("children") or ():
        yield from _nodes(child, depth + 1)


def _one_line(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return " ".join(text.split())


def _scan(table: TableInfo, parts: Sequence[Part]) -> Iterator[str]:
    names = ", ".join(field.name for field in table.fields())
    yield (
        f"TableScan[awsdatacatalog:HiveTableHandle{{schemaName={table.database}, "
        f"tableName={table.name}, analyzePartitionValues=Optional.empty}}] => [[{names}]]"
    )
    yield f"        LAYOUT: {table.database}.{table.name}"
    for number, field in enumerate(table.columns):
        yield f"        {field.name} := {field.name}:{field.type}:{number}:REGULAR"
    for number, key in enumerate(table.keys):
        yield f"        {key.name} := {key.name}:{key.type}:-1:PARTITION_KEY"
        values = sorted({str(part.values[number]) for part in parts})
        shown = "], [".join(values[:_MOST_PARTITIONS])
        more = f" and {len(values) - _MOST_PARTITIONS} more" if values[_MOST_PARTITIONS:] else ""
        yield f"            :: [[{shown}]]{more}"


def _as_json(
    tree: dict[str, Any],
    names: Sequence[str],
    scans: Sequence[tuple[TableInfo, Sequence[Part]]],
    facts: Sequence[str],
) -> str:
    content = {
        "name": "Output",
        "descriptor": {"columnNames": f"[{', '.join(names)}]"},
        "outputs": list(names),
        "details": [*facts, *(line for scan in scans for line in _scan(*scan))],
        "children": [_json_node(tree)],
    }
    return json.dumps(content, indent=3)


def _json_node(node: dict[str, Any]) -> dict[str, Any]:
    extra = node.get("extra_info") or {}
    return {
        "name": _NAMES.get(node["name"].strip(), node["name"].strip()),
        "descriptor": {key: _one_line(extra[key]) for key in _SHOWN if key in extra},
        "children": [_json_node(child) for child in node.get("children") or ()],
    }
