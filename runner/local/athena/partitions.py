"""Which files a scan reads: the partitions that survive its conditions, and what lies in them.

In: a table, the scan's conditions, the clock.  Out: `Part`s, each with its partition values and
its visible files.  No file of a partition that a condition excludes is opened.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import date
from itertools import islice, product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.projection import (
    MOST,
    Asked,
    is_projected,
    projected_values,
    too_many,
)
from runner.local.athena.tables import SYMLINKS
from runner.local.s3_keys import encode_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from runner.local.athena.tables import Field, TableInfo
    from runner.local.athena.template import Condition
    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3

    Values = tuple[str | None, ...]
    Evaluate = Callable[[Sequence[Field], Sequence[Values], Sequence[str]], Sequence[Values]]

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_MOST_EVALUATED = 50_000
_LISTED_FROM = 4
"""Partitions from which on one listing of the table is cheaper than looking for each."""
_SPECIAL = re.compile(r"""[\x00-\x1f"#%'*/:=?\\\x7f{[\]^]""")
_INTEGERS = frozenset({"tinyint", "smallint", "int", "integer", "bigint"})


class File(NamedTuple):
    """A visible file and its size in bytes."""

    path: str
    size: int
    url: str = ""
    """Of an Iceberg table's file: how its delete files name it."""
    deletes: tuple[str, ...] = ()
    """The paths of files that list rows of it which are deleted."""


class Part(NamedTuple):
    """A partition (the whole table if it has no keys) with its files in order of name."""

    values: Values
    files: tuple[File, ...]


class Locator(NamedTuple):
    """Finds the files of tables."""

    s3: FolderS3
    catalog: GlueCatalog
    now: Callable[[], datetime]
    evaluate: Evaluate
    """Keeps the partition values for which DuckDB expressions hold."""

    def parts(self, table: TableInfo, conditions: Sequence[Condition]) -> tuple[Part, ...]:
        """Give the parts that have files."""
        return tuple(part for part in self._parts(table, conditions) if part.files)

    def values(self, table: TableInfo) -> tuple[Values, ...]:
        """Give the values of all partitions, whether they have files or not."""
        return tuple(values for values, _ in self._candidates(table, ()))

    def _parts(self, table: TableInfo, conditions: Sequence[Condition]) -> Iterator[Part]:
        if table.is_iceberg:
            from runner.local.athena.iceberg import snapshot_files  # noqa: PLC0415 - a circle

            yield Part((), snapshot_files(self.s3, table, conditions))
            return
        if not table.keys:
            yield Part((), self._files(table, table.location))
            return
        tests = tuple(_test(each, table.keys) for each in conditions if each.operator != "sql")
        wanted = (
            (values, location)
            for values, location in self._candidates(table, conditions)
            if all(test(values) for test in tests)
        )
        found = list(islice(wanted, MOST + 1))
        if len(found) > MOST:
            raise too_many(str(table))
        expressions = [each.values[0] for each in conditions if each.operator == "sql"]
        if expressions and 0 < len(found) <= _MOST_EVALUATED:
            kept = set(self.evaluate(table.keys, [values for values, _ in found], expressions))
            found = [(values, location) for values, location in found if values in kept]
        for values, location in self._present(table, found):
            yield Part(values, self._files(table, location))

    def _files(self, table: TableInfo, location: str) -> tuple[File, ...]:
        """Give the files at a location, or those that the files there name."""
        found = visible_files(self.s3.place_of(location))
        if table.input_format != SYMLINKS:
            return found
        urls = [line.strip() for file in found for line in Path(file.path).read_text().split("\n")]
        places = [self.s3.place_of(url) for url in urls if url]
        return tuple(file for place in places for file in _named_file(place))

    def _present(
        self, table: TableInfo, found: Sequence[tuple[Values, str]]
    ) -> Iterator[tuple[Values, str]]:
        """Drop partitions whose first folder does not exist: one listing instead of thousands."""
        parameters = dict(table.parameters)
        hive = is_projected(parameters) and "storage.location.template" not in parameters
        if len(found) < _LISTED_FROM or not hive:
            yield from found
            return
        with suppress(FileNotFoundError, NotADirectoryError):
            there = set(os.listdir(self.s3.place_of(table.location)))  # noqa: PTH208 - names
            base = len(table.location.rstrip("/")) + 1
            for values, location in found:
                first = location[base:].partition("/")[0]
                if encode_key(first).partition("/")[0] in there:
                    yield values, location

    def _candidates(
        self, table: TableInfo, conditions: Sequence[Condition]
    ) -> Iterator[tuple[Values, str]]:
        parameters = dict(table.parameters)
        if not is_projected(parameters):
            yield from self._registered(table, conditions)
            return
        _check_configured(table, parameters)
        _check_template(table, parameters)
        columns = [
            projected_values(
                key.name,
                parameters,
                table=str(table),
                asked=_asked(key, conditions),
                now=self.now(),
            )
            for key in table.keys
        ]
        template = parameters.get("storage.location.template") or _hive_template(table)
        if not conditions and prod(map(len, columns)) > MOST:
            raise too_many(str(table))
        for values in product(*columns):
            location = template
            for key, value in zip(table.keys, values, strict=True):
                location = location.replace("${" + key.name + "}", value)
            yield values, location

    def _registered(
        self, table: TableInfo, conditions: Sequence[Condition]
    ) -> Iterator[tuple[Values, str]]:
        below = _leading(table.keys, conditions)
        found = self.catalog.partition_places(table.database, table.name, below=below)
        for given, location in found:
            values = tuple(None if value == NULL_PARTITION else value for value in given)
            yield values, location or _hive_location(table, values)


