"""A scratch Athena on which unit tests run: its tables are files of the rows that a test gives.

In: a project, a temporary folder.  Out: a `Bench` that defines tables by their columns, fills them
and answers queries.  Statements and tables keep their shape from case to case, so that each
statement is translated once, and by the next process not at all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.app.unit_values import as_json, infer
from runner.keeper import windows
from runner.local.athena import AthenaFailure, LocalAthena
from runner.local.athena.sqltypes import SqlType, parse_type
from runner.local.athena.tables import VIEW, view_text
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from runner.model.header import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from runner.app.preview_window import Window
    from runner.app.unit_values import Columns
    from runner.local.athena.athena import QueryResult
    from runner.model.project import Project, Table
    from runner.model.unit_test import Row

_BUCKET = "runner-tests"
_SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
_PATTERNS = {"hour": "yyyy-MM-dd'T'HH", "day": "yyyy-MM-dd", "month": "yyyy-MM", "year": "yyyy"}


class Bench:
    """The tables of one project, as far as tests ask for them."""

    def __init__(
        self, project: Project, folder: Path, *, cache: Path, now: Callable[[], datetime]
    ) -> None:
        """Open the scratch services in a folder; `cache` holds translated statements."""
        self._tables = {str(table.name): table for table in project.tables}
        self._sources = {name: source.columns for name, source in project.config.sources.items()}
        self._folder = folder / "rows"
        self._folder.mkdir()
        self._catalog = GlueCatalog(folder / "catalog.sqlite")
        self._athena = LocalAthena(
            FolderS3(folder / "s3", {_BUCKET: self._folder}),
            self._catalog,
            folder / "athena.sqlite",
            results=f"s3://{_BUCKET}/results/",
            cache=cache,
            now=now,
        )
        databases = {table.database for table in project.tables}
        databases |= {name.partition(".")[0] for name in self._sources}
        for name in sorted(databases):
            self._catalog.create_database(DatabaseInput={"Name": name})
        self._types: dict[str, Columns | None] = {}
        self._defined: dict[str, tuple[str, Columns]] = {}

    def close(self) -> None:
        """Close the services."""
        self._athena.close()
        self._catalog.close()

    def inputs(self, table: Table, given: Sequence[str]) -> tuple[str, ...]:
        """Name the tables and sources that a query reads, through views that no rows stand for."""
        found: dict[str, None] = {}
        waiting = [table]
        for one in waiting:
            for name in (*(str(read.table) for read in one.reads), *one.sources):
                if name not in found:
                    found[name] = None
                    read = self._tables.get(name)
                    if read is not None and read.kind is Kind.VIEW and name not in given:
                        waiting.append(read)
        return tuple(found)

    def types(self, name: str, rows: Sequence[Row] = ()) -> tuple[Columns, bool]:
        """Give a table's columns, and whether they are certain: declared, or told by its SQL.

        Otherwise they are inferred from the rows.
        """
        if name in self._sources:
            declared = _declared(self._sources[name])
            return (declared, True) if declared else (infer(rows), False)
        if name not in self._types:
            self._types[name] = None  # while it is being found out: a table that reads itself
            self._types[name] = self._told(self._tables[name], rows)
        told = self._types[name]
        if told is not None:
            return told, True
        return infer(rows, [column.name for column in self._tables[name].columns]), False

    def _told(self, table: Table, rows: Sequence[Row]) -> Columns | None:
        if table.kind is Kind.DDL:
            return _declared({column.name: column.type for column in table.columns})
        for read in self.inputs(table, ()):
            self.define(read, rows if read == str(table.name) else ())
        try:
            return self.describe(table)
        except AthenaFailure:
            return None

    def describe(self, table: Table) -> Columns:
        """Give the columns of a table's query over what is defined; AthenaFailure."""
        day = "2013-01-05"
        grain = table.partitioning.grain or "day"
        start, end = windows.regrain(day, day, "day", grain)
        found = self._athena.describe(statement(table, start, end, grain), table.database)
        return tuple(
            (name, SqlType("varchar") if kind.name == "unknown" else kind) for name, kind in found
        )

    def define(self, name: str, rows: Sequence[Row] = (), *, given: bool = False) -> Columns:
        """Make a table of the catalogue; a view of its own SQL, unless rows are given for it."""
        table = self._tables.get(name)
        columns, _ = self.types(name, rows)
        is_view = table is not None and table.kind is Kind.VIEW and not given
        definition = ("view" if is_view else "table", columns)
        if self._defined.get(name) != definition:
            database, stored = self._physical(name)
            kept = {"DatabaseName": database, "Name": stored}
            if name in self._defined:
                self._catalog.delete_table(**kept)
            shape = _view(table, columns) if is_view and table is not None else self._files(name)
            self._catalog.create_table(
                DatabaseName=database, TableInput=_table_input(stored, columns, shape)
            )
            self._defined[name] = definition
        return columns

    def fill(self, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Let a table hold exactly these rows."""
        path = self._folder / name / "rows.json"
        if not rows:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(exist_ok=True)
        lines = (json.dumps(as_json(dict(row)), ensure_ascii=False) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")

    def query(self, table: Table, window: Window) -> QueryResult:
        """Run a table's query over a window; AthenaFailure."""
        text = statement(table, window.start, window.end, window.grain)
        return self._athena.query(text, table.database)

    def _physical(self, name: str) -> tuple[str, str]:
        database, _, stored = name.partition(".")
        table = self._tables.get(name)
        return (table.database if table is not None else database), stored

    def _files(self, name: str) -> dict[str, object]:
        return {
            "Location": f"s3://{_BUCKET}/{name}/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": _SERDE, "Parameters": {}},
        }


def _view(table: Table, columns: Columns) -> dict[str, object]:
    types = tuple((name, kind.trino()) for name, kind in columns)
    text = "".join(str(part) for part in table.sql.parts)  # a view has no marks
    return {"ViewOriginalText": view_text(text, table.database, types)}


def _table_input(name: str, columns: Columns, shape: dict[str, object]) -> dict[str, object]:
    described = [{"Name": column, "Type": kind.hive()} for column, kind in columns]
    text = shape.get("ViewOriginalText")
    if text is not None:
        return {
            "Name": name,
            "TableType": VIEW,
            "Parameters": {"presto_view": "true"},
            "PartitionKeys": [],
            "StorageDescriptor": {"Columns": described, "Location": ""},
            "ViewOriginalText": text,
        }
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE"},
        "PartitionKeys": [],
        "StorageDescriptor": {"Columns": described, **shape},
    }


def _declared(columns: Mapping[str, str]) -> Columns:
    return tuple((name, parse_type(kind)) for name, kind in columns.items())


def statement(table: Table, start: str, end: str, grain: str) -> str:
    """Write a table's query for a window."""
    time = table.partitioning.time
    own = time[0][1] if len(time) == 1 else _PATTERNS[grain]
    return table.sql.fill(
        {
            mark: windows.evaluate_mark(
                start, end, grain, base=mark.base, steps=mark.steps, pattern=mark.format or own
            )
            for mark in table.sql.marks()
        }
    )
