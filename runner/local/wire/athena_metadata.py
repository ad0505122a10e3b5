"""Databases, tables and data catalogues as Athena's own operations show them.

In: Athena's metadata operations.  Out: AWS's shapes, made from the Glue catalogue.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from runner.local.glue import GlueError
from runner.local.wire.json11 import Refusal
from runner.local.wire.members import page_of, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.glue import GlueCatalog
    from runner.local.wire.athena_tags import Tags
    from runner.local.wire.members import Members
    from runner.local.wire.registry import Document, Registry

KIND = "data catalog"
ACCOUNT = "000000000000"
_OWN = "AwsDataCatalog"
_TYPES = frozenset({"LAMBDA", "GLUE", "HIVE", "FEDERATED"})


class Metadata:
    """The catalogue behind one Athena."""

    def __init__(self, registry: Registry, catalog: GlueCatalog, tags: Tags) -> None:
        """Take the file of data catalogues, and the tables."""
        self._registry = registry
        self._catalog = catalog
        self._tags = tags

    def get_database(self, members: Members) -> dict[str, Any]:
        """Give a database."""
        self._check_catalog(members)
        return {"Database": _database(self._database(members))}

    def list_databases(self, members: Members) -> dict[str, Any]:
        """Give all databases in order of name."""
        self._check_catalog(members)
        token, most = members.page()
        found = self._databases()
        names, following = page_of(sorted(found), token, most)
        return {"DatabaseList": [_database(found[name]) for name in names], **following}

    def get_table(self, members: Members) -> dict[str, Any]:
        """Give a table."""
        self._check_catalog(members)
        database = members.text("DatabaseName", most=128)
        name = members.text("TableName", most=128)
        try:
            found = self._catalog.get_table(DatabaseName=database, Name=name)["Table"]
        except GlueError as error:
            raise _missing(error) from error
        return {"TableMetadata": _table(found)}

    def list_tables(self, members: Members) -> dict[str, Any]:
        """Give a database's tables in order of name; Expression is a regular expression."""
        self._check_catalog(members)
        database = members.text("DatabaseName", most=128)
        expression = members.text("Expression", least=0, most=256, default="")
        token, most = members.page()
        self._database(members)
        try:
            pattern = re.compile(expression or ".*", re.IGNORECASE)
        except re.error as error:
            raise refused(f"Expression {expression} is no regular expression: {error}") from error
        tables = self._tables(database)
        names, following = page_of(
            [name for name in sorted(tables) if pattern.fullmatch(name)], token, most
        )
        wanted = set(members.items("AttributesToGet"))
        told = [_only(_table(tables[name]), wanted) for name in names]
        return {"TableMetadataList": told, **following}

    def create_catalog(self, members: Members) -> dict[str, Any]:
        """Register a data catalogue; queries know AwsDataCatalog only."""
        name = members.text("Name", most=256)
        content = self._catalog_content(members)
        if name.lower() == _OWN.lower() or not self._registry.add(KIND, name, content):
            raise refused(f"DataCatalog {name} already exists")
        self._tags.set(f"datacatalog/{name}", members.items("Tags"))
        return {"DataCatalog": _catalog_of(name, content)}

    def get_catalog(self, members: Members) -> dict[str, Any]:
        """Give a data catalogue."""
        name = members.text("Name", most=256)
        return {"DataCatalog": self._data_catalog(name)}

    def update_catalog(self, members: Members) -> dict[str, Any]:
        """Replace a data catalogue."""
        name = members.text("Name", most=256)
        content = self._catalog_content(members)
        if not self._registry.change(KIND, name, lambda _: content):
            raise refused(f"DataCatalog {name} was not found", detail="DATACATALOG_NOT_FOUND")
        return {}

    def delete_catalog(self, members: Members) -> dict[str, Any]:
        """Forget a data catalogue; AwsDataCatalog stays."""
        name = members.text("Name", most=256)
        if name.lower() == _OWN.lower():
            raise refused(f"DataCatalog {name} cannot be deleted")
        gone = self._data_catalog(name)
        self._registry.remove(KIND, name)
        self._tags.drop(f"datacatalog/{name}")
        return {"DataCatalog": {**gone, "Status": "DELETE_COMPLETE"}}

    def list_catalogs(self, members: Members) -> dict[str, Any]:
        """Give all data catalogues in order of name."""
        token, most = members.page()
        found = {each.name: each for each in self._registry.all(KIND)}
        names, following = page_of(sorted([*found, _OWN]), token, most)
        told = [self._data_catalog(name) for name in names]
        summaries = [
            {"CatalogName": each["Name"], "Type": each["Type"], "Status": each["Status"]}
            for each in told
        ]
        return {"DataCatalogsSummary": summaries, **following}

    def _data_catalog(self, name: str) -> dict[str, Any]:
        if name.lower() == _OWN.lower():
            return _catalog_of(_OWN, {"Type": "GLUE", "Parameters": {"catalog-id": ACCOUNT}})
        found = self._registry.get(KIND, name)
        if found is None:
            raise refused(f"DataCatalog {name} was not found", detail="DATACATALOG_NOT_FOUND")
        return _catalog_of(found.name, found.content)

    def _catalog_content(self, members: Members) -> dict[str, Any]:
        kind = members.text("Type")
        if kind not in _TYPES:
            raise refused(f"Type must be one of {', '.join(sorted(_TYPES))}")
        described = members.text("Description", most=1024, default="")
        return {
            "Type": kind,
            "Parameters": members.mapping("Parameters"),
            **({"Description": described} if described else {}),
        }

    def _check_catalog(self, members: Members) -> None:
        name = members.text("CatalogName", most=256)
        if name.lower() != _OWN.lower():
            self._data_catalog(name)
            raise refused(f"DataCatalog {name} is not served by the local engine")

    def _database(self, members: Members) -> Mapping[str, Any]:
        name = members.text("DatabaseName", most=128)
        try:
            found: Mapping[str, Any] = self._catalog.get_database(Name=name)["Database"]
        except GlueError as error:
            raise _missing(error) from error
        return found

    def _databases(self) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        token = ""
        while True:
            page = self._catalog.get_databases(NextToken=token)
            found |= {each["Name"]: each for each in page["DatabaseList"]}
            token = page.get("NextToken") or ""
            if not token:
                return found

    def _tables(self, database: str) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        token = ""
        while True:
            page = self._catalog.get_tables(DatabaseName=database, NextToken=token)
            found |= {each["Name"]: each for each in page["TableList"]}
            token = page.get("NextToken") or ""
            if not token:
                return found