def _leading(keys: Sequence[Field], conditions: Sequence[Condition]) -> list[str]:
    """Give the values that the first keys must have, as far as they are texts and fixed."""
    fixed = {
        each.column: each.values[0]
        for each in conditions
        if each.operator == "in" and len(each.values) == 1
    }
    found: list[str] = []
    for key in keys:
        is_text = key.type.lower() == "string" or key.type.lower().startswith("varchar")
        if not is_text or key.name not in fixed:
            break
        found.append(fixed[key.name])
    return found


def _named_file(place: str) -> tuple[File, ...]:
    try:
        return (File(place, os.stat(place).st_size),)  # noqa: PTH116 - as elsewhere here
    except OSError as error:
        raise AthenaFailure(
            "HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split: {place} does not exist"
        ) from error


def visible_files(folder: str) -> tuple[File, ...]:
    """Give the files below a folder (or the file itself), without those named `_x` and `.x`."""
    found: list[File] = []
    stack = [folder]
    while stack:
        place = stack.pop()
        with suppress(FileNotFoundError), _scan(place) as entries:
            for each in entries:
                if each.name.startswith(("_", ".", "%_")):
                    continue
                if each.is_dir():
                    stack.append(each.path)
                elif size := each.stat().st_size:
                    found.append(File(each.path, size))
    found.sort(key=lambda file: file.path)
    return tuple(found)


def _scan(place: str) -> os._ScandirIterator[str]:
    try:
        return os.scandir(place)
    except NotADirectoryError:
        raise FileNotFoundError(place) from None


def hive_folder(keys: Iterable[Field], values: Iterable[str | None]) -> str:
    """Write partition values as Hive does: `dt=2013-01-01/city=New%3AYork/`."""
    return "".join(
        f"{key.name}={escape_value(value)}/" for key, value in zip(keys, values, strict=True)
    )


def escape_value(value: str | None) -> str:
    r"""Escape a value as Hive's FileUtils.escapePathName does.

    >>> escape_value("10:30")
    '10%3A30'
    """
    if value is None or not value:
        return NULL_PARTITION
    return _SPECIAL.sub(lambda match: f"%{ord(match[0]):02X}", value)


