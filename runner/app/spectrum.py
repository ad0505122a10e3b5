"""`spectrum`: statements by which Redshift reads tables of the lake as external tables.

In: a project, the catalogue and the records of one environment.  Out: statements, in the order in
which they run.  Redshift projects no partitions: those that records say are published are named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.backfill_choice import choose
from runner.app.inspect import find_table
from runner.app.places import open_environment
from runner.errors import Fault, Place, UsageError
from runner.keeper import records
from runner.keeper.catalog import is_iceberg, location_of
from runner.model.spectrum import (
    ExternalTable,
    SpectrumError,
    partition_ddl,
    schema_ddl,
    table_ddl,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import TableFacts
    from runner.app.places import Places
    from runner.keeper.catalog import Catalog

_FORMATS = {
    "MapredParquetInputFormat": "parquet",
    "OrcInputFormat": "orc",
    "AvroContainerInputFormat": "avro",
}


@dataclass(frozen=True, slots=True)
class SpectrumRequest:
    """What is asked for."""

    root: Path
    schema: str
    """The external schema in Redshift."""
    patterns: tuple[str, ...] = ("*.*",)
    role: str = ""
    """ARN of the role of a schema that is made first; empty to make none."""
    environment: str = "local"
    variables: Mapping[str, str] | None = None


def spectrum(request: SpectrumRequest) -> tuple[str, ...]:
    """Write the statements; UsageError for a table that Redshift cannot read."""
    moment = datetime.now(UTC)
    places = open_environment(
        request.root, request.environment, request.variables, now=lambda: moment
    )
    chosen = choose(places.bundle, request.patterns).tables
    tables = [find_table(places.bundle, name) for name in chosen]
    made = []
    if request.role:
        made.append(schema_ddl(request.schema, request.schema, request.role, create=True))
    with places.refusals("read the catalogue"), places.catalog_open() as catalog:
        for facts in tables:
            try:
                made += _statements(places, catalog, facts, request.schema)
            except SpectrumError as error:
                raise _refused(facts.name, str(error)) from error
    return tuple(made)


def _statements(places: Places, catalog: Catalog, facts: TableFacts, schema: str) -> Iterator[str]:
    name = f"{facts.database}.{facts.name.partition('.')[2]}"
    found = catalog.table(name)
    if found is None:
        raise SpectrumError(f"{name} is not in the catalogue: run it first")
    if is_iceberg(found) or not location_of(found):
        kind = "an Iceberg table" if is_iceberg(found) else "a view"
        raise SpectrumError(f"{name} is {kind}, which only a schema over the catalogue shows")
    table = _external(found)
    yield table_ddl(schema, table)
    if table.partitions:
        for values, location in _partitions(places, name, facts):
            yield partition_ddl(schema, table, values, location)


def _external(found: dict[str, Any]) -> ExternalTable:
    descriptor = found["StorageDescriptor"]
    reader = str(descriptor.get("InputFormat", "")).rpartition(".")[2]
    serde = str(descriptor.get("SerdeInfo", {}).get("SerializationLibrary", ""))
    stored = _FORMATS.get(reader, "json" if "Json" in serde else "textfile")
    return ExternalTable(
        found["Name"],
        tuple((one["Name"], one["Type"]) for one in descriptor["Columns"]),
        tuple((one["Name"], one["Type"]) for one in found.get("PartitionKeys") or ()),
        location_of(found),
        stored,
    )


def _partitions(places: Places, name: str, facts: TableFacts) -> list[tuple[tuple[str, ...], str]]:
    """Give the partitions that hold published files, and where these are."""
    storage = places.storage()
    latest = records.newest(records.entries(storage, name), facts.grain or None)
    published = {entry for entry in latest.values() if entry.published}
    found: dict[tuple[str, ...], str] = {}
    for body in records.bodies(storage, published).values():
        for file in body["files"]:
            values = tuple(file["partition"][column] for column in body["partitions"])
            found[values] = storage.uri(file["key"].rpartition("/")[0] + "/")
    return sorted(found.items())


def _refused(name: str, why: str) -> UsageError:
    fault = Fault(
        Place("runner spectrum"),
        "spectrum-table",
        why,
        "tables that Redshift reads by themselves",
        f"leave {name} out, or use a schema over the Glue Data Catalog (`external_schema` of a "
        "redshift step)",
    )
    return UsageError([fault])
