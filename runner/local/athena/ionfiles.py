"""Ion files, text and binary: read value by value, written batch by batch.

In: a file and the columns that are wanted.  Out: record batches of the declared types.  The
SerDe's properties are those of Athena's user guide, "Amazon Ion Hive SerDe".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amazon.ion import simpleion
from amazon.ion.core import Timestamp, TimestampPrecision
from amazon.ion.exceptions import IonException

from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.rowvalues import batches
from runner.local.athena.sqltypes import SqlType, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from runner.local.athena.foreign import ForeignScan

_MODEL = (
    simpleion.IonPyValueModel.MAY_BE_BARE
    | simpleion.IonPyValueModel.SYMBOL_AS_TEXT
    | simpleion.IonPyValueModel.STRUCT_AS_STD_DICT
)
_PATH = re.compile(r"\(\s*((?:[^\s()*]+\s*)+)\)")
_ROWS = 4096


def read(file: Any, scan: ForeignScan, wanted: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    """Give the wanted columns of an Ion file."""
    declared = {name: parse_type(hive) for name, hive in scan.columns}
    paths = {name: _path(scan, name) for name in wanted}
    exact = scan.is_on("ion.path_extractor.case_sensitive")

    def take(row: Mapping[str, object], name: str) -> object:
        return _find(row, paths[name], exact=exact)

    yield from batches(_values(file, scan), {name: declared[name] for name in wanted}, take)


def _values(file: Any, scan: ForeignScan) -> Iterator[Mapping[str, object]]:  # noqa: ANN401 - as above
    try:
        for value in simpleion.load(
            file, single_value=False, parse_eagerly=False, value_model=_MODEL
        ):
            if isinstance(value, Mapping) or hasattr(value, "items"):
                yield value
            elif not scan.is_on("ion.ignore_malformed"):
                raise AthenaFailure(
                    "HIVE_CURSOR_ERROR", f"Ion value {value!r} is not a struct, and so no row"
                )
    except (IonException, ValueError, TypeError) as error:
        if not scan.is_on("ion.ignore_malformed"):
            message = f"Ion data cannot be read ({error})"
            raise AthenaFailure("HIVE_CURSOR_ERROR", message) from error


def _path(scan: ForeignScan, name: str) -> tuple[str, ...]:
    """Give the steps to a column's value: its name, unless a path extractor says others."""
    text = scan.option(f"ion.{name}.path_extractor")
    if not text:
        return (name,)
    match = _PATH.fullmatch(text.strip())
    steps = tuple(step.strip("'\"") for step in match[1].split()) if match else ()
    if not steps or any(step.isdigit() for step in steps):
        raise unsupported(f"The path extractor {text} of column {name}")
    return steps


def _find(value: Any, steps: Sequence[str], *, exact: bool) -> object:  # noqa: ANN401 - Ion's values
    for step in steps:
        if not hasattr(value, "items"):
            return None
        value = _field(value, step, exact=exact)
    return value


def _field(value: Any, step: str, *, exact: bool) -> object:  # noqa: ANN401 - as above
    if step in value:
        return value[step]
    if not exact:
        for key, each in value.items():
            if key.lower() == step.lower():
                return each
    return None


def write(
    rows: Iterable[dict[str, Any]], path: str, columns: Sequence[tuple[str, str]], *, text: bool
) -> None:
    """Write an Ion file; what is NULL is left out."""
    kinds = {name: parse_type(hive) for name, hive in columns}
    with Path(path).open("wb") as file:

        def flush(waiting: Sequence[object]) -> None:
            simpleion.dump(waiting, file, binary=not text, sequence_as_stream=True)
            if text:
                file.write(b"\n")

        _dump(_structs(rows, kinds), flush)


def _dump(structs: Iterable[object], flush: Callable[[Sequence[object]], None]) -> None:
    waiting: list[object] = []
    for struct in structs:
        waiting.append(struct)
        if len(waiting) >= _ROWS:
            flush(waiting)
            waiting = []
    if waiting:
        flush(waiting)


def _structs(
    rows: Iterable[dict[str, Any]], kinds: Mapping[str, SqlType]
) -> Iterator[dict[str, object]]:
    for row in rows:
        found = {name: _value(row[name], kind) for name, kind in kinds.items()}
        yield {name: value for name, value in found.items() if value is not None}


def _value(value: Any, kind: SqlType) -> Any:  # noqa: ANN401, PLR0911 - any value of SQL
    if value is None:
        return None
    match kind.name:
        case "array":
            return [_value(each, kind.parts[0]) for each in value]
        case "map":
            return {str(key): _value(each, kind.parts[1]) for key, each in value}
        case "row":
            pairs = zip(kind.fields, kind.parts, strict=True)
            found = {field: _value(value[field], part) for field, part in pairs}
            return {name: each for name, each in found.items() if each is not None}
        case "timestamp":
            return _timestamp(value)
        case "date":
            return _day(value)
        case _:
            return value


def _timestamp(value: datetime) -> Timestamp:
    return Timestamp(
        *value.timetuple()[:6],
        value.microsecond,
        UTC,
        precision=TimestampPrecision.SECOND,
        fractional_precision=3,
    )


def _day(value: date) -> Timestamp:
    return Timestamp(value.year, value.month, value.day, precision=TimestampPrecision.DAY)
