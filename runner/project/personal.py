"""Personal data between files: masked sources, tagged columns, and where they end up.

In: the setting and the drafts, upstream first.  Out: `PersonalColumn`s of each table, and faults.
A project that tags nothing pays nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.model.header import Kind, MaskWith
from runner.model.nearest import listed, suggestion
from runner.model.project import Column, PersonalColumn, PersonalStep
from runner.project.drafts import knows_places
from runner.query import MaskedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from runner.model.config import Source
    from runner.model.header import Mask
    from runner.model.names import TableName
    from runner.model.places import Places
    from runner.model.project import Table
    from runner.project.configuration import Setting
    from runner.project.drafts import Draft
    from runner.query import Analysis, Lineage, Rendered, Resolved

    Trace = Callable[
        [Draft, Mapping[str, frozenset[str]], Mapping[str, tuple[Column, ...]]], Lineage
    ]
    """Gives what a file does with the tagged columns of what it reads, whose columns are known."""

_MASK = "bad-mask"
_ROUNDS = 50
"""Most passes over a table that reads itself."""


# --- sources --------------------------------------------------------------------------------------


def masked_sources(setting: Setting) -> dict[str, MaskedSource]:
    """Give the sources that are read through masks."""
    sources = setting.config.sources if setting.config is not None else {}
    return {
        name: MaskedSource(tuple(map(str.lower, source.columns)), tuple(source.mask.items()))
        for name, source in sources.items()
        if source.mask and not any(_source_faults(name, source, setting.places))
    }


def personal_faults(setting: Setting, databases: Sequence[str]) -> Iterator[Fault]:
    """Check what config.yaml says about personal data."""
    if setting.config is None:
        return
    for name, source in setting.config.sources.items():
        yield from _source_faults(name, source, setting.places)
    for index, database in enumerate(setting.config.pii_databases or ()):
        if database not in databases:
            yield Fault(
                setting.places.value("pii_databases", index),
                "pii-database-unknown",
                f"the database `{database}`, which has no folder under sql/",
                f"one of {listed(databases)}",
                suggestion(database, databases, otherwise="remove it, or correct its name"),
            )


def _source_faults(name: str, source: Source, places: Places) -> Iterator[Fault]:
    path = ("sources", name)
    known = tuple(map(str.lower, source.columns))
    if source.mask and not known:
        yield Fault(
            places.key(*path, "mask"),
            _MASK,
            f"`mask` of the source {name}, whose columns are not declared",
            "`columns`: all that readers may see, with their types",
            "add columns: {name: type, ...}",
        )
        return
    for index, column in enumerate(source.pii):
        if known and column not in known:
            yield _unknown(places, (*path, "pii", index), column, known)
    for column, mask in source.mask.items():
        yield from _mask_faults(places, (*path, "mask", column), mask, known)
    if known and all(source.mask.get(column) == "drop" for column in known):
        yield Fault(
            places.key(*path, "mask"),
            _MASK,
            "masks that drop every column",
            "at least one column that stays",
            "keep one",
        )


def _mask_faults(
    places: Places, path: tuple[str, ...], mask: Mask, known: tuple[str, ...]
) -> Iterator[Fault]:
    from runner.query.masks import mask_problem, method_fault  # noqa: PLC0415 - sqlglot, rarely

    if mask_problem(mask):
        yield method_fault(places, path, mask)
    at = mask.age_decade if isinstance(mask, MaskWith) else None
    for column in (path[-1], at):
        if column is not None and column not in known:
            yield _unknown(places, path, column, known)


def _unknown(
    places: Places, path: tuple[str | int, ...], column: str, known: tuple[str, ...]
) -> Fault:
    return Fault(
        places.key(*path),
        _MASK,
        f"the column `{column}`, which the source's `columns` do not name",
        f"one of {listed(known)}",
        suggestion(column, known, otherwise="add it to `columns`, or remove it here"),
    )


# --- what each table holds ------------------------------------------------------------------------


@dataclass(slots=True)
class Personal:
    """Where tagged columns are, found table by table, upstream first."""

    columns: dict[str, dict[str, tuple[PersonalColumn, ...]]] = field(default_factory=dict)
    """By `database.table` and column."""
    faults: list[Fault] = field(default_factory=list)

    def of(self, table: TableName) -> tuple[PersonalColumn, ...]:
        """Give what a table holds unmasked."""
        found = self.columns.get(str(table), {})
        return tuple(one for column in sorted(found) for one in found[column])

    @property
    def tagged(self) -> dict[str, frozenset[str]]:
        """Name the columns of each table that hold personal data."""
        return {table: frozenset(columns) for table, columns in self.columns.items()}


def find_personal(
    order: Sequence[TableName],
    drafts: Mapping[TableName, Draft],
    *,
    resolved: Mapping[TableName, Resolved],
    columns: Mapping[TableName, tuple[Column, ...]],
    setting: Setting,
    trace: Trace,
    redraft: Callable[[Draft], Draft],
) -> Personal:
    """Follow every tagged column through the tables; `trace` follows it through one of them."""
    personal = Personal(_tagged_sources(setting))
    if not personal.columns and not any(draft.header.pii for draft in drafts.values()):
        return personal
    schemas = {str(name): found for name, found in columns.items() if found}
    schemas |= {name: tuple(map(Column, known)) for name, known in setting.sources.items() if known}
    for name in order:
        draft = drafts[name]
        _tag(personal, draft)
        reads = {str(read.table) for read in resolved[name].reads} | set(resolved[name].sources)
        for _ in range(_ROUNDS if str(name) in reads else 1):
            if draft.kind is Kind.DDL or not may_read(draft.rendered, reads, personal):
                break
            inputs = _inputs(draft, personal)
            lineage = trace(
                draft,
                {table: frozenset(personal.columns.get(table, ())) for table in inputs},
                {table: schemas[table] for table in inputs if table in schemas},
            )
            if not _note(personal, draft, lineage, redraft):
                break
    return personal


def _inputs(draft: Draft, personal: Personal) -> list[str]:
    """Name what a file reads: a query depends on nothing else, and is remembered by it."""
    named = {mention.table.partition("$")[0] for mention in draft.analysis.mentions}
    text = draft.rendered.sample.lower()
    if "table(" in text:
        named |= {table for table in personal.columns if table in text}
    return sorted(named)


def may_read(rendered: Rendered, reads: Collection[str], personal: Personal) -> bool:
    """Tell whether a query names a tagged table; one in TABLE(...) counts as no read."""
    if any(table in personal.columns for table in reads):
        return True
    text = rendered.sample.lower()
    return "table(" in text and any(name in text for name in personal.columns)


def personal_of(tables: Sequence[Table], setting: Setting) -> Personal:
    """Collect what was found: where tagged columns are, unmasked, in sources and tables."""
    personal = Personal(_tagged_sources(setting))
    for table in tables:
        for one in table.pii:
            mine = personal.columns.setdefault(str(table.name), {})
            mine[one.column] = (*mine.get(one.column, ()), one)
    return personal


def _tagged_sources(setting: Setting) -> dict[str, dict[str, tuple[PersonalColumn, ...]]]:
    sources = setting.config.sources if setting.config is not None else {}
    return {
        name: {
            column: (PersonalColumn(column, (PersonalStep(name, column),)),)
            for column in map(str.lower, source.pii)
        }
        for name, source in sources.items()
        if source.pii
    }


def _tag(personal: Personal, draft: Draft) -> None:
    """Begin a way at each column that the header tags and does not mask."""
    table = str(draft.name)
    for column in draft.header.pii:
        if column not in draft.header.mask:
            step = PersonalStep(table, column, draft.file)
            personal.columns.setdefault(table, {})[column] = (PersonalColumn(column, (step,)),)


def _note(
    personal: Personal, draft: Draft, lineage: Lineage, redraft: Callable[[Draft], Draft]
) -> bool:
    """Add what a table holds by its SQL; tell whether that was news."""
    if lineage.lost:
        placed = draft if knows_places(draft) else redraft(draft)
        personal.faults.append(_lost(placed, lineage.lost, lineage.lost_at, personal))
        return False
    table = str(draft.name)
    mine = personal.columns.get(table, {})
    news = False
    for carried in lineage.carried:
        step = PersonalStep(table, carried.output, draft.file, carried.offset)
        for before in personal.columns[carried.table][carried.column]:
            known = mine.get(carried.output, ())
            if any(one.tagged == before.tagged for one in known):
                continue
            way = PersonalColumn(carried.output, (*before.steps, step))
            mine[carried.output] = (*known, way)
            news = True
    if mine:
        personal.columns[table] = mine
    return news


def _lost(draft: Draft, reason: str, offset: int, personal: Personal) -> Fault:
    return lost_fault(draft.rendered, draft.analysis, (reason, offset), personal)


def lost_fault(
    rendered: Rendered, analysis: Analysis, lost: tuple[str, int], personal: Personal
) -> Fault:
    """Refuse a query whose columns cannot be followed: for this reason, at this offset."""
    reason, offset = lost
    mentioned = {mention.table for mention in analysis.mentions} & personal.columns.keys()
    text = rendered.sample.lower()
    read = mentioned or {table for table in personal.columns if table in text}
    named = [f"{table}.{column}" for table in sorted(read) for column in personal.columns[table]]
    return rendered.fault(
        offset,
        "pii-lost",
        found=f"personal data that cannot be followed: {', '.join(named)}, because of {reason}",
        expected="SQL whose output columns can be traced to what they are made of",
        advice="name the columns instead, or mask them in a table of their own and read that",
    )
