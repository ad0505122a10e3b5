"""What a project's runs left, as a reader finds it: rows below each published location.

Read from the folders and the catalogue's file, not through the product's Athena.  What a record
says and what lies there are compared: where it is `published`, just its files must be there.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import duckdb

from runner.keeper import records
from runner.keeper.storage import Storage, Stored
from runner.local.athena.iceberg import read_document, read_snapshot
from runner.local.athena.icebergs.manifests import DELETED
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from tests.support.forks import mart_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Row = tuple[tuple[str, Any], ...]
"""Column and value pairs by name, without NULLs: a column that is added later changes no row."""
_METADATA = "metadata_location"
"""Where an Iceberg table's newest snapshot is; its document lists the files."""
_VOLATILE = frozenset({"transient_lastDdlTime", _METADATA, f"previous_{_METADATA}"})

_read: dict[tuple[str, str], list[Row]] = {}
"""Rows by the digest of a file and the folders it lies in: copies of a project share most files."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that tells two projects apart, and what contradicts itself within one."""

    rows: dict[str, dict[str, list[Row]]]
    """Table -> period -> what lies there, whatever the records say."""
    records: dict[str, dict[str, tuple[str, int, int]]]
    """Table -> period -> (fingerprint, rows, files) where the newest record is `published`."""
    writing: frozenset[tuple[str, str]]
    """(table, period) whose newest record is only begun."""
    marts: dict[str, list[Row]]
    leases: tuple[str, ...]
    catalogue: dict[str, Any]
    broken: tuple[str, ...]
    """Where the table and its newest published record contradict each other."""


def shown(root: Path) -> Shown:
    """Look at a project."""
    lake = _Lake(root)
    rows: dict[str, dict[str, list[Row]]] = {}
    told: dict[str, dict[str, tuple[str, int, int]]] = {}
    writing: set[tuple[str, str]] = set()
    broken: list[str] = []
    names = sorted({*lake.recorded(), *lake.tables})
    for name in names:
        table = _table(lake, name)
        rows[name] = table.rows
        told[name] = table.told
        writing |= {(name, period) for period in table.writing}
        broken += table.broken
    leases = tuple(stored.key for stored in lake.storage.list("_runner/leases/"))
    marts = {
        name: [tuple(enumerate_row(row)) for row in found]
        for name, found in mart_rows(root / ".runner" / "mart.sqlite").items()
    }
    catalogue = {name: _facts(found) for name, found in lake.tables.items()}
    return Shown(rows, told, frozenset(writing), marts, leases, catalogue, tuple(broken))


def leased(root: Path) -> tuple[str, ...]:
    """Name the tables that a run holds the lease of."""
    listed = _Lake(root).storage.list("_runner/leases/")
    return tuple(".".join(one.key.split("/")[2:4]).removesuffix(".json") for one in listed)


def newest(root: Path, table: str) -> tuple[str, ...]:
    """Name the records of a table, begun ones too."""
    return tuple(entry.key for entry in records.entries(_Lake(root).storage, table))


