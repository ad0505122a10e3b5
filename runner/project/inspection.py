"""Everything that is wrong, or worth knowing, in a project: what `check` shows.

In: a snapshot of the files and the caller's choice.  Out: `Findings`.  Beside loading, the columns
of every query are checked against those of its inputs, table by table in the order of the reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.project.cache import Cache, key_of, versions
from runner.project.remembered import Findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from runner.errors import Fault
    from runner.model.project import Column
    from runner.project.drafts import Draft
    from runner.project.files import Snapshot
    from runner.project.keys import Choice
    from runner.project.load import Outcome
    from runner.project.step_queries import Asked
    from runner.query import Analysis


@dataclass(frozen=True, slots=True)
class Checked:
    """What the columns of one query are, and what is wrong with them."""

    columns: tuple[Column, ...]
    faults: tuple[Fault, ...]


def inspect_fresh(snapshot: Snapshot, choice: Choice, cache_dir: Path | None) -> Findings:
    """Look for everything in a project that changed."""
    from runner.project.load import assemble, draft_cache  # noqa: PLC0415 - heavy, on a miss only

    drafts = draft_cache(cache_dir)
    outcome = assemble(snapshot, choice, drafts)
    drafts.save()
    checks = Cache(cache_dir / "columns.pickle" if cache_dir is not None else None)
    faults = _column_faults(outcome, checks)
    checks.save()
    found = tuple(sorted({*outcome.faults, *faults}))
    return Findings(found, tuple(sorted(set(outcome.warnings))))


def _column_faults(outcome: Outcome, cache: Cache) -> list[Fault]:
    """Check columns upstream first, so that a table's columns are known to its readers."""
    from runner.project.tables import source_schemas  # noqa: PLC0415 - heavy, on a miss only

    by_name = {draft.name: draft for draft in outcome.drafts}
    schemas = source_schemas(outcome.setting)
    faults: list[Fault] = []
    for name in outcome.order:
        checked = _checked(by_name[name], schemas, outcome, cache)
        faults += checked.faults
        if (
            checked.columns and not checked.faults
        ):  # what a wrong query gives would make its readers wrong too
            schemas[str(name)] = checked.columns
    faults += [fault for asked in outcome.asked for fault in _asked_faults(asked, schemas, cache)]
    return faults


def _asked_faults(
    asked: Asked, schemas: Mapping[str, tuple[Column, ...]], cache: Cache
) -> tuple[Fault, ...]:
    """Check the columns that the query of a step names."""
    from runner.query import check_columns  # noqa: PLC0415 - heavy, on a miss only

    inputs = _inputs([asked.analysis], schemas)
    parts = [f"{name} {columns!r}" for name, columns in sorted(inputs.items())]
    key = key_of([versions(), "step", asked.rendered.sample, *parts])
    known = cache.get(key)
    if isinstance(known, Checked):
        return known.faults
    columns, faults = check_columns(asked.rendered, asked.analysis, inputs)
    if not faults:  # a fault is found anew, because the same query may stand elsewhere by then
        cache.put(key, Checked(columns, ()))
    return faults


def _inputs(
    texts: Iterable[Analysis], schemas: Mapping[str, tuple[Column, ...]]
) -> dict[str, tuple[Column, ...]]:
    """Give the columns that are known of the tables which texts name."""
    names = {mention.table for analysis in texts for mention in analysis.mentions}
    return {name: schemas[name] for name in names if name in schemas}


def _checked(
    draft: Draft, schemas: Mapping[str, tuple[Column, ...]], outcome: Outcome, cache: Cache
) -> Checked:
    from runner.project.drafts import knows_places  # noqa: PLC0415 - heavy, on a miss only
    from runner.query import check_columns  # noqa: PLC0415 - heavy, on a miss only

    texts = [draft.analysis, *(sql.analysis for sql in draft.test_sql)]
    inputs = _inputs(texts, schemas)
    parts = [f"{name} {columns!r}" for name, columns in sorted(inputs.items())]
    key = key_of([outcome.workshop.key_of_draft(draft), *parts])
    known = cache.get(key)
    if isinstance(known, Checked):
        return known
    columns, faults = check_columns(draft.rendered, draft.analysis, inputs)
    if faults and not knows_places(draft):
        placed = outcome.workshop.redraft(draft)
        columns, faults = check_columns(placed.rendered, placed.analysis, inputs)
    if not faults:
        faults = _test_faults(draft, columns, inputs)
    checked = Checked(columns, faults)
    cache.put(key, checked)
    return checked


def _test_faults(
    draft: Draft, columns: tuple[Column, ...], inputs: Mapping[str, tuple[Column, ...]]
) -> tuple[Fault, ...]:
    """Check the columns that the SQL of the header's tests names."""
    from runner.query import check_columns  # noqa: PLC0415 - heavy, on a miss only
    from runner.query.header_sql import THIS  # noqa: PLC0415

    known = {**inputs, f"{draft.name.database}.{THIS}": columns}
    return tuple(
        fault
        for sql in draft.test_sql
        for fault in check_columns(sql.rendered, sql.analysis, known)[1]
    )
