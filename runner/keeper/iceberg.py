"""Iceberg tables: ownership, the target's DDL, and the one MERGE that publishes a chunk.

The statements are Athena's; `merging` writes them and the state machine runs them.

Who owns the table is told by a claim, `_runner/iceberg/<database>/<table>.json`, written before the
table is made: Athena takes a closed list of properties for Iceberg tables, and its commits need
not keep parameters that others put into the catalogue.  The claim holds what a Hive table's
parameters hold: project, fingerprint, locations.

A record is `writing` before the MERGE and `published` after it.  Its files are the staged ones,
which stay: loads read them, and a repeated MERGE gives the same rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import inputs, records, results, schema
from . import prepare as prepares
from .faults import NotOurs, PromotionFailed, SchemaChanged
from .merging import (
    TYPE,
    add_columns_statement,
    create_statement,
    iceberg_type,
    keys_of,
    merge_statement,
)
from .publish import is_data, partition_values, refuse_loss, summary

if TYPE_CHECKING:
    from .core import Attempt, Keeper
    from .spec import Spec
    from .storage import Storage


# --- ownership ------------------------------------------------------------------------------------


def _claim_key(storage: Storage, table: str) -> str:
    return f"{storage.prefix}_runner/iceberg/{table.replace('.', '/', 1)}.json"


def _read_claim(storage: Storage, table: str) -> dict[str, Any] | None:
    found = storage.read_json(_claim_key(storage, table))
    return None if found is None else dict(found[0])


def owned(storage: Storage, table: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Give the catalogue's entry of an Iceberg table with its owner in it, as claimed."""
    claim = _read_claim(storage, table)
    location = entry["StorageDescriptor"]["Location"].rstrip("/") + "/"
    if claim is None or location not in claim["locations"]:
        return entry
    parameters = {**entry.get("Parameters", {}), schema.OWNER: claim["project"]}
    return {**entry, "Parameters": parameters}


def as_hive(storage: Storage, spec: Spec, target: dict[str, Any] | None) -> dict[str, Any] | None:
    """Describe our Iceberg table as the Hive table it stands for; NotOurs for anybody else's."""
    if target is None:
        return None
    parameters = target.get("Parameters", {})
    if parameters.get("table_type", "").upper() != TYPE:
        schema.refuse_foreign(spec, target)
        raise SchemaChanged(
            f"{spec.name} is a Hive table and the file says format: iceberg. Nothing was written. "
            f"Give the Iceberg table another name, or drop this one first"
        )
    claim = _read_claim(storage, spec.name)
    described = target["StorageDescriptor"]
    location = described["Location"].rstrip("/") + "/"
    if claim is None or claim["project"] != spec.project or location not in claim["locations"]:
        raise NotOurs(
            f"{spec.name} exists and was not made by this project; use `runner adopt {spec.name}`"
        )
    return {
        **target,
        "Parameters": {
            **claim["parameters"],
            schema.OWNER: claim["project"],
            schema.FINGERPRINT: claim["fingerprint"],
        },
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in claim["partitions"]],
        "StorageDescriptor": {
            **described,
            "Location": location,
            "Columns": [
                column
                for column in described["Columns"]
                if column.get("Parameters", {}).get("iceberg.field.current") != "false"
                and column["Name"] not in claim["partitions"]
            ],
        },
    }


def _claimed(spec: Spec, locations: list[str], fingerprint: str) -> dict[str, Any]:
    return {
        "project": spec.project,
        "table": spec.name,
        "locations": locations,
        "fingerprint": fingerprint,
        "partitions": list(spec.partitions),
        "parameters": spec.parameters,
    }


# --- before the chunks ----------------------------------------------------------------------------


