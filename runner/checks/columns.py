"""Columns that the header names must be columns that the SQL gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.names import is_name
from runner.model.nearest import listed, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.places import Path

_UNKNOWN = "header-column"
_NAME = "partition-name"
_ONLY = "partition-only"


def _named(subject: Subject) -> Iterator[tuple[Path, str]]:
    """Give every column that the header names, with its path."""
    header = subject.table.header
    yield from ((("partition", name), name) for name in header.partition)
    if header.bucket is not None:
        yield from _listed(("bucket", "columns"), header.bucket.columns)
    yield from _listed(("keys",), header.keys)
    tagged = [*_listed(("pii",), header.pii)]
    yield from (one for one in tagged if one[1] not in header.mask)
    if header.load is not None:
        yield from _listed(("load", "keys"), header.load.keys)
        yield from _listed(("load", "columns"), header.load.columns)
        yield from ((("load", "types", name), name) for name in header.load.types)
    for index, test in enumerate(header.tests):
        yield from _listed(("tests", index, "unique"), test.unique or ())
        yield from _listed(("tests", index, "not_null"), test.not_null or ())
        for key in ("accepted_values", "range", "relationships"):
            yield from ((("tests", index, key, name), name) for name in getattr(test, key) or ())
        if test.freshness is not None:
            yield ("tests", index, "freshness", "column"), test.freshness.column


def _listed(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for index, name in enumerate(columns):
        yield (*path, index), name


def _find_unknown(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    outputs = subject.outputs
    if outputs is None:
        return
    for path, name in _named(subject):
        if name not in outputs:
            what = "partition column" if path[0] == "partition" else "column"
            yield Fault(
                subject.places.key(*path),
                _UNKNOWN,
                f"the {what} `{name}`, which the SQL does not give",
                f"one of {listed(outputs)}",
                suggestion(name, outputs, otherwise="add it to the SELECT, or remove it here"),
            )


def _find_names(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    for name in subject.table.header.partition:
        if not is_name(name):
            yield Fault(
                subject.places.key("partition", name),
                _NAME,
                f"the partition column `{name}`",
                "small letters, digits and _, a letter first: it becomes a folder's name",
                "rename the column with AS in the SELECT, and here",
            )


def _find_only(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    outputs = subject.outputs
    partition = subject.table.header.partition
    if outputs is not None and partition and outputs <= set(partition):
        yield Fault(
            subject.places.key("partition"),
            _ONLY,
            "a table whose columns are all partition columns",
            "at least one column that the files hold",
            "add a column to the SELECT, such as count(*) AS rows_",
        )


RULES = (
    Rule(
        _UNKNOWN,
        "error",
        "A test, key or partition on a column that does not exist fails after the query was paid.",
        _find_unknown,
    ),
    Rule(_NAME, "error", "Partition columns become folder names and Glue keys.", _find_names),
    Rule(
        _ONLY, "error", "Athena writes no table that has nothing but partition columns.", _find_only
    ),
)
