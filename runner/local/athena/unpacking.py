"""Parts whose files were made ready for one statement.

In: a table's parts.  Out: the same parts.  Files that DuckDB would not read as the SerDe does
(packed by a codec that it does not know, with empty lines, with JSON keys in capitals) are
replaced by others, in a folder that goes when the statement ends.
"""

from __future__ import annotations

import os
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.packing import (
    FOREIGN_SUFFIXES,
    NATIVE_SUFFIXES,
    is_readable,
    pieces_of,
)
from runner.local.athena.textlines import (
    changed_keys,
    changed_names,
    has_capital_keys,
    has_empty_lines,
    lines_of,
    marked,
    records,
    valid_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from runner.local.athena.engine import Handle
    from runner.local.athena.partitions import File, Part
    from runner.local.athena.tables import TableInfo

MARKED = ".marked"
"""The extension of files whose empty lines are marked."""
_BY_LINES = frozenset({"csv", "opencsv", "regex", "grok"})
_JSON = frozenset({"json", "openx"})
_CLOUDTRAIL = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
_MOST_KEPT = 4096
"""Files of which a process remembers whether they have keys in capitals."""


class JsonRules(NamedTuple):
    """How a SerDe finds a column's value in a line."""

    any_case: bool
    dots: bool
    """Whether dots in keys become underscores."""
    mapping: dict[str, str]
    """Keys by column, where they are not the column's name."""
    skips_malformed: bool
    """Whether a line that is no JSON is a row of NULLs."""
    forgives_values: bool
    """Whether a value that does not fit its column's type is NULL."""

    def key(self, column: str) -> str:
        """Give the key under which the files that `unpacked` gives have a column."""
        if not self.any_case:
            return column
        return self.mapping.get(column, column).lower()


def json_rules(table: TableInfo) -> JsonRules:
    """Read the properties of a table's JSON SerDe."""
    serde = {name.lower(): value for name, value in (*table.parameters, *table.serde)}

    def is_on(name: str, default: str) -> bool:
        return serde.get(name, default).strip().lower() == "true"

    return JsonRules(
        is_on("case.insensitive", "true"),
        is_on("dots.in.keys", "false") or is_on("convertdotsinjsonkeystounderscores", "false"),
        {n.removeprefix("mapping."): v for n, v in serde.items() if n.startswith("mapping.")},
        is_on("ignore.malformed.json", "false"),
        is_on("use.null.for.invalid.data", "false"),
    )


def unpacked(table: TableInfo, parts: Sequence[Part], handle: Handle) -> Sequence[Part]:
    """Make what must be made ready; raises AthenaFailure for a file that is broken."""
    if table.format in {"parquet", "orc", "avro"}:
        return parts
    return tuple(
        part._replace(files=tuple(_ready(table, file, handle) for file in part.files))
        for part in parts
    )


def _ready(table: TableInfo, file: File, handle: Handle) -> File:
    key = f"{table} {file.path}"
    if key not in handle.unpacked:
        try:
            rewrite = _rewrite(table, file.path)
            made = _written(rewrite, file.path, handle) if rewrite else file.path
        except (OSError, ValueError, EOFError, zlib.error) as error:
            raise AthenaFailure(
                "HIVE_CURSOR_ERROR", f"Failed to read file: {Path(file.path).name}: {error}"
            ) from error
        handle.unpacked[key] = made
    return file._replace(path=handle.unpacked[key])


class _Rewrite(NamedTuple):
    """What becomes of a file's text, and the new file's extension."""

    content: Callable[[Iterable[bytes]], Iterable[bytes]]
    suffix: str = ""


def _written(rewrite: _Rewrite, path: str, handle: Handle) -> str:
    made = f"{handle.scratch()}/{len(handle.unpacked)}{rewrite.suffix}"
    with Path(made).open("wb") as text:
        text.writelines(rewrite.content(pieces_of(path)))
    return made


def _rewrite(table: TableInfo, path: str) -> _Rewrite | None:
    """Tell what must be done to a file; None if DuckDB reads it as it is."""
    if table.input_format == _CLOUDTRAIL:
        return _Rewrite(_trail(table))
    if table.format in _JSON and (change := _row_change(table, path)):
        return _Rewrite(lambda pieces: change(lines_of(pieces)))
    if table.format in _BY_LINES and is_readable(path) and has_empty_lines(pieces_of(path)):
        return _Rewrite(lambda pieces: marked(lines_of(pieces)), MARKED)
    suffixes = FOREIGN_SUFFIXES + (NATIVE_SUFFIXES if table.format == "ion" else ())
    return _Rewrite(lambda pieces: pieces) if path.lower().endswith(suffixes) else None


def _trail(table: TableInfo) -> Callable[[Iterable[bytes]], Iterable[bytes]]:
    change = _changing(table)

    def content(pieces: Iterable[bytes]) -> Iterable[bytes]:
        found = records(b"".join(pieces))
        return change(line.rstrip(b"\n") for line in found) if change else found

    return content


def _row_change(table: TableInfo, path: str) -> Callable[[Iterable[bytes]], Iterator[bytes]] | None:
    """Tell how lines of JSON are changed, if any has to be."""
    keys, change = json_rules(table), _key_change(table, path)
    if not keys.skips_malformed and not keys.forgives_values:
        return change

    def valid(lines: Iterable[bytes]) -> Iterator[bytes]:
        found = valid_rows(lines, lenient=keys.skips_malformed)
        return change(found) if change else (line + b"\n" for line in found)

    return valid


def _key_change(table: TableInfo, path: str) -> Callable[[Iterable[bytes]], Iterator[bytes]] | None:
    """Tell how keys are changed, if any has to be."""
    keys = json_rules(table)
    named_in_capitals = any(key != key.lower() for key in keys.mapping.values())
    if keys.any_case and not keys.dots and not named_in_capitals and not _has_capitals(path):
        return None
    return _changing(table)


def _changing(table: TableInfo) -> Callable[[Iterable[bytes]], Iterator[bytes]] | None:
    keys = json_rules(table)
    if not keys.any_case:
        columns = {key: column for column, key in keys.mapping.items()}
        if not columns and not keys.dots:
            return None
        return lambda lines: changed_names(
            lines, lambda key: columns.get(_undotted(key, keys), _undotted(key, keys))
        )
    # The Hive SerDe keeps the keys of maps as they are.
    has_maps = any("map<" in field.type for field in table.columns)
    every = table.format == "openx" or not has_maps
    change = changed_keys if every else changed_names
    return lambda lines: change(lines, lambda key: _undotted(key, keys).lower())


def _undotted(key: str, keys: JsonRules) -> str:
    return key.replace(".", "_") if keys.dots else key


def _has_capitals(path: str) -> bool:
    """Tell whether a key of a file has a capital letter."""
    if not is_readable(path):
        return False
    state = os.stat(path)  # noqa: PTH116 - many small files: Path costs more
    return _capitals_of(path, (state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=_MOST_KEPT)
def _capitals_of(path: str, _state: tuple[int, int]) -> bool:
    """Search a file, or remember what was found: the whole of it costs a third of its reading."""
    return has_capital_keys(pieces_of(path))
