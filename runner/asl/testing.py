"""The test query: every test of a table's header in one statement on its staged rows.

One row comes back for each partition: its partition columns, `rows`, then one cell for each test
but min_rows and max_rows, which the keeper judges by the rows: the number of offending rows, or
for `freshness` the newest value as text.  A value that another table must hold is looked up by a
join with that table's distinct values, which can add no row; the rows of a test's own query are
counted beside the staged ones and added (SEMANTICS 13).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.model.durations import seconds
from runner.model.header import ColumnTest, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.project import Table

THIS = "staged_rows"
"""What the statement calls the staged rows; a test's SQL names them so (query/header_sql.py)."""
_ROWS = '"rows"'
_LONGEST_NAME = 80


def is_iceberg(table: Table) -> bool:
    """Tell whether the table is published by a MERGE."""
    return table.header.format == "iceberg" and table.kind in (Kind.CTAS, Kind.INSERT)


def tests_of(table: Table) -> tuple[ColumnTest, ...]:
    """Give the tests of the header, and what a MERGE by keys takes for granted."""
    tests, keys = table.header.tests, table.header.keys
    if not is_iceberg(table) or not keys:
        return tests
    row = tuple(dict.fromkeys([*keys, *table.header.partition]))
    return (*tests, ColumnTest(unique=row), ColumnTest(not_null=keys))


def test_name(test: ColumnTest) -> str:
    """Name a test by its `name:`, else as its YAML says it: `unique: dt, carrier`."""
    if test.name:
        return test.name
    key, said = next(iter(_said(test)), ("nothing", ""))
    name = f"{key}: {said}"
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."


def _said(test: ColumnTest) -> Iterator[tuple[str, str]]:
    """Give the key that is set, and what names it among others of its kind."""
    for key in ("unique", "not_null", "accepted_values", "range"):
        columns = getattr(test, key)
        if columns:
            yield key, ", ".join(columns)
    for key in ("min_rows", "max_rows"):
        if getattr(test, key) is not None:
            yield key, str(getattr(test, key))
    if test.relationships:
        pairs = (f"{column} in {target}" for column, target in test.relationships.items())
        yield "relationships", ", ".join(pairs)
    if test.freshness:
        yield "freshness", f"{test.freshness.column} within {test.freshness.max_age}"
    if test.sql:
        yield "sql", " ".join(test.sql.split())


def test_facts(test: ColumnTest) -> dict[str, Any]:
    """Write what the keeper needs to judge a test."""
    facts: dict[str, Any] = {"name": test_name(test), "severity": test.severity, "test": "count"}
    if test.min_rows is not None:
        return {**facts, "test": "min_rows", "value": test.min_rows}
    if test.max_rows is not None:
        return {**facts, "test": "max_rows", "value": test.max_rows}
    if test.freshness is not None:
        return {**facts, "test": "freshness", "value": seconds(test.freshness.max_age)}
    return facts


def test_query(table: Table) -> str:
    """Write the test query up to the stage table's name."""
    select = f"SELECT {', '.join([*_keys(table), f'count(*) AS {_ROWS}', *_cells(table)])} FROM "
    if not _own_queries(table):
        return select
    return f"WITH {_name(THIS)} AS (SELECT * FROM "


def test_query_end(table: Table) -> str:
    """Write what follows the stage table's name in the test query."""
    queries = _own_queries(table)
    joins = "".join(_joins(table))
    if not queries:
        alias = f" AS {_name(THIS)}" if joins else ""
        return f"{alias}{joins}{_grouped(table)}"
    columns = [f"count(*) AS {_ROWS}", *_cells(table)]
    parts = [
        f"SELECT {', '.join([*_keys(table), *columns])} FROM {_name(THIS)}{joins}{_grouped(table)}",
        *(_counted(table, number, text) for number, text in queries.items()),
    ]
    sums = ", ".join([*_keys(table), f"sum({_ROWS}) AS {_ROWS}", *_sums(table)])
    union = "\nUNION ALL\n".join(parts)
    return f')\nSELECT {sums} FROM (\n{union}\n) AS "tested_"{_grouped(table)}'


def _keys(table: Table) -> list[str]:
    return [_name(column) for column in table.header.partition]


def _grouped(table: Table) -> str:
    keys = ", ".join(_keys(table))
    return f" GROUP BY {keys}" if keys else ""