def _missing(error: GlueError) -> Refusal:
    """Word Glue's refusal as Athena passes it on: clients look for the code inside."""
    return Refusal(
        "MetadataException",
        f"{error.message} (Service: AmazonDataCatalog; Status Code: 400; Error Code: {error.code}; "
        f"Request ID: {uuid.uuid4()}; Proxy: null)",
    )


def _catalog_of(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"Name": name, **content, "Status": "CREATE_COMPLETE"}


def _database(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": found["Name"],
        **({"Description": found["Description"]} if found.get("Description") else {}),
        **({"Parameters": found["Parameters"]} if found.get("Parameters") else {}),
    }


def _table(found: Mapping[str, Any]) -> dict[str, Any]:
    storage = found.get("StorageDescriptor") or {}
    told = {
        "Name": found["Name"],
        "CreateTime": found.get("CreateTime"),
        "LastAccessTime": found.get("LastAccessTime"),
        "TableType": found.get("TableType"),
        "Columns": _columns(storage.get("Columns") or ()),
        "PartitionKeys": _columns(found.get("PartitionKeys") or ()),
        "Parameters": _parameters(found, storage),
    }
    return {name: value for name, value in told.items() if value is not None}


def _columns(columns: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [
        {
            "Name": each["Name"],
            "Type": each.get("Type", "string"),
            **({"Comment": each["Comment"]} if each.get("Comment") else {}),
        }
        for each in columns
    ]


def _parameters(found: Mapping[str, Any], storage: Mapping[str, Any]) -> dict[str, str]:
    """Flatten what describes a table's storage into its parameters."""
    serde = storage.get("SerdeInfo") or {}
    told = {
        **(found.get("Parameters") or {}),
        "comment": found.get("Description"),
        "inputformat": storage.get("InputFormat"),
        "location": (storage.get("Location") or "").rstrip("/"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
    }
    told |= {f"serde.param.{key}": value for key, value in (serde.get("Parameters") or {}).items()}
    return {key: _squeezed(key, str(value)) for key, value in told.items() if value}


def _squeezed(key: str, value: str) -> str:
    r"""Write a parameter as this API does: several spaces are one; a comment is one line.

    >>> _squeezed("comment", "two\n\nlines"), _squeezed("avro.schema.literal", "{\n   }")
    ('two lines', '{\n }')
    """
    return re.sub(r"\s+" if key == "comment" else " {2,}", " ", value)


def _only(table: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    names = {"NAME": "Name", "TABLE_TYPE": "TableType"}
    if not wanted:
        return table
    return {names[each]: table[names[each]] for each in sorted(wanted) if names.get(each) in table}


def exists(registry: Registry, resource: str) -> Document | None:
    """Find `datacatalog/x` or `workgroup/x`."""
    kind, _, name = resource.partition("/")
    return registry.get({"workgroup": "work group", "datacatalog": KIND}[kind], name)
