"""Glue's client methods on SQLite: boto3's parameters and results, Glue's refusals.

Update is a replacement, as on AWS; a stale VersionId is refused without changing the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.glue import (
    batches,
    databases,
    indexes,
    partitions,
    search,
    statistics,
    tables,
    tags,
    versions,
)
from runner.local.glue import service as glue_service
from runner.local.glue.errors import GlueError
from runner.local.glue.requests import check
from runner.local.glue.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.model.ports import Json

_OPERATIONS: Mapping[str, Callable[[Store, Mapping[str, Any]], dict[str, Any]]] = {
    "CreateDatabase": databases.create_database,
    "GetDatabase": databases.get_database,
    "GetDatabases": databases.get_databases,
    "UpdateDatabase": databases.update_database,
    "DeleteDatabase": databases.delete_database,
    "CreateTable": tables.create_table,
    "GetTable": tables.get_table,
    "GetTables": tables.get_tables,
    "UpdateTable": tables.update_table,
    "DeleteTable": tables.delete_table,
    "BatchDeleteTable": tables.batch_delete_table,
    "GetTableVersion": versions.get_table_version,
    "GetTableVersions": versions.get_table_versions,
    "DeleteTableVersion": versions.delete_table_version,
    "BatchDeleteTableVersion": versions.batch_delete_table_version,
    "SearchTables": search.search_tables,
    "CreatePartition": partitions.create_partition,
    "BatchCreatePartition": batches.batch_create_partition,
    "GetPartition": partitions.get_partition,
    "GetPartitions": partitions.get_partitions,
    "BatchGetPartition": batches.batch_get_partition,
    "UpdatePartition": partitions.update_partition,
    "BatchUpdatePartition": batches.batch_update_partition,
    "DeletePartition": partitions.delete_partition,
    "BatchDeletePartition": batches.batch_delete_partition,
    "CreatePartitionIndex": indexes.create_partition_index,
    "GetPartitionIndexes": indexes.get_partition_indexes,
    "DeletePartitionIndex": indexes.delete_partition_index,
    "GetColumnStatisticsForTable": statistics.get_column_statistics,
    "GetColumnStatisticsForPartition": statistics.get_column_statistics,
    "UpdateColumnStatisticsForTable": statistics.update_column_statistics,
    "UpdateColumnStatisticsForPartition": statistics.update_column_statistics,
    "DeleteColumnStatisticsForTable": statistics.delete_column_statistics,
    "DeleteColumnStatisticsForPartition": statistics.delete_column_statistics,
    "GetTags": tags.get_tags,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
}
OPERATIONS = tuple(_OPERATIONS)
"""What the catalogue answers, by Glue's names."""


