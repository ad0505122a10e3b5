"""Tables and partitions as Glue's crawler writes them into the catalogue; again changes nothing.

In: a table that was found.  Out: calls of the catalogue.  A table that another wrote at another
location keeps its name; ours gets one with the location's hash, as on AWS.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.local.glue import GlueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.local.crawling.files import Object
    from runner.local.crawling.layout import Found, Part
    from runner.local.glue import GlueCatalog

_MOST_CREATED = _MOST_UPDATED = 100
_HIVE = "org.apache.hadoop.hive.ql.io."
_PARQUET = (
    f"{_HIVE}parquet.MapredParquetInputFormat",
    f"{_HIVE}parquet.MapredParquetOutputFormat",
    f"{_HIVE}parquet.serde.ParquetHiveSerDe",
)
_TEXT = ("org.apache.hadoop.mapred.TextInputFormat", f"{_HIVE}HiveIgnoreKeyTextOutputFormat")
_FORMATS: Mapping[str, tuple[str, str, str]] = {
    "parquet": _PARQUET,
    "json": (*_TEXT, "org.openx.data.jsonserde.JsonSerDe"),
    "csv": (*_TEXT, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
}
_COMPRESSED = {".gz": "gzip", ".bz2": "bzip2", ".zst": "zstd"}
_UNFIT = re.compile(r"[^a-z0-9_]")


@dataclass(frozen=True, slots=True)
class Written:
    """What a crawl has changed."""

    created: int = 0
    updated: int = 0


def table_name(location: str, prefix: str, chosen: str | None) -> str:
    """Name the table of a folder as the crawler does.

    >>> table_name("s3://raw/Web Events/", "raw_", None), table_name("s3://raw/", "", None)
    ('raw_web_events', 'raw')
    """
    name = chosen or location.rstrip("/").rpartition("/")[2]
    return _UNFIT.sub("_", f"{prefix}{name}".lower())


def write_table(
    catalog: GlueCatalog, database: str, name: str, *, crawler: str, found: Found
) -> Written:
    """Make or update a table and its partitions."""
    name = _free_name(catalog, database, name, found.uri)
    described = _table_input(name, crawler, found)
    before = _get(catalog, database, name)
    created = updated = 0
    if before is None:
        catalog.create_table(DatabaseName=database, TableInput=described)
        created = 1
    elif _differs(before, described):
        described["Parameters"] = {**before.get("Parameters", {}), **described["Parameters"]}
        catalog.update_table(
            DatabaseName=database, TableInput=described, VersionId=before["VersionId"]
        )
        updated = 1
    if found.keys:
        _write_partitions(catalog, database, name, crawler=crawler, found=found)
    return Written(created, updated)


def _get(catalog: GlueCatalog, database: str, name: str) -> dict[str, Any] | None:
    try:
        table: dict[str, Any] = catalog.get_table(DatabaseName=database, Name=name)["Table"]
    except GlueError as error:
        if error.code != "EntityNotFoundException":
            raise
        return None
    return table


def _free_name(catalog: GlueCatalog, database: str, name: str, location: str) -> str:
    there = _get(catalog, database, name)
    at = there.get("StorageDescriptor", {}).get("Location", "") if there else location
    if at.rstrip("/") == location.rstrip("/"):
        return name
    return f"{name}_{hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()}"


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether a table is described otherwise than before, but for what others added."""
    said = ("StorageDescriptor", "PartitionKeys", "Parameters")
    return any(_adds(before.get(key), after[key]) for key in said)


def _adds(before: Any, after: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return any(_adds(before.get(key), value) for key, value in after.items())
    return bool(before != after)


def _table_input(name: str, crawler: str, found: Found) -> dict[str, Any]:
    objects = [one for part in found.parts for one in part.objects]
    rows = sum(part.schema.rows for part in found.parts)
    parameters = _parameters(found, crawler, objects, rows)
    return {
        "Name": name,
        "Owner": "owner",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in found.keys],
        "StorageDescriptor": _storage(found, found.uri, parameters),
    }


def _storage(found: Found, location: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    schema = found.schema
    read, write, serde = _FORMATS[schema.classification]
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in found.columns],
        "Location": location,
        "InputFormat": read,
        "OutputFormat": write,
        "Compressed": parameters["compressionType"] != "none",
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": _serde(found)},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": dict(parameters),
        "StoredAsSubDirectories": False,
    }


def _serde(found: Found) -> dict[str, str]:
    """Give the SerDe's parameters; those of JSON list every column of every part."""
    if found.schema.classification != "json":
        return dict(found.schema.serde)
    names = {one for part in found.parts for one in part.schema.serde["paths"].split(",")}
    return {"paths": ",".join(sorted(names))}


def _parameters(found: Found, crawler: str, objects: Sequence[Object], rows: int) -> dict[str, str]:
    size = sum(one.size for one in objects)
    return {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler,
        "averageRecordSize": str(size // max(rows, 1)),
        "classification": found.schema.classification,
        "compressionType": _compression(found.schema.classification, objects),
        "objectCount": str(len(objects)),
        "recordCount": str(rows),
        "sizeKey": str(size),
        "typeOfData": "file",
        **found.schema.parameters,
    }


def _compression(classification: str, objects: Iterable[Object]) -> str:
    """Name the compression of text files; a Parquet file says its own."""
    if classification == "parquet":
        return "none"
    found = {
        next((name for end, name in _COMPRESSED.items() if one.uri.endswith(end)), "none")
        for one in objects
    }
    return found.pop() if len(found) == 1 else "none"


def _write_partitions(
    catalog: GlueCatalog, database: str, name: str, *, crawler: str, found: Found
) -> None:
    """Register what is new, and correct what is there at another place."""
    there = dict(catalog.partition_places(database, name))
    new = [part for part in found.parts if part.values not in there]
    moved = [p for p in found.parts if p.values in there and there[p.values] != p.uri]
    for some in _batches(new, _MOST_CREATED):
        inputs = [_partition_input(found, part, crawler) for part in some]
        answer = catalog.batch_create_partition(
            DatabaseName=database, TableName=name, PartitionInputList=inputs
        )
        _refuse(answer)
    for some in _batches(moved, _MOST_UPDATED):
        entries = [
            {
                "PartitionValueList": list(part.values),
                "PartitionInput": _partition_input(found, part, crawler),
            }
            for part in some
        ]
        answer = catalog.batch_update_partition(
            DatabaseName=database, TableName=name, Entries=entries
        )
        _refuse(answer)


def _refuse(answer: Mapping[str, Any]) -> None:
    for error in answer.get("Errors", ()):
        detail = error["ErrorDetail"]
        raise GlueError(detail["ErrorCode"], detail["ErrorMessage"], operation="BatchPartition")


def _partition_input(found: Found, part: Part, crawler: str) -> dict[str, Any]:
    parameters = _parameters(found, crawler, part.objects, part.schema.rows)
    storage = _storage(found, part.uri, parameters)
    return {
        "Values": list(part.values),
        "Parameters": parameters,
        "StorageDescriptor": storage,
    }


def _batches(parts: Sequence[Part], most: int) -> list[Sequence[Part]]:
    return [parts[first : first + most] for first in range(0, len(parts), most)]
