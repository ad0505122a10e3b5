"""Publishing an insert chunk: judge, record `writing`, promote, record `published`.

Every step may be repeated: the record's name is fixed when it is begun, and the promotion goes on
where it stands.  So a call that runs out of time is called again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from . import inputs, records, refresh, results
from .faults import LeaseHeld, PromotionFailed
from .promote import OutOfTime, by_period, promote
from .spec import Spec

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .core import Attempt, Keeper
    from .promote import File
    from .storage import Storage
    from .work import Span


def publish(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Promote one chunk from its stage into the table; `complete` is false to be called again."""
    chunk, spec, storage = event["chunk"], attempt.spec, keeper.storage
    start, end = spec.owned(chunk["start"], chunk["end"])
    keeper.leases.renew(spec.name, attempt.owner)
    place = (event["plan"].get("refresh") or {}).get("place", "")
    found = refresh.entries(storage, place) if place else records.entries(storage, spec.name)
    entry = records.own(found, run=attempt.run, start=start, end=end)
    if entry is None:
        body = _judged(keeper, attempt, event)
        inputs.check(keeper, attempt, chunk)
        entry = records.begin(storage, body, found=found, now=keeper.now(), place=place)
    else:
        body = records.read(storage, entry)
    if entry.published:
        records.tidy(storage, entry)
    else:
        try:
            etags = promote(keeper, attempt, body)
        except OutOfTime:
            return {"complete": False, "start": start, "end": end}
        keeper.leases.check(spec.name, attempt.owner)
        body = _completed(storage, entry, body, etags)
    storage.empty(body["stage"])
    return {"complete": True, **summary(body)}


def summary(body: dict[str, Any]) -> dict[str, Any]:
    """Say what a record published, in a few numbers."""
    return {
        "start": body["start"],
        "end": body["end"],
        "rows": sum(body["rows"].values()),
        "bytes": sum(file["size"] for file in body["files"]),
        "files": len(body["files"]),
        "partitions": len(body["rows"]),
        "warnings": [
            f"{test['test']}: {test['offending']} offending"
            for test in body["tests"]
            if test["offending"]
        ],
    }


