"""Parts whose packed files were unpacked for one statement.

In: a table's parts.  Out: the same parts; files of a codec that DuckDB does not know are replaced
by their text, in a folder that goes when the statement ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.athena.packing import FOREIGN_SUFFIXES, NATIVE_SUFFIXES, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.local.athena.engine import Handle
    from runner.local.athena.partitions import File, Part
    from runner.local.athena.tables import TableInfo

_UNPACKED = frozenset({"parquet", "orc", "avro"})
"""Formats that pack their content themselves."""


def unpacked(table: TableInfo, parts: Sequence[Part], handle: Handle) -> Sequence[Part]:
    """Unpack what must be; raises AthenaFailure for a file that is broken."""
    if table.format in _UNPACKED:
        return parts
    suffixes = FOREIGN_SUFFIXES + (NATIVE_SUFFIXES if table.format == "ion" else ())
    if not any(file.path.endswith(suffixes) for part in parts for file in part.files):
        return parts
    return tuple(
        part._replace(files=tuple(_text(file, suffixes, handle) for file in part.files))
        for part in parts
    )


def _text(file: File, suffixes: tuple[str, ...], handle: Handle) -> File:
    if not file.path.endswith(suffixes):
        return file
    made = handle.unpacked.get(file.path)
    if made is None:
        made = f"{handle.scratch()}/{len(handle.unpacked)}"
        unpack(file.path, made)
        handle.unpacked[file.path] = made
    return file._replace(path=made)
