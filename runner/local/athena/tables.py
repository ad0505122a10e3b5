"""Tables as the engine needs them, made from the catalogue's answers.

In: Glue's Table.  Out: a frozen `TableInfo`, whose fingerprint covers what a translation of SQL
depends on (columns, keys, view text) and not where the data lie.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue import GlueCatalog

VIEW = "VIRTUAL_VIEW"
ICEBERG_FIELD = "iceberg.field."
"""What begins the parameters that tell an Iceberg table's columns in the catalogue."""
SNAPSHOT = "$snapshot"
"""Parameter of a `TableInfo` that means an old snapshot of an Iceberg table: its id."""
_PREFIX, _SUFFIX = "/* Presto View: ", " */"
Format = Literal[
    "parquet",
    "json",
    "openx",
    "csv",
    "opencsv",
    "regex",
    "grok",
    "orc",
    "avro",
    "ion",
    "virtual",
    "unknown",
]
_SERDES: dict[str, Format] = {
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": "parquet",
    "org.openx.data.jsonserde.JsonSerDe": "openx",
    "org.apache.hive.hcatalog.data.JsonSerDe": "json",
    "org.apache.hadoop.hive.serde2.JsonSerDe": "json",
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe": "csv",
    "org.apache.hadoop.hive.serde2.OpenCSVSerde": "opencsv",
    "org.apache.hadoop.hive.serde2.RegexSerDe": "regex",
    "com.amazonaws.glue.serde.GrokSerDe": "grok",
    "org.apache.hadoop.hive.ql.io.orc.OrcSerde": "orc",
    "org.apache.hadoop.hive.serde2.avro.AvroSerDe": "avro",
    "com.amazon.ionhiveserde.IonHiveSerDe": "ion",
    "com.amazon.emr.hive.serde.CloudTrailSerde": "json",
}
_UNREAD = frozenset(
    {
        "org.apache.hadoop.mapred.SequenceFileInputFormat",
        "org.apache.hadoop.hive.ql.io.RCFileInputFormat",
    }
)
SYMLINKS = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
"""The input format of a table whose files name the files to read."""


class Field(NamedTuple):
    """A column and its type as the catalogue writes it."""

    name: str
    type: str
    number: int = 0
    """An Iceberg column's own number; 0 for all others."""


class View(NamedTuple):
    """A view's text and the database that its bare names mean."""

    sql: str
    database: str


class TableInfo(NamedTuple):
    """A table or view of the catalogue."""

    database: str
    name: str
    columns: tuple[Field, ...]
    keys: tuple[Field, ...]
    location: str
    format: Format
    serde: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    view: View | None
    input_format: str = ""
    """The class that finds records in the files."""

    def __str__(self) -> str:
        """Write it as `database.name`."""
        return f"{self.database}.{self.name}"

    @property
    def is_iceberg(self) -> bool:
        """Tell whether snapshots say which files the table has."""
        return dict(self.parameters).get("table_type", "").upper() == "ICEBERG"

    def fields(self) -> tuple[Field, ...]:
        """Give all columns in SQL's order: data first, partition keys last."""
        return self.columns + self.keys

    def fingerprint(self) -> str:
        """Digest what a translation depends on."""
        text = repr((self.columns, self.keys, self.view))
        return sha256(text.encode()).hexdigest()[:16]


def load_table(catalog: GlueCatalog, database: str, name: str) -> TableInfo | None:
    """Read a table from the catalogue; None if there is none."""
    try:
        found = catalog.get_table(DatabaseName=database, Name=name)["Table"]
    except GlueError:
        return None
    return table_info(found)


def table_info(found: Mapping[str, Any]) -> TableInfo:
    """Make the value from Glue's Table."""
    storage = found.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    view = _view(found) if found.get("TableType") == VIEW else None
    parameters = found.get("Parameters") or {}
    input_format = storage.get("InputFormat") or ""
    iceberg = parameters.get("table_type", "").upper() == "ICEBERG"
    return TableInfo(
        database=found["DatabaseName"],
        name=found["Name"],
        columns=_fields(storage.get("Columns")),
        keys=_fields(found.get("PartitionKeys")),
        location=storage.get("Location") or "",
        format="parquet"
        if iceberg
        else _format(serde.get("SerializationLibrary") or "", input_format),
        serde=tuple(sorted((serde.get("Parameters") or {}).items())),
        parameters=tuple(sorted(parameters.items())),
        view=view,
        input_format=input_format,
    )


def _format(serde: str, input_format: str) -> Format:
    """Tell the format by the SerDe, unless records lie in files that are not read here."""
    return "unknown" if input_format in _UNREAD else _SERDES.get(serde, "unknown")


def view_text(sql: str, database: str, columns: tuple[tuple[str, str], ...]) -> str:
    """Write a view as Athena keeps it in ViewOriginalText; columns are (name, Trino type)."""
    content = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": type_} for name, type_ in columns],
    }
    encoded = base64.b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()
    return f"{_PREFIX}{encoded}{_SUFFIX}"


def _view(found: Mapping[str, Any]) -> View:
    text = found.get("ViewOriginalText") or ""
    if not text.startswith(_PREFIX):
        return View(text, found["DatabaseName"])
    content = json.loads(base64.b64decode(text.removeprefix(_PREFIX).removesuffix(_SUFFIX)))
    return View(content["originalSql"], content.get("schema") or found["DatabaseName"])


def _fields(columns: list[dict[str, Any]] | None) -> tuple[Field, ...]:
    return tuple(_field(each) for each in columns or () if _is_current(each))


def _field(column: Mapping[str, Any]) -> Field:
    number = (column.get("Parameters") or {}).get(f"{ICEBERG_FIELD}id", "0")
    return Field(column["Name"].lower(), column.get("Type", "string"), int(number))


def _is_current(column: Mapping[str, Any]) -> bool:
    """Tell whether a column is in the schema: Iceberg's catalogues keep dropped ones."""
    told = (column.get("Parameters") or {}).get(f"{ICEBERG_FIELD}current")
    return bool(told != "false")
