"""Registered partitions: create, batch create, get, delete; batch errors come with HTTP 200."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.local.glue.errors import GlueError, already_exists, invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.glue.store import Store

_MOST_CREATED = 100
_MOST_DELETED = 25
_PAGE = 1000
_WHERE = "WHERE database = ? AND name = ?"


class Partitions:
    """The partition half of the catalogue."""

    def __init__(self, store: Store) -> None:
        """Take the catalogue's file."""
        self._store = store

    def create_partition(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableName: str,  # noqa: N803
        PartitionInput: Mapping[str, Any],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Register a partition; AlreadyExistsException, EntityNotFoundException."""
        key = (DatabaseName.lower(), TableName.lower())
        with self._store.writing():
            self._need_table(key)
            if not self._register(key, PartitionInput):
                raise _registered()
        return {}

    def batch_create_partition(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableName: str,  # noqa: N803
        PartitionInputList: Sequence[Mapping[str, Any]],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Register up to 100 partitions; those refused stand in `Errors`."""
        if len(PartitionInputList) > _MOST_CREATED:
            raise invalid("PartitionInputList: Member must have length less than or equal to 100")
        key = (DatabaseName.lower(), TableName.lower())
        with self._store.writing():
            self._need_table(key)
            refused = [each for each in PartitionInputList if not self._register(key, each)]
        return {"Errors": [_error(each["Values"], _registered()) for each in refused]}

    def _register(self, key: tuple[str, str], given: Mapping[str, Any]) -> bool:
        """Add a partition within a transaction; gives False if it was there."""
        values = json.dumps(list(given["Values"]))
        return bool(
            self._store.execute(
                "INSERT OR IGNORE INTO partitions VALUES (?, ?, ?, ?, ?)",
                *key,
                values,
                json.dumps(dict(given)),
                time.time(),
            )
        )

    def get_partitions(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableName: str,  # noqa: N803
        NextToken: str = "",  # noqa: N803
        MaxResults: int = _PAGE,  # noqa: N803
        **options: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Give the registered partitions; an Expression is not understood here and refused."""
        if options.get("Expression"):
            raise invalid("Unsupported expression: the local catalogue reads no expressions")
        key = (DatabaseName.lower(), TableName.lower())
        self._need_table(key)
        rows = self._store.rows(
            f"SELECT * FROM partitions {_WHERE} AND vals > ? ORDER BY vals LIMIT ?",
            *key,
            NextToken,
            MaxResults + 1,
        )
        page: dict[str, Any] = {"Partitions": [_partition(row) for row in rows[:MaxResults]]}
        if len(rows) > MaxResults:
            page["NextToken"] = rows[MaxResults - 1][2]
        return page

    def get_partition(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableName: str,  # noqa: N803
        PartitionValues: Sequence[str],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Give one partition; EntityNotFoundException."""
        key = (DatabaseName.lower(), TableName.lower(), json.dumps(list(PartitionValues)))
        rows = self._store.rows(f"SELECT * FROM partitions {_WHERE} AND vals = ?", *key)
        if not rows:
            raise not_found("Cannot find partition.")
        return {"Partition": _partition(rows[0])}

    def delete_partition(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableName: str,  # noqa: N803
        PartitionValues: Sequence[str],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Forget a partition; EntityNotFoundException."""
        key = (DatabaseName.lower(), TableName.lower(), json.dumps(list(PartitionValues)))
        with self._store.writing():
            if not self._store.execute(f"DELETE FROM partitions {_WHERE} AND vals = ?", *key):
                raise not_found("Partition not found.")
        return {}

    def update_partition(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableName: str,  # noqa: N803
        PartitionValueList: Sequence[str],  # noqa: N803
        PartitionInput: Mapping[str, Any],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Replace a partition, whose values may change; EntityNotFound, AlreadyExists."""
        key = (DatabaseName.lower(), TableName.lower())
        old = json.dumps(list(PartitionValueList))
        new = json.dumps(list(PartitionInput["Values"]))
        with self._store.writing():
            if new != old and self._store.rows(
                f"SELECT 1 FROM partitions {_WHERE} AND vals = ?", *key, new
            ):
                raise _registered()
            if not self._store.execute(
                f"UPDATE partitions SET vals = ?, input = ? {_WHERE} AND vals = ?",
                new,
                json.dumps(dict(PartitionInput)),
                *key,
                old,
            ):
                raise not_found("Partition not found.")
        return {}

    def batch_delete_partition(
        self,
        *,
        DatabaseName: str,  # noqa: N803
        TableName: str,  # noqa: N803
        PartitionsToDelete: Sequence[Mapping[str, Any]],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Forget up to 25 partitions; those missing stand in `Errors`."""
        if len(PartitionsToDelete) > _MOST_DELETED:
            raise invalid("PartitionsToDelete: Member must have length less than or equal to 25")
        errors = []
        for each in PartitionsToDelete:
            try:
                self.delete_partition(
                    DatabaseName=DatabaseName, TableName=TableName, PartitionValues=each["Values"]
                )
            except GlueError as error:
                errors.append(_error(each["Values"], error))
        return {"Errors": errors}

    def _need_table(self, key: tuple[str, str]) -> None:
        if not self._store.rows(f"SELECT 1 FROM tables {_WHERE}", *key):
            raise not_found(f"Entity Not Found: Table {key[1]} not found.")


def _registered() -> GlueError:
    return already_exists("Partition already exists.")


def _error(values: Sequence[str], error: GlueError) -> dict[str, Any]:
    return {
        "PartitionValues": list(values),
        "ErrorDetail": {"ErrorCode": error.code, "ErrorMessage": error.message},
    }


def _partition(row: tuple[str, ...]) -> dict[str, Any]:
    database, table, _, given, created = row
    return {
        **json.loads(given),
        "DatabaseName": database,
        "TableName": table,
        "CreationTime": datetime.fromtimestamp(int(float(created)), tz=UTC),
    }
