"""Publishing a whole table: judge the stage, plan the flip, record what the flip published.

The flip itself is one `glue:updateTable` (or `createTable`) in the state machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import records, results, schema
from .publish import is_data, partition_values, summary

if TYPE_CHECKING:
    from .core import Attempt, Keeper


def accept(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Judge the staged table and take the lease; give the table input of the flip.

    `staged` is Glue's description of the stage table, `target` the published one or null.
    """
    spec, plan, staged = attempt.spec, event["plan"], event["staged"]
    found = results.parse_csv(keeper.storage.read_uri(event["result"]), len(spec.partitions))
    start, end = plan["start"], plan["end"]
    counts = results.rows_by_period(spec, found, start, end)
    tests = results.judge(spec, found, counts)
    results.refuse_empty(spec, sum(counts.values()))
    keeper.leases.take(spec.name, attempt.owner, stage=plan["stage"])
    target = event.get("target")
    schema.refuse_foreign(spec, target)
    descriptor = staged["StorageDescriptor"]
    columns = [{"Name": c["Name"], "Type": c["Type"]} for c in descriptor["Columns"]]
    location = f"{plan['stage']}data/"
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


def finish(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """End a table's turn: record what was published, give the lease back, count."""
    if attempt.spec.kind == "insert":
        result = _totals(event["written"])
    elif attempt.spec.kind == "ctas":
        result = _record_whole(keeper, attempt, event)
    else:
        result = _record_definition(keeper, attempt)
    keeper.leases.release(attempt.spec.name, attempt.owner)
    return result


def _totals(written: list[dict[str, Any]]) -> dict[str, Any]:
    totals = {
        name: sum(chunk[name] for chunk in written)
        for name in ("rows", "bytes", "files", "partitions")
    }
    warnings = [warning for chunk in written for warning in chunk["warnings"]]
    return {**totals, "warnings": warnings}


def _record_whole(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    spec, change = attempt.spec, event["change"]
    for entry in records.entries(keeper.storage, spec.name):
        if entry.published and entry.run == attempt.run:
            return summary(records.read(keeper.storage, entry))
    location = keeper.storage.key(change["location"])
    body = {
        "table": spec.name,
        "start": records.WHOLE,
        "end": records.WHOLE,
        "grain": None,
        "execution": attempt.execution,
        "run": attempt.run,
        "fingerprint": spec.fingerprint,
        "location": change["location"],
        "columns": change["table_input"]["StorageDescriptor"]["Columns"],
        "partitions": list(spec.partitions),
        "rows": change["rows"],
        "tests": change["tests"],
        "scanned": event.get("scanned"),
        "files": [
            {
                "key": stored.key,
                "size": stored.size,
                "etag": stored.etag,
                "partition": partition_values(stored.key.removeprefix(location)),
            }
            for stored in keeper.storage.list(location)
            if is_data(stored.key)
        ],
    }
    _write(keeper, attempt, body)
    return summary(body)


def _record_definition(keeper: Keeper, attempt: Attempt) -> dict[str, Any]:
    """Record from which text a view or ddl was made; there are no files."""
    body: dict[str, Any] = {
        "table": attempt.spec.name,
        "start": records.WHOLE,
        "end": records.WHOLE,
        "grain": None,
        "execution": attempt.execution,
        "run": attempt.run,
        "fingerprint": attempt.spec.fingerprint,
        "rows": {},
        "tests": [],
        "files": [],
    }
    _write(keeper, attempt, body)
    return summary(body)


def _write(keeper: Keeper, attempt: Attempt, body: dict[str, Any]) -> None:
    spec = attempt.spec
    rest = f"{records.stamp(keeper.now())}_{spec.fingerprint[:12]}_{attempt.run}"
    stem = records.stem(
        keeper.storage, spec.name, start=records.WHOLE, end=records.WHOLE, rest=rest
    )
    keeper.storage.write_json(f"{stem}.json", body)
