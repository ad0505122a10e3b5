"""Before a table is written: ownership, lease, window, chunks, and the target's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import records, schema, windows
from .faults import NotOurs, OutOfOrder

if TYPE_CHECKING:
    from .core import Attempt, Keeper
    from .spec import Spec


def prepare(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Plan the write of one table; for views and ddl, say what there is to do."""
    spec, target = attempt.spec, event.get("target")
    if spec.kind in ("view", "ddl"):
        return _prepare_definition(keeper, spec, target)
    schema.refuse_foreign(spec, target)
    window = event["window"]
    start, end = spec.window(window["start"], window["end"], window["grain"])
    grain = spec.grain or window["grain"]
    stage = attempt.stage(keeper.storage)
    plan: dict[str, Any] = {
        "start": start,
        "end": end,
        "tag": attempt.tag,
        "stage": keeper.storage.uri(stage),
    }
    if spec.kind == "ctas":
        return {**plan, "values": spec.values(start, end, grain)}
    chunks = spec.chunks(start, end)
    keeper.leases.take(spec.name, attempt.owner, stage=keeper.storage.uri(stage))
    found = records.entries(keeper.storage, spec.name)
    _refuse_gap(spec, found, start)
    mine = _published_by(attempt, found)
    return {
        **plan,
        "types": not schema.is_current(spec, target),
        "values": spec.values(*chunks[0], grain),
        "chunks": [
            {
                "start": first,
                "end": last,
                "tag": f"{attempt.tag}_{number}",
                "stage": keeper.storage.uri(f"{stage}{number}/"),
                "values": spec.values(first, last, grain),
            }
            for number, (first, last) in enumerate(chunks)
            if (first, last) not in mine
        ],
        **_target_facts(spec, target),
    }


def _target_facts(spec: Spec, target: dict[str, Any] | None) -> dict[str, Any]:
    if target is None:
        return {"columns": "", "stage_columns": [], "location": ""}
    columns = [
        {"Name": column["Name"], "Type": column["Type"]}
        for column in target["StorageDescriptor"]["Columns"]
    ]
    return _write_facts(spec, columns, target["StorageDescriptor"]["Location"])


def _write_facts(spec: Spec, columns: list[dict[str, str]], location: str) -> dict[str, Any]:
    return {
        "columns": schema.quoted(columns, spec.partitions),
        "stage_columns": columns,
        "location": location,
    }


def _published_by(attempt: Attempt, found: list[records.Entry]) -> set[tuple[str, str]]:
    """Chunks that an earlier attempt of this execution has already published."""
    run = f"{attempt.run.rpartition('.')[0]}."
    return {
        (entry.start, entry.end)
        for entry in found
        if entry.published
        and entry.run.startswith(run)
        and entry.fingerprint == attempt.spec.fingerprint[:12]
    }


def _refuse_gap(spec: Spec, found: list[records.Entry], start: str) -> None:
    """Require the period before the window of a table that reads itself (SEMANTICS 21)."""
    if not spec.ordered or spec.grain is None:
        return
    latest = records.newest(found, spec.grain)
    if not latest or start <= min(latest):
        return
    moment = windows.parse_civil(start, spec.grain)
    before = windows.write_civil(windows.add(moment, spec.grain + "s", -1), spec.grain)
    if before not in latest or not latest[before].published:
        raise OutOfOrder(
            f"{spec.name} reads itself and {before} is not published; write the periods in order"
        )


def _prepare_definition(
    keeper: Keeper, spec: Spec, target: dict[str, Any] | None
) -> dict[str, Any]:
    found = records.entries(keeper.storage, spec.name)
    if target is None:
        return {"action": "create"}
    if not found:
        raise NotOurs(
            f"{spec.name} exists and was not made by this project; use `runner adopt {spec.name}`"
        )
    if found[-1].fingerprint == spec.fingerprint[:12]:
        return {"action": "none"}
    return {"action": "create" if spec.kind == "view" else "replace"}


def reconcile(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Compare the query's columns with the target's; say how to make or change the target.

    `inferred` holds the columns that a CTAS WITH NO DATA of the same query has.
    """
    spec, plan, target = attempt.spec, event["plan"], event.get("target")
    wanted = schema.data_columns(spec, event["inferred"])
    parameters = schema.target_parameters(spec)
    if target is None:
        location = keeper.storage.uri(f"{keeper.storage.prefix}{spec.database}/{spec.table}/g=1/")
        change: dict[str, Any] = {"action": "create", "version": ""}
        columns = wanted
    else:
        location = target["StorageDescriptor"]["Location"]
        change = {"action": "update", "version": target.get("VersionId", "")}
        columns = schema.merge_columns(spec, target, wanted)
        parameters = {**target.get("Parameters", {}), **parameters}
    table = schema.table_input(spec, columns, location, parameters=parameters)
    return {**plan, **_write_facts(spec, columns, location), **change, "table_input": table}
