"""Tables of the catalogue, through a client shaped like boto3's Glue client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .storage import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGE_SUFFIX = "__stage"
"""Stage tables live in `<database>__stage`."""
_NONE = "EntityNotFoundException"


class Catalog:
    """Reads page after page; what is not there is None, and deleting it twice is allowed."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - boto3's client has no type
        """Take the client."""
        self._client = client

    def databases(self) -> list[str]:
        """Name every database."""
        return [one["Name"] for one in self._pages("get_databases", "DatabaseList")]

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Give the tables of a database; none when there is no such database."""
        return list(self._pages("get_tables", "TableList", DatabaseName=database))

    def table(self, name: str) -> dict[str, Any] | None:
        """Give `database.table`; None when there is none."""
        database, _, table = name.partition(".")
        try:
            answer = self._client.get_table(DatabaseName=database, Name=table)
        except Exception as error:
            if code_of(error) == _NONE:
                return None
            raise
        found: dict[str, Any] = answer["Table"]
        return found

    def delete(self, name: str) -> bool:
        """Delete `database.table` from the catalogue, not its files; False if it was not there."""
        database, _, table = name.partition(".")
        try:
            self._client.delete_table(DatabaseName=database, Name=table)
        except Exception as error:
            if code_of(error) == _NONE:
                return False
            raise
        return True

    def update(self, database: str, table_input: dict[str, Any], *, version: str) -> None:
        """Change a table, unless it was changed since that version was read."""
        self._client.update_table(DatabaseName=database, TableInput=table_input, VersionId=version)

    def partitions(self, name: str) -> list[dict[str, Any]]:
        """Give the partitions that are registered for `database.table`."""
        database, _, table = name.partition(".")
        return list(
            self._pages("get_partitions", "Partitions", DatabaseName=database, TableName=table)
        )

    def locations(self) -> dict[str, list[str]]:
        """Give every location in use, and the tables that use it; stage tables do not count."""
        found: dict[str, list[str]] = {}
        for database in self.databases():
            if not database.endswith(STAGE_SUFFIX):
                for table in self.tables(database):
                    for uri in _locations(table):
                        found.setdefault(uri, []).append(f"{database}.{table['Name']}")
        return found

    def _pages(self, method: str, what: str, **given: str) -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {}
        while True:
            try:
                page = getattr(self._client, method)(**given, **more)
            except Exception as error:
                if code_of(error) == _NONE:
                    return
                raise
            yield from page[what]
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}


def location_of(table: dict[str, Any]) -> str:
    """Give a table's location; empty for a view."""
    return str((table.get("StorageDescriptor") or {}).get("Location") or "")


def is_iceberg(table: dict[str, Any]) -> bool:
    """Tell whether the table is an Iceberg table: its files are listed in its own metadata."""
    kind = (table.get("Parameters") or {}).get("table_type", "")
    return str(kind).upper() == "ICEBERG"


def _locations(table: dict[str, Any]) -> list[str]:
    """Give what a table reads: its location, and an Iceberg table's metadata."""
    metadata = (table.get("Parameters") or {}).get("metadata_location", "")
    return [uri for uri in (location_of(table), metadata) if uri]
