"""Publishing a whole table: judge the stage, plan the flip, record what the flip published.

The flip itself is one `glue:updateTable` (or `createTable`) in the state machine.  Its record is
`writing` before the flip and `published` after it: a run that dies between leaves the table known
as missing, never a table that disagrees with its record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import inputs, records, refresh, results, schema
from .faults import PromotionFailed
from .publish import is_data, partition_values, summary

if TYPE_CHECKING:
    from .core import Attempt, Keeper
    from .spec import Spec


def accept(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Judge the staged table and take the lease; give the table input of the flip.

    `staged` is Glue's description of the stage table, `target` the published one or null.
    """
    spec, plan, staged = attempt.spec, event["plan"], event["staged"]
    found = results.parse_csv(keeper.storage.read_uri(event["result"]), len(spec.partitions))
    counts = results.rows_by_period(spec, found, plan["start"], plan["end"])
    tests = results.judge(spec, found, counts, window=(plan["start"], plan["end"]))
    results.refuse_empty(spec, sum(counts.values()))
    keeper.leases.take(
        spec.name, attempt.owner, stage=plan["stage"], window=(records.WHOLE, records.WHOLE)
    )
    inputs.check(keeper, attempt, plan)
    target = event.get("target")
    schema.refuse_foreign(spec, target)
    columns = _columns(spec, staged)
    location = f"{plan['stage']}data/"
    files = _files(keeper, location)
    if sum(counts.values()) and not files:
        raise PromotionFailed(
            f"{spec.name}: the test query counted rows, but the stage holds no files of them"
        )
    entries = records.entries(keeper.storage, spec.name)
    if records.own(entries, run=attempt.run, start=records.WHOLE, end=records.WHOLE) is None:
        body = attempt.record(
            records.WHOLE,
            records.WHOLE,
            location=location,
            columns=columns,
            rows=counts,
            tests=tests,
            files=files,
        )
        records.begin(keeper.storage, body, found=entries, now=keeper.now())
    return {
        "action": "create" if target is None else "update",
        "version": "" if target is None else target.get("VersionId", ""),
        "location": location,
        "table_input": schema.table_input(
            spec, columns, location, parameters=schema.target_parameters(spec)
        ),
        "rows": counts,
        "tests": tests,
    }


def _columns(spec: Spec, staged: dict[str, Any]) -> list[dict[str, str]]:
    """Give the data columns of the stage table; its partition columns must be text."""
    columns = [*staged["StorageDescriptor"]["Columns"], *staged.get("PartitionKeys", ())]
    return schema.data_columns(spec, columns)


def _files(keeper: Keeper, location: str) -> list[dict[str, Any]]:
    base = keeper.storage.folder(location)
    return [
        {
            "key": stored.key,
            "size": stored.size,
            "etag": stored.etag,
            "partition": partition_values(stored.key.removeprefix(base)),
        }
        for stored in keeper.storage.list(base)
        if is_data(stored.key)
    ]


def finish(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """End a table's turn: record what was published, give the lease back, count."""
    if attempt.spec.kind == "insert":
        new = event.get("refresh")
        if new:  # the flip has made this generation the table
            refresh.settle(keeper.storage, attempt.spec, new["generation"])
        begun = event.get("begun", True) or attempt.number > 1
        result = _totals(keeper, attempt, event["written"], begun=begun)
    else:
        result = summary(_record(keeper, attempt, event))
    keeper.leases.release(attempt.spec.name, attempt.owner)
    return result


def _totals(
    keeper: Keeper, attempt: Attempt, written: list[dict[str, Any]], *, begun: bool
) -> dict[str, Any]:
    """Add up what this execution published: the last chunks as told, others by their records.

    Nothing is read where it had not `begun` before these chunks.
    """
    ours = {(chunk["start"], chunk["end"]) for chunk in written}
    run = attempt.siblings
    found = records.entries(keeper.storage, attempt.spec.name) if begun else []
    others = {
        entry
        for entry in records.newest(found, attempt.spec.grain).values()
        if entry.published and entry.run.startswith(run) and (entry.start, entry.end) not in ours
    }
    bodies = records.bodies(keeper.storage, sorted(others))
    parts = [*written, *(summary(body) for body in bodies.values())]
    totals = {
        name: sum(part[name] for part in parts) for name in ("rows", "bytes", "files", "partitions")
    }
    return {**totals, "warnings": [warning for part in parts for warning in part["warnings"]]}


def _record(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Turn the record that this attempt began into a published one."""
    found = records.entries(keeper.storage, attempt.spec.name)
    entry = records.own(found, run=attempt.run, start=records.WHOLE, end=records.WHOLE)
    if entry is None:
        raise PromotionFailed(f"{attempt.spec.name}: the record that this attempt began is gone")
    body = records.read(keeper.storage, entry)
    if entry.published:
        records.tidy(keeper.storage, entry)
        return body
    body = {**body, "scanned": event.get("scanned")}
    records.complete(keeper.storage, entry, body)
    return body