def _tests(table: Table) -> list[tuple[int, ColumnTest]]:
    """Give the tests that have a cell, and where the header names them."""
    numbered = enumerate(tests_of(table))
    return [(at, t) for at, t in numbered if t.min_rows is None and t.max_rows is None]


def _own_queries(table: Table) -> dict[int, str]:
    """Give the SQL of tests that are queries, by the number of the cell."""
    return {
        number: sql
        for number, (at, test) in enumerate(_tests(table))
        if test.sql is not None and _is_query(sql := _sql(table, at))
    }


def _sql(table: Table, at: int) -> str:
    return table.test_sql[at]


def _is_query(sql: str) -> bool:
    return f'"{THIS}"' in sql


def _cells(table: Table) -> list[str]:
    """Count the offending staged rows of each test; 0 for a test that has a query of its own."""
    return [
        f"{_cell(table, at, test, number)} AS {_name(f't{number}')}"
        for number, (at, test) in enumerate(_tests(table))
    ]


def _sums(table: Table) -> list[str]:
    return [
        f"{'max' if test.freshness else 'sum'}({_name(f't{number}')}) AS {_name(f't{number}')}"
        for number, (_, test) in enumerate(_tests(table))
    ]


def _counted(table: Table, number: int, sql: str) -> str:
    """Count the rows of a test's own query by partition, in columns like those of all cells."""
    keys = [f"CAST({key} AS varchar) AS {key}" for key in _keys(table)]
    cells = [
        "CAST(NULL AS varchar)" if test.freshness else "count(*)" if other == number else "0"
        for other, (_, test) in enumerate(_tests(table))
    ]
    places = ", ".join(str(place) for place, _ in enumerate(keys, start=1))
    grouped = f" GROUP BY {places}" if keys else ""
    return f'SELECT {", ".join([*keys, "0", *cells])} FROM (\n{sql}\n) AS "offending_"{grouped}'


def _joins(table: Table) -> Iterator[str]:
    """Look values up in other tables: one of their distinct values, or NULL, for each row."""
    physical = {read.name: read.physical for read in table.tests_read}
    for number, (_, test) in enumerate(_tests(table)):
        for place, (column, target) in enumerate((test.relationships or {}).items()):
            other, _, wanted = target.rpartition(".")
            database, _, name = physical.get(other, other).partition(".")
            found = _name(_looked_up(number, place))
            yield (
                f" LEFT JOIN (SELECT DISTINCT {_name(wanted)} AS {found} "
                f"FROM {_name(database)}.{_name(name)} WHERE {_name(wanted)} IS NOT NULL) "
                f"AS {_name(f'{_looked_up(number, place)}_in')} "
                f"ON {_name(THIS)}.{_name(column)} = {found}"
            )


def _looked_up(number: int, place: int) -> str:
    return f"_r{number}_{place}"


def _cell(table: Table, at: int, test: ColumnTest, number: int) -> str:
    if test.unique:  # a ROW with NULL inside is not NULL, so that Trino counts it as a value
        columns = ", ".join(_name(column) for column in test.unique)
        return f"count(*) - count(DISTINCT ROW({columns}))"
    if test.freshness:
        return f"CAST(max({_name(test.freshness.column)}) AS varchar)"
    if test.sql is not None:
        sql = _sql(table, at)
        return "0" if _is_query(sql) else f"count_if((\n{sql}\n))"
    return _count_if(_conditions(test, number))


def _conditions(test: ColumnTest, number: int) -> Iterator[str]:
    """Say when a row offends; a comparison with NULL offends nowhere but in not_null."""
    for column in test.not_null or ():
        yield f"{_name(column)} IS NULL"
    for column, values in (test.accepted_values or {}).items():
        yield f"{_name(column)} NOT IN ({', '.join(_literal(value) for value in values)})"
    for column, (least, greatest) in (test.range or {}).items():
        if least is not None:
            yield f"NOT ({_name(column)} >= {_number(least)})"  # NaN lies in no range
        if greatest is not None:
            yield f"NOT ({_name(column)} <= {_number(greatest)})"
    for place, column in enumerate(test.relationships or ()):
        missing = f"{_name(_looked_up(number, place))} IS NULL"
        yield f"{_name(column)} IS NOT NULL AND {missing}"


def _count_if(conditions: Iterator[str]) -> str:
    return f"count_if({' OR '.join(conditions) or 'false'})"


def _name(column: str) -> str:
    return f'"{column}"'


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
