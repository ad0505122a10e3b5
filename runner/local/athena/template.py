"""A translated statement: DuckDB SQL with places for files, and what it was made from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from runner.local.athena.shape import Shape
    from runner.local.athena.tables import TableInfo

Operator = Literal["in", "<", "<=", ">", ">=", "sql"]
DecimalLiterals = Literal["double", "decimal"]
"""What 1.5 is: Athena has Trino's parse-decimal-literals-as-double on, Trino has it off."""


class Condition(NamedTuple):
    """What a query demands of a scan's partition columns; all of a scan's hold at once.

    `in` and the comparisons are between `column` and the values as text; `sql` is a DuckDB
    expression over the partition columns, alone in `values`.
    """

    column: str
    operator: Operator
    values: tuple[str, ...]


class Scan(NamedTuple):
    """One reading of a table: it stands in the SQL as the identifier `"__scan_<n>"`."""

    database: str
    table: str
    conditions: tuple[Condition, ...] = ()
    hidden: tuple[str, ...] = ()
    """Columns beside the table's own that the query names, such as `$path`."""


class Template(NamedTuple):
    """A query, ready but for its files and literals."""

    sql: str
    scans: tuple[Scan, ...]
    reads: tuple[tuple[str, str, str], ...]
    """Database, name and fingerprint of every table and view it was translated with."""
    columns: tuple[tuple[str, str], ...] = ()
    """Output names and DuckDB types; filled in when DuckDB has bound the query."""
    shows: tuple[str, ...] = ()
    """How to show each column: a time zone, `months`, `*` for a zone in each row, or nothing."""
    shown: str = ""
    """The query for showing its rows, where it differs: with the zones of each row."""
    declared: tuple[str, ...] = ()
    """Of each column its type as it was declared, where DuckDB's lacks a length; or nothing."""
    names: tuple[str, ...] = ()
    """The columns' names as they are written, if any is not in lower case; see writtennames."""

    views: tuple[tuple[TableInfo, int, int], ...] = ()
    """The views that the query names itself, with line and column, while they are checked."""

    def fill(self, shape: Shape) -> Template:
        """Put a statement's own literals in."""
        return self._replace(
            sql=shape.fill(self.sql),
            shown=shape.fill(self.shown),
            scans=tuple(
                Scan(
                    shape.fill(scan.database),
                    shape.fill(scan.table),
                    tuple(
                        Condition(c.column, c.operator, tuple(shape.fill(v) for v in c.values))
                        for c in scan.conditions
                    ),
                    scan.hidden,
                )
                for scan in self.scans
            ),
            columns=tuple((shape.fill(name), kind) for name, kind in self.columns),
            names=tuple(shape.fill(name) for name in self.names),
        )

    def dump(self) -> str:
        """Write it for the cache."""
        scans = [
            {**scan._asdict(), "conditions": [each._asdict() for each in scan.conditions]}
            for scan in self.scans
        ]
        return json.dumps({**self._asdict(), "views": (), "scans": scans}, separators=(",", ":"))


def load_template(text: str) -> Template:
    """Read what `dump` wrote; raises ValueError, KeyError or TypeError for anything else."""
    found: dict[str, Any] = json.loads(text)
    return Template(
        sql=found["sql"],
        scans=tuple(
            Scan(
                scan["database"],
                scan["table"],
                tuple(
                    Condition(c["column"], c["operator"], tuple(c["values"]))
                    for c in scan["conditions"]
                ),
                tuple(scan["hidden"]),
            )
            for scan in found["scans"]
        ),
        reads=tuple((a, b, c) for a, b, c in found["reads"]),
        columns=tuple((a, b) for a, b in found["columns"]),
        shows=tuple(found["shows"]),
        shown=found["shown"],
        declared=tuple(found["declared"]),
        names=tuple(found["names"]),
    )


def scan_name(number: int) -> str:
    """Name a scan's place in the SQL."""
    return f"__scan_{number}"
