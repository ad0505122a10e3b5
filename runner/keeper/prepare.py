"""Before a table is written: ownership, lease, window, chunks, and the target's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import publish, records, schema, windows
from .faults import NotOurs, OutOfOrder

if TYPE_CHECKING:
    from .core import Attempt, Keeper
    from .spec import Spec


def prepare(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Plan the write of one table; for views and ddl, say what there is to do."""
    spec, target = attempt.spec, event.get("target")
    if spec.kind in ("view", "ddl"):
        return _prepare_definition(keeper, attempt, target)
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
    facts = _target_facts(spec, target)
    found = publish.recover(keeper, attempt, location=facts["location"], window=(start, end))
    latest = records.newest(found, spec.grain)
    _refuse_gap(spec, latest, start)
    return {
        **plan,
        **facts,
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
            if not _is_published(attempt, latest, (first, last))
        ],
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


def _is_published(
    attempt: Attempt, latest: dict[str, records.Entry], chunk: tuple[str, str]
) -> bool:
    """Tell whether an earlier attempt of this execution published the chunk, and it counts."""
    spec = attempt.spec
    run = f"{attempt.run.rpartition('.')[0]}."
    entries = {latest.get(period) for period in spec.prefixes(*chunk)}
    return all(
        entry is not None
        and entry.published
        and entry.run.startswith(run)
        and (entry.start, entry.end) == spec.owned(*chunk)
        and entry.fingerprint == spec.fingerprint[:12]
        for entry in entries
    )


def _refuse_gap(spec: Spec, latest: dict[str, records.Entry], start: str) -> None:
    """Require the period before the window of a table that reads itself (SEMANTICS 21)."""
    if not spec.ordered or spec.grain is None:
        return
    if not latest or start <= min(latest):
        return
    moment = windows.parse_civil(start, spec.grain)
    before = windows.write_civil(windows.add(moment, spec.grain + "s", -1), spec.grain)
    if before not in latest or not latest[before].published:
        raise OutOfOrder(
            f"{spec.name} reads itself and {before} is not published; write the periods in order"
        )


def _prepare_definition(
    keeper: Keeper, attempt: Attempt, target: dict[str, Any] | None
) -> dict[str, Any]:
    """Begin the record of a view or ddl before it is made, so that a crash leaves it ours."""
    spec = attempt.spec
    found = records.entries(keeper.storage, spec.name)
    if target is not None:
        if not found:
            raise NotOurs(
                f"{spec.name} exists and was not made by this project; "
                f"use `runner adopt {spec.name}`"
            )
        if found[-1].published and found[-1].fingerprint == spec.fingerprint[:12]:
            return {"action": "none"}
    _begin_definition(keeper, attempt, found)
    return {"action": "replace" if target is not None and spec.kind == "ddl" else "create"}


def _begin_definition(keeper: Keeper, attempt: Attempt, found: list[records.Entry]) -> None:
    """Begin this attempt's record of a view or ddl, unless it has begun; there are no files."""
    if records.own(found, run=attempt.run, start=records.WHOLE, end=records.WHOLE) is not None:
        return
    body = attempt.record(records.WHOLE, records.WHOLE, rows={}, tests=[], files=[])
    records.begin(keeper.storage, body, found=found, now=keeper.now())


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
        parameters = {**schema.kept_parameters(target), **parameters}
    table = schema.table_input(spec, columns, location, parameters=parameters)
    return {**plan, **_write_facts(spec, columns, location), **change, "table_input": table}
