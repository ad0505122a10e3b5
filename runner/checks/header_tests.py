"""Each test of a header asks one thing, and something that can be answered (SEMANTICS 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.names import is_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = "test-shape"
_RANGE = "test-range"
_RELATIONSHIP = "test-relationship"
KEYS = (
    "unique",
    "not_null",
    "accepted_values",
    "range",
    "min_rows",
    "max_rows",
    "relationships",
    "freshness",
    "sql",
)
_PARTS = 3
"""Names in `database.table.column`."""


def _find_shape(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    for index, test in enumerate(subject.table.header.tests):
        asked = [key for key in KEYS if getattr(test, key) not in (None, {})]
        if len(asked) != 1:
            found = f"{' and '.join(asked)} in one test" if asked else "a test that asks nothing"
            yield Fault(
                subject.places.key("tests", index),
                _CODE,
                found,
                f"one of {', '.join(KEYS)}",
                "begin each test with `- ` of its own" if asked else "add one, or remove the test",
            )


def _find_range(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    for index, test in enumerate(subject.table.header.tests):
        for column, (least, greatest) in (test.range or {}).items():
            if least is not None and greatest is not None and least > greatest:
                yield Fault(
                    subject.places.value("tests", index, "range", column),
                    _RANGE,
                    f"[{least:g}, {greatest:g}]",
                    "[least, greatest]",
                    f"write [{greatest:g}, {least:g}]",
                )


def _find_relationship(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    for index, test in enumerate(subject.table.header.tests):
        for column, target in (test.relationships or {}).items():
            names = target.split(".")
            if len(names) != _PARTS or not all(is_name(name) for name in names):
                yield Fault(
                    subject.places.value("tests", index, "relationships", column),
                    _RELATIONSHIP,
                    f"`{target}`",
                    "database.table.column in small letters",
                    "name the database, the table and the column that holds the values",
                )


RULES = (
    Rule(_CODE, "error", "One test, one answer: a report names what failed.", _find_shape),
    Rule(_RANGE, "error", "A range whose ends are swapped refuses every row.", _find_range),
    Rule(
        _RELATIONSHIP,
        "error",
        "A relationship names the one column that its values are looked up in.",
        _find_relationship,
    ),
)
