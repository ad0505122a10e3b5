"""`adopt`: take over a table that this project did not make.

In: a table's name.  Out: an `Adoption`, what was verified and found; `adopt` then makes it ours:
records of every partition first, the parameter that says whose it is last.  A death between leaves
records that nobody asks for, since the table is still refused; adopting again writes newer ones.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.app.adoption import (
    Found,
    Judge,
    Partitions,
    count_query,
    joined,
    rows_by_period,
)
from runner.app.bundle import open_bundle
from runner.app.inspect import find_table
from runner.app.local_places import open_places
from runner.app.tenure import holding
from runner.errors import Fault, Place, RunFailed, UsageError
from runner.keeper import records, schema
from runner.keeper.catalog import Catalog, location_of
from runner.keeper.spec import Spec, run_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import TableFacts
    from runner.app.local_places import Local
    from runner.keeper.lease import Owner
    from runner.keeper.storage import Storage

_MOST = 100
"""Periods that one record covers."""
_KEPT = ("Name", "Description", "Owner", "Retention", "TableType", "PartitionKeys")


@dataclass(frozen=True, slots=True)
class Adoption:
    """What was found of a table that can be taken over."""

    table: str
    kind: str
    location: str
    periods: tuple[tuple[str, int, int], ...]
    """Period, files and bytes."""
    owner: str
    """The project whose it is so far; empty: nobody's."""
    known_types: bool
    """Whether the query's columns could be compared with the table's."""
    rows: int = 0
    """Counted when it was adopted."""


@dataclass(frozen=True, slots=True)
class _Look:
    """A table that was looked at, and what is needed to take it over."""

    local: Local
    spec: Spec
    found: Found
    partitions: Partitions
    adoption: Adoption


def plan_adopt(
    root: Path,
    table: str,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    owner: str | None = None,
) -> Adoption:
    """Verify a table; RunFailed lists every reason why it cannot be taken over.

    `owner` is the project that gives it away, when it belongs to one.
    """
    with _opened(root, table, environment, variables) as (local, facts, spec, catalog):
        return _look(local, facts, spec, catalog=catalog, owner=owner).adoption


def adopt(
    root: Path,
    table: str,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    owner: str | None = None,
) -> Adoption:
    """Verify a table again and take it over, holding its lease; gives what was taken."""
    with (
        _opened(root, table, environment, variables) as (local, facts, spec, catalog),
        holding(local, spec.name, verb="adopt") as tenant,
    ):
        look = _look(local, facts, spec, catalog=catalog, owner=owner)
        if spec.kind in ("view", "ddl"):
            _record_definition(look, tenant)
            return look.adoption
        rows = _count(look, facts)
        _record(look, rows, tenant)
        _claim(look, catalog)
        return replace(look.adoption, rows=sum(rows.values()))


@contextmanager
def _opened(
    root: Path, table: str, environment: str, variables: Mapping[str, str] | None
) -> Iterator[tuple[Local, TableFacts, Spec, Catalog]]:
    from runner.asl.tablespec import keeper_spec  # noqa: PLC0415 - heavy only when needed
    from runner.model.names import TableName  # noqa: PLC0415
    from runner.project import load_project  # noqa: PLC0415

    bundle = open_bundle(root, environment, variables)
    facts = find_table(bundle, table)
    local = open_places(root, bundle, now=lambda: datetime.now(UTC))
    project = load_project(
        root,
        environment=environment,
        variables=variables or {},
        cache_dir=root / ".runner" / "cache",
    )
    spec = keeper_spec(project, project.table(TableName.parse(table)), facts.grain or "day")
    client = local.catalog()
    try:
        yield local, facts, Spec.read(spec), Catalog(client)
    finally:
        client.close()


def _look(
    local: Local, facts: TableFacts, spec: Spec, *, catalog: Catalog, owner: str | None
) -> _Look:
    entry = catalog.table(spec.name)
    if entry is None:
        advice = f"run it: `runner run` makes {facts.name}"
        fault = Fault(Place("TABLE"), "nothing-there", spec.name, "a table that exists", advice)
        raise UsageError([fault])
    holder = _refuse_owner(local, facts, entry, owner)
    found = _find(local, facts, spec, catalog=catalog, entry=entry)
    judge = Judge(facts.file, spec, found)
    partitions = Partitions({}, {})
    if spec.kind in ("view", "ddl"):
        judge.definition()
    else:
        partitions = judge.table()
    if judge.faults:
        raise RunFailed(judge.faults)
    adoption = Adoption(
        table=facts.name,
        kind=facts.kind,
        location=location_of(entry),
        periods=tuple(
            (period, len(files), sum(file["size"] for file in files))
            for period, files in partitions.files.items()
        ),
        owner=holder,
        known_types=bool(found.inferred),
    )
    return _Look(local, spec, found, partitions, adoption)


def _refuse_owner(local: Local, facts: TableFacts, entry: dict[str, Any], owner: str | None) -> str:
    """Refuse a table that is ours already, or another project's that has not given it away."""
    holder = str((entry.get("Parameters") or {}).get(schema.OWNER, ""))
    if holder == local.bundle.project:
        advice = "nothing is to be done: run it"
        found, expected = "a table of this very project", "a table that is not ours"
    elif holder and holder != owner:
        advice = f"when that project gives it away: --from {holder}"
        found, expected = f"a table of project {holder}", "a table that belongs to nobody"
    elif owner and not holder:
        advice = "leave --from away"
        found, expected = "a table that belongs to nobody", f"a table of project {owner}"
    else:
        return holder
    raise RunFailed([Fault(Place(facts.file), "not-adoptable", found, expected, advice)])


