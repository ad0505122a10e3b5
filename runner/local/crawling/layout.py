"""Which folders are one table, and which partitions it has: the crawler's grouping.

In: a tree of folders.  Out: tables, each with its partitions and their schemas.  A folder is one
table if it holds files, if the folders below it are Hive's (`k=v`), or if what lies in them is
alike: of one format, with more than 70 % of the columns in common.  Else each folder below is
looked at by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.local.crawling.files import partition_keys, partition_value
from runner.local.crawling.schema import UnreadableError, classify, infer, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from runner.local.crawling.files import Folder, Object
    from runner.local.crawling.schema import Schema

_ALIKE = 0.7


@dataclass(frozen=True, slots=True)
class Part:
    """The files of one partition, or of a whole table without partitions."""

    values: tuple[str, ...]
    uri: str
    objects: tuple[Object, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Found:
    """A table."""

    uri: str
    keys: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def schema(self) -> Schema:
        """Give the schema of the first part, which stands for the format of all."""
        return self.parts[0].schema

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Give the columns of all parts, without those that are partition columns."""
        found = merged([part.schema for part in self.parts])
        return tuple(one for one in found if one[0] not in self.keys)


def find_tables(
    connection: DuckDBPyConnection, folder: Folder, classification: str | None, *, one: bool
) -> Iterator[Found]:
    """Find the tables below a folder; with `one`, everything is one table."""
    leaves = [(names, leaf) for names, leaf in folder.leaves()]
    if not leaves:
        return
    parts = [(names, leaf, _schema_of(connection, leaf, classification)) for names, leaf in leaves]
    yield from _grouped(folder, parts, one=one)


_Leaf = tuple[tuple[str, ...], "Folder", "Schema"]


def _schema_of(connection: DuckDBPyConnection, leaf: Folder, classification: str | None) -> Schema:
    formats = {classification or classify(one.path) for one in leaf.objects}
    if len(formats) > 1:
        raise UnreadableError(
            f"{leaf.uri} holds files of several formats: {', '.join(sorted(formats))}"
        )
    try:
        return infer(connection, formats.pop(), [one.path for one in leaf.objects])
    except UnreadableError as error:
        raise UnreadableError(f"{leaf.uri} cannot be read as {error}") from error


def _grouped(folder: Folder, leaves: Sequence[_Leaf], *, one: bool) -> Iterator[Found]:
    depths = {len(names) for names, _, _ in leaves}
    whole = one or bool(folder.objects) or _is_hive(folder) or _are_alike(leaves)
    if whole and len(depths) == 1:
        yield _table(folder, leaves)
        return
    if whole and folder.objects:
        # Files above folders: Glue makes no partitions of what is not equally deep.
        raise UnreadableError(f"{folder.uri} holds files and, in folders below, others")
    if whole and (one or _is_hive(folder)):
        raise UnreadableError(f"{folder.uri} holds files in folders that are not equally deep")
    for name, below in folder.folders.items():
        inner = [(names[1:], leaf, found) for names, leaf, found in leaves if names[0] == name]
        yield from _grouped(below, inner, one=False)


def _table(folder: Folder, leaves: Sequence[_Leaf]) -> Found:
    formats: dict[str, str] = {}
    for _, leaf, schema in leaves:
        formats.setdefault(schema.classification, leaf.uri)
    if len(formats) > 1:
        shown = ", ".join(f"{name} ({uri})" for name, uri in sorted(formats.items()))
        raise UnreadableError(f"{folder.uri} holds files of several formats: {shown}")
    keys = partition_keys([names for names, _, _ in leaves])
    parts = tuple(
        Part(
            tuple(partition_value(name, key) for name, key in zip(names, keys, strict=True)),
            leaf.uri,
            tuple(leaf.objects),
            schema,
        )
        for names, leaf, schema in leaves
    )
    return Found(folder.uri, keys, parts)


def _is_hive(folder: Folder) -> bool:
    return bool(folder.folders) and all("=" in name for name in folder.folders)


def _are_alike(leaves: Sequence[_Leaf]) -> bool:
    if len({schema.classification for _, _, schema in leaves}) > 1:
        return False
    first = {name for name, _ in leaves[0][2].columns}
    return all(_overlap(first, {n for n, _ in schema.columns}) > _ALIKE for _, _, schema in leaves)


def _overlap(one: set[str], other: set[str]) -> float:
    """Give the share of common columns.

    >>> _overlap({"a", "b"}, {"a", "c"})
    0.5
    """
    return len(one & other) / max(len(one), len(other), 1)