class GlueCatalog:
    """A boto3-shaped Glue client on one SQLite file; safe with several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open or make the catalogue."""
        self._store = Store(path)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def service(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Answer `aws-sdk:glue` (`getTable`); raises ServiceError `Glue.<Exception>`."""
        return glue_service.call(self, action, arguments)

    def call(self, operation: str, given: Mapping[str, Json]) -> dict[str, Any]:
        """Do an operation by Glue's name, `GetTable`; raises GlueError."""
        try:
            check(operation, given)
            return _OPERATIONS[operation](self._store, given)
        except GlueError as error:
            error.operation_name = operation
            raise

    def partition_places(
        self, database: str, table: str, *, below: Sequence[str] = ()
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Give values and location ("" if it has none) of a table's partitions, in their order.

        Only those whose values begin as `below` says.
        """
        return partitions.places(self._store, (database.lower(), table.lower()), below)

    def create_database(self, **given: Json) -> dict[str, Any]:
        """Make a database; AlreadyExistsException."""
        return self.call("CreateDatabase", given)

    def get_database(self, **given: Json) -> dict[str, Any]:
        """Give a database; EntityNotFoundException."""
        return self.call("GetDatabase", given)

    def get_databases(self, **given: Json) -> dict[str, Any]:
        """Give the databases in order of name."""
        return self.call("GetDatabases", given)

    def update_database(self, **given: Json) -> dict[str, Any]:
        """Replace a database's definition, but for its name."""
        return self.call("UpdateDatabase", given)

    def delete_database(self, **given: Json) -> dict[str, Any]:
        """Delete a database with its tables; EntityNotFoundException."""
        return self.call("DeleteDatabase", given)

    def create_table(self, **given: Json) -> dict[str, Any]:
        """Make a table with version 0; AlreadyExistsException."""
        return self.call("CreateTable", given)

    def get_table(self, **given: Json) -> dict[str, Any]:
        """Give a table with its VersionId; EntityNotFoundException."""
        return self.call("GetTable", given)

    def get_tables(self, **given: Json) -> dict[str, Any]:
        """Give a database's tables in order of name; Expression is a pattern."""
        return self.call("GetTables", given)

    def update_table(self, **given: Json) -> dict[str, Any]:
        """Replace a table; a stale VersionId is ConcurrentModificationException."""
        return self.call("UpdateTable", given)

    def delete_table(self, **given: Json) -> dict[str, Any]:
        """Delete a table, its versions and partitions; the data stay."""
        return self.call("DeleteTable", given)

    def batch_delete_table(self, **given: Json) -> dict[str, Any]:
        """Delete up to 100 tables; those missing stand in `Errors`."""
        return self.call("BatchDeleteTable", given)

    def get_table_version(self, **given: Json) -> dict[str, Any]:
        """Give one version of a table."""
        return self.call("GetTableVersion", given)

    def get_table_versions(self, **given: Json) -> dict[str, Any]:
        """Give the present version and the archived ones, newest first."""
        return self.call("GetTableVersions", given)

    def delete_table_version(self, **given: Json) -> dict[str, Any]:
        """Delete an archived version."""
        return self.call("DeleteTableVersion", given)

    def batch_delete_table_version(self, **given: Json) -> dict[str, Any]:
        """Delete up to 100 archived versions."""
        return self.call("BatchDeleteTableVersion", given)

    def search_tables(self, **given: Json) -> dict[str, Any]:
        """Give the tables that have a text and properties."""
        return self.call("SearchTables", given)

    def create_partition(self, **given: Json) -> dict[str, Any]:
        """Register a partition; AlreadyExistsException."""
        return self.call("CreatePartition", given)

    def batch_create_partition(self, **given: Json) -> dict[str, Any]:
        """Register up to 100 partitions; those refused stand in `Errors`."""
        return self.call("BatchCreatePartition", given)

    def get_partition(self, **given: Json) -> dict[str, Any]:
        """Give one partition; EntityNotFoundException."""
        return self.call("GetPartition", given)

    def get_partitions(self, **given: Json) -> dict[str, Any]:
        """Give the partitions that Expression and Segment ask for."""
        return self.call("GetPartitions", given)

    def batch_get_partition(self, **given: Json) -> dict[str, Any]:
        """Give those of up to 1000 partitions that are there."""
        return self.call("BatchGetPartition", given)

    def update_partition(self, **given: Json) -> dict[str, Any]:
        """Replace a partition, whose values may change."""
        return self.call("UpdatePartition", given)

    def batch_update_partition(self, **given: Json) -> dict[str, Any]:
        """Replace up to 100 partitions; those refused stand in `Errors`."""
        return self.call("BatchUpdatePartition", given)

    def delete_partition(self, **given: Json) -> dict[str, Any]:
        """Forget a partition; EntityNotFoundException."""
        return self.call("DeletePartition", given)

    def batch_delete_partition(self, **given: Json) -> dict[str, Any]:
        """Forget up to 25 partitions; those missing stand in `Errors`."""
        return self.call("BatchDeletePartition", given)

    def create_partition_index(self, **given: Json) -> dict[str, Any]:
        """Keep a partition index."""
        return self.call("CreatePartitionIndex", given)

    def get_partition_indexes(self, **given: Json) -> dict[str, Any]:
        """Describe a table's partition indexes."""
        return self.call("GetPartitionIndexes", given)

    def delete_partition_index(self, **given: Json) -> dict[str, Any]:
        """Forget a partition index."""
        return self.call("DeletePartitionIndex", given)

    def get_column_statistics_for_table(self, **given: Json) -> dict[str, Any]:
        """Give the statistics of columns of a table."""
        return self.call("GetColumnStatisticsForTable", given)

    def get_column_statistics_for_partition(self, **given: Json) -> dict[str, Any]:
        """Give the statistics of columns of a partition."""
        return self.call("GetColumnStatisticsForPartition", given)

    def update_column_statistics_for_table(self, **given: Json) -> dict[str, Any]:
        """Keep statistics of a table's columns."""
        return self.call("UpdateColumnStatisticsForTable", given)

    def update_column_statistics_for_partition(self, **given: Json) -> dict[str, Any]:
        """Keep statistics of a partition's columns."""
        return self.call("UpdateColumnStatisticsForPartition", given)

    def delete_column_statistics_for_table(self, **given: Json) -> dict[str, Any]:
        """Forget the statistics of a table's column."""
        return self.call("DeleteColumnStatisticsForTable", given)

    def delete_column_statistics_for_partition(self, **given: Json) -> dict[str, Any]:
        """Forget the statistics of a partition's column."""
        return self.call("DeleteColumnStatisticsForPartition", given)

    def get_tags(self, **given: Json) -> dict[str, Any]:
        """Give a database's or table's tags."""
        return self.call("GetTags", given)

    def tag_resource(self, **given: Json) -> dict[str, Any]:
        """Add tags."""
        return self.call("TagResource", given)

    def untag_resource(self, **given: Json) -> dict[str, Any]:
        """Take tags away."""
        return self.call("UntagResource", given)