def prepare(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Plan the write as that of an insert table; name the stage tables of unfinished merges.

    `fence`: without its stage table, a MERGE that a dead run left behind cannot start any more.
    One that has started ends before ours commits, or fails by the conflict.
    """
    spec, storage = attempt.spec, keeper.storage
    target = as_hive(storage, spec, event.get("target"))
    plan = prepares.prepare(keeper, attempt, {**event, "target": target})
    latest = records.newest(records.entries(storage, spec.name), spec.grain)
    unfinished = {e for e in latest.values() if not e.published and e.run != attempt.run}
    bodies = [records.read(storage, entry) for entry in sorted(unfinished)]
    return {**plan, "fence": [body["stage_table"] for body in bodies if "stage_table" in body]}


def reconcile(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Compare the query's columns with the target's; give the DDL to run, if any, as `ddl`."""
    spec, storage, plan = attempt.spec, keeper.storage, event["plan"]
    target = as_hive(storage, spec, event.get("target"))
    wanted = [
        {"Name": column["Name"], "Type": iceberg_type(column["Type"])}
        for column in schema.data_columns(spec, event["inferred"])
    ]
    claim = _read_claim(storage, spec.name)
    locations = list(claim["locations"]) if claim else []
    if target is None:
        number = len(locations) + 1
        base = f"{storage.prefix}{spec.database}/{spec.table}"
        location = storage.uri(f"{base}/g={number}/")
        ddl, columns = create_statement(spec, wanted, location), wanted
        storage.write_json(
            _claim_key(storage, spec.name), _claimed(spec, [*locations, location], fingerprint="")
        )
    else:
        location = target["StorageDescriptor"]["Location"]
        columns = schema.merge_columns(spec, target, wanted)
        new = columns[len(target["StorageDescriptor"]["Columns"]) :]
        ddl = add_columns_statement(spec, new) if new else ""
        if not new:
            claimed = _claimed(spec, locations, spec.fingerprint)
            storage.write_json(_claim_key(storage, spec.name), claimed)
    return {
        **plan,
        "columns": schema.quoted(columns, spec.partitions),
        "stage_columns": columns,
        "location": location,
        "ddl": ddl,
    }


def settle(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """After the DDL: the table that is there now must be ours and have the planned columns."""
    spec, storage, plan = attempt.spec, keeper.storage, event["plan"]
    target = as_hive(storage, spec, event["target"])
    claim = _read_claim(storage, spec.name)
    if target is None or claim is None:
        raise PromotionFailed(f"{spec.name} was made, but the catalogue does not show it")
    have = {c["Name"]: c["Type"] for c in target["StorageDescriptor"]["Columns"]}
    planned = {column["Name"]: column["Type"] for column in plan["stage_columns"]}
    if have != planned:
        raise PromotionFailed(f"{spec.name} has the columns {have}, not {planned}")
    claimed = _claimed(spec, claim["locations"], spec.fingerprint)
    storage.write_json(_claim_key(storage, spec.name), claimed)
    return {}


# --- a chunk --------------------------------------------------------------------------------------


def merge(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Judge a staged chunk and begin its record; give the MERGE that publishes it."""
    chunk, spec, storage = event["chunk"], attempt.spec, keeper.storage
    start, end = spec.owned(chunk["start"], chunk["end"])
    keeper.leases.renew(spec.name, attempt.owner)
    found = records.entries(storage, spec.name)
    entry = records.own(found, run=attempt.run, start=start, end=end)
    if entry is None:
        body = _judged(keeper, attempt, event, found)
        inputs.check(keeper, attempt, chunk)
        records.begin(storage, body, found=found, now=keeper.now())
    else:
        body = records.read(storage, entry)
    return {
        "statement": merge_statement(
            spec,
            stage=f'"{event["stage_database"]}"."{chunk["tag"]}"',
            columns=[column["Name"] for column in event["plan"]["stage_columns"]],
            window=(chunk["start"], chunk["end"]),
            by_keys=body["by_keys"],
        )
    }


def merged(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """After the MERGE: the chunk's record becomes `published`; its files stay in the stage."""
    chunk, spec, storage = event["chunk"], attempt.spec, keeper.storage
    start, end = spec.owned(chunk["start"], chunk["end"])
    keeper.leases.renew(spec.name, attempt.owner)
    found = records.entries(storage, spec.name)
    entry = records.own(found, run=attempt.run, start=start, end=end)
    if entry is None:
        raise PromotionFailed(f"{spec.name}: the record that this attempt began is gone")
    body = records.read(storage, entry)
    if entry.published:
        records.tidy(storage, entry)
    else:
        body = {**body, "merge_scanned": event.get("scanned")}
        records.complete(storage, entry, body)
    return {"complete": True, **summary(body)}


def _judged(
    keeper: Keeper, attempt: Attempt, event: dict[str, Any], found: list[records.Entry]
) -> dict[str, Any]:
    """Judge the staged rows and files; give the body of the record."""
    chunk, spec, storage = event["chunk"], attempt.spec, keeper.storage
    data = results.parse_csv(storage.read_uri(event["result"]), len(spec.partitions))
    counts = results.rows_by_period(spec, data, chunk["start"], chunk["end"])
    window = (chunk["start"], chunk["end"])
    tests = results.judge(spec, data, counts, window=window)
    if not spec.partitions:
        results.refuse_empty(spec, sum(counts.values()))
    stage = storage.folder(chunk["stage"])
    files: list[dict[str, Any]] = [
        {
            "key": stored.key,
            "size": stored.size,
            "etag": stored.etag,
            "partition": partition_values(stored.key.removeprefix(stage)),
        }
        for stored in storage.list(stage)
        if is_data(stored.key)
    ]
    labels = spec.time_values(chunk["start"], chunk["end"])
    by_period: dict[str, list[dict[str, Any]]] = {period: [] for period in counts}
    for file in files:
        values = tuple(file["partition"].get(column, "") for column, _ in spec.time)
        if values in labels:  # only a file without rows can lie elsewhere: they were counted
            by_period[labels[values]].append(file)
    refuse_loss(spec, counts, by_period)
    return attempt.record(
        *spec.owned(chunk["start"], chunk["end"]),
        stage=stage,
        stage_table=chunk["tag"],
        location=chunk["stage"],
        columns=event["plan"]["stage_columns"],
        keys=keys_of(spec),
        by_keys=_may_merge_by_keys(storage, spec, found, chunk),
        rows=counts,
        tests=tests,
        scanned=event.get("scanned"),
        files=files,
    )


def _may_merge_by_keys(
    storage: Storage, spec: Spec, found: list[records.Entry], chunk: dict[str, Any]
) -> bool:
    """Tell whether the rows that are there are known to have these keys, each once, never NULL.

    That is tested before each publish.  Where another header wrote last, or it is not known who
    did, the window's rows are replaced instead.
    """
    keys = keys_of(spec)
    if not keys:
        return False
    latest = records.newest(found, spec.grain)
    entries = {latest[p] for p in spec.prefixes(chunk["start"], chunk["end"]) if p in latest}
    return all(e.published and records.read(storage, e).get("keys") == keys for e in entries)
