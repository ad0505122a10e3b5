"""Exports of a table for another platform: what to unload where, and which files count.

Below the export's folder each period of a table has one of its own: `<table>/<period>/`, `all` for
a table without time partitions; beside them `<table>/schema.json`.  A run unloads each period into
a folder that nothing else writes to, and when all are there removes what else lies in the periods'
folders: a window that is exported again replaces its own files, and no other's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import bigquery, records
from .extract import within
from .faults import ExportIncomplete, NothingPublished
from .records import WHOLE
from .spec import hive_escape, run_name
from .storage import split_uri
from .work import asked, refuse_large

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .core import Attempt, Keeper
    from .spec import Spec
    from .storage import Storage

_SHOWN = 5
_SCHEMA = "schema.json"


def plan_export(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Say what to unload: one part for each period that has rows; nothing is written yet.

    `export` comes from the definition: folder (below the lake), columns (all if empty),
    timestamps.  The definition unloads `select` and a part's `where` into
    <folder><period>/<run>/<redrive>/.
    """
    spec, export = attempt.spec, event["export"]
    if spec.kind in ("view", "ddl"):
        raise NothingPublished(f"{spec.name} is a {spec.kind}: it has no published rows to export")
    work = asked(keeper.storage, spec, event["window"])
    refuse_large(spec, work)
    wanted = _periods(spec, work.spans)
    chosen = _chosen(keeper, spec, wanted)
    bodies = records.bodies(keeper.storage, set(chosen.values()))
    rows = {period: int(bodies[entry]["rows"][period]) for period, entry in chosen.items()}
    columns = _columns(spec, export, bodies[max(bodies)]["columns"])
    schema = bigquery.schema(columns, timestamps=export["timestamps"])
    folder = _folder(keeper.storage, export["folder"])
    parts = [
        {
            "period": hive_escape(period),
            "where": "" if period == WHOLE else _where(spec, wanted[period]),
        }
        for period in wanted
        if rows[period]
    ]
    return {
        "folder": keeper.storage.uri(folder),
        "run": run_name(attempt.execution),
        "select": _select(spec, columns),
        "periods": list(wanted),
        "parts": parts,
        "rows": sum(rows.values()),
        "schema": schema,
    }


def settle_export(keeper: Keeper, event: dict[str, Any]) -> dict[str, Any]:
    """Write the schema and keep exactly the files that the statements wrote.

    `export` is the plan, `written` the manifest of each part, in the order of the parts.
    """
    storage, plan = keeper.storage, event["export"]
    folder = storage.folder(plan["folder"])
    manifests = [uri for uri in event["written"] if uri]
    if len(manifests) != len(plan["parts"]):
        raise ExportIncomplete(
            f"{plan['folder']}: {len(manifests)} of {len(plan['parts'])} statements told what they "
            "wrote; the files of the export before stay"
        )
    files = {key for uri in manifests for key in _files(storage, uri)}
    there = {
        stored.key for period in plan["periods"] for stored in storage.list(_place(folder, period))
    }
    missing = sorted(files - there)
    if missing:
        raise ExportIncomplete(
            f"{storage.uri(missing[0])} was written and is gone; what was exported before stays"
        )
    storage.delete([f"{folder}{_SCHEMA}"])
    storage.write_json(f"{folder}{_SCHEMA}", plan["schema"])
    old = sorted(there - files)
    storage.delete_all(old)
    return {
        "folder": plan["folder"],
        "schema": f"{plan['folder']}{_SCHEMA}",
        "files": len(files),
        "rows": plan["rows"],
        "replaced": len(old),
    }


def _periods(spec: Spec, spans: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Give the periods of the window, each with the values of the time columns."""
    return {
        period: values
        for first, last in spans
        for values, period in spec.time_values(first, last).items()
    }


def _chosen(
    keeper: Keeper, spec: Spec, wanted: dict[str, tuple[str, ...]]
) -> dict[str, records.Entry]:
    """Give the record that counts for each period; NothingPublished if one is missing."""
    latest = records.newest(records.entries(keeper.storage, spec.name), spec.grain)
    missing = [one for one in wanted if one not in latest or not latest[one].published]
    if missing:
        shown = ", ".join(missing[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise NothingPublished(f"{spec.name}: {shown}{more} is not published; run the table first")
    return {period: latest[period] for period in wanted}


def _columns(
    spec: Spec, export: dict[str, Any], columns: Sequence[dict[str, str]]
) -> list[dict[str, str]]:
    """Give the exported columns in order, partition columns behind the others."""
    partitions = set(spec.partitions)
    every = [one for one in columns if one["Name"] not in partitions]
    every += [{"Name": name, "Type": "string"} for name in spec.partitions]
    chosen = export["columns"]
    if chosen:
        known = {one["Name"]: one for one in every}
        lost = [name for name in chosen if name not in known]
        if lost:
            raise NothingPublished(f"{spec.name} was published without the column {lost[0]}")
        every = [known[name] for name in chosen]
    return every


def _select(spec: Spec, columns: Sequence[dict[str, str]]) -> str:
    """Write the query without its condition."""
    names = ", ".join('"' + one["Name"].replace('"', '""') + '"' for one in columns)
    return f'SELECT {names} FROM "{spec.database}"."{spec.table}"'


def _where(spec: Spec, values: tuple[str, ...]) -> str:
    """Write the condition of one period."""
    window = {"columns": [column for column, _ in spec.time], "values": [values]}
    return f" WHERE {within(window)}"


def _folder(storage: Storage, below: str) -> str:
    return f"{storage.prefix}{below}"


def _place(folder: str, period: str) -> str:
    return f"{folder}{hive_escape(period)}/"


def _files(storage: Storage, manifest: str) -> list[str]:
    """Read the keys of the files that a statement wrote."""
    lines = storage.read_uri(manifest).decode().splitlines()
    bucket = storage.bucket
    found = [split_uri(line.strip()) for line in lines if line.strip()]
    strange = [one for one in found if one[0] != bucket]
    if strange:
        raise ExportIncomplete(f"{manifest} names files outside of the lake: {strange[0]}")
    return [key for _, key in found]
