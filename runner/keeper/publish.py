"""Publishing an insert chunk: judge, record `writing`, empty, copy, verify, record `published`.

Every step may be repeated: the record's name is fixed when it is begun, the target keys follow
from the staged keys, and a period whose listing already is what it should be is left alone.  So a
call that runs out of time is called again and goes on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from . import records, results
from .faults import PromotionFailed
from .storage import Stored

if TYPE_CHECKING:
    from .core import Attempt, Keeper

_RESERVE_S = 60.0
"""Seconds before the end of the function's time at which a call stops and asks for another."""


def publish(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Promote one chunk from its stage into the table; `complete` is false to be called again."""
    chunk, spec = event["chunk"], attempt.spec
    start, end = chunk["start"], chunk["end"]
    keeper.leases.check(spec.name, attempt.owner)
    entry = _own_entry(keeper, attempt, start, end)
    if entry is None:
        entry = _begin(keeper, attempt, event)
    body = records.read(keeper.storage, entry)
    if not entry.published:
        if not _promote(keeper, attempt, body):
            return {"complete": False, "start": start, "end": end}
        body = _finish(keeper, entry, body)
    keeper.storage.empty(keeper.storage.key(chunk["stage"]))
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


def _own_entry(keeper: Keeper, attempt: Attempt, start: str, end: str) -> records.Entry | None:
    for entry in records.entries(keeper.storage, attempt.spec.name):
        if (entry.start, entry.end, entry.run) == (start, end, attempt.run):
            return entry
    return None


def _begin(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> records.Entry:
    """Judge the staged rows, list the staged files and write the `writing` record."""
    chunk, spec, plan = event["chunk"], attempt.spec, event["plan"]
    start, end = chunk["start"], chunk["end"]
    found = results.parse_csv(keeper.storage.read_uri(event["result"]), len(spec.partitions))
    counts = results.rows_by_period(spec, found, start, end)
    tests = results.judge(spec, found, counts)
    rest = f"{records.stamp(keeper.now())}_{spec.fingerprint[:12]}_{attempt.run}"
    stem = records.stem(keeper.storage, spec.name, start=start, end=end, rest=rest)
    stage = keeper.storage.key(chunk["stage"])
    base = keeper.storage.key(plan["location"])
    files = [
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
    body = {
        "table": spec.name,
        "start": start,
        "end": end,
        "grain": spec.grain,
        "execution": attempt.execution,
        "run": attempt.run,
        "fingerprint": spec.fingerprint,
        "location": plan["location"],
        "columns": plan["stage_columns"],
        "partitions": list(spec.partitions),
        "rows": counts,
        "tests": tests,
        "scanned": event.get("scanned"),
        "files": files,
    }
    keeper.storage.write_json(f"{stem}.writing", body)
    entry = records.parse_key(f"{stem}.writing")
    if entry is None:  # pragma: no cover - the key was made two lines above
        raise AssertionError(stem)
    return entry


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


def _promote(keeper: Keeper, attempt: Attempt, body: dict[str, Any]) -> bool:
    """Make every period of the window hold exactly its files; False when time runs out."""
    base = keeper.storage.key(body["location"])
    for prefix in attempt.spec.prefixes(body["start"], body["end"]).values():
        wanted = {f["key"]: f for f in body["files"] if f["key"].startswith(base + prefix)}
        sizes = {key: file["size"] for key, file in wanted.items()}
        if _sizes(keeper, base + prefix) == sizes:
            continue
        if keeper.remaining_s() < _RESERVE_S:
            return False
        keeper.leases.check(attempt.spec.name, attempt.owner)
        keeper.storage.empty(base + prefix)
        keeper.storage.copy_all(
            [(Stored(f["from"], f["size"], f["etag"]), key) for key, f in wanted.items()]
        )
        if _sizes(keeper, base + prefix) != sizes:
            raise PromotionFailed(
                f"{attempt.spec.name}: {keeper.storage.uri(base + prefix)} does not hold exactly "
                f"the {len(sizes)} objects that were copied to it"
            )
    return True


def _sizes(keeper: Keeper, prefix: str) -> dict[str, int]:
    return {stored.key: stored.size for stored in keeper.storage.list(prefix)}


def _finish(keeper: Keeper, entry: records.Entry, body: dict[str, Any]) -> dict[str, Any]:
    """Write the `published` record and remove the `writing` one."""
    files = [{name: file[name] for name in file if name != "from"} for file in body["files"]]
    body = {**body, "files": files}
    keeper.storage.write_json(entry.key.removesuffix("writing") + "json", body)
    keeper.storage.delete([entry.key])
    return body
