"""Masks of a header and of sources, put into the SQL.

In: rendered SQL, the header, the masked sources.  Out: rendered SQL in which masked sources are
read through a query, and the whole stands inside a query that masks its columns; or ProjectError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from runner.errors import Fault, ProjectError
from runner.model.header import Kind, MaskWith
from runner.model.nearest import listed, suggestion
from runner.query import masking
from runner.query.analysis import analyse, is_cte, span
from runner.query.parse import parse
from runner.query.projection import time_key
from runner.query.rewriting import rewritten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from runner.errors import Place
    from runner.model.header import Header, Mask
    from runner.model.names import TableName
    from runner.model.places import Places
    from runner.model.sqltext import Mark
    from runner.query.facts import MaskedSource
    from runner.query.masking import Parts
    from runner.query.rendered import Rendered
    from runner.query.rewriting import Edit

_CODE = "bad-mask"


def put_masks(
    rendered: Rendered,
    *,
    name: TableName,
    header: Header,
    places: Places,
    sources: Mapping[str, MaskedSource],
) -> Rendered:
    """Put every mask in; the text comes back as it is where nothing is masked."""
    kind = header.resolved_kind()
    if kind is Kind.DDL:
        if header.mask:
            raise ProjectError([_ddl_fault(places)])
        return rendered
    key = time_key(header)
    time_format = key.format if key is not None else None
    named = [table for table in sources if table.rpartition(".")[2] in rendered.sample.lower()]
    if named:
        edits = _source_edits(rendered, name, kind, sources)
        rendered = rewritten(rendered, edits, time_format=time_format) if edits else rendered
    if not header.mask:
        return rendered
    outputs = _outputs(rendered, name, kind, places)
    faults = list(_header_faults(header, outputs, places))
    if faults:
        raise ProjectError(faults)
    columns = tuple(zip(key.columns, key.formats, strict=True)) if key is not None else ()
    day = masking.day_of_partition(columns) if columns else masking.last_day()
    head = _select(outputs, header.mask, day)
    end = len(rendered.sample)
    edits = [(0, 0, (*head, "(")), (end, end, ("\n) AS unmasked",))]
    return rewritten(rendered, edits, time_format=time_format)


def mask_problem(mask: Mask) -> str:
    """Say what is wrong with the settings of one mask; nothing when they are right."""
    if isinstance(mask, MaskWith) and len(mask.given()) != 1:
        return f"a mask with {' and '.join(mask.given()) or 'no method'}"
    return ""


def _select(columns: Iterable[str], masks: Mapping[str, Mask], day: Parts) -> Parts:
    """Write `SELECT ... FROM ` for all columns, masked where a mask is given."""
    parts: list[str | Mark] = ["SELECT "]
    for column in columns:
        mask = masks.get(column)
        if mask == "drop":
            continue
        parts.append(", " if len(parts) > 1 else "")
        shown = masking.quoted(column)
        if column in masks:
            parts += [*_masked(shown, mask, day), f" AS {shown}"]
        else:
            parts.append(shown)
    return (*parts, " FROM ")


def _masked(value: str, mask: Mask, day: Parts) -> Parts:
    if isinstance(mask, MaskWith):
        if mask.hash is not None:
            return masking.keyed_hash(value, mask.hash)
        if mask.truncate is not None:
            return masking.truncate(value, mask.truncate)
        if mask.age_decade is not None:
            at = masking.quoted(mask.age_decade.lower())
            return masking.age_decade(value, masking.day_of(at))
        return masking.constant(mask.constant)
    if mask == "age_decade":
        return masking.age_decade(value, day)
    plain: dict[str | None, Callable[[str], Parts]] = {"domain": masking.domain}
    return plain.get(mask, masking.null)(value)


# --- the header's ---------------------------------------------------------------------------------


def _outputs(rendered: Rendered, name: TableName, kind: Kind, places: Places) -> tuple[str, ...]:
    columns = tuple(column.name for column in analyse(rendered, name=name, kind=kind).columns)
    if any(column.endswith("*") for column in columns):
        fault = Fault(
            places.key("mask"),
            _CODE,
            "`mask` over SELECT *",
            "a SELECT that names its columns: what is not named cannot be masked",
            "write the columns out",
        )
        raise ProjectError([fault])
    return columns


def _header_faults(header: Header, outputs: tuple[str, ...], places: Places) -> Iterator[Fault]:
    for column, mask in header.mask.items():
        place = places.key("mask", column)
        at = mask.age_decade if isinstance(mask, MaskWith) else None
        if mask_problem(mask):
            yield method_fault(places, ("mask", column), mask)
        elif column in header.partition:
            yield Fault(
                place,
                _CODE,
                f"a mask on the partition column `{column}`",
                "a column that the files hold: partition values are the folders' names",
                "partition by another column, or mask it in the SQL",
            )
        for missing in (column, at):
            if missing is not None and missing not in outputs:
                yield unknown_fault(place, missing, outputs)
    if all(header.mask.get(column) == "drop" for column in outputs):
        yield Fault(
            places.key("mask"),
            _CODE,
            "masks that drop every column",
            "at least one column that stays",
            "keep one",
        )


def method_fault(places: Places, path: tuple[str, ...], mask: Mask) -> Fault:
    """Refuse a mask of no method, or of several."""
    return Fault(
        places.value(*path),
        _CODE,
        mask_problem(mask),
        "one of hash, truncate, constant, age_decade",
        "keep one of them",
    )


def unknown_fault(place: Place, column: str, known: Iterable[str]) -> Fault:
    """Refuse a mask or tag of a column that is not there."""
    names = tuple(known)
    return Fault(
        place,
        _CODE,
        f"the column `{column}`, which the table does not give",
        f"one of {listed(names)}",
        suggestion(column, names, otherwise="name a column of the SELECT"),
    )


def _ddl_fault(places: Places) -> Fault:
    return Fault(
        places.key("mask"),
        _CODE,
        "`mask` in a table of kind ddl, which holds files as they came",
        "masks where the table is read",
        "tag its columns with `pii`, and write `mask` in the tables that read it",
    )


# --- sources --------------------------------------------------------------------------------------


def _source_edits(
    rendered: Rendered, name: TableName, kind: Kind, sources: Mapping[str, MaskedSource]
) -> list[Edit]:
    """Put a query in the place of each masked source."""
    tree = parse(rendered, kind)
    edits: list[Edit] = []
    faults: list[Fault] = []
    replaced: set[str] = set()
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or is_cte(table):
            continue
        full = f"{table.db.lower() or name.database}.{table.name.lower()}"
        if full not in sources:
            continue
        if table.args.get("version") is not None or table.args.get("when") is not None:
            faults.append(_version_fault(rendered, table, full))
            continue
        edits += _edits(rendered, table, sources[full], kind)
        replaced.add(full)
    for column in tree.find_all(exp.Column):
        database = column.args.get("db")
        if database is not None and f"{database.name}.{column.table}".lower() in replaced:
            edits.append((database.meta["start"], database.meta["end"] + 2, ()))
    if faults:
        raise ProjectError(faults)
    return edits


def _edits(
    rendered: Rendered, table: exp.Table, source: MaskedSource, kind: Kind
) -> Iterator[Edit]:
    start, end = span(table)
    day = masking.last_day()
    masks = dict(source.masks)
    if kind is Kind.VIEW and "age_decade" in masks.values():
        raise ProjectError([_view_fault(rendered, start)])
    alias = "" if table.args.get("alias") is not None else f" AS {masking.quoted(table.name)}"
    yield start, start, ("(", *_select(source.columns, masks, day))
    yield end, end, (f"){alias}",)


def _version_fault(rendered: Rendered, table: exp.Table, full: str) -> Fault:
    return rendered.fault(
        span(table)[0],
        _CODE,
        found=f"a version of {full}, which is read through masks",
        expected="the table as it is now",
        advice="read it without FOR, or mask it in a table of its own",
    )


def _view_fault(rendered: Rendered, start: int) -> Fault:
    return rendered.fault(
        start,
        _CODE,
        found="an age by the window's last day, in a view, which has no window",
        expected="a column that tells the day: {age_decade: column}",
        advice="name the column in the mask, or read the source in a table of kind insert or ctas",
    )
