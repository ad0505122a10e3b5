"""The manifest of a load: exactly the files of the published records (SEMANTICS 37, 38)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from . import extract, outcomes, records, windows
from .faults import EmptyTable, NothingPublished, TooFewRows
from .spec import run_name
from .work import asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .core import Attempt, Keeper
    from .spec import Spec
    from .work import Span

_WHOLE_MODES = ("replace", "truncate_insert")
_SHOWN = 5


def plan_load(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest of one load to the lake; give its URI and what it holds.

    `load` comes from the definition: mart, table, mode, keys, columns (types by name).
    """
    spec, load, window = attempt.spec, event["load"], event["window"]
    if spec.kind in ("view", "ddl"):
        raise NothingPublished(f"{spec.name} is a {spec.kind}: no files of ours to load")
    work = asked(keeper.storage, spec, window)
    whole = spec.grain is None or load["mode"] in _WHOLE_MODES
    chosen = _entries(keeper, spec, None if whole else work.spans)
    bodies = records.bodies(keeper.storage, chosen)
    files = _files(keeper, spec, bodies, chosen)
    rows = sum(bodies[entry]["rows"][p] for entry, periods in chosen.items() for p in periods)
    _check_floor(spec, load, rows, whole=whole)
    newest = max(bodies)
    manifest = {
        "load_key": {
            "mart_table": load["table"],
            "table": event["name"],
            "window_start": records.WHOLE if whole else work.start,
            "window_end": records.WHOLE if whole else work.end,
            "publish_id": _publish_id(chosen),
        },
        "mode": load["mode"],
        "keys": load["keys"],
        **_columns(spec, load, bodies[newest]["columns"]),
        "window": _window_filter(spec, None if whole else work.spans),
        "whole_table": whole,
        "format": load["format"],
        "files": files,
        "rows": rows,
        "engine": load["engine"],
        "create": load["create"],
        "before": load["before"],
        "after": load["after"],
    }
    key = f"{keeper.storage.prefix}_runner/loads/{run_name(attempt.execution)}/{spec.name}.json"
    keeper.storage.delete([outcomes.key_of(key)])
    keeper.storage.write_json(key, manifest)
    answer = {"manifest": keeper.storage.uri(key), "rows": rows, "files": len(files)}
    if load["engine"] == "embulk":
        answer["select"] = extract.statement(spec, manifest)
    return answer


def _check_floor(spec: Spec, load: dict[str, Any], rows: int, *, whole: bool) -> None:
    """Refuse a load of too few rows: what made the table empty would empty the mart."""
    if rows == 0 and whole and not spec.allow_empty:
        raise EmptyTable(f"{spec.name} has no rows; the mart's table stays as it is")
    floor = load["min_rows"] or 0
    if rows < floor:
        raise TooFewRows(
            f"{spec.name}: {rows} rows for the load, at least {floor} are expected (`min_rows`); "
            "the mart's table stays as it is"
        )


def _columns(
    spec: Spec, load: dict[str, Any], columns: Sequence[dict[str, str]]
) -> dict[str, list[dict[str, Any]]]:
    """Give the manifest's columns: those that the header chooses, or all."""
    chosen, types = load["columns"], load["types"]
    files = [
        {"name": one["Name"], "athena_type": one["Type"], "mart_type": types.get(one["Name"])}
        for one in columns
        if not chosen or one["Name"] in chosen
    ]
    partitions = [
        {"name": name, "type": "string", "mart_type": types.get(name)}
        for name in spec.partitions
        if not chosen or name in chosen
    ]
    if chosen:
        for part in (files, partitions):
            part.sort(key=lambda one: chosen.index(one["name"]))
    return {"columns": files, "partition_columns": partitions}


def _entries(
    keeper: Keeper, spec: Spec, spans: Sequence[Span] | None
) -> dict[records.Entry, list[str]]:
    """Give the records that count, each with its periods; NothingPublished if one is missing."""
    latest = records.newest(records.entries(keeper.storage, spec.name), spec.grain)
    wanted = sorted(latest) if spans is None else _periods(spec, spans)
    missing = [p for p in wanted if p not in latest or not latest[p].published]
    if missing or not wanted:
        shown = ", ".join(missing[:_SHOWN]) or "any partition"
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise NothingPublished(f"{spec.name}: {shown}{more} is not published; run the table first")
    chosen: dict[records.Entry, list[str]] = {}
    for period in wanted:
        chosen.setdefault(latest[period], []).append(period)
    return chosen


def _files(
    keeper: Keeper,
    spec: Spec,
    bodies: dict[records.Entry, dict[str, Any]],
    chosen: dict[records.Entry, list[str]],
) -> list[dict[str, Any]]:
    """Give the files of the periods for which each record counts."""
    result = []
    for entry, body in bodies.items():
        labels = spec.time_values(entry.start, entry.end)
        for file in body["files"]:
            values = tuple(file["partition"][column] for column, _ in spec.time)
            if labels[values] in chosen[entry]:
                result.append(
                    {
                        "uri": keeper.storage.uri(file["key"]),
                        "size": file["size"],
                        "partition": file["partition"],
                    }
                )
    return result


def _publish_id(chosen: dict[records.Entry, list[str]]) -> str:
    text = "\n".join(sorted(entry.publish_id for entry in chosen))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _window_filter(spec: Spec, spans: Sequence[Span] | None) -> dict[str, Any] | None:
    if spans is None:
        return None
    columns = [column for column, _ in spec.time]
    values = [list(values) for span in spans for values in spec.time_values(*span)]
    return {"columns": columns, "values": values}


def _periods(spec: Spec, spans: Sequence[Span]) -> list[str]:
    return [period for span in spans for period in windows.periods(*span, str(spec.grain))]
