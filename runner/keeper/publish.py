"""Publishing an insert chunk: judge, record `writing`, promote, record `published`.

Every step may be repeated: the record's name is fixed when it is begun, and the promotion goes on
where it stands.  So a call that runs out of time is called again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from . import records, results
from .faults import LeaseHeld, PromotionFailed
from .promote import OutOfTime, by_period, promote

if TYPE_CHECKING:
    from .core import Attempt, Keeper
    from .promote import File
    from .spec import Spec
    from .storage import Storage


def publish(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Promote one chunk from its stage into the table; `complete` is false to be called again."""
    chunk, spec = event["chunk"], attempt.spec
    start, end = spec.owned(chunk["start"], chunk["end"])
    keeper.leases.renew(spec.name, attempt.owner)
    found = records.entries(keeper.storage, spec.name)
    entry = records.own(found, run=attempt.run, start=start, end=end)
    if entry is None:
        body = _judged(keeper, attempt, event)
        entry = records.begin(keeper.storage, body, found=found, now=keeper.now())
    else:
        body = records.read(keeper.storage, entry)
    if entry.published:
        records.tidy(keeper.storage, entry)
    else:
        try:
            etags = promote(keeper, attempt, body)
        except OutOfTime:
            return {"complete": False, "start": start, "end": end}
        keeper.leases.check(spec.name, attempt.owner)
        body = _completed(keeper.storage, entry, body, etags)
    keeper.storage.empty(body["stage"])
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
    tests = results.judge(spec, data, counts)
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


def is_data(key: str) -> bool:
    """Tell whether Athena would read the object (names with _ or . are hidden)."""
    return not key.rpartition("/")[2].startswith(("_", ".")) and not key.endswith("/")


def target_key(base: str, relative: str, run: str) -> str:
    """Name the published object: same partition path, a file name that tells the run."""
    folder, slash, name = relative.rpartition("/")
    return f"{base}{folder}{slash}{run}_{name}"


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
    keeper: Keeper, attempt: Attempt, *, location: str, window: tuple[str, str]
) -> list[records.Entry]:
    """Finish what dead runs began outside of the window that is about to be redone (SEMANTICS 3).

    Gives the records as they are afterwards.  A record whose stage is gone, or that wrote to
    another location, stays `writing`: its periods are missing until a run writes them.
    """
    spec, storage = attempt.spec, keeper.storage
    found = records.entries(storage, spec.name)
    if spec.iceberg is not None:  # a MERGE took place or did not: readers never see a part of it
        return found
    redone = set(spec.prefixes(*window))
    begun: dict[records.Entry, list[str]] = {}
    for period, entry in records.newest(found, spec.grain).items():
        if not entry.published and period not in redone:
            begun.setdefault(entry, []).append(period)
    for entry, periods in begun.items():
        body = records.read(storage, entry)
        staged = {stored.key for stored in storage.list(body["stage"])}
        if (
            body["location"] == location
            and body["partitions"] == list(spec.partitions)
            and staged.issuperset(file["from"] for file in body["files"])
        ):
            try:
                etags = promote(keeper, attempt, body, periods)
            except OutOfTime:
                raise LeaseHeld(f"{spec.name}: what {entry.run} left is being finished") from None
            _completed(storage, entry, body, etags)
            storage.empty(body["stage"])
    return records.entries(storage, spec.name) if begun else found
