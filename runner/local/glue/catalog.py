"""Glue's client methods on SQLite: boto3's parameters and results, Glue's refusals.

Update is a replacement, as on AWS; a stale VersionId is refused without changing the table.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.local.glue import service as glue_service
from runner.local.glue.errors import already_exists, invalid, modified_concurrently, not_found
from runner.local.glue.partitions import Partitions
from runner.local.glue.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.model.ports import Json

_TABLE_KEYS = frozenset(
    {
        "Name",
        "Description",
        "Owner",
        "LastAccessTime",
        "LastAnalyzedTime",
        "Retention",
        "StorageDescriptor",
        "PartitionKeys",
        "ViewOriginalText",
        "ViewExpandedText",
        "TableType",
        "Parameters",
        "TargetTable",
        "ViewDefinition",
    }
)
_PAGE = 100


class GlueCatalog(Partitions):
    """A boto3-shaped Glue client on one SQLite file; safe with several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open or make the catalogue."""
        super().__init__(Store(path))

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def service(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Answer `aws-sdk:glue` (`getTable`); raises ServiceError `Glue.<Exception>`."""
        return glue_service.call(self, action, arguments)

    def create_database(self, *, DatabaseInput: Mapping[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803, ANN401
        """Make a database; AlreadyExistsException."""
        name = DatabaseInput["Name"].lower()
        with self._store.writing():
            if self._store.rows("SELECT 1 FROM databases WHERE name = ?", name):
                raise already_exists("Database already exists.")
            self._store.execute(
                "INSERT INTO databases VALUES (?, ?, ?)",
                name,
                json.dumps({**DatabaseInput, "Name": name}),
                time.time(),
            )
        return {}

    def update_database(
        self,
        *,
        Name: str,  # noqa: N803
        DatabaseInput: Mapping[str, Any],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Replace a database's definition, but for its name; EntityNotFoundException."""
        name = Name.lower()
        with self._store.writing():
            if not self._store.execute(
                "UPDATE databases SET input = ? WHERE name = ?",
                json.dumps({**DatabaseInput, "Name": name}),
                name,
            ):
                raise not_found(f"Database {Name} not found.")
        return {}

    def get_database(self, *, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803, ANN401
        """Give a database; EntityNotFoundException."""
        rows = self._store.rows("SELECT * FROM databases WHERE name = ?", Name.lower())
        if not rows:
            raise not_found(f"Database {Name} not found.")
        return {"Database": _database(rows[0])}

    def get_databases(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        """Give all databases."""
        rows = self._store.rows("SELECT * FROM databases ORDER BY name")
        return {"DatabaseList": [_database(row) for row in rows]}

    def delete_database(self, *, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803, ANN401
        """Delete a database with its tables; EntityNotFoundException."""
        with self._store.writing():
            if not self._store.execute("DELETE FROM databases WHERE name = ?", Name.lower()):
                raise not_found(f"Database {Name} not found.")
            for table in ("tables", "versions", "partitions"):
                self._store.execute(f"DELETE FROM {table} WHERE database = ?", Name.lower())
        return {}

    def create_table(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableInput: Mapping[str, Any],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Make a table with version 0; AlreadyExistsException, EntityNotFoundException."""
        given = _checked(TableInput)
        database, now = DatabaseName.lower(), time.time()
        with self._store.writing():
            if not self._store.rows("SELECT 1 FROM databases WHERE name = ?", database):
                raise not_found(f"Database {DatabaseName} not found.")
            made = self._store.execute(
                "INSERT OR IGNORE INTO tables VALUES (?, ?, 0, ?, ?, ?)",
                database,
                given["Name"],
                json.dumps(given),
                now,
                now,
            )
            if not made:
                raise already_exists("Table already exists.")
        return {}

    def get_table(self, *, DatabaseName: str, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803, ANN401
        """Give a table with its VersionId; EntityNotFoundException."""
        rows = self._store.rows(
            "SELECT * FROM tables WHERE database = ? AND name = ?",
            DatabaseName.lower(),
            Name.lower(),
        )
        if not rows:
            self.get_database(Name=DatabaseName)
            raise not_found(f"Entity Not Found: Table {Name} not found.")
        return {"Table": _table(rows[0])}

    def get_tables(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        Expression: str = "",  # noqa: N803
        NextToken: str = "",  # noqa: N803
        MaxResults: int = _PAGE,  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Give a database's tables in order of name; Expression is a regular expression."""
        self.get_database(Name=DatabaseName)
        rows = self._store.rows(
            "SELECT * FROM tables WHERE database = ? AND name > ? ORDER BY name",
            DatabaseName.lower(),
            NextToken,
        )
        wanted = [row for row in rows if not Expression or re.fullmatch(Expression, row[1])]
        page: dict[str, Any] = {"TableList": [_table(row) for row in wanted[:MaxResults]]}
        if len(wanted) > MaxResults:
            page["NextToken"] = wanted[MaxResults - 1][1]
        return page

    def update_table(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableInput: Mapping[str, Any],  # noqa: N803
        VersionId: str = "",  # noqa: N803
        SkipArchive: bool = False,  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Replace a table's definition; a stale VersionId is ConcurrentModificationException."""
        given = _checked(TableInput)
        key = (DatabaseName.lower(), given["Name"])
        with self._store.writing():
            rows = self._store.rows("SELECT * FROM tables WHERE database = ? AND name = ?", *key)
            if not rows:
                raise not_found(f"Entity Not Found: Table {given['Name']} not found.")
            version = int(rows[0][2])
            if VersionId and VersionId != str(version):
                raise modified_concurrently()
            if not SkipArchive:
                self._store.execute(
                    "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?)", *rows[0]
                )
            self._store.execute(
                "UPDATE tables SET version = ?, input = ?, updated = ? "
                "WHERE database = ? AND name = ?",
                version + 1,
                json.dumps(given),
                time.time(),
                *key,
            )
        return {}

    def delete_table(self, *, DatabaseName: str, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803, ANN401
        """Delete a table, its versions and partitions; the data stay."""
        key = (DatabaseName.lower(), Name.lower())
        with self._store.writing():
            if not self._store.execute("DELETE FROM tables WHERE database = ? AND name = ?", *key):
                raise not_found(f"Entity Not Found: Table {Name} not found.")
            for table in ("versions", "partitions"):
                self._store.execute(f"DELETE FROM {table} WHERE database = ? AND name = ?", *key)
        return {}

    def get_table_versions(self, *, DatabaseName: str, TableName: str, **_: Any) -> dict[str, Any]:  # noqa: N803, ANN401
        """Give the archived versions and the present one, newest first."""
        now = self.get_table(DatabaseName=DatabaseName, Name=TableName)["Table"]
        rows = self._store.rows(
            "SELECT * FROM versions WHERE database = ? AND name = ? ORDER BY version DESC",
            DatabaseName.lower(),
            TableName.lower(),
        )
        tables = [now, *(_table(row) for row in rows)]
        return {"TableVersions": [{"Table": t, "VersionId": t["VersionId"]} for t in tables]}


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - _TABLE_KEYS)
    if unknown:
        raise invalid(f'Unknown parameter in TableInput: "{unknown[0]}"')
    if not given.get("Name"):
        raise invalid("TableInput.Name is required")
    for name, value in (given.get("Parameters") or {}).items():
        if not isinstance(value, str):
            raise invalid(f"TableInput.Parameters.{name} must be a string")
    return {**given, "Name": given["Name"].lower()}


def _instant(seconds: object) -> datetime:
    return datetime.fromtimestamp(int(float(str(seconds))), tz=UTC)


def _database(row: tuple[str, ...]) -> dict[str, Any]:
    return {**json.loads(row[1]), "CreateTime": _instant(row[2]), "CatalogId": "000000000000"}


def _table(row: tuple[str, ...]) -> dict[str, Any]:
    database, _, version, given, created, updated = row
    return {
        **json.loads(given),
        "DatabaseName": database,
        "CreateTime": _instant(created),
        "UpdateTime": _instant(updated),
        "IsRegisteredWithLakeFormation": False,
        "CatalogId": "000000000000",
        "VersionId": str(version),
    }