def enumerate_row(row: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Name the columns of a mart's row by their places."""
    return ((str(number), value) for number, value in enumerate(row) if value is not None)


class _Lake:
    """The folders and the catalogue of one project."""

    def __init__(self, root: Path) -> None:
        self.s3 = root / ".runner" / "s3"
        self.storage = Storage(FolderS3(self.s3, {}), "s3://lake/", workers=1)
        self.tables = dict(_catalogue(root / ".runner" / "catalog.sqlite"))

    def recorded(self) -> set[str]:
        listed = self.storage.list("_runner/records/")
        return {".".join(stored.key.split("/")[2:4]) for stored in listed}

    def location(self, name: str) -> str:
        """Give the key prefix of a table of this lake; empty when it has none."""
        table = self.tables.get(name, {})
        location = str(table.get("StorageDescriptor", {}).get("Location") or "")
        return self.storage.folder(location) if location.startswith("s3://lake/") else ""

    def rows(self, files: list[Stored]) -> list[Row]:
        return sorted((row for one in files for row in self._rows(one.key)), key=repr)

    def _rows(self, key: str) -> list[Row]:
        path = self.s3 / "lake" / key
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        folders = "/".join(part for part in key.split("/") if "=" in part and part[:2] != "g=")
        if (digest, folders) not in _read:
            _read[digest, folders] = _parquet(path, folders)
        return _read[digest, folders]


def _catalogue(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.is_file():
        return
    catalog = GlueCatalog(path)
    try:
        for database in catalog.get_databases()["DatabaseList"]:
            if database["Name"].endswith("__stage"):
                continue
            listed = catalog.get_tables(DatabaseName=database["Name"])["TableList"]
            for table in listed:
                yield f"{database['Name']}.{table['Name']}", table
    finally:
        catalog.close()


def _parquet(path: Path, folders: str) -> list[Row]:
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM read_parquet('{path}', hive_partitioning=false)")
        names = [column[0] for column in found.description]
        parts = [part.partition("=") for part in filter(None, folders.split("/"))]
        keys = [(name, unquote(value)) for name, _, value in parts]
        return [
            tuple(
                sorted([*keys, *((n, v) for n, v in zip(names, row, strict=True) if v is not None)])
            )
            for row in found.fetchall()
        ]


@dataclass(frozen=True, slots=True)
class _Table:
    rows: dict[str, list[Row]]
    told: dict[str, tuple[str, int, int]]
    writing: tuple[str, ...]
    broken: tuple[str, ...]


def _table(lake: _Lake, name: str) -> _Table:
    entries = records.entries(lake.storage, name)
    bodies = {entry.key: records.read(lake.storage, entry) for entry in entries}
    grain = next((body["grain"] for body in bodies.values() if body.get("grain")), None)
    latest = records.newest(entries, grain)
    location = lake.location(name)
    snapshot = lake.tables.get(name, {}).get("Parameters", {}).get(_METADATA, "")
    if snapshot:
        return _iceberg(lake, name, snapshot, _Known(latest, bodies, grain))
    found = [one for one in lake.storage.list(location) if _is_data(one)] if location else []
    there: dict[str, list[Stored]] = {}
    for stored in found:
        there.setdefault(_period(stored.key.removeprefix(location), latest, grain), []).append(
            stored
        )
    told, broken = {}, []
    for period, entry in latest.items():
        if not entry.published:
            continue
        body = bodies[entry.key]
        listed = {
            (file["key"], file["size"])
            for file in body["files"]
            if grain is None or _fits(file["key"], period)
        }
        told[period] = (entry.fingerprint, body["rows"].get(period, 0), len(listed))
        lies = {(stored.key, stored.size) for stored in there.get(period, ())}
        if lies != listed:
            lost, more = len(listed - lies), len(lies - listed)
            broken.append(f"{name} {period}: {lost} recorded files missing, {more} beside them")
        if location and body.get("location") not in {None, f"s3://lake/{location}"}:
            broken.append(f"{name} {period}: the catalogue shows another location")
    unknown = [period for period in there if period not in latest]
    broken += [f"{name} {period}: files without a record" for period in unknown]
    writing = tuple(period for period, entry in latest.items() if not entry.published)
    rows = {period: lake.rows(files) for period, files in there.items()}
    return _Table(rows, told, writing, tuple(broken))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the records of a table say."""

    latest: dict[str, records.Entry]
    bodies: dict[str, dict[str, Any]]
    grain: str | None


def _iceberg(lake: _Lake, name: str, snapshot: str, known: _Known) -> _Table:
    """Read an Iceberg table by its newest snapshot; its records tell rows, not files."""
    s3 = FolderS3(lake.s3)
    document = read_document(s3, snapshot)
    _, entries = read_snapshot(s3, document, document.current())
    urls = [each.file.url for one in entries for each in one if each.status != DELETED]
    files = [Stored(lake.storage.key(url), 0, "") for url in urls]
    rows: dict[str, list[Row]] = {}
    columns: list[str] = next((body["partitions"] for body in known.bodies.values()), [])
    for row in lake.rows(files):
        values = "".join(str(dict(row).get(column, "")) for column in columns)
        label = f"{_values_as_folder(values)}/" if known.grain else ""
        rows.setdefault(_period(label, known.latest, known.grain), []).append(row)
    told, broken = {}, []
    for period, entry in known.latest.items():
        if entry.published:
            count = known.bodies[entry.key]["rows"].get(period, 0)
            told[period] = (entry.fingerprint, count, 0)
            if known.grain and count != len(rows.get(period, ())):
                broken.append(f"{name} {period}: {count} rows are recorded, others are there")
    writing = tuple(period for period, entry in known.latest.items() if not entry.published)
    return _Table(rows, told, writing, tuple(broken))


def _values_as_folder(values: str) -> str:
    return f"values={values}"


def _is_data(stored: Stored) -> bool:
    return not stored.key.rpartition("/")[2].startswith(("_", "."))


def _period(relative: str, latest: dict[str, Any], grain: str | None) -> str:
    """Find the period whose digits a file's partition values begin with."""
    if grain is None:
        return records.WHOLE
    return next((period for period in latest if _fits(relative, period)), relative)


def _fits(key: str, period: str) -> bool:
    values = [part.partition("=")[2] for part in key.split("/")[:-1] if "=" in part]
    text = "".join(value for part, value in zip(_parts(key), values, strict=True) if part != "g")
    return re.sub(r"\D", "", unquote(text)).startswith(re.sub(r"\D", "", period))


def _parts(key: str) -> list[str]:
    return [part.partition("=")[0] for part in key.split("/")[:-1] if "=" in part]


def _facts(table: dict[str, Any]) -> dict[str, Any]:
    storage = table.get("StorageDescriptor", {})
    return {
        "columns": [(one["Name"], one["Type"]) for one in storage.get("Columns", ())],
        "keys": [(one["Name"], one["Type"]) for one in table.get("PartitionKeys", ())],
        "parameters": {k: v for k, v in table.get("Parameters", {}).items() if k not in _VOLATILE},
        "view": table.get("ViewOriginalText", ""),
    }