def _find(
    local: Local, facts: TableFacts, spec: Spec, *, catalog: Catalog, entry: dict[str, Any]
) -> Found:
    storage = local.storage()
    base = _base(storage, location_of(entry))
    defined = spec.kind in ("view", "ddl")
    return Found(
        entry=entry,
        inferred=() if defined else _inferred(local, facts),
        others={uri: names for uri, names in catalog.locations().items() if names != [spec.name]},
        lake=local.environment.lake,
        base=base,
        objects=() if defined or not base else tuple(storage.list(base)),
        registered={
            tuple(one["Values"]): location_of(one) for one in catalog.partitions(spec.name)
        },
    )


def _base(storage: Storage, location: str) -> str:
    try:
        return storage.folder(location)
    except ValueError:
        return ""


def _inferred(local: Local, facts: TableFacts) -> tuple[tuple[str, str], ...]:
    """Ask Athena for the query's columns; nothing when what it reads cannot be planned."""
    from runner.app.preview_window import Window, window_statement  # noqa: PLC0415
    from runner.app.rehearsal import StandInFailed, rehearsal  # noqa: PLC0415 - DuckDB loads here
    from runner.local.athena import AthenaFailure  # noqa: PLC0415

    day = f"{local.now():%Y-%m-%d}"
    window = Window(day, day, "day").to(facts.grain or "day")
    try:
        with rehearsal(local, facts, window, statement=window_statement) as athena:
            columns = athena.describe(window_statement(facts, window), facts.database)
    except (AthenaFailure, StandInFailed):
        return ()
    return tuple((name, kind.hive()) for name, kind in columns)


def _count(look: _Look, facts: TableFacts) -> dict[str, int]:
    """Count the rows of every partition by one query."""
    catalog = look.local.catalog()
    athena = look.local.athena(look.local.s3(), catalog)
    try:
        counted = athena.query(count_query(look.spec), look.spec.database).rows
    finally:
        athena.close()
        catalog.close()
    rows, unknown = rows_by_period(look.partitions, counted)
    if unknown:
        raise RunFailed(
            [
                Fault(
                    Place(facts.file),
                    "not-adoptable",
                    f"rows of {'/'.join(values)}",
                    "rows of partitions whose files lie below the table's location",
                    "correct the table's partitions and try again",
                )
                for values in unknown
            ]
        )
    return rows


def _record(look: _Look, rows: Mapping[str, int], tenant: Owner) -> None:
    """Write a published record for every partition, neighbours together."""
    storage, spec, entry = look.local.storage(), look.spec, look.found.entry
    found = records.history(storage, spec.name)
    columns = [
        {"Name": column["Name"], "Type": column["Type"]}
        for column in entry["StorageDescriptor"]["Columns"]
    ]
    files = look.partitions.files
    periods = files or ({records.WHOLE: ()} if spec.grain is None else {})
    for group in joined(periods, spec.grain, most=_MOST):
        body = {
            **_body(spec, tenant, group[0], group[-1]),
            "location": _location(look),
            "columns": columns,
            "rows": {period: rows.get(period, 0) for period in group},
            "files": [file for period in group for file in files.get(period, ())],
        }
        found.append(records.publish(storage, body, found=found, now=look.local.now()))


def _record_definition(look: _Look, tenant: Owner) -> None:
    storage, spec = look.local.storage(), look.spec
    body = {**_body(spec, tenant, records.WHOLE, records.WHOLE), "rows": {}, "files": []}
    found = records.history(storage, spec.name)
    records.publish(storage, body, found=found, now=look.local.now())


def _body(spec: Spec, tenant: Owner, start: str, end: str) -> dict[str, Any]:
    return {
        "table": spec.name,
        "start": start,
        "end": end,
        "grain": spec.grain,
        "execution": tenant.execution,
        "run": f"{run_name(tenant.execution)}.0.1",
        "fingerprint": spec.fingerprint,
        "partitions": list(spec.partitions),
        "tests": [],
        "scanned": None,
    }


def _location(look: _Look) -> str:
    return location_of(look.found.entry).rstrip("/") + "/"


def _claim(look: _Look, catalog: Catalog) -> None:
    """Mark the table as ours, with the projection that the header asks for."""
    spec, entry = look.spec, look.found.entry
    parameters = {**schema.kept_parameters(entry), **schema.target_parameters(spec)}
    if not _has_all_columns(look):
        del parameters[schema.FINGERPRINT]  # the next run adds what is new
    given = {name: entry[name] for name in _KEPT if name in entry}
    storage = {**entry["StorageDescriptor"], "Location": _location(look)}
    catalog.update(
        spec.database,
        {**given, "Parameters": parameters, "StorageDescriptor": storage},
        version=str(entry.get("VersionId", "")),
    )


def _has_all_columns(look: _Look) -> bool:
    have = {column["Name"] for column in look.found.entry["StorageDescriptor"]["Columns"]}
    want = {name for name, _ in look.found.inferred} - set(look.spec.partitions)
    return bool(want) and want == have
