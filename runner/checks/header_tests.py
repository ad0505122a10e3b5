"""Each test of a header asks one thing, and something that can be answered (SEMANTICS 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = "test-shape"
_RANGE = "test-range"
KEYS = ("unique", "not_null", "accepted_values", "range", "min_rows", "max_rows")


def _find_shape(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    for index, test in enumerate(subject.table.header.tests):
        asked = [key for key in KEYS if getattr(test, key) is not None]
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


RULES = (
    Rule(_CODE, "error", "One test, one answer: a report names what failed.", _find_shape),
    Rule(_RANGE, "error", "A range whose ends are swapped refuses every row.", _find_range),
)
