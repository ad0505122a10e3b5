"""Facts of a table that planning a backfill needs, taken while the project is loaded.

In: a loaded table.  Out: plain values, which the bundle keeps, so that an unchanged project plans
without reading, rendering or parsing anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.app.planning_facts import Layout, ReadFacts
from runner.keeper.windows import pattern_grain, write_civil
from runner.model.header import Kind
from runner.query.projection import integer_range, read_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.header import PartitionColumn
    from runner.model.names import TableName
    from runner.model.project import Column, Table

_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_STAR = re.compile(r"(?:\bselect|\bdistinct|\ball|,|\.)\s*\*", re.IGNORECASE)
_LOCATION = re.compile(r"\bLOCATION\s+'([^']+)'", re.IGNORECASE)
_PARTITIONED = re.compile(r"\bPARTITIONED\s+BY\s*\(([^)]*)\)", re.IGNORECASE)
_PROPERTY = re.compile(r"""['"]([\w.]+)['"]\s*=\s*['"]([^'"]*)['"]""")
_COLUMNAR = re.compile(r"\bparquet|\borc\b|OrcSerde", re.IGNORECASE)
_NOW = re.compile(r"\s*NOW\s*(?:([+-])\s*([0-9]+)\s*([A-Z]+?)S?\s*)?\Z")
_WIDTHS = {"boolean": 1, "tinyint": 1, "smallint": 2, "int": 4, "integer": 4, "float": 4, "date": 4}
_WIDE = {
    "string": 16,
    "varchar": 16,
    "char": 16,
    "binary": 16,
    "array": 32,
    "map": 32,
    "struct": 32,
}
_USUAL = 8
_FINEST = ("year", "month", "day", "hour")


def reads_of(table: Table, by_name: Mapping[TableName, Table]) -> tuple[ReadFacts, ...]:
    """Give the tables that a table reads, with the share of their columns."""
    text = "".join(part if isinstance(part, str) else " " for part in table.sql.parts).lower()
    words = None if _STAR.search(text) else frozenset(_WORD.findall(text))
    return tuple(
        ReadFacts(str(read.table), read.windowed, read.lookback, _share(by_name[read.table], words))
        for read in table.reads
    )


def _share(table: Table, words: frozenset[str] | None) -> float:
    """Weigh the columns that a reader names among all that are stored."""
    if words is None or not table.columns or not _is_columnar(table):
        return 1.0
    folders = _partition_columns(table)
    stored = [column for column in table.columns if column.name.lower() not in folders]
    whole = sum(map(width, stored))
    named = sum(width(column) for column in stored if column.name.lower() in words)
    return round(named / whole, 4) if whole else 1.0


def _partition_columns(table: Table) -> frozenset[str]:
    """Name the columns whose values are folders, not bytes of files."""
    if table.kind is not Kind.DDL:
        return frozenset(table.header.partition)
    found = _PARTITIONED.search("".join(part for part in table.sql.parts if isinstance(part, str)))
    columns = found[1].split(",") if found is not None else ()
    return frozenset(column.split()[0].strip("`").lower() for column in columns if column.split())


def width(column: Column) -> int:
    """Guess the bytes of a value from its Athena type.

    >>> from runner.model.project import Column
    >>> width(Column("a", "int")), width(Column("b", "varchar(10)")), width(Column("c"))
    (4, 16, 8)
    """
    kind = re.split(r"[^a-z]", column.type.lower(), maxsplit=1)[0]
    return _WIDTHS.get(kind) or _WIDE.get(kind) or _USUAL


def _is_columnar(table: Table) -> bool:
    if table.kind is Kind.DDL:
        text = "".join(part for part in table.sql.parts if isinstance(part, str))
        return _COLUMNAR.search(text) is not None
    return table.header.format in ("parquet", "orc", "iceberg")


def history_of(table: Table) -> tuple[str, str]:
    """Give the first and last period of an insert table, as civil values or `NOW-3YEARS`.

    Either is empty when the header does not say it.
    """
    time, grain = table.partitioning.time, table.partitioning.grain
    if table.kind is not Kind.INSERT or not time:
        return "", ""
    columns = table.header.partition
    first, last = _range(columns, [name for name, _ in time], grain)
    backfill = table.header.backfill
    return (backfill.from_ if backfill is not None else first), last


def _range(columns: Mapping[str, PartitionColumn], time: list[str], grain: str) -> tuple[str, str]:
    column = columns[time[0]]
    if column.type == "date":
        parts = (column.range or "").split(",")
        ends = [_end(part, column.format or "", grain) for part in parts]
        return (ends[0], ends[-1]) if len(ends) == len(("first", "last")) else ("", "")
    years = integer_range(column)
    if years is None:
        return "", ""
    least, most = (f"{year:04d}" for year in years)
    finer = _FINEST.index(grain)
    return least + "".join(("-01", "-01", "T00")[:finer]), (
        most + "".join(("-12", "-31", "T23")[:finer])
    )


def _end(text: str, pattern: str, grain: str) -> str:
    now = _NOW.match(text)
    if now is not None:
        sign, count, unit = now.groups()
        return f"NOW{sign}{count}{unit}S" if sign else "NOW"
    value = read_date(text.strip(), pattern)
    return write_civil(value, grain) if value is not None else ""


def layout_of(table: Table) -> Layout:
    """Give where a ddl table's files are, and the folder of a period if projection tells."""
    if table.kind is not Kind.DDL:
        return Layout()
    text = "".join(part for part in table.sql.parts if isinstance(part, str))
    found = _LOCATION.search(text)
    if found is None:
        return Layout()
    location = found[1] if found[1].endswith("/") else f"{found[1]}/"
    properties = dict(_PROPERTY.findall(text))
    dated = [
        name.split(".")[1]
        for name, value in properties.items()
        if re.fullmatch(r"projection\.\w+\.type", name) and value.lower() == "date"
    ]
    if len(dated) != 1:
        return Layout(location)
    pattern = properties.get(f"projection.{dated[0]}.format", "")
    template = _template(location, dated[0], properties, table)
    try:
        return Layout(location, template, pattern, pattern_grain(pattern) if template else "")
    except ValueError:
        return Layout(location)


def _template(location: str, column: str, properties: Mapping[str, str], table: Table) -> str:
    """Write the folder of a period below the location; empty when others stand before it."""
    given = properties.get("storage.location.template", "")
    if given:
        below = given.removeprefix(location) if given.startswith(location) else ""
        head, mark, _ = below.partition(f"${{{column}}}")
        return f"{head}${{}}/" if mark and "${" not in head else ""
    declared = [one.name for one in table.columns]
    partitions = [name.split(".")[1] for name in properties if name.endswith(".type")]
    first = min(partitions, key=lambda name: declared.index(name) if name in declared else 0)
    return f"{column}=${{}}/" if first == column else ""