def _judged(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Judge the staged rows and files; give the body of the record."""
    chunk, spec, plan = event["chunk"], attempt.spec, event["plan"]
    data = results.parse_csv(keeper.storage.read_uri(event["result"]), len(spec.partitions))
    counts = results.rows_by_period(spec, data, chunk["start"], chunk["end"])
    tests = results.judge(spec, data, counts, window=(chunk["start"], chunk["end"]))
    stage = keeper.storage.folder(chunk["stage"])
    base = keeper.storage.folder(plan["location"])
    files: list[File] = [
        {
            "from": stored.key,
            "key": target_key(base, stored.key.removeprefix(stage), attempt.run),
            "size": stored.size,
            "etag": stored.etag,
            "partition": partition_values(stored.key.removeprefix(stage)),
        }
        for stored in keeper.storage.list(stage)
        if is_data(stored.key)
    ]
    refuse_loss(spec, counts, by_period(spec, files, base, start=chunk["start"], end=chunk["end"]))
    return attempt.record(
        *spec.owned(chunk["start"], chunk["end"]),
        stage=stage,
        location=plan["location"],
        columns=plan["stage_columns"],
        rows=counts,
        tests=tests,
        scanned=event.get("scanned"),
        files=files,
    )


def refuse_loss(spec: Spec, counts: dict[str, int], files: dict[str, list[File]]) -> None:
    """Never empty a period whose rows were counted but whose files are not there."""
    lost = [period for period, rows in counts.items() if rows and not files[period]]
    if lost:
        raise PromotionFailed(
            f"{spec.name}: the test query counted rows of {', '.join(lost[:5])}, "
            f"but the stage holds no files of them"
        )


_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def is_data(key: str) -> bool:
    """Tell whether Athena would read the object (names with _ or . are hidden)."""
    return not key.rpartition("/")[2].startswith(("_", ".")) and not key.endswith("/")


def target_key(base: str, relative: str, run: str) -> str:
    """Name the published object: same partition path, a file name that no other run gives.

    Athena's own names end in a UUID and stay; any other name gets the run's.
    """
    folder, slash, name = relative.rpartition("/")
    return f"{base}{relative}" if _UUID.search(name) else f"{base}{folder}{slash}{run}_{name}"


def partition_values(relative: str) -> dict[str, str]:
    """Read `dt=2013-01-05/carrier=AA/file` into its values (Hive escapes undone)."""
    parts = relative.split("/")[:-1]
    return {unquote(name): unquote(value) for name, _, value in (p.partition("=") for p in parts)}


def _completed(
    storage: Storage, entry: records.Entry, body: dict[str, Any], etags: dict[str, str]
) -> dict[str, Any]:
    """Write the `published` record: the files as they lie in the table."""
    files = [
        {
            "key": file["key"],
            "size": file["size"],
            "etag": etags.get(file["key"], file["etag"]),
            "partition": file["partition"],
        }
        for file in body["files"]
    ]
    body = {**body, "files": files}
    records.complete(storage, entry, body)
    return body


def recover(
    keeper: Keeper, attempt: Attempt, *, location: str, spans: Sequence[Span]
) -> list[records.Entry]:
    """Finish what dead runs began outside of the spans that are about to be redone (SEMANTICS 3).

    Gives the records as they are afterwards.  A record whose stage is gone, or that wrote to
    another location, stays `writing`: its periods are missing until a run writes them.
    """
    spec, storage = attempt.spec, keeper.storage
    found = records.entries(storage, spec.name)
    if spec.iceberg is not None:  # a MERGE took place or did not: readers never see a part of it
        return found
    begun: dict[records.Entry, list[str]] = {}
    for period, entry in records.newest(found, spec.grain).items():
        if not entry.published and not any(first <= period <= last for first, last in spans):
            begun.setdefault(entry, []).append(period)
    done = [
        _finish(keeper, attempt, entry, periods, location=location)
        for entry, periods in begun.items()
    ]
    return records.entries(storage, spec.name) if any(done) else found


def _finish(
    keeper: Keeper,
    attempt: Attempt,
    entry: records.Entry,
    periods: Collection[str] | None,
    *,
    location: str,
) -> bool:
    """Go on with a begun publish from its stage; False when that is not there any more."""
    spec, storage = attempt.spec, keeper.storage
    body = records.read(storage, entry)
    if (
        body["location"] != location
        or body["partitions"] != list(spec.partitions)
        or not is_there(storage, spec, body)
    ):
        return False
    try:
        etags = promote(keeper, attempt, body, periods)
    except OutOfTime:
        raise LeaseHeld(f"{spec.name}: what {entry.run} left is being finished") from None
    _completed(storage, entry, body, etags)
    storage.empty(body["stage"])
    return True


def is_there(storage: Storage, spec: Spec, body: dict[str, Any]) -> bool:
    """Tell whether every file of a begun publish is staged still, or in its place already."""
    staged = {stored.key for stored in storage.list(body["stage"])}
    moved = {file["key"] for file in body["files"] if file["from"] not in staged}
    base = storage.folder(body["location"])
    for prefix in spec.prefixes(body["start"], body["end"]).values() if moved else ():
        moved -= {stored.key for stored in storage.list(base + prefix)}
    return not moved


def finish_input(
    keeper: Keeper, attempt: Attempt, given: inputs.Input, entry: records.Entry
) -> None:
    """Finish a publish of another table that a run of ours is about to read.

    LeaseHeld while its writer is at work.  Its records have to be read again afterwards.
    """
    storage = keeper.storage
    body = records.read(storage, entry)
    if not body.get("time"):
        return
    spec = Spec.read({**body, "name": body["table"], "kind": "insert", "project": ""})
    writer = replace(attempt, spec=spec)
    window = (entry.start, entry.end)
    keeper.leases.take(given.name, writer.owner, stage=storage.uri(body["stage"]), window=window)
    try:
        latest = records.newest(records.entries(storage, given.name), given.grain)
        periods = [period for period, found in latest.items() if found.key == entry.key]
        if periods:
            _finish(keeper, writer, entry, periods, location=body["location"])
    finally:
        keeper.leases.release(given.name, writer.owner)