def unescape_value(text: str) -> str | None:
    """Read a value back from a folder's name; None for the NULL partition."""
    return None if text == NULL_PARTITION else unquote(text)


def _hive_location(table: TableInfo, values: Values) -> str:
    return table.location.rstrip("/") + "/" + hive_folder(table.keys, values)


def _hive_template(table: TableInfo) -> str:
    folders = "".join(f"{key.name}=${{{key.name}}}/" for key in table.keys)
    return table.location.rstrip("/") + "/" + folders


def _check_configured(table: TableInfo, parameters: dict[str, str]) -> None:
    missing = [k.name for k in table.keys if not parameters.get(f"projection.{k.name}.type")]
    if missing:
        raise AthenaFailure(
            "HIVE_METASTORE_ERROR",
            f"Table {table} is configured for partition projection, but the following partition "
            f"columns are missing projection configuration: [{', '.join(missing)}] "
            f"(table {table})",
        )


def _check_template(table: TableInfo, parameters: dict[str, str]) -> None:
    """Refuse a template that lacks a key, and injected values of a key that is no text."""
    template = parameters.get("storage.location.template", "")
    for key in table.keys:
        if template and "${" + key.name + "}" not in template:
            raise AthenaFailure(
                "HIVE_METASTORE_ERROR",
                f"Partition location template: {template} is missing partition column: "
                f"'{key.name}' placeholder (table {table})",
            )
        kind = parameters.get(f"projection.{key.name}.type", "").strip().lower()
        is_text = key.type.lower().partition("(")[0] in {"string", "varchar", "char"}
        if kind == "injected" and not is_text:
            raise AthenaFailure(
                "HIVE_METASTORE_ERROR",
                f"Injected projection is for text columns only, {key.name} has the type "
                f"{key.type} (table {table})",
            )


def _asked(key: Field, conditions: Sequence[Condition]) -> Asked:
    """Give what the conditions say of a text column; of others the tests decide alone."""
    if key.type.lower() not in {"string", "varchar"}:
        return Asked()
    mine = [each for each in conditions if each.column == key.name and each.operator != "sql"]
    allowed: frozenset[str] | None = None
    for each in mine:
        if each.operator == "in":
            values = frozenset(each.values)
            allowed = values if allowed is None else allowed & values
    least = [each.values[0] for each in mine if each.operator in {">", ">="}]
    most = [each.values[0] for each in mine if each.operator in {"<", "<="}]
    return Asked(allowed, max(least, default=""), min(most, default=""))


def _test(condition: Condition, keys: Sequence[Field]) -> Callable[[Values], bool]:
    """Make a test of a partition's values; whatever it cannot judge passes."""
    place = next(n for n, key in enumerate(keys) if key.name == condition.column)
    convert = _converter(keys[place].type.lower())
    try:
        operands = [convert(value) for value in condition.values]
    except ValueError:
        return lambda _: True

    def holds(values: Values) -> bool:
        value = values[place]
        if value is None:
            return False
        try:
            return _compare(convert(value), condition.operator, operands)
        except ValueError:
            return True

    return holds


def _converter(kind: str) -> Callable[[str], object]:
    if kind in _INTEGERS:
        return int
    if kind == "date":
        return date.fromisoformat
    if kind == "string" or kind.startswith("varchar"):
        return str.encode
    return _undecided


def _undecided(value: str) -> object:
    raise ValueError(value)


def _compare(value: object, operator: str, operands: Sequence[object]) -> bool:
    if operator == "in":
        return value in operands
    left, right = value, operands[0]
    match operator:
        case "<":
            return bool(left < right)  # type: ignore[operator]  # both came from one converter
        case "<=":
            return bool(left <= right)  # type: ignore[operator]  # as above
        case ">":
            return bool(left > right)  # type: ignore[operator]  # as above
        case _:
            return bool(left >= right)  # type: ignore[operator]  # as above
