"""Before a table is written: ownership, lease, window, chunks, and the target's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import inputs, publish, records, refresh, schema, windows
from .faults import InputUnfinished, NotOurs, OutOfOrder
from .work import asked, cut, largest, pending, refuse_large

if TYPE_CHECKING:
    from .core import Attempt, Keeper
    from .spec import Spec
    from .work import Span, Work

_MOST_CHUNKS = 150
"""Chunks that are told to the state machine at once: a payload holds 256 KiB."""


def prepare(keeper: Keeper, attempt: Attempt, event: dict[str, Any]) -> dict[str, Any]:
    """Plan the write of one table; for views and ddl, say what there is to do."""
    spec, target = attempt.spec, event.get("target")
    if spec.kind in ("view", "ddl"):
        return _prepare_definition(keeper, attempt, target)
    schema.refuse_foreign(spec, target)
    work = asked(keeper.storage, spec, event["window"])
    refuse_large(spec, work)
    given = finish_inputs(keeper, attempt, work)
    if spec.kind == "ctas":
        return _prepare_whole(keeper, attempt, event, given)
    stage = keeper.storage.uri(attempt.stage(keeper.storage))
    owned = spec.owned(work.start, work.end)
    keeper.leases.take(spec.name, attempt.owner, stage=stage, window=owned)
    facts = _target_facts(spec, target)
    _settle(keeper, spec, facts["location"])
    found = publish.recover(keeper, attempt, location=facts["location"], spans=work.spans)
    latest = records.newest(found, spec.grain)
    spans = pending(attempt, work, latest, given)
    for start, _ in spans:
        _refuse_gap(spec, latest, start)
    plan = {
        "start": work.start,
        "end": work.end,
        "tag": attempt.tag,
        "stage": stage,
        **facts,
        "types": not schema.is_current(spec, target),
        "refresh": None,
        "begun": any(entry.run.startswith(attempt.siblings) for entry in latest.values()),
    }
    if work.refresh and spans and target is not None:
        new, spans = _refresh(keeper, attempt, work, given, location=facts["location"])
        plan |= {"types": True, "refresh": new, "location": new["location"]}
    return {**plan, **_chunk_facts(keeper, attempt, event, spans=spans, work=work, given=given)}


def _chunk_facts(
    keeper: Keeper,
    attempt: Attempt,
    event: dict[str, Any],
    *,
    spans: tuple[Span, ...],
    work: Work,
    given: inputs.Inputs,
) -> dict[str, Any]:
    """Describe the chunks, as many as a state machine's payload holds; `more` tells of others."""
    spec = attempt.spec
    grain = spec.grain or event["window"]["grain"]
    chunks = cut(spec, spans, split=int(event.get("split") or 1))
    stage = attempt.stage(keeper.storage)
    first = chunks[0] if chunks else (work.start, work.start if spec.grain else work.end)
    return {
        "values": spec.values(*first, grain),
        "largest": largest(spec, chunks),
        "more": len(chunks) > _MOST_CHUNKS,
        "chunks": [
            {
                "start": start,
                "end": end,
                "tag": f"{attempt.tag}_{_label(start)}",
                "stage": keeper.storage.uri(f"{stage}{_label(start)}/"),
                "values": spec.values(start, end, grain),
                "inputs": given.token(start, end),
            }
            for start, end in chunks[:_MOST_CHUNKS]
        ],
    }


def _label(start: str) -> str:
    """Name a chunk by its first period, as a catalogue's names allow: 20130105t07."""
    return "".join(char for char in start.lower() if char.isalnum())


def _prepare_whole(
    keeper: Keeper, attempt: Attempt, event: dict[str, Any], given: inputs.Inputs
) -> dict[str, Any]:
    spec, window = attempt.spec, event["window"]
    start, end = spec.window(window["start"], window["end"], window["grain"])
    return {
        "start": start,
        "end": end,
        "tag": attempt.tag,
        "stage": keeper.storage.uri(attempt.stage(keeper.storage)),
        "values": spec.values(start, end, spec.grain or window["grain"]),
        "inputs": given.token(start, end),
    }


def _settle(keeper: Keeper, spec: Spec, location: str) -> None:
    """Write the records of a full refresh that died after its flip."""
    generation = refresh.generation_of(location)
    if generation:
        refresh.settle(keeper.storage, spec, generation)


def _refresh(
    keeper: Keeper, attempt: Attempt, work: Work, given: inputs.Inputs, *, location: str
) -> tuple[dict[str, Any], tuple[Span, ...]]:
    """Give the new generation, and what it still lacks."""
    spec, storage = attempt.spec, keeper.storage
    generation = refresh.generation_of(location) + 1
    place = refresh.place(storage, spec, generation)
    there = records.newest(refresh.entries(storage, place), spec.grain)
    spans = pending(attempt, work, there, given)
    new = refresh.location(storage, spec, generation)
    return {"generation": generation, "location": new, "place": place}, spans


def finish_inputs(keeper: Keeper, attempt: Attempt, work: Work) -> inputs.Inputs:
    """Look at what is read; finish what dead runs left half-way, wait for living ones."""
    found = inputs.look(keeper, attempt.spec)
    begun = _begun(found, work)
    if not begun:
        return found
    for one, entry in begun:
        publish.finish_input(keeper, attempt, one, entry)
    found = inputs.look(keeper, attempt.spec)
    for one, entry in _begun(found, work):
        raise InputUnfinished(
            f"{attempt.spec.name} reads {one.name}, whose {entry.start}..{entry.end} was left "
            f"half-written by {entry.run}; run {one.name} for that window first"
        )
    return found


def _begun(found: inputs.Inputs, work: Work) -> list[tuple[inputs.Input, records.Entry]]:
    begun = [pair for span in work.spans for pair in found.unfinished(*span)]
    return list({entry.key: (one, entry) for one, entry in begun}.values())


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


def _refuse_gap(spec: Spec, latest: dict[str, records.Entry], start: str) -> None:
    """Require the period before a span of a table that reads itself (SEMANTICS 21)."""
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
        location = refresh.location(keeper.storage, spec, 1)
        change: dict[str, Any] = {"action": "create", "version": ""}
        columns = wanted
    elif plan.get("refresh"):
        location = plan["refresh"]["location"]
        change = {"action": "keep", "version": target.get("VersionId", "")}
        columns = wanted
        parameters = {**schema.kept_parameters(target), **parameters}
    else:
        location = target["StorageDescriptor"]["Location"]
        change = {"action": "update", "version": target.get("VersionId", "")}
        columns = schema.merge_columns(spec, target, wanted)
        parameters = {**schema.kept_parameters(target), **parameters}
    table = schema.table_input(spec, columns, location, parameters=parameters)
    return {**plan, **_write_facts(spec, columns, location), **change, "table_input": table}
