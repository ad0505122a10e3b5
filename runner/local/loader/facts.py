"""What the files of a load hold: one scan by DuckDB, however many rows there are.

In: a source.  Out: `SourceFacts`: counts, least and greatest values, longest texts, keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.loads.checks import target
from runner.loads.shapes import ColumnFacts, SourceFacts
from runner.loads.types import AthenaType, Family, parse_type
from runner.local.loader.source import quoted
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.loads.checks import Finding, LoadCase
    from runner.local.loader.source import Source
    from runner.model.loads import LoadManifest

_LOOSE = "Load.LooseKey"
_PLANE = r"[\x{10000}-\x{10FFFF}]"
"""Characters that take four bytes in UTF-8."""


def needs_a_look(case: LoadCase, findings: Iterable[Finding]) -> bool:
    """Tell whether only the rows can say that the mart takes them as they are.

    Keys that it may take for one another, and NULLs in whose place it would put a value.
    """
    table = target(case)
    fills = any(
        found is not None and found.fills_null
        for column in case.manifest.all_columns
        for found in (table.column(column.name),)
        if not (case.merges and column.name in case.manifest.keys)  # were looked at already
    )
    return fills or any(one.error == _LOOSE for one in findings)


def look(source: Source) -> SourceFacts:
    """Scan the files once."""
    if not source.relation:
        return SourceFacts(rows=0)
    manifest = source.manifest
    asked: dict[str, str] = {"rows": "count(*)", **_keys(manifest)}
    for place, column in enumerate(manifest.all_columns):
        measures = _measures(quoted(column.name), parse_type(column.athena_type))
        asked |= {f"{place}.{name}": sql for name, sql in measures.items()}
    found = dict(zip(asked, _one(source, ", ".join(asked.values())), strict=True))
    columns: dict[str, dict[str, Any]] = {column.name: {} for column in manifest.all_columns}
    names = list(columns)
    for name, value in found.items():
        number, dot, measure = name.partition(".")
        if dot and value is not None:
            columns[names[int(number)]][measure] = value
    return SourceFacts(
        **{name: value for name, value in found.items() if "." not in name},
        columns={name: ColumnFacts(**measures) for name, measures in columns.items()},
    )


def _one(source: Source, select: str) -> tuple[Any, ...]:
    import duckdb  # noqa: PLC0415 - heavy; only a load needs it

    try:
        row = source.connection.execute(f"SELECT {select} {source.relation}").fetchone()
    except duckdb.Error as exc:
        table = source.manifest.key.table
        raise ServiceError(
            "Load.Unreadable", f"{table}: the published files cannot be read: {exc}"
        ) from exc
    assert row is not None  # noqa: S101 - an aggregate gives one row
    return tuple(row)


def _keys(manifest: LoadManifest) -> dict[str, str]:
    """Count rows without a key, rows with another's key, and keys that a collation may unite."""
    if not manifest.keys:
        return {}
    types = {column.name: parse_type(column.athena_type) for column in manifest.all_columns}
    complete = " AND ".join(f"{quoted(key)} IS NOT NULL" for key in manifest.keys)
    asked = {
        "null_keys": f"count(*) FILTER (NOT ({complete}))",
        "repeated_keys": f"count(*) FILTER ({complete}) - {_distinct(manifest, '{0}', complete)}",
    }
    if any(types[key].family is Family.TEXT for key in manifest.keys):
        exact = _distinct(manifest, "{0}", complete)
        for name, form in (
            ("blank_variants", "rtrim({0})"),
            ("case_variants", "strip_accents(lower(rtrim({0})))"),
        ):
            texts = {key: form for key in manifest.keys if types[key].family is Family.TEXT}
            asked[name] = f"{exact} - {_distinct(manifest, '{0}', complete, texts)}"
    return asked


def _distinct(
    manifest: LoadManifest, form: str, where: str, forms: dict[str, str] | None = None
) -> str:
    """Write how many different keys there are, each column in its form."""
    parts = [(forms or {}).get(key, form).format(quoted(key)) for key in manifest.keys]
    return f"count(DISTINCT row({', '.join(parts)})) FILTER ({where})"


def _measures(column: str, kind: AthenaType) -> dict[str, str]:
    more: dict[str, str] = {}
    match kind.family:
        case Family.INTEGER:
            more = _range(column)
        case Family.DECIMAL | Family.DATE:
            more = _range(column, cast=True)
        case Family.FLOAT:
            finite = f"isfinite({column})"
            more = _range(column, where=f" FILTER ({finite})")
            more["not_finite"] = f"count(*) FILTER (NOT {finite})"
        case Family.TIMESTAMP:
            more = {**_range(column, cast=True), "below_second": _below_second(column)}
        case Family.BINARY:
            more = {"bytes": f"max(octet_length({column}))"}
        case Family.TEXT | Family.NESTED:
            more = _lengths(column)
        case Family.BOOLEAN:
            pass
    return {"nulls": f"count(*) - count({column})", **more}


def _range(column: str, *, where: str = "", cast: bool = False) -> dict[str, str]:
    form = "CAST({} AS VARCHAR)" if cast else "{}"
    return {
        "least": form.format(f"min({column}){where}"),
        "greatest": form.format(f"max({column}){where}"),
    }


def _below_second(column: str) -> str:
    """Give the digits of a second that are used: 0, 3, 6."""
    micros = f"epoch_us({column})"
    return (
        f"max(CASE WHEN {micros} % 1000 <> 0 THEN 6 WHEN {micros} % 1000000 <> 0 THEN 3 ELSE 0 END)"
    )


def _lengths(column: str) -> dict[str, str]:
    """Measure texts; the search for rare characters is spared those that are ASCII."""
    wide = f"strlen({column}) <> length({column})"
    return {
        "characters": f"max(length({column}))",
        "bytes": f"max(strlen({column}))",
        "carriage_returns": f"count(*) FILTER (contains({column}, chr(13)))",
        "zero_characters": f"count(*) FILTER (contains({column}, chr(0)))",
        "beyond_ascii": f"count(*) FILTER ({wide})",
        "beyond_plane": (
            f"count(*) FILTER (CASE WHEN {wide} THEN regexp_matches({column}, '{_PLANE}') END)"
        ),
    }
